//! Fairlead over HTTP: it parses, calls one use case, and renders.
//!
//! There are no handler functions. A resource declares its operations in [`resource`], each with the use
//! case that it runs, and [`api`] makes both the router and the specification from the declarations.

mod api;
mod config;
mod documentation;
mod middleware;
mod openapi;
mod problem;
mod request;
mod resource;
mod sentence;
mod server;
mod state;
#[cfg(test)]
mod tests;

pub use config::HttpConfig;
pub use server::{serve, server};
pub use state::Health;

/// The specification (OpenAPI 3.1) of a server that is told nothing, made from the very declarations that the router is
/// made from.
pub fn openapi() -> utoipa::openapi::OpenApi {
    specification(HttpConfig::default().file_limit)
}

/// The same of a server that takes files of so many bytes: what else a server is told changes nothing in it.
fn specification(file_limit: usize) -> utoipa::openapi::OpenApi {
    openapi::document(api::describe(resource::api(), file_limit))
}

/// [`openapi()`] in YAML, which readers of YAML 1.1 take for the same document as those of 1.2.
pub fn openapi_yaml() -> serde_json::Result<String> {
    documentation::yaml::write(&openapi())
}
