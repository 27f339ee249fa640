//! What the caller can read: media types and languages, by weight (RFC 9110, section 12).

use std::cmp::Reverse;

use actix_web::http::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderName};
use fairlead_domain::error::{Code, Refusal};

/// A language in which problems are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    /// The language that the caller likes best; of two that weigh the same the one named first, and English when they do
    /// not care.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let ranges = weighted(headers, &ACCEPT_LANGUAGE);
        let best = |wanted: &dyn Fn(&str) -> bool| {
            let found = ranges.iter().enumerate().filter(|(_, (range, _))| wanted(range));
            // The first of the heaviest: named earlier is more.
            found.map(|(at, (_, weight))| (*weight, Reverse(at))).max()
        };
        let of = |primary: &str| {
            let named = best(&|range| {
                range.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case(primary))
            });
            named.or_else(|| best(&|range| range == "*"))
        };
        match (of("zh"), of("en")) {
            (Some(chinese), english) if chinese.0 > 0 && Some(chinese) > english => Self::Chinese,
            _ => Self::English,
        }
    }

    /// Its tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

/// The media type of pages.
pub(crate) const HTML: &str = "text/html";

/// Whether the caller asks for a page by name, and likes nothing that is JSON better.
pub(crate) fn prefers_page(headers: &HeaderMap) -> bool {
    let ranges = weighted(headers, &ACCEPT);
    let weight = |range: &str| {
        ranges.iter().filter(|(given, _)| given.eq_ignore_ascii_case(range)).map(|(_, weight)| *weight).max()
    };
    weight(HTML).is_some_and(|page| page > 0 && weight("application/json").is_none_or(|json| page > json))
}

/// Refuses a caller who cannot read JSON.
pub(crate) fn json_accepted(headers: &HeaderMap, is_shown: bool) -> Result<(), Refusal> {
    let detail = if is_shown {
        "answers are `application/json` or `text/html`"
    } else {
        "answers are `application/json`"
    };
    accepted(headers, ["application/json", "application/*", "*/*"], detail)
}

/// Refuses a caller who cannot read a stream of events.
pub(crate) fn events_accepted(headers: &HeaderMap) -> Result<(), Refusal> {
    accepted(headers, ["text/event-stream", "text/*", "*/*"], "answers are `text/event-stream`")
}

/// Refuses a caller who takes none of these ranges, the most specific first.
fn accepted(headers: &HeaderMap, wanted: [&str; 3], detail: &str) -> Result<(), Refusal> {
    let ranges = weighted(headers, &ACCEPT);
    if ranges.is_empty() {
        return Ok(());
    }
    // The most specific range decides, whatever its place.
    let weight = wanted.iter().find_map(|range| {
        ranges.iter().filter(|(given, _)| given.eq_ignore_ascii_case(range)).map(|(_, weight)| *weight).max()
    });
    match weight {
        Some(weight) if weight > 0 => Ok(()),
        _ => Err(Refusal::new(Code::NotAcceptable, detail)),
    }
}

/// The parts of a list header with their weights in thousandths. Parameters other than `q` are ignored.
fn weighted(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, u16)> {
    let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let range = pieces.next().unwrap_or_default().to_owned();
            let weight = pieces
                .find_map(|piece| piece.strip_prefix("q=").or_else(|| piece.strip_prefix("Q=")))
                .map_or(1000, thousandths);
            (range, weight)
        })
        .filter(|(range, _)| !range.is_empty())
        .collect()
}

/// `0.8` as 800; anything that is no weight is the least.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" => 1000,
        "0" if digits => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn json_must_be_readable() {
        assert!(json_accepted(&HeaderMap::new(), false).is_ok());
        for fine in ["*/*", "application/json", "text/html, application/*;q=0.1", "text/html,*/*;q=0.8"] {
            assert!(json_accepted(&headers(ACCEPT, fine), false).is_ok(), "{fine}");
        }
        for bad in ["text/html", "application/json;q=0, */*", "application/xml", "*/*;q=0"] {
            assert_eq!(
                json_accepted(&headers(ACCEPT, bad), true).unwrap_err().code,
                Code::NotAcceptable,
                "{bad}"
            );
        }
    }

    #[test]
    fn events_must_be_readable() {
        assert!(events_accepted(&HeaderMap::new()).is_ok());
        for fine in ["*/*", "text/event-stream", "text/*", "application/json, */*;q=0.1"] {
            assert!(events_accepted(&headers(ACCEPT, fine)).is_ok(), "{fine}");
        }
        for bad in ["application/json", "text/html", "text/event-stream;q=0, */*"] {
            assert_eq!(
                events_accepted(&headers(ACCEPT, bad)).unwrap_err().code,
                Code::NotAcceptable,
                "{bad}"
            );
        }
    }

    #[test]
    fn pages_are_for_whoever_asks_for_them() {
        let prefers = |value| prefers_page(&headers(ACCEPT, value));
        assert!(prefers("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(prefers("application/json;q=0.5, text/html"));
        for json in ["*/*", "application/json", "text/*", "text/html, application/json", "text/html;q=0"] {
            assert!(!prefers(json), "{json}");
        }
        assert!(!prefers_page(&HeaderMap::new()));
    }

    #[test]
    fn the_heavier_language_wins() {
        let language = |value| Language::of(&headers(ACCEPT_LANGUAGE, value));
        assert_eq!(language("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        // Of equals the one that was named first.
        for chinese in ["zh, en", "zh-CN,zh,en", "zh;q=1,en;q=1", "en;q=0, *;q=0.5", "zh, *", "fr, zh;q=0.1"]
        {
            assert_eq!(language(chinese), Language::Chinese, "{chinese}");
        }
        for english in ["en, zh", "en,zh-CN,zh", "*", "*, zh;q=0.5", "zh;q=0, *", "*;q=0"] {
            assert_eq!(language(english), Language::English, "{english}");
        }
        assert_eq!(language("en-US,zh;q=0.5"), Language::English);
        assert_eq!(language("fr"), Language::English);
        assert_eq!(language("zh;q=0"), Language::English);
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
