//! `cargo xtask openapi`: the committed OpenAPI document, printed by the server that it describes, and the Postman
//! collection that is made of it.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::{collection, process};

/// Write or compare.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if what is committed is not what the server prints.
    #[arg(long)]
    check: bool,
}

/// Both forms of the document: tools read JSON, people read YAML. The collection is made of it, so that it is never
/// older.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (json, yaml) = (print("json")?, print("yaml")?);
    let collection = collection::print(&json).context("the document does not make a collection")?;
    let files = [
        ("openapi/fairlead.v1.json", json),
        ("openapi/fairlead.v1.yaml", yaml),
        ("examples/postman/fairlead.postman_collection.json", collection),
    ];
    for (name, document) in files {
        let path = process::root().join(name);
        if options.check {
            let committed = fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
            ensure!(committed == document, "{name} is out of date: run `cargo xtask openapi` and commit it");
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
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
