//! Amendments of running contracts: other terms and other plans, judged when they are asked for and when they are
//! approved.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{Answer, Company, Person, Server};

on_both_databases! {
    a_contract_has_the_approved_terms;
    a_plan_is_rescheduled;
    what_is_invoiced_or_paid_bounds_an_amendment;
    an_amendment_is_judged_again_when_it_is_approved;
    one_amendment_waits_at_a_time;
    an_amendment_can_complete_a_contract;
    a_contract_is_renewed_once;
    a_plan_follows_a_pattern;
    heavy_a_lower_amount_and_an_invoice_never_both;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

async fn ask(owner: &Person, contract: &str, change: Value) -> Answer {
    let mut form = json!({"contract_id": contract, "reason": "Agreed by telephone"});
    form.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    owner.client.post("/amendments", form).await
}

/// The installments of a contract, as they are asked for.
async fn plan(owner: &Person, contract: &str) -> Vec<Value> {
    let billing = owner.client.get(&format!("/contracts/{contract}/billing")).await.expect(200).body;
    let parts = billing["installments"].as_array().unwrap().clone();
    let open = parts.into_iter().filter(|part| part["status"] != "closed");
    open.map(|part| json!({"id": part["id"], "due_on": part["due_on"], "amount": part["amount"]})).collect()
}

/// A plan with one installment of another amount.
async fn single(owner: &Person, contract: &str, amount: &str) -> Value {
    let mut part = plan(owner, contract).await.remove(0);
    part["amount"] = cny(amount);
    json!({"amount": cny(amount), "installments": [part]})
}

async fn a_contract_has_the_approved_terms(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, admin, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let mut change = single(rep, &contract, "1200.00").await;
    change["ends_on"] = json!("2031-12-31");
    ask(colleague, &contract, change.clone()).await.refused(422, "unknown_reference");
    ask(rep, &contract, json!({})).await.refused(422, "validation_failed");
    let dollars = json!({"amount": {"amount": "1200.00", "currency": "USD"}});
    ask(rep, &contract, dollars).await.refused(422, "currency_mismatch");
    let uneven = json!({"amount": cny("1100.00")});
    ask(rep, &contract, uneven).await.refused(409, "installments_mismatch");
    let backwards = json!({"starts_on": "2031-01-01", "ends_on": "2030-01-01"});
    ask(rep, &contract, backwards).await.refused(422, "validation_failed");
    let asked = ask(rep, &contract, change).await.expect(201).body;
    assert_eq!((&asked["status"], &asked["kind"]), (&json!("pending"), &json!("terms")));
    assert!(asked["number"].as_str().unwrap().starts_with("AM-"));
    let changes = asked["changes"].as_array().unwrap();
    let members: Vec<&str> = changes.iter().map(|it| it["member"].as_str().unwrap()).collect();
    assert_eq!(members, ["amount", "installments", "ends_on"]);
    assert_eq!((&changes[0]["before"], &changes[0]["after"]), (&cny("1000.00"), &cny("1200.00")));
    let path = format!("/contracts/{contract}");
    assert_eq!(
        rep.client.get(&path).await.expect(200).body["amount"],
        cny("1000.00"),
        "not before it is approved"
    );
    let id = asked["id"].as_str().unwrap();
    colleague.client.get(&format!("/amendments/{id}")).await.refused(404, "not_found");
    let approval = company.pending(id).await;
    let seen = manager.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    assert_eq!((&seen["subject_kind"], &seen["amount"]), (&json!("contract_amendment"), &cny("1200.00")));
    company.approve(id).await;
    let amended = rep.client.get(&path).await.expect(200).body;
    assert_eq!((&amended["amount"], &amended["ends_on"]), (&cny("1200.00"), &json!("2031-12-31")));
    assert_eq!(amended["installments"][0]["amount"], cny("1200.00"));
    assert_eq!(rep.client.get(&format!("/amendments/{id}")).await.expect(200).body["status"], "approved");
    let events = admin.client.all(&format!("/audit-events?record_id={contract}")).await;
    assert!(events.iter().any(|event| event["action"] == "contract.amended"));
    // `null` takes away; silence leaves.
    let asked = ask(rep, &contract, json!({"ends_on": null, "terms": "Paid in advance"})).await.expect(201);
    let change = |at: usize| asked.body["changes"][at].clone();
    assert_eq!(change(0), json!({"member": "ends_on", "before": "2031-12-31", "after": null}));
    company.approve(&asked.id()).await;
    assert_eq!(rep.client.get(&path).await.expect(200).body["ends_on"], Value::Null);
    // What waits when the contract ends is taken back.
    let asked = ask(rep, &contract, json!({"terms": null})).await.expect(201).id();
    let end = json!({"reason": "Bankrupt"});
    manager.client.post(&format!("{path}/terminate"), end).await.expect(200);
    assert_eq!(rep.client.get(&format!("/amendments/{asked}")).await.expect(200).body["status"], "withdrawn");
    let billing = rep.client.get(&format!("{path}/billing")).await.expect(200).body;
    assert_eq!((&billing["outstanding"], &billing["invoiceable"]), (&cny("0.00"), &cny("0.00")));
}

async fn a_plan_is_rescheduled(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, manager, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let mut first = plan(rep, &contract).await.remove(0);
    company.paid(rep, &contract, "300.00").await;
    // In three parts: the one that is there keeps what was put on it.
    first["amount"] = cny("300.00");
    let new = |day: &str, amount: &str| json!({"due_on": day, "amount": cny(amount)});
    let parts = json!({"installments": [first, new("2031-06-30", "300.00"), new("2031-03-31", "400.00")]});
    let asked = ask(rep, &contract, parts).await.expect(201).body;
    assert_eq!(asked["kind"], "installments");
    let id = asked["id"].as_str().unwrap();
    let approval = company.pending(id).await;
    let seen = finance.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    assert_eq!(seen["subject_kind"], "installment_change");
    company.approve(id).await;
    let now = plan(rep, &contract).await;
    let due: Vec<&str> = now.iter().map(|part| part["due_on"].as_str().unwrap()).collect();
    assert!(due.is_sorted(), "{due:?}");
    assert_eq!(
        now.iter().map(|part| &part["amount"]).collect::<Vec<_>>(),
        [&cny("300.00"), &cny("400.00"), &cny("300.00")]
    );
    // Left out, what nobody paid for is closed; what was paid is not left out.
    let without_paid = json!({"installments": [now[1], {"due_on": "2031-06-30", "amount": cny("600.00")}]});
    ask(rep, &contract, without_paid).await.refused(409, "installment_has_payments");
    let mut smaller = now.clone();
    smaller[0]["amount"] = cny("299.99");
    smaller[1]["amount"] = cny("400.01");
    let refused =
        ask(rep, &contract, json!({"installments": smaller})).await.refused(409, "installment_has_payments");
    assert_eq!(refused.body["allocated"], cny("300.00"));
    let merged = json!({"installments": [now[0], {"due_on": "2031-12-31", "amount": cny("700.00")}]});
    let asked = ask(rep, &contract, merged).await.expect(201).id();
    company.approve(&asked).await;
    let left = plan(rep, &contract).await;
    assert_eq!((left.len(), &left[1]["amount"]), (2, &cny("700.00")));
    company.paid(rep, &contract, "700.00").await;
    assert_eq!(
        rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"],
        "completed"
    );
    // What is over is not amended.
    ask(manager, &contract, json!({"ends_on": "2032-01-01"})).await.refused(409, "contract_not_active");
}

async fn what_is_invoiced_or_paid_bounds_an_amendment(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_invoice").await;
    company.issued(rep, &contract, "600.00").await;
    let low = single(rep, &contract, "599.99").await;
    let refused = ask(rep, &contract, low).await.refused(409, "amendment_below_sums");
    assert_eq!(
        (&refused.body["invoice_committed"], &refused.body["received"]),
        (&cny("600.00"), &cny("0.00"))
    );
    let fits = single(rep, &contract, "600.00").await;
    let asked = ask(rep, &contract, fits).await.expect(201).id();
    company.approve(&asked).await;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    company.paid(rep, &contract, "400.00").await;
    let low = single(rep, &contract, "399.99").await;
    ask(rep, &contract, low).await.refused(409, "amendment_below_sums");
}

async fn an_amendment_is_judged_again_when_it_is_approved(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_invoice").await;
    let change = single(rep, &contract, "500.00").await;
    let asked = ask(rep, &contract, change).await.expect(201).id();
    // Meanwhile more is invoiced than would be left.
    company.issued(rep, &contract, "600.00").await;
    let approval = company.pending(&asked).await;
    let decide = |what: &str| format!("/approvals/{approval}/{what}");
    manager.client.post(&decide("approve"), json!({})).await.expect(200);
    let refused =
        finance.client.post(&decide("approve"), json!({})).await.refused(409, "amendment_below_sums");
    assert_eq!(refused.body["invoice_committed"], cny("600.00"));
    let path = format!("/contracts/{contract}");
    assert_eq!(rep.client.get(&path).await.expect(200).body["amount"], cny("1000.00"));
    let seen = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    assert_eq!((&seen["status"], &seen["step"]), (&json!("pending"), &json!(1)), "nothing was half done");
    finance.client.post(&decide("reject"), json!({"comment": "Too late"})).await.expect(200);
    assert_eq!(rep.client.get(&format!("/amendments/{asked}")).await.expect(200).body["status"], "rejected");
    // A contract that was paid meanwhile is not amended any more.
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let asked = ask(rep, &contract, json!({"ends_on": "2031-12-31"})).await.expect(201).id();
    company.paid(rep, &contract, "1000.00").await;
    let approval = company.pending(&asked).await;
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    let last = finance.client.post(&format!("/approvals/{approval}/approve"), json!({})).await;
    last.refused(409, "contract_not_active");
}

async fn one_amendment_waits_at_a_time(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, colleague, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let change = json!({"ends_on": "2031-12-31"});
    let both = join(ask(rep, &contract, change.clone()), ask(rep, &contract, change.clone())).await;
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", both.0.text, both.1.text);
    let asked = if both.0.status == 201 { both.0.id() } else { both.1.id() };
    // Nor does the contract change hands meanwhile.
    let form =
        json!({"kind": "contracts", "record_ids": [contract], "to_user_id": colleague.id, "reason": "Away"});
    let refused = rep.client.post("/transfers", form).await.refused(409, "transfer_obstructed");
    assert_eq!(refused.body["items"][0]["code"], "pending_approval");
    manager.client.act(&format!("/amendments/{asked}/withdraw")).await.refused(403, "forbidden");
    let withdrawn = rep.client.act(&format!("/amendments/{asked}/withdraw")).await.expect(200).body;
    assert_eq!(withdrawn["status"], "withdrawn");
    rep.client.act(&format!("/amendments/{asked}/withdraw")).await.refused(409, "invalid_transition");
    // The request by itself can be taken back as well.
    let asked = ask(rep, &contract, change).await.expect(201).id();
    let approval = company.pending(&asked).await;
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.expect(200);
    assert_eq!(rep.client.get(&format!("/amendments/{asked}")).await.expect(200).body["status"], "withdrawn");
}

async fn an_amendment_can_complete_a_contract(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    company.paid(rep, &contract, "700.00").await;
    let change = single(rep, &contract, "700.00").await;
    let asked = ask(rep, &contract, change).await.expect(201).id();
    company.approve(&asked).await;
    let seen = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body;
    assert_eq!((&seen["status"], &seen["amount"]), (&json!("completed"), &cny("700.00")));
}

async fn a_plan_follows_a_pattern(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let contract = company.draft(rep, "1000.01", "by_contract").await;
    let path = format!("/contracts/{contract}/plan");
    let thirds = json!({"starts_on": "2031-01-31", "months": 3});
    let planned = rep.client.post(&path, thirds).await.expect(200).body;
    let amounts = |contract: &Value| -> Vec<Value> {
        contract["installments"].as_array().unwrap().iter().map(|part| part["amount"].clone()).collect()
    };
    assert_eq!(amounts(&planned), [cny("333.33"), cny("333.34"), cny("333.34")]);
    assert_eq!(planned["installments"][1]["due_on"], "2031-02-28");
    let share = |share: &str, days: i64, condition: &str| json!({"share": share, "after_days": days, "condition": condition});
    let shares = json!({"starts_on": "2031-01-01", "shares": [
        share("0.3", 0, "Advance"), share("0.6", 30, "Delivery"), share("0.1", 90, "Acceptance"),
    ]});
    let planned = rep.client.post(&path, shares).await.expect(200).body;
    assert_eq!(amounts(&planned), [cny("300.00"), cny("600.00"), cny("100.01")]);
    assert_eq!(planned["installments"][2]["condition"], "Acceptance");
    let short = json!({"starts_on": "2031-01-01", "shares": [share("0.3", 0, "x"), share("0.6", 30, "x")]});
    let refused = rep.client.post(&path, short).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/shares");
    rep.client.post(&path, json!({"starts_on": "2031-01-01"})).await.refused(422, "validation_failed");
    // More parts than cents.
    let cents = company.draft(rep, "0.05", "by_contract").await;
    let many = json!({"starts_on": "2031-01-01", "months": 10});
    rep.client.post(&format!("/contracts/{cents}/plan"), many).await.refused(422, "validation_failed");
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    rep.client
        .post(&path, json!({"starts_on": "2031-01-31", "months": 3}))
        .await
        .refused(409, "pending_approval");
}

async fn a_contract_is_renewed_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let seen = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body;
    let renew = |original: &str, customer: &Value| {
        json!({
            "title": "Next year", "customer_id": customer, "amount": cny("1100.00"), "collection_scheme": "by_contract",
            "renewal_of_id": original,
        })
    };
    let form = renew(&contract, &seen["customer_id"]);
    let other = json!(company.customer(rep).await);
    let refused =
        rep.client.post("/contracts", renew(&contract, &other)).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/renewal_of_id");
    let draft = company.draft(rep, "1.00", "by_contract").await;
    let drafted = rep.client.get(&format!("/contracts/{draft}")).await.expect(200).body;
    let never = rep.client.post("/contracts", renew(&draft, &drafted["customer_id"])).await;
    never.refused(409, "invalid_transition");
    let nobodys = renew("01900000-0000-7000-8000-000000000000", &seen["customer_id"]);
    rep.client.post("/contracts", nobodys).await.refused(422, "unknown_reference");
    let renewed = rep.client.post("/contracts", form.clone()).await.expect(201).id();
    rep.client.post("/contracts", form.clone()).await.refused(409, "duplicate");
    rep.client
        .patch(&format!("/contracts/{renewed}"), json!({"renewal_of_id": null}))
        .await
        .refused(422, "validation_failed");
    let found = rep.client.all(&format!("/contracts?renewal_of_id={contract}")).await;
    assert_eq!((found.len(), &found[0]["id"]), (1, &json!(renewed)));
    // One that is given up makes room for another.
    rep.client.post(&format!("/contracts/{renewed}/cancel"), json!({})).await.expect(200);
    let second = rep.client.post("/contracts", form.clone()).await.expect(201).id();
    let plan = json!({"installments": [{"due_on": "2031-01-31", "amount": cny("1100.00")}]});
    rep.client.patch(&format!("/contracts/{second}"), plan).await.expect(200);
    rep.client.act(&format!("/contracts/{second}/submit")).await.expect(200);
    company.approve(&second).await;
    rep.client.post("/contracts", form.clone()).await.refused(409, "duplicate");
    let end = json!({"reason": "Not theirs"});
    company.manager.client.post(&format!("/contracts/{second}/terminate"), end).await.expect(200);
    rep.client.post("/contracts", form).await.expect(201);
}

async fn heavy_a_lower_amount_and_an_invoice_never_both(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, .. } = &company;
    for _ in 0..10 {
        let contract = company.active(rep, "1000.00", "by_contract").await;
        let change = single(rep, &contract, "500.00").await;
        let asked = ask(rep, &contract, change).await.expect(201).id();
        let approval = company.pending(&asked).await;
        let approve = format!("/approvals/{approval}/approve");
        manager.client.post(&approve, json!({})).await.expect(200);
        let invoice = company.invoice_draft(rep, &contract, "600.00").await;
        let submit = format!("/invoices/{invoice}/submit");
        let (amended, submitted) =
            join(finance.client.post(&approve, json!({})), rep.client.act(&submit)).await;
        match (amended.status, submitted.status) {
            (200, 409) => {
                submitted.refused(409, "invoice_exceeds_contract");
            }
            (409, 200) => {
                amended.refused(409, "amendment_below_sums");
            }
            other => panic!("{other:?}: {} {}", amended.text, submitted.text),
        }
    }
}
