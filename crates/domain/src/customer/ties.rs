use super::{Customer, OpenBusiness, OwnerLoad};
use crate::dependents::Dependents;
use crate::error::{Code, Refusal};
use crate::transfer;
use crate::values::CustomerChangeId;

/// What other records say about what may be done with a customer. Read under the lock of its row by whoever acts, and
/// without one by whoever only tells what could be done.
#[derive(Debug, Clone, Default)]
pub struct CustomerTies {
    /// What it still has going on.
    pub open: OpenBusiness,
    /// How many transfers of it wait for their decision.
    pub pending_transfers: i64,
    /// What the caller owns and has claimed today; read where nothing else speaks against their claiming it.
    pub caller: OwnerLoad,
    /// Its change that waits for approval.
    pub pending_change: Option<CustomerChangeId>,
    /// What would be left without its customer. What is shared with collaborators is not among it: that ends.
    pub dependents: Dependents,
}

impl CustomerTies {
    /// Refuses to delete a customer about which somebody was asked, or on which others depend.
    pub(super) fn check_none(&self, customer: &Customer) -> Result<(), Refusal> {
        transfer::check_none_pending(customer.id.0, self.pending_transfers)?;
        if let Some(change) = self.pending_change {
            let detail = "a change of the customer waits for approval; withdraw it first";
            return Err(Refusal::new(Code::PendingApproval, detail).with("customer_change_id", change));
        }
        self.dependents.check_none()
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{FINANCE, REP, World};
    use crate::record::RecordKind;
    use crate::values::Line;

    use super::*;

    #[test]
    fn what_limits_forbid_is_not_offered_to_be_claimed() {
        let world = World::new();
        let customer = world.customer(None);
        let few = OwnerLoad::default();
        let full = OwnerLoad { owned: 1_000_000, ..few };
        let busy = OwnerLoad { claimed_today: 1_000_000, ..few };
        for (who, caller, code) in [
            (REP, few, None),
            (REP, full, Some(Code::OwnershipLimitReached)),
            (REP, busy, Some(Code::DailyClaimLimitReached)),
            // Whoever may not at all is told that first.
            (FINANCE, full, Some(Code::Forbidden)),
        ] {
            let ties = CustomerTies { caller, ..CustomerTies::default() };
            let offers = world.by(who, |ctx| customer.allowed_actions(ctx, &ties));
            assert_eq!(offers.iter().find(|it| it.action == "claim").unwrap().reason, code);
            let verdict = world.by(who, |ctx| {
                customer.may_claim(ctx)?;
                customer.claimed_within_limits(ctx, caller)
            });
            assert_eq!(verdict.err().map(|refusal| refusal.code), code);
        }
    }

    #[test]
    fn what_is_offered_is_what_is_done() {
        let world = World::new();
        let mut customer = world.customer(Some(REP));
        customer.created_by = customer.owner_id.unwrap();
        let busy = CustomerTies {
            open: OpenBusiness { opportunities: 1, contracts: 0 },
            dependents: [(RecordKind::Opportunity, 1)].into_iter().collect(),
            ..CustomerTies::default()
        };
        let waits = CustomerTies { pending_transfers: 1, ..CustomerTies::default() };
        for (ties, who, release, delete) in [
            (&CustomerTies::default(), REP, None, None),
            (&busy, REP, Some(Code::CustomerHasOpenBusiness), Some(Code::InUse)),
            (&busy, FINANCE, Some(Code::Forbidden), Some(Code::Forbidden)),
            (&waits, REP, None, Some(Code::PendingTransfer)),
        ] {
            let offers = world.by(who, |ctx| customer.allowed_actions(ctx, ties));
            let reason = |action| offers.iter().find(|it| it.action == action).unwrap().reason;
            assert_eq!((reason("release"), reason("delete")), (release, delete));
            let released =
                world.by(who, |ctx| customer.clone().release(ctx, ties.open, Line::new("No need")));
            assert_eq!(released.err().map(|refusal| refusal.code), release);
            let deleted = world.by(who, |ctx| customer.may_delete(ctx, ties));
            assert_eq!(deleted.err().map(|refusal| refusal.code), delete);
        }
    }
}
