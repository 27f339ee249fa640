//! The routes, from the declarations.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header::{ALLOW, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, Scope, guard};
use fairlead_domain::error::{Code, Refusal};
use futures_util::FutureExt;

use super::ask::Exchange;
use super::{BASE, Operation, document};
use crate::problem;
use crate::request::limit;
use crate::state::State;

/// Everything under one first segment, so that a request is compared with the few paths of its own
/// resource, not with all.
pub(crate) fn services(operations: &[Arc<Operation>], state: &Arc<State>) -> Vec<Scope> {
    let mut scopes: BTreeMap<String, BTreeMap<Path<'_>, Vec<Arc<Operation>>>> = BTreeMap::new();
    for operation in operations {
        let (scope, rest) = split(&operation.shape.path);
        scopes.entry(scope).or_default().entry(Path::of(rest)).or_default().push(Arc::clone(operation));
    }
    scopes
        .into_iter()
        .map(|(prefix, paths)| {
            paths.into_iter().fold(scope(&prefix, state), |scope, (path, operations)| {
                scope.service(resource(path.text, &operations, state))
            })
        })
        .collect()
}

/// A scope whose unknown paths are problems.
pub(crate) fn scope(prefix: &str, state: &Arc<State>) -> Scope {
    let state = Arc::clone(state);
    web::scope(prefix).default_service(web::to(move |request: HttpRequest| {
        let state = Arc::clone(&state);
        async move {
            let missing =
                async || problem::answer(Refusal::new(Code::NotFound, "no such path").into(), &request);
            limit::counted(&state, &request, missing).await
        }
    }))
}

/// A path split behind its first segment: `/api/v1/leads` and `/{id}/claim`.
fn split(path: &str) -> (String, &str) {
    let (base, rest) = match path.strip_prefix(BASE) {
        Some(rest) => (BASE, rest),
        None => ("", path),
    };
    let end = rest.char_indices().skip(1).find(|(_, char)| *char == '/').map_or(rest.len(), |(at, _)| at);
    (format!("{base}{}", &rest[..end]), &rest[end..])
}

/// A path in the order in which the router must look: of two that could fit, literal segments first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Path<'a> {
    parameters: Vec<bool>,
    text: &'a str,
}

impl<'a> Path<'a> {
    fn of(text: &'a str) -> Self {
        Self { parameters: text.split('/').map(|segment| segment.starts_with('{')).collect(), text }
    }
}

fn resource(path: &str, operations: &[Arc<Operation>], state: &Arc<State>) -> Resource {
    let mut allowed = vec![Method::OPTIONS];
    let mut resource = web::resource(path);
    for operation in operations {
        let method = &operation.shape.method;
        allowed.push(method.clone());
        let route = if *method == Method::GET {
            allowed.push(Method::HEAD);
            reading()
        } else {
            web::method(method.clone())
        };
        let (operation, state) = (Arc::clone(operation), Arc::clone(state));
        resource = resource.route(route.to(move |request: HttpRequest, payload: Payload| {
            run(Arc::clone(&operation), Arc::clone(&state), request, payload)
        }));
    }
    knowing(resource, &allowed, state)
}

/// A path beside the API that is read and nothing else.
pub(crate) fn readable(path: &str, state: &Arc<State>, read: impl FnOnce(Route) -> Route) -> Resource {
    let allowed = [Method::OPTIONS, Method::GET, Method::HEAD];
    knowing(web::resource(path).route(read(reading())), &allowed, state)
}

/// The server leaves the body of an answer to HEAD out by itself.
fn reading() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A path that says which methods it knows to whoever comes with another one.
fn knowing(resource: Resource, allowed: &[Method], state: &Arc<State>) -> Resource {
    let allowed: Rc<str> = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ").into();
    let state = Arc::clone(state);
    resource.default_service(web::to(move |request: HttpRequest| {
        let (allowed, state) = (Rc::clone(&allowed), Arc::clone(&state));
        async move { limit::counted(&state, &request, async || other_method(&request, &allowed)).await }
    }))
}

/// `OPTIONS` is answered with what is allowed, any other method refused with it.
fn other_method(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let mut response = if request.method() == Method::OPTIONS {
        HttpResponse::new(StatusCode::NO_CONTENT)
    } else {
        let detail = format!("this path knows {allowed}");
        problem::answer(Refusal::new(Code::MethodNotAllowed, detail).into(), request)
    };
    if let Ok(value) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// Runs an operation. Whatever happens in it, a problem comes out at worst: a panic would otherwise close
/// the connection without a word.
async fn run(
    operation: Arc<Operation>,
    state: Arc<State>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let (shape, permission) = (Arc::clone(&operation.shape), operation.permission);
    let exchange =
        Exchange { state: Arc::clone(&state), shape, permission, request: request.clone(), payload };
    let outcome = AssertUnwindSafe((operation.handler)(exchange)).catch_unwind().await;
    let mut response = outcome
        .unwrap_or_else(|panic| Err(Refusal::new(Code::Internal, panic_message(&*panic)).into()))
        .unwrap_or_else(|failure| {
            // What is said twice: here, for whoever reads the specification, and where it is refused.
            if let Some(code) = failure.code().filter(|code| !document::names(&operation, *code)) {
                tracing::warn!(operation = operation.about.id, %code, "the specification does not name this code");
            }
            for figure in failure.untold() {
                tracing::warn!(operation = operation.about.id, figure, "the catalogue of problems does not tell this figure");
            }
            if let Some(refusal) = failure.refusal() {
                limit::note_refusal(&request, refusal);
            }
            let home = failure.moved_to(&request).map(|path| state.link(&path));
            let mut response = problem::answer(failure, &request);
            if let Some(home) = home.and_then(|home| HeaderValue::try_from(home).ok()) {
                response.headers_mut().insert(LOCATION, home);
            }
            response
        });
    limit::tell(&request, response.headers_mut());
    if let Some(deprecation) = &operation.deprecation {
        deprecation.tell(response.headers_mut());
    }
    response
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panic: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_behind_their_first_segment() {
        let split = |path| split(path);
        assert_eq!(split("/api/v1/leads"), ("/api/v1/leads".into(), ""));
        assert_eq!(split("/api/v1/leads/{id}/claim"), ("/api/v1/leads".into(), "/{id}/claim"));
        assert_eq!(split("/.well-known/jwks.json"), ("/.well-known".into(), "/jwks.json"));
        assert_eq!(split("/healthz"), ("/healthz".into(), ""));
    }

    #[test]
    fn literal_segments_come_before_parameters() {
        let mut paths = ["/{id}", "/mine", "/{id}/claim", "", "/mine/{id}"].map(Path::of);
        paths.sort();
        assert_eq!(paths.map(|path| path.text), ["", "/mine", "/mine/{id}", "/{id}", "/{id}/claim"]);
    }
}
