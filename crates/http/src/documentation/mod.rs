//! The documentation that a server carries: the specification in both notations, and Swagger UI to try it out.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding, ETAG, LOCATION};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, Route, Scope};
use fairlead_application::demo::DemoAccount;
use fairlead_domain::error::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::Config;

use crate::problem;
use crate::request::body::JSON;
use crate::request::range;

/// What the page does when it is loaded; it stands in for the file that comes with Swagger UI.
const PAGE: &[u8] = include_bytes!("page.js");

/// The documents, written once.
pub(crate) struct Documents {
    json: Bytes,
    yaml: Bytes,
    /// Who may be chosen on the page with one click: the accounts of a demo, whose passwords are public.
    accounts: Bytes,
}

impl Documents {
    /// Writes them.
    pub(crate) fn new(accounts: &[DemoAccount]) -> Self {
        let document = crate::openapi();
        // Neither fails on a document that was built from our own types; a test looks at both.
        let json = document.to_pretty_json().unwrap_or_default();
        let yaml = document.to_yaml().unwrap_or_default();
        let account = |one: &DemoAccount| json!({"role": one.role, "name": one.name, "email": one.email, "password": one.password});
        let accounts = json!(accounts.iter().map(account).collect::<Vec<_>>()).to_string();
        Self { json: json.into(), yaml: yaml.into(), accounts: accounts.into() }
    }

    /// Serves the specification and the page that shows it.
    pub(crate) fn mount(&self, scope: Scope) -> Scope {
        let config = Arc::new(Config::new(["/openapi.json"]));
        scope
            .route("/openapi.json", fixed(&self.json, JSON))
            .route("/openapi.yaml", fixed(&self.yaml, "application/yaml"))
            .route(
                "/swagger-ui",
                web::get().to(async || {
                    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/swagger-ui/")).finish()
                }),
            )
            .route("/swagger-ui/swagger-initializer.js", fixed(&Bytes::from_static(PAGE), "text/javascript"))
            .route("/swagger-ui/demo-accounts.json", fixed(&self.accounts, JSON))
            .route(
                "/swagger-ui/{file:.*}",
                web::get().to(move |request: HttpRequest, file: web::Path<String>| {
                    let answer = page_file(&request, &file, Arc::clone(&config));
                    async move { answer }
                }),
            )
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

/// A document that stays as it is while the server runs: whoever has it already is told so.
fn fixed(text: &Bytes, kind: &'static str) -> Route {
    let text = text.clone();
    let tag = Sha256::digest(&text).iter().fold(String::new(), |tag, byte| tag + &format!("{byte:02x}"));
    let tag = format!("\"{tag}\"");
    // Weak, because the same text goes out compressed as well, in other bytes.
    let weak = format!("W/{tag}");
    web::get().to(move |request: HttpRequest| {
        let known = range::seen(request.headers(), &tag);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, weak.clone())).insert_header((CACHE_CONTROL, "no-cache"));
        let response = if known {
            response.finish()
        } else {
            response.insert_header((CONTENT_TYPE, kind)).body(text.clone())
        };
        async move { response }
    })
}
