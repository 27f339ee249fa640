//! Deprecation: what was announced to go may go.

use serde_json::Value;

use super::walk::{says, text};

/// How far the last release went in announcing that something goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sunset<'a> {
    /// It is not deprecated.
    Unannounced,
    /// It is deprecated, without a date that can be read.
    Undated,
    /// It stays until this day.
    Ahead(&'a str),
    /// The day has come. As with oasdiff, the day itself counts.
    Passed,
}

impl<'a> Sunset<'a> {
    /// Of a part of the last release's document. `today` is a day such as `2026-01-31`.
    pub(super) fn of(part: &'a Value, today: &str) -> Self {
        if !says(part, "deprecated") {
            return Self::Unannounced;
        }
        match date(part) {
            None => Self::Undated,
            Some(day) if day > today => Self::Ahead(day),
            Some(_) => Self::Passed,
        }
    }

    /// Why it should have stayed; empty if nothing was announced.
    pub(super) fn explanation(&self) -> String {
        match self {
            Self::Unannounced | Self::Passed => String::new(),
            Self::Undated => "; it was deprecated, but without a date in `x-sunset`".to_owned(),
            Self::Ahead(day) => format!("; its announced end is {day}"),
        }
    }
}

/// Whether a date was promised that is now an earlier one: the two dates.
pub(super) fn advanced<'a>(before: &'a Value, after: &'a Value) -> Option<(&'a str, &'a str)> {
    let deprecated = says(before, "deprecated") && says(after, "deprecated");
    date(before).zip(date(after)).filter(|(promised, now)| deprecated && now < promised)
}

/// Days are compared as texts, so only the one form of them counts. A time behind it is of no account.
fn date(part: &Value) -> Option<&str> {
    let day = text(part, "x-sunset")?.get(..10)?;
    let form = day.bytes().enumerate().all(|(position, byte)| match position {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    form.then_some(day)
}
