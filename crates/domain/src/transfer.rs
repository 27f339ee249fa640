//! Transfers (转移): records of one owner go to another, once a supervisor agreed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::access::Permission;
use crate::approval::{ApprovalSubject, Outcome, Proposal, ProposalAction};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal, Rule};
use crate::lead::eligible_owner;
use crate::record::RecordKind;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{CustomerId, Line, Number, Timestamp, TransferId, TransferItemId, UserId};
use crate::{proposal, record};

text_enum! {
    /// What is transferred.
    pub enum TransferKind {
        /// Customers, if wanted with their open opportunities and running contracts.
        Customers = "customers" ("Customers", "客户"),
        /// Opportunities alone.
        Opportunities = "opportunities" ("Opportunities", "商机"),
        /// Contracts alone, with their invoices and payments.
        Contracts = "contracts" ("Contracts", "合同"),
    }
}

/// What is said of a record that a transfer waits to move.
pub fn waits() -> Refusal {
    Refusal::new(Code::PendingTransfer, "a transfer of the record waits for its decision")
}

/// Refuses a record that so many transfers wait to move.
pub(crate) fn check_none_pending(record: Uuid, pending: i64) -> Result<(), Refusal> {
    if pending == 0 { Ok(()) } else { Err(waits().with("id", record)) }
}

impl TransferKind {
    /// The kind of its records.
    pub const fn record(self) -> RecordKind {
        match self {
            Self::Customers => RecordKind::Customer,
            Self::Opportunities => RecordKind::Opportunity,
            Self::Contracts => RecordKind::Contract,
        }
    }
}

/// What is to be transferred, to whom, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "includes_fit"))]
#[schema(example = json!({
    "kind": "customers",
    "record_ids": [CustomerId::example(1)],
    "to_user_id": UserId::example(1),
    "reason": "The customer moved to South China",
    "include_opportunities": true,
    "include_contracts": true
}))]
pub struct TransferDetails {
    /// What kind of records.
    pub kind: TransferKind,
    /// Which, each once; all of one owner.
    #[validate(
        length(min = 1, max = 200, message = "must have between 1 and 200 records"),
        custom(function = "distinct")
    )]
    #[serde(deserialize_with = "crate::values::any_ids")]
    #[schema(min_items = 1, max_items = 200)]
    pub record_ids: Vec<Uuid>,
    /// To whom: somebody of `/people`.
    pub to_user_id: UserId,
    /// Why.
    #[validate(nested)]
    pub reason: Line,
    /// Whether the open opportunities of the customers that their owner has go along.
    #[serde(default)]
    pub include_opportunities: bool,
    /// Whether the drafted and running contracts of the customers that their owner has go along.
    #[serde(default)]
    pub include_contracts: bool,
}

fn distinct(ids: &[Uuid]) -> Result<(), ValidationError> {
    crate::pool::distinct(ids.iter().collect::<BTreeSet<_>>().len() == ids.len())
}

fn includes_fit(details: &TransferDetails) -> Result<(), ValidationError> {
    let includes = details.include_opportunities || details.include_contracts;
    if !includes || details.kind == TransferKind::Customers {
        return Ok(());
    }
    Err(Rule::CustomersOnly.error("only customers take others along"))
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// Its number.
    pub number: Number,
    /// What is transferred, to whom, and why.
    #[serde(flatten)]
    pub details: TransferDetails,
    /// Who owned all of it when it was asked for.
    pub owner_id: UserId,
    /// The customers that are transferred, or whose opportunities or contracts are.
    #[schema(max_items = 200)]
    pub customer_ids: Vec<CustomerId>,
    /// How it stands.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Who asked for it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Transfer, Transfer);
proposal!(
    Transfer,
    "transfer",
    |it| (ApprovalSubject::Transfer, None),
    &[
        "the last step of its approval was approved",
        "every record still has the owner that it had, and is not closed",
        "the receiver is active, may own such records and has room for all of them",
    ],
    &["a record that it names left its owner by other means, or ended when its customer went to the pool"]
);

/// One record of a transfer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TransferItem {
    /// Its id.
    pub id: TransferItemId,
    /// The transfer.
    pub transfer_id: TransferId,
    /// The kind of record.
    pub record_kind: RecordKind,
    /// Which record.
    pub record_id: Uuid,
    /// Whether it went along with a customer instead of being named.
    pub included: bool,
    /// Whether the transfer still waits for its decision.
    pub pending: bool,
    /// When it was noted.
    pub created_at: Timestamp,
}

/// The transfers that lapse when records of which these items tell leave their owner by other means, for somebody else or
/// the pool: those that wait and name one of them. What is transferred goes as a whole or not at all, and nobody agrees to
/// less than was asked for. What would only have gone along with a customer stays behind.
pub fn lapsing<'a>(items: impl IntoIterator<Item = &'a TransferItem>) -> BTreeSet<TransferId> {
    let named = items.into_iter().filter(|item| item.pending && !item.included);
    named.map(|item| item.transfer_id).collect()
}

/// Why a record cannot go.
#[derive(Debug, Clone, Serialize)]
pub struct TransferObstacle {
    /// Which record.
    pub id: Uuid,
    /// Why.
    pub code: Code,
    /// The same in words.
    pub detail: String,
}

impl TransferObstacle {
    /// Of a record that was refused. How much the receiver owns is not told to whoever asks.
    pub fn new(id: Uuid, refusal: Refusal) -> Self {
        let detail = match refusal.code {
            Code::OwnershipLimitReached => "the receiver has no room for so many customers".to_owned(),
            _ => refusal.detail,
        };
        Self { id, code: refusal.code, detail }
    }
}

impl Transfer {
    /// Asks for a transfer of records that all have this owner. (Whether each can go is judged by itself.)
    pub fn request(
        ctx: &Context,
        id: TransferId,
        number: Number,
        (owner, customer_ids): (UserId, Vec<CustomerId>),
        form: Valid<TransferDetails>,
    ) -> Result<(Self, Event), Refusal> {
        ctx.authorize(Permission::TransfersRequest, Some(owner))?;
        Self::may_receive(ctx, form.to_user_id, owner, "/to_user_id")?;
        let transfer = Self {
            id,
            number,
            details: form.into_inner(),
            owner_id: owner,
            customer_ids,
            outcome: Outcome::PENDING,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((transfer, Event("transfer.requested")))
    }

    /// Whether a user may get what this owner has.
    pub fn may_receive(ctx: &Context, to: UserId, owner: UserId, pointer: &str) -> Result<(), Refusal> {
        if ctx.org.user(to).is_none() {
            return Err(Refusal::unknown_reference(pointer));
        }
        eligible_owner(ctx, to, Permission::PoolClaim)?;
        if to == owner {
            return Err(Refusal::new(Code::AlreadyOwner, "the records are already with this user"));
        }
        Ok(())
    }

    /// Seen by whoever may see what its owner transfers, by the receiver, and by whoever asked.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let concerned = [self.details.to_user_id, self.created_by];
        ctx.reveal_concerning(Permission::TransfersRead, &ctx.standing(Some(self.owner_id)), &concerned)
    }

    /// It was approved: everything moves now, if the receiver may still receive.
    pub fn approve(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        let event = self.decided(ctx, ProposalAction::Approve)?;
        Self::may_receive(ctx, self.details.to_user_id, self.owner_id, "/to_user_id")?;
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_lapses_without_what_it_names_and_goes_on_without_what_goes_along() {
        let item = |transfer: u128, included, pending| TransferItem {
            id: TransferItemId(Uuid::from_u128(1)),
            transfer_id: TransferId(Uuid::from_u128(transfer)),
            record_kind: RecordKind::Customer,
            record_id: Uuid::from_u128(2),
            included,
            pending,
            created_at: crate::fixtures::now(),
        };
        let items = [item(1, false, true), item(1, false, true), item(2, true, true), item(3, false, false)];
        assert_eq!(lapsing(&items), BTreeSet::from([TransferId(Uuid::from_u128(1))]));
        assert!(lapsing(&items[2..]).is_empty());
    }
}
