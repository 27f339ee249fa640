//! `cargo xtask clients`: clients that others' tools generate from the committed document, type-checked under strict
//! settings, and walked from a lead to the last payment against a live server; and the same walk with curl.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{npm, process};

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
    let server = Server::start(folder.path())?;
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
    let programs = folder.join(".venv").join("bin");
    if !programs.join("openapi-python-client").is_file() {
        if process::on_path("python3").is_none() {
            bail!("the Python client needs Python 3.11 or later: https://www.python.org/downloads/");
        }
        process::run(Command::new("python3").args(["-m", "venv", ".venv"]).current_dir(&folder))?;
        let install = ["install", "--quiet", "--requirement", "requirements.txt"];
        process::run(Command::new(programs.join("pip")).args(install).current_dir(&folder))?;
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let tool = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.current_dir(&folder).env("PATH", &path);
        command
    };
    let generate = ["generate", "--path", "../../openapi/fairlead.v1.json", "--config", "generate.yaml"];
    let into = ["--meta", "none", "--output-path", "fairlead_client", "--overwrite", "--fail-on-warning"];
    process::run(tool("openapi-python-client").args(generate).args(into))?;
    process::run(&mut tool("mypy"))?;
    process::run(tool("python").args(["journey.py", url]))
}

/// A server with the demo's data, on a port of its own, for as long as this is held.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        let program: PathBuf = process::root().join("target/debug/fairlead");
        let mut process = Command::new(program)
            .args(["serve", "--demo", "--address", "127.0.0.1:0"])
            .current_dir(folder)
            .env("FAIRLEAD_LOG__FILTER", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let mut lines = BufReader::new(process.stdout.take().context("the server has no output")?).lines();
        let url = lines.find_map(|line| Some(line.ok()?.strip_prefix("listening on ")?.trim().to_owned()));
        // Whoever writes to a pipe that nobody reads would wait for ever.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { process, url: url.clone().unwrap_or_default() };
        ensure!(url.is_some(), "the server ended at once");
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
