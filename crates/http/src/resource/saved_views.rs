//! Saved views (视图).

use fairlead_application::saved_views;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Saved views", "Named filters of a list, private or shared with a team (视图).")
        .list(
            "/saved-views",
            "list_saved_views",
            "List saved views",
            "The caller's own, and those that their team shares.",
            &saved_views::LISTING,
            saved_views::list,
        )
        .create(
            "/saved-views",
            "create_saved_view",
            "Save a view",
            "Every user may save views of their own, and share them with any team. The query must be one that the list \
             understands.",
            saved_views::create,
        )
        .refuses(&[Code::UnknownReference])
        .get_related(
            "/saved-views/{id}",
            "get_saved_view",
            "Get a saved view",
            "One of the caller's own, or one that is shared with their team.",
            &saved_views::LISTING,
            saved_views::get,
        )
        .patch(
            "/saved-views/{id}",
            "update_saved_view",
            "Change a saved view",
            "Its owner may.",
            saved_views::update,
        )
        .refuses(&[Code::Forbidden, Code::UnknownReference])
        .delete(
            "/saved-views/{id}",
            "delete_saved_view",
            "Delete a saved view",
            "Its owner may.",
            saved_views::delete,
        )
        .refuses(&[Code::Forbidden]);
}
