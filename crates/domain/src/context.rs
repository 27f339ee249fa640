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

    /// When the business day began.
    pub fn day_began(&self) -> Timestamp {
        self.org.day_began(self.now)
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

    /// The same of a record that concerns some people in person as well, such as whoever asked for it: they see it while
    /// they hold the permission at all. Whoever does not gets no list of such records either.
    pub fn reveal_concerning(
        &self,
        permission: Permission,
        standing: &Standing,
        concerned: &[UserId],
    ) -> Result<(), Refusal> {
        let in_person = self.actor.holds(permission) && concerned.contains(&self.actor.id);
        if in_person || self.actor.authorize(permission, standing).is_ok() {
            return Ok(());
        }
        Err(Refusal::not_found())
    }
}

/// The name of something that happened to a record, such as `lead.claimed`: the action of the audit event
/// and the type of the outbox event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event(pub &'static str);

/// The events that say that members were changed, and nothing else.
const EDITS: &[&str] = &[
    "activity.updated",
    "approval_flow.updated",
    "assignment_rule.updated",
    "collaborator.updated",
    "contact.updated",
    "contract.updated",
    "customer.updated",
    "delegation.updated",
    "invoice.updated",
    "lead.updated",
    "lead_form.updated",
    "opportunity.updated",
    "payment.updated",
    "pipeline.updated",
    "pool.updated",
    "price_list.updated",
    "product.updated",
    "role.updated",
    "saved_view.updated",
    "scoring_rule.updated",
    "settings.updated",
    "target.updated",
    "team.updated",
    "user.updated",
    "webhook.updated",
];

impl Event {
    /// Whether it says that members were changed, and nothing else: where none was, it did not happen. Anything else
    /// happened whatever the record's members say, such as a secret that was replaced.
    pub fn is_edit(self) -> bool {
        EDITS.contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixtures::sources;

    /// Every name of an event in the sources.
    fn named(source: &str) -> impl Iterator<Item = &str> {
        source.split("Event(\"").skip(1).filter_map(|rest| rest.split('"').next())
    }

    /// That an edit is called `updated` is a habit; that it is one is declared.
    #[test]
    fn every_edit_is_declared_and_happens() {
        let sources = sources();
        let edits = sources.iter().flat_map(|source| named(source)).filter(|name| name.ends_with(".updated"));
        let edits: BTreeSet<&str> = edits.collect();
        assert_eq!(edits, EDITS.iter().copied().collect::<BTreeSet<_>>());
    }

    #[test]
    fn only_an_edit_is_nothing_but_what_it_changes() {
        assert!(EDITS.iter().all(|&edit| Event(edit).is_edit()));
        for happened in ["lead.merged", "webhook.secret_rotated", "payment.reallocated", "lead.asked_again"] {
            assert!(!Event(happened).is_edit(), "{happened}");
        }
    }
}
