//! Invoices and payments within their contract.

use super::*;

on_both_databases! {
    invoices_stay_within_the_contract;
    payments_stay_within_the_contract;
    by_invoice_takes_issued_invoices_only;
    a_transfer_is_entered_once;
    billing_tells_what_is_overdue;
}

async fn invoices_stay_within_the_contract(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let id = company.active(rep, "10000.00", "by_invoice").await;
    let submit = async |invoice: &str| rep.client.act(&format!("/invoices/{invoice}/submit")).await;

    // Drafts do not count; what is asked for does.
    let most = company.invoice_draft(rep, &id, "9000.00").await;
    let all = company.invoice_draft(rep, &id, "10000.00").await;
    let rest = company.invoice_draft(rep, &id, "1000.00").await;
    let cent_more = company.invoice_draft(rep, &id, "1000.01").await;
    submit(&most).await.expect(200);
    for (invoice, amount) in [(&all, "10000.00"), (&cent_more, "1000.01")] {
        let refused = submit(invoice).await.refused(409, "invoice_exceeds_contract");
        assert_eq!(refused.body["amount"], cny(amount));
        assert_eq!(refused.body["contract_amount"], cny("10000.00"));
        assert_eq!(refused.body["already_committed"], cny("9000.00"));
        assert_eq!(refused.body["remaining"], cny("1000.00"));
    }
    submit(&rest).await.expect(200);

    // Taken back, an amount is free again.
    rep.client.act(&format!("/invoices/{most}/withdraw")).await.expect(200);
    rep.client.act(&format!("/invoices/{rest}/withdraw")).await.expect(200);
    submit(&all).await.expect(200);
    company.approve(&all).await;
    submit(&most).await.refused(409, "invoice_exceeds_contract");
    let issue = async |invoice: &str, number: &str| {
        let form = json!({"tax_invoice_number": number});
        finance.client.post(&format!("/invoices/{invoice}/issue"), form).await
    };
    issue(&all, "T-1").await.expect(200);
    submit(&most).await.refused(409, "invoice_exceeds_contract");

    // What is paid cannot be voided before the payment is undone.
    let void = format!("/invoices/{all}/void");
    let form = json!({"reason": "wrong title"});
    let payment = record_payment(rep, &id, "4000.00").await.expect(201).id();
    let refused = finance.client.post(&void, form.clone()).await.refused(409, "invoice_has_payments");
    assert_eq!(refused.body["allocated"], cny("4000.00"));
    confirm(finance, &payment).await.expect(200);
    finance.client.post(&void, form.clone()).await.refused(409, "invoice_has_payments");
    let reverse = format!("/payments/{payment}/reverse");
    finance.client.post(&reverse, json!({"reason": "sent back"})).await.expect(200);
    rep.client.post(&void, form.clone()).await.refused(403, "forbidden");
    finance.client.post(&void, form).await.expect(200);
    let free = billing(&rep.client, &id).await;
    assert_eq!((&free["invoiced"], &free["invoiceable"]), (&cny("0.00"), &cny("10000.00")));

    // The number of a tax invoice is unique, voided or not.
    submit(&most).await.expect(200);
    company.approve(&most).await;
    let taken = issue(&most, "T-1").await.refused(409, "duplicate");
    assert_eq!(taken.body["errors"][0]["pointer"], "/tax_invoice_number");
    issue(&most, "T-2").await.expect(200);

    // Another currency never.
    let form = json!({
        "contract_id": id, "amount": {"amount": "1.00", "currency": "USD"}, "tax_rate": "0.13",
        "kind": "ordinary",
    });
    rep.client.post("/invoices", form).await.refused(422, "currency_mismatch");
}

async fn payments_stay_within_the_contract(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let id = company.active(rep, "10000.00", "by_contract").await;
    let first = record_payment(rep, &id, "9000.00").await.expect(201).id();
    for amount in ["1000.01", "10000.00"] {
        let refused = record_payment(rep, &id, amount).await.refused(409, "payment_exceeds_contract");
        assert_eq!(refused.body["amount"], cny(amount));
        assert_eq!(refused.body["contract_amount"], cny("10000.00"));
        assert_eq!(refused.body["already_received"], cny("9000.00"));
        assert_eq!(refused.body["remaining"], cny("1000.00"));
    }

    // A rejected payment gives its room back.
    let reject = format!("/payments/{first}/reject");
    finance.client.post(&reject, json!({})).await.refused(400, "malformed_request");
    finance.client.post(&reject, json!({"reason": "not on the account"})).await.expect(200);
    let whole = record_payment(rep, &id, "10000.00").await.expect(201).id();
    record_payment(rep, &id, "0.01").await.refused(409, "payment_exceeds_contract");
    confirm(finance, &whole).await.expect(200);
    record_payment(rep, &id, "0.01").await.refused(409, "contract_not_active");

    // Nor before the contract runs, in another currency, or before the money came.
    let draft = company.draft(rep, "10.00", "by_contract").await;
    record_payment(rep, &draft, "1.00").await.refused(409, "contract_not_active");
    let running = company.active(rep, "10.00", "by_contract").await;
    let with = |member: &str, value: Value| {
        let mut form = Company::payment(&running, "1.00");
        form[member] = value;
        form
    };
    let dollars = with("amount", json!({"amount": "1.00", "currency": "USD"}));
    rep.client.post("/payments", dollars).await.refused(422, "currency_mismatch");
    let early = rep.client.post("/payments", with("received_on", json!("2099-01-01"))).await;
    assert_eq!(early.refused(422, "validation_failed").body["errors"][0]["pointer"], "/received_on");
    record_payment(&company.other_rep, &running, "1.00").await.refused(422, "unknown_reference");
    record_payment(&company.marketing, &running, "1.00").await.refused(422, "unknown_reference");
    record_payment(&company.auditor, &running, "1.00").await.refused(403, "forbidden");
}

async fn by_invoice_takes_issued_invoices_only(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let id = company.active(rep, "10000.00", "by_invoice").await;
    record_payment(rep, &id, "1.00").await.refused(409, "nothing_to_allocate");
    let draft = company.invoice_draft(rep, &id, "1000.00").await;
    rep.client.act(&format!("/invoices/{draft}/submit")).await.expect(200);
    company.approve(&draft).await;
    record_payment(rep, &id, "1.00").await.refused(409, "nothing_to_allocate");
    let one = company.issued(rep, &id, "3000.00").await;
    let two = company.issued(rep, &id, "2000.00").await;

    // As said: what it says must fit and add up.
    let put = async |amount: &str, on: &[(&str, &str)]| {
        let mut form = Company::payment(&id, amount);
        let parts = on.iter().map(|(invoice, part)| json!({"invoice_id": invoice, "amount": cny(part)}));
        form["allocations"] = parts.collect();
        rep.client.post("/payments", form).await
    };
    put("100.00", &[(&draft, "100.00")]).await.refused(409, "allocation_exceeds_open");
    let refused = put("2500.00", &[(&two, "2500.00")]).await.refused(409, "allocation_exceeds_open");
    assert_eq!((&refused.body["target_id"], &refused.body["open"]), (&json!(two), &cny("2000.00")));
    put("2500.00", &[(&two, "2000.00")]).await.refused(409, "allocation_mismatch");
    let other = company.active(rep, "10000.00", "by_invoice").await;
    let stranger = company.issued(rep, &other, "100.00").await;
    put("100.00", &[(&stranger, "100.00")]).await.refused(422, "unknown_reference");
    let said = put("2500.00", &[(&two, "2000.00"), (&one, "500.00")]).await.expect(201);

    // Not said: the oldest invoice first, and no more than is open.
    record_payment(rep, &id, "2500.01").await.refused(409, "nothing_to_allocate");
    let rest = record_payment(rep, &id, "2500.00").await.expect(201);
    let on_one = |one_of: &Value| one_of["invoice_id"] == one && one_of["amount"] == cny("2500.00");
    assert!(rest.body["allocations"].as_array().unwrap().iter().any(on_one));
    // Rejecting it opens the invoice again, whole amounts only come off.
    finance
        .client
        .post(&format!("/payments/{}/reject", said.id()), json!({"reason": "no"}))
        .await
        .expect(200);
    let opened = rep.client.get(&format!("/invoices/{two}")).await.expect(200);
    assert_eq!(opened.body["allocated"], cny("0.00"));

    // Paid in full but not invoiced in full, a contract by invoice runs on.
    confirm(finance, &rest.id()).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "active");
}

async fn a_transfer_is_entered_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let id = company.active(rep, "10000.00", "by_contract").await;
    let other = company.active(&company.other_rep, "10000.00", "by_contract").await;
    let enter = async |by: &Person, contract: &str, reference: &str, method: &str| {
        let mut form = Company::payment(contract, "100.00");
        form["bank_reference"] = json!(reference);
        form["method"] = json!(method);
        by.client.post("/payments", form).await
    };
    let first = enter(rep, &id, "icbc 2026 0042", "bank_transfer").await.expect(201).id();
    for reference in ["icbc 2026 0042", "ICBC20260042", " Icbc 20260042 "] {
        let taken = enter(rep, &id, reference, "bank_transfer").await.refused(409, "duplicate");
        assert_eq!(taken.body["errors"][0]["pointer"], "/bank_reference");
    }
    enter(&company.other_rep, &other, "ICBC20260042", "bank_transfer").await.refused(409, "duplicate");
    assert_eq!(contract(&rep.client, &id).await["received"], cny("100.00"));
    enter(rep, &id, "ICBC20260042", "cheque").await.expect(201);
    let correct = enter(rep, &id, "ICBC20260043", "bank_transfer").await.expect(201).id();
    let form = json!({"bank_reference": "ICBC20260042"});
    rep.client.patch(&format!("/payments/{correct}"), form).await.refused(409, "duplicate");
    // One that does not count does not stand in the way.
    finance.client.post(&format!("/payments/{first}/reject"), json!({"reason": "typo"})).await.expect(200);
    enter(&company.other_rep, &other, "ICBC20260042", "bank_transfer").await.expect(201);
}

async fn billing_tells_what_is_overdue(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let form = json!({
        "title": "Old debts", "customer_id": company.customer(rep).await, "amount": cny("1000.00"),
        "collection_scheme": "by_contract",
        "installments": [
            {"due_on": "2020-01-31", "amount": cny("300.00")},
            {"due_on": "2020-02-29", "amount": cny("300.00")},
            {"due_on": "2099-12-31", "amount": cny("400.00")},
        ],
    });
    let id = rep.client.post("/contracts", form).await.expect(201).id();
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    company.approve(&id).await;
    let before = billing(&rep.client, &id).await;
    assert_eq!(each(&before, "status"), ["overdue", "overdue", "scheduled"]);
    assert_eq!(before["overdue"], cny("600.00"));
    let days: Vec<i64> = each(&before, "overdue_days").iter().map(|days| days.as_i64().unwrap()).collect();
    assert_eq!((days[0] - days[1], days[2]), (29, 0));

    // Recorded money does not count yet; in part, the rest stays overdue.
    let payment = record_payment(rep, &id, "400.00").await.expect(201).id();
    assert_eq!(billing(&rep.client, &id).await["overdue"], cny("600.00"));
    confirm(finance, &payment).await.expect(200);
    let after = billing(&rep.client, &id).await;
    assert_eq!(each(&after, "status"), ["paid", "overdue", "scheduled"]);
    assert_eq!(each(&after, "outstanding"), [cny("0.00"), cny("200.00"), cny("400.00")]);
    assert_eq!((&after["overdue"], &after["outstanding"]), (&cny("200.00"), &cny("600.00")));

    // Said otherwise, a payment goes where it is said.
    let last = after["installments"][2]["id"].clone();
    let mut form = Company::payment(&id, "400.00");
    form["allocations"] = json!([{"installment_id": last, "amount": cny("400.00")}]);
    let said = rep.client.post("/payments", form).await.expect(201).id();
    confirm(finance, &said).await.expect(200);
    assert_eq!(each(&billing(&rep.client, &id).await, "status"), ["paid", "overdue", "paid"]);
}
