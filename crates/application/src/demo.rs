//! Demo data.

use crate::app::App;
use crate::call::Failure;

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

/// The demo's accounts, one for every role.
pub fn accounts() -> Vec<DemoAccount> {
    Vec::new()
}

/// Fills an empty database.
pub async fn seed(app: &App) -> Result<Vec<DemoAccount>, Failure> {
    let _ = app;
    Ok(accounts())
}
