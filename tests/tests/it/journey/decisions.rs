//! Who decides, and what becomes of what was refused or taken back.

use super::*;

on_both_databases! {
    a_rejected_contract_is_a_draft_again;
    whoever_asked_takes_the_question_back;
    nobody_decides_their_own;
    nobody_decides_two_steps;
    what_nobody_could_decide_is_not_asked;
}

async fn a_rejected_contract_is_a_draft_again(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, finance, .. } = &company;
    let id = company.draft(rep, "5000.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    let reject = format!("/approvals/{approval}/reject");
    for form in [json!({}), json!({"comment": null})] {
        manager.client.post(&reject, form).await.refused(422, "comment_required");
    }
    let untouched = rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!((&untouched.body["status"], &untouched.body["version"]), (&json!("pending"), &json!(1)));
    finance.client.post(&reject, json!({"comment": "me first"})).await.refused(403, "forbidden");
    let rejected = manager.client.post(&reject, json!({"comment": "too cheap"})).await.expect(200);
    assert_eq!(rejected.body["status"], "rejected");
    let decision = &rejected.body["steps"][0]["decisions"][0];
    assert_eq!(
        (&decision["outcome"], &decision["by"], &decision["comment"]),
        (&json!("rejected"), &json!(manager.id), &json!("too cheap"))
    );
    assert_eq!(contract(&rep.client, &id).await["status"], "draft");

    // Somebody was asked about it: it stays, but it can be made better and asked about anew.
    rep.client.delete(&format!("/contracts/{id}")).await.refused(409, "in_use");
    let form = json!({
        "amount": cny("6000.00"), "installments": [{"due_on": "2099-12-31", "amount": cny("6000.00")}],
    });
    rep.client.patch(&format!("/contracts/{id}"), form).await.expect(200);
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let second = company.pending(&id).await;
    assert_ne!(second, approval);
    approve(manager, &second).await.expect(200);
    // The last step can say no as well.
    let reject = format!("/approvals/{second}/reject");
    finance.client.post(&reject, json!({"comment": "no credit"})).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "draft");

    // The same of an invoice; its amount is free again.
    let running = company.active(rep, "5000.00", "by_invoice").await;
    let invoice = company.invoice_draft(rep, &running, "5000.00").await;
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
    let reject = format!("/approvals/{}/reject", company.pending(&invoice).await);
    manager.client.post(&reject, json!({})).await.refused(422, "comment_required");
    manager.client.post(&reject, json!({"comment": "not delivered yet"})).await.expect(200);
    assert_eq!(rep.client.get(&format!("/invoices/{invoice}")).await.expect(200).body["status"], "draft");
    assert_eq!(billing(&rep.client, &running).await["invoice_committed"], cny("0.00"));

    let auditor = &company.auditor;
    let states = ["draft", "pending_approval", "draft", "pending_approval", "draft"];
    expect_states(auditor, &id, &states).await;
    expect_trail(auditor, &approval, &[("approval.requested", rep), ("approval.rejected", manager)]).await;
    expect_whole_trail(auditor).await;
}

async fn whoever_asked_takes_the_question_back(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, .. } = &company;
    let id = company.draft(rep, "5000.00", "by_contract").await;
    let path = format!("/contracts/{id}");
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    manager.client.act(&format!("/approvals/{approval}/withdraw")).await.refused(403, "forbidden");
    manager.client.act(&format!("{path}/withdraw")).await.refused(403, "forbidden");
    // Through the contract, after a first decision.
    approve(manager, &approval).await.expect(200);
    let withdrawn = rep.client.act(&format!("{path}/withdraw")).await.expect(200);
    assert_eq!(withdrawn.body["status"], "draft");
    let request = rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
    assert_eq!(request.body["status"], "withdrawn");
    assert!(request.body["waiting_for"].is_null());
    approve(&company.finance, &approval).await.refused(409, "already_decided");
    // Through the request.
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "draft");
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.refused(409, "already_decided");
    // A new request begins from its first step.
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    let third = company.pending(&id).await;
    let begun = rep.client.get(&format!("/approvals/{third}")).await.expect(200);
    assert_eq!((&begun.body["step"], &begun.body["waiting_for"]), (&json!(0), &json!("manager_of_owner")));
}

/// A user who comes later.
async fn hire(server: &Server, company: &Company, name: &str, roles: &[&str], team: Option<&str>) -> Person {
    let email = format!("{name}@example.com");
    let password = "another-password-for-tests";
    let form = json!({
        "email": email, "display_name": name, "team_id": team, "roles": roles, "password": password,
    });
    let id = company.admin.client.post("/users", form).await.expect(201).id();
    Person { id, client: server.login(&email, password).await, email }
}

async fn nobody_decides_their_own(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, director, finance, .. } = &company;

    // Who asks does not decide, though the step names them.
    let id = company.draft(rep, "5000.00", "by_contract").await;
    manager.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    assert!(waits_for(manager).await.is_empty());
    approve(manager, &approval).await.refused(409, "separation_of_duties");
    let reject = format!("/approvals/{approval}/reject");
    manager.client.post(&reject, json!({"comment": "no"})).await.refused(409, "separation_of_duties");
    approve(director, &approval).await.expect(200);
    approve(finance, &approval).await.expect(200);
    assert_eq!(contract(&rep.client, &id).await["status"], "active");

    // Who owns does not decide. While the owner alone could, nobody is asked.
    let own = company.draft(director, "5000.00", "by_contract").await;
    let submit = format!("/contracts/{own}/submit");
    director.client.act(&submit).await.refused(409, "no_eligible_approver");
    let peer = hire(&server, &company, "second-director", &["sales_director"], None).await;
    director.client.act(&submit).await.expect(200);
    let approval = company.pending(&own).await;
    approve(director, &approval).await.refused(409, "separation_of_duties");
    approve(manager, &approval).await.refused(404, "not_found");
    assert_eq!(contract(&director.client, &own).await["status"], "pending_approval");
    approve(&peer, &approval).await.expect(200);
    approve(finance, &approval).await.expect(200);

    // Nor where somebody else asks for the owner.
    let own = company.draft(director, "5000.00", "by_contract").await;
    peer.client.act(&format!("/contracts/{own}/submit")).await.refused(409, "no_eligible_approver");
}

async fn nobody_decides_two_steps(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let roles = ["sales_director", "finance"];
    let both = hire(&server, &company, "both", &roles, None).await;
    let id = company.draft(rep, "5000.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{id}/submit")).await.expect(200);
    let approval = company.pending(&id).await;
    approve(&both, &approval).await.expect(200);
    assert!(waits_for(&both).await.is_empty());
    approve(&both, &approval).await.refused(409, "separation_of_duties");
    let reject = format!("/approvals/{approval}/reject");
    both.client.post(&reject, json!({"comment": "now not"})).await.refused(409, "separation_of_duties");
    assert_eq!(contract(&rep.client, &id).await["status"], "pending_approval");
    approve(finance, &approval).await.expect(200);

    // Who recorded a payment does not confirm it, whatever their roles; nor does the contract's owner.
    let payment = record_payment(&both, &id, "1000.00").await.expect(201).id();
    confirm(&both, &payment).await.refused(409, "separation_of_duties");
    let own = company.active(&both, "5000.00", "by_contract").await;
    let payment = record_payment(finance, &own, "1000.00").await.expect(201).id();
    confirm(&both, &payment).await.refused(409, "separation_of_duties");
    confirm(&company.finance_two, &payment).await.expect(200);
}

async fn what_nobody_could_decide_is_not_asked(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, admin, .. } = &company;
    let running = company.active(rep, "5000.00", "by_invoice").await;
    let draft = company.draft(rep, "5000.00", "by_contract").await;
    let invoice = company.invoice_draft(rep, &running, "5000.00").await;
    let events = expect_whole_trail(&company.auditor).await.len();
    for person in [&company.finance, &company.finance_two] {
        admin
            .client
            .post(&format!("/users/{}/disable", person.id), json!({"keep_records": true}))
            .await
            .expect(200);
    }
    let refused = rep.client.act(&format!("/contracts/{draft}/submit")).await;
    assert_eq!(refused.refused(409, "no_eligible_approver").body["step"], "Finance");
    let unchanged = contract(&rep.client, &draft).await;
    assert_eq!((&unchanged["status"], &unchanged["version"]), (&json!("draft"), &json!(1)));
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.refused(409, "no_eligible_approver");
    assert_eq!(billing(&rep.client, &running).await["invoice_committed"], cny("0.00"));
    let asked = rep.client.all(&format!("/approvals?subject_id={draft}")).await;
    assert!(asked.is_empty(), "{asked:?}");

    // One person for both steps is not enough.
    hire(&server, &company, "both", &["sales_director", "finance"], None).await;
    for person in [&company.director, &company.manager] {
        admin
            .client
            .post(&format!("/users/{}/disable", person.id), json!({"keep_records": true}))
            .await
            .expect(200);
    }
    rep.client.act(&format!("/contracts/{draft}/submit")).await.refused(409, "no_eligible_approver");
    admin.client.act(&format!("/users/{}/enable", company.finance.id)).await.expect(200);
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);

    // What was refused has left nothing in the trail.
    let trail = expect_whole_trail(&company.auditor).await;
    let actions: Vec<&str> = trail[events..]
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .filter(|action| !action.starts_with("session."))
        .collect();
    let mut expected = vec!["user.disabled"; 2];
    expected.extend(["user.created", "user.disabled", "user.disabled", "user.enabled"]);
    expected.extend(["contract.submitted", "approval.requested"]);
    assert_eq!(actions, expected);
}
