//! Conditional requests (RFC 9110, section 13): entity tags, `If-Match` and `If-None-Match`.
//!
//! An entity tag is `"v7-1c9e6f3b2a405d78"`: the version of the record, and a digest of what the caller was shown of it.
//! The same version shows different things to different people and at different times: what may be done with a record,
//! and contact data in clear or masked, depend on rights and on other records. So `If-None-Match` wants the whole tag,
//! while `If-Match` is about the version alone, and takes `"v7"` as well.
//!
//! Encoded, an answer has other bytes and so another strong tag (section 8.8.3.3): `"v7-1c9e6f3b2a405d78-gzip"`. Proxies
//! that encode do the same, or make the tag weak. What the tag says of the record stays, and is what conditions are held
//! against: a version is named by a weak tag as well as by a strong one. Section 13.1.1 wants strong ones in `If-Match`,
//! because a weak tag may stand for several states of a record; ours never does.

use actix_web::http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};
use fairlead_application::Expected;
use fairlead_domain::error::{Code, Refusal};
use sha2::{Digest, Sha256};

/// How long a condition may be.
pub(crate) const MAX: usize = 1000;
/// How many bytes of the digest are told: enough to tell what one record was and is.
const DIGEST: usize = 8;
/// The encodings of answers, as tags name them.
const CODINGS: [&str; 4] = ["br", "deflate", "gzip", "zstd"];

/// Whether an operation looks at `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// It has no version to compare with.
    Ignored,
    /// It is checked when given.
    Optional,
    /// Without it the request is refused: nobody overwrites what they have not seen.
    Required,
}

/// The entity tag of what is shown of a record in this version.
pub(crate) fn entity_tag(version: i64, shown: &[u8]) -> String {
    format!("\"v{version}-{}\"", digest(shown))
}

/// The entity tag of what has no version. It is weak, because the same text goes out compressed as well, in other bytes;
/// nobody changes it, so that nobody needs a strong one.
pub(crate) fn text_tag(shown: &[u8]) -> String {
    format!("W/\"{}\"", digest(shown))
}

/// The entity tag of the same in an encoding. A weak tag stands for all encodings.
pub(crate) fn encoded_tag(tag: &str, coding: &str) -> Option<String> {
    let plain = tag.strip_prefix('"')?.strip_suffix('"')?;
    CODINGS.contains(&coding).then(|| format!("\"{plain}-{coding}\""))
}

/// What a tag says, whatever the encoding.
fn plain(opaque: &str) -> &str {
    match opaque.rsplit_once('-') {
        Some((plain, coding)) if CODINGS.contains(&coding) => plain,
        _ => opaque,
    }
}

fn digest(shown: &[u8]) -> String {
    let digest = Sha256::digest(shown);
    digest.iter().take(DIGEST).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// What `If-Match` says.
pub(crate) fn if_match(headers: &HeaderMap, want: Precondition) -> Result<Option<Expected>, Refusal> {
    if want == Precondition::Ignored {
        return Ok(None);
    }
    let Some(value) = list(headers, &IF_MATCH)? else {
        return match want {
            Precondition::Required => Err(Refusal::new(
                Code::PreconditionRequired,
                "say in `If-Match` which version this changes (the record's ETag), or `*` for any",
            )),
            _ => Ok(None),
        };
    };
    if value == "*" {
        return Ok(Some(Expected::Any));
    }
    let tags = tags(&value).ok_or_else(|| malformed("If-Match"))?;
    // Tags of others are well-formed, but equal to none of ours.
    Ok(Some(Expected::OneOf(tags.into_iter().filter_map(version).collect())))
}

/// Whether `If-None-Match` says that the caller has what this entity tag stands for.
pub(crate) fn not_modified(headers: &HeaderMap, present: &str) -> Result<bool, Refusal> {
    let Some(value) = list(headers, &IF_NONE_MATCH)? else { return Ok(false) };
    if value == "*" {
        return Ok(true);
    }
    // The comparison is a weak one, and what was shown is the same in every encoding.
    let tags = tags(&value).ok_or_else(|| malformed("If-None-Match"))?;
    let present = present.strip_prefix("W/").unwrap_or(present).trim_matches('"');
    Ok(tags.into_iter().any(|tag| plain(tag) == present))
}

/// Refuses an `If-None-Match` that is none, before anything is looked for: whatever else could be said of what is asked
/// for, such as where it went.
pub(crate) fn check_if_none_match(headers: &HeaderMap) -> Result<(), Refusal> {
    not_modified(headers, "").map(drop)
}

fn malformed(header: &str) -> Refusal {
    Refusal::malformed(header, format!("expected an entity tag such as \"v7\", or *, in `{header}`"))
}

/// A list header that may be sent in several lines, as one.
fn list(headers: &HeaderMap, name: &actix_web::http::header::HeaderName) -> Result<Option<String>, Refusal> {
    let mut whole: Option<String> = None;
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| malformed(name.as_str()))?.trim();
        whole = Some(match whole {
            Some(before) => format!("{before}, {line}"),
            None => line.to_owned(),
        });
    }
    if whole.as_ref().is_some_and(|whole| whole.len() > MAX) {
        Err(malformed(name.as_str()))
    } else {
        Ok(whole)
    }
}

/// What the entity tags of a list have between their quotes, or none when it is no list of them.
fn tags(value: &str) -> Option<Vec<&str>> {
    let mut rest = value.trim_start();
    let mut tags = Vec::new();
    loop {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (opaque, after) = quoted.split_once('"')?;
        // No tag has a blank in it (RFC 9110, section 8.8.3).
        if !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        tags.push(opaque);
        let after = after.trim_start();
        if after.is_empty() {
            return Some(tags);
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

/// The version in one of our tags, with its digest or without.
fn version(opaque: &str) -> Option<i64> {
    let told = plain(opaque).strip_prefix('v')?;
    let (digits, digest) =
        told.split_once('-').map_or((told, None), |(digits, digest)| (digits, Some(digest)));
    if digest.is_some_and(|digest| {
        digest.len() != 2 * DIGEST || !digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    }) {
        return None;
    }
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    fn matched(lines: &[&str]) -> Result<Option<Expected>, Code> {
        if_match(&headers(&IF_MATCH, lines), Precondition::Required).map_err(|refusal| refusal.code)
    }

    #[test]
    fn if_match_takes_our_tag_or_a_star() {
        let versions = |versions: &[i64]| Ok(Some(Expected::OneOf(versions.to_vec())));
        assert_eq!(matched(&["\"v7\""]), versions(&[7]));
        assert_eq!(matched(&["*"]), Ok(Some(Expected::Any)));
        assert_eq!(matched(&["\"other\", \"v7\""]), versions(&[7]));
        assert_eq!(matched(&["\"v7\"", "\"v8\""]), versions(&[7, 8]));
        let shown = "\"v7-0123456789abcdef\"";
        assert_eq!(matched(&[shown]), versions(&[7]));
        assert_eq!(matched(&[shown, "\"v8-fedcba9876543210\""]), versions(&[7, 8]));
        // As it comes encoded, and from proxies that encode.
        let [gzip, br] = ["gzip", "br"].map(|coding| encoded_tag(shown, coding).unwrap());
        for other in [gzip.clone(), format!("W/{shown}"), format!("W/{gzip}"), "W/\"v7\"".to_owned()] {
            assert_eq!(matched(&[&other]), versions(&[7]), "{other}");
        }
        assert_eq!(matched(&[&format!("{br}, W/\"v8\"")]), versions(&[7, 8]));
        assert_eq!(matched(&[]), Err(Code::PreconditionRequired));
        assert_eq!(if_match(&HeaderMap::new(), Precondition::Optional).unwrap(), None);
        assert_eq!(if_match(&headers(&IF_MATCH, &["\"v7\""]), Precondition::Ignored).unwrap(), None);
    }

    #[test]
    fn foreign_tags_never_match_and_nonsense_is_malformed() {
        for other in [
            "\"abc\"",
            "W/\"abc\"",
            "\"v7-0123456789abcdef-compress\"",
            "\"v7-0123456789abcdef-gzip-gzip\"",
            "\"v7-0123456789abcdef-\"",
            "\"v07\"",
            "\"v\"",
            "\"v-1\"",
            "\"v7-\"",
            "\"v7-abc\"",
            "\"v7-0123456789abcdeg\"",
            "\"v99999999999999999999\"",
        ] {
            assert_eq!(matched(&[other]), Ok(Some(Expected::OneOf(Vec::new()))), "{other}");
        }
        for nonsense in
            ["v7", "7", "\"v7", "\"v7\" \"v8\"", "\"v7\",", "", "*, \"v7\"", "\"v 7\"", "\"v\t7\""]
        {
            assert_eq!(matched(&[nonsense]), Err(Code::MalformedRequest), "{nonsense}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly_what_was_shown() {
        let tag = entity_tag(7, b"shown");
        let seen = |line: &str| not_modified(&headers(&IF_NONE_MATCH, &[line]), &tag).unwrap();
        assert!(seen(&tag) && seen(&format!("W/{tag}")) && seen(&format!("\"v6\", {tag}")) && seen("*"));
        assert!(!seen("\"v7\"") && !seen(&entity_tag(7, b"other")) && !seen(&entity_tag(6, b"shown")));
        for coding in CODINGS {
            let encoded = encoded_tag(&tag, coding).unwrap();
            assert!(seen(&encoded) && seen(&format!("W/{encoded}")), "{coding}");
            assert!(!seen(&encoded_tag(&entity_tag(7, b"other"), coding).unwrap()), "{coding}");
        }
        assert!(!not_modified(&HeaderMap::new(), &tag).unwrap());
        let weak = text_tag(b"shown");
        let seen = |line: &str| not_modified(&headers(&IF_NONE_MATCH, &[line]), &weak).unwrap();
        assert!(seen(&weak) && seen(weak.strip_prefix("W/").unwrap()) && seen("*"));
        assert!(!seen(&text_tag(b"other")) && !seen(&tag) && !seen("\"\""));
        assert_eq!((encoded_tag(&weak, "gzip"), encoded_tag(&tag, "compress")), (None, None));
        assert_eq!(matched(&[&tag]), Ok(Some(Expected::OneOf(vec![7]))));
    }
}
