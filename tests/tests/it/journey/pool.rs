//! Leads and customers, in the pool and out of it.

use super::*;

on_both_databases! {
    the_lead_pool_gives_and_takes;
    a_lead_becomes_part_of_a_known_customer;
    the_pool_gives_and_takes;
    owners_have_limits;
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
    assert!(wait.text_of("detail").ends_with(&wait.text_of("until")), "{}", wait.text);
    colleague.client.act(&claim).await.expect(200);
    let assign = format!("{path}/assign");
    let to = |person: &Person| json!({"owner_id": person.id, "reason": "new area"});
    colleague.client.post(&assign, to(rep)).await.refused(403, "forbidden");
    manager.client.post(&assign, to(other_rep)).await.refused(403, "forbidden");
    manager.client.post(&assign, to(&company.marketing)).await.refused(409, "owner_not_eligible");
    company.other_manager.client.post(&assign, to(other_rep)).await.refused(404, "not_found");
    let assigned = manager.client.post(&assign, to(rep)).await.expect(200);
    assert_eq!(
        (&assigned.body["owner_id"], &assigned.body["previous_owner_id"]),
        (&json!(rep.id), &json!(colleague.id))
    );
    let history = manager.client.all(&format!("{path}/ownership-history")).await;
    assert_eq!((&history[0]["cause"], &history[0]["reason"]), (&json!("assigned"), &json!("new area")));
    // The reason has one name; of a lead none is kept, and so none is taken.
    let named_otherwise = json!({"owner_id": rep.id, "note": "new area"});
    manager.client.post(&assign, named_otherwise).await.refused(400, "malformed_request");
    let lead = rep.client.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201);
    let assign_lead = format!("/leads/{}/assign", lead.id());
    manager.client.post(&assign_lead, to(colleague)).await.refused(400, "malformed_request");
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
