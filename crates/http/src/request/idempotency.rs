//! `Idempotency-Key`: a repeated POST answers what the first one did.

use actix_web::HttpRequest;
use fairlead_application::IdempotencyKey;
use fairlead_domain::error::Refusal;
use sha2::{Digest, Sha256};

/// The header's name.
pub(crate) const HEADER: &str = "Idempotency-Key";
/// The longest key.
pub(crate) const MAX: usize = 255;

/// The key of a request, bound to what it asks for: the same key with anything else is another request.
pub(crate) fn key(request: &HttpRequest, body: &[u8]) -> Result<Option<IdempotencyKey>, Refusal> {
    let mut lines = request.headers().get_all(HEADER);
    let Some(value) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Refusal::malformed(HEADER, format!("give one `{HEADER}` header")));
    }
    let bytes = value.as_bytes();
    let visible = (1..=MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    let key = value.to_str().ok().filter(|_| visible).ok_or_else(|| {
        Refusal::malformed(HEADER, format!("expected 1 to {MAX} visible ASCII characters in `{HEADER}`"))
    })?;
    let mut hash = Sha256::new();
    for part in [request.method().as_str().as_bytes(), request.uri().to_string().as_bytes(), body] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    Ok(Some(IdempotencyKey { key: key.to_owned(), fingerprint: hash.finalize().into() }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn key_of(text: &str, path: &str, body: &[u8]) -> Result<Option<IdempotencyKey>, Refusal> {
        let request = TestRequest::post().uri(path).insert_header((HEADER, text)).to_http_request();
        key(&request, body)
    }

    #[test]
    fn the_key_is_bound_to_the_request() {
        let first = key_of("k-1", "/x?a=1", b"{}").unwrap().unwrap();
        assert_eq!(key_of("k-1", "/x?a=1", b"{}").unwrap().unwrap(), first);
        for (path, body) in [("/y?a=1", &b"{}"[..]), ("/x?a=2", b"{}"), ("/x?a=1", b"[]")] {
            assert_ne!(key_of("k-1", path, body).unwrap().unwrap().fingerprint, first.fingerprint);
        }
    }

    #[test]
    fn keys_are_visible_ascii_of_bounded_length() {
        let twice = TestRequest::post().append_header((HEADER, "k")).append_header((HEADER, "k"));
        assert!(key(&twice.to_http_request(), b"").is_err());
        assert!(key_of(&"k".repeat(255), "/", b"").is_ok());
        for bad in [String::new(), "k".repeat(256), "a b".to_owned(), "é".to_owned()] {
            assert!(key_of(&bad, "/", b"").is_err(), "{bad:?}");
        }
    }
}
