//! Headers that keep browsers from doing what nobody asked for.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, ETAG, HeaderMap, HeaderName, HeaderValue, VARY,
};

use crate::request::condition::encoded_tag;

/// A part of the server with its own rules for browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// Records: never kept by a cache, unless an answer is the same for everybody, and never shown as a page.
    Api,
    /// The documentation, which is a page with scripts of its own.
    Documentation,
    /// The catalogue of problems, which is read as a page as well.
    Problems,
    /// Anything else.
    Other,
}

impl Area {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            path if path.starts_with("/api/") => Self::Api,
            path if path.starts_with("/swagger-ui") => Self::Documentation,
            path if path.starts_with("/problems") => Self::Problems,
            _ => Self::Other,
        }
    }
}

const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
/// A page that is text, with its style in it.
const PAGE: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// Swagger UI draws with inline styles and pictures in data URLs, and calls this server.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The `Cache-Control` of what says nothing of anybody: a browser keeps it, and asks each time whether it still holds.
pub(crate) const KEPT: &str = "private, no-cache";

/// Sets the security headers of an answer.
pub(crate) fn secure(headers: &mut HeaderMap, area: Area, hsts: bool) {
    set(headers, "X-Content-Type-Options", "nosniff");
    set(headers, "X-Frame-Options", "DENY");
    set(headers, "Referrer-Policy", "no-referrer");
    let policy = match area {
        Area::Documentation => SWAGGER,
        Area::Problems => PAGE,
        Area::Api | Area::Other => NOTHING,
    };
    set(headers, "Content-Security-Policy", policy);
    if area == Area::Api && headers.get(CACHE_CONTROL).is_none_or(|said| said != KEPT) {
        set(headers, "Cache-Control", "no-store");
    }
    if hsts {
        set(headers, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    }
}

/// The `Content-Encoding` of an answer that comes as it is whatever the request takes: what compresses leaves alone what
/// is encoded already. It is said among us only, since no answer has this word there (RFC 9110, section 8.4.1).
pub(crate) const AS_IT_IS: &str = "identity";

/// Names the encoding of an answer in its entity tag, and in that of an answer without a body the one in which the
/// body would come that it stands for.
pub(crate) fn tell_encoding(headers: &mut HeaderMap, status: StatusCode, wanted: &str) {
    let coding = match headers.get(CONTENT_ENCODING).map(HeaderValue::to_str) {
        Some(said) => said.unwrap_or_default(),
        None if status == StatusCode::NOT_MODIFIED => wanted,
        None => return,
    };
    let tag = headers.get(ETAG).and_then(|tag| encoded_tag(tag.to_str().ok()?, coding));
    if let Some(tag) = tag {
        set(headers, "ETag", &tag);
    }
}

/// Says of an answer that another request might have got it in another language, where it is in one, and in another
/// encoding, unless it comes as it is to everybody. Done last, because what handles CORS keeps one `Vary` header only.
pub(crate) fn vary(headers: &mut HeaderMap) {
    let told = headers.contains_key(CONTENT_LANGUAGE);
    let encoded = headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding != AS_IT_IS);
    if !encoded {
        headers.remove(CONTENT_ENCODING);
    }
    for (varies, by) in [(told, "accept-language"), (encoded, "accept-encoding")] {
        let said = headers
            .get_all(VARY)
            .any(|line| line.to_str().is_ok_and(|line| line.to_ascii_lowercase().contains(by)));
        if varies && !said {
            headers.append(VARY, HeaderValue::from_static(by));
        }
    }
}

/// Sets one header; a value that no header can have is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
