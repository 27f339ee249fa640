//! Leads and sales that go on, and customers that go.

use serde_json::{Value, json};

use super::{act, at_once, count, delete, expect_tally, money, one_winner, outcome, patch, post, tally};
use crate::support::{Company, Person, Server};

on_both_databases! {
    heavy_a_lead_is_converted_once;
    heavy_an_opportunity_makes_one_contract;
    heavy_a_customer_with_open_business_is_never_released;
    heavy_a_sale_is_not_reopened_in_the_pool;
    heavy_no_stage_is_taken_from_under_a_sale;
    heavy_nothing_is_noted_about_what_is_being_deleted;
}

/// A qualified lead of this person.
async fn qualified(owner: &Person, company: &str) -> String {
    let form = json!({"name": "Somebody", "company": company, "source": "website"});
    let lead = owner.client.post("/leads", form).await.expect(201).id();
    let call = json!({
        "about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "First call",
        "happened_at": "2026-01-01T00:00:00Z",
    });
    owner.client.post("/activities", call).await.expect(201);
    owner.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    lead
}

async fn heavy_a_lead_is_converted_once(server: Server) {
    let company = Company::found(&server).await;
    for round in 0..10 {
        let name = format!("Converted{round}");
        let lead = qualified(&company.rep, &name).await;
        let form = json!({"opportunity": {"name": format!("Sale {name}")}});
        let convert = |at: usize| {
            let person = if at.is_multiple_of(2) { &company.rep } else { &company.manager };
            post(&person.client, format!("/leads/{lead}/convert"), form.clone())
        };
        let answers = at_once((0..10).map(convert)).await;
        expect_tally(&answers, &[("200", 1), ("409 already_converted", 9)]);
        let customers = company.director.client.all(&format!("/customers?name={name}")).await;
        assert_eq!(customers.len(), 1);
        let of_customer = format!("customer_id={}", customers[0]["id"].as_str().unwrap());
        assert_eq!(count(&company.director.client, &format!("/contacts?{of_customer}")).await, 1);
        assert_eq!(count(&company.director.client, &format!("/opportunities?{of_customer}")).await, 1);
    }
}

async fn opportunity(company: &Company, owner: &Person, customer: &str) -> String {
    let form = json!({
        "name": "A sale", "customer_id": customer, "amount": money("5000.00"), "expected_close_on": "2027-06-30",
        "pipeline_id": company.pipeline["id"],
    });
    owner.client.post("/opportunities", form).await.expect(201).id()
}

async fn heavy_an_opportunity_makes_one_contract(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..10 {
        let customer = company.customer(&company.rep).await;
        let sale = opportunity(&company, &company.rep, &customer).await;
        let form = json!({"stage_id": company.signing_stage()});
        let advance = |at: usize| {
            let person = if at.is_multiple_of(2) { &company.rep } else { &company.manager };
            post(&person.client, format!("/opportunities/{sale}/advance"), form.clone())
        };
        let answers = at_once((0..10).map(advance)).await;
        // Who comes late finds it in that stage already.
        let won = one_winner(&answers, 200, &["422 validation_failed"]);
        let contracts = company.director.client.all(&format!("/contracts?customer_id={customer}")).await;
        assert_eq!(contracts.len(), 1);
        assert_eq!(contracts[0]["id"], won.body["contract_id"]);
    }
}

async fn heavy_a_customer_with_open_business_is_never_released(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..20 {
        let customer = company.customer(&company.rep).await;
        let sale = json!({"name": "A sale", "customer_id": customer});
        let contract = json!({
            "title": "Delivery", "customer_id": customer, "amount": money("10.00"),
            "collection_scheme": "by_contract",
        });
        let calls = [
            post(
                &company.manager.client,
                format!("/customers/{customer}/release"),
                json!({"reason": "moved"}),
            ),
            post(&company.rep.client, "/opportunities", sale),
            post(&company.rep.client, "/contracts", contract),
        ];
        let answers = at_once(calls).await;
        let released = answers[0].status == 200;
        let made = answers[1..].iter().filter(|answer| answer.status == 201).count();
        if released {
            assert_eq!(made, 0, "{:?}", tally(&answers));
        } else {
            assert_eq!(outcome(&answers[0]), "409 customer_has_open_business");
        }
        let now = company.admin.client.get(&format!("/customers/{customer}")).await.expect(200);
        assert_eq!(now.body["owner_id"].is_null(), released);
    }
}

/// Reopened business is open business: its customer has an owner, whichever of the two comes first.
async fn heavy_a_sale_is_not_reopened_in_the_pool(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..20 {
        let customer = company.customer(&company.rep).await;
        let sale = json!({"name": "A sale", "customer_id": customer});
        let sale = company.rep.client.post("/opportunities", sale).await.expect(201).id();
        let lost = json!({"reason": "timing"});
        company.rep.client.post(&format!("/opportunities/{sale}/lose"), lost).await.expect(200);
        let reason = json!({"reason": "moved"});
        let calls = [
            post(&company.rep.client, format!("/customers/{customer}/release"), reason),
            act(&company.manager.client, format!("/opportunities/{sale}/reopen")),
        ];
        let answers = at_once(calls).await;
        let released = answers[0].status == 200;
        let (of_release, of_reopening) = if released {
            ("200", "409 customer_unowned")
        } else {
            ("409 customer_has_open_business", "200")
        };
        assert_eq!((outcome(&answers[0]), outcome(&answers[1])), (of_release.into(), of_reopening.into()));
    }
}

/// An opportunity is always in a stage that its pipeline has, however it is moved while the pipeline changes.
async fn heavy_no_stage_is_taken_from_under_a_sale(server: Server) {
    let company = Company::found(&server).await;
    let stage = |name: &str, kind: &str| json!({"name": name, "kind": kind, "probability": 10});
    let stages =
        [stage("First", "open"), stage("Second", "open"), stage("Won", "won"), stage("Lost", "lost")];
    for round in 0..25 {
        let pipeline = json!({"name": format!("Pipeline {round}"), "stages": stages});
        let pipeline = company.admin.client.post("/pipelines", pipeline).await.expect(201);
        let second = pipeline.body["stages"][1]["id"].clone();
        let without: Vec<&Value> = pipeline.body["stages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|stage| stage["id"] != second)
            .collect();
        let customer = company.customer(&company.rep).await;
        let sale = json!({"name": "A sale", "customer_id": customer, "pipeline_id": pipeline.id()});
        let sale = company.rep.client.post("/opportunities", sale).await.expect(201).id();
        let path = format!("/pipelines/{}", pipeline.id());
        let calls = [
            patch(&company.admin.client, &path, "*", json!({"stages": without})),
            post(&company.rep.client, format!("/opportunities/{sale}/advance"), json!({"stage_id": second})),
        ];
        let answers = at_once(calls).await;
        let (of_pipeline, of_sale) =
            if answers[0].status == 200 { ("200", "422 unknown_reference") } else { ("409 in_use", "200") };
        assert_eq!((outcome(&answers[0]), outcome(&answers[1])), (of_pipeline.into(), of_sale.into()));
    }
}

/// Whichever comes first: what is noted has something that it is about.
async fn heavy_nothing_is_noted_about_what_is_being_deleted(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep;
    for round in 0..45 {
        let (kind, of, id) = match round % 3 {
            0 => {
                let customer = company.customer(rep).await;
                ("opportunity", "opportunities", opportunity(&company, rep, &customer).await)
            }
            1 => {
                let contact = json!({"name": "Zhang Wei", "customer_id": company.customer(rep).await});
                ("contact", "contacts", rep.client.post("/contacts", contact).await.expect(201).id())
            }
            _ => ("contract", "contracts", company.draft(rep, "10.00", "by_contract").await),
        };
        let call = json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        let calls = [delete(&rep.client, format!("/{of}/{id}")), post(&rep.client, "/activities", call)];
        let answers = at_once(calls).await;
        let (of_record, of_activity) =
            if answers[0].status == 204 { ("204", "422 unknown_reference") } else { ("409 in_use", "201") };
        assert_eq!((outcome(&answers[0]), outcome(&answers[1])), (of_record.into(), of_activity.into()));
    }
}
