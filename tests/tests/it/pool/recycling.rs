//! What comes back to the pool by itself.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::customer;
use crate::support::{Client, Company, Server, until};

/// Runs recycling and waits until it is done.
pub(crate) async fn recycle(admin: &Client, form: Value) -> Value {
    run(admin, "/public-pool/recycle-runs", form).await
}

/// The same, to be told what it would do.
async fn try_recycling(admin: &Client, form: Value) -> Value {
    run(admin, "/public-pool/recycle-runs?dry_run=true", form).await
}

async fn run(admin: &Client, path: &str, form: Value) -> Value {
    let begun = admin.post(path, form).await.expect(202);
    let id = begun.id();
    assert!(begun.header("location").ends_with(&format!("/api/v1/jobs/{id}")));
    until("the job", async || {
        let job = admin.get(&format!("/jobs/{id}")).await.expect(200).body;
        assert_ne!(job["status"], "failed", "{job}");
        (job["status"] == "finished").then_some(job)
    })
    .await
}

/// What a job did: record, outcome, reason.
async fn items(admin: &Client, job: &Value) -> BTreeSet<(String, String, String)> {
    let id = job["id"].as_str().unwrap();
    let text = |item: &Value, member: &str| item[member].as_str().unwrap().to_owned();
    let items = admin.all(&format!("/jobs/{id}/items")).await;
    items.iter().map(|it| (text(it, "record_id"), text(it, "outcome"), text(it, "reason"))).collect()
}

fn item(id: &str, outcome: &str, reason: &str) -> (String, String, String) {
    (id.to_owned(), outcome.to_owned(), reason.to_owned())
}

/// Lets a customer have been with its owner for so many days.
pub(crate) async fn age(server: &Server, customer: &str, days: i64) {
    let ago = server.database.ago(days, 0);
    let text = format!("UPDATE customers SET owned_since = {ago}, created_at = {ago} WHERE id = $1");
    server.database.alter(&text, customer).await;
}

pub(super) async fn the_neglected_are_warned_and_then_recycled(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let id = company.customer(rep).await;
    let form = json!({"name": "Pumps", "customer_id": id});
    let opportunity = rep.client.post("/opportunities", form).await.expect(201).id();
    company.set(json!({"pool": {"recycle": {"no_activity_days": 30, "warning_days": 3}}})).await;
    age(&server, &id, 26).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(0), &json!(0)), "four days are left");

    age(&server, &id, 40).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(0), &json!(1)), "long due, but nobody was warned");
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "warned", "no_activity")]));
    let warned = customer(rep, &id).await;
    assert!(warned["recycle_on"].is_string());
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(0), &json!(0)), "warned once, and not yet due");

    let other = json!({"rules": {"no_activity_days": 20, "warning_days": 3}});
    let tried = try_recycling(&admin.client, other).await;
    assert_eq!(
        items(&admin.client, &tried).await,
        BTreeSet::from([item(&id, "already_warned", "no_activity")])
    );

    // An activity calls it off.
    let form = json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "called_off", "out_of_danger")]));
    assert_eq!(customer(rep, &id).await["recycle_on"], Value::Null);

    // Neglected for good: warned, and when the day has come, gone with its open sale.
    let ago = server.database.ago(40, 0);
    server.database.alter(&format!("UPDATE customers SET last_activity_at = {ago} WHERE id = $1"), &id).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!(run["warned"], 1);
    server.database.alter("UPDATE customers SET recycle_on = '2026-01-01' WHERE id = $1", &id).await;
    // A day that lies before the one that the rules give was for something that is over: it is told anew.
    let told = server.database.ago(1, 0);
    let day = told.trim_start_matches('\'').split('T').next().unwrap().to_owned();
    server.database.alter(&format!("UPDATE customers SET recycle_on = '{day}' WHERE id = $1"), &id).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(1), &json!(0)));
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "changed", "no_activity")]));
    let gone = customer(director, &id).await;
    assert_eq!((&gone["owner_id"], &gone["pool_reason"]), (&Value::Null, &json!("no_activity")));
    let lost = director.client.get(&format!("/opportunities/{opportunity}")).await.expect(200).body;
    assert_eq!((&lost["status"], &lost["loss_reason"]), (&json!("lost"), &json!("neglected")));
    let history = director.client.all(&format!("/customers/{id}/ownership-history")).await;
    assert_eq!((&history[0]["cause"], &history[0]["job_id"]), (&json!("recycled"), &run["id"]));
    let again = recycle(&admin.client, json!({})).await;
    assert_eq!((&again["changed"], &again["examined"]), (&json!(0), &json!(0)), "a second run moves nothing");
    let runs = admin.client.get("/public-pool/recycle-runs").await.expect(200);
    assert!(runs.body["data"].as_array().unwrap().iter().any(|one| one["id"] == run["id"]));

    // Both were told.
    until("the notifications", async || {
        let told = rep.client.all("/notifications").await;
        let kinds: BTreeSet<String> = told.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
        ["customer_recycle_warned", "customer_recycled"]
            .iter()
            .all(|kind| kinds.contains(*kind))
            .then_some(())
    })
    .await;
}

pub(super) async fn the_day_is_right_in_the_time_zone(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, .. } = &company;
    let id = company.customer(rep).await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 10, "warning_days": 0}}})).await;
    // East of the date line it is up to a day later than west of it: of one instant the two see different days.
    for (zone, days, gone) in [("Pacific/Kiritimati", 9, false), ("Pacific/Kiritimati", 11, true)] {
        company.set(json!({"time_zone": zone})).await;
        age(&server, &id, days).await;
        let run = try_recycling(&admin.client, json!({})).await;
        assert_eq!(run["changed"], json!(i64::from(gone)), "{zone} after {days} days");
    }
}

pub(super) async fn rules_that_go_take_their_warnings_with_them(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, .. } = &company;
    let id = company.customer(rep).await;
    age(&server, &id, 40).await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 30, "warning_days": 3}}})).await;
    until("the warning", async || (!customer(rep, &id).await["recycle_on"].is_null()).then_some(())).await;
    // Tomorrow, with no rule left.
    company.set(json!({"pool": {"recycle": {"no_activity_days": null}}})).await;
    let jobs = admin.client.all("/jobs?kind=recycle").await;
    let today = jobs.iter().find(|job| !job["business_day"].is_null()).unwrap()["id"].as_str().unwrap();
    server.database.alter("UPDATE jobs SET business_day = '2026-01-01' WHERE id = $1", today).await;
    until("the end of the warning", async || customer(rep, &id).await["recycle_on"].is_null().then_some(()))
        .await;
}

pub(super) async fn what_is_looked_after_is_spared(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let rules = json!({
        "no_activity_days": 10, "no_opportunity_days": 10, "no_contract_days": 10, "after_contract_days": 10,
        "warning_days": 0,
    });
    company.set(json!({"pool": {"recycle": rules}})).await;
    let locked = company.customer(rep).await;
    director.client.act(&format!("/customers/{locked}/lock")).await.expect(200);
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let running = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let pending = company.draft(rep, "500.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{pending}/submit")).await.expect(200);
    let asked = rep.client.get(&format!("/contracts/{pending}")).await.expect(200).text_of("customer_id");
    let busy = company.customer(rep).await;
    let form = json!({"about": {"kind": "customer", "id": busy}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    let plain = company.customer(rep).await;
    let transferred = company.customer(rep).await;
    // A draft shields nobody: it goes with the customer, and so does the sale that it came from.
    let hoarded = company.customer(rep).await;
    let form =
        json!({"name": "Pumps", "customer_id": hoarded, "amount": {"amount": "10.00", "currency": "CNY"}});
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let signing = json!({"stage_id": company.signing_stage()});
    let deal = rep.client.post(&format!("/opportunities/{deal}/advance"), signing).await.expect(200).body;
    let draft = deal["contract_id"].as_str().unwrap().to_owned();
    let form = json!({
        "kind": "customers", "record_ids": [transferred], "to_user_id": company.colleague.id, "reason": "Closer",
    });
    rep.client.post("/transfers", form).await.expect(201);
    for id in [&locked, &running, &asked, &busy, &plain, &transferred, &hoarded] {
        age(&server, id, 20).await;
    }
    let run = recycle(&admin.client, json!({})).await;
    // The one that was called had no opportunity for too long, whatever was said on the telephone.
    let gone = BTreeSet::from([
        item(&plain, "changed", "no_activity"),
        item(&busy, "changed", "no_opportunity"),
        item(&hoarded, "changed", "no_activity"),
    ]);
    assert_eq!(items(&admin.client, &run).await, gone);
    let cancelled = director.client.get(&format!("/contracts/{draft}")).await.expect(200).body;
    assert_eq!(cancelled["status"], "cancelled");
    let lost = director.client.get(&format!("/opportunities/{}", deal["id"].as_str().unwrap())).await;
    assert_eq!(lost.expect(200).body["loss_reason"], "neglected");
    for id in [&locked, &running, &asked, &transferred] {
        assert_eq!(customer(director, id).await["owner_id"], json!(rep.id));
    }
    director.client.act(&format!("/customers/{locked}/unlock")).await.expect(200);
    assert_eq!(recycle(&admin.client, json!({})).await["changed"], 1);
}

pub(super) async fn other_rules_can_be_tried(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let id = company.customer(rep).await;
    age(&server, &id, 20).await;
    let form = json!({"rules": {"no_activity_days": 10, "warning_days": 0}});
    let run = try_recycling(&admin.client, form.clone()).await;
    assert_eq!(run["parameters"], json!({"dry_run": true, "rules": run["parameters"]["rules"]}));
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "would_change", "no_activity")]));
    assert_eq!(customer(director, &id).await["version"], 1, "nothing moved");
    let path = "/public-pool/recycle-runs";
    for query in ["", "?dry_run=false"] {
        let real = admin.client.post(&format!("{path}{query}"), form.clone()).await;
        assert_eq!(real.refused(422, "validation_failed").body["errors"][0]["code"], "dry_run_only");
    }
    // As with everything that can be tried, the query says so, not the body.
    admin.client.post(path, json!({"dry_run": true})).await.refused(400, "malformed_request");
    // Repeated under one key, it is one job.
    let tried = format!("{path}?dry_run=true");
    let once = admin.client.post_once(&tried, "try-1", form.clone()).await.expect(202).id();
    assert_eq!(admin.client.post_once(&tried, "try-1", form.clone()).await.expect(202).id(), once);
    admin.client.post_once(path, "try-1", form).await.refused(422, "idempotency_key_reused");
    rep.client.post("/public-pool/recycle-runs", json!({})).await.refused(403, "forbidden");
}

pub(super) async fn heavy_two_servers_recycle_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let mut ids = Vec::new();
    for _ in 0..60 {
        let id = company.customer(rep).await;
        age(&server, &id, 20).await;
        ids.push(id);
    }
    let second = server.beside().await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 10, "warning_days": 0}}})).await;
    // The scheduler of each server sees the rule, and a person asks both at once as well.
    let other = admin.client.at(&second.url);
    join_all([&admin.client, &other].map(|client| recycle(client, json!({})))).await;
    until("all runs", async || {
        let runs = admin.client.all("/jobs?kind=recycle").await;
        runs.iter().all(|run| run["status"] == "finished").then_some(())
    })
    .await;
    for id in &ids {
        assert_eq!(customer(director, id).await["owner_id"], Value::Null);
        let history = director.client.all(&format!("/customers/{id}/ownership-history?cause=recycled")).await;
        assert_eq!(history.len(), 1, "each once");
    }
    let days = admin.client.all("/jobs?kind=recycle").await;
    let scheduled = days.iter().filter(|job| !job["business_day"].is_null()).count();
    assert!(scheduled <= 1, "of two servers one begins the day's run");
    // Everybody hears of each once.
    let told = until("the notifications", async || {
        let told = rep.client.all("/notifications?kind=customer_recycled").await;
        (told.len() >= ids.len()).then_some(told)
    })
    .await;
    assert_eq!(told.len(), ids.len());
}

pub(super) async fn customers_go_dormant_and_wake(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let id = company.customer(rep).await;
    age(&server, &id, 40).await;
    company.set(json!({"dormant_after_days": 30})).await;
    until("the customer to doze off", async || {
        (customer(rep, &id).await["lifecycle"] == "dormant").then_some(())
    })
    .await;
    let form = json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    assert_eq!(customer(rep, &id).await["lifecycle"], "potential");
}
