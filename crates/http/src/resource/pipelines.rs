//! Pipelines (销售流程).

use fairlead_application::pipelines;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::PipelineId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Pipelines", "The stages that opportunities go through (销售流程).")
        .list(
            "/pipelines",
            "list_pipelines",
            "List pipelines",
            "Every user may see them.",
            &pipelines::LISTING,
            pipelines::list,
        )
        .create(
            "/pipelines",
            "create_pipeline",
            "Make a pipeline",
            "With its stages in order: exactly one `won`, one `lost`, and at most one that starts a contract.",
            pipelines::create,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::Duplicate])
        .get("/pipelines/{id}", "get_pipeline", "Get a pipeline", "Every user may see it.", pipelines::get)
        .patch(
            "/pipelines/{id}",
            "update_pipeline",
            "Change a pipeline",
            "A stage that opportunities are in cannot be taken out.",
            pipelines::update,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::Duplicate, Code::InUse])
        .delete(
            "/pipelines/{id}",
            "delete_pipeline",
            "Delete a pipeline",
            "Not while opportunities are in it.",
            pipelines::delete,
        )
        .shown_with(&PipelineId::example(2))
        .needs(Permission::SettingsManage)
        .refuses(&[Code::InUse]);
}
