use fairlead_domain::job::JobParameters;
use fairlead_persistence::StoreError;

use super::*;
use crate::app::tests::open;

/// A job that a server took.
async fn taken(app: &App) -> Job {
    let queued = app.act("test", async |ctx, work| {
        let (job, event) = Job::queue(work.new_id(), JobKind::Verify, JobParameters::default(), ctx.now);
        Ok(work.insert(&job, event).await?)
    });
    queued.await.unwrap();
    app.next_job().await.unwrap().expect("the job is free")
}

/// Lets whoever works on a job have been silent for too long.
async fn fall_silent(app: &App, job: &Job) {
    let silent = app.act("test", async |ctx, work| Ok(work.renew_lease(job, ctx.now.plus(-LEASE)).await?));
    assert!(silent.await.unwrap(), "it is theirs");
    assert!(stored(app, job).await.is_free(app.now()));
}

async fn stored(app: &App, job: &Job) -> Job {
    app.look(None, async |_, reader| Ok(there(reader.one::<Job>(job.id).await?)?)).await.unwrap()
}

#[tokio::test]
async fn a_job_is_kept_while_a_step_takes_long() {
    let directory = tempfile::tempdir().unwrap();
    let (app, _) = open(&directory).await;
    let job = taken(&app).await;
    fall_silent(&app, &job).await;
    let long = app.holding(&job, Duration::from_millis(10), async {
        while stored(&app, &job).await.is_free(app.now()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    tokio::time::timeout(Duration::from_secs(10), long).await.expect("somebody says that it is worked on");
    assert!(app.next_job().await.unwrap().is_none(), "another server takes it");
    // That was no change of it, so that what the step did can be written.
    assert_eq!(stored(&app, &job).await.version, job.version);
    let done = step(&app, &job, async |_, _, _| Ok(Progress::End)).await.unwrap();
    assert_eq!(done.status, JobStatus::Finished);
}

#[tokio::test]
async fn a_job_that_was_lost_is_neither_kept_nor_written() {
    let directory = tempfile::tempdir().unwrap();
    let (app, _) = open(&directory).await;
    let lost = taken(&app).await;
    fall_silent(&app, &lost).await;
    let taken_over = app.next_job().await.unwrap().expect("a silent server loses its job");
    assert_eq!(taken_over.id, lost.id);
    fall_silent(&app, &taken_over).await;
    let long = tokio::time::sleep(Duration::from_millis(200));
    app.holding(&lost, Duration::from_millis(10), long).await;
    assert!(stored(&app, &lost).await.is_free(app.now()), "whoever lost it keeps it from others");
    let late = step(&app, &lost, async |_, _, _| Ok(Progress::End)).await;
    assert!(matches!(late, Err(Failure::Store(StoreError::Locked(_)))), "{late:?}");
    assert_eq!(stored(&app, &lost).await.version, taken_over.version);
    let done = step(&app, &taken_over, async |_, _, _| Ok(Progress::End)).await.unwrap();
    assert_eq!(done.status, JobStatus::Finished);
}
