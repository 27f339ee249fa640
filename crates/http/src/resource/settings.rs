//! The organisation's settings.

use fairlead_application::settings;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Settings", "What the organisation sets: limits, deadlines, the rules of the public pool.")
        .get_one(
            "/settings",
            "get_settings",
            "Get the settings",
            "There is one set of them.",
            settings::get,
        )
        .needs(Permission::SettingsRead)
        .patch_one(
            "/settings",
            "update_settings",
            "Change the settings",
            "Every rule goes by them from the next request on, but two things are kept with leads: a deadline once given \
             stays, and the grade stays until the lead is scored anew. When `hot_from` or `warm_from` changed, that is \
             done for every lead that is not converted, in the background: a job of the kind `rescore_leads` tells the \
             progress. What changed recycle rules would move is told by a dry run of recycling.",
            settings::update,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference]);
}
