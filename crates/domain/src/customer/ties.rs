use super::{Customer, OpenBusiness};
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
