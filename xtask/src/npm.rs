//! What is installed with npm, as a lock file says.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Installs a folder's packages as its lock file says, unless that was done already.
pub(crate) fn install(folder: &Path) -> Result<()> {
    if process::on_path("npm").is_none() {
        bail!("this needs Node.js 20 or later with npm: https://nodejs.org/en/download");
    }
    let wanted = fs::read(folder.join("package-lock.json")).context("cannot read package-lock.json")?;
    let mark = folder.join("node_modules").join(".fairlead-lock");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    process::run(npm(folder).arg("ci"))?;
    fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
}

/// npm, in a folder.
pub(crate) fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}
