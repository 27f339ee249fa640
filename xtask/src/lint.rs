//! `cargo xtask lint`: what can be said about the code without running it.

use std::env;

use anyhow::{Context, Result};

use crate::{compat, process, spec, tools};

/// Set to `required` where the advisory database must be within reach, as in CI.
const ADVISORIES: &str = "FAIRLEAD_ADVISORIES";

/// Formatting, clippy, the OpenAPI document by itself and against the last release, and third-party code.
pub(crate) fn run() -> Result<()> {
    format()?;
    without_clippy()?;
    process::run(&mut process::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// How the code is laid out, which takes a moment.
pub(crate) fn format() -> Result<()> {
    process::run(&mut process::cargo(["fmt", "--all", "--", "--check"]))
}

/// What needs no build; for whoever builds everything at the same time, and has it linted then.
pub(crate) fn without_clippy() -> Result<()> {
    spec::run_if_possible()?;
    compat::check()?;
    tools::DENY.ensure()?;
    third_party()
}

/// Licences, sources and bans need nothing but the lock file. The list of known faults lives on the network, and being
/// offline is no fault of the code: that is said aloud instead, except where the list is demanded.
fn third_party() -> Result<()> {
    let Err(error) = process::capture(&mut process::cargo(["deny", "fetch", "db"])) else {
        return process::run(&mut process::cargo(["deny", "check"]));
    };
    if env::var(ADVISORIES).is_ok_and(|value| value == "required") {
        return Err(error).context("the advisory database is needed and could not be fetched");
    }
    process::run(&mut process::cargo(["deny", "check", "bans", "licenses", "sources"]))?;
    eprintln!(
        "\nNOTICE: known faults of dependencies were NOT checked, the advisory database could not be fetched.\n\
         Run `cargo xtask lint` where there is a network; {ADVISORIES}=required makes this an error."
    );
    Ok(())
}
