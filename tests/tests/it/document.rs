//! The specification: committed, true, and the same thing as the router.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Company, Server, until};

on_both_databases! {
    the_served_document_is_the_committed_one;
    every_operation_is_routed_and_described;
    no_method_is_routed_that_is_not_described;
    answers_are_as_described;
    problems_are_as_described;
    examples_can_be_sent_to_a_demo;
}

const UNKNOWN_ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn committed(format: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../openapi/fairlead.v1.{format}"));
    std::fs::read_to_string(path).expect("the committed document can be read")
}

async fn the_served_document_is_the_committed_one(server: Server) {
    for format in ["json", "yaml"] {
        let printed = server.command(&["openapi", "--format", format]).output().await.unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert!(
            printed.trim_end() == committed(format).trim_end(),
            "openapi/fairlead.v1.{format} is out of date: run `cargo xtask openapi` and commit it"
        );
    }
    let answer = server.anonymous().get_root("/openapi.json").await.expect(200);
    assert_eq!(answer.body, serde_json::from_str::<Value>(&committed("json")).unwrap());
    let answer = server.anonymous().get_root("/openapi.yaml").await.expect(200);
    assert!(answer.text.trim_end() == committed("yaml").trim_end(), "another YAML is served than printed");
}

/// Every operation of the document: method, path, and itself.
fn operations(document: &Value) -> Vec<(Method, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Ok(method) = method.to_uppercase().parse::<Method>()
                && operation.get("operationId").is_some()
            {
                found.push((method, path.clone(), operation));
            }
        }
    }
    found
}

async fn every_operation_is_routed_and_described(server: Server) {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let client = server.anonymous();
    let (mut ids, mut wrong) = (BTreeSet::new(), Vec::new());
    let operations = operations(&document);
    assert!(operations.len() > 100);
    for (method, path, operation) in &operations {
        let what = format!("{method} {path}");
        if !ids.insert(operation["operationId"].as_str().unwrap()) {
            wrong.push(format!("{what}: its operationId is taken"));
        }
        for member in ["summary", "description", "tags", "security", "responses"] {
            if operation[member].is_null() {
                wrong.push(format!("{what}: without {member}"));
            }
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let problem = response.to_string().contains("#/components/schemas/Problem");
            let refers = response.get("$ref").is_some();
            if status.starts_with(['4', '5']) && !problem && !refers && status != "503" {
                wrong.push(format!("{what}: {status} is no problem document"));
            }
        }
        let concrete = path.replace("{id}", UNKNOWN_ID).replace("{code}", "not_found");
        let answer = client.send(client.root(method.clone(), &concrete)).await;
        let unknown =
            answer.status == 404 && answer.body["detail"].as_str().is_some_and(|why| why.contains("path"));
        if answer.status == 405 || answer.status >= 500 || unknown {
            wrong.push(format!("{what}: answers {} {}", answer.status, answer.text));
        }
    }
    for target in references(&document) {
        if target.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).is_none() {
            wrong.push(format!("{target} leads nowhere"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that is referred to.
fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match (name.as_str(), member.as_str()) {
                ("$ref", Some(target)) => BTreeSet::from([target.to_owned()]),
                _ => references(member),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

async fn no_method_is_routed_that_is_not_described(server: Server) {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let client = server.anonymous();
    for (path, item) in document["paths"].as_object().unwrap() {
        let mut described: BTreeSet<String> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        described.insert("OPTIONS".to_owned());
        if described.contains("GET") {
            described.insert("HEAD".to_owned());
        }
        let concrete = path.replace("{id}", UNKNOWN_ID).replace("{code}", "not_found");
        let answer = client.send(client.root(Method::PUT, &concrete)).await;
        let answer = answer.refused(405, "method_not_allowed");
        let allowed: BTreeSet<String> = answer.header("allow").split(", ").map(str::to_owned).collect();
        assert_eq!(allowed, described, "{path}");
        for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::TRACE] {
            let answer = client.send(client.root(method.clone(), &concrete)).await;
            assert_eq!(
                answer.status == 405,
                !described.contains(method.as_str()),
                "{method} {path}: {}",
                answer.text
            );
        }
    }
}

/// What a reference leads to, or the thing itself.
fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(target) => {
            let pointer = target.strip_prefix('#').expect("a reference within the document");
            resolve(document, document.pointer(pointer).unwrap_or_else(|| panic!("{target} leads nowhere")))
        }
        None => part,
    }
}

/// The properties that a schema knows, its parts' among them.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    let schema = resolve(document, schema);
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let parts = schema["allOf"].as_array().into_iter().flatten();
    own.chain(parts.flat_map(|part| properties(document, part))).collect()
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such type: {other}"),
    }
}

fn has_format(text: &str, format: &str) -> bool {
    let shaped = |shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                like => byte == like,
            })
    };
    match format {
        "uuid" => shaped("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
        "date" => shaped("0000-00-00"),
        "date-time" => shaped("0000-00-00T00:00:00.000Z"),
        "email" => text.contains('@'),
        _ => true,
    }
}

/// Where a value is not as its schema says. A member that the schema does not name is a fault too, whether or
/// not JSON Schema would mind: a client that was generated from the document would never see it.
fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    let mut wrong = Vec::new();
    let mut fault = |holds: bool, rule: &str| {
        if !holds {
            wrong.push(format!("{at}: {rule} {} does not hold for {value}", schema[rule]));
        }
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    fault(types.is_empty() || types.iter().any(|name| is_of_type(value, name)), "type");
    if let Some(allowed) = schema["enum"].as_array() {
        fault(allowed.contains(value), "enum");
    }
    let limit = |rule: &str| schema[rule].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if let Some(text) = value.as_str() {
        let length = text.chars().count();
        fault(limit("minLength").is_none_or(|limit| length >= limit), "minLength");
        fault(limit("maxLength").is_none_or(|limit| length <= limit), "maxLength");
        fault(schema["format"].as_str().is_none_or(|format| has_format(text, format)), "format");
    }
    if let Some(number) = value.as_i64() {
        fault(schema["minimum"].as_i64().is_none_or(|limit| number >= limit), "minimum");
        fault(schema["maximum"].as_i64().is_none_or(|limit| number <= limit), "maximum");
    }
    let matching = |rule: &str| {
        let parts = schema[rule].as_array()?;
        Some(parts.iter().filter(|part| faults(document, part, value, at).is_empty()).count())
    };
    fault(matching("oneOf").is_none_or(|matching| matching == 1), "oneOf");
    fault(matching("anyOf").is_none_or(|matching| matching > 0), "anyOf");
    if let Some(items) = value.as_array() {
        fault(limit("minItems").is_none_or(|limit| items.len() >= limit), "minItems");
        fault(limit("maxItems").is_none_or(|limit| items.len() <= limit), "maxItems");
        for (index, item) in items.iter().enumerate().filter(|_| schema.get("items").is_some()) {
            wrong.extend(faults(document, &schema["items"], item, &format!("{at}/{index}")));
        }
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                wrong.push(format!("{at}: {name} is missing"));
            }
        }
        let known = properties(document, schema);
        let open = schema.get("additionalProperties").is_some_and(|more| more != false)
            || (known.is_empty() && schema.get("oneOf").is_none());
        for (name, member) in members {
            if let Some(described) = schema["properties"].get(name) {
                wrong.extend(faults(document, described, member, &format!("{at}/{name}")));
            } else if let Some(others) = schema.get("additionalProperties").filter(|more| more.is_object()) {
                wrong.extend(faults(document, others, member, &format!("{at}/{name}")));
            } else if !open && !known.contains(name.as_str()) && schema.get("oneOf").is_none() {
                wrong.push(format!("{at}: {name} is not described"));
            }
        }
    }
    wrong
}

/// Holds an answer against what its operation says about answers of its status.
fn compare(document: &Value, id: &str, answer: &Answer) -> Vec<String> {
    let operations = operations(document);
    let found = operations.iter().find(|(_, _, operation)| operation["operationId"] == id);
    let (_, _, operation) = found.unwrap_or_else(|| panic!("{id} is not in the document"));
    let Some(response) = operation["responses"].get(answer.status.to_string()) else {
        return vec![format!("{id} does not say that it may answer {} {}", answer.status, answer.text)];
    };
    let response = resolve(document, response);
    let what = format!("{id} {}", answer.status);
    let mut wrong = Vec::new();
    for (name, _) in response["headers"].as_object().into_iter().flatten() {
        // Those that depend on the request are looked at where they are tested.
        let always = ["ETag", "Location", "WWW-Authenticate", "X-Request-Id"].contains(&name.as_str());
        if always && answer.header(name).is_empty() {
            wrong.push(format!("{what}: the header {name} is missing"));
        }
    }
    let kind = answer.header("content-type");
    match response["content"].get(kind) {
        // A file is as it is.
        Some(content) if content["schema"]["format"] == "binary" => {}
        Some(content) => wrong.extend(faults(document, &content["schema"], &answer.body, &what)),
        None if answer.text.is_empty() && response.get("content").is_none() => {}
        None => wrong.push(format!("{what}: {kind:?} is not described: {}", answer.text)),
    }
    wrong
}

async fn answers_are_as_described(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (rep, admin, director) = (&company.rep.client, &company.admin.client, &company.director.client);
    let mut wrong = Vec::new();
    let mut check = |id: &str, answer: Answer| {
        assert!(answer.status < 300, "{id}: {} {}", answer.status, answer.text);
        wrong.extend(compare(&document, id, &answer));
        answer
    };
    // Something of everything, in many states.
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let contract_customer =
        director.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let invoice = company.issued(&company.rep, &contract, "100.00").await;
    let payment =
        check("record_payment", rep.post("/payments", Company::payment(&contract, "40.00")).await).id();
    let finance = &company.finance.client;
    check("confirm_payment", finance.act(&format!("/payments/{payment}/confirm")).await);
    let other = company.active(&company.rep, "50.00", "by_contract").await;
    rep.post("/payments", Company::payment(&other, "20.00")).await.expect(201);
    let waiting = company.draft(&company.rep, "75.00", "by_contract").await;
    check("submit_contract", rep.act(&format!("/contracts/{waiting}/submit")).await);
    let approval = company.pending(&waiting).await;
    check(
        "reject_request",
        director.post(&format!("/approvals/{approval}/reject"), json!({"comment": "No."})).await,
    );
    company.pool_customer().await;
    let lead = json!({
        "name": "Lin Mei", "company": "Acme", "title": "CEO", "phone": "13800138000", "email": "lin@example.com",
        "source": "event", "budget": {"amount": "9.00", "currency": "CNY"}, "expected_purchase_on": "2026-03-01",
        "tags": ["vip"], "note": "Two\nlines",
    });
    let lead = check("create_lead", rep.post("/leads", lead).await).id();
    check("update_lead", rep.patch(&format!("/leads/{lead}"), json!({"title": null})).await);
    let call = json!({"about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "Hello"});
    check("create_activity", rep.post("/activities", call).await);
    check("qualify_lead", rep.act(&format!("/leads/{lead}/qualify")).await);
    let opportunity = json!({"opportunity": {"name": "Deal"}});
    check("convert_lead", rep.post(&format!("/leads/{lead}/convert"), opportunity).await);
    let customer = json!({
        "kind": "company", "name": "Acme", "grade": "A", "phone": "13800138000", "email": "a@example.com",
        "website": "https://example.com", "tax_profiles": [{"bank": "Bank"}], "registration_number": "91 A",
    });
    let customer = check("create_customer", rep.post("/customers", customer).await).id();
    let person =
        json!({"customer_id": customer, "name": "Zhang", "birthday": "1990-01-01", "is_primary": true});
    check("create_contact", rep.post("/contacts", person).await);
    check(
        "release_customer",
        rep.post(&format!("/customers/{customer}/release"), json!({"reason": "Far."})).await,
    );
    check(
        "claim_pool_customer",
        company.colleague.client.act(&format!("/public-pool/customers/{customer}/claim")).await,
    );

    let change = json!({"contract_id": contract, "reason": "Longer.", "ends_on": "2031-12-31"});
    check("request_amendment", rep.post("/amendments", change).await);
    let moved = json!({"reason": "Elsewhere."});
    check("reallocate_payment", finance.post(&format!("/payments/{payment}/reallocate"), moved).await);
    let labels =
        json!({"action": "label", "mode": "atomic", "items": [{"id": payment, "labels": ["commission"]}]});
    check("bulk_payments", finance.post("/payments/bulk", labels).await);
    let back = json!({
        "payment_id": payment, "amount": {"amount": "1.00", "currency": "CNY"}, "refunded_on": "2026-02-01",
        "method": "cash", "reason": "Late.",
    });
    check("record_refund", finance.post("/refunds", back).await);
    let credited = company.active(&company.rep, "30.00", "by_invoice").await;
    let credited = company.issued(&company.rep, &credited, "30.00").await;
    let note = json!({
        "invoice_id": credited, "amount": {"amount": "10.00", "currency": "CNY"}, "reason": "Price.",
        "tax_invoice_number": "R-1",
    });
    check("issue_credit_note", finance.post("/credit-notes", note).await);
    for by in ["customer", "owner", "team"] {
        let path = format!("/reports/receivable-aging/by-{by}");
        check(&format!("get_aging_by_{by}"), director.get(&path).await);
    }
    let change = json!({"customer_id": company.customer(&company.rep).await, "changes": {"grade": "B"}});
    check("request_customer_change", rep.post("/customer-changes", change).await);
    let target = json!({
        "owner_id": company.rep.id, "month": "2026-03", "measure": "signed",
        "amount": {"amount": "9.00", "currency": "CNY"},
    });
    let target = check("create_target", company.manager.client.post("/targets", target).await).id();
    check("get_target", rep.get(&format!("/targets/{target}")).await);
    let product = json!({"code": "P-1", "name": "Pump", "unit": "piece", "tax_rate": "0.13"});
    let product = check("create_product", admin.post("/products", product).await).id();
    let prices = json!([{"product_id": product, "unit_price": {"amount": "9.00", "currency": "CNY"}}]);
    let list = json!({"name": "List", "currency": "CNY", "valid_from": "2026-01-01", "prices": prices});
    let list = check("create_price_list", admin.post("/price-lists", list).await).id();
    check("get_product", rep.get(&format!("/products/{product}")).await);
    check("get_price_list", rep.get(&format!("/price-lists/{list}")).await);
    let wanted = json!({"currency": "CNY", "lines": [{"product_id": product, "quantity": "2"}]});
    let quote = check("quote_prices", rep.post("/price-quotes", wanted).await).body;
    let lines = json!({"amount": quote["gross"], "line_items": [quote["lines"][0]["line_item"]]});
    let sold = company.draft(&company.rep, "1.00", "by_contract").await;
    check("update_contract", rep.patch(&format!("/contracts/{sold}"), lines).await);
    let file = format!("/contracts/{sold}/attachments?file_name=a.txt");
    let file = rep.request(Method::POST, &file).header("content-type", "text/plain").body("signed");
    let file = check("add_contract_attachment", rep.send(file).await).id();
    check("get_attachment", rep.get(&format!("/attachments/{file}")).await);
    let content = format!("/attachments/{file}/content");
    check("get_attachment_content", rep.get(&content).await);
    let part = rep.request(Method::GET, &content).header("range", "bytes=0-1");
    check("get_attachment_content", rep.send(part).await);
    check("get_contract_document", rep.get(&format!("/contracts/{sold}/document")).await);
    let receipt = json!({"amount": {"amount": "9.00", "currency": "CNY"}, "received_on": "2026-02-01", "method": "cash"});
    let receipt = check("record_receipt", company.finance.client.post("/receipts", receipt).await).id();
    check(
        "get_receipt_proposals",
        company.finance.client.get(&format!("/receipts/{receipt}/proposals")).await,
    );
    let statement = json!({
        "csv": "Date,Amount\n2026-02-01,1.00\nx,1\n", "currency": "CNY", "method": "cash",
        "columns": {"received_on": "Date", "amount": "Amount"},
    });
    check("import_receipts", company.finance.client.post("/receipts/import", statement).await);
    let absent = json!({
        "user_id": company.manager.id, "delegate_id": company.director.id, "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2999-01-01T00:00:00Z",
    });
    check("create_delegation", company.manager.client.post("/delegations", absent).await);
    check("count_approvals", rep.get("/approvals/counts").await);
    let flow = check("list_approval_flows", admin.get("/approval-flows").await);
    let flow = flow.body["data"][0]["id"].as_str().unwrap().to_owned();
    let share = json!({"customer_id": contract_customer, "user_id": company.manager.id, "access": "read"});
    check("create_collaborator", rep.post("/collaborators", share).await);
    let transfer = json!({
        "kind": "customers", "record_ids": [company.customer(&company.rep).await],
        "to_user_id": company.colleague.id, "reason": "Closer by.",
    });
    let transfer = check("request_transfer", rep.post("/transfers", transfer).await).id();
    let rule = json!({"name": "Can be called", "field": "phone", "operator": "present", "points": 10});
    check("create_scoring_rule", admin.post("/scoring-rules", rule).await);
    let rule = json!({"name": "Far", "position": 1, "regions": ["Far"], "user_id": company.other_rep.id});
    check("create_assignment_rule", admin.post("/assignment-rules", rule).await);
    let webhook = json!({"name": "Nowhere", "url": "https://receiver.invalid/"});
    let webhook = check("create_webhook", admin.post("/webhooks", webhook).await).id();
    check("list_webhooks", admin.get("/webhooks").await);
    check("get_webhook", admin.get(&format!("/webhooks/{webhook}")).await);
    check("rotate_webhook_secret", admin.act(&format!("/webhooks/{webhook}/rotate-secret")).await);
    let ping = check("ping_webhook", admin.act(&format!("/webhooks/{webhook}/ping")).await).id();
    check("get_webhook_delivery", admin.get(&format!("/webhook-deliveries/{ping}")).await);
    check("list_webhook_deliveries", admin.get("/webhook-deliveries").await);
    check("redeliver_webhook_delivery", admin.act(&format!("/webhook-deliveries/{ping}/redeliver")).await);
    let form = json!({"name": "Contact us", "fields": ["phone"]});
    check("create_lead_form", admin.post("/lead-forms", form).await);
    let team = rep.get("/me").await.expect(200).body["team_id"].clone();
    for (client, team) in [(rep, team), (admin, Value::Null)] {
        let view =
            json!({"resource": "leads", "name": "Mine", "query": "status=new", "shared_with_team_id": team});
        check("create_saved_view", client.post("/saved-views", view).await);
    }
    check("update_settings", admin.patch("/settings", json!({"due_soon_days": 7})).await);
    let given = company.pool_customer().await;
    let to = json!({"owner_id": company.rep.id});
    check("assign_customer", director.post(&format!("/customers/{given}/assign"), to).await);
    let job =
        check("run_recycling", admin.post("/public-pool/recycle-runs", json!({"dry_run": true})).await).id();
    until("the job", async || {
        let job = admin.get(&format!("/jobs/{job}")).await.expect(200).body;
        (job["status"] == "finished").then_some(())
    })
    .await;
    until("a notification", async || {
        let unread = rep.get("/notifications").await.expect(200).body;
        (!unread["data"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;

    // Every list, bare and with all that can be included, its search, and every record of it by itself.
    let mut searches = 0;
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut names = parameters.map(|parameter| resolve(&document, parameter)["name"].as_str().unwrap());
        // `cursor` makes a list of what has a `limit`.
        if method != Method::GET || !names.any(|name| name == "cursor") {
            continue;
        }
        let id = operation["operationId"].as_str().unwrap();
        let includes =
            operation["parameters"].as_array().unwrap().iter().find(|one| one["name"] == "include");
        let includes = includes.map(|one| one["schema"]["items"]["enum"].clone()).unwrap_or_default();
        let includes: Vec<&str> =
            includes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let client =
            if path.contains("public-pool/") || path.contains("notifications") { rep } else { admin };
        let client = if path.ends_with("recycle-runs") { admin } else { client };
        let id_in_path = match path.split('/').nth(3) {
            Some("jobs") => &job,
            Some("contracts") => &sold,
            Some("transfers") => &transfer,
            Some("approval-flows") => &flow,
            _ => &customer,
        };
        let path = path.replace("{id}", id_in_path);
        check(id, client.get_root(&path).await);
        let whole = format!("{path}?total=true&limit=200");
        let mut page = check(id, client.get_root(&whole).await);
        // Not more than five at once.
        for some in includes.chunks(5) {
            page = check(id, client.get_root(&format!("{whole}&include={}", some.join(","))).await);
        }
        let rows = page.body["data"].as_array().unwrap();
        let search = operations(&document)
            .into_iter()
            .find(|(method, other, _)| *method == Method::POST && *other == format!("{path}/search"));
        if let Some((method, path, search)) = search {
            let body = json!({"total": true, "limit": 200, "include": includes});
            let found = client.send(client.root(method, &path).json(&body)).await;
            let found = check(search["operationId"].as_str().unwrap(), found);
            assert_eq!(found.body, page.body, "{path} answers otherwise than the list");
            searches += 1;
        }
        // A run that tries moves nothing here, so that it has no items.
        assert!(!rows.is_empty() || id == "list_job_items", "{path} has nothing to look at");
        let single = operations(&document)
            .into_iter()
            .find(|(method, other, _)| *method == Method::GET && *other == format!("{path}/{{id}}"));
        if let Some((_, _, single)) = single {
            for row in rows.iter().take(10) {
                let path = format!("{path}/{}", row["id"].as_str().unwrap());
                check(single["operationId"].as_str().unwrap(), client.get_root(&path).await);
            }
        }
    }
    assert_eq!(searches, 6);
    check("get_contract_billing", director.get(&format!("/contracts/{contract}/billing")).await);
    check("get_invoice", director.get(&format!("/invoices/{invoice}")).await);
    check("get_settings", admin.get("/settings").await);
    check("get_user_holdings", admin.get(&format!("/users/{}/holdings", company.rep.id)).await);
    check("count_unread_notifications", rep.get("/notifications/unread-count").await);
    check("get_me", rep.get("/me").await);
    check("list_sessions", rep.get("/auth/sessions").await);
    check("list_workflows", rep.get("/workflows").await);
    check("sync_records", rep.get("/sync").await);
    check("search_records", rep.get("/search?q=customer&kinds=customer,lead&limit=5").await);
    check("list_dictionaries", rep.get("/dictionaries").await);
    check("get_dictionary", rep.get("/dictionaries/lead_status").await);
    let login = json!({"email": company.rep.email, "password": crate::support::PASSWORD});
    let pair = check("log_in", server.anonymous().post("/auth/login", login).await);
    let refresh = json!({"refresh_token": pair.body["refresh_token"]});
    check("refresh_tokens", server.anonymous().post("/auth/refresh", refresh).await);
    for (path, id) in [
        ("/healthz", "get_health"),
        ("/readyz", "get_readiness"),
        ("/problems", "list_problems"),
        ("/problems/duplicate", "get_problem"),
        ("/.well-known/jwks.json", "get_signing_keys"),
    ] {
        check(id, server.anonymous().get_root(path).await);
    }
    let draft = company.draft(&company.rep, "10.00", "by_contract").await;
    check("delete_contract", rep.delete(&format!("/contracts/{draft}")).await);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

async fn problems_are_as_described(server: Server) {
    let company = Company::found(&server).await;
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (rep, admin) = (&company.rep.client, &company.admin.client);
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}");
    let unknown = format!("/contracts/{UNKNOWN_ID}");
    let twin = json!({
        "email": company.rep.email, "display_name": "Twin", "roles": ["sales_rep"],
        "password": crate::support::PASSWORD,
    });
    let long = "x".repeat(500_000);
    let cases = [
        (400, "list_leads", rep.get("/leads?color=red").await),
        (400, "list_leads", rep.get("/leads?cursor=x").await),
        (400, "create_lead", rep.post("/leads", json!([])).await),
        // However much of it is wrong, what is said about it stays short.
        (400, "create_lead", rep.post("/leads", json!({"name": "a", "source": "event", long.as_str(): 1})).await),
        (400, "list_leads", rep.get(&format!("/leads?{}=1", &long[..3000])).await),
        (400, "get_lead", rep.get(&format!("/leads/{}", &long[..3000])).await),
        (403, "list_approvals", company.marketing.client.get("/approvals").await),
        (401, "get_me", server.anonymous().get("/me").await),
        (401, "log_in", server.anonymous().post("/auth/login", json!({"email": "a@example.com", "password": "wrong-password"})).await),
        (403, "list_audit_events", rep.get("/audit-events").await),
        (404, "get_contract", rep.get(&unknown).await),
        (404, "delete_contract", rep.delete(&unknown).await),
        (404, "get_problem", server.anonymous().get_root("/problems/nope").await),
        (404, "get_dictionary", rep.get("/dictionaries/nope").await),
        (406, "follow_events", rep.send(rep.request(Method::GET, "/events").header("accept", "text/html")).await),
        (406, "list_leads", rep.send(rep.request(Method::GET, "/leads").header("accept", "text/html")).await),
        (409, "submit_contract", rep.act(&format!("{path}/submit")).await),
        (409, "record_payment", rep.post("/payments", Company::payment(&contract, "100.01")).await),
        (409, "create_user", admin.post("/users", twin).await),
        (412, "update_contract", rep.patch_if(&path, "\"v77\"", json!({"title": "A"})).await),
        (415, "create_lead", rep.send(rep.request(Method::POST, "/leads").body("{}")).await),
        (422, "create_lead", rep.post("/leads", json!({"name": " ", "source": "event"})).await),
        (422, "create_invoice", rep.post("/invoices", json!({"contract_id": UNKNOWN_ID, "amount": {"amount": "1.00", "currency": "CNY"}, "tax_rate": "0.13", "kind": "special"})).await),
        (428, "delete_contract", rep.send(rep.request(Method::DELETE, &path)).await),
    ];
    let mut wrong = Vec::new();
    for (status, id, answer) in cases {
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
        assert!(answer.text.len() < 10_000, "{id} answers {} bytes", answer.text.len());
        wrong.extend(compare(&document, id, &answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The records that an example names: where each is found, and its id. `of` is what its operation is about.
fn named(of: &str, member: &str, value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(members) => {
            // A record of any kind is named by its kind as well.
            let of =
                members.get("kind").and_then(Value::as_str).map_or(of.to_owned(), |kind| format!("{kind}s"));
            members.iter().for_each(|(name, member)| named(&of, name, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| named(of, member, item, found)),
        Value::String(id) if has_format(id, "uuid") => {
            let home = match member {
                "owner_id" | "user_id" | "delegate_id" | "to_user_id" => "users",
                "team_id" => "teams",
                "pool_id" => "public-pools",
                "stage_id" => "stages",
                "customer_id" | "customer_ids" | "record_ids" => "customers",
                "contract_id" => "contracts",
                "invoice_id" => "invoices",
                "payment_id" => "payments",
                "product_id" => "products",
                "id" | "loser_id" => of,
                other => panic!("it is not known what {other} names"),
            };
            found.insert((home.to_owned(), id.clone()));
        }
        _ => {}
    }
}

/// The example of a body.
fn example_of(operation: &Value) -> &Value {
    let content = operation["requestBody"]["content"].as_object();
    content.and_then(|content| content.values().next()).map_or(&Value::Null, |content| &content["example"])
}

async fn examples_can_be_sent_to_a_demo(server: Server) {
    let demo = Server::demo(server.database.kind).await;
    let log_in = async |who: &str| {
        demo.anonymous().login(&format!("{who}@demo.fairlead.example"), "demo-password").await
    };
    let (auditor, admin, finance) = (log_in("auditor").await, log_in("admin").await, log_in("finance").await);
    let document = demo.anonymous().get_root("/openapi.json").await.expect(200).body;
    let operations = operations(&document);

    // Whatever a body names is there.
    let mut records = BTreeSet::new();
    for (_, path, operation) in &operations {
        let of = path.split('/').nth(3).unwrap_or_default();
        named(of, "", example_of(operation), &mut records);
    }
    let pipelines = auditor.get("/pipelines").await.expect(200).text;
    let mut missing = Vec::new();
    for (home, id) in &records {
        if home == "stages" {
            assert!(pipelines.contains(id), "{id} is no stage");
            continue;
        }
        let mut there = false;
        for client in [&auditor, &admin, &finance] {
            there |= client.get(&format!("/{home}/{id}")).await.status == 200;
        }
        if !there {
            missing.push(format!("{home}/{id}"));
        }
    }
    assert!(records.len() > 15, "{records:?}");
    assert!(missing.is_empty(), "{}", missing.join("\n"));

    // What Swagger UI sends when somebody presses the button: the path with its example, and the body's.
    let send = async |who: &str, id: &str| {
        let found = operations.iter().find(|(_, _, operation)| operation["operationId"] == id);
        let (method, path, operation) = found.unwrap_or_else(|| panic!("{id} is not in the document"));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut in_path = parameters.filter(|parameter| parameter["in"] == "path");
        let example =
            in_path.next().map(|parameter| &resolve(&document, &parameter["schema"])["examples"][0]);
        let path = path.replace("{id}", example.and_then(Value::as_str).unwrap_or_default());
        let client = log_in(who).await;
        client.send(client.root(method.clone(), &path).json(example_of(operation))).await
    };
    for (who, id) in [
        ("rep.east", "create_activity"),
        ("rep.east", "create_contact"),
        ("rep.east", "create_opportunity"),
        ("rep.east", "create_invoice"),
        ("rep.east", "record_payment"),
        ("rep.east", "request_customer_change"),
        ("rep.east", "merge_lead"),
        ("finance", "issue_credit_note"),
        ("finance", "record_refund"),
        ("finance", "match_receipt"),
        ("finance", "bulk_payments"),
    ] {
        let answer = send(who, id).await;
        let unknown = answer.status == 404 || answer.text.contains("unknown_reference");
        assert!(!unknown && answer.status < 500, "{id}: {}", answer.text);
    }
    for (who, id) in [
        ("rep.east", "advance_opportunity"),
        ("manager.east", "assign_lead"),
        ("manager.east", "assign_customer"),
    ] {
        send(who, id).await.expect(200);
    }
    send("rep.east", "request_amendment").await.expect(201);
    for list in ["leads", "customers", "opportunities", "contracts", "invoices", "payments"] {
        let found = send("director", &format!("search_{list}")).await.expect(200);
        assert_ne!(found.body["data"], json!([]), "the example finds none of the {list}");
    }
}

/// Visits every part of the document.
fn visit(part: &Value, at: &str, each: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match part {
        Value::Object(members) => {
            each(at, members);
            // What stands in an example is no part of the document, whatever it looks like.
            for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("example")) {
                visit(member, &format!("{at}/{name}"), each);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{at}/{index}"), each);
            }
        }
        _ => {}
    }
}

#[test]
fn examples_are_as_described() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    visit(&document, "", &mut |at, members| {
        // A body, a parameter or a header says its schema beside its examples; a schema is one itself.
        let itself = Value::Object(members.clone());
        let schema = members.get("schema").unwrap_or(&itself);
        let one = members.get("example");
        let many = members.get("examples").and_then(Value::as_array).into_iter().flatten();
        let named = members.get("examples").and_then(Value::as_object).into_iter().flatten();
        let named = named.filter_map(|(_, example)| resolve(&document, example).get("value"));
        for example in one.into_iter().chain(many).chain(named) {
            seen += 1;
            wrong.extend(faults(&document, schema, example, at));
        }
    });
    assert!(seen > 500, "{seen} examples");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// How many bytes the longest value of a schema takes in an address.
fn longest(document: &Value, schema: &Value) -> usize {
    let schema = resolve(document, schema);
    let limit = |rule: &str| schema[rule].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if schema["type"] == "array" {
        let most = limit("maxItems").expect("a list says how many items it has");
        return most * (longest(document, &schema["items"]) + "%2C".len());
    }
    // A character has four bytes at most, each of which may be written as `%F0`.
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words = words.map(|word| word.len() * "%F0".len()).max();
    // Numbers and truth values are shorter than any text that matters here.
    words.or_else(|| Some(limit("maxLength")? * "%F0%9F%90%8D".len())).unwrap_or(20)
}

#[test]
fn every_query_parameter_fits_into_an_address() {
    // Longer addresses are not even read.
    const MOST: usize = 65_534;
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(&document, parameter);
            if parameter["in"] == "query" {
                seen += 1;
                let length = longest(&document, &parameter["schema"]);
                if length > MOST {
                    wrong.push(format!("{method} {path}: {} may take {length} bytes", parameter["name"]));
                }
            }
        }
    }
    assert!(seen > 500, "{seen} parameters");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_schema_asks_for_the_impossible() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let mut wrong = Vec::new();
    visit(&document, "", &mut |at, members| {
        // Each part sees the whole object: one that refuses what it does not know refuses the others' members.
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if resolve(&document, part)["additionalProperties"] == false {
                wrong.push(format!("{at}: a part of allOf refuses the members of the others"));
            }
        }
        // What must be there must be allowed to be there.
        let closed = members.get("additionalProperties").is_some_and(|more| more == false);
        for name in members.get("required").and_then(Value::as_array).into_iter().flatten() {
            if closed && members["properties"].get(name.as_str().unwrap()).is_none() {
                wrong.push(format!("{at}: {name} is required and refused"));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_comparison_finds_what_is_wrong() {
    let document =
        json!({"components": {"schemas": {"Name": {"type": "string", "minLength": 1, "maxLength": 3}}}});
    let name = json!({"$ref": "#/components/schemas/Name"});
    let schema = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": name,
            "other": {"oneOf": [name, {"type": "null"}]},
            "day": {"type": "string", "format": "date"},
            "many": {"type": "array", "maxItems": 1, "items": {"type": "integer", "maximum": 9}},
            "word": {"enum": ["a", "b"]},
            "figures": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
    });
    let count = |value: Value| faults(&document, &schema, &value, "").len();
    assert_eq!(
        count(
            json!({"name": "abc", "other": null, "day": "2026-01-31", "many": [9], "word": "a", "figures": {"x": 1}})
        ),
        0
    );
    for wrong in [
        json!([]),
        json!({}),
        json!({"name": 1}),
        json!({"name": ""}),
        json!({"name": "abcd"}),
        json!({"name": "a", "more": 1}),
        json!({"name": "a", "other": 1}),
        json!({"name": "a", "day": "31.01.2026"}),
        json!({"name": "a", "many": [1, 2]}),
        json!({"name": "a", "many": [10]}),
        json!({"name": "a", "word": "c"}),
        json!({"name": "a", "figures": {"x": "1"}}),
    ] {
        assert!(count(wrong.clone()) > 0, "{wrong}");
    }
}
