//! What people choose from, with labels.

use fairlead_application::dictionaries;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Dictionaries", "What people choose from, with labels in English and in Chinese.")
        .read(
            "/dictionaries",
            "list_dictionaries",
            "List everything that people choose from",
            "Every closed list of values, with labels in both languages: enough to fill each select and to \
             name each state. A value never changes its meaning, but new versions of Fairlead may bring \
             new values and better labels: a frontend reads this once when it starts, and keeps it. \
             Everybody who has logged in may.",
            dictionaries::list,
        )
        .look(
            "/dictionaries/{name}",
            "get_dictionary",
            "Read one closed list of values",
            "The list of this name, with labels in both languages. It may be kept like the whole. Everybody who \
             has logged in may.",
            dictionaries::get,
        );
}
