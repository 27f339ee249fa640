//! Project commands: `cargo xtask --help` lists them.
//!
//! One file per command. What they share: [`process`] runs other programs, [`tools`] makes sure those are there, and
//! [`postgres`] keeps a throwaway server for as long as a command needs one.

mod bench;
mod clients;
mod collection;
mod compat;
mod demo;
mod demo_server;
mod fuzz;
mod lint;
mod long;
mod mutants;
mod npm;
mod openapi;
mod postgres;
mod process;
mod python;
mod setup;
mod spec;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's commands, the same for developers and for CI.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that must pass: lint, doc tests, and all tests on SQLite and PostgreSQL.
    Test(test::Options),
    /// Formatting, clippy, the OpenAPI document and its compatibility, and the rules for third-party code (deny.toml).
    Lint,
    /// The tests that take hours: many rounds of races, crashes and histories, and a load for hours; prints figures.
    Long(long::Options),
    /// Write the OpenAPI document into openapi/, and the Postman collection that is made of it.
    Openapi(openapi::Options),
    /// Lint the committed OpenAPI document with Spectral, Redocly and our own rules.
    Spec,
    /// Compare the committed OpenAPI document with the one of the last release: no change breaks clients undeclared.
    Compat(compat::Options),
    /// Generate clients from the committed document, check their types, and walk the examples against a server.
    Clients,
    /// Ask a server with demo data what a program makes up from the OpenAPI document.
    Fuzz(fuzz::Options),
    /// Take each guard out of a copy of the project, and see its tests fail.
    Mutants(mutants::Options),
    /// Run the server with demo data that is gone afterwards.
    Demo(demo::Options),
    /// Measure a release build beside plain handlers, and print the figures.
    Bench(bench::Options),
    /// Keep a throwaway PostgreSQL server until Ctrl-C, and print its URL.
    Postgres,
    /// Install what the other commands need, or say what to install.
    Setup,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        // In words only: the reader needs to know what to do, not where in this program it was noticed.
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<ExitCode> {
    process::catch_interrupts()?;
    match command {
        Command::Test(options) => return test::run(options),
        Command::Mutants(options) => return mutants::run(options),
        Command::Lint => lint::run()?,
        Command::Long(options) => long::run(options)?,
        Command::Openapi(options) => openapi::run(options)?,
        Command::Spec => spec::run()?,
        Command::Compat(options) => compat::run(options)?,
        Command::Clients => clients::run()?,
        Command::Fuzz(options) => fuzz::run(options)?,
        Command::Demo(options) => demo::run(options)?,
        Command::Bench(options) => bench::run(options)?,
        Command::Postgres => postgres::keep()?,
        Command::Setup => setup::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
