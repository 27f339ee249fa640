//! Change of hands: transfers that a supervisor approves, hand-over of somebody who leaves, and two customers that
//! become one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::offers::reason;
use crate::support::{Company, Person, Server, until};

on_both_databases! {
    a_customer_goes_with_what_belongs_to_it;
    nobody_transfers_past_their_supervisor;
    what_changed_meanwhile_stops_the_whole;
    heavy_two_hundred_customers_go_at_once_or_not_at_all;
    heavy_a_record_waits_for_one_transfer;
    opportunities_and_contracts_go_alone;
    whoever_leaves_hands_over;
    two_customers_become_one;
    what_is_asked_for_is_told_whole_and_at_once;
    who_has_it_now_is_not_held_up_by_what_was_asked_before;
    a_timeline_tells_the_whole_story_to_whom_it_concerns;
    a_timeline_tells_of_what_the_lists_show;
    ids_have_one_form;
}

async fn ask(person: &Person, form: Value) -> String {
    person.client.post("/transfers", form).await.expect(201).id()
}

fn customers(ids: &[String], to: &Person) -> Value {
    json!({"kind": "customers", "record_ids": ids, "to_user_id": to.id, "reason": "New territory"})
}

async fn ids_have_one_form(server: Server) {
    let company = Company::found(&server).await;
    let (rep, customer) = (&company.rep.client, company.customer(&company.rep).await);
    for spelt in [
        customer.replace('-', ""),
        format!("urn:uuid:{customer}"),
        format!("{{{customer}}}"),
        "7".to_owned(),
        String::new(),
    ] {
        let form = customers(&[customer.clone(), spelt.clone()], &company.colleague);
        let ask = async |language: &str| {
            let request = rep.request(Method::POST, "/transfers").header("accept-language", language);
            rep.send(request.json(&form)).await.refused(422, "validation_failed").body["errors"][0].clone()
        };
        let error = ask("en").await;
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!("/record_ids/1"), &json!("invalid_id")),
            "{spelt}"
        );
        assert!(error["message"].as_str().unwrap().starts_with("expected a UUID"), "{error}");
        assert_eq!(ask("zh-CN").await["message"], "须为带连字符的 UUID");
    }
    // Some languages write them in capitals: they are the same ids.
    let capitals = customer.to_uppercase();
    let twice = customers(&[customer.clone(), capitals.clone()], &company.colleague);
    let told =
        rep.post("/transfers", twice).await.refused(422, "validation_failed").body["errors"][0].clone();
    assert_eq!((&told["pointer"], &told["code"]), (&json!("/record_ids"), &json!("distinct")), "{told}");
    assert_eq!(rep.get(&format!("/customers/{capitals}")).await.expect(200).body["id"], customer);
    rep.post("/contacts", json!({"customer_id": capitals, "name": "Li"})).await.expect(201);
    let found = rep.get(&format!("/contacts?customer_id={capitals}")).await.expect(200);
    assert_eq!(found.body["data"][0]["customer_id"], customer);
    ask(&company.rep, customers(&[capitals], &company.colleague)).await;
}

async fn owner(company: &Company, path: &str) -> Value {
    company.director.client.get(path).await.expect(200).body["owner_id"].clone()
}

/// Has a supervisor approve a transfer.
async fn approve(company: &Company, by: &Person, transfer: &str) -> crate::support::Answer {
    let found =
        company.director.client.get(&format!("/approvals?subject_id={transfer}&status=pending")).await;
    let approval = found.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    by.client.post(&format!("/approvals/{approval}/approve"), json!({})).await
}

async fn a_customer_goes_with_what_belongs_to_it(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, other_rep, director, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let invoice = company.issued(rep, &contract, "400.00").await;
    let payment = rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id();
    let deal = |name: &str| json!({"name": name, "customer_id": customer});
    let open = rep.client.post("/opportunities", deal("Open")).await.expect(201).id();
    let lost = rep.client.post("/opportunities", deal("Lost")).await.expect(201).id();
    rep.client.post(&format!("/opportunities/{lost}/lose"), json!({"reason": "price"})).await.expect(200);

    let mut form = customers(std::slice::from_ref(&customer), colleague);
    form["include_opportunities"] = json!(true);
    form["include_contracts"] = json!(true);
    let transfer = rep.client.post("/transfers", form).await.expect(201);
    assert!(transfer.text_of("number").starts_with("TR-"));
    let transfer = transfer.id();
    assert_eq!(owner(&company, &format!("/customers/{customer}")).await, json!(rep.id), "nothing moves yet");
    // Whom it concerns sees it, others do not.
    for person in [rep, colleague, manager, director] {
        person.client.get(&format!("/transfers/{transfer}")).await.expect(200);
    }
    other_rep.client.get(&format!("/transfers/{transfer}")).await.refused(404, "not_found");
    approve(&company, manager, &transfer).await.expect(200);
    let done = rep.client.get(&format!("/transfers/{transfer}")).await.expect(200).body;
    assert_eq!(done["status"], "approved");
    for path in [
        format!("/customers/{customer}"),
        format!("/opportunities/{open}"),
        format!("/contracts/{contract}"),
        format!("/invoices/{invoice}"),
        format!("/payments/{payment}"),
    ] {
        assert_eq!(owner(&company, &path).await, json!(colleague.id), "{path}");
        rep.client.get(&path).await.refused(404, "not_found");
    }
    assert_eq!(owner(&company, &format!("/opportunities/{lost}")).await, json!(rep.id), "what is over stays");
    let items = director.client.all(&format!("/transfers/{transfer}/items")).await;
    let included: BTreeSet<(&str, bool)> = items
        .iter()
        .map(|it| (it["record_kind"].as_str().unwrap(), it["included"].as_bool().unwrap()))
        .collect();
    assert_eq!(included, BTreeSet::from([("customer", false), ("opportunity", true), ("contract", true)]));
    let history = director.client.all(&format!("/customers/{customer}/ownership-history")).await;
    assert_eq!(
        (&history[0]["cause"], &history[0]["reason"]),
        (&json!("transferred"), &json!("New territory"))
    );
    // The new owner goes on with the money.
    colleague.client.post("/payments", Company::payment(&contract, "900.00")).await.expect(201);
    for (person, kind) in
        [(colleague, "transfer_requested"), (colleague, "customer_assigned"), (rep, "transfer_approved")]
    {
        let mut told = Vec::new();
        for _ in 0..300 {
            told = person.client.all(&format!("/notifications?kind={kind}")).await;
            if !told.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(told.len(), 1, "{kind}");
    }
}

async fn nobody_transfers_past_their_supervisor(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, other_rep, other_manager, director, admin, finance, .. } =
        &company;
    let mine = company.customer(rep).await;
    // Whoever has no say: neither those who do not own it, nor those who see it only.
    let form = |to: &Person| customers(std::slice::from_ref(&mine), to);
    other_rep.client.post("/transfers", form(other_rep)).await.refused(422, "unknown_reference");
    colleague.client.post("/transfers", form(colleague)).await.refused(422, "unknown_reference");
    finance.client.post("/transfers", form(colleague)).await.refused(403, "forbidden");
    // To whom: not oneself, nor who is no seller or unknown.
    rep.client.post("/transfers", form(rep)).await.refused(409, "already_owner");
    rep.client.post("/transfers", form(finance)).await.refused(409, "owner_not_eligible");
    let mut nobody = form(colleague);
    nobody["to_user_id"] = json!("01900000-0000-7000-8000-000000000000");
    rep.client.post("/transfers", nobody).await.refused(422, "unknown_reference");
    let mut odd = form(colleague);
    odd["kind"] = json!("contracts");
    odd["include_contracts"] = json!(true);
    rep.client.post("/transfers", odd).await.refused(422, "validation_failed");
    // What belongs to nobody or to two is refused.
    let pooled = company.pool_customer().await;
    rep.client.post("/transfers", customers(&[pooled], colleague)).await.refused(409, "customer_unowned");
    let theirs = company.customer(colleague).await;
    let both = customers(&[mine.clone(), theirs], director);
    manager.client.post("/transfers", both).await.refused(409, "owners_differ");

    // Who decides: a supervisor of the owner who neither asked nor receives.
    let transfer = ask(rep, form(colleague)).await;
    for person in [rep, colleague, other_manager, admin, finance] {
        let refused = approve(&company, person, &transfer).await;
        assert!(matches!(refused.status, 403 | 404 | 409), "{}", refused.text);
        assert_ne!(refused.status, 200);
    }
    approve(&company, manager, &transfer).await.expect(200);
    let to_manager = company.customer(rep).await;
    let transfer = ask(rep, customers(std::slice::from_ref(&to_manager), manager)).await;
    approve(&company, manager, &transfer).await.refused(409, "separation_of_duties");
    let waiting = manager.client.get("/approvals?box=waiting&total=true").await.expect(200);
    assert_eq!(waiting.body["page"]["total"], "0", "what one would receive does not wait for one");
    approve(&company, director, &transfer).await.expect(200);
    // Asked by the manager, it takes the director.
    let next = company.customer(rep).await;
    let transfer = ask(manager, customers(std::slice::from_ref(&next), colleague)).await;
    approve(&company, manager, &transfer).await.refused(409, "separation_of_duties");
    // Rejected or taken back, nothing moves, and it can be asked again.
    let approval = company.pending(&transfer).await;
    director
        .client
        .post(&format!("/approvals/{approval}/reject"), json!({"comment": "No"}))
        .await
        .expect(200);
    assert_eq!(
        manager.client.get(&format!("/transfers/{transfer}")).await.expect(200).body["status"],
        "rejected"
    );
    let again = ask(rep, customers(std::slice::from_ref(&next), colleague)).await;
    rep.client
        .post("/transfers", customers(std::slice::from_ref(&next), colleague))
        .await
        .refused(409, "pending_transfer");
    manager.client.act(&format!("/transfers/{again}/withdraw")).await.refused(403, "forbidden");
    rep.client.act(&format!("/transfers/{again}/withdraw")).await.expect(200);
    rep.client.act(&format!("/transfers/{again}/withdraw")).await.refused(409, "invalid_transition");
    assert_eq!(owner(&company, &format!("/customers/{next}")).await, json!(rep.id));
}

async fn what_changed_meanwhile_stops_the_whole(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, manager, director, admin, .. } = &company;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(company.customer(rep).await);
    }
    let transfer = ask(rep, customers(&ids, colleague)).await;
    let over = format!("/approvals/{}/approve", company.pending(&transfer).await);
    rep.client.post("/transfers", customers(&ids[..1], colleague)).await.refused(409, "pending_transfer");
    let give = json!({"owner_id": inner.id});
    manager.client.post(&format!("/customers/{}/assign", ids[1]), give).await.expect(200);
    // Nobody can carry it out any more: all of it is taken back with the one that went.
    manager.client.post(&over, json!({})).await.refused(409, "already_decided");
    let seen = rep.client.get(&format!("/transfers/{transfer}")).await.expect(200).body;
    assert_eq!(seen["status"], "withdrawn");
    for at in [0, 2] {
        assert_eq!(owner(&company, &format!("/customers/{}", ids[at])).await, json!(rep.id));
    }
    // Even when all is as it was again: what was asked for is over, and is asked for anew.
    director
        .client
        .post(&format!("/customers/{}/assign", ids[1]), json!({"owner_id": rep.id}))
        .await
        .expect(200);
    manager.client.post(&over, json!({})).await.refused(409, "already_decided");
    // One that cannot go stops the whole: the approver is told which one, and nothing moves.
    let mut deals = Vec::new();
    for name in ["Pumps", "Valves"] {
        let form = json!({"name": name, "customer_id": ids[0]});
        deals.push(rep.client.post("/opportunities", form).await.expect(201).id());
    }
    let form = json!({
        "kind": "opportunities", "record_ids": deals, "to_user_id": colleague.id, "reason": "Better placed",
    });
    let transfer = ask(rep, form).await;
    let lose = format!("/opportunities/{}/lose", deals[1]);
    rep.client.post(&lose, json!({"reason": "price"})).await.expect(200);
    let stopped = approve(&company, manager, &transfer).await.refused(409, "transfer_obstructed");
    let items = stopped.body["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["id"], &items[0]["code"]),
        (1, &json!(deals[1]), &json!("invalid_transition"))
    );
    assert_eq!(owner(&company, &format!("/opportunities/{}", deals[0])).await, json!(rep.id));
    rep.client.act(&format!("/transfers/{transfer}/withdraw")).await.expect(200);
    let transfer = ask(rep, customers(&ids, colleague)).await;
    company.set(json!({"ownership": {"by_user": [{"user_id": colleague.id, "limit": 2}]}})).await;
    let full = approve(&company, manager, &transfer).await.refused(409, "transfer_obstructed");
    // Of all of them: of which ones would tell how much the receiver owns.
    let items = full.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| item["code"] == "ownership_limit_reached"));
    company.set(json!({"ownership": {"by_user": []}})).await;
    admin
        .client
        .post(&format!("/users/{}/disable", colleague.id), json!({"keep_records": true}))
        .await
        .expect(200);
    approve(&company, manager, &transfer).await.refused(409, "owner_not_eligible");
    admin.client.act(&format!("/users/{}/enable", colleague.id)).await.expect(200);
    approve(&company, manager, &transfer).await.expect(200);

    // Contracts that somebody is asked to approve do not change hands.
    let draft = company.draft(rep, "100.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{draft}")).await.expect(200).text_of("customer_id");
    let mut form = customers(&[customer], colleague);
    form["include_contracts"] = json!(true);
    let transfer = ask(rep, form).await;
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
    let stopped = approve(&company, manager, &transfer).await.refused(409, "transfer_obstructed");
    assert_eq!(stopped.body["items"][0]["code"], "pending_approval");
}

async fn heavy_two_hundred_customers_go_at_once_or_not_at_all(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 1000}})).await;
    let Company { rep, colleague, manager, director, inner, .. } = &company;
    let mut ids = Vec::new();
    for _ in 0..200 {
        let id = company.customer(rep).await;
        let form = json!({"name": "Pumps", "customer_id": id});
        rep.client.post("/opportunities", form).await.expect(201);
        ids.push(id);
    }
    let mut form = customers(&ids, colleague);
    form["include_opportunities"] = json!(true);
    form["include_contracts"] = json!(true);
    let transfer = ask(rep, form.clone()).await;
    let approval = format!("/approvals/{}", company.pending(&transfer).await);
    let give = json!({"owner_id": inner.id});
    let moved = format!("/customers/{}/assign", ids[77]);
    director.client.post(&moved, give).await.expect(200);
    // One went by other means: the whole is over.
    manager.client.post(&format!("{approval}/approve"), json!({})).await.refused(409, "already_decided");
    let total = async |list: &str, owner: &Person| {
        let path = format!("/{list}?owner_id={}&total=true", owner.id);
        director.client.get(&path).await.expect(200).body["page"]["total"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (total("customers", colleague).await, total("customers", rep).await),
        ("0".into(), "199".into())
    );
    director.client.post(&moved, json!({"owner_id": rep.id})).await.expect(200);
    // One thing in the way of two hundred stops them all, and its approver knows before.
    let transfer = ask(rep, form).await;
    let amount = json!({"amount": "100.00", "currency": "CNY"});
    let draft = json!({
        "title": "Delivery", "customer_id": ids[77], "amount": amount, "collection_scheme": "by_contract",
        "installments": [{"due_on": "2026-12-31", "amount": amount}],
    });
    let draft = rep.client.post("/contracts", draft).await.expect(201).id();
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
    let approval = format!("/approvals/{}", company.pending(&transfer).await);
    let seen = manager.client.get(&approval).await.expect(200);
    assert_eq!(reason(&seen, "approve"), "transfer_obstructed");
    let stopped = approve(&company, manager, &transfer).await.refused(409, "transfer_obstructed");
    assert_eq!(stopped.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(stopped.body["items"][0]["id"], json!(draft));
    assert_eq!(
        (total("customers", colleague).await, total("customers", rep).await),
        ("0".into(), "200".into())
    );
    rep.client.act(&format!("/contracts/{draft}/withdraw")).await.expect(200);
    assert_eq!(reason(&manager.client.get(&approval).await.expect(200), "approve"), Value::Null);
    approve(&company, manager, &transfer).await.expect(200);
    assert_eq!(total("customers", colleague).await, "200");
    assert_eq!(total("opportunities", colleague).await, "200");
    assert_eq!(total("customers", rep).await, "0");
    // One transaction: everything has the same instant.
    let events = company.auditor.client.all("/audit-events?action=customer.transferred").await;
    let instants: BTreeSet<&str> =
        events.iter().map(|event| event["occurred_at"].as_str().unwrap()).collect();
    assert_eq!((events.len(), instants.len()), (200, 1));
}

async fn heavy_a_record_waits_for_one_transfer(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..10 {
        let id = company.customer(&company.rep).await;
        let form = customers(&[id], &company.colleague);
        let answers = join_all((0..8).map(|_| company.rep.client.post("/transfers", form.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "pending_transfer");
        }
    }
}

async fn opportunities_and_contracts_go_alone(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, .. } = &company;
    let customer = company.customer(rep).await;
    let form = json!({"name": "Pumps", "customer_id": customer});
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let contract = company.active(rep, "100.00", "by_contract").await;
    for (kind, id) in [("opportunities", &deal), ("contracts", &contract)] {
        let form =
            json!({"kind": kind, "record_ids": [id], "to_user_id": colleague.id, "reason": "Better placed"});
        let transfer = ask(rep, form).await;
        approve(&company, manager, &transfer).await.expect(200);
        assert_eq!(owner(&company, &format!("/{kind}/{id}")).await, json!(colleague.id));
    }
    assert_eq!(owner(&company, &format!("/customers/{customer}")).await, json!(rep.id));
    // What is over cannot go.
    colleague
        .client
        .post(&format!("/opportunities/{deal}/lose"), json!({"reason": "price"}))
        .await
        .expect(200);
    let form = json!({"kind": "opportunities", "record_ids": [deal], "to_user_id": rep.id, "reason": "Back"});
    let refused = colleague.client.post("/transfers", form).await.refused(409, "transfer_obstructed");
    assert_eq!(refused.body["items"][0]["code"], "invalid_transition");
}

async fn whoever_leaves_hands_over(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, director, .. } = &company;
    let plain = company.customer(rep).await;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let signed = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let busy = company.customer(rep).await;
    let form = json!({"name": "Pumps", "customer_id": busy});
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let lead = rep.client.post("/leads", json!({"name": "Li", "source": "website"})).await.expect(201).id();
    let holdings = admin.client.get(&format!("/users/{}/holdings", rep.id)).await.expect(200).body;
    assert_eq!(holdings, json!({"leads": 1, "customers": 3, "opportunities": 1, "contracts": 1}));
    let path = format!("/users/{}/hand-over", rep.id);
    let dry = format!("{path}?dry_run=true");
    admin.client.post(&dry, json!({"reason": "Leaves"})).await.refused(422, "validation_failed");
    let mine = json!({"successor_id": admin.id, "reason": "Leaves"});
    admin.client.post(&dry, mine).await.refused(409, "separation_of_duties");
    let stuck = admin.client.post(&dry, json!({"to_pool": true, "reason": "Leaves"})).await;
    let stuck = stuck.refused(409, "transfer_obstructed");
    let ids: BTreeSet<&str> =
        stuck.body["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, BTreeSet::from([signed.as_str(), busy.as_str(), deal.as_str(), contract.as_str()]));
    let form = json!({"to_pool": true, "successor_id": colleague.id, "reason": "Leaves"});
    let tried = admin.client.post(&dry, form.clone()).await.expect(200);
    assert_eq!(owner(&company, &format!("/customers/{plain}")).await, json!(rep.id));
    let goes: BTreeSet<(&str, &str, Option<&str>)> = tried.body["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["record_kind"].as_str().unwrap(), it["record_id"].as_str().unwrap(), it["to_id"].as_str())
        })
        .collect();
    let to = Some(colleague.id.as_str());
    let expected = BTreeSet::from([
        ("customer", plain.as_str(), None),
        ("customer", signed.as_str(), to),
        ("customer", busy.as_str(), to),
        ("lead", lead.as_str(), None),
        ("opportunity", deal.as_str(), to),
        ("contract", contract.as_str(), to),
    ]);
    assert_eq!(goes, expected);
    // What somebody gives away who works here takes an approval; what somebody owned who does not is not forgotten.
    admin.client.post(&path, form.clone()).await.refused(409, "invalid_transition");
    let disable = format!("/users/{}/disable", rep.id);
    let asked = admin.client.post(&disable, json!({})).await.refused(409, "hand_over_needed");
    assert_eq!(asked.body["holdings"], holdings);
    let both = json!({"keep_records": true, "hand_over": form});
    admin.client.post(&disable, both).await.refused(422, "validation_failed");
    let none = json!({"hand_over": {"reason": "Leaves"}});
    let refused = admin.client.post(&disable, none).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/hand_over/successor_id");
    let stuck = json!({"hand_over": {"reason": "Leaves", "to_pool": true}});
    admin.client.post(&disable, stuck).await.refused(409, "transfer_obstructed");
    rep.client.get("/me").await.expect(200);
    admin.client.post(&disable, json!({"keep_records": true})).await.expect(200);
    let done = admin.client.post(&path, form).await.expect(200);
    assert_eq!(done.body, tried.body);
    assert_eq!(done.body["to_pool"], json!({"leads": 1, "customers": 1, "opportunities": 0, "contracts": 0}));
    assert_eq!(
        done.body["to_successor"],
        json!({"leads": 0, "customers": 2, "opportunities": 1, "contracts": 1})
    );
    assert_eq!(owner(&company, &format!("/customers/{plain}")).await, Value::Null);
    assert_eq!(owner(&company, &format!("/leads/{lead}")).await, Value::Null);
    for path in
        [format!("/customers/{signed}"), format!("/contracts/{contract}"), format!("/opportunities/{deal}")]
    {
        assert_eq!(owner(&company, &path).await, json!(colleague.id), "{path}");
    }
    let history = director.client.all(&format!("/customers/{signed}/ownership-history")).await;
    assert_eq!(history[0]["cause"], "handed_over");
    let left = admin.client.get(&format!("/users/{}/holdings", rep.id)).await.expect(200).body;
    assert_eq!(left, json!({"leads": 0, "customers": 0, "opportunities": 0, "contracts": 0}));
    // Both at once; whoever gets it all is told.
    let next = company.customer(colleague).await;
    let form = json!({"hand_over": {"successor_id": company.inner.id, "reason": "Leaves as well"}});
    admin.client.post(&format!("/users/{}/disable", colleague.id), form).await.expect(200);
    assert_eq!(owner(&company, &format!("/customers/{next}")).await, json!(company.inner.id));
    assert_eq!(owner(&company, &format!("/contracts/{contract}")).await, json!(company.inner.id));
    let told = until("the notice", async || {
        let told = company.inner.client.all("/notifications?kind=records_handed_over").await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    assert_eq!((told.len(), &told[0]["record_id"]), (1, &json!(colleague.id)));
    // Nothing is left, and nobody is told of nothing.
    let again = json!({"successor_id": company.inner.id, "reason": "Again"});
    let path = format!("/users/{}/hand-over", colleague.id);
    admin.client.post(&path, again).await.expect(200);
    let events = company.auditor.client.all("/audit-events?action=user.handed_over").await;
    assert_eq!(events.len(), 2);
    // What they lost is taken up again by those who are here.
    let lost = json!({"name": "Valves", "customer_id": next});
    let lost = company.inner.client.post("/opportunities", lost).await.expect(201).id();
    company
        .inner
        .client
        .post(&format!("/opportunities/{lost}/lose"), json!({"reason": "price"}))
        .await
        .expect(200);
    let form = json!({"hand_over": {"successor_id": company.other_rep.id, "reason": "Leaves too"}});
    admin.client.post(&format!("/users/{}/disable", company.inner.id), form).await.expect(200);
    let reopened = director.client.act(&format!("/opportunities/{lost}/reopen")).await.expect(200).body;
    assert_eq!(reopened["owner_id"], json!(company.other_rep.id));
}

async fn two_customers_become_one(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, other_rep, director, .. } = &company;
    let stays = company.customer(rep).await;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let goes = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let payment = company.paid(rep, &contract, "40.00").await;
    let change = json!({"contract_id": contract, "reason": "Longer", "ends_on": "2031-12-31"});
    let amendment = rep.client.post("/amendments", change).await.expect(201).id();
    company.approve(&amendment).await;
    let back = json!({
        "payment_id": payment, "amount": {"amount": "10.00", "currency": "CNY"}, "refunded_on": "2026-02-01",
        "method": "bank_transfer", "reason": "Too much",
    });
    let refund = company.finance.client.post("/refunds", back).await.expect(201).id();
    let number = "91310000MA1FL0001X";
    rep.client.patch(&format!("/customers/{goes}"), json!({"registration_number": number})).await.expect(200);
    for (customer, name) in [(&stays, "Li"), (&goes, "Wang")] {
        let form = json!({"customer_id": customer, "name": name, "is_primary": true});
        rep.client.post("/contacts", form).await.expect(201);
    }
    let path = format!("/customers/{stays}/merge");
    let form = json!({"loser_id": goes});
    rep.client.post(&path, form.clone()).await.refused(403, "forbidden");
    other_rep.client.post(&path, form.clone()).await.refused(404, "not_found");
    let theirs = company.customer(other_rep).await;
    manager.client.post(&path, json!({"loser_id": theirs})).await.refused(422, "unknown_reference");
    manager.client.post(&path, json!({"loser_id": stays})).await.refused(422, "validation_failed");
    let pending = company.draft(rep, "10.00", "by_contract").await;
    let asked = rep.client.get(&format!("/contracts/{pending}")).await.expect(200).text_of("customer_id");
    rep.client.act(&format!("/contracts/{pending}/submit")).await.expect(200);
    manager.client.post(&path, json!({"loser_id": asked})).await.refused(409, "pending_approval");

    let one = manager.client.post(&path, form.clone()).await.expect(200).body;
    assert_eq!((&one["id"], &one["registration_number"]), (&json!(stays), &json!(number)));
    assert_eq!(one["lifecycle"], "signed");
    let money = ["contracts", "payments", "amendments", "refunds"].into_iter();
    let money = money.zip([&contract, &payment, &amendment, &refund]).map(|(of, id)| format!("/{of}/{id}"));
    for path in money {
        assert_eq!(director.client.get(&path).await.expect(200).body["customer_id"], json!(stays), "{path}");
    }
    let contacts = rep.client.all(&format!("/contacts?customer_id={stays}")).await;
    assert_eq!(contacts.len(), 2);
    let primary: Vec<&Value> =
        contacts.iter().filter(|it| it["is_primary"] == true).map(|it| &it["name"]).collect();
    assert_eq!(primary, [&json!("Li")]);
    assert_eq!(
        rep.client.get(&format!("/customers/{goes}")).await.expect(200).id(),
        stays,
        "the old id leads here"
    );
    other_rep.client.get(&format!("/customers/{goes}")).await.refused(404, "not_found");
    // What led to the one that goes now leads to the one after.
    let last = company.customer(rep).await;
    manager.client.post(&format!("/customers/{last}/merge"), json!({"loser_id": stays})).await.expect(200);
    assert_eq!(rep.client.get(&format!("/customers/{goes}")).await.expect(200).id(), last);
    // The owned one survives.
    let pooled = company.pool_customer().await;
    director
        .client
        .post(&format!("/customers/{pooled}/merge"), json!({"loser_id": last}))
        .await
        .refused(409, "customer_unowned");
    director.client.post(&format!("/customers/{last}/merge"), json!({"loser_id": pooled})).await.expect(200);
    let told = rep.client.all(&format!("/customers/{last}/timeline")).await;
    assert!(told.iter().any(|entry| entry["event"] == "contract.activated"), "the story came along");
    // What is asked about an opportunity of the one that goes is told in the story of the other one.
    let (one, other) = (company.customer(rep).await, company.customer(rep).await);
    let deal = json!({"name": "Pumps", "customer_id": other});
    let deal = rep.client.post("/opportunities", deal).await.expect(201).id();
    let form = json!({
        "kind": "opportunities", "record_ids": [deal], "to_user_id": company.colleague.id, "reason": "Better placed",
    });
    let asked = ask(rep, form).await;
    manager.client.post(&format!("/customers/{one}/merge"), json!({"loser_id": other})).await.expect(200);
    approve(&company, manager, &asked).await.expect(200);
    let told = director.client.all(&format!("/customers/{one}/timeline?record_kind=transfer")).await;
    assert_eq!(told[0]["event"], "transfer.approved");
    // Whoever deletes the one that stayed, ends what led to it.
    let (stays, goes) = (company.customer(rep).await, company.customer(rep).await);
    manager.client.post(&format!("/customers/{stays}/merge"), json!({"loser_id": goes})).await.expect(200);
    rep.client.delete(&format!("/customers/{stays}")).await.expect(204);
    rep.client.get(&format!("/customers/{goes}")).await.refused(404, "not_found");
    // Nobody loses a customer by a merge.
    let (kept, theirs) = (company.customer(rep).await, company.customer(&company.colleague).await);
    let path = format!("/customers/{kept}/merge");
    manager.client.post(&path, json!({"loser_id": theirs})).await.refused(409, "owners_differ");
    let give = json!({"owner_id": rep.id});
    manager.client.post(&format!("/customers/{theirs}/assign"), give).await.expect(200);
    manager.client.post(&path, json!({"loser_id": theirs})).await.expect(200);
    let history = rep.client.all(&format!("/customers/{kept}/ownership-history")).await;
    let told: BTreeSet<(&str, bool)> =
        history.iter().map(|it| (it["cause"].as_str().unwrap(), it["merged_from_id"] == theirs)).collect();
    let whole = [("created", false), ("created", true), ("assigned", true), ("merged", false)];
    assert_eq!(told, BTreeSet::from(whole), "the history of both");
    assert_eq!((&history[0]["cause"], &history[0]["to_id"]), (&json!("merged"), &json!(rep.id)));
}

async fn what_is_asked_for_is_told_whole_and_at_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, manager, director, other_rep, .. } = &company;
    let draft = company.draft(rep, "100.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{draft}")).await.expect(200).text_of("customer_id");
    let deal = json!({"name": "Pumps", "customer_id": customer});
    let deal = rep.client.post("/opportunities", deal).await.expect(201).id();
    let mut form = customers(std::slice::from_ref(&customer), colleague);
    form["include_opportunities"] = json!(true);
    form["include_contracts"] = json!(true);
    // What goes along is judged when it is asked for.
    let alone = json!({
        "kind": "opportunities", "record_ids": [deal], "to_user_id": inner.id, "reason": "Better placed",
    });
    let first = ask(rep, alone.clone()).await;
    let waits = rep.client.post("/transfers", form.clone()).await.refused(409, "transfer_obstructed");
    let item = &waits.body["items"][0];
    assert_eq!((&item["id"], &item["code"]), (&json!(deal), &json!("pending_transfer")));
    rep.client.delete(&format!("/opportunities/{deal}")).await.refused(409, "pending_transfer");
    rep.client.act(&format!("/transfers/{first}/withdraw")).await.expect(200);
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
    let stuck = rep.client.post("/transfers", form.clone()).await.refused(409, "transfer_obstructed");
    assert_eq!(
        (&stuck.body["items"][0]["id"], stuck.body["items"].as_array().unwrap().len()),
        (&json!(draft), 1)
    );
    rep.client.act(&format!("/contracts/{draft}/withdraw")).await.expect(200);
    let transfer = ask(rep, form).await;
    let going = async || -> BTreeSet<(String, bool)> {
        let items = director.client.all(&format!("/transfers/{transfer}/items")).await;
        let id = |it: &Value| it["record_id"].as_str().unwrap().to_owned();
        items.iter().map(|it| (id(it), it["included"].as_bool().unwrap())).collect()
    };
    let told = BTreeSet::from([(customer.clone(), false), (deal.clone(), true), (draft.clone(), true)]);
    assert_eq!(going().await, told);
    rep.client.post("/transfers", alone).await.refused(409, "pending_transfer");
    // What came meanwhile goes along as well, what is over does not.
    rep.client.post(&format!("/opportunities/{deal}/lose"), json!({"reason": "price"})).await.expect(200);
    let later = json!({"name": "Valves", "customer_id": customer});
    let later = rep.client.post("/opportunities", later).await.expect(201).id();
    approve(&company, manager, &transfer).await.expect(200);
    let went = BTreeSet::from([(customer.clone(), false), (later.clone(), true), (draft, true)]);
    assert_eq!(going().await, went);
    assert_eq!(owner(&company, &format!("/opportunities/{deal}")).await, json!(rep.id));
    assert_eq!(owner(&company, &format!("/opportunities/{later}")).await, json!(colleague.id));
    // It is in the customer's story, for whom it concerns.
    let path = format!("/customers/{customer}/timeline?record_kind=transfer");
    let told: Vec<Value> =
        colleague.client.all(&path).await.into_iter().map(|mut it| it["event"].take()).collect();
    assert_eq!(told, [json!("transfer.approved"), json!("transfer.requested")]);
    colleague
        .client
        .post(&format!("/opportunities/{later}/lose"), json!({"reason": "price"}))
        .await
        .expect(200);
    other_rep.client.get(&path).await.refused(404, "not_found");
}

async fn who_has_it_now_is_not_held_up_by_what_was_asked_before(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, manager, .. } = &company;
    let id = company.customer(rep).await;
    let one = || std::slice::from_ref(&id);
    let before = ask(rep, customers(one(), colleague)).await;
    let over = format!("/approvals/{}/approve", company.pending(&before).await);
    rep.client.delete(&format!("/customers/{id}")).await.refused(409, "pending_transfer");
    let give = json!({"owner_id": inner.id});
    manager.client.post(&format!("/customers/{id}/assign"), give).await.expect(200);
    let after = ask(inner, customers(one(), colleague)).await;
    manager.client.post(&over, json!({})).await.refused(409, "already_decided");
    approve(&company, manager, &after).await.expect(200);
    assert_eq!(owner(&company, &format!("/customers/{id}")).await, json!(colleague.id));
    rep.client.act(&format!("/transfers/{before}/withdraw")).await.refused(409, "invalid_transition");
    // Whoever sees it and may not transfer it does not learn that a transfer waits.
    let share = json!({"customer_id": id, "user_id": rep.id, "access": "read"});
    colleague.client.post("/collaborators", share).await.expect(201);
    let last = ask(colleague, customers(one(), inner)).await;
    rep.client.post("/transfers", customers(one(), rep)).await.refused(403, "forbidden");
    colleague.client.act(&format!("/transfers/{last}/withdraw")).await.expect(200);
    colleague
        .client
        .post(&format!("/customers/{id}/release"), json!({"reason": "No need"}))
        .await
        .expect(200);
    inner.client.act(&format!("/public-pool/customers/{id}/claim")).await.expect(200);
    // How much the receiver owns is between them and their manager.
    company.customer(colleague).await;
    company.set(json!({"ownership": {"by_user": [{"user_id": colleague.id, "limit": 1}]}})).await;
    let full = inner.client.post("/transfers", customers(one(), colleague)).await;
    let full = full.refused(409, "transfer_obstructed");
    assert_eq!(full.body["items"][0]["code"], "ownership_limit_reached");
    assert!(!full.body["items"][0]["detail"].as_str().unwrap().contains('1'), "{}", full.text);
}

async fn a_timeline_tells_the_whole_story_to_whom_it_concerns(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, finance, marketing, auditor, .. } = &company;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let payment = rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id();
    finance.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
    let form = json!({"about": {"kind": "customer", "id": customer}, "kind": "call", "subject": "Thanked"});
    rep.client.post("/activities", form).await.expect(201);
    rep.client.patch(&format!("/customers/{customer}"), json!({"phone": "138 0013 8000"})).await.expect(200);
    let path = format!("/customers/{customer}/timeline");
    let story: Vec<String> =
        rep.client.all(&path).await.iter().map(|it| it["event"].as_str().unwrap().to_owned()).collect();
    let mut at = story.len();
    for event in [
        "customer.created",
        "contract.drafted",
        "contract.activated",
        "payment.confirmed",
        "activity.logged",
        "customer.updated",
    ] {
        let found =
            story.iter().rposition(|it| it == event).unwrap_or_else(|| panic!("{event} in {story:?}"));
        assert!(found < at, "{event} in its place in {story:?}");
        at = found;
    }
    assert_eq!(
        rep.client.all(&format!("{path}?record_kind=payment&limit=1")).await.len(),
        story.iter().filter(|it| it.starts_with("payment.")).count()
    );

    // The customer changes hands, the contract stays: the new owner sees the customer's story, not the money.
    manager
        .client
        .post(&format!("/customers/{customer}/assign"), json!({"owner_id": colleague.id}))
        .await
        .expect(200);
    let seen = colleague.client.all(&path).await;
    assert!(seen.iter().any(|it| it["event"] == "customer.assigned"));
    assert!(seen.iter().all(|it| {
        !["contract", "payment", "invoice", "approval"].contains(&it["record_kind"].as_str().unwrap())
    }));
    for whole in [director, finance, auditor] {
        assert!(whole.client.all(&path).await.iter().any(|it| it["event"] == "payment.confirmed"));
    }
    rep.client.get(&path).await.refused(404, "not_found");
    marketing.client.get(&path).await.refused(404, "not_found");
    // In the pool, changes of contact data are nobody's business.
    colleague
        .client
        .post(&format!("/customers/{customer}/release"), json!({"reason": "Done"}))
        .await
        .expect(200);
    for masked in [rep, marketing] {
        let seen = masked.client.all(&path).await;
        assert!(seen.iter().any(|it| it["event"] == "customer.released"));
        assert!(seen.iter().all(|it| it["changes"] == json!({})), "masked");
        assert!(seen.iter().all(|it| it["record_kind"] != "activity"), "as it is in the list of activities");
        assert!(!format!("{seen:?}").contains("138 0013"));
    }
}

/// Of each kind that is seen by its own owners, what a timeline names is what its list shows, and the other way round.
async fn a_timeline_tells_of_what_the_lists_show(server: Server) {
    let demo = Server::demo(server.database.kind).await;
    let kinds = [
        ("opportunity", "/opportunities"),
        ("customer_change", "/customer-changes"),
        ("contract", "/contracts"),
        ("amendment", "/amendments"),
        ("invoice", "/invoices"),
        ("credit_note", "/credit-notes"),
        ("payment", "/payments"),
        ("refund", "/refunds"),
    ];
    let mut compared = BTreeSet::new();
    for user in ["rep.east", "rep.south", "manager.east"] {
        let client = demo.anonymous().login(&format!("{user}@demo.fairlead.example"), "demo-password").await;
        let mut lists = BTreeMap::new();
        for (kind, list) in kinds {
            lists.insert(kind, client.all(list).await);
        }
        for customer in client.all("/customers?owner_id_is_null=false").await {
            let id = customer["id"].as_str().unwrap();
            let told = client.all(&format!("/customers/{id}/timeline")).await;
            for (kind, list) in &lists {
                let of_kind = told.iter().filter(|entry| entry["record_kind"] == **kind);
                let told: BTreeSet<&str> =
                    of_kind.map(|entry| entry["record_id"].as_str().unwrap()).collect();
                let rows = list.iter().filter(|row| row["customer_id"] == id);
                let listed: BTreeSet<&str> = rows.map(|row| row["id"].as_str().unwrap()).collect();
                assert_eq!(told, listed, "{user}: {kind} of {id}");
                if !listed.is_empty() {
                    compared.insert(*kind);
                }
            }
        }
    }
    assert!(compared.len() >= 7, "the demo has only {compared:?}");
}
