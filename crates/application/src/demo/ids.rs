//! The ids that the specification's examples name: some records of the story have them, so that an example can be sent
//! to a demo as it stands. Whatever else is made has an id that nobody knows beforehand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fairlead_persistence::NewId;
use uuid::Uuid;

use super::people::{EAST, PARTNERS};
use super::stage::Key;
use crate::clock::new_id;

/// Colleagues: a seller who takes over, two managers, and who is above them.
pub(super) const USERS: &[Key] = &["rep.east2", "manager.east", "manager.south", "director"];
/// A region with its sellers, and a team that nobody has joined yet.
pub(super) const TEAMS: &[&str] = &[EAST, PARTNERS];
/// Open leads of one seller, who could merge them and qualify the second; one in the lead pool, one that was given up,
/// and one that is worth an opportunity.
pub(super) const LEADS: &[&str] = &["shi", "cui", "tian", "hao", "lei"];
/// Two customers of that seller, of which the second has nothing going on; one in the public pool, one that nothing
/// hangs on, and one that is locked.
pub(super) const CUSTOMERS: &[&str] =
    &["wuxi-valve", "shanghai-brewery", "jinan-tractor", "chen-guanghui", LOCKED];
/// A customer that is kept from being recycled.
pub(super) const LOCKED: &str = "ningbo-stamping";
/// What activities are about.
pub(super) const ACTIVITIES: &[&str] = &["Asked for the rest of the delivery payment 催到货款"];
/// Deals with an opportunity: one that is open, one that was lost, and an open one that nothing hangs on.
pub(super) const OPPORTUNITIES: &[&str] = &["test-bench", "filling", "tea-packing"];
/// Deals with a contract: one that runs and of which something may still be billed, an empty draft, one that could be
/// submitted, and one that waits for approval.
pub(super) const CONTRACTS: &[&str] = &["conveyor", "freezer", "hull", "mixer"];
/// Invoices of deals: one that is issued, a draft, one that waits for approval, one that could be issued, and one that
/// is issued and that no payment is for.
pub(super) const INVOICES: &[(&str, usize)] =
    &[("conveyor", 2), ("conveyor", 4), ("conveyor", 3), ("mes", 4), ("palletizer", 1)];
/// Invoices of deals that wait for approval: one for the first step, and one for the second.
pub(super) const ASKED: &[(&str, usize)] = &[("conveyor", 3), ("mes", 5)];
/// Payments of deals: one that is confirmed, two that are not yet, and a confirmed one of which nothing was paid back.
pub(super) const PAYMENTS: &[(&str, usize)] = &[("conveyor", 2), ("vision", 3), ("mes", 3), ("agv", 3)];

/// The example's id of its place, if a key is one of these.
pub(super) fn example_of<K: PartialEq, Id>(key: &K, keys: &[K], example: fn(u8) -> Id) -> Option<Id> {
    (1..).zip(keys).find(|(_, known)| *known == key).map(|(place, _)| example(place))
}

/// Makes the story's ids.
pub(super) struct StoryIds {
    /// What the next ones are; a gap is an id like any other.
    given: Mutex<VecDeque<Option<Uuid>>>,
    others: NewId,
}

impl StoryIds {
    pub(super) fn new() -> Self {
        Self { given: Mutex::new(VecDeque::new()), others: Arc::new(new_id) }
    }

    /// Makes an id.
    pub(super) fn make(&self) -> Uuid {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.pop_front().flatten().unwrap_or_else(|| (self.others)())
    }

    /// The use case that comes next makes these ids first.
    pub(super) fn give_in_order(&self, ids: impl IntoIterator<Item = Option<Uuid>>) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        *given = ids.into_iter().collect();
    }

    /// What is made next has this id: use cases make that of their record first.
    pub(super) fn give(&self, id: impl Into<Uuid>) {
        self.give_in_order([Some(id.into())]);
    }

    /// What is made next has the example's id of its place, if it is one of these.
    pub(super) fn give_to<K: PartialEq, Id: Into<Uuid>>(&self, key: &K, keys: &[K], example: fn(u8) -> Id) {
        if let Some(id) = example_of(key, keys, example) {
            self.give(id);
        }
    }
}
