//! Approvals as they are configured: flows and their versions, several approvers, delegation, and what may happen to
//! a request besides its decisions.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::offers::reason;
use crate::support::{Answer, Client, Company, Person, Server, until};

on_both_databases! {
    a_flow_is_configured_and_a_request_keeps_its_version;
    a_flow_that_nobody_could_decide_is_refused;
    steps_depend_on_what_is_asked;
    each_of_several_agrees;
    the_manager_two_levels_up_decides;
    somebody_decides_for_somebody_else;
    nobody_decides_what_is_theirs_in_whatever_name;
    a_request_goes_back_and_gets_one_more_step;
    whoever_waits_reminds_and_says_something;
    badges_and_boxes_agree;
    who_leaves_while_it_is_pending;
    one_who_leaves_is_not_waited_for;
    one_who_leaves_is_not_waited_for_at_a_gate;
    what_cannot_be_done_any_more_is_rejected;
    what_those_who_left_asked_is_taken_back;
    a_role_that_decides_is_kept;
    a_delegate_decides_what_they_would_not_see;
    a_stage_has_a_gate;
    customers_of_chosen_grades_change_by_approval;
    a_change_is_taken_back_when_the_customer_changes_hands;
    what_was_asked_is_seen_by_whoever_has_what_it_is_about;
    what_was_asked_about_a_customer_goes_with_the_customer;
    a_contract_whose_customer_went_away_is_not_approved;
    heavy_two_delegates_decide_once;
    a_company_has_a_flow_of_each_kind;
}

async fn flow(company: &Company, kind: &str) -> Value {
    let found = company.admin.client.get(&format!("/approval-flows?subject_kind={kind}")).await.expect(200);
    found.body["data"][0].clone()
}

async fn set_flow(company: &Company, kind: &str, steps: Value) -> Answer {
    let path = format!("/approval-flows/{}", flow(company, kind).await["id"].as_str().unwrap());
    company.admin.client.patch(&path, json!({ "steps": steps })).await
}

/// Submits a contract. Answers with its request.
async fn submitted(company: &Company, owner: &Person, amount: &str) -> (String, String) {
    let contract = company.draft(owner, amount, "by_contract").await;
    owner.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let approval = company.pending(&contract).await;
    (contract, approval)
}

async fn decide(person: &Person, approval: &str, what: &str) -> Answer {
    person.client.post(&format!("/approvals/{approval}/{what}"), json!({"comment": "Because"})).await
}

async fn delegate(by: &Client, from: &Person, to: &Person) -> Answer {
    let form = json!({
        "user_id": from.id, "delegate_id": to.id, "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2999-01-01T00:00:00Z", "reason": "Holidays",
    });
    by.post("/delegations", form).await
}

fn finance() -> Value {
    json!({"name": "Finance", "rule": "role:finance"})
}

fn manager() -> Value {
    json!({"name": "Manager", "rule": "manager_of_owner"})
}

async fn a_flow_is_configured_and_a_request_keeps_its_version(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, manager: boss, finance: cashier, .. } = &company;
    let first = flow(&company, "contract").await;
    assert_eq!((&first["version"], first["steps"].as_array().unwrap().len()), (&json!(1), 2));
    let (contract, old) = submitted(&company, rep, "100.00").await;
    let changed = set_flow(&company, "contract", json!([manager()])).await.expect(200);
    assert_eq!(changed.body["version"], 2);
    let (_, new) = submitted(&company, rep, "200.00").await;
    let seen = |id: &str| {
        let path = format!("/approvals/{id}");
        async move { rep.client.get(&path).await.expect(200).body }
    };
    for (id, version, steps) in [(&old, 1, 2), (&new, 2, 1)] {
        let approval = seen(id).await;
        assert_eq!(approval["flow_version"], version);
        assert_eq!(approval["steps"].as_array().unwrap().len(), steps);
    }
    decide(boss, &old, "approve").await.expect(200);
    decide(cashier, &old, "approve").await.expect(200);
    let contract = rep.client.get(&format!("/contracts/{contract}")).await.expect(200);
    assert_eq!(contract.body["status"], "active");
    assert_eq!(decide(boss, &new, "approve").await.expect(200).body["status"], "approved");
    // Who changed it when, and what it was.
    let path = format!("/approval-flows/{}/versions", first["id"].as_str().unwrap());
    let versions = admin.client.all(&path).await;
    let of =
        |at: usize| (&versions[at]["version"], &versions[at]["created_by"], versions[at]["steps"].clone());
    assert_eq!(of(0), (&json!(2), &json!(admin.id), changed.body["steps"].clone()));
    assert_eq!(of(1), (&json!(1), &Value::Null, first["steps"].clone()));
    // Two who change it at once do not overwrite each other.
    let path = format!("/approval-flows/{}", first["id"].as_str().unwrap());
    let stale = admin.client.request(reqwest::Method::PATCH, &path).header("if-match", "\"v1\"");
    let form = json!({"steps": [finance()]});
    admin
        .client
        .send(stale.header("content-type", "application/merge-patch+json").json(&form))
        .await
        .refused(412, "version_mismatch");
}

async fn a_flow_that_nobody_could_decide_is_refused(server: Server) {
    let company = Company::found(&server).await;
    let conditional = json!({
        "name": "Large", "rule": "manager_of_owner",
        "condition": {"amount_from": {"amount": "1000.00", "currency": "CNY"}},
    });
    let named = |ids: &[&str]| json!({"name": "Named", "rule": format!("users:{}", ids.join(","))});
    let Company { finance: cashier, marketing, rep, .. } = &company;
    for (steps, pointer, code) in [
        (json!([]), "/steps", "length"),
        (json!([conditional]), "/steps", "no_step_for_the_rest"),
        (json!([{"name": "X", "rule": "role:nobody"}]), "/steps/0/rule", "unknown_reference"),
        (json!([{"name": "X", "rule": "levels_up:0"}]), "/steps/0/rule", "invalid_approver_rule"),
        (json!([{"name": "X", "rule": "role:marketing"}]), "/steps/0/rule", "nobody_decides"),
        (json!([named(&[&marketing.id])]), "/steps/0/rule", "nobody_decides"),
        (json!([named(&[&cashier.id]), named(&[&cashier.id])]), "/steps/1/rule", "nobody_decides"),
    ] {
        let refused = set_flow(&company, "contract", steps.clone()).await;
        assert_eq!(refused.status, 422, "{steps}");
        assert_eq!(
            (&refused.body["errors"][0]["pointer"], &refused.body["errors"][0]["code"]),
            (&json!(pointer), &json!(code))
        );
    }
    let path = format!("/approval-flows/{}", flow(&company, "contract").await["id"].as_str().unwrap());
    let off = company.admin.client.patch(&path, json!({"enabled": false})).await;
    assert_eq!(off.refused(422, "validation_failed").body["errors"][0]["pointer"], "/enabled");
    assert_eq!(flow(&company, "contract").await["version"], 1, "what was refused left nothing");
    // What can be decided in general, but not about this contract, is refused when it is submitted.
    set_flow(&company, "contract", json!([named(&[&rep.id]), manager()])).await.expect(200);
    let contract = company.draft(rep, "100.00", "by_contract").await;
    let submit = format!("/contracts/{contract}/submit");
    let refused = rep.client.act(&submit).await.refused(409, "no_eligible_approver");
    assert_eq!(refused.body["step"], "Named");
}

async fn steps_depend_on_what_is_asked(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let when =
        |name: &str, condition: Value| json!({"name": name, "rule": "role:finance", "condition": condition});
    let steps = json!([
        manager(),
        when("Large", json!({"amount_from": {"amount": "1000.00", "currency": "CNY"}})),
        when("Cheap", json!({"discount_from": "0.2"})),
        when("Key", json!({"customer_grades": ["A"]})),
    ]);
    // Nothing is asked of a kind of record that it does not have.
    let senseless = json!([manager(), when("Cheap", json!({"discount_from": "0.2"}))]);
    let refused = set_flow(&company, "invoice", senseless).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/steps/1/condition/discount_from");
    // Three steps of two who could decide them never have enough persons.
    set_flow(&company, "contract", steps.clone()).await.refused(422, "validation_failed");
    let mut steps = steps;
    steps[1]["rule"] = json!(format!("users:{}", company.director.id));
    set_flow(&company, "contract", steps).await.expect(200);
    let names = async |contract: &str| -> Vec<String> {
        rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let approval = company.pending(contract).await;
        let seen = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
        seen["steps"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let full = |price: &str| {
        json!({"line_items": [{
            "product": "Pump", "quantity": "1", "unit_price": {"amount": price, "currency": "CNY"},
        }]})
    };
    let small = company.draft(rep, "999.99", "by_contract").await;
    rep.client.patch(&format!("/contracts/{small}"), full("999.99")).await.expect(200);
    assert_eq!(names(&small).await, ["Manager"]);
    let large = company.draft(rep, "1000.00", "by_contract").await;
    rep.client.patch(&format!("/contracts/{large}"), full("1000.00")).await.expect(200);
    assert_eq!(names(&large).await, ["Manager", "Large"]);
    // Nobody evades a step by not saying what is sold.
    let silent = company.draft(rep, "700.00", "by_contract").await;
    assert_eq!(names(&silent).await, ["Manager", "Cheap"]);
    let cheap = company.draft(rep, "800.00", "by_contract").await;
    let items = json!({"line_items": [{
        "product": "Pump", "quantity": "1", "unit_price": {"amount": "1000.00", "currency": "CNY"}, "discount": "0.2",
    }]});
    rep.client.patch(&format!("/contracts/{cheap}"), items).await.expect(200);
    assert_eq!(names(&cheap).await, ["Manager", "Cheap"]);
    let key = company.draft(rep, "10.00", "by_contract").await;
    rep.client.patch(&format!("/contracts/{key}"), full("10.00")).await.expect(200);
    let customer = rep.client.get(&format!("/contracts/{key}")).await.expect(200).text_of("customer_id");
    rep.client.patch(&format!("/customers/{customer}"), json!({"grade": "A"})).await.expect(200);
    assert_eq!(names(&key).await, ["Manager", "Key"]);
}

async fn each_of_several_agrees(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    let both = json!({"name": "Finance", "rule": "role:finance", "mode": "all"});
    set_flow(&company, "contract", json!([both])).await.expect(200);
    let (contract, approval) = submitted(&company, rep, "100.00").await;
    assert_eq!(decide(one, &approval, "approve").await.expect(200).body["status"], "pending");
    decide(one, &approval, "approve").await.refused(409, "separation_of_duties");
    assert_eq!(decide(two, &approval, "approve").await.expect(200).body["status"], "approved");
    let seen = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    assert_eq!(seen["steps"][0]["decisions"].as_array().unwrap().len(), 2);
    assert_eq!(rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"], "active");
    // One who does not agree is enough.
    let (contract, approval) = submitted(&company, rep, "200.00").await;
    decide(one, &approval, "approve").await.expect(200);
    assert_eq!(decide(two, &approval, "reject").await.expect(200).body["status"], "rejected");
    assert_eq!(rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"], "draft");
}

async fn the_manager_two_levels_up_decides(server: Server) {
    let company = Company::found(&server).await;
    let Company { inner, rep, manager: boss, director, .. } = &company;
    let up = |levels: u8| json!([{"name": "Up", "rule": format!("levels_up:{levels}")}]);
    set_flow(&company, "contract", up(1)).await.expect(200);
    let (_, approval) = submitted(&company, inner, "100.00").await;
    decide(director, &approval, "approve").await.refused(403, "forbidden");
    let waiting = boss.client.all("/approvals?box=waiting").await;
    assert_eq!((waiting.len(), &waiting[0]["id"]), (1, &json!(approval)));
    assert!(director.client.all("/approvals?box=waiting").await.is_empty());
    decide(boss, &approval, "approve").await.expect(200);
    set_flow(&company, "contract", up(2)).await.expect(200);
    // Above the top of the tree is its top.
    for owner in [inner, rep] {
        let (_, approval) = submitted(&company, owner, "200.00").await;
        decide(boss, &approval, "approve").await.refused(403, "forbidden");
        assert_eq!(director.client.all("/approvals?box=waiting").await[0]["id"], json!(approval));
        decide(director, &approval, "approve").await.expect(200);
    }
}

async fn somebody_decides_for_somebody_else(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, manager: boss, finance: cashier, marketing, other_rep, .. } =
        &company;
    let (_, approval) = submitted(&company, rep, "100.00").await;
    let path = format!("/approvals/{approval}");
    marketing.client.get(&path).await.refused(404, "not_found");
    // Each their own; an administrator for others.
    delegate(&colleague.client, boss, marketing).await.refused(403, "forbidden");
    delegate(&boss.client, boss, boss).await.refused(422, "validation_failed");
    let made = delegate(&boss.client, boss, marketing).await.expect(201);
    delegate(&admin.client, cashier, marketing).await.expect(201);
    let id = made.id();
    other_rep.client.get(&format!("/delegations/{id}")).await.refused(404, "not_found");
    assert_eq!(marketing.client.all("/delegations").await.len(), 2);
    assert_eq!(boss.client.all("/delegations").await.len(), 1);
    // Now it waits for the delegate as well, who sees it, and no other one.
    let (_, hidden) = submitted(&company, other_rep, "100.00").await;
    let waiting = marketing.client.all("/approvals?box=waiting").await;
    assert_eq!((waiting.len(), &waiting[0]["id"]), (1, &json!(approval)));
    assert_eq!(
        marketing.client.get("/approvals/counts").await.expect(200).body,
        json!({"waiting": 1, "requested": 0})
    );
    marketing.client.get(&format!("/approvals/{hidden}")).await.refused(404, "not_found");
    let seen = marketing.client.get(&path).await.expect(200).body;
    assert_eq!(seen["allowed_actions"][0], json!({"action": "approve", "allowed": true}));
    let decided = decide(marketing, &approval, "approve").await.expect(200).body;
    let decision = &decided["steps"][0]["decisions"][0];
    assert_eq!((&decision["by"], &decision["on_behalf_of"]), (&json!(marketing.id), &json!(boss.id)));
    // Not the second step, in whatever name; what one decided one still sees.
    decide(marketing, &approval, "approve").await.refused(409, "separation_of_duties");
    assert_eq!(marketing.client.all("/approvals?box=decided").await.len(), 1);
    assert_eq!(marketing.client.all("/approvals?role=approver").await.len(), 1);
    decide(&company.finance_two, &approval, "approve").await.expect(200);
    // When it is over, it is over.
    boss.client.delete(&format!("/delegations/{id}")).await.expect(204);
    let (_, next) = submitted(&company, rep, "300.00").await;
    decide(marketing, &next, "approve").await.refused(404, "not_found");
    // A disabled user's decisions are nobody's.
    delegate(&admin.client, boss, marketing).await.expect(201);
    let gone = json!({"keep_records": true});
    admin.client.post(&format!("/users/{}/disable", boss.id), gone).await.expect(200);
    decide(marketing, &next, "approve").await.refused(404, "not_found");
}

/// Whoever decides in somebody's name decides what that one sees: not contracts alone.
async fn a_delegate_decides_what_they_would_not_see(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager: boss, marketing, .. } = &company;
    let contract = company.active(rep, "100.00", "by_invoice").await;
    delegate(&boss.client, boss, marketing).await.expect(201);
    let invoice = company.invoice_draft(rep, &contract, "40.00").await;
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
    let change = json!({"contract_id": contract, "reason": "Longer", "ends_on": "2031-12-31"});
    let amendment = rep.client.post("/amendments", change).await.expect(201).id();
    for subject in [invoice, amendment] {
        let approval = company.pending(&subject).await;
        let say = json!({"comment": "Looked at it"});
        marketing.client.post(&format!("/approvals/{approval}/comment"), say).await.expect(200);
        let decided = decide(marketing, &approval, "approve").await.expect(200).body;
        assert_eq!(decided["steps"][0]["decisions"][0]["on_behalf_of"], json!(boss.id));
    }
}

async fn nobody_decides_what_is_theirs_in_whatever_name(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager: boss, director, other_manager, finance: cashier, finance_two, .. } = &company;
    // The requester for the manager.
    delegate(&boss.client, boss, rep).await.expect(201);
    let (_, approval) = submitted(&company, rep, "100.00").await;
    decide(rep, &approval, "approve").await.refused(409, "separation_of_duties");
    assert!(rep.client.all("/approvals?box=waiting").await.is_empty());
    // A manager who owns the record, by a delegate.
    delegate(&boss.client, boss, other_manager).await.expect(201);
    let (_, owned) = submitted(&company, boss, "100.00").await;
    decide(boss, &owned, "approve").await.refused(409, "separation_of_duties");
    decide(other_manager, &owned, "approve").await.refused(404, "not_found");
    decide(director, &owned, "approve").await.expect(200);
    // Whoever had a step decided for them decides no other one.
    decide(other_manager, &approval, "approve").await.expect(200);
    let both = json!({"roles": ["sales_manager", "finance"]});
    company.admin.client.patch(&format!("/users/{}", boss.id), both).await.expect(200);
    decide(boss, &approval, "approve").await.refused(409, "separation_of_duties");
    // A role that changes while it is pending counts at once.
    let sales = json!({"roles": ["sales_rep"]});
    company.admin.client.patch(&format!("/users/{}", cashier.id), sales).await.expect(200);
    decide(cashier, &approval, "approve").await.refused(404, "not_found");
    decide(finance_two, &approval, "approve").await.expect(200);
}

async fn a_request_goes_back_and_gets_one_more_step(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager: boss, finance: cashier, auditor, marketing, .. } = &company;
    let (contract, approval) = submitted(&company, rep, "100.00").await;
    let path = format!("/approvals/{approval}");
    let add = async |by: &Person, who: &Person, place: &str| {
        by.client.post(&format!("{path}/add-step"), json!({"user_id": who.id, "place": place})).await
    };
    let back = async |by: &Person, step: i64| {
        by.client.post(&format!("{path}/return"), json!({"step": step, "comment": "Ask legal"})).await
    };
    back(boss, 0).await.refused(409, "invalid_transition");
    decide(boss, &approval, "approve").await.expect(200);
    back(boss, 0).await.refused(403, "forbidden");
    assert_eq!(
        back(cashier, 1).await.refused(422, "validation_failed").body["errors"][0]["pointer"],
        "/step"
    );
    let returned = back(cashier, 0).await.expect(200).body;
    assert_eq!((&returned["step"], &returned["waiting_for"]), (&json!(0), &json!("manager_of_owner")));
    assert_eq!(returned["trail"][0]["undone"][0]["by"], json!(boss.id));
    assert_eq!(
        rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"],
        "pending_approval"
    );
    // One more person: not who asked, not who sees no contracts, not a stranger.
    add(boss, rep, "before").await.refused(409, "separation_of_duties");
    add(boss, marketing, "before").await.refused(422, "validation_failed");
    add(rep, auditor, "before").await.refused(403, "forbidden");
    let added = add(boss, auditor, "before").await.expect(200).body;
    assert_eq!(
        (&added["steps"][0]["added_by"], added["steps"].as_array().unwrap().len()),
        (&json!(boss.id), 3)
    );
    decide(boss, &approval, "approve").await.refused(403, "forbidden");
    decide(auditor, &approval, "approve").await.expect(200);
    decide(boss, &approval, "approve").await.expect(200);
    assert_eq!(decide(cashier, &approval, "approve").await.expect(200).body["status"], "approved");
    assert_eq!(rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"], "active");
}

async fn whoever_waits_reminds_and_says_something(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager: boss, director, auditor, other_rep, .. } = &company;
    let (_, approval) = submitted(&company, rep, "100.00").await;
    let remind = format!("/approvals/{approval}/remind");
    boss.client.act(&remind).await.refused(403, "forbidden");
    let reminded = rep.client.act(&remind).await.expect(200).body;
    assert_eq!(
        (&reminded["trail"][0]["kind"], &reminded["trail"][0]["by"]),
        (&json!("reminded"), &json!(rep.id))
    );
    let refused = rep.client.act(&remind).await.refused(409, "reminded_recently");
    assert!(refused.body["next_at"].is_string());
    let say = format!("/approvals/{approval}/comment");
    other_rep.client.post(&say, json!({"comment": "Me too"})).await.refused(404, "not_found");
    auditor.client.post(&say, json!({"comment": "Why so cheap?"})).await.expect(200);
    for (person, kind) in
        [(boss, "approval_reminder"), (director, "approval_reminder"), (rep, "approval_commented")]
    {
        until(kind, async || {
            let told = person.client.all(&format!("/notifications?kind={kind}")).await;
            (told.len() == 1).then_some(())
        })
        .await;
    }
    assert!(auditor.client.all("/notifications?kind=approval_commented").await.is_empty());
}

async fn badges_and_boxes_agree(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager: boss, finance: cashier, .. } = &company;
    let mut asked = Vec::new();
    for owner in [rep, rep, colleague] {
        asked.push(submitted(&company, owner, "100.00").await.1);
    }
    decide(boss, &asked[0], "approve").await.expect(200);
    let counts = async |person: &Person| person.client.get("/approvals/counts").await.expect(200).body;
    assert_eq!(counts(boss).await, json!({"waiting": 2, "requested": 0}));
    assert_eq!(counts(rep).await, json!({"waiting": 0, "requested": 2}));
    assert_eq!(counts(cashier).await, json!({"waiting": 1, "requested": 0}));
    let ids =
        async |person: &Person, query: &str| person.client.all(&format!("/approvals?{query}")).await.len();
    assert_eq!(ids(boss, "role=approver").await, 3);
    assert_eq!(ids(boss, "role=approver&status=pending&box=waiting").await, 2);
    assert_eq!((ids(rep, "role=requester").await, ids(rep, "role=approver").await), (2, 0));
    boss.client.get("/approvals?role=owner").await.refused(400, "malformed_request");

    // What its requester does not see any more is on no badge either.
    let path = format!("/approval-flows/{}", flow(&company, "customer_change").await["id"].as_str().unwrap());
    let chosen = json!({"enabled": true, "customer_grades": ["A"]});
    company.admin.client.patch(&path, chosen).await.expect(200);
    let id = company.customer(rep).await;
    let share = json!({"customer_id": id, "user_id": colleague.id, "access": "write"});
    let share = rep.client.post("/collaborators", share).await.expect(201).id();
    let change = json!({"customer_id": id, "changes": {"grade": "A"}});
    colleague.client.post("/customer-changes", change).await.expect(201);
    for requested in [2, 1] {
        assert_eq!(counts(colleague).await, json!({"waiting": 0, "requested": requested}));
        assert_eq!(ids(colleague, "role=requester&status=pending").await, requested);
        if requested == 2 {
            rep.client.delete(&format!("/collaborators/{share}")).await.expect(204);
        }
    }
}

async fn who_leaves_while_it_is_pending(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, finance: one, finance_two: two, .. } = &company;
    let both = json!({"name": "Finance", "rule": "role:finance", "mode": "all"});
    set_flow(&company, "contract", json!([both])).await.expect(200);
    let (_, approval) = submitted(&company, rep, "100.00").await;
    // Of two who were to agree one has left: the other one is enough.
    admin.client.post(&format!("/users/{}/disable", two.id), json!({"keep_records": true})).await.expect(200);
    assert_eq!(decide(one, &approval, "approve").await.expect(200).body["status"], "approved");
}

async fn one_who_leaves_is_not_waited_for(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, finance: one, finance_two: two, .. } = &company;
    let both = json!({"name": "Finance", "rule": "role:finance", "mode": "all"});
    set_flow(&company, "contract", json!([both])).await.expect(200);
    let (contract, approval) = submitted(&company, rep, "100.00").await;
    assert_eq!(decide(one, &approval, "approve").await.expect(200).body["status"], "pending");
    admin.client.post(&format!("/users/{}/disable", two.id), json!({"keep_records": true})).await.expect(200);
    let path = format!("/approvals/{approval}");
    let seen = until("the end of the step", async || {
        let seen = rep.client.get(&path).await.expect(200).body;
        (seen["status"] != "pending").then_some(seen)
    })
    .await;
    assert_eq!((&seen["status"], &seen["waiting_for"]), (&json!("approved"), &Value::Null));
    assert_eq!(rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"], "active");
}

/// What then cannot be done is rejected: nobody else is left to say so.
async fn what_cannot_be_done_any_more_is_rejected(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, finance: one, finance_two: two, manager: boss, .. } = &company;
    let both = json!({"name": "Finance", "rule": "role:finance", "mode": "all"});
    set_flow(&company, "contract", json!([both])).await.expect(200);
    let (contract, approval) = submitted(&company, rep, "100.00").await;
    decide(one, &approval, "approve").await.expect(200);
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let away = json!({"owner_id": colleague.id});
    boss.client.post(&format!("/customers/{customer}/assign"), away).await.expect(200);
    admin.client.post(&format!("/users/{}/disable", two.id), json!({"keep_records": true})).await.expect(200);
    let path = format!("/contracts/{contract}");
    until("the draft", async || {
        (rep.client.get(&path).await.expect(200).body["status"] == "draft").then_some(())
    })
    .await;
    let seen = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    let last = seen["trail"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&seen["status"], &last["by"]), (&json!("rejected"), &Value::Null));
    assert!(last["comment"].as_str().unwrap().contains("belongs to somebody else"), "{last}");
}

async fn one_who_leaves_is_not_waited_for_at_a_gate(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, manager, director, .. } = &company;
    let both = format!("users:{},{}", manager.id, director.id);
    set_flow(&company, "stage_gate", json!([{"name": "Both", "rule": both, "mode": "all"}]))
        .await
        .expect(200);
    let mut stages = company.pipeline["stages"].clone();
    for stage in stages.as_array_mut().unwrap() {
        stage["needs_approval"] = json!(stage["id"] == json!(company.signing_stage()));
    }
    let pipeline = format!("/pipelines/{}", company.pipeline["id"].as_str().unwrap());
    admin.client.patch(&pipeline, json!({"stages": stages})).await.expect(200);
    let form = json!({
        "name": "Press", "customer_id": company.customer(rep).await, "amount": {"amount": "1.00", "currency": "CNY"},
    });
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let advance = json!({"stage_id": company.signing_stage()});
    rep.client.post(&format!("/opportunities/{deal}/advance"), advance).await.expect(200);
    decide(manager, &company.pending(&deal).await, "approve").await.expect(200);
    admin
        .client
        .post(&format!("/users/{}/disable", director.id), json!({"keep_records": true}))
        .await
        .expect(200);
    let contract = until("the contract", async || {
        let seen = rep.client.get(&format!("/opportunities/{deal}")).await.expect(200).body;
        seen["contract_id"].as_str().map(str::to_owned)
    })
    .await;
    let drafted = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body;
    assert_eq!((&drafted["owner_id"], &drafted["created_by"]), (&json!(rep.id), &json!(rep.id)));
}

/// A request can be ended, and whoever leaves can be handed over, when neither who asked nor who was to decide is
/// left.
async fn what_those_who_left_asked_is_taken_back(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, inner, manager: boss, director, other_rep, .. } = &company;
    let active = company.active(rep, "500.00", "by_invoice").await;
    let named = json!({"name": "Boss", "rule": format!("users:{}", boss.id)});
    for kind in ["contract", "invoice", "transfer"] {
        set_flow(&company, kind, json!([named])).await.expect(200);
    }
    let (contract, approval) = submitted(&company, rep, "100.00").await;
    let invoice = company.invoice_draft(rep, &active, "50.00").await;
    rep.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
    let customer = company.customer(rep).await;
    let form =
        json!({"kind": "customers", "record_ids": [customer], "to_user_id": inner.id, "reason": "Away"});
    let transfer = rep.client.post("/transfers", form).await.expect(201).id();
    let requests = [
        (format!("/contracts/{contract}/withdraw"), "contract"),
        (format!("/invoices/{invoice}/withdraw"), "invoice"),
        (format!("/transfers/{transfer}/withdraw"), "transfer"),
    ];
    for (path, _) in &requests {
        director.client.act(path).await.refused(403, "forbidden");
    }
    for gone in [boss, rep] {
        let path = format!("/users/{}/disable", gone.id);
        admin.client.post(&path, json!({"keep_records": true})).await.expect(200);
    }
    let leave = format!("/users/{}/hand-over", rep.id);
    let form = json!({"successor_id": inner.id, "reason": "Left"});
    admin.client.post(&leave, form.clone()).await.refused(409, "transfer_obstructed");
    other_rep.client.act(&requests[0].0).await.refused(404, "not_found");
    let seen = director.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    let offered =
        seen["allowed_actions"].as_array().unwrap().iter().find(|it| it["action"] == "withdraw").cloned();
    assert_eq!(offered.unwrap()["allowed"], true);
    for ((path, what), by) in requests.iter().zip([director, director, admin]) {
        let back = by.client.act(path).await.expect(200).body;
        assert!(["draft", "withdrawn"].contains(&back["status"].as_str().unwrap()), "{what}");
    }
    admin.client.post(&leave, form).await.expect(200);
    assert_eq!(inner.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"], "draft");
}

async fn a_stage_has_a_gate(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, manager: boss, other_manager, .. } = &company;
    let mut stages = company.pipeline["stages"].clone();
    let (gate, signing) = (company.stage(1), company.signing_stage());
    for stage in stages.as_array_mut().unwrap() {
        stage["needs_approval"] = json!([json!(gate), json!(signing)].contains(&stage["id"]));
    }
    let pipeline = format!("/pipelines/{}", company.pipeline["id"].as_str().unwrap());
    admin.client.patch(&pipeline, json!({"stages": stages})).await.expect(200);
    let form = json!({
        "name": "A press line that has a long name", "customer_id": company.customer(rep).await,
        "amount": {"amount": "100.00", "currency": "CNY"},
    });
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let path = format!("/opportunities/{deal}");
    let advance = async |to: &str| rep.client.post(&format!("{path}/advance"), json!({"stage_id": to})).await;
    let waits = advance(&gate).await.expect(200).body;
    assert_eq!((&waits["stage_id"], &waits["pending_stage_id"]), (&json!(company.stage(0)), &json!(gate)));
    // What is asked about stays as it is, and with whom it is.
    advance(&gate).await.refused(409, "pending_approval");
    rep.client.patch(&path, json!({"note": "x"})).await.refused(409, "pending_approval");
    rep.client.delete(&path).await.refused(409, "pending_approval");
    rep.client
        .post(&format!("{path}/lose"), json!({"reason": "price"}))
        .await
        .refused(409, "pending_approval");
    let away =
        json!({"kind": "opportunities", "record_ids": [deal], "to_user_id": colleague.id, "reason": "Away"});
    let refused = rep.client.post("/transfers", away).await.refused(409, "transfer_obstructed");
    assert_eq!(refused.body["items"][0]["code"], "pending_approval");
    let approval = company.pending(&deal).await;
    let seen = boss.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    assert_eq!(
        (&seen["subject_kind"], &seen["subject_number"]),
        (&json!("stage_gate"), &json!("A press line that has a "))
    );
    decide(rep, &approval, "approve").await.refused(403, "forbidden");
    decide(other_manager, &approval, "approve").await.refused(404, "not_found");
    decide(boss, &approval, "reject").await.expect(200);
    let stays = rep.client.get(&path).await.expect(200).body;
    assert_eq!((&stays["stage_id"], &stays["pending_stage_id"]), (&json!(company.stage(0)), &Value::Null));
    // Taken back, it stays as well; agreed to, it goes on; the signing stage makes its contract then.
    advance(&gate).await.expect(200);
    let approval = company.pending(&deal).await;
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.expect(200);
    for (stage, contract) in [(&gate, false), (&signing, true)] {
        let asked = advance(stage).await.expect(200).body;
        assert_eq!(asked["contract_id"], Value::Null, "not before it is approved");
        let approval = company.pending(&deal).await;
        decide(boss, &approval, "approve").await.expect(200);
        let entered = rep.client.get(&path).await.expect(200).body;
        assert_eq!((&entered["stage_id"], entered["contract_id"].is_string()), (&json!(stage), contract));
    }
    // Going past a gate is going through it; back needs no approval.
    let form = json!({"name": "Other", "customer_id": company.customer(rep).await, "amount": {"amount": "1.00", "currency": "CNY"}});
    let other = rep.client.post("/opportunities", form).await.expect(201).id();
    let other = format!("/opportunities/{other}/advance");
    let past = rep.client.post(&other, json!({"stage_id": company.stage(2)})).await.expect(200);
    assert_eq!(past.body["pending_stage_id"], json!(company.stage(2)));
    decide(boss, &company.pending(&past.id()).await, "approve").await.expect(200);
    let back = json!({"stage_id": gate, "reason": "Too early"});
    assert_eq!(rep.client.post(&other, back).await.expect(200).body["stage_id"], json!(gate));
    // What took part in an approval stays.
    let kept = rep.client.delete(&format!("/opportunities/{}", past.id())).await.refused(409, "in_use");
    assert_eq!(kept.body["dependents"], json!([{"record_kind": "approval", "count": 1}]));
    // Where it would never be asked for, a gate is refused.
    let stages = stages.as_array().unwrap();
    for at in [0, stages.len() - 2, stages.len() - 1] {
        let mut stages = stages.clone();
        stages[at]["needs_approval"] = json!(true);
        let refused = admin.client.patch(&pipeline, json!({"stages": stages})).await;
        assert_eq!(refused.refused(422, "validation_failed").body["errors"][0]["code"], "gate");
    }
}

async fn customers_of_chosen_grades_change_by_approval(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, manager: boss, director, .. } = &company;
    let known = flow(&company, "customer_change").await;
    assert_eq!(known["enabled"], false);
    let path = format!("/approval-flows/{}", known["id"].as_str().unwrap());
    admin.client.patch(&path, json!({"enabled": true})).await.refused(422, "validation_failed");
    admin.client.patch(&path, json!({"enabled": true, "customer_grades": ["A"]})).await.expect(200);
    let contracts = format!("/approval-flows/{}", flow(&company, "contract").await["id"].as_str().unwrap());
    admin.client.patch(&contracts, json!({"customer_grades": ["A"]})).await.refused(422, "validation_failed");
    // Neither made nor changed at once where the grade is, or would be, a chosen one.
    let form = |grade: &str| json!({"kind": "company", "name": format!("Acme {grade}"), "grade": grade});
    let refused = rep.client.post("/customers", form("A")).await.refused(409, "approval_required");
    assert_eq!(refused.body["subject_kind"], "customer_change");
    let id = rep.client.post("/customers", form("B")).await.expect(201).id();
    let customer = format!("/customers/{id}");
    rep.client.patch(&customer, json!({"note": "x"})).await.expect(200);
    rep.client.patch(&customer, json!({"grade": "A"})).await.refused(409, "approval_required");
    let updating = async |by: &Person| reason(&by.client.get(&customer).await.expect(200), "update");
    assert_eq!(updating(rep).await, Value::Null, "another grade takes an approval, not this one");
    let ask = async |by: &Person, changes: Value| {
        by.client
            .post("/customer-changes", json!({"customer_id": id, "changes": changes, "reason": "Grew"}))
            .await
    };
    ask(colleague, json!({"grade": "A"})).await.refused(422, "unknown_reference");
    ask(rep, json!({})).await.refused(422, "validation_failed");
    let wrong = ask(rep, json!({"grade": "E"})).await.refused(422, "validation_failed");
    assert_eq!(wrong.body["errors"][0]["pointer"], "/changes/grade");
    ask(rep, json!({"surprise": 1})).await.refused(400, "malformed_request");
    let asked = ask(rep, json!({"grade": "A", "phone": "13800138000"})).await.expect(201);
    assert_eq!(asked.body["changes"]["grade"], json!({"before": "B", "after": "A"}));
    ask(rep, json!({"grade": "A"})).await.refused(409, "pending_approval");
    assert_eq!(rep.client.get(&customer).await.expect(200).body["grade"], "B");
    colleague.client.get(&format!("/customer-changes/{}", asked.id())).await.refused(404, "not_found");
    let approval = company.pending(&asked.id()).await;
    decide(rep, &approval, "approve").await.refused(403, "forbidden");
    decide(boss, &approval, "approve").await.expect(200);
    let changed = rep.client.get(&customer).await.expect(200).body;
    assert_eq!((&changed["grade"], &changed["phone"]), (&json!("A"), &json!("13800138000")));
    // Now it is one of the chosen, for everybody.
    director.client.patch(&customer, json!({"note": "y"})).await.refused(409, "approval_required");
    assert_eq!(
        (updating(rep).await, updating(director).await),
        (json!("approval_required"), json!("approval_required"))
    );
    let back = ask(rep, json!({"grade": "C"})).await.expect(201).id();
    rep.client.act(&format!("/customer-changes/{back}/withdraw")).await.expect(200);
    let back = ask(rep, json!({"grade": "C"})).await.expect(201).id();
    let approval = company.pending(&back).await;
    decide(boss, &approval, "reject").await.expect(200);
    assert_eq!(
        rep.client.get(&format!("/customer-changes/{back}")).await.expect(200).body["status"],
        "rejected"
    );
    // If it changed meanwhile, the approver is told.
    let last = ask(rep, json!({"grade": "D"})).await.expect(201).id();
    admin.client.patch(&path, json!({"enabled": false})).await.expect(200);
    rep.client.patch(&customer, json!({"note": "z"})).await.expect(200);
    let approval = company.pending(&last).await;
    decide(boss, &approval, "approve").await.refused(409, "stale_approval");
}

async fn a_change_is_taken_back_when_the_customer_changes_hands(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, manager: boss, director, .. } = &company;
    let path = format!("/approval-flows/{}", flow(&company, "customer_change").await["id"].as_str().unwrap());
    admin.client.patch(&path, json!({"enabled": true, "customer_grades": ["A"]})).await.expect(200);
    let form = json!({"kind": "company", "name": "Acme", "grade": "B"});
    let id = rep.client.post("/customers", form).await.expect(201).id();
    let customer = format!("/customers/{id}");
    let ask = async |by: &Person| {
        let form = json!({"customer_id": id, "changes": {"grade": "A"}});
        by.client.post("/customer-changes", form).await.expect(201).id()
    };
    let asked = ask(rep).await;
    // What is asked about is not deleted.
    let refused = rep.client.delete(&customer).await.refused(409, "pending_approval");
    assert_eq!(refused.body["customer_change_id"], json!(asked));
    let approval = company.pending(&asked).await;
    // Nobody makes it theirs and then decides about it.
    boss.client.post(&format!("{customer}/assign"), json!({"owner_id": boss.id})).await.expect(200);
    decide(boss, &approval, "approve").await.refused(409, "separation_of_duties");
    decide(director, &approval, "approve").await.refused(409, "already_decided");
    let seen = rep.client.get(&format!("/customer-changes/{asked}")).await.expect(200).body;
    assert_eq!(seen["status"], "withdrawn");
    assert_eq!(boss.client.get(&customer).await.expect(200).body["grade"], "B");
    // Nothing of it stands in the way of the new owner.
    let again = ask(boss).await;
    decide(director, &company.pending(&again).await, "approve").await.expect(200);
    // Whose grade takes an approval, is merged by who could give it and does not own them.
    let form = json!({"kind": "company", "name": "Acme too", "grade": "B"});
    company.tell_no_duplicates().await;
    let loser = boss.client.post("/customers", form).await.expect(201).id();
    let merge = json!({"loser_id": loser});
    for (by, code) in
        [(boss, json!("separation_of_duties")), (admin, json!("approval_required")), (director, Value::Null)]
    {
        assert_eq!(reason(&by.client.get(&customer).await.expect(200), "merge"), code);
    }
    boss.client.post(&format!("{customer}/merge"), merge.clone()).await.refused(409, "separation_of_duties");
    admin.client.post(&format!("{customer}/merge"), merge.clone()).await.refused(409, "approval_required");
    director.client.post(&format!("{customer}/merge"), merge).await.expect(200);
    let form = json!({"kind": "company", "name": "Acme three", "grade": "B"});
    let other = colleague.client.post("/customers", form).await.expect(201).id();
    let form = json!({"customer_id": other, "changes": {"grade": "A"}});
    let asked = colleague.client.post("/customer-changes", form).await.expect(201).id();
    decide(boss, &company.pending(&asked).await, "reject").await.expect(200);
    director.client.delete(&format!("/customers/{other}")).await.refused(409, "in_use");
}

/// How many rows of a list somebody sees.
async fn rows(person: &Person, path: &str) -> usize {
    person.client.all(path).await.len()
}

async fn what_was_asked_is_seen_by_whoever_has_what_it_is_about(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, other_manager, director, finance, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let invoice = company.issued(rep, &contract, "400.00").await;
    let form = json!({"contract_id": contract, "reason": "Agreed by telephone", "terms": "Paid in advance"});
    let amendment = rep.client.post("/amendments", form).await.expect(201).id();
    company.approve(&amendment).await;
    let mut paths = Vec::new();
    for subject in [&contract, &invoice, &amendment] {
        let list = format!("/approvals?subject_id={subject}");
        assert_eq!((rows(rep, &list).await, rows(other_rep, &list).await), (1, 0), "{list}");
        let approval = director.client.all(&list).await[0].clone();
        assert_eq!(approval["owner_id"], json!(rep.id));
        paths.push((list, format!("/approvals/{}", approval["id"].as_str().unwrap())));
    }
    let form = json!({
        "kind": "customers", "record_ids": [customer], "to_user_id": other_rep.id, "reason": "New territory",
        "include_contracts": true,
    });
    let transfer = rep.client.post("/transfers", form).await.expect(201).id();
    decide(director, &company.pending(&transfer).await, "approve").await.expect(200);
    rep.client.get(&format!("/contracts/{contract}")).await.refused(404, "not_found");
    for (list, path) in &paths {
        assert_eq!(rows(rep, list).await, 0, "{list}");
        rep.client.get(path).await.refused(404, "not_found");
        for person in [other_rep, other_manager, finance] {
            assert_eq!(rows(person, list).await, 1, "{list}");
            assert_eq!(person.client.get(path).await.expect(200).body["owner_id"], json!(other_rep.id));
        }
    }
}

async fn what_was_asked_about_a_customer_goes_with_the_customer(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, manager, other_rep, director, .. } = &company;
    let customer = company.customer(rep).await;
    // The manager asks, so that none of the owners sees it for having asked.
    let form = json!({"customer_id": customer, "changes": {"phone": "138 6200 0137"}});
    let change = manager.client.post("/customer-changes", form).await.expect(201).id();
    let approval = company.pending(&change).await;
    decide(director, &approval, "approve").await.expect(200);
    let of_customer = |kind: &str, customer: &str, id: &str| {
        (format!("/{kind}?customer_id={customer}"), format!("/{kind}/{id}"))
    };
    let sees = async |person: &Person, customer: &str, sees: bool| {
        for (list, path) in [
            of_customer("customer-changes", customer, &change),
            of_customer("approvals", customer, &approval),
        ] {
            assert_eq!(rows(person, &list).await, usize::from(sees), "{} {list}", person.email);
            let answer = person.client.get(&path).await;
            if sees {
                answer.expect(200)
            } else {
                answer.refused(404, "not_found")
            };
        }
    };
    let owner = async |person: &Person| {
        let change = person.client.get(&format!("/customer-changes/{change}")).await.expect(200).body;
        let approval = director.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
        assert_eq!(change["owner_id"], approval["owner_id"]);
        change["owner_id"].clone()
    };
    sees(rep, &customer, true).await;
    sees(other_rep, &customer, false).await;
    let assign = format!("/customers/{customer}/assign");
    director.client.post(&assign, json!({"owner_id": other_rep.id})).await.expect(200);
    sees(rep, &customer, false).await;
    sees(other_rep, &customer, true).await;
    assert_eq!(owner(other_rep).await, json!(other_rep.id));
    // In the pool it is as masked as the customer: for whoever may change that, and whoever asked or decided.
    let release = format!("/customers/{customer}/release");
    other_rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    for person in [rep, other_rep] {
        let list = format!("/approvals?customer_id={customer}");
        assert_eq!(rows(person, &list).await, 0);
        person.client.get(&format!("/customer-changes/{change}")).await.refused(404, "not_found");
    }
    for person in [manager, director, admin] {
        assert_eq!(owner(person).await, Value::Null);
    }
    rep.client.act(&format!("/public-pool/customers/{customer}/claim")).await.expect(200);
    sees(rep, &customer, true).await;
    sees(other_rep, &customer, false).await;
    // Merged from the pool into another customer, it is with that one's owner.
    rep.client.post(&release, json!({"reason": "Twice"})).await.expect(200);
    let survivor = company.customer(other_rep).await;
    let merge = json!({"loser_id": customer});
    director.client.post(&format!("/customers/{survivor}/merge"), merge).await.expect(200);
    sees(other_rep, &survivor, true).await;
    sees(rep, &survivor, false).await;
    assert_eq!(owner(other_rep).await, json!(other_rep.id));
}

async fn a_contract_whose_customer_went_away_is_not_approved(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, finance, manager: boss, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let customer =
        rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["customer_id"].clone();
    let approval = company.pending(&contract).await;
    decide(boss, &approval, "approve").await.expect(200);
    let away = format!("/customers/{}/assign", customer.as_str().unwrap());
    boss.client.post(&away, json!({"owner_id": colleague.id})).await.expect(200);
    let refused = decide(finance, &approval, "approve").await.refused(409, "contract_incomplete");
    assert_eq!(refused.body["customer_owner_id"], json!(colleague.id));
    assert_eq!(
        rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"],
        "pending_approval"
    );
    boss.client.post(&away, json!({"owner_id": rep.id})).await.expect(200);
    decide(finance, &approval, "approve").await.expect(200);
}

async fn a_role_that_decides_is_kept(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, .. } = &company;
    let copy = json!({"key": "legal", "name": "Legal", "grants": [{"permission": "contracts:read", "scope": "all"}]});
    let role = format!("/roles/{}", admin.client.post("/roles", copy).await.expect(201).id());
    let lawyer = company.finance_two.id.clone();
    let user = format!("/users/{lawyer}");
    admin.client.patch(&user, json!({"roles": ["legal"]})).await.expect(200);
    set_flow(&company, "contract", json!([{"name": "Legal", "rule": "role:legal"}])).await.expect(200);
    let (_, approval) = submitted(&company, rep, "100.00").await;
    let deleting = async || reason(&admin.client.get(&role).await.expect(200), "delete");
    assert_eq!(deleting().await, "in_use", "somebody has it");
    admin.client.patch(&user, json!({"roles": ["finance"]})).await.expect(200);
    let refused = admin.client.delete(&role).await.refused(409, "in_use");
    assert_eq!(refused.body["subject_kind"], "contract");
    set_flow(&company, "contract", json!([finance()])).await.expect(200);
    assert_eq!(deleting().await, "in_use");
    admin.client.delete(&role).await.refused(409, "in_use");
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.expect(200);
    // Nor one for which a later step will wait.
    admin.client.patch(&user, json!({"roles": ["legal"]})).await.expect(200);
    set_flow(&company, "contract", json!([manager(), {"name": "Legal", "rule": "role:legal"}]))
        .await
        .expect(200);
    let (_, approval) = submitted(&company, rep, "200.00").await;
    admin.client.patch(&user, json!({"roles": ["finance"]})).await.expect(200);
    set_flow(&company, "contract", json!([finance()])).await.expect(200);
    assert_eq!(deleting().await, "in_use");
    admin.client.delete(&role).await.refused(409, "in_use");
    rep.client.act(&format!("/approvals/{approval}/withdraw")).await.expect(200);
    assert_eq!(deleting().await, Value::Null);
    admin.client.delete(&role).await.expect(204);
}

async fn heavy_two_delegates_decide_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager: boss, director, marketing, auditor, .. } = &company;
    delegate(&boss.client, boss, marketing).await.expect(201);
    delegate(&boss.client, boss, auditor).await.expect(201);
    for _ in 0..5 {
        let (_, approval) = submitted(&company, rep, "100.00").await;
        let all = [boss, marketing, auditor, director];
        let answers = join_all(all.map(|person| decide(person, &approval, "approve"))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{:?}", answers.iter().map(|it| &it.text).collect::<Vec<_>>());
        assert!(answers.iter().all(|answer| [200, 403, 404, 409].contains(&answer.status)));
        let seen = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
        assert_eq!((&seen["step"], seen["steps"][0]["decisions"].as_array().unwrap().len()), (&json!(1), 1));
    }
}

async fn a_company_has_a_flow_of_each_kind(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let (admin, database) = (&company.admin.client, Arc::clone(&server.database));
    let flows = async |client: &Client| -> Vec<(String, String)> {
        let flows = client.get("/approval-flows?limit=200").await.expect(200).body;
        let text = |flow: &Value, member: &str| flow[member].as_str().unwrap().to_owned();
        let flows = flows["data"].as_array().unwrap().iter();
        flows.map(|flow| (text(flow, "subject_kind"), text(flow, "id"))).collect()
    };
    let first = flows(admin).await;
    // The ids that the document tells everybody are those of demos.
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).text;
    assert!(first.iter().all(|(_, id)| !document.contains(id)), "{first:?}");

    // A kind that is newer than the company comes with the next start; the others stay as they are.
    server.stop().await;
    database.note_altered();
    let mut direct = database.connect().await;
    direct
        .run(
            "DELETE FROM approval_flow_versions WHERE flow_id IN \
             (SELECT id FROM approval_flows WHERE subject_kind = 'stage_gate'); \
             DELETE FROM approval_flows WHERE subject_kind = 'stage_gate'",
        )
        .await;
    drop(direct);
    server.restart().await;
    let second = flows(&admin.at(&server.url)).await;
    assert_eq!(first.len(), second.len());
    for (before, after) in first.iter().zip(&second) {
        assert_eq!(before.0, after.0);
        assert_eq!(before.1 == after.1, before.0 != "stage_gate", "{before:?} {after:?}");
    }
}
