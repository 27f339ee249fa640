//! The figures of each code: what its problems carry besides the members that all have.
//!
//! They are made where something is refused, by many hands. Here they are told: by the catalogue, by the examples of the
//! specification, and by a warning in the log of a server that answers one which has no line (see `router`).

mod table;

use fairlead_domain::error::Code;
use serde_json::Value;

use Kind::{Boolean, Integer, List, Object, Text};
pub(super) use table::FIGURES;

/// A figure.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it says, in English.
    pub(crate) english: &'static str,
    /// The same in Chinese.
    pub(crate) chinese: &'static str,
    /// How it looks, as JSON; empty where it comes in some cases only, and not with the figures before it.
    example: &'static str,
}

/// What a figure is in JSON. Any may be null where there is nothing to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
    List,
    Object,
}

impl Kind {
    /// As JSON Schema calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Text => "string",
            Integer => "integer",
            Boolean => "boolean",
            List => "array",
            Object => "object",
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            _ if value.is_null() => true,
            Text => value.is_string(),
            Integer => value.is_i64() || value.is_u64(),
            Boolean => value.is_boolean(),
            List => value.is_array(),
            Object => value.is_object(),
        }
    }
}

impl Figure {
    /// How it looks where problems of its code are shown.
    pub(crate) fn example(&self) -> Option<Value> {
        serde_json::from_str(self.example).ok()
    }
}

/// The figures that problems of a code may have.
pub(crate) fn of(code: Code) -> &'static [Figure] {
    let line = FIGURES.iter().find(|(of, _)| *of == code);
    line.map(|(_, figures)| *figures).unwrap_or_default()
}

/// Whether a figure is one of a code, and of the kind that is told.
pub(crate) fn is_told(code: Code, name: &str, value: &Value) -> bool {
    of(code).iter().any(|figure| figure.name == name && figure.kind.fits(value))
}

const fn figure(
    name: &'static str,
    kind: Kind,
    (english, chinese): (&'static str, &'static str),
    example: &'static str,
) -> Figure {
    Figure { name, kind, english, chinese, example }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::MEMBERS;
    use super::*;

    /// Codes whose figures come in a few cases only, so that an example of any operation shows none.
    const RARE: [Code; 4] =
        [Code::MalformedRequest, Code::AlreadyClaimed, Code::CustomerUnowned, Code::PendingApproval];

    #[test]
    fn every_figure_is_explained_and_shown_as_what_it_is() {
        let codes: BTreeSet<Code> = FIGURES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), FIGURES.len(), "a code has one line");
        for (code, figures) in FIGURES {
            let names: BTreeSet<&str> = figures.iter().map(|figure| figure.name).collect();
            assert_eq!(names.len(), figures.len(), "{code} names a figure twice");
            for figure in *figures {
                let what = format!("{code} {}", figure.name);
                assert!(figure.english.ends_with('.') && figure.english.is_ascii(), "{what}");
                assert!(figure.chinese.ends_with('。'), "{what}");
                assert!(!MEMBERS.contains(&figure.name), "{what} would be left out");
                let example = figure.example();
                assert_eq!(example.is_some(), !figure.example.is_empty(), "{what} is shown as no JSON");
                assert!(example.is_none_or(|example| figure.kind.fits(&example)), "{what}");
            }
            let shown = figures.iter().any(|figure| figure.example().is_some());
            assert_ne!(shown, RARE.contains(code), "{code}");
        }
    }

    #[test]
    fn a_figure_is_told_of_its_code_and_kind() {
        let limit = |value: Value| is_told(Code::TooMany, "limit", &value);
        assert!(limit(7.into()) && limit(Value::Null));
        assert!(!limit("7".into()) && !limit(7.5.into()));
        assert!(!is_told(Code::TooMany, "owned", &7.into()));
        assert!(!is_told(Code::NotFound, "limit", &7.into()) && of(Code::NotFound).is_empty());
    }
}
