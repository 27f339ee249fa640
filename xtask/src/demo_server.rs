//! A server with the demo's data, for commands that try something out on it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process;

/// A server on a port of its own, for as long as this is held.
pub(crate) struct DemoServer {
    process: Child,
    /// Where it is.
    pub(crate) url: String,
}

impl DemoServer {
    /// Starts the one that was built last, with its files in a folder: on SQLite, unless another database is named.
    pub(crate) fn start(folder: &Path, database: Option<&str>) -> Result<Self> {
        let program: PathBuf = process::root().join("target/debug/fairlead");
        let mut command = Command::new(program);
        command
            .args(["serve", "--demo", "--address", "127.0.0.1:0"])
            .current_dir(folder)
            .env("FAIRLEAD_LOG__FILTER", "off")
            // What a program makes up may name receivers of webhooks anywhere: nobody is called.
            .env("FAIRLEAD_JOBS__ENABLED", "false")
            .env("FAIRLEAD_HTTP__REQUESTS_PER_MINUTE", "0")
            .envs(database.map(|url| ("FAIRLEAD_DATABASE__URL", url)))
            .stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start the server")?;
        let mut lines = BufReader::new(process.stdout.take().context("the server has no output")?).lines();
        let url = lines.find_map(|line| Some(line.ok()?.strip_prefix("listening on ")?.trim().to_owned()));
        // Whoever writes to a pipe that nobody reads would wait for ever.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { process, url: url.clone().unwrap_or_default() };
        ensure!(url.is_some(), "the server ended at once");
        Ok(server)
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
