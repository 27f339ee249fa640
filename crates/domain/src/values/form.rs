//! How a value that is well-formed JSON but breaks a rule says so through `serde`.
//!
//! `serde` knows one kind of error. The API knows two: a malformed request (400) and a value that
//! breaks a rule (422, with a code). Types of this crate build the second with [`broken`]; whoever
//! reads a body asks [`classify`] which of the two it got.

use serde::de;

use super::objects::Objects;
use crate::error::{Refusal, Rule};

const MARK: char = '\u{1f}';

/// Reads a form from JSON: objects where objects are wanted, and what is wrong told with its place.
pub fn read<'de, D, T>(deserializer: D) -> Result<T, Refusal>
where
    D: de::Deserializer<'de, Error = serde_json::Error>,
    T: de::Deserialize<'de>,
{
    serde_path_to_error::deserialize(Objects(deserializer)).map_err(|error| Refusal::from_form(&error))
}

/// An error of the second kind: the rule is stable, `message` is for people.
pub fn broken<E: de::Error>(rule: Rule, message: impl std::fmt::Display) -> E {
    E::custom(format_args!("{MARK}{rule}{MARK}{message}{MARK}"))
}

/// The same about one member of the value that is being read, for values that are judged as a whole.
pub fn broken_member<E: de::Error>(member: &str, rule: Rule, message: impl std::fmt::Display) -> E {
    E::custom(format_args!("{MARK}{rule}{MARK}{message}{MARK}{member}{MARK}"))
}

/// What a part of the value that is being read was refused with, where that part is read by itself; its pointer leads
/// on from the part's own place.
pub fn refused<E: de::Error>(refusal: &Refusal) -> E {
    let Some(error) = refusal.errors.first() else { return E::custom(&refusal.detail) };
    // What came with the request must not look like our marks.
    let clean = |text: &str| text.replace(MARK, "");
    let (pointer, message) = (clean(&error.pointer), clean(&error.message));
    if pointer.is_empty() {
        return broken(error.code, message);
    }
    broken_member(&pointer, error.code, message)
}

/// How Rust calls whole numbers, which `serde` tells of those that are too large or too small.
const WHOLE_NUMBERS: [&str; 9] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize"];

/// What `serde` says, in words that do not take Rust to understand. What came with the request stands before its end.
pub(crate) fn in_words(text: String) -> String {
    let Some((before, wanted)) = text.rsplit_once(", expected ") else { return text };
    // Where it was read as text, the place follows.
    let kind = wanted.split(' ').next().unwrap_or(wanted);
    if !WHOLE_NUMBERS.contains(&kind) {
        return text;
    }
    format!("{before}, expected a whole number within its limits{}", &wanted[kind.len()..])
}

/// A broken rule, as it was told through `serde`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken<'a> {
    /// The rule.
    pub rule: Rule,
    /// For people.
    pub message: &'a str,
    /// The member of the value that is meant, or a pointer to one that is deeper, if not the value itself.
    pub member: Option<&'a str>,
}

/// What an error made by [`broken`] or [`broken_member`] says, or `None` for a malformed request.
pub fn classify(error: &str) -> Option<Broken<'_>> {
    // Only at the beginning: a mark further on came with a name or a value that the error cites.
    let parts: Vec<&str> = error.strip_prefix(MARK)?.split(MARK).collect();
    match parts[..] {
        [rule, message, _] => Some(Broken { rule: rule.parse().ok()?, message, member: None }),
        [rule, message, member, _] => {
            Some(Broken { rule: rule.parse().ok()?, message, member: Some(member) })
        }
        _ => None,
    }
}

/// The member that a malformed object lacks or has twice: `serde`'s path ends at the object.
pub fn absent_or_repeated(error: &str) -> Option<&str> {
    let rest = error.strip_prefix("missing field `").or_else(|| error.strip_prefix("duplicate field `"))?;
    rest.split_once('`').map(|(member, _)| member)
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
