//! Reading a body: bounded in size and in time, and JSON or nothing.

use std::fmt;
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use fairlead_domain::attachment::MediaType;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::form;
use futures_util::{Stream, StreamExt, TryStreamExt};
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use validator::Validate;

/// JSON.
pub(crate) const JSON: &str = "application/json";
/// JSON Merge Patch (RFC 7396).
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";

/// Reads the whole body, but no more than `limit` bytes and no longer than `deadline`. The server's own
/// time-out ends with the headers: a body that trickles in would hold its connection for ever.
pub(crate) async fn read<E>(
    payload: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    headers: &HeaderMap,
    limit: usize,
    deadline: Duration,
) -> Result<Bytes, Refusal> {
    let chunks = stream(payload, headers, limit, deadline)?;
    let whole = chunks.try_fold(BytesMut::new(), |mut body, chunk| {
        body.extend_from_slice(&chunk);
        std::future::ready(Ok(body))
    });
    Ok(whole.await?.freeze())
}

/// The same as it arrives.
pub(crate) fn stream<E, P: Stream<Item = Result<Bytes, E>> + Unpin>(
    payload: P,
    headers: &HeaderMap,
    limit: usize,
    deadline: Duration,
) -> Result<impl Stream<Item = Result<Bytes, Refusal>> + use<E, P>, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(too_large(limit));
    }
    let end = tokio::time::Instant::now() + deadline;
    Ok(futures_util::stream::try_unfold((payload, 0), move |(mut payload, read)| async move {
        let next = tokio::time::timeout_at(end, payload.next()).await.map_err(|_| {
            Refusal::new(Code::RequestTimeout, format!("the body did not arrive within {deadline:?}"))
        })?;
        let Some(chunk) = next else { return Ok(None) };
        let chunk = chunk.map_err(|_| Refusal::malformed("", "the body breaks off before its end"))?;
        let read = read + chunk.len();
        if read > limit {
            return Err(too_large(limit));
        }
        Ok(Some((chunk, (payload, read))))
    }))
}

/// What a file is said to be.
pub(crate) fn media_type(headers: &HeaderMap) -> Result<MediaType, Refusal> {
    let all: Vec<&str> = MediaType::ALL.iter().map(|kind| kind.as_str()).collect();
    check_type(headers, &all)?;
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.parse().map_err(|why: String| Refusal::new(Code::UnsupportedMediaType, why))
}

fn too_large(limit: usize) -> Refusal {
    let detail = format!("a body has at most {limit} bytes");
    Refusal::new(Code::PayloadTooLarge, detail).with("limit", limit)
}

/// Refuses a body whose type is none of these.
pub(crate) fn check_type(headers: &HeaderMap, allowed: &[&str]) -> Result<(), Refusal> {
    let unsupported = || {
        let detail = format!("send {} as UTF-8, not compressed", allowed.join(" or "));
        Refusal::new(Code::UnsupportedMediaType, detail).with("allowed", allowed)
    };
    let encoded = headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(unsupported)?;
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let charset =
        parts.find_map(|part| part.to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned));
    let utf8 = charset.is_none_or(|charset| charset.trim_matches('"') == "utf-8");
    if encoded || !utf8 || !allowed.iter().any(|kind| kind.eq_ignore_ascii_case(essence)) {
        return Err(unsupported());
    }
    Ok(())
}

/// The body of an operation that takes none: nothing, or `{}` from clients that always send something.
pub(crate) fn nothing(body: &[u8]) -> Result<(), Refusal> {
    match json::<Map<String, Value>>(body)? {
        members if members.is_empty() => Ok(()),
        members => {
            let pointer = members.keys().next().map(|name| format!("/{name}")).unwrap_or_default();
            Err(Refusal::malformed(&pointer, "this operation takes no body"))
        }
    }
}

/// The body as a form whose values keep their rules.
pub(crate) fn form<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<Valid<T>, Refusal> {
    Valid::check(json(body)?)
}

/// The body as a patch of a form.
pub(crate) fn patch<T>(body: &[u8]) -> Result<Patch<T>, Refusal>
where
    T: Serialize + DeserializeOwned + Validate,
{
    match value(body)? {
        Value::Object(members) => Ok(Patch::new(members)),
        _ => Err(Refusal::malformed("", "expected an object with the members to change")),
    }
}

/// The body as it came, once no object in it names a member twice.
pub(crate) fn value(body: &[u8]) -> Result<Value, Refusal> {
    Ok(json::<Unique>(body)?.0)
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(Refusal::malformed("", "a body is wanted"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = form::read(&mut reader)?;
    reader.end().map_err(|error| Refusal::malformed("", error.to_string()))?;
    Ok(value)
}

/// A JSON value in which no object names a member twice. Forms refuse that by themselves; a patch is kept as
/// it came, as the filters of a search are, and of two values for one member nobody could say which was meant.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UniqueSeed.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct UniqueSeed;

impl<'de> DeserializeSeed<'de> for UniqueSeed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(array.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use fairlead_application::customers::CustomerBulk;
    use fairlead_application::leads::LeadBulk;
    use fairlead_application::payments::PaymentBulk;
    use fairlead_application::receipts::ReceiptBulk;

    use super::*;

    #[derive(Debug, Serialize, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[validate(length(max = 3, message = "too long"))]
        name: String,
        #[serde(default)]
        count: Option<i64>,
    }

    fn refused(body: &str) -> (Code, String) {
        let refusal = form::<Form>(body.as_bytes()).unwrap_err();
        (refusal.code, refusal.errors.first().map(|error| error.pointer.clone()).unwrap_or_default())
    }

    #[test]
    fn forms_say_where_they_are_wrong() {
        assert!(form::<Form>(br#"{"name": "abc", "count": 1}"#).is_ok());
        assert_eq!(refused(r#"{"name": "abcd"}"#), (Code::ValidationFailed, "/name".into()));
        assert_eq!(refused(r#"{"name": "a", "count": "x"}"#), (Code::MalformedRequest, "/count".into()));
        assert_eq!(refused(r#"{"name": "a", "owner": 1}"#), (Code::MalformedRequest, "/owner".into()));
        for broken in
            ["", "{", "[]", "{\"name\": \"a\"} x", "{\"name\": \"a\", \"name\": \"b\"}", "\u{feff}{}"]
        {
            assert_eq!(refused(broken).0, Code::MalformedRequest, "{broken}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(refused(&deep).0, Code::MalformedRequest);
    }

    /// What becomes of a bulk call of one item with a version.
    fn bulk<T: DeserializeOwned + Validate>(action: &str, version: &str) -> Result<(), (Code, String)> {
        let item = format!(r#"{{"id": "0190163d-8694-739b-aea5-966c26f8ad91", "version": {version}}}"#);
        let body = format!(r#"{{"action": "{action}", "mode": "atomic", "items": [{item}]}}"#);
        match form::<T>(body.as_bytes()) {
            Ok(_) => Ok(()),
            Err(refusal) => Err((refusal.code, refusal.errors[0].pointer.clone())),
        }
    }

    #[test]
    fn versions_in_bulk_calls_are_such_as_a_record_can_have() {
        let each = |version: &str| {
            [
                bulk::<LeadBulk>("claim", version),
                bulk::<CustomerBulk>("claim", version),
                bulk::<PaymentBulk>("confirm", version),
                bulk::<ReceiptBulk>("match", version),
            ]
        };
        for version in ["null", "1", "7.0", "4503599627370495.0", "9007199254740991", "9007199254740991.0"] {
            for judged in each(version) {
                assert_eq!(judged, Ok(()), "{version}");
            }
        }
        let at_version = |code: Code| (code, "/items/0/version".to_owned());
        // The last two are beyond what every client can hold.
        for version in ["0", "-1", "9007199254740992", "9223372036854775807"] {
            for judged in each(version) {
                assert_eq!(judged, Err(at_version(Code::ValidationFailed)), "{version}");
            }
        }
        for version in ["1.5", "\"1\"", "true", "9007199254740992.0", "9223372036854775808", "1e300"] {
            for judged in each(version) {
                assert_eq!(judged, Err(at_version(Code::MalformedRequest)), "{version}");
            }
        }
        let document = serde_json::to_value(crate::openapi()).unwrap();
        for item in ["LeadBulkItem", "CustomerBulkItem", "PaymentBulkItem", "ReceiptBulkItem"] {
            let version = &document["components"]["schemas"][item]["properties"]["version"];
            assert_eq!(version["minimum"], 1, "{item}");
            assert_eq!(version["maximum"], 9_007_199_254_740_991_i64, "{item}");
        }
    }

    #[test]
    fn patches_are_objects_without_duplicates() {
        assert!(patch::<Form>(br#"{"count": null, "name": "b"}"#).is_ok());
        for broken in [r#"{"a": 1, "a": 2}"#, r#"{"a": {"b": 1, "b": 2}}"#, "[]", "1", "", "null"] {
            let refusal = patch::<Form>(broken.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, Code::MalformedRequest, "{broken}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(patch::<Form>(deep.as_bytes()).unwrap_err().code, Code::MalformedRequest);
    }

    #[test]
    fn nothing_is_nothing_or_an_empty_object() {
        assert!(nothing(b"{ }").is_ok());
        assert_eq!(nothing(br#"{"a": 1}"#).unwrap_err().errors[0].pointer, "/a");
        assert!(nothing(b"[]").is_err());
    }

    #[actix_web::test]
    async fn bodies_end_in_size_and_in_time() {
        use futures_util::stream::{iter, pending};
        let deadline = Duration::from_millis(20);
        let chunks = |count| iter((0..count).map(|_| Ok::<_, ()>(Bytes::from_static(b"0123456789"))));
        let whole = read(&mut chunks(3), &HeaderMap::new(), 30, deadline).await.unwrap();
        assert_eq!(whole.len(), 30);
        let more = read(&mut chunks(4), &HeaderMap::new(), 30, deadline).await.unwrap_err();
        assert_eq!(more.code, Code::PayloadTooLarge);
        let mut slow = Box::pin(chunks(1).chain(pending()));
        let late = read(&mut slow, &HeaderMap::new(), 30, deadline).await.unwrap_err();
        assert_eq!(late.code, Code::RequestTimeout);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("31"));
        let announced = read(&mut pending::<Result<Bytes, ()>>(), &headers, 30, deadline).await.unwrap_err();
        assert_eq!(announced.code, Code::PayloadTooLarge);
    }

    #[test]
    fn only_plain_json_is_read() {
        let check = |content_type: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            check_type(&headers, &[JSON])
        };
        assert!(check("application/json").is_ok());
        assert!(check("Application/JSON; charset=UTF-8").is_ok());
        for other in ["text/plain", "application/json; charset=utf-16", "application/merge-patch+json", ""] {
            assert_eq!(check(other).unwrap_err().code, Code::UnsupportedMediaType, "{other}");
        }
        assert!(check_type(&HeaderMap::new(), &[JSON]).is_err());
    }
}
