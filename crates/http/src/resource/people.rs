//! The directory (通讯录).

use fairlead_application::people;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag(
        "People",
        "Who is who (通讯录): names for the ids of users that stand in records, and whom to choose from. Everybody who \
         has logged in may read it; users are managed under `/users`.",
    )
    .list(
        "/people",
        "list_people",
        "List people",
        "Everybody who works with Fairlead, with their team and whether they are active, whatever the caller's role: \
         `id=...` names whoever stands in a page of records, `q=...&status=active` finds somebody to choose. Those who \
         are disabled are shown as well, since records name them. It takes no permission, and shows neither addresses \
         nor roles.",
        &people::LISTING,
        people::list,
    )
    .look(
        "/people/{id}",
        "get_person",
        "Get a person",
        "Whom the id of a user stands for. Everybody who has logged in may. A client may keep it with \
         its `ETag`; browsers do not by themselves.",
        people::get,
    )
    .kept();
}
