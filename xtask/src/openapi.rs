//! `cargo xtask openapi`: the committed OpenAPI document, printed by the server that it describes.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process;

/// Write or compare.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the committed document is not what the server prints.
    #[arg(long)]
    check: bool,
}

/// Both forms of the document: tools read JSON, people read YAML.
pub(crate) fn run(options: &Options) -> Result<()> {
    for format in ["json", "yaml"] {
        let document = print(format)?;
        let name = format!("openapi/fairlead.v1.{format}");
        let path = process::root().join(&name);
        if options.check {
            let committed = fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
            ensure!(committed == document, "{name} is out of date: run `cargo xtask openapi` and commit it");
        } else {
            fs::create_dir_all(process::root().join("openapi"))?;
            fs::write(&path, document).with_context(|| format!("cannot write {name}"))?;
            eprintln!("wrote {name}");
        }
    }
    Ok(())
}

/// The whole document, before any file is touched: a server that fails half-way must not leave half a document.
fn print(format: &str) -> Result<String> {
    let print = ["run", "--quiet", "--package", "fairlead", "--", "openapi", "--format"];
    let output = process::capture(process::cargo(print).arg(format))?;
    let mut document = String::from_utf8(output.stdout).context("the document is not UTF-8")?;
    if format == "json" {
        serde_json::from_str::<serde_json::Value>(&document).context("the document is not JSON")?;
    }
    document.truncate(document.trim_end().len());
    document.push('\n');
    Ok(document)
}
