//! Forms: what cannot be read, and what breaks a rule.

use super::*;

on_both_databases! {
    bodies_that_cannot_be_read_are_refused;
    values_that_break_a_rule_are_named;
    amounts_are_exact_or_refused;
    references_lead_to_records_that_the_caller_sees;
    changes_of_a_customer_are_told_with_the_rest_of_their_form;
}

async fn changes_of_a_customer_are_told_with_the_rest_of_their_form(server: Server) {
    let company = Company::found(&server).await;
    let customer = company.customer(&company.rep).await;
    let ask = async |changes: Value| {
        let form = json!({"customer_id": customer, "changes": changes, "reason": "x".repeat(201)});
        company.rep.client.post("/customer-changes", form).await
    };
    for (changes, status, code, pointers) in [
        (
            json!({"name": "", "email": "nowhere"}),
            422,
            "validation_failed",
            "/changes/email, /changes/name, /reason",
        ),
        (json!({}), 422, "validation_failed", "/changes, /reason"),
        (json!({"nmae": "a"}), 400, "malformed_request", "/changes/nmae"),
        (json!({"grade": "Z"}), 422, "validation_failed", "/changes/grade"),
    ] {
        let refused = ask(changes.clone()).await.refused(status, code);
        let errors = refused.body["errors"].as_array().unwrap().iter();
        let told: Vec<&str> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(told.join(", "), pointers, "{changes}");
    }
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
        ("tags", json!(many(21)), "/tags", "length"),
        ("tags", json!(many(20_000)), "/tags", "length"),
        ("tags", json!(["vip", "vip"]), "/tags", "distinct"),
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
    // A word that is none of a closed list ends the reading, so that it is told alone.
    let answer = rep.post("/leads", json!({"name": "", "source": "nope", "email": "x"})).await;
    let answer = refusals.check("an unknown word", answer, 422, "validation_failed", Some("/source"));
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(1), "{}", answer.text);
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
    // A record of others is answered like one that does not exist, however its id is written.
    let (capitals, others) = (theirs.to_uppercase(), (theirs.as_str(), contract.as_str()));
    for (customer, contract) in [(UNKNOWN_ID, UNKNOWN_ID), others, (&capitals, others.1)] {
        for (path, pointer, form) in forms(customer, contract) {
            let request = rep.request(Method::POST, path).json(&form);
            refusals.refused(path, &rep, request, 422, "unknown_reference", pointer).await;
        }
    }
    for bad in ["x", "", "0190163d8694739baea5966c26f8ad91", "' OR 1=1 --"] {
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
