//! `fairlead serve`.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use fairlead_application::demo::{self, DemoAccount, DemoState};
use fairlead_application::{App, admin};
use fairlead_http::{Health, HttpConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Missing, close, explain, half_seeded, open, print, set, table};
use crate::config::{Config, Flag, Wrong};

/// Run the server until it is told to stop.
///
/// Brings the tables to this version, makes the first administrator if one is configured and there are no users, and
/// prints `listening on http://...` when it takes requests. SIGTERM and Ctrl-C stop it in good order: `/readyz` says
/// no, running requests end, the database is closed.
#[derive(Args)]
#[command(after_help = "Example:\n  fairlead serve --demo")]
// A flag is a truth value.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Options {
    /// Where to listen [default: 127.0.0.1:8080]. Port 0 takes any free one.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// How many threads serve requests [default: one for each core].
    #[arg(long, value_name = "NUMBER")]
    workers: Option<usize>,
    /// The address under which people reach the server, where that is another.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Leave the tables as they are; `fairlead migrate` changes them.
    #[arg(long)]
    no_migrate: bool,
    /// A demo: SQLite in `fairlead-demo.db` unless a database is named, filled with demo data when it is empty, with
    /// accounts whose passwords are public.
    #[arg(long)]
    pub(super) demo: bool,
    /// Let a demo be reached from other machines.
    #[arg(long, requires = "demo")]
    demo_anywhere: bool,
    /// Print the configuration with the source of each value, secrets masked, and end.
    #[arg(long)]
    pub(super) print_config: bool,
}

impl Options {
    /// The keys that its flags set.
    pub(super) fn flags(&self) -> Vec<Flag> {
        let mut flags = Vec::new();
        set(&mut flags, "--address", "http.address", self.address.as_ref());
        set(&mut flags, "--workers", "http.workers", self.workers.as_ref());
        set(&mut flags, "--public-url", "http.public_url", self.public_url.as_ref());
        flags
    }
}

pub(super) async fn run(options: &Options, config: &Config) -> Result<()> {
    // First, so that a taken port is known before the database is touched.
    let listener = listen(&config.address())?;
    let address = listener.local_addr().context("cannot tell where the server listens")?;
    if options.demo && !options.demo_anywhere && !address.ip().is_loopback() {
        return Err(Wrong::one(format!(
            "the passwords of a demo are public, and {address} can be reached from other machines: listen on \
             127.0.0.1, or add `--demo-anywhere`"
        ))
        .into());
    }
    let mut signals = Signals::new()?;
    let app = open(config, Missing::Made).await?;
    let prepared = tokio::select! {
        prepared = prepare(options, config, &app) => Some(prepared),
        () = signals.next() => None,
    };
    let served = match prepared {
        Some(Ok(Prepared { introduction, accounts })) => {
            let url = format!("http://{address}");
            let shown = config.public_url().unwrap_or(&url).trim_end_matches('/');
            print(&introduction.replace("{url}", shown))?;
            Box::pin(serve(config, &app, accounts, listener, signals)).await
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    close(&app).await;
    tracing::info!("stopped");
    served
}

fn listen(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!(
                "{address} is taken by another program: choose another with `--address` or `http.address`"
            )
        }
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

/// A database to which requests can come.
#[derive(Default)]
struct Prepared {
    /// What to tell the user.
    introduction: String,
    /// The accounts of a demo.
    accounts: Vec<DemoAccount>,
}

/// Brings the database to where requests can be served.
async fn prepare(options: &Options, config: &Config, app: &App) -> Result<Prepared> {
    if config.hashes_cheaply() {
        tracing::warn!("`auth.password_memory_kib` is fit for tests only: passwords are hashed too cheaply");
    }
    if options.no_migrate {
        app.ready()
            .await
            .map_err(explain)
            .context("the database is not ready, and --no-migrate leaves it so")?;
    } else {
        let applied = app.migrate().await?;
        if applied > 0 {
            tracing::info!(applied, "brought the database to this version");
        }
    }
    if options.demo {
        return introduce(config, app).await;
    }
    if !admin::has_users(app).await.map_err(explain)? {
        make_administrator(config, app).await?;
    }
    Ok(Prepared::default())
}

async fn make_administrator(config: &Config, app: &App) -> Result<()> {
    let Some(administrator) = config.first_administrator()? else {
        tracing::warn!(
            "there are no users, so nobody can log in. Make the first administrator: \
             fairlead seed --admin-email <e-mail> --password-file <file>"
        );
        return Ok(());
    };
    let (email, name) = (&administrator.email, &administrator.name);
    if admin::create_first_administrator(app, email, name, administrator.password).await.map_err(explain)? {
        tracing::info!(%email, "made the first administrator");
    }
    Ok(())
}

/// Seeds an empty demo; answers with what a visitor wants to know.
async fn introduce(config: &Config, app: &App) -> Result<Prepared> {
    let accounts = match demo::state(app).await.map_err(explain)? {
        DemoState::Empty => demo::seed(app).await.map_err(explain)?,
        DemoState::Half => return Err(half_seeded(config)),
        DemoState::Whole => demo::accounts(),
        DemoState::Foreign => Vec::new(),
    };
    let note = if accounts.is_empty() {
        "The database has users already, and no demo. For a demo, remove it or name another.\n".to_owned()
    } else {
        format!("Demo accounts:\n\n{}", table(&accounts))
    };
    let database = config.shown_database();
    let introduction = format!(
        "\nAPI         {{url}}/api/v1\nSwagger UI  {{url}}/swagger-ui/\nDatabase    {database}\n\n{note}\n"
    );
    Ok(Prepared { introduction, accounts })
}

/// Serves until a signal comes, then stops in good order.
async fn serve(
    config: &Config,
    app: &App,
    demo_accounts: Vec<DemoAccount>,
    listener: TcpListener,
    mut signals: Signals,
) -> Result<()> {
    let address = listener.local_addr().context("cannot tell where the server listens")?;
    let settings = HttpConfig { demo_accounts, ..config.http() };
    settings.check().map_err(Wrong::one)?;
    let health = Health::default();
    let server = fairlead_http::serve(app.clone(), settings, health.clone(), listener, config.workers())
        .context("cannot start the server")?;
    let handle = server.handle();
    print(&format!("listening on http://{address}\n"))?;

    let stop = async {
        signals.next().await;
        tracing::info!("stopping; a second signal stops at once");
        let in_good_order = async {
            health.drain();
            tokio::time::sleep(config.shutdown_grace()).await;
            tokio::time::timeout(config.shutdown_timeout(), handle.stop(true)).await
        };
        tokio::select! {
            ended = in_good_order => {
                if ended.is_err() {
                    tracing::warn!("requests that took too long were cut off");
                }
            }
            () = signals.next() => tracing::warn!("stopped at once; running requests were cut off"),
        }
    };
    tokio::select! {
        ended = server => ended.context("the server failed"),
        () = stop => Ok(()),
        // What is cut off in the middle of a step is rolled back, and done by whoever comes next.
        () = background(app, config.background_interval()) => Ok(()),
    }
}

/// Does what is to be done in the background, for ever.
async fn background(app: &App, interval: Option<Duration>) {
    match interval {
        Some(interval) => app.work_in_background(interval).await,
        None => std::future::pending().await,
    }
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen to signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
