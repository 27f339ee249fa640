//! Access tokens: JWT signed with Ed25519 (RFC 8037), in the profile of RFC 9068, checked as RFC 8725 asks:
//! one algorithm, the key by its id, issuer, audience, expiry and type all required.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::{SessionId, Timestamp, UserId};
use fairlead_persistence::access::SigningKeyRow;
use fairlead_persistence::{CursorKey, StoreError};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::{App, AppConfig};
use crate::call::Caller;
use crate::clock::new_id;

/// What tells an access token from any other JWT (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";
/// What tells a checkpoint of the audit trail from an access token.
const CHECKPOINT: &str = "audit-checkpoint+jwt";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    /// The login session.
    sid: Uuid,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// Where the audit trail ended at some time.
#[derive(Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The number of its newest event.
    pub(crate) sequence: i64,
    /// The hash of that event, and with it of everything before.
    pub(crate) hash: String,
    /// When it was signed.
    pub(crate) iat: i64,
}

struct Key {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: String,
}

/// A public key that verifies access tokens (RFC 7517, RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwk {
    /// Always `OKP`.
    #[schema(max_length = 8, example = "OKP")]
    pub kty: String,
    /// Always `Ed25519`.
    #[schema(max_length = 16, example = "Ed25519")]
    pub crv: String,
    /// Always `EdDSA`.
    #[schema(max_length = 8, example = "EdDSA")]
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    #[schema(max_length = 8, example = "sig")]
    pub usage: String,
    /// The key's id, as tokens name it.
    #[schema(max_length = 64)]
    pub kid: String,
    /// The key, base64url.
    #[schema(max_length = 64)]
    pub x: String,
}

/// The keys that verify access tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys.
    #[schema(max_items = 20)]
    pub keys: Vec<Jwk>,
}

/// Makes and checks access tokens.
pub(crate) struct Tokens {
    issuer: String,
    audience: String,
    /// How long a token lasts at most, in seconds.
    pub(crate) lifetime: i64,
    /// The newest key first; it signs.
    keys: RwLock<Arc<Vec<Key>>>,
    /// Tokens whose signature was checked, by their hash, until when they last.
    checked: Cache<[u8; 32], (Caller, i64)>,
}

fn refused(why: &str) -> Refusal {
    Refusal::new(Code::Unauthenticated, why)
}

impl Tokens {
    pub(crate) fn new(config: &AppConfig) -> Self {
        Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            lifetime: config.access_token_minutes * 60,
            keys: RwLock::default(),
            checked: Cache::new(10_000),
        }
    }

    /// Reads the keys, and makes the first one if there is none. Answers with a key for cursors that every
    /// server on this database has.
    pub(crate) async fn load(&self, app: &App) -> Result<CursorKey, StoreError> {
        let mut rows = app.store().signing_keys().await?;
        if rows.is_empty() {
            let work = app.store().begin(app.author(None, "start"), None).await?;
            // Two servers that start at once on a new database must agree on one key.
            work.lock_organisation().await?;
            rows = work.signing_keys().await?;
            if rows.is_empty() {
                let key =
                    SigningKeyRow { kid: new_id().to_string(), secret: rand::random::<[u8; 32]>().to_vec() };
                work.insert_signing_key(&key).await?;
                rows.push(key);
            }
            work.commit(None).await?;
        }
        let oldest = rows.last().map(|row| row.secret.clone()).unwrap_or_default();
        let keys = rows.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        let derived = Sha256::new().chain_update(b"fairlead cursor key").chain_update(oldest).finalize();
        Ok(CursorKey(derived.into()))
    }

    fn keys(&self) -> Arc<Vec<Key>> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token for a session, which lasts for so many seconds.
    pub(crate) fn issue(
        &self,
        user: UserId,
        session: SessionId,
        jti: Uuid,
        now: Timestamp,
        lifetime: i64,
    ) -> Result<String, StoreError> {
        let issued = now.millis() / 1000;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user.0,
            sid: session.0,
            iat: issued,
            exp: issued + lifetime,
            jti,
        };
        self.encode(TYPE, &claims)
    }

    fn encode(&self, typ: &str, claims: &impl Serialize) -> Result<String, StoreError> {
        let keys = self.keys();
        let key = keys.first().ok_or_else(|| StoreError::Corrupt("no signing key".to_owned()))?;
        let header =
            Header { typ: Some(typ.to_owned()), kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &key.encoding)
            .map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// Signs where the audit trail ends.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Result<String, StoreError> {
        self.encode(CHECKPOINT, checkpoint)
    }

    /// What a checkpoint says; nothing unless one of our keys signed it.
    pub(crate) fn signed(&self, text: &str) -> Option<Checkpoint> {
        let header = jsonwebtoken::decode_header(text).ok()?;
        let keys = self.keys();
        let key = keys.iter().find(|key| Some(&key.kid) == header.kid.as_ref())?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        // It is true for ever, and for whoever reads it.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let read = jsonwebtoken::decode::<Checkpoint>(text, &key.decoding, &validation).ok()?;
        (header.typ.as_deref() == Some(CHECKPOINT)).then_some(read.claims)
    }

    /// Whose token it is.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, Refusal> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let (caller, expires) = if let Some(known) = self.checked.get(&hash) {
            known
        } else {
            let fresh = self.check(token)?;
            self.checked.insert(hash, fresh);
            fresh
        };
        if now.millis() / 1000 >= expires {
            self.checked.invalidate(&hash);
            return Err(refused("the token has expired"));
        }
        Ok(caller)
    }

    fn check(&self, token: &str) -> Result<(Caller, i64), Refusal> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused("not a token"))?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(refused("not an access token"));
        }
        let keys = self.keys();
        let key = keys
            .iter()
            .find(|key| Some(&key.kid) == header.kid.as_ref())
            .ok_or_else(|| refused("the token was signed by an unknown key"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        // The application's clock decides about expiry, for tokens that were checked before as well.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
            .map_err(|_| refused("the token is not valid"))?
            .claims;
        let caller = Caller { user: UserId(claims.sub), session: Some(SessionId(claims.sid)) };
        Ok((caller, claims.exp))
    }

    pub(crate) fn jwks(&self) -> Jwks {
        let jwk = |key: &Key| Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
            kid: key.kid.clone(),
            x: key.public.clone(),
        };
        Jwks { keys: self.keys().iter().map(jwk).collect() }
    }
}

fn key(row: &SigningKeyRow) -> Result<Key, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("signing key {}: {what}", row.kid));
    let seed: [u8; 32] = row.secret.as_slice().try_into().map_err(|_| corrupt("has a wrong length"))?;
    let signing = SigningKey::from_bytes(&seed);
    let der = signing.to_pkcs8_der().map_err(|error| corrupt(&error.to_string()))?;
    let public = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
    let decoding = DecodingKey::from_ed_components(&public).map_err(|error| corrupt(&error.to_string()))?;
    Ok(Key { kid: row.kid.clone(), encoding: EncodingKey::from_ed_der(der.as_bytes()), decoding, public })
}
