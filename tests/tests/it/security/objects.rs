//! API1: an id of somebody else's record is good for nothing, wherever it is used.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Person, Server};

on_both_databases! {
    ids_of_others_lead_nowhere;
    ids_of_others_are_unknown_references;
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
        let paid = company.paid(owner, &contract, "5.00").await;
        let form = json!({
            "payment_id": paid, "amount": money("1.00"), "refunded_on": "2026-02-01", "method": "cash", "reason": word,
        });
        let refund = company.finance.client.post("/refunds", form).await.expect(201).id();
        let form = json!({"contract_id": contract, "reason": word, "ends_on": "2031-12-31"});
        let amendment = make("/amendments", form).await;
        let billing = client.get(&format!("/contracts/{contract}/billing")).await.expect(200);
        let installment = billing.body["installments"][0]["id"].as_str().unwrap().to_owned();
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
        }
    }

    /// The id for a path of the specification.
    fn id(&self, path: &str) -> Option<&str> {
        let collection = path.strip_prefix("/api/v1/")?.split('/').next()?;
        Some(match collection {
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
        let Some(id) = theirs.id(&path) else { continue };
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
    assert!(tried >= 120, "only {tried} calls were tried");
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
    ];
    for (path, id, form) in &references {
        let answer = client.post(path, form(id)).await;
        tells_nothing(&answer, victim);
        let answer = answer.refused(422, "unknown_reference");
        assert_eq!(said(&answer), said(&client.post(path, form(NO_ID)).await), "{path} tells what exists");
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

async fn nothing_of_others_shows_in_lists(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let victim = &company.rep;
    let theirs = Holdings::of(&company, victim, SECRET).await;
    Holdings::of(&company, &company.other_rep, "Own").await;
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
        ] {
            let answer = caller.client.get(&format!("{list}{id}&total=true")).await.expect(200);
            assert_eq!(answer.body["data"], json!([]), "{list} as {}", caller.email);
            assert_eq!(answer.body["page"]["total"], "0", "{list} as {}", caller.email);
        }
        for (list, include) in [
            ("/leads", "owner"),
            ("/customers", "owner"),
            ("/contacts", "customer"),
            ("/activities", "customer"),
            ("/opportunities", "owner,customer,contract"),
            ("/contracts", "owner,customer"),
            ("/invoices", "owner,customer,contract"),
            ("/payments", "owner,customer,contract"),
            ("/approvals", "owner,customer"),
        ] {
            let answer = caller.client.get(&format!("{list}?include={include}&limit=200")).await.expect(200);
            tells_nothing(&answer, victim);
            if !matches!(list, "/activities" | "/contacts") {
                let search = caller.client.get(&format!("{list}?q={SECRET}&total=true")).await.expect(200);
                assert_eq!((&search.body["data"], &search.body["page"]["total"]), (&json!([]), &json!("0")));
            }
        }
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
    let billing = seller.get(&format!("/contracts/{contract}/billing")).await.expect(200);
    assert!(billing.body["customer"].is_null() && billing.body["tax_profiles"] == json!([]));
    for answer in [&list, &billing] {
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
        "wechat": "kestrel-zhang", "birthday": "1990-01-02", "note": SECRET,
    });
    let contact = admin.post("/contacts", form).await.expect(201).id();
    let secrets =
        ["0013", "zhang@", "Kestrel", "kestrel-zhang", "9999", "6222", "1990-01-02", "https://kestrel"];
    let shows = |answer: &Answer| secrets.iter().any(|secret| answer.text.contains(secret));
    let paths = [
        format!("/customers/{customer}"),
        format!("/public-pool/customers/{customer}"),
        format!("/contacts/{contact}"),
        "/customers".to_owned(),
        "/public-pool/customers".to_owned(),
        format!("/contacts?customer_id={customer}&include=customer"),
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
