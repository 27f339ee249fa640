//! Pipelines under the opportunities that are in them.

use serde_json::{Value, json};

use crate::support::{Company, Server};

on_both_databases! {
    a_stage_to_go_back_to_is_in_use;
}

async fn a_stage_to_go_back_to_is_in_use(server: Server) {
    let company = Company::found(&server).await;
    let stage = |name: &str, kind: &str| json!({"name": name, "kind": kind, "probability": 10});
    let mut stages = vec![stage("First", "open"), stage("Second", "open"), stage("Signing", "open")];
    stages[2]["starts_contract"] = json!(true);
    stages.extend([stage("Won", "won"), stage("Lost", "lost")]);
    let pipeline = json!({"name": "With a signing stage", "stages": stages});
    let pipeline = company.admin.client.post("/pipelines", pipeline).await.expect(201);
    let mut stages = pipeline.body["stages"].as_array().unwrap().clone();

    let customer = company.customer(&company.rep).await;
    let sale = json!({
        "name": "A sale", "customer_id": customer, "pipeline_id": pipeline.id(),
        "amount": {"amount": "10.00", "currency": "CNY"},
    });
    let rep = &company.rep.client;
    let sale = format!("/opportunities/{}", rep.post("/opportunities", sale).await.expect(201).id());
    let advance = async |stage: &Value| {
        rep.post(&format!("{sale}/advance"), json!({"stage_id": stage["id"]})).await.expect(200)
    };
    advance(&stages[1]).await;
    let contract = advance(&stages[2]).await.text_of("contract_id");

    let second = stages.remove(1);
    let path = format!("/pipelines/{}", pipeline.id());
    company.admin.client.patch(&path, json!({"stages": stages})).await.refused(409, "in_use");
    rep.post(&format!("/contracts/{contract}/cancel"), json!({})).await.expect(200);
    let returned = rep.get(&sale).await.expect(200);
    assert_eq!(returned.body["stage_id"], second["id"]);

    // A sale that is over goes back nowhere.
    rep.post(&format!("{sale}/lose"), json!({"reason": "timing"})).await.expect(200);
    company.admin.client.patch(&path, json!({"stages": stages})).await.expect(200);
}
