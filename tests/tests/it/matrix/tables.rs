//! The tables, written by hand from the design.

// The words of the tables, one for each role:
//   own     records of the caller's own
//   team    those, and those of their team and of the teams below
//   all     every record, those in the pool as well
//   pool    records without owner; `own+pool` and `team+pool` add them
//   -       none
// What is refused is 403 when the caller may read the record, and 404 when not.

/// Which records each role may read.
pub(super) const READ: &str = "
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
    webhook      -         -          -         -        -          all      all
    webhookdelivery -      -          -         -        -          all      all
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
pub(super) const LEADS: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_leads          nothing           all       all        all       -        all        all      all
    search_leads        nothing           all       all        all       -        all        all      all
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

pub(super) const CUSTOMERS: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_customers      nothing           all       all        all       all      all        all      all
    search_customers    nothing           all       all        all       all      all        all      all
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

pub(super) const SHARING: &str = "
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

pub(super) const CONTACTS_AND_ACTIVITIES: &str = "
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

pub(super) const OPPORTUNITIES: &str = "
                        to                rep       manager    director  finance  marketing  auditor  admin
    list_opportunities  nothing           all       all        all       all      -          all      all
    search_opportunities nothing          all       all        all       all      -          all      all
    create_opportunity  in:customer       own+pool  team+pool  all       -        -          -        all
    get_opportunity     opportunity       own       team       all       all      -          all      all
    update_opportunity  opportunity       own       team       all       -        -          -        all
    delete_opportunity  opportunity       own       team       all       -        -          -        all
    advance_opportunity opportunity       own       team       all       -        -          -        all
    lose_opportunity    opportunity       own       team       all       -        -          -        all
    reopen_opportunity  opportunity.lost  -         team       all       -        -          -        -
";
// create: whoever may sell at all is told of a pool customer to claim it first (409 `customer_unowned`).

pub(super) const CONTRACTS: &str = "
                         to               rep       manager    director  finance  marketing  auditor  admin
    list_contracts       nothing          all       all        all       all      -          all      all
    search_contracts     nothing          all       all        all       all      -          all      all
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

pub(super) const INVOICES: &str = "
                        to                 rep      manager    director  finance  marketing  auditor  admin
    list_invoices       nothing            all      all        all       all      -          all      all
    search_invoices     nothing            all      all        all       all      -          all      all
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

pub(super) const PAYMENTS: &str = "
                        to                 rep      manager    director  finance  marketing  auditor  admin
    list_payments       nothing            all      all        all       all      -          all      all
    search_payments     nothing            all      all        all       all      -          all      all
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
    split_receipt       receipt            -        -          -         all      -          -        -
    join_receipt        receipt.split      -        -          -         all      -          -        -
";

// Where the manager's step waits for the owner's superior, the owner is refused for the separation of duties
// (409), not for lack of the permission.
pub(super) const CONTRACT_DECISIONS: &str = "
                        to                       rep  manager  director  finance  marketing  auditor  admin
    list_approvals      nothing                  all  all      all       all      -          all      all
    count_approvals     nothing                  all  all      all       all      -          all      all
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
pub(super) const INVOICE_DECISIONS: &str = "
                        to                       rep  manager  director  finance  marketing  auditor  admin
    get_approval        approval.invoice.first   own  team     all       all      -          all      all
    approve_request     approval.invoice.first   -    team     all       -        -          -        -
    approve_request     approval.invoice.second  -    -        -         all      -          -        -
    reject_request      approval.invoice.first   -    team     all       -        -          -        -
    reject_request      approval.invoice.second  -    -        -         all      -          -        -
    withdraw_request    approval.invoice.first   own  own      own       -        -          -        -
";

pub(super) const ORGANISATION: &str = "
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
    list_webhooks       nothing           -         -          -         -        -          all      all
    create_webhook      nothing           -         -          -         -        -          -        all
    get_webhook         webhook           -         -          -         -        -          all      all
    update_webhook      webhook           -         -          -         -        -          -        all
    delete_webhook      webhook           -         -          -         -        -          -        all
    ping_webhook        webhook           -         -          -         -        -          -        all
    rotate_webhook_secret webhook         -         -          -         -        -          -        all
    disable_webhook     webhook           -         -          -         -        -          -        all
    enable_webhook      webhook.disabled  -         -          -         -        -          -        all
    list_webhook_deliveries nothing       -         -          -         -        -          all      all
    get_webhook_delivery webhookdelivery  -         -          -         -        -          all      all
    redeliver_webhook_delivery webhookdelivery -    -          -         -        -          -        all
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

pub(super) const TABLES: [&str; 11] = [
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
