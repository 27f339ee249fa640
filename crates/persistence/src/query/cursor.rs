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

fn tag(key: &CursorKey, what: &str, body: &[u8]) -> [u8; TAG] {
    // HMAC fills a short key up with zeros to the block of its hash.
    let mut block = [0; 64];
    block[..key.0.len()].copy_from_slice(&key.0);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(what.as_bytes());
    mac.update(&[0]);
    mac.update(body);
    let mut out = [0; TAG];
    out.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
    out
}

/// What only whoever has the key can make, in letters that an address takes. `what` says what it is for, and what is
/// for one thing is nothing for another.
pub(crate) fn sign(key: &CursorKey, what: &str, body: &[u8]) -> String {
    let mut signed = tag(key, what, body).to_vec();
    signed.extend(body);
    URL_SAFE_NO_PAD.encode(signed)
}

/// What was signed, if it was with this key and for this.
pub(crate) fn verify(key: &CursorKey, what: &str, text: &str) -> Option<Vec<u8>> {
    let mut signed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let body = signed.split_off(signed.len().min(TAG));
    (signed == tag(key, what, &body)).then_some(body)
}

/// Makes the cursor after a row with these values.
pub(crate) fn seal(key: &CursorKey, after: &[Value], request: &ListRequest) -> String {
    let parts: Vec<Part> = after.iter().map(Part::from).collect();
    let mut body = request.fingerprint.to_vec();
    body.extend(serde_json::to_vec(&parts).unwrap_or_default());
    sign(key, request.listing.resource, &body)
}

/// The values that a cursor holds, if it is ours and belongs to this question.
pub(crate) fn open(key: &CursorKey, text: &str, request: &ListRequest) -> Result<Vec<Value>, Refusal> {
    let at = request.cursor_at;
    let invalid =
        || Refusal { code: Code::InvalidCursor, ..Refusal::malformed(at, "not one of our cursors") };
    let body = verify(key, request.listing.resource, text).ok_or_else(invalid)?;
    let (fingerprint, parts) = body.split_at_checked(FINGERPRINT).ok_or_else(invalid)?;
    if fingerprint != request.fingerprint {
        let why = "the cursor belongs to another sort or filter";
        return Err(Refusal { code: Code::CursorMismatch, ..Refusal::malformed(at, why) });
    }
    let parts: Vec<Part> = serde_json::from_slice(parts).map_err(|_| invalid())?;
    if parts.len() != request.sort.len() + 1 {
        return Err(invalid());
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_for_this_is_read() {
        let (key, other) = (CursorKey([1; 32]), CursorKey([2; 32]));
        for body in [&b""[..], b"x", &[0xff; 100]] {
            let signed = sign(&key, "leads", body);
            assert_eq!(verify(&key, "leads", &signed).as_deref(), Some(body));
            assert_eq!(verify(&key, "customers", &signed), None);
            assert_eq!(verify(&other, "leads", &signed), None);
            let mut bytes = URL_SAFE_NO_PAD.decode(&signed).unwrap();
            assert_eq!(bytes.len(), TAG + body.len());
            for at in 0..bytes.len() {
                bytes[at] ^= 1;
                assert_eq!(verify(&key, "leads", &URL_SAFE_NO_PAD.encode(&bytes)), None, "{at}");
                bytes[at] ^= 1;
            }
            for length in 0..bytes.len() {
                assert_eq!(
                    verify(&key, "leads", &URL_SAFE_NO_PAD.encode(&bytes[..length])),
                    None,
                    "{length}"
                );
            }
        }
        for nonsense in ["", "!", "A", "AAAA", "=="] {
            assert_eq!(verify(&key, "leads", nonsense), None, "{nonsense}");
        }
    }
}
