//! Recycling (回收): neglected customers go back to their pools.

use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::{Refusal, Rule};
use fairlead_domain::job::{Job, JobItem, JobKind, JobOutcome, JobParameters};
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::pool::{RecycleFacts, RecycleRules, Recycling, recycling};
use fairlead_domain::record::RecordKind;
use fairlead_domain::settings::Settings;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::PoolId;
use fairlead_persistence::{Predicate, RecycleCandidates, StoreError, Work};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::Progress;
use crate::app::App;
use crate::bulk::refused;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::listing::ListRequest;
use crate::{contracts, customers, lists, pipelines, transfers};

/// How many customers one step looks at.
const BATCH: usize = 200;

/// How to run recycling.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"pool_id": PoolId::example(1)}))]
pub struct RecycleForm {
    /// One public pool only; all when absent.
    #[serde(default)]
    pub pool_id: Option<PoolId>,
    /// Rules to try in place of those that hold; for a dry run only.
    #[serde(default)]
    #[validate(nested)]
    pub rules: Option<RecycleRules>,
}

/// Has recycling run now, in the background. A dry run is a job as well: what it would do is told by its items.
pub async fn start(app: &App, call: &Call, form: Valid<RecycleForm>) -> Written<Job> {
    let dry_run = call.dry_run;
    let kept = Call { dry_run: false, ..call.clone() };
    let job = app
        .write(&kept, async |ctx, work| {
            Settings::may_manage(ctx)?;
            if form.pool_id.is_some_and(|pool| !ctx.org.knows_pool(pool)) {
                return Err(Refusal::unknown_reference("/pool_id").into());
            }
            if form.rules.is_some() && !dry_run {
                let why = "other rules than those that hold can be tried in a dry run only";
                return Err(Refusal::invalid("/rules", Rule::DryRunOnly, why).into());
            }
            let parameters = JobParameters { dry_run, pool_id: form.pool_id, rules: form.rules.clone() };
            let (mut job, event) = Job::queue(work.new_id(), JobKind::Recycle, parameters, ctx.now);
            job.created_by = Some(ctx.actor.id);
            work.insert(&job, event).await?;
            Ok(job)
        })
        .await;
    app.inner.wake.notify_one();
    job
}

/// The runs of recycling.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<Job>> {
    app.read(call, async |ctx, reader| {
        super::may_read(ctx)?;
        let kind = Predicate::Is("kind", JobKind::Recycle.as_str().into());
        lists::lines(reader, &list, kind).await
    })
    .await
}

/// The rules by which a run judges a customer.
fn rules<'a>(ctx: &Context<'a>, job: &'a Job, pool: PoolId) -> &'a RecycleRules {
    job.parameters.rules.as_ref().unwrap_or_else(|| &ctx.org.pool_rules(pool).recycle)
}

/// Whether any pool's rules could take a customer.
pub(super) fn is_on(ctx: &Context) -> bool {
    ctx.org.pools().any(|pool| ctx.org.pool_rules(pool.id).recycle.shortest().is_some())
}

fn candidates(ctx: &Context, job: &Job) -> RecycleCandidates {
    let chosen = |pool: &PoolId| job.parameters.pool_id.is_none_or(|only| only == *pool);
    let owned_before = |pool: PoolId| {
        let days = rules(ctx, job, pool).shortest()?;
        let days = chrono::Days::new(u64::try_from(days).ok()?);
        // Whoever got it on the last day that counts got it before the day after.
        let after = ctx.today().0.checked_sub_days(days)?.succ_opt()?;
        Some(ctx.org.midnight(after))
    };
    let pools = ctx.org.pools().map(|pool| pool.id).filter(chosen);
    RecycleCandidates {
        pools: pools.map(|pool| (pool, owned_before(pool))).collect(),
        after: job.position,
        limit: u64::try_from(BATCH).unwrap_or(u64::MAX),
    }
}

fn verdict(ctx: &Context, job: &Job, customer: &Customer, facts: Option<&RecycleFacts>) -> Recycling {
    let facts = facts.copied().unwrap_or_default();
    recycling(customer, &facts, rules(ctx, job, customer.pool_id), ctx.org, ctx.today())
}

/// Looks at the next customers, and does with them what the rules say.
pub(super) async fn step(app: &App, job: &Job) -> Result<Job, Failure> {
    // Most customers are well looked after: only the others are locked.
    let (seen, neglected, total) = app
        .look(None, async |ctx, reader| {
            let which = candidates(ctx, job);
            let total = match job.total {
                Some(total) => total,
                None => reader.count_recycle_candidates(&which).await?,
            };
            let seen = reader.recycle_candidates(&which).await?;
            let facts = reader.recycle_facts(&seen).await?;
            let customers: Vec<Customer> = reader.some(seen.clone()).await?;
            let neglected = customers.iter().filter(|customer| {
                !matches!(
                    verdict(ctx, job, customer, facts.get(&customer.id)),
                    Recycling::Keep | Recycling::Wait(..)
                ) || job.parameters.dry_run
            });
            let neglected: Vec<Uuid> = neglected.map(|customer| customer.id.0).collect();
            Ok((seen, neglected, total))
        })
        .await?;
    super::step(app, job, async |ctx, work, job| {
        job.total = Some(total);
        job.examined += i64::try_from(seen.len()).unwrap_or(0);
        job.position = seen.last().copied().or(job.position);
        let customers: Vec<Customer> = work.load_all(Predicate::ids(neglected.iter().copied())).await?;
        let facts = work.recycle_facts(&neglected).await?;
        for customer in &customers {
            treat(ctx, work, job, customer, verdict(ctx, job, customer, facts.get(&customer.id))).await?;
        }
        Ok(if seen.len() < BATCH { Progress::End } else { Progress::More })
    })
    .await
}

async fn treat(
    ctx: &Context<'_>,
    work: &mut Work,
    job: &mut Job,
    customer: &Customer,
    verdict: Recycling,
) -> Result<(), Failure> {
    let dry = job.parameters.dry_run;
    match verdict {
        Recycling::Wait(cause, day) if dry => {
            let item = item(work, job, customer, JobOutcome::AlreadyWarned, cause.as_str());
            work.append(&item.goes_on(day)).await?;
        }
        Recycling::Keep | Recycling::Wait(..) => {}
        Recycling::CallOff => {
            if !dry {
                let mut after = customer.clone();
                let event = after.call_off();
                work.save(customer, &mut after, event).await?;
            }
            let outcome = if dry { JobOutcome::WouldCallOff } else { JobOutcome::CalledOff };
            work.append(&item(work, job, customer, outcome, "out_of_danger")).await?;
        }
        Recycling::Warn(cause, day) => {
            if !dry {
                let mut after = customer.clone();
                let event = after.warn(day);
                work.save(customer, &mut after, event).await?;
            }
            job.warned += 1;
            let outcome = if dry { JobOutcome::WouldWarn } else { JobOutcome::Warned };
            work.append(&item(work, job, customer, outcome, cause.as_str()).goes_on(day)).await?;
        }
        Recycling::Move(cause) if dry => {
            job.changed += 1;
            work.append(&item(work, job, customer, JobOutcome::WouldChange, cause.as_str())).await?;
        }
        Recycling::Move(cause) => {
            let mark = work.mark().await?;
            let item = match refused(go(ctx, work, job, customer, cause).await)? {
                Ok(()) => {
                    work.forget(mark).await?;
                    job.changed += 1;
                    item(work, job, customer, JobOutcome::Changed, cause.as_str())
                }
                Err(refusal) => {
                    work.back_to(mark).await?;
                    job.failed += 1;
                    item(work, job, customer, JobOutcome::Failed, cause.as_str()).refused(refusal)
                }
            };
            work.append(&item).await?;
        }
    }
    Ok(())
}

/// Sends a customer to its pool; its drafted contracts are cancelled and its open opportunities lost.
async fn go(
    ctx: &Context<'_>,
    work: &mut Work,
    job: &Job,
    customer: &Customer,
    cause: fairlead_domain::pool::RecycleCause,
) -> Result<(), Failure> {
    contracts::lapse_drafts(ctx, work, customer.id).await?;
    let open = Predicate::All(vec![
        Predicate::Is("customer_id", customer.id.0.into()),
        Predicate::Is("status", "open".into()),
    ]);
    let open: Vec<Opportunity> = work.load_all(open).await?;
    for before in &open {
        let pipeline = pipelines::of(work, before).await?;
        let mut after = before.clone();
        let event = after.lapse(ctx, &pipeline)?;
        work.save(before, &mut after, event).await?;
    }
    transfers::lapse(ctx, work, &open.iter().map(|lost| lost.id.0).collect::<Vec<_>>()).await?;
    let mut after = customer.clone();
    let (change, event) = after.recycle(ctx, cause)?;
    work.save(customer, &mut after, event).await?;
    customers::moved(ctx, work, &[change], Some(job.id)).await
}

/// What is noted of a customer.
fn item(work: &Work, job: &Job, customer: &Customer, outcome: JobOutcome, reason: &str) -> JobItem {
    let record = (RecordKind::Customer, customer.id.0);
    JobItem::new(work.new_id(), job.id, record, outcome, reason, work.now()).owned_by(customer.owner_id)
}

impl App {
    /// Begins the jobs of the business day; of any number of servers one does.
    pub(super) async fn begin_daily_jobs(&self) -> Result<(), Failure> {
        let wanted = self
            .look(None, async |ctx, reader| {
                // Once no rule is on, what owners were told is called off.
                if !is_on(ctx) && !reader.is_anybody_told().await? {
                    return Ok(None);
                }
                let today = ctx.today().0;
                let begun = Predicate::All(vec![
                    Predicate::Is("kind", JobKind::Recycle.as_str().into()),
                    Predicate::Is("business_day", today.into()),
                ]);
                let jobs: Vec<Job> = reader.all(begun).await?;
                Ok(jobs.is_empty().then_some(today))
            })
            .await?;
        let Some(today) = wanted else { return Ok(()) };
        let begun = self.act("jobs", async |ctx, work| {
            let (mut job, event) =
                Job::queue(work.new_id(), JobKind::Recycle, JobParameters::default(), ctx.now);
            job.business_day = Some(today);
            Ok(work.insert(&job, event).await?)
        });
        match begun.await {
            // Another server was faster: its job is there.
            Err(Failure::Store(StoreError::Conflict)) => Ok(()),
            other => other,
        }
    }
}
