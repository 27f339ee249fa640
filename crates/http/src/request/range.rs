//! `Range` and `If-Range` (RFC 9110, section 14): a part of a file.

use std::ops::Range;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use fairlead_domain::error::{Code, Refusal};

/// The figure of a refusal that says how long the file is.
pub(crate) const SIZE: &str = "size";

/// How long these headers may be: what is longer names many parts, or a tag of somebody else.
pub(crate) const MAX: usize = 100;

/// The part that is asked for; none for the whole. Several parts, other units and what makes no sense are passed over,
/// as the standard lets us; a part that the file does not have is refused, and so is what is no text.
pub(crate) fn part(headers: &HeaderMap, size: u64, tag: &str) -> Result<Option<Range<u64>>, Refusal> {
    let (known, asked) = (texts(headers, &IF_RANGE)?, texts(headers, &RANGE)?);
    if known.first().is_some_and(|known| *known != tag) {
        return Ok(None);
    }
    let [asked] = asked[..] else { return Ok(None) };
    let Some(wanted) = Wanted::of(asked) else { return Ok(None) };
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

/// The lines of a header.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, Refusal> {
    let text = |line: &'a HeaderValue| {
        let text = line.to_str().ok().filter(|text| text.len() <= MAX);
        text.ok_or_else(|| {
            Refusal::malformed(name.as_str(), format!("expected up to {MAX} visible characters"))
        })
    };
    headers.get_all(name).map(text).collect()
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
    fn what_is_no_text_is_refused() {
        let mut headers = HeaderMap::new();
        let longest = format!("bytes=0-{}", "9".repeat(MAX - 8));
        let longer = format!("{longest}9");
        for name in [RANGE, IF_RANGE] {
            for (bad, refused) in
                [(&b"\xc2\x84"[..], true), (longer.as_bytes(), true), (longest.as_bytes(), false)]
            {
                headers.insert(name.clone(), HeaderValue::from_bytes(bad).unwrap());
                let refusal = part(&headers, 100, TAG).err();
                assert_eq!(
                    refusal.map(|refusal| refusal.code),
                    refused.then_some(Code::MalformedRequest),
                    "{name}"
                );
            }
            headers.clear();
        }
    }
}
