//! Bad input, on real operations: each is a clear 4xx that says where it is wrong, and nothing is written.

use futures_util::stream::{self, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::support::{Answer, Client, Company, Server};

on_both_databases! {
    bodies_that_cannot_be_read_are_refused;
    values_that_break_a_rule_are_named;
    amounts_are_exact_or_refused;
    references_lead_to_records_that_the_caller_sees;
    media_types_and_languages_are_negotiated;
    paths_and_methods_that_are_not_there_are_problems;
    versions_are_checked;
    queries_are_read_strictly;
    cursors_belong_to_their_question;
    idempotency_keys_have_a_form;
    every_operation_survives_nonsense;
    heavy_every_member_of_every_form_survives_nonsense;
    heavy_every_parameter_of_every_list_survives_nonsense;
}

const UNKNOWN_ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// What the tests of this file ask of a server: refusals, and that nothing comes of them.
struct Refusals {
    company: Company,
    before: i64,
    wrong: Vec<String>,
}

/// The newest audit event: every write makes one, in its own transaction.
async fn newest_event(admin: &Client) -> i64 {
    let page = admin.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
    page.body["data"][0]["sequence"].as_i64().unwrap()
}

/// Why an answer is not a problem that keeps to the rules.
fn not_a_problem(answer: &Answer) -> Option<String> {
    let body = &answer.body;
    let why = if answer.header("content-type") != "application/problem+json" {
        "it is no problem document"
    } else if body["status"] != answer.status {
        "its status is another one"
    } else if body["request_id"] != answer.header("x-request-id") || answer.header("x-request-id").is_empty()
    {
        "its request id is not the header's"
    } else if body["type"] != format!("/problems/{}", body["code"].as_str().unwrap_or_default()) {
        "its type does not lead to its code"
    } else if ["title", "detail", "instance"]
        .iter()
        .any(|name| body[*name].as_str().is_none_or(str::is_empty))
    {
        "it says too little"
    } else {
        return None;
    };
    Some(format!("{} answered {} {}: {why}", answer.request, answer.status, answer.text))
}

impl Refusals {
    async fn begin(company: Company) -> Self {
        let before = newest_event(&company.admin.client).await;
        Self { company, before, wrong: Vec::new() }
    }

    /// Looks at an answer that must be a refusal; returns it for more.
    fn check(
        &mut self,
        what: &str,
        answer: Answer,
        status: u16,
        code: &str,
        pointer: Option<&str>,
    ) -> Answer {
        if answer.status != status || answer.body["code"] != code {
            let found = format!("{} {}", answer.status, answer.text);
            self.wrong.push(format!("{what}: {} answered {found}, not {status} {code}", answer.request));
        } else if let Some(why) = not_a_problem(&answer) {
            self.wrong.push(format!("{what}: {why}"));
        } else if let Some(pointer) = pointer {
            let named = answer.body["errors"].as_array().into_iter().flatten();
            if !named.into_iter().any(|error| error["pointer"] == pointer) {
                self.wrong.push(format!("{what}: does not name {pointer}: {}", answer.text));
            }
        }
        answer
    }

    async fn refused(
        &mut self,
        what: &str,
        client: &Client,
        request: RequestBuilder,
        status: u16,
        code: &str,
        pointer: &str,
    ) {
        let answer = client.send(request).await;
        self.check(what, answer, status, code, Some(pointer));
    }

    /// Fails if anything was other than it must be, or anything was written.
    async fn end(self) {
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        let after = newest_event(&self.company.admin.client).await;
        assert_eq!(after, self.before, "a request that was refused has written something");
    }
}

fn lead() -> Value {
    json!({"name": "Lin Mei", "source": "website"})
}

/// A form with one member changed or added.
fn with(form: &Value, member: &str, value: Value) -> Value {
    let mut form = form.clone();
    form[member] = value;
    form
}

fn raw(client: &Client, method: Method, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    client.request(method, path).header("if-match", "*").header("content-type", "application/json").body(body)
}

async fn bodies_that_cannot_be_read_are_refused(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let id = rep.post("/leads", lead()).await.expect(201).id();
    let mut refusals = Refusals::begin(company).await;
    let patch = format!("/leads/{id}");
    let deep = format!(r#"{{"name": {}1{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let broken: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"name\"".to_vec(),
        b"17".to_vec(),
        b"{\"name\": \"a\", \"source\": \"website\"} x".to_vec(),
        b"{\"name\": \"a\", \"source\": \"website\"}{}".to_vec(),
        b"{\"name\": \"a\", \"source\": \"website\",}".to_vec(),
        b"{name: \"a\", source: \"website\"}".to_vec(),
        b"{'name': 'a'}".to_vec(),
        b"name=a&source=website".to_vec(),
        b"\xef\xbb\xbf{\"name\": \"a\", \"source\": \"website\"}".to_vec(),
        b"{\"name\": \"\xff\xfe\", \"source\": \"website\"}".to_vec(),
        br#"{"name": "\ud800", "source": "website"}"#.to_vec(),
        b"{\"name\": \"a\0b\", \"source\": \"website\"}".to_vec(),
        b"{\"name\": \"a\nb\", \"source\": \"website\"}".to_vec(),
        br#"{"name": NaN, "source": "website"}"#.to_vec(),
        deep.into_bytes(),
    ];
    for body in broken {
        let what = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        for (method, path) in [(Method::POST, "/leads"), (Method::PATCH, patch.as_str())] {
            let answer = rep.send(raw(&rep, method, path, body.clone())).await;
            refusals.check(&what, answer, 400, "malformed_request", None);
        }
    }
    // Readable JSON of another shape: the pointer leads to the member.
    let cases = [
        (r#"{"name": "a", "name": "b", "source": "website"}"#, "/name"),
        (
            r#"{"name": "a", "source": "website", "budget": {"amount": "1", "amount": "2", "currency": "CNY"}}"#,
            "/budget/amount",
        ),
        (r#"{"name": "a", "source": "website", "owner_id": "x"}"#, "/owner_id"),
        (r#"{"name": "a", "source": "website", "status": "qualified"}"#, "/status"),
        (r#"{"name": "a", "source": "website", "a/b~c": 1}"#, "/a~1b~0c"),
        (r#"{"name": "a", "source": "website", "": 1}"#, "/"),
        (r#"{"\u001fa\u001fb\u001f": 1, "name": "a", "source": "website"}"#, "/\u{1f}a\u{1f}b\u{1f}"),
        (r#"{"name": 1, "source": "website"}"#, "/name"),
        (r#"{"name": null, "source": "website"}"#, "/name"),
        (r#"{"name": {}, "source": "website"}"#, "/name"),
        (r#"{"name": "a", "source": 1}"#, "/source"),
        (r#"{"name": "a", "source": "website", "tags": "vip"}"#, "/tags"),
        (r#"{"name": "a", "source": "website", "tags": {"0": "vip"}}"#, "/tags"),
        (r#"{"name": "a", "source": "website", "tags": ["vip", 1]}"#, "/tags/1"),
        (r#"{"name": "a", "source": "website", "budget": "100.00"}"#, "/budget"),
        (r#"{"name": "a", "source": "website", "budget": ["100.00", "CNY"]}"#, "/budget"),
        (r#"["a", null, null, null, null, "website"]"#, ""),
        (
            r#"{"name": "a", "source": "website", "budget": {"amount": 100, "currency": "CNY"}}"#,
            "/budget/amount",
        ),
        (
            r#"{"name": "a", "source": "website", "budget": {"amount": 1e3, "currency": "CNY"}}"#,
            "/budget/amount",
        ),
        (
            r#"{"name": "a", "source": "website", "budget": {"amount": "1", "currency": 156}}"#,
            "/budget/currency",
        ),
        (
            r#"{"name": "a", "source": "website", "budget": {"amount": "1", "currency": "CNY", "minor": 1}}"#,
            "/budget/minor",
        ),
        (r#"{"name": "a", "source": "website", "expected_purchase_on": 20260131}"#, "/expected_purchase_on"),
        // What is missing is named as well.
        (r#"{"source": "website"}"#, "/name"),
        (r#"{"name": "a"}"#, "/source"),
        (r#"{"name": "a", "source": "website", "budget": {"amount": "1"}}"#, "/budget/currency"),
        (r#"{"name": "a", "source": "website", "budget": {}}"#, "/budget/amount"),
    ];
    for (body, pointer) in cases {
        refusals
            .refused(body, &rep, raw(&rep, Method::POST, "/leads", body), 400, "malformed_request", pointer)
            .await;
    }
    let cases = [
        (r#"{"name": "a", "name": "b"}"#, None),
        (r#"{"budget": {"amount": "1", "amount": "2", "currency": "CNY"}}"#, None),
        (r#"{"id": "0190163d-8694-739b-aea5-966c26f8ad91"}"#, Some("/id")),
        (r#"{"version": 7}"#, Some("/version")),
        (r#"{"owner_id": null}"#, Some("/owner_id")),
        (r#"{"status": "qualified"}"#, Some("/status")),
        (r#"{"name": null}"#, Some("/name")),
        (r#"{"name": 7}"#, Some("/name")),
        (r#"{"source": null}"#, Some("/source")),
        (r#"{"tags": null}"#, Some("/tags")),
        (r#"{"budget": 5}"#, Some("/budget")),
        (r#"{"budget": ["100.00", "CNY"]}"#, Some("/budget")),
        (r#"["a"]"#, Some("")),
        (r#"{"budget": {"amount": 5}}"#, Some("/budget/amount")),
    ];
    for (body, pointer) in cases {
        let answer = rep.send(raw(&rep, Method::PATCH, &patch, body)).await;
        refusals.check(body, answer, 400, "malformed_request", pointer);
    }
    // Objects are objects, also where every member may be left out, and inside others.
    let about = format!(r#"{{"about": ["lead", "{id}"], "kind": "call", "subject": "a"}}"#);
    let (disqualify, convert) = (format!("{patch}/disqualify"), format!("{patch}/convert"));
    for (path, body, pointer) in [
        ("/activities", about.as_str(), "/about"),
        (&disqualify, r#"["no_need"]"#, ""),
        (&convert, "[]", ""),
        (&convert, r#"{"opportunity": ["Deal"]}"#, "/opportunity"),
    ] {
        refusals
            .refused(
                body,
                &rep,
                raw(&rep, Method::POST, path, body.to_owned()),
                400,
                "malformed_request",
                pointer,
            )
            .await;
    }
    // What is wanted is said in words that mean something outside of the server.
    let admin = refusals.company.admin.client.clone();
    let stages = r#"{"name": "a", "stages": [{"name": "a", "probability": "high", "kind": "open"}]}"#;
    for (client, path, body, wanted) in [
        (&rep, "/leads", "[]", "expected an object"),
        (&rep, "/leads", r#"{"name": "a", "source": "website", "budget": 5}"#, "expected an object"),
        (&admin, "/pipelines", stages, "expected a whole number"),
    ] {
        let answer = client.send(raw(client, Method::POST, path, body)).await;
        let answer = refusals.check(body, answer, 400, "malformed_request", None);
        if !answer.text_of("detail").contains(wanted) {
            refusals.wrong.push(format!("{body}: does not say {wanted}: {}", answer.text));
        }
    }
    // Operations without a body take none, but for clients that always send something.
    let qualify = format!("{patch}/qualify");
    refusals
        .refused(
            "a body for nothing",
            &rep,
            raw(&rep, Method::POST, &qualify, r#"{"status": 1}"#),
            400,
            "malformed_request",
            "/status",
        )
        .await;
    // A body that is too large is not read to its end.
    let large = format!(r#"{{"name": "a", "source": "website", "note": "{}"}}"#, "x".repeat(2 << 20));
    let answer = rep.send(raw(&rep, Method::POST, "/leads", large)).await;
    refusals.check("a large body", answer, 413, "payload_too_large", None);
    refusals.end().await;
}

async fn values_that_break_a_rule_are_named(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let id = rep.post("/leads", lead()).await.expect(201).id();
    let customer = company.customer(&company.rep).await;
    let qualified = rep.post("/leads", lead()).await.expect(201).id();
    let call = json!({"about": {"kind": "lead", "id": qualified}, "kind": "call", "subject": "Hello"});
    rep.post("/activities", call).await.expect(201);
    rep.act(&format!("/leads/{qualified}/qualify")).await.expect(200);
    let mut refusals = Refusals::begin(company).await;
    let long = |length: usize| Value::from("长".repeat(length));
    let many = |length: usize| (0..length).map(|at| format!("tag {at}")).collect::<Vec<_>>();
    let cases = [
        ("name", json!(""), "/name", "length"),
        ("name", json!("   "), "/name", "length"),
        ("name", json!("\u{3000}\u{a0}"), "/name", "length"),
        ("name", long(201), "/name", "length"),
        ("name", json!("a\u{0}b"), "/name", "control_character"),
        ("name", json!("a\u{7}b"), "/name", "control_character"),
        ("name", json!("a\nb"), "/name", "control_character"),
        ("name", json!("a\u{85}b"), "/name", "control_character"),
        ("name", json!("\u{feff}"), "/name", "length"),
        ("name", json!(" \u{200b}\u{200d}\u{2060}"), "/name", "length"),
        ("name", json!("\u{ad}\u{3164}"), "/name", "length"),
        ("name", json!("invoice\u{202e}fdp.exe"), "/name", "control_character"),
        ("note", json!("a\u{2066}b"), "/note", "control_character"),
        ("tags", json!(["\u{200b}"]), "/tags/0", "length"),
        ("company", json!(""), "/company", "length"),
        ("note", long(4001), "/note", "length"),
        ("note", json!("a\u{0}b"), "/note", "control_character"),
        ("source", json!("television"), "/source", "unknown_value"),
        ("source", json!("Website"), "/source", "unknown_value"),
        ("phone", json!("12"), "/phone", "phone"),
        ("phone", json!("call me"), "/phone", "phone"),
        ("phone", json!("1".repeat(21)), "/phone", "phone"),
        ("phone", json!("1".repeat(41)), "/phone", "length"),
        ("phone", json!("138\u{0}00138000"), "/phone", "phone"),
        ("email", json!("nobody"), "/email", "email"),
        ("email", json!("a@b@c"), "/email", "email"),
        ("email", json!("a\u{0}@example.com"), "/email", "email"),
        ("email", json!(format!("{}@example.com", "a".repeat(300))), "/email", "length"),
        ("tags", json!(many(21)), "/tags", "tags"),
        ("tags", json!(many(20_000)), "/tags", "tags"),
        ("tags", json!(["vip", "vip"]), "/tags", "tags"),
        ("tags", json!(["vip", "x".repeat(41)]), "/tags/1", "length"),
        ("tags", json!([""]), "/tags/0", "length"),
        ("expected_purchase_on", json!("tomorrow"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("2026-02-30"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("2026-13-01"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("2026-1-1"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("2026 - 01 - 01"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("2026-01-01T00:00:00Z"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!(""), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("+12026-01-01"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("-2026-01-01"), "/expected_purchase_on", "invalid_date"),
        ("expected_purchase_on", json!("1899-12-31"), "/expected_purchase_on", "year_out_of_range"),
        ("expected_purchase_on", json!("0000-01-01"), "/expected_purchase_on", "year_out_of_range"),
    ];
    for (member, value, pointer, rule) in cases {
        let what = format!("{member} = {}", value.to_string().chars().take(60).collect::<String>());
        let posted = rep.post("/leads", with(&lead(), member, value.clone())).await;
        let patched = rep.patch(&format!("/leads/{id}"), json!({member: value})).await;
        for answer in [posted, patched] {
            let answer = refusals.check(&what, answer, 422, "validation_failed", Some(pointer));
            if answer.body["errors"][0]["code"] != rule {
                refusals.wrong.push(format!("{what}: the rule is not {rule}: {}", answer.text));
            }
        }
    }
    // All broken rules in one answer.
    let answer =
        rep.post("/leads", json!({"name": " ", "source": "website", "phone": "x", "tags": ["", "ok"]})).await;
    for pointer in ["/name", "/phone", "/tags/0"] {
        refusals.check("several", answer.clone(), 422, "validation_failed", Some(pointer));
    }
    // Other forms.
    let activity = json!({"about": {"kind": "lead", "id": id}, "kind": "call", "subject": "Hello"});
    let user = json!({"email": "new@example.com", "display_name": "New", "roles": ["sales_rep"], "password": "a-password-for-tests"});
    let cases = [
        ("/activities", with(&activity, "kind", json!("dance")), "/kind"),
        ("/activities", with(&activity, "kind", json!("task")), ""),
        ("/activities", with(&activity, "happened_at", json!("yesterday")), "/happened_at"),
        ("/activities", with(&activity, "happened_at", json!("2026-01-01")), "/happened_at"),
        ("/activities", with(&activity, "happened_at", json!("2026-01-01T25:00:00Z")), "/happened_at"),
        ("/activities", with(&activity, "happened_at", json!("1066-10-14T09:00:00Z")), "/happened_at"),
        ("/activities", with(&activity, "happened_at", json!("2016-12-31T23:59:60Z")), "/happened_at"),
        ("/activities", with(&activity, "happened_at", json!("2026-01-01T08:00:60.5Z")), "/happened_at"),
        ("/activities", with(&activity, "happened_at", json!("9999-12-31T23:59:59-23:59")), "/happened_at"),
        ("/activities", with(&activity, "about", json!({"kind": "lead", "id": "x"})), "/about/id"),
        ("/activities", with(&activity, "about", json!({"kind": "moon", "id": id})), "/about/kind"),
        ("/contacts", json!({"customer_id": customer, "name": "A", "birthday": "2000-02-30"}), "/birthday"),
        ("/customers", json!({"kind": "ghost", "name": "A"}), "/kind"),
        ("/customers", json!({"kind": "company", "name": "A", "website": "javascript:alert(1)"}), "/website"),
        ("/customers", json!({"kind": "company", "name": "A", "grade": "E"}), "/grade"),
        (
            "/customers",
            json!({"kind": "company", "name": "A", "tax_profiles": [{"bank": ""}]}),
            "/tax_profiles/0/bank",
        ),
        ("/opportunities", json!({"customer_id": "x", "name": "A"}), "/customer_id"),
        (
            "/opportunities",
            json!({"customer_id": customer, "name": "A", "expected_close_on": "never"}),
            "/expected_close_on",
        ),
    ];
    for (path, body, pointer) in cases {
        let what = body.to_string();
        let request = rep.request(Method::POST, path).json(&body);
        refusals.refused(&what, &rep, request, 422, "validation_failed", pointer).await;
    }
    // What the opportunity of a conversion breaks stands in the opportunity.
    let deal = json!({"name": "Deal"});
    for (member, value, pointer) in [
        ("amount", json!({"amount": "-5.00", "currency": "CNY"}), "/opportunity/amount"),
        ("expected_close_on", json!("1899-12-31"), "/opportunity/expected_close_on"),
        ("expected_close_on", json!("never"), "/opportunity/expected_close_on"),
    ] {
        let body = json!({"opportunity": with(&deal, member, value)});
        let what = body.to_string();
        let request = rep.request(Method::POST, &format!("/leads/{qualified}/convert")).json(&body);
        refusals.refused(&what, &rep, request, 422, "validation_failed", pointer).await;
    }
    let admin = refusals.company.admin.client.clone();
    let cases = [
        (with(&user, "password", json!("short")), "/password"),
        (with(&user, "password", json!("x".repeat(10_000))), "/password"),
        (with(&user, "email", json!("nobody")), "/email"),
        (with(&user, "roles", json!([])), "/roles"),
        (with(&user, "locale", json!("xx")), "/locale"),
    ];
    for (body, pointer) in cases {
        let what = format!(
            "a user with {pointer} {}",
            body[&pointer[1..]].to_string().chars().take(40).collect::<String>()
        );
        let request = admin.request(Method::POST, "/users").json(&body);
        refusals.refused(&what, &admin, request, 422, "validation_failed", pointer).await;
    }
    refusals.end().await;
}

async fn amounts_are_exact_or_refused(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let finance = company.finance.client.clone();
    let customer = company.customer(&company.rep).await;
    let contract = company.active(&company.rep, "1000.00", "by_contract").await;
    let billed = company.active(&company.rep, "1000.00", "by_invoice").await;
    let invoice = company.invoice_draft(&company.rep, &billed, "100.00").await;
    let mut refusals = Refusals::begin(company).await;
    let cny = |amount: &str| json!({"amount": amount, "currency": "CNY"});
    let contract_form = json!({
        "title": "Delivery", "customer_id": customer, "amount": cny("100.00"), "collection_scheme": "by_contract",
        "installments": [{"due_on": "2026-12-31", "amount": cny("100.00")}],
    });
    let invoice_form =
        json!({"contract_id": billed, "amount": cny("100.00"), "tax_rate": "0.13", "kind": "special"});
    let payment_form = json!({
        "contract_id": contract, "amount": cny("100.00"), "received_on": "2026-01-05", "method": "bank_transfer",
    });
    let forms = [
        ("/contracts", contract_form.clone()),
        ("/invoices", invoice_form.clone()),
        ("/payments", payment_form.clone()),
        ("/opportunities", json!({"customer_id": customer, "name": "A"})),
    ];
    let bad = [
        ("1.001", "CNY", "too_many_decimals", "/amount/amount"),
        ("0.001", "CNY", "too_many_decimals", "/amount/amount"),
        ("1.5", "JPY", "too_many_decimals", "/amount/amount"),
        ("1e3", "CNY", "invalid_amount", "/amount/amount"),
        ("1E+3", "CNY", "invalid_amount", "/amount/amount"),
        ("+5", "CNY", "invalid_amount", "/amount/amount"),
        (" 5", "CNY", "invalid_amount", "/amount/amount"),
        ("5 ", "CNY", "invalid_amount", "/amount/amount"),
        ("5.", "CNY", "invalid_amount", "/amount/amount"),
        (".5", "CNY", "invalid_amount", "/amount/amount"),
        ("", "CNY", "invalid_amount", "/amount/amount"),
        ("-", "CNY", "invalid_amount", "/amount/amount"),
        ("--5", "CNY", "invalid_amount", "/amount/amount"),
        ("1,000.00", "CNY", "invalid_amount", "/amount/amount"),
        ("1_000", "CNY", "invalid_amount", "/amount/amount"),
        ("0x10", "CNY", "invalid_amount", "/amount/amount"),
        ("NaN", "CNY", "invalid_amount", "/amount/amount"),
        ("Infinity", "CNY", "invalid_amount", "/amount/amount"),
        ("１００", "CNY", "invalid_amount", "/amount/amount"),
        ("5\u{0}", "CNY", "invalid_amount", "/amount/amount"),
        ("5 CNY", "CNY", "invalid_amount", "/amount/amount"),
        ("9".repeat(400).leak(), "CNY", "invalid_amount", "/amount/amount"),
        ("99999999999999999999999", "CNY", "amount_out_of_range", "/amount/amount"),
        ("10000000000000.01", "CNY", "amount_out_of_range", "/amount/amount"),
        ("92233720368547758.08", "CNY", "amount_out_of_range", "/amount/amount"),
        ("-5.00", "CNY", "not_positive", "/amount"),
        ("0", "CNY", "not_positive", "/amount"),
        ("-0.00", "CNY", "not_positive", "/amount"),
        ("5.00", "cny", "unknown_currency", "/amount/currency"),
        ("5.00", "RMB", "unknown_currency", "/amount/currency"),
        ("5.00", "XXX", "unknown_currency", "/amount/currency"),
        ("5.00", "", "unknown_currency", "/amount/currency"),
        ("5.00", "C\u{0}Y", "unknown_currency", "/amount/currency"),
    ];
    for (path, form) in &forms {
        for (amount, currency, rule, pointer) in bad {
            let what = format!("{path} {} {currency}", amount.chars().take(30).collect::<String>());
            let answer =
                rep.post(path, with(form, "amount", json!({"amount": amount, "currency": currency}))).await;
            let answer = refusals.check(&what, answer, 422, "validation_failed", Some(pointer));
            if answer.body["errors"][0]["code"] != rule {
                refusals.wrong.push(format!("{what}: the rule is not {rule}: {}", answer.text));
            }
        }
        for (number, pointer) in
            [(json!(100), "/amount"), (json!({"amount": 100.0, "currency": "CNY"}), "/amount/amount")]
        {
            let request = rep.request(Method::POST, path).json(&with(form, "amount", number));
            refusals.refused("a number", &rep, request, 400, "malformed_request", pointer).await;
        }
    }
    // Inside arrays too.
    let plan = |amount: Value| {
        with(
            &contract_form,
            "installments",
            json!([{"due_on": "2026-12-31", "amount": cny("50.00")}, {"due_on": "2026-12-31", "amount": amount}]),
        )
    };
    let items = |quantity: &str, discount: &str| {
        with(
            &contract_form,
            "line_items",
            json!([{"product": "Pump", "quantity": quantity, "unit_price": cny("100.00"), "discount": discount}]),
        )
    };
    let cases = [
        (plan(cny("50.001")), "/installments/1/amount/amount"),
        (plan(cny("-50.00")), "/installments/1/amount"),
        (plan(json!({"amount": "50.00", "currency": "USD"})), ""),
        (items("0", "0"), "/line_items/0/quantity"),
        (items("-1", "0"), "/line_items/0/quantity"),
        (items("1.00001", "0"), "/line_items/0/quantity"),
        (items("1e1", "0"), "/line_items/0/quantity"),
        (items("10000000000", "0"), "/line_items/0/quantity"),
        (items("1", "1.01"), "/line_items/0/discount"),
        (items("1", "-0.1"), "/line_items/0/discount"),
        (items("2", "0"), ""),
        (items("1000000000", "0"), ""),
        (
            with(&contract_form, "installments", json!(vec![contract_form["installments"][0].clone(); 121])),
            "/installments",
        ),
        (
            with(
                &contract_form,
                "line_items",
                json!(vec![json!({"product": "Pump", "quantity": "1", "unit_price": cny("1.00")}); 201]),
            ),
            "/line_items",
        ),
        (with(&contract_form, "signed_on", json!("2026-06-31")), "/signed_on"),
        (
            with(&contract_form, "installments", json!([{"due_on": "31.12.2026", "amount": cny("100.00")}])),
            "/installments/0/due_on",
        ),
        (with(&with(&contract_form, "starts_on", json!("2026-02-01")), "ends_on", json!("2026-01-01")), ""),
    ];
    for (form, pointer) in cases {
        let what = form.to_string().chars().take(400).collect::<String>();
        let request = rep.request(Method::POST, "/contracts").json(&form);
        refusals.refused(&what, &rep, request, 422, "validation_failed", pointer).await;
    }
    for rate in ["1.5", "-0.1", "0.12345", "13%", "1e-1", "", ".13", "0.1\u{0}"] {
        let request =
            rep.request(Method::POST, "/invoices").json(&with(&invoice_form, "tax_rate", json!(rate)));
        refusals.refused(rate, &rep, request, 422, "validation_failed", "/tax_rate").await;
    }
    let request = rep.request(Method::POST, "/invoices").json(&with(&invoice_form, "tax_rate", json!(0.13)));
    refusals.refused("a float rate", &rep, request, 400, "malformed_request", "/tax_rate").await;
    // Another currency than the contract's.
    let usd = json!({"amount": "100.00", "currency": "USD"});
    for (path, form) in [("/invoices", &invoice_form), ("/payments", &payment_form)] {
        let answer = rep.post(path, with(form, "amount", usd.clone())).await;
        refusals.check(path, answer, 422, "currency_mismatch", None);
    }
    let answer = rep.patch(&format!("/invoices/{invoice}"), json!({"amount": usd})).await;
    refusals.check("an invoice's currency", answer, 422, "currency_mismatch", None);
    // More than the contract has.
    let answer = finance.post("/payments", with(&payment_form, "amount", cny("1000.01"))).await;
    refusals.check("too much", answer, 409, "payment_exceeds_contract", None);
    for day in ["2026-02-29", "2999-01-01", "0000-01-01"] {
        let request =
            rep.request(Method::POST, "/payments").json(&with(&payment_form, "received_on", json!(day)));
        refusals.refused(day, &rep, request, 422, "validation_failed", "/received_on").await;
    }
    refusals.end().await;
}

async fn references_lead_to_records_that_the_caller_sees(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let theirs = company.customer(&company.other_rep).await;
    let lead = rep.post("/leads", lead()).await.expect(201).id();
    let contract = company.active(&company.other_rep, "1000.00", "by_contract").await;
    let mut refusals = Refusals::begin(company).await;
    let cny = json!({"amount": "100.00", "currency": "CNY"});
    let forms = |customer: &str, contract: &str| {
        [
            ("/contacts", "/customer_id", json!({"customer_id": customer, "name": "A"})),
            ("/opportunities", "/customer_id", json!({"customer_id": customer, "name": "A"})),
            (
                "/contracts",
                "/customer_id",
                json!({"customer_id": customer, "title": "A", "amount": cny, "collection_scheme": "by_contract"}),
            ),
            (
                "/activities",
                "/about/id",
                json!({"about": {"kind": "customer", "id": customer}, "kind": "call", "subject": "A"}),
            ),
            (
                "/invoices",
                "/contract_id",
                json!({"contract_id": contract, "amount": cny, "tax_rate": "0.13", "kind": "special"}),
            ),
            (
                "/payments",
                "/contract_id",
                json!({"contract_id": contract, "amount": cny, "received_on": "2026-01-05", "method": "cash"}),
            ),
        ]
    };
    // A record of others is answered like one that does not exist.
    for (customer, contract) in [(UNKNOWN_ID, UNKNOWN_ID), (theirs.as_str(), contract.as_str())] {
        for (path, pointer, form) in forms(customer, contract) {
            let request = rep.request(Method::POST, path).json(&form);
            refusals.refused(path, &rep, request, 422, "unknown_reference", pointer).await;
        }
    }
    for bad in
        ["x", "", "0190163D-8694-739B-AEA5-966C26F8AD91", "0190163d8694739baea5966c26f8ad91", "' OR 1=1 --"]
    {
        for (path, pointer, form) in forms(bad, bad) {
            let request = rep.request(Method::POST, path).json(&form);
            refusals.refused(bad, &rep, request, 422, "validation_failed", pointer).await;
        }
    }
    let admin = refusals.company.admin.client.clone();
    let user = json!({"email": "new@example.com", "display_name": "New", "roles": ["sales_rep"], "password": "a-password-for-tests"});
    for (form, pointer) in [
        (with(&user, "team_id", json!(UNKNOWN_ID)), "/team_id"),
        (with(&user, "roles", json!(["pirate"])), "/roles/0"),
    ] {
        let request = admin.request(Method::POST, "/users").json(&form);
        refusals.refused(pointer, &admin, request, 422, "unknown_reference", pointer).await;
    }
    let assign =
        admin.request(Method::POST, &format!("/leads/{lead}/assign")).json(&json!({"owner_id": UNKNOWN_ID}));
    refusals.refused("assign", &admin, assign, 422, "unknown_reference", "/owner_id").await;
    refusals.end().await;
}

async fn media_types_and_languages_are_negotiated(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let id = rep.post("/leads", lead()).await.expect(201).id();
    let mut refusals = Refusals::begin(company).await;
    let path = format!("/leads/{id}");
    let body = lead().to_string();
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/jsonp",
        "json",
        "",
    ] {
        for (method, path) in [(Method::POST, "/leads"), (Method::PATCH, path.as_str())] {
            let request = rep
                .request(method, path)
                .header("if-match", "*")
                .header("content-type", kind)
                .body(body.clone());
            let answer = rep.send(request).await;
            refusals.check(kind, answer, 415, "unsupported_media_type", None);
        }
    }
    let answer = rep.send(rep.request(Method::POST, "/leads").body(body.clone())).await;
    refusals.check("no type", answer, 415, "unsupported_media_type", None);
    let packed = raw(&rep, Method::POST, "/leads", body.clone()).header("content-encoding", "gzip");
    let answer = rep.send(packed).await;
    refusals.check("compressed", answer, 415, "unsupported_media_type", None);
    let merge = rep
        .request(Method::POST, "/leads")
        .header("content-type", "application/merge-patch+json")
        .body(body.clone());
    let answer = rep.send(merge).await;
    refusals.check("a patch to create", answer, 415, "unsupported_media_type", None);
    for accept in ["text/html", "application/xml", "application/json;q=0", "image/*"] {
        for (method, path) in [
            (Method::GET, "/leads"),
            (Method::GET, path.as_str()),
            (Method::POST, "/leads"),
            (Method::PATCH, path.as_str()),
        ] {
            let answer = rep.send(raw(&rep, method, path, body.clone()).header("accept", accept)).await;
            refusals.check(accept, answer, 406, "not_acceptable", None);
        }
    }
    // Titles are for people, codes are not.
    for (languages, title, tag) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", "未找到", "zh-CN"),
        ("zh", "未找到", "zh-CN"),
        ("en-US,zh;q=0.5", "Not found", "en"),
        ("fr", "Not found", "en"),
    ] {
        let request =
            rep.request(Method::GET, &format!("/leads/{UNKNOWN_ID}")).header("accept-language", languages);
        let answer = rep.send(request).await;
        let answer = refusals.check(languages, answer, 404, "not_found", None);
        assert_eq!(answer.body["title"], title, "{languages}");
        assert_eq!(answer.header("content-language"), tag, "{languages}");
    }
    refusals.end().await;
}

async fn paths_and_methods_that_are_not_there_are_problems(server: Server) {
    let company = Company::found(&server).await;
    let admin = company.admin.client.clone();
    let mut refusals = Refusals::begin(company).await;
    for path in [
        "/",
        "/nope",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nope",
        "/api/v2/leads",
        "/api/v1/Leads",
        "/api/v1/leads/",
        "/api/v1//leads",
        "/.well-known/nope",
        "/swagger-ui/nope.js",
        "/swagger-ui/index.html/nope",
        "/../etc/passwd",
        "/%00",
    ] {
        let answer = admin.get_root(path).await;
        refusals.check(path, answer, 404, "not_found", None);
    }
    let answer = admin.get_root("/problems/nope").await;
    refusals.check("an unknown code", answer, 400, "malformed_request", Some("code"));
    let answer = admin.act(&format!("/leads/{UNKNOWN_ID}/fly")).await;
    refusals.check("an unknown action", answer, 404, "not_found", None);
    let known = format!("/leads/{UNKNOWN_ID}");
    let claim = format!("/public-pool/customers/{UNKNOWN_ID}/claim");
    let cases = [
        (Method::PUT, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::DELETE, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::PATCH, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::TRACE, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::PUT, known.as_str(), vec!["GET", "HEAD", "PATCH", "DELETE"]),
        (Method::POST, known.as_str(), vec!["GET", "HEAD", "PATCH", "DELETE"]),
        (Method::GET, claim.as_str(), vec!["POST"]),
        (Method::DELETE, "/me", vec!["GET", "HEAD"]),
        (Method::from_bytes(b"BREW").unwrap(), "/me", vec!["GET", "HEAD"]),
    ];
    for (method, path, allowed) in cases {
        let what = format!("{method} {path}");
        let answer = admin.send(admin.request(method, path)).await;
        let answer = refusals.check(&what, answer, 405, "method_not_allowed", None);
        let mut said: Vec<&str> =
            answer.header("allow").split(", ").filter(|one| *one != "OPTIONS").collect();
        let mut allowed = allowed;
        said.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(said, allowed, "{what}");
    }
    // Ids.
    for bad in [
        "abc",
        "1",
        "-1",
        "%00",
        "%FF",
        "%F0%9F%90%8D",
        "0190163D-8694-739B-AEA5-966C26F8AD91",
        "0190163d8694739baea5966c26f8ad91",
        "%7B0190163d-8694-739b-aea5-966c26f8ad91%7D",
        "' OR '1'='1",
        "null",
        "*",
    ] {
        for resource in [
            "leads",
            "customers",
            "public-pool/customers",
            "contacts",
            "activities",
            "pipelines",
            "opportunities",
            "contracts",
            "invoices",
            "payments",
            "approvals",
            "users",
            "teams",
            "roles",
            "audit-events",
        ] {
            let answer = admin.get(&format!("/{resource}/{bad}")).await;
            refusals.check(bad, answer, 400, "malformed_request", Some("id"));
        }
        for request in [
            raw(&admin, Method::PATCH, &format!("/leads/{bad}"), "{}"),
            admin.request(Method::DELETE, &format!("/leads/{bad}")).header("if-match", "*"),
            admin.request(Method::POST, &format!("/leads/{bad}/claim")),
        ] {
            refusals.refused(bad, &admin, request, 400, "malformed_request", "id").await;
        }
    }
    // The catalogue explains every code that the specification knows.
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let codes = document["components"]["schemas"]["Code"]["enum"].as_array().unwrap();
    assert!(codes.len() > 40, "{codes:?}");
    let listed = server.anonymous().get_root("/problems").await.expect(200).body;
    for code in codes {
        let code = code.as_str().unwrap();
        let kind = server.anonymous().get_root(&format!("/problems/{code}")).await.expect(200).body;
        assert_eq!(kind["code"], code);
        // One problem is none: it leads from a record that was merged to the one that stayed.
        let merged = kind["code"] == "merged" && kind["status"] == 308;
        assert!(merged || (400..600).contains(&kind["status"].as_u64().unwrap()), "{kind}");
        assert!(listed.to_string().contains(&format!("\"{code}\"")), "{code}");
    }
    refusals.end().await;
}

async fn versions_are_checked(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let first = rep.post("/leads", lead()).await.expect(201);
    let (path, tag) = (format!("/leads/{}", first.id()), first.header("etag").to_owned());
    assert_eq!(tag, "\"v1\"");
    let second = rep.patch_if(&path, &tag, json!({"title": "CEO"})).await.expect(200);
    assert_eq!(second.header("etag"), "\"v2\"");
    let mut refusals = Refusals::begin(company).await;

    for request in
        [rep.request(Method::PATCH, &path).json(&json!({"title": "CTO"})), rep.request(Method::DELETE, &path)]
    {
        let answer = rep.send(request).await;
        refusals.check("no If-Match", answer, 428, "precondition_required", None);
    }
    let writes = |value: &str| {
        [
            rep.request(Method::PATCH, &path).json(&json!({"title": "CTO"})).header("if-match", value),
            rep.request(Method::DELETE, &path).header("if-match", value),
            rep.request(Method::POST, &format!("{path}/disqualify"))
                .json(&json!({"reason": "no_need"}))
                .header("if-match", value),
        ]
    };
    // Old, never seen, weak, foreign: none of them is the present version, and which that is, is said.
    for other in [
        tag.as_str(),
        "\"v3\"",
        "W/\"v2\"",
        "\"abc\"",
        "\"v02\"",
        "\"v1\", \"abc\"",
        "\"2\"",
        "\"v99999999999999999999\"",
    ] {
        for request in writes(other) {
            let answer = rep.send(request).await;
            let answer = refusals.check(other, answer, 412, "version_mismatch", None);
            if answer.body["current_version"] != 2 {
                refusals.wrong.push(format!("{other}: does not tell the present version: {}", answer.text));
            }
        }
    }
    for nonsense in ["v2", "2", "\"v2", "\"v2\" \"v2\"", "\"v2\",", "", "*, \"v2\"", "'v2'"] {
        for request in writes(nonsense) {
            refusals.refused(nonsense, &rep, request, 400, "malformed_request", "If-Match").await;
        }
    }
    // Somebody else's record stays unseen, whatever the version.
    let stranger = refusals.company.other_rep.client.clone();
    for value in ["\"v1\"", "\"v2\"", "\"abc\"", "*"] {
        let request =
            stranger.request(Method::PATCH, &path).json(&json!({"title": "CTO"})).header("if-match", value);
        let answer = stranger.send(request).await;
        refusals.check(value, answer, 404, "not_found", None);
    }

    let read = |value: &str| rep.request(Method::GET, &path).header("if-none-match", value);
    for seen in ["\"v2\"", "W/\"v2\"", "\"v1\", \"v2\"", "*"] {
        let answer = rep.send(read(seen)).await.expect(304);
        assert_eq!((answer.text.as_str(), answer.header("etag")), ("", "\"v2\""), "{seen}");
    }
    for other in ["\"v1\"", "\"abc\"", "W/\"v1\""] {
        rep.send(read(other)).await.expect(200);
    }
    for nonsense in ["v2", "\"v2", "2"] {
        refusals.refused(nonsense, &rep, read(nonsense), 400, "malformed_request", "If-None-Match").await;
    }
    refusals.end().await;
}

async fn queries_are_read_strictly(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let id = rep.post("/leads", lead()).await.expect(201).id();
    let mut refusals = Refusals::begin(company).await;
    let too_long = format!("name={}", "x".repeat(4001));
    let too_many = format!("status={}", vec!["new"; 101].join(","));
    let cases = [
        ("color=red", "color"),
        ("name_like=x", "name_like"),
        ("name_gte=x", "name_gte"),
        ("status_contains=new", "status_contains"),
        ("name_is_null=true", "name_is_null"),
        ("NAME=x", "NAME"),
        ("=x", ""),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("total=yes", "total"),
        ("total=", "total"),
        ("sort=shoe_size", "sort"),
        ("sort=phone", "sort"),
        ("sort=", "sort"),
        ("sort=name,name", "sort"),
        ("sort=name,-name", "sort"),
        ("sort=--name", "sort"),
        ("sort=name;DROP%20TABLE%20leads", "sort"),
        ("sort=name,company,created_at,updated_at,expected_purchase_on", "sort"),
        ("include=password", "include"),
        ("include=", "include"),
        ("status=shiny", "status"),
        ("status=new,shiny", "status"),
        ("status_ne=shiny", "status_ne"),
        ("status=", "status"),
        ("owner_id=x", "owner_id"),
        ("owner_id=%7B0190163d-8694-739b-aea5-966c26f8ad91%7D", "owner_id"),
        ("owner_id=0190163D-8694-739B-AEA5-966C26F8AD91", "owner_id"),
        ("owner_id_is_null=maybe", "owner_id_is_null"),
        ("created_at_gte=yesterday", "created_at_gte"),
        ("created_at_gte=2026-01-01", "created_at_gte"),
        ("created_at_gte=2016-12-31T23:59:60Z", "created_at_gte"),
        ("created_at_gte=-262143-01-01T00:00:00Z", "created_at_gte"),
        ("created_at_gte=%2B262142-01-01T00:00:00Z", "created_at_gte"),
        ("expected_purchase_on=2026-02-30", "expected_purchase_on"),
        ("expected_purchase_on_lte=2026-1-1", "expected_purchase_on_lte"),
        ("expected_purchase_on_lte=-262143-01-01", "expected_purchase_on_lte"),
        ("expected_purchase_on_lte=%2B262142-12-31", "expected_purchase_on_lte"),
        ("budget_gte=lots", "budget_gte"),
        ("budget_gte=1.001", "budget_gte"),
        ("budget_gte=1%20XXX", "budget_gte"),
        ("budget_gte=1%20", "budget_gte"),
        ("budget_gte=99999999999999999999", "budget_gte"),
        ("budget_gte=1e3", "budget_gte"),
        ("name=a%00b", "name"),
        ("q=", "q"),
        ("q=%00", "q"),
        (too_long.as_str(), "name"),
        (too_many.as_str(), "status"),
    ];
    for (query, pointer) in cases {
        let what: String = query.chars().take(80).collect();
        let request = rep.request(Method::GET, &format!("/leads?{query}"));
        refusals.refused(&what, &rep, request, 400, "malformed_request", pointer).await;
    }
    let answer = rep.get("/leads?color=red").await;
    let allowed = answer.body["allowed"].as_array().expect("the known parameters");
    for name in [
        "name",
        "name_contains",
        "status_ne",
        "budget_gte",
        "owner_id_is_null",
        "q",
        "sort",
        "limit",
        "cursor",
        "total",
        "include",
    ] {
        assert!(allowed.iter().any(|known| known == name), "{name} is not in {allowed:?}");
    }
    // Operations that are no lists have no parameters at all.
    for (method, path) in [
        (Method::GET, "/me?x=1".to_owned()),
        (Method::GET, format!("/leads/{id}?include=owner")),
        (Method::POST, "/leads?owner_id=1".to_owned()),
        (Method::POST, format!("/leads/{id}/qualify?force=true")),
        (Method::PATCH, format!("/leads/{id}?x=")),
        (Method::DELETE, format!("/leads/{id}?x")),
    ] {
        let answer = rep.send(raw(&rep, method, &path, "{}")).await;
        refusals.check(&path, answer, 400, "malformed_request", None);
    }
    let admin = refusals.company.admin.client.clone();
    for query in ["sequence=x", "sequence=1.5", "sequence_gte=99999999999999999999", "sequence_gte="] {
        let pointer = query.split_once('=').unwrap().0;
        let request = admin.request(Method::GET, &format!("/audit-events?{query}"));
        refusals.refused(query, &admin, request, 400, "malformed_request", pointer).await;
    }
    refusals.end().await;
}

async fn cursors_belong_to_their_question(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    for name in ["a", "b", "c"] {
        rep.post("/leads", with(&lead(), "name", json!(name))).await.expect(201);
        rep.post("/customers", json!({"kind": "company", "name": name})).await.expect(201);
    }
    let mut refusals = Refusals::begin(company).await;
    let page = rep.get("/leads?source=website&sort=name&limit=1").await.expect(200);
    let cursor = page.body["page"]["next_cursor"].as_str().unwrap().to_owned();
    let follow = |query: &str| format!("/leads?{query}&cursor={cursor}");
    // The size of a page and what it shows of each row may change on the way.
    for same in [
        "source=website&sort=name",
        "sort=name&limit=2&source=website",
        "source=website&sort=name&include=owner&total=true",
    ] {
        rep.get(&follow(same)).await.expect(200);
    }
    for other in [
        "source=website",
        "source=website&sort=-name",
        "source=website&sort=name,company",
        "source=website,event&sort=name",
        "sort=name",
        "source=website&sort=name&q=a",
        "source=website&sort=name&status=new",
    ] {
        let request = rep.request(Method::GET, &follow(other));
        refusals.refused(other, &rep, request, 400, "cursor_mismatch", "cursor").await;
    }
    let (head, tail) = cursor.split_at(cursor.len() / 2);
    let turned = if tail.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{head}{turned}{}", &tail[1..]);
    let bad = [
        "x",
        "%00",
        "bm90IG91cnM",
        "////",
        &cursor[..cursor.len() - 4],
        &flipped,
        &format!("{cursor}AAAA"),
        "",
        &"A".repeat(6000),
    ]
    .map(str::to_owned);
    for bad in bad {
        let what: String = format!("cursor {}", bad.chars().take(40).collect::<String>());
        let request = rep.request(Method::GET, &format!("/leads?source=website&sort=name&cursor={bad}"));
        refusals.refused(&what, &rep, request, 400, "invalid_cursor", "cursor").await;
    }
    // A cursor of another resource, with the very same question.
    let page = rep.get("/customers?sort=name&limit=1").await.expect(200);
    let foreign = page.body["page"]["next_cursor"].as_str().unwrap();
    for path in ["/leads", "/public-pool/customers", "/contracts?sort=title"] {
        let separator = if path.contains('?') { "&" } else { "?sort=name&" };
        let request = rep.request(Method::GET, &format!("{path}{separator}cursor={foreign}"));
        refusals.refused(path, &rep, request, 400, "invalid_cursor", "cursor").await;
    }
    refusals.end().await;
}

async fn idempotency_keys_have_a_form(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let mut refusals = Refusals::begin(company).await;
    let long = "k".repeat(256);
    for key in ["a b", "", " ", long.as_str(), "a\tb", "schlüssel"] {
        let request =
            rep.request(Method::POST, "/leads").header("idempotency-key", key.as_bytes()).json(&lead());
        refusals.refused(key, &rep, request, 400, "malformed_request", "Idempotency-Key").await;
    }
    for second in ["one", "two"] {
        let request = rep.request(Method::POST, "/leads").header("idempotency-key", "one");
        let request = request.header("idempotency-key", second).json(&lead());
        refusals.refused(second, &rep, request, 400, "malformed_request", "Idempotency-Key").await;
    }
    refusals.end().await;
}

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
        let takes_json = operation["requestBody"]["content"].get("application/json").is_some();
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
            for value in values {
                requests.push((
                    format!("{path}?{name}={value}"),
                    director.root(Method::GET, &format!("{path}?{name}={value}")),
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
