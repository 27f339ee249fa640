//! The ids that the specification's examples name: some records of the story have them, so that an example can be sent
//! to a demo as it stands. Whatever else is made has an id that nobody knows beforehand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fairlead_persistence::NewId;
use uuid::Uuid;

use super::stage::Key;
use crate::clock::new_id;

/// Colleagues: a seller who takes over, and two managers.
pub(super) const USERS: &[Key] = &["rep.east2", "manager.east", "manager.south"];
/// Open leads of one seller, who could merge them.
pub(super) const LEADS: &[&str] = &["shi", "cui"];
/// Two customers of that seller, and one in the public pool.
pub(super) const CUSTOMERS: &[&str] = &["wuxi-valve", "shanghai-brewery", "jinan-tractor"];
/// What activities are about.
pub(super) const ACTIVITIES: &[&str] = &["Asked for the rest of the delivery payment 催到货款"];
/// Deals with an open opportunity.
pub(super) const OPPORTUNITIES: &[&str] = &["test-bench"];
/// Deals with a running contract, of which something may still be billed.
pub(super) const CONTRACTS: &[&str] = &["conveyor"];
/// Invoices of deals that are issued.
pub(super) const INVOICES: &[(&str, usize)] = &[("conveyor", 2)];
/// An invoice of a deal that waits for approval.
pub(super) const ASKED: (&str, usize) = ("conveyor", 3);
/// Payments of deals: one that is confirmed, and one that is not yet.
pub(super) const PAYMENTS: &[(&str, usize)] = &[("conveyor", 2), ("vision", 3)];

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
        if let Some((place, _)) = (1..).zip(keys).find(|(_, known)| *known == key) {
            self.give(example(place));
        }
    }
}
