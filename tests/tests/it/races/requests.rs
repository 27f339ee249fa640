//! The same request, or the same version, many times.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Call, PATIENCE, at_once, count, expect_tally, outcome, patch, tally, with_status};
use crate::support::{Answer, Client, Company, PASSWORD, Server, report, rounds};

on_both_databases! {
    heavy_one_key_has_one_effect;
    heavy_a_refused_request_is_refused_again_under_its_key;
    heavy_of_equal_versions_one_is_written;
    heavy_no_increment_is_lost;
}

fn post_once(client: &Client, path: &str, key: &str, body: Value) -> Call {
    let (client, path, key) = (client.clone(), path.to_owned(), key.to_owned());
    Box::pin(async move { client.post_once(&path, &key, body).await })
}

/// What matters of an answer that is given more than once: everything but the ids of the single request.
fn essence(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    (answer.status, body)
}

async fn heavy_one_key_has_one_effect(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    company.set(json!({"ownership": {"limit": 1000}, "pool": {"daily_claim_limit": 1000}})).await;
    let contract = company.active(&company.rep, "100000.00", "by_contract").await;
    let (client, times) = (&company.rep.client, rounds(20, 100));
    for round in 0..times {
        let key = format!("key-{round}");
        // A record, a transition of a record, and money.
        let name = format!("Only Once {round}");
        let customer = json!({"kind": "company", "name": name});
        let claim = format!("/public-pool/customers/{}/claim", company.pool_customer().await);
        let payment = Company::payment(&contract, "100.00");
        let (path, form, status) = match round % 3 {
            0 => ("/customers", customer, 201),
            1 => (claim.as_str(), Value::Null, 200),
            _ => ("/payments", payment, 201),
        };
        let once = |client: &Client| match &form {
            Value::Null => act_once(client, path, &key),
            form => post_once(client, path, &key, form.clone()),
        };
        let answers = at_once((0..32).map(|_| once(client))).await;
        let later = once(client).await.expect(status);
        assert_eq!(later.header("idempotent-replayed"), "true");
        let mut fresh = 0;
        for answer in &answers {
            if answer.status == 409 {
                assert_eq!(outcome(answer), "409 idempotency_in_progress", "{}", answer.text);
                continue;
            }
            assert_eq!(essence(answer), essence(&later), "{}", answer.request);
            assert_eq!(answer.header("etag"), later.header("etag"));
            assert_eq!(answer.header("location"), later.header("location"));
            fresh += i32::from(answer.header("idempotent-replayed").is_empty());
        }
        assert_eq!(fresh, 1, "{:?}", tally(&answers));

        // Another request may not use the key, the same of another person is another key.
        let other = json!({"kind": "company", "name": "Another"});
        client.post_once("/customers", &key, other).await.refused(422, "idempotency_key_reused");
        if path == "/customers" {
            let own = once(&company.colleague.client).await.expect(201);
            assert_ne!(own.id(), later.id());
        }
        let made = match path {
            "/customers" => format!("/customers?q=Only+Once+{round}&owner_id={}", company.rep.id),
            "/payments" => format!("/payments?bank_reference={}", later.text_of("bank_reference")),
            _ => format!("/audit-events?action=customer.claimed&record_id={}", later.id()),
        };
        let client = if made.starts_with("/audit-events") { &company.auditor.client } else { client };
        assert_eq!(count(client, &made).await, 1, "{made}");
    }
    let told = format!("{times} rounds of 32 equal keys at once: one effect and one answer each");
    report("T5", server.database.kind, &told);
}

fn act_once(client: &Client, path: &str, key: &str) -> Call {
    let (client, path, key) = (client.clone(), path.to_owned(), key.to_owned());
    let request = client.request(Method::POST, &path).header("idempotency-key", key);
    Box::pin(async move { client.send(request).await })
}

async fn heavy_a_refused_request_is_refused_again_under_its_key(server: Server) {
    let company = Company::found(&server).await;
    for round in 0..10 {
        let customer = company.pool_customer().await;
        let path = format!("/public-pool/customers/{customer}/claim");
        company.rep.client.act(&path).await.expect(200);
        let key = format!("refused-{round}");
        let answers = at_once((0..32).map(|_| act_once(&company.colleague.client, &path, &key))).await;
        for answer in &answers {
            assert!(
                ["409 already_claimed", "409 idempotency_in_progress"].contains(&outcome(answer).as_str()),
                "{}",
                answer.text
            );
        }
        // What was refused once stays refused, even though it would be possible now.
        let reason = json!({"reason": "no time"});
        company.rep.client.post(&format!("/customers/{customer}/release"), reason).await.expect(200);
        act_once(&company.colleague.client, &path, &key).await.refused(409, "already_claimed");
        act_once(&company.colleague.client, &path, &format!("{key}-again")).await.expect(200);
    }
}

async fn heavy_of_equal_versions_one_is_written(server: Server) {
    let company = Company::found(&server).await;
    let path = format!("/customers/{}", company.customer(&company.rep).await);
    let times = rounds(25, 100);
    for round in 0..times {
        let tag = company.rep.client.get(&path).await.expect(200).header("etag").to_owned();
        let change = |at: usize| {
            let person = if at.is_multiple_of(2) { &company.rep } else { &company.manager };
            patch(&person.client, &path, &tag, json!({"note": format!("round {round}, client {at}")}))
        };
        let answers = at_once((0..16).map(change)).await;
        expect_tally(&answers, &[("200", 1), ("412 version_mismatch", 15)]);
        let won = with_status(&answers, 200).next().unwrap();
        let now = company.rep.client.get(&path).await.expect(200);
        assert_eq!(now.body["note"], won.body["note"]);
        assert_eq!(now.body["version"], won.body["version"]);
        for lost in with_status(&answers, 412) {
            assert_eq!(lost.body["current_version"], now.body["version"], "{}", lost.text);
        }
    }
    let told = format!("{times} rounds of 16 with the same If-Match: one 200 and 15 x 412 each");
    report("T6", server.database.kind, &told);
}

async fn heavy_no_increment_is_lost(server: Server) {
    const CLIENTS: usize = 8;
    const EACH: usize = 125;
    let company = Company::found(&server).await;
    let path = format!("/customers/{}", company.customer(&company.rep).await);
    company.rep.client.patch(&path, json!({"note": "0"})).await.expect(200);
    let count = |client: Client, path: String| async move {
        let mut lost = 0;
        for _ in 0..EACH {
            loop {
                let now = client.get(&path).await.expect(200);
                let next = now.text_of("note").parse::<usize>().unwrap() + 1;
                let note = json!({"note": next.to_string()});
                let answer = client.patch_if(&path, now.header("etag"), note).await;
                if answer.status == 200 {
                    break;
                }
                answer.refused(412, "version_mismatch");
                lost += 1;
            }
        }
        lost
    };
    let (mut lost, times) = (0, rounds(1, 10));
    for _ in 0..times {
        // A login each: one alone would not last a long run.
        let rep = server.login(&company.rep.email, PASSWORD).await;
        let counting: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(count(rep.clone(), path.clone()))).collect();
        for client in counting {
            lost += tokio::time::timeout(PATIENCE * 3, client).await.expect("counts in time").unwrap();
        }
    }
    assert!(lost > 0, "nobody was ever too late: this was no race");
    let (end, made) = (server.login(&company.rep.email, PASSWORD).await, CLIENTS * EACH * times);
    assert_eq!(end.get(&path).await.expect(200).body["note"], made.to_string());
    let told = format!("{made} increments by {CLIENTS} clients, {lost} x 412 and asked again, 0 lost");
    report("T6", server.database.kind, &told);
}
