//! Other programs, run so that an interrupt still lets the command clean up.

use std::env;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How often a waiting command looks up.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// From when on it is told how long a command took, for whoever wonders where the time of all tests goes.
const NOTABLE: Duration = Duration::from_secs(5);

/// What compiles and complains.
const CLIPPY: &str = "clippy-driver";

/// What a child gets to end by itself; longer than nextest gives its tests.
const GRACE: Duration = Duration::from_secs(15);

/// Ctrl-C: the terminal has told our children as well.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// A signal to us alone: our children have to be told.
static TERMINATED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether our code is compiled by clippy.
static LINTED: AtomicBool = AtomicBool::new(false);

/// From here on a signal does not end this process at once: without this, nothing would be cleaned up.
pub(crate) fn catch_interrupts() -> Result<()> {
    signal_hook::flag::register(SIGINT, Arc::clone(&INTERRUPTED))?;
    signal_hook::flag::register(SIGTERM, Arc::clone(&TERMINATED))?;
    signal_hook::flag::register(SIGHUP, Arc::clone(&TERMINATED))?;
    Ok(())
}

/// Whether the command was asked to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed) || TERMINATED.load(Ordering::Relaxed)
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where cargo puts what it builds; this program is in a profile's folder there.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.ancestors().nth(2).context("this program is in no target folder")?;
    Ok(target.to_owned())
}

/// The cargo that runs us, in the workspace's folder.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    // What cargo said of this program is not meant for others. Build scripts that look at it, as ring's does, would find
    // it changed whenever `cargo` and `cargo xtask` take turns, and much would be built anew each time.
    let ours = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    if LINTED.load(Ordering::Relaxed) {
        let beside = env::var_os("CARGO").map(|cargo| Path::new(&cargo).with_file_name(CLIPPY));
        let clippy = beside.filter(|path| path.is_file()).unwrap_or_else(|| CLIPPY.into());
        command.env("RUSTC_WORKSPACE_WRAPPER", clippy);
        // `-D warnings`, in the words in which `cargo clippy` hands its arguments on.
        command.env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
    }
    command
}

/// From here on whatever cargo builds of ours is linted as it is compiled, and a warning is an error: clippy is a
/// compiler. `cargo clippy` and then `cargo build` would read all of the code twice, and the libraries as well.
pub(crate) fn lint_what_is_built() {
    LINTED.store(true, Ordering::Relaxed);
}

/// Builds the server, everything else and all tests. All at once: for one package alone, cargo builds most libraries
/// anew, because it takes fewer of their features.
pub(crate) fn build() -> Result<()> {
    run(&mut cargo(["build", "--workspace", "--bins", "--tests"]))
}

/// Runs a command to its end; anything but success is an error. How long it took is told where it was long.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let begun = Instant::now();
    let status = status(command)?;
    ensure!(status.success(), "`{}` failed ({status})", line(command));
    if begun.elapsed() >= NOTABLE {
        eprintln!("({} s: {})", begun.elapsed().as_secs(), line(command));
    }
    Ok(())
}

/// Runs a command to its end, in plain sight.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    ensure!(!interrupted(), "interrupted");
    eprintln!("\n$ {}", line(command));
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", line(command)))?;
    let mut asked_at: Option<Instant> = None;
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(asked_at.is_none(), "interrupted");
            return Ok(status);
        }
        if interrupted() {
            let patience_ends = *asked_at.get_or_insert_with(Instant::now) + GRACE;
            if !told && (TERMINATED.load(Ordering::Relaxed) || Instant::now() > patience_ends) {
                terminate(&child);
                told = true;
            } else if Instant::now() > patience_ends + GRACE {
                child.kill()?;
            }
        }
        thread::sleep(TICK);
    }
}

/// Runs a command and keeps what it prints; anything but success is an error that holds its complaint.
pub(crate) fn capture(command: &mut Command) -> Result<Output> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}):\n{}", line(command), output.status, complaint.trim());
    }
    Ok(output)
}

/// Whether a command starts and succeeds; what it prints is not wanted.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Does two things at the same time, each of which leaves processors idle. Both come to their end, whether the other
/// failed or not; if both did, the failure of the first is told.
pub(crate) fn side_by_side(
    one: impl FnOnce() -> Result<()> + Send,
    other: impl FnOnce() -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        one.join().unwrap_or_else(|panic| panic::resume_unwind(panic)).and(other)
    })
}

/// Where a program is, if it is on the PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Asks a child to end. The standard library can only kill, and calling the system directly would need `unsafe`.
fn terminate(child: &Child) {
    succeeds(Command::new("kill").args(["-TERM", &child.id().to_string()]));
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
