//! Global search.

use fairlead_application::search;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Search", "One question to records of every kind.").ask(
        "/search",
        "search_records",
        "Search records of every kind",
        "Looks in names, numbers and contact data of what you may list; contact data that you see masked is not \
         looked in. Words may stand in any order and need only be begun; one letter too many, missing or wrong in \
         a word of at least four does no harm. Digits alone, grouped in any way, are a telephone number, with its \
         country code behind `+` or `00` or without its beginning, or the numbers of a name, of which only the \
         last may be begun, with two digits. Chinese, Japanese and Korean are found by any two characters that \
         follow one another. Whole names come first, then every word, beginnings and similar words; of equals \
         those whose name begins like the question, then those that are found by a name or a number before those that \
         are found by contact data, last invoices and payments that are found by the name of a customer. Among equals \
         one of each kind follows the other, the youngest of it first.",
        search::search,
    );
}
