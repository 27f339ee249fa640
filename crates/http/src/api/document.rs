//! The specification's operations, from the declarations.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use fairlead_domain::attachment::MediaType;
use fairlead_domain::error::Code;
use fairlead_domain::values::TextEnum;
use serde_json::{Value, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::{self, HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, Content, ContentBuilder, Deprecated, KnownFormat, ObjectBuilder, Paths, Ref, RefOr, Required,
    Response, ResponseBuilder, Schema, SchemaFormat, SecurityRequirement, Type,
};

use super::example::{Purpose, answered, example};
use super::shape::{self, Body, Cached, Named, Shape};
use super::stream::{EVENT_STREAM, LAST_EVENT_ID};
use super::webhooks::Messages;
use super::{
    Api, BASE, Deprecation, Operation, REPLAYED, components, deprecation, listing, question, schemas,
    selection, tidy, webhooks,
};
use crate::problem::{self, PROBLEM_JSON, Problem, catalogue};
use crate::request::body::{JSON, MERGE_PATCH};
use crate::request::condition::Precondition;
use crate::request::negotiate::HTML;
use crate::request::origin::REQUEST_ID;
use crate::request::{idempotency, limit};

/// The security scheme of operations that take a token.
pub(crate) const BEARER: &str = "bearer";

/// The parts of the specification that follow from the declarations.
pub(crate) struct Parts {
    pub(crate) tags: Vec<Tag>,
    pub(crate) paths: Paths,
    pub(crate) webhooks: Paths,
    pub(crate) components: Components,
    /// Names that two different schemas claim.
    pub(crate) collisions: Vec<String>,
    /// Examples that their own operation would refuse, and why.
    pub(crate) refused: Vec<String>,
}

/// Describes all operations of a server that takes files of so many bytes.
pub(crate) fn describe(mut api: Api, file_limit: usize) -> Parts {
    let problem = api.schemas.open_ended::<Problem>();
    let messages = Messages::of(&mut api.schemas);
    let (mut schemas, collisions) = std::mem::take(&mut api.schemas).into_parts();
    tidy::tidy(&mut schemas);
    let (responses, refused) = (BTreeMap::new(), Vec::new());
    let mut shared = Shared { problem, schemas, file_limit, responses, refused };
    let mut paths = Paths::new();
    for operation in &api.operations {
        let method = match operation.shape.method {
            Method::POST => HttpMethod::Post,
            Method::PATCH => HttpMethod::Patch,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Get,
        };
        let documented = document(operation, &api.operations, &mut shared);
        paths.add_path_operation(&operation.shape.path, vec![method], documented);
    }
    let tags = api
        .tags
        .into_iter()
        .map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build());
    let webhooks = messages.describe(&shared.schemas);
    shared.responses.extend(webhooks::responses());
    tidy::prune(&mut shared.schemas, &(&paths, &webhooks, &shared.responses));
    let mut components = Components::new();
    components.schemas = shared.schemas;
    components.responses = shared.responses;
    components.headers = components::headers();
    if api.operations.iter().all(|operation| operation.deprecation.is_none()) {
        // What nothing refers to is no part of the document.
        for name in [deprecation::SINCE, deprecation::SUNSET] {
            components.headers.remove(name);
        }
    }
    components.parameters = components::parameters();
    components.parameters.extend(webhooks::parameters());
    Parts { tags: tags.collect(), paths, webhooks, components, collisions, refused: shared.refused }
}

/// What operations share.
struct Shared {
    problem: Named,
    schemas: BTreeMap<String, RefOr<Schema>>,
    /// The largest file that is taken, in bytes.
    file_limit: usize,
    responses: BTreeMap<String, RefOr<Response>>,
    refused: Vec<String>,
}

fn document(operation: &Operation, all: &[Operation], shared: &mut Shared) -> path::Operation {
    let shape = &*operation.shape;
    // A public operation wants no credentials, and says so.
    let bearer = || SecurityRequirement::new(BEARER, Vec::<String>::new());
    let security: Vec<_> = (!shape.public).then(bearer).into_iter().collect();
    let mut builder = OperationBuilder::new()
        .tag(operation.tag)
        .operation_id(Some(operation.about.id))
        .summary(Some(operation.about.summary))
        .description(Some(description(operation)))
        .securities(Some(security))
        .request_body(request_body(operation, shared));
    let fields = selection::parameter(shape, &shared.schemas).map(RefOr::T);
    for parameter in parameters(shape).into_iter().chain(fields) {
        builder = match parameter {
            RefOr::T(parameter) => builder.parameter(parameter),
            RefOr::Ref(reference) => builder.parameter_ref(reference),
        };
    }
    let mut extensions = ExtensionsBuilder::new();
    if let Some(permission) = operation.permission {
        extensions = extensions.add("x-permission", json!(permission));
    }
    if let Some(deprecation) = &operation.deprecation {
        extensions = extensions.add("x-sunset", json!(deprecation.sunset));
        builder = builder.deprecated(Some(Deprecated::True));
    }
    if operation.permission.is_some() || operation.deprecation.is_some() {
        builder = builder.extensions(Some(extensions.build()));
    }
    builder = builder.response(shape.answer.status.as_str(), success(operation, all, shared));
    if shape.answer.content.is_file() {
        builder = builder
            .response(StatusCode::OK.as_str(), file_answer("The whole.", false))
            .response(StatusCode::PARTIAL_CONTENT.as_str(), file_answer("The part.", true))
            .response(StatusCode::NOT_MODIFIED.as_str(), not_modified(components::CONTENT_TAG));
    }
    if shape.cached != Cached::Never {
        builder = builder.response(StatusCode::NOT_MODIFIED.as_str(), not_modified(tag(shape)));
    }
    for (status, codes) in by_status(operation) {
        builder = builder.response(status.to_string(), refusals(&codes, shape, shared));
    }
    builder.build()
}

fn description(operation: &Operation) -> String {
    let going = operation.deprecation.as_ref().map(Deprecation::description).unwrap_or_default();
    let rules = format!("{}{going}", operation.about.rules);
    let Some(permission) = operation.permission else { return rules };
    let scope = match operation.shape.parameter {
        Some(_) => ", in a scope that covers the record",
        None => "",
    };
    format!("{rules}\n\nTakes the permission `{permission}`{scope}.")
}

fn parameters(shape: &Shape) -> Vec<RefOr<path::Parameter>> {
    let mut parameters = Vec::new();
    if let (Some(schema), Some(name)) = (&shape.parameter, shape.parameter_name()) {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("Which one."))
            .example(shape.example.clone())
            .schema(Some(schema.clone()));
        parameters.push(RefOr::T(parameter.build()));
    }
    if let Some(listing) = shape.listing {
        parameters.extend(listing::parameters(listing).into_iter().map(RefOr::T));
    }
    parameters.extend(shape.related.and_then(listing::include).map(RefOr::T));
    if let Some(question) = &shape.question {
        parameters.extend(question::parameters(question).into_iter().map(RefOr::T));
    }
    parameters.extend(shape.flags.iter().map(|flag| RefOr::T(listing::flag(*flag))));
    if matches!(shape.body, Body::File) {
        parameters.push(RefOr::T(listing::file_name()));
    }
    let mut shared = |name| parameters.push(RefOr::Ref(components::parameter(name)));
    match shape.precondition {
        Precondition::Ignored => {}
        Precondition::Optional => shared(components::IF_MATCH),
        Precondition::Required => shared(components::IF_MATCH_REQUIRED),
    }
    if shape.heeds_tags() {
        shared(components::IF_NONE_MATCH);
    }
    if shape.answer.content.is_file() {
        shared(components::RANGE);
        shared(components::IF_RANGE);
    }
    if shape.answer.content.is_stream() {
        shared(LAST_EVENT_ID);
    }

    if shape.idempotent {
        shared(idempotency::HEADER);
    }
    parameters
}

fn request_body(operation: &Operation, shared: &mut Shared) -> Option<RequestBody> {
    let of = |schema: &Named| example(schema, &shared.schemas, Purpose::Request);
    let (schema, kind, example, judged) = match &operation.shape.body {
        Body::Ignored | Body::Empty => return None,
        Body::Form { schema, check } => {
            let form = of(schema);
            let judged = check(&form);
            (schema, JSON, form, judged)
        }
        // Plain JSON is taken as well; generators of clients do with one type.
        Body::Patch { schema, form, check } => {
            let form = of(form);
            let patch = one_change(&form, schema, &shared.schemas);
            let judged = check(&form, &patch);
            (schema, MERGE_PATCH, patch, judged)
        }
        Body::Search { schema, listing } => {
            let search = of(schema);
            let judged = listing.search(search.clone()).map(|_| ());
            (schema, JSON, search, judged)
        }
        Body::File => {
            let builder = RequestBodyBuilder::new().description(Some(FILE)).required(Some(Required::True));
            let limit = shared.file_limit;
            let builder = media_types().fold(builder, |builder, kind| builder.content(kind, binary(limit)));
            return Some(builder.build());
        }
    };
    if let Err(refusal) = judged {
        shared.refused.push(format!("{}: {example}: {refusal:?}", operation.about.id));
    }
    let content = ContentBuilder::new().schema(Some(schema.clone())).example(Some(example)).build();
    let builder = RequestBodyBuilder::new().required(Some(Required::True));
    Some(builder.content(kind, content).build())
}

/// An example of a patch, from one of its form. One member shows what a patch is; all of them would look like a form.
/// Free text may be changed at any time; links seldom may.
fn one_change(form: &Value, patch: &Named, schemas: &BTreeMap<String, RefOr<Schema>>) -> Value {
    let prose = tidy::members_of(patch, "Prose", schemas);
    let members: Vec<_> = form.as_object().into_iter().flatten().collect();
    let text = members.iter().find(|(name, _)| prose.contains(*name));
    let first = members.iter().find(|(name, _)| !name.ends_with("_id"));
    Value::Object(
        text.or(first).map(|(name, value)| ((*name).clone(), (*value).clone())).into_iter().collect(),
    )
}

/// The longest page, in characters.
const MAX_PAGE: usize = 1_000_000;

/// The largest file that a server can be told to take, in bytes. It is kept, and given back, when the server is told to
/// take less.
const MAX_FILE: usize = 1_073_741_824;

/// What is said of a file that is sent.
const FILE: &str = "The file. The server takes as many bytes as `files.limit_bytes` of its configuration says; \
    `maxLength` is that of the server that wrote this document. More are `413 payload_too_large`, with the `limit`. \
    Text is UTF-8 to its end, whether `Content-Type` has `charset=utf-8` or not, and is given back with it.";

/// What files may be.
fn media_types() -> impl Iterator<Item = &'static str> {
    MediaType::ALL.iter().map(|kind| kind.as_str())
}

/// Bytes that are no JSON, so many at most.
fn binary(most: usize) -> Content {
    let bytes = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
        // There are no empty ones.
        .min_length(Some(1))
        .max_length(Some(most))
        .description(Some("The content of a file."));
    ContentBuilder::new().schema(Some(bytes)).build()
}

/// A page that browsers get instead.
fn page() -> Content {
    let page = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(MAX_PAGE))
        .pattern(Some("^<!DOCTYPE html>"))
        .description(Some("The same for people, in the language of `Accept-Language`."));
    ContentBuilder::new().schema(Some(page)).build()
}

fn file_answer(description: &str, partial: bool) -> Response {
    let builder = media_types().fold(ResponseBuilder::new().description(description), |builder, kind| {
        builder.content(kind, binary(MAX_FILE))
    });
    let named = [
        (limit::POLICY, limit::POLICY),
        (limit::LIMIT, limit::LIMIT),
        (REQUEST_ID, REQUEST_ID),
        ("ETag", components::CONTENT_TAG),
        ("Content-Disposition", "Content-Disposition"),
        ("Accept-Ranges", "Accept-Ranges"),
    ];
    let range = partial.then_some(("Content-Range", "Content-Range"));
    named
        .into_iter()
        .chain(range)
        .fold(builder, |builder, (name, component)| builder.header_ref(name, components::header(component)))
        .build()
}

fn success(operation: &Operation, all: &[Operation], shared: &Shared) -> Response {
    let shape = &*operation.shape;
    let answer = &shape.answer;
    let description = match answer.status {
        StatusCode::CREATED => "Made.",
        StatusCode::ACCEPTED if answer.located => "Begun: `Location` says where its progress is found.",
        StatusCode::ACCEPTED => "Taken; what comes of it is not told.",
        StatusCode::NO_CONTENT => "Done.",
        _ if shape.method == Method::GET || shape.gives_rows() => "Found.",
        _ => "Done: this is what came of it.",
    };
    let mut builder = ResponseBuilder::new().description(description);
    if let shape::Content::Json(schema) = &answer.content {
        let example = answered(operation.about.id, schema, &shared.schemas);
        let content = ContentBuilder::new().schema(Some(Named::clone(schema))).example(Some(example));
        builder = builder.content(JSON, content.build());
    }
    if let shape::Content::Events(event) = &answer.content {
        let example = example(event, &shared.schemas, Purpose::Response);
        let content = ContentBuilder::new().schema(Some(Named::clone(event))).example(Some(example));
        builder = builder.content(EVENT_STREAM, content.build());
    }
    if answer.shown {
        builder = builder.content(HTML, page());
    }
    let carried = [
        (shape.is_limited(), limit::POLICY),
        (shape.is_limited(), limit::LIMIT),
        (true, REQUEST_ID),
        (answer.tagged, "ETag"),
        (answer.located, "Location"),
        (answer.paged, "Link"),
        (shape.idempotent, REPLAYED),
    ];
    for (_, name) in carried.into_iter().filter(|(carries, _)| *carries) {
        let component = if name == "ETag" { tag(shape) } else { name };
        builder = builder.header_ref(name, components::header(component));
    }
    if operation.deprecation.is_some() {
        for name in [deprecation::SINCE, deprecation::SUNSET] {
            builder = builder.header_ref(name, components::header(name));
        }
    }
    if answer.located {
        let home = answer.home.map_or_else(|| shape.path.clone(), |home| format!("{BASE}{home}"));
        for next in all.iter().filter(|next| follows(&next.shape, &home)) {
            builder = builder.link(next.about.id, link(next));
        }
    }
    builder.build()
}

/// The component that says what the `ETag` of an answer is.
fn tag(shape: &Shape) -> &'static str {
    if shape.cached == Cached::Text { components::TEXT_TAG } else { "ETag" }
}

/// Whether an operation is about the very record that is found below `home`.
fn follows(next: &Shape, home: &str) -> bool {
    next.path.strip_prefix(home) == Some("/{id}")
}

fn link(next: &Operation) -> Link {
    let link = LinkBuilder::new()
        .operation_id(next.about.id)
        .description(next.about.summary)
        .parameter("id", "$response.body#/id");
    match next.shape.precondition {
        Precondition::Required => link.parameter("If-Match", "$response.header.ETag"),
        _ => link,
    }
    .build()
}

fn not_modified(tag: &str) -> Response {
    ResponseBuilder::new()
        .description("The version that is known already is the present one.")
        .header_ref(limit::POLICY, components::header(limit::POLICY))
        .header_ref(limit::LIMIT, components::header(limit::LIMIT))
        .header_ref(REQUEST_ID, components::header(REQUEST_ID))
        .header_ref("ETag", components::header(tag))
        .build()
}

/// Whether the specification says that an operation may refuse with a code.
pub(crate) fn names(operation: &Operation, code: Code) -> bool {
    operation.refusals.contains(&code) || usual(operation).contains(&code)
}

/// Every code that an operation may refuse with, by status.
fn by_status(operation: &Operation) -> BTreeMap<u16, Vec<Code>> {
    let mut statuses: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in usual(operation).into_iter().chain(operation.refusals.iter().copied()) {
        let codes = statuses.entry(problem::entry(code).status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    statuses
}

/// What operations of this shape may always refuse with.
fn usual(operation: &Operation) -> Vec<Code> {
    let shape = &*operation.shape;
    let takes_form = matches!(shape.body, Body::Form { .. } | Body::Patch { .. } | Body::Search { .. });
    let takes_body = !matches!(shape.body, Body::Ignored);
    let rules = [
        (true, &[Code::MalformedRequest, Code::Internal, Code::Unavailable][..]),
        (shape.is_limited(), &[Code::RateLimited]),
        (!shape.public, &[Code::Unauthenticated]),
        (operation.permission.is_some(), &[Code::Forbidden]),
        (shape.parameter.is_some(), &[Code::NotFound]),
        (shape.answer.content.is_json() || shape.answer.content.is_stream(), &[Code::NotAcceptable]),
        (takes_body, &[Code::RequestTimeout, Code::PayloadTooLarge, Code::UnsupportedMediaType]),
        (takes_form, &[Code::ValidationFailed]),
        (shape.answer.content.is_file(), &[Code::RangeNotSatisfiable]),
        (shape.gives_rows(), &[Code::InvalidCursor, Code::CursorMismatch]),
        (shape.answer.content.is_stream(), &[Code::InvalidCursor]),
        (true, shape.refuses),
        (shape.precondition != Precondition::Ignored, &[Code::VersionMismatch]),
        (shape.precondition == Precondition::Required, &[Code::PreconditionRequired]),
        (shape.idempotent, &[Code::IdempotencyInProgress, Code::IdempotencyKeyReused]),
    ];
    rules.iter().filter(|(applies, _)| *applies).flat_map(|(_, codes)| codes.iter().copied()).collect()
}

/// The response for one status. Where only one code has it, all operations share the response.
fn refusals(codes: &[Code], shape: &Shape, shared: &mut Shared) -> RefOr<Response> {
    let kept = shape.idempotent && codes.iter().any(|code| is_kept(*code));
    if let Some(name) =
        shape.parameter_name().filter(|_| shape.answer.shown && codes.contains(&Code::NotFound))
    {
        // What is shown to people is missing as a page as well.
        let path = shape.path.replace(&format!("{{{name}}}"), "unknown");
        let missing = refusal(codes, kept, &path, shape, &shared.problem);
        return ResponseBuilder::from(missing).content(HTML, page()).build().into();
    }
    let [code] = codes else {
        return refusal(codes, kept, &shape.path, shape, &shared.problem).into();
    };
    let name = component_name(*code) + if kept { "OrReplayed" } else { "" };
    let problem = &shared.problem;
    let path = "/api/v1/leads/{id}";
    shared.responses.entry(name.clone()).or_insert_with(|| refusal(codes, kept, path, shape, problem).into());
    Ref::from_response_name(name).into()
}

/// Whether a refusal may come from a use case, and so is an answer that is kept under an idempotency key. What is
/// refused before one begins, and what may be otherwise at once, never is.
fn is_kept(code: Code) -> bool {
    !matches!(code, Code::IdempotencyInProgress | Code::IdempotencyKeyReused)
        && matches!(problem::entry(code).status, 403 | 404 | 409 | 412 | 422)
}

fn refusal(codes: &[Code], kept: bool, path: &str, shape: &Shape, problem: &Named) -> Response {
    let meaning = match codes {
        [code] => format!("{}: {}", code.label().en, catalogue::description(*code)),
        several => several
            .iter()
            .map(|code| format!("- `{code}`: {}", catalogue::description(*code)))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    let examples = codes.iter().map(|code| {
        let example = problem::example(*code, path, shape.cursor());
        let example = ExampleBuilder::new().summary(code.label().en).value(Some(example));
        (code.to_string(), example)
    });
    let content = ContentBuilder::new().schema(Some(problem.clone())).examples_from_iter(examples).build();
    let mut builder = ResponseBuilder::new()
        .description(meaning)
        .content(PROBLEM_JSON, content)
        .header_ref(limit::POLICY, components::header(limit::POLICY))
        .header_ref(limit::LIMIT, components::header(limit::LIMIT))
        .header_ref(REQUEST_ID, components::header(REQUEST_ID));
    if codes.iter().any(|code| problem::waits(*code)) {
        builder = builder.header_ref("Retry-After", components::header("Retry-After"));
    }
    if codes.contains(&Code::RangeNotSatisfiable) {
        builder = builder.header_ref("Content-Range", components::header("Content-Range"));
    }
    if codes.contains(&Code::Merged) {
        builder = builder.header_ref("Location", components::header("Location"));
    }
    if kept {
        builder = builder.header_ref(REPLAYED, components::header(REPLAYED));
    }
    if codes.iter().any(|code| problem::entry(*code).status == 401) {
        builder = builder.header_ref("WWW-Authenticate", components::header("WWW-Authenticate"));
    }
    builder.build()
}

/// `not_found` as `NotFound`.
fn component_name(code: Code) -> String {
    schemas::camel(code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_named_after_their_code() {
        assert_eq!(component_name(Code::NotFound), "NotFound");
        assert_eq!(component_name(Code::IdempotencyKeyReused), "IdempotencyKeyReused");
    }
}
