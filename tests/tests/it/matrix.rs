//! Who may do what: every role, every operation, and a record that stands near to or far from the caller.
//!
//! The tables below are written by hand from the design, not from the code. An operation of the specification
//! that they do not know fails the build.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, PASSWORD, Person, Server, until};

on_both_databases! {
    the_matrix_knows_every_operation;
    nothing_but_the_public_is_open_without_a_token;
    what_is_open_to_everybody_is_open_to_every_role;
    leads_follow_the_matrix;
    customers_follow_the_matrix;
    sharing_and_transfers_follow_the_matrix;
    contacts_and_activities_follow_the_matrix;
    opportunities_follow_the_matrix;
    contracts_follow_the_matrix;
    invoices_follow_the_matrix;
    payments_follow_the_matrix;
    decisions_about_contracts_follow_the_matrix;
    decisions_about_invoices_follow_the_matrix;
    the_organisation_follows_the_matrix;
    nobody_gives_to_whom_they_do_not_lead;
    whoever_asked_takes_it_back;
    lists_and_totals_agree_with_single_reads;
}

/// Open without a login.
const PUBLIC: [&str; 8] = [
    "submit_lead_form",
    "log_in",
    "refresh_tokens",
    "get_signing_keys",
    "get_health",
    "get_readiness",
    "list_problems",
    "get_problem",
];

/// Open to everybody who has logged in.
const OPEN: [&str; 22] = [
    "log_out",
    "list_sessions",
    "end_session",
    "get_me",
    "change_my_password",
    "list_workflows",
    // Each user's own, which nobody else sees: `personal` looks at them.
    "list_notifications",
    "count_unread_notifications",
    "read_notification",
    "read_all_notifications",
    "list_saved_views",
    "create_saved_view",
    "get_saved_view",
    "update_saved_view",
    "delete_saved_view",
    "withdraw_transfer",
    // Each user's own as well: `approvals` looks at them.
    "count_approvals",
    "list_delegations",
    "create_delegation",
    "get_delegation",
    "update_delegation",
    "delete_delegation",
];

/// The columns of the tables.
const ROLES: [&str; 7] =
    ["sales_rep", "sales_manager", "sales_director", "finance", "marketing", "auditor", "admin"];

// The words of the tables, one for each role:
//   own     records of the caller's own
//   team    those, and those of their team and of the teams below
//   all     every record, those in the pool as well
//   pool    records without owner; `own+pool` and `team+pool` add them
//   -       none
// What is refused is 403 when the caller may read the record, and 404 when not.

/// Which records each role may read.
const READ: &str = "
                 rep       manager    director  finance  marketing  auditor  admin
    lead         own+pool  team+pool  all       -        all        all      all
    customer     own+pool  team+pool  all       all      pool       all      all
    pooled       pool      pool       pool      -        pool       pool     pool
    opportunity  own       team       all       all      -          all      all
    contract     own       team       all       all      -          all      all
    attachment   own       team       all       all      -          all      all
    invoice      own       team       all       all      -          all      all
    payment      own       team       all       all      -          all      all
    amendment    own       team       all       all      -          all      all
    refund       own       team       all       all      -          all      all
    creditnote   own       team       all       all      -          all      all
    receipt      -         -          -         all      -          all      all
    change       own       team       all       -        -          -        all
    target       own       team       all       all      -          all      all
    approval     own       team       all       all      -          all      all
    customer.activity own  team       all       all      -          all      all
    user         own       own        own       own      own        all      all
    team         -         -          -         -        -          all      all
    role         -         -          -         -        -          all      all
    audit        -         -          -         -        -          all      all
    openpool     all       all        all       -        all        all      all
    leadform     -         -          -         -        all        all      all
    rule         -         -          -         -        -          all      all
    job          -         -          -         -        -          all      all
    flow         -         -          -         -        -          all      all
    collaborator own       team       all       all      -          all      all
    transfer     own       team       all       -        -          all      all
    transferapproval own   team       all       -        -          all      all
    pipeline     all       all        all       all      all        all      all
    product      all       all        all       all      all        all      all
    pricelist    all       all        all       all      all        all      all
    nothing      all       all        all       all      all        all      all
";

/// What each role may do. The second column says to what: a kind of `READ`, then the state in which it is
/// made for the test. `in:` stands before what a new record names in its body: a hidden one is 422
/// `unknown_reference` there. `nothing` is for operations without a record.
const LEADS: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_leads          nothing           all       all        all       -        all        all      all
    create_lead         nothing           all       all        all       -        all        -        all
    get_lead            lead              own+pool  team+pool  all       -        all        all      all
    update_lead         lead              own       team       all       -        all        -        all
    delete_lead         lead              own       team       all       -        all        -        all
    release_lead        lead              own       team       all       -        all        -        all
    assign_lead         lead              -         team+pool  all       -        all        -        all
    qualify_lead        lead.contacted    own       team       all       -        all        -        all
    disqualify_lead     lead              own       team       all       -        all        -        all
    reopen_lead         lead.disqualified own       team       all       -        all        -        all
    convert_lead        lead.qualified    own       team       all       -        -          -        all
    claim_lead          lead              all       all        all       -        -          -        -
    merge_lead          lead              own       team       all       -        all        -        all
    list_lead_duplicates lead             own+pool  team+pool  all       -        all        all      all
    bulk_leads          nothing           all       all        all       -        all        all      all
    list_lead_forms     nothing           -         -          -         -        all        all      all
    create_lead_form    nothing           -         -          -         -        all        -        all
    get_lead_form       leadform          -         -          -         -        all        all      all
    update_lead_form    leadform          -         -          -         -        all        -        all
    delete_lead_form    leadform          -         -          -         -        all        -        all
";
// claim: whoever may claim is told of any lead that somebody else was faster (409 `already_claimed`).

const CUSTOMERS: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_customers      nothing           all       all        all       all      all        all      all
    create_customer     nothing           all       all        all       -        -          -        all
    get_customer        customer          own+pool  team+pool  all       all      pool       all      all
    update_customer     customer          own       team       all       -        -          -        all
    delete_customer     customer          own       team       all       -        -          -        all
    release_customer    customer          own       team       all       -        -          -        all
    assign_customer     customer          -         team+pool  all       -        -          -        all
    list_pool_customers nothing           all       all        all       -        all        all      all
    get_pool_customer   pooled            pool      pool       pool      -        pool       pool     pool
    claim_pool_customer customer          all       all        all       -        -          -        -
    lock_customer       customer          -         team+pool  all       -        -          -        all
    unlock_customer     customer.locked   -         team+pool  all       -        -          -        all
    move_customer_to_pool customer        -         team+pool  all       -        -          -        all
    merge_customer      customer          -         team       all       -        -          -        all
    list_customer_duplicates customer     own       team       all       -        -          -        all
    list_ownership_history customer       own+pool  team+pool  all       all      pool       all      all
    list_customer_timeline customer       own+pool  team+pool  all       all      pool       all      all
    list_customer_changes nothing         all       all        all       -        -          -        all
    request_customer_change in:customer   own       team       all       -        -          -        all
    get_customer_change change            own       team       all       -        -          -        all
    withdraw_customer_change change       own       own        own       -        -          -        -
    bulk_customers      nothing           all       all        all       all      -          all      all
    distribute_pool_customers nothing     -         all        all       -        -          -        all
    run_recycling       nothing           -         -          -         -        -          -        all
    list_recycle_runs   nothing           -         -          -         -        -          all      all
    list_public_pools   nothing           all       all        all       -        all        all      all
    create_public_pool  nothing           -         -          -         -        -          -        all
    get_public_pool     openpool          all       all        all       -        all        all      all
    update_public_pool  openpool          -         -          -         -        -          -        all
    delete_public_pool  openpool          -         -          -         -        -          -        all
";

const SHARING: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_collaborators  nothing           all       all        all       all      all        all      all
    create_collaborator in:customer       own       team       all       -        -          -        all
    get_collaborator    collaborator      own       team       all       all      -          all      all
    update_collaborator collaborator      own       team       all       -        -          -        all
    delete_collaborator collaborator      own       team       all       -        -          -        all
    list_transfers      nothing           all       all        all       -        -          all      all
    request_transfer    in:customer       own+pool  team+pool  all       -        -          -        all
    get_transfer        transfer          own       team       all       -        -          all      all
    list_transfer_items transfer          own       team       all       -        -          all      all
    approve_request     transferapproval  -         team       all       -        -          -        -
    reject_request      transferapproval  -         team       all       -        -          -        -
    withdraw_request    transferapproval  own       own        own       -        -          -        -
";
// request: whoever may ask at all is told of a pool customer to claim it first (409 `customer_unowned`).

const CONTACTS_AND_ACTIVITIES: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_contacts       nothing           all       all        all       all      all        all      all
    create_contact      in:customer       own       team       all       -        -          -        all
    get_contact         customer.contact  own+pool  team+pool  all       all      pool       all      all
    update_contact      customer.contact  own       team       all       -        -          -        all
    delete_contact      customer.contact  own       team       all       -        -          -        all
    list_activities     nothing           all       all        all       all      all        all      all
    create_activity     in:customer       own       team       all       -        -          -        all
    create_activity     in:lead           own       team       all       -        all        -        all
    get_activity        customer.activity own       team       all       all      -          all      all
    get_activity        lead.activity     own+pool  team+pool  all       -        all        all      all
    update_activity     customer.activity own       own        own       -        -          -        pool
    update_activity     lead.activity     own       own        own       -        -          -        pool
    delete_activity     customer.activity own       own        own       -        -          -        pool
    delete_activity     lead.activity     own       own        own       -        -          -        pool
";
// Activities belong to their author: here the record's owner, and the administrator for the pool.

const OPPORTUNITIES: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_opportunities  nothing           all       all        all       all      -          all      all
    create_opportunity  in:customer       own+pool  team+pool  all       -        -          -        all
    get_opportunity     opportunity       own       team       all       all      -          all      all
    update_opportunity  opportunity       own       team       all       -        -          -        all
    delete_opportunity  opportunity       own       team       all       -        -          -        all
    advance_opportunity opportunity       own       team       all       -        -          -        all
    lose_opportunity    opportunity       own       team       all       -        -          -        all
    reopen_opportunity  opportunity.lost  -         team       all       -        -          -        -
";
// create: whoever may sell at all is told of a pool customer to claim it first (409 `customer_unowned`).

const CONTRACTS: &str = "
                         to               rep       manager    director  finance  marketing  auditor  admin
    list_contracts       nothing          all       all        all       all      -          all      all
    create_contract      in:customer      own+pool  team+pool  all       -        -          -        all
    get_contract         contract         own       team       all       all      -          all      all
    get_contract_billing contract.active  own       team       all       all      -          all      all
    get_contract_document contract.active own       team       all       all      -          all      all
    list_contract_attachments contract.draft own    team       all       all      -          all      all
    add_contract_attachment contract.draft own      team       all       -        -          -        all
    get_attachment      attachment        own       team       all       all      -          all      all
    get_attachment_content attachment     own       team       all       all      -          all      all
    delete_attachment   attachment        own       team       all       -        -          -        all
    update_contract      contract         own       team       all       -        -          -        all
    delete_contract      contract         own       team       all       -        -          -        all
    plan_contract        contract         own       team       all       -        -          -        all
    submit_contract      contract         own       team       all       -        -          -        all
    withdraw_contract    contract.pending own       own        own       -        -          -        -
    cancel_contract      contract         own       team       all       -        -          -        all
    terminate_contract   contract.active  -         team       all       -        -          -        -
    list_amendments      nothing          all       all        all       all      -          all      all
    request_amendment    in:contract.active own     team       all       -        -          -        all
    get_amendment        amendment        own       team       all       all      -          all      all
    get_aging_by_customer nothing         all       all        all       all      -          all      all
    get_aging_by_owner   nothing          all       all        all       all      -          all      all
    get_aging_by_team    nothing          all       all        all       all      -          all      all
    withdraw_amendment   amendment        own       own        own       -        -          -        -
";
// withdraw: only whoever asked, here the owner.

const INVOICES: &str = "
                        to                 rep      manager    director  finance  marketing  auditor  admin
    list_invoices       nothing            all      all        all       all      -          all      all
    create_invoice      in:contract.active own      team       all       all      -          -        -
    get_invoice         invoice            own      team       all       all      -          all      all
    update_invoice      invoice            own      team       all       all      -          -        -
    delete_invoice      invoice            own      team       all       all      -          -        -
    submit_invoice      invoice            own      team       all       all      -          -        -
    withdraw_invoice    invoice.pending    own      own        own       -        -          -        -
    cancel_invoice      invoice            own      team       all       all      -          -        -
    issue_invoice       invoice.approved   -        -          -         all      -          -        -
    void_invoice        invoice.issued     -        -          -         all      -          -        -
    list_credit_notes   nothing            all      all        all       all      -          all      all
    issue_credit_note   in:invoice.issued  -        -          -         all      -          -        -
    get_credit_note     creditnote         own      team       all       all      -          all      all
";

const PAYMENTS: &str = "
                        to                 rep      manager    director  finance  marketing  auditor  admin
    list_payments       nothing            all      all        all       all      -          all      all
    record_payment      in:contract.active own      team       all       all      -          -        -
    get_payment         payment            own      team       all       all      -          all      all
    update_payment      payment            own      team       all       all      -          -        -
    confirm_payment     payment            -        -          -         all      -          -        -
    reject_payment      payment            -        -          -         all      -          -        -
    reverse_payment     payment.confirmed  -        -          -         all      -          -        -
    reallocate_payment  payment            -        -          -         all      -          -        -
    bulk_payments       nothing            all      all        all       all      -          all      all
    list_refunds        nothing            all      all        all       all      -          all      all
    record_refund       in:payment.confirmed -      -          -         all      -          -        -
    get_refund          refund             own      team       all       all      -          all      all
    confirm_refund      refund             -        -          -         all      -          -        -
    reject_refund       refund             -        -          -         all      -          -        -
    list_targets        nothing            all      all        all       all      -          all      all
    create_target       nothing            -        all        all       -        -          -        all
    get_target          target             own      team       all       all      -          all      all
    update_target       target             -        team       all       -        -          -        all
    delete_target       target             -        team       all       -        -          -        all
    list_receipts       nothing            -        -          -         all      -          all      all
    record_receipt      nothing            -        -          -         all      -          -        -
    import_receipts     nothing            -        -          -         all      -          -        -
    bulk_receipts       nothing            -        -          -         all      -          -        -
    get_receipt         receipt            -        -          -         all      -          all      all
    get_receipt_proposals receipt          -        -          -         all      -          all      all
    match_receipt       receipt            -        -          -         all      -          -        -
    set_aside_receipt   receipt            -        -          -         all      -          -        -
    reopen_receipt      receipt.aside      -        -          -         all      -          -        -
";

// Where the manager's step waits for the owner's superior, the owner is refused for the separation of duties
// (409), not for lack of the permission.
const CONTRACT_DECISIONS: &str = "
                        to                       rep  manager  director  finance  marketing  auditor  admin
    list_approvals      nothing                  all  all      all       all      -          all      all
    get_approval        approval.contract.first  own  team     all       all      -          all      all
    approve_request     approval.contract.first  -    team     all       -        -          -        -
    approve_request     approval.contract.second -    -        -         all      -          -        -
    reject_request      approval.contract.first  -    team     all       -        -          -        -
    reject_request      approval.contract.second -    -        -         all      -          -        -
    withdraw_request    approval.contract.first  own  own      own       -        -          -        -
    return_request      approval.contract.second -    -        -         all      -          -        -
    add_approval_step   approval.contract.first  -    team     all       -        -          -        -
    add_approval_step   approval.contract.second -    -        -         all      -          -        -
    remind_of_request   approval.contract.first  own  own      own       -        -          -        -
    comment_on_request  approval.contract.first  own  team     all       all      -          all      all
";
const INVOICE_DECISIONS: &str = "
                        to                       rep  manager  director  finance  marketing  auditor  admin
    get_approval        approval.invoice.first   own  team     all       all      -          all      all
    approve_request     approval.invoice.first   -    team     all       -        -          -        -
    approve_request     approval.invoice.second  -    -        -         all      -          -        -
    reject_request      approval.invoice.first   -    team     all       -        -          -        -
    reject_request      approval.invoice.second  -    -        -         all      -          -        -
    withdraw_request    approval.invoice.first   own  own      own       -        -          -        -
";

const ORGANISATION: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_users          nothing           -         -          -         -        -          all      all
    create_user         nothing           -         -          -         -        -          -        all
    get_user            user              own       own        own       own      own        all      all
    update_user         user              -         -          -         -        -          -        all
    disable_user        user              -         -          -         -        -          -        all
    enable_user         user.disabled     -         -          -         -        -          -        all
    set_user_password   user              -         -          -         -        -          -        all
    get_user_holdings   user              -         -          -         -        -          all      all
    hand_over_user      user.disabled     -         -          -         -        -          -        all
    list_approval_flows nothing           -         -          -         -        -          all      all
    get_approval_flow   flow              -         -          -         -        -          all      all
    update_approval_flow flow             -         -          -         -        -          -        all
    list_approval_flow_versions flow      -         -          -         -        -          all      all
    get_settings        nothing           -         -          -         -        -          all      all
    update_settings     nothing           -         -          -         -        -          -        all
    run_verification    nothing           -         -          -         -        -          -        all
    list_jobs           nothing           -         -          -         -        -          all      all
    get_job             job               -         -          -         -        -          all      all
    list_job_items      job               -         -          -         -        -          all      all
    list_scoring_rules  nothing           -         -          -         -        -          all      all
    create_scoring_rule nothing           -         -          -         -        -          -        all
    get_scoring_rule    rule.scoring      -         -          -         -        -          all      all
    update_scoring_rule rule.scoring      -         -          -         -        -          -        all
    delete_scoring_rule rule.scoring      -         -          -         -        -          -        all
    list_assignment_rules  nothing        -         -          -         -        -          all      all
    create_assignment_rule nothing        -         -          -         -        -          -        all
    get_assignment_rule    rule.assignment -        -          -         -        -          all      all
    update_assignment_rule rule.assignment -        -          -         -        -          -        all
    delete_assignment_rule rule.assignment -        -          -         -        -          -        all
    list_teams          nothing           -         -          -         -        -          all      all
    create_team         nothing           -         -          -         -        -          -        all
    get_team            team              -         -          -         -        -          all      all
    update_team         team              -         -          -         -        -          -        all
    delete_team         team              -         -          -         -        -          -        all
    list_roles          nothing           -         -          -         -        -          all      all
    create_role         nothing           -         -          -         -        -          -        all
    get_role            role              -         -          -         -        -          all      all
    update_role         role              -         -          -         -        -          -        all
    delete_role         role              -         -          -         -        -          -        all
    list_pipelines      nothing           all       all        all       all      all        all      all
    create_pipeline     nothing           -         -          -         -        -          -        all
    get_pipeline        pipeline          all       all        all       all      all        all      all
    update_pipeline     pipeline          -         -          -         -        -          -        all
    delete_pipeline     pipeline          -         -          -         -        -          -        all
    list_products       nothing           all       all        all       all      all        all      all
    create_product      nothing           -         -          -         -        -          -        all
    get_product         product           all       all        all       all      all        all      all
    update_product      product           -         -          -         -        -          -        all
    list_price_lists    nothing           all       all        all       all      all        all      all
    create_price_list   nothing           -         -          -         -        -          -        all
    get_price_list      pricelist         all       all        all       all      all        all      all
    update_price_list   pricelist         -         -          -         -        -          -        all
    delete_price_list   pricelist         -         -          -         -        -          -        all
    quote_prices        nothing           all       all        all       all      all        all      all
    list_audit_events   nothing           -         -          -         -        -          all      all
    get_audit_event     audit             -         -          -         -        -          all      all
";

const TABLES: [&str; 11] = [
    LEADS,
    CUSTOMERS,
    SHARING,
    CONTACTS_AND_ACTIVITIES,
    OPPORTUNITIES,
    CONTRACTS,
    INVOICES,
    PAYMENTS,
    CONTRACT_DECISIONS,
    INVOICE_DECISIONS,
    ORGANISATION,
];

/// Where a record stands, seen from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    Own,
    /// Of a member of the caller's team, or of a team below.
    Team,
    Other,
    Pool,
}

const RELATIONS: [Relation; 4] = [Relation::Own, Relation::Team, Relation::Other, Relation::Pool];

/// Whether a word of the tables covers a relation.
fn covers(word: &str, relation: Relation) -> bool {
    word.split('+').any(|part| match part {
        "own" => relation == Relation::Own,
        "team" => matches!(relation, Relation::Own | Relation::Team),
        "all" => true,
        "pool" => relation == Relation::Pool,
        "-" => false,
        other => panic!("`{other}` is no word of the tables"),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Allowed,
    Forbidden,
    Hidden,
}

/// A line of a table, split at its blanks: names first, then one word for each role.
fn lines(table: &'static str, names: usize) -> Vec<(Vec<&'static str>, [&'static str; 7])> {
    let rows = table.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|words| !words.is_empty())
        .map(|words| {
            let (names, words) = words.split_at(names);
            (names.to_vec(), words.try_into().unwrap_or_else(|_| panic!("{names:?} needs seven words")))
        })
        .collect()
}

fn read_words(kind: &str) -> [&'static str; 7] {
    let rows = lines(READ, 1);
    rows.into_iter().find(|(names, _)| names[0] == kind).unwrap_or_else(|| panic!("READ lacks {kind}")).1
}

/// An operation as the specification has it.
#[derive(Debug, Clone)]
struct Operation {
    method: Method,
    path: String,
    public: bool,
}

async fn operations(server: &Server) -> BTreeMap<String, Operation> {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let method = method.to_uppercase().parse().unwrap();
            let public = operation["security"] == json!([{}]);
            let known = found.insert(id.to_owned(), Operation { method, path: path.clone(), public });
            assert!(known.is_none(), "{id} is there twice");
        }
    }
    found
}

async fn the_matrix_knows_every_operation(server: Server) {
    let spec = operations(&server).await;
    let listed = TABLES.iter().flat_map(|table| lines(table, 2)).map(|(names, _)| names[0]);
    let known: BTreeSet<&str> = listed.chain(PUBLIC).chain(OPEN).collect();
    let there: BTreeSet<&str> = spec.keys().map(String::as_str).collect();
    let unknown: Vec<_> = there.difference(&known).collect();
    assert!(unknown.is_empty(), "the matrix must say who may use {unknown:?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "the matrix names {gone:?}, which the specification does not have");
    for (id, operation) in &spec {
        assert_eq!(operation.public, PUBLIC.contains(&id.as_str()), "{id}: who needs a token?");
    }
}

const NO_ID: &str = "01900000-0000-7000-8000-000000000000";

async fn nothing_but_the_public_is_open_without_a_token(server: Server) {
    let nobody = server.anonymous();
    for (id, operation) in operations(&server).await {
        let path = operation.path.replace("{id}", NO_ID).replace("{code}", "not_found");
        let path = path.replace("{token}", &"0".repeat(32));
        let request = nobody.root(operation.method, &path).header("if-match", "*").json(&json!({}));
        let answer = nobody.send(request).await;
        if PUBLIC.contains(&id.as_str()) {
            assert_ne!(answer.body["code"], "unauthenticated", "{id}");
            continue;
        }
        let answer = answer.refused(401, "unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{id}: {:?}", answer.headers);
    }
}

async fn what_is_open_to_everybody_is_open_to_every_role(server: Server) {
    let company = Company::found(&server).await;
    for (role, person) in company.by_role() {
        let me = server.login(&person.email, PASSWORD).await;
        let answer = me.get("/me").await.expect(200);
        assert_eq!(answer.body["roles"], json!([role]));
        me.get("/workflows").await.expect(200);
        let sessions = me.get("/auth/sessions").await.expect(200).body;
        let other = sessions["data"].as_array().unwrap().iter().find(|one| one["current"] == false).unwrap();
        let end = me.request(Method::DELETE, &format!("/auth/sessions/{}", other["id"].as_str().unwrap()));
        me.send(end).await.expect(204);
        let passwords = json!({"current_password": PASSWORD, "new_password": "another-password"});
        me.post("/me/change-password", passwords).await.expect(204);
        me.act("/auth/logout").await.expect(204);
        me.get("/me").await.refused(401, "unauthenticated");
    }
}

/// A company with everybody whom the matrix needs.
struct World {
    company: Company,
    spec: BTreeMap<String, Operation>,
    /// A second director, who decides what the first one owns.
    deputy: Person,
    server: Server,
}

/// Whom a record belongs to; nobody in the pool.
type Owner<'a> = Option<&'a Person>;

fn unique_phone() -> String {
    format!("138{:08}", rand::random_range(0..100_000_000))
}

fn unique(what: &str) -> String {
    format!("{what} {:016x}", rand::random::<u64>())
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

impl World {
    async fn new(server: Server) -> Self {
        let company = Company::found(&server).await;
        let me = company.director.client.get("/me").await.expect(200);
        let deputy = json!({
            "email": "deputy@example.com", "display_name": "deputy", "team_id": me.body["team_id"],
            "roles": ["sales_director"], "password": PASSWORD,
        });
        let id = company.admin.client.post("/users", deputy).await.expect(201).id();
        let email = "deputy@example.com".to_owned();
        let client = server.login(&email, PASSWORD).await;
        let spec = operations(&server).await;
        Self { company, spec, deputy: Person { id, email, client }, server }
    }

    fn caller(&self, role: &str) -> &Person {
        self.company.by_role().into_iter().find(|(name, _)| *name == role).unwrap().1
    }

    /// Who owns a record that stands so to the caller; none where the caller's role has no such thing.
    fn owner(&self, role: &str, relation: Relation) -> Option<Owner<'_>> {
        let company = &self.company;
        let owner = match (role, relation) {
            (_, Relation::Pool) => return Some(None),
            ("sales_rep", Relation::Own) | ("sales_director", Relation::Team) => &company.rep,
            ("sales_rep", Relation::Team) => &company.colleague,
            ("sales_manager", Relation::Own) => &company.manager,
            // A team below is the farthest that `team_and_below` reaches.
            ("sales_manager", Relation::Team) => &company.inner,
            ("sales_director", Relation::Own) => &company.director,
            (_, Relation::Other) => &company.other_rep,
            // The others own nothing and lead nobody.
            _ => return None,
        };
        Some(Some(owner))
    }

    /// Whoever records things for this owner: themselves, or the administrator for the pool.
    fn author<'a>(&'a self, owner: Owner<'a>) -> &'a Client {
        &owner.unwrap_or(&self.company.admin).client
    }

    async fn lead(&self, owner: Owner<'_>, state: &str) -> String {
        let author = self.author(owner);
        let form = json!({"name": unique("Lead"), "company": unique("Company"), "source": "website"});
        let made = author.post("/leads", form).await.expect(201);
        assert_eq!(made.body["owner_id"], json!(owner.map(|owner| &owner.id)));
        let id = made.id();
        if matches!(state, "contacted" | "qualified") {
            self.activity(owner, "lead", &id).await;
        }
        if state == "qualified" {
            author.act(&format!("/leads/{id}/qualify")).await.expect(200);
        }
        if state == "disqualified" {
            author.post(&format!("/leads/{id}/disqualify"), json!({"reason": "no_need"})).await.expect(200);
        }
        id
    }

    async fn customer(&self, owner: Owner<'_>) -> String {
        let form = json!({"kind": "company", "name": unique("Customer"), "phone": unique_phone()});
        let made = self.author(owner).post("/customers", form).await.expect(201);
        assert_eq!(made.body["owner_id"], json!(owner.map(|owner| &owner.id)));
        made.id()
    }

    async fn activity(&self, owner: Owner<'_>, kind: &str, id: &str) -> String {
        let form = json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        self.author(owner).post("/activities", form).await.expect(201).id()
    }

    async fn opportunity(&self, owner: Owner<'_>, state: &str) -> String {
        let customer = self.customer(owner).await;
        let form =
            json!({"name": unique("Opportunity"), "customer_id": customer, "amount": money("1000.00")});
        let id = self.author(owner).post("/opportunities", form).await.expect(201).id();
        if state == "lost" {
            let lose = format!("/opportunities/{id}/lose");
            self.author(owner).post(&lose, json!({"reason": "price"})).await.expect(200);
        }
        id
    }

    async fn contract(&self, owner: Owner<'_>, state: &str) -> String {
        let id = self.company.draft(owner.unwrap(), "1000.00", "by_contract").await;
        if state != "draft" {
            self.author(owner).act(&format!("/contracts/{id}/submit")).await.expect(200);
        }
        if state == "active" {
            self.approve_both(&id).await;
        }
        id
    }

    async fn approve_first(&self, subject: &str) -> String {
        let approval = self.company.pending(subject).await;
        self.deputy.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
        approval
    }

    async fn approve_both(&self, subject: &str) {
        let approval = self.approve_first(subject).await;
        let approve = format!("/approvals/{approval}/approve");
        self.company.finance_two.client.post(&approve, json!({})).await.expect(200);
    }

    async fn invoice(&self, owner: Owner<'_>, state: &str) -> String {
        let contract = self.contract(owner, "active").await;
        let id = self.company.invoice_draft(owner.unwrap(), &contract, "100.00").await;
        if state != "draft" {
            self.author(owner).act(&format!("/invoices/{id}/submit")).await.expect(200);
        }
        if matches!(state, "approved" | "issued") {
            self.approve_both(&id).await;
        }
        if state == "issued" {
            let form = json!({"tax_invoice_number": unique("T")});
            self.company.finance_two.client.post(&format!("/invoices/{id}/issue"), form).await.expect(200);
        }
        id
    }

    async fn payment(&self, owner: Owner<'_>, state: &str) -> String {
        let contract = self.contract(owner, "active").await;
        let form = Company::payment(&contract, "100.00");
        let id = self.author(owner).post("/payments", form).await.expect(201).id();
        if state == "confirmed" {
            self.company.finance_two.client.act(&format!("/payments/{id}/confirm")).await.expect(200);
        }
        id
    }

    /// A transfer that its owner asked for, to somebody whom the tables do not ask about.
    async fn transfer(&self, owner: Owner<'_>) -> String {
        let form = json!({
            "kind": "customers", "record_ids": [self.customer(owner).await],
            "to_user_id": self.company.other_manager.id, "reason": "Closer by",
        });
        self.author(owner).post("/transfers", form).await.expect(201).id()
    }

    /// In a month of its own.
    fn target(owner: &str) -> Value {
        let month = rand::random_range(0..12_000);
        json!({
            "owner_id": owner, "month": format!("2{:03}-{:02}", month / 12, month % 12 + 1), "measure": "signed",
            "amount": money("100.00"),
        })
    }

    fn receipt() -> Value {
        json!({"amount": money("10.00"), "received_on": "2026-02-01", "method": "bank_transfer"})
    }

    fn credit_note(invoice: &str) -> Value {
        json!({
            "invoice_id": invoice, "amount": money("10.00"), "reason": "Wrong price", "tax_invoice_number": unique("R"),
        })
    }

    fn refund(payment: &str) -> Value {
        json!({
            "payment_id": payment, "amount": money("10.00"), "refunded_on": "2026-02-01", "method": "bank_transfer",
            "reason": "Paid too much",
        })
    }

    fn amendment(contract: &str) -> Value {
        json!({"contract_id": contract, "reason": "They pay later", "ends_on": "2031-12-31"})
    }

    fn new_scoring_rule() -> Value {
        json!({"name": unique("Rule"), "field": "phone", "operator": "present", "points": 10})
    }

    /// A rule that fits no lead of this test.
    fn new_assignment_rule(&self) -> Value {
        json!({
            "name": unique("Rule"), "position": 1, "regions": [unique("Region")],
            "user_id": self.company.colleague.id,
        })
    }

    /// Another record of the same owner, to be merged.
    async fn twin(&self, collection: &str, id: &str) -> String {
        let admin = &self.company.admin.client;
        let seen = admin.get(&format!("/{collection}/{id}")).await.expect(200).body;
        let people =
            [&self.company.rep, &self.company.colleague, &self.company.inner, &self.company.other_rep];
        let people = people.into_iter().chain([&self.company.manager, &self.company.director]);
        let owner = people.into_iter().find(|person| seen["owner_id"] == json!(person.id));
        self.make(collection.trim_end_matches('s'), owner).await
    }

    async fn user(&self, state: &str) -> String {
        let admin = &self.company.admin.client;
        let id = admin.post("/users", Self::new_user()).await.expect(201).id();
        if state == "disabled" {
            admin.post(&format!("/users/{id}/disable"), json!({"keep_records": true})).await.expect(200);
        }
        id
    }

    fn new_user() -> Value {
        json!({
            "email": format!("{:016x}@example.com", rand::random::<u64>()), "display_name": "Somebody",
            "roles": ["sales_rep"], "password": PASSWORD,
        })
    }

    fn new_role() -> Value {
        json!({"key": format!("r{:016x}", rand::random::<u64>()), "name": unique("Role"), "grants": []})
    }

    fn new_product() -> Value {
        json!({"code": unique("P"), "name": "Pump", "tax_rate": "0.13"})
    }

    fn new_price_list() -> Value {
        json!({"name": unique("List"), "currency": "CNY", "valid_from": "2026-01-01", "prices": []})
    }

    fn new_pipeline() -> Value {
        json!({"name": unique("Pipeline"), "stages": [
            {"name": "Talk", "probability": 10, "kind": "open"},
            {"name": "Won", "probability": 100, "kind": "won"},
            {"name": "Lost", "probability": 0, "kind": "lost"},
        ]})
    }

    /// Makes a record for a line of a table.
    async fn make(&self, target: &str, owner: Owner<'_>) -> String {
        let admin = &self.company.admin.client;
        let (kind, state) = target.split_once('.').unwrap_or((target, ""));
        match (kind, state) {
            ("nothing", _) => NO_ID.to_owned(),
            ("lead", "activity") => {
                let lead = self.lead(owner, "").await;
                self.activity(owner, "lead", &lead).await
            }
            ("lead", state) => self.lead(owner, state).await,
            ("customer", "contact") => {
                let form = json!({"customer_id": self.customer(owner).await, "name": "Zhang"});
                self.author(owner).post("/contacts", form).await.expect(201).id()
            }
            ("customer", "activity") => {
                let customer = self.customer(owner).await;
                self.activity(owner, "customer", &customer).await
            }
            ("customer", "locked") => {
                let id = self.customer(owner).await;
                // What nobody owns needs no lock.
                if owner.is_some() {
                    admin.act(&format!("/customers/{id}/lock")).await.expect(200);
                }
                id
            }
            ("customer" | "pooled", _) => self.customer(owner).await,
            ("opportunity", state) => self.opportunity(owner, state).await,
            ("contract", "") => self.contract(owner, "draft").await,
            ("contract", state) => self.contract(owner, state).await,
            ("invoice", "") => self.invoice(owner, "draft").await,
            ("invoice", state) => self.invoice(owner, state).await,
            ("payment", state) => self.payment(owner, state).await,
            ("change", _) => {
                let customer = self.customer(owner).await;
                let form = json!({"customer_id": customer, "changes": {"note": unique("Note")}});
                self.author(owner).post("/customer-changes", form).await.expect(201).id()
            }
            ("target", _) => {
                let form = Self::target(&owner.unwrap().id);
                admin.post("/targets", form).await.expect(201).id()
            }
            ("receipt", state) => {
                let finance = &self.company.finance_two.client;
                let id = finance.post("/receipts", Self::receipt()).await.expect(201).id();
                if state == "aside" {
                    let aside = format!("/receipts/{id}/set-aside");
                    finance.post(&aside, json!({"reason": "Interest"})).await.expect(200);
                }
                id
            }
            ("creditnote", _) => {
                let invoice = self.invoice(owner, "issued").await;
                let form = Self::credit_note(&invoice);
                self.company.finance_two.client.post("/credit-notes", form).await.expect(201).id()
            }
            ("refund", _) => {
                let payment = self.payment(owner, "confirmed").await;
                let form = Self::refund(&payment);
                self.company.finance_two.client.post("/refunds", form).await.expect(201).id()
            }
            ("amendment", _) => {
                let contract = self.contract(owner, "active").await;
                let form = Self::amendment(&contract);
                self.author(owner).post("/amendments", form).await.expect(201).id()
            }
            ("approval", state) => {
                let (subject, step) = state.split_once('.').unwrap();
                let subject = match subject {
                    "contract" => self.contract(owner, "pending").await,
                    _ => self.invoice(owner, "pending").await,
                };
                match step {
                    "first" => self.company.pending(&subject).await,
                    _ => self.approve_first(&subject).await,
                }
            }
            ("collaborator", _) => {
                let form = json!({
                    "customer_id": self.customer(owner).await, "user_id": self.company.other_manager.id,
                    "access": "read",
                });
                self.author(owner).post("/collaborators", form).await.expect(201).id()
            }
            ("transfer", _) => self.transfer(owner).await,
            ("transferapproval", _) => self.company.pending(&self.transfer(owner).await).await,
            ("openpool", _) => {
                admin.post("/public-pools", json!({"name": unique("Pool")})).await.expect(201).id()
            }
            ("leadform", _) => {
                let form = json!({"name": unique("Form"), "fields": ["phone"]});
                admin.post("/lead-forms", form).await.expect(201).id()
            }
            ("rule", "scoring") => {
                admin.post("/scoring-rules", Self::new_scoring_rule()).await.expect(201).id()
            }
            ("rule", _) => admin.post("/assignment-rules", self.new_assignment_rule()).await.expect(201).id(),
            ("job", _) => {
                let run = json!({"dry_run": true});
                let id = admin.post("/public-pool/recycle-runs", run).await.expect(202).id();
                // Its version is looked at: nothing but the calls of this test may change it.
                until("the job", async || {
                    let job = admin.get(&format!("/jobs/{id}")).await.expect(200).body;
                    (job["status"] == "finished").then_some(())
                })
                .await;
                id
            }
            ("flow", state) => {
                let flows = admin.get("/approval-flows").await.expect(200);
                flows.body["data"][usize::from(state == "other")]["id"].as_str().unwrap().to_owned()
            }
            ("user", state) => self.user(state).await,
            ("team", _) => admin.post("/teams", json!({"name": unique("Team")})).await.expect(201).id(),
            ("role", _) => admin.post("/roles", Self::new_role()).await.expect(201).id(),
            ("pipeline", _) => admin.post("/pipelines", Self::new_pipeline()).await.expect(201).id(),
            ("attachment", _) => {
                let contract = self.contract(owner, "draft").await;
                let add = Self::upload(&self.company.admin.client, &contract);
                self.company.admin.client.send(add).await.expect(201).id()
            }
            ("product", _) => admin.post("/products", Self::new_product()).await.expect(201).id(),
            ("pricelist", _) => admin.post("/price-lists", Self::new_price_list()).await.expect(201).id(),
            ("audit", _) => {
                let events = admin.get("/audit-events?limit=1").await.expect(200);
                events.body["data"][0]["id"].as_str().unwrap().to_owned()
            }
            _ => panic!("nobody knows how to make a {target}"),
        }
    }

    /// A valid body for an operation; `id` is the record that the line is about.
    async fn body(&self, operation: &str, target: &str, id: &str) -> Value {
        let colleague = &self.company.colleague.id;
        match operation {
            "merge_lead" => json!({"loser_id": Box::pin(self.twin("leads", id)).await}),
            "merge_customer" => json!({"loser_id": Box::pin(self.twin("customers", id)).await}),
            "bulk_leads" => json!({"action": "qualify", "mode": "best_effort", "items": [{"id": NO_ID}]}),
            "bulk_customers" => json!({"action": "lock", "mode": "best_effort", "items": [{"id": NO_ID}]}),
            "create_lead_form" => json!({"name": unique("Form"), "fields": ["phone"]}),
            "update_lead_form" | "update_public_pool" | "update_product" | "update_price_list" => {
                json!({"name": unique("Renamed")})
            }
            "move_customer_to_pool" => json!({"pool_id": self.company.pool}),
            "distribute_pool_customers" => json!({
                "customer_ids": [self.customer(None).await], "members": [{"user_id": colleague}],
                "strategy": "round_robin",
            }),
            "run_recycling" => json!({"dry_run": true}),
            "create_public_pool" => json!({"name": unique("Pool")}),
            "create_collaborator" => {
                json!({"customer_id": id, "user_id": self.company.other_manager.id, "access": "read"})
            }
            "update_collaborator" => json!({"access": "write"}),
            "request_transfer" => json!({
                "kind": "customers", "record_ids": [id], "to_user_id": self.company.other_manager.id,
                "reason": "Closer by",
            }),
            "hand_over_user" => json!({"to_pool": true, "reason": "Left"}),
            "update_settings" => json!({"due_soon_days": 7}),
            "create_scoring_rule" => Self::new_scoring_rule(),
            "create_assignment_rule" => self.new_assignment_rule(),
            "update_scoring_rule" | "update_assignment_rule" => json!({"name": unique("Rule")}),
            "create_lead" => json!({"name": unique("Lead"), "source": "website"}),
            "update_lead" | "update_customer" | "update_opportunity" | "update_invoice" => {
                json!({"note": "Changed"})
            }
            "assign_lead" | "assign_customer" => json!({"owner_id": colleague}),
            "disqualify_lead" => json!({"reason": "no_need"}),
            "create_customer" => json!({"kind": "company", "name": unique("Customer")}),
            "release_customer" | "terminate_contract" | "void_invoice" | "reject_payment"
            | "reverse_payment" | "reject_refund" | "set_aside_receipt" => json!({"reason": "It must be"}),
            "create_contact" => json!({"customer_id": id, "name": "Zhang"}),
            "update_contact" => json!({"name": "Wang"}),
            "create_activity" => {
                let kind = target.strip_prefix("in:").unwrap();
                json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"})
            }
            "update_activity" => json!({"subject": "Called again"}),
            "create_opportunity" => json!({"name": unique("Opportunity"), "customer_id": id}),
            "advance_opportunity" => json!({"stage_id": self.company.stage(1)}),
            "lose_opportunity" => json!({"reason": "price"}),
            "create_contract" => json!({
                "title": "Delivery", "customer_id": id, "amount": money("1000.00"),
                "collection_scheme": "by_contract",
            }),
            "plan_contract" => json!({"starts_on": "2031-01-31", "months": 3}),
            "update_contract" => json!({"title": "Another title"}),
            "issue_credit_note" => Self::credit_note(id),
            "record_refund" => Self::refund(id),
            "request_customer_change" => json!({"customer_id": id, "changes": {"note": unique("Note")}}),
            "create_target" => Self::target(colleague),
            "update_target" => json!({"amount": money("200.00")}),
            "record_receipt" => Self::receipt(),
            "import_receipts" => json!({
                "csv": "Date,Amount\n", "columns": {"received_on": "Date", "amount": "Amount"}, "currency": "CNY",
                "method": "bank_transfer",
            }),
            "bulk_receipts" => {
                json!({"action": "set_aside", "mode": "best_effort", "items": [{"id": NO_ID, "reason": "x"}]})
            }
            "match_receipt" => {
                let contract = self.contract(Some(&self.company.rep), "active").await;
                json!({"contract_id": contract})
            }
            "reallocate_payment" => json!({"reason": "For the other one"}),
            "bulk_payments" => {
                json!({"action": "label", "mode": "best_effort", "items": [{"id": NO_ID, "labels": []}]})
            }
            "request_amendment" => Self::amendment(id),
            "create_invoice" => json!({
                "contract_id": id, "amount": money("10.00"), "tax_rate": "0.13", "kind": "special",
            }),
            "issue_invoice" => json!({"tax_invoice_number": unique("T")}),
            "record_payment" => Company::payment(id, "10.00"),
            "update_payment" => json!({"payer": "Somebody"}),
            "reject_request" | "comment_on_request" => json!({"comment": "Not like this"}),
            "return_request" => json!({"comment": "Look again", "step": 0}),
            "add_approval_step" => json!({"user_id": self.company.auditor.id, "place": "after"}),
            "update_approval_flow" => json!({"enabled": true}),
            "create_user" => Self::new_user(),
            "update_user" => json!({"display_name": "Renamed"}),
            "set_user_password" => json!({"password": PASSWORD}),
            "create_team" | "update_team" => json!({"name": unique("Team")}),
            "create_role" => Self::new_role(),
            "update_role" => json!({"name": unique("Role")}),
            "create_pipeline" => Self::new_pipeline(),
            "update_pipeline" => json!({"name": unique("Pipeline")}),
            "create_product" => Self::new_product(),
            "create_price_list" => Self::new_price_list(),
            "quote_prices" => {
                let admin = &self.company.admin.client;
                let product = admin.post("/products", Self::new_product()).await.expect(201).id();
                let mut list = Self::new_price_list();
                list["prices"] = json!([{"product_id": product, "unit_price": money("10.00")}]);
                admin.post("/price-lists", list).await.expect(201);
                json!({"currency": "CNY", "lines": [{"product_id": product, "quantity": "2"}]})
            }
            _ => json!({}),
        }
    }

    fn upload(caller: &Client, contract: &str) -> reqwest::RequestBuilder {
        let path = format!("/contracts/{contract}/attachments?file_name=a.txt");
        caller.request(Method::POST, &path).header("content-type", "text/plain").body("signed")
    }

    async fn call(&self, caller: &Client, operation: &str, target: &str, id: &str) -> Answer {
        let Operation { method, path, .. } = &self.spec[operation];
        let mut request = caller.root(method.clone(), &path.replace("{id}", id));
        if matches!(*method, Method::PATCH | Method::DELETE) {
            request = request.header("if-match", "*");
        }
        if operation == "add_contract_attachment" {
            request = Self::upload(caller, id);
        } else if matches!(*method, Method::POST | Method::PATCH) {
            request = request.json(&self.body(operation, target, id).await);
        }
        caller.send(request).await
    }

    /// The relations in which a line can be tried, and the record of each.
    fn relations(&self, role: &str, target: &str) -> Vec<Relation> {
        let kind = target.trim_start_matches("in:").split('.').next().unwrap();
        let fits = |relation: &Relation| match kind {
            // They belong to the organisation as a whole.
            "nothing" | "team" | "role" | "pipeline" | "product" | "pricelist" | "audit" | "openpool"
            | "leadform" | "rule" | "job" => *relation == Relation::Other,
            "user" => matches!(relation, Relation::Own | Relation::Other),
            "lead" | "customer" | "pooled" => self.owner(role, *relation).is_some(),
            _ => *relation != Relation::Pool && self.owner(role, *relation).is_some(),
        };
        RELATIONS.into_iter().filter(fits).collect()
    }

    async fn record(&self, role: &str, relation: Relation, target: &str) -> String {
        if target.starts_with("user") && relation == Relation::Own {
            return self.caller(role).id.clone();
        }
        // There is one of each kind: what one may change is another one than what others may not.
        let target = if target == "flow" && role != "admin" { "flow.other" } else { target };
        let owner = self.owner(role, relation).unwrap();
        self.make(target.trim_start_matches("in:"), owner).await
    }

    /// The version of the record that an operation is about, as the administrator sees it.
    async fn version(&self, operation: &str, id: &str) -> Option<i64> {
        let (collection, _) = self.spec[operation].path.split_once("/{id}")?;
        let collection = collection.replace("/public-pool/", "/");
        let seen = self.company.admin.client.get_root(&format!("{collection}/{id}")).await.expect(200);
        seen.body["version"].as_i64()
    }

    /// Tries every role in every relation on one line of a table, and says what was not as designed.
    async fn try_line(&mut self, operation: &str, target: &str, words: [&str; 7], wrong: &mut Vec<String>) {
        let kind = target.trim_start_matches("in:").split('.').next().unwrap();
        let reads = read_words(if target == "customer.activity" { target } else { kind });
        let mut succeeded = false;
        // What refused calls leave alone is shared among them.
        let mut untouched: BTreeMap<String, (String, Option<i64>)> = BTreeMap::new();
        for (at, role) in ROLES.into_iter().enumerate() {
            for relation in self.relations(role, target) {
                let expected = if covers(words[at], relation) {
                    Expected::Allowed
                } else if covers(reads[at], relation) {
                    Expected::Forbidden
                } else {
                    Expected::Hidden
                };
                let owner = self.owner(role, relation).flatten().map_or("pool", |person| &person.id);
                let alone = kind == "user" || kind == "flow";
                let shared = if alone { format!("{role} {relation:?}") } else { owner.to_owned() };
                let id = match untouched.get(&shared) {
                    Some((id, _)) if expected != Expected::Allowed => id.clone(),
                    _ => self.record(role, relation, target).await,
                };
                if expected != Expected::Allowed && !untouched.contains_key(&shared) {
                    let version = self.version(operation, &id).await;
                    untouched.insert(shared, (id.clone(), version));
                }
                let answer = self.call(&self.caller(role).client, operation, target, &id).await;
                succeeded |= answer.status < 300;
                let code = answer.body["code"].as_str().unwrap_or_default();
                let right = match expected {
                    Expected::Allowed => !matches!(answer.status, 401 | 403 | 404) && answer.status < 500,
                    Expected::Forbidden => (answer.status, code) == (403, "forbidden"),
                    Expected::Hidden if target.starts_with("in:") => {
                        (answer.status, code) == (422, "unknown_reference")
                    }
                    Expected::Hidden => (answer.status, code) == (404, "not_found"),
                };
                // Of what is hidden, nothing may differ from what does not exist.
                let plain = expected != Expected::Hidden || owner == "pool" || !answer.text.contains(owner);
                if !right || !plain {
                    wrong.push(format!(
                        "{operation} ({target}, {relation:?}) by {role}: expected {expected:?}, got {} {}",
                        answer.status, answer.text
                    ));
                }
                // Whoever sets their own password has to log in anew.
                if operation == "set_user_password" && answer.status < 300 {
                    self.company.admin.client = self.server.admin().await;
                }
            }
        }
        for (id, before) in untouched.into_values() {
            let after = self.version(operation, &id).await;
            if before != after {
                wrong.push(format!(
                    "{operation} ({target}) was refused and changed {id}: {before:?} to {after:?}"
                ));
            }
        }
        if !succeeded {
            wrong.push(format!("{operation} ({target}) never succeeded, so the line proves nothing"));
        }
    }
}

async fn follow(server: Server, table: &'static str) {
    let mut world = World::new(server).await;
    let mut wrong = Vec::new();
    for (names, words) in lines(table, 2) {
        world.try_line(names[0], names[1], words, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "not as designed:\n{}", wrong.join("\n"));
}

async fn leads_follow_the_matrix(server: Server) {
    follow(server, LEADS).await;
}

async fn customers_follow_the_matrix(server: Server) {
    follow(server, CUSTOMERS).await;
}

async fn sharing_and_transfers_follow_the_matrix(server: Server) {
    follow(server, SHARING).await;
}

async fn contacts_and_activities_follow_the_matrix(server: Server) {
    follow(server, CONTACTS_AND_ACTIVITIES).await;
}

async fn opportunities_follow_the_matrix(server: Server) {
    follow(server, OPPORTUNITIES).await;
}

async fn contracts_follow_the_matrix(server: Server) {
    follow(server, CONTRACTS).await;
}

async fn invoices_follow_the_matrix(server: Server) {
    follow(server, INVOICES).await;
}

async fn payments_follow_the_matrix(server: Server) {
    follow(server, PAYMENTS).await;
}

async fn decisions_about_contracts_follow_the_matrix(server: Server) {
    follow(server, CONTRACT_DECISIONS).await;
}

async fn decisions_about_invoices_follow_the_matrix(server: Server) {
    follow(server, INVOICE_DECISIONS).await;
}

async fn the_organisation_follows_the_matrix(server: Server) {
    follow(server, ORGANISATION).await;
}

/// The second half of an assignment: not only the record, the receiver as well must be in the caller's reach.
async fn nobody_gives_to_whom_they_do_not_lead(server: Server) {
    let world = World::new(server).await;
    let company = &world.company;
    for (kind, id) in [
        ("leads", world.lead(Some(&company.rep), "").await),
        ("leads", world.lead(None, "").await),
        ("customers", world.customer(Some(&company.rep)).await),
        ("customers", world.customer(None).await),
    ] {
        let path = format!("/{kind}/{id}/assign");
        let to = |owner: &Person| json!({"owner_id": owner.id});
        company.manager.client.post(&path, to(&company.other_rep)).await.refused(403, "forbidden");
        company.manager.client.post(&path, to(&company.inner)).await.expect(200);
        company.director.client.post(&path, to(&company.other_rep)).await.expect(200);
        company.manager.client.post(&path, to(&company.inner)).await.refused(404, "not_found");
        // Whoever cannot own such records gets none.
        company.director.client.post(&path, to(&company.finance)).await.refused(409, "owner_not_eligible");
    }
}

/// A request belongs to whoever made it, whoever owns the record; and nobody decides their own.
async fn whoever_asked_takes_it_back(server: Server) {
    let world = World::new(server).await;
    let company = &world.company;
    let contract = world.contract(Some(&company.rep), "draft").await;
    for asker in [&company.manager, &company.director, &company.admin] {
        asker.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let approval = company.pending(&contract).await;
        let withdraw = format!("/approvals/{approval}/withdraw");
        company.rep.client.act(&withdraw).await.refused(403, "forbidden");
        company.rep.client.act(&format!("/contracts/{contract}/withdraw")).await.refused(403, "forbidden");
        let approve = format!("/approvals/{approval}/approve");
        let code =
            if asker.id == company.admin.id { (403, "forbidden") } else { (409, "separation_of_duties") };
        asker.client.post(&approve, json!({})).await.refused(code.0, code.1);
        asker.client.act(&withdraw).await.expect(200);
    }
    let own = world.contract(Some(&company.manager), "pending").await;
    let approve = format!("/approvals/{}/approve", company.pending(&own).await);
    company.manager.client.post(&approve, json!({})).await.refused(409, "separation_of_duties");
}

/// Walks a list in small pages, and checks its total on the way. None when the caller may not list at all.
async fn walk(client: &Client, path: &str) -> Option<BTreeSet<String>> {
    let mut ids = Vec::new();
    let mut totals = BTreeSet::new();
    let mut next = format!("{path}?limit=2&total=true");
    loop {
        let page = client.get(&next).await;
        if page.status == 403 {
            page.refused(403, "forbidden");
            return None;
        }
        let page = page.expect(200).body;
        totals.insert(page["page"]["total"].to_string());
        ids.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { break };
        next = format!("{path}?limit=2&total=true&cursor={cursor}");
    }
    let distinct: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "{path} shows a record twice");
    let total: Vec<String> = totals.into_iter().map(|total| total.trim_matches('"').to_owned()).collect();
    assert_eq!(total, [ids.len().to_string()], "{path} has another total than rows");
    Some(distinct)
}

async fn lists_and_totals_agree_with_single_reads(server: Server) {
    let world = World::new(server).await;
    let company = &world.company;
    let owners = [&company.rep, &company.colleague, &company.inner, &company.other_rep, &company.manager];
    for owner in owners.into_iter().map(Some).chain([Some(&company.director), None]) {
        world.make("lead.activity", owner).await;
        world.make("customer.contact", owner).await;
        world.make("customer.activity", owner).await;
        if owner.is_none() {
            continue;
        }
        world.make("opportunity", owner).await;
        world.make("contract", owner).await;
        world.make("invoice.pending", owner).await;
        world.make("payment", owner).await;
        // What followed a lead to its customer is judged by the customer.
        let lead = world.make("lead.qualified", owner).await;
        world.author(owner).post(&format!("/leads/{lead}/convert"), json!({})).await.expect(200);
    }
    let callers: Vec<(&str, &Person)> = company
        .by_role()
        .into_iter()
        .chain([("colleague", &company.colleague), ("inner", &company.inner)])
        .chain([("other_manager", &company.other_manager), ("other_rep", &company.other_rep)])
        .collect();
    let mut wrong = Vec::new();
    for (path, everything) in [
        ("/leads", "/leads"),
        ("/customers", "/customers"),
        ("/public-pool/customers", "/customers"),
        ("/contacts", "/contacts"),
        ("/activities", "/activities"),
        ("/opportunities", "/opportunities"),
        ("/contracts", "/contracts"),
        ("/invoices", "/invoices"),
        ("/payments", "/payments"),
        ("/approvals", "/approvals"),
    ] {
        let all = walk(&company.admin.client, everything).await.unwrap();
        assert!(all.len() >= 6, "{path} has too little to prove anything");
        assert_eq!(Some(&all), walk(&company.director.client, everything).await.as_ref(), "{path}");
        let mut different = BTreeSet::new();
        for (name, caller) in &callers {
            let listed = walk(&caller.client, path).await;
            let mut readable = BTreeSet::new();
            for id in &all {
                match caller.client.get(&format!("{path}/{id}")).await.status {
                    200 => readable.insert(id.clone()),
                    404 => false,
                    other => panic!("{name} reads {path}/{id} and gets {other}"),
                };
            }
            if listed.clone().unwrap_or_default() != readable {
                wrong.push(format!("{path} as {name}: listed {listed:?}, readable {readable:?}"));
            }
            different.insert(readable);
        }
        assert!(path.contains("pool") || different.len() > 2, "{path} is the same to everybody");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
