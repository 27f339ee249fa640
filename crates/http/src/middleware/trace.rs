//! One span per request in the log: which operation, how it ended, how long it took, for whom, in which trace. Never
//! bodies, tokens, or the values of a query.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tracing::Instrument;
use tracing::field::{Empty, display};

use crate::request::traceparent::Trace;

/// Answers a request within its span.
pub(crate) async fn traced(
    request_id: &str,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let trace = Trace::of(request.headers());
    let span = tracing::info_span!(
        "request",
        request_id,
        // As W3C Trace Context writes them.
        trace_id = %format_args!("{:032x}", trace.id),
        span_id = %format_args!("{:016x}", trace.span),
        parent_id = Empty,
        method = %request.method(),
        route = Empty,
        status = Empty,
        latency_ms = Empty,
        user = Empty,
    );
    if let Some(parent) = trace.parent {
        span.record("parent_id", display(format_args!("{parent:016x}")));
    }
    let started = Instant::now();
    let response = next.call(request).instrument(span.clone()).await?.map_into_boxed_body();
    // The pattern, not the path: ids in paths would make every line of a statistic its own.
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let status = response.status().as_u16();
    span.record("route", route);
    span.record("status", status);
    span.record("latency_ms", started.elapsed().as_secs_f64() * 1000.0);
    span.in_scope(|| {
        if status >= 500 {
            tracing::error!("answered");
        } else {
            tracing::info!("answered");
        }
    });
    Ok(response)
}

/// Notes in the span of the present request for whom it is.
pub(crate) fn note_user(user: impl std::fmt::Display) {
    tracing::Span::current().record("user", display(user));
}
