//! Scores leads anew after the rules or thresholds changed.

use fairlead_domain::job::{Job, JobKind, JobParameters};
use fairlead_domain::lead::Lead;
use fairlead_persistence::Predicate;

use super::Progress;
use crate::app::App;
use crate::call::Failure;

/// How many leads one step scores.
const BATCH: usize = 200;

/// Scores the next leads. If the rules change again meanwhile, those behind are for the job after this one.
pub(super) async fn step(app: &App, job: &Job) -> Result<Job, Failure> {
    let (ids, total) = app
        .look(None, async |ctx, reader| {
            let basis = ctx.org.score_basis();
            let total = match job.total {
                Some(total) => total,
                None => reader.count_outdated_leads(basis).await?,
            };
            let most = u64::try_from(BATCH).unwrap_or(u64::MAX);
            Ok((reader.outdated_leads(basis, job.position, most).await?, total))
        })
        .await?;
    super::step(app, job, async |ctx, work, job| {
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
        job.total = Some(total.max(job.examined));
        job.position = ids.last().copied().or(job.position);
        Ok(if ids.len() < BATCH { Progress::End } else { Progress::More })
    })
    .await
}

fn rescores(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| job.kind == JobKind::RescoreLeads)
}

impl App {
    /// Begins to score anew, if there is something to score and no job that does.
    pub(super) async fn begin_rescoring(&self) -> Result<(), Failure> {
        let wanted = self
            .look(None, async |ctx, reader| {
                Ok(reader.is_any_lead_outdated(ctx.org.score_basis()).await?
                    && !rescores(&reader.unfinished_jobs().await?))
            })
            .await?;
        if !wanted {
            return Ok(());
        }
        self.act("jobs", async |ctx, work| {
            // One server begins it: the others see its job.
            work.lock_organisation().await?;
            if !rescores(&work.unfinished_jobs().await?) {
                let parameters = JobParameters::default();
                let (job, event) = Job::queue(work.new_id(), JobKind::RescoreLeads, parameters, ctx.now);
                work.insert(&job, event).await?;
            }
            Ok(())
        })
        .await
    }
}
