//! From a lead to the last payment.

use super::*;

on_both_databases! {
    from_a_lead_to_the_last_payment;
}

async fn from_a_lead_to_the_last_payment(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, finance_two, marketing, auditor, .. } = &company;

    // Marketing finds a lead and gives it to the rep, who has a day to respond.
    let form = json!({
        "name": "陈静", "company": "蓝河机械", "phone": "+86 138 0013 8000", "email": "chen.jing@example.com",
        "source": "website", "budget": cny("120000.00"), "expected_purchase_on": "2099-12-01",
        "interest": "A packing line for two sites.",
    });
    let created = marketing.client.post("/leads", form).await.expect(201);
    let lead = created.id();
    assert_eq!(created.body["status"], "new");
    assert!(created.body["owner_id"].is_null() && created.body["response_due_at"].is_null());
    let form = json!({"owner_id": rep.id});
    let assigned = marketing.client.post(&format!("/leads/{lead}/assign"), form).await.expect(200);
    let moment = |text: String| chrono::DateTime::parse_from_rfc3339(&text).unwrap();
    let due = moment(assigned.text_of("response_due_at")) - moment(assigned.text_of("updated_at"));
    assert_eq!(due, chrono::Duration::hours(24));

    // The first activity makes it contacted.
    rep.client.act(&format!("/leads/{lead}/qualify")).await.refused(409, "invalid_transition");
    let form = json!({"about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "First call"});
    let activity = rep.client.post("/activities", form).await.expect(201).id();
    let contacted = rep.client.get(&format!("/leads/{lead}")).await.expect(200);
    assert_eq!(contacted.body["status"], "contacted");
    assert!(contacted.body["first_responded_at"].is_string() && contacted.body["response_due_at"].is_null());

    // Qualified and converted: customer, contact and opportunity.
    rep.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    let form = json!({"opportunity": {"name": "Packing line"}});
    marketing.client.post(&format!("/leads/{lead}/convert"), form.clone()).await.refused(403, "forbidden");
    let converted = rep.client.post(&format!("/leads/{lead}/convert"), form.clone()).await.expect(200);
    assert_eq!(converted.body["status"], "converted");
    let customer = converted.text_of("converted_customer_id");
    let contact = converted.text_of("converted_contact_id");
    let opportunity = converted.text_of("converted_opportunity_id");
    let again =
        rep.client.post(&format!("/leads/{lead}/convert"), form).await.refused(409, "already_converted");
    assert_eq!(again.body["customer_id"], customer);
    assert_eq!(again.body["contact_id"], contact);
    assert_eq!(again.body["opportunity_id"], opportunity);
    let found = rep.client.get(&format!("/customers/{customer}")).await.expect(200);
    assert_eq!((&found.body["name"], &found.body["owner_id"]), (&json!("蓝河机械"), &json!(rep.id)));
    assert_eq!(found.body["lifecycle"], "engaged");
    let found = rep.client.get(&format!("/contacts/{contact}")).await.expect(200);
    assert_eq!((&found.body["name"], &found.body["is_primary"]), (&json!("陈静"), &json!(true)));
    let followed = rep.client.get(&format!("/activities/{activity}")).await.expect(200);
    assert_eq!(followed.body["customer_id"], customer, "activities follow");

    // Stage by stage to the signing stage, which makes the contract's draft, one and no more.
    let path = format!("/opportunities/{opportunity}");
    let opened = rep.client.get(&path).await.expect(200);
    assert_eq!(opened.body["stage_id"], company.stage(0));
    assert_eq!(opened.body["amount"], cny("120000.00"));
    for at in 1..=4 {
        let form = json!({"stage_id": company.stage(at)});
        let advanced = rep.client.post(&format!("{path}/advance"), form).await.expect(200);
        assert_eq!(advanced.body["stage_id"], company.stage(at));
        assert_eq!(
            advanced.body["contract_id"].is_string(),
            at == 4,
            "the last of them is the signing stage"
        );
    }
    assert_eq!(company.stage(4), company.signing_stage());
    let contract_id = rep.client.get(&path).await.expect(200).text_of("contract_id");
    let form = json!({"stage_id": company.signing_stage()});
    rep.client.post(&format!("{path}/advance"), form).await.refused(422, "validation_failed");
    let form = json!({"stage_id": company.stage(3), "reason": "they want to talk again"});
    rep.client.post(&format!("{path}/advance"), form).await.refused(409, "contract_decides");
    rep.client
        .post(&format!("{path}/lose"), json!({"reason": "price"}))
        .await
        .refused(409, "contract_decides");
    let of_opportunity = format!("/contracts?opportunity_id={opportunity}");
    assert_eq!(rep.client.all(&of_opportunity).await.len(), 1);
    let draft = contract(&rep.client, &contract_id).await;
    assert_eq!(
        (&draft["status"], &draft["customer_id"], &draft["owner_id"], &draft["amount"]),
        (&json!("draft"), &json!(customer), &json!(rep.id), &cny("120000.00"))
    );
    assert!(draft["number"].as_str().unwrap().ends_with("-000001"), "{}", draft["number"]);
    assert_eq!(draft["collection_scheme"], "by_invoice");

    // The draft gets its installments from whoever knows its version.
    let path = format!("/contracts/{contract_id}");
    let submit = format!("{path}/submit");
    let plan = json!({"installments": [
        {"due_on": "2099-12-31", "amount": cny("40000.00"), "condition": "accepted"},
        {"due_on": "2099-06-30", "amount": cny("80000.00")},
    ]});
    let missing = rep.client.act(&submit).await.refused(409, "installments_mismatch");
    assert_eq!(missing.body["installments"], cny("0.00"));
    let request = rep.client.request(reqwest::Method::PATCH, &path).json(&plan);
    rep.client.send(request).await.refused(428, "precondition_required");
    let stale = rep.client.patch_if(&path, "\"v7\"", plan.clone()).await.refused(412, "version_mismatch");
    assert_eq!(stale.body["current_version"], 1);
    let planned = rep.client.patch_if(&path, "\"v1\"", plan).await.expect(200);
    assert!(planned.header("etag").starts_with("\"v2-"));

    // Submitted, it waits and cannot be changed.
    let submitted = rep.client.act(&submit).await.expect(200);
    assert_eq!(submitted.body["status"], "pending_approval");
    rep.client.patch(&path, json!({"title": "Cheaper"})).await.refused(409, "pending_approval");
    rep.client.delete(&path).await.refused(409, "pending_approval");
    rep.client.act(&submit).await.refused(409, "invalid_transition");
    assert_eq!(contract(&rep.client, &contract_id).await["version"], submitted.body["version"]);

    // First the manager, then finance, and nobody out of turn.
    let approval = company.pending(&contract_id).await;
    assert_eq!(waits_for(manager).await, [contract_id.as_str()]);
    assert!(waits_for(finance).await.is_empty() && waits_for(rep).await.is_empty());
    approve(finance, &approval).await.refused(403, "forbidden");
    approve(rep, &approval).await.refused(403, "forbidden");
    approve(&company.other_manager, &approval).await.refused(404, "not_found");
    let step = approve(manager, &approval).await.expect(200);
    assert_eq!((&step.body["status"], &step.body["step"]), (&json!("pending"), &json!(1)));
    assert_eq!(contract(&rep.client, &contract_id).await["status"], "pending_approval");
    assert_eq!(waits_for(finance).await, [contract_id.as_str()]);
    assert!(waits_for(manager).await.is_empty());
    for other in [rep, manager, &company.director, &company.admin] {
        approve(other, &approval).await.refused(403, "forbidden");
    }
    let decided = approve(finance, &approval).await.expect(200);
    assert_eq!(decided.body["status"], "approved");
    let deciders: Vec<&Value> =
        decided.body["steps"].as_array().unwrap().iter().map(|step| &step["decisions"][0]["by"]).collect();
    assert_eq!(deciders, [&json!(manager.id), &json!(finance.id)]);
    approve(finance_two, &approval).await.refused(409, "already_decided");

    // The contract runs by its plan, the opportunity is won, the customer has signed.
    assert_eq!(contract(&rep.client, &contract_id).await["status"], "active");
    let plan = billing(&rep.client, &contract_id).await;
    assert_eq!(each(&plan, "sequence"), [1, 2]);
    assert_eq!(each(&plan, "due_on"), ["2099-06-30", "2099-12-31"]);
    assert_eq!(each(&plan, "amount"), [cny("80000.00"), cny("40000.00")]);
    assert_eq!(each(&plan, "condition"), [Value::Null, json!("accepted")]);
    assert_eq!(each(&plan, "status"), ["scheduled", "scheduled"]);
    assert_eq!((&plan["invoiceable"], &plan["outstanding"]), (&cny("120000.00"), &cny("120000.00")));
    let won = rep.client.get(&format!("/opportunities/{opportunity}")).await.expect(200);
    assert_eq!(won.body["status"], "won");
    let signed = rep.client.get(&format!("/customers/{customer}")).await.expect(200);
    assert_eq!(signed.body["lifecycle"], "signed");

    // A first invoice passes manager and finance and is issued by finance.
    let invoice = company.invoice_draft(rep, &contract_id, "80000.00").await;
    let invoice_path = format!("/invoices/{invoice}");
    rep.client.act(&format!("{invoice_path}/submit")).await.expect(200);
    rep.client.patch(&invoice_path, json!({"note": "quick"})).await.refused(409, "pending_approval");
    assert_eq!(billing(&rep.client, &contract_id).await["invoice_committed"], cny("80000.00"));
    let invoice_approval = company.pending(&invoice).await;
    approve(finance, &invoice_approval).await.refused(403, "forbidden");
    approve(manager, &invoice_approval).await.expect(200);
    approve(manager, &invoice_approval).await.refused(403, "forbidden");
    approve(finance, &invoice_approval).await.expect(200);
    let form = json!({"tax_invoice_number": "044001900111-1"});
    rep.client.post(&format!("{invoice_path}/issue"), form.clone()).await.refused(403, "forbidden");
    let issued = finance.client.post(&format!("{invoice_path}/issue"), form).await.expect(200);
    assert_eq!(issued.body["status"], "issued");
    assert_eq!(issued.body["tax"]["tax"], cny("9203.54"), "13 % of 80 000 less the tax in it");

    // Its payment is recorded by the rep and confirmed by finance, never by whoever recorded it.
    let first = record_payment(rep, &contract_id, "80000.00").await.expect(201);
    let allocations = first.body["allocations"].as_array().unwrap();
    assert!(allocations.iter().any(|one| one["invoice_id"] == invoice && one["amount"] == cny("80000.00")));
    let first = first.id();
    confirm(rep, &first).await.refused(403, "forbidden");
    assert_eq!(billing(&rep.client, &contract_id).await["paid"], cny("0.00"), "not before it is confirmed");
    let confirmed = confirm(finance, &first).await.expect(200);
    assert_eq!(confirmed.body["confirmed_by"], finance.id);
    let half = billing(&rep.client, &contract_id).await;
    assert_eq!(each(&half, "status"), ["paid", "scheduled"]);
    assert_eq!((&half["paid"], &half["outstanding"]), (&cny("80000.00"), &cny("40000.00")));
    assert_eq!(half["contract"]["status"], "active");

    // The rest: invoiced, and recorded by finance, so that another confirms it. That completes the contract.
    let second_invoice = company.issued(rep, &contract_id, "40000.00").await;
    let second = record_payment(finance, &contract_id, "40000.00").await.expect(201).id();
    confirm(finance, &second).await.refused(409, "separation_of_duties");
    confirm(finance_two, &second).await.expect(200);
    let done = billing(&rep.client, &contract_id).await;
    assert_eq!(done["contract"]["status"], "completed");
    assert_eq!(each(&done, "status"), ["paid", "paid"]);
    let paid = rep.client.get(&format!("/invoices/{second_invoice}")).await.expect(200);
    assert_eq!(paid.body["paid"], cny("40000.00"));

    // A second contract collects by its installments: no invoice, two payments, the oldest part first.
    let form = json!({
        "title": "Maintenance", "customer_id": customer, "amount": cny("100000.00"),
        "collection_scheme": "by_contract",
        "installments": [
            {"due_on": "2099-09-30", "amount": cny("70000.00")},
            {"due_on": "2099-03-31", "amount": cny("30000.00")},
        ],
    });
    let service = rep.client.post("/contracts", form).await.expect(201).id();
    rep.client.act(&format!("/contracts/{service}/submit")).await.expect(200);
    company.approve(&service).await;
    let part = record_payment(rep, &service, "50000.00").await.expect(201).id();
    confirm(finance, &part).await.expect(200);
    let half = billing(&rep.client, &service).await;
    assert_eq!(each(&half, "due_on"), ["2099-03-31", "2099-09-30"]);
    assert_eq!(each(&half, "paid"), [cny("30000.00"), cny("20000.00")]);
    assert_eq!(each(&half, "status"), ["paid", "partially_paid"]);
    let rest = record_payment(rep, &service, "50000.00").await.expect(201).id();
    assert_eq!(contract(&rep.client, &service).await["status"], "active", "recorded is not paid");
    confirm(finance, &rest).await.expect(200);
    assert_eq!(contract(&rep.client, &service).await["status"], "completed");

    // The bank takes the last one back: the contract runs again, and the money can come anew.
    let form = json!({"reason": "returned by the bank"});
    rep.client.post(&format!("/payments/{rest}/reverse"), form.clone()).await.refused(403, "forbidden");
    let reversed = finance.client.post(&format!("/payments/{rest}/reverse"), form).await.expect(200);
    assert_eq!(reversed.body["status"], "reversed");
    let again = billing(&rep.client, &service).await;
    assert_eq!(again["contract"]["status"], "active");
    assert_eq!(again["outstanding"], cny("50000.00"));
    assert_eq!(each(&again, "paid"), [cny("30000.00"), cny("20000.00")]);
    let anew = record_payment(rep, &service, "50000.00").await.expect(201).id();
    confirm(finance, &anew).await.expect(200);
    assert_eq!(contract(&rep.client, &service).await["status"], "completed");

    // The auditor reads the whole story.
    expect_whole_trail(auditor).await;
    rep.client.get("/audit-events").await.refused(403, "forbidden");
    expect_trail(
        auditor,
        &lead,
        &[
            ("lead.created", marketing),
            ("lead.assigned", marketing),
            ("lead.contacted", rep),
            ("lead.qualified", rep),
            ("lead.converted", rep),
        ],
    )
    .await;
    expect_states(auditor, &lead, &["new", "contacted", "qualified", "converted"]).await;
    expect_trail(auditor, &activity, &[("activity.logged", rep), ("activity.followed", rep)]).await;
    expect_trail(
        auditor,
        &customer,
        &[
            ("customer.created", rep),
            ("customer.lifecycle_changed", rep),
            ("customer.lifecycle_changed", finance),
        ],
    )
    .await;
    expect_trail(auditor, &contact, &[("contact.created", rep)]).await;
    let mut steps = vec![("opportunity.created", rep)];
    steps.extend([("opportunity.advanced", rep); 4]);
    steps.push(("opportunity.won", finance));
    expect_trail(auditor, &opportunity, &steps).await;
    expect_states(auditor, &opportunity, &["open", "won"]).await;
    expect_trail(
        auditor,
        &contract_id,
        &[
            ("contract.drafted", rep),
            ("contract.updated", rep),
            ("contract.submitted", rep),
            ("contract.activated", finance),
            // The first invoice: committed, issued; its payment: recorded, confirmed.
            ("contract.sums_changed", rep),
            ("contract.sums_changed", finance),
            ("contract.sums_changed", rep),
            ("contract.sums_changed", finance),
            // The second.
            ("contract.sums_changed", rep),
            ("contract.sums_changed", finance),
            ("contract.sums_changed", finance),
            ("contract.completed", finance_two),
        ],
    )
    .await;
    expect_states(auditor, &contract_id, &["draft", "pending_approval", "active", "completed"]).await;
    expect_trail(
        auditor,
        &approval,
        &[("approval.requested", rep), ("approval.step_approved", manager), ("approval.approved", finance)],
    )
    .await;
    expect_states(auditor, &approval, &["pending", "approved"]).await;
    expect_trail(
        auditor,
        &invoice,
        &[
            ("invoice.drafted", rep),
            ("invoice.submitted", rep),
            ("invoice.approved", finance),
            ("invoice.issued", finance),
            ("invoice.allocation_changed", rep),
            ("invoice.allocation_changed", finance),
        ],
    )
    .await;
    expect_states(auditor, &invoice, &["draft", "pending_approval", "approved", "issued"]).await;
    expect_trail(auditor, &first, &[("payment.recorded", rep), ("payment.confirmed", finance)]).await;
    expect_trail(auditor, &second, &[("payment.recorded", finance), ("payment.confirmed", finance_two)])
        .await;
    let reversal = [("payment.recorded", rep), ("payment.confirmed", finance), ("payment.reversed", finance)];
    expect_trail(auditor, &rest, &reversal).await;
    expect_states(auditor, &rest, &["recorded", "confirmed", "reversed"]).await;
    let service_states = ["draft", "pending_approval", "active", "completed", "active", "completed"];
    expect_states(auditor, &service, &service_states).await;

    // The conversion was one act: one request, one moment, in the order of what depends on what.
    let events = trail(auditor, &lead).await;
    let request = events.last().unwrap()["request_id"].as_str().unwrap();
    let act = auditor.client.all(&format!("/audit-events?request_id={request}&sort=sequence")).await;
    let actions: Vec<&str> = act.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "customer.created",
            "contact.created",
            "opportunity.created",
            "customer.lifecycle_changed",
            "activity.followed",
            "lead.converted",
        ]
    );
    assert!(act.iter().all(|event| event["occurred_at"] == act[0]["occurred_at"]));
}
