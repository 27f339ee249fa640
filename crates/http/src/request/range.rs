//! `Range` and `If-Range` (RFC 9110, section 14): a part of a file.

use std::ops::Range;

use actix_web::http::header::{HeaderMap, IF_NONE_MATCH, IF_RANGE, RANGE};
use fairlead_domain::error::{Code, Refusal};

/// The figure of a refusal that says how long the file is.
pub(crate) const SIZE: &str = "size";

/// Whether the caller has the content with this entity tag already.
pub(crate) fn seen(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// The part that is asked for; none for the whole. Several parts, other units and what makes no sense are passed over,
/// as the standard lets us; a part that the file does not have is refused.
pub(crate) fn part(headers: &HeaderMap, size: u64, tag: &str) -> Result<Option<Range<u64>>, Refusal> {
    if headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Ok(None);
    }
    let mut lines = headers.get_all(RANGE);
    let (Some(line), None) = (lines.next(), lines.next()) else { return Ok(None) };
    let Some(wanted) = line.to_str().ok().and_then(Wanted::of) else { return Ok(None) };
    let part = match wanted {
        Wanted::From(first, last) => first..last.map_or(size, |last| last.saturating_add(1).min(size)),
        Wanted::Last(length) => size.saturating_sub(length)..size,
    };
    if part.is_empty() {
        let detail = format!("the file has {size} bytes");
        return Err(Refusal::new(Code::RangeNotSatisfiable, detail).with(SIZE, size));
    }
    Ok(Some(part))
}

enum Wanted {
    /// From here to there, both included, or to the end.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl Wanted {
    fn of(text: &str) -> Option<Self> {
        let (unit, range) = text.split_once('=')?;
        let (first, last) = range.split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        match (first.trim(), last.trim()) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => number(first).map(|first| Self::From(first, None)),
            (first, last) => {
                let (first, last): (u64, u64) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const TAG: &str = "\"abc\"";

    fn asked(range: &'static str) -> Result<Option<Range<u64>>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static(range));
        part(&headers, 100, TAG).map_err(|refusal| refusal.code)
    }

    #[test]
    fn one_part_is_given() {
        assert_eq!(part(&HeaderMap::new(), 100, TAG).unwrap(), None);
        for (range, wanted) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-99", 0..100),
            ("bytes=10-", 10..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("bytes=50-1000", 50..100),
            ("Bytes=0-18446744073709551615", 0..100),
        ] {
            assert_eq!(asked(range), Ok(Some(wanted)), "{range}");
        }
        for whole in
            ["bytes=5-4", "lines=1-2", "bytes=a-b", "bytes=", "bytes=-", "bytes=0-1,5-6", "bytes=+1-2"]
        {
            assert_eq!(asked(whole), Ok(None), "{whole}");
        }
        for refused in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(asked(refused), Err(Code::RangeNotSatisfiable), "{refused}");
        }
    }

    #[test]
    fn a_part_of_other_content_is_not_given() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
        for (known, wanted) in
            [(TAG, Some(0..1)), ("\"other\"", None), ("Wed, 21 Oct 2015 07:28:00 GMT", None)]
        {
            headers.insert(IF_RANGE, HeaderValue::from_static(known));
            assert_eq!(part(&headers, 100, TAG).unwrap(), wanted, "{known}");
        }
    }

    #[test]
    fn content_is_known_by_its_tag() {
        let mut headers = HeaderMap::new();
        for (given, known) in [(TAG, true), ("*", true), ("\"x\", W/\"abc\"", true), ("\"x\"", false)] {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(given));
            assert_eq!(seen(&headers, TAG), known, "{given}");
        }
    }
}
