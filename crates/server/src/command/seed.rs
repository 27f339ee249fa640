//! `fairlead seed`.

use anyhow::{Result, bail, ensure};
use clap::Args;
use fairlead_application::admin;
use fairlead_application::demo::{self, DemoState};

use super::{Missing, explain, half_seeded, print, set, table, with_app};
use crate::config::{Config, Flag, Wrong};

/// Put the first administrator or demo data into a database that has no users yet.
///
/// The administrator's password comes from a file, from standard input, from the environment variable
/// FAIRLEAD_FIRST_ADMINISTRATOR__PASSWORD or from the configuration file. There is no default, and no flag: a command
/// line can be read by others.
#[derive(Args)]
#[command(
    after_help = "Example:\n  fairlead seed --admin-email wang.min@example.com --password-file - < password.txt"
)]
pub(super) struct Options {
    /// Demo data and demo accounts, whose passwords are public. Goes into `sqlite:fairlead-demo.db` unless a
    /// database is named.
    #[arg(long, conflicts_with_all = ["admin_email", "admin_name", "password_file"])]
    pub(super) demo: bool,
    /// The first administrator's e-mail address, to log in with.
    #[arg(long, value_name = "EMAIL")]
    admin_email: Option<String>,
    /// The first administrator's name.
    #[arg(long, value_name = "NAME")]
    admin_name: Option<String>,
    /// File with the first administrator's password; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,
}

impl Options {
    /// The keys that its flags set.
    pub(super) fn flags(&self) -> Vec<Flag> {
        let mut flags = Vec::new();
        set(&mut flags, "--admin-email", "first_administrator.email", self.admin_email.as_ref());
        set(&mut flags, "--admin-name", "first_administrator.name", self.admin_name.as_ref());
        set(&mut flags, "--password-file", "first_administrator.password_file", self.password_file.as_ref());
        flags
    }
}

pub(super) async fn run(options: &Options, config: &Config) -> Result<()> {
    if options.demo {
        return seed_demo(config).await;
    }
    let administrator = config.first_administrator()?.ok_or_else(|| {
        Wrong::one("say what to seed: `--admin-email <e-mail>` with `--password-file <file>`, or `--demo`")
    })?;
    let (email, name) = (administrator.email, administrator.name);
    let made = with_app(config, Missing::Made, async |app| {
        app.migrate().await?;
        admin::create_first_administrator(app, &email, &name, administrator.password).await.map_err(explain)
    })
    .await?;
    ensure!(made, "the database has users already: somebody among them manages the others");
    print(&format!("made the first administrator {email}\n"))
}

async fn seed_demo(config: &Config) -> Result<()> {
    let accounts = with_app(config, Missing::Made, async |app| {
        app.migrate().await?;
        match demo::state(app).await.map_err(explain)? {
            DemoState::Empty => demo::seed(app).await.map_err(explain),
            DemoState::Half => Err(half_seeded(config)),
            DemoState::Whole | DemoState::Foreign => bail!(
                "the database {} has users already: demo data goes into an empty one only",
                config.shown_database()
            ),
        }
    })
    .await?;
    print(&format!("seeded {} with demo data. Accounts:\n\n{}", config.shown_database(), table(&accounts)))
}
