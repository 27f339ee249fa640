//! Who asks, when, and in which organisation: what every rule takes.

use crate::access::{Actor, Permission, Standing};
use crate::error::Refusal;
use crate::organisation::Organisation;
use crate::values::{Timestamp, Today, UserId};

/// What a rule is judged by besides the record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Who acts.
    pub actor: &'a Actor,
    /// The organisation at this moment.
    pub org: &'a Organisation,
    /// This moment.
    pub now: Timestamp,
}

impl Context<'_> {
    /// The business day.
    pub fn today(&self) -> Today {
        self.org.today(self.now)
    }

    /// Where a record with this owner stands; one without is a lead.
    pub fn standing(&self, owner: Option<UserId>) -> Standing {
        self.org.standing(owner)
    }

    /// May the actor do this to a record with this owner?
    pub fn authorize(&self, permission: Permission, owner: Option<UserId>) -> Result<(), Refusal> {
        self.actor.authorize(permission, &self.standing(owner))
    }

    /// A record that the actor may not read does not exist for them.
    pub fn reveal(&self, permission: Permission, owner: Option<UserId>) -> Result<(), Refusal> {
        self.authorize(permission, owner).map_err(|_| Refusal::not_found())
    }
}

/// The name of something that happened to a record, such as `lead.claimed`: the action of the audit event
/// and the type of the outbox event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event(pub &'static str);

impl Event {
    /// Whether it says that members were changed, and nothing else: where none was, it did not happen. Anything else
    /// happened whatever the record's members say, such as a secret that was replaced.
    pub fn is_edit(self) -> bool {
        self.0.ends_with(".updated")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_edit_is_nothing_but_what_it_changes() {
        assert!(Event("lead.updated").is_edit());
        for happened in ["lead.merged", "webhook.secret_rotated", "payment.reallocated", "lead.asked_again"] {
            assert!(!Event(happened).is_edit(), "{happened}");
        }
    }
}
