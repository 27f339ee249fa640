//! The state machines, as data.

use fairlead_domain::workflow::{Workflow, machines};

use crate::app::App;
use crate::call::{Call, Read};

/// The state machines, from the very tables that the domain executes.
pub async fn list(app: &App, call: &Call) -> Read<Vec<Workflow>> {
    app.read(call, async |_, _| Ok(machines())).await
}
