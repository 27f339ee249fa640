//! Who sees a pool, and what of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::customer;
use crate::support::{Client, Company, Server};

pub(super) async fn a_pool_belongs_to_its_members(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, other_rep, manager, other_manager, director, marketing, .. } = &company;
    let teams = admin.client.get("/teams?name=South").await.expect(200);
    let south = teams.body["data"][0]["id"].clone();
    let form = json!({
        "name": "South pool", "regions": ["Guangdong"], "member_team_ids": [south],
        "manager_ids": [other_manager.id],
    });
    let pool = admin.client.post("/public-pools", form).await.expect(201).id();
    let form = json!({"kind": "company", "name": "Pearl River", "region": "guang dong"});
    let made = admin.client.post("/customers", form).await.expect(201);
    assert_eq!(made.body["pool_id"], json!(pool));
    let (id, path) = (made.id(), format!("/public-pool/customers/{}", made.id()));

    // Whoever is no member learns nothing: not by list, total, single read, claim or history.
    for stranger in [rep, manager] {
        stranger.client.get(&path).await.refused(404, "not_found");
        stranger.client.get(&format!("/customers/{id}")).await.refused(404, "not_found");
        stranger.client.act(&format!("{path}/claim")).await.refused(404, "not_found");
        stranger.client.get(&format!("/customers/{id}/ownership-history")).await.refused(404, "not_found");
        stranger.client.get(&format!("/customers/{id}/timeline")).await.refused(404, "not_found");
        stranger.client.get(&format!("/public-pools/{pool}")).await.refused(404, "not_found");
        let seen = stranger.client.get("/public-pool/customers?total=true").await.expect(200);
        assert_eq!(seen.body["page"]["total"], "0");
        let form = json!({"name": "Chen", "source": "website", "company": "Pearl River Co., Ltd."});
        let known = stranger.client.post("/leads", form).await.refused(409, "possible_duplicate");
        let known = &known.body["matches"][0];
        assert_eq!((&known["visible"], &known["id"]), (&json!(false), &Value::Null));
    }
    // Members see and claim, its managers assign; whoever reaches everything does both.
    for member in [other_rep, other_manager, director, marketing] {
        member.client.get(&path).await.expect(200);
    }
    let give = json!({"owner_id": other_rep.id});
    let assign = format!("/customers/{id}/assign");
    other_manager.client.post(&assign, give.clone()).await.expect(200);
    other_rep
        .client
        .post(&format!("/customers/{id}/release"), json!({"reason": "No need"}))
        .await
        .expect(200);
    let back = customer(director, &id).await;
    assert_eq!(back["pool_id"], json!(pool), "it goes back to its own pool");
    // No longer its manager: the other one takes over.
    admin
        .client
        .patch(&format!("/public-pools/{pool}"), json!({"manager_ids": [director.id]}))
        .await
        .expect(200);
    other_manager.client.post(&assign, give.clone()).await.refused(403, "forbidden");
    director.client.post(&assign, give).await.expect(200);
    // A pool with customers stays; the default one too.
    admin.client.delete(&format!("/public-pools/{pool}")).await.refused(409, "in_use");
    let pools = admin.client.get("/public-pools?is_default=true").await.expect(200);
    let default = pools.body["data"][0]["id"].as_str().unwrap().to_owned();
    admin.client.delete(&format!("/public-pools/{default}")).await.refused(409, "in_use");
    let stays = json!({"is_default": false});
    admin.client.patch(&format!("/public-pools/{default}"), stays).await.refused(422, "validation_failed");
    // Moved to the default pool, it is everybody's.
    director.client.post(&format!("/customers/{id}/move"), json!({"pool_id": default})).await.expect(200);
    other_rep.client.post(&format!("/customers/{id}/release"), json!({"reason": "Moved"})).await.expect(200);
    rep.client.act(&format!("{path}/claim")).await.expect(200);
    admin.client.delete(&format!("/public-pools/{pool}")).await.expect(204);
}

pub(super) async fn what_was_merged_is_found_in_the_pool(server: Server) {
    let company = Company::found(&server).await;
    let (stays, goes) = (company.pool_customer().await, company.pool_customer().await);
    let merge = json!({"loser_id": goes});
    company.director.client.post(&format!("/customers/{stays}/merge"), merge).await.expect(200);
    let rep = &company.rep.client;
    assert_eq!(rep.get(&format!("/public-pool/customers/{goes}")).await.expect(200).id(), stays);
    // By its old id it is not claimed.
    let before = rep.get(&format!("/public-pool/customers/{stays}")).await.expect(200);
    let refused = rep.act(&format!("/public-pool/customers/{goes}/claim")).await;
    let refused = refused.refused(409, "record_merged");
    assert_eq!((&refused.body["survivor_id"], refused.header("location")), (&json!(stays), ""));
    let after = rep.get(&format!("/public-pool/customers/{stays}")).await.expect(200);
    assert_eq!(after.body, before.body);
    rep.act(&format!("/public-pool/customers/{stays}/claim")).await.expect(200);
}

pub(super) async fn labels_are_looked_for(server: Server) {
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep.client);
    let mut ids = Vec::new();
    for tags in [json!(["vip", "东区"]), json!(["vip \"a\\b\""]), json!([])] {
        let form = json!({"kind": "person", "name": "Somebody", "tags": tags});
        ids.push(admin.post("/customers", form).await.expect(201).id());
    }
    for (query, expected) in [
        ("tags=vip", vec![0]),
        ("tags=东区", vec![0]),
        ("tags=VIP", vec![]),
        ("tags=vi", vec![]),
        ("tags=vip%20%22a%5Cb%22", vec![1]),
        ("tags=vip%20%22a%5Cb%22,东区", vec![0, 1]),
        ("tags_ne=vip", vec![1, 2]),
    ] {
        for list in ["/public-pool/customers", "/customers"] {
            let found = rep.all(&format!("{list}?{query}")).await;
            let found: BTreeSet<&str> = found.iter().map(|it| it["id"].as_str().unwrap()).collect();
            let expected: BTreeSet<&str> = expected.iter().map(|at: &usize| ids[*at].as_str()).collect();
            assert_eq!(found, expected, "{list}?{query}");
        }
    }
}

pub(super) async fn what_is_masked_is_a_setting(server: Server) {
    let company = Company::found(&server).await;
    let form = json!({
        "kind": "company", "name": "Acme", "phone": "138 0013 8000", "email": "zhang@example.com",
        "registration_number": "91310000MA1FL0001X", "website": "https://acme.example.com", "note": "Call first",
    });
    let id = company.admin.client.post("/customers", form).await.expect(201).id();
    let rep = &company.rep.client;
    let opened = rep.get(&format!("/customers/{id}")).await.expect(200).body;
    assert_eq!(opened["phone"], "138****8000");
    assert_eq!(
        (&opened["website"], &opened["registration_number"]),
        (&Value::Null, &json!("91310000MA1FL0001X"))
    );
    let listed = rep.get("/public-pool/customers").await.expect(200).body["data"][0].clone();
    assert_eq!(listed["registration_number"], Value::Null, "a list shows less than an opened record");
    company.set(json!({"pool": {"masked_fields": ["phone", "registration_number"]}})).await;
    let opened = rep.get(&format!("/customers/{id}")).await.expect(200).body;
    assert_eq!(opened["email"], "zhang@example.com");
    assert_eq!((&opened["note"], &opened["registration_number"]), (&json!("Call first"), &Value::Null));
    for query in ["registration_number=91310000MA1FL0001X", "phone_contains=8000", "email=zhang@example.com"]
    {
        let found = rep.get(&format!("/customers?{query}")).await.expect(200);
        assert_eq!(found.body["data"], json!([]), "{query} tells what is masked");
    }
    // Nor does a guess: of what meets it in masked data, no more is told than that somebody is there.
    let looks_like = async |person: &Client, name: &str| {
        let form = json!({"kind": "company", "name": name, "phone": "13800138000"});
        let known = person.post("/customers", form).await.refused(409, "possible_duplicate");
        known.body["matches"][0].clone()
    };
    let hidden = json!({"kind": "customer", "matched_on": ["phone"], "visible": false});
    assert_eq!(looks_like(rep, "Somebody").await, hidden);
    // Its name can be read in the pool.
    let named =
        json!({"kind": "customer", "matched_on": ["company"], "visible": true, "id": id, "name": "Acme"});
    assert_eq!(looks_like(rep, "ACME").await, named);
    let all = looks_like(&company.director.client, "ACME").await;
    assert_eq!((&all["matched_on"], &all["id"]), (&json!(["phone", "company"]), &json!(id)));
}

pub(super) async fn collaborators_see_what_is_shared_and_no_money(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, director, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let id = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let form = json!({"name": "Pumps", "customer_id": id});
    let opportunity = rep.client.post("/opportunities", form).await.expect(201).id();
    let path = format!("/customers/{id}");
    other_rep.client.get(&path).await.refused(404, "not_found");
    let form = json!({"customer_id": id, "user_id": other_rep.id, "access": "read"});
    other_rep.client.post("/collaborators", form.clone()).await.refused(422, "unknown_reference");
    let shared = rep.client.post("/collaborators", form.clone()).await.expect(201).id();
    rep.client.post("/collaborators", form).await.refused(409, "duplicate");

    let sees = async |what: &str| other_rep.client.get(what).await.status == 200;
    let lists = async |what: &str| {
        let rows = other_rep.client.all(what).await;
        rows.iter().any(|row| row["id"] == json!(id) || row["customer_id"] == json!(id))
    };
    let deal = format!("/opportunities/{opportunity}");
    assert!(sees(&path).await && sees(&deal).await);
    assert!(lists("/customers").await && lists("/opportunities").await);
    assert!(!sees(&format!("/contracts/{contract}")).await && !lists("/contracts").await, "never contracts");
    let timeline = other_rep.client.all(&format!("{path}/timeline")).await;
    assert!(timeline.iter().any(|entry| entry["record_kind"] == "opportunity"));
    assert!(
        timeline.iter().all(|entry| entry["record_kind"] != "contract" && entry["record_kind"] != "approval")
    );
    other_rep.client.patch(&path, json!({"note": "Mine"})).await.refused(403, "forbidden");
    // Nor what is written about contracts.
    for (kind, about, shown) in [("contract", &contract, false), ("opportunity", &opportunity, true)] {
        let form = json!({"about": {"kind": kind, "id": about}, "kind": "call", "subject": "Margin"});
        let activity = rep.client.post("/activities", form).await.expect(201).id();
        assert_eq!(sees(&format!("/activities/{activity}")).await, shown, "{kind}");
        let listed = other_rep.client.all(&format!("/activities?customer_id={id}")).await;
        assert_eq!(listed.iter().any(|row| row["id"] == json!(activity)), shown, "{kind}");
        let told = other_rep.client.all(&format!("{path}/timeline")).await;
        assert_eq!(told.iter().any(|entry| entry["record_id"] == json!(activity)), shown, "{kind}");
        let own = rep.client.all(&format!("{path}/timeline")).await;
        assert!(own.iter().any(|entry| entry["record_id"] == json!(activity)), "{kind}");
    }

    // With `write` they work with it, but neither give it away, share it nor delete it.
    let one = format!("/collaborators/{shared}");
    rep.client.patch(&one, json!({"access": "write"})).await.expect(200);
    other_rep.client.patch(&path, json!({"note": "Ours"})).await.expect(200);
    other_rep.client.patch(&deal, json!({"note": "Ours"})).await.expect(200);
    let form = json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "Called"});
    other_rep.client.post("/activities", form).await.expect(201);
    other_rep.client.delete(&path).await.refused(403, "forbidden");
    other_rep.client.delete(&deal).await.refused(403, "forbidden");
    let release = json!({"reason": "Not mine"});
    other_rep.client.post(&format!("{path}/release"), release).await.refused(403, "forbidden");
    other_rep.client.patch(&one, json!({"access": "read"})).await.refused(403, "forbidden");
    let sign = json!({"stage_id": company.signing_stage(), "reason": "Fast"});
    let signing = other_rep.client.post(&format!("{deal}/advance"), sign).await;
    assert!(matches!(signing.status, 403 | 409), "a collaborator makes no contract: {}", signing.text);

    // It stays when the customer changes hands, and ends with the sharing.
    let give = json!({"owner_id": company.colleague.id});
    manager.client.post(&format!("{path}/assign"), give).await.expect(200);
    assert!(sees(&path).await);
    director.client.delete(&one).await.expect(204);
    assert!(!sees(&path).await && !lists("/customers").await);
}
