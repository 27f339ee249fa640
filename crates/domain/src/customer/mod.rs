//! Customers (客户), with an owner or in a public pool (公海).

mod collaborator;
mod details;
mod ownership;
mod ties;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use collaborator::{Collaborator, CollaboratorDetails};
pub use details::{CustomerDetails, CustomerKind, Grade, TaxProfile};
pub use ownership::{
    MACHINE, OpenBusiness, OwnerLoad, Ownership, OwnershipAction, OwnershipCause, OwnershipChange,
    OwnershipRecord, PoolOpening,
};
pub use ties::CustomerTies;

use crate::access::{Permission, Standing};
use crate::activity::ActivityTimes;
use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::lead::eligible_owner;
use crate::pool::{ContactField, PoolRules};
use crate::record;
use crate::search::{ContactData, SearchEntry};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{CustomerId, Line, PoolId, Timestamp, UserId};
use crate::workflow::{AllowedAction, rejudge};

text_enum! {
    /// How far a customer has come; follows from events, never typed in.
    pub enum Lifecycle {
        /// No opportunity yet.
        Potential = "potential" ("Potential", "潜在客户"),
        /// Had an opportunity.
        Engaged = "engaged" ("Engaged", "意向客户"),
        /// Had an active contract.
        Signed = "signed" ("Signed", "成交客户"),
        /// Neither an activity nor a running contract for long.
        Dormant = "dormant" ("Dormant", "休眠客户"),
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
    /// The public pool that it is in, or to which it goes back.
    pub pool_id: PoolId,
    /// Whether a manager keeps it from being recycled.
    pub locked: bool,
    /// How far it has come, or that it is dormant.
    pub lifecycle: Lifecycle,
    /// The furthest that it has come; what it is again once it is no longer dormant.
    pub furthest: Lifecycle,
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
    /// The day on which it goes back to the pool, of which its owner was told.
    #[schema(required)]
    pub recycle_on: Option<NaiveDate>,
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
record!(Customer, Customer, found by |customer| {
    let of = &customer.details;
    let entry = SearchEntry::new(of.name.as_str())
        .with_contact(of.registration_number.as_ref().map(ContactData::Number))
        .with_contact(of.phone.as_ref().map(ContactData::Phone))
        .with_contact(of.email.as_ref().map(ContactData::Email))
        .with_contact(of.website.as_ref().map(ContactData::Website));
    of.tax_profiles.iter().fold(entry, |entry, profile| {
        entry
            .with_contact(profile.invoice_title.as_ref().map(ContactData::Name))
            .with_contact(profile.tax_number.as_ref().map(ContactData::Number))
    })
});

/// The owner of a customer, of which no more may be known. Nobody does business with a customer in the pool.
pub(crate) fn owned(owner: Option<UserId>) -> Result<UserId, Refusal> {
    owner.ok_or_else(|| Refusal::new(Code::CustomerUnowned, "claim or assign the customer first"))
}

impl Customer {
    /// Who would own what this caller records: a seller themselves, for others nobody.
    pub fn owner_of_new(ctx: &Context) -> Option<UserId> {
        ctx.actor.holds(Permission::PoolClaim).then_some(ctx.actor.id)
    }

    /// Records a customer for an owner or for the pool of its region.
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
            load.room(ctx, user)?;
        }
        let owner_id = owner.map(|(user, _)| user);
        let customer = Self {
            id,
            pool_id: ctx.org.pool_of(form.region.as_ref())?,
            details: form.into_inner(),
            owner_id,
            locked: false,
            lifecycle: Lifecycle::Potential,
            furthest: Lifecycle::Potential,
            last_activity_at: None,
            next_activity_at: None,
            owned_since: owner_id.map(|_| ctx.now),
            pooled_at: if owner_id.is_none() { Some(ctx.now) } else { None },
            pool_reason: None,
            recycle_on: None,
            previous_owner_id: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        let change = OwnershipChange { customer_id: id, from: None, to: owner_id, cause, reason: None };
        Ok((customer, change, Event("customer.created")))
    }

    /// Its owner.
    pub fn owner(&self) -> Result<UserId, Refusal> {
        owned(self.owner_id)
    }

    /// Where it stands.
    pub fn standing(&self, ctx: &Context) -> Standing {
        match self.owner_id {
            Some(owner) => ctx.org.owned(owner, Some(self.id)),
            None => Standing::Pooled(self.pool_id),
        }
    }

    /// The rules of its pool: of its own, whatever pool somebody names.
    pub fn rules<'a>(&self, ctx: &Context<'a>) -> &'a PoolRules {
        ctx.org.pool_rules(self.pool_id)
    }

    /// A customer outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let seen = ctx.actor.authorize(Permission::CustomersRead, &self.standing(ctx));
        seen.map_err(|_| Refusal::not_found())
    }

    /// Nor is it in the pool for somebody whose scope there it is outside of, or once it has an owner, whoever that is.
    pub fn reveal_in_pool(&self, ctx: &Context) -> Result<(), Refusal> {
        let seen = ctx.actor.authorize(Permission::PoolRead, &self.standing(ctx));
        if self.owner_id.is_none() && seen.is_ok() { Ok(()) } else { Err(Refusal::not_found()) }
    }

    /// May it be changed by hand?
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::CustomersUpdate, &self.standing(ctx))
    }

    /// May it be changed at once, so that it has this grade then? Where the organisation wants an approval of that, it
    /// is asked for instead; but nobody could be asked about what nobody owns.
    pub fn may_edit(&self, ctx: &Context, grade: Option<Grade>) -> Result<(), Refusal> {
        self.may_update(ctx)?;
        if self.owner_id.is_none() {
            return Ok(());
        }
        crate::customer_change::check_at_once(ctx, &[self.details.grade, grade])
    }

    /// May it be deleted? A collaborator works with it, but it is not theirs; and whoever took it from the pool gives
    /// it back there, for it was not their mistake. Nothing may depend on it.
    pub fn may_delete(&self, ctx: &Context, ties: &CustomerTies) -> Result<(), Refusal> {
        self.may_update(ctx)?;
        self.may_dispose(ctx)?;
        if self.created_by != ctx.actor.id {
            ctx.actor.authorize(Permission::PoolAssign, &self.standing(ctx))?;
        }
        ties.check_none(self)
    }

    /// May it be merged with another one? Whether the two fit is judged when both are known.
    pub fn may_merge(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::CustomersMerge, &self.standing(ctx))
    }

    /// What only its owner and their superiors may do.
    pub fn may_dispose(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::CustomersUpdate, self.owner_id)
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<CustomerDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        self.details = form.into_inner();
        Ok(Event("customer.updated"))
    }

    /// Takes another customer in that is the same one: what it lacks, and how far the other had come. What hangs on
    /// the other is moved by whoever asks. Nobody loses a customer by it: of two owners' customers, one is
    /// transferred first.
    pub fn absorb(&mut self, ctx: &Context, other: &Self) -> Result<(OwnershipChange, Event), Refusal> {
        self.may_merge(ctx)?;
        crate::merge::check_two(&self.id, &other.id)?;
        other.may_merge(ctx)?;
        if self.owner_id.is_none() && other.owner_id.is_some() {
            let detail = "of two customers of which one has an owner, that one survives";
            return Err(Refusal::new(Code::CustomerUnowned, detail));
        }
        if other.owner_id.is_some() && other.owner_id != self.owner_id {
            let detail = "the customers have different owners; give or transfer one of them first";
            return Err(Refusal::new(Code::OwnersDiffer, detail));
        }
        crate::customer_change::check_merge(ctx, &[self, other])?;
        self.details = crate::merge::filled(&self.details, &other.details)?.into_inner();
        self.last_activity_at = self.last_activity_at.max(other.last_activity_at);
        self.next_activity_at = match (self.next_activity_at, other.next_activity_at) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.furthest = self.furthest.max(other.furthest);
        let asleep = self.lifecycle == Lifecycle::Dormant && other.lifecycle == Lifecycle::Dormant;
        self.lifecycle = if asleep { Lifecycle::Dormant } else { self.furthest };
        let change = OwnershipChange {
            customer_id: self.id,
            from: self.owner_id,
            to: self.owner_id,
            cause: OwnershipCause::Merged,
            reason: Some(other.details.name.clone()),
        };
        Ok((change, Event("customer.merged")))
    }

    /// Notes what its activities say together, whichever of them is new, changed or gone. One that happened wakes a
    /// dormant customer.
    pub fn follow(&mut self, activities: ActivityTimes) -> Event {
        if activities.last > self.last_activity_at {
            self.lifecycle = self.furthest;
        }
        self.last_activity_at = activities.last;
        self.next_activity_at = activities.next;
        Event("customer.activities_changed")
    }

    /// Somebody there asked again, by a web form.
    pub fn ask_again(&mut self, activities: ActivityTimes) -> Event {
        self.follow(activities);
        Event("customer.asked_again")
    }

    /// Moves the lifecycle forward, never back, and wakes a dormant customer. Says whether anything changed.
    pub fn reach(&mut self, lifecycle: Lifecycle) -> Option<Event> {
        let furthest = self.furthest.max(lifecycle);
        let changed = self.furthest != furthest || self.lifecycle != furthest;
        (self.furthest, self.lifecycle) = (furthest, furthest);
        changed.then_some(Event("customer.lifecycle_changed"))
    }

    /// Finds it dormant when nothing happened for too long: neither an activity, nor another owner, nor a contract,
    /// of which `live_contracts` run or are asked for. Says whether that is new.
    pub fn doze(&mut self, ctx: &Context, live_contracts: i64) -> Option<Event> {
        let days = Days::new(u64::try_from(ctx.org.settings.dormant_after_days?).ok()?);
        let last =
            [self.last_activity_at, self.owned_since, Some(self.created_at)].into_iter().flatten().max()?;
        let since = ctx.org.today(last).0.checked_add_days(days)?;
        if live_contracts > 0 || self.lifecycle == Lifecycle::Dormant || ctx.today().0 < since {
            return None;
        }
        self.lifecycle = Lifecycle::Dormant;
        Some(Event("customer.lifecycle_changed"))
    }

    /// Tells its owner that it goes back to the pool on that day.
    pub fn warn(&mut self, day: NaiveDate) -> Event {
        self.recycle_on = Some(day);
        Event("customer.recycle_warned")
    }

    /// Takes that back.
    pub fn call_off(&mut self) -> Event {
        self.recycle_on = None;
        Event("customer.recycle_called_off")
    }

    /// Whether this caller sees the contact data of customers in the pool. If not, no filter may tell it.
    pub fn shows_pool_contact_data(ctx: &Context) -> bool {
        ctx.authorize(Permission::CustomersUpdate, None).is_ok()
    }

    /// Whether this caller sees every customer, and so what was said about those in the pool and their contacts.
    pub fn sees_every_customer(ctx: &Context) -> bool {
        ctx.authorize(Permission::CustomersRead, None).is_ok()
    }

    /// Whether this caller sees what was said and done about it. In the pool that is as private as contact data.
    pub fn shows_activities(&self, ctx: &Context) -> bool {
        self.owner_id.is_some() || Self::sees_every_customer(ctx)
    }

    /// What this caller may see of it. For whoever may not update it, contact data in the pool is masked: in lists
    /// all of it, of an opened one what the pool's rules say.
    #[must_use]
    pub fn seen_by(self, ctx: &Context, opened: bool) -> Self {
        if self.owner_id.is_some() || self.may_update(ctx).is_ok() {
            return self;
        }
        let rules = self.rules(ctx);
        self.masked(|field| !opened || rules.masks(field))
    }

    /// What a write shows of it to this caller, who saw it as it was `before`. Whoever sees it masked sees more once
    /// they open it, which counts, or once it has an owner: not by a trial, which leaves no trace, nor by a write that
    /// leaves it in the pool.
    #[must_use]
    pub fn shown_after(self, ctx: &Context, before: &Self, is_trial: bool) -> Self {
        if before.is_opened(ctx) && (is_trial || self.is_opened(ctx)) { self.masked(|_| true) } else { self }
    }

    fn masked(mut self, masks: impl Fn(ContactField) -> bool) -> Self {
        self.details = self.details.masked(masks);
        self
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &CustomerTies) -> Vec<AllowedAction> {
        let standing = self.standing(ctx);
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.ownership(), |action| match action {
            OwnershipAction::Lock => self.may_lock(true),
            OwnershipAction::Unlock => self.may_lock(false),
            OwnershipAction::Release => ties.open.check_none(),
            _ => Ok(()),
        });
        let claim = self.may_claim(ctx).and_then(|()| self.claimed_within_limits(ctx, ties.caller));
        rejudge(&mut actions, OwnershipAction::Claim.as_str(), claim);
        actions.push(AllowedAction::judge("update", self.may_edit(ctx, self.details.grade)));
        actions.push(AllowedAction::judge("delete", self.may_delete(ctx, ties)));
        let merge = self.may_merge(ctx).and_then(|()| crate::customer_change::check_merge(ctx, &[self]));
        actions.push(AllowedAction::judge("merge", merge));
        actions
    }
}
