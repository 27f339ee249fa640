use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Duration as Span;
use fairlead_domain::context::Event;
use fairlead_domain::customer::{
    Customer, CustomerDetails, CustomerTies, OwnerLoad, OwnershipCause, OwnershipChange,
};
use fairlead_domain::organisation::User;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::Line;
use fairlead_persistence::Predicate;
use secrecy::SecretString;

use super::*;
use crate::{admin, customers, users};

const EMAIL: &str = "admin@example.com";

pub(crate) async fn open(directory: &tempfile::TempDir) -> (App, Call) {
    let config = AppConfig {
        database: DatabaseConfig {
            url: SecretString::from(format!("sqlite:{}", directory.path().join("test.db").display())),
            max_connections: 2,
            acquire_timeout_ms: 5_000,
        },
        files: FilesConfig::folder(&directory.path().join("files")),
        issuer: "fairlead".to_owned(),
        audience: "fairlead".to_owned(),
        access_token_minutes: 10,
        refresh_token_days: 30,
        password_memory_kib: 64,
        hashing_threads: 1,
        webhook_targets: fairlead_domain::webhook::Targets::default(),
    };
    let app = App::open(config).await.unwrap();
    app.migrate().await.unwrap();
    admin::create_first_administrator(&app, EMAIL, "Admin", "a-password-for-tests".into()).await.unwrap();
    let (user, _) = app.store().credentials(EMAIL).await.unwrap().unwrap();
    (app, Call::new(Caller { user, session: None }, "test"))
}

/// Something that access depends on changes.
async fn change_access(app: &App, call: &Call) {
    let mut work = app.store().begin(app.author(None, "test"), None).await.unwrap();
    users::note_password(&mut work, call.caller.user);
    work.commit(None).await.unwrap();
}

#[tokio::test]
async fn a_read_outlasts_many_changes_of_access() {
    let directory = tempfile::tempdir().unwrap();
    let (app, call) = open(&directory).await;
    let times = std::cell::Cell::new(0);
    let read = app.read(&call, async |_, reader| {
        times.set(times.get() + 1);
        if times.get() < SNAPSHOTS {
            change_access(&app, &call).await;
        }
        Ok(reader.settle().await?)
    });
    read.await.unwrap();
    assert_eq!(times.get(), SNAPSHOTS);
}

/// How often a write is tried that always ends in the same way, and how it ends at last.
async fn tries(error: fn() -> StoreError) -> (usize, Failure) {
    let directory = tempfile::tempdir().unwrap();
    let (app, call) = open(&directory).await;
    let times = std::cell::Cell::new(0);
    let written = app.write(&call, async |_, _| -> Result<(), Failure> {
        times.set(times.get() + 1);
        Err(error().into())
    });
    let failure = written.await.unwrap_err();
    (times.get(), failure)
}

#[tokio::test]
async fn what_others_are_in_the_way_of_is_tried_again() {
    let (times, failure) = tries(|| StoreError::Stale).await;
    assert!(matches!(failure, Failure::Store(error) if error.is_unavailable()));
    assert_eq!(times, SNAPSHOTS);
    assert_eq!(tries(|| StoreError::Conflict).await.0, ATTEMPTS);
    let (times, failure) = tries(|| StoreError::Locked("a lock".to_owned())).await;
    assert!(matches!(failure, Failure::Store(error) if error.is_unavailable()));
    assert_eq!(times, 1);
    let refused = || StoreError::Refused(Refusal::new(Code::InUse, "in use"));
    assert_eq!(tries(refused).await.0, 1);
}

/// The last line behind locks and `If-Match`.
#[tokio::test]
async fn what_has_changed_meanwhile_is_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let (app, call) = open(&directory).await;
    let mut work = app.store().begin(app.author(None, "test"), None).await.unwrap();
    let before: User = work.load(call.caller.user).await.unwrap().unwrap();
    let renamed = |name: &str| {
        let mut user = before.clone();
        user.details.display_name = Line::new(name);
        user
    };
    let mut after = renamed("First");
    work.save(&before, &mut after, Event("user.updated")).await.unwrap();
    let written = work.save(&before, &mut renamed("Second"), Event("user.updated")).await;
    assert!(matches!(written, Err(StoreError::Conflict)), "{written:?}");
    let deleted = work.delete(&before, Event("user.deleted")).await;
    assert!(matches!(deleted, Err(StoreError::Conflict)), "{deleted:?}");
    let former = after.clone();
    after.details.display_name = Line::new("Third");
    work.save(&former, &mut after, Event("user.updated")).await.unwrap();
    assert_eq!(after.version, before.version + 2);
}

/// An edit without a change leaves no version behind; whatever else happened is written although no member says so.
#[tokio::test]
async fn an_edit_that_changes_nothing_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let (app, call) = open(&directory).await;
    let events = async || {
        let work = app.store().begin(app.author(None, "test"), None).await.unwrap();
        let events = work.count("audit_events", Predicate::True).await.unwrap();
        let told = work.count("outbox", Predicate::True).await.unwrap();
        work.roll_back().await.unwrap();
        (events, told)
    };
    let (epoch, (audited, told)) = (app.store().epoch().await.unwrap(), events().await);
    let mut work = app.store().begin(app.author(None, "test"), None).await.unwrap();
    let before: User = work.load(call.caller.user).await.unwrap().unwrap();
    let mut after = before.clone();
    work.save(&before, &mut after, Event("user.updated")).await.unwrap();
    assert_eq!(after, before);
    work.commit(None).await.unwrap();
    // Nor is anybody judged anew.
    assert_eq!((app.store().epoch().await.unwrap(), events().await), (epoch, (audited, told)));

    let mut work = app.store().begin(app.author(None, "test"), None).await.unwrap();
    work.save(&before, &mut after, Event("user.enabled")).await.unwrap();
    work.commit(None).await.unwrap();
    assert_eq!((after.version, events().await), (before.version + 1, (audited + 1, told + 1)));
}

/// A clock that is looked at every other second.
#[derive(Debug)]
struct Ticking {
    from: Timestamp,
    looks: AtomicI64,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let seconds = 2 * self.looks.fetch_add(1, Ordering::Relaxed);
        Timestamp::new(self.from.instant() + Span::seconds(seconds))
    }
}

/// Whoever waits for others through midnight has their turn on the next day: what they are told of claims goes by the day
/// that claims are judged by.
#[tokio::test]
async fn what_a_write_tells_of_claims_goes_by_the_day_on_which_it_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let (app, call) = open(&directory).await;
    let day = NaiveDate::from_ymd_opt(2026, 6, 2).unwrap();
    let midnight = app.organisation().await.unwrap().midnight(day).instant();
    let from = |seconds| {
        let from = Timestamp::new(midnight + Span::seconds(seconds));
        app.with_story(Arc::new(Ticking { from, looks: AtomicI64::new(0) }), Arc::new(new_id))
    };
    let form: CustomerDetails = serde_json::from_value(json!({"kind": "company", "name": "Acme"})).unwrap();
    let form = Valid::check(form).unwrap();
    let early = from(-60);
    let made = early.write(&call, async |ctx, work| {
        let made = Customer::new(ctx, work.new_id(), form.clone(), None, OwnershipCause::Created)?;
        let id = customers::insert(work, made).await?.id;
        let claimed = OwnershipChange {
            customer_id: id,
            from: None,
            to: Some(ctx.actor.id),
            cause: OwnershipCause::Claimed,
            reason: None,
        };
        work.note_ownership(&claimed, None).await?;
        Ok(id)
    });
    let Done::Fresh(id) = made.await.unwrap() else { panic!("nothing was done before") };
    let claimed = async |app: App| {
        let found = app.write(&call, async |ctx, work| {
            let customer = work.load::<Customer>(id).await?.unwrap();
            let told: CustomerTies = work.ties(&customer).await?;
            let judged: OwnerLoad = work.owner_load(ctx.actor.id, ctx.day_began()).await?;
            Ok((told.caller.claimed_today, judged.claimed_today))
        });
        let Done::Fresh(found) = found.await.unwrap() else { panic!("nothing was done before") };
        found
    };
    assert_eq!(claimed(from(-10)).await, (1, 1));
    assert_eq!(claimed(from(10)).await, (0, 0));
    let (told, judged) = claimed(from(-1)).await;
    assert_eq!(told, judged);
}
