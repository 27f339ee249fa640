//! What the bank says has arrived: entered, imported, proposed, matched.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::offers::reason;
use crate::support::{Answer, Company, Person, Server};

on_both_databases! {
    a_receipt_becomes_a_payment;
    a_receipt_is_a_payment_that_was_recorded_before;
    a_receipt_outlives_its_payment;
    a_statement_is_imported_once;
    a_statement_that_cannot_be_read_is_refused_as_a_whole;
    one_transfer_pays_several_contracts;
    what_cannot_be_read_is_told_row_by_row;
    what_a_receipt_may_pay_is_proposed;
    receipts_are_matched_in_bulk;
    heavy_two_who_import_the_same_statement;
    heavy_a_receipt_is_matched_once;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

async fn receipt(by: &Person, amount: &str, more: Value) -> Answer {
    let mut form = json!({"amount": cny(amount), "received_on": "2026-03-01", "method": "bank_transfer"});
    form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    by.client.post("/receipts", form).await
}

async fn a_receipt_becomes_a_payment(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let more = json!({"bank_reference": "B 1", "payer": "Acme", "memo": "First half"});
    let made = receipt(one, "500.00", more.clone()).await.expect(201);
    assert_eq!(made.body["status"], "open");
    receipt(one, "700.00", more).await.refused(409, "duplicate");
    receipt(one, "5.00", json!({"received_on": "2999-01-01"})).await.refused(422, "validation_failed");
    let path = format!("/receipts/{}", made.id());
    rep.client.get(&path).await.refused(404, "not_found");
    let form = json!({"contract_id": contract});
    one.client.post(&format!("{path}/match"), json!({})).await.refused(422, "validation_failed");
    let matched = one.client.post(&format!("{path}/match"), form.clone()).await.expect(200).body;
    assert_eq!(matched["status"], "matched");
    one.client.post(&format!("{path}/match"), form.clone()).await.refused(409, "invalid_transition");
    let payment = format!("/payments/{}", matched["payment_id"].as_str().unwrap());
    let seen = rep.client.get(&payment).await.expect(200).body;
    assert_eq!(
        (&seen["amount"], &seen["bank_reference"], &seen["payer"], &seen["note"], &seen["status"]),
        (&cny("500.00"), &json!("B 1"), &json!("Acme"), &json!("First half"), &json!("recorded"))
    );
    // Whoever matched it recorded it: somebody else confirms, or rejects, and then it is open again.
    one.client.act(&format!("{payment}/confirm")).await.refused(409, "separation_of_duties");
    two.client.post(&format!("{payment}/reject"), json!({"reason": "Another contract"})).await.expect(200);
    let open = one.client.get(&path).await.expect(200).body;
    assert_eq!((&open["status"], &open["payment_id"]), (&json!("open"), &Value::Null));
    let matched = one.client.post(&format!("{path}/match"), form).await.expect(200).body;
    let payment = matched["payment_id"].as_str().unwrap();
    two.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
    assert_eq!(
        rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body["paid"],
        cny("500.00")
    );
    // More than is open is refused with the figures, and nothing is half done.
    let more = receipt(one, "500.01", json!({})).await.expect(201).id();
    let too_much =
        one.client.post(&format!("/receipts/{more}/match"), json!({"contract_id": contract})).await;
    assert_eq!(too_much.refused(409, "payment_exceeds_contract").body["remaining"], cny("500.00"));
    // What pays no contract is set aside, with a reason.
    one.client
        .post(&format!("/receipts/{more}/set-aside"), json!({}))
        .await
        .refused(400, "malformed_request");
    let aside = json!({"reason": "Interest"});
    one.client.post(&format!("/receipts/{more}/set-aside"), aside).await.expect(200);
    one.client.act(&format!("/receipts/{more}/reopen")).await.expect(200);
}

async fn a_receipt_is_a_payment_that_was_recorded_before(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let mut form = Company::payment(&contract, "300.00");
    form["bank_reference"] = json!("REF 77");
    let payment = rep.client.post("/payments", form).await.expect(201).id();
    let made = receipt(finance, "300.00", json!({"bank_reference": "ref77"})).await.expect(201).id();
    let path = format!("/receipts/{made}");
    let proposed = finance.client.get(&format!("{path}/proposals")).await.expect(200).body;
    let first = &proposed["data"][0];
    assert_eq!(
        (&first["payment_id"], &first["reasons"], &first["score"]),
        (&json!(payment), &json!(["reference", "amount"]), &json!(100))
    );
    let other = receipt(finance, "299.00", json!({})).await.expect(201).id();
    let form = json!({"payment_id": payment});
    finance
        .client
        .post(&format!("/receipts/{other}/match"), form.clone())
        .await
        .refused(409, "receipt_mismatch");
    let both = json!({"payment_id": payment, "contract_id": contract});
    finance.client.post(&format!("{path}/match"), both).await.refused(422, "validation_failed");
    finance.client.post(&format!("{path}/match"), form.clone()).await.expect(200);
    // It accounts for one receipt; and whoever only matched it may confirm it.
    let same = receipt(finance, "300.00", json!({})).await.expect(201).id();
    finance.client.post(&format!("/receipts/{same}/match"), form).await.refused(409, "in_use");
    finance.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
}

/// A payment that was put on the wrong contract is reversed; the money that came is matched anew.
async fn a_receipt_outlives_its_payment(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, finance_two, .. } = &company;
    let (wrong, right) = (
        company.active(rep, "300.00", "by_contract").await,
        company.active(rep, "300.00", "by_contract").await,
    );
    let money = receipt(finance, "300.00", json!({"bank_reference": "B-1"})).await.expect(201).id();
    let path = format!("/receipts/{money}");
    let matched = async |contract: &str| {
        let form = json!({"contract_id": contract});
        finance.client.post(&format!("{path}/match"), form).await.expect(200).text_of("payment_id")
    };
    let payment = matched(&wrong).await;
    finance_two.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
    let reason = json!({"reason": "Another contract"});
    finance_two.client.post(&format!("/payments/{payment}/reverse"), reason).await.expect(200);
    assert_eq!(finance.client.get(&path).await.expect(200).body["status"], "open");
    let payment = matched(&right).await;
    finance_two.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
}

fn statement(rows: &str) -> Value {
    json!({
        "csv": format!("\u{feff}Date,Amount,From,Reference,Text\r\n{rows}"), "currency": "CNY", "method": "bank_transfer",
        "date_format": "%d.%m.%Y",
        "columns": {
            "received_on": "Date", "amount": "Amount", "payer": "From", "bank_reference": "Reference", "memo": "Text",
        },
    })
}

async fn a_statement_is_imported_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { finance, admin, .. } = &company;
    let rows = "01.03.2026,\"1,000.00\",\"Acme, Ltd.\",R1,First\r\n02.03.2026,-50.00,Bank,R2,Fee\r\n\
                03.03.2026,20.5,Acme,R3,\r\n03.03.2026,20.5,Acme,r 3,again\r\n04.03.2026,7,,,cash desk\r\n";
    let path = "/receipts/import";
    admin.client.post(path, statement(rows)).await.refused(403, "forbidden");
    let tried = finance.client.post(&format!("{path}?dry_run=true"), statement(rows)).await.expect(200).body;
    assert_eq!(tried["created"], 3);
    assert!(finance.client.all("/receipts").await.is_empty(), "a dry run leaves nothing");
    let made = finance.client.post(path, statement(rows)).await.expect(200).body;
    assert_eq!((&made["created"], &made["duplicates"], &made["skipped"]), (&json!(3), &json!(1), &json!(1)));
    let lines: Vec<i64> =
        made["rows"].as_array().unwrap().iter().map(|row| row["line"].as_i64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
    let all = finance.client.all("/receipts?sort=received_on").await;
    assert_eq!((&all[0]["amount"], &all[0]["payer"]), (&cny("1000.00"), &json!("Acme, Ltd.")));
    assert_eq!((&all[1]["amount"], &all[1]["received_on"]), (&cny("20.50"), &json!("2026-03-03")));
    let counts = async |rows: &str| {
        let made = finance.client.post(path, statement(rows)).await.expect(200).body;
        ["created", "duplicates", "skipped", "refused"].map(|it| made[it].as_i64().unwrap())
    };
    assert_eq!(counts(rows).await, [0, 4, 1, 0]);
    // Without a reference, as many as were there before are known: the same may be paid twice a day.
    let thrice = "04.03.2026,7,,,cash desk\r\n".repeat(3);
    assert_eq!(counts(&thrice).await, [2, 1, 0, 0]);
    assert_eq!(counts(&thrice).await, [0, 3, 0, 0]);
    assert_eq!(counts("04.03.2026,7,,,other\r\n05.03.2026,7,,,cash desk\r\n").await, [2, 0, 0, 0]);
    // Other money with a known reference is not passed over without a word.
    let made = finance.client.post(path, statement("03.03.2026,21,Acme,R3,\r\n")).await.expect(200).body;
    assert_eq!(made["refused"], 1);
    let error = &made["rows"][0]["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/bank_reference"), &json!("other_money")));
    assert!(error["message"].as_str().unwrap().contains("20.50"), "{error}");
}

async fn a_statement_that_cannot_be_read_is_refused_as_a_whole(server: Server) {
    let company = Company::found(&server).await;
    let finance = &company.finance.client;
    let refused = async |form: Value, pointer: &str, code: &str| {
        let refused = finance.post("/receipts/import", form).await.refused(422, "validation_failed");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{}", refused.text);
    };
    let rows = "01.03.2026,7,Acme,R1,First\r\n";
    for format in ["%Q%%%", "%d.%m.", "%H:%M"] {
        let mut form = statement(rows);
        form["date_format"] = json!(format);
        refused(form, "/date_format", "invalid_date_format").await;
    }
    let mut form = statement(rows);
    form["csv"] = json!("Date,Amount,From,Reference,Text,Date\n01.03.2026,7,Acme,R1,First,02.03.2026\n");
    refused(form.clone(), "/columns/received_on", "several_columns").await;
    // What no column is read from may be there as often as it likes.
    form["csv"] = json!("Date,Amount,From,Reference,Text,Fee,Fee\n01.03.2026,7,Acme,R1,First,1,2\n");
    assert_eq!(finance.post("/receipts/import", form).await.expect(200).body["created"], 1);
}

/// The parts of a receipt, the largest first.
async fn parts_of(by: &Person, whole: &str) -> Vec<Value> {
    let mut parts = by.client.all(&format!("/receipts?part_of_id={whole}")).await;
    parts.sort_by_key(|part| std::cmp::Reverse(part["amount"]["amount"].as_str().unwrap().to_owned()));
    parts
}

async fn one_transfer_pays_several_contracts(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    let contracts = [
        company.active(rep, "70.00", "by_contract").await,
        company.active(rep, "30.00", "by_contract").await,
    ];
    let whole =
        receipt(one, "100.00", json!({"bank_reference": "B 7", "payer": "Acme"})).await.expect(201).id();
    let path = format!("/receipts/{whole}");
    let split =
        async |amounts: Value| one.client.post(&format!("{path}/split"), json!({"amounts": amounts})).await;
    let refused = split(json!([cny("70.00"), cny("29.99")])).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "wrong_sum");
    split(json!([cny("100.00")])).await.refused(422, "validation_failed");
    split(json!([cny("100.00"), cny("0.00")])).await.refused(422, "validation_failed");
    split(json!([cny("70.00"), {"amount": "30.00", "currency": "USD"}]))
        .await
        .refused(422, "currency_mismatch");
    let apart = split(json!([cny("70.00"), cny("30.00")])).await.expect(200);
    assert_eq!(reason(&apart, "join"), Value::Null);
    let apart = apart.body;
    assert_eq!((&apart["status"], &apart["amount"]), (&json!("split"), &cny("100.00")));
    one.client
        .post(&format!("{path}/match"), json!({"contract_id": contracts[0]}))
        .await
        .refused(409, "invalid_transition");
    let parts = parts_of(one, &whole).await;
    let part = |at: usize| format!("/receipts/{}", parts[at]["id"].as_str().unwrap());
    assert_eq!((parts.len(), &parts[1]["bank_reference"]), (2, &json!("B 7/2")));
    let matched = async |at: usize| {
        let form = json!({"contract_id": contracts[at]});
        one.client.post(&format!("{}/match", part(at)), form).await.expect(200).text_of("payment_id")
    };
    let payment = matched(0).await;
    assert_eq!(reason(&one.client.get(&path).await.expect(200), "join"), "in_use");
    let refused = one.client.act(&format!("{path}/join")).await.refused(409, "in_use");
    assert_eq!(refused.body["receipt_id"], parts[0]["id"]);
    two.client.post(&format!("/payments/{payment}/reject"), json!({"reason": "Wrong one"})).await.expect(200);
    // Put together, taken apart otherwise, and booked.
    assert_eq!(one.client.act(&format!("{path}/join")).await.expect(200).body["status"], "open");
    one.client.get(&part(0)).await.refused(404, "not_found");
    split(json!([cny("70.00"), cny("30.00")])).await.expect(200);
    let parts = parts_of(one, &whole).await;
    for (part, contract) in parts.iter().zip(&contracts) {
        let form = json!({"contract_id": contract});
        let path = format!("/receipts/{}/match", part["id"].as_str().unwrap());
        let payment = one.client.post(&path, form).await.expect(200).text_of("payment_id");
        two.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
        let seen = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body;
        assert_eq!(seen["status"], "completed");
    }
    // However long its reference is; and a part's reference may be taken.
    let long = receipt(one, "2.00", json!({"bank_reference": "L".repeat(200)})).await.expect(201).id();
    let halves = json!({"amounts": [cny("1.00"), cny("1.00")]});
    one.client.post(&format!("/receipts/{long}/split"), halves.clone()).await.expect(200);
    let other = receipt(one, "2.00", json!({"bank_reference": "C 9"})).await.expect(201).id();
    receipt(one, "1.00", json!({"bank_reference": "C 9/2"})).await.expect(201);
    one.client.post(&format!("/receipts/{other}/split"), halves).await.refused(409, "duplicate");
    // The statement that says it is known, and its parts are not taken for what a statement says.
    let again =
        one.client.post("/receipts/import", statement("01.03.2026,100,Acme,B 7,\r\n")).await.expect(200).body;
    assert_eq!(again["duplicates"], 1);
}

async fn what_cannot_be_read_is_told_row_by_row(server: Server) {
    let company = Company::found(&server).await;
    let finance = &company.finance.client;
    let rows = "31.02.2026,10,A,X1,\r\n01.03.2026,10.001,A,X2,\r\n01.03.2026,ten,A,X3,\r\n01.03.2999,10,A,X4,\r\n\
                01.03.2026,10,A,X5,\r\n01.03.2026\r\n";
    let made = finance.post("/receipts/import", statement(rows)).await.expect(200).body;
    assert_eq!((&made["created"], &made["refused"], &made["skipped"]), (&json!(1), &json!(4), &json!(1)));
    let error = |at: usize| {
        let error = &made["rows"][at]["errors"][0];
        (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
    };
    assert_eq!(error(0), ("/received_on", "invalid_date"));
    assert_eq!(error(1).0, "/amount");
    assert_eq!(error(2).0, "/amount");
    assert_eq!(error(3), ("/received_on", "in_future"));
    // A comma is taken for one between thousands only where it can be one.
    let rows = "01.03.2026,\"12,34\",A,,\r\n01.03.2026,\"1.234,50\",A,,\r\n01.03.2026,\"1,23,456\",A,,\r\n\
                01.03.2026,\"1,234,567.89\",A,,\r\n01.03.2026,1 234.50,A,,\r\n";
    let made = finance.post("/receipts/import", statement(rows)).await.expect(200).body;
    assert_eq!((&made["created"], &made["refused"]), (&json!(2), &json!(3)), "{made}");
    assert_eq!(made["rows"][0]["errors"][0]["code"], "malformed_amount");
    // What is cited keeps the rules of what is said: no NUL, and not without end.
    let rows = format!("01\0{},1,A,,\r\n", "x".repeat(1000));
    let made = finance.post("/receipts/import", statement(&rows)).await.expect(200).body;
    let said = made["rows"][0]["errors"][0]["message"].as_str().unwrap();
    assert!(said.starts_with("`01\u{fffd}x") && said.chars().count() == 500, "{said}");
    // A quote that never closes would swallow what follows.
    let open = "01.03.2026,1,\"Acme,R8,\r\n01.03.2026,2,Bob,R9,\r\n";
    for rows in [open, "01.03.2026,1,A,R8,\"x"] {
        let refused =
            finance.post("/receipts/import", statement(rows)).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], "invalid_csv");
    }
    let mut form = statement("");
    form["columns"]["amount"] = json!("Sum");
    let refused = finance.post("/receipts/import", form).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/columns/amount");
    let many = statement(&"01.03.2026,1,A,,\r\n".repeat(2001));
    let refused = finance.post("/receipts/import", many).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "too_many_rows");
}

async fn what_a_receipt_may_pay_is_proposed(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_invoice").await;
    let seen = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).body;
    let customer =
        rep.client.get(&format!("/customers/{}", seen["customer_id"].as_str().unwrap())).await.expect(200);
    let invoice = company.issued(rep, &contract, "400.00").await;
    let invoice = rep.client.get(&format!("/invoices/{invoice}")).await.expect(200).text_of("number");
    let other = company.active(rep, "777.77", "by_contract").await;
    let proposed = async |amount: &str, more: Value| {
        let id = receipt(finance, amount, more).await.expect(201).id();
        finance.client.get(&format!("/receipts/{id}/proposals")).await.expect(200).body["data"].clone()
    };
    let number = seen["number"].as_str().unwrap();
    let by_number = proposed("123.00", json!({"memo": format!("for {}", number.to_lowercase())})).await;
    assert_eq!(
        (&by_number[0]["contract"]["id"], &by_number[0]["reasons"]),
        (&json!(contract), &json!(["number"]))
    );
    let by_invoice = proposed("400.00", json!({"memo": invoice, "payer": customer.text_of("name")})).await;
    assert_eq!(by_invoice[0]["reasons"], json!(["number", "payer", "amount"]));
    assert_eq!(
        (&by_invoice[0]["score"], &by_invoice[0]["customer"]["id"]),
        (&json!(100), &json!(customer.id()))
    );
    let by_payer =
        proposed("5.00", json!({"payer": format!(" {} Co., Ltd.", customer.text_of("name"))})).await;
    assert_eq!(by_payer[0]["reasons"], json!(["payer"]));
    let by_amount = proposed("777.77", json!({"payer": "Somebody unknown"})).await;
    assert_eq!(
        (&by_amount[0]["contract"]["id"], &by_amount[0]["reasons"]),
        (&json!(other), &json!(["amount"]))
    );
    assert_eq!(proposed("3.33", json!({"payer": "Nobody"})).await, json!([]));
}

async fn receipts_are_matched_in_bulk(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let mut ids = Vec::new();
    for amount in ["60.00", "30.00", "20.00"] {
        ids.push(receipt(finance, amount, json!({})).await.expect(201).id());
    }
    let items: Vec<Value> = ids.iter().map(|id| json!({"id": id, "contract_id": contract})).collect();
    let call = |mode: &str| json!({"action": "match", "mode": mode, "items": items});
    let refused = finance.client.post("/receipts/bulk", call("atomic")).await.refused(409, "bulk_refused");
    assert_eq!(refused.body["items"][0]["code"], "payment_exceeds_contract");
    assert!(finance.client.all("/payments").await.is_empty(), "all or nothing");
    let done = finance.client.post("/receipts/bulk", call("best_effort")).await.expect(200).body;
    assert_eq!((&done["done"], &done["refused"]), (&json!(2), &json!(1)));
    assert_eq!(finance.client.all("/receipts?status=open").await.len(), 1);
}

async fn heavy_two_who_import_the_same_statement(server: Server) {
    let company = Company::found(&server).await;
    let Company { finance: one, finance_two: two, .. } = &company;
    let rows: Vec<String> = (0..100).map(|at| format!("01.03.2026,{}.00,A,REF-{at},\r\n", at + 1)).collect();
    let rows = rows.concat();
    let (first, second) = join(
        one.client.post("/receipts/import", statement(&rows)),
        two.client.post("/receipts/import", statement(&rows)),
    )
    .await;
    let (first, second) = (first.expect(200).body, second.expect(200).body);
    let sum = |member: &str| first[member].as_i64().unwrap() + second[member].as_i64().unwrap();
    assert_eq!((sum("created"), sum("duplicates")), (100, 100));
}

async fn heavy_a_receipt_is_matched_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance: one, finance_two: two, .. } = &company;
    for _ in 0..5 {
        let first = company.active(rep, "100.00", "by_contract").await;
        let second = company.active(rep, "100.00", "by_contract").await;
        let id = receipt(one, "100.00", json!({})).await.expect(201).id();
        let path = format!("/receipts/{id}/match");
        let tries = [(one, &first), (two, &second), (one, &second), (two, &first)];
        let answers =
            join_all(tries.map(|(by, contract)| by.client.post(&path, json!({"contract_id": contract}))))
                .await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
        let query = format!("/payments?contract_id={first},{second}");
        assert_eq!(one.client.all(&query).await.len(), 1, "the others left nothing");
    }
}
