//! `fairlead verify`: recomputes every sum and walks the audit trail.

use crate::app::App;
use crate::call::Failure;

/// What was looked at and what does not add up.
#[derive(Debug, Clone)]
pub struct VerifyReport {
    /// Each check, and how many rows it looked at.
    pub checked: Vec<(String, u64)>,
    /// Everything that does not add up.
    pub differences: Vec<String>,
}

/// Runs every check.
pub async fn run(app: &App) -> Result<VerifyReport, Failure> {
    let findings = app.store().verify().await?;
    Ok(VerifyReport { checked: findings.checked, differences: findings.differences })
}
