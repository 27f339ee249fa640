//! Programs of PyPI, in an environment of a folder's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Installs what a folder's `requirements.txt` names, unless that was done already.
pub(crate) fn install(folder: &Path) -> Result<()> {
    if process::on_path("python3").is_none() {
        bail!("this needs Python 3.11 or later: https://www.python.org/downloads/");
    }
    let wanted = fs::read(folder.join("requirements.txt")).context("cannot read requirements.txt")?;
    let mark = folder.join(".venv").join("fairlead-requirements.txt");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    process::run(Command::new("python3").args(["-m", "venv", ".venv"]).current_dir(folder))?;
    process::run(tool(folder, "pip").args(["install", "--quiet", "--requirement", "requirements.txt"]))?;
    fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
}

/// A program of a folder's environment, to be run in it.
pub(crate) fn tool(folder: &Path, name: &str) -> Command {
    let programs = folder.join(".venv").join("bin");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(programs.join(name));
    command.current_dir(folder).env("PATH", path);
    command
}
