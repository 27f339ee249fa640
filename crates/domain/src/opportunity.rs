//! Opportunities (商机): sales on their way through a pipeline.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Permission, Standing};
use crate::catalogue::{LineItem, lines_agree};
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::customer::{Customer, owned};
use crate::dependents::Dependents;
use crate::error::{self, Code, Refusal};
use crate::lead::{Source, eligible_owner};
use crate::pipeline::{Pipeline, RequiredField, Stage, StageKind};
use crate::record;
use crate::record::RecordKind;
use crate::search::SearchEntry;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    ContactId, ContractId, CustomerId, Line, Money, OpportunityId, PipelineId, Prose, StageId, Tags,
    Timestamp, UserId,
};
use crate::workflow::{Action, AllowedAction, Machine, Rule, Who};

text_enum! {
    /// Whether a sale goes on.
    pub enum OpportunityStatus {
        /// It goes on.
        Open = "open" ("Open", "进行中"),
        /// Its contract became active.
        Won = "won" ("Won", "赢单"),
        /// Given up.
        Lost = "lost" ("Lost", "输单"),
    }
}

text_enum! {
    /// What may happen to an opportunity.
    pub enum OpportunityAction {
        /// Move it to another open stage.
        Advance = "advance",
        /// Give it up.
        Lose = "lose",
        /// Take it up again.
        Reopen = "reopen",
        /// Its contract became active.
        Win = "win",
        /// Its contract was cancelled before it became active.
        Resume = "resume",
        /// It goes to another owner.
        Transfer = "transfer",
    }
}

text_enum! {
    /// How good a sale looks.
    pub enum OpportunityGrade {
        /// Very good.
        A = "A" ("Grade A", "A级"),
        /// Good.
        B = "B" ("Grade B", "B级"),
        /// Open.
        C = "C" ("Grade C", "C级"),
    }
}

text_enum! {
    /// Where a sale counts in the forecast.
    pub enum ForecastCategory {
        /// Possible.
        Pipeline = "pipeline" ("Pipeline", "有可能"),
        /// Likely, if all goes well.
        BestCase = "best_case" ("Best case", "最佳情况"),
        /// Promised.
        Commit = "commit" ("Commit", "承诺"),
        /// Not counted.
        Omitted = "omitted" ("Omitted", "不计入"),
    }
}

text_enum! {
    /// Why a sale was lost.
    pub enum LossReason {
        /// Too expensive.
        Price = "price" ("Price", "价格过高"),
        /// A competitor won.
        Competitor = "competitor" ("Competitor", "竞争对手胜出"),
        /// Something was missing.
        MissingFeature = "missing_feature" ("Missing feature", "功能不满足"),
        /// No money.
        NoBudget = "no_budget" ("No budget", "无预算"),
        /// No decision was made.
        NoDecision = "no_decision" ("No decision", "未作决定"),
        /// The wrong time.
        Timing = "timing" ("Timing", "时机不合适"),
        /// Its customer was neglected and went back to the pool.
        Neglected = "neglected" ("Neglected", "长期未跟进"),
        /// Anything else.
        Other = "other" ("Other", "其他"),
    }
}

/// The opportunity's state machine. Stages are configuration; these are the states around them.
pub static MACHINE: Machine<OpportunityStatus, OpportunityAction> = Machine {
    name: "opportunity",
    initial: &[OpportunityStatus::Open],
    states: OpportunityStatus::ALL,
    rules: &[
        Rule {
            action: OpportunityAction::Advance,
            from: &[OpportunityStatus::Open],
            to: None,
            who: Who::Holder(Permission::OpportunitiesAdvance),
            guards: &[
                "the stage is another open stage of the pipeline",
                "forward: the stage's required fields are filled",
                "forward, where the stage needs it: its approval was given",
                "no approval of another stage is pending",
                "no contract was made",
                "backward: a reason is given",
            ],
        },
        Rule {
            action: OpportunityAction::Lose,
            from: &[OpportunityStatus::Open],
            to: Some(OpportunityStatus::Lost),
            who: Who::Holder(Permission::OpportunitiesAdvance),
            guards: &["a reason is given", "no contract was made"],
        },
        Rule {
            action: OpportunityAction::Reopen,
            from: &[OpportunityStatus::Lost],
            to: Some(OpportunityStatus::Open),
            who: Who::Holder(Permission::OpportunitiesReopen),
            guards: &["the customer has an owner"],
        },
        Rule {
            action: OpportunityAction::Win,
            from: &[OpportunityStatus::Open],
            to: Some(OpportunityStatus::Won),
            who: Who::System,
            guards: &["its contract became active"],
        },
        Rule {
            action: OpportunityAction::Resume,
            from: &[OpportunityStatus::Open],
            to: None,
            who: Who::System,
            guards: &["its contract was cancelled before it became active"],
        },
        Rule {
            action: OpportunityAction::Transfer,
            from: &[OpportunityStatus::Open],
            to: None,
            who: Who::System,
            guards: &["a transfer was approved, or its owner leaves"],
        },
    ],
};

/// What one may say about an opportunity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "lines_add_up"))]
#[schema(example = json!({
    "name": "海川机械 20 seats",
    "customer_id": CustomerId::example(1),
    "amount": {"amount": "120000.00", "currency": "CNY"},
    "line_items": [
        {
            "product": "企业版年度订阅",
            "quantity": "20",
            "unit_price": {"amount": "5500.00", "currency": "CNY"},
            "discount": "0.1",
            "tax_rate": "0.06"
        },
        {
            "product": "实施服务",
            "quantity": "6",
            "unit_price": {"amount": "3500.00", "currency": "CNY"},
            "discount": "0",
            "tax_rate": "0.06"
        }
    ],
    "expected_close_on": "2027-03-31",
    "source": "referral",
    "grade": "A",
    "forecast_category": "best_case",
    "competitors": ["星图软件"],
    "note": "The board decides in the middle of March."
}))]
pub struct OpportunityDetails {
    /// In one line.
    #[validate(nested)]
    pub name: Line,
    /// The customer; cannot be changed.
    pub customer_id: CustomerId,
    /// The pipeline, the default one when absent; cannot be changed.
    #[serde(default)]
    pub pipeline_id: Option<PipelineId>,
    /// The contact to talk to.
    #[serde(default)]
    pub primary_contact_id: Option<ContactId>,
    /// What it is worth. With line items it is their sum.
    #[serde(default)]
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Option<Money>,
    /// What would be sold; may be empty. The contract begins with them.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    #[schema(max_items = 200)]
    pub line_items: Vec<LineItem>,
    /// When it should be won.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub expected_close_on: Option<chrono::NaiveDate>,
    /// Where it came from.
    #[serde(default)]
    pub source: Option<Source>,
    /// How good it looks.
    #[serde(default)]
    pub grade: Option<OpportunityGrade>,
    /// Where it counts in the forecast.
    #[serde(default = "pipeline_category")]
    pub forecast_category: ForecastCategory,
    /// Who else offers.
    #[serde(default)]
    #[validate(nested)]
    pub competitors: Tags,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
}

fn lines_add_up(details: &OpportunityDetails) -> Result<(), ValidationError> {
    lines_agree(&details.line_items, details.amount)
}

fn pipeline_category() -> ForecastCategory {
    ForecastCategory::Pipeline
}

/// An opportunity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Opportunity {
    /// Its id.
    pub id: OpportunityId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: OpportunityDetails,
    /// The owner.
    pub owner_id: UserId,
    /// Whether it goes on.
    pub status: OpportunityStatus,
    /// The stage of its pipeline.
    pub stage_id: StageId,
    /// The probability of winning, in percent: the stage's.
    #[schema(minimum = 0, maximum = 100)]
    pub probability: i64,
    /// When it entered the stage.
    pub stage_entered_at: Timestamp,
    /// The stage for which an approval is pending.
    #[schema(required)]
    pub pending_stage_id: Option<StageId>,
    /// The stage before the signing stage, to which it returns when the contract is cancelled.
    #[schema(required)]
    pub returns_to_stage_id: Option<StageId>,
    /// Why it was lost.
    #[schema(required)]
    pub loss_reason: Option<LossReason>,
    /// To whom it was lost.
    #[schema(required)]
    pub lost_to: Option<Line>,
    /// The contract that the signing stage made.
    #[schema(required)]
    pub contract_id: Option<ContractId>,
    /// When it was won or lost.
    #[schema(required)]
    pub closed_at: Option<Timestamp>,
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
record!(Opportunity, Opportunity, found by |opportunity| SearchEntry::new(opportunity.details.name.as_str()));

/// What follows from entering a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// Nothing else.
    Stage,
    /// A contract draft is to be made.
    Signing,
    /// It is not entered yet: an approval is to be asked for.
    Waits,
}

/// What other records say about what may be done with an opportunity.
#[derive(Debug, Clone, Default)]
pub struct OpportunityTies {
    /// Who owns its customer; nobody while that one is in the pool.
    pub customer_owner: Option<UserId>,
    /// How many transfers of it wait for their decision.
    pub pending_transfers: i64,
    /// What came of it or became it, was noted about it or asked about its stages.
    pub dependents: Dependents,
}

impl Opportunity {
    /// Records an opportunity of a customer; it belongs to the customer's owner.
    pub fn new(
        ctx: &Context,
        id: OpportunityId,
        customer: &Customer,
        pipeline: &Pipeline,
        form: Valid<OpportunityDetails>,
    ) -> Result<(Self, Event), Refusal> {
        // Whoever may not at all is told so, whoever owns the customer.
        ctx.actor.authorize_own(Permission::OpportunitiesUpdate)?;
        let owner = customer.owner()?;
        ctx.actor.authorize(Permission::OpportunitiesUpdate, &customer.standing(ctx))?;
        eligible_owner(ctx, owner, Permission::PoolClaim)?;
        let mut details = form.into_inner();
        details.pipeline_id = Some(pipeline.id);
        let stage_id = pipeline.first(StageKind::Open)?;
        let opportunity = Self {
            id,
            details,
            owner_id: owner,
            status: OpportunityStatus::Open,
            stage_id,
            probability: pipeline.stage(stage_id).map_or(0, |(_, stage)| stage.probability),
            stage_entered_at: ctx.now,
            pending_stage_id: None,
            returns_to_stage_id: None,
            loss_reason: None,
            lost_to: None,
            contract_id: None,
            closed_at: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((opportunity, Event("opportunity.created")))
    }

    /// An opportunity outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let seen = ctx.actor.authorize(Permission::OpportunitiesRead, &self.standing(ctx));
        seen.map_err(|_| Refusal::not_found())
    }

    /// Where it stands: with its owner, and with whom its customer is shared.
    fn standing(&self, ctx: &Context) -> Standing {
        ctx.org.owned(self.owner_id, Some(self.details.customer_id))
    }

    fn permit(&self, ctx: &Context, action: OpportunityAction) -> Result<OpportunityStatus, Refusal> {
        MACHINE.permit(ctx.actor, &self.standing(ctx), self.status, action)
    }

    /// May it be changed by hand? While it goes on.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        self.goes_on(ctx, Action::Update, "changed")
    }

    /// Refuses what is done by hand to an opportunity only while it goes on.
    fn goes_on(&self, ctx: &Context, action: Action, done: &str) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::OpportunitiesUpdate, &self.standing(ctx))?;
        self.nothing_pending()?;
        if self.status == OpportunityStatus::Open {
            return Ok(());
        }
        let detail = format!("an opportunity that is {} cannot be {done}", self.status);
        Err(Refusal::new(Code::InvalidTransition, detail)
            .with("record_kind", RecordKind::Opportunity)
            .with("from", self.status)
            .with("action", action))
    }

    /// May it be deleted? While no contract came from it, not even one that was cancelled, no lead became it, no activity
    /// is about it, and nobody was ever asked to let it into a stage.
    pub fn may_delete(&self, ctx: &Context, ties: &OpportunityTies) -> Result<(), Refusal> {
        self.goes_on(ctx, Action::Delete, "deleted")?;
        // A collaborator works with it, but it is not theirs.
        ctx.authorize(Permission::OpportunitiesUpdate, Some(self.owner_id))?;
        self.no_contract()?;
        crate::transfer::check_none_pending(self.id.0, ties.pending_transfers)?;
        ties.dependents.check_none()
    }

    /// Refuses to touch what somebody is asked to approve.
    fn nothing_pending(&self) -> Result<(), Refusal> {
        match self.pending_stage_id {
            None => Ok(()),
            Some(stage) => Err(Refusal::new(
                Code::PendingApproval,
                "an approval of its next stage is pending; withdraw it first",
            )
            .with("stage_id", stage)),
        }
    }

    /// Refuses to move by hand what an approver or the contract decides.
    fn undecided(&self) -> Result<(), Refusal> {
        self.nothing_pending()?;
        self.no_contract()
    }

    fn no_contract(&self) -> Result<(), Refusal> {
        match self.contract_id {
            None => Ok(()),
            Some(contract) => {
                Err(Refusal::new(Code::ContractDecides, "its contract decides; cancel the contract first")
                    .with("contract_id", contract))
            }
        }
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<OpportunityDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        unchanged("/customer_id", &self.details.customer_id, &form.customer_id)?;
        unchanged("/pipeline_id", &self.details.pipeline_id, &form.pipeline_id)?;
        self.details = form.into_inner();
        Ok(Event("opportunity.updated"))
    }

    /// Moves it to another open stage.
    pub fn advance(
        &mut self,
        ctx: &Context,
        pipeline: &Pipeline,
        to: StageId,
        reason: Option<&Line>,
    ) -> Result<(Entered, Event), Refusal> {
        self.permit(ctx, OpportunityAction::Advance)?;
        self.nothing_pending()?;
        let (target, stage) = pipeline.stage(to).ok_or_else(|| Refusal::unknown_reference("/stage_id"))?;
        let (present, _) = pipeline
            .stage(self.stage_id)
            .ok_or_else(|| Refusal::new(Code::Internal, "the opportunity's stage is not in its pipeline"))?;
        if stage.kind != StageKind::Open || target == present {
            let why = "must be another open stage; a sale is won by its contract and lost by `lose`";
            return Err(Refusal::invalid("/stage_id", error::Rule::NotAnOpenStage, why));
        }
        self.no_contract()?;
        if target < present {
            if reason.is_none() {
                return Err(Refusal::new(
                    Code::ReasonRequired,
                    "going back to a former stage needs a reason",
                ));
            }
        } else {
            self.requirements(stage)?;
            // Who goes past a gate goes through it.
            if pipeline.details.stages[present + 1..=target].iter().any(|stage| stage.needs_approval) {
                self.pending_stage_id = Some(to);
                return Ok((Entered::Waits, Event("opportunity.stage_requested")));
            }
        }
        Ok(self.go_to(ctx, to, stage))
    }

    /// The last approver agreed: it enters the stage for which approval was asked.
    pub fn pass_gate(&mut self, ctx: &Context, pipeline: &Pipeline) -> Result<(Entered, Event), Refusal> {
        MACHINE.follow(self.status, OpportunityAction::Advance)?;
        let waits = || Refusal::new(Code::Internal, "the opportunity waits for no stage of its pipeline");
        let to = self.pending_stage_id.take().ok_or_else(waits)?;
        let (_, stage) = pipeline.stage(to).ok_or_else(waits)?;
        Ok(self.go_to(ctx, to, stage))
    }

    /// It stays where it is: an approver did not agree, or the question was taken back.
    pub fn stay(&mut self) -> Event {
        self.pending_stage_id = None;
        Event("opportunity.stage_refused")
    }

    fn go_to(&mut self, ctx: &Context, to: StageId, stage: &Stage) -> (Entered, Event) {
        let from = self.stage_id;
        self.enter(ctx, to, stage);
        if stage.starts_contract && self.contract_id.is_none() {
            self.returns_to_stage_id = Some(from);
            return (Entered::Signing, Event("opportunity.advanced"));
        }
        (Entered::Stage, Event("opportunity.advanced"))
    }

    /// Notes the contract draft that the signing stage made.
    pub fn bind_contract(&mut self, contract: ContractId) {
        self.contract_id = Some(contract);
    }

    fn requirements(&self, stage: &Stage) -> Result<(), Refusal> {
        let details = &self.details;
        let filled = |field: &RequiredField| match field {
            RequiredField::Amount => details.amount.is_some(),
            RequiredField::ExpectedCloseOn => details.expected_close_on.is_some(),
            RequiredField::PrimaryContact => details.primary_contact_id.is_some(),
            RequiredField::Grade => details.grade.is_some(),
            RequiredField::Competitors => !details.competitors.0.is_empty(),
        };
        // A contract draft without an amount could not be made.
        let signing = stage.starts_contract.then_some(&RequiredField::Amount);
        let mut missing: Vec<&RequiredField> =
            stage.required_fields.iter().chain(signing).filter(|field| !filled(field)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(Code::StageRequirementsMissing, format!("the stage {} needs more", stage.name))
            .with("missing", missing))
    }

    fn enter(&mut self, ctx: &Context, id: StageId, stage: &Stage) {
        self.stage_id = id;
        self.probability = stage.probability;
        self.stage_entered_at = ctx.now;
    }

    /// Gives it up.
    pub fn lose(
        &mut self,
        ctx: &Context,
        pipeline: &Pipeline,
        reason: LossReason,
        lost_to: Option<Line>,
    ) -> Result<Event, Refusal> {
        let status = self.permit(ctx, OpportunityAction::Lose)?;
        self.undecided()?;
        self.close(ctx, pipeline, status, StageKind::Lost)?;
        self.loss_reason = Some(reason);
        self.lost_to = lost_to;
        Ok(Event("opportunity.lost"))
    }

    /// Is lost because its customer goes back to the pool.
    pub fn lapse(&mut self, ctx: &Context, pipeline: &Pipeline) -> Result<Event, Refusal> {
        let status = MACHINE.follow(self.status, OpportunityAction::Lose)?;
        self.no_contract()?;
        self.close(ctx, pipeline, status, StageKind::Lost)?;
        self.loss_reason = Some(LossReason::Neglected);
        Ok(Event("opportunity.lost"))
    }

    fn close(
        &mut self,
        ctx: &Context,
        pipeline: &Pipeline,
        status: OpportunityStatus,
        kind: StageKind,
    ) -> Result<(), Refusal> {
        let id = pipeline.first(kind)?;
        if let Some((_, stage)) = pipeline.stage(id) {
            self.enter(ctx, id, stage);
        }
        self.status = status;
        self.closed_at = Some(ctx.now);
        Ok(())
    }

    /// Who would own it if it were taken up again.
    fn taken_up_by(&self, ctx: &Context, customer_owner: Option<UserId>) -> Result<UserId, Refusal> {
        let customers = owned(customer_owner)?;
        // Whoever lost it may have left.
        let owner = if ctx.org.actor(self.owner_id).is_some() { self.owner_id } else { customers };
        eligible_owner(ctx, owner, Permission::PoolClaim)?;
        Ok(owner)
    }

    /// Takes it up again, from the first stage. Nobody sells to a customer in the pool.
    pub fn reopen(
        &mut self,
        ctx: &Context,
        pipeline: &Pipeline,
        customer: &Customer,
    ) -> Result<Event, Refusal> {
        let status = self.permit(ctx, OpportunityAction::Reopen)?;
        self.owner_id = self.taken_up_by(ctx, customer.owner_id)?;
        self.close(ctx, pipeline, status, StageKind::Open)?;
        self.closed_at = None;
        self.loss_reason = None;
        self.lost_to = None;
        Ok(Event("opportunity.reopened"))
    }

    /// Goes to another owner, as was approved or because its owner leaves.
    pub fn transfer(&mut self, to: UserId) -> Result<Event, Refusal> {
        self.nothing_pending()?;
        MACHINE.follow(self.status, OpportunityAction::Transfer)?;
        self.owner_id = to;
        Ok(Event("opportunity.transferred"))
    }

    /// Its contract became active.
    pub fn win(&mut self, ctx: &Context, pipeline: &Pipeline) -> Result<Event, Refusal> {
        let status = MACHINE.follow(self.status, OpportunityAction::Win)?;
        self.close(ctx, pipeline, status, StageKind::Won)?;
        Ok(Event("opportunity.won"))
    }

    /// Its contract was cancelled before it became active.
    pub fn return_from_signing(&mut self, ctx: &Context, pipeline: &Pipeline) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, OpportunityAction::Resume)?;
        self.contract_id = None;
        let back = self.returns_to_stage_id.take();
        let first = pipeline.first(StageKind::Open)?;
        if let Some((id, (_, stage))) =
            back.or(Some(first)).and_then(|id| pipeline.stage(id).map(|found| (id, found)))
        {
            self.enter(ctx, id, stage);
        }
        Ok(Event("opportunity.returned"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &OpportunityTies) -> Vec<AllowedAction> {
        let standing = self.standing(ctx);
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.status, |action| match action {
            OpportunityAction::Advance | OpportunityAction::Lose => self.undecided(),
            OpportunityAction::Reopen => self.taken_up_by(ctx, ties.customer_owner).map(|_| ()),
            OpportunityAction::Win | OpportunityAction::Resume | OpportunityAction::Transfer => Ok(()),
        });
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions.push(AllowedAction::judge("delete", self.may_delete(ctx, ties)));
        actions
    }
}
