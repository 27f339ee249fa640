//! The journey from a lead to the last payment, as people walk it, and the ways off it.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Person, Server};

on_both_databases! {
    from_a_lead_to_the_last_payment;
    a_rejected_contract_is_a_draft_again;
    whoever_asked_takes_the_question_back;
    nobody_decides_their_own;
    nobody_decides_two_steps;
    what_nobody_could_decide_is_not_asked;
    a_cancelled_draft_sends_the_opportunity_back;
    a_contract_goes_with_its_customer;
    a_terminated_contract_closes_its_plan;
    invoices_stay_within_the_contract;
    payments_stay_within_the_contract;
    by_invoice_takes_issued_invoices_only;
    a_transfer_is_entered_once;
    billing_tells_what_is_overdue;
    the_lead_pool_gives_and_takes;
    a_lead_becomes_part_of_a_known_customer;
    the_pool_gives_and_takes;
    owners_have_limits;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// What the trail tells of a record, the oldest first.
async fn trail(auditor: &Person, record: &str) -> Vec<Value> {
    auditor.client.all(&format!("/audit-events?record_id={record}&sort=sequence")).await
}

/// The trail of a record is exactly this: what happened, and who did it.
async fn expect_trail(auditor: &Person, record: &str, expected: &[(&str, &Person)]) {
    let events = trail(auditor, record).await;
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["action"].as_str().unwrap(), event["actor_id"].as_str().unwrap()))
        .collect();
    let expected: Vec<(&str, &str)> =
        expected.iter().map(|(action, who)| (*action, who.id.as_str())).collect();
    assert_eq!(told, expected);
}

/// The states of a record as its trail tells them; each change begins where the one before ended.
async fn expect_states(auditor: &Person, record: &str, expected: &[&str]) {
    let mut states: Vec<Value> = vec![Value::Null];
    for event in trail(auditor, record).await {
        let change = &event["changes"]["status"];
        if change.is_null() {
            continue;
        }
        assert_eq!(change["before"], *states.last().unwrap(), "{event}");
        states.push(change["after"].clone());
    }
    assert_eq!(states[1..], *expected);
}

/// The whole trail: no gap, each event bound to the one before, and no time that runs backwards.
async fn expect_whole_trail(auditor: &Person) -> Vec<Value> {
    let events = auditor.client.all("/audit-events?sort=sequence&limit=50").await;
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence"], at + 1);
        assert_eq!(event["hash"].as_str().unwrap().len(), 64);
        assert!(event["request_id"].is_string(), "{event}");
    }
    for pair in events.windows(2) {
        assert_eq!(pair[1]["previous_hash"], pair[0]["hash"]);
        assert!(pair[1]["occurred_at"].as_str() >= pair[0]["occurred_at"].as_str());
    }
    events
}

async fn contract(client: &Client, id: &str) -> Value {
    client.get(&format!("/contracts/{id}")).await.expect(200).body
}

async fn billing(client: &Client, id: &str) -> Value {
    client.get(&format!("/contracts/{id}/billing")).await.expect(200).body
}

/// One member of each installment.
fn each(billing: &Value, member: &str) -> Vec<Value> {
    billing["installments"].as_array().unwrap().iter().map(|part| part[member].clone()).collect()
}

async fn record_payment(by: &Person, contract: &str, amount: &str) -> Answer {
    by.client.post("/payments", Company::payment(contract, amount)).await
}

async fn confirm(by: &Person, payment: &str) -> Answer {
    by.client.act(&format!("/payments/{payment}/confirm")).await
}

async fn approve(by: &Person, approval: &str) -> Answer {
    by.client.post(&format!("/approvals/{approval}/approve"), json!({})).await
}

async fn waits_for(person: &Person) -> Vec<String> {
    let waiting = person.client.all("/approvals?box=waiting").await;
    waiting.iter().map(|approval| approval["subject_id"].as_str().unwrap().to_owned()).collect()
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
    assert_eq!(planned.header("etag"), "\"v2\"");

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

async fn a_rejected_contract_is_a_draft_again(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, .. } = &company;
    let id = company.draft(rep, "5000.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    let reject = format!("/approvals/{approval}/reject");
    for form in [json!({}), json!({"comment": null})] {
        manager.client.post(&reject, form).await.refused(422, "comment_required");
    }
    let untouched = rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!((&untouched.body["status"], &untouched.body["version"]), (&json!("pending"), &json!(1)));
    finance.client.post(&reject, json!({"comment": "me first"})).await.refused(403, "forbidden");
    let rejected = manager.client.post(&reject, json!({"comment": "too cheap"})).await.expect(200);
    assert_eq!(rejected.body["status"], "rejected");
    let decision = &rejected.body["steps"][0]["decisions"][0];
    assert_eq!(
        (&decision["outcome"], &decision["by"], &decision["comment"]),
        (&json!("rejected"), &json!(manager.id), &json!("too cheap"))
    );
    assert_eq!(contract(&rep.client, &id).await["status"], "draft");

    // Somebody was asked about it: it stays, but it can be made better and asked about anew.
    rep.client.delete(&format!("/contracts/{id}")).await.refused(409, "in_use");
    let form = json!({
        "amount": cny("6000.00"), "installments": [{"due_on": "2099-12-31", "amount": cny("6000.00")}],
    });
    rep.client.patch(&format!("/contracts/{id}"), form).await.expect(200);
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let second = company.pending(&id).await;
    assert_ne!(second, approval);
    approve(manager, &second).await.expect(200);
    // The last step can say no as well.
    let reject = format!("/approvals/{second}/reject");
    finance.client.post(&reject, json!({"comment": "no credit"})).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "draft");

    // The same of an invoice; its amount is free again.
    let running = company.active(rep, "5000.00", "by_invoice").await;
    let invoice = company.invoice_draft(rep, &running, "5000.00").await;
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
    let reject = format!("/approvals/{}/reject", company.pending(&invoice).await);
    manager.client.post(&reject, json!({})).await.refused(422, "comment_required");
    manager.client.post(&reject, json!({"comment": "not delivered yet"})).await.expect(200);
    assert_eq!(rep.client.get(&format!("/invoices/{invoice}")).await.expect(200).body["status"], "draft");
    assert_eq!(billing(&rep.client, &running).await["invoice_committed"], cny("0.00"));

    let auditor = &company.auditor;
    let states = ["draft", "pending_approval", "draft", "pending_approval", "draft"];
    expect_states(auditor, &id, &states).await;
    expect_trail(auditor, &approval, &[("approval.requested", rep), ("approval.rejected", manager)]).await;
    expect_whole_trail(auditor).await;
}

async fn whoever_asked_takes_the_question_back(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, .. } = &company;
    let id = company.draft(rep, "5000.00", "by_contract").await;
    let path = format!("/contracts/{id}");
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    manager.client.act(&format!("/approvals/{approval}/withdraw")).await.refused(403, "forbidden");
    manager.client.act(&format!("{path}/withdraw")).await.refused(403, "forbidden");
    // Through the contract, after a first decision.
    approve(manager, &approval).await.expect(200);
    let withdrawn = rep.client.act(&format!("{path}/withdraw")).await.expect(200);
    assert_eq!(withdrawn.body["status"], "draft");
    let request = rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!(request.body["status"], "withdrawn");
    assert!(request.body["waiting_for"].is_null());
    approve(&company.finance, &approval).await.refused(409, "already_decided");
    // Through the request.
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "draft");
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.refused(409, "already_decided");
    // A new request begins from its first step.
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    let third = company.pending(&id).await;
    let begun = rep.client.get(&format!("/approvals/{third}")).await.expect(200);
    assert_eq!((&begun.body["step"], &begun.body["waiting_for"]), (&json!(0), &json!("manager_of_owner")));
}

/// A user who comes later.
async fn hire(server: &Server, company: &Company, name: &str, roles: &[&str], team: Option<&str>) -> Person {
    let email = format!("{name}@example.com");
    let password = "another-password-for-tests";
    let form = json!({
        "email": email, "display_name": name, "team_id": team, "roles": roles, "password": password,
    });
    let id = company.admin.client.post("/users", form).await.expect(201).id();
    Person { id, client: server.login(&email, password).await, email }
}

async fn nobody_decides_their_own(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, director, finance, .. } = &company;

    // Who asks does not decide, though the step names them.
    let id = company.draft(rep, "5000.00", "by_contract").await;
    manager.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    assert!(waits_for(manager).await.is_empty());
    approve(manager, &approval).await.refused(409, "separation_of_duties");
    let reject = format!("/approvals/{approval}/reject");
    manager.client.post(&reject, json!({"comment": "no"})).await.refused(409, "separation_of_duties");
    approve(director, &approval).await.expect(200);
    approve(finance, &approval).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "active");

    // Who owns does not decide. While the owner alone could, nobody is asked.
    let own = company.draft(director, "5000.00", "by_contract").await;
    let submit = format!("/contracts/{own}/submit");
    director.client.act(&submit).await.refused(409, "no_eligible_approver");
    let peer = hire(&server, &company, "second-director", &["sales_director"], None).await;
    director.client.act(&submit).await.expect(200);
    let approval = company.pending(&own).await;
    approve(director, &approval).await.refused(409, "separation_of_duties");
    approve(manager, &approval).await.refused(404, "not_found");
    assert_eq!(contract(&director.client, &own).await["status"], "pending_approval");
    approve(&peer, &approval).await.expect(200);
    approve(finance, &approval).await.expect(200);

    // Nor where somebody else asks for the owner.
    let own = company.draft(director, "5000.00", "by_contract").await;
    peer.client.act(&format!("/contracts/{own}/submit")).await.refused(409, "no_eligible_approver");
}

async fn nobody_decides_two_steps(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let roles = ["sales_director", "finance"];
    let both = hire(&server, &company, "both", &roles, None).await;
    let id = company.draft(rep, "5000.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    approve(&both, &approval).await.expect(200);
    assert!(waits_for(&both).await.is_empty());
    approve(&both, &approval).await.refused(409, "separation_of_duties");
    let reject = format!("/approvals/{approval}/reject");
    both.client.post(&reject, json!({"comment": "now not"})).await.refused(409, "separation_of_duties");
    assert_eq!(contract(&rep.client, &id).await["status"], "pending_approval");
    approve(finance, &approval).await.expect(200);

    // Who recorded a payment does not confirm it, whatever their roles; nor does the contract's owner.
    let payment = record_payment(&both, &id, "1000.00").await.expect(201).id();
    confirm(&both, &payment).await.refused(409, "separation_of_duties");
    let own = company.active(&both, "5000.00", "by_contract").await;
    let payment = record_payment(finance, &own, "1000.00").await.expect(201).id();
    confirm(&both, &payment).await.refused(409, "separation_of_duties");
    confirm(&company.finance_two, &payment).await.expect(200);
}

async fn what_nobody_could_decide_is_not_asked(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, admin, .. } = &company;
    let running = company.active(rep, "5000.00", "by_invoice").await;
    let draft = company.draft(rep, "5000.00", "by_contract").await;
    let invoice = company.invoice_draft(rep, &running, "5000.00").await;
    let events = expect_whole_trail(&company.auditor).await.len();
    for person in [&company.finance, &company.finance_two] {
        admin
            .client
            .post(&format!("/users/{}/disable", person.id), json!({"keep_records": true}))
            .await
            .expect(200);
    }
    let refused = rep.client.act(&format!("/contracts/{draft}/submit")).await;
    assert_eq!(refused.refused(409, "no_eligible_approver").body["step"], "Finance");
    let unchanged = contract(&rep.client, &draft).await;
    assert_eq!((&unchanged["status"], &unchanged["version"]), (&json!("draft"), &json!(1)));
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.refused(409, "no_eligible_approver");
    assert_eq!(billing(&rep.client, &running).await["invoice_committed"], cny("0.00"));
    let asked = rep.client.all(&format!("/approvals?subject_id={draft}")).await;
    assert!(asked.is_empty(), "{asked:?}");

    // One person for both steps is not enough.
    hire(&server, &company, "both", &["sales_director", "finance"], None).await;
    for person in [&company.director, &company.manager] {
        admin
            .client
            .post(&format!("/users/{}/disable", person.id), json!({"keep_records": true}))
            .await
            .expect(200);
    }
    rep.client.act(&format!("/contracts/{draft}/submit")).await.refused(409, "no_eligible_approver");
    admin.client.act(&format!("/users/{}/enable", company.finance.id)).await.expect(200);
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);

    // What was refused has left nothing in the trail.
    let trail = expect_whole_trail(&company.auditor).await;
    let actions: Vec<&str> = trail[events..]
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .filter(|action| !action.starts_with("session."))
        .collect();
    let mut expected = vec!["user.disabled"; 2];
    expected.extend(["user.created", "user.disabled", "user.disabled", "user.enabled"]);
    expected.extend(["contract.submitted", "approval.requested"]);
    assert_eq!(actions, expected);
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

async fn the_lead_pool_gives_and_takes(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, other_rep, manager, marketing, auditor, .. } = &company;
    let form = json!({"name": "Zhou Min", "source": "cold_call"});
    let id = marketing.client.post("/leads", form).await.expect(201).id();
    let path = format!("/leads/{id}");
    let claim = format!("{path}/claim");
    rep.client.get(&path).await.expect(200);
    marketing.client.act(&claim).await.refused(403, "forbidden");
    let claimed = rep.client.act(&claim).await.expect(200);
    assert_eq!(claimed.body["owner_id"], rep.id);
    assert!(claimed.body["response_due_at"].is_string());
    for late in [rep, colleague, other_rep] {
        late.client.act(&claim).await.refused(409, "already_claimed");
    }
    other_rep.client.get(&path).await.refused(404, "not_found");

    let released = rep.client.act(&format!("{path}/release")).await.expect(200);
    assert!(released.body["owner_id"].is_null() && released.body["response_due_at"].is_null());
    other_rep.client.act(&claim).await.expect(200);
    manager
        .client
        .post(&format!("{path}/assign"), json!({"owner_id": rep.id}))
        .await
        .refused(404, "not_found");
    other_rep.client.post(&format!("{path}/disqualify"), json!({})).await.refused(400, "malformed_request");
    let form = json!({"reason": "no_budget"});
    let given_up = other_rep.client.post(&format!("{path}/disqualify"), form).await.expect(200);
    assert_eq!(given_up.body["disqualify_reason"], "no_budget");
    let reopened = other_rep.client.act(&format!("{path}/reopen")).await.expect(200);
    assert_eq!(
        (&reopened.body["status"], &reopened.body["disqualify_reason"]),
        (&json!("new"), &Value::Null)
    );
    assert!(reopened.body["response_due_at"].is_string(), "a reopened lead wants a response again");
    expect_trail(
        auditor,
        &id,
        &[
            ("lead.created", marketing),
            ("lead.claimed", rep),
            ("lead.released", rep),
            ("lead.claimed", other_rep),
            ("lead.disqualified", other_rep),
            ("lead.reopened", other_rep),
        ],
    )
    .await;
    expect_states(auditor, &id, &["new", "disqualified", "new"]).await;
}

async fn a_lead_becomes_part_of_a_known_customer(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep;
    let known = company.customer(rep).await;
    let foreign = company.customer(&company.other_rep).await;
    let form = json!({"name": "Sun Lei", "company": "Other Name", "source": "partner"});
    let lead = rep.client.post("/leads", form).await.expect(201).id();
    let form = json!({"about": {"kind": "lead", "id": lead}, "kind": "meeting", "subject": "Fair"});
    rep.client.post("/activities", form).await.expect(201);
    let convert = format!("/leads/{lead}/convert");
    rep.client.post(&convert, json!({})).await.refused(409, "invalid_transition");
    rep.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);

    let form = json!({"customer_id": foreign});
    rep.client.post(&convert, form).await.refused(422, "unknown_reference");
    let form = json!({"customer_id": known, "create_contact": false});
    let converted = rep.client.post(&convert, form).await.expect(200);
    assert_eq!(converted.body["converted_customer_id"], known);
    assert!(converted.body["converted_contact_id"].is_null());
    assert!(converted.body["converted_opportunity_id"].is_null());
    assert_eq!(rep.client.all("/customers?kind=company").await.len(), 1, "no new customer was made");
    let followed = rep.client.all(&format!("/activities?customer_id={known}")).await;
    assert_eq!(followed.len(), 1);
    rep.client.patch(&format!("/leads/{lead}"), json!({"name": "X"})).await.refused(409, "already_converted");
    rep.client.delete(&format!("/leads/{lead}")).await.refused(409, "already_converted");
}

async fn the_pool_gives_and_takes(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, other_rep, admin, auditor, .. } = &company;
    let form = json!({"kind": "company", "name": "无主公司", "phone": "+86 139 1234 5678"});
    let id = admin.client.post("/customers", form).await.expect(201).id();
    let claim = format!("/public-pool/customers/{id}/claim");
    let path = format!("/customers/{id}");

    // Everybody in sales sees it in the pool, with masked contact data; one gets it.
    let listed = rep.client.all("/public-pool/customers").await;
    assert_eq!(listed.len(), 1);
    let seen = rep.client.get(&format!("/public-pool/customers/{id}")).await.expect(200);
    assert!(!seen.text.contains("1234 5678") && !seen.text.contains("12345678"), "{}", seen.text);
    company.marketing.client.act(&claim).await.refused(403, "forbidden");
    let claimed = rep.client.act(&claim).await.expect(200);
    assert_eq!((&claimed.body["owner_id"], &claimed.body["pooled_at"]), (&json!(rep.id), &Value::Null));
    assert!(claimed.text.contains("5678"));
    for late in [rep, colleague, other_rep] {
        late.client.act(&claim).await.refused(409, "already_claimed");
    }
    rep.client.get(&format!("/public-pool/customers/{id}")).await.refused(404, "not_found");
    assert!(rep.client.all("/public-pool/customers").await.is_empty());
    colleague.client.get(&path).await.refused(404, "not_found");

    // Given back with a reason, not with open business.
    let release = format!("{path}/release");
    let reason = json!({"reason": "no answer for a month"});
    let form = json!({"name": "One", "customer_id": id});
    let opportunity = rep.client.post("/opportunities", form).await.expect(201).id();
    let busy = rep.client.post(&release, reason.clone()).await.refused(409, "customer_has_open_business");
    assert_eq!((&busy.body["opportunities"], &busy.body["contracts"]), (&json!(1), &json!(0)));
    let lost = json!({"reason": "no_decision"});
    rep.client.post(&format!("/opportunities/{opportunity}/lose"), lost).await.expect(200);
    rep.client.post(&release, json!({})).await.refused(400, "malformed_request");
    rep.client.post(&release, json!({"reason": " "})).await.refused(422, "validation_failed");
    colleague.client.post(&release, reason.clone()).await.refused(404, "not_found");
    let released = rep.client.post(&release, reason).await.expect(200);
    assert!(released.body["owner_id"].is_null() && released.body["pooled_at"].is_string());
    assert_eq!(released.body["pool_reason"], "no answer for a month");
    assert_eq!(released.body["previous_owner_id"], rep.id);

    // Whoever gave it back waits; others do not, and a manager may give it to anybody of theirs.
    let wait = rep.client.act(&claim).await.refused(409, "claim_cool_down");
    let moment = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    let pooled = moment(&released.text_of("pooled_at"));
    assert_eq!(moment(wait.body["until"].as_str().unwrap()) - pooled, chrono::Duration::days(7));
    colleague.client.act(&claim).await.expect(200);
    let assign = format!("{path}/assign");
    let to = |person: &Person| json!({"owner_id": person.id, "note": "new area"});
    colleague.client.post(&assign, to(rep)).await.refused(403, "forbidden");
    manager.client.post(&assign, to(other_rep)).await.refused(403, "forbidden");
    manager.client.post(&assign, to(&company.marketing)).await.refused(409, "owner_not_eligible");
    company.other_manager.client.post(&assign, to(other_rep)).await.refused(404, "not_found");
    let assigned = manager.client.post(&assign, to(rep)).await.expect(200);
    assert_eq!(
        (&assigned.body["owner_id"], &assigned.body["previous_owner_id"]),
        (&json!(rep.id), &json!(colleague.id))
    );
    let pooled = company.pool_customer().await;
    manager.client.post(&format!("/customers/{pooled}/assign"), to(&company.inner)).await.expect(200);
    company.inner.client.get(&format!("/customers/{pooled}")).await.expect(200);
    admin
        .client
        .post(&format!("/users/{}/disable", company.inner.id), json!({"keep_records": true}))
        .await
        .expect(200);
    let gone = manager.client.post(&assign, to(&company.inner)).await;
    gone.refused(409, "owner_not_eligible");

    expect_trail(
        auditor,
        &id,
        &[
            ("customer.created", admin),
            ("customer.claimed", rep),
            ("customer.lifecycle_changed", rep),
            ("customer.released", rep),
            ("customer.claimed", colleague),
            ("customer.assigned", manager),
        ],
    )
    .await;
    let owners: Vec<Value> = trail(auditor, &id)
        .await
        .iter()
        .filter(|event| event["changes"]["owner_id"].is_object())
        .map(|event| event["changes"]["owner_id"]["after"].clone())
        .collect();
    assert_eq!(owners, [json!(rep.id), Value::Null, json!(colleague.id), json!(rep.id)]);
}

/// Limits are settings; small ones show them.
async fn owners_have_limits(server: Server) {
    let company = Company::found(&server).await;
    let small = json!({"ownership": {"limit": 3}, "pool": {"daily_claim_limit": 2, "cool_down_days": 0}});
    company.set(small).await;
    let Company { rep, colleague, manager, .. } = &company;
    let mut pool = Vec::new();
    for _ in 0..6 {
        pool.push(company.pool_customer().await);
    }
    let claim = async |by: &Person, customer: &str| {
        by.client.act(&format!("/public-pool/customers/{customer}/claim")).await
    };

    // Two claims a day; giving one back does not give the claim back, and nobody waits to claim it anew.
    claim(rep, &pool[0]).await.expect(200);
    let form = json!({"reason": "by mistake"});
    rep.client.post(&format!("/customers/{}/release", pool[0]), form).await.expect(200);
    claim(rep, &pool[0]).await.expect(200);
    let daily = claim(rep, &pool[1]).await.refused(409, "daily_claim_limit_reached");
    assert_eq!((&daily.body["claimed_today"], &daily.body["limit"]), (&json!(2), &json!(2)));

    // Three owned, however they came.
    let assign = async |customer: &str, to: &Person| {
        manager.client.post(&format!("/customers/{customer}/assign"), json!({"owner_id": to.id})).await
    };
    assign(&pool[1], rep).await.expect(200);
    company.customer(rep).await;
    let full = assign(&pool[2], rep).await.refused(409, "ownership_limit_reached");
    assert_eq!((&full.body["owned"], &full.body["limit"]), (&json!(3), &json!(3)));
    let form = json!({"kind": "person", "name": "Li Wei"});
    rep.client.post("/customers", form).await.refused(409, "ownership_limit_reached");
    let form = json!({"name": "Li Wei", "source": "referral"});
    let lead = rep.client.post("/leads", form).await.expect(201).id();
    let form = json!({"about": {"kind": "lead", "id": lead}, "kind": "note", "subject": "Met"});
    rep.client.post("/activities", form).await.expect(201);
    rep.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    let convert = format!("/leads/{lead}/convert");
    rep.client.post(&convert, json!({})).await.refused(409, "ownership_limit_reached");
    let waits = rep.client.get(&format!("/leads/{lead}")).await.expect(200);
    assert_eq!(waits.body["status"], "qualified", "all or nothing");
    for at in [2, 3] {
        assign(&pool[at], colleague).await.expect(200);
    }
    claim(colleague, &pool[4]).await.expect(200);
    claim(colleague, &pool[5]).await.refused(409, "ownership_limit_reached");

    // One given back makes room.
    let form = json!({"reason": "too many"});
    rep.client.post(&format!("/customers/{}/release", pool[1]), form).await.expect(200);
    rep.client.post(&convert, json!({})).await.expect(200);
    server.verify().await;
}
