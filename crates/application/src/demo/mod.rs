//! Demo data: half a year of a company that sells industrial automation, made through the use cases alone.
//!
//! The story is told in tables (`leads`, `customers`, `deals`): who did what how many days ago. It is
//! played in order of time with a clock of its own, so that the audit trail tells it as it happened.

mod act;
mod clock;
mod customers;
mod deals;
mod finance;
mod ids;
mod leads;
mod left_open;
mod on_contracts;
mod on_customers;
mod on_deals;
mod on_leads;
mod people;
mod pooled;
mod setting_up;
mod stage;
#[cfg(test)]
mod tests;

use fairlead_persistence::Predicate;

use crate::admin;
use crate::app::App;
use crate::call::Failure;
use people::{DOMAIN, PASSWORD, PEOPLE};

/// Somebody who can log in to the demo.
#[derive(Debug, Clone)]
pub struct DemoAccount {
    /// The role.
    pub role: String,
    /// The name.
    pub name: String,
    /// The address to log in with.
    pub email: String,
    /// The password.
    pub password: String,
}

/// How much of the demo a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoState {
    /// Nothing, and nothing else either: it can be seeded.
    Empty,
    /// Part of it: the seeding was interrupted, or still goes on.
    Half,
    /// All of it.
    Whole,
    /// Nothing: its users are others.
    Foreign,
}

/// How much of the demo the database has.
pub async fn state(app: &App) -> Result<DemoState, Failure> {
    if !admin::has_users(app).await? {
        return Ok(DemoState::Empty);
    }
    let work = app.store().begin(app.author(None, "start"), None).await?;
    let seeded = work.count("audit_events", Predicate::Is("action", stage::SEEDED.0.into())).await?;
    work.roll_back().await?;
    if seeded > 0 {
        return Ok(DemoState::Whole);
    }
    let first = accounts().into_iter().next().map(|account| account.email).unwrap_or_default();
    let begun = app.store().credentials(&first).await?.is_some();
    Ok(if begun { DemoState::Half } else { DemoState::Foreign })
}

/// The demo's accounts: first one for every role, then the others.
pub fn accounts() -> Vec<DemoAccount> {
    let account = |person: &people::Person| DemoAccount {
        role: person.role.to_owned(),
        name: person.name.to_owned(),
        email: format!("{}@{DOMAIN}", person.key),
        password: PASSWORD.to_owned(),
    };
    PEOPLE.iter().map(account).collect()
}

/// Fills an empty database; one that has users is left as it is.
pub async fn seed(app: &App) -> Result<Vec<DemoAccount>, Failure> {
    if !admin::has_users(app).await? {
        stage::play(app).await?;
    }
    Ok(accounts())
}
