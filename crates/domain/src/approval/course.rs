//! The course of a request: who decides it when, and what else happens to it.

use chrono::Duration;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    Approval, ApprovalAction, ApprovalFlow, ApprovalStatus, ApprovalSubject, ApproverRule, Decision, MACHINE,
    Step, StepDecision, StepMode, SubjectFacts, TrailEntry, TrailKind, matching, may_take_back, sees_any,
};
use crate::access::{Actor, RoleKey, Standing};
use crate::context::{Context, Event};
use crate::customer_change;
use crate::error::{Code, Refusal, Rule};
use crate::organisation::Organisation;
use crate::record::RecordKind;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{ApprovalId, CustomerId, Line, Prose, Timestamp, UserId};
use crate::workflow::AllowedAction;

/// What a decision leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// This step waits for others as well, or the next one waits.
    Next,
    /// That was the last step: the subject goes on.
    Approved,
    /// The subject goes back to its draft.
    Rejected,
}

text_enum! {
    /// Where a step is added.
    pub enum Place {
        /// Before the present step, which then waits again.
        Before = "before" ("Before the present step", "当前步骤之前"),
        /// After the present step.
        After = "after" ("After the present step", "当前步骤之后"),
    }
}

/// One more person who is to agree.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "user_id": UserId::example(4),
    "place": "after",
    "comment": "Somebody who knows the customer should agree too."
}))]
pub struct AddStepForm {
    /// Who: somebody of `/people`.
    pub user_id: UserId,
    /// Before or after the present step.
    pub place: Place,
    /// Why.
    #[serde(default)]
    #[validate(nested)]
    pub comment: Option<Prose>,
}

/// What the subject of a request says about what may be done with it. Read beside a request that the caller could decide.
#[derive(Debug, Clone, Default)]
pub struct ApprovalTies {
    /// The version that the subject has now; none where nobody looked.
    pub subject_version: Option<i64>,
    /// Why the subject would not go on if the caller agreed now; asked where that is the last agreement.
    pub obstacle: Option<Refusal>,
}

/// To which step a request goes back.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "step": 0,
    "comment": "Please look at the discount of the second line again."
}))]
pub struct ReturnForm {
    /// The place of the step, from 0; it and those after it are decided anew.
    #[validate(range(min = 0, max = 19, message = "must be from 0 to 19"))]
    #[schema(minimum = 0, maximum = 19)]
    pub step: i64,
    /// Why.
    #[validate(nested)]
    pub comment: Prose,
}

impl Approval {
    /// The most steps, those that were added included.
    pub const MOST_STEPS: usize = 20;
    /// The most entries of the trail.
    pub const MOST_ENTRIES: usize = 500;
    /// How long after a reminder the next one may be.
    pub const REMINDER_HOURS: i64 = 1;

    /// Asks for approval in the caller's name. Of the flow's steps those count whose condition holds. Refuses when
    /// they could not be decided by different active persons, none of whom asks, owns the subject or would receive
    /// it.
    pub fn request(
        ctx: &Context,
        id: ApprovalId,
        flow: &ApprovalFlow,
        subject: SubjectFacts,
    ) -> Result<(Self, Event), Refusal> {
        let wanted = flow.details.steps.iter().filter(|step| step.is_wanted(&subject));
        let steps: Vec<Step> = wanted
            .map(|step| Step {
                name: step.name.clone(),
                rule: step.rule.clone(),
                mode: step.mode,
                added_by: None,
                decisions: Vec::new(),
            })
            .collect();
        let approval = Self {
            id,
            subject_kind: subject.kind,
            subject_id: subject.id,
            subject_number: subject.number,
            subject_version: subject.version,
            amount: subject.amount,
            requester_id: ctx.actor.id,
            owner_id: Some(subject.owner_id),
            beneficiary_id: subject.beneficiary_id,
            customer_id: subject.customer_id,
            flow_version: flow.version,
            waiting_for: steps.first().map(|step| step.rule.clone()),
            waiting_since: ctx.now,
            reminded_at: None,
            trail: Vec::new(),
            steps,
            step: 0,
            status: ApprovalStatus::Pending,
            decided_at: None,
            snapshot: subject.snapshot,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        if approval.steps.is_empty() {
            return Err(Refusal::new(Code::NoEligibleApprover, "the approval flow has no steps"));
        }
        approval.decidable(ctx.org)?;
        Ok((approval, Event("approval.requested")))
    }

    /// Whether somebody could be asked: what [`Self::request`] judges, while nobody is asked.
    pub fn check_request(ctx: &Context, subject: SubjectFacts) -> Result<(), Refusal> {
        // Nothing is kept of this request, so that it needs no id of its own.
        let id = ApprovalId(subject.id);
        Self::request(ctx, id, ctx.org.flow(subject.kind)?, subject).map(drop)
    }

    /// Refuses when the present step and those after it could not be decided by different persons.
    fn decidable(&self, org: &Organisation) -> Result<(), Refusal> {
        let actors = org.active_actors();
        let candidates: Vec<(StepMode, Vec<UserId>)> = self
            .steps
            .iter()
            .skip(self.present())
            .map(|step| {
                let can = |actor: &&std::sync::Arc<Actor>| {
                    self.is_free(actor.id) && self.eligible(org, actor, step)
                };
                (step.mode, actors.iter().filter(can).map(|actor| actor.id).collect())
            })
            .collect();
        let Some(at) = matching::undecidable(&candidates) else { return Ok(()) };
        let name = self.steps.get(self.present() + at).map(|step| &step.name);
        let detail = match name {
            Some(name) => format!("nobody else could decide the step {name}"),
            None => "nobody could decide".to_owned(),
        };
        Err(Refusal::new(Code::NoEligibleApprover, detail).with("step", name))
    }

    /// Whoever decides a step is named by it and may see what they decide about.
    fn eligible(&self, org: &Organisation, actor: &Actor, step: &Step) -> bool {
        let standing = self.standing(org);
        actor.authorize(self.subject_kind.read(), &standing).is_ok()
            && step.rule.names(org, actor, self.subject_kind, &standing)
    }

    /// Where its subject stands: with its owner, and with whom its customer is shared.
    fn standing(&self, org: &Organisation) -> Standing {
        org.standing_with(self.owner_id, self.customer_id)
    }

    /// Its subject has another owner now, or none: the request goes along, to be seen by whoever sees the subject.
    pub fn belong_to(&mut self, owner: Option<UserId>) -> Event {
        self.owner_id = owner;
        Event("approval.transferred")
    }

    /// Its customer was merged into another one. What was asked about the customer itself is with the owner of that one
    /// now; all else has owners of its own.
    pub fn goes_with_customer(&mut self, customer: CustomerId, owner: Option<UserId>) {
        self.customer_id = Some(customer);
        if self.subject_kind == ApprovalSubject::CustomerChange {
            self.owner_id = owner;
        }
    }

    /// Why this person must not decide, whatever their roles.
    pub(super) fn involved(&self, user: UserId) -> Option<&'static str> {
        if user == self.requester_id {
            Some("nobody decides what they asked for")
        } else if Some(user) == self.owner_id {
            Some("nobody decides about what they own")
        } else if Some(user) == self.beneficiary_id {
            Some("nobody decides about what they would receive")
        } else {
            None
        }
    }

    /// Whether this person has nothing to do with it and decided nothing yet.
    fn is_free(&self, user: UserId) -> bool {
        self.involved(user).is_none() && !self.decided_by(user)
    }

    /// For whose agreement the present step waits: those whom it names, not those to whom they delegated.
    pub fn approvers(&self, org: &Organisation) -> Vec<UserId> {
        let Some(step) = self.present_step() else { return Vec::new() };
        let actors = org.active_actors();
        let can = actors.iter().filter(|actor| self.is_free(actor.id) && self.eligible(org, actor, step));
        can.map(|actor| actor.id).collect()
    }

    /// Who can decide the present step: the approvers and whoever decides for them at this time.
    pub fn deciders(&self, org: &Organisation, now: Timestamp) -> Vec<UserId> {
        let mut deciders = self.approvers(org);
        for approver in deciders.clone() {
            deciders
                .extend(org.delegates(approver, now, self.subject_kind).filter(|user| self.is_free(*user)));
        }
        deciders.sort_unstable();
        deciders.dedup();
        deciders
    }

    /// Who decided a step, and for whom somebody did so.
    pub fn those_who_decided(&self) -> impl Iterator<Item = UserId> {
        let decisions = self.steps.iter().flat_map(|step| &step.decisions);
        decisions.flat_map(|decision| [Some(decision.by), decision.on_behalf_of]).flatten()
    }

    /// Whether this person decided a step, or somebody did so for them.
    pub(super) fn decided_by(&self, user: UserId) -> bool {
        self.those_who_decided().any(|person| person == user)
    }

    fn present(&self) -> usize {
        usize::try_from(self.step).unwrap_or(usize::MAX)
    }

    fn present_step(&self) -> Option<&Step> {
        self.steps.get(self.present()).filter(|_| self.status == ApprovalStatus::Pending)
    }

    /// A request is visible to whoever may see its subject, to whoever can decide it for somebody else now, and to
    /// whoever decided it, while they see requests at all.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let seen = ctx.actor.authorize(self.subject_kind.read(), &self.standing(ctx.org)).is_ok()
            || (self.decided_by(ctx.actor.id) && sees_any(ctx))
            || self.may_decide(ctx).is_ok();
        if seen { Ok(()) } else { Err(Refusal::not_found()) }
    }

    /// What this caller may see of it: of a change of a customer the contact data as that of the customer itself, wherever
    /// it went since. Whoever can decide it now, for somebody else as well, sees what they decide about.
    #[must_use]
    pub fn seen_by(mut self, ctx: &Context) -> Self {
        let shown = self.subject_kind != ApprovalSubject::CustomerChange
            || customer_change::shows_contact_data(ctx, self.owner_id, self.customer_id)
            || self.may_decide(ctx).is_ok();
        if !shown {
            customer_change::mask_snapshot(&mut self.snapshot);
        }
        self
    }

    /// May the caller decide the present step? First whether the step names them or somebody for whom they decide,
    /// then the separation of duties, then the state. Whoever no step names learns nothing about the state.
    pub fn may_decide(&self, ctx: &Context) -> Result<(), Refusal> {
        self.authority(ctx).map(|_| ())
    }

    /// Whether somebody with this role decides the present step, or one after it.
    pub fn waits_for_role(&self, role: &RoleKey) -> bool {
        let named = |step: &Step| matches!(&step.rule, ApproverRule::Role(named) if named == role);
        self.status == ApprovalStatus::Pending && self.steps.iter().skip(self.present()).any(named)
    }

    /// In whose name the caller decides the present step: their own, where it names them.
    fn authority(&self, ctx: &Context) -> Result<UserId, Refusal> {
        let me = ctx.actor.id;
        let pending = self.status == ApprovalStatus::Pending;
        let is_named = |actor: &Actor| {
            let mut steps = self.steps.iter().enumerate();
            steps.any(|(at, step)| (!pending || at == self.present()) && self.eligible(ctx.org, actor, step))
        };
        let mut named = Vec::new();
        if is_named(ctx.actor) {
            named.push(me);
        }
        let principals = ctx.org.principals(me, ctx.now, self.subject_kind);
        named.extend(principals.iter().filter(|actor| is_named(actor)).map(|actor| actor.id));
        if named.is_empty() {
            return Err(Refusal::new(Code::Forbidden, "the present step is decided by others")
                .with("waiting_for", &self.waiting_for));
        }
        if let Some(why) = self.involved(me) {
            return Err(Refusal::new(Code::SeparationOfDuties, why));
        }
        if !pending {
            return Err(self.already_decided());
        }
        if self.decided_by(me) {
            return Err(Refusal::new(Code::SeparationOfDuties, "nobody decides two steps of one request"));
        }
        let free = named.into_iter().find(|user| self.is_free(*user));
        free.ok_or_else(|| {
            let why = "nobody decides for somebody who must not decide it themselves";
            Refusal::new(Code::SeparationOfDuties, why)
        })
    }

    fn already_decided(&self) -> Refusal {
        Refusal::new(Code::AlreadyDecided, format!("the request is {}", self.status))
            .with("approval_status", self.status)
    }

    /// A decision binds to the version of the subject that was reviewed.
    pub fn check_version(&self, present: i64) -> Result<(), Refusal> {
        if present == self.subject_version {
            return Ok(());
        }
        Err(Refusal::new(Code::StaleApproval, "the record changed after the approval was asked for")
            .with("reviewed_version", self.subject_version)
            .with("present_version", present))
    }

    /// Decides the present step.
    pub fn decide(
        &mut self,
        ctx: &Context,
        outcome: Decision,
        comment: Option<Prose>,
    ) -> Result<(Progress, StepDecision, Event), Refusal> {
        let person = self.authority(ctx)?;
        if outcome == Decision::Rejected && comment.is_none() {
            return Err(Refusal::new(Code::CommentRequired, "say why you do not agree"));
        }
        let at = self.present();
        let Some(step) = self.steps.get_mut(at) else {
            return Err(Refusal::new(Code::Internal, "the request has no present step"));
        };
        let on_behalf_of = (person != ctx.actor.id).then_some(person);
        let decision = StepDecision { outcome, by: ctx.actor.id, on_behalf_of, at: ctx.now, comment };
        step.decisions.push(decision.clone());
        let for_each = step.mode == StepMode::All;
        if outcome == Decision::Rejected {
            self.end(ctx, ApprovalAction::Reject)?;
            return Ok((Progress::Rejected, decision, Event("approval.rejected")));
        }
        if for_each && !self.approvers(ctx.org).is_empty() {
            return Ok((Progress::Next, decision, Event("approval.agreed")));
        }
        let (progress, event) = self.step_passed(ctx)?;
        Ok((progress, decision, event))
    }

    /// What it would lead to if the caller agreed now; nothing where they may not.
    pub fn would_lead_to(&self, ctx: &Context) -> Option<Progress> {
        self.clone().decide(ctx, Decision::Approved, None).ok().map(|(progress, ..)| progress)
    }

    /// The present step is decided: the next one waits, or the request is approved.
    fn step_passed(&mut self, ctx: &Context) -> Result<(Progress, Event), Refusal> {
        let next = self.present() + 1;
        if next < self.steps.len() {
            self.go_to(ctx, next);
            return Ok((Progress::Next, Event("approval.step_approved")));
        }
        self.end(ctx, ApprovalAction::Approve)?;
        Ok((Progress::Approved, Event("approval.approved")))
    }

    /// Whether it waits for nobody: each of those who are left of whom the present step names agreed. Somebody left, or
    /// has other duties now, after the others had agreed.
    pub fn is_through(&self, org: &Organisation) -> bool {
        let Some(step) = self.present_step() else { return false };
        step.mode == StepMode::All && !step.decisions.is_empty() && self.approvers(org).is_empty()
    }

    /// Everybody agreed who is left, and what was asked about cannot be done any more: nobody could say so but Fairlead.
    pub fn give_up(&mut self, ctx: &Context, why: &str) -> Result<Option<Event>, Refusal> {
        if !self.is_through(ctx.org) {
            return Ok(None);
        }
        // Where the trail is full, it still ends.
        let _ = self.enter(ctx, TrailKind::Commented, Some(Prose::new(why)));
        self.end(ctx, ApprovalAction::Reject)?;
        Ok(Some(Event("approval.rejected")))
    }

    /// Goes on when it waits for nobody.
    pub fn go_on(&mut self, ctx: &Context) -> Result<Option<(Progress, Event)>, Refusal> {
        if self.is_through(ctx.org) { self.step_passed(ctx).map(Some) } else { Ok(None) }
    }

    fn go_to(&mut self, ctx: &Context, at: usize) {
        self.waiting_for = self.steps.get(at).map(|step| step.rule.clone());
        self.step = i64::try_from(at).unwrap_or(i64::MAX);
        self.waiting_since = ctx.now;
        self.reminded_at = None;
    }

    fn end(&mut self, ctx: &Context, action: ApprovalAction) -> Result<(), Refusal> {
        self.status = MACHINE.follow(self.status, action)?;
        self.waiting_for = None;
        self.decided_at = Some(ctx.now);
        Ok(())
    }

    /// Refuses to say more about it than can be kept.
    fn has_room(&self) -> Result<(), Refusal> {
        if self.trail.len() < Self::MOST_ENTRIES {
            return Ok(());
        }
        Err(Refusal::new(Code::TooMany, "as much was said about the request as can be kept")
            .with("limit", Self::MOST_ENTRIES))
    }

    fn enter(&mut self, ctx: &Context, kind: TrailKind, comment: Option<Prose>) -> Result<(), Refusal> {
        let by = Some(ctx.actor.id).filter(|user| ctx.org.user(*user).is_some());
        self.enter_by(ctx, by, kind, comment)
    }

    fn enter_by(
        &mut self,
        ctx: &Context,
        by: Option<UserId>,
        kind: TrailKind,
        comment: Option<Prose>,
    ) -> Result<(), Refusal> {
        self.has_room()?;
        self.trail.push(TrailEntry { kind, step: self.step, by, at: ctx.now, comment, undone: Vec::new() });
        Ok(())
    }

    /// May the caller send it back? Whoever can decide the present step, when there is one before it.
    pub fn may_return(&self, ctx: &Context) -> Result<(), Refusal> {
        self.may_decide(ctx)?;
        if self.step > 0 {
            return self.has_room();
        }
        Err(Refusal::new(Code::InvalidTransition, "there is no former step; reject the request instead")
            .with("record_kind", RecordKind::Approval)
            .with("from", self.status)
            .with("action", ApprovalAction::Return))
    }

    /// Has a former step and those after it decided anew. What was decided there no longer counts.
    pub fn return_to(&mut self, ctx: &Context, form: Valid<ReturnForm>) -> Result<Event, Refusal> {
        self.may_return(ctx)?;
        let form = form.into_inner();
        let to = usize::try_from(form.step).unwrap_or(usize::MAX);
        if form.step >= self.step {
            let why = format!("must be a step before the present one, which is {}", self.step);
            return Err(Refusal::invalid("/step", Rule::NotAFormerStep, why));
        }
        MACHINE.follow(self.status, ApprovalAction::Return)?;
        self.enter(ctx, TrailKind::Returned, Some(form.comment))?;
        let undone: Vec<StepDecision> =
            self.steps.iter_mut().skip(to).flat_map(|step| std::mem::take(&mut step.decisions)).collect();
        if let Some(entry) = self.trail.last_mut() {
            entry.undone = undone;
        }
        self.go_to(ctx, to);
        self.decidable(ctx.org)?;
        Ok(Event("approval.returned"))
    }

    /// May the caller have one more person agree? Whoever can decide the present step.
    fn may_add_step(&self, ctx: &Context) -> Result<(), Refusal> {
        self.may_decide(ctx)?;
        if self.steps.len() >= Self::MOST_STEPS {
            return Err(Refusal::new(Code::TooMany, "the request has as many steps as it may have")
                .with("limit", Self::MOST_STEPS));
        }
        self.has_room()
    }

    /// Has one more person agree, before or after the present step.
    pub fn add_step(&mut self, ctx: &Context, form: Valid<AddStepForm>) -> Result<Event, Refusal> {
        self.may_add_step(ctx)?;
        let form = form.into_inner();
        let step = Step {
            name: Line::new("Added"),
            rule: ApproverRule::Users(vec![form.user_id]),
            mode: StepMode::Any,
            added_by: Some(ctx.actor.id),
            decisions: Vec::new(),
        };
        let Some(actor) = ctx.org.actor(form.user_id) else {
            return Err(Refusal::unknown_reference("/user_id"));
        };
        if !self.eligible(ctx.org, &actor, &step) {
            let why = "may not see what the request is about";
            return Err(Refusal::invalid("/user_id", Rule::CannotSeeSubject, why));
        }
        if form.user_id == ctx.actor.id {
            return Err(Refusal::invalid("/user_id", Rule::SameUser, "must be somebody else"));
        }
        if let Some(why) = self.involved(form.user_id) {
            return Err(Refusal::new(Code::SeparationOfDuties, why));
        }
        if self.decided_by(form.user_id) {
            return Err(Refusal::new(Code::SeparationOfDuties, "nobody decides two steps of one request"));
        }
        MACHINE.follow(self.status, ApprovalAction::AddStep)?;
        let present = self.present();
        let before = form.place == Place::Before;
        if before && self.steps.get(present).is_some_and(|step| !step.decisions.is_empty()) {
            let why = "the present step was decided in part; add a step after it";
            return Err(Refusal::new(Code::InvalidTransition, why)
                .with("record_kind", RecordKind::Approval)
                .with("from", self.status)
                .with("action", ApprovalAction::AddStep));
        }
        let was_decidable = self.decidable(ctx.org).is_ok();
        self.steps.insert(if before { present } else { present + 1 }, step);
        if was_decidable {
            self.decidable(ctx.org)?;
        }
        self.enter(ctx, TrailKind::StepAdded, form.comment)?;
        if before {
            self.go_to(ctx, present);
            return Ok(Event("approval.step_put_before"));
        }
        Ok(Event("approval.step_put_after"))
    }

    /// Says something about it.
    pub fn comment(&mut self, ctx: &Context, comment: Prose) -> Result<Event, Refusal> {
        MACHINE.follow(self.status, ApprovalAction::Comment)?;
        self.enter(ctx, TrailKind::Commented, Some(comment))?;
        Ok(Event("approval.commented"))
    }

    /// May the caller have those reminded for whom it waits? Whoever asked, not more often than once an hour.
    pub fn may_remind(&self, ctx: &Context) -> Result<(), Refusal> {
        if ctx.actor.id != self.requester_id {
            return Err(Refusal::new(Code::Forbidden, "only whoever made the request reminds of it"));
        }
        if self.status != ApprovalStatus::Pending {
            return Err(self.already_decided());
        }
        let next = self.reminded_at.map(|last| last.plus(Duration::hours(Self::REMINDER_HOURS)));
        match next.filter(|next| ctx.now < *next) {
            Some(next) => {
                Err(Refusal::new(Code::RemindedRecently, format!("may be reminded again at {next}"))
                    .with("next_at", next))
            }
            None => Ok(()),
        }
    }

    /// Reminds those for whom it waits.
    pub fn remind(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.may_remind(ctx)?;
        self.note_reminder(ctx)
    }

    /// Reminds those for whom it waits, when it waits for so many hours, and again after as many.
    pub fn remind_when_late(&mut self, ctx: &Context) -> Result<Option<Event>, Refusal> {
        let Some(hours) = ctx.org.settings.approvals.remind_after_hours else { return Ok(None) };
        let since = self.reminded_at.unwrap_or(self.waiting_since);
        if self.status != ApprovalStatus::Pending || ctx.now < since.plus(Duration::hours(hours)) {
            return Ok(None);
        }
        self.note_reminder(ctx).map(Some)
    }

    fn note_reminder(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        MACHINE.follow(self.status, ApprovalAction::Remind)?;
        // Where the trail is full, it is still told.
        let _ = self.enter(ctx, TrailKind::Reminded, None);
        self.reminded_at = Some(ctx.now);
        Ok(Event("approval.reminded"))
    }

    /// May the caller take the question back? Whoever asked it, while it is pending; somebody else when whoever asked
    /// no longer may.
    pub fn may_withdraw(&self, ctx: &Context) -> Result<(), Refusal> {
        may_take_back(ctx, Some(self.requester_id), self.subject_kind, &self.standing(ctx.org))?;
        if self.status != ApprovalStatus::Pending {
            return Err(self.already_decided());
        }
        Ok(())
    }

    /// Takes the question back.
    pub fn withdraw(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.may_withdraw(ctx)?;
        self.end(ctx, ApprovalAction::Withdraw)?;
        Ok(Event("approval.withdrawn"))
    }

    /// What it is about is no longer what was asked about.
    pub fn lapse(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.end(ctx, ApprovalAction::Lapse)?;
        // Whoever did something else with the record said nothing here. Where the trail is full, it still ends.
        let why = Prose::new("What the request is about is no longer there to be decided");
        let _ = self.enter_by(ctx, None, TrailKind::Commented, Some(why));
        Ok(Event("approval.withdrawn"))
    }

    /// Would a decision of the caller hold? It binds to the version that was reviewed, whatever the decision is.
    fn may_reject(&self, ctx: &Context, ties: &ApprovalTies) -> Result<(), Refusal> {
        self.may_decide(ctx)?;
        ties.subject_version.map_or(Ok(()), |present| self.check_version(present))
    }

    /// Would the caller's agreement be taken? Where nothing is left to wait for, its subject must be able to go on.
    fn may_approve(&self, ctx: &Context, ties: &ApprovalTies) -> Result<(), Refusal> {
        self.may_reject(ctx, ties)?;
        ties.obstacle.clone().map_or(Ok(()), Err)
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &ApprovalTies) -> Vec<AllowedAction> {
        let judge = |action: ApprovalAction, may| AllowedAction::judge(action.as_str(), may);
        vec![
            judge(ApprovalAction::Approve, self.may_approve(ctx, ties)),
            judge(ApprovalAction::Reject, self.may_reject(ctx, ties)),
            judge(ApprovalAction::Return, self.may_return(ctx)),
            judge(ApprovalAction::AddStep, self.may_add_step(ctx)),
            judge(ApprovalAction::Withdraw, self.may_withdraw(ctx)),
            judge(ApprovalAction::Remind, self.may_remind(ctx)),
            judge(ApprovalAction::Comment, self.has_room()),
        ]
    }
}
