use serde::Serialize;
use utoipa::ToSchema;

use super::Customer;
use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::lead::eligible_owner;
use crate::pool::RecycleCause;
use crate::text_enum;
use crate::values::{CustomerId, JobId, Line, OwnershipChangeId, PoolId, Timestamp, UserId};
use crate::workflow::{Machine, Rule, Who};

text_enum! {
    /// Whether a customer has an owner.
    pub enum Ownership {
        /// In the public pool.
        Pool = "pool" ("In the pool", "公海中"),
        /// With one owner.
        Owned = "owned" ("Owned", "已有负责人"),
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
        /// It was neglected and goes back to the pool.
        Recycle = "recycle",
        /// It goes to another owner, as was approved.
        Transfer = "transfer",
        /// It goes to another pool.
        Move = "move",
        /// Keep it from being recycled.
        Lock = "lock",
        /// Let it be recycled again.
        Unlock = "unlock",
    }
}

text_enum! {
    /// Why a customer changed hands.
    pub enum OwnershipCause {
        /// It was recorded.
        Created = "created" ("Created", "新建"),
        /// It came from a lead.
        Converted = "converted" ("Converted from a lead", "线索转化"),
        /// It was claimed from the pool.
        Claimed = "claimed" ("Claimed", "领取"),
        /// A manager gave it.
        Assigned = "assigned" ("Assigned", "分配"),
        /// Its owner gave it back.
        Released = "released" ("Released", "退回公海"),
        /// It was neglected.
        Recycled = "recycled" ("Recycled", "回收"),
        /// A transfer was approved.
        Transferred = "transferred" ("Transferred", "转移"),
        /// Its owner left.
        HandedOver = "handed_over" ("Handed over", "离职交接"),
        /// A contract that was paid in full runs again (合同恢复), so it left the pool for the contract's owner.
        ContractReopened = "contract_reopened" ("Contract reopened", "合同恢复"),
        /// Another customer that was the same one was merged into it; it stayed with its owner.
        Merged = "merged" ("Merged", "合并"),
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
                "the caller claimed fewer today than the pool's daily limit",
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
        Rule {
            action: OwnershipAction::Recycle,
            from: &[Ownership::Owned],
            to: Some(Ownership::Pool),
            who: Who::System,
            guards: &[
                "a recycle rule of its pool takes it and its owner was warned",
                "it is not locked, no contract is asked for or running, no approval is pending",
                "its drafted contracts are cancelled and its open opportunities are lost",
            ],
        },
        Rule {
            action: OwnershipAction::Transfer,
            from: &[Ownership::Owned],
            to: Some(Ownership::Owned),
            who: Who::System,
            guards: &[
                "a transfer was approved and the owner is still who it was, or an administrator hands over what \
                 a user owns",
                "the receiver is active, may own customers and is below the ownership limit",
            ],
        },
        Rule {
            action: OwnershipAction::Move,
            from: &[Ownership::Pool, Ownership::Owned],
            to: None,
            who: Who::Holder(Permission::PoolAssign),
            guards: &["the caller may assign from the other pool as well"],
        },
        Rule {
            action: OwnershipAction::Lock,
            from: &[Ownership::Owned],
            to: None,
            who: Who::Holder(Permission::PoolAssign),
            guards: &["it is not locked"],
        },
        Rule {
            action: OwnershipAction::Unlock,
            from: &[Ownership::Owned],
            to: None,
            who: Who::Holder(Permission::PoolAssign),
            guards: &["it is locked"],
        },
    ],
};

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
    pub reason: Option<Line>,
}

/// A line of a customer's ownership history.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OwnershipRecord {
    /// Its id.
    pub id: OwnershipChangeId,
    /// Whose ownership.
    pub customer_id: CustomerId,
    /// Of which customer it tells, if that one was merged into this one since.
    #[schema(required)]
    pub merged_from_id: Option<CustomerId>,
    /// From whom; none from the pool.
    #[schema(required)]
    pub from_id: Option<UserId>,
    /// To whom; none to the pool.
    #[schema(required)]
    pub to_id: Option<UserId>,
    /// Why.
    pub cause: OwnershipCause,
    /// Why, in words; of a merge, the name of the customer that went.
    #[schema(required)]
    pub reason: Option<Line>,
    /// The job that did it, if one did.
    #[schema(required)]
    pub job_id: Option<JobId>,
    /// Who did it; none when Fairlead did.
    #[schema(required)]
    pub actor_id: Option<UserId>,
    /// When.
    pub occurred_at: Timestamp,
}

/// What the ownership rules need to know about the user who would become owner; read under the lock of
/// that user's row.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnerLoad {
    /// How many customers they own.
    pub owned: i64,
    /// How many of them are locked.
    pub locked: i64,
    /// How many they claimed on this business day.
    pub claimed_today: i64,
}

/// What opening a pool customer needs to know about whoever opens it; read under the lock of their row.
#[derive(Debug, Clone, Copy, Default)]
pub struct PoolOpening {
    /// How many different ones they opened on this business day.
    pub opened_today: i64,
    /// Whether this one is among them.
    pub again: bool,
}

/// What a customer still has going on.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenBusiness {
    /// Open opportunities.
    pub opportunities: i64,
    /// Contracts that are neither finished nor cancelled.
    pub contracts: i64,
}

impl OpenBusiness {
    pub(super) fn check_none(self) -> Result<(), Refusal> {
        if self.opportunities + self.contracts == 0 {
            return Ok(());
        }
        let detail = "the customer has open opportunities or running contracts";
        Err(Refusal::new(Code::CustomerHasOpenBusiness, detail)
            .with("opportunities", self.opportunities)
            .with("contracts", self.contracts))
    }
}

impl OwnerLoad {
    /// How many count against the limit.
    pub fn counted(self, ctx: &Context) -> i64 {
        if ctx.org.settings.ownership.counts_locked { self.owned } else { self.owned - self.locked }
    }

    /// How many more customers the user may own.
    pub fn capacity(self, ctx: &Context, user: UserId) -> i64 {
        (ctx.org.ownership_limit(user) - self.counted(ctx)).max(0)
    }

    /// The load once the user owns so many more.
    #[must_use]
    pub fn with(self, more: i64) -> Self {
        Self { owned: self.owned + more, ..self }
    }

    /// Refuses a user who may not own one more.
    pub fn room(self, ctx: &Context, user: UserId) -> Result<(), Refusal> {
        if self.capacity(ctx, user) > 0 {
            return Ok(());
        }
        let (owned, limit) = (self.counted(ctx), ctx.org.ownership_limit(user));
        Err(Refusal::new(Code::OwnershipLimitReached, format!("{owned} of {limit} customers owned"))
            .with("owned", owned)
            .with("limit", limit))
    }
}

fn claimed() -> Refusal {
    Refusal::new(Code::AlreadyClaimed, "the customer has an owner")
}

impl Customer {
    /// The ownership's state.
    pub fn ownership(&self) -> Ownership {
        if self.owner_id.is_some() { Ownership::Owned } else { Ownership::Pool }
    }

    fn permit(&self, ctx: &Context, action: OwnershipAction) -> Result<Ownership, Refusal> {
        MACHINE.permit(ctx.actor, &self.standing(ctx), self.ownership(), action)
    }

    /// Opens it in the pool: whoever may not change pool customers opens only so many a day.
    pub fn open(&self, ctx: &Context, opening: PoolOpening) -> Result<(), Refusal> {
        let limit = self.rules(ctx).open_limit(&ctx.actor.roles);
        match limit {
            Some(limit) if !opening.again && opening.opened_today >= limit => {
                let detail = format!("{} of {limit} pool customers opened today", opening.opened_today);
                Err(Refusal::new(Code::DailyOpenLimitReached, detail)
                    .with("opened_today", opening.opened_today)
                    .with("limit", limit))
            }
            _ => Ok(()),
        }
    }

    /// Whether opening it counts: it is in the pool, and contact data there is masked for this caller.
    pub fn is_opened(&self, ctx: &Context) -> bool {
        self.owner_id.is_none() && self.may_update(ctx).is_err()
    }

    /// Takes it from the pool.
    pub fn claim(&mut self, ctx: &Context, load: OwnerLoad) -> Result<(OwnershipChange, Event), Refusal> {
        if self.reveal(ctx).is_err() {
            // Whoever lost the race still sees why, though the customer has left their sight. To whoever could
            // not have won, it does not exist.
            let pooled = Standing::Pooled(self.pool_id);
            let raced = self.owner_id.is_some()
                && ctx.actor.authorize(Permission::CustomersRead, &pooled).is_ok()
                && ctx.actor.authorize(Permission::PoolClaim, &pooled).is_ok();
            return Err(if raced { claimed() } else { Refusal::not_found() });
        }
        self.may_claim(ctx)?;
        self.claimed_within_limits(ctx, load)?;
        let change = self.move_to(ctx, Some(ctx.actor.id), OwnershipCause::Claimed, None);
        Ok((change, Event("customer.claimed")))
    }

    /// Whether the caller, who owns and claimed that much, may have one more.
    pub(super) fn claimed_within_limits(&self, ctx: &Context, load: OwnerLoad) -> Result<(), Refusal> {
        load.room(ctx, ctx.actor.id)?;
        let limit = self.rules(ctx).daily_claim_limit;
        if load.claimed_today < limit {
            return Ok(());
        }
        let detail = format!("{} of {limit} claims today", load.claimed_today);
        Err(Refusal::new(Code::DailyClaimLimitReached, detail)
            .with("claimed_today", load.claimed_today)
            .with("limit", limit))
    }

    /// May the caller claim it, whatever they own already? Whether they could have claimed it comes before whether
    /// somebody was faster.
    pub fn may_claim(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::PoolClaim, &Standing::Pooled(self.pool_id))?;
        if self.owner_id.is_some() {
            return Err(claimed());
        }
        self.permit(ctx, OwnershipAction::Claim)?;
        let cool_down = chrono::Duration::days(self.rules(ctx).cool_down_days);
        let until = self.pooled_at.map(|at| at.plus(cool_down)).filter(|until| ctx.now < *until);
        match until.filter(|_| self.previous_owner_id == Some(ctx.actor.id)) {
            Some(until) => {
                let detail = format!("the previous owner has to wait until {until}");
                Err(Refusal::new(Code::ClaimCoolDown, detail).with("until", until))
            }
            None => Ok(()),
        }
    }

    /// Whether a user may own customers, and receive them from the caller.
    pub fn may_receive(ctx: &Context, user: UserId, pointer: &str) -> Result<(), Refusal> {
        if ctx.org.user(user).is_none() {
            return Err(Refusal::unknown_reference(pointer));
        }
        eligible_owner(ctx, user, Permission::PoolClaim)?;
        ctx.authorize(Permission::PoolAssign, Some(user))
    }

    /// Who would receive it, judged before the receiver's load is read.
    pub fn may_assign(&self, ctx: &Context, to: UserId) -> Result<(), Refusal> {
        self.permit(ctx, OwnershipAction::Assign)?;
        Self::may_receive(ctx, to, "/owner_id")?;
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
        reason: Option<Line>,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        self.may_assign(ctx, to)?;
        load.room(ctx, to)?;
        Ok((self.move_to(ctx, Some(to), OwnershipCause::Assigned, reason), Event("customer.assigned")))
    }

    /// Gives it back to the pool.
    pub fn release(
        &mut self,
        ctx: &Context,
        open: OpenBusiness,
        reason: Line,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        self.permit(ctx, OwnershipAction::Release)?;
        open.check_none()?;
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

    /// Sends a neglected customer back to the pool; its open opportunities are lost before.
    pub fn recycle(
        &mut self,
        ctx: &Context,
        cause: RecycleCause,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        MACHINE.follow(self.ownership(), OwnershipAction::Recycle)?;
        let reason = Line::new(cause.as_str());
        Ok((self.move_to(ctx, None, OwnershipCause::Recycled, Some(reason)), Event("customer.recycled")))
    }

    /// Goes to another owner as was approved. Who receives it was judged before.
    pub fn transfer(
        &mut self,
        ctx: &Context,
        to: UserId,
        load: OwnerLoad,
        reason: Line,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        MACHINE.follow(self.ownership(), OwnershipAction::Transfer)?;
        load.room(ctx, to)?;
        let change = self.move_to(ctx, Some(to), OwnershipCause::Transferred, Some(reason));
        Ok((change, Event("customer.transferred")))
    }

    /// Leaves an owner who leaves: to a successor, or to the pool, where nothing may be going on.
    pub fn hand_over(
        &mut self,
        ctx: &Context,
        to: Option<(UserId, OwnerLoad)>,
        open: OpenBusiness,
        reason: Line,
    ) -> Result<(OwnershipChange, Event), Refusal> {
        if let Some((user, load)) = to {
            MACHINE.follow(self.ownership(), OwnershipAction::Transfer)?;
            load.room(ctx, user)?;
        } else {
            MACHINE.follow(self.ownership(), OwnershipAction::Release)?;
            open.check_none()?;
        }
        let change = self.move_to(ctx, to.map(|(user, _)| user), OwnershipCause::HandedOver, Some(reason));
        Ok((change, Event("customer.handed_over")))
    }

    /// Goes to another pool, or will go there once it has no owner.
    pub fn move_pool(&mut self, ctx: &Context, to: PoolId) -> Result<Event, Refusal> {
        self.permit(ctx, OwnershipAction::Move)?;
        if !ctx.org.knows_pool(to) {
            return Err(Refusal::unknown_reference("/pool_id"));
        }
        ctx.actor.authorize(Permission::PoolAssign, &Standing::Pooled(to))?;
        self.pool_id = to;
        Ok(Event("customer.moved_to_pool"))
    }

    pub(super) fn may_lock(&self, locked: bool) -> Result<(), Refusal> {
        if self.locked != locked {
            return Ok(());
        }
        let state = if locked { "locked" } else { "not locked" };
        Err(Refusal::new(Code::InvalidTransition, format!("the customer is {state}"))
            .with("locked", self.locked))
    }

    /// Keeps it from being recycled, or lets it be recycled again.
    pub fn lock(&mut self, ctx: &Context, locked: bool) -> Result<Event, Refusal> {
        self.permit(ctx, if locked { OwnershipAction::Lock } else { OwnershipAction::Unlock })?;
        self.may_lock(locked)?;
        self.locked = locked;
        if locked {
            self.recycle_on = None;
        }
        Ok(Event(if locked { "customer.locked" } else { "customer.unlocked" }))
    }

    fn move_to(
        &mut self,
        ctx: &Context,
        to: Option<UserId>,
        cause: OwnershipCause,
        reason: Option<Line>,
    ) -> OwnershipChange {
        let change =
            OwnershipChange { customer_id: self.id, from: self.owner_id, to, cause, reason: reason.clone() };
        if self.owner_id.is_some() {
            self.previous_owner_id = self.owner_id;
        }
        self.owner_id = to;
        self.owned_since = to.map(|_| ctx.now);
        self.pooled_at = if to.is_none() { Some(ctx.now) } else { None };
        self.pool_reason = if to.is_none() { reason } else { None };
        self.recycle_on = None;
        self.locked = false;
        change
    }
}
