//! The subcommands, one file each, and what they share.

mod migrate;
mod openapi;
mod reindex;
mod seed;
mod serve;
mod verify;

use std::fmt::Write as _;
use std::future::Future;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use fairlead_application::demo::DemoAccount;
use fairlead_application::{App, Failure};

use crate::config::{self, Config, Flag, Loaded, Wrong};
use crate::telemetry;

/// How long the database may take to say goodbye.
const CLOSING: Duration = Duration::from_secs(5);

/// Fairlead: the server of an open-source CRM, from the first lead to the last payment.
///
/// Every command but `openapi` reads the configuration: flags over environment variables (FAIRLEAD_<SECTION>__<KEY>)
/// over the configuration file over defaults. `fairlead serve --print-config` shows what came out and from where.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
#[derive(Parser)]
#[command(name = "fairlead", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// Configuration file; `fairlead.toml` in the working directory is read if it is there.
    #[arg(long, global = true, value_name = "FILE", env = "FAIRLEAD_CONFIG", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Database: `sqlite:<file>` or `postgres://<user>@<host>/<database>`. A password is better given by
    /// FAIRLEAD_DATABASE__URL or the file: other users of the machine can read a command line.
    #[arg(long, global = true, value_name = "URL", help_heading = "Configuration")]
    database_url: Option<String>,
    /// Log as `text` or `json`.
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Configuration")]
    log_format: Option<String>,
    /// What to log, such as `info` or `warn,fairlead_http=debug`.
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Configuration")]
    log_filter: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Options),
    Migrate(migrate::Options),
    Seed(seed::Options),
    Verify(verify::Options),
    /// Write anew what search finds records by, and the normal forms that they are compared by, where `verify` tells
    /// that they differ.
    ///
    /// Compares what is kept with what follows from each record, and writes what differs. No record and no version
    /// changes, and there is no event. It goes on in portions and may run beside a server; cut off, it is just run
    /// again. Only where SQLite's index of words itself is out of step is that made anew at once, for which writers
    /// wait: about a second for a hundred thousand records.
    Reindex,
    Openapi(openapi::Options),
}

/// Runs what the command line asks for.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Serve(options) => {
            let loaded = common.load(options.flags(), options.demo)?;
            if options.print_config {
                return print(&loaded.print());
            }
            start(&loaded.config, serve::run(options, &loaded.config))
        }
        Command::Migrate(options) => {
            let config = common.load(Vec::new(), false)?.config;
            start(&config, migrate::run(options, &config))
        }
        Command::Seed(options) => {
            let config = common.load(options.flags(), options.demo)?.config;
            start(&config, seed::run(options, &config))
        }
        Command::Verify(options) => {
            let config = common.load(Vec::new(), false)?.config;
            start(&config, verify::run(options, &config))
        }
        Command::Reindex => {
            let config = common.load(Vec::new(), false)?.config;
            start(&config, reindex::run(&config))
        }
        Command::Openapi(options) => openapi::run(options),
    }
}

impl Common {
    fn load(&self, own: Vec<Flag>, demo: bool) -> Result<Loaded, Wrong> {
        let mut flags = own;
        set(&mut flags, "--database-url", "database.url", self.database_url.as_ref());
        set(&mut flags, "--log-format", "log.format", self.log_format.as_ref());
        set(&mut flags, "--log-filter", "log.filter", self.log_filter.as_ref());
        config::load(self.config.as_deref(), &flags, demo)
    }
}

/// Notes a flag that was given.
fn set(flags: &mut Vec<Flag>, flag: &'static str, key: &'static str, value: Option<&impl ToString>) {
    flags.extend(value.map(|value| Flag { typed: flag, key, value: value.to_string() }));
}

/// Starts logging and runs a command to its end.
fn start(config: &Config, command: impl Future<Output = Result<()>>) -> Result<()> {
    telemetry::start(&config.log)?;
    // Requests have threads of their own; these two serve the rest.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("cannot start threads")?.block_on(command)
}

/// What becomes of a database that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// A SQLite file is made.
    Made,
    /// Its URL was mistyped.
    Refused,
}

/// Opens the database.
async fn open(config: &Config, missing: Missing) -> Result<App> {
    let opened = match missing {
        Missing::Made => App::open(config.application()).await,
        Missing::Refused => App::open_existing(config.application()).await,
    };
    opened.with_context(|| format!("cannot open the database {}", config.shown_database()))
}

/// Opens the database, does something with it, and closes it whatever came out.
async fn with_app<T>(
    config: &Config,
    missing: Missing,
    work: impl AsyncFnOnce(&App) -> Result<T>,
) -> Result<T> {
    let app = open(config, missing).await?;
    let done = work(&app).await;
    close(&app).await;
    done
}

/// Closes the database.
async fn close(app: &App) {
    if tokio::time::timeout(CLOSING, app.close()).await.is_err() {
        tracing::warn!("the database did not close within {} s", CLOSING.as_secs());
    }
}

/// A failed use case, in words.
fn explain(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Refused(refusal) | Failure::Replayed(refusal) => {
            let mut words = refusal.detail;
            for error in refusal.errors {
                let _ = write!(words, "\n  {}: {}", error.pointer.trim_start_matches('/'), error.message);
            }
            anyhow::Error::msg(words)
        }
        Failure::Store(error) => error.into(),
    }
}

/// What to do about a demo whose seeding did not come to its end.
fn half_seeded(config: &Config) -> anyhow::Error {
    anyhow::anyhow!(
        "the database {} has only a part of the demo: its seeding was interrupted, or still goes on elsewhere. Remove \
         the database and start again",
        config.shown_database()
    )
}

/// Prints to standard output. A reader that goes away, as `head` does, is no failure.
fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// The demo accounts as a table. Names come last: characters that take two columns do no harm there.
fn table(accounts: &[DemoAccount]) -> String {
    let width = |cell: fn(&DemoAccount) -> &str, title: &str| {
        accounts.iter().map(|account| cell(account).chars().count()).max().unwrap_or(0).max(title.len())
    };
    let role = width(|account| &account.role, "role");
    let email = width(|account| &account.email, "e-mail");
    let password = width(|account| &account.password, "password");
    let line = |cells: [&str; 4]| {
        format!("  {:role$}  {:email$}  {:password$}  {}\n", cells[0], cells[1], cells[2], cells[3])
    };
    let rows = accounts
        .iter()
        .map(|account| line([&account.role, &account.email, &account.password, &account.name]));
    std::iter::once(line(["role", "e-mail", "password", "name"])).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_says_what_it_is_for() {
        for command in Arguments::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} --{}", command.get_name(), argument.get_id());
            }
        }
    }
}
