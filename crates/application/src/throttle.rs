//! Slows down whoever guesses passwords: per account and per address, in the memory of this server.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::Timestamp;
use moka::sync::Cache;
use tokio::sync::Notify;

/// How many failures are forgiven within the window.
const FREE: usize = 5;
/// An address may stand for a whole office.
const FREE_PER_ADDRESS: usize = 50;
/// How much one address may send to one public form within the window.
const FREE_PER_SENDER: usize = 10;
/// For how long a failure counts.
const WINDOW: Duration = Duration::from_mins(5);

/// How long somebody waits until their password is looked at. Whoever takes longer is better told to come back: those
/// who wait take room, and most of them are gone by then.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// More wait to have their passwords looked at than there is time for.
pub(crate) fn too_many_wait() -> Refusal {
    Refusal::new(Code::Unavailable, "too many passwords wait to be looked at; try again soon")
        .with("retry_after", 1)
}

/// Who is counted under a client's address. An IPv4 address stands for itself, however it is written; one of IPv6 for
/// its /64: whoever has one has all of them, and could be somebody else with every try. What is no address stands for
/// itself.
pub fn stands_for(client: &str) -> String {
    match client.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
            format!("{network}/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => client.to_owned(),
    }
}

/// How much may be sent where less may be than elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How much within the window.
    pub most: u64,
    /// In seconds.
    pub window: u64,
    /// How much now.
    pub left: u64,
    /// In how many seconds all of it may be sent again.
    pub whole_again: u64,
}

/// Failed attempts of the last minutes, and the attempts that nobody has judged yet.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Cache<String, Vec<i64>>,
    /// How many attempts under a key are being judged. Held while one is admitted or judged, so that many at
    /// once are not admitted by the same count.
    pending: Mutex<HashMap<String, usize>>,
    judged: Notify,
    /// How long somebody waits for others to be judged.
    patience: Duration,
}

/// An attempt that was admitted and is to be judged.
///
/// Dropped without a judgement it counts for nothing: neither a database that is away nor a client that went
/// away says that somebody is guessing.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    keys: [(String, usize); 2],
    at: Timestamp,
}

impl Throttle {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            failures: Cache::builder().max_capacity(100_000).time_to_live(WINDOW).build(),
            pending: Mutex::default(),
            judged: Notify::new(),
            patience,
        }
    }

    fn recent(&self, key: &str, now: Timestamp) -> Vec<i64> {
        let since = now.millis() - window();
        let mut failures = self.failures.get(key).unwrap_or_default();
        failures.retain(|at| *at > since);
        failures
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Whoever panicked beside it left whole numbers behind.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what one address sends to a public form, or refuses it when it was too much.
    pub(crate) fn admit_sender(&self, form: &str, client: &str, now: Timestamp) -> Result<(), Refusal> {
        let _counting = self.pending();
        let key = sender(form, client);
        let mut sent = self.recent(&key, now);
        if sent.len() >= FREE_PER_SENDER {
            return Err(Refusal::new(Code::RateLimited, "too many submissions; try again later")
                .with("retry_after", seconds_until_free(&sent, now))
                .with("limit", FREE_PER_SENDER)
                .with("window", WINDOW.as_secs()));
        }
        sent.push(now.millis());
        self.failures.insert(key, sent);
        Ok(())
    }

    /// How much one address may still send to a public form.
    pub(crate) fn sender_budget(&self, form: &str, client: &str, now: Timestamp) -> Budget {
        let sent = self.recent(&sender(form, client), now);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let last = sent.last().map_or(0, |at| (at + window() - now.millis()).max(0));
        Budget {
            most: count(FREE_PER_SENDER),
            window: WINDOW.as_secs(),
            left: count(FREE_PER_SENDER.saturating_sub(sent.len())),
            whole_again: last.unsigned_abs().div_ceil(1000),
        }
    }

    /// Lets an attempt be judged, or refuses it when there were too many failures.
    ///
    /// Never are more attempts under judgement than may still fail: whoever comes above that waits for one of
    /// them. So many at once try no more passwords than one after the other, and as many with the right
    /// password are all let in; but nobody waits for ever.
    pub(crate) async fn admit(
        &self,
        account: &str,
        client: &str,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Refusal> {
        let address = format!("address {}", stands_for(client));
        let keys = [(format!("account {account}"), FREE), (address, FREE_PER_ADDRESS)];
        let turn = async {
            loop {
                // Listens before it looks, so that no judgement falls between the two.
                let judged = self.judged.notified();
                if self.take_place(&keys, now)? {
                    return Ok::<(), Refusal>(());
                }
                judged.await;
            }
        };
        let admitted = tokio::time::timeout(self.patience, turn).await;
        let admitted = admitted.unwrap_or_else(|_| Err(too_many_wait()));
        admitted.map(|()| Attempt { throttle: self, keys, at: now })
    }

    /// Whether there was a place under judgement for an attempt.
    fn take_place(&self, keys: &[(String, usize); 2], now: Timestamp) -> Result<bool, Refusal> {
        let mut pending = self.pending();
        let mut place = true;
        for (key, free) in keys {
            let failures = self.recent(key, now);
            if failures.len() >= *free {
                return Err(Refusal::new(
                    Code::RateLimited,
                    "too many failed attempts; wait before the next",
                )
                .with("retry_after", seconds_until_free(&failures, now))
                .with("limit", *free)
                .with("window", WINDOW.as_secs()));
            }
            place &= failures.len() + pending.get(key).copied().unwrap_or_default() < *free;
        }
        if place {
            for (key, _) in keys {
                *pending.entry(key.clone()).or_default() += 1;
            }
        }
        Ok(place)
    }
}

impl Attempt<'_> {
    /// The attempt was wrong.
    pub(crate) fn failed(self) {
        let _counting = self.throttle.pending();
        for (key, _) in &self.keys {
            let mut failures = self.throttle.recent(key, self.at);
            failures.push(self.at.millis());
            self.throttle.failures.insert(key.clone(), failures);
        }
    }

    /// The attempt was right: the account's failures before it are forgotten, those of the address are not.
    pub(crate) fn succeeded(self) {
        let [(account, _), _] = &self.keys;
        self.throttle.failures.invalidate(account);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut pending = self.throttle.pending();
        for (key, _) in &self.keys {
            if let Entry::Occupied(mut places) = pending.entry(key.clone()) {
                *places.get_mut() -= 1;
                if *places.get() == 0 {
                    places.remove();
                }
            }
        }
        drop(pending);
        self.throttle.judged.notify_waiters();
    }
}

/// Under what it is counted what one address sends to a public form.
fn sender(form: &str, client: &str) -> String {
    format!("form {form} {}", stands_for(client))
}

/// In how many seconds the oldest of what was counted counts no more.
fn seconds_until_free(counted: &[i64], now: Timestamp) -> i64 {
    let oldest = counted.first().copied().unwrap_or_default();
    (oldest + window() - now.millis()).max(0) / 1000 + 1
}

fn window() -> i64 {
    i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_ever_until_others_are_judged() {
        let throttle = Throttle::new(Duration::from_millis(50));
        let now: Timestamp = "2026-03-10T08:00:00Z".parse().unwrap();
        let (account, client) = ("rep@example.com", "198.51.100.7");
        let mut judged = Vec::new();
        for _ in 0..FREE {
            judged.push(throttle.admit(account, client, now).await.unwrap());
        }
        let refusal = throttle.admit(account, client, now).await.unwrap_err();
        assert_eq!((refusal.code, &refusal.figures["retry_after"]), (Code::Unavailable, &1.into()));
        drop(judged.pop());
        assert!(throttle.admit(account, client, now).await.is_ok());
    }

    #[test]
    fn a_sender_is_told_what_is_left() {
        let throttle = Throttle::new(PATIENCE);
        let now: Timestamp = "2026-03-10T08:00:00Z".parse().unwrap();
        let (form, client) = ("0f8fad5bd9cb469fa16570867728950e", "198.51.100.7");
        let left = |client: &str, seconds: i64| {
            let budget = throttle.sender_budget(form, client, now.plus(chrono::Duration::seconds(seconds)));
            assert_eq!((budget.most, budget.window), (10, 300));
            (budget.left, budget.whole_again)
        };
        assert_eq!(left(client, 0), (10, 0));
        for _ in 0..FREE_PER_SENDER {
            throttle.admit_sender(form, client, now).unwrap();
        }
        assert_eq!(
            (left(client, 0), left(client, 200), left("198.51.100.8", 0)),
            ((0, 300), (0, 100), (10, 0))
        );
        let refusal =
            throttle.admit_sender(form, client, now.plus(chrono::Duration::seconds(200))).unwrap_err();
        let figure = |name: &str| refusal.figures[name].as_i64();
        assert_eq!(
            (figure("limit"), figure("window"), figure("retry_after")),
            (Some(10), Some(300), Some(101))
        );
        assert_eq!(left(client, 300), (10, 0));
    }

    #[test]
    fn whoever_has_a_network_is_counted_once() {
        for (client, counted) in [
            ("198.51.100.7", "198.51.100.7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("::ffff:c633:6407", "198.51.100.7"),
            ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2:0:0:0:9", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
            // As of users who change their password, and where it is not known who connected.
            ("0190163d-8694-739b-aea5-966c26f8ad91", "0190163d-8694-739b-aea5-966c26f8ad91"),
            ("", ""),
        ] {
            assert_eq!(stands_for(client), counted, "{client}");
        }
    }
}
