//! Logs: to standard error, as text for people or as JSON for programs.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Log, LogFormat, Wrong};

/// Logs from here on.
pub(crate) fn start(log: &Log) -> Result<(), Wrong> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
        let (filter, example) = (&log.filter, "info,fairlead_http=debug");
        Wrong::one(format!("`log.filter` is `{filter}` ({error}); expected levels such as `{example}`"))
    })?;
    let events = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match log.format {
        LogFormat::Text => events.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => events.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Wrong::one(format!("cannot start logging: {error}")))
}
