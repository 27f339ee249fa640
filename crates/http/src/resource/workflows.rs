//! The state machines, as data.

use fairlead_application::workflows;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Workflows", "The state machines that records follow.").read(
        "/workflows",
        "list_workflows",
        "List the state machines",
        "States, transitions, guards and who may: the very tables that Fairlead executes, with a diagram of \
         each in Mermaid's notation and as an SVG picture.",
        workflows::list,
    );
}
