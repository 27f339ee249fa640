//! A throwaway server: its data, its socket and its log in one temporary folder.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::binaries::Binaries;
use crate::{process, tools};

/// A socket's path has at most 107 bytes, and another user must be able to walk to it: the usual temporary folder of a
/// system or a user can fail both.
const TEMPORARY: &str = "/tmp";

/// The same in memory, where there is such a thing. Each test has a database of its own, which is a thousand files: to
/// make them on a disk took more of the processor than all statements.
const IN_MEMORY: &str = "/dev/shm";

/// How much room there must be, in KiB: many times of what tests have been seen to need. In containers there is often
/// less.
const ROOM: u64 = 4 * 1024 * 1024;

/// Long on purpose: a machine that is busy compiling starts nothing quickly.
const STARTUP: Duration = Duration::from_secs(90);

/// How long the server may take to end.
const SHUTDOWN: Duration = Duration::from_secs(20);

/// Speed before durability: the data is never needed again.
const SETTINGS: [&str; 10] = [
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    // Tests run side by side, each with its own pool.
    "max_connections=300",
    // Queries of tests are too small to be worth compiling.
    "jit=off",
    // Results must not depend on where the machine stands.
    "timezone=UTC",
    "log_timezone=UTC",
];

/// Ends the server and removes its data when its input is closed, which the system sees to however this process ends:
/// no way of ending it leaves a server behind.
const KEEPER: &str = r#"
read -r line
kill -QUIT "$1"
tries=0
while [ -e "$2/data/postmaster.pid" ] && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$2"
"#;

fn temporary() -> &'static str {
    let mut df = Command::new("df");
    let told = process::capture(df.args(["-Pk", IN_MEMORY])).map(|told| told.stdout).unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    let free = told.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    if free.is_some_and(|free| free >= ROOM) { IN_MEMORY } else { TEMPORARY }
}

/// A running server; dropping it ends the server and removes all that it left.
pub(super) struct Cluster {
    server: Child,
    keeper: Child,
    folder: TempDir,
}

impl Cluster {
    /// Makes an empty cluster and starts its server.
    pub(super) fn start(binaries: &Binaries) -> Result<Self> {
        let owner = Owner::choose()?;
        let folder = tempfile::Builder::new().prefix("fairlead-pg-").tempdir_in(temporary())?;
        owner.own(folder.path())?;
        let data = folder.path().join("data");
        let log = folder.path().join("log");

        process::capture(
            owner
                .become_in(folder.path(), &mut binaries.program("initdb"))
                .args(["--username=fairlead", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"])
                .arg("--pgdata")
                .arg(&data),
        )?;

        let output = File::create(&log)?;
        let mut postgres = binaries.program("postgres");
        owner
            .become_in(folder.path(), &mut postgres)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C goes to a whole group; the server must outlive the tests that it serves.
            .process_group(0);
        let mut server = postgres.spawn().context("cannot start postgres")?;

        let mut sh = Command::new("sh");
        owner
            .become_in(Path::new("/"), &mut sh)
            .args(["-c", KEEPER, "keeper", &server.id().to_string()])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let keeper = match sh.spawn() {
            Ok(keeper) => keeper,
            Err(error) => {
                server.kill()?;
                server.wait()?;
                return Err(error).context("cannot start the server's keeper");
            }
        };

        let mut cluster = Self { server, keeper, folder };
        cluster.wait_until_ready(binaries).with_context(|| {
            format!("postgres did not start. Its log:\n{}", fs::read_to_string(&log).unwrap_or_default())
        })?;
        Ok(cluster)
    }

    /// The form that sqlx takes: a folder as `host` is where the socket is. The port is only part of the socket's name,
    /// but left out it would be taken from the environment.
    pub(super) fn url(&self) -> String {
        format!("postgres://fairlead@localhost:5432/postgres?host={}", self.folder.path().display())
    }

    fn wait_until_ready(&mut self, binaries: &Binaries) -> Result<()> {
        let deadline = Instant::now() + STARTUP;
        loop {
            if let Some(status) = self.server.try_wait()? {
                bail!("it ended at once ({status})");
            }
            let mut ready = binaries.program("pg_isready");
            ready.args(["--quiet", "--port=5432", "--username=fairlead", "--dbname=postgres", "--host"]);
            if process::succeeds(ready.arg(self.folder.path())) {
                return Ok(());
            }
            ensure!(!process::interrupted(), "interrupted");
            ensure!(Instant::now() < deadline, "it was not ready after {} seconds", STARTUP.as_secs());
            thread::sleep(process::TICK);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let deadline = Instant::now() + SHUTDOWN;
        while matches!(self.server.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.server.kill();
            }
            thread::sleep(process::TICK);
        }
        let _ = self.keeper.wait();
    }
}

/// Who runs the server: PostgreSQL refuses to as root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Us, unless we are root.
    fn choose() -> Result<Self> {
        if !tools::is_root() {
            return Ok(Self(None));
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some((id("-u", name)?, id("-g", name)?)))
            .map(|ids| Self(Some(ids)))
            .context(
                "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as",
            )
    }

    fn own(&self, path: &Path) -> Result<()> {
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }

    /// Makes a command run as this user, in a folder that this user may enter.
    fn become_in<'command>(&self, folder: &Path, command: &'command mut Command) -> &'command mut Command {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command.current_dir(folder)
    }
}

fn id(which: &str, name: &str) -> Option<u32> {
    let output = process::capture(Command::new("id").args([which, name])).ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
