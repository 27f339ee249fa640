//! The documentation that a server carries: the specification in both notations, and Swagger UI to try it out.

pub(crate) mod yaml;

use std::sync::{Arc, LazyLock};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding, ETAG, LOCATION};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, Resource, Scope};
use fairlead_application::demo::DemoAccount;
use fairlead_domain::error::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::Config;

use crate::api::readable;
use crate::config::HttpConfig;
use crate::problem;
use crate::request::body::JSON;
use crate::request::condition;

/// What the page does when it is loaded; it stands in for the file that comes with Swagger UI.
const PAGE: &[u8] = include_bytes!("page.js");

/// The documents.
pub(crate) struct Documents {
    json: Arc<Fixed>,
    yaml: Arc<Fixed>,
    page: Arc<Fixed>,
    /// Who may be chosen on the page with one click: the accounts of a demo, whose passwords are public.
    accounts: Arc<Fixed>,
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
            accounts: Fixed::new(JSON, || accounts.into()),
        }
    }

    /// Serves the specification and the page that shows it.
    pub(crate) fn mount(&self, scope: Scope) -> Scope {
        let config = Arc::new(Config::new(["/openapi.json"]));
        scope
            .service(fixed("/openapi.json", &self.json))
            .service(fixed("/openapi.yaml", &self.yaml))
            .service(readable("/swagger-ui", |route| {
                route.to(async || {
                    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/swagger-ui/")).finish()
                })
            }))
            .service(fixed("/swagger-ui/swagger-initializer.js", &self.page))
            .service(fixed("/swagger-ui/demo-accounts.json", &self.accounts))
            .service(readable("/swagger-ui/{file:.*}", |route| {
                route.to(move |request: HttpRequest, file: web::Path<String>| {
                    let answer = page_file(&request, &file, Arc::clone(&config));
                    async move { answer }
                })
            }))
    }
}

/// A file of the page, which is part of the program.
fn page_file(request: &HttpRequest, file: &str, config: Arc<Config<'static>>) -> HttpResponse {
    let refusal = match utoipa_swagger_ui::serve(file, config) {
        Ok(Some(found)) => {
            let mut response = HttpResponse::Ok();
            if found.gzpipped {
                response.insert_header(ContentEncoding::Gzip);
            }
            return response.content_type(found.content_type).body(found.bytes.into_owned());
        }
        Ok(None) => Refusal::new(Code::NotFound, "no such path"),
        Err(error) => Refusal::new(Code::Internal, error.to_string()),
    };
    problem::answer(refusal.into(), request)
}

/// A document that stays as it is while the server runs. It is written when it is first asked for: writing the
/// specification takes longer than all else that a server does before it listens.
struct Fixed {
    kind: &'static str,
    written: LazyLock<(Bytes, String), Write>,
}

/// What writes a document and the tag that it is known by.
type Write = Box<dyn FnOnce() -> (Bytes, String) + Send>;

impl Fixed {
    fn new(kind: &'static str, write: impl FnOnce() -> Bytes + Send + 'static) -> Arc<Self> {
        let written = LazyLock::new(Box::new(|| {
            let text = write();
            let tag =
                Sha256::digest(&text).iter().fold(String::new(), |tag, byte| tag + &format!("{byte:02x}"));
            (text, format!("\"{tag}\""))
        }) as Write);
        Arc::new(Self { kind, written })
    }

    /// Whoever has it already is told so.
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let (text, tag) = &*self.written;
        // A page has no refusals: what says no tag is passed over.
        let known = condition::not_modified(request.headers(), tag).unwrap_or_default();
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // Weak, because the same text goes out compressed as well, in other bytes.
        response.insert_header((ETAG, format!("W/{tag}"))).insert_header((CACHE_CONTROL, "no-cache"));
        if known {
            response.finish()
        } else {
            response.insert_header((CONTENT_TYPE, self.kind)).body(text.clone())
        }
    }
}

fn fixed(path: &str, document: &Arc<Fixed>) -> Resource {
    let document = Arc::clone(document);
    readable(path, |route| {
        route.to(move |request: HttpRequest| {
            let answer = document.answer(&request);
            async move { answer }
        })
    })
}
