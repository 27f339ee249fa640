//! What happens to money after it came in: allocated anew, paid back, labelled and confirmed in bulk.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{Answer, Company, Person, Server};

on_both_databases! {
    a_payment_is_allocated_anew;
    a_payment_on_invoices_is_allocated_anew;
    money_goes_back_by_two_of_finance;
    what_goes_back_is_no_more_than_came;
    payments_are_confirmed_and_labelled_in_bulk;
    whoever_corrects_a_payment_does_not_confirm_it;
    an_invoice_is_credited_in_parts;
    heavy_two_of_finance_decide_once;
    heavy_a_credit_and_a_payment_never_both;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// A running contract with two installments. Answers with their ids too.
async fn in_two(company: &Company, owner: &Person) -> (String, Vec<String>) {
    let contract = company.draft(owner, "1000.00", "by_contract").await;
    let plan = json!({"installments": [
        {"due_on": "2031-01-31", "amount": cny("400.00")}, {"due_on": "2031-02-28", "amount": cny("600.00")},
    ]});
    owner.client.patch(&format!("/contracts/{contract}"), plan).await.expect(200);
    owner.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    company.approve(&contract).await;
    let billing = owner.client.get(&format!("/contracts/{contract}/billing")).await.expect(200).body;
    let parts = billing["installments"].as_array().unwrap();
    (contract, parts.iter().map(|part| part["id"].as_str().unwrap().to_owned()).collect())
}

async fn paid(owner: &Person, contract: &str) -> Vec<Value> {
    let billing = owner.client.get(&format!("/contracts/{contract}/billing")).await.expect(200).body;
    billing["installments"].as_array().unwrap().iter().map(|part| part["paid"].clone()).collect()
}

async fn a_payment_is_allocated_anew(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, manager, .. } = &company;
    let (contract, parts) = in_two(&company, rep).await;
    let payment = company.paid(rep, &contract, "500.00").await;
    assert_eq!(paid(rep, &contract).await, [cny("400.00"), cny("100.00")]);
    let path = format!("/payments/{payment}/reallocate");
    let on = |shares: &[(usize, &str)]| {
        let shares =
            shares.iter().map(|(at, amount)| json!({"installment_id": parts[*at], "amount": cny(amount)}));
        json!({"reason": "As they wrote", "allocations": shares.collect::<Vec<_>>()})
    };
    manager.client.post(&path, on(&[(1, "500.00")])).await.refused(403, "forbidden");
    finance.client.post(&path, on(&[(1, "499.99")])).await.refused(409, "allocation_mismatch");
    finance
        .client
        .post(&path, on(&[(0, "400.01"), (1, "99.99")]))
        .await
        .refused(409, "allocation_exceeds_open");
    finance.client.post(&path, json!({"allocations": null})).await.refused(400, "malformed_request");
    let moved = finance.client.post(&path, on(&[(1, "500.00")])).await.expect(200).body;
    assert_eq!(moved["allocations"].as_array().unwrap().len(), 1);
    assert_eq!(paid(rep, &contract).await, [cny("0.00"), cny("500.00")]);
    // The oldest first, when nothing else is said.
    finance.client.post(&path, json!({"reason": "Back"})).await.expect(200);
    assert_eq!(paid(rep, &contract).await, [cny("400.00"), cny("100.00")]);
    // Also before it is confirmed, and when it completed its contract; not when it is over.
    let last = rep.client.post("/payments", Company::payment(&contract, "500.00")).await.expect(201).id();
    finance.client.post(&format!("/payments/{last}/reallocate"), json!({"reason": "Look"})).await.expect(200);
    finance.client.act(&format!("/payments/{last}/confirm")).await.expect(200);
    assert_eq!(
        rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"],
        "completed"
    );
    finance.client.post(&path, on(&[(1, "500.00")])).await.refused(409, "allocation_exceeds_open");
    let reverse = format!("/payments/{last}/reverse");
    finance.client.post(&reverse, json!({"reason": "Bounced"})).await.expect(200);
    let again = finance.client.post(&format!("/payments/{last}/reallocate"), json!({"reason": "x"})).await;
    again.refused(409, "invalid_transition");
}

async fn a_payment_on_invoices_is_allocated_anew(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_invoice").await;
    let first = company.issued(rep, &contract, "300.00").await;
    let second = company.issued(rep, &contract, "300.00").await;
    let payment = company.paid(rep, &contract, "300.00").await;
    let void = format!("/invoices/{first}/void");
    finance.client.post(&void, json!({"reason": "Wrong name"})).await.refused(409, "invoice_has_payments");
    let form =
        json!({"reason": "First is void", "allocations": [{"invoice_id": second, "amount": cny("300.00")}]});
    let path = format!("/payments/{payment}/reallocate");
    let moved = finance.client.post(&path, form).await.expect(200).body;
    let targets: Vec<&Value> =
        moved["allocations"].as_array().unwrap().iter().map(|it| &it["invoice_id"]).collect();
    assert!(targets.contains(&&json!(second)) && !targets.contains(&&json!(first)));
    finance.client.post(&void, json!({"reason": "Wrong name"})).await.expect(200);
    assert_eq!(rep.client.get(&format!("/invoices/{second}")).await.expect(200).body["paid"], cny("300.00"));
}

async fn credit(by: &Person, invoice: &str, amount: &str) -> Answer {
    let form = json!({
        "invoice_id": invoice, "amount": cny(amount), "reason": "Wrong price",
        "tax_invoice_number": format!("R-{}", rand::random::<u64>()),
    });
    by.client.post("/credit-notes", form).await
}

async fn an_invoice_is_credited_in_parts(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, colleague, .. } = &company;
    let contract = company.active(rep, "100.00", "by_invoice").await;
    let draft = company.invoice_draft(rep, &contract, "10.00").await;
    credit(finance, &draft, "1.00").await.refused(409, "invalid_transition");
    let invoice = company.issued(rep, &contract, "100.00").await;
    let whole = rep.client.get(&format!("/invoices/{invoice}")).await.expect(200).body["tax"]["tax"].clone();
    credit(rep, &invoice, "1.00").await.refused(403, "forbidden");
    let early = json!({
        "invoice_id": invoice, "amount": cny("1.00"), "reason": "x", "tax_invoice_number": "R-0", "issued_on": "2020-01-01",
    });
    finance.client.post("/credit-notes", early).await.refused(422, "validation_failed");
    // What payments are on stays.
    let payment = company.paid(rep, &contract, "70.00").await;
    let refused = credit(finance, &invoice, "30.01").await.refused(409, "invoice_has_payments");
    assert_eq!(refused.body["remaining"], cny("30.00"));
    let first = credit(finance, &invoice, "30.00").await.expect(201);
    colleague.client.get(&format!("/credit-notes/{}", first.id())).await.refused(404, "not_found");
    let void = format!("/invoices/{invoice}/void");
    finance.client.post(&void, json!({"reason": "x"})).await.refused(409, "invoice_has_payments");
    let same = json!({
        "invoice_id": invoice, "amount": cny("1.00"), "reason": "x", "tax_invoice_number": first.body["tax_invoice_number"],
    });
    finance
        .client
        .post(&format!("/payments/{payment}/reverse"), json!({"reason": "Bounced"}))
        .await
        .expect(200);
    finance.client.post("/credit-notes", same).await.refused(409, "duplicate");
    // Blue and red invoices share their numbers, whichever was first.
    let number =
        finance.client.get(&format!("/invoices/{invoice}")).await.expect(200).body["tax_invoice_number"]
            .clone();
    let blue = json!({
        "invoice_id": invoice, "amount": cny("1.00"), "reason": "x", "tax_invoice_number": number,
    });
    let taken = finance.client.post("/credit-notes", blue).await.refused(409, "duplicate");
    assert_eq!(taken.body["errors"][0]["pointer"], "/tax_invoice_number");
    let next = company.active(rep, "20.00", "by_invoice").await;
    let next = company.invoice_draft(rep, &next, "20.00").await;
    rep.client.act(&format!("/invoices/{next}/submit")).await.expect(200);
    company.approve(&next).await;
    let red = json!({"tax_invoice_number": first.body["tax_invoice_number"]});
    finance.client.post(&format!("/invoices/{next}/issue"), red).await.refused(409, "duplicate");
    finance.client.post(&void, json!({"reason": "x"})).await.refused(409, "invoice_credited");
    // In odd parts, the taxes add up to the invoice's.
    let mut taxes = vec![first.body["tax"].clone()];
    for amount in ["0.01", "33.33", "36.66"] {
        taxes.push(credit(finance, &invoice, amount).await.expect(201).body["tax"].clone());
    }
    let cents = |money: &Value| money["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(taxes.iter().map(cents).sum::<i64>(), cents(&whole));
    let seen = rep.client.get(&format!("/invoices/{invoice}")).await.expect(200).body;
    assert_eq!((&seen["status"], &seen["credited"]), (&json!("credited"), &cny("100.00")));
    credit(finance, &invoice, "0.01").await.refused(409, "invalid_transition");
    // The whole amount can be invoiced again.
    let billing = rep.client.get(&format!("/contracts/{contract}/billing")).await.expect(200).body;
    assert_eq!((&billing["invoiced"], &billing["invoiceable"]), (&cny("0.00"), &cny("100.00")));
    company.issued(rep, &contract, "100.00").await;
    // One that was paid in full runs again when its invoice is credited.
    company.paid(rep, &contract, "50.00").await;
    assert_eq!(rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["status"], "active");
}

async fn heavy_a_credit_and_a_payment_never_both(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    for _ in 0..5 {
        let contract = company.active(rep, "100.00", "by_invoice").await;
        let invoice = company.issued(rep, &contract, "100.00").await;
        let payment = Company::payment(&contract, "60.00");
        let (credited, paid) =
            join(credit(finance, &invoice, "60.00"), rep.client.post("/payments", payment)).await;
        match (credited.status, paid.status) {
            (201, 409) => {
                paid.refused(409, "nothing_to_allocate");
            }
            (409, 201) => {
                credited.refused(409, "invoice_has_payments");
            }
            other => panic!("{other:?}: {} {}", credited.text, paid.text),
        }
    }
}

async fn refund(by: &Person, payment: &str, amount: &str) -> Answer {
    let form = json!({
        "payment_id": payment, "amount": cny(amount), "refunded_on": "2026-03-01", "method": "bank_transfer",
        "reason": "They cancelled a part",
    });
    by.client.post("/refunds", form).await
}

async fn money_goes_back_by_two_of_finance(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, other_rep, .. } = &company;
    let (contract, _) = in_two(&company, rep).await;
    let payment = company.paid(rep, &contract, "1000.00").await;
    let path = format!("/contracts/{contract}");
    assert_eq!(rep.client.get(&path).await.expect(200).body["status"], "completed");
    refund(rep, &payment, "700.00").await.refused(403, "forbidden");
    let made = refund(one, &payment, "700.00").await.expect(201);
    assert!(made.text_of("number").starts_with("RF-"));
    assert_eq!(
        rep.client.get(&path).await.expect(200).body["paid"],
        cny("1000.00"),
        "not before it is confirmed"
    );
    let confirm = format!("/refunds/{}/confirm", made.id());
    one.client.act(&confirm).await.refused(409, "separation_of_duties");
    rep.client.act(&confirm).await.refused(403, "forbidden");
    other_rep.client.act(&confirm).await.refused(404, "not_found");
    two.client.act(&confirm).await.expect(200);
    // The newest allocations are undone first; the contract runs again.
    assert_eq!(paid(rep, &contract).await, [cny("300.00"), cny("0.00")]);
    let seen = rep.client.get(&path).await.expect(200).body;
    assert_eq!(
        (&seen["status"], &seen["paid"], &seen["received"]),
        (&json!("active"), &cny("300.00"), &cny("300.00"))
    );
    let seen = rep.client.get(&format!("/payments/{payment}")).await.expect(200).body;
    assert_eq!((&seen["status"], &seen["refunded"]), (&json!("confirmed"), &cny("700.00")));
    let reverse = format!("/payments/{payment}/reverse");
    one.client.post(&reverse, json!({"reason": "Bounced"})).await.refused(409, "payment_refunded");
    // The rest too: then nothing is left of it, and the contract can be paid anew.
    let rest = refund(two, &payment, "300.00").await.expect(201).id();
    one.client.act(&format!("/refunds/{rest}/confirm")).await.expect(200);
    let seen = rep.client.get(&format!("/payments/{payment}")).await.expect(200).body;
    assert_eq!((&seen["status"], &seen["allocations"]), (&json!("refunded"), &json!([])));
    refund(one, &payment, "0.01").await.refused(409, "invalid_transition");
    company.paid(rep, &contract, "1000.00").await;
}

async fn what_goes_back_is_no_more_than_came(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    let (contract, _) = in_two(&company, rep).await;
    let recorded = rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id();
    refund(one, &recorded, "10.00").await.refused(409, "invalid_transition");
    let payment = company.paid(rep, &contract, "500.00").await;
    let refused = refund(one, &payment, "500.01").await.refused(409, "refund_exceeds_payment");
    assert_eq!(refused.body["remaining"], cny("500.00"));
    let first = refund(one, &payment, "300.00").await.expect(201).id();
    // What waits counts.
    let refused = refund(one, &payment, "200.01").await.refused(409, "refund_exceeds_payment");
    assert_eq!((&refused.body["pending"], &refused.body["remaining"]), (&cny("300.00"), &cny("200.00")));
    // What waits to be paid back is not taken back.
    let reverse = format!("/payments/{payment}/reverse");
    let refused =
        two.client.post(&reverse, json!({"reason": "Bounced"})).await.refused(409, "payment_refunded");
    assert_eq!(refused.body["pending"], cny("300.00"));
    let reject = format!("/refunds/{first}/reject");
    let rejected = two.client.post(&reject, json!({"reason": "Not agreed"})).await.expect(200).body;
    assert_eq!((&rejected["status"], &rejected["end_reason"]), (&json!("rejected"), &json!("Not agreed")));
    two.client.act(&format!("/refunds/{first}/confirm")).await.refused(409, "invalid_transition");
    refund(one, "01900000-0000-7000-8000-000000000000", "1.00").await.refused(422, "unknown_reference");
    // Not before it came, and one transfer is one refund.
    let form = |day: &str| {
        json!({
            "payment_id": payment, "amount": cny("1.00"), "refunded_on": day, "method": "bank_transfer",
            "bank_reference": "Back 1", "reason": "Too much",
        })
    };
    let early = one.client.post("/refunds", form("2026-01-14")).await.refused(422, "validation_failed");
    assert_eq!(early.body["errors"][0]["code"], "before_payment");
    let back = one.client.post("/refunds", form("2026-03-01")).await.expect(201).id();
    let twice = one.client.post("/refunds", form("2026-03-01")).await.refused(409, "duplicate");
    assert_eq!(twice.body["errors"][0]["pointer"], "/bank_reference");
    two.client.post(&format!("/refunds/{back}/reject"), json!({"reason": "x"})).await.expect(200);
    let again = one.client.post("/refunds", form("2026-03-01")).await.expect(201).id();
    two.client.post(&format!("/refunds/{again}/reject"), json!({"reason": "x"})).await.expect(200);
    // Of many at once no more than there is.
    let answers = join_all((0..8).map(|_| refund(one, &payment, "200.00"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
}

async fn payments_are_confirmed_and_labelled_in_bulk(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, colleague, .. } = &company;
    let (contract, _) = in_two(&company, rep).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id());
    }
    let mine = finance.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id();
    let items = |ids: &[&String], more: Value| -> Vec<Value> {
        ids.iter()
            .map(|id| {
                let mut item = json!({"id": id});
                item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                item
            })
            .collect()
    };
    let all: Vec<&String> = made.iter().chain([&mine]).collect();
    let call =
        |action: &str, mode: &str, items: Vec<Value>| json!({"action": action, "mode": mode, "items": items});
    let bulk = "/payments/bulk";
    let refused = finance.client.post(bulk, call("confirm", "atomic", items(&all, json!({})))).await;
    let refused = refused.refused(409, "bulk_refused");
    assert_eq!(refused.body["items"][0]["code"], "separation_of_duties");
    let done =
        finance.client.post(bulk, call("confirm", "best_effort", items(&all, json!({})))).await.expect(200);
    assert_eq!((&done.body["done"], &done.body["refused"]), (&json!(3), &json!(1)));
    let seen = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body;
    assert_eq!((&seen["paid"], &seen["received"]), (&cny("300.00"), &cny("400.00")));
    // Labels at any time, and nothing else of what is confirmed.
    let labels = json!({"labels": ["commission settled"]});
    finance.client.post(bulk, call("label", "atomic", items(&all, labels.clone()))).await.expect(200);
    let found = finance.client.get("/payments?labels=commission settled&total=true").await.expect(200);
    assert_eq!(found.body["page"]["total"], "4");
    let path = format!("/payments/{}", made[0]);
    // Not by the seller, whose commission it may be about.
    rep.client.patch(&path, json!({"labels": []})).await.refused(403, "forbidden");
    finance.client.patch(&path, json!({"payer": "Somebody else"})).await.refused(409, "invalid_transition");
    finance.client.patch(&path, json!({"labels": []})).await.expect(200);
    colleague.client.post(bulk, call("label", "best_effort", items(&all, labels))).await.expect(200);
    assert_eq!(rep.client.get(&path).await.expect(200).body["labels"], json!([]), "not by a stranger");
}

async fn whoever_corrects_a_payment_does_not_confirm_it(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    let (contract, _) = in_two(&company, rep).await;
    let payment = rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id();
    let path = format!("/payments/{payment}");
    // Labels say nothing about the money.
    let labelled = one.client.patch(&path, json!({"labels": ["seen"]})).await.expect(200).body;
    assert_eq!(labelled["corrected_by"], json!([]));
    let corrected = one.client.patch(&path, json!({"received_on": "2026-01-16"})).await.expect(200).body;
    assert_eq!(corrected["corrected_by"], json!([one.id]));
    // Nor when somebody else corrects it after them.
    rep.client.patch(&path, json!({"note": "As agreed"})).await.expect(200);
    one.client.act(&format!("{path}/confirm")).await.refused(409, "separation_of_duties");
    two.client.act(&format!("{path}/confirm")).await.expect(200);
}

async fn heavy_two_of_finance_decide_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    let (contract, parts) = in_two(&company, rep).await;
    for _ in 0..5 {
        let payment =
            rep.client.post("/payments", Company::payment(&contract, "100.00")).await.expect(201).id();
        let path = |what: &str| format!("/payments/{payment}/{what}");
        let reason = json!({"reason": "Not there"});
        let (confirmed, rejected) =
            join(one.client.act(&path("confirm")), two.client.post(&path("reject"), reason)).await;
        let mut statuses = [confirmed.status, rejected.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", confirmed.text, rejected.text);
        if confirmed.status == 200 {
            // One pays it back, the other one puts it elsewhere, at once: both or either, and all adds up.
            let back = refund(one, &payment, "60.00").await.expect(201).id();
            let elsewhere = json!({"reason": "x", "allocations": [{"installment_id": parts[1], "amount": cny("100.00")}]});
            let (moved, returned) = join(
                one.client.post(&path("reallocate"), elsewhere),
                two.client.act(&format!("/refunds/{back}/confirm")),
            )
            .await;
            returned.expect(200);
            assert!([200, 409].contains(&moved.status), "{}", moved.text);
        }
    }
}
