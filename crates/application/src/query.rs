//! Query strings as pairs: what lists are asked, now or by a saved view.

use std::borrow::Cow;

use fairlead_domain::error::Refusal;
use percent_encoding::percent_decode_str;

/// The decoded pairs of a query string, in order. Bytes that are no UTF-8 are refused: with a replacement in their
/// place they would be another question than the one that was asked.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let name = decode(name).map_err(|name| unreadable(&name))?;
        let value = decode(value).map_err(|_| unreadable(&name))?;
        Ok::<_, Refusal>((name, value))
    };
    query.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn unreadable(name: &str) -> Refusal {
    Refusal::malformed(name, "expected UTF-8, percent-encoded")
}

/// The text, or as much of it as can be read.
fn decode(text: &str) -> Result<String, String> {
    let text = text.replace('+', " ");
    let bytes = percent_decode_str(&text);
    let whole = bytes.clone().decode_utf8().map(Cow::into_owned);
    whole.map_err(|_| bytes.decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order() {
        let read = |query: &str| -> Vec<(String, String)> { pairs(query).unwrap() };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert!(read("").is_empty() && read("&&").is_empty());
        assert_eq!(
            read("name=a%26b+c&&q=%E9%95%BF&q=长&flag&=x&a=b=c"),
            [
                pair("name", "a&b c"),
                pair("q", "长"),
                pair("q", "长"),
                pair("flag", ""),
                pair("", "x"),
                pair("a", "b=c"),
            ]
        );
        // A percent sign that begins nothing stands for itself, as in browsers.
        assert_eq!(read("q=100%&n=%zz"), [pair("q", "100%"), pair("n", "%zz")]);
        // What stands for U+FFFD was sent as such.
        assert_eq!(read("q=%EF%BF%BD"), [pair("q", "\u{fffd}")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_the_name_of_their_parameter() {
        let named = |query: &str| {
            let refusal = pairs(query).unwrap_err();
            (refusal.code.as_str().to_owned(), refusal.errors[0].pointer.clone())
        };
        let malformed = |name: &str| ("malformed_request".to_owned(), name.to_owned());
        for bad in ["%ff", "%c3%28", "a%C3", "%ED%A0%80", "%F5%80%80%80", "%c0%af"] {
            assert_eq!(named(&format!("limit=1&na%6De={bad}&q=x")), malformed("name"), "{bad}");
        }
        assert_eq!(named("a%ffb=1"), malformed("a\u{fffd}b"));
    }
}
