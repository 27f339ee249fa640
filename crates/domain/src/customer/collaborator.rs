use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::Customer;
use crate::access::{Permission, Share};
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::record;
use crate::valid::Valid;
use crate::values::{CollaboratorId, CustomerId, Timestamp, UserId};
use crate::workflow::AllowedAction;

/// What one may say about a collaborator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollaboratorDetails {
    /// The customer that is shared; cannot be changed.
    pub customer_id: CustomerId,
    /// With whom, somebody of `/people`; cannot be changed.
    pub user_id: UserId,
    /// How far.
    pub access: Share,
}

/// A customer's collaborator (协作人): sees or works with the customer, its contacts, activities and opportunities,
/// never with contracts and money. The sharing stays when the customer changes hands, and ends with the pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Collaborator {
    /// Its id.
    pub id: CollaboratorId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: CollaboratorDetails,
    /// Who shared the customer.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Collaborator, Collaborator);

impl Collaborator {
    /// May the caller share this customer? Its owner and their superiors may.
    pub fn may_share(ctx: &Context, customer: &Customer) -> Result<(), Refusal> {
        customer.may_dispose(ctx)?;
        customer.owner().map(|_| ())
    }

    /// Shares a customer with somebody who may work with customers.
    pub fn new(
        ctx: &Context,
        id: CollaboratorId,
        customer: &Customer,
        form: Valid<CollaboratorDetails>,
    ) -> Result<(Self, Event), Refusal> {
        Self::may_share(ctx, customer)?;
        let Some(user) = ctx.org.user(form.user_id) else {
            return Err(Refusal::unknown_reference("/user_id"));
        };
        let permission = match form.access {
            Share::Read => Permission::CustomersRead,
            Share::Write => Permission::CustomersUpdate,
        };
        if !ctx.org.actor(user.id).is_some_and(|actor| actor.holds(permission)) {
            let detail = format!("this user is disabled or does not hold {permission}");
            return Err(Refusal::new(Code::OwnerNotEligible, detail));
        }
        if customer.owner_id == Some(user.id) {
            return Err(Refusal::new(Code::AlreadyOwner, "the customer is already with this user"));
        }
        let collaborator = Self {
            id,
            details: form.into_inner(),
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((collaborator, Event("collaborator.added")))
    }

    /// Changes how far the customer is shared.
    pub fn edit(
        &mut self,
        ctx: &Context,
        customer: &Customer,
        form: Valid<CollaboratorDetails>,
    ) -> Result<Event, Refusal> {
        Self::may_share(ctx, customer)?;
        unchanged("/customer_id", &self.details.customer_id, &form.customer_id)?;
        unchanged("/user_id", &self.details.user_id, &form.user_id)?;
        self.details = form.into_inner();
        Ok(Event("collaborator.updated"))
    }

    /// May the caller end it? So may the collaborator.
    pub fn may_remove(&self, ctx: &Context, customer: &Customer) -> Result<(), Refusal> {
        if self.details.user_id == ctx.actor.id { Ok(()) } else { customer.may_dispose(ctx) }
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, customer: &Customer) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", Self::may_share(ctx, customer)),
            AllowedAction::judge("delete", self.may_remove(ctx, customer)),
        ]
    }
}
