//! Logging in, staying logged in, logging out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use fairlead_domain::access::Grant;
use fairlead_domain::context::Event;
use fairlead_domain::error::{Code, Refusal, Rule};
use fairlead_domain::organisation::{Locale, User, UserRef, UserStatus};
use fairlead_domain::record::RecordKind;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Email, SessionId, Timestamp, UserId};
use fairlead_persistence::access::SessionRow;
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Read};
use crate::clock::new_id;
pub use crate::passwords::Password;
pub use crate::tokens::{Jwk, Jwks};

/// What logging in takes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "rep.east@demo.fairlead.example",
    "password": "demo-password"
}))]
pub struct LoginForm {
    /// The user's e-mail address, in any case.
    #[validate(nested)]
    pub email: Email,
    /// The password.
    #[schema(inline, max_length = 200)]
    pub password: LoginPassword,
}

/// A password of any form: whether it fits is decided by its hash alone.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password, max_length = 200, example = "demo-password")]
pub struct LoginPassword(secrecy::SecretString);

impl std::fmt::Debug for LoginPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginPassword")
    }
}

/// What renewing takes.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshForm {
    /// The newest refresh token that the client has got.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, example = "Zm9yLWV4YW1wbGUtb25seS1uby1yZWFsLXRva2VuISE")]
    pub refresh_token: String,
}

impl std::fmt::Debug for RefreshForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshForm")
    }
}

/// What a login or a renewal gives.
#[derive(Clone, Serialize, ToSchema)]
pub struct TokenPair {
    /// Send it as `Authorization: Bearer ...`.
    #[schema(max_length = 2000)]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 10, example = "Bearer")]
    pub token_type: String,
    /// For how many seconds the access token lasts.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    pub expires_in: i64,
    /// Gives the next pair; takes the place of the one that was sent.
    #[schema(max_length = 100)]
    pub refresh_token: String,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair")
    }
}

/// A login session of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last renewed; until then, when it began. Requests with an access token do not change it.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The address from which it began.
    #[schema(max_length = 100)]
    pub client: String,
    /// Whether this request belongs to it.
    pub current: bool,
}

/// The caller's sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions, the last renewed first.
    #[schema(max_items = 100)]
    pub data: Vec<Session>,
}

/// The caller, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The user.
    #[serde(flatten)]
    pub user: UserRef,
    /// The address to log in with.
    pub email: Email,
    /// The user's roles.
    #[schema(max_items = 10)]
    pub roles: Vec<fairlead_domain::access::RoleKey>,
    /// The language that the user reads. Clients send it as `Accept-Language`; without that header messages are in
    /// English, whatever it is.
    pub locale: Locale,
    /// Every permission, with its reach.
    #[schema(max_items = 200)]
    pub permissions: Vec<Grant>,
}

struct RefreshToken {
    text: String,
    hash: [u8; 32],
}

impl RefreshToken {
    /// 256 bits that nobody can guess; only the hash is kept.
    fn new() -> Self {
        let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self { hash: Self::hash(&text), text }
    }

    fn hash(text: &str) -> [u8; 32] {
        Sha256::digest(text).into()
    }
}

impl App {
    fn pair(&self, session: &SessionRow, refresh: RefreshToken) -> Result<TokenPair, Failure> {
        let (tokens, now) = (&self.inner.tokens, self.now());
        // No token outlives its session.
        let left = (session.expires_at.millis() - now.millis()) / 1000;
        let lifetime = tokens.lifetime.min(left).max(1);
        Ok(TokenPair {
            access_token: tokens.issue(session.user_id, session.id, new_id(), now, lifetime)?,
            token_type: "Bearer".to_owned(),
            expires_in: lifetime,
            refresh_token: refresh.text,
        })
    }
}

/// Logs in. The answer to a wrong password and to an unknown address is the same, and takes as long.
pub async fn login(
    app: &App,
    request_id: &str,
    client: &str,
    form: Valid<LoginForm>,
) -> Result<TokenPair, Failure> {
    let email = form.email.normalised();
    let attempt = app.inner.throttle.admit(&email, client, app.now()).await?;
    let outcome = enter(app, request_id, client, &email, &form).await;
    match &outcome {
        Ok(_) => attempt.succeeded(),
        Err(Failure::Refused(refusal)) if refusal.code == Code::InvalidCredentials => attempt.failed(),
        Err(_) => {}
    }
    outcome
}

async fn enter(
    app: &App,
    request_id: &str,
    client: &str,
    email: &str,
    form: &LoginForm,
) -> Result<TokenPair, Failure> {
    let refused = || {
        Refusal::new(Code::InvalidCredentials, "e-mail or password is wrong, or the account may not log in")
    };
    let (user, hash) = app.store().credentials(email).await?.unzip();
    let fits = app.inner.passwords.verify(&form.password.0, hash.clone()).await?;
    let org = app.reload_organisation().await?;
    let user = user.filter(|user| fits && org.actor(*user).is_some()).ok_or_else(refused)?;

    let refresh = RefreshToken::new();
    let caller = crate::call::Caller { user, session: None };
    let mut work = app.store().begin(app.author(Some(caller), request_id), None).await?;
    // Checking a password takes long enough for it to be replaced, or for the account to be disabled, meanwhile.
    let held: Option<User> = work.hold(Predicate::Is("id", user.0.into())).await?;
    let active = held.is_some_and(|user| user.status == UserStatus::Active);
    if !active || work.password_hash(user).await? != hash {
        work.roll_back().await?;
        return Err(refused().into());
    }
    let now = work.now();
    let session = SessionRow {
        id: work.new_id(),
        user_id: user,
        created_at: now,
        last_used_at: now,
        expires_at: now.plus(Duration::days(app.inner.config.refresh_token_days)),
        client: client.chars().take(100).collect(),
        ended_at: None,
    };
    work.insert_session(&session).await?;
    work.insert_refresh_token(refresh.hash, session.id, None).await?;
    note(&mut work, Event("session.began"), session.id, user);
    work.commit(None).await?;
    app.pair(&session, refresh)
}

fn note(work: &mut Work, event: Event, session: SessionId, user: UserId) {
    let data = serde_json::json!({ "id": session, "user_id": user });
    work.note_changes(event, RecordKind::Session, session.0, serde_json::Map::new(), data);
}

/// Renews a session's tokens. A refresh token that comes again when it gives no pair any more was stolen: the session
/// ends.
pub async fn refresh(app: &App, request_id: &str, form: Valid<RefreshForm>) -> Result<TokenPair, Failure> {
    let invalid =
        || Refusal::new(Code::InvalidRefreshToken, "the refresh token is unknown, expired or was used");
    let hash = RefreshToken::hash(&form.refresh_token);
    let mut work = app.store().begin(app.author(None, request_id), None).await?;
    let now = work.now();
    let Some(found) = work.use_refresh_token(hash).await? else {
        work.roll_back().await?;
        return Err(invalid().into());
    };
    let session = found.session;
    if session.ended_at.is_some() || session.expires_at <= now {
        work.roll_back().await?;
        return Err(invalid().into());
    }
    if !found.past.renews(now) {
        work.end_session(session.user_id, session.id).await?;
        note(&mut work, Event("session.revoked"), session.id, session.user_id);
        work.commit(None).await?;
        return Err(invalid().into());
    }
    if app.reload_organisation().await?.actor(session.user_id).is_none() {
        work.roll_back().await?;
        return Err(invalid().into());
    }
    let next = RefreshToken::new();
    work.insert_refresh_token(next.hash, session.id, Some(hash)).await?;
    work.touch_session(session.id).await?;
    work.commit(None).await?;
    app.pair(&session, next)
}

/// Ends the caller's session: its tokens, the access token as well, are refused from now on.
pub async fn logout(app: &App, call: &Call) -> Result<(), Failure> {
    match call.caller.session {
        Some(session) => end(app, call, session).await,
        None => Ok(()),
    }
}

/// Ends one of the caller's sessions.
pub async fn end(app: &App, call: &Call, session: SessionId) -> Result<(), Failure> {
    app.write(call, async |ctx, work| {
        if !work.end_session(ctx.actor.id, session).await? {
            return Err(Refusal::not_found().into());
        }
        note(work, Event("session.ended"), session, ctx.actor.id);
        Ok(())
    })
    .await?;
    Ok(())
}

/// The caller's sessions.
pub async fn list(app: &App, call: &Call) -> Read<SessionList> {
    let rows = app.read(call, async |ctx, _| Ok(app.store().sessions(ctx.actor.id, ctx.now).await?)).await?;
    let session = |row: SessionRow| Session {
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        client: row.client,
        current: call.caller.session == Some(row.id),
    };
    Ok(SessionList { data: rows.into_iter().map(session).collect() })
}

/// The caller.
pub async fn me(app: &App, call: &Call) -> Read<Me> {
    app.read(call, async |ctx, _| {
        let id = ctx.actor.id;
        let (Some(user), Some(details)) = (ctx.org.user_ref(id), ctx.org.user(id).map(|user| &user.details))
        else {
            return Err(Refusal::not_found().into());
        };
        Ok(Me {
            user,
            email: details.email.clone(),
            roles: details.roles.clone(),
            locale: details.locale,
            permissions: ctx.actor.grants().collect(),
        })
    })
    .await
}

/// The keys that verify access tokens.
#[expect(clippy::unused_async, reason = "asked like every other use case")]
pub async fn jwks(app: &App) -> Read<Jwks> {
    Ok(app.inner.tokens.jwks())
}

/// What changing one's own password takes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    /// The present password.
    #[schema(inline, max_length = 200)]
    pub current_password: LoginPassword,
    /// The new one.
    #[validate(nested)]
    #[schema(inline)]
    pub new_password: Password,
}

/// Changes the caller's password and ends their other sessions.
pub async fn change_password(app: &App, call: &Call, form: Valid<PasswordForm>) -> Result<(), Failure> {
    let user = call.caller.user;
    // Guessing at the present password is slowed down like guessing at a login.
    let account = user.to_string();
    let attempt = app.inner.throttle.admit(&account, &account, app.now()).await?;
    let wrong = || Refusal::invalid("/current_password", Rule::WrongPassword, "is not the present password");
    let known = app.read(call, async |_, _| Ok(app.store().password_hash(user).await?)).await?;
    if !app.inner.passwords.verify(&form.current_password.0, known.clone()).await? {
        attempt.failed();
        return Err(wrong().into());
    }
    attempt.succeeded();
    let hash = app.inner.passwords.hash(form.new_password.secret()).await?;
    app.write(call, async |ctx, work| {
        // Locked against whoever logs in, or replaces the password, meanwhile.
        work.load::<User>(ctx.actor.id).await?;
        if work.password_hash(ctx.actor.id).await? != known {
            return Err(wrong().into());
        }
        work.put_password(ctx.actor.id, &hash).await?;
        work.end_sessions(ctx.actor.id, call.caller.session).await?;
        crate::users::note_password(work, ctx.actor.id);
        Ok(())
    })
    .await?;
    Ok(())
}
