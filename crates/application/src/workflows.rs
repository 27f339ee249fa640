//! The state machines, as data.

use fairlead_domain::workflow::{Workflow, machines};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Read};

/// All state machines.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowList {
    /// One per kind of record.
    #[schema(max_items = 20)]
    pub data: Vec<Workflow>,
}

/// The state machines, from the very tables that the domain executes.
pub async fn list(app: &App, call: &Call) -> Read<WorkflowList> {
    app.read(call, async |_, _| Ok(WorkflowList { data: machines() })).await
}
