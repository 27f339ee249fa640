//! What every request passes through, whatever it asks for.

mod headers;
mod trace;

pub(crate) use headers::{AS_IT_IS, KEPT, set as set_header};
pub(crate) use trace::note_user;

use std::sync::Arc;

use actix_cors::{Cors, CorsError};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use fairlead_domain::error::{Code, Refusal};

use crate::config::HttpConfig;
use crate::problem;
use crate::request::origin::{Origin, REQUEST_ID};
use crate::request::{idempotency, limit};
use crate::state::State;

/// The frame around every request: its id and origin, its span in the log, the headers of its answer.
pub(crate) async fn frame(
    state: Arc<State>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    rather_plain(&mut request);
    let wanted = encoding(&request);
    let origin = Origin::note(&request, &state);
    let area = headers::Area::of(request.path());
    let mut response = trace::traced(&origin.request_id, request, next).await?;
    headers::secure(response.headers_mut(), area, state.config.hsts);
    headers::set(response.headers_mut(), REQUEST_ID, &origin.request_id);
    let status = response.status();
    headers::tell_encoding(response.headers_mut(), status, wanted.as_str());
    headers::vary(response.headers_mut());
    Ok(response)
}

/// Answers come as they are where no encoding of ours is taken, not even none: RFC 9110, section 12.5.3, lets us pass
/// over such a wish. What compresses would refuse the request before anything else saw it, and not as a problem.
fn rather_plain(request: &mut ServiceRequest) {
    let wish = request.get_header::<AcceptEncoding>();
    if wish.is_some_and(|wish| wish.negotiate(OURS.iter()).is_none()) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
}

/// The encodings that answers may have: those of what compresses.
static OURS: [Encoding; 5] =
    [Encoding::identity(), Encoding::brotli(), Encoding::zstd(), Encoding::gzip(), Encoding::deflate()];

/// In which encoding a request takes its answer, as what compresses reads it.
pub(crate) fn encoding(request: &impl HttpMessage) -> ContentEncoding {
    let wish = request.get_header::<AcceptEncoding>();
    match wish.and_then(|wish| wish.negotiate(OURS.iter())) {
        Some(Encoding::Known(encoding)) => encoding,
        Some(Encoding::Unknown(_)) | None => ContentEncoding::Identity,
    }
}

/// Where pages of any site send what people filled in.
const PUBLIC_FORMS: &str = "/api/v1/public/lead-forms/";

/// Cross-origin requests: only from origins that were named, exactly. Tokens travel in a header that pages
/// set themselves, so no credentials of the browser are wanted.
pub(crate) fn cors(config: &HttpConfig) -> Cors {
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE];
    let cors = Cors::default()
        .allowed_methods(methods)
        .allowed_headers([
            header::ACCEPT,
            header::ACCEPT_LANGUAGE,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
        ])
        .allowed_headers([header::IF_MATCH, header::IF_NONE_MATCH, header::RANGE, header::IF_RANGE])
        .allowed_headers([idempotency::HEADER, REQUEST_ID, "Last-Event-ID"])
        // What browsers' tracing and readers of event streams send by themselves.
        .allowed_headers(["Traceparent", "Tracestate", "Baggage", "Cache-Control"])
        .expose_headers([
            "ETag",
            "Location",
            "Link",
            REQUEST_ID,
            "Idempotent-Replayed",
            "Retry-After",
            limit::LIMIT,
            limit::POLICY,
            "Content-Disposition",
            "Content-Range",
            "Deprecation",
            "Sunset",
        ])
        .max_age(600);
    // Who may send a public form is said by the form itself.
    let cors = cors.allowed_origin_fn(|_, request| request.uri.path().starts_with(PUBLIC_FORMS));
    config.cors_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// What a preflight's answer depends on.
const PREFLIGHT: &str = "origin, access-control-request-method, access-control-request-headers";

/// Makes a problem of a refused preflight: what handles CORS has a bare line for it.
pub(crate) async fn preflight(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let refused = response.response().error().and_then(Error::as_error::<CorsError>).map(refusal);
    let Some(refusal) = refused else { return Ok(response) };
    let mut answer = problem::answer(refusal.into(), response.request());
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static(PREFLIGHT));
    Ok(response.into_response(answer))
}

fn refusal(error: &CorsError) -> Refusal {
    match error {
        CorsError::OriginNotAllowed => {
            Refusal::new(Code::Forbidden, "pages of this origin may not call the API")
        }
        CorsError::MethodNotAllowed => {
            Refusal::new(Code::Forbidden, "pages may not send requests with this method")
        }
        CorsError::HeadersNotAllowed => {
            Refusal::new(Code::Forbidden, "pages may not send one of these headers")
        }
        CorsError::MissingOrigin => Refusal::malformed("Origin", "a preflight says of which origin it is"),
        _ => Refusal::malformed("Access-Control-Request-Headers", "expected the names of headers"),
    }
}
