//! The state machines, as data.

use std::sync::LazyLock;

use fairlead_application::{App, Call, workflows};
use fairlead_domain::access::Permission;
use fairlead_domain::values::Label;
use fairlead_domain::workflow::{self, Action, TakenBy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::sentence::Sentence;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Workflows", "The state machines that records follow.")
        .read(
            "/workflows",
            "list_workflows",
            "List the state machines",
            "States, transitions, guards and who may: the very tables that Fairlead executes. What states and \
             actions are called, and what the guards say, comes in both languages; the diagram of each, in Mermaid's \
             notation and as an SVG picture, has the words of the API. Everybody who has logged in may.",
            async |app: &App, call: &Call| {
                let data = workflows::list(app, call).await?;
                Ok(WorkflowList { data: data.into_iter().map(Workflow::from).collect() })
            },
        )
        .kept()
        .impersonal();
}

/// All state machines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowList {
    /// One per kind of record.
    #[schema(max_items = 20)]
    data: Vec<Workflow>,
}

/// One of them, as an example.
static CONTRACTS: LazyLock<Option<Workflow>> = LazyLock::new(|| {
    workflow::machines().into_iter().find(|machine| machine.name == "contract").map(Workflow::from)
});

/// A state machine as data.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(&*CONTRACTS))]
pub(crate) struct Workflow {
    /// The subject: the kind of record.
    #[schema(max_length = 40, example = "contract")]
    name: String,
    /// All states.
    #[schema(max_items = 50)]
    states: Vec<String>,
    /// What the states are called, in the same order.
    #[schema(max_items = 50)]
    state_labels: Vec<StateLabel>,
    /// The states in which a record may begin.
    #[schema(max_items = 50)]
    initial: Vec<String>,
    /// What may happen.
    #[schema(max_items = 100)]
    transitions: Vec<Transition>,
    /// A state diagram in Mermaid's notation.
    #[schema(max_length = 10000)]
    mermaid: String,
    /// The same as an SVG picture that stands by itself. It takes the text colour of the page around it; the
    /// CSS variable `--fairlead-halo` is the colour behind the names at the lines, which is otherwise the page's
    /// own background.
    #[schema(max_length = 100_000)]
    svg: String,
}

/// A state, and what it is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateLabel {
    /// The state.
    #[schema(max_length = 40, example = "pending_approval")]
    state: String,
    /// What people call it.
    label: Label,
}

/// One line of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Transition {
    /// The verb.
    #[schema(value_type = Action)]
    action: String,
    /// What people call the action.
    label: Label,
    /// From any of these states.
    #[schema(max_items = 50)]
    from: Vec<String>,
    /// To this state; none when the action leaves the state as it is.
    #[schema(required, max_length = 40, example = "pending_approval")]
    to: Option<String>,
    /// Who takes the step.
    by: TakenBy,
    /// The permission that it takes; none when no permission decides.
    #[schema(required)]
    permission: Option<Permission>,
    /// Further conditions.
    #[schema(max_items = 20)]
    guards: Vec<Sentence>,
}

impl From<workflow::Workflow> for Workflow {
    fn from(machine: workflow::Workflow) -> Self {
        let labels = machine.states.iter().cloned().zip(machine.state_labels);
        Self {
            name: machine.name,
            state_labels: labels.map(|(state, label)| StateLabel { state, label }).collect(),
            states: machine.states,
            initial: machine.initial,
            transitions: machine.transitions.into_iter().map(Transition::from).collect(),
            mermaid: machine.mermaid,
            svg: machine.svg,
        }
    }
}

impl From<workflow::Transition> for Transition {
    fn from(step: workflow::Transition) -> Self {
        Self {
            action: step.action,
            label: step.label,
            from: step.from,
            to: step.to,
            by: step.by,
            permission: step.permission,
            guards: step.guards.into_iter().map(Sentence::guard).collect(),
        }
    }
}
