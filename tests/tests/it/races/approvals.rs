//! Decisions about what waits.

use serde_json::json;

use super::{act, at_once, count, one_winner, post};
use crate::support::{Company, Person, Server, report, rounds};

on_both_databases! {
    heavy_each_step_of_an_approval_is_decided_once;
    heavy_an_approval_is_approved_rejected_or_withdrawn;
}

async fn heavy_each_step_of_an_approval_is_decided_once(server: Server) {
    let (company, times) = (Company::found(&server).await, rounds(20, 100));
    for _ in 0..times {
        let contract = company.draft(&company.rep, "1000.00", "by_contract").await;
        company.rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let path = format!("/approvals/{}/approve", company.pending(&contract).await);
        let decide = |people: [&Person; 2]| {
            // Each of them twice: two people are in a race here, and each one with themselves.
            let calls = people.into_iter().chain(people);
            calls.map(|person| post(&person.client, &path, json!({}))).collect::<Vec<_>>()
        };
        let losers = ["409 already_decided", "409 separation_of_duties", "403 forbidden"];
        let answers = at_once(decide([&company.manager, &company.director])).await;
        assert_eq!(one_winner(&answers, 200, &losers).body["status"], "pending");
        let answers = at_once(decide([&company.finance, &company.finance_two])).await;
        assert_eq!(one_winner(&answers, 200, &losers).body["status"], "approved");

        let active = company.rep.client.get(&format!("/contracts/{contract}")).await.expect(200);
        assert_eq!(active.body["status"], "active");
        assert_eq!(active.body["installments"].as_array().unwrap().len(), 1, "{}", active.text);
        let trail = format!("/audit-events?record_id={contract}&action=contract.activated");
        assert_eq!(count(&company.auditor.client, &trail).await, 1);
    }
    let told = format!("{times} approvals of two steps, each by two people twice at once: one decision each");
    report("T7", server.database.kind, &told);
}

async fn heavy_an_approval_is_approved_rejected_or_withdrawn(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..20 {
        let contract = company.draft(&company.rep, "1000.00", "by_contract").await;
        company.rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let approval = company.pending(&contract).await;
        company.manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
        let no = json!({"comment": "too cheap"});
        let calls = vec![
            post(&company.finance.client, format!("/approvals/{approval}/approve"), json!({})),
            post(&company.finance_two.client, format!("/approvals/{approval}/reject"), no),
            act(&company.rep.client, format!("/contracts/{contract}/withdraw")),
        ];
        let answers = at_once(calls).await;
        one_winner(&answers, 200, &["409 already_decided", "409 invalid_transition"]);
        let won = answers.iter().position(|answer| answer.status == 200).unwrap();
        let (status, asked) = [("active", "approved"), ("draft", "rejected"), ("draft", "withdrawn")][won];
        let contract = company.rep.client.get(&format!("/contracts/{contract}")).await.expect(200);
        assert_eq!(contract.body["status"], status);
        let approval = company.rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
        assert_eq!(approval.body["status"], asked);
    }
}
