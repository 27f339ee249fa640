//! Answers are as their operations say.

use reqwest::Method;
use serde_json::{Value, json};

use super::schemas::faults;
use super::{UNKNOWN_ID, committed, operations, resolve};
use crate::support::{Answer, Company, Server, until};

on_both_databases! {
    answers_are_as_described;
    problems_are_as_described;
    streams_are_as_described;
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
    // A type is described without its parameters.
    let kind = answer.header("content-type").split(';').next().unwrap_or_default();
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
        check("run_recycling", admin.post("/public-pool/recycle-runs?dry_run=true", json!({})).await).id();
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

    // Every list, bare and with all that can be included, its search, and every record of it by itself, bare and with the
    // same.
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
        let search = operations(&document)
            .into_iter()
            .find(|(method, other, _)| *method == Method::POST && *other == format!("{path}/search"));
        searches += usize::from(search.is_some());
        let mut page = check(id, client.get_root(&whole).await);
        // Not more than five at once.
        for some in includes.chunks(5) {
            page = check(id, client.get_root(&format!("{whole}&include={}", some.join(","))).await);
            if let Some((method, path, search)) = &search {
                let body = json!({"total": true, "limit": 200, "include": some});
                let found = client.send(client.root(method.clone(), path).json(&body)).await;
                let found = check(search["operationId"].as_str().unwrap(), found);
                assert_eq!(found.body, page.body, "{path} answers otherwise than the list");
            }
        }
        let rows = page.body["data"].as_array().unwrap();
        // A run that tries moves nothing here, so that it has no items.
        assert!(!rows.is_empty() || id == "list_job_items", "{path} has nothing to look at");
        let single = operations(&document)
            .into_iter()
            .find(|(method, other, _)| *method == Method::GET && *other == format!("{path}/{{id}}"));
        if let Some((_, _, single)) = single {
            for row in rows.iter().take(10) {
                let path = format!("{path}/{}", row["id"].as_str().unwrap());
                let id = single["operationId"].as_str().unwrap();
                let mut alone = check(id, client.get_root(&path).await);
                for some in includes.chunks(5) {
                    let path = format!("{path}?include={}", some.join(","));
                    alone = check(id, client.get_root(&path).await);
                }
                // The rows have what was asked for last.
                for word in includes.chunks(5).next_back().into_iter().flatten() {
                    let name = word.split('.').next().unwrap();
                    assert_eq!(alone.body.get(name), row.get(name), "{path} {word}");
                }
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
        (403, "count_approvals", company.marketing.client.get("/approvals/counts").await),
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

/// Every message of a stream, the first one among them, whose `data` the document describes once for all.
async fn streams_are_as_described(server: Server) {
    let company = Company::found(&server).await;
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let operation = &document["paths"]["/api/v1/events"]["get"];
    let schema = &operation["responses"]["200"]["content"]["text/event-stream"]["schema"];
    let rep = &company.rep.client;
    let heard = |answer: &Answer| -> Vec<(String, Value)> {
        let blocks = answer.text.split("\n\n").filter_map(|block| {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            Some((field("event: ")?.to_owned(), serde_json::from_str(field("data: ")?).unwrap()))
        });
        blocks.collect()
    };
    let first = heard(&rep.get("/events?wait=0").await.expect(200));
    let begin = first[0].1["last_event_id"].as_str().unwrap().to_owned();
    company.customer(&company.rep).await;
    let request = rep.request(Method::GET, "/events?wait=0").header("last-event-id", begin);
    let later = heard(&rep.send(request).await.expect(200));
    let names = |heard: &[(String, Value)]| heard.iter().map(|(event, _)| event.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&first), names(&later)),
        (vec!["ready".to_owned()], vec!["customer.created".to_owned()])
    );
    let mut wrong = Vec::new();
    for (event, data) in first.iter().chain(&later) {
        assert_eq!(data["type"], *event);
        wrong.extend(faults(&document, schema, data, event));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
