//! API3: nobody sets what is not theirs to set, however it is smuggled in.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Company, PASSWORD, Server};

on_both_databases! {
    members_that_are_not_asked_for_are_refused;
    no_operation_takes_what_nobody_sets;
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// What records have and no form takes.
fn smuggled(company: &Company) -> Vec<(&'static str, Value)> {
    let id = json!(company.other_rep.id);
    let text = ["2020-01-01T00:00:00.000Z", "2020-01-01"];
    vec![
        ("id", id.clone()),
        ("version", json!(99)),
        ("status", json!("active")),
        ("owner_id", id.clone()),
        ("number", json!("CT-2020-000001")),
        ("created_by", id.clone()),
        ("created_at", json!(text[0])),
        ("updated_at", json!(text[0])),
        ("role", json!("admin")),
        ("is_admin", json!(true)),
        ("permissions", json!([])),
        ("allowed_actions", json!([])),
        ("paid", money("1.00")),
        ("invoiced", money("1.00")),
        ("received", money("1.00")),
        ("allocated", money("1.00")),
        ("invoice_committed", money("1.00")),
        ("outstanding", money("1.00")),
        ("lifecycle", json!("signed")),
        ("pooled_at", Value::Null),
        ("previous_owner_id", Value::Null),
        ("probability", json!(100)),
        ("opportunity_id", id.clone()),
        ("converted_customer_id", id.clone()),
        ("confirmed_by", id),
        ("confirmed_at", json!(text[0])),
        ("issued_on_behalf", json!(text[1])),
        ("built_in", json!(true)),
        ("password_hash", json!("x")),
        ("__proto__", json!({"admin": true})),
    ]
}

async fn members_that_are_not_asked_for_are_refused(server: Server) {
    let company = Company::found(&server).await;
    let (rep, admin) = (&company.rep, &company.admin);
    let customer = company.customer(rep).await;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let draft = company.draft(rep, "100.00", "by_contract").await;
    let invoice = company.invoice_draft(rep, &contract, "10.00").await;
    let make = async |path: &str, form: Value| rep.client.post(path, form).await.expect(201).id();
    let lead_form = json!({"name": "Lead", "source": "website"});
    let person_form = json!({"customer_id": customer, "name": "Zhang"});
    let activity_form =
        json!({"about": {"kind": "customer", "id": customer}, "kind": "call", "subject": "Called"});
    let opportunity_form = json!({"name": "Opportunity", "customer_id": customer});
    let payment_form = Company::payment(&contract, "1.00");
    let lead = make("/leads", lead_form.clone()).await;
    let person = make("/contacts", person_form.clone()).await;
    let activity = make("/activities", activity_form.clone()).await;
    let opportunity = make("/opportunities", opportunity_form.clone()).await;
    let payment = make("/payments", payment_form).await;
    let role_form = json!({"key": "helper", "name": "Helper", "grants": []});
    let role = admin.client.post("/roles", role_form).await.expect(201).id();
    let team = admin.client.post("/teams", json!({"name": "Team"})).await.expect(201).id();
    let contract_form = json!({
        "title": "Delivery", "customer_id": customer, "amount": money("1.00"),
        "collection_scheme": "by_contract",
    });
    let invoice_form =
        json!({"contract_id": contract, "amount": money("1.00"), "tax_rate": "0.13", "kind": "special"});
    let user_form = json!({
        "email": "new@example.com", "display_name": "New", "roles": ["sales_rep"], "password": PASSWORD,
    });
    let stages = json!([
        {"name": "Talk", "probability": 10, "kind": "open"},
        {"name": "Won", "probability": 100, "kind": "won"},
        {"name": "Lost", "probability": 0, "kind": "lost"},
    ]);
    let pipeline_form = json!({"name": "Another", "stages": stages});
    let pipeline = company.pipeline["id"].as_str().unwrap();
    let approval = {
        rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
        company.pending(&draft).await
    };
    let draft = company.draft(rep, "100.00", "by_contract").await;

    let creates = [
        (rep, "/leads", lead_form),
        (rep, "/customers", json!({"kind": "company", "name": "Customer"})),
        (rep, "/contacts", person_form),
        (rep, "/activities", activity_form),
        (rep, "/opportunities", opportunity_form),
        (rep, "/contracts", contract_form),
        (rep, "/invoices", invoice_form),
        (rep, "/payments", Company::payment(&contract, "1.00")),
        (admin, "/users", user_form),
        (admin, "/teams", json!({"name": "Another team"})),
        (admin, "/roles", json!({"key": "another", "name": "Another", "grants": []})),
        (admin, "/pipelines", pipeline_form),
    ];
    let patches = [
        (rep, format!("/leads/{lead}"), json!({"note": "x"})),
        (rep, format!("/customers/{customer}"), json!({"note": "x"})),
        (rep, format!("/contacts/{person}"), json!({"note": "x"})),
        (rep, format!("/activities/{activity}"), json!({"content": "x"})),
        (rep, format!("/opportunities/{opportunity}"), json!({"note": "x"})),
        (rep, format!("/contracts/{draft}"), json!({"terms": "x"})),
        (rep, format!("/invoices/{invoice}"), json!({"note": "x"})),
        (rep, format!("/payments/{payment}"), json!({"note": "x"})),
        (admin, format!("/users/{}", rep.id), json!({"display_name": "x"})),
        (admin, format!("/teams/{team}"), json!({"name": "x"})),
        (admin, format!("/roles/{role}"), json!({"name": "x"})),
        (admin, format!("/pipelines/{pipeline}"), json!({"name": "x"})),
    ];
    let stage = company.stage(1);
    let acts = [
        (rep, format!("/leads/{lead}/disqualify"), json!({"reason": "spam"})),
        (rep, format!("/leads/{lead}/release"), json!({})),
        (rep, format!("/customers/{customer}/release"), json!({"reason": "x"})),
        (rep, format!("/opportunities/{opportunity}/advance"), json!({"stage_id": stage})),
        (rep, format!("/opportunities/{opportunity}/lose"), json!({"reason": "price"})),
        (rep, format!("/contracts/{draft}/submit"), json!({})),
        (rep, format!("/contracts/{draft}/cancel"), json!({})),
        (rep, format!("/invoices/{invoice}/submit"), json!({})),
        (&company.finance, format!("/payments/{payment}/confirm"), json!({})),
        (&company.finance, format!("/payments/{payment}/reject"), json!({"reason": "x"})),
        (&company.director, format!("/approvals/{approval}/approve"), json!({})),
        (&company.director, format!("/approvals/{approval}/reject"), json!({"comment": "x"})),
        (admin, format!("/users/{}/set-password", rep.id), json!({"password": PASSWORD})),
        (admin, format!("/users/{}/disable", rep.id), json!({})),
        (
            rep,
            "/me/change-password".to_owned(),
            json!({"current_password": PASSWORD, "new_password": PASSWORD}),
        ),
    ];
    let calls = creates
        .into_iter()
        .map(|(caller, path, form)| (caller, Method::POST, path.to_owned(), form))
        .chain(patches.into_iter().map(|(caller, path, form)| (caller, Method::PATCH, path, form)))
        .chain(acts.into_iter().map(|(caller, path, form)| (caller, Method::POST, path, form)));

    let newest = async || {
        let page = company.admin.client.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
        page.body["data"][0]["sequence"].clone()
    };
    let before = newest().await;
    let mut wrong = Vec::new();
    for (caller, method, path, form) in calls {
        for (member, value) in smuggled(&company) {
            // In a patch, `null` would clear it.
            let values = if method == Method::PATCH { vec![value, Value::Null] } else { vec![value] };
            for value in values {
                let mut form = form.clone();
                form[member] = value;
                let request = caller.client.request(method.clone(), &path).header("if-match", "*");
                let answer = caller.client.send(request.json(&form)).await;
                if answer.status != 400 || answer.body["code"] != "malformed_request" {
                    wrong.push(format!("{method} {path} with {member}: {} {}", answer.status, answer.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(newest().await, before, "something was written");
    // Nor does it come in another way: deeper in the form, or in the query.
    let mut deep = json!({"name": "Another", "stages": stages});
    deep["stages"][0]["created_by"] = json!(company.rep.id);
    admin.client.post("/pipelines", deep).await.refused(400, "malformed_request");
    let form = json!({"name": "Lead", "source": "website"});
    rep.client.post("/leads?owner_id=x", form).await.refused(400, "malformed_request");
    assert_eq!(newest().await, before, "something was written");
}

/// What only Fairlead sets, and members by which others let themselves be promoted.
fn never_set(company: &Company) -> [(&'static str, Value); 7] {
    [
        ("id", json!(company.rep.id)),
        ("version", json!(99)),
        ("status", json!("active")),
        ("owner_id", json!(company.rep.id)),
        ("number", json!("CT-2020-000001")),
        ("paid", money("1.00")),
        ("role", json!("admin")),
    ]
}

/// Operations that ask for a member of that name.
const ASKED: [(&str, &str); 4] = [
    ("assign_lead", "owner_id"),
    ("assign_customer", "owner_id"),
    ("create_target", "owner_id"),
    ("update_target", "owner_id"),
];

/// What the other test changes.
const CHANGED_ABOVE: [&str; 12] = [
    "activities",
    "contacts",
    "contracts",
    "customers",
    "invoices",
    "leads",
    "opportunities",
    "payments",
    "pipelines",
    "roles",
    "teams",
    "users",
];

/// One of each kind of record that it does not change.
async fn others(company: &Company) -> Vec<(&'static str, String)> {
    let admin = &company.admin.client;
    let customer = company.customer(&company.rep).await;
    let flows = admin.get("/approval-flows").await.expect(200).body;
    let mut made = vec![
        ("approval-flows", flows["data"][0]["id"].as_str().unwrap().to_owned()),
        ("settings", String::new()),
    ];
    for (collection, form) in [
        ("public-pools", json!({"name": "Another pool"})),
        (
            "collaborators",
            json!({"customer_id": customer, "user_id": company.other_manager.id, "access": "read"}),
        ),
        (
            "targets",
            json!({
                "owner_id": company.rep.id, "month": "2031-01", "measure": "signed", "amount": money("100.00"),
            }),
        ),
        ("saved-views", json!({"resource": "leads", "name": "New ones", "query": "status=new"})),
        ("lead-forms", json!({"name": "Form", "fields": ["phone"]})),
        (
            "webhooks",
            json!({"name": "Nowhere", "url": "https://receiver.invalid/", "events": ["contact.merged"]}),
        ),
        ("scoring-rules", json!({"name": "Rule", "field": "phone", "operator": "present", "points": 10})),
        (
            "assignment-rules",
            json!({"name": "Rule", "position": 1, "regions": ["Nowhere"], "user_id": company.colleague.id}),
        ),
        ("products", json!({"code": "P-1", "name": "Pump", "tax_rate": "0.13"})),
        ("price-lists", json!({"name": "List", "currency": "CNY", "valid_from": "2026-01-01", "prices": []})),
        (
            "delegations",
            json!({
                "user_id": company.rep.id, "delegate_id": company.inner.id, "starts_at": "2026-01-01T00:00:00Z",
                "ends_at": "2999-01-01T00:00:00Z",
            }),
        ),
    ] {
        made.push((collection, admin.post(&format!("/{collection}"), form).await.expect(201).id()));
    }
    made
}

/// Where a form has objects within it.
fn within(form: &Value, at: &str) -> Vec<String> {
    let parts: Vec<(String, &Value)> = match form {
        Value::Object(members) => members.iter().map(|(name, part)| (format!("{at}/{name}"), part)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(place, part)| (format!("{at}/{place}"), part)).collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (at, part) in parts {
        found.extend(within(part, &at));
        if part.is_object() {
            found.push(at);
        }
    }
    found
}

/// Every operation of the specification that takes a body, or could be sent one. Its own example is what is right but for
/// the member that is put in.
async fn no_operation_takes_what_nobody_sets(server: Server) {
    const JSON: [&str; 2] = ["application/json", "application/merge-patch+json"];
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let others = others(&company).await;
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let newest = async || {
        let page = admin.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
        page.body["data"][0]["sequence"].clone()
    };
    let before = newest().await;
    let (mut tried, mut wrong) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let id = operation["operationId"].as_str().unwrap();
            let content = &operation["requestBody"]["content"];
            let form = JSON.iter().find_map(|kind| content.get(kind)).map(|json| json["example"].clone());
            // Files are no forms, and reading and deleting take none.
            if !matches!(method, Method::POST | Method::PATCH) || (form.is_none() && content.is_object()) {
                continue;
            }
            let collection = path.split('/').nth(3).unwrap_or_default();
            let record = if method == Method::POST {
                "01900000-0000-7000-8000-000000000000"
            } else if CHANGED_ABOVE.contains(&collection) {
                continue;
            } else {
                let made = others.iter().find(|(name, _)| *name == collection);
                made.unwrap_or_else(|| panic!("{id}: nobody has tried it")).1.as_str()
            };
            let path = path.replace("{id}", record).replace("{form}", &"0".repeat(32));
            let form = form.unwrap_or_else(|| json!({}));
            assert!(form.is_object(), "{id} has no example");
            let mut forms = Vec::new();
            for (member, value) in never_set(&company) {
                // In a patch, `null` would clear it.
                for value in [value, Value::Null] {
                    let mut form = form.clone();
                    form[member] = value;
                    if !ASKED.contains(&(id, member)) {
                        forms.push((member.to_owned(), form));
                    }
                }
            }
            // What a change of a customer says is judged once the customer is known: `approvals` looks at it.
            for at in within(&form, "").into_iter().filter(|at| at != "/changes") {
                let mut form = form.clone();
                form.pointer_mut(&at).unwrap()["owner_of_all"] = json!(true);
                forms.push((at, form));
            }
            for (what, form) in forms {
                let request = admin.root(method.clone(), &path).header("if-match", "*").json(&form);
                let answer = admin.send(request).await;
                if answer.status != 400 || answer.body["code"] != "malformed_request" {
                    wrong.push(format!("{id} with {what}: {} {}", answer.status, answer.text));
                }
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 90, "only {tried} operations were tried");
    assert_eq!(newest().await, before, "something was written");
}
