//! `cargo xtask setup`: everything that the other commands need, on a fresh machine.

use anyhow::Result;

use crate::{postgres, tools};

/// Installs what is missing.
pub(crate) fn run() -> Result<()> {
    tools::NEXTEST.ensure()?;
    tools::DENY.ensure()?;
    postgres::ensure_available()?;
    browser();
    Ok(())
}

/// A browser is a large thing to put on somebody's machine: only `setup` does, and the server's own tests do without.
fn browser() {
    const BY_HAND: &str =
        "  Debian:  apt-get install chromium\n  others:  Chromium or Google Chrome, on the PATH";
    if tools::browser().is_some() {
        return;
    }
    if let Err(error) = tools::install_package("chromium", BY_HAND) {
        eprintln!("\nNOTICE: browser tests cannot run here. {error:#}");
    }
}
