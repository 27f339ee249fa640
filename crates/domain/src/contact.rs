//! Contacts (联系人): the people at a customer. They stand where their customer stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::context::{Context, Event};
use crate::customer::Customer;
use crate::dependents::Dependents;
use crate::error::{Refusal, Rule};
use crate::record;
use crate::search::{ContactData, SearchEntry};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    ContactId, CustomerId, Email, Line, Phone, Prose, Timestamp, UserId, mask_email, mask_phone, mask_text,
};
use crate::workflow::AllowedAction;

text_enum! {
    /// The part that a contact has in a decision to buy.
    pub enum DecisionRole {
        /// Decides.
        DecisionMaker = "decision_maker" ("Decision maker", "决策人"),
        /// Has the decider's ear.
        Influencer = "influencer" ("Influencer", "影响者"),
        /// Will use what is bought.
        User = "user" ("User", "使用者"),
        /// Decides who gets through.
        Gatekeeper = "gatekeeper" ("Gatekeeper", "把关人"),
    }
}

/// What one may say about a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": CustomerId::example(1),
    "name": "林悦",
    "title": "采购经理",
    "department": "采购部",
    "phone": "+86 138 0574 6608",
    "email": "lin.yue@haichuan.example",
    "wechat": "linyue_0574",
    "birthday": "1985-06-18",
    "decision_role": "decision_maker",
    "is_primary": false,
    "note": "Prefers messages to calls."
}))]
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
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
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
record!(Contact, Contact, found by |contact| {
    let of = &contact.details;
    SearchEntry::new(of.name.as_str())
        .with_contact(of.wechat.as_ref().map(ContactData::Name))
        .with_contact(of.phone.as_ref().map(ContactData::Phone))
        .with_contact(of.email.as_ref().map(ContactData::Email))
});

/// Refuses a change of a member that is given once.
pub(crate) fn unchanged<T: PartialEq>(pointer: &str, before: &T, after: &T) -> Result<(), Refusal> {
    if before == after {
        return Ok(());
    }
    Err(Refusal::invalid(pointer, Rule::Immutable, "cannot be changed after creation"))
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

    /// What this caller may see of it: contact data in the pool is masked for whoever may not update the
    /// customer.
    #[must_use]
    pub fn seen_by(mut self, ctx: &Context, customer: &Customer) -> Self {
        if customer.owner_id.is_none() && customer.may_update(ctx).is_err() {
            let details = &mut self.details;
            details.phone = details.phone.as_ref().map(mask_phone);
            details.email = details.email.as_ref().map(mask_email);
            details.wechat = details.wechat.as_ref().map(|text| Line::new(mask_text(text.as_str())));
            details.birthday = None;
            details.note = None;
        }
        self
    }

    /// May a contact of this customer be deleted? While no sale names it, no lead became it, and no activity is about it.
    pub fn may_delete(ctx: &Context, customer: &Customer, dependents: &Dependents) -> Result<(), Refusal> {
        customer.may_update(ctx)?;
        dependents.check_none()
    }

    /// What this caller may do with it.
    pub fn allowed_actions(
        ctx: &Context,
        customer: &Customer,
        dependents: &Dependents,
    ) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", customer.may_update(ctx)),
            AllowedAction::judge("delete", Self::may_delete(ctx, customer, dependents)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{ADMIN, DIRECTOR, FINANCE, MANAGER, REP, World};

    #[test]
    fn contact_data_in_the_pool_is_masked_for_whoever_may_not_update_it() {
        let world = World::new();
        let form = serde_json::json!({
            "customer_id": Uuid::from_u128(70).to_string(),
            "name": "Zhang",
            "phone": "138 0013 8000",
            "email": "zhang@example.com",
            "wechat": "zhang88",
            "note": "Calls back in the morning",
        });
        let form = Valid::check(serde_json::from_value(form).unwrap()).unwrap();
        let (owned, pooled) = (world.customer(Some(REP)), world.customer(None));
        let id = ContactId(Uuid::from_u128(1));
        let (contact, _) = world.by(REP, |ctx| Contact::new(ctx, id, &owned, form)).unwrap();
        let seen = |who, customer: &Customer| world.by(who, |ctx| contact.clone().seen_by(ctx, customer));
        for who in [REP, MANAGER, FINANCE] {
            let masked = seen(who, &pooled).details;
            assert_eq!(masked.phone.unwrap().as_str(), "138****8000");
            assert_eq!(masked.email.unwrap().as_str(), "z***@example.com");
            assert_eq!((masked.wechat.unwrap().as_str(), masked.note), ("z**", None));
            assert_eq!(seen(who, &owned), contact);
        }
        for who in [DIRECTOR, ADMIN] {
            assert_eq!(seen(who, &pooled), contact);
        }
    }
}
