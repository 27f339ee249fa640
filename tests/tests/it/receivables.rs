//! What is still to be paid: who is told of it when, once, and how old it is.

use serde_json::{Value, json};

use crate::support::{Company, Database, Person, Server};

on_both_databases! {
    whoever_looks_after_the_money_is_told_once;
    what_is_settled_or_moved_is_told_anew_or_not_at_all;
    heavy_two_servers_tell_once_over_restarts;
    receivables_are_as_old_as_they_are;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// Moves the due dates of a contract's installments so many days from today, as if time had passed.
async fn due_in(company: &Company, database: &Database, contract: &str, days: i64) {
    database.note_altered();
    let billing =
        company.director.client.get(&format!("/contracts/{contract}/billing")).await.expect(200).body;
    for part in billing["installments"].as_array().unwrap() {
        let day = today(company).await + chrono::Duration::days(days);
        let id = database.id(part["id"].as_str().unwrap());
        database
            .connect()
            .await
            .run(&format!("UPDATE installments SET due_on = '{day}' WHERE id = {id}"))
            .await;
    }
}

/// The organisation's business day.
async fn today(company: &Company) -> chrono::NaiveDate {
    let report = company.director.client.get("/reports/receivable-aging/by-owner").await.expect(200).body;
    report["as_of"].as_str().unwrap().parse().unwrap()
}

async fn told(person: &Person, kind: &str) -> Vec<Value> {
    person.client.all(&format!("/notifications?kind={kind}")).await
}

/// Waits until somebody was told so often, and a little longer: nothing more may come.
async fn told_times(person: &Person, kind: &str, times: usize) {
    for _ in 0..600 {
        if told(person, kind).await.len() >= times {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(told(person, kind).await.len(), times, "{} of {kind}", person.email);
}

async fn whoever_looks_after_the_money_is_told_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, finance, marketing, admin, .. } = &company;
    let contract = company.active(rep, "100.00", "by_contract").await;
    due_in(&company, &server.database, &contract, 7).await;
    for person in [rep, manager, finance] {
        told_times(person, "installment_due_soon", 1).await;
    }
    let news = told(rep, "installment_due_soon").await;
    assert_eq!((&news[0]["record_kind"], &news[0]["record_id"]), (&json!("contract"), &json!(contract)));
    due_in(&company, &server.database, &contract, 0).await;
    due_in(&company, &server.database, &contract, -1).await;
    told_times(rep, "installment_overdue", 1).await;
    due_in(&company, &server.database, &contract, -6).await;
    due_in(&company, &server.database, &contract, -7).await;
    told_times(finance, "installment_overdue", 2).await;
    // Of several that fell due together, the last.
    due_in(&company, &server.database, &contract, -400).await;
    told_times(manager, "installment_overdue", 3).await;
    assert_eq!(told(rep, "installment_due_soon").await.len(), 1);
    for stranger in [colleague, marketing] {
        assert!(told(stranger, "installment_overdue").await.is_empty());
    }
    let events = admin.client.all(&format!("/audit-events?record_id={contract}")).await;
    let last = events.iter().find(|event| event["action"] == "contract.installment_overdue").unwrap();
    assert_eq!(
        (&last["changes"]["installment"]["overdue_days"], &last["actor_id"]),
        (&json!(400), &Value::Null)
    );
    let unordered = json!({"overdue_reminder_days": [7, 1]});
    admin.client.patch("/settings", unordered).await.refused(422, "validation_failed");
}

async fn what_is_settled_or_moved_is_told_anew_or_not_at_all(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, .. } = &company;
    let settled = company.active(rep, "100.00", "by_contract").await;
    let payment = company.paid(rep, &settled, "100.00").await;
    let ended = company.active(rep, "100.00", "by_contract").await;
    manager
        .client
        .post(&format!("/contracts/{ended}/terminate"), json!({"reason": "Bankrupt"}))
        .await
        .expect(200);
    for contract in [&settled, &ended] {
        due_in(&company, &server.database, contract, -10).await;
    }
    let open = company.active(rep, "100.00", "by_contract").await;
    due_in(&company, &server.database, &open, -10).await;
    told_times(rep, "installment_overdue", 1).await;
    assert_eq!(told(rep, "installment_overdue").await[0]["record_id"], json!(open));
    // On another day it is told anew.
    let billing = rep.client.get(&format!("/contracts/{open}/billing")).await.expect(200).body;
    let later = today(&company).await + chrono::Duration::days(3);
    let plan = json!([{"id": billing["installments"][0]["id"], "due_on": later, "amount": cny("100.00")}]);
    let change = json!({"contract_id": open, "reason": "They asked", "installments": plan});
    let amendment = rep.client.post("/amendments", change).await.expect(201).id();
    company.approve(&amendment).await;
    told_times(rep, "installment_due_soon", 1).await;
    due_in(&company, &server.database, &open, -1).await;
    told_times(rep, "installment_overdue", 2).await;
    // So it is when the money that settled it is gone.
    let reverse = format!("/payments/{payment}/reverse");
    finance.client.post(&reverse, json!({"reason": "Bounced"})).await.expect(200);
    told_times(rep, "installment_overdue", 3).await;
    for person in [rep, manager] {
        let news = told(person, "payment_reversed").await;
        assert_eq!((news.len(), &news[0]["record_id"]), (1, &json!(payment)), "{}", person.email);
    }
    let again = company.paid(rep, &settled, "100.00").await;
    due_in(&company, &server.database, &settled, -10).await;
    let form = json!({
        "payment_id": again, "amount": cny("1.00"), "refunded_on": "2026-03-01", "method": "bank_transfer", "reason": "Too much",
    });
    let refund = company.finance_two.client.post("/refunds", form).await.expect(201).id();
    finance.client.act(&format!("/refunds/{refund}/confirm")).await.expect(200);
    told_times(rep, "installment_overdue", 4).await;
    told_times(rep, "payment_refunded", 1).await;
}

async fn heavy_two_servers_tell_once_over_restarts(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let rep = &company.rep;
    let mut contracts = Vec::new();
    for _ in 0..5 {
        contracts.push(company.active(rep, "100.00", "by_contract").await);
    }
    let second = server.beside().await;
    for contract in &contracts {
        due_in(&company, &server.database, contract, -1).await;
    }
    told_times(rep, "installment_overdue", 5).await;
    drop(second);
    server.stop().await;
    server.restart().await;
    let rep = Person { client: rep.client.at(&server.url), ..rep.clone() };
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    told_times(&rep, "installment_overdue", 5).await;
}

async fn receivables_are_as_old_as_they_are(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, finance, marketing, .. } = &company;
    let report = async |person: &Person, by: &str| {
        person.client.get(&format!("/reports/receivable-aging/by-{by}")).await.expect(200).body
    };
    // On the last and the first day of each bucket.
    for (days, amount) in [
        (5, "1.00"),
        (0, "2.00"),
        (-1, "4.00"),
        (-30, "8.00"),
        (-31, "16.00"),
        (-60, "32.00"),
        (-61, "64.00"),
        (-90, "128.00"),
        (-91, "256.00"),
    ] {
        let contract = company.active(rep, amount, "by_contract").await;
        due_in(&company, &server.database, &contract, days).await;
    }
    let other = company.active(other_rep, "1000.00", "by_contract").await;
    company.paid(other_rep, &other, "400.00").await;
    due_in(&company, &server.database, &other, -45).await;
    let mine = report(rep, "owner").await;
    let line = &mine["data"][0];
    let figures =
        ["current", "days_1_to_30", "days_31_to_60", "days_61_to_90", "days_over_90", "overdue", "total"];
    let seen: Vec<&str> = figures.iter().map(|figure| line[*figure]["amount"].as_str().unwrap()).collect();
    assert_eq!(seen, ["3.00", "12.00", "48.00", "192.00", "256.00", "508.00", "511.00"]);
    assert_eq!((mine["data"].as_array().unwrap().len(), &line["owner"]["id"]), (1, &json!(rep.id)));
    assert_eq!(report(manager, "owner").await["totals"], mine["totals"], "the team's, and no more");
    let all = report(finance, "owner").await;
    assert_eq!((&all["totals"][0]["total"], &all["totals"][0]["currency"]), (&cny("1111.00"), &json!("CNY")));
    assert_eq!(report(finance, "customer").await["data"].as_array().unwrap().len(), 10);
    let teams = report(finance, "team").await["data"].as_array().unwrap().clone();
    assert_eq!(teams.len(), 2);
    for person in [rep, other_rep] {
        let who = finance.client.get(&format!("/people/{}", person.id)).await.expect(200).body;
        let line = teams.iter().find(|line| line["team_id"] == who["team_id"]).unwrap();
        assert!(line["team_name"].is_string() && line["team_name"] == who["team_name"], "{line} {who}");
    }
    marketing.client.get("/reports/receivable-aging/by-owner").await.refused(403, "forbidden");
}
