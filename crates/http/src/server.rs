//! The server: routes, documentation and the frame around them, put together.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding, ETAG, LOCATION};
use actix_web::middleware::{Compat, Compress, from_fn};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer, Scope};
use fairlead_application::App;
use fairlead_domain::error::{Code, Refusal};
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::Config;

use crate::api::{Operation, scope, services};
use crate::config::HttpConfig;
use crate::middleware::{cors, frame};
use crate::problem;
use crate::request::body::JSON;
use crate::request::range;
use crate::resource;
use crate::state::{Health, State};

/// How long an idle connection stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the headers of a request may take; the body has a limit of its own.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the last requests may take once the server stops, in seconds.
const SHUTDOWN_SECONDS: u64 = 30;

/// Configures an actix application as Fairlead's server. Everything is inside, middleware too, so that a
/// test runs what production runs.
pub fn server(app: App, config: HttpConfig, health: Health) -> impl Fn(&mut ServiceConfig) + Clone {
    configure(resource::api().into_operations(), app, config, health)
}

/// The same with any operations.
pub(crate) fn configure(
    operations: Vec<Arc<Operation>>,
    app: App,
    config: HttpConfig,
    health: Health,
) -> impl Fn(&mut ServiceConfig) + Clone {
    let operations: Arc<[_]> = operations.into();
    let documents = Arc::new(Documents::new());
    let state = Arc::new(State::new(app, config, health));
    move |service: &mut ServiceConfig| {
        let routes = services(&operations, &state).into_iter().fold(scope(""), Scope::service);
        let framed = documents.mount(routes);
        let state = Arc::clone(&state);
        let cors = cors(&state.config);
        service.service(
            framed
                .wrap(Compat::new(Compress::default()))
                .wrap(cors)
                .wrap(from_fn(move |request, next| frame(Arc::clone(&state), request, next))),
        );
    }
}

/// Starts the server on a listener. Whoever gets it runs it, and stops it: signals are not looked at here.
/// To stop without losing a request, [`Health::drain`] first, wait until load balancers have noticed, then
/// `handle().stop(true)`.
pub fn serve(
    app: App,
    config: HttpConfig,
    health: Health,
    listener: TcpListener,
    workers: usize,
) -> std::io::Result<Server> {
    let configure = server(app, config, health);
    let server = HttpServer::new(move || ActixApp::new().configure(configure.clone()))
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEADERS_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// The specification in both notations, written once.
struct Documents {
    json: Bytes,
    yaml: Bytes,
}

impl Documents {
    fn new() -> Self {
        let document = crate::openapi();
        // Neither fails on a document that was built from our own types; a test looks at both.
        let json = document.to_pretty_json().unwrap_or_default();
        let yaml = document.to_yaml().unwrap_or_default();
        Self { json: json.into(), yaml: yaml.into() }
    }

    /// Serves the specification and the page that shows it.
    fn mount(&self, scope: Scope) -> Scope {
        let page = Arc::new(
            Config::new(["/openapi.json"])
                .persist_authorization(true)
                .try_it_out_enabled(true)
                .display_request_duration(true)
                .filter(true),
        );
        scope
            .route("/openapi.json", fixed(&self.json, JSON))
            .route("/openapi.yaml", fixed(&self.yaml, "application/yaml"))
            .route(
                "/swagger-ui",
                web::get().to(async || {
                    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/swagger-ui/")).finish()
                }),
            )
            .route(
                "/swagger-ui/{file:.*}",
                web::get().to(move |request: HttpRequest, file: web::Path<String>| {
                    let answer = page_file(&request, &file, Arc::clone(&page));
                    async move { answer }
                }),
            )
    }
}

/// A file of the page, which is part of the program.
fn page_file(request: &HttpRequest, file: &str, page: Arc<Config<'static>>) -> HttpResponse {
    let refusal = match utoipa_swagger_ui::serve(file, page) {
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
fn fixed(text: &Bytes, kind: &'static str) -> actix_web::Route {
    let text = text.clone();
    let tag = Sha256::digest(&text).iter().fold(String::new(), |tag, byte| tag + &format!("{byte:02x}"));
    let tag = format!("\"{tag}\"");
    web::get().to(move |request: HttpRequest| {
        let known = range::seen(request.headers(), &tag);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, tag.clone())).insert_header((CACHE_CONTROL, "no-cache"));
        let response = if known {
            response.finish()
        } else {
            response.insert_header((CONTENT_TYPE, kind)).body(text.clone())
        };
        async move { response }
    })
}
