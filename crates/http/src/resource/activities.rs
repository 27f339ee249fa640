//! Activities (跟进).

use fairlead_application::activities;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag(
        "Activities",
        "Calls, meetings, notes and tasks (跟进) about a lead, a customer or their business.",
    )
    .list(
        "/activities",
        "list_activities",
        "List activities",
        "The activities about leads and customers that the caller may see; not those about a pool customer that is \
         masked.",
        &activities::LISTING,
        activities::list,
    )
    .refuses(&[Code::Forbidden])
    .create(
        "/activities",
        "create_activity",
        "Log an activity",
        "About a record that the caller may change. The first activity about a new lead makes it \
             `contacted`; activities drive `last_activity_at` and `next_activity_at` of a customer.",
        activities::create,
    )
    .refuses(&[Code::Forbidden, Code::UnknownReference])
    .get_related(
        "/activities/{id}",
        "get_activity",
        "Get an activity",
        "One activity about a record that the caller may see.",
        &activities::LISTING,
        activities::get,
    )
    .patch(
        "/activities/{id}",
        "update_activity",
        "Change an activity",
        "By its author. A task that is still to be done (without `happened_at`) goes with the lead or the customer that it \
         belongs to: whoever owns that now, and their superiors, change and complete it as well. What was done is its \
         author's. What it is about cannot be changed.",
        activities::update,
    )
    .refuses(&[Code::Forbidden])
    .delete(
        "/activities/{id}",
        "delete_activity",
        "Delete an activity",
        "By its author; a task that is still to be done, also by whoever owns the lead or the customer now, and by their \
         superiors.",
        activities::delete,
    )
    .refuses(&[Code::Forbidden]);
}
