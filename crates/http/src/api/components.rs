//! Headers that many operations share, described once.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Header, HeaderBuilder, KnownFormat, Ref, RefOr, Required, SchemaFormat};

use super::stream::LAST_EVENT_ID;
use super::{REPLAYED, deprecation};
use crate::request::origin::REQUEST_ID;
use crate::request::{condition, idempotency, limit, range};

/// The pattern of our entity tags.
const ETAG: &str = r#"^"v[1-9][0-9]{0,18}-[0-9a-f]{16}(-(br|deflate|gzip|zstd))?"$"#;
/// One of them.
const TAG: &str = "\"v7-1c9e6f3b2a405d78\"";
/// The pattern of what `If-Match` and `If-None-Match` may say.
const CONDITION: &str = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#;

/// The pattern of what a header may say.
const VISIBLE: &str = "^[ -~]*$";

/// The component of `If-Match` where it may be left out.
pub(crate) const IF_MATCH: &str = "If-Match";
/// The component of `If-Match` where it may not.
pub(crate) const IF_MATCH_REQUIRED: &str = "If-Match-Required";
/// The component of `If-None-Match`.
pub(crate) const IF_NONE_MATCH: &str = "If-None-Match";

/// The component of the `ETag` of what has no version.
pub(crate) const TEXT_TAG: &str = "Text-ETag";
/// The component of the `ETag` of content.
pub(crate) const CONTENT_TAG: &str = "Content-ETag";
/// The component of `Range`.
pub(crate) const RANGE: &str = "Range";
/// The component of `If-Range`.
pub(crate) const IF_RANGE: &str = "If-Range";

/// A reference to a shared header of answers.
pub(crate) fn header(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// A reference to a shared header of requests.
pub(crate) fn parameter(name: &str) -> Ref {
    Ref::new(format!("#/components/parameters/{name}"))
}

/// The shared headers of answers.
pub(crate) fn headers() -> BTreeMap<String, RefOr<Header>> {
    let link = text(2000).format(Some(SchemaFormat::Custom("uri-reference".to_owned())));
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(0))
        .maximum(Some(86_400));
    let all = [
        (
            "ETag",
            "The record's version, and a digest of what this answer shows of it, with the encoding in which it comes: give it as `If-Match` to change just this version, or as `If-None-Match` to be told only what is new.",
            text(48).pattern(Some(ETAG)),
            json!(TAG),
        ),
        (
            TEXT_TAG,
            "A digest of what this answer says: give it as `If-None-Match` to be told only what is new.",
            text(20).pattern(Some("^W/\"[0-9a-f]{16}\"$")),
            json!("W/\"1c9e6f3b2a405d78\""),
        ),
        (
            CONTENT_TAG,
            "The SHA-256 of the content, in quotes.",
            text(66).pattern(Some("^\"[0-9a-f]{64}\"$")),
            json!("\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\""),
        ),
        (
            "Content-Disposition",
            "The name under which to save the file (RFC 6266).",
            text(2000).pattern(Some("^attachment; filename\\*=UTF-8''[A-Za-z0-9._%-]+$")),
            json!("attachment; filename*=UTF-8''contract.pdf"),
        ),
        (
            "Accept-Ranges",
            "Parts can be asked for.",
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["bytes"])),
            json!("bytes"),
        ),
        (
            "Content-Range",
            "Which part it is of how many bytes (RFC 9110).",
            text(80).pattern(Some("^bytes ([0-9]+-[0-9]+|\\*)/[0-9]+$")),
            json!("bytes 0-1023/146515"),
        ),
        (
            "Location",
            "Where the new record is.",
            link,
            json!("/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91"),
        ),
        (
            "Link",
            "The next page (RFC 8288); absent on the last one.",
            text(8000).pattern(Some("^<[^>]*>; rel=\"next\"$")),
            json!("</api/v1/leads?cursor=abc>; rel=\"next\""),
        ),
        (
            limit::POLICY,
            "How many requests (`q`) may be made in how many seconds (`w`): of any kind by the same asker, or to this operation, where a limit of its own refused or, at web forms, is nearer.",
            text(60).pattern(Some("^\"(asker|operation)\";q=[0-9]+;w=[0-9]+$")),
            json!("\"asker\";q=6000;w=60"),
        ),
        (
            limit::LIMIT,
            "How many requests may be made at once now (`r`), and in how many seconds all of them may be again (`t`); where an operation's own limit refused, in how many the next one.",
            text(60).pattern(Some("^\"(asker|operation)\";r=[0-9]+;t=[0-9]+$")),
            json!("\"asker\";r=5999;t=1"),
        ),
        (
            deprecation::SINCE,
            "Since when the operation is not to be used any more (RFC 9745): seconds since 1970.",
            text(20).pattern(Some("^@[0-9]+$")),
            json!("@1767225600"),
        ),
        (
            deprecation::SUNSET,
            "When the operation goes away (RFC 8594).",
            text(40).pattern(Some("^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$")),
            json!("Fri, 01 Jan 2027 00:00:00 GMT"),
        ),
        ("Retry-After", "After how many seconds to try again.", seconds, json!(1)),
        (
            REPLAYED,
            "Present when this is the answer to an earlier request with the same key.",
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["true"])),
            json!("true"),
        ),
        (
            "WWW-Authenticate",
            "How to authenticate (RFC 6750).",
            text(200).pattern(Some("^Bearer ")),
            json!("Bearer realm=\"fairlead\""),
        ),
        (
            REQUEST_ID,
            "Finds this request in the log.",
            request_id(),
            json!("0190163d-8694-739b-aea5-966c26f8ad91"),
        ),
    ];
    all.into_iter()
        .map(|(name, description, schema, example): (&str, &str, ObjectBuilder, Value)| {
            let header = HeaderBuilder::new()
                .schema(Some(schema))
                .description(Some(description))
                .example(Some(example));
            (name.to_owned(), header.build().into())
        })
        .collect()
}

/// The shared headers of requests. Those that may be left out have no example: pages that try an operation out would
/// send it, and it would be another record's version, or a key that was used before.
pub(crate) fn parameters() -> BTreeMap<String, RefOr<Parameter>> {
    let condition = || text(condition::MAX).pattern(Some(CONDITION));
    let key = text(idempotency::MAX).min_length(Some(1)).pattern(Some("^[!-~]+$"));
    let all = [
        (
            IF_MATCH,
            IF_MATCH,
            false,
            "The version that this is meant for, as an ETag that told it or as `\"v7\"`, or several of which it may be any; another one is refused with 412. A weak tag of a version names it as well: proxies that compress make tags weak.",
            condition(),
            None,
        ),
        (
            IF_MATCH_REQUIRED,
            IF_MATCH,
            true,
            "The version that this is meant for, as an ETag that told it or as `\"v7\"`, or several of which it may be any; another one is refused with 412. A weak tag of a version names it as well: proxies that compress make tags weak. `*` is any.",
            condition(),
            Some(json!("*")),
        ),
        (
            IF_NONE_MATCH,
            IF_NONE_MATCH,
            false,
            "The `ETag` of what is known already: where nothing in it would be other, `allowed_actions` and masked members included, the answer is 304.",
            condition(),
            None,
        ),
        (
            RANGE,
            RANGE,
            false,
            "The part that is wanted: one range of bytes such as `bytes=0-1023` (RFC 9110). Anything else is answered with the whole.",
            text(range::MAX).pattern(Some(VISIBLE)),
            None,
        ),
        (
            IF_RANGE,
            IF_RANGE,
            false,
            "The `ETag` of the content of which a part is known: of any other content the whole is given.",
            text(range::MAX).pattern(Some(VISIBLE)),
            None,
        ),
        (
            LAST_EVENT_ID,
            LAST_EVENT_ID,
            false,
            "The `id` of the last event that was heard: goes on behind it. Without it, from now on.",
            text(18).min_length(Some(1)).pattern(Some("^[0-9]+$")),
            None,
        ),
        (
            idempotency::HEADER,
            idempotency::HEADER,
            false,
            "Makes a repetition harmless (`order-17`, or whatever you like of letters, digits and signs of ASCII, without spaces): for 24 hours the same request with the same key is answered alike.",
            key,
            None,
        ),
    ];
    all.into_iter()
        .map(|(component, name, required, description, schema, example)| {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(if required { Required::True } else { Required::False })
                .description(Some(description))
                .schema(Some(schema))
                .example(example);
            (component.to_owned(), parameter.build().into())
        })
        .collect()
}

fn request_id() -> ObjectBuilder {
    text(64).min_length(Some(1)).pattern(Some("^[A-Za-z0-9._-]+$"))
}

pub(super) fn text(most: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(most))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderValue, IF_MATCH, IF_NONE_MATCH};
    use regex::Regex;

    use super::{CONDITION, ETAG, TAG};
    use crate::request::condition::{self, Precondition, encoded_tag, entity_tag, if_match, not_modified};

    /// Whether a value is understood, under either name.
    fn is_taken(text: &str) -> bool {
        let Ok(value) = HeaderValue::from_str(text) else { return false };
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, value.clone());
        headers.insert(IF_NONE_MATCH, value);
        let matched = if_match(&headers, Precondition::Required).is_ok();
        assert_eq!(matched, not_modified(&headers, TAG).is_ok(), "{text:?}");
        matched
    }

    #[test]
    fn the_pattern_of_entity_tags_has_every_encoding() {
        let (pattern, longest) = (Regex::new(ETAG).unwrap(), entity_tag(i64::MAX, b"shown"));
        assert!(pattern.is_match(TAG) && pattern.is_match(&longest));
        for coding in ["br", "deflate", "gzip", "zstd"] {
            let encoded = encoded_tag(&longest, coding).unwrap();
            assert!(pattern.is_match(&encoded) && encoded.len() <= 48 && is_taken(&encoded), "{encoded}");
        }
        assert!(!pattern.is_match("\"v7-1c9e6f3b2a405d78-identity\""));
    }

    #[test]
    fn the_pattern_of_conditions_allows_exactly_what_is_taken() {
        let pattern = Regex::new(CONDITION).unwrap();
        let mut taken = 0;
        let mut check = |text: &str| {
            // Blanks around a value are no part of it.
            if text.trim() == text {
                assert_eq!(pattern.is_match(text), is_taken(text), "{text:?}");
                taken += u32::from(is_taken(text));
            }
        };
        // Every character, in a tag and beside one.
        for c in (0..=0x7f_u8).map(char::from).chain(['é', '长']) {
            check(&c.to_string());
            for text in [
                format!("\"{c}\""),
                format!("W/\"a{c}b\""),
                format!("{c}\"a\""),
                format!("\"a\"{c}"),
                format!("\"a\"{c}\"b\""),
                format!("\"a\",{c}W/\"b\""),
                format!("\"a\" {c}\t\"b\", \"c\""),
            ] {
                check(&text);
            }
        }
        // Whatever can be put together of the signs that mean something.
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            texts = texts
                .iter()
                .flat_map(|text| ['*', 'W', '/', '"', '1', ' ', ','].map(|sign| format!("{text}{sign}")))
                .collect();
            for text in &texts {
                check(text);
            }
        }
        check("");
        for lists in
            ["\"v0\", \"v1\"", "*, \"v1\"", "\"v1\", *", "\"a\" \"b\"", "\"a\",", ",\"a\"", "\"a\",,\"b\""]
        {
            check(lists);
        }
        assert!(is_taken("\"v0\", \"v1\"") && is_taken("W/\"a\"\t,\"b\" , \"\""));
        let long = |opaque: usize| format!("\"{}\"", "a".repeat(opaque - 2));
        assert!(is_taken(&long(condition::MAX)) && !is_taken(&long(condition::MAX + 1)));
        assert!(taken > 200, "{taken}");
    }
}
