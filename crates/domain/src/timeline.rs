//! Timelines (客户动态): everything that happened to a customer, as far as the caller may see it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Permission, ScopeFilter};
use crate::audit::{AuditAction, Changes};
use crate::context::Context;
use crate::customer::Customer;
use crate::record::RecordKind;
use crate::values::{AuditEventId, CustomerId, Timestamp, UserId};

/// Something that happened to a customer, or to what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// Its id; that of the audit event.
    pub id: AuditEventId,
    /// Its place: later events have greater ones.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// The customer.
    pub customer_id: CustomerId,
    /// When.
    pub occurred_at: Timestamp,
    /// Who did it; none when Fairlead did.
    #[schema(required)]
    pub actor_id: Option<UserId>,
    /// What, such as `customer.claimed`.
    #[schema(value_type = AuditAction)]
    pub event: String,
    /// The kind of record.
    pub record_kind: RecordKind,
    /// Which record.
    pub record_id: Uuid,
    /// What changed, member by member, `before` and `after`. Empty where contact data is masked for the caller.
    #[schema(value_type = Changes)]
    pub changes: Map<String, Value>,
}

/// The kinds of records that are seen by whoever sees the customer. Activities are not among them: some are about
/// contracts.
pub const OPEN: [RecordKind; 3] = [RecordKind::Customer, RecordKind::Contact, RecordKind::Collaborator];

/// A kind of records of a customer that are seen by their own owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// [`RecordKind::Opportunity`]
    Opportunity,
    /// [`RecordKind::CustomerChange`]
    CustomerChange,
    /// [`RecordKind::Contract`]
    Contract,
    /// [`RecordKind::Amendment`]
    Amendment,
    /// [`RecordKind::Invoice`]
    Invoice,
    /// [`RecordKind::CreditNote`]
    CreditNote,
    /// [`RecordKind::Payment`]
    Payment,
    /// [`RecordKind::Refund`]
    Refund,
    /// [`RecordKind::Transfer`]
    Transfer,
}

impl Guarded {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Opportunity,
        Self::CustomerChange,
        Self::Contract,
        Self::Amendment,
        Self::Invoice,
        Self::CreditNote,
        Self::Payment,
        Self::Refund,
        Self::Transfer,
    ];

    /// The kind of record.
    #[must_use]
    pub const fn record(self) -> RecordKind {
        match self {
            Self::Opportunity => RecordKind::Opportunity,
            Self::CustomerChange => RecordKind::CustomerChange,
            Self::Contract => RecordKind::Contract,
            Self::Amendment => RecordKind::Amendment,
            Self::Invoice => RecordKind::Invoice,
            Self::CreditNote => RecordKind::CreditNote,
            Self::Payment => RecordKind::Payment,
            Self::Refund => RecordKind::Refund,
            Self::Transfer => RecordKind::Transfer,
        }
    }

    /// Which of them this caller may list.
    #[must_use]
    pub fn scope(self, ctx: &Context) -> ScopeFilter {
        ctx.actor.visible_scope(match self {
            Self::Opportunity => Permission::OpportunitiesRead,
            Self::CustomerChange => Permission::CustomersUpdate,
            Self::Contract | Self::Amendment => Permission::ContractsRead,
            Self::Invoice | Self::CreditNote => Permission::InvoicesRead,
            Self::Payment | Self::Refund => Permission::PaymentsRead,
            Self::Transfer => Permission::TransfersRead,
        })
    }
}

/// What this caller sees of an entry: nothing of what changed, while the customer is masked for them.
#[must_use]
pub fn seen_by(mut entry: TimelineEntry, ctx: &Context, customer: &Customer) -> TimelineEntry {
    if customer.owner_id.is_none() && customer.may_update(ctx).is_err() {
        entry.changes = Map::new();
    }
    entry
}
