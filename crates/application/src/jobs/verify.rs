//! `fairlead verify` as a job: check by check, each difference an item.

use fairlead_domain::job::{Job, JobItem, JobKind, JobOutcome, JobParameters};
use fairlead_domain::record::RecordKind;
use fairlead_domain::settings::Settings;
use fairlead_domain::valid::Valid;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::Progress;
use crate::app::App;
use crate::call::{Call, Failure, Written};

/// How many differences one check tells of.
const MOST: usize = 1000;

/// There is nothing to say yet about how to verify.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyForm {}

/// Has every sum recomputed, in the background.
pub async fn start(app: &App, call: &Call, _: Valid<VerifyForm>) -> Written<Job> {
    let job = app
        .write(call, async |ctx, work| {
            Settings::may_manage(ctx)?;
            let parameters = JobParameters::default();
            let (mut job, event) = Job::queue(work.new_id(), JobKind::Verify, parameters, ctx.now);
            job.created_by = Some(ctx.actor.id);
            work.insert(&job, event).await?;
            Ok(job)
        })
        .await;
    app.inner.wake.notify_one();
    job
}

/// Runs the next check. Its place is kept where other jobs keep the last record.
pub(super) async fn step(app: &App, job: &Job) -> Result<Job, Failure> {
    let at = job.position.map_or(0, |position| position.as_u128());
    let found = app.verify_one(usize::try_from(at).unwrap_or(usize::MAX)).await?;
    super::step(app, job, async |_, work, job| {
        let Some(found) = &found else { return Ok(Progress::End) };
        job.position = Some(Uuid::from_u128(at + 1));
        job.examined = job.examined.saturating_add(i64::try_from(found.checked).unwrap_or(i64::MAX));
        job.failed = job.failed.saturating_add(i64::try_from(found.differences.len()).unwrap_or(i64::MAX));
        let item = |difference: &String| {
            let record = (RecordKind::Job, job.id.0);
            let item =
                JobItem::new(work.new_id(), job.id, record, JobOutcome::Differs, "differs", work.now());
            item.said(&format!("{}: {difference}", found.check))
        };
        let items: Vec<JobItem> = found.differences.iter().take(MOST).map(item).collect();
        work.append_all(&items).await?;
        Ok(Progress::More)
    })
    .await
}
