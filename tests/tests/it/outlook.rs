//! Whether a request can be approved is told before it is tried: by what its subject has become meanwhile.

use serde_json::{Value, json};

use crate::offers::reason;
use crate::support::{Company, Person, Server};

on_both_databases! {
    a_transfer_that_cannot_be_carried_out_says_so;
    transfers_of_sales_and_contracts_say_so_too;
    a_change_of_what_changed_says_so;
    a_change_to_a_number_that_another_has_says_so;
    what_the_last_step_would_refuse_is_told_at_the_last_step;
    a_version_that_nobody_reviewed_is_not_decided;
}

/// What a request says of approving it, alone and in the answer of a write, is what approving it answers. It can be
/// rejected all the same.
async fn refuses(person: &Person, approval: &str, code: &str) {
    let path = format!("/approvals/{approval}");
    let seen = person.client.get(&path).await.expect(200);
    assert_eq!(
        (reason(&seen, "approve"), reason(&seen, "reject")),
        (json!(code), Value::Null),
        "{}",
        seen.text
    );
    let said = person.client.post(&format!("{path}/comment"), json!({"comment": "Well"})).await.expect(200);
    assert_eq!(reason(&said, "approve"), code);
    person.client.post(&format!("{path}/approve"), json!({})).await.refused(409, code);
    let reject = format!("{path}/reject?dry_run=true");
    person.client.post(&reject, json!({"comment": "It cannot be done"})).await.expect(200);
}

/// The same of one that can be approved, which is only tried.
async fn takes(person: &Person, approval: &str) {
    let path = format!("/approvals/{approval}");
    let seen = person.client.get(&path).await.expect(200);
    assert_eq!(reason(&seen, "approve"), Value::Null, "{}", seen.text);
    person.client.post(&format!("{path}/approve?dry_run=true"), json!({})).await.expect(200);
}

fn away(kind: &str, ids: &[&str], to: &Person) -> Value {
    json!({"kind": kind, "record_ids": ids, "to_user_id": to.id, "reason": "New territory"})
}

async fn a_transfer_that_cannot_be_carried_out_says_so(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, inner, manager, other_rep, .. } = &company;
    let draft = company.draft(rep, "100.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{draft}")).await.expect(200).text_of("customer_id");
    let mut form = away("customers", &[&customer, &company.customer(rep).await], colleague);
    form["include_opportunities"] = json!(true);
    form["include_contracts"] = json!(true);
    let transfer = rep.client.post("/transfers", form).await.expect(201).id();
    let approval = company.pending(&transfer).await;
    takes(manager, &approval).await;
    // Whoever may not decide learns nothing of what is in the way.
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
    let seen = rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!(reason(&seen, "approve"), "forbidden");
    refuses(manager, &approval, "transfer_obstructed").await;
    rep.client.act(&format!("/contracts/{draft}/withdraw")).await.expect(200);
    takes(manager, &approval).await;
    // What would go along waits for another transfer.
    let deal = json!({"name": "Pumps", "customer_id": customer});
    let deal = rep.client.post("/opportunities", deal).await.expect(201).id();
    takes(manager, &approval).await;
    let form = away("opportunities", &[&deal], inner);
    let other = rep.client.post("/transfers", form).await.expect(201).id();
    refuses(manager, &approval, "transfer_obstructed").await;
    rep.client.act(&format!("/transfers/{other}/withdraw")).await.expect(200);
    takes(manager, &approval).await;
    // There is no room for both of them, though for one.
    company.set(json!({"ownership": {"by_user": [{"user_id": colleague.id, "limit": 1}]}})).await;
    refuses(manager, &approval, "transfer_obstructed").await;
    company.set(json!({"ownership": {"by_user": [{"user_id": colleague.id, "limit": 2}]}})).await;
    takes(manager, &approval).await;
    // The receiver left.
    let disable = format!("/users/{}/disable", colleague.id);
    admin.client.post(&disable, json!({"keep_records": true})).await.expect(200);
    refuses(manager, &approval, "owner_not_eligible").await;
    admin.client.act(&format!("/users/{}/enable", colleague.id)).await.expect(200);
    takes(manager, &approval).await;
    other_rep.client.get(&format!("/approvals/{approval}")).await.refused(404, "not_found");
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    let seen = manager.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!(reason(&seen, "approve"), "already_decided");
}

async fn transfers_of_sales_and_contracts_say_so_too(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    let mut deals = Vec::new();
    for name in ["Pumps", "Valves"] {
        let form = json!({"name": name, "customer_id": company.customer(rep).await});
        deals.push(rep.client.post("/opportunities", form).await.expect(201).id());
    }
    let form = away("opportunities", &[&deals[0], &deals[1]], colleague);
    let transfer = rep.client.post("/transfers", form).await.expect(201).id();
    let approval = company.pending(&transfer).await;
    takes(manager, &approval).await;
    let path = format!("/opportunities/{}", deals[1]);
    rep.client.post(&format!("{path}/lose"), json!({"reason": "price"})).await.expect(200);
    refuses(manager, &approval, "transfer_obstructed").await;
    director.client.act(&format!("{path}/reopen")).await.expect(200);
    takes(manager, &approval).await;

    let contract = company.active(rep, "100.00", "by_invoice").await;
    let other = company.active(rep, "100.00", "by_contract").await;
    let form = away("contracts", &[&contract, &other], colleague);
    let transfer = rep.client.post("/transfers", form).await.expect(201).id();
    let approval = company.pending(&transfer).await;
    takes(manager, &approval).await;
    let invoice = format!("/invoices/{}", company.invoice_draft(rep, &contract, "10.00").await);
    rep.client.act(&format!("{invoice}/submit")).await.expect(200);
    refuses(manager, &approval, "transfer_obstructed").await;
    rep.client.act(&format!("{invoice}/withdraw")).await.expect(200);
    takes(manager, &approval).await;
    let form = json!({"contract_id": other, "reason": "Agreed by telephone", "terms": "Paid in advance"});
    let amendment = rep.client.post("/amendments", form).await.expect(201).id();
    refuses(manager, &approval, "transfer_obstructed").await;
    rep.client.act(&format!("/amendments/{amendment}/withdraw")).await.expect(200);
    takes(manager, &approval).await;
}

async fn a_change_of_what_changed_says_so(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, .. } = &company;
    let customer = company.customer(rep).await;
    let form = json!({"customer_id": customer, "changes": {"region": "East China"}});
    let change = rep.client.post("/customer-changes", form).await.expect(201).id();
    let approval = company.pending(&change).await;
    takes(manager, &approval).await;
    let edit = async |note: Value| {
        let path = format!("/customers/{customer}");
        rep.client.patch(&path, json!({ "note": note })).await.expect(200);
    };
    edit(json!("Called")).await;
    refuses(manager, &approval, "stale_approval").await;
    // As it was when it was asked for.
    edit(Value::Null).await;
    takes(manager, &approval).await;
}

/// No two customers have one registration number: who has it now is looked for as the store would.
async fn a_change_to_a_number_that_another_has_says_so(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    let (customer, other) = (company.customer(rep).await, company.customer(colleague).await);
    let (number, spelt_otherwise) = ("91310000MA1FL0000X", "91310000 ma1fl 0000x");
    let ask = async |number: &str| {
        let form = json!({"customer_id": customer, "changes": {"registration_number": number}});
        let change = rep.client.post("/customer-changes", form).await.expect(201).id();
        company.pending(&change).await
    };
    let approval = ask(number).await;
    takes(manager, &approval).await;
    // Another one gets it meanwhile, and gives it back.
    let has = async |number: Value| {
        let form = json!({ "registration_number": number });
        colleague.client.patch(&format!("/customers/{other}"), form).await.expect(200);
    };
    has(json!(spelt_otherwise)).await;
    refuses(manager, &approval, "duplicate").await;
    refuses(director, &approval, "duplicate").await;
    has(Value::Null).await;
    takes(manager, &approval).await;
    // What a customer has itself may be spelt otherwise.
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    let approval = ask(spelt_otherwise).await;
    takes(manager, &approval).await;
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    server.verify().await;
}

async fn what_the_last_step_would_refuse_is_told_at_the_last_step(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, finance, .. } = &company;
    // A contract whose customer went away.
    let contract = company.draft(rep, "100.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let approval = company.pending(&contract).await;
    let assign = format!("/customers/{customer}/assign");
    manager.client.post(&assign, json!({"owner_id": colleague.id})).await.expect(200);
    takes(manager, &approval).await;
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    refuses(finance, &approval, "contract_incomplete").await;
    // It can go back to who decided before.
    let seen = finance.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!(reason(&seen, "return"), Value::Null);
    let back = json!({"step": 0, "comment": "Whose customer is it?"});
    let back =
        finance.client.post(&format!("/approvals/{approval}/return?dry_run=true"), back).await.expect(200);
    assert_eq!(back.body["step"], 0);
    manager.client.post(&assign, json!({"owner_id": rep.id})).await.expect(200);
    takes(finance, &approval).await;

    // An invoice of a contract that ended early.
    let contract = company.active(rep, "100.00", "by_invoice").await;
    let invoice = company.invoice_draft(rep, &contract, "10.00").await;
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
    let approval = company.pending(&invoice).await;
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    takes(finance, &approval).await;
    let end = json!({"reason": "Both sides agreed"});
    director.client.post(&format!("/contracts/{contract}/terminate"), end).await.expect(200);
    refuses(finance, &approval, "contract_not_active").await;
}

/// Nothing changes what waits for an approval; if something did, nobody would decide what they did not review.
async fn a_version_that_nobody_reviewed_is_not_decided(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let approval = company.pending(&contract).await;
    takes(manager, &approval).await;
    server.database.alter("UPDATE contracts SET version = version + 1 WHERE id = $1", &contract).await;
    let path = format!("/approvals/{approval}");
    let seen = manager.client.get(&path).await.expect(200);
    for action in ["approve", "reject"] {
        assert_eq!(reason(&seen, action), "stale_approval", "{action}");
        let answer = manager.client.post(&format!("{path}/{action}"), json!({"comment": "Well"})).await;
        answer.refused(409, "stale_approval");
    }
}
