//! `cargo xtask compat`: what the committed OpenAPI document would break for clients of the last release.
//!
//! The rules are those of [oasdiff](https://github.com/oasdiff/oasdiff) with severity ERR, and stricter ones where this
//! API is strict itself or its generated clients are. Files and printing are here; the modules below are pure.

mod bodies;
mod change;
mod changelog;
mod comparison;
mod limits;
mod members;
mod operations;
mod parameters;
mod place;
mod schema;
mod security;
mod shape;
mod sunset;
#[cfg(test)]
mod tests;
mod version;
mod walk;
mod webhooks;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process;
use change::Change;
use changelog::{Declaration, Verdict};
use version::Version;

/// The document as it is now.
const DOCUMENT: &str = "openapi/fairlead.v1.json";
/// The documents of all releases, `0.1.0.json` and so on. They are files because a clone of CI has no tags.
const RELEASED: &str = "openapi/released";
/// Where breaking changes are declared.
const CHANGELOG: &str = "CHANGELOG.md";

/// Compare or release.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Compare nothing: keep the document as the one of this version, for later comparisons.
    #[arg(long, value_name = "VERSION")]
    release: Option<String>,
}

/// Compares, or keeps the document of a release.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.release {
        Some(version) => release(version),
        None => check(),
    }
}

/// Fails on a breaking change since the last release that the changelog does not declare, and on a declaration of a
/// change that there is not.
pub(crate) fn check() -> Result<()> {
    let root = process::root();
    let changelog =
        fs::read_to_string(root.join(CHANGELOG)).with_context(|| format!("cannot read {CHANGELOG}"))?;
    let last = last_release(&root.join(RELEASED))?;
    // A release without its document would leave later changes compared with an older one, or with none.
    if let Some(told) = changelog::newest(&changelog).with_context(|| CHANGELOG.to_owned())? {
        ensure!(
            last.as_ref().is_some_and(|last| *last >= told),
            "{CHANGELOG} tells of {told}, but {RELEASED} has no document of it: run \
             `cargo xtask compat --release {told}` in the commit of the release"
        );
    }
    let Some(last) = last else {
        eprintln!("\nno document in {RELEASED} yet: there is no release that a change could break");
        return Ok(());
    };
    let (before, after) = (read(root, &format!("{RELEASED}/{last}.json"))?, read(root, DOCUMENT)?);
    let changes = comparison::compare(&before, &after, &today()?)?;
    let declarations = changelog::declarations(&changelog).with_context(|| CHANGELOG.to_owned())?;
    let verdict = changelog::judge(&changes, &declarations);
    if verdict.passes() {
        eprintln!("\n{DOCUMENT} against {last}: breaking changes: {}, all declared", changes.len());
        return Ok(());
    }
    bail!("{}", complaint(&last, &verdict))
}

/// Keeps the document under the version of the release. What was released is never written over: clients hold it.
fn release(version: &str) -> Result<()> {
    let root = process::root();
    let version: Version = version.parse()?;
    let document = read(root, DOCUMENT)?;
    let said = document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
    ensure!(
        said == version.to_string(),
        "{DOCUMENT} says that it is {said}: set the version in Cargo.toml and run `cargo xtask openapi` before"
    );
    let name = format!("{RELEASED}/{version}.json");
    fs::create_dir_all(root.join(RELEASED))?;
    let mut file = File::create_new(root.join(&name)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow::anyhow!("{name} is there already, and a release does not change"),
        _ => anyhow::Error::new(error).context(format!("cannot write {name}")),
    })?;
    file.write_all(&fs::read(root.join(DOCUMENT))?).with_context(|| format!("cannot write {name}"))?;
    eprintln!("wrote {name}: commit it with the release");
    Ok(())
}

/// The newest version that has a document.
fn last_release(folder: &Path) -> Result<Option<Version>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {RELEASED}")),
    };
    let mut newest = None;
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if let Some(version) = name.strip_suffix(".json") {
            let version = version.parse().with_context(|| format!("{RELEASED}/{name} names no version"))?;
            newest = newest.max(Some(version));
        }
    }
    Ok(newest)
}

fn read(root: &Path, name: &str) -> Result<Value> {
    let text = fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))?;
    serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
}

/// The day, in UTC. The workspace forbids its programs to look at the clock themselves, so that rules about time can
/// be tested; a command of the project asks the system.
fn today() -> Result<String> {
    let output = process::capture(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    Ok(String::from_utf8(output.stdout).context("`date` does not print text")?.trim().to_owned())
}

/// What is wrong, and what to do about it.
fn complaint(last: &Version, verdict: &Verdict) -> String {
    let mut text = String::new();
    if !verdict.undeclared.is_empty() {
        let _ = writeln!(text, "clients of {last} would break, and {CHANGELOG} does not say so:");
        for Change { rule, place, what } in &verdict.undeclared {
            let _ = writeln!(text, "  {rule} at {place}\n      {what}");
        }
        let _ = writeln!(
            text,
            "Keep the old form beside the new one, or declare the break in {CHANGELOG} under `{}`, `{}`, with a \
             reason in place of {}:\n",
            changelog::SECTION,
            changelog::SUBSECTION,
            changelog::BLANK
        );
        for change in &verdict.undeclared {
            let _ = writeln!(text, "{}", changelog::line(change));
        }
    }
    if !verdict.stale.is_empty() {
        let _ = writeln!(
            text,
            "{CHANGELOG} declares what is no breaking change since {last} (stale declarations):"
        );
        for Declaration { line, rule, place } in &verdict.stale {
            let _ = writeln!(text, "  line {line}: {rule} at {place}");
        }
        let _ =
            writeln!(text, "Delete these lines, or correct them: rule and place must be just as printed.");
    }
    text.truncate(text.trim_end().len());
    text
}
