//! Reports.

use fairlead_application::reports;
use fairlead_domain::access::Permission;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Reports", "Figures over many records, each within the caller's scope.")
        .read(
            "/reports/receivable-aging/by-customer",
            "get_aging_by_customer",
            "Get the age of receivables by customer",
            "What is still to be paid of running contracts that the caller may see (账龄), by installment: not due yet, and \
             due since 1, 31, 61 and 91 days, on the business day of the organisation. One line for each customer and \
             currency, what has been due for longest first.",
            reports::aging_by_customer,
        )
        .needs(Permission::ContractsRead)
        .read(
            "/reports/receivable-aging/by-owner",
            "get_aging_by_owner",
            "Get the age of receivables by owner",
            "The same, one line for each owner of contracts and currency.",
            reports::aging_by_owner,
        )
        .needs(Permission::ContractsRead)
        .read(
            "/reports/receivable-aging/by-team",
            "get_aging_by_team",
            "Get the age of receivables by team",
            "The same, one line for each team of owners and currency.",
            reports::aging_by_team,
        )
        .needs(Permission::ContractsRead);
}
