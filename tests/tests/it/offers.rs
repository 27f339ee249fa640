//! `allowed_actions` and the server say the same.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Server};

/// The id of no record.
const NO_ID: &str = "01900000-0000-7000-8000-000000000000";

on_both_databases! {
    a_draft_that_cannot_be_submitted_says_so;
    whoever_did_not_ask_is_not_offered_to_take_it_back;
    what_was_submitted_is_not_offered_for_deletion;
    a_refused_deletion_says_that_it_was_one;
    what_has_an_owner_was_claimed_before;
    customers_are_offered_for_release_and_deletion_where_it_is_done;
    what_others_depend_on_is_not_offered_for_deletion;
    what_was_asked_about_is_not_offered_for_deletion;
    merging_is_offered_to_whoever_may;
    planning_and_handing_over_are_offered;
    what_its_contract_decides_is_not_offered;
    what_its_customers_owner_decides_is_not_offered;
    what_money_forbids_is_not_offered;
    what_belongs_to_a_contract_that_ended_is_not_offered;
    what_the_organisation_still_uses_is_not_offered_for_deletion;
    the_last_administrator_is_not_offered_to_be_disabled;
    a_refused_step_names_others_that_are_offered;
    what_limits_forbid_is_not_offered_to_be_claimed;
    what_is_left_of_the_contract_decides_whether_an_invoice_is_offered;
    what_nobody_could_decide_is_not_offered;
}

/// Why an action is refused by the record's `allowed_actions`; null when it is allowed.
#[track_caller]
pub(crate) fn reason(record: &Answer, action: &str) -> Value {
    let offers = record.body["allowed_actions"].as_array().unwrap();
    let offer = offers.iter().find(|offer| offer["action"] == action).unwrap();
    assert_eq!(offer["allowed"], offer["reason"].is_null(), "{offer}");
    offer["reason"].clone()
}

async fn offered(client: &Client, path: &str, action: &str) -> Value {
    reason(&client.get(path).await.expect(200), action)
}

/// What a refusal names as allowed is what the record offers of its machine.
async fn a_refused_step_names_others_that_are_offered(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = rep.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201).id();
    let lead = format!("/leads/{lead}");
    let refused = rep.act(&format!("{lead}/qualify")).await.refused(409, "invalid_transition");
    assert_eq!(refused.body["allowed"], json!(["release", "disqualify"]));
    for (action, why) in [("assign", "forbidden"), ("claim", "already_claimed")] {
        assert_eq!(offered(rep, &lead, action).await, why);
    }
    // A manager may assign it as well.
    let refused = company.manager.client.act(&format!("{lead}/qualify")).await;
    let allowed = refused.refused(409, "invalid_transition").body["allowed"].clone();
    assert_eq!(allowed, json!(["assign", "release", "disqualify"]));
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
        let refused = rep.delete(&path).await.refused(409, "in_use");
        let asked = json!([{"record_kind": "approval", "count": 1}]);
        assert_eq!(refused.body["dependents"], asked, "{path}");
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

async fn a_refused_deletion_says_that_it_was_one(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let invoice = company.issued(&company.rep, &contract, "100.00").await;
    let deal = json!({"customer_id": company.customer(&company.rep).await, "name": "Pumps"});
    let deal = rep.post("/opportunities", deal).await.expect(201).id();
    rep.post(&format!("/opportunities/{deal}/lose"), json!({"reason": "price"})).await.expect(200);
    for (path, kind, from) in [
        (format!("/contracts/{contract}"), "contract", "active"),
        (format!("/invoices/{invoice}"), "invoice", "issued"),
        (format!("/opportunities/{deal}"), "opportunity", "lost"),
    ] {
        let refused = [("delete", rep.delete(&path).await), ("update", rep.patch(&path, json!({})).await)];
        for (action, answer) in refused {
            let told = answer.refused(409, "invalid_transition").body;
            let told = [&told["record_kind"], &told["from"], &told["action"]];
            assert_eq!(told, [kind, from, action], "{path}");
        }
    }
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

/// What a call said in the words of an offer: null when it was done, otherwise why not.
#[track_caller]
fn outcome(answer: &Answer) -> Value {
    match answer.status {
        200 | 204 => Value::Null,
        403 | 409 => answer.body["code"].clone(),
        _ => panic!("{} answered {}: {}", answer.request, answer.status, answer.text),
    }
}

/// A new customer of the rep, and what there is about it.
async fn customer_with(company: &Company, what: &str) -> String {
    let rep = &company.rep.client;
    if what == "pool" {
        return company.pool_customer().await;
    }
    if what == "contract" {
        let contract = company.draft(&company.rep, "100.00", "by_contract").await;
        return rep.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    }
    let id = company.customer(&company.rep).await;
    match what {
        "nothing" => {}
        "contact" => {
            rep.post("/contacts", json!({"customer_id": id, "name": "Zhang Wei"})).await.expect(201);
        }
        "activity" => {
            let about = json!({"kind": "customer", "id": id});
            let form = json!({"about": about, "kind": "call", "subject": "Called"});
            rep.post("/activities", form).await.expect(201);
        }
        "sale" | "lost sale" => {
            let sale = rep.post("/opportunities", json!({"customer_id": id, "name": "Pumps"})).await;
            let sale = sale.expect(201).id();
            if what == "lost sale" {
                let lost = json!({"reason": "price"});
                rep.post(&format!("/opportunities/{sale}/lose"), lost).await.expect(200);
            }
        }
        "collaborator" => {
            let form = json!({"customer_id": id, "user_id": company.other_rep.id, "access": "read"});
            rep.post("/collaborators", form).await.expect(201);
        }
        "transfer" => {
            let form = json!({
                "kind": "customers", "record_ids": [id], "to_user_id": company.colleague.id, "reason": "Nearer",
            });
            rep.post("/transfers", form).await.expect(201);
        }
        _ => panic!("{what}"),
    }
    id
}

async fn customers_are_offered_for_release_and_deletion_where_it_is_done(server: Server) {
    let company = Company::found(&server).await;
    let none = Value::Null;
    let (busy, used) = (json!("customer_has_open_business"), json!("in_use"));
    // What its owner is told about both; of one in the pool, that is for the permissions to say.
    let kinds = [
        ("nothing", Some([&none, &none])),
        ("collaborator", Some([&none, &none])),
        ("contact", Some([&none, &used])),
        ("activity", Some([&none, &used])),
        ("lost sale", Some([&none, &used])),
        ("sale", Some([&busy, &used])),
        ("contract", Some([&busy, &used])),
        ("pool", None),
    ];
    for (what, to_owner) in kinds {
        for (role, person) in company.by_role() {
            let path = format!("/customers/{}", customer_with(&company, what).await);
            let seen = person.client.get(&path).await;
            if seen.status == 404 {
                person.client.delete(&path).await.refused(404, "not_found");
                continue;
            }
            let seen = seen.expect(200);
            let offered = [reason(&seen, "release"), reason(&seen, "delete")];
            if let Some(expected) = to_owner.filter(|_| role == "sales_rep") {
                assert_eq!(offered.each_ref(), expected, "{what}");
            }
            let release = format!("{path}/release?dry_run=true");
            let released = person.client.post(&release, json!({"reason": "No need"})).await;
            let deleted = person.client.delete(&path).await;
            assert_eq!([outcome(&released), outcome(&deleted)], offered, "{what}, {role}");
        }
    }
}

/// Holds the offer to delete a record against the call, for everybody who sees it. Nobody may, and its owner is told
/// this.
async fn nobody_deletes(company: &Company, path: &str, code: &str, dependents: Value) {
    told_not_to_delete(company, "sales_rep", path, code, dependents).await;
}

/// The same, of what somebody else may delete otherwise.
async fn told_not_to_delete(company: &Company, who: &str, path: &str, code: &str, dependents: Value) {
    for (role, person) in company.by_role() {
        let seen = person.client.get(path).await;
        if seen.status == 404 {
            continue;
        }
        let offered = reason(&seen.expect(200), "delete");
        let answer = person.client.delete(path).await;
        assert_eq!(outcome(&answer), offered, "{path}, {role}");
        assert!(offered == code || offered == "forbidden", "{path}, {role}: {offered}");
        assert!(offered == code || role != who, "{path}: {offered}");
        if offered == "in_use" {
            assert_eq!(answer.body["dependents"], dependents, "{path}");
        }
    }
}

async fn what_others_depend_on_is_not_offered_for_deletion(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = rep.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201).id();
    let lead = format!("/leads/{lead}");
    assert_eq!(offered(rep, &lead, "delete").await, Value::Null);
    let about = json!({"kind": "lead", "id": lead.trim_start_matches("/leads/")});
    let form = json!({"about": about, "kind": "call", "subject": "First call"});
    rep.post("/activities", form).await.expect(201);
    let one = |kind: &str| json!({"record_kind": kind, "count": 1});
    nobody_deletes(&company, &lead, "in_use", json!([one("activity")])).await;

    rep.act(&format!("{lead}/qualify")).await.expect(200);
    let form = json!({"opportunity": {"name": "Pumps", "expected_close_on": "2027-01-31"}});
    let became = rep.post(&format!("{lead}/convert"), form).await.expect(200);
    let path = |of: &str, member: &str| format!("/{of}/{}", became.text_of(member));
    let customer = path("customers", "converted_customer_id");
    let contact = path("contacts", "converted_contact_id");
    let opportunity = path("opportunities", "converted_opportunity_id");
    nobody_deletes(&company, &lead, "already_converted", Value::Null).await;
    nobody_deletes(&company, &contact, "in_use", json!([one("opportunity"), one("lead")])).await;
    nobody_deletes(&company, &opportunity, "in_use", json!([one("lead")])).await;
    let all = json!([one("contact"), one("activity"), one("lead"), one("opportunity")]);
    nobody_deletes(&company, &customer, "in_use", all).await;
    let told =
        rep.request(Method::DELETE, &customer).header("if-match", "*").header("accept-language", "zh-CN");
    let told = rep.send(told).await.refused(409, "in_use");
    let detail = "仍有其他记录依赖于该记录，不能删除：联系人 1、跟进 1、线索 1、商机 1。";
    assert_eq!(told.body["detail"], detail);

    // A cancelled contract is kept, and with it the opportunity from which it came.
    let customer = company.customer(&company.rep).await;
    let amount = json!({"amount": "100.00", "currency": "CNY"});
    let form = json!({
        "name": "Deal", "customer_id": customer, "amount": amount, "expected_close_on": "2027-01-31",
    });
    let deal = format!("/opportunities/{}", rep.post("/opportunities", form).await.expect(201).id());
    let sign = json!({"stage_id": company.signing_stage()});
    let signing = rep.post(&format!("{deal}/advance"), sign).await.expect(200);
    assert_eq!(reason(&signing, "delete"), "contract_decides");
    nobody_deletes(&company, &deal, "contract_decides", Value::Null).await;
    let cancel = format!("/contracts/{}/cancel", signing.text_of("contract_id"));
    rep.post(&cancel, json!({"reason": "Too soon"})).await.expect(200);
    nobody_deletes(&company, &deal, "in_use", json!([one("contract")])).await;

    // What is noted about something is about that alone: without it, nobody would see it any more.
    let form = json!({"name": "Another deal", "customer_id": customer});
    let deal = rep.post("/opportunities", form).await.expect(201).id();
    let contact = rep.post("/contacts", json!({"name": "Zhang Wei", "customer_id": customer})).await;
    let contact = contact.expect(201).id();
    let draft = company.draft(&company.rep, "100.00", "by_contract").await;
    let mut noted = Vec::new();
    for (kind, path, id) in [
        ("opportunity", format!("/opportunities/{deal}"), deal),
        ("contact", format!("/contacts/{contact}"), contact),
        ("contract", format!("/contracts/{draft}"), draft),
    ] {
        assert_eq!(offered(rep, &path, "delete").await, Value::Null, "{path}");
        let form = json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        noted.push((path, rep.post("/activities", form).await.expect(201).id()));
    }
    for (path, activity) in noted {
        nobody_deletes(&company, &path, "in_use", json!([one("activity")])).await;
        // What nothing depends on goes.
        rep.delete(&format!("/activities/{activity}")).await.expect(204);
        assert_eq!(offered(rep, &path, "delete").await, Value::Null, "{path}");
        rep.delete(&path).await.expect(204);
    }
}

async fn what_was_asked_about_is_not_offered_for_deletion(server: Server) {
    let company = Company::found(&server).await;
    let id = customer_with(&company, "transfer").await;
    nobody_deletes(&company, &format!("/customers/{id}"), "pending_transfer", Value::Null).await;
    let answer = company.rep.client.delete(&format!("/customers/{id}")).await;
    assert_eq!(answer.refused(409, "pending_transfer").body["id"], json!(id));

    let customer = company.customer(&company.rep).await;
    let form = json!({"name": "Deal", "customer_id": customer});
    let deal = company.rep.client.post("/opportunities", form).await.expect(201).id();
    let form = json!({
        "kind": "opportunities", "record_ids": [deal], "to_user_id": company.colleague.id, "reason": "Nearer",
    });
    company.rep.client.post("/transfers", form).await.expect(201);
    nobody_deletes(&company, &format!("/opportunities/{deal}"), "pending_transfer", Value::Null).await;

    // A draft that was named, and one that goes along with its customer.
    let rep = &company.rep.client;
    let draft = company.draft(&company.rep, "100.00", "by_contract").await;
    let form = json!({
        "kind": "contracts", "record_ids": [draft], "to_user_id": company.colleague.id, "reason": "Nearer",
    });
    let transfer = rep.post("/transfers", form).await.expect(201).id();
    let draft = format!("/contracts/{draft}");
    nobody_deletes(&company, &draft, "pending_transfer", Value::Null).await;
    let changed = rep.patch(&draft, json!({"title": "Still ours"})).await.expect(200);
    assert_eq!(reason(&changed, "delete"), "pending_transfer");
    let along = company.draft(&company.rep, "100.00", "by_contract").await;
    let along = rep.get(&format!("/contracts/{along}")).await.expect(200);
    let form = json!({
        "kind": "customers", "record_ids": [along.text_of("customer_id")], "to_user_id": company.colleague.id,
        "reason": "Nearer", "include_contracts": true,
    });
    rep.post("/transfers", form).await.expect(201);
    nobody_deletes(&company, &format!("/contracts/{}", along.id()), "pending_transfer", Value::Null).await;
    // Taken back, it may go.
    rep.act(&format!("/transfers/{transfer}/withdraw")).await.expect(200);
    assert_eq!(offered(rep, &draft, "delete").await, Value::Null);
    rep.delete(&draft).await.expect(204);
}

async fn merging_is_offered_to_whoever_may(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    for (of, form) in [
        ("leads", json!({"name": "Lin Mei", "source": "website"})),
        ("customers", json!({"kind": "company", "name": "Acme"})),
    ] {
        let id = rep.post(&format!("/{of}"), form.clone()).await.expect(201).id();
        let survivor = format!("/{of}/{id}");
        let loser = json!({"loser_id": rep.post(&format!("/{of}"), form).await.expect(201).id()});
        let mut told = BTreeSet::new();
        for (role, person) in company.by_role() {
            let seen = person.client.get(&survivor).await;
            if seen.status == 404 {
                continue;
            }
            let merged = person.client.post(&format!("{survivor}/merge?dry_run=true"), loser.clone()).await;
            let offer = reason(&seen.expect(200), "merge");
            assert_eq!(outcome(&merged), offer, "{of}, {role}");
            // Whoever may not is told so, whatever the body names; of the others each is told what is wrong with it.
            for (loser, wrong) in [(NO_ID, "unknown_reference"), (id.as_str(), "validation_failed")] {
                let answer =
                    person.client.post(&format!("{survivor}/merge"), json!({"loser_id": loser})).await;
                let (status, code) = if offer.is_null() { (422, wrong) } else { (403, "forbidden") };
                answer.refused(status, code);
                told.insert(code);
            }
        }
        assert_eq!(told, BTreeSet::from(["forbidden", "unknown_reference", "validation_failed"]), "{of}");
    }
}

async fn planning_and_handing_over_are_offered(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let path = format!("/contracts/{}", company.draft(&company.rep, "100.00", "by_contract").await);
    let (plan, form) = (format!("{path}/plan"), json!({"starts_on": "2026-12-01", "months": 2}));
    for (role, person) in company.by_role() {
        let seen = person.client.get(&path).await;
        if seen.status == 404 {
            continue;
        }
        let planned = person.client.post(&format!("{plan}?dry_run=true"), form.clone()).await;
        assert_eq!(outcome(&planned), reason(&seen.expect(200), "plan"), "{role}");
    }
    assert_eq!(offered(rep, &path, "plan").await, Value::Null);
    rep.act(&format!("{path}/submit")).await.expect(200);
    assert_eq!(offered(rep, &path, "plan").await, "pending_approval");
    rep.post(&plan, form).await.refused(409, "pending_approval");

    let Company { admin, colleague, .. } = &company;
    let path = format!("/users/{}", colleague.id);
    assert_eq!(offered(&colleague.client, &path, "hand_over").await, "forbidden");
    assert_eq!(offered(&admin.client, &path, "hand_over").await, "invalid_transition");
    let (leave, form) = (format!("{path}/hand-over"), json!({"to_pool": true, "reason": "Leaves"}));
    admin.client.post(&leave, form.clone()).await.refused(409, "invalid_transition");
    let gone = admin.client.post(&format!("{path}/disable"), json!({})).await.expect(200);
    assert_eq!(reason(&gone, "hand_over"), Value::Null);
    assert_eq!(offered(&admin.client, &path, "hand_over").await, Value::Null);
    admin.client.post(&leave, form).await.expect(200);
}

/// Holds what is offered of a record against the calls, for everybody who sees it. One of them is told this.
async fn told(company: &Company, who: &str, path: &str, actions: &[(&str, Value, Value)]) {
    let mut asked = false;
    for (role, person) in company.by_role() {
        let seen = person.client.get(path).await;
        if seen.status == 404 {
            continue;
        }
        let seen = seen.expect(200);
        for (action, form, code) in actions {
            let offered = reason(&seen, action);
            let done = person.client.post(&format!("{path}/{action}?dry_run=true"), form.clone()).await;
            assert_eq!(outcome(&done), offered, "{path}, {action}, {role}");
            assert!(role != who || offered == *code, "{path}, {action}: {offered}");
        }
        asked |= role == who;
    }
    assert!(asked, "{path}: {who} does not see it");
}

/// An opportunity of the rep that may be signed.
async fn deal(company: &Company) -> Answer {
    let form = json!({
        "name": "Deal", "customer_id": company.customer(&company.rep).await, "expected_close_on": "2027-01-31",
        "amount": {"amount": "100.00", "currency": "CNY"},
    });
    company.rep.client.post("/opportunities", form).await.expect(201)
}

async fn what_its_contract_decides_is_not_offered(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let deal = format!("/opportunities/{}", deal(&company).await.id());
    let stages = company.pipeline["stages"].as_array().unwrap();
    let open: Vec<&Value> = stages.iter().filter(|stage| stage["kind"] == "open").collect();
    let signing = company.signing_stage();
    rep.post(&format!("{deal}/advance"), json!({"stage_id": signing})).await.expect(200);
    let lose = ("lose", json!({"reason": "price"}), json!("contract_decides"));
    let others: Vec<&Value> =
        open.into_iter().map(|stage| &stage["id"]).filter(|id| **id != signing).collect();
    assert!(others.len() > 1);
    for stage in &others {
        let form = json!({"stage_id": stage, "reason": "They hesitate"});
        told(&company, "sales_rep", &deal, &[("advance", form, json!("contract_decides")), lose.clone()])
            .await;
    }
    // Where it is no stage to advance to, that is said first, as before.
    for stage in stages.iter().filter(|stage| stage["kind"] != "open") {
        let form = json!({"stage_id": stage["id"], "reason": "They hesitate"});
        rep.post(&format!("{deal}/advance"), form).await.refused(422, "validation_failed");
    }
    let contract = rep.get(&deal).await.expect(200).text_of("contract_id");
    rep.post(&format!("/contracts/{contract}/cancel"), json!({})).await.expect(200);
    let form = json!({"stage_id": others[1]});
    let lose = ("lose", json!({"reason": "price"}), Value::Null);
    told(&company, "sales_rep", &deal, &[("advance", form, Value::Null), lose]).await;
}

async fn what_its_customers_owner_decides_is_not_offered(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, other_rep, director, .. } = &company;
    // What was lost is not taken up while its customer is in the pool.
    let deal = deal(&company).await;
    let (customer, deal) = (deal.text_of("customer_id"), format!("/opportunities/{}", deal.id()));
    rep.client.post(&format!("{deal}/lose"), json!({"reason": "price"})).await.expect(200);
    told(&company, "sales_manager", &deal, &[("reopen", json!({}), Value::Null)]).await;
    let release = format!("/customers/{customer}/release");
    rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    told(&company, "sales_manager", &deal, &[("reopen", json!({}), json!("customer_unowned"))]).await;
    // Nobody is asked about a contract whose customer went to somebody else.
    let draft = company.draft(rep, "100.00", "by_contract").await;
    let draft = rep.client.get(&format!("/contracts/{draft}")).await.expect(200);
    let (customer, draft) = (draft.text_of("customer_id"), format!("/contracts/{}", draft.id()));
    told(&company, "sales_rep", &draft, &[("submit", json!({}), Value::Null)]).await;
    let assign = format!("/customers/{customer}/assign");
    director.client.post(&assign, json!({"owner_id": other_rep.id})).await.expect(200);
    told(&company, "sales_rep", &draft, &[("submit", json!({}), json!("contract_incomplete"))]).await;
    assert_eq!(offered(&manager.client, &draft, "submit").await, "contract_incomplete");
}

async fn what_money_forbids_is_not_offered(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, finance_two, director, .. } = &company;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let id = company.paid(rep, &contract, "50.00").await;
    let payment = format!("/payments/{id}");
    let actions = |reverse: Value, reallocate: Value| {
        let form = json!({"reason": "Bounced"});
        [("reverse", form.clone(), reverse), ("reallocate", form, reallocate)]
    };
    told(&company, "finance", &payment, &actions(Value::Null, Value::Null)).await;
    let form = json!({
        "payment_id": id, "amount": {"amount": "20.00", "currency": "CNY"}, "refunded_on": "2026-03-01",
        "method": "bank_transfer", "reason": "They cancelled a part",
    });
    let refund = finance.client.post("/refunds", form).await.expect(201).id();
    told(&company, "finance", &payment, &actions(json!("payment_refunded"), Value::Null)).await;
    finance_two.client.act(&format!("/refunds/{refund}/confirm")).await.expect(200);
    told(&company, "finance", &payment, &actions(json!("payment_refunded"), Value::Null)).await;
    let end = json!({"reason": "Both sides agreed"});
    director.client.post(&format!("/contracts/{contract}/terminate"), end).await.expect(200);
    let ended = actions(json!("payment_refunded"), json!("contract_not_active"));
    told(&company, "finance", &payment, &ended).await;

    // An invoice of which payments leave nothing.
    let contract = company.active(rep, "100.00", "by_invoice").await;
    let invoice = company.issued(rep, &contract, "40.00").await;
    let path = format!("/invoices/{invoice}");
    let credit = async || {
        let form = json!({
            "invoice_id": invoice, "amount": {"amount": "0.01", "currency": "CNY"}, "reason": "Wrong price",
            "tax_invoice_number": "R-1",
        });
        finance.client.post("/credit-notes", form).await
    };
    for (amount, left) in [("39.98", true), ("0.01", false)] {
        company.paid(rep, &contract, amount).await;
        let said = offered(&finance.client, &path, "credit").await;
        if left {
            assert_eq!(said, Value::Null);
            credit().await.expect(201);
        } else {
            assert_eq!(said, "invoice_has_payments");
            credit().await.refused(409, "invoice_has_payments");
        }
    }
}

async fn what_belongs_to_a_contract_that_ended_is_not_offered(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, director, .. } = &company;
    let contract = company.active(rep, "100.00", "by_invoice").await;
    let draft = format!("/invoices/{}", company.invoice_draft(rep, &contract, "10.00").await);
    let approved = company.invoice_draft(rep, &contract, "20.00").await;
    rep.client.act(&format!("/invoices/{approved}/submit")).await.expect(200);
    company.approve(&approved).await;
    let approved = format!("/invoices/{approved}");
    let issue = json!({"tax_invoice_number": "T-1"});
    told(&company, "sales_rep", &draft, &[("submit", json!({}), Value::Null)]).await;
    told(&company, "finance", &approved, &[("issue", issue.clone(), Value::Null)]).await;
    let end = json!({"reason": "Both sides agreed"});
    director.client.post(&format!("/contracts/{contract}/terminate"), end).await.expect(200);
    let ended = json!("contract_not_active");
    told(&company, "sales_rep", &draft, &[("submit", json!({}), ended.clone())]).await;
    told(&company, "finance", &approved, &[("issue", issue, ended)]).await;
}

async fn what_the_organisation_still_uses_is_not_offered_for_deletion(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let one = |kind: &str| json!({"record_kind": kind, "count": 1});

    let made = async |path: &str, form: Value| admin.post(path, form).await.expect(201).id();
    let team = made("/teams", json!({"name": "North"})).await;
    let path = format!("/teams/{team}");
    let below = format!("/teams/{}", made("/teams", json!({"name": "Far North", "parent_id": team})).await);
    let user = format!("/users/{}", company.inner.id);
    let former = admin.get(&user).await.expect(200).body["team_id"].clone();
    admin.patch(&user, json!({"team_id": team})).await.expect(200);
    let view =
        json!({"resource": "leads", "name": "New", "query": "status=new", "shared_with_team_id": team});
    let view =
        format!("/saved-views/{}", company.inner.client.post("/saved-views", view).await.expect(201).id());
    let rule = json!({"name": "North in turn", "position": 1, "regions": ["North"], "team_id": team});
    let rule = format!("/assignment-rules/{}", made("/assignment-rules", rule).await);
    let all = json!([one("team"), one("user"), one("assignment_rule"), one("saved_view")]);
    told_not_to_delete(&company, "admin", &path, "in_use", all).await;
    admin.patch(&user, json!({"team_id": former})).await.expect(200);
    company.inner.client.delete(&view).await.expect(204);
    admin.delete(&rule).await.expect(204);
    told_not_to_delete(&company, "admin", &path, "in_use", json!([one("team")])).await;
    let left = admin.patch(&below, json!({"parent_id": null})).await.expect(200);
    assert_eq!(reason(&left, "delete"), Value::Null);
    assert_eq!(offered(admin, &path, "delete").await, Value::Null);
    admin.delete(&path).await.expect(204);

    let pool = made("/public-pools", json!({"name": "North pool"})).await;
    let path = format!("/public-pools/{pool}");
    assert_eq!(offered(admin, &path, "delete").await, Value::Null);
    let customer = format!("/customers/{}", company.pool_customer().await);
    admin.post(&format!("{customer}/move"), json!({"pool_id": pool})).await.expect(200);
    told_not_to_delete(&company, "admin", &path, "in_use", json!([one("customer")])).await;
    admin.post(&format!("{customer}/move"), json!({"pool_id": company.pool})).await.expect(200);
    assert_eq!(offered(admin, &path, "delete").await, Value::Null);
    admin.delete(&path).await.expect(204);
    told_not_to_delete(&company, "admin", &format!("/public-pools/{}", company.pool), "in_use", Value::Null)
        .await;

    let stage = |name: &str, kind: &str| json!({"name": name, "kind": kind, "probability": 10});
    let stages = json!([stage("Talk", "open"), stage("Won", "won"), stage("Lost", "lost")]);
    let pipeline = made("/pipelines", json!({"name": "Short", "stages": stages})).await;
    let path = format!("/pipelines/{pipeline}");
    let customer = company.customer(&company.rep).await;
    let form = json!({"name": "Deal", "customer_id": customer, "pipeline_id": pipeline});
    let deal = company.rep.client.post("/opportunities", form).await.expect(201).id();
    told_not_to_delete(&company, "admin", &path, "in_use", json!([one("opportunity")])).await;
    company.rep.client.delete(&format!("/opportunities/{deal}")).await.expect(204);
    assert_eq!(offered(admin, &path, "delete").await, Value::Null);
    admin.delete(&path).await.expect(204);

    let helper = made("/roles", json!({"key": "helper", "name": "Helper", "grants": []})).await;
    let path = format!("/roles/{helper}");
    let user = format!("/users/{}", company.colleague.id);
    admin.patch(&user, json!({"roles": ["sales_rep", "helper"]})).await.expect(200);
    told_not_to_delete(&company, "admin", &path, "in_use", Value::Null).await;
    admin.patch(&user, json!({"roles": ["sales_rep"]})).await.expect(200);
    assert_eq!(offered(admin, &path, "delete").await, Value::Null);
    admin.delete(&path).await.expect(204);
}

async fn the_last_administrator_is_not_offered_to_be_disabled(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, colleague, .. } = &company;
    let path = format!("/users/{}", admin.id);
    let disable = |code: Value| [("disable", json!({}), code)];
    told(&company, "admin", &path, &disable(json!("last_administrator"))).await;
    // Once there is another one, any of both may go, but not the last.
    let other = format!("/users/{}", colleague.id);
    let roles = json!({"roles": ["sales_rep", "admin"]});
    let changed = admin.client.patch(&other, roles).await.expect(200);
    assert_eq!(reason(&changed, "disable"), Value::Null);
    told(&company, "admin", &path, &disable(Value::Null)).await;
    let gone = admin.client.post(&format!("{other}/disable"), json!({})).await.expect(200);
    assert_eq!(reason(&gone, "disable"), "invalid_transition");
    told(&company, "admin", &path, &disable(json!("last_administrator"))).await;
}

async fn what_limits_forbid_is_not_offered_to_be_claimed(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let [first, second] = [company.pool_customer().await, company.pool_customer().await];
    let claim = async |id: &str| rep.act(&format!("/public-pool/customers/{id}/claim")).await;
    let shown = async |id: &str| {
        let [one, pooled] = ["/customers", "/public-pool/customers"].map(|path| format!("{path}/{id}"));
        let said = offered(rep, &one, "claim").await;
        assert_eq!(offered(rep, &pooled, "claim").await, said);
        said
    };
    company.set(json!({"ownership": {"limit": 1}, "pool": {"daily_claim_limit": 0}})).await;
    assert_eq!(shown(&first).await, "daily_claim_limit_reached");
    claim(&first).await.refused(409, "daily_claim_limit_reached");
    company.set(json!({"pool": {"daily_claim_limit": 1}})).await;
    assert_eq!(shown(&first).await, Value::Null);
    claim(&first).await.expect(200);
    assert_eq!(shown(&second).await, "ownership_limit_reached");
    claim(&second).await.refused(409, "ownership_limit_reached");
    company.set(json!({"ownership": {"limit": 2}})).await;
    assert_eq!(shown(&second).await, "daily_claim_limit_reached");
    claim(&second).await.refused(409, "daily_claim_limit_reached");
    // Whoever may not claim at all is told that, whatever the limits are.
    let path = format!("/customers/{second}");
    assert_eq!(offered(&company.admin.client, &path, "claim").await, "forbidden");
    company.set(json!({"pool": {"daily_claim_limit": 2}})).await;
    assert_eq!(shown(&second).await, Value::Null);
    claim(&second).await.expect(200);
}

async fn what_is_left_of_the_contract_decides_whether_an_invoice_is_offered(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep;
    let contract = company.active(rep, "100.00", "by_invoice").await;
    let first = format!("/invoices/{}", company.invoice_draft(rep, &contract, "60.00").await);
    let second = format!("/invoices/{}", company.invoice_draft(rep, &contract, "40.01").await);
    let submit = |code: Value| [("submit", json!({}), code)];
    told(&company, "sales_rep", &second, &submit(Value::Null)).await;
    rep.client.act(&format!("{first}/submit")).await.expect(200);
    let over = json!("invoice_exceeds_contract");
    told(&company, "sales_rep", &second, &submit(over.clone())).await;
    // So is it told of a draft that was just made or changed.
    let form = json!({
        "contract_id": contract, "amount": {"amount": "40.01", "currency": "CNY"}, "tax_rate": "0.13",
        "kind": "ordinary",
    });
    let made = rep.client.post("/invoices", form).await.expect(201);
    assert_eq!(reason(&made, "submit"), over);
    let fits = json!({"amount": {"amount": "40.00", "currency": "CNY"}});
    let changed = rep.client.patch(&second, fits).await.expect(200);
    assert_eq!(reason(&changed, "submit"), Value::Null);
    told(&company, "sales_rep", &second, &submit(Value::Null)).await;
}

async fn what_nobody_could_decide_is_not_offered(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, finance, finance_two, .. } = &company;
    let running = company.active(rep, "100.00", "by_invoice").await;
    let paths = [
        format!("/contracts/{}", company.draft(rep, "100.00", "by_contract").await),
        format!("/invoices/{}", company.invoice_draft(rep, &running, "10.00").await),
    ];
    for path in &paths {
        assert_eq!(offered(&rep.client, path, "submit").await, Value::Null, "{path}");
    }
    for gone in [finance, finance_two] {
        admin.client.post(&format!("/users/{}/disable", gone.id), json!({})).await.expect(200);
    }
    for path in &paths {
        assert_eq!(offered(&rep.client, path, "submit").await, "no_eligible_approver", "{path}");
        rep.client.act(&format!("{path}/submit")).await.refused(409, "no_eligible_approver");
    }
    let changed = rep.client.patch(&paths[0], json!({"title": "Service"})).await.expect(200);
    assert_eq!(reason(&changed, "submit"), "no_eligible_approver");
}
