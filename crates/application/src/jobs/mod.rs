//! Background jobs: who may see them, and how servers share them.
//!
//! A job goes on in steps. What a step does, and how far it came, is written in one transaction at its end. The server
//! that works on a job holds a lease, which it renews with each step and while one takes long; if it goes away, another
//! one takes over where it stopped. Steps judge everything anew under locks, so that even two servers at once do the
//! work once.

pub mod recycle;
mod rescore;
mod sweep;
#[cfg(test)]
mod tests;
pub mod verify;

use std::pin::pin;
use std::time::Duration;

use fairlead_domain::context::Context;
use fairlead_domain::error::Refusal;
use fairlead_domain::job::{Job, JobItem, JobKind, JobOutcome, JobStatus, LEASE};
use fairlead_domain::settings::Settings;
use fairlead_domain::values::JobId;
use fairlead_persistence::{Predicate, Work};
use tokio::sync::Notify;

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

/// How often a server says that it still works on a job: several times within the lease.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How far a step came.
enum Progress {
    /// There is more to do.
    More,
    /// That was all.
    End,
}

/// Works for ever: whenever the interval is over, or sooner when there is something to do.
async fn again_and_again(interval: Duration, wake: Option<&Notify>, work: impl AsyncFn()) {
    loop {
        work().await;
        let woken = async {
            match wake {
                Some(wake) => wake.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = woken => {}
        }
    }
}

impl App {
    /// Does what is to be done in the background, for ever. Whoever runs a server runs it once.
    ///
    /// A job may take long, and so may places for files and receivers of webhooks: nothing else waits for them.
    pub async fn work_in_background(&self, interval: Duration) {
        let jobs = again_and_again(interval, Some(&self.inner.wake), async || self.do_jobs().await);
        let sweep = again_and_again(interval, Some(&self.inner.due), async || {
            if let Err(failure) = self.sweep().await {
                tracing::warn!(?failure, "cannot do what falls due");
            }
        });
        let notify = again_and_again(interval, None, async || {
            if let Err(failure) = self.notify().await {
                tracing::warn!(?failure, "cannot notify");
            }
        });
        let deliver = self.deliver_webhooks();
        tokio::join!(Box::pin(jobs), Box::pin(sweep), Box::pin(notify), Box::pin(deliver));
    }

    /// Begins the jobs that are to be begun by themselves, and does all that there are.
    async fn do_jobs(&self) {
        if let Err(failure) = self.begin_daily_jobs().await {
            tracing::warn!(?failure, "cannot begin the jobs of the day");
        }
        if let Err(failure) = self.begin_rescoring().await {
            tracing::warn!(?failure, "cannot begin to score leads anew");
        }
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
            let step = Box::pin(async {
                match job.kind {
                    JobKind::Recycle => recycle::step(self, &job).await,
                    JobKind::RescoreLeads => rescore::step(self, &job).await,
                    JobKind::Verify => verify::step(self, &job).await,
                }
            });
            let step = self.holding(&job, HEARTBEAT, step).await;
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

    /// Does a step, and says meanwhile that the job is worked on. Whether what it did may be kept is judged when it is
    /// written, whatever was said.
    async fn holding<T>(&self, job: &Job, every: Duration, step: impl Future<Output = T>) -> T {
        let mut step = pin!(step);
        tokio::select! {
            done = &mut step => done,
            () = self.keep_lease(job, every) => step.await,
        }
    }

    /// Says again and again that a job is worked on, until there is nothing more to say: the step was just written, or
    /// another server took the job over.
    async fn keep_lease(&self, job: &Job, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let renewed =
                self.act("jobs", async |ctx, work| Ok(work.renew_lease(job, ctx.now.plus(LEASE)).await?));
            match renewed.await {
                Ok(true) => {}
                Ok(false) => return,
                Err(failure) => {
                    tracing::warn!(job = %job.id, ?failure, "cannot say that a job is worked on");
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
            // From now on, not from when the step began to write: that may be a while ago.
            Progress::More => after.run(app.now())?,
            Progress::End => after.finish(ctx.now)?,
        };
        work.save(&before, &mut after, event).await?;
        Ok(after)
    })
    .await
}
