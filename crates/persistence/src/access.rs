//! What logging in and judging access need: the organisation, credentials, sessions, keys.

use fairlead_domain::customer::Collaborator;
use fairlead_domain::organisation::{Organisation, Parts};
use fairlead_domain::session::Past;
use fairlead_domain::values::{SessionId, Timestamp, UserId};
use sea_orm::Value;

use crate::error::StoreError;
use crate::lane::Reads;
use crate::member::{Member, Row, only};
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::Kept;
use crate::work::Work;

/// A login session.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last renewed.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// From where it began.
    pub client: String,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

const SESSION: &str = "id, user_id, created_at, last_used_at, expires_at, client, ended_at";

fn session(row: &mut Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: row.member()?,
        user_id: row.member()?,
        created_at: row.member()?,
        last_used_at: row.member()?,
        expires_at: row.member()?,
        client: row.member()?,
        ended_at: row.member()?,
    })
}

/// A refresh token that is known.
#[derive(Debug, Clone)]
pub struct RefreshTokenRow {
    /// Its session.
    pub session: SessionRow,
    /// What became of it before.
    pub past: Past,
}

/// A key that signs access tokens.
pub struct SigningKeyRow {
    /// Its id.
    pub kid: String,
    /// The private key.
    pub secret: Vec<u8>,
}

/// Sessions that are over.
const OVER: &str = "SELECT id FROM sessions WHERE (expires_at < $1 OR ended_at < $1)";

const SIGNING_KEYS: &str = "SELECT kid, secret FROM signing_keys ORDER BY created_at DESC, kid";

fn signing_key(row: &mut Row) -> Result<SigningKeyRow, StoreError> {
    Ok(SigningKeyRow { kid: row.column()?, secret: row.column()? })
}

const PASSWORD_HASH: &str = "SELECT password_hash FROM credentials WHERE user_id = $1";

async fn every<T: Kept>(reads: &Reads) -> Result<Vec<T>, StoreError> {
    let table = T::table();
    let sql = Sql::new(format!("SELECT {} FROM {} ORDER BY id", table.selection, table.name));
    let rows = reads.all(sql).await?;
    rows.iter().map(|row| T::take(&mut Row::new(row))).collect()
}

impl Store {
    async fn first<T>(
        &self,
        text: &str,
        values: Vec<Value>,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.reader.one(Sql::with(text, values)).await?.map(|row| each(&mut Row::new(&row))).transpose()
    }

    /// The number of the last change that access depends on.
    pub async fn epoch(&self) -> Result<i64, StoreError> {
        let epoch = self.first("SELECT epoch FROM organisation WHERE id = 1", vec![], only).await?;
        epoch.ok_or_else(|| StoreError::Corrupt("no organisation".to_owned()))
    }

    /// Reads everything that access and rules depend on. The epoch is read first: what changes meanwhile makes
    /// the snapshot stale, never wrong for good.
    pub async fn organisation(&self) -> Result<Organisation, StoreError> {
        let epoch = self.epoch().await?;
        let collaborators: Vec<Collaborator> = every(&self.reader).await?;
        let shared = collaborators
            .into_iter()
            .map(|it| (it.details.user_id, it.details.customer_id, it.details.access))
            .collect();
        let parts = Parts {
            settings: every(&self.reader).await?.into_iter().next(),
            users: every(&self.reader).await?,
            teams: every(&self.reader).await?,
            roles: every(&self.reader).await?,
            pools: every(&self.reader).await?,
            scoring_rules: every(&self.reader).await?,
            assignment_rules: every(&self.reader).await?,
            flows: every(&self.reader).await?,
            delegations: every(&self.reader).await?,
            shared,
        };
        Ok(Organisation::new(epoch, parts))
    }

    /// The user with an e-mail address and the hash of their password.
    pub async fn credentials(&self, email_key: &str) -> Result<Option<(UserId, String)>, StoreError> {
        let text = "SELECT users.id, credentials.password_hash FROM users \
                    JOIN credentials ON credentials.user_id = users.id WHERE users.email_key = $1";
        self.first(text, vec![email_key.into()], |row| Ok((row.member()?, row.column()?))).await
    }

    /// The hash of a user's password.
    pub async fn password_hash(&self, user: UserId) -> Result<Option<String>, StoreError> {
        self.first(PASSWORD_HASH, vec![user.0.into()], only).await
    }

    /// The sessions of a user that have not ended.
    pub async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
        let text = format!(
            "SELECT {SESSION} FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 \
             ORDER BY last_used_at DESC LIMIT 100"
        );
        let values = vec![user.0.into(), now.instant().into()];
        let rows = self.reader.all(Sql::with(text, values)).await?;
        rows.iter().map(|row| session(&mut Row::new(row))).collect()
    }

    /// The keys that sign access tokens, the newest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows = self.reader.all(Sql::new(SIGNING_KEYS)).await?;
        rows.iter().map(|row| signing_key(&mut Row::new(row))).collect()
    }
}

impl Work {
    /// Locks the organisation's row: whoever makes something that must exist once, or only so many times in all, does
    /// it under this lock.
    pub async fn lock_organisation(&self) -> Result<i64, StoreError> {
        let text = "UPDATE organisation SET epoch = epoch WHERE id = 1 RETURNING epoch";
        let epoch = self.first(text, vec![], only::<i64>).await?;
        epoch.ok_or_else(|| StoreError::Corrupt("no organisation".to_owned()))
    }

    /// Lets one change of access happen at a time, each judged by what the one before left: of two
    /// administrators who demote each other at once, one is refused.
    pub async fn lock_access(&self, judged_by: i64) -> Result<(), StoreError> {
        if self.lock_organisation().await? == judged_by { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// The keys that sign access tokens, the newest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        self.select(Sql::new(SIGNING_KEYS), signing_key).await
    }

    /// The hash of a user's password. It stays what it is while the user's row is held.
    pub async fn password_hash(&self, user: UserId) -> Result<Option<String>, StoreError> {
        self.first(PASSWORD_HASH, vec![user.0.into()], only).await
    }

    /// Keeps the hash of a user's password in place of the one before.
    pub async fn put_password(&self, user: UserId, hash: &str) -> Result<(), StoreError> {
        let text = "INSERT INTO credentials (user_id, password_hash, updated_at) VALUES ($1, $2, $3) \
                    ON CONFLICT (user_id) DO UPDATE \
                    SET password_hash = excluded.password_hash, updated_at = excluded.updated_at";
        self.execute(text, vec![user.0.into(), hash.into(), self.now().instant().into()]).await?;
        Ok(())
    }

    /// Begins a session.
    pub async fn insert_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        let text = format!("INSERT INTO sessions ({SESSION}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
        let mut values = Vec::new();
        session.id.put(&mut values);
        session.user_id.put(&mut values);
        session.created_at.put(&mut values);
        session.last_used_at.put(&mut values);
        session.expires_at.put(&mut values);
        session.client.put(&mut values);
        session.ended_at.put(&mut values);
        self.execute(&text, values).await?;
        Ok(())
    }

    /// Keeps a refresh token by its hash, with that of the one that gave it.
    pub async fn insert_refresh_token(
        &self,
        hash: [u8; 32],
        session: SessionId,
        parent: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO refresh_tokens (hash, session_id, parent_hash, created_at, used_at) \
                    VALUES ($1, $2, $3, $4, NULL)";
        let parent = parent.map(|hash| hash.to_vec());
        let values = vec![hash.to_vec().into(), session.0.into(), parent.into(), self.now().instant().into()];
        self.execute(text, values).await?;
        Ok(())
    }

    /// Looks a refresh token up, marks it as used unless it was, and locks its session. Answers with what it was
    /// before: of two callers at once, only one sees it unused.
    pub async fn use_refresh_token(&self, hash: [u8; 32]) -> Result<Option<RefreshTokenRow>, StoreError> {
        let text = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
        let hash: Value = hash.to_vec().into();
        let fresh = self.execute(text, vec![hash.clone(), self.now().instant().into()]).await? == 1;
        let text = "SELECT session_id, used_at FROM refresh_tokens WHERE hash = $1";
        let found = self
            .first(text, vec![hash.clone()], |row| {
                Ok((row.member::<SessionId>()?, row.member::<Option<Timestamp>>()?))
            })
            .await?;
        let Some((session_id, used_at)) = found else { return Ok(None) };
        // All that use tokens of one session do so one after the other, so that what is read below stays true until
        // the end. The session comes after its token, as it does where both are forgotten.
        let text = format!("SELECT {SESSION} FROM sessions WHERE id = $1{}", self.lock());
        let Some(session) = self.first(&text, vec![session_id.0.into()], session).await? else {
            return Ok(None);
        };
        let past = match used_at {
            Some(at) if !fresh => Past::Used { at, followed: self.is_followed(hash, session_id).await? },
            _ => Past::Unused,
        };
        Ok(Some(RefreshTokenRow { session, past }))
    }

    /// Whether one of the tokens that a refresh token gave was used.
    async fn is_followed(&self, hash: Value, session: SessionId) -> Result<bool, StoreError> {
        let text = "SELECT 1 FROM refresh_tokens \
                    WHERE session_id = $1 AND parent_hash = $2 AND used_at IS NOT NULL LIMIT 1";
        Ok(self.first(text, vec![session.0.into(), hash], |_| Ok(())).await?.is_some())
    }

    /// Forgets refresh tokens of sessions that are over, at most so many. Says how many there were. None of them is
    /// taken any more, whether it is known or not.
    pub async fn forget_refresh_tokens(&self, most: u64) -> Result<u64, StoreError> {
        let text = format!(
            "DELETE FROM refresh_tokens WHERE hash IN \
             (SELECT hash FROM refresh_tokens WHERE session_id IN ({OVER}) LIMIT {most})"
        );
        self.execute(&text, vec![self.now().instant().into()]).await
    }

    /// Forgets sessions that are over and have no refresh tokens any more, at most so many. Says how many there were.
    /// Access tokens of a session that is not known are refused like those of one that has ended.
    pub async fn forget_sessions(&self, most: u64) -> Result<u64, StoreError> {
        let text = format!(
            "DELETE FROM sessions WHERE id IN ({OVER} \
             AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id) LIMIT {most})"
        );
        self.execute(&text, vec![self.now().instant().into()]).await
    }

    /// Notes that a session's tokens were renewed.
    pub async fn touch_session(&self, session: SessionId) -> Result<(), StoreError> {
        let text = "UPDATE sessions SET last_used_at = $2 WHERE id = $1";
        self.execute(text, vec![session.0.into(), self.now().instant().into()]).await?;
        Ok(())
    }

    /// Ends one session of a user. Says whether there was one to end.
    pub async fn end_session(&self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        let text = "UPDATE sessions SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL";
        let values = vec![session.0.into(), user.0.into(), self.now().instant().into()];
        Ok(self.execute(text, values).await? == 1)
    }

    /// Ends every session of a user, except perhaps one.
    pub async fn end_sessions(&self, user: UserId, except: Option<SessionId>) -> Result<(), StoreError> {
        let text = "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND id <> $3";
        let kept = except.map_or(uuid::Uuid::nil(), |session| session.0);
        self.execute(text, vec![user.0.into(), self.now().instant().into(), kept.into()]).await?;
        Ok(())
    }

    /// Keeps a key that signs access tokens.
    pub async fn insert_signing_key(&self, key: &SigningKeyRow) -> Result<(), StoreError> {
        let text = "INSERT INTO signing_keys (kid, secret, created_at) VALUES ($1, $2, $3)";
        let values = vec![key.kid.clone().into(), key.secret.clone().into(), self.now().instant().into()];
        self.execute(text, values).await?;
        Ok(())
    }
}
