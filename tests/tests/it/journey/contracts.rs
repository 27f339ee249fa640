//! Ways off the journey: drafts that are cancelled, contracts that move or end.

use super::*;

on_both_databases! {
    a_cancelled_draft_sends_the_opportunity_back;
    a_contract_goes_with_its_customer;
    a_terminated_contract_closes_its_plan;
}

async fn a_cancelled_draft_sends_the_opportunity_back(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep;
    let form = json!({
        "name": "Line two", "customer_id": company.customer(rep).await, "amount": cny("9000.00"),
    });
    let opportunity = rep.client.post("/opportunities", form).await.expect(201).id();
    let path = format!("/opportunities/{opportunity}");
    let enter = async |stage: String| {
        let form = json!({"stage_id": stage});
        rep.client.post(&format!("{path}/advance"), form).await
    };

    // A stage wants what it requires.
    let missing = enter(company.stage(3)).await.refused(409, "stage_requirements_missing");
    assert_eq!(missing.body["missing"], json!(["expected_close_on"]));
    enter(company.stage(2)).await.expect(200);
    enter(company.stage(1)).await.refused(422, "reason_required");

    let first = enter(company.signing_stage()).await.expect(200).text_of("contract_id");
    let cancel = format!("/contracts/{first}/cancel");
    let cancelled = rep.client.post(&cancel, json!({"reason": "other terms"})).await.expect(200);
    assert_eq!(
        (&cancelled.body["status"], &cancelled.body["end_reason"]),
        (&json!("cancelled"), &json!("other terms"))
    );
    let back = rep.client.get(&path).await.expect(200);
    assert_eq!((&back.body["status"], &back.body["stage_id"]), (&json!("open"), &json!(company.stage(2))));
    assert!(back.body["contract_id"].is_null());

    // Again at the signing stage there is a new draft; deleting it, never asked about, does the same.
    let second = enter(company.signing_stage()).await.expect(200).text_of("contract_id");
    assert_ne!(second, first);
    assert_eq!(rep.client.all(&format!("/contracts?opportunity_id={opportunity}")).await.len(), 2);
    rep.client.delete(&format!("/contracts/{second}")).await.expect(204);
    let back = rep.client.get(&path).await.expect(200);
    assert_eq!(back.body["stage_id"], company.stage(2));
    rep.client.post(&format!("{path}/lose"), json!({"reason": "price"})).await.expect(200);
    company.manager.client.act(&format!("{path}/reopen")).await.expect(200);
    let actions = [
        "opportunity.created",
        "opportunity.advanced",
        "opportunity.advanced",
        "opportunity.returned",
        "opportunity.advanced",
        "opportunity.returned",
        "opportunity.lost",
    ];
    let mut expected: Vec<(&str, &Person)> = actions.iter().map(|action| (*action, rep)).collect();
    expected.push(("opportunity.reopened", &company.manager));
    expect_trail(&company.auditor, &opportunity, &expected).await;
    expect_states(&company.auditor, &opportunity, &["open", "lost", "open"]).await;
}

async fn a_contract_goes_with_its_customer(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, admin, .. } = &company;

    // A customer in the pool has no business.
    let pooled = company.pool_customer().await;
    let form = json!({"name": "Too early", "customer_id": pooled});
    admin.client.post("/opportunities", form).await.refused(409, "customer_unowned");
    let form = json!({
        "title": "Too early", "customer_id": pooled, "amount": cny("10.00"), "collection_scheme": "by_contract",
    });
    admin.client.post("/contracts", form.clone()).await.refused(409, "customer_unowned");

    // Nor has somebody else's.
    let mut foreign = form;
    foreign["customer_id"] = json!(company.customer(&company.other_rep).await);
    rep.client.post("/contracts", foreign).await.refused(422, "unknown_reference");

    // Once the customer is with a colleague, the former owner's draft cannot be submitted.
    let draft = company.draft(rep, "10.00", "by_contract").await;
    let customer = contract(&rep.client, &draft).await["customer_id"].as_str().unwrap().to_owned();
    let assign = format!("/customers/{customer}/assign");
    manager.client.post(&assign, json!({"owner_id": colleague.id})).await.expect(200);
    let submit = format!("/contracts/{draft}/submit");
    let refused = rep.client.act(&submit).await.refused(409, "contract_incomplete");
    assert_eq!(refused.body["customer_owner_id"], colleague.id);
    manager.client.post(&assign, json!({"owner_id": rep.id})).await.expect(200);
    rep.client.act(&submit).await.expect(200);
    let form = json!({"reason": "too early"});
    let release = format!("/customers/{customer}/release");
    let busy = rep.client.post(&release, form).await.refused(409, "customer_has_open_business");
    assert_eq!((&busy.body["opportunities"], &busy.body["contracts"]), (&json!(0), &json!(1)));
}

async fn a_terminated_contract_closes_its_plan(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, .. } = &company;
    let form = json!({
        "title": "Rent", "customer_id": company.customer(rep).await, "amount": cny("3000.00"),
        "collection_scheme": "by_contract",
        "installments": [
            {"due_on": "2099-01-31", "amount": cny("1000.00")},
            {"due_on": "2099-02-28", "amount": cny("1000.00")},
            {"due_on": "2099-03-31", "amount": cny("1000.00")},
        ],
    });
    let id = rep.client.post("/contracts", form).await.expect(201).id();
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    company.approve(&id).await;
    let paid = record_payment(rep, &id, "1000.00").await.expect(201).id();
    confirm(finance, &paid).await.expect(200);
    let on_its_way = record_payment(rep, &id, "1000.00").await.expect(201).id();
    let draft = company.invoice_draft(rep, &id, "1000.00").await;
    let waiting = company.invoice_draft(rep, &id, "1000.00").await;
    rep.client.act(&format!("/invoices/{waiting}/submit")).await.expect(200);

    let terminate = format!("/contracts/{id}/terminate");
    let form = json!({"reason": "the hall was sold"});
    rep.client.post(&terminate, form.clone()).await.refused(403, "forbidden");
    manager.client.post(&terminate, json!({})).await.refused(400, "malformed_request");
    let ended = manager.client.post(&terminate, form).await.expect(200);
    assert_eq!((&ended.body["status"], &ended.body["paid"]), (&json!("terminated"), &cny("1000.00")));
    assert_eq!(each(&billing(&rep.client, &id).await, "status"), ["paid", "closed", "closed"]);

    // Nothing new begins; nothing that was paid is lost.
    record_payment(rep, &id, "500.00").await.refused(409, "contract_not_active");
    rep.client.act(&format!("/invoices/{draft}/submit")).await.refused(409, "contract_not_active");
    let approval = company.pending(&waiting).await;
    approve(manager, &approval).await.expect(200);
    approve(finance, &approval).await.refused(409, "contract_not_active");
    rep.client.act(&format!("/invoices/{waiting}/withdraw")).await.expect(200);
    confirm(finance, &on_its_way).await.expect(200);
    let after = billing(&rep.client, &id).await;
    assert_eq!((&after["contract"]["status"], &after["paid"]), (&json!("terminated"), &cny("2000.00")));
    assert_eq!(each(&after, "status"), ["paid", "paid", "closed"]);
    let form = json!({"reason": "returned"});
    finance.client.post(&format!("/payments/{on_its_way}/reverse"), form).await.expect(200);
    let after = billing(&rep.client, &id).await;
    assert_eq!((&after["contract"]["status"], &after["paid"]), (&json!("terminated"), &cny("1000.00")));
    assert_eq!(each(&after, "status"), ["paid", "closed", "closed"]);
}
