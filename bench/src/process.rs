//! Servers as processes.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const STARTUP: Duration = Duration::from_mins(1);

/// A running server.
pub(crate) struct Server {
    /// Where it listens, as `host:port`.
    pub(crate) address: String,
    /// How long it took until it said so.
    pub(crate) started_in: Duration,
    child: Child,
}

impl Server {
    /// Starts a program and waits until it listens. What it logs goes to a file, as it would in production.
    pub(crate) async fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).kill_on_drop(true);
        let begun = Instant::now();
        let mut child = command.spawn().context("cannot start a server")?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let address = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return Ok(address.trim().to_owned());
                }
            }
            bail!("a server ended at once:\n{}", std::fs::read_to_string(log).unwrap_or_default())
        };
        let address =
            tokio::time::timeout(STARTUP, address).await.context("a server did not start in time")??;
        Ok(Self { address, started_in: begun.elapsed(), child })
    }

    /// Its resident memory in MiB.
    pub(crate) fn memory(&self) -> Result<f64> {
        memory_of(self.id()?)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// Stops it in good order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.id()?.to_string()]).status().await?;
        self.child.wait().await?;
        Ok(())
    }
}

/// The resident memory of a process in MiB.
pub(crate) fn memory_of(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .context("resident memory is read from /proc, which only Linux has")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
