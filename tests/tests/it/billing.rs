//! What invoices, payments and contracts owe to the customer behind them.

use serde_json::{Value, json};

use crate::support::{Company, Person, Server};

on_both_databases! {
    an_invoice_tells_no_more_than_the_contract_does;
    a_reopened_contract_takes_its_customer_from_the_pool;
    heavy_no_release_slips_past_a_contract_that_runs_again;
    a_tax_invoice_is_entered_once_however_it_is_typed;
    a_special_invoice_names_its_buyer;
    nothing_is_begun_for_a_disabled_owner;
    another_currency_is_named_with_its_place;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// A customer with a tax profile and a running contract with it.
async fn billed(company: &Company, owner: &Person, scheme: &str) -> (String, String) {
    let form = json!({
        "kind": "company", "name": format!("Acme {:x}", rand::random::<u64>()),
        "tax_profiles": [{"tax_number": "91310000"}, {"tax_number": "91320000", "invoice_title": "Branch"}],
    });
    let customer = owner.client.post("/customers", form).await.expect(201).id();
    let form = json!({
        "title": "Delivery", "customer_id": customer, "amount": cny("100.00"), "collection_scheme": scheme,
        "installments": [{"due_on": "2026-12-31", "amount": cny("100.00")}],
    });
    let contract = owner.client.post("/contracts", form).await.expect(201).id();
    owner.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    company.approve(&contract).await;
    (customer, contract)
}

/// Has a contract paid in full. Answers with the payment.
async fn paid(company: &Company, owner: &Person, contract: &str) -> String {
    let payment = owner.client.post("/payments", Company::payment(contract, "100.00")).await.expect(201).id();
    company.finance.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
    payment
}

async fn release(owner: &Person, customer: &str) {
    let path = format!("/customers/{customer}/release");
    owner.client.post(&path, json!({"reason": "All is paid."})).await.expect(200);
}

fn invoice(contract: &str) -> Value {
    json!({"contract_id": contract, "amount": cny("10.00"), "tax_rate": "0.13", "kind": "special"})
}

async fn an_invoice_tells_no_more_than_the_contract_does(server: Server) {
    let company = Company::found(&server).await;
    let (rep, director) = (&company.rep, &company.director.client);
    let profile = async |client: &crate::support::Client, contract: &str| {
        let path = format!("/contracts/{contract}/billing");
        let told = client.get(&path).await.expect(200).body["tax_profiles"][0].clone();
        let made = client.post("/invoices", invoice(contract)).await.expect(201).body["tax_profile"].clone();
        assert_eq!(told, made, "{path}");
        made["tax_number"].clone()
    };
    let (customer, contract) = billed(&company, rep, "by_invoice").await;
    assert_eq!(profile(&rep.client, &contract).await, "91310000");
    // Another one is named.
    let mut named = invoice(&contract);
    named["tax_profile"] = json!({"tax_number": "91320000"});
    let made = rep.client.post("/invoices", named).await.expect(201).body;
    assert_eq!(made["tax_profile"]["tax_number"], "91320000");
    // The customer goes to another team; its contract stays.
    let other = json!({"owner_id": company.other_rep.id});
    director.post(&format!("/customers/{customer}/assign"), other).await.expect(200);
    rep.client.get(&format!("/customers/{customer}")).await.refused(404, "not_found");
    assert_eq!(profile(&rep.client, &contract).await, Value::Null);
    assert_eq!(profile(director, &contract).await, "91310000");
    // In the pool it is seen, but masked.
    let (customer, contract) = billed(&company, rep, "by_contract").await;
    paid(&company, rep, &contract).await;
    release(rep, &customer).await;
    rep.client.get(&format!("/customers/{customer}")).await.expect(200);
    assert_eq!(profile(&rep.client, &contract).await, Value::Null);
    assert_eq!(profile(director, &contract).await, "91310000");
}

async fn a_reopened_contract_takes_its_customer_from_the_pool(server: Server) {
    let company = Company::found(&server).await;
    let (rep, admin) = (&company.rep, &company.admin.client);
    let mut cases = Vec::new();
    for _ in 0..3 {
        let (customer, contract) = billed(&company, rep, "by_contract").await;
        let payment = paid(&company, rep, &contract).await;
        release(rep, &customer).await;
        cases.push((customer, contract, payment));
    }
    let reverse = async |(customer, contract, payment): &(String, String, String)| {
        let path = format!("/payments/{payment}/reverse");
        company.finance.client.post(&path, json!({"reason": "Bounced."})).await.expect(200);
        let contract = admin.get(&format!("/contracts/{contract}")).await.expect(200);
        assert_eq!(contract.body["status"], "active");
        admin.get(&format!("/customers/{customer}")).await.expect(200)
    };
    let back = reverse(&cases[0]).await;
    assert_eq!((&back.body["owner_id"], &back.body["pooled_at"]), (&json!(rep.id), &Value::Null));
    let path = format!("/audit-events?record_id={}&sort=-sequence&limit=1", cases[0].0);
    let event = admin.get(&path).await.expect(200).body["data"][0].clone();
    assert_eq!(event["action"], "customer.returned");
    assert_eq!(event["actor_id"], json!(company.finance.id));
    assert_eq!(event["changes"]["owner_id"], json!({"before": null, "after": rep.id}));
    // With a running contract it is not released again.
    let path = format!("/customers/{}/release", cases[0].0);
    rep.client.post(&path, json!({"reason": "x"})).await.refused(409, "customer_has_open_business");

    // Whoever has taken it meanwhile keeps it.
    let claim = format!("/public-pool/customers/{}/claim", cases[1].0);
    company.colleague.client.act(&claim).await.expect(200);
    assert_eq!(reverse(&cases[1]).await.body["owner_id"], json!(company.colleague.id));

    // It goes back even to an owner who is not there any more.
    admin.post(&format!("/users/{}/disable", rep.id), json!({"keep_records": true})).await.expect(200);
    assert_eq!(reverse(&cases[2]).await.body["owner_id"], json!(rep.id));
}

async fn heavy_no_release_slips_past_a_contract_that_runs_again(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep;
    for round in 0..12 {
        let (customer, contract) = billed(&company, rep, "by_contract").await;
        let payment = paid(&company, rep, &contract).await;
        let (reverse, release) =
            (format!("/payments/{payment}/reverse"), format!("/customers/{customer}/release"));
        // Whoever begins first need not be first.
        let wait = async |first: bool| {
            if first != (round % 2 == 0) {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        let (reversed, released) = futures_util::future::join(
            async {
                wait(true).await;
                company.finance.client.post(&reverse, json!({"reason": "Bounced."})).await
            },
            async {
                wait(false).await;
                rep.client.post(&release, json!({"reason": "All is paid."})).await
            },
        )
        .await;
        reversed.expect(200);
        assert!([200, 409].contains(&released.status), "{}", released.text);
        let now = company.admin.client.get(&format!("/customers/{customer}")).await.expect(200);
        assert_eq!(now.body["owner_id"], json!(rep.id), "the release answered {}", released.status);
    }
}

async fn a_tax_invoice_is_entered_once_however_it_is_typed(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let mut invoices = Vec::new();
    for _ in 0..2 {
        let invoice = company.invoice_draft(&company.rep, &contract, "10.00").await;
        company.rep.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
        company.approve(&invoice).await;
        invoices.push(invoice);
    }
    let issue = async |invoice: &str, number: &str| {
        let form = json!({"tax_invoice_number": number});
        company.finance.client.post(&format!("/invoices/{invoice}/issue"), form).await
    };
    let first = issue(&invoices[0], " Ab 1２3").await.expect(200);
    // Kept as typed, but for what is around it.
    assert_eq!(first.body["tax_invoice_number"], "Ab 1２3");
    for twin in ["AB123", "ab123 ", "ab\u{3000}123", "ＡＢ１２３", "A B\u{200b}123"] {
        let taken = issue(&invoices[1], twin).await.refused(409, "duplicate");
        assert_eq!(taken.body["errors"][0]["pointer"], "/tax_invoice_number", "{twin}");
    }
    // Not before the contract was.
    let early = json!({"tax_invoice_number": "AB124", "issued_on": "1900-01-01"});
    let path = format!("/invoices/{}/issue", invoices[1]);
    let refused = company.finance.client.post(&path, early).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "before_contract");
    issue(&invoices[1], "AB124").await.expect(200);
}

async fn a_special_invoice_names_its_buyer(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    for (profile, kind, complete) in [
        (Value::Null, "special", false),
        (json!({"invoice_title": "Acme Ltd"}), "special", false),
        (json!({"invoice_title": "Acme Ltd", "tax_number": "91-A"}), "special", true),
        (Value::Null, "ordinary", true),
    ] {
        let form = json!({
            "contract_id": contract, "amount": cny("10.00"), "tax_rate": "0.13", "kind": kind, "tax_profile": profile,
        });
        let made = rep.post("/invoices", form).await.expect(201);
        let offered =
            made.body["allowed_actions"].as_array().unwrap().iter().find(|it| it["action"] == "submit");
        assert_eq!(offered.unwrap()["allowed"], complete);
        let submitted = rep.act(&format!("/invoices/{}/submit", made.id())).await;
        if complete {
            submitted.expect(200);
        } else {
            submitted.refused(409, "invoice_incomplete");
        }
    }
}

async fn nothing_is_begun_for_a_disabled_owner(server: Server) {
    let company = Company::found(&server).await;
    let (rep, director) = (&company.rep.client, &company.director.client);
    let lead = rep.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201).id();
    let call = json!({"about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "Hello"});
    rep.post("/activities", call).await.expect(201);
    rep.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    let customer = company.customer(&company.rep).await;
    let form = json!({"name": "Deal", "customer_id": customer, "amount": cny("100.00"), "expected_close_on": "2027-01-31"});
    let opportunity = rep.post("/opportunities", form).await.expect(201).id();
    company
        .admin
        .client
        .post(&format!("/users/{}/disable", company.rep.id), json!({"keep_records": true}))
        .await
        .expect(200);

    let convert = format!("/leads/{lead}/convert");
    director.post(&convert, json!({})).await.refused(409, "owner_not_eligible");
    let form = json!({
        "title": "Delivery", "customer_id": customer, "amount": cny("100.00"), "collection_scheme": "by_contract",
    });
    director.post("/contracts", form).await.refused(409, "owner_not_eligible");
    let advance = json!({"stage_id": company.signing_stage()});
    director
        .post(&format!("/opportunities/{opportunity}/advance"), advance)
        .await
        .refused(409, "owner_not_eligible");
    // As part of a customer of somebody else, the lead may still be converted.
    let customer = company.customer(&company.colleague).await;
    director.post(&convert, json!({"customer_id": customer})).await.expect(200);
}

async fn another_currency_is_named_with_its_place(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    let draft = company.invoice_draft(&company.rep, &contract, "10.00").await;
    let billing = rep.get(&format!("/contracts/{contract}/billing")).await.expect(200);
    let usd = json!({"amount": "10.00", "currency": "USD"});
    let mut payment = Company::payment(&contract, "10.00");
    payment["allocations"] =
        json!([{"installment_id": billing.body["installments"][0]["id"], "amount": usd}]);
    let allocated = rep.post("/payments", payment.clone()).await;
    payment["amount"] = usd.clone();
    payment["allocations"] = Value::Null;
    let mut form = invoice(&contract);
    form["amount"] = usd.clone();
    for (answer, pointer) in [
        (allocated, "/allocations/0/amount/currency"),
        (rep.post("/payments", payment).await, "/amount/currency"),
        (rep.post("/invoices", form).await, "/amount/currency"),
        (rep.patch(&format!("/invoices/{draft}"), json!({"amount": usd})).await, "/amount/currency"),
    ] {
        let answer = answer.refused(422, "currency_mismatch");
        assert_eq!(answer.body["detail"], "CNY is wanted here, not USD", "{}", answer.request);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.request);
    }
}
