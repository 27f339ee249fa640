//! Who calls and under which conditions, and what comes back: what every use case takes and gives.

use fairlead_domain::access::{Actor, Permission};
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::{SessionId, UserId};
use fairlead_persistence::StoreError;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Somebody whose token was verified. What they may do is looked up anew by each use case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The login session; none when Fairlead calls itself, as `seed` does.
    pub session: Option<SessionId>,
}

/// One call of a use case.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// Finds the call in the log and in the audit trail.
    pub request_id: String,
    /// The version that the caller believes to change.
    pub if_match: Option<Expected>,
    /// Makes a repeated call answer what the first one did.
    pub idempotency: Option<IdempotencyKey>,
    /// Runs every check and answers what would happen, and leaves nothing behind but a job that tells of it, where it is
    /// one that would do it.
    pub dry_run: bool,
    /// Records what may be there already, if the caller may say so.
    pub allow_duplicate: bool,
    /// The permission that the operation takes: without it, nobody is told again what was answered once.
    pub permission: Option<Permission>,
}

impl Call {
    /// A call without conditions.
    pub fn new(caller: Caller, request_id: impl Into<String>) -> Self {
        Self {
            caller,
            request_id: request_id.into(),
            if_match: None,
            idempotency: None,
            dry_run: false,
            allow_duplicate: false,
            permission: None,
        }
    }

    /// Binds an idempotency key to content that was read apart from the rest.
    #[must_use]
    pub(crate) fn about(mut self, content: [u8; 32]) -> Self {
        if let Some(key) = &mut self.idempotency {
            let mut hash = Sha256::new();
            hash.update(key.fingerprint);
            hash.update(content);
            key.fingerprint = hash.finalize().into();
        }
        self
    }

    /// Refuses to repeat an answer to whoever may not ask for it any more.
    pub(crate) fn may_be_repeated(&self, actor: &Actor) -> Result<(), Refusal> {
        self.permission.map_or(Ok(()), |permission| actor.authorize_own(permission))
    }

    /// Refuses another version than the expected one (RFC 9110, `If-Match`).
    pub(crate) fn check_version(&self, version: i64) -> Result<(), Refusal> {
        let Some(Expected::OneOf(expected)) = &self.if_match else { return Ok(()) };
        let detail = match expected.as_slice() {
            some if some.contains(&version) => return Ok(()),
            [expected] => format!("version {expected} was expected, the present one is {version}"),
            _ => format!("no entity tag in `If-Match` is the present version's, {version}"),
        };
        Err(Refusal::new(Code::VersionMismatch, detail).with("current_version", version))
    }
}

/// Something that a caller may say about a call in its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// [`Call::dry_run`].
    DryRun,
    /// The same of a job, which goes on after the answer and tells what it would do.
    DryJob,
    /// [`Call::allow_duplicate`].
    AllowDuplicate,
}

impl Flag {
    /// The parameter's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DryRun | Self::DryJob => "dry_run",
            Self::AllowDuplicate => "allow_duplicate",
        }
    }

    /// What it means, for the specification.
    pub const fn description(self) -> &'static str {
        match self {
            Self::DryRun => {
                "With `true`, every check is run and the answer is what would happen; nothing is written. Contact data \
                 that is masked for the caller stays masked. The answer has no `ETag`."
            }
            Self::DryJob => "With `true`, nothing is written but the job: its items tell what it would do.",
            Self::AllowDuplicate => {
                "With `true`, the record is made although it may be there already. It takes `leads:allow_duplicate`."
            }
        }
    }
}

/// What `If-Match` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// `*`: any version.
    Any,
    /// One of these. What is well-formed but no version of ours matches none, and is not among them.
    OneOf(Vec<i64>),
}

/// An idempotency key and what it was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// As the caller made it: 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 of method, path with query, and body.
    pub fingerprint: [u8; 32],
}

/// Why a use case gave no answer.
#[derive(Debug)]
pub enum Failure {
    /// An expected "no".
    Refused(Refusal),
    /// One that was answered before under the same idempotency key.
    Replayed(Refusal),
    /// A technical one.
    Store(StoreError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The answer of a use case that writes.
#[derive(Debug)]
pub enum Done<V> {
    /// It happened now.
    Fresh(V),
    /// It happened before under the same idempotency key; this is what was answered then.
    Replayed(Value),
}

impl<V: Serialize> Done<V> {
    /// The answer as JSON, and whether it is a repetition.
    pub fn into_json(self) -> Result<(Value, bool), serde_json::Error> {
        match self {
            Self::Fresh(view) => Ok((serde_json::to_value(view)?, false)),
            Self::Replayed(value) => Ok((value, true)),
        }
    }
}

/// The answer of a use case that reads.
pub type Read<V> = Result<V, Failure>;
/// The answer of a use case that writes.
pub type Written<V> = Result<Done<V>, Failure>;

/// Something with a version, which becomes its ETag.
pub trait Versioned {
    /// The version.
    fn version(&self) -> i64;
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// How to go on.
    pub page: PageInfo,
}

/// How to go on after a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PageInfo {
    /// Give it as `cursor` to get the next page; none on the last one.
    #[schema(required, max_length = 2000)]
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// How many there are in all, when `total=true` was asked: exact up to 10 000, then `10000+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 8, pattern = r"^[0-9]+\+?$", example = "137")]
    pub total: Option<String>,
}
