//! Background jobs: work that takes longer than a request, with its progress and its record.

use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::{Context, Event};
use crate::error::{FieldError, Figures, Refusal};
use crate::pool::RecycleRules;
use crate::record;
use crate::record::RecordKind;
use crate::settings::Settings;
use crate::text_enum;
use crate::values::{JobId, JobItemId, PoolId, Prose, Timestamp, UserId};
use crate::workflow::{Machine, Rule, Who};

text_enum! {
    /// What a job does.
    pub enum JobKind {
        /// Sends neglected customers back to their pools (回收).
        Recycle = "recycle" ("Recycle customers", "回收客户"),
        /// Scores leads anew after the rules changed.
        RescoreLeads = "rescore_leads" ("Rescore leads", "线索重新评分"),
        /// Recomputes every sum and walks the audit trail.
        Verify = "verify" ("Verify data", "数据核对"),
    }
}

text_enum! {
    /// The state of a job.
    pub enum JobStatus {
        /// Waits for a server.
        Queued = "queued" ("Queued", "排队中"),
        /// A server works on it.
        Running = "running" ("Running", "运行中"),
        /// It is done. Final.
        Finished = "finished" ("Finished", "已完成"),
        /// It cannot be done; `problem` says why. Final.
        Failed = "failed" ("Failed", "失败"),
    }
}

text_enum! {
    /// What may happen to a job.
    pub enum JobAction {
        /// A server takes it, or takes it over from one that went away.
        Run = "run",
        /// It came to its end.
        Finish = "finish",
        /// It cannot be done.
        Fail = "fail",
    }
}

/// The job's state machine.
pub static MACHINE: Machine<JobStatus, JobAction> = Machine {
    name: "job",
    initial: &[JobStatus::Queued],
    states: JobStatus::ALL,
    rules: &[
        Rule {
            action: JobAction::Run,
            from: &[JobStatus::Queued, JobStatus::Running],
            to: Some(JobStatus::Running),
            who: Who::System,
            guards: &["no other server works on it, or the one that did has been silent for a minute"],
        },
        Rule {
            action: JobAction::Finish,
            from: &[JobStatus::Running],
            to: Some(JobStatus::Finished),
            who: Who::System,
            guards: &[],
        },
        Rule {
            action: JobAction::Fail,
            from: &[JobStatus::Running],
            to: Some(JobStatus::Failed),
            who: Who::System,
            guards: &[],
        },
    ],
};

/// How long a server may be silent before another one takes its job over.
pub const LEASE: Duration = Duration::minutes(1);

/// What a job was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobParameters {
    /// Whether it only tells what it would do.
    #[serde(default)]
    pub dry_run: bool,
    /// The one public pool that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_id: Option<PoolId>,
    /// The rules that it tries, in place of those that hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RecycleRules>,
}

/// A background job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Its state.
    pub status: JobStatus,
    /// What it was told.
    pub parameters: JobParameters,
    /// How many records there are to look at, once that is known.
    #[schema(required, minimum = 0)]
    pub total: Option<i64>,
    /// How many were looked at.
    #[schema(minimum = 0)]
    pub examined: i64,
    /// How many were changed, or would be.
    #[schema(minimum = 0)]
    pub changed: i64,
    /// How many owners were warned of, or would be.
    #[schema(minimum = 0)]
    pub warned: i64,
    /// How many could not be changed.
    #[schema(minimum = 0)]
    pub failed: i64,
    /// Why it failed.
    #[schema(required)]
    pub problem: Option<Prose>,
    /// The last record that was looked at.
    #[serde(skip)]
    pub position: Option<Uuid>,
    /// The business day for which the scheduler began it; none when a person did.
    #[schema(required)]
    pub business_day: Option<NaiveDate>,
    /// Who began it; none when the scheduler did.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// When a server first took it.
    #[schema(required)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
    /// Until when the server that works on it may be silent.
    #[serde(skip)]
    pub leased_until: Option<Timestamp>,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Job, Job);

text_enum! {
    /// What a job did with a record.
    pub enum JobOutcome {
        /// It was changed.
        Changed = "changed" ("Changed", "已变更"),
        /// Its owner was warned.
        Warned = "warned" ("Warned", "已预警"),
        /// What its owner was told is called off.
        CalledOff = "called_off" ("Warning called off", "已解除预警"),
        /// It would be changed.
        WouldChange = "would_change" ("Would be changed", "将变更"),
        /// Its owner would be warned.
        WouldWarn = "would_warn" ("Would be warned", "将预警"),
        /// What its owner was told would be called off.
        WouldCallOff = "would_call_off" ("Warning would be called off", "将解除预警"),
        /// Its owner was warned before, and it would be changed on the day that was told.
        AlreadyWarned = "already_warned" ("Already warned", "此前已预警"),
        /// It could not be changed.
        Failed = "failed" ("Failed", "失败"),
        /// Something about it does not add up.
        Differs = "differs" ("Does not add up", "数据不符"),
    }
}

/// What a job did with one record, and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JobItem {
    /// Its id.
    pub id: JobItemId,
    /// The job.
    pub job_id: JobId,
    /// The kind of record.
    pub record_kind: RecordKind,
    /// Which record.
    pub record_id: Uuid,
    /// Who owned it then.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// What was done.
    pub outcome: JobOutcome,
    /// The rule by which, or the code of the problem.
    #[schema(max_length = 60, example = "no_activity")]
    pub reason: String,
    /// More about it, in English or Chinese by `Accept-Language`; what a verification found is told in English.
    #[schema(required)]
    pub detail: Option<Prose>,
    /// The broken rules of the problem.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub errors: Vec<FieldError>,
    /// The figures of the problem, or the day on which the record goes (`goes_on`).
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Figures)]
    pub figures: Map<String, Value>,
    /// When.
    pub created_at: Timestamp,
}

impl JobItem {
    /// What a job did with a record, and the rule by which.
    pub fn new(
        id: JobItemId,
        job_id: JobId,
        (record_kind, record_id): (RecordKind, Uuid),
        outcome: JobOutcome,
        reason: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            job_id,
            record_kind,
            record_id,
            owner_id: None,
            outcome,
            reason: reason.to_owned(),
            detail: None,
            errors: Vec::new(),
            figures: Map::new(),
            created_at: now,
        }
    }

    /// The same of a record that somebody owns.
    #[must_use]
    pub fn owned_by(self, owner_id: Option<UserId>) -> Self {
        Self { owner_id, ..self }
    }

    /// It says on which day the record goes.
    #[must_use]
    pub fn goes_on(mut self, day: NaiveDate) -> Self {
        let before = self.outcome == JobOutcome::AlreadyWarned;
        let before = if before { ", of which its owner was told before" } else { "" };
        self.figures.insert("goes_on".to_owned(), json!(day));
        self.said(&format!("goes on {day}{before}"))
    }

    /// It says why nothing could be done: all of the refusal, so that it can be told in any language.
    #[must_use]
    pub fn refused(mut self, refusal: Refusal) -> Self {
        refusal.code.as_str().clone_into(&mut self.reason);
        self.figures = refusal.figures;
        self.errors = refusal.errors.into_vec();
        self.said(&refusal.detail)
    }

    /// It says more, in English.
    #[must_use]
    pub fn said(self, english: &str) -> Self {
        Self { detail: Some(Prose::new(english.chars().take(Prose::MAX).collect::<String>())), ..self }
    }
}

impl Job {
    /// A job that waits to be taken.
    pub fn queue(id: JobId, kind: JobKind, parameters: JobParameters, now: Timestamp) -> (Self, Event) {
        let job = Self {
            id,
            kind,
            status: JobStatus::Queued,
            parameters,
            total: None,
            examined: 0,
            changed: 0,
            warned: 0,
            failed: 0,
            problem: None,
            position: None,
            business_day: None,
            created_by: None,
            started_at: None,
            finished_at: None,
            leased_until: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        (job, Event("job.queued"))
    }

    /// Whoever may see how the organisation is set up sees its jobs.
    pub fn reveal(ctx: &Context) -> Result<(), Refusal> {
        Settings::may_read(ctx).map_err(|_| Refusal::not_found())
    }

    /// Whether a server may take it now.
    pub fn is_free(&self, now: Timestamp) -> bool {
        match self.status {
            JobStatus::Queued => true,
            JobStatus::Running => self.leased_until.is_none_or(|until| until < now),
            JobStatus::Finished | JobStatus::Failed => false,
        }
    }

    /// A server takes it, or goes on with it.
    pub fn run(&mut self, now: Timestamp) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, JobAction::Run)?;
        self.started_at.get_or_insert(now);
        self.leased_until = Some(now.plus(LEASE));
        Ok(Event("job.progressed"))
    }

    /// It came to its end.
    pub fn finish(&mut self, now: Timestamp) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, JobAction::Finish)?;
        self.finished_at = Some(now);
        self.leased_until = None;
        Ok(Event("job.finished"))
    }

    /// It cannot be done.
    pub fn fail(&mut self, now: Timestamp, why: &str) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, JobAction::Fail)?;
        self.finished_at = Some(now);
        self.leased_until = None;
        self.problem = Some(Prose::new(why.chars().take(Prose::MAX).collect::<String>()));
        Ok(Event("job.failed"))
    }
}
