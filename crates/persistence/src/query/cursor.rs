//! Where a page ended: opaque to callers, authenticated, and bound to the question it came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use fairlead_domain::error::{Code, Refusal};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use super::listing::ListRequest;

/// What cursors are authenticated with.
#[derive(Clone)]
pub struct CursorKey(pub [u8; 32]);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

const TAG: usize = 16;
const FINGERPRINT: usize = 16;

/// A column's value, inside a cursor.
#[derive(Serialize, Deserialize)]
enum Part {
    Absent,
    Text(String),
    Integer(i64),
    Boolean(bool),
    Id(Uuid),
    Instant(DateTime<Utc>),
    Date(NaiveDate),
}

impl From<&Value> for Part {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(Some(text)) => Self::Text(text.clone()),
            Value::BigInt(Some(number)) => Self::Integer(*number),
            Value::Bool(Some(yes)) => Self::Boolean(*yes),
            Value::Uuid(Some(id)) => Self::Id(*id),
            Value::ChronoDateTimeUtc(Some(instant)) => Self::Instant(*instant),
            Value::ChronoDate(Some(date)) => Self::Date(*date),
            _ => Self::Absent,
        }
    }
}

impl From<Part> for Value {
    fn from(part: Part) -> Self {
        match part {
            Part::Absent => Self::String(None),
            Part::Text(text) => text.into(),
            Part::Integer(number) => number.into(),
            Part::Boolean(yes) => yes.into(),
            Part::Id(id) => id.into(),
            Part::Instant(instant) => instant.into(),
            Part::Date(date) => date.into(),
        }
    }
}

fn tag(key: &CursorKey, resource: &str, body: &[u8]) -> [u8; TAG] {
    // HMAC fills a short key up with zeros to the block of its hash.
    let mut block = [0; 64];
    block[..key.0.len()].copy_from_slice(&key.0);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(resource.as_bytes());
    mac.update(&[0]);
    mac.update(body);
    let mut out = [0; TAG];
    out.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
    out
}

/// Makes the cursor after a row with these values.
pub(crate) fn seal(key: &CursorKey, after: &[Value], request: &ListRequest) -> String {
    let parts: Vec<Part> = after.iter().map(Part::from).collect();
    let mut body = request.fingerprint.to_vec();
    body.extend(serde_json::to_vec(&parts).unwrap_or_default());
    let mut sealed = tag(key, request.listing.resource, &body).to_vec();
    sealed.extend(body);
    URL_SAFE_NO_PAD.encode(sealed)
}

/// The values that a cursor holds, if it is ours and belongs to this question.
pub(crate) fn open(key: &CursorKey, text: &str, request: &ListRequest) -> Result<Vec<Value>, Refusal> {
    let invalid =
        || Refusal { code: Code::InvalidCursor, ..Refusal::malformed("cursor", "not one of our cursors") };
    let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    if sealed.len() < TAG + FINGERPRINT {
        return Err(invalid());
    }
    let (given, body) = sealed.split_at(TAG);
    if given != tag(key, request.listing.resource, body) {
        return Err(invalid());
    }
    let (fingerprint, parts) = body.split_at(FINGERPRINT);
    if fingerprint != request.fingerprint {
        let why = "the cursor belongs to another sort or filter";
        return Err(Refusal { code: Code::CursorMismatch, ..Refusal::malformed("cursor", why) });
    }
    let parts: Vec<Part> = serde_json::from_slice(parts).map_err(|_| invalid())?;
    if parts.len() != request.sort.len() + 1 {
        return Err(invalid());
    }
    Ok(parts.into_iter().map(Value::from).collect())
}
