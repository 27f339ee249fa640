//! `allowed_actions` and the server say the same.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Server};

on_both_databases! {
    a_draft_that_cannot_be_submitted_says_so;
    whoever_did_not_ask_is_not_offered_to_take_it_back;
    what_was_submitted_is_not_offered_for_deletion;
    what_has_an_owner_was_claimed_before;
}

/// Why an action is refused by the record's `allowed_actions`; null when it is allowed.
#[track_caller]
fn reason(record: &Answer, action: &str) -> Value {
    let offers = record.body["allowed_actions"].as_array().unwrap();
    let offer = offers.iter().find(|offer| offer["action"] == action).unwrap();
    assert_eq!(offer["allowed"], offer["reason"].is_null(), "{offer}");
    offer["reason"].clone()
}

async fn offered(client: &Client, path: &str, action: &str) -> Value {
    reason(&client.get(path).await.expect(200), action)
}

async fn a_draft_that_cannot_be_submitted_says_so(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let path = format!("/contracts/{}", company.draft(&company.rep, "100.00", "by_contract").await);
    assert_eq!(offered(rep, &path, "submit").await, Value::Null);
    let part = json!([{"due_on": "2026-12-31", "amount": {"amount": "99.99", "currency": "CNY"}}]);
    for installments in [json!([]), part] {
        let changed = rep.patch(&path, json!({"installments": installments})).await.expect(200);
        assert_eq!(reason(&changed, "submit"), "installments_mismatch");
        rep.act(&format!("{path}/submit")).await.refused(409, "installments_mismatch");
    }
}

/// A submitted contract and a submitted invoice of the rep.
async fn submitted(company: &Company) -> [String; 2] {
    let rep = &company.rep;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    let running = company.active(rep, "100.00", "by_contract").await;
    let invoice = company.invoice_draft(rep, &running, "10.00").await;
    let paths = [format!("/contracts/{contract}"), format!("/invoices/{invoice}")];
    for path in &paths {
        let fresh = rep.client.get(path).await.expect(200);
        assert_eq!((&fresh.body["submitted_by"], reason(&fresh, "delete")), (&Value::Null, Value::Null));
        let asked = rep.client.act(&format!("{path}/submit")).await.expect(200);
        assert_eq!(asked.body["submitted_by"], json!(rep.id));
    }
    paths
}

async fn whoever_did_not_ask_is_not_offered_to_take_it_back(server: Server) {
    let company = Company::found(&server).await;
    let (rep, director) = (&company.rep.client, &company.director.client);
    for path in submitted(&company).await {
        let withdraw = format!("{path}/withdraw");
        assert_eq!(offered(director, &path, "withdraw").await, "forbidden", "{path}");
        director.act(&withdraw).await.refused(403, "forbidden");
        assert_eq!(offered(rep, &path, "withdraw").await, Value::Null, "{path}");
        rep.act(&withdraw).await.expect(200);
    }
}

async fn what_was_submitted_is_not_offered_for_deletion(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    for path in submitted(&company).await {
        assert_eq!(offered(rep, &path, "delete").await, "pending_approval", "{path}");
        let draft = rep.act(&format!("{path}/withdraw")).await.expect(200);
        assert_eq!(
            (&draft.body["status"], &draft.body["submitted_by"]),
            (&json!("draft"), &json!(company.rep.id))
        );
        assert_eq!(reason(&draft, "delete"), "in_use", "{path}");
        rep.delete(&path).await.refused(409, "in_use");
        assert_eq!(reason(&draft, "update"), Value::Null, "{path}");
    }
    // A rejection leaves the same behind.
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}");
    rep.act(&format!("{path}/submit")).await.expect(200);
    let reject = format!("/approvals/{}/reject", company.pending(&contract).await);
    company.director.client.post(&reject, json!({"comment": "No."})).await.expect(200);
    assert_eq!(offered(rep, &path, "delete").await, "in_use");
}

async fn what_has_an_owner_was_claimed_before(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = rep.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201).id();
    let customer = company.customer(&company.rep).await;
    for (path, claim) in [
        (format!("/leads/{lead}"), format!("/leads/{lead}/claim")),
        (format!("/customers/{customer}"), format!("/public-pool/customers/{customer}/claim")),
    ] {
        for (client, code) in [
            (rep, "already_claimed"),
            (&company.manager.client, "already_claimed"),
            (&company.director.client, "already_claimed"),
            // Whoever may not claim at all is told that first.
            (&company.admin.client, "forbidden"),
        ] {
            assert_eq!(offered(client, &path, "claim").await, code, "{path}");
            assert_eq!(client.act(&claim).await.body["code"], code, "{path}");
        }
    }
}
