//! Delta sync.

use fairlead_application::sync;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Sync", "Keeping a copy on a device.")
        .ask(
            "/sync",
            "sync_records",
            "Tell what is different since the last time",
            "The leads, customers, contacts, activities, opportunities, contracts, invoices, payments, approvals and \
             transfers that you may list, then only the difference: records to add or replace, and records to forget because \
             they are gone or are not for you any more. Begin without `since`, then give the `next` of each answer; \
             while `has_more`, ask again at once. With `reset`, forget the copy first: that is the beginning, and \
             wherever roles, teams, pools, what is shared with you or for whom you decide changed what you may see. \
             What is removed says where it was merged into a record that you may see (`merged_into`), as reads of \
             its id do: replace the id by that one wherever you keep it. \
             Contacts are told where you see them \
             unmasked; of pool customers contact data is masked as in lists. What changes while the pages of one \
             difference are asked for may be told twice, and as removed though it never was told.",
            sync::sync,
        )
        .refuses(&[Code::InvalidCursor, Code::CursorMismatch]);
}
