//! Performance targets: who sets them, who sees them, and what counts.

use serde_json::{Value, json};

use crate::support::{Answer, Company, Person, Server};

on_both_databases! {
    what_counts_towards_a_target;
    targets_are_set_for_others;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// The organisation's present month.
async fn month(company: &Company) -> String {
    let report = company.director.client.get("/reports/receivable-aging/by-owner").await.expect(200).body;
    report["as_of"].as_str().unwrap()[..7].to_owned()
}

async fn set(by: &Person, whose: Value, month: &str, measure: &str, amount: &str) -> Answer {
    let mut form = json!({"month": month, "measure": measure, "amount": cny(amount)});
    form.as_object_mut().unwrap().extend(whose.as_object().unwrap().clone());
    by.client.post("/targets", form).await
}

async fn what_counts_towards_a_target(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, inner, other_rep, manager, director, finance, finance_two, .. } = &company;
    let now = month(&company).await;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    company.active(inner, "200.00", "by_contract").await;
    company.active(other_rep, "5000.00", "by_contract").await;
    company.draft(rep, "70000.00", "by_contract").await;
    let mine = set(manager, json!({"owner_id": rep.id}), &now, "signed", "800.00").await.expect(201).id();
    let me = manager.client.get("/me").await.expect(200);
    let team = json!({"team_id": me.body["team_id"]});
    let teams = set(manager, team.clone(), &now, "signed", "2400.00").await.expect(201).id();
    let seen = async |person: &Person, id: &str| {
        let target = person.client.get(&format!("/targets/{id}")).await.expect(200).body;
        (target["attained"].clone(), target["attainment"].clone())
    };
    assert_eq!(seen(rep, &mine).await, (cny("1000.00"), json!("125.0")));
    // The team's members, and those of the teams below.
    assert_eq!(seen(manager, &teams).await, (cny("1200.00"), json!("50.0")));
    // What is collected counts in the month in which it arrived, less what went back.
    let january =
        set(director, json!({"owner_id": rep.id}), "2026-01", "collected", "1000.00").await.expect(201).id();
    let payment = company.paid(rep, &contract, "400.00").await;
    rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201);
    let back = json!({
        "payment_id": payment, "amount": cny("50.00"), "refunded_on": "2026-02-01", "method": "cash", "reason": "Late",
    });
    let back = finance.client.post("/refunds", back).await.expect(201).id();
    finance_two.client.act(&format!("/refunds/{back}/confirm")).await.expect(200);
    assert_eq!(seen(finance, &january).await, (cny("350.00"), json!("35.0")));
    // Another month, another currency: nothing.
    let later =
        set(director, json!({"owner_id": rep.id}), "2027-01", "collected", "1000.00").await.expect(201).id();
    assert_eq!(seen(rep, &later).await, (cny("0.00"), json!("0.0")));
    let dollars = json!({
        "owner_id": rep.id, "month": now, "measure": "signed", "amount": {"amount": "10.00", "currency": "USD"},
    });
    let dollars = director.client.post("/targets", dollars).await.expect(201).id();
    assert_eq!(seen(rep, &dollars).await.1, json!("0.0"));
    let listed = manager.client.all(&format!("/targets?month={now}&include=owner")).await;
    assert_eq!(listed.len(), 3);
    let own = listed.iter().find(|target| target["id"] == json!(mine)).unwrap();
    assert_eq!((&own["attainment"], &own["owner"]["display_name"]), (&json!("125.0"), &json!("rep")));
}

async fn targets_are_set_for_others(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, other_rep, manager, other_manager, director, marketing, .. } = &company;
    let rep_is = || json!({"owner_id": rep.id});
    set(rep, rep_is(), "2026-03", "signed", "1.00").await.refused(403, "forbidden");
    set(other_manager, rep_is(), "2026-03", "signed", "1.00").await.refused(403, "forbidden");
    set(manager, json!({"owner_id": manager.id}), "2026-03", "signed", "1.00")
        .await
        .refused(409, "separation_of_duties");
    set(manager, json!({}), "2026-03", "signed", "1.00").await.refused(422, "validation_failed");
    set(manager, rep_is(), "2026-13", "signed", "1.00").await.refused(422, "validation_failed");
    set(manager, rep_is(), "2026-03", "signed", "0.00").await.refused(422, "validation_failed");
    let made = set(manager, rep_is(), "2026-03", "signed", "100.00").await.expect(201);
    set(director, rep_is(), "2026-03", "signed", "200.00").await.refused(409, "duplicate");
    set(manager, rep_is(), "2026-03", "collected", "100.00").await.expect(201);
    set(director, json!({"owner_id": other_rep.id}), "2026-03", "signed", "100.00").await.expect(201);
    let path = format!("/targets/{}", made.id());
    assert_eq!((rep.client.all("/targets").await.len(), manager.client.all("/targets").await.len()), (2, 2));
    assert_eq!(director.client.all("/targets").await.len(), 3);
    for stranger in [colleague, other_rep, other_manager] {
        stranger.client.get(&path).await.refused(404, "not_found");
    }
    marketing.client.get("/targets").await.refused(403, "forbidden");
    rep.client.patch(&path, json!({"amount": cny("1.00")})).await.refused(403, "forbidden");
    manager.client.patch(&path, json!({"month": "2026-04"})).await.refused(422, "validation_failed");
    let changed = manager.client.patch(&path, json!({"amount": cny("150.00")})).await.expect(200).body;
    assert_eq!((&changed["amount"], &changed["version"]), (&cny("150.00"), &json!(2)));
    manager.client.delete(&path).await.expect(204);
    rep.client.get(&path).await.refused(404, "not_found");
}
