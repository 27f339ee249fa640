//! Slows down whoever guesses passwords: per account and per address, in the memory of this server.

use std::sync::Mutex;
use std::time::Duration;

use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::Timestamp;
use moka::sync::Cache;

/// How many failures are forgiven within the window.
const FREE: usize = 5;
/// An address may stand for a whole office.
const FREE_PER_ADDRESS: usize = 50;
/// How much one address may send to one public form within the window.
const FREE_PER_SENDER: usize = 10;
/// For how long a failure counts.
const WINDOW: Duration = Duration::from_mins(5);

/// Failed logins of the last minutes.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Cache<String, Vec<i64>>,
    /// Held while an attempt is judged and counted, so that many at once are not judged by the same count.
    counting: Mutex<()>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            failures: Cache::builder().max_capacity(100_000).time_to_live(WINDOW).build(),
            counting: Mutex::new(()),
        }
    }

    fn keys(email: &str, client: &str) -> [(String, usize); 2] {
        [(format!("account {email}"), FREE), (format!("address {client}"), FREE_PER_ADDRESS)]
    }

    fn recent(&self, key: &str, now: Timestamp) -> Vec<i64> {
        let since = now.millis() - i64::try_from(WINDOW.as_millis()).unwrap_or(0);
        let mut failures = self.failures.get(key).unwrap_or_default();
        failures.retain(|at| *at > since);
        failures
    }

    /// Counts what one address sends to a public form, or refuses it when it was too much.
    pub(crate) fn admit_sender(&self, form: &str, client: &str, now: Timestamp) -> Result<(), Refusal> {
        let _counting = self.counting.lock();
        let key = format!("form {form} {client}");
        let mut sent = self.recent(&key, now);
        if sent.len() >= FREE_PER_SENDER {
            return Err(Refusal::new(Code::RateLimited, "too many submissions; try again later")
                .with("retry_after", WINDOW.as_secs()));
        }
        sent.push(now.millis());
        self.failures.insert(key, sent);
        Ok(())
    }

    /// Counts an attempt as a failure, or refuses it when there were too many.
    pub(crate) fn admit(&self, email: &str, client: &str, now: Timestamp) -> Result<(), Refusal> {
        let _counting = self.counting.lock();
        self.check(email, client, now)?;
        self.note_failure(email, client, now);
        Ok(())
    }

    fn check(&self, email: &str, client: &str, now: Timestamp) -> Result<(), Refusal> {
        for (key, free) in Self::keys(email, client) {
            let failures = self.recent(&key, now);
            if failures.len() >= free {
                let window = i64::try_from(WINDOW.as_millis()).unwrap_or(0);
                let oldest = failures.first().copied().unwrap_or_default();
                let seconds = (oldest + window - now.millis()).max(0) / 1000 + 1;
                return Err(Refusal::new(
                    Code::RateLimited,
                    "too many failed attempts; wait before the next",
                )
                .with("retry_after", seconds));
            }
        }
        Ok(())
    }

    fn note_failure(&self, email: &str, client: &str, now: Timestamp) {
        for (key, _) in Self::keys(email, client) {
            let mut failures = self.recent(&key, now);
            failures.push(now.millis());
            self.failures.insert(key, failures);
        }
    }

    /// Takes back what was noted at this time: it was no failure after all.
    pub(crate) fn take_back(&self, email: &str, client: &str, at: Timestamp) {
        let _counting = self.counting.lock();
        for (key, _) in Self::keys(email, client) {
            let mut failures = self.failures.get(&key).unwrap_or_default();
            if let Some(noted) = failures.iter().position(|failure| *failure == at.millis()) {
                failures.remove(noted);
                self.failures.insert(key, failures);
            }
        }
    }

    /// Forgets an account's failures after a success.
    pub(crate) fn forgive(&self, email: &str) {
        self.failures.invalidate(&format!("account {email}"));
    }
}
