//! `cargo xtask test`: everything that must pass.

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::Result;

use crate::postgres::{self, Postgres};
use crate::{clients, fuzz, lint, process, tools};

/// The browser that the browser tests drive; without one they cannot run.
const BROWSER: &str = "FAIRLEAD_TEST_BROWSER";

/// How many tests nextest runs at once.
const THREADS: &str = "NEXTEST_TEST_THREADS";

/// What of it to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out lint (formatting, clippy, the document, the rules for third-party code), the clients and the fuzzing.
    #[arg(long)]
    quick: bool,
    /// Arguments for `cargo nextest run`, such as part of a test's name.
    #[arg(last = true)]
    runner: Vec<OsString>,
}

/// Lint, the clients, a short fuzzing, doc tests, and then the tests: the runner's own summary is the last thing
/// printed, whatever it says.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    // First, so that a missing program is known before minutes are spent.
    let nextest = tools::NEXTEST.ensure();
    if !options.quick {
        tools::DENY.ensure()?;
    }
    postgres::ensure_available()?;

    // The end-to-end tests drive the real binary.
    if options.quick {
        process::build()?;
    } else {
        lint::format()?;
        process::lint_what_is_built();
        process::side_by_side(lint::without_clippy, process::build)?;
        clients::run_if_possible()?;
        fuzz::run_short_if_possible()?;
    }
    let postgres = Postgres::start()?;
    let mut tests = if let Err(error) = nextest {
        eprintln!(
            "\nNOTICE: `cargo test` runs the tests, without time limits and heavy ones side by side. {error:#}"
        );
        process::cargo(["test", "--workspace", "--no-fail-fast"])
    } else {
        // nextest leaves them out. Their summary goes where nextest writes its own, so that there too it is not the last.
        let mut doc_tests = process::cargo(["test", "--workspace", "--doc", "--quiet"]);
        process::run(on(&postgres, doc_tests.stdout(io::stderr())))?;
        let mut tests = process::cargo(["nextest", "run", "--workspace"]);
        // Most tests wait for a server, a database or a second to pass, rather than compute.
        if env::var_os(THREADS).is_none()
            && let Ok(processors) = thread::available_parallelism()
        {
            tests.env(THREADS, (processors.get() * 2).to_string());
        }
        tests
    };
    let status = process::status(on(&postgres, tests.args(&options.runner)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Tells a command's tests where to find the server and the browser.
fn on<'command>(postgres: &Postgres, command: &'command mut Command) -> &'command mut Command {
    if env::var_os(BROWSER).is_none()
        && let Some(browser) = tools::browser()
    {
        command.env(BROWSER, browser);
    }
    command.env(postgres::URL, postgres.url())
}
