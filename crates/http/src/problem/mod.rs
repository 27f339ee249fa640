//! Every failure as `application/problem+json` (RFC 9457).

pub(crate) mod catalogue;
mod chinese;
mod figures;
mod page;
mod table;

use actix_web::http::header::{CONTENT_LANGUAGE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use fairlead_application::Failure;
use fairlead_domain::error::{Code, FieldError, Refusal, Rule};
use fairlead_domain::values::TextEnum;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::REPLAYED;
use crate::request::negotiate::Language;
use crate::request::origin::Origin;
use crate::request::range;
pub(crate) use page::missing as missing_page;
pub(crate) use table::entry;

/// The media type of problems.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// The figure that becomes `Retry-After`, in seconds.
const RETRY: &str = "retry_after";

/// What an operation comes to.
pub(crate) type Outcome = Result<HttpResponse, Failed>;

/// A failure on its way to its answer. Boxed, because most operations go well.
#[derive(Debug)]
pub(crate) struct Failed(Box<Failure>);

impl Failed {
    /// An expected "no".
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &*self.0 {
            Failure::Refused(refusal) | Failure::Replayed(refusal) => Some(refusal),
            Failure::Store(_) => None,
        }
    }

    /// The code of an expected "no".
    pub(crate) fn code(&self) -> Option<Code> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// The figures that the catalogue does not tell of the code, or that it tells otherwise.
    pub(crate) fn untold(&self) -> Vec<&str> {
        // Of what failed unexpectedly, nobody is given any.
        let Some(refusal) = self.refusal().filter(|it| it.code != Code::Internal) else { return Vec::new() };
        let is_untold = |(name, value): &(&String, &Value)| !figures::is_told(refusal.code, name, value);
        refusal.figures.iter().filter(is_untold).map(|(name, _)| name.as_str()).collect()
    }

    /// Where a record is found that was merged into another one: at the same path with the other's id.
    pub(crate) fn moved_to(&self, request: &HttpRequest) -> Option<String> {
        let refusal = self.refusal().filter(|refusal| refusal.code == Code::Merged)?;
        let survivor = refusal.figures.get("survivor_id")?.as_str()?;
        let loser = request.match_info().get("id")?;
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{}{query}", request.path().replace(loser, survivor)))
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self(Box::new(failure))
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::from(Failure::from(refusal))
    }
}

/// The status that a code is answered with.
pub(crate) fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(entry(code).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to a request that failed.
pub(crate) fn answer(Failed(failure): Failed, request: &HttpRequest) -> HttpResponse {
    let origin = Origin::of(request);
    let replayed = matches!(*failure, Failure::Replayed(_));
    let refusal = presentable(*failure, &origin.request_id);
    let language = Language::of(request.headers());
    let mut response = HttpResponse::build(status(refusal.code));
    response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON));
    response.insert_header((CONTENT_LANGUAGE, language.tag()));
    if replayed {
        response.insert_header((REPLAYED, "true"));
    }
    if let Some(seconds) = retry_after(&refusal) {
        response.insert_header((RETRY_AFTER, seconds));
    }
    if status(refusal.code) == StatusCode::UNAUTHORIZED {
        response.insert_header((WWW_AUTHENTICATE, challenge(request.headers())));
    }
    if let Some(size) = refusal.figures.get(range::SIZE).filter(|_| refusal.code == Code::RangeNotSatisfiable)
    {
        response.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
    }
    let problem = Problem::new(refusal, language, request.path(), &origin.request_id);
    response.body(json!(problem).to_string())
}

/// Says why parts of a call were refused that was answered as a whole, in a language. The use case says it in English.
pub(crate) fn tell_parts(view: &mut Value, language: Language) {
    if language == Language::Chinese {
        chinese::translate_answer(view);
    }
    cut_parts(view);
}

/// What is said of parts is as long as what is said of a whole.
fn cut_parts(view: &mut Value) {
    match view {
        Value::Array(parts) => parts.iter_mut().for_each(cut_parts),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("detail", Value::String(text)) => cut(text, DETAIL),
                    ("message", Value::String(text)) => cut(text, MESSAGE),
                    (_, member) => cut_parts(member),
                }
            }
        }
        _ => {}
    }
}

/// A refusal that says no more than its caller may know: technical failures go to the log.
fn presentable(failure: Failure, request_id: &str) -> Refusal {
    match failure {
        Failure::Refused(refusal) if refusal.code == Code::Internal => {
            tracing::error!(request_id, error = %refusal.detail, "internal error");
            internal()
        }
        Failure::Refused(refusal) | Failure::Replayed(refusal) => refusal,
        Failure::Store(error) if error.is_unavailable() => {
            tracing::error!(request_id, %error, "the database is unavailable");
            Refusal::new(Code::Unavailable, "the database is unavailable; try again soon").with(RETRY, 1)
        }
        Failure::Store(error) => {
            tracing::error!(request_id, %error, "the database failed");
            internal()
        }
    }
}

fn internal() -> Refusal {
    Refusal::new(Code::Internal, "something unexpected failed; the request id finds it in the log")
}

/// Whether it makes sense to try again soon.
pub(crate) const fn waits(code: Code) -> bool {
    matches!(code, Code::RateLimited | Code::Unavailable | Code::IdempotencyInProgress)
}

fn retry_after(refusal: &Refusal) -> Option<u64> {
    waits(refusal.code).then(|| refusal.figures.get(RETRY).and_then(Value::as_u64).unwrap_or(1))
}

/// RFC 6750: a caller without token is told the scheme only, one with a bad token that it is bad.
fn challenge(headers: &HeaderMap) -> &'static str {
    if headers.contains_key(header::AUTHORIZATION) {
        "Bearer realm=\"fairlead\", error=\"invalid_token\""
    } else {
        "Bearer realm=\"fairlead\""
    }
}

/// What went wrong (RFC 9457). A problem may have further members with the figures of its code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", max_length = 100, example = "/problems/duplicate")]
    kind: String,
    /// For people, in English or Chinese by `Accept-Language`.
    #[schema(max_length = 100, example = "Duplicate")]
    title: String,
    /// The HTTP status.
    #[schema(minimum = 300, maximum = 599, example = 409)]
    status: u16,
    /// For people, with the figures in words, in the same language.
    #[schema(max_length = 2000, example = "this e-mail address is taken")]
    detail: String,
    /// The path of the request.
    #[schema(format = "uri-reference", max_length = 2000, example = "/api/v1/users")]
    instance: String,
    /// The stable code.
    code: Code,
    /// Finds the request in the log.
    #[schema(max_length = 64, example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    request_id: String,
    /// What is wrong with which member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    errors: Vec<FieldError>,
    /// The figures of the code.
    #[serde(flatten)]
    #[schema(ignore)]
    figures: Map<String, Value>,
}

/// How long the words about a whole are at most.
const DETAIL: usize = 2000;
/// How long the words about one member are at most.
const MESSAGE: usize = 500;

/// As long as the schemas say, and without NUL, whatever was sent: names and values of a request are cited in what is
/// said about it.
fn cut(text: &mut String, most: usize) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
    if let Some((end, _)) = text.char_indices().nth(most - 1).filter(|_| text.chars().count() > most) {
        text.truncate(end);
        text.push('…');
    }
}

/// The members that no figure may replace.
const MEMBERS: [&str; 8] = ["type", "title", "status", "detail", "instance", "code", "request_id", "errors"];

impl Problem {
    fn new(mut refusal: Refusal, language: Language, path: &str, request_id: &str) -> Self {
        let title = refusal.code.label();
        let title = match language {
            Language::English => title.en,
            Language::Chinese => {
                chinese::translate(&mut refusal);
                title.zh_cn
            }
        };
        let (mut detail, mut instance) = (refusal.detail, path.to_owned());
        cut(&mut detail, DETAIL);
        cut(&mut instance, 2000);
        let mut errors = refusal.errors.into_vec();
        errors.truncate(1000);
        for error in &mut errors {
            cut(&mut error.pointer, 200);
            cut(&mut error.message, MESSAGE);
        }
        let mut figures = refusal.figures;
        figures.retain(|name, _| !MEMBERS.contains(&name.as_str()));
        Self {
            kind: format!("/problems/{}", refusal.code),
            title: title.to_owned(),
            status: entry(refusal.code).status,
            detail,
            instance,
            code: refusal.code,
            request_id: request_id.to_owned(),
            errors,
            figures,
        }
    }
}

/// A problem as the specification shows it, of an operation that is told here where to go on, if at all.
pub(crate) fn example(code: Code, path: &str, cursor: &str) -> Value {
    let refusal = match code {
        // What every operation may answer, whether it takes a body or none.
        Code::MalformedRequest => Refusal::malformed("colour", "unknown parameter `colour`"),
        Code::InvalidCursor | Code::CursorMismatch => {
            Refusal { code, ..Refusal::malformed(cursor, catalogue::description(code)) }
        }
        Code::ValidationFailed => {
            Refusal::invalid("/name", Rule::Length, "must have between 1 and 200 characters")
        }
        Code::UnknownReference => Refusal::unknown_reference("/owner_id"),
        Code::NotFound => Refusal::not_found(),
        Code::Internal => internal(),
        Code::VersionMismatch => Refusal::new(code, "version 6 was expected, the present one is 7"),
        _ => Refusal::new(code, catalogue::description(code)),
    };
    let shown = figures::of(code).iter().filter_map(|figure| Some((figure.name, figure.example()?)));
    let refusal = shown.fold(refusal, |refusal, (name, example)| refusal.with(name, example));
    let path = path.replace("{id}", "0190163d-8694-739b-aea5-966c26f8ad91");
    json!(Problem::new(refusal, Language::English, &path, "0190163d-8694-739b-aea5-966c26f8ad91"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn figures_become_members_but_replace_none() {
        let refusal = Refusal::new(Code::Duplicate, "taken").with("field", "email").with("status", 1);
        let document = json!(Problem::new(refusal, Language::Chinese, "/x", "r"));
        assert_eq!(document["field"], "email");
        assert_eq!(document["status"], 409);
        assert_eq!(document["title"], "数据重复");
        assert_eq!(document["type"], "/problems/duplicate");
        assert_eq!(document["detail"], "必须唯一的值已被占用，`errors` 指出是哪个成员。");
    }

    #[test]
    fn what_was_sent_is_cited_in_part() {
        let long = "长".repeat(3000);
        let mut refusal = Refusal::malformed(&long, long.clone());
        refusal.errors = vec![refusal.errors[0].clone(); 2000].into();
        let problem = Problem::new(refusal, Language::English, &long, "r");
        let length = |text: &str| (text.chars().count(), text.ends_with('…'));
        assert_eq!((length(&problem.detail), length(&problem.instance)), ((2000, true), (2000, true)));
        let error = &problem.errors[999];
        assert_eq!((length(&error.pointer), length(&error.message)), ((200, true), (500, true)));
        assert_eq!(problem.errors.len(), 1000);
        let odd = Refusal::malformed("a\0b", "unknown parameter `a\0b`");
        assert!(!json!(Problem::new(odd, Language::English, "/x", "r")).to_string().contains("\\u0000"));
        let whole = "长".repeat(2000);
        let refusal = Refusal::new(Code::Internal, whole.clone());
        assert_eq!(Problem::new(refusal, Language::English, "/x", "r").detail, whole);
    }

    #[test]
    fn examples_have_the_figures_of_their_code() {
        let shown = |code: Code| example(code, "/api/v1/leads/{id}", "cursor");
        assert_eq!(shown(Code::InUse)["dependents"], json!([{"record_kind": "contact", "count": 2}]));
        assert_eq!(shown(Code::InUse).get("stage_id"), None);
        assert_eq!(shown(Code::RateLimited)["retry_after"], 1);
        assert_eq!(shown(Code::Merged)["survivor_id"], "0190163d-8694-739b-aea5-966c26f8ad91");
    }

    #[test]
    fn figures_that_nobody_tells_are_noticed() {
        let untold = |refusal: Refusal| Failed::from(refusal).untold().join(", ");
        let limit = |limit: Value| Refusal::new(Code::TooMany, "enough").with("limit", limit);
        assert_eq!(untold(limit(7.into())), "");
        assert_eq!(untold(limit("7".into())), "limit");
        assert_eq!(untold(limit(7.into()).with("status", "full").with("owned", 7)), "status, owned");
        assert_eq!(untold(Refusal::new(Code::Internal, "secret").with("dsn", "secret")), "");
    }

    #[test]
    fn headers_tell_when_and_how_to_come_back() {
        let request = TestRequest::get().to_http_request();
        let limited = Refusal::new(Code::RateLimited, "slow down").with(RETRY, 17);
        assert_eq!(answer(limited.into(), &request).headers().get(RETRY_AFTER).unwrap(), "17");
        let nobody = Refusal::new(Code::Unauthenticated, "who?");
        assert!(answer(nobody.into(), &request).headers().contains_key(WWW_AUTHENTICATE));
    }

    #[test]
    fn internal_details_stay_inside() {
        let refusal = presentable(Refusal::new(Code::Internal, "secret").with("dsn", "secret").into(), "r");
        assert!(!format!("{refusal:?}").contains("secret"));
    }
}
