//! The server: routes, documentation and the frame around them, put together.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compat, Compress, from_fn};
use actix_web::web::ServiceConfig;
use actix_web::{App as ActixApp, HttpServer, Scope};
use fairlead_application::App;

use crate::api::{Operation, scope, services};
use crate::config::HttpConfig;
use crate::documentation::Documents;
use crate::middleware::{cors, frame, preflight};
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
    let documents = Arc::new(Documents::new(&config));
    let state = Arc::new(State::new(app, config, health));
    move |service: &mut ServiceConfig| {
        let routes = services(&operations, &state).into_iter().fold(scope("", &state), Scope::service);
        let framed = documents.mount(routes, &state);
        let state = Arc::clone(&state);
        let cors = cors(&state.config);
        service.service(
            framed
                .wrap(Compat::new(Compress::default()))
                .wrap(cors)
                .wrap(from_fn(preflight))
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
