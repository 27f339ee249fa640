//! The application: the database, the clock and the keys, and the frame in which every use case runs.

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::NaiveDate;
use fairlead_domain::access::Actor;
use fairlead_domain::context::Context;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::organisation::Organisation;
use fairlead_domain::values::Timestamp;
use fairlead_domain::webhook::Targets;
use fairlead_persistence::files::{Files, FilesConfig};
use fairlead_persistence::{
    Author, Claim, CursorKey, Guard, Location, NewId, Owner, Reader, Store, StoreError, Work,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::{Call, Caller, Done, Failure, Read, Written};
use crate::clock::{Clock, SystemClock, new_id};
use crate::events::News;
use crate::passwords::Passwords;
use crate::throttle::{PATIENCE, Throttle};
use crate::tokens::Tokens;
use crate::webhooks::Outbound;

/// How often something is tried when others are in its way.
const ATTEMPTS: usize = 5;
/// How often something is tried when the organisation keeps changing: each time only the snapshot was too old.
const SNAPSHOTS: usize = 25;

/// Where the data is and how access works.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// The database.
    pub database: DatabaseConfig,
    /// Who issues access tokens (`iss`).
    pub issuer: String,
    /// For whom access tokens are (`aud`).
    pub audience: String,
    /// How long an access token lasts.
    pub access_token_minutes: i64,
    /// How long a login lasts at most.
    pub refresh_token_days: i64,
    /// Where files are.
    pub files: FilesConfig,
    /// How much memory one password hash takes, in KiB.
    pub password_memory_kib: u32,
    /// How many passwords are hashed at once.
    pub hashing_threads: usize,
    /// Where webhooks may lead.
    pub webhook_targets: Targets,
}

/// Where the database is.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `sqlite:<file>` or `postgres://...`; may hold a password.
    pub url: SecretString,
    /// How many connections at most.
    pub max_connections: u32,
    /// How long a request waits for a connection, in milliseconds.
    pub acquire_timeout_ms: u64,
}

/// Why the application could not be opened.
#[derive(Debug)]
pub struct OpenError(String);

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// The application. Clones share everything.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
    clock: Arc<dyn Clock>,
    new_id: NewId,
}

pub(crate) struct Inner {
    pub(crate) store: RwLock<Store>,
    pub(crate) config: AppConfig,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: Passwords,
    pub(crate) files: Files,
    pub(crate) outbound: Outbound,
    pub(crate) throttle: Throttle,
    /// The newest snapshot that was read. Whoever uses it has the database confirm its epoch.
    organisation: RwLock<Option<Arc<Organisation>>>,
    /// For which day, and by which setting, dormant customers were looked for.
    pub(crate) swept: Mutex<Option<(NaiveDate, Option<i64>)>>,
    /// Wakes whoever does jobs.
    pub(crate) wake: tokio::sync::Notify,
    /// Wakes whoever does what falls due.
    pub(crate) due: tokio::sync::Notify,
    /// Tells whoever takes deliveries of webhooks that some are through.
    pub(crate) arrived: tokio::sync::Notify,
    /// Tells whoever follows events that there are new ones.
    pub(crate) news: News,
    /// Held by the one write that is being repeated.
    turn: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// Opens the database; a SQLite file is made when it is not there. Its schema may still be missing: see
    /// [`App::migrate`].
    pub async fn open(config: AppConfig) -> Result<Self, OpenError> {
        Self::open_or(config, true).await
    }

    /// Opens a database that is there.
    pub async fn open_existing(config: AppConfig) -> Result<Self, OpenError> {
        Self::open_or(config, false).await
    }

    async fn open_or(config: AppConfig, create: bool) -> Result<Self, OpenError> {
        let location = Location {
            url: config.database.url.expose_secret(),
            max_connections: config.database.max_connections,
            acquire_timeout: Duration::from_millis(config.database.acquire_timeout_ms),
            create,
        };
        // Until the keys are loaded nobody can have a cursor.
        let store = Store::open(&location, CursorKey([0; 32])).await?;
        let passwords = Passwords::new(config.password_memory_kib, config.hashing_threads, PATIENCE)
            .map_err(|error| OpenError(format!("password hashing: {error}")))?;
        let inner = Inner {
            store: RwLock::new(store),
            tokens: Tokens::new(&config),
            passwords,
            files: Files::open(&config.files)?,
            outbound: Outbound::new(config.webhook_targets),
            throttle: Throttle::new(PATIENCE),
            organisation: RwLock::new(None),
            config,
            swept: Mutex::new(None),
            wake: tokio::sync::Notify::new(),
            due: tokio::sync::Notify::new(),
            arrived: tokio::sync::Notify::new(),
            news: News::default(),
            turn: tokio::sync::Mutex::new(()),
        };
        let app = Self { inner: Arc::new(inner), clock: Arc::new(SystemClock), new_id: Arc::new(new_id) };
        if app.ready().await.is_ok() {
            app.load_keys().await?;
        }
        Ok(app)
    }

    /// Applies what is missing of the schema, and makes the keys, roles, settings and approval flows that everything
    /// needs. Says how many steps there were.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let applied = self.store().migrate().await?;
        self.load_keys().await?;
        self.bring_built_in_roles().await?;
        self.bring_first_settings().await?;
        self.bring_new_flows().await?;
        Ok(applied)
    }

    /// The schema's steps and whether each was applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, StoreError> {
        self.store().migrations().await
    }

    async fn load_keys(&self) -> Result<(), StoreError> {
        let cursor_key = self.inner.tokens.load(self).await?;
        let mut store = self.inner.store.write().unwrap_or_else(PoisonError::into_inner);
        *store = store.clone().with_cursor_key(cursor_key);
        Ok(())
    }

    /// The same application with another clock and other ids of what is written: demo data happened in the past, and
    /// some of it is known by name.
    #[must_use]
    pub(crate) fn with_story(&self, clock: Arc<dyn Clock>, new_id: NewId) -> Self {
        Self { inner: Arc::clone(&self.inner), clock, new_id }
    }

    /// Whether requests can be answered: the database is there and has our schema.
    pub async fn ready(&self) -> Result<(), Failure> {
        Ok(self.store().ready().await?)
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.store().close().await;
    }

    /// An id for what is made outside of a transaction.
    pub(crate) fn new_id<T: From<Uuid>>(&self) -> T {
        (self.new_id)().into()
    }

    /// An id for a request that brought none.
    pub fn new_request_id(&self) -> String {
        new_id().to_string()
    }

    /// Who a token says the caller is. What they may do is looked up by each use case.
    pub fn verify_token(&self, token: &str) -> Result<Caller, Refusal> {
        self.inner.tokens.verify(token, self.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn store(&self) -> Store {
        self.inner.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest snapshot that we have.
    pub(crate) async fn organisation(&self) -> Result<Arc<Organisation>, StoreError> {
        let known = self.inner.organisation.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(organisation) => Ok(organisation),
            None => self.reload_organisation().await,
        }
    }

    pub(crate) async fn reload_organisation(&self) -> Result<Arc<Organisation>, StoreError> {
        let fresh = Arc::new(self.store().organisation().await?);
        let mut known = self.inner.organisation.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.epoch <= fresh.epoch) {
            *known = Some(Arc::clone(&fresh));
        }
        Ok(fresh)
    }

    pub(crate) fn author(&self, caller: Option<Caller>, request_id: &str) -> Author {
        let clock = Arc::clone(&self.clock);
        Author {
            user: caller.map(|caller| caller.user),
            request_id: Some(request_id.to_owned()),
            clock: Arc::new(move || clock.now()),
            new_id: Arc::clone(&self.new_id),
        }
    }

    /// Runs a use case that reads. If the organisation turns out to have changed meanwhile, it runs again.
    pub(crate) async fn read<V>(
        &self,
        call: &Call,
        case: impl AsyncFn(&Context<'_>, &Reader<'_>) -> Result<V, Failure>,
    ) -> Read<V> {
        self.look(Some(call.caller), case).await
    }

    /// The same, for Fairlead itself when there is no caller.
    pub(crate) async fn look<V>(
        &self,
        caller: Option<Caller>,
        case: impl AsyncFn(&Context<'_>, &Reader<'_>) -> Result<V, Failure>,
    ) -> Read<V> {
        let now = self.now();
        let store = self.store();
        for attempt in 1.. {
            let org = self.organisation().await?;
            let reader = store.read(guard(&org, caller)).asked_by(owner(&org, caller, now));
            let outcome = match actor(&org, caller) {
                Ok(actor) => case(&Context { actor: &actor, org: &org, now }, &reader).await,
                Err(refusal) => Err(refusal.into()),
            };
            // A refusal, too, must not rest on what is no longer so.
            let settled = match &outcome {
                Err(Failure::Store(_)) => Ok(()),
                _ => reader.settle().await,
            };
            match settled.map_err(Failure::from).and(outcome) {
                Err(Failure::Store(error)) if attempt < attempts(&error) => {
                    self.reload_organisation().await?;
                }
                outcome => return outcome.map_err(spoken),
            }
        }
        Err(Failure::Store(StoreError::Conflict))
    }

    /// Runs a use case that writes, in one transaction with everything that it leaves behind. If others were
    /// in its way, or the organisation changed, it runs again from the start.
    pub(crate) async fn write<V: Serialize>(
        &self,
        call: &Call,
        case: impl AsyncFn(&Context<'_>, &mut Work) -> Result<V, Failure>,
    ) -> Written<V> {
        self.repeat(async || self.attempt(call, &case).await).await
    }

    /// Runs what Fairlead does by itself, in one transaction.
    pub(crate) async fn act<V>(
        &self,
        name: &str,
        case: impl AsyncFn(&Context<'_>, &mut Work) -> Result<V, Failure>,
    ) -> Read<V> {
        self.repeat(async || {
            let org = self.organisation().await?;
            let guard = guard(&org, None);
            let mut work = self.store().begin(self.author(None, name), Some(guard)).await?;
            let now = work.now();
            match case(&Context { actor: &Actor::system(), org: &org, now }, &mut work).await {
                Ok(value) => {
                    work.commit(None).await?;
                    Ok(value)
                }
                Err(failure) => {
                    // What failed first is told.
                    let _ = work.roll_back().await;
                    Err(failure)
                }
            }
        })
        .await
    }

    async fn repeat<V>(&self, attempt: impl AsyncFn() -> Result<V, Failure>) -> Result<V, Failure> {
        let mut turn = None;
        for time in 1.. {
            match attempt().await {
                Err(Failure::Store(error)) if time < attempts(&error) => {
                    // One after the other from here on: many who repeat at once, each changing what the others
                    // were judged by, would keep each other from ever getting through.
                    if turn.is_none() {
                        turn = Some(self.inner.turn.lock().await);
                    }
                    self.reload_organisation().await?;
                }
                outcome => return outcome.map_err(spoken),
            }
        }
        Err(Failure::Store(StoreError::Conflict))
    }

    async fn attempt<V: Serialize>(
        &self,
        call: &Call,
        case: &impl AsyncFn(&Context<'_>, &mut Work) -> Result<V, Failure>,
    ) -> Written<V> {
        let org = self.organisation().await?;
        let guard = guard(&org, Some(call.caller));
        let author = self.author(Some(call.caller), &call.request_id);
        let work = self.store().begin(author, Some(guard)).await?;
        let now = work.now();
        let mut work = work.asked_by(owner(&org, Some(call.caller), now));
        let actor = actor(&org, Some(call.caller))?;
        // A dry run leaves nothing behind, so there is nothing to repeat.
        if !call.dry_run
            && let Some(answer) = claim(&mut work, call, &actor).await?
        {
            return answer.map(Done::Replayed);
        }
        match case(&Context { actor: &actor, org: &org, now }, &mut work).await {
            Ok(view) if call.dry_run => {
                work.roll_back().await?;
                Ok(Done::Fresh(view))
            }
            Ok(view) => {
                let answer = call.idempotency.is_some().then(|| json!({ "ok": &view }));
                work.commit(answer.as_ref()).await?;
                Ok(Done::Fresh(view))
            }
            Err(failure) => {
                // A database that failed may have given the work up by itself: what failed first is told.
                let undone = work.roll_back().await;
                match spoken(failure) {
                    Failure::Refused(refusal) => {
                        undone?;
                        self.keep_refusal(call, &actor, refusal).await
                    }
                    failure => Err(failure),
                }
            }
        }
    }

    /// A refusal is an answer as well: under the same key it is given again.
    async fn keep_refusal<V>(&self, call: &Call, actor: &Actor, refusal: Refusal) -> Written<V> {
        if call.dry_run || call.idempotency.is_none() || refusal.code == Code::IdempotencyInProgress {
            return Err(refusal.into());
        }
        let author = self.author(Some(call.caller), &call.request_id);
        let mut work = self.store().begin(author, None).await?;
        if let Some(answer) = claim(&mut work, call, actor).await? {
            return answer.map(Done::Replayed);
        }
        let answer = json!({ "refused": refusal });
        work.commit(Some(&answer)).await?;
        Err(refusal.into())
    }
}

/// By what a request is judged.
fn guard(org: &Organisation, caller: Option<Caller>) -> Guard {
    Guard { epoch: org.epoch, session: caller.and_then(|caller| caller.session) }
}

/// Who asks, as somebody who owns customers.
fn owner(org: &Organisation, caller: Option<Caller>, now: Timestamp) -> Option<Owner> {
    caller.map(|caller| Owner { user: caller.user, day_began: org.day_began(now) })
}

/// Who acts: the caller, if they still may, or Fairlead itself.
fn actor(org: &Organisation, caller: Option<Caller>) -> Result<Arc<Actor>, Refusal> {
    match caller {
        Some(caller) => org.actor(caller.user).ok_or_else(no_longer),
        None => Ok(Arc::new(Actor::system())),
    }
}

async fn claim(
    work: &mut Work,
    call: &Call,
    actor: &Actor,
) -> Result<Option<Result<Value, Failure>>, Failure> {
    let Some(key) = &call.idempotency else { return Ok(None) };
    match work.claim(call.caller.user, &key.key, key.fingerprint).await? {
        Claim::Fresh => Ok(None),
        Claim::Answered(mut answer) => {
            call.may_be_repeated(actor)?;
            if let Some(view) = answer.get_mut("ok") {
                return Ok(Some(Ok(view.take())));
            }
            let refusal = serde_json::from_value(answer["refused"].take())
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            Ok(Some(Err(Failure::Replayed(refusal))))
        }
    }
}

/// How often to try in all what ended like this.
fn attempts(error: &StoreError) -> usize {
    match error {
        StoreError::Stale => SNAPSHOTS,
        StoreError::Conflict => ATTEMPTS,
        _ => 1,
    }
}

/// What the database refuses by a constraint is a refusal like any other; an ended session is nobody's.
fn spoken(failure: Failure) -> Failure {
    match failure {
        Failure::Store(StoreError::Refused(refusal)) => Failure::Refused(refusal),
        Failure::Store(StoreError::SessionEnded) => Failure::Refused(no_longer()),
        other => other,
    }
}

pub(crate) fn no_longer() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the session has ended, or the account may not log in")
}
