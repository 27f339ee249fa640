//! Pipelines: the stages of a sale, as configuration.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::dependents::Dependents;
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{Line, PipelineId, StageId, Timestamp};
use crate::workflow::AllowedAction;

text_enum! {
    /// What a stage means.
    pub enum StageKind {
        /// The sale goes on.
        Open = "open" ("Open", "进行中"),
        /// The sale is won.
        Won = "won" ("Won", "赢单"),
        /// The sale is lost.
        Lost = "lost" ("Lost", "输单"),
    }
}

text_enum! {
    /// A member of an opportunity that a stage may require.
    pub enum RequiredField {
        /// The amount.
        Amount = "amount" ("Amount", "金额"),
        /// The expected close date.
        ExpectedCloseOn = "expected_close_on" ("Expected close date", "预计成交日期"),
        /// The primary contact.
        PrimaryContact = "primary_contact_id" ("Primary contact", "主要联系人"),
        /// The grade.
        Grade = "grade" ("Grade", "等级"),
        /// The competitors.
        Competitors = "competitors" ("Competitors", "竞争对手"),
    }
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its id; made by Fairlead when absent.
    #[serde(default)]
    pub id: Option<StageId>,
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// The probability of winning, in percent.
    #[validate(range(min = 0, max = 100, message = "must be from 0 to 100"))]
    #[schema(minimum = 0, maximum = 100)]
    pub probability: i64,
    /// What it means.
    pub kind: StageKind,
    /// Whether entering it makes the contract draft.
    #[serde(default)]
    pub starts_contract: bool,
    /// Whether entering it, or going past it, takes an approval, by the flow `stage_gate`. Only an open stage that
    /// another one comes before can.
    #[serde(default)]
    pub needs_approval: bool,
    /// What an opportunity must have before it enters.
    #[serde(default)]
    #[validate(length(max = 5))]
    #[schema(max_items = 5)]
    pub required_fields: Vec<RequiredField>,
    /// After how many days in it an opportunity counts as neglected.
    #[serde(default)]
    #[validate(range(min = 1, max = 3650, message = "must be from 1 to 3650"))]
    #[schema(minimum = 1, maximum = 3650)]
    pub max_days: Option<i64>,
}

/// What one may say about a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Direct sales",
    "is_default": false,
    "stages": [
        {"name": "需求确认", "probability": 10, "kind": "open", "max_days": 14},
        {"name": "方案报价", "probability": 40, "kind": "open", "required_fields": ["amount"], "max_days": 30},
        {"name": "商务谈判", "probability": 60, "kind": "open", "required_fields": ["amount", "expected_close_on"]},
        {"name": "签约", "probability": 90, "kind": "open", "starts_contract": true, "required_fields": ["amount"]},
        {"name": "赢单", "probability": 100, "kind": "won"},
        {"name": "输单", "probability": 0, "kind": "lost"}
    ]
}))]
pub struct PipelineDetails {
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// Whether new opportunities get it when they name none; exactly one pipeline is the default.
    #[serde(default)]
    pub is_default: bool,
    /// The stages in order: the open ones, then one won and one lost.
    #[validate(length(min = 3, max = 30), custom(function = "stages_make_sense"), nested)]
    #[schema(min_items = 3, max_items = 30)]
    pub stages: Vec<Stage>,
}

fn stages_make_sense(stages: &[Stage]) -> Result<(), ValidationError> {
    let count = |kind| stages.iter().filter(|stage| stage.kind == kind).count();
    let error = |rule: Rule, message: &'static str| Err(rule.error(message));
    if count(StageKind::Won) != 1 || count(StageKind::Lost) != 1 {
        return error(Rule::EndStages, "must have exactly one won and one lost stage");
    }
    if !stages.is_sorted_by_key(|stage| stage.kind) || stages[0].kind != StageKind::Open {
        return error(Rule::StageOrder, "open stages come first, then the won and the lost one");
    }
    let signing: Vec<usize> =
        stages.iter().enumerate().filter(|(_, stage)| stage.starts_contract).map(|(at, _)| at).collect();
    if signing.iter().any(|at| *at + 1 != count(StageKind::Open)) {
        return error(Rule::SigningStage, "only the last open stage may start the contract");
    }
    let gates = stages.iter().enumerate().filter(|(_, stage)| stage.needs_approval);
    if gates.map(|(at, _)| at).any(|at| at == 0 || at >= count(StageKind::Open)) {
        return error(Rule::Gate, "only an open stage that another one comes before can need an approval");
    }
    let ids: Vec<StageId> = stages.iter().filter_map(|stage| stage.id).collect();
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        return error(Rule::Distinct, "stage ids must differ");
    }
    Ok(())
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: PipelineDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Pipeline, Pipeline);

impl Pipeline {
    /// May the caller configure pipelines?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::SettingsManage, &Standing::Organisation)
    }

    /// Records a pipeline; stages without id get one.
    pub fn new(
        ctx: &Context,
        id: PipelineId,
        form: Valid<PipelineDetails>,
        new_id: impl FnMut() -> StageId,
    ) -> Result<(Self, Event), Refusal> {
        Self::may_manage(ctx)?;
        if let Some(at) = form.stages.iter().position(|stage| stage.id.is_some()) {
            let pointer = format!("/stages/{at}/id");
            return Err(Refusal::invalid(
                &pointer,
                Rule::UnknownStage,
                "a new pipeline's stages have no id yet",
            ));
        }
        let mut pipeline =
            Self { id, details: form.into_inner(), version: 1, created_at: ctx.now, updated_at: ctx.now };
        pipeline.name_stages(new_id);
        Ok((pipeline, Event("pipeline.created")))
    }

    /// May it be deleted? New opportunities need the default one, and those of its own need it.
    pub fn may_delete(&self, ctx: &Context, dependents: &Dependents) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        if self.details.is_default {
            return Err(Refusal::new(Code::InUse, "make another pipeline the default first"));
        }
        dependents.check_none()
    }

    /// Changes it. A stage in use cannot be taken away or change its meaning, and the default pipeline stays the
    /// default until another one takes its place.
    pub fn edit(
        &mut self,
        ctx: &Context,
        form: Valid<PipelineDetails>,
        in_use: &[StageId],
        new_id: impl FnMut() -> StageId,
    ) -> Result<Event, Refusal> {
        Self::may_manage(ctx)?;
        if self.details.is_default && !form.is_default {
            let why = "make another pipeline the default instead";
            return Err(Refusal::invalid("/is_default", Rule::DefaultNeeded, why));
        }
        for (at, stage) in form.stages.iter().enumerate() {
            if stage.id.is_some_and(|id| self.stage(id).is_none()) {
                let pointer = format!("/stages/{at}/id");
                return Err(Refusal::invalid(
                    &pointer,
                    Rule::UnknownStage,
                    "this pipeline has no such stage",
                ));
            }
        }
        for stage in &self.details.stages {
            let Some(id) = stage.id.filter(|id| in_use.contains(id)) else { continue };
            let kept = form.stages.iter().find(|other| other.id == Some(id));
            if kept.is_none_or(|other| other.kind != stage.kind) {
                return Err(Refusal::new(
                    Code::InUse,
                    format!("opportunities are in the stage {}", stage.name),
                )
                .with("stage_id", id));
            }
        }
        self.details = form.into_inner();
        self.name_stages(new_id);
        Ok(Event("pipeline.updated"))
    }

    fn name_stages(&mut self, mut new_id: impl FnMut() -> StageId) {
        for stage in &mut self.details.stages {
            stage.id.get_or_insert_with(&mut new_id);
        }
    }

    /// A stage and its place.
    pub fn stage(&self, id: StageId) -> Option<(usize, &Stage)> {
        self.details.stages.iter().enumerate().find(|(_, stage)| stage.id == Some(id))
    }

    /// The id of the first stage of a kind; each kind has one.
    pub fn first(&self, kind: StageKind) -> Result<StageId, Refusal> {
        self.details
            .stages
            .iter()
            .find(|stage| stage.kind == kind)
            .and_then(|stage| stage.id)
            .ok_or_else(|| Refusal::new(Code::Internal, "a pipeline without this kind of stage"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, dependents: &Dependents) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", Self::may_manage(ctx)),
            AllowedAction::judge("delete", self.may_delete(ctx, dependents)),
        ]
    }
}
