//! The documentation that a server carries: the specification in both notations, and Swagger UI to try it out.

mod fixed;
pub(crate) mod yaml;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, Resource, Scope};
use fairlead_application::demo::DemoAccount;
use fairlead_domain::error::{Code, Refusal};
use serde_json::json;
use utoipa_swagger_ui::Config;

use crate::api::readable;
use crate::config::HttpConfig;
use crate::problem;
use crate::request::body::JSON;
use crate::request::limit;
use crate::state::State;
use fixed::Fixed;

/// What the page does when it is loaded; it stands in for the file that comes with Swagger UI.
const PAGE: &[u8] = include_bytes!("page.js");

/// The documents.
pub(crate) struct Documents {
    json: Arc<Fixed>,
    yaml: Arc<Fixed>,
    page: Arc<Fixed>,
    /// Who may be chosen on the page with one click: the accounts of a demo, whose passwords are public.
    accounts: Arc<Fixed>,
    /// Whatever else the page has.
    files: Arc<Files>,
}

impl Documents {
    /// Says how they are written for a server with these settings.
    pub(crate) fn new(config: &HttpConfig) -> Self {
        let account = |one: &DemoAccount| json!({"role": one.role, "name": one.name, "email": one.email, "password": one.password});
        let accounts = json!(config.demo_accounts.iter().map(account).collect::<Vec<_>>()).to_string();
        let limit = config.file_limit;
        Self {
            // Neither fails on a document that was built from our own types; a test looks at both.
            json: Fixed::new(JSON, move || {
                crate::specification(limit).to_pretty_json().unwrap_or_default().into()
            }),
            yaml: Fixed::new("application/yaml", move || {
                yaml::write(&crate::specification(limit)).unwrap_or_default().into()
            }),
            page: Fixed::new("text/javascript", || Bytes::from_static(PAGE)),
            accounts: Fixed::new(JSON, move || accounts.clone().into()),
            files: Arc::new(Files {
                config: Arc::new(Config::new(["/openapi.json"])),
                known: Mutex::default(),
            }),
        }
    }

    /// Serves the specification and the page that shows it.
    pub(crate) fn mount(&self, scope: Scope, state: &Arc<State>) -> Scope {
        let (files, counting) = (Arc::clone(&self.files), Arc::clone(state));
        scope
            .service(fixed("/openapi.json", &self.json, state))
            .service(fixed("/openapi.yaml", &self.yaml, state))
            .service(readable("/swagger-ui", state, |route| {
                route.to(async || {
                    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/swagger-ui/")).finish()
                })
            }))
            .service(fixed("/swagger-ui/swagger-initializer.js", &self.page, state))
            .service(fixed("/swagger-ui/demo-accounts.json", &self.accounts, state))
            .service(readable("/swagger-ui/{file:.*}", state, |route| {
                route.to(move |request: HttpRequest, file: web::Path<String>| {
                    let (files, counting) = (Arc::clone(&files), Arc::clone(&counting));
                    async move {
                        limit::counted(&counting, &request, async || files.answer(&request, &file).await)
                            .await
                    }
                })
            }))
    }
}

/// The files that Swagger UI comes with. They are part of the program; each is looked at when it is first asked for.
struct Files {
    config: Arc<Config<'static>>,
    known: Mutex<HashMap<String, Arc<Fixed>>>,
}

impl Files {
    async fn answer(&self, request: &HttpRequest, name: &str) -> HttpResponse {
        match self.find(name) {
            Ok(file) => file.answer(request).await,
            Err(refusal) => problem::answer(refusal.into(), request),
        }
    }

    /// Only what there is, is kept: names come from anybody.
    fn find(&self, name: &str) -> Result<Arc<Fixed>, Refusal> {
        // Whoever panicked beside it left whole files behind.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = known.get(name) {
            return Ok(Arc::clone(file));
        }
        let found = utoipa_swagger_ui::serve(name, Arc::clone(&self.config))
            .map_err(|error| Refusal::new(Code::Internal, error.to_string()))?;
        let found = found.ok_or_else(|| Refusal::new(Code::NotFound, "no such path"))?;
        let text = match found.bytes {
            Cow::Borrowed(text) => Bytes::from_static(text),
            Cow::Owned(text) => text.into(),
        };
        let file = Fixed::new(found.content_type, move || text.clone());
        known.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }
}

fn fixed(path: &str, document: &Arc<Fixed>, state: &Arc<State>) -> Resource {
    let (document, counting) = (Arc::clone(document), Arc::clone(state));
    readable(path, state, |route| {
        route.to(move |request: HttpRequest| {
            let (document, counting) = (Arc::clone(&document), Arc::clone(&counting));
            async move { limit::counted(&counting, &request, async || document.answer(&request).await).await }
        })
    })
}
