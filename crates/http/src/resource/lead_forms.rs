//! Web forms (网页表单).

use fairlead_application::lead_forms;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Web forms", "Leads from a site, without a login (网页表单).")
        .list(
            "/lead-forms",
            "list_lead_forms",
            "List web forms",
            "All of them, for whoever makes them or may see the settings.",
            &lead_forms::LISTING,
            lead_forms::list,
        )
        .refuses(&[Code::Forbidden])
        .create(
            "/lead-forms",
            "create_lead_form",
            "Make a web form",
            "With what it asks, and the sites that may send it. Pages send to `/public/lead-forms/{form}`.",
            lead_forms::create,
        )
        .needs(Permission::LeadFormsManage)
        .get(
            "/lead-forms/{id}",
            "get_lead_form",
            "Get a web form",
            "Any of them, for whoever makes them or may see the settings.",
            lead_forms::get,
        )
        .patch(
            "/lead-forms/{id}",
            "update_lead_form",
            "Change a web form",
            "Its token stays.",
            lead_forms::update,
        )
        .needs(Permission::LeadFormsManage)
        .delete(
            "/lead-forms/{id}",
            "delete_lead_form",
            "Delete a web form",
            "Its address answers 404 from then on; its leads stay.",
            lead_forms::delete,
        )
        .needs(Permission::LeadFormsManage)
        .open_submission(
            "/public/lead-forms/{form}",
            "submit_lead_form",
            "Send a web form",
            "For pages of any site that the form allows, without a login. The answer is the same whether the person is \
             known or not; who is known already is noted with what is known. `homepage` is a trap for programs.",
            lead_forms::budget,
            lead_forms::submit,
        )
        .refuses(&[Code::Forbidden]);
}
