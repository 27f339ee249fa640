//! What is each user's own: notifications and saved views.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Company, Person, Server};

on_both_databases! {
    everybody_reads_their_own_notifications;
    approvals_are_told_to_whom_they_wait_for;
    heavy_notifications_come_once_over_restarts;
    views_are_private_or_shared_with_the_team;
}

/// Waits until somebody has so many notifications of a kind.
async fn told(person: &Person, kind: &str, count: usize) -> Vec<Value> {
    let path = format!("/notifications?kind={kind}");
    for _ in 0..600 {
        let told = person.client.all(&path).await;
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} was not told of {kind} {count} times", person.email);
}

async fn unread(person: &Person) -> i64 {
    person.client.get("/notifications/unread-count").await.expect(200).body["unread"].as_i64().unwrap()
}

async fn everybody_reads_their_own_notifications(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, .. } = &company;
    for _ in 0..3 {
        let id = company.pool_customer().await;
        manager
            .client
            .post(&format!("/customers/{id}/assign"), json!({"owner_id": rep.id}))
            .await
            .expect(200);
    }
    let news = told(rep, "customer_assigned", 3).await;
    assert_eq!((news.len(), unread(rep).await), (3, 3));
    assert_eq!((&news[0]["actor_id"], &news[0]["record_kind"]), (&json!(manager.id), &json!("customer")));
    assert!(news[0]["title"].as_str().unwrap().starts_with("Customer "));
    assert_eq!(unread(manager).await, 0, "nobody is told what they did themselves");
    let one = format!("/notifications/{}/read", news[0]["id"].as_str().unwrap());
    colleague.client.act(&one).await.refused(404, "not_found");
    let read = rep.client.act(&one).await.expect(200).body;
    assert!(read["read_at"].is_string());
    assert_eq!(rep.client.act(&one).await.expect(200).body["read_at"], read["read_at"], "read once");
    assert_eq!(unread(rep).await, 2);
    assert_eq!(rep.client.all("/notifications?read_at_is_null=true").await.len(), 2);
    rep.client.act("/notifications/read-all").await.expect(204);
    assert_eq!(unread(rep).await, 0);
}

async fn approvals_are_told_to_whom_they_wait_for(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, director, finance, finance_two, other_manager, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let approval = company.pending(&contract).await;
    for person in [manager, director] {
        let news = told(person, "approval_waiting", 1).await;
        assert_eq!(news[0]["record_id"], json!(approval));
    }
    assert_eq!(unread(finance).await, 0, "their step comes later");
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    for person in [finance, finance_two] {
        told(person, "approval_waiting", 1).await;
    }
    finance
        .client
        .post(&format!("/approvals/{approval}/reject"), json!({"comment": "Too cheap"}))
        .await
        .expect(200);
    told(rep, "approval_rejected", 1).await;
    assert_eq!(unread(other_manager).await, 0);
}

async fn heavy_notifications_come_once_over_restarts(mut server: Server) {
    let company = Company::found(&server).await;
    let (rep, manager) = (company.rep.clone(), company.manager.clone());
    let second = server.beside().await;
    for at in 0..20 {
        let id = company.pool_customer().await;
        let by = manager.client.at(if at % 2 == 0 { &server.url } else { &second.url });
        by.post(&format!("/customers/{id}/assign"), json!({"owner_id": rep.id})).await.expect(200);
    }
    server.kill().await;
    server.restart().await;
    let rep = Person { client: rep.client.at(&server.url), ..rep };
    told(&rep, "customer_assigned", 20).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(told(&rep, "customer_assigned", 20).await.len(), 20, "each once");
}

async fn views_are_private_or_shared_with_the_team(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, other_rep, manager, .. } = &company;
    let form = json!({"resource": "customers", "name": "Important", "query": "grade=A,B&sort=-created_at"});
    let view = rep.client.post("/saved-views", form.clone()).await.expect(201);
    let path = format!("/saved-views/{}", view.id());
    let sees = async |person: &Person| {
        let listed = person.client.all("/saved-views").await.iter().any(|it| it["id"] == view.body["id"]);
        let read = person.client.get(&path).await.status == 200;
        assert_eq!(listed, read, "{}", person.email);
        read
    };
    assert!(sees(rep).await && !sees(colleague).await && !sees(manager).await);
    rep.client.patch(&path, json!({"shared": true})).await.expect(200);
    assert!(sees(colleague).await && sees(manager).await, "the team sees it");
    assert!(!sees(inner).await && !sees(other_rep).await, "others do not");
    colleague.client.patch(&path, json!({"name": "Mine"})).await.refused(403, "forbidden");
    colleague.client.delete(&path).await.refused(403, "forbidden");
    for query in ["grade=Z", "nothing=1", "cursor=abc", "sort=phone"] {
        let mut bad = form.clone();
        bad["query"] = json!(query);
        let refused = rep.client.post("/saved-views", bad).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/query", "{query}");
    }
    let query = rep.client.get(&path).await.expect(200).text_of("query");
    rep.client.get(&format!("/customers?{query}")).await.expect(200);
    rep.client.delete(&path).await.expect(204);
    rep.client.get(&path).await.refused(404, "not_found");
}
