//! `cargo xtask spec`: what linters that others wrote say of the committed OpenAPI document, and what our own rules say.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{npm, process};

/// Where the linters are named, with their versions and rules.
const FOLDER: &str = "openapi/lint";
/// The document.
const DOCUMENT: &str = "../fairlead.v1.json";

/// Set to `required` where the linters must be within reach.
const REQUIRED: &str = "FAIRLEAD_SPEC_LINT";

/// The linters, where they can be had. Being without Node.js or offline is no fault of the document: that is said aloud
/// instead, except where they are demanded.
pub(crate) fn run_if_possible() -> Result<()> {
    let folder = process::root().join(FOLDER);
    match npm::install(&folder) {
        Ok(()) => lint(&folder),
        Err(error) if env::var(REQUIRED).is_ok_and(|value| value == "required") => Err(error),
        Err(error) => {
            eprintln!(
                "\nNOTICE: the OpenAPI document was NOT linted. {error:#}\n{REQUIRED}=required makes this an error."
            );
            Ok(())
        }
    }
}

/// Runs every linter; neither an error nor a warning passes.
pub(crate) fn run() -> Result<()> {
    let folder = process::root().join(FOLDER);
    npm::install(&folder)?;
    lint(&folder)
}

fn lint(folder: &Path) -> Result<()> {
    let spectral = ["lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", DOCUMENT];
    process::run(tool(folder, "spectral").args(spectral))?;
    process::run(tool(folder, "redocly").args([
        "lint",
        "--config",
        "redocly.yaml",
        "--max-problems",
        "20",
        DOCUMENT,
    ]))
}

fn tool(folder: &Path, name: &str) -> Command {
    let program: PathBuf = folder.join("node_modules").join(".bin").join(name);
    let mut command = Command::new(program);
    // Neither tells anybody that it was run.
    command.current_dir(folder).env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    command
}
