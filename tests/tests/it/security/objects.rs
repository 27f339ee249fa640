//! API1: an id of somebody else's record is good for nothing, wherever it is used.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::{parameters, resolved};
use crate::support::{Answer, Client, Company, Person, Server};

on_both_databases! {
    ids_of_others_lead_nowhere;
    ids_of_others_are_unknown_references;
    every_reference_is_tried;
    bulk_calls_reach_nothing_of_others;
    nothing_of_others_shows_in_lists;
    what_is_included_is_judged_by_itself;
    idempotency_keys_of_others_are_other_keys;
    contact_data_of_the_pool_stays_masked;
}

/// A body that names a record by its id.
type Form<'a> = Box<dyn Fn(&str) -> Value + 'a>;

/// A word that stands in everything that the victim has.
const SECRET: &str = "Kestrel";
const NO_ID: &str = "01900000-0000-7000-8000-000000000000";

/// What belongs to the organisation as a whole: the matrix says which role may see it. Sessions and notifications have
/// tests of their own (`sessions`, `personal`).
const OF_NO_SELLER: [&str; 19] = [
    "approval-flows",
    "assignment-rules",
    "audit-events",
    "auth",
    "jobs",
    "lead-forms",
    "notifications",
    "people",
    "pipelines",
    "price-lists",
    "products",
    "public-pools",
    "receipts",
    "roles",
    "scoring-rules",
    "teams",
    "users",
    "webhook-deliveries",
    "webhooks",
];

fn collection(path: &str) -> &str {
    path.strip_prefix("/api/v1/").and_then(|path| path.split('/').next()).unwrap_or_default()
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// Everything that one seller can have, from the lead to the payment.
struct Holdings {
    lead: String,
    customer: String,
    contact: String,
    activity: String,
    opportunity: String,
    contract: String,
    installment: String,
    invoice: String,
    payment: String,
    approval: String,
    amendment: String,
    refund: String,
    attachment: String,
    credit_note: String,
    customer_change: String,
    transfer: String,
    collaborator: String,
    target: String,
    saved_view: String,
    delegation: String,
}

impl Holdings {
    async fn of(company: &Company, owner: &Person, word: &str) -> Self {
        let client = &owner.client;
        let make = async |path: &str, form: Value| client.post(path, form).await.expect(201).id();
        let lead = json!({"name": word, "company": word, "source": "website", "note": word});
        let lead = make("/leads", lead).await;
        let customer = json!({"kind": "company", "name": word, "phone": "139 1234 5678", "note": word});
        let customer = make("/customers", customer).await;
        let person = make("/contacts", json!({"customer_id": customer, "name": word, "wechat": word})).await;
        let about = json!({"kind": "customer", "id": customer});
        let activity = make("/activities", json!({"about": about, "kind": "call", "subject": word})).await;
        let form = json!({"name": word, "customer_id": customer, "amount": money("100.00")});
        let opportunity = make("/opportunities", form).await;
        let form = json!({
            "title": word, "customer_id": customer, "amount": money("100.00"), "terms": word,
            "collection_scheme": "by_invoice", "installments": [{"due_on": "2026-12-31", "amount": money("100.00")}],
        });
        let contract = make("/contracts", form).await;
        let file =
            client.request(Method::POST, &format!("/contracts/{contract}/attachments?file_name={word}"));
        let file = file.header("content-type", "text/plain").body(word.to_owned());
        let attachment = client.send(file).await.expect(201).id();
        client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let approval = company.pending(&contract).await;
        company.approve(&contract).await;
        let invoice = company.issued(owner, &contract, "40.00").await;
        let mut form = Company::payment(&contract, "10.00");
        form["payer"] = json!(word);
        let payment = make("/payments", form).await;
        let form = json!({
            "invoice_id": invoice, "amount": money("1.00"), "reason": word,
            "tax_invoice_number": format!("R-{}", rand::random::<u64>()),
        });
        let credit_note = company.finance.client.post("/credit-notes", form).await.expect(201).id();
        let paid = company.paid(owner, &contract, "5.00").await;
        let form = json!({
            "payment_id": paid, "amount": money("1.00"), "refunded_on": "2026-02-01", "method": "cash", "reason": word,
        });
        let refund = company.finance.client.post("/refunds", form).await.expect(201).id();
        let form = json!({"contract_id": contract, "reason": word, "ends_on": "2031-12-31"});
        let amendment = make("/amendments", form).await;
        let billing = client.get(&format!("/contracts/{contract}/billing")).await.expect(200);
        let installment = billing.body["installments"][0]["id"].as_str().unwrap().to_owned();
        let form = json!({"customer_id": customer, "changes": {"note": format!("{word} again")}});
        let customer_change = make("/customer-changes", form).await;
        // Another customer: whoever collaborates sees it.
        let shared = company.customer(owner).await;
        let form = json!({"customer_id": shared, "user_id": company.inner.id, "access": "read"});
        let collaborator = make("/collaborators", form).await;
        let form = json!({
            "kind": "customers", "record_ids": [shared], "to_user_id": company.inner.id, "reason": word,
        });
        let transfer = make("/transfers", form).await;
        let form = json!({
            "owner_id": owner.id, "month": "2031-01", "measure": "signed", "amount": money("100.00"),
        });
        let target = company.director.client.post("/targets", form).await.expect(201).id();
        let view = json!({"resource": "leads", "name": word, "query": "status=new"});
        let saved_view = make("/saved-views", view).await;
        let form = json!({
            "user_id": owner.id, "delegate_id": company.inner.id, "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2999-01-01T00:00:00Z", "reason": word,
        });
        let delegation = make("/delegations", form).await;
        Self {
            lead,
            customer,
            contact: person,
            activity,
            opportunity,
            contract,
            installment,
            invoice,
            payment,
            approval,
            amendment,
            refund,
            attachment,
            credit_note,
            customer_change,
            transfer,
            collaborator,
            target,
            saved_view,
            delegation,
        }
    }

    /// The id for a path of the specification.
    fn id(&self, path: &str) -> Option<&str> {
        Some(match collection(path) {
            "leads" => &self.lead,
            "customers" | "public-pool" => &self.customer,
            "contacts" => &self.contact,
            "activities" => &self.activity,
            "opportunities" => &self.opportunity,
            "contracts" => &self.contract,
            "invoices" => &self.invoice,
            "payments" => &self.payment,
            "approvals" => &self.approval,
            "amendments" => &self.amendment,
            "refunds" => &self.refund,
            "attachments" => &self.attachment,
            "credit-notes" => &self.credit_note,
            "customer-changes" => &self.customer_change,
            "transfers" => &self.transfer,
            "collaborators" => &self.collaborator,
            "targets" => &self.target,
            "saved-views" => &self.saved_view,
            "delegations" => &self.delegation,
            _ => return None,
        })
    }
}

/// Fails if an answer knows anything of the victim's.
#[track_caller]
fn tells_nothing(answer: &Answer, victim: &Person) {
    assert!(
        !answer.text.contains(SECRET) && !answer.text.contains(&victim.id),
        "{} tells of others: {}",
        answer.request,
        answer.text
    );
}

/// What an answer says, without what differs from request to request.
fn said(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| name != "request_id" && name != "instance");
    }
    json!([answer.status, body])
}

/// A valid body for what is done to one record.
fn body(operation: &str, company: &Company, caller: &Person) -> Value {
    match operation {
        "assign_lead" | "assign_customer" => json!({"owner_id": caller.id}),
        "disqualify_lead" => json!({"reason": "spam"}),
        "release_customer" | "terminate_contract" | "void_invoice" | "reject_payment" | "reverse_payment"
        | "reject_refund" => {
            json!({"reason": "Because"})
        }
        "advance_opportunity" => json!({"stage_id": company.stage(1)}),
        "lose_opportunity" => json!({"reason": "price"}),
        "issue_invoice" => json!({"tax_invoice_number": "T-1"}),
        "reject_request" | "comment_on_request" => json!({"comment": "No"}),
        "return_request" => json!({"comment": "No", "step": 0}),
        "add_approval_step" => json!({"user_id": company.auditor.id, "place": "after"}),
        "plan_contract" => json!({"starts_on": "2031-01-31", "months": 3}),
        "reallocate_payment" => json!({"reason": "Because"}),
        "merge_lead" | "merge_customer" => json!({"loser_id": NO_ID}),
        "move_customer_to_pool" => json!({"pool_id": company.pool}),
        _ => json!({}),
    }
}

/// Every operation of the specification on one record: its id, method and path.
async fn operations(server: &Server) -> BTreeMap<String, (Method, String)> {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(id) = operation["operationId"].as_str().filter(|_| path.contains("{id}")) {
                found.insert(id.to_owned(), (method.to_uppercase().parse().unwrap(), path.clone()));
            }
        }
    }
    found
}

async fn ids_of_others_lead_nowhere(server: Server) {
    let company = Company::found(&server).await;
    let victim = &company.rep;
    let theirs = Holdings::of(&company, victim, SECRET).await;
    let newest = async || {
        let page = company.admin.client.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
        page.body["data"][0]["sequence"].clone()
    };
    let before = newest().await;
    let mut tried = 0;
    for (operation, (method, path)) in operations(&server).await {
        let Some(id) = theirs.id(&path) else {
            assert!(OF_NO_SELLER.contains(&collection(&path)), "{path}: whose are they, and who sees them?");
            continue;
        };
        for caller in [&company.other_rep, &company.other_manager, &company.colleague] {
            let client = &caller.client;
            let call = async |id: &str| {
                let mut path = path.replace("{id}", id);
                if operation == "add_contract_attachment" {
                    path += "?file_name=a.txt";
                    let file =
                        client.root(method.clone(), &path).header("content-type", "text/plain").body("x");
                    return client.send(file).await;
                }
                let mut request = client.root(method.clone(), &path);
                if method == Method::PATCH || method == Method::DELETE {
                    request = request.header("if-match", "*");
                }
                if method == Method::PATCH || method == Method::POST {
                    request = request.json(&body(&operation, &company, caller));
                }
                client.send(request).await
            };
            let answer = call(id).await;
            tells_nothing(&answer, victim);
            // Whoever may claim may have lost a race for it: that, and nothing more, is told.
            if operation.starts_with("claim_") {
                answer.refused(409, "already_claimed");
                continue;
            }
            let answer = answer.refused(404, "not_found");
            assert_eq!(said(&answer), said(&call(NO_ID).await), "{operation} tells what exists");
            tried += 1;
        }
    }
    assert!(tried >= 280, "only {tried} calls were tried");
    assert_eq!(newest().await, before, "something was written");
    // A version that does not match would tell the one that does.
    for path in ["/leads/{id}/claim", "/public-pool/customers/{id}/claim", "/leads/{id}"] {
        let id = theirs.id(&format!("/api/v1{path}")).unwrap();
        let method = if path.ends_with("claim") { Method::POST } else { Method::DELETE };
        let client = &company.other_rep.client;
        let request = client.request(method, &path.replace("{id}", id)).header("if-match", "\"v99\"");
        let answer = client.send(request).await;
        tells_nothing(&answer, victim);
        assert!(answer.body.get("current_version").is_none(), "{}", answer.text);
    }
}

async fn ids_of_others_are_unknown_references(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let victim = &company.rep;
    let theirs = Holdings::of(&company, victim, SECRET).await;
    let caller = &company.other_rep;
    let client = &caller.client;
    let own = Holdings::of(&company, caller, "Own").await;
    let by_contract = company.active(caller, "100.00", "by_contract").await;
    let lead = json!({"name": "Own", "source": "website"});
    let qualified = client.post("/leads", lead).await.expect(201).id();
    let about = json!({"kind": "lead", "id": qualified});
    let call = json!({"about": about, "kind": "call", "subject": "Called"});
    client.post("/activities", call).await.expect(201);
    client.act(&format!("/leads/{qualified}/qualify")).await.expect(200);

    let activity = |kind: &'static str| move |id: &str| json!({"about": {"kind": kind, "id": id}, "kind": "note", "subject": "Own"});
    let contract = |id: &str| {
        json!({
            "title": "Own", "customer_id": id, "amount": money("1.00"), "collection_scheme": "by_contract",
        })
    };
    let invoice =
        |id: &str| json!({"contract_id": id, "amount": money("1.00"), "tax_rate": "0.13", "kind": "special"});
    let allocated = |contract: &str, target: &'static str| {
        let form = Company::payment(contract, "1.00");
        move |id: &str| {
            let mut form = form.clone();
            form["allocations"] = json!([{target: id, "amount": money("1.00")}]);
            form
        }
    };
    let transfer = |kind: &'static str| {
        let to = caller.id.clone();
        move |id: &str| json!({"kind": kind, "record_ids": [id], "to_user_id": to, "reason": "Own"})
    };
    let own_customer = own.customer.clone();
    let references: Vec<(String, &str, Form<'_>)> = vec![
        ("/contacts".into(), &theirs.customer, Box::new(|id| json!({"customer_id": id, "name": "Own"}))),
        ("/activities".into(), &theirs.lead, Box::new(activity("lead"))),
        ("/activities".into(), &theirs.customer, Box::new(activity("customer"))),
        ("/activities".into(), &theirs.contact, Box::new(activity("contact"))),
        ("/activities".into(), &theirs.opportunity, Box::new(activity("opportunity"))),
        ("/activities".into(), &theirs.contract, Box::new(activity("contract"))),
        ("/opportunities".into(), &theirs.customer, Box::new(|id| json!({"customer_id": id, "name": "Own"}))),
        (
            "/opportunities".into(),
            &theirs.contact,
            Box::new(|id| json!({"customer_id": own_customer, "name": "Own", "primary_contact_id": id})),
        ),
        ("/contracts".into(), &theirs.customer, Box::new(contract)),
        ("/invoices".into(), &theirs.contract, Box::new(invoice)),
        ("/payments".into(), &theirs.contract, Box::new(|id| Company::payment(id, "1.00"))),
        ("/payments".into(), &theirs.invoice, Box::new(allocated(&own.contract, "invoice_id"))),
        ("/payments".into(), &theirs.installment, Box::new(allocated(&by_contract, "installment_id"))),
        (format!("/leads/{qualified}/convert"), &theirs.customer, Box::new(|id| json!({"customer_id": id}))),
        (format!("/leads/{}/merge", own.lead), &theirs.lead, Box::new(|id| json!({"loser_id": id}))),
        (
            "/contracts".into(),
            &theirs.contract,
            Box::new(|id| {
                json!({
                    "title": "Own", "customer_id": own_customer, "amount": money("1.00"),
                    "collection_scheme": "by_contract", "renewal_of_id": id,
                })
            }),
        ),
        (
            "/amendments".into(),
            &theirs.contract,
            Box::new(|id| json!({"contract_id": id, "reason": "Own", "ends_on": "2031-12-31"})),
        ),
        (
            "/collaborators".into(),
            &theirs.customer,
            Box::new(|id| json!({"customer_id": id, "user_id": caller.id, "access": "read"})),
        ),
        ("/transfers".into(), &theirs.customer, Box::new(transfer("customers"))),
        ("/transfers".into(), &theirs.opportunity, Box::new(transfer("opportunities"))),
        ("/transfers".into(), &theirs.contract, Box::new(transfer("contracts"))),
        (
            "/customer-changes".into(),
            &theirs.customer,
            Box::new(|id| json!({"customer_id": id, "changes": {"note": "Own"}})),
        ),
        (
            "/price-quotes".into(),
            &theirs.customer,
            Box::new(|id| {
                let lines = json!([{"product_id": NO_ID, "quantity": "1"}]);
                json!({"currency": "CNY", "customer_id": id, "lines": lines})
            }),
        ),
    ];
    for (path, id, form) in &references {
        let answer = client.post(path, form(id)).await;
        tells_nothing(&answer, victim);
        let answer = answer.refused(422, "unknown_reference");
        assert_eq!(said(&answer), said(&client.post(path, form(NO_ID)).await), "{path} tells what exists");
    }

    // What only those may who lead others.
    let manager = &company.other_manager.client;
    let merged = company.customer(caller).await;
    let shared = |id: &str| json!({"customer_ids": [id], "members": [{"user_id": caller.id}], "strategy": "round_robin"});
    let converted: [(String, Form<'_>); 2] = [
        (format!("/customers/{merged}/merge"), Box::new(|id| json!({"loser_id": id}))),
        ("/public-pool/distributions".to_owned(), Box::new(shared)),
    ];
    for (path, form) in &converted {
        let answer = manager.post(path, form(&theirs.customer)).await;
        tells_nothing(&answer, victim);
        let answer = answer.refused(422, "unknown_reference");
        assert_eq!(said(&answer), said(&manager.post(path, form(NO_ID)).await), "{path} tells what exists");
    }

    // What a record belongs to cannot be changed, and its contact must be its customer's.
    for (path, member, id) in [
        (format!("/contacts/{}", own.contact), "customer_id", &theirs.customer),
        (format!("/opportunities/{}", own.opportunity), "customer_id", &theirs.customer),
        (format!("/opportunities/{}", own.opportunity), "primary_contact_id", &theirs.contact),
        (
            format!("/invoices/{}", company.invoice_draft(caller, &own.contract, "1.00").await),
            "contract_id",
            &theirs.contract,
        ),
        (
            format!("/contracts/{}", company.draft(caller, "1.00", "by_contract").await),
            "customer_id",
            &theirs.customer,
        ),
        (
            format!("/contracts/{}", company.draft(caller, "1.00", "by_contract").await),
            "renewal_of_id",
            &theirs.contract,
        ),
        (format!("/payments/{}", own.payment), "contract_id", &theirs.contract),
    ] {
        let before = client.get(&path).await.expect(200).body;
        let answer = client.patch(&path, json!({member: id})).await;
        tells_nothing(&answer, victim);
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        let unknown = client.patch(&path, json!({member: NO_ID})).await;
        assert_eq!(said(&answer), said(&unknown), "{path} tells what exists");
        assert_eq!(client.get(&path).await.expect(200).body, before);
    }
    let moved = json!({"about": {"kind": "customer", "id": theirs.customer}});
    client.patch(&format!("/activities/{}", own.activity), moved).await.expect(422);
}

/// The members of bodies that name a record of some seller. An id of others is tried in each: above as a reference that
/// is not known, below in bulk and in searches. What only finance may ask names records that all of finance sees; an installment of an
/// amendment, and a stage of a pipeline, are looked for within what was named before.
const REFERENCES: &str = "
    bulk_customers: id
    bulk_leads: id
    bulk_payments: id
    bulk_receipts: contract_id id payment_id
    convert_lead: customer_id
    create_activity: id
    create_collaborator: customer_id
    create_contact: customer_id
    create_contract: customer_id renewal_of_id
    create_invoice: contract_id
    create_opportunity: customer_id primary_contact_id
    create_pipeline: id
    distribute_pool_customers: customer_ids
    issue_credit_note: invoice_id
    match_receipt: contract_id installment_id invoice_id payment_id
    merge_customer: loser_id
    merge_lead: loser_id
    quote_prices: customer_id
    reallocate_payment: installment_id invoice_id
    record_payment: contract_id installment_id invoice_id
    record_refund: payment_id
    request_amendment: contract_id id
    request_customer_change: customer_id
    request_transfer: record_ids
    search_contracts: customer_id opportunity_id renewal_of_id
    search_invoices: contract_id customer_id
    search_leads: converted_customer_id
    search_opportunities: customer_id
    search_payments: contract_id customer_id
    update_activity: id
    update_collaborator: customer_id
    update_contact: customer_id
    update_contract: customer_id renewal_of_id
    update_invoice: contract_id
    update_opportunity: customer_id primary_contact_id
    update_payment: contract_id
    update_pipeline: id
";

/// Members that name what is no seller's: users, teams, pools, pipelines, products.
const OF_THE_ORGANISATION: [&str; 16] = [
    "delegate_id",
    "manager_ids",
    "member_ids",
    "member_team_ids",
    "owner_id",
    "parent_id",
    "pipeline_id",
    "pool_id",
    "previous_owner_id",
    "product_id",
    "shared_with_team_id",
    "stage_id",
    "successor_id",
    "team_id",
    "to_user_id",
    "user_id",
];

/// The members of a form, however deep, that are ids of records.
fn references(document: &Value, schema: &Value, depth: usize, found: &mut BTreeSet<String>) {
    let schema = resolved(document, schema);
    if depth == 0 {
        return;
    }
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|part| schema[part].as_array()).flatten();
    for part in parts.chain(schema.get("items")) {
        references(document, part, depth - 1, found);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let named = name == "id" || name.ends_with("_id") || name.ends_with("_ids");
        if named && !OF_THE_ORGANISATION.contains(&name.as_str()) {
            found.insert(name.clone());
        }
        references(document, member, depth - 1, found);
    }
}

/// A form that names records in a new way fails here until somebody has tried it with an id of others.
async fn every_reference_is_tried(server: Server) {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut lines = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let mut found = BTreeSet::new();
            for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                references(&document, &content["schema"], 8, &mut found);
            }
            if !found.is_empty() {
                let members: Vec<String> = found.into_iter().collect();
                lines.insert(format!(
                    "{}: {}",
                    operation["operationId"].as_str().unwrap(),
                    members.join(" ")
                ));
            }
        }
    }
    let known: BTreeSet<String> = REFERENCES.lines().map(|line| line.trim().to_owned()).collect();
    let known: BTreeSet<String> = known.into_iter().filter(|line| !line.is_empty()).collect();
    let different: Vec<&String> = lines.symmetric_difference(&known).collect();
    assert!(different.is_empty(), "{different:?}");
}

async fn bulk_calls_reach_nothing_of_others(server: Server) {
    let company = Company::found(&server).await;
    let victim = &company.rep;
    let theirs = Holdings::of(&company, victim, SECRET).await;
    let newest = async || {
        let page = company.admin.client.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
        page.body["data"][0]["sequence"].clone()
    };
    let before = newest().await;
    for (path, action, id, more) in [
        ("/leads/bulk", "release", &theirs.lead, json!({})),
        ("/leads/bulk", "qualify", &theirs.lead, json!({})),
        ("/leads/bulk", "reopen", &theirs.lead, json!({})),
        ("/leads/bulk", "disqualify", &theirs.lead, json!({"reason": "spam"})),
        ("/leads/bulk", "assign", &theirs.lead, json!({"owner_id": company.other_rep.id})),
        ("/customers/bulk", "release", &theirs.customer, json!({"reason": "Because"})),
        ("/customers/bulk", "lock", &theirs.customer, json!({})),
        ("/customers/bulk", "unlock", &theirs.customer, json!({})),
        ("/customers/bulk", "move", &theirs.customer, json!({"pool_id": company.pool})),
        ("/customers/bulk", "assign", &theirs.customer, json!({"owner_id": company.other_rep.id})),
        ("/payments/bulk", "confirm", &theirs.payment, json!({})),
        ("/payments/bulk", "reject", &theirs.payment, json!({"reason": "Because"})),
        ("/payments/bulk", "label", &theirs.payment, json!({"labels": ["own"]})),
    ] {
        for caller in [&company.other_rep, &company.other_manager, &company.colleague] {
            let call = async |id: &str| {
                let mut item = more.clone();
                item["id"] = json!(id);
                let form = json!({"action": action, "mode": "best_effort", "items": [item]});
                let answer = caller.client.post(path, form).await.expect(200);
                tells_nothing(&answer, victim);
                assert_eq!(answer.body["items"][0]["code"], "not_found", "{path} {action}: {}", answer.text);
                let mut outcome = answer.body["items"][0].clone();
                outcome.as_object_mut().unwrap().remove("id");
                outcome
            };
            assert_eq!(call(id.as_str()).await, call(NO_ID).await, "{path} {action} tells what exists");
        }
    }
    assert_eq!(newest().await, before, "something was written");
}

/// Every list and every record that can include something, and all that it can, as much at once as it takes.
async fn including(server: &Server) -> Vec<(String, String)> {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = parameters(&document, &item["get"]);
        if let Some(include) = parameters.into_iter().find(|one| one["name"] == "include") {
            let words = resolved(&document, &include["schema"]["items"])["enum"].as_array().unwrap();
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            found.extend(words.chunks(5).map(|some| (path.clone(), some.join(","))));
        }
    }
    found
}

async fn nothing_of_others_shows_in_lists(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let victim = &company.rep;
    let theirs = Holdings::of(&company, victim, SECRET).await;
    let own = Holdings::of(&company, &company.other_rep, "Own").await;
    let (records, including): (Vec<_>, Vec<_>) =
        including(&server).await.into_iter().partition(|(path, _)| path.contains("{id}"));
    for paths in [&records, &including] {
        let paths: BTreeSet<&String> = paths.iter().map(|(path, _)| path).collect();
        assert!(paths.len() >= 15, "only {paths:?} include anything");
    }
    for caller in [&company.other_rep, &company.other_manager, &company.colleague] {
        for (list, id) in [
            ("/leads?owner_id=", &victim.id),
            ("/customers?owner_id=", &victim.id),
            ("/contacts?customer_id=", &theirs.customer),
            ("/activities?customer_id=", &theirs.customer),
            ("/activities?about_id=", &theirs.customer),
            ("/activities?created_by=", &victim.id),
            ("/opportunities?customer_id=", &theirs.customer),
            ("/opportunities?owner_id=", &victim.id),
            ("/contracts?customer_id=", &theirs.customer),
            ("/contracts?owner_id=", &victim.id),
            ("/invoices?contract_id=", &theirs.contract),
            ("/invoices?customer_id=", &theirs.customer),
            ("/payments?contract_id=", &theirs.contract),
            ("/payments?owner_id=", &victim.id),
            ("/approvals?subject_id=", &theirs.contract),
            ("/approvals?requester_id=", &victim.id),
            ("/amendments?contract_id=", &theirs.contract),
            ("/credit-notes?invoice_id=", &theirs.invoice),
            ("/refunds?payment_id=", &theirs.payment),
            ("/customer-changes?customer_id=", &theirs.customer),
            ("/collaborators?customer_id=", &theirs.customer),
            ("/targets?owner_id=", &victim.id),
        ] {
            let answer = caller.client.get(&format!("{list}{id}&total=true")).await.expect(200);
            assert_eq!(answer.body["data"], json!([]), "{list} as {}", caller.email);
            assert_eq!(answer.body["page"]["total"], "0", "{list} as {}", caller.email);
        }
        for (list, member, id) in [
            ("/leads", "owner_id", &victim.id),
            ("/leads", "converted_customer_id", &theirs.customer),
            ("/customers", "owner_id", &victim.id),
            ("/opportunities", "customer_id", &theirs.customer),
            ("/contracts", "customer_id", &theirs.customer),
            ("/contracts", "opportunity_id", &theirs.opportunity),
            ("/contracts", "renewal_of_id", &theirs.contract),
            ("/invoices", "contract_id", &theirs.contract),
            ("/invoices", "customer_id", &theirs.customer),
            ("/payments", "contract_id", &theirs.contract),
            ("/payments", "customer_id", &theirs.customer),
        ] {
            let alone = json!([{"any": [{member: [id]}]}]);
            let among = json!([{"any": [{member: [id]}, {"created_at_gte": "2000-01-01T00:00:00Z"}]}]);
            let search = async |all: Value| {
                let body = json!({"all": all, "total": true, "limit": 200});
                caller.client.post(&format!("{list}/search"), body).await.expect(200)
            };
            let answer = search(alone).await;
            assert_eq!(answer.body["data"], json!([]), "{list} {member} as {}", caller.email);
            assert_eq!(answer.body["page"]["total"], "0", "{list} {member} as {}", caller.email);
            // Beside what holds of everything it finds what the list shows, and no more.
            let answer = search(among).await;
            tells_nothing(&answer, victim);
            let shown = caller.client.get(&format!("{list}?limit=200")).await.expect(200);
            assert_eq!(answer.body["data"], shown.body["data"], "{list} {member} as {}", caller.email);
        }
        for (list, include) in &including {
            let answer = caller.client.get_root(&format!("{list}?include={include}&limit=200")).await;
            if collection(list) == "webhooks" {
                answer.refused(403, "forbidden");
                continue;
            }
            tells_nothing(&answer.expect(200), victim);
        }
        for (path, include) in &records {
            let Some(id) = theirs.id(path) else { continue };
            let ask = async |id: &str| {
                let path = format!("{}?include={include}", path.replace("{id}", id));
                caller.client.get_root(&path).await
            };
            let answer = ask(id).await.refused(404, "not_found");
            tells_nothing(&answer, victim);
            assert_eq!(said(&answer), said(&ask(NO_ID).await), "{path} {include} tells what exists");
        }
        for list in
            ["/leads", "/customers", "/opportunities", "/contracts", "/invoices", "/payments", "/approvals"]
        {
            let search = caller.client.get(&format!("{list}?q={SECRET}&total=true")).await.expect(200);
            assert_eq!((&search.body["data"], &search.body["page"]["total"]), (&json!([]), &json!("0")));
        }
    }
    // Beside what is the caller's own stands nothing of others either. It is in no pool.
    for (path, include) in records.iter().filter(|(path, _)| collection(path) != "public-pool") {
        let Some(id) = own.id(path) else { continue };
        let path = format!("{}?include={include}", path.replace("{id}", id));
        tells_nothing(&company.other_rep.client.get_root(&path).await.expect(200), victim);
    }
    // The same questions find it for whoever may see it.
    let found = victim.client.get(&format!("/customers?q={SECRET}")).await.expect(200);
    assert_eq!(found.body["data"][0]["id"], json!(theirs.customer));
}

/// A contract stays with its seller when the customer goes to somebody else; the customer's data does not.
async fn what_is_included_is_judged_by_itself(server: Server) {
    let company = Company::found(&server).await;
    let seller = &company.other_rep.client;
    let contract = company.draft(&company.other_rep, "100.00", "by_contract").await;
    let customer = seller.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let included = seller.get("/contracts?include=customer").await.expect(200);
    assert_eq!(included.body["data"][0]["customer"]["id"], json!(customer));
    let assign = json!({"owner_id": company.rep.id});
    company.director.client.post(&format!("/customers/{customer}/assign"), assign).await.expect(200);
    let form = json!({"name": SECRET, "tax_profiles": [{"invoice_title": SECRET, "account": SECRET}]});
    company.rep.client.patch(&format!("/customers/{customer}"), form).await.expect(200);

    seller.get(&format!("/customers/{customer}")).await.refused(404, "not_found");
    let list = seller.get("/contracts?include=customer,owner").await.expect(200);
    assert_eq!(list.body["data"][0]["id"], json!(contract));
    assert!(list.body["data"][0]["customer"].is_null());
    let alone = seller.get(&format!("/contracts/{contract}?include=customer.owner,owner")).await.expect(200);
    assert_eq!(alone.body.get("customer"), Some(&Value::Null));
    let billing = seller.get(&format!("/contracts/{contract}/billing")).await.expect(200);
    assert!(billing.body["customer"].is_null() && billing.body["tax_profiles"] == json!([]));
    for answer in [&list, &alone, &billing] {
        tells_nothing(answer, &company.rep);
    }
}

async fn idempotency_keys_of_others_are_other_keys(server: Server) {
    let company = Company::found(&server).await;
    let form = json!({"name": SECRET, "source": "website"});
    let theirs = company.rep.client.post_once("/leads", "the-same-key", form.clone()).await.expect(201);
    for caller in [&company.other_rep, &company.manager, &company.admin] {
        let own = caller.client.post_once("/leads", "the-same-key", form.clone()).await.expect(201);
        assert_eq!(own.header("idempotent-replayed"), "");
        assert_ne!(own.id(), theirs.id());
        let other = json!({"name": "Another", "source": "website"});
        caller.client.post_once("/leads", "the-same-key", other).await.refused(422, "idempotency_key_reused");
    }
    // To whoever made it, the answer comes again.
    let again = company.rep.client.post_once("/leads", "the-same-key", form).await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.id(), theirs.id());
}

async fn contact_data_of_the_pool_stays_masked(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let form = json!({
        "kind": "company", "name": "Pooled", "phone": "138 0013 8000", "email": "zhang@kestrel.example",
        "address": "1 Kestrel Road", "website": "https://kestrel.example", "note": SECRET,
        "tax_profiles": [{"account": "6222 0000 1111"}],
    });
    let customer = admin.post("/customers", form).await.expect(201).id();
    let form = json!({
        "customer_id": customer, "name": "Zhang", "phone": "139 9999 8888", "email": "zhang@private.example",
        "wechat": "kestrel-zhang", "birthday": "1990-01-02", "note": SECRET, "is_primary": true,
    });
    let contact = admin.post("/contacts", form).await.expect(201).id();
    let secrets =
        ["0013", "zhang@", "Kestrel", "kestrel-zhang", "9999", "6222", "1990-01-02", "https://kestrel"];
    // Ids and instants may have the same digits by chance.
    let is_told = |text: &&str| {
        text.parse::<uuid::Uuid>().is_err() && text.parse::<chrono::DateTime<chrono::Utc>>().is_err()
    };
    let shows = |answer: &Answer| {
        answer.text.split('"').filter(is_told).any(|text| secrets.iter().any(|secret| text.contains(secret)))
    };
    let paths = [
        format!("/customers/{customer}"),
        format!("/public-pool/customers/{customer}"),
        format!("/contacts/{contact}"),
        "/customers".to_owned(),
        "/public-pool/customers".to_owned(),
        format!("/contacts?customer_id={customer}&include=customer"),
        format!("/customers/{customer}?include=owner,primary_contact"),
        format!("/public-pool/customers/{customer}?include=primary_contact"),
        format!("/contacts/{contact}?include=customer.owner"),
        "/customers?include=primary_contact".to_owned(),
        "/public-pool/customers?include=primary_contact".to_owned(),
    ];
    let masked = [&company.rep, &company.manager, &company.marketing, &company.auditor];
    for path in &paths {
        for caller in masked {
            let answer = caller.client.get(path).await.expect(200);
            assert!(!shows(&answer), "{path} as {}: {}", caller.email, answer.text);
        }
        let full = company.director.client.get(path).await.expect(200);
        assert!(shows(&full), "{path} hides what the director may see");
    }
    // What is masked cannot be asked for either: a filter would tell it bit by bit.
    let asks = |client: &Client, question: &str| {
        let (client, path) = (client.clone(), format!("/customers?{question}"));
        async move {
            let answer = client.get(&path).await;
            if answer.status == 200 { answer.body["data"].as_array().unwrap().len() } else { 0 }
        }
    };
    for question in
        ["phone=138%200013%208000", "phone_prefix=138", "email_contains=kestrel", "q=zhang@kestrel.example"]
    {
        for caller in masked {
            assert_eq!(asks(&caller.client, question).await, 0, "{question} as {}", caller.email);
        }
    }
    assert_eq!(asks(&company.director.client, "phone=138%200013%208000").await, 1);
}
