//! The demo's time: it goes on as the story does, never back and never beyond the present.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use fairlead_domain::values::{Timestamp, Today};

use crate::clock::Clock;

/// Tells the time of the story.
#[derive(Debug)]
pub(super) struct StoryClock {
    millis: AtomicI64,
    present: Timestamp,
    zone: Tz,
}

impl StoryClock {
    /// Ends at the present.
    pub(super) fn until(present: Timestamp, zone: Tz) -> Self {
        Self { millis: AtomicI64::new(0), present, zone }
    }

    /// The business day that it is in the story.
    pub(super) fn today(&self) -> Today {
        Today::at(self.now(), self.zone)
    }

    /// The business day in this many days; in the past when negative.
    pub(super) fn day(&self, ahead: i64) -> NaiveDate {
        let Today(today) = Today::at(self.present, self.zone);
        today.checked_add_signed(Duration::days(ahead)).unwrap_or(today)
    }

    /// Goes on to a minute of the day that was so many days ago.
    pub(super) fn go_to(&self, ago: i64, minute: i64) {
        let local = self.day(-ago).and_time(NaiveTime::MIN) + Duration::minutes(minute);
        let instant = self.zone.from_local_datetime(&local).earliest();
        self.advance_to(Timestamp::new(instant.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))));
    }

    /// Lets some minutes pass.
    pub(super) fn pass(&self, minutes: i64) {
        self.advance_to(self.now().plus(Duration::minutes(minutes)));
    }

    fn advance_to(&self, at: Timestamp) {
        self.millis.fetch_max(at.min(self.present).millis(), Ordering::Relaxed);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        let instant = DateTime::from_timestamp_millis(self.millis.load(Ordering::Relaxed));
        Timestamp::new(instant.unwrap_or_default())
    }
}
