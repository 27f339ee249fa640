//! Contacts (联系人): the people at a customer. They stand where their customer stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::context::{Context, Event};
use crate::customer::Customer;
use crate::error::Refusal;
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{ContactId, CustomerId, Email, Line, Phone, Prose, Timestamp, UserId};
use crate::workflow::AllowedAction;

text_enum! {
    /// The part that a contact has in a decision to buy.
    pub enum DecisionRole {
        /// Decides.
        DecisionMaker = "decision_maker",
        /// Has the decider's ear.
        Influencer = "influencer",
        /// Will use what is bought.
        User = "user",
        /// Decides who gets through.
        Gatekeeper = "gatekeeper",
    }
}

/// What one may say about a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactDetails {
    /// The customer; cannot be changed.
    pub customer_id: CustomerId,
    /// The person's name.
    #[validate(nested)]
    pub name: Line,
    /// Position.
    #[serde(default)]
    #[validate(nested)]
    pub title: Option<Line>,
    /// Department.
    #[serde(default)]
    #[validate(nested)]
    pub department: Option<Line>,
    /// Telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
    /// E-mail address.
    #[serde(default)]
    #[validate(nested)]
    pub email: Option<Email>,
    /// WeChat id.
    #[serde(default)]
    #[validate(nested)]
    pub wechat: Option<Line>,
    /// Birthday.
    #[serde(default)]
    pub birthday: Option<chrono::NaiveDate>,
    /// Part in the decision.
    #[serde(default)]
    pub decision_role: Option<DecisionRole>,
    /// Whether this is the customer's first contact; at most one is.
    #[serde(default)]
    pub is_primary: bool,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// What was said about the person.
    #[serde(flatten)]
    pub details: ContactDetails,
    /// Who recorded it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Contact, Contact);

/// Refuses a change of a member that is given once.
pub(crate) fn unchanged<T: PartialEq>(pointer: &str, before: &T, after: &T) -> Result<(), Refusal> {
    if before == after {
        return Ok(());
    }
    Err(Refusal::invalid(pointer, "immutable", "cannot be changed after creation"))
}

impl Contact {
    /// Records a contact of a customer.
    pub fn new(
        ctx: &Context,
        id: ContactId,
        customer: &Customer,
        form: Valid<ContactDetails>,
    ) -> Result<(Self, Event), Refusal> {
        customer.may_update(ctx)?;
        let contact = Self {
            id,
            details: form.into_inner(),
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((contact, Event("contact.created")))
    }

    /// Changes what was said about the person.
    pub fn edit(
        &mut self,
        ctx: &Context,
        customer: &Customer,
        form: Valid<ContactDetails>,
    ) -> Result<Event, Refusal> {
        customer.may_update(ctx)?;
        unchanged("/customer_id", &self.details.customer_id, &form.customer_id)?;
        self.details = form.into_inner();
        Ok(Event("contact.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context, customer: &Customer) -> Vec<AllowedAction> {
        ["update", "delete"]
            .map(|action| AllowedAction::judge(action, customer.may_update(ctx)))
            .to_vec()
    }
}
