//! Who gets a record, and how many.

use std::time::UNIX_EPOCH;

use serde_json::json;

use super::{Call, act, at_once, count, expect_tally, post, sellers, tally};
use crate::support::{Company, Person, Server, report, rounds};

on_both_databases! {
    heavy_one_of_many_claims_a_customer;
    heavy_one_of_twenty_claims_a_lead;
    heavy_nobody_owns_more_than_allowed;
    heavy_nobody_claims_more_than_allowed_in_a_day;
}

async fn heavy_one_of_many_claims_a_customer(server: Server) {
    // So many rounds: nobody may win so often that a limit decides instead.
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 1000}, "pool": {"daily_claim_limit": 1000}})).await;
    let (racers, times) = (sellers(&server, &company, 64).await, rounds(50, 200));
    for _ in 0..times {
        let customer = company.pool_customer().await;
        let path = format!("/public-pool/customers/{customer}/claim");
        let answers = at_once(racers.iter().map(|racer| act(&racer.client, &path))).await;
        expect_tally(&answers, &[("200", 1), ("409 already_claimed", 63)]);
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        let owned = company.director.client.get(&format!("/customers/{customer}")).await.expect(200);
        assert_eq!(owned.text_of("owner_id"), racers[winner].id);
        assert_eq!(owned.body["version"], 2, "one write, and none by those who lost");
    }
    server.verify().await;
    let told = format!("{times} customers claimed by 64 at once: one 200 and 63 x 409 each");
    report("T3", server.database.kind, &told);
}

async fn heavy_one_of_twenty_claims_a_lead(server: Server) {
    let company = Company::found(&server).await;
    let racers = sellers(&server, &company, 20).await;
    for round in 0..20 {
        let form = json!({"name": format!("Lead {round}"), "source": "website"});
        let lead = company.marketing.client.post("/leads", form).await.expect(201).id();
        let path = format!("/leads/{lead}/claim");
        let answers = at_once(racers.iter().map(|racer| act(&racer.client, &path))).await;
        expect_tally(&answers, &[("200", 1), ("409 already_claimed", 19)]);
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        let owned = company.marketing.client.get(&format!("/leads/{lead}")).await.expect(200);
        assert_eq!(owned.text_of("owner_id"), racers[winner].id);
    }
}

/// Fifty customers in the pool, and the calls by which one person claims them all.
async fn fifty_claims(company: &Company, by: &Person) -> Vec<Call> {
    let mut claims = Vec::new();
    for _ in 0..50 {
        let path = format!("/public-pool/customers/{}/claim", company.pool_customer().await);
        claims.push(act(&by.client, path));
    }
    claims
}

async fn heavy_nobody_owns_more_than_allowed(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 10}, "pool": {"daily_claim_limit": 1000}})).await;
    let answers = at_once(fifty_claims(&company, &company.rep).await).await;
    expect_tally(&answers, &[("200", 10), ("409 ownership_limit_reached", 40)]);
    let owned = format!("/customers?owner_id={}", company.rep.id);
    assert_eq!(count(&company.director.client, &owned).await, 10);

    // Whatever makes somebody an owner counts: claiming, recording, being assigned.
    let racer = &company.colleague;
    let mut calls = Vec::new();
    for at in 0..12 {
        let (claimed, assigned) = (company.pool_customer().await, company.pool_customer().await);
        calls.push(act(&racer.client, format!("/public-pool/customers/{claimed}/claim")));
        let form = json!({"kind": "company", "name": format!("Recorded {at}")});
        calls.push(post(&racer.client, "/customers", form));
        let (path, form) = (format!("/customers/{assigned}/assign"), json!({"owner_id": racer.id}));
        calls.push(post(&company.manager.client, path, form));
    }
    let answers = at_once(calls).await;
    let won = answers.iter().filter(|answer| answer.status < 300).count();
    assert_eq!(won, 10, "{:?}", tally(&answers));
    assert_eq!(tally(&answers)["409 ownership_limit_reached"], 26);
    let owned = format!("/customers?owner_id={}", racer.id);
    assert_eq!(count(&company.director.client, &owned).await, 10);
    server.verify().await;
}

async fn heavy_nobody_claims_more_than_allowed_in_a_day(server: Server) {
    // The limit is one of a business day, which could end in the middle of the test. In a time zone where it
    // is about noon it does not.
    let hour = UNIX_EPOCH.elapsed().unwrap().as_secs() / 3600 % 24;
    let zone = format!("Etc/GMT{:+}", hour.cast_signed() - 12);
    let company = Company::found(&server).await;
    company.set(json!({"time_zone": zone, "pool": {"daily_claim_limit": 10}})).await;
    let answers = at_once(fifty_claims(&company, &company.rep).await).await;
    expect_tally(&answers, &[("200", 10), ("409 daily_claim_limit_reached", 40)]);
    let owned = format!("/customers?owner_id={}", company.rep.id);
    assert_eq!(count(&company.director.client, &owned).await, 10);
    server.verify().await;
}
