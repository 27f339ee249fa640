//! `cargo xtask clients`: clients that others' tools generate from the committed document, type-checked under strict
//! settings, and walked from a lead to the last payment against a live server; and the same walk with curl.

use std::process::Command;

use anyhow::{Result, bail};

use crate::demo_server::DemoServer;
use crate::{npm, process, python};

/// Generates, checks and runs each of them.
pub(crate) fn run() -> Result<()> {
    // First, so that a missing program is known before minutes are spent.
    for program in ["bash", "curl", "jq"] {
        if process::on_path(program).is_none() {
            bail!("the walk in the shell needs {program}: install it with your system's packages");
        }
    }
    process::run(&mut process::cargo(["build", "--package", "fairlead"]))?;
    let folder = tempfile::Builder::new().prefix("fairlead-clients-").tempdir()?;
    let server = DemoServer::start(folder.path(), None)?;
    process::run(Command::new(process::root().join("examples/curl/journey.sh")).arg(&server.url))?;
    typescript(&server.url)?;
    python(&server.url)
}

fn typescript(url: &str) -> Result<()> {
    let folder = process::root().join("examples/typescript");
    npm::install(&folder)?;
    for script in ["generate", "build"] {
        process::run(npm::npm(&folder).args(["run", "--silent", script]))?;
    }
    process::run(npm::npm(&folder).args(["run", "--silent", "start", "--", url]))
}

fn python(url: &str) -> Result<()> {
    let folder = process::root().join("examples/python");
    python::install(&folder)?;
    let generate = ["generate", "--path", "../../openapi/fairlead.v1.json", "--config", "generate.yaml"];
    let into = ["--meta", "none", "--output-path", "fairlead_client", "--overwrite", "--fail-on-warning"];
    process::run(python::tool(&folder, "openapi-python-client").args(generate).args(into))?;
    process::run(&mut python::tool(&folder, "mypy"))?;
    process::run(python::tool(&folder, "python").args(["journey.py", url]))
}
