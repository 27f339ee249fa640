//! `fairlead openapi`.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::print;

/// Print the OpenAPI 3.1 document of this version.
///
/// It is made of the very table that the routes are made of. Neither configuration nor database is needed: the largest
/// file in it is the default one, while a server tells its own.
#[derive(Args)]
pub(super) struct Options {
    /// The form of the document.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For tools.
    Json,
    /// For people.
    Yaml,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let mut text = match options.format {
        Format::Json => {
            fairlead_http::openapi().to_pretty_json().context("cannot write the document as JSON")?
        }
        Format::Yaml => fairlead_http::openapi_yaml().context("cannot write the document as YAML")?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(&text)
}
