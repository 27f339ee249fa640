//! `Authorization: Bearer`.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use fairlead_application::{App, Caller};
use fairlead_domain::error::{Code, Refusal};

/// Who asks, by their token. This is the only way to a [`Caller`], so an operation that wants one cannot be
/// reached without.
pub(crate) fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(Refusal::new(Code::Unauthenticated, "give one `Authorization: Bearer` header"));
    };
    let token = line.to_str().ok().and_then(bearer).ok_or_else(|| {
        Refusal::new(Code::Unauthenticated, "the scheme of `Authorization` must be `Bearer`")
    })?;
    app.verify_token(token)
}

fn bearer(line: &str) -> Option<&str> {
    let (scheme, token) = line.trim().split_once(' ')?;
    let token = token.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_count() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        for other in ["Basic abc", "Bearer", "Bearer ", "abc", ""] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
