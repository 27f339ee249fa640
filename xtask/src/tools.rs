//! The programs that the commands need: found where they are, installed where that is possible, asked for otherwise.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// A cargo subcommand, with the version that is installed where none is there.
pub(crate) struct CargoTool {
    subcommand: &'static str,
    package: &'static str,
    version: &'static str,
}

/// Runs the tests: one process each, with time limits and a summary.
pub(crate) const NEXTEST: CargoTool =
    CargoTool { subcommand: "nextest", package: "cargo-nextest", version: "0.9.143" };

/// Checks licences, sources and known faults of third-party code.
pub(crate) const DENY: CargoTool = CargoTool { subcommand: "deny", package: "cargo-deny", version: "0.20.2" };

impl CargoTool {
    /// Makes sure that the tool is there. Any installed version will do.
    pub(crate) fn ensure(&self) -> Result<()> {
        if process::succeeds(process::cargo([self.subcommand]).arg("--version")) {
            return Ok(());
        }
        let package = format!("{}@{}", self.package, self.version);
        eprintln!("{} is missing: installing it, which takes a minute or two from source.", self.package);
        // Prebuilt saves those minutes, but is not had everywhere that crates.io is.
        if process::on_path("cargo-binstall").is_some()
            && process::run(process::cargo(["binstall", "--no-confirm"]).arg(&package)).is_ok()
        {
            return Ok(());
        }
        // What these do takes a moment however they were built; an optimized build takes minutes, and nobody debugs them.
        let mut install = process::cargo(["install", "--locked", "--debug"]);
        process::run(install.arg(&package).env("CARGO_PROFILE_DEV_DEBUG", "false"))
            .with_context(|| format!("install it by hand, then try again: cargo install --locked {package}"))
    }
}

/// Installs a system package where nobody has to be asked: as root or with a sudo that wants no password.
///
/// `by_hand` is what to tell a person otherwise, a line for each kind of system.
pub(crate) fn install_package(package: &str, by_hand: &str) -> Result<()> {
    let Some(installer) = apt_get() else {
        bail!(
            "{package} is missing and cannot be installed from here. Install it, then try again:\n{by_hand}"
        );
    };
    eprintln!("{package} is missing: installing it.");
    // An old list of packages names versions that are no longer there. A mirror that is away is no reason to stop:
    // the list that is there may do.
    let _ = process::run(installer().arg("update"));
    process::run(installer().args(["install", "--yes", "--no-install-recommends", package]))
        .with_context(|| format!("{package} could not be installed. Install it, then try again:\n{by_hand}"))
}

/// `apt-get` as somebody who may use it.
fn apt_get() -> Option<fn() -> Command> {
    const QUIET: [&str; 4] =
        ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-oDPkg::Lock::Timeout=120"];
    process::on_path("apt-get")?;
    if is_root() {
        Some(|| {
            let mut command = Command::new("env");
            command.args(QUIET);
            command
        })
    } else if process::succeeds(Command::new("sudo").args(["-n", "true"])) {
        Some(|| {
            let mut command = Command::new("sudo");
            command.args(["-n", "env"]).args(QUIET);
            command
        })
    } else {
        None
    }
}

/// Whether we may do anything, which PostgreSQL's server refuses to run with.
pub(crate) fn is_root() -> bool {
    process::capture(Command::new("id").arg("-u")).is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A browser that the browser tests can drive.
pub(crate) fn browser() -> Option<PathBuf> {
    const ON_MACOS: [&str; 2] = [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ];
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        .into_iter()
        .find_map(process::on_path)
        .or_else(|| ON_MACOS.into_iter().map(PathBuf::from).find(|path| path.is_file()))
}
