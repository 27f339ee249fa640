//! How a value that is well-formed JSON but breaks a rule says so through `serde`.
//!
//! `serde` knows one kind of error. The API knows two: a malformed request (400) and a value that
//! breaks a rule (422, with a code). Types of this crate build the second with [`broken`]; whoever
//! reads a body asks [`classify`] which of the two it got.

use serde::de;

const MARK: char = '\u{1f}';

/// An error of the second kind: `code` is stable, `message` is for people.
pub fn broken<E: de::Error>(code: &str, message: impl std::fmt::Display) -> E {
    E::custom(format_args!("{MARK}{code}{MARK}{message}{MARK}"))
}

/// The code and the message of an error made by [`broken`], or `None` for a malformed request.
pub fn classify(error: &str) -> Option<(&str, &str)> {
    let mut parts = error.split(MARK);
    parts.next()?;
    Some((parts.next()?, parts.next()?))
}

/// A `serde` path (`items[2].amount`) as a JSON pointer (`/items/2/amount`, RFC 6901).
pub fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_segment(&mut out, &index.to_string()),
            Segment::Map { key } => push_segment(&mut out, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}

/// Appends one member name to a JSON pointer, escaped.
pub fn push_segment(pointer: &mut String, member: &str) {
    pointer.push('/');
    pointer.push_str(&member.replace('~', "~0").replace('/', "~1"));
}
