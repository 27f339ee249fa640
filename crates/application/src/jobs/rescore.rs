//! Scores leads anew after the rules or thresholds changed.

use fairlead_domain::context::Context;
use fairlead_domain::job::{Job, JobKind, JobParameters};
use fairlead_domain::lead::Lead;
use fairlead_persistence::Predicate;
use uuid::Uuid;

use super::Progress;
use crate::app::App;
use crate::call::Failure;

/// How many leads one step scores.
const BATCH: u64 = 200;

/// The leads that were scored by other rules than those that hold.
fn outdated(ctx: &Context) -> Predicate {
    Predicate::All(vec![
        Predicate::Is("score_basis", ctx.org.score_basis().to_owned().into()).negate(),
        Predicate::Is("status", "converted".into()).negate(),
    ])
}

/// Scores the next leads. Each that is done no longer is one of those that are left.
pub(super) async fn step(app: &App, job: &Job) -> Result<Job, Failure> {
    let (next, left) = app
        .look(None, async |ctx, reader| {
            let next: Vec<Lead> = reader.first(outdated(ctx), BATCH).await?;
            Ok((next, reader.count("leads", outdated(ctx)).await?))
        })
        .await?;
    let ids: Vec<Uuid> = next.iter().map(|lead| lead.id.0).collect();
    super::step(app, job, async |ctx, work, job| {
        job.total = Some(job.examined + left);
        let mut same = Vec::new();
        for before in work.load_all::<Lead>(Predicate::ids(ids.iter().copied())).await? {
            job.examined += 1;
            let mut after = before.clone();
            match after.rescore(ctx) {
                Some(event) => {
                    work.save(&before, &mut after, event).await?;
                    job.changed += 1;
                }
                None => same.push(before.id.0),
            }
        }
        work.note_score_basis(&same, ctx.org.score_basis()).await?;
        Ok(if ids.is_empty() { Progress::End } else { Progress::More })
    })
    .await
}

impl App {
    /// Begins to score anew, if there is something to score and no job that does.
    pub(super) async fn begin_rescoring(&self) -> Result<(), Failure> {
        let unfinished = || {
            Predicate::All(vec![
                Predicate::Is("kind", JobKind::RescoreLeads.as_str().into()),
                Predicate::Any(
                    ["queued", "running"].map(|status| Predicate::Is("status", status.into())).into(),
                ),
            ])
        };
        let wanted = self
            .look(None, async |ctx, reader| {
                let jobs: Vec<Job> = reader.first(unfinished(), 1).await?;
                let leads: Vec<Lead> = reader.first(outdated(ctx), 1).await?;
                Ok(jobs.is_empty() && !leads.is_empty())
            })
            .await?;
        if !wanted {
            return Ok(());
        }
        self.act("jobs", async |ctx, work| {
            // One server begins it: the others see its job.
            work.lock_organisation().await?;
            if work.first_of::<Job>(unfinished(), 1).await?.is_empty() {
                let parameters = JobParameters::default();
                let (job, event) = Job::queue(work.new_id(), JobKind::RescoreLeads, parameters, ctx.now);
                work.insert(&job, event).await?;
            }
            Ok(())
        })
        .await
    }
}
