//! Customers (客户) and the public pool (公海).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Permission;
use crate::activity::ActivityTimes;
use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::lead::{Source, eligible_owner};
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    CustomerId, Email, Line, Phone, Prose, Tags, Timestamp, UserId, WebAddress, mask_email, mask_phone,
    mask_text,
};
use crate::workflow::{AllowedAction, Machine, Rule, Who, rejudge};

text_enum! {
    /// What a customer is.
    pub enum CustomerKind {
        /// A company or another organisation.
        Company = "company",
        /// A natural person.
        Person = "person",
    }
}

text_enum! {
    /// How important a customer is.
    pub enum Grade {
        /// Most important.
        A = "A",
        /// Important.
        B = "B",
        /// Ordinary.
        C = "C",
        /// Least important.
        D = "D",
    }
}

text_enum! {
    /// How far a customer has come; follows from events, never typed in.
    pub enum Lifecycle {
        /// No opportunity yet.
        Potential = "potential",
        /// Had an opportunity.
        Engaged = "engaged",
        /// Had an active contract.
        Signed = "signed",
    }
}

text_enum! {
    /// Whether a customer has an owner.
    pub enum Ownership {
        /// In the public pool.
        Pool = "pool",
        /// With one owner.
        Owned = "owned",
    }
}

text_enum! {
    /// What may happen to a customer's ownership.
    pub enum OwnershipAction {
        /// Take it from the pool.
        Claim = "claim",
        /// Give it to a user.
        Assign = "assign",
        /// Give it back to the pool.
        Release = "release",
    }
}

text_enum! {
    /// Why a customer changed hands.
    pub enum OwnershipCause {
        /// It was recorded.
        Created = "created",
        /// It came from a lead.
        Converted = "converted",
        /// It was claimed from the pool.
        Claimed = "claimed",
        /// A manager gave it.
        Assigned = "assigned",
        /// Its owner gave it back.
        Released = "released",
        /// A contract that was paid in full runs again (合同恢复), so it left the pool for the contract's owner.
        ContractReopened = "contract_reopened",
    }
}

/// The ownership's state machine.
pub static MACHINE: Machine<Ownership, OwnershipAction> = Machine {
    name: "customer",
    initial: &[Ownership::Pool, Ownership::Owned],
    states: Ownership::ALL,
    rules: &[
        Rule {
            action: OwnershipAction::Claim,
            from: &[Ownership::Pool],
            to: Some(Ownership::Owned),
            who: Who::Holder(Permission::PoolClaim),
            guards: &[
                "the caller owns fewer customers than the ownership limit",
                "the caller claimed fewer today than the daily limit",
                "the caller is not the previous owner within the cool-down",
            ],
        },
        Rule {
            action: OwnershipAction::Assign,
            from: &[Ownership::Pool, Ownership::Owned],
            to: Some(Ownership::Owned),
            who: Who::Holder(Permission::PoolAssign),
            guards: &[
                "the receiver is active, may own customers and is in the caller's scope",
                "the receiver owns fewer customers than the ownership limit",
            ],
        },
        Rule {
            action: OwnershipAction::Release,
            from: &[Ownership::Owned],
            to: Some(Ownership::Pool),
            who: Who::Holder(Permission::CustomersRelease),
            guards: &["no open opportunity and no running contract", "a reason is given"],
        },
    ],
};

/// What an invoice needs to know about its receiver (开票信息).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxProfile {
    /// The title on the invoice.
    #[serde(default)]
    #[validate(nested)]
    pub invoice_title: Option<Line>,
    /// The taxpayer's number.
    #[serde(default)]
    #[validate(nested)]
    pub tax_number: Option<Line>,
    /// The bank.
    #[serde(default)]
    #[validate(nested)]
    pub bank: Option<Line>,
    /// The account.
    #[serde(default)]
    #[validate(nested)]
    pub account: Option<Line>,
    /// The registered address.
    #[serde(default)]
    #[validate(nested)]
    pub address: Option<Line>,
    /// The registered telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
}

/// What one may say about a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerDetails {
    /// Company or person.
    pub kind: CustomerKind,
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// Registration number; unique, whatever the case of its letters and the spaces in it.
    #[serde(default)]
    #[validate(nested)]
    pub registration_number: Option<Line>,
    /// Where it came from.
    #[serde(default)]
    pub source: Option<Source>,
    /// How important it is.
    #[serde(default)]
    pub grade: Option<Grade>,
    /// Industry.
    #[serde(default)]
    #[validate(nested)]
    pub industry: Option<Line>,
    /// Region.
    #[serde(default)]
    #[validate(nested)]
    pub region: Option<Line>,
    /// Address.
    #[serde(default)]
    #[validate(nested)]
    pub address: Option<Line>,
    /// Size, such as the number of employees.
    #[serde(default)]
    #[validate(nested)]
    pub scale: Option<Line>,
    /// Telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
    /// E-mail address.
    #[serde(default)]
    #[validate(nested)]
    pub email: Option<Email>,
    /// Web site.
    #[serde(default)]
    #[validate(nested)]
    pub website: Option<WebAddress>,
    /// Labels.
    #[serde(default)]
    #[validate(nested)]
    pub tags: Tags,
    /// What an invoice needs to know.
    #[serde(default)]
    #[validate(nested)]
    pub tax_profile: Option<TaxProfile>,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
}

impl CustomerDetails {
    /// The registration number as it is compared.
    pub fn registration_key(&self) -> Option<String> {
        let number = self.registration_number.as_ref()?;
        Some(number.normalised())
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: CustomerDetails,
    /// The owner; none while it is in the public pool.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// How far it has come.
    pub lifecycle: Lifecycle,
    /// When the last activity happened.
    #[schema(required)]
    pub last_activity_at: Option<Timestamp>,
    /// When the next activity is due.
    #[schema(required)]
    pub next_activity_at: Option<Timestamp>,
    /// When its owner got it.
    #[schema(required)]
    pub owned_since: Option<Timestamp>,
    /// When it went to the pool.
    #[schema(required)]
    pub pooled_at: Option<Timestamp>,
    /// Why it went to the pool.
    #[schema(required)]
    pub pool_reason: Option<Line>,
    /// Who owned it before.
    #[schema(required)]
    pub previous_owner_id: Option<UserId>,
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
record!(Customer, Customer);

/// One change of hands.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnershipChange {
    /// Whose ownership.
    pub customer_id: CustomerId,
    /// From whom; none from the pool.
    pub from: Option<UserId>,
    /// To whom; none to the pool.
    pub to: Option<UserId>,
    /// Why.
    pub cause: OwnershipCause,
    /// Why, in words.
    pub note: Option<Line>,
}

/// What the ownership rules need to know about the user who would become owner; read under the lock of
/// that user's row.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnerLoad {
    /// How many customers they own.
    pub owned: i64,
    /// How many they claimed on this business day.
    pub claimed_today: i64,
}

/// What a customer still has going on.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenBusiness {
    /// Open opportunities.
    pub opportunities: i64,
    /// Contracts that are neither finished nor cancelled.
    pub contracts: i64,
}

impl OwnerLoad {
    fn room(self, ctx: &Context) -> Result<(), Refusal> {
        let limit = ctx.org.settings.ownership_limit;
        if self.owned < limit {
            return Ok(());
        }
        Err(Refusal::new(Code::OwnershipLimitReached, format!("{} of {limit} customers owned", self.owned))
            .with("owned", self.owned)
            .with("limit", limit))
    }
}

fn claimed() -> Refusal {
    Refusal::new(Code::AlreadyClaimed, "the customer has an owner")
}

impl Customer {
    /// Who would own what this caller records: a seller themselves, for others nobody.
    pub fn owner_of_new(ctx: &Context) -> Option<UserId> {
        ctx.actor.holds(Permission::PoolClaim).then_some(ctx.actor.id)
    }

    /// Records a customer for an owner or for the pool.
    pub fn new(
        ctx: &Context,
        id: CustomerId,
        form: Valid<CustomerDetails>,
        owner: Option<(UserId, OwnerLoad)>,
        cause: OwnershipCause,
    ) -> Result<(Self, OwnershipChange, Event), Refusal> {
        ctx.actor.authorize_own(Permission::CustomersCreate)?;
        if let Some((user, load)) = owner {
            eligible_owner(ctx, user, Permission::PoolClaim)?;
            load.room(ctx)?;
        }
        let owner_id = owner.map(|(user, _)| user);
        let customer = Self {
            id,
            details: form.into_inner(),
            owner_id,
            lifecycle: Lifecycle::Potential,
            last_activity_at: None,
            next_activity_at: None,
            owned_since: owner_id.map(|_| ctx.now),
            pooled_at: if owner_id.is_none() { Some(ctx.now) } else { None },
            pool_reason: None,
            previous_owner_id: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        let change = OwnershipChange { customer_id: id, from: None, to: owner_id, cause, note: None };
        Ok((customer, change, Event("customer.created")))
    }

    /// Its owner. Nobody does business with a customer in the pool.
    pub fn owner(&self) -> Result<UserId, Refusal> {
        let unowned = || Refusal::new(Code::CustomerUnowned, "claim or assign the customer first");
        self.owner_id.ok_or_else(unowned)
    }

    /// The ownership's state.
    pub fn ownership(&self) -> Ownership {
        if self.owner_id.is_some() { Ownership::Owned } else { Ownership::Pool }
    }

    /// A customer outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::CustomersRead, self.owner_id)
    }

    fn permit(&self, ctx: &Context, action: OwnershipAction) -> Result<Ownership, Refusal> {
        MACHINE.permit(ctx.actor, &ctx.standing(self.owner_id), self.ownership(), action)
    }

    /// May it be changed by hand?
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::CustomersUpdate, self.owner_id)
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<CustomerDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        self.details = form.into_inner();
        Ok(Event("customer.updated"))
    }

    /// Takes it from the pool.
    pub fn claim(&mut self, ctx: &Context, load: OwnerLoad) -> Result<(OwnershipChange, Event), Refusal> {
        if self.reveal(ctx).is_err() {
            // Whoever lost the race still sees why, though the customer has left their sight. To whoever could
            // not have won, it does not exist.
            let raced = self.owner_id.is_some()
                && ctx.reveal(Permission::CustomersRead, None).is_ok()
                && ctx.authorize(Permission::PoolClaim, None).is_ok();
            return Err(if raced { claimed() } else { Refusal::not_found() });
        }
        self.may_claim(ctx)?;
        let settings = &ctx.org.settings;
        load.room(ctx)?;
        if load.claimed_today >= settings.daily_claim_limit {
            let detail = format!("{} of {} claims today", load.claimed_today, settings.daily_claim_limit);
            return Err(Refusal::new(Code::DailyClaimLimitReached, detail)
                .with("claimed_today", load.claimed_today)
                .with("limit", settings.daily_claim_limit));
        }
        let change = self.move_to(ctx, Some(ctx.actor.id), OwnershipCause::Claimed, None);
        Ok((change, Event("customer.claimed")))
    }

    /// Whether the caller could have claimed it comes before whether somebody was faster.
    fn may_claim(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::PoolClaim, None)?;
        if self.owner_id.is_some() {
            return Err(claimed());
        }
        self.permit(ctx, OwnershipAction::Claim)?;
        let cool_down = chrono::Duration::days(ctx.org.settings.claim_cool_down_days);
        let until = self.pooled_at.map(|at| at.plus(cool_down));
        if self.previous_owner_id == Some(ctx.actor.id) && until.is_some_and(|until| ctx.now < until) {
            return Err(
                Refusal::new(Code::ClaimCoolDown, "the previous owner has to wait").with("until", until)
            );
        }
        Ok(())
    }

    /// Who would receive it, judged before the receiver's load is read.
    pub fn may_assign(&self, ctx: &Context, to: UserId) -> Result<(), Refusal> {
        self.permit(ctx, OwnershipAction::Assign)?;
        eligible_owner(ctx, to, Permission::PoolClaim)?;
        ctx.authorize(Permission::PoolAssign, Some(to))?;
        if self.owner_id == Some(to) {
            return Err(Refusal::new(Code::AlreadyOwner, "the customer is already with this user"));
        }
        Ok(())
    }

    /// Gives it to a user.
    pub fn assign(
        &mut self,
        ctx: &Context,
        to: UserId,
        load: OwnerLoad,
        note: Option<Line>,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        self.may_assign(ctx, to)?;
        load.room(ctx)?;
        Ok((self.move_to(ctx, Some(to), OwnershipCause::Assigned, note), Event("customer.assigned")))
    }

    /// Gives it back to the pool.
    pub fn release(
        &mut self,
        ctx: &Context,
        open: OpenBusiness,
        reason: Line,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        self.permit(ctx, OwnershipAction::Release)?;
        if open.opportunities + open.contracts > 0 {
            let detail = "the customer has open opportunities or running contracts";
            return Err(Refusal::new(Code::CustomerHasOpenBusiness, detail)
                .with("opportunities", open.opportunities)
                .with("contracts", open.contracts));
        }
        Ok((self.move_to(ctx, None, OwnershipCause::Released, Some(reason)), Event("customer.released")))
    }

    /// Gives it back to the owner of a contract that runs again, if it is in the pool meanwhile: there, no customer
    /// has a running contract. Neither limits count nor whether the owner is still there.
    pub fn return_to(&mut self, ctx: &Context, owner: UserId) -> Option<(OwnershipChange, Event)> {
        if self.owner_id.is_some() {
            return None;
        }
        let change = self.move_to(ctx, Some(owner), OwnershipCause::ContractReopened, None);
        Some((change, Event("customer.returned")))
    }

    fn move_to(
        &mut self,
        ctx: &Context,
        to: Option<UserId>,
        cause: OwnershipCause,
        note: Option<Line>,
    ) -> OwnershipChange {
        let change =
            OwnershipChange { customer_id: self.id, from: self.owner_id, to, cause, note: note.clone() };
        if self.owner_id.is_some() {
            self.previous_owner_id = self.owner_id;
        }
        self.owner_id = to;
        self.owned_since = to.map(|_| ctx.now);
        self.pooled_at = if to.is_none() { Some(ctx.now) } else { None };
        self.pool_reason = if to.is_none() { note } else { None };
        change
    }

    /// Notes what its activities say together, whichever of them is new, changed or gone.
    pub fn follow(&mut self, activities: ActivityTimes) -> Event {
        self.last_activity_at = activities.last;
        self.next_activity_at = activities.next;
        Event("customer.activities_changed")
    }

    /// Moves the lifecycle forward, never back. Says whether it moved.
    pub fn reach(&mut self, lifecycle: Lifecycle) -> Option<Event> {
        (self.lifecycle < lifecycle).then(|| {
            self.lifecycle = lifecycle;
            Event("customer.lifecycle_changed")
        })
    }

    /// Whether this caller sees the contact data of customers in the pool. If not, no filter may tell it.
    pub fn shows_pool_contact_data(ctx: &Context) -> bool {
        ctx.authorize(Permission::CustomersUpdate, None).is_ok()
    }

    /// What this caller may see of it: contact data in the pool is masked for whoever may not update it.
    #[must_use]
    pub fn seen_by(mut self, ctx: &Context) -> Self {
        if self.owner_id.is_none() && self.may_update(ctx).is_err() {
            let details = &mut self.details;
            details.phone = details.phone.as_ref().map(mask_phone);
            details.email = details.email.as_ref().map(mask_email);
            details.address = details.address.as_ref().map(|text| Line::new(mask_text(text.as_str())));
            details.website = None;
            details.tax_profile = None;
            details.note = None;
        }
        self
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        let standing = ctx.standing(self.owner_id);
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.ownership(), |_| Ok(()));
        rejudge(&mut actions, OwnershipAction::Claim.as_str(), self.may_claim(ctx));
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions.push(AllowedAction::judge("delete", self.may_update(ctx)));
        actions
    }
}
