//! Operations that go away: since when nobody should begin to use them, when they are gone, and what is there instead.

use actix_web::http::header::HeaderMap;
use chrono::{NaiveDate, NaiveTime};

use crate::middleware::set_header;

/// Since when (RFC 9745).
pub(crate) const SINCE: &str = "Deprecation";
/// When it is gone (RFC 8594).
pub(crate) const SUNSET: &str = "Sunset";

/// An operation's end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deprecation {
    /// From this day on nobody should begin to use it.
    pub(crate) since: NaiveDate,
    /// From this day on it may be gone.
    pub(crate) sunset: NaiveDate,
    /// The operation to use instead.
    pub(crate) instead: &'static str,
}

impl Deprecation {
    /// In words.
    pub(crate) fn description(&self) -> String {
        let Self { since, sunset, instead } = self;
        format!("\n\nDeprecated since {since}; gone from {sunset} on. Use `{instead}` instead.")
    }

    /// With an answer.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        set_header(headers, SINCE, &format!("@{}", midnight(self.since).timestamp()));
        set_header(headers, SUNSET, &midnight(self.sunset).format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
}
