//! How much of a pool somebody gets, and opens.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Company, Person, Server};

pub(super) async fn limits_differ_by_role_and_by_user(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    company
        .set(json!({"ownership": {
            "limit": 1, "by_role": [{"role": "sales_manager", "limit": 3}],
            "by_user": [{"user_id": colleague.id, "limit": 2}], "counts_locked": false,
        }}))
        .await;
    for (person, limit) in [(rep, 1), (colleague, 2), (manager, 3)] {
        let mut owned = Vec::new();
        for _ in 0..limit {
            owned.push(company.customer(person).await);
        }
        let form = json!({"kind": "person", "name": "One more"});
        let full =
            person.client.post("/customers", form.clone()).await.refused(409, "ownership_limit_reached");
        assert_eq!((&full.body["owned"], &full.body["limit"]), (&json!(limit), &json!(limit)));
        // A locked one does not count.
        director.client.act(&format!("/customers/{}/lock", owned[0])).await.expect(200);
        person.client.post("/customers", form.clone()).await.expect(201);
        person.client.post("/customers", form).await.refused(409, "ownership_limit_reached");
    }
}

pub(super) async fn opening_pool_records_is_limited(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, director, .. } = &company;
    let limits = json!([{"role": "sales_manager", "limit": 3}]);
    company.set(json!({"pool": {"daily_open_limit": 2, "daily_open_limits": limits}})).await;
    let mut pool = Vec::new();
    for _ in 0..4 {
        pool.push(company.pool_customer().await);
    }
    let open = async |person: &Person, at: usize, path: &str| {
        person.client.get(&format!("{path}/{}", pool[at])).await
    };
    // Both doors count, each record once.
    open(rep, 0, "/customers").await.expect(200);
    open(rep, 0, "/public-pool/customers").await.expect(200);
    open(rep, 1, "/public-pool/customers").await.expect(200);
    for path in ["/customers", "/public-pool/customers"] {
        let refused = open(rep, 2, path).await.refused(409, "daily_open_limit_reached");
        assert_eq!((&refused.body["opened_today"], &refused.body["limit"]), (&json!(2), &json!(2)));
    }
    open(rep, 1, "/customers").await.expect(200);
    // What belongs to a customer is behind the same door: its history, its story and its contacts. What was said
    // about it waits until somebody owns it.
    let mut contacts = Vec::new();
    for id in &pool {
        let form = json!({"customer_id": id, "name": "Zhang", "phone": "138 0013 8000"});
        contacts.push(director.client.post("/contacts", form).await.expect(201).id());
        let form =
            json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "138 0013 8000"});
        let said = director.client.post("/activities", form).await.expect(201).id();
        rep.client.get(&format!("/activities/{said}")).await.refused(404, "not_found");
    }
    assert!(rep.client.all("/activities").await.is_empty());
    assert_eq!(director.client.all("/activities").await.len(), 4);
    for below in ["ownership-history", "timeline"] {
        rep.client.get(&format!("/customers/{}/{below}", pool[0])).await.expect(200);
        let refused = rep.client.get(&format!("/customers/{}/{below}", pool[2])).await;
        refused.refused(409, "daily_open_limit_reached");
    }
    rep.client.get(&format!("/contacts/{}", contacts[0])).await.expect(200);
    rep.client.get(&format!("/contacts/{}", contacts[2])).await.refused(409, "daily_open_limit_reached");
    let seen = rep.client.all("/contacts").await;
    let seen: BTreeSet<&str> = seen.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(seen, BTreeSet::from([contacts[0].as_str(), contacts[1].as_str()]));
    for at in 0..3 {
        open(manager, at, "/customers").await.expect(200);
    }
    open(manager, 3, "/customers").await.refused(409, "daily_open_limit_reached");
    // Whoever may change pool customers opens as many as they like; so does whoever owns one.
    for at in 0..4 {
        open(director, at, "/customers").await.expect(200);
    }
    rep.client.act(&format!("/public-pool/customers/{}/claim", pool[3])).await.expect(200);
    open(rep, 3, "/customers").await.expect(200);
    assert_eq!((rep.client.all("/contacts").await.len(), rep.client.all("/activities").await.len()), (3, 1));
}

pub(super) async fn heavy_two_hundred_claims_of_one_person_keep_the_limit(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 10}, "pool": {"daily_claim_limit": 1000}})).await;
    let mut pool = Vec::new();
    for _ in 0..200 {
        pool.push(company.pool_customer().await);
    }
    // Fifty clients, four claims each, all at once.
    let claims = pool.chunks(4).map(|some| {
        let (client, some) = (company.rep.client.clone(), some.to_vec());
        async move {
            let mut won = 0;
            for id in some {
                let answer = client.act(&format!("/public-pool/customers/{id}/claim")).await;
                assert!(
                    answer.status == 200 || answer.body["code"] == "ownership_limit_reached",
                    "{}",
                    answer.text
                );
                won += usize::from(answer.status == 200);
            }
            won
        }
    });
    let won: usize = join_all(claims).await.into_iter().sum();
    assert_eq!(won, 10);
    let owned =
        company.director.client.get(&format!("/customers?owner_id={}&total=true", company.rep.id)).await;
    assert_eq!(owned.expect(200).body["page"]["total"], "10");
}

pub(super) async fn heavy_a_day_has_its_limit_and_its_cool_down(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"pool": {"daily_claim_limit": 5, "cool_down_days": 7}})).await;
    let mut pool = Vec::new();
    for _ in 0..40 {
        pool.push(company.pool_customer().await);
    }
    let claim =
        async |id: &String| company.rep.client.act(&format!("/public-pool/customers/{id}/claim")).await;
    let answers = join_all(pool.iter().map(claim)).await;
    let won: Vec<&String> =
        pool.iter().zip(&answers).filter(|(_, answer)| answer.status == 200).map(|(id, _)| id).collect();
    assert_eq!(won.len(), 5);
    // What was given back is not there for whoever gave it back, however often they ask at once.
    company.set(json!({"pool": {"daily_claim_limit": 100}})).await;
    let release = format!("/customers/{}/release", won[0]);
    company.rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    let answers = join_all((0..20).map(|_| claim(won[0]))).await;
    for answer in answers {
        answer.refused(409, "claim_cool_down");
    }
}

pub(super) async fn a_claim_counts_whatever_becomes_of_the_customer(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, .. } = &company;
    company.set(json!({"pool": {"daily_claim_limit": 2}})).await;
    let claim = async |id: &str| rep.client.act(&format!("/public-pool/customers/{id}/claim")).await;
    let (first, second, third) =
        (company.pool_customer().await, company.pool_customer().await, company.pool_customer().await);
    claim(&first).await.expect(200);
    // What came from the pool goes back there; it was not this seller's mistake.
    rep.client.delete(&format!("/customers/{first}")).await.refused(403, "forbidden");
    let kept = company.customer(rep).await;
    manager.client.post(&format!("/customers/{kept}/merge"), json!({"loser_id": first})).await.expect(200);
    claim(&second).await.expect(200);
    manager.client.delete(&format!("/customers/{second}")).await.expect(204);
    let full = claim(&third).await.refused(409, "daily_claim_limit_reached");
    assert_eq!(full.body["claimed_today"], 2);
    rep.client.delete(&format!("/customers/{}", company.customer(rep).await)).await.expect(204);
}
