//! Nonsense in every place that the specification knows.

use super::*;

on_both_databases! {
    every_operation_survives_nonsense;
    heavy_every_member_of_every_form_survives_nonsense;
    heavy_every_parameter_of_every_list_survives_nonsense;
}

/// What bodies of JSON are called: whole ones, and patches.
const JSON: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// Every operation of the specification as (method, path).
async fn operations(server: &Server) -> Vec<(Method, String, Value)> {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    operations
}

/// Sends requests, some at once, and says which were answered with a server error or with something other
/// than a problem.
async fn failures(client: &Client, requests: Vec<(String, RequestBuilder)>) -> Vec<String> {
    let answers = stream::iter(requests).map(async |(what, request)| (what, client.try_send(request).await));
    let answers: Vec<_> = answers.buffer_unordered(8).collect().await;
    let mut wrong = Vec::new();
    for (what, answer) in answers {
        match answer {
            Err(error) => wrong.push(format!("{what}: no answer: {error}")),
            Ok(answer) if answer.status >= 500 => {
                wrong.push(format!("{what}: {} {}", answer.status, answer.text));
            }
            Ok(answer) if answer.status >= 400 => {
                wrong.extend(not_a_problem(&answer).map(|why| format!("{what}: {why}")));
            }
            Ok(_) => {}
        }
    }
    wrong
}

async fn every_operation_survives_nonsense(server: Server) {
    let company = Company::found(&server).await;
    let admin = company.admin.client.clone();
    let refusals = Refusals::begin(company).await;
    let mut requests = Vec::new();
    let mut strict = Vec::new();
    for (method, template, operation) in operations(&server).await {
        // Ending one's own session would end the test.
        if template.ends_with("/logout") {
            continue;
        }
        let path = template.replace("{id}", UNKNOWN_ID).replace("{code}", "nope");
        let request = || {
            let request = admin.root(method.clone(), &path).header("if-match", "*");
            request.header("content-type", "application/json")
        };
        let has_body = operation.get("requestBody").is_some();
        // What is no object is refused before anything is looked for, whatever the operation and its path.
        let unreadable: &[&[u8]] =
            &[b"", b"{", b"[]", b"[\"x\"]", b"[[]]", b"null", b"17", b"\"x\"", b"\xff"];
        // To whoever takes files, JSON is none.
        let takes_json = JSON.iter().any(|kind| operation["requestBody"]["content"].get(kind).is_some());
        let code = if takes_json { "malformed_request" } else { "unsupported_media_type" };
        let odd: &[&[u8]] = &[b"{\"zz_unknown\": 1}", b"{\"name\": \"\\u0000\"}", b"{\"id\": [[[]]]}"];
        for (bodies, code) in [(unreadable, Some(code)), (odd, None)] {
            for body in bodies.iter().filter(|_| has_body) {
                let what = format!("{method} {path} with {}", String::from_utf8_lossy(body));
                strict.push((what, code, request().body(body.to_vec())));
            }
        }
        if has_body {
            strict.push((
                format!("{method} {path} as text"),
                Some("unsupported_media_type"),
                admin.root(method.clone(), &path).header("if-match", "*").body("{}"),
            ));
        }
        strict.push((
            format!("{method} {path} with a parameter"),
            None,
            admin.root(method.clone(), &format!("{path}?zz_unknown=1")).header("if-match", "*"),
        ));
        for id in ["x", "%00", "%FF", "..%2f", "0", &"x".repeat(3000)] {
            if template.contains("{id}") {
                let path = template.replace("{id}", id);
                strict.push((
                    format!("{method} {template} with id {}", &id[..id.len().min(9)]),
                    None,
                    admin.root(method.clone(), &path).header("if-match", "*").json(&json!({})),
                ));
            }
        }
        for (name, value) in [
            ("if-match", "\u{1}"),
            ("if-match", "é"),
            ("if-none-match", "é"),
            ("authorization", "Bearer é"),
            ("idempotency-key", "é"),
            ("accept", "é"),
            ("accept-language", "é;q=é"),
            ("x-request-id", "é"),
            ("content-type", "é"),
            ("range", "bytes=0-1"),
        ] {
            if let Ok(value) = reqwest::header::HeaderValue::from_bytes(value.as_bytes()) {
                // What goes on telling is to end at once.
                let path =
                    if template.ends_with("/events") { format!("{path}?wait=0") } else { path.clone() };
                requests.push((
                    format!("{method} {path} with {name}"),
                    admin.root(method.clone(), &path).header(name, value),
                ));
            }
        }
    }
    // Some of these are no mistakes for their operation; none may be a server's error.
    let mut wrong = failures(&admin, requests).await;
    let answers =
        stream::iter(strict).map(async |(what, code, request)| (what, code, admin.send(request).await));
    let answers: Vec<_> = answers.buffer_unordered(8).collect().await;
    for (what, code, answer) in answers {
        if (400..500).contains(&answer.status) && code.is_none_or(|code| answer.body["code"] == code) {
            wrong.extend(not_a_problem(&answer).map(|why| format!("{what}: {why}")));
        } else {
            wrong.push(format!("{what}: {} {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    refusals.end().await;
}

/// Values that somebody might send for a member, whatever it is.
fn nonsense() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("x\u{0}y"),
        json!("'; DROP TABLE leads; --"),
        json!("🐍\u{202e}\u{200b}"),
        json!("x".repeat(10_000)),
        json!("9999-12-31"),
        json!("-262143-01-01"),
        json!("+262142-12-31"),
        json!("9999-12-31T23:59:59.999Z"),
        json!("2016-12-31T23:59:60Z"),
        json!(UNKNOWN_ID),
        json!({"amount": "9999999999999.99", "currency": "CNY"}),
        json!({"amount": "-0.01", "currency": "BHD"}),
        json!([]),
        json!([null]),
        json!(["a", "a"]),
        json!({}),
        json!({"kind": "lead", "id": UNKNOWN_ID}),
    ]
}

async fn heavy_every_member_of_every_form_survives_nonsense(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let customer = company.customer(&company.rep).await;
    let lead_id = rep.post("/leads", lead()).await.expect(201).id();
    let contract = company.active(&company.rep, "1000.00", "by_contract").await;
    let billed = company.active(&company.rep, "1000.00", "by_invoice").await;
    let draft = company.draft(&company.rep, "100.00", "by_contract").await;
    let cny = json!({"amount": "0.01", "currency": "CNY"});
    let admin = &company.admin.client;
    let role = admin.get("/roles?limit=1").await.expect(200).body["data"][0].clone();
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let stages = &company.pipeline["stages"];
    let forms = [
        (rep, Method::POST, "/leads".to_owned(), "LeadDetails", lead()),
        (rep, Method::PATCH, format!("/leads/{lead_id}"), "LeadDetails", json!({})),
        (rep, Method::POST, format!("/leads/{lead_id}/convert"), "ConvertForm", json!({})),
        (rep, Method::POST, format!("/leads/{lead_id}/disqualify"), "DisqualifyForm", json!({})),
        (
            rep,
            Method::POST,
            "/customers".to_owned(),
            "CustomerDetails",
            json!({"kind": "company", "name": "A"}),
        ),
        (rep, Method::PATCH, format!("/customers/{customer}"), "CustomerDetails", json!({})),
        (
            rep,
            Method::POST,
            "/contacts".to_owned(),
            "ContactDetails",
            json!({"customer_id": customer, "name": "A"}),
        ),
        (
            rep,
            Method::POST,
            "/activities".to_owned(),
            "ActivityDetails",
            json!({"about": {"kind": "lead", "id": lead_id}, "kind": "call", "subject": "A"}),
        ),
        (
            rep,
            Method::POST,
            "/opportunities".to_owned(),
            "OpportunityDetails",
            json!({"customer_id": customer, "name": "A"}),
        ),
        (
            rep,
            Method::POST,
            "/contracts".to_owned(),
            "ContractDetails",
            json!({"customer_id": customer, "title": "A", "amount": cny, "collection_scheme": "by_contract"}),
        ),
        (rep, Method::PATCH, format!("/contracts/{draft}"), "ContractDetails", json!({})),
        (
            rep,
            Method::POST,
            "/invoices".to_owned(),
            "InvoiceDetails",
            json!({"contract_id": billed, "amount": cny, "tax_rate": "0.13", "kind": "special"}),
        ),
        (
            rep,
            Method::POST,
            "/payments".to_owned(),
            "PaymentForm",
            json!({"contract_id": contract, "amount": cny, "received_on": "2026-01-05", "method": "cash"}),
        ),
        (
            admin,
            Method::POST,
            "/users".to_owned(),
            "UserCreate",
            json!({"email": "new@example.com", "display_name": "New", "roles": ["sales_rep"], "password": "a-password-for-tests"}),
        ),
        (admin, Method::POST, "/teams".to_owned(), "TeamDetails", json!({"name": "New"})),
        (
            admin,
            Method::POST,
            "/roles".to_owned(),
            "RoleDetails",
            json!({"key": "new_role", "name": "New", "grants": role["grants"]}),
        ),
        (
            admin,
            Method::POST,
            "/pipelines".to_owned(),
            "PipelineDetails",
            json!({"name": "New", "stages": stages}),
        ),
    ];
    let mut wrong = Vec::new();
    for (client, method, path, schema, form) in forms {
        let members: &Map<String, Value> = document["components"]["schemas"][schema]["properties"]
            .as_object()
            .unwrap_or_else(|| panic!("no schema {schema}"));
        let mut requests = Vec::new();
        for member in members.keys() {
            for value in nonsense() {
                let what = format!(
                    "{method} {path} {member} = {}",
                    value.to_string().chars().take(50).collect::<String>()
                );
                let request = client
                    .request(method.clone(), &path)
                    .header("if-match", "*")
                    .json(&with(&form, member, value));
                requests.push((what, request));
            }
        }
        wrong.extend(failures(client, requests).await);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!server.log().contains("panic"), "{}", server.log());
}

async fn heavy_every_parameter_of_every_list_survives_nonsense(server: Server) {
    let company = Company::found(&server).await;
    company.active(&company.rep, "1000.00", "by_contract").await;
    let director = company.admin.client.clone();
    let refusals = Refusals::begin(company).await;
    let values = [
        "",
        "%00",
        "%25",
        "'",
        "-1",
        "9223372036854775807",
        "99999999999999999999",
        "2026-02-30",
        "-262143-01-01",
        "%2B262142-12-31",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "0.01%20BHD",
        "-9999999999999.99",
        UNKNOWN_ID,
        "a,b,,",
        "%5C",
        "true",
        "%F0%9F%90%8D",
    ];
    let mut requests = Vec::new();
    let (mut lists, mut sorts) = (0, Vec::new());
    for (method, path, operation) in operations(&server).await {
        let parameters: Vec<&Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "query")
            .collect();
        if method != Method::GET || parameters.is_empty() || path.contains("{id}") {
            continue;
        }
        lists += 1;
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            let end = if path.ends_with("/events") && name != "wait" { "&wait=0" } else { "" };
            for value in values {
                requests.push((
                    format!("{path}?{name}={value}"),
                    director.root(Method::GET, &format!("{path}?{name}={value}{end}")),
                ));
            }
            if name == "sort" {
                // Every order that the specification offers, alone.
                for order in parameter["schema"]["items"]["enum"].as_array().into_iter().flatten() {
                    sorts.push(format!("{path}?sort={}", order.as_str().unwrap()));
                }
            }
        }
    }
    assert!(lists >= 14, "{lists} lists");
    let wrong = failures(&director, requests).await;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    for sort in sorts {
        director.get_root(&sort).await.expect(200);
    }
    refusals.end().await;
}
