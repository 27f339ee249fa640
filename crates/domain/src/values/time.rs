use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, SecondsFormat, SubsecRound, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use validator::ValidationError;

use super::form;
use crate::error::Rule;

// Four-digit years only: others neither sort as text nor fit PostgreSQL.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;
const YEARS_HINT: &str = "the year must be between 1900 and 9999";

/// Refuses a day that has no year of four digits after 1900.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form in which the validator calls")]
pub(crate) fn written_day(day: &NaiveDate) -> Result<(), ValidationError> {
    if YEARS.contains(&day.year()) {
        return Ok(());
    }
    Err(Rule::YearOutOfRange.error(YEARS_HINT))
}

/// Reads a day that a record can have.
pub fn parse_day(text: &str) -> Result<NaiveDate, String> {
    let day = read_day(text)?;
    if YEARS.contains(&day.year()) { Ok(day) } else { Err(YEARS_HINT.to_owned()) }
}

/// Reads a day: `2026-01-31` and no other spelling.
fn read_day(text: &str) -> Result<NaiveDate, String> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let day = if shaped { text.parse().ok() } else { None };
    day.ok_or_else(|| "expected a date such as `2026-01-31`".to_owned())
}

/// Reads a day of a form.
pub fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    // Which years are taken is judged with the form.
    read_day(&text).map_err(|why| form::broken(Rule::InvalidDate, why))
}

/// Reads a day of a form, or none.
pub fn optional_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    let day = text.map(|text| read_day(&text)).transpose();
    day.map_err(|why| form::broken(Rule::InvalidDate, why))
}

/// Reads a day where `null` says something else than silence.
pub fn day_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<NaiveDate>>, D::Error> {
    optional_day(deserializer).map(Some)
}

/// The same of another value.
pub fn given_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// An instant in UTC, kept and written with milliseconds (RFC 3339), so that both databases give back
/// exactly what was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Cuts an instant to milliseconds.
    pub fn new(instant: DateTime<Utc>) -> Self {
        let cut = DateTime::from_timestamp_millis(instant.timestamp_millis());
        Self(cut.unwrap_or_else(|| instant.trunc_subsecs(3)))
    }

    /// The instant as `chrono` has it.
    pub fn instant(self) -> DateTime<Utc> {
        self.0
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// This instant moved by a duration.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::new(self.0.checked_add_signed(duration).unwrap_or(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl FromStr for Timestamp {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        // Hardly a program knows which minutes had a 61st second; it would be kept as another instant.
        let instant = DateTime::parse_from_rfc3339(text)
            .ok()
            .filter(|instant| instant.nanosecond() < 1_000_000_000)
            .ok_or_else(|| "expected an instant such as `2026-01-31T08:30:00.000Z` (RFC 3339)".to_owned())?;
        let instant = Self::new(instant.to_utc());
        if YEARS.contains(&instant.0.year()) { Ok(instant) } else { Err(YEARS_HINT.to_owned()) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken(Rule::InvalidTimestamp, why))
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .max_length(Some(40))
            .description(Some("An instant in UTC with milliseconds (RFC 3339)."))
            .examples([serde_json::json!("2026-01-31T08:30:00.000Z")])
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

/// The present business day in the organisation's time zone; every rule about dates takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today(pub NaiveDate);

impl Today {
    /// The date that it is at `now` in `zone`.
    pub fn at(now: Timestamp, zone: chrono_tz::Tz) -> Self {
        Self(now.instant().with_timezone(&zone).date_naive())
    }

    /// The date this many days ahead.
    pub fn plus_days(self, days: u64) -> NaiveDate {
        self.0.checked_add_days(Days::new(days)).unwrap_or(self.0)
    }

    /// The calendar year, used by number series.
    pub fn year(self) -> i32 {
        self.0.year()
    }
}
