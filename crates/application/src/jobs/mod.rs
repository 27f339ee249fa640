//! Background jobs: who may see them, and how servers share them.
//!
//! A job goes on in steps, each one transaction that does some of the work and notes how far it came. The server
//! that works on a job holds a lease, which each step renews; if it goes away, another one takes over where it
//! stopped. Steps judge everything anew under locks, so that even two servers at once do the work once.

pub mod recycle;
mod rescore;
mod sweep;
pub mod verify;

use fairlead_domain::context::Context;
use fairlead_domain::error::Refusal;
use fairlead_domain::job::{Job, JobItem, JobKind, JobOutcome, JobStatus};
use fairlead_domain::settings::Settings;
use fairlead_domain::values::JobId;
use fairlead_persistence::{Predicate, Work};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned};
use crate::change::there;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, words};

/// What a list of jobs can be asked.
pub static LISTING: Listing = Listing {
    resource: "jobs",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("finished_at", Kind::Timestamp).nullable().sortable(),
        Field::new("kind", words!(JobKind)),
        Field::new("status", words!(JobStatus)),
        Field::new("created_by", Kind::Id).nullable(),
    ],
    search: &[],
    default_sort: "-created_at",
    includes: &[],
};

/// What a list of a job's items can be asked.
pub static ITEMS: Listing = Listing {
    resource: "job_items",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("outcome", words!(JobOutcome)),
        Field::new("reason", Kind::Text),
        Field::new("record_id", Kind::Id),
        Field::new("owner_id", Kind::Id).nullable(),
    ],
    search: &[],
    default_sort: "created_at",
    includes: &[],
};

impl Versioned for Job {
    fn version(&self) -> i64 {
        self.version
    }
}

fn may_read(ctx: &Context) -> Result<(), Refusal> {
    Settings::may_read(ctx)
}

/// One job, with its progress.
pub async fn get(app: &App, call: &Call, id: JobId) -> Read<Job> {
    app.read(call, async |ctx, reader| {
        Job::reveal(ctx)?;
        Ok(there(reader.one(id).await?)?)
    })
    .await
}

/// All jobs.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<Job>> {
    app.read(call, async |ctx, reader| {
        may_read(ctx)?;
        lists::lines(reader, &list, Predicate::True).await
    })
    .await
}

/// What a job did, record by record.
pub async fn items(app: &App, call: &Call, id: JobId, list: ListRequest) -> Read<Page<JobItem>> {
    app.read(call, async |ctx, reader| {
        Job::reveal(ctx)?;
        there(reader.one::<Job>(id).await?)?;
        lists::lines(reader, &list, Predicate::Is("job_id", id.0.into())).await
    })
    .await
}

/// How far a step came.
enum Progress {
    /// There is more to do.
    More,
    /// That was all.
    End,
}

impl App {
    /// Does what is to be done in the background, as far as it is to be done now. Whoever runs a server calls it
    /// again and again.
    pub async fn work_in_background(&self) {
        if let Err(failure) = self.begin_daily_jobs().await {
            tracing::warn!(?failure, "cannot begin the jobs of the day");
        }
        if let Err(failure) = self.begin_rescoring().await {
            tracing::warn!(?failure, "cannot begin to score leads anew");
        }
        if let Err(failure) = self.sweep().await {
            tracing::warn!(?failure, "cannot do what falls due");
        }
        self.do_jobs().await;
        if let Err(failure) = self.notify().await {
            tracing::warn!(?failure, "cannot notify");
        }
    }

    async fn do_jobs(&self) {
        loop {
            match self.next_job().await {
                Ok(Some(job)) => self.work_on(job).await,
                Ok(None) => break,
                Err(failure) => {
                    tracing::warn!(?failure, "cannot take a job");
                    break;
                }
            }
        }
    }

    /// Takes the oldest job that no server works on.
    async fn next_job(&self) -> Result<Option<Job>, Failure> {
        let now = self.now();
        let free = self
            .look(None, async |_, reader| {
                let jobs = reader.unfinished_jobs().await?;
                Ok(jobs.into_iter().find(|job| job.is_free(now)))
            })
            .await?;
        let Some(free) = free else { return Ok(None) };
        self.act("jobs", async |ctx, work| {
            let Some(before) = work.load::<Job>(free.id).await? else { return Ok(None) };
            if !before.is_free(ctx.now) {
                return Ok(None);
            }
            let mut after = before.clone();
            let event = after.run(ctx.now)?;
            work.save(&before, &mut after, event).await?;
            Ok(Some(after))
        })
        .await
    }

    async fn work_on(&self, mut job: Job) {
        loop {
            let step = match job.kind {
                JobKind::Recycle => recycle::step(self, &job).await,
                JobKind::RescoreLeads => rescore::step(self, &job).await,
                JobKind::Verify => verify::step(self, &job).await,
            };
            match step {
                Ok(after) if after.status == JobStatus::Running => job = after,
                Ok(after) => {
                    tracing::info!(job = %after.id, kind = %after.kind, changed = after.changed, "a job is done");
                    return;
                }
                Err(Failure::Refused(refusal)) => {
                    self.give_up(&job, &refusal).await;
                    return;
                }
                // Somebody else took it over, or the database is away: whoever finds it free goes on.
                Err(failure) => {
                    tracing::warn!(job = %job.id, ?failure, "a job was interrupted");
                    return;
                }
            }
        }
    }

    async fn give_up(&self, job: &Job, refusal: &Refusal) {
        let failed = self.act("jobs", async |ctx, work| {
            let before = still_ours(work, job).await?;
            let mut after = before.clone();
            let event = after.fail(ctx.now, &refusal.to_string())?;
            Ok(work.save(&before, &mut after, event).await?)
        });
        tracing::error!(job = %job.id, %refusal, "a job failed");
        if let Err(failure) = failed.await {
            tracing::warn!(job = %job.id, ?failure, "cannot note that a job failed");
        }
    }
}

/// The job, locked, if no other server took it over.
async fn still_ours(work: &Work, job: &Job) -> Result<Job, Failure> {
    let present: Job = there(work.load(job.id).await?)?;
    if present.version == job.version {
        return Ok(present);
    }
    Err(fairlead_persistence::StoreError::Locked("another server took the job over".to_owned()).into())
}

/// One step: `case` does some of the work and counts it in the job.
async fn step(
    app: &App,
    job: &Job,
    case: impl AsyncFn(&Context<'_>, &mut Work, &mut Job) -> Result<Progress, Failure>,
) -> Result<Job, Failure> {
    app.act("jobs", async |ctx, work| {
        let before = still_ours(work, job).await?;
        let mut after = before.clone();
        let event = match case(ctx, work, &mut after).await? {
            Progress::More => after.run(ctx.now)?,
            Progress::End => after.finish(ctx.now)?,
        };
        work.save(&before, &mut after, event).await?;
        Ok(after)
    })
    .await
}
