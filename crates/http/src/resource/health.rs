//! What load balancers and readers of errors look at.

use fairlead_domain::error::{Code, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::problem::catalogue;
use crate::state::State;

/// That the server is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthStatus {
    /// Always `ok`.
    #[schema(max_length = 2, pattern = "^ok$", example = "ok")]
    status: &'static str,
}

const OK: HealthStatus = HealthStatus { status: "ok" };

pub(crate) fn routes(api: &mut Api) {
    api.tag("Health", "Whether the server lives and wants requests.")
        .open_read(
            "/healthz",
            "get_health",
            "Is the server alive?",
            "Answers as long as the process does; looks at nothing else.",
            async |_: &State| Ok(OK),
        )
        .open_read(
            "/readyz",
            "get_readiness",
            "Does the server want requests?",
            "The database is reachable and migrated, and the server is not about to stop.",
            async |state: &State| {
                if state.health.is_draining() {
                    return Err(Refusal::new(Code::Unavailable, "the server is about to stop").into());
                }
                state.app.ready().await?;
                Ok(OK)
            },
        );
    api.tag("Problems", "The catalogue of errors: what the `type` of a problem points to.")
        .open_page(
            "/problems",
            "list_problems",
            "List every kind of problem",
            "Codes never change; titles and descriptions may. Browsers get a page.",
            async |_: &State| Ok(catalogue::all()),
        )
        .open_page_of(
            "/problems/{code}",
            "get_problem",
            "Explain a code",
            "What a code means, and with which status it comes. Browsers get a page that says in addition which \
             operations answer so. What is no code is not found.",
            async |_: &State, code: Code| Ok(catalogue::kind(code)),
        );
}
