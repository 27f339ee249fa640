//! `cargo xtask clients`: clients that others' tools generate from the committed document, type-checked under strict
//! settings, and walked from a lead to the last payment against a live server; and the same walk with curl.

use std::env;
use std::process::Command;

use anyhow::{Result, bail};

use crate::demo_server::DemoServer;
use crate::{npm, process, python};

/// Where the client in TypeScript is.
const TYPESCRIPT: &str = "examples/typescript";
/// Where the client in Python is.
const PYTHON: &str = "examples/python";
/// Set to `required` where the generators must be within reach.
const REQUIRED: &str = "FAIRLEAD_CLIENTS";

/// The clients, where their generators can be had. Being without Node.js or Python, or offline, is no fault of the
/// document: that is said aloud instead, except where they are demanded.
pub(crate) fn run_if_possible() -> Result<()> {
    match install() {
        Ok(()) => run(),
        Err(error) if env::var(REQUIRED).is_ok_and(|value| value == "required") => Err(error),
        Err(error) => {
            eprintln!(
                "\nNOTICE: no clients were generated. {error:#}\n{REQUIRED}=required makes this an error."
            );
            Ok(())
        }
    }
}

fn install() -> Result<()> {
    process::side_by_side(
        || npm::install(&process::root().join(TYPESCRIPT)),
        || python::install(&process::root().join(PYTHON)),
    )
}

/// Generates, checks and runs each of them.
pub(crate) fn run() -> Result<()> {
    // First, so that a missing program is known before minutes are spent.
    for program in ["bash", "curl", "jq"] {
        if process::on_path(program).is_none() {
            bail!("the walk in the shell needs {program}: install it with your system's packages");
        }
    }
    process::build()?;
    install()?;
    let folder = tempfile::Builder::new().prefix("fairlead-clients-").tempdir()?;
    let server = DemoServer::start(folder.path(), None)?;
    process::run(Command::new(process::root().join("examples/curl/journey.sh")).arg(&server.url))?;
    process::side_by_side(|| typescript(&server.url), || python(&server.url))
}

fn typescript(url: &str) -> Result<()> {
    let folder = process::root().join(TYPESCRIPT);
    for script in ["generate", "build"] {
        process::run(npm::npm(&folder).args(["run", "--silent", script]))?;
    }
    process::run(npm::npm(&folder).args(["run", "--silent", "start", "--", url]))
}

fn python(url: &str) -> Result<()> {
    let folder = process::root().join(PYTHON);
    let generate = ["generate", "--path", "../../openapi/fairlead.v1.json", "--config", "generate.yaml"];
    let into = ["--meta", "none", "--output-path", "fairlead_client", "--overwrite", "--fail-on-warning"];
    process::run(python::tool(&folder, "openapi-python-client").args(generate).args(into))?;
    process::run(&mut python::tool(&folder, "mypy"))?;
    process::run(python::tool(&folder, "python").args(["journey.py", url]))
}
