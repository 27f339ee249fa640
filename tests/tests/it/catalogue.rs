//! Products and price lists, and the sales and contracts that take from them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Company, Server};

on_both_databases! {
    a_quote_becomes_a_contract;
    prices_hold_for_days_currencies_and_grades;
    products_that_are_not_sold_come_on_no_new_line;
    a_price_below_the_list_is_a_discount;
    the_whole_contract_can_be_printed;
}

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

async fn product(company: &Company, code: &str, tax_rate: &str) -> String {
    let form = json!({"code": code, "name": format!("Product {code}"), "tax_rate": tax_rate});
    company.admin.client.post("/products", form).await.expect(201).id()
}

/// A price list that holds from the beginning of 2026.
async fn list(company: &Company, more: Value, prices: &[(&str, &str)]) -> String {
    let prices: Vec<Value> = prices
        .iter()
        .map(|(product, price)| json!({"product_id": product, "unit_price": cny(price)}))
        .collect();
    let mut form = json!({"name": "List", "currency": "CNY", "valid_from": "2026-01-01", "prices": prices});
    form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    company.admin.client.post("/price-lists", form).await.expect(201).id()
}

async fn a_quote_becomes_a_contract(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let (seats, days) = (product(&company, "SEAT-1", "0.13").await, product(&company, "DAY-1", "0.06").await);
    list(&company, json!({}), &[(&seats, "99.99"), (&days, "1500.00")]).await;
    let wanted = json!({"currency": "CNY", "lines": [
        {"product_id": seats, "quantity": "7", "discount": "0.15"}, {"product_id": days, "quantity": "2.5"},
    ]});
    let quote = rep.post("/price-quotes", wanted).await.expect(200).body;
    // 7 x 99.99 x 0.85 = 594.9405, and 2.5 x 1500.
    assert_eq!(quote["lines"][0]["gross"], cny("594.94"));
    assert_eq!((&quote["lines"][0]["tax"], &quote["lines"][0]["net"]), (&cny("68.44"), &cny("526.50")));
    assert_eq!(
        (&quote["gross"], &quote["tax"], &quote["net"]),
        (&cny("4344.94"), &cny("280.70"), &cny("4064.24"))
    );
    let lines: Vec<&Value> =
        quote["lines"].as_array().unwrap().iter().map(|line| &line["line_item"]).collect();
    // An opportunity takes the lines, and the contract of its signing stage begins with them.
    let customer = company.customer(&company.rep).await;
    let sale =
        json!({"name": "A sale", "customer_id": customer, "amount": quote["gross"], "line_items": lines});
    let sale = rep.post("/opportunities", sale).await.expect(201);
    assert_eq!(sale.body["line_items"], json!(lines));
    let path = format!("/opportunities/{}", sale.id());
    for (patch, code) in [
        (json!({"amount": cny("4344.95")}), "line_items_mismatch"),
        (json!({"amount": null}), "line_items_mismatch"),
        (json!({"amount": {"amount": "4344.94", "currency": "USD"}}), "currency_mismatch"),
    ] {
        let refused = rep.patch(&path, patch).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], code);
    }
    let more = json!({"expected_close_on": "2031-01-31", "grade": "A"});
    rep.patch(&path, more).await.expect(200);
    let signing = json!({"stage_id": company.signing_stage()});
    let signed = rep.post(&format!("{path}/advance"), signing).await.expect(200);
    let contract = rep.get(&format!("/contracts/{}", signed.text_of("contract_id"))).await.expect(200).body;
    assert_eq!((&contract["line_items"], &contract["amount"]), (&json!(lines), &quote["gross"]));
}

async fn prices_hold_for_days_currencies_and_grades(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let pump = product(&company, "PUMP", "0").await;
    list(&company, json!({}), &[(&pump, "100.00")]).await;
    let promotion = json!({"valid_from": "2026-03-01", "valid_until": "2026-03-31"});
    let promotion = list(&company, promotion, &[(&pump, "90.00")]).await;
    list(&company, json!({"customer_grades": ["A"]}), &[(&pump, "80.00")]).await;
    let customer = company.customer(&company.rep).await;
    rep.patch(&format!("/customers/{customer}"), json!({"grade": "A"})).await.expect(200);
    let quote = async |more: Value| {
        let mut form = json!({"currency": "CNY", "lines": [{"product_id": pump, "quantity": "1"}]});
        form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rep.post("/price-quotes", form).await
    };
    for (more, price) in [
        (json!({"on": "2026-02-28"}), "100.00"),
        (json!({"on": "2026-03-01"}), "90.00"),
        (json!({"on": "2026-03-31"}), "90.00"),
        (json!({"on": "2026-04-01"}), "100.00"),
        (json!({"on": "2026-04-01", "customer_id": customer}), "80.00"),
    ] {
        assert_eq!(quote(more.clone()).await.expect(200).body["gross"], cny(price), "{more}");
    }
    for more in [json!({"on": "2025-12-31"}), json!({"currency": "USD"})] {
        let refused = quote(more).await.refused(422, "validation_failed");
        assert_eq!(
            (&refused.body["errors"][0]["pointer"], &refused.body["errors"][0]["code"]),
            (&json!("/lines/0/product_id"), &json!("no_price"))
        );
    }
    let much = json!({"lines": [{"product_id": pump, "quantity": "1000000000"}]});
    assert_eq!(quote(much).await.expect(200).body["gross"], cny("100000000000.00"));
    let dear = product(&company, "DEAR", "0").await;
    list(&company, json!({}), &[(&dear, "90000000000.00")]).await;
    let more = json!({"lines": [{"product_id": dear, "quantity": "1000000000"}]});
    quote(more).await.refused(422, "amount_out_of_range");
    // Of a customer that one may not see, nothing is told.
    let hidden = company.customer(&company.other_rep).await;
    quote(json!({"customer_id": hidden})).await.refused(422, "unknown_reference");
    company.admin.client.delete(&format!("/price-lists/{promotion}")).await.expect(204);
    assert_eq!(quote(json!({"on": "2026-03-01"})).await.expect(200).body["gross"], cny("100.00"));
    // A list that makes no sense is refused.
    let price = |product: &str, price: Value| json!({"product_id": product, "unit_price": price});
    let usd = json!({"amount": "1.00", "currency": "USD"});
    for (form, code) in [
        (json!({"valid_until": "2025-12-31"}), "dates_out_of_order"),
        (json!({"prices": [price(&pump, usd)]}), "currency_mismatch"),
        (json!({"prices": [price(&pump, cny("1.00")), price(&pump, cny("2.00"))]}), "distinct"),
        (json!({"prices": [price(&pump, cny("0.00"))]}), "not_positive"),
    ] {
        let mut whole = json!({"name": "L", "currency": "CNY", "valid_from": "2026-01-01", "prices": []});
        whole.as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
        let refused =
            company.admin.client.post("/price-lists", whole).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], code);
    }
    let unknown = json!({
        "name": "L", "currency": "CNY", "valid_from": "2026-01-01", "prices": [price(&customer, cny("1.00"))],
    });
    let refused = company.admin.client.post("/price-lists", unknown).await.refused(422, "unknown_reference");
    assert_eq!(refused.body["errors"][0]["pointer"], "/prices/0/product_id");
}

async fn products_that_are_not_sold_come_on_no_new_line(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let pump = product(&company, "PUMP-1", "0.13").await;
    let again = json!({"code": "ｐｕｍｐ - 1", "name": "Another"});
    let taken = company.admin.client.post("/products", again).await.refused(409, "duplicate");
    assert_eq!(taken.body["errors"][0]["pointer"], "/code");
    let line = json!({"product_id": pump, "product": "Pump", "quantity": "1", "unit_price": cny("100.00")});
    let draft = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{draft}");
    let lined = rep.patch(&path, json!({"line_items": [line]})).await.expect(200);
    assert_eq!(lined.body["line_items"][0]["tax_rate"], "0.13", "it is the product's");
    company.admin.client.patch(&format!("/products/{pump}"), json!({"is_active": false})).await.expect(200);
    // Where it was sold it stays; elsewhere it does not come any more.
    rep.patch(&path, json!({"title": "Still", "line_items": [line]})).await.expect(200);
    let other = company.draft(&company.rep, "100.00", "by_contract").await;
    let unknown =
        json!({"product_id": draft, "product": "Pump", "quantity": "1", "unit_price": cny("100.00")});
    for (line, status, code, member) in [
        (&line, "validation_failed", "not_sold", "/line_items/0/product_id"),
        (&unknown, "unknown_reference", "unknown_reference", "/line_items/0/product_id"),
    ] {
        let refused = rep
            .patch(&format!("/contracts/{other}"), json!({"line_items": [line]}))
            .await
            .refused(422, status);
        assert_eq!(
            (&refused.body["errors"][0]["code"], &refused.body["errors"][0]["pointer"]),
            (&json!(code), &json!(member))
        );
    }
    let quote = json!({"currency": "CNY", "lines": [{"product_id": pump, "quantity": "1"}]});
    rep.post("/price-quotes", quote).await.refused(422, "validation_failed");
    // The same holds for other terms of what runs.
    let running = company.active(&company.rep, "100.00", "by_contract").await;
    let change = json!({"contract_id": running, "reason": "Pumps instead", "line_items": [line]});
    let refused = rep.post("/amendments", change).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "not_sold");
}

async fn a_price_below_the_list_is_a_discount(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, director, admin, .. } = &company;
    let pump = product(&company, "PUMP-1", "0").await;
    list(&company, json!({}), &[(&pump, "1000.00")]).await;
    let flows = admin.client.get("/approval-flows?subject_kind=contract").await.expect(200).body;
    let flow = &flows["data"][0];
    let steps = json!([
        {"name": "Manager", "rule": "manager_of_owner"},
        {"name": "Cheap", "rule": format!("users:{}", director.id), "condition": {"discount_from": "0.2"}},
    ]);
    let path = format!("/approval-flows/{}", flow["id"].as_str().unwrap());
    admin.client.patch(&path, json!({"steps": steps})).await.expect(200);
    for (price, discount, steps) in [
        ("1000.00", "0", 1),
        ("800.01", "0", 1),
        ("800.00", "0", 2),
        // Nobody stays below the limit by writing a lower price.
        ("900.00", "0.12", 2),
        ("2000.00", "0.5", 2),
    ] {
        let line = json!({
            "product_id": pump, "product": "Pump", "quantity": "2", "unit_price": cny(price), "discount": discount,
        });
        let amount = match (price, discount) {
            ("900.00", _) => "1584.00".to_owned(),
            ("2000.00", _) => "2000.00".to_owned(),
            (price, _) => format!("{:.2}", price.parse::<f64>().unwrap() * 2.0),
        };
        let draft = company.draft(rep, &amount, "by_contract").await;
        rep.client.patch(&format!("/contracts/{draft}"), json!({"line_items": [line]})).await.expect(200);
        rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
        let approval = company.pending(&draft).await;
        let asked = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
        assert_eq!(asked["steps"].as_array().unwrap().len(), steps, "{price} {discount}");
    }
    // Nor by selling what no list prices.
    let draft = company.draft(rep, "2.00", "by_contract").await;
    let line = json!({"product": "Pump", "quantity": "2", "unit_price": cny("1.00")});
    rep.client.patch(&format!("/contracts/{draft}"), json!({"line_items": [line]})).await.expect(200);
    rep.client.act(&format!("/contracts/{draft}/submit")).await.expect(200);
    let approval = company.pending(&draft).await;
    let asked = rep.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    assert_eq!(asked["steps"][1]["name"], "Cheap");
}

async fn the_whole_contract_can_be_printed(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, finance, .. } = &company;
    let (pump, day) = (product(&company, "PUMP", "0.13").await, product(&company, "DAY", "0.06").await);
    let draft = company.draft(rep, "226.00", "by_contract").await;
    let path = format!("/contracts/{draft}");
    let customer = rep.client.get(&path).await.expect(200).text_of("customer_id");
    let known = json!({
        "address": "1 Harbour Road", "registration_number": "91-X", "tax_profiles": [{"invoice_title": "Acme Ltd"}],
    });
    rep.client.patch(&format!("/customers/{customer}"), known).await.expect(200);
    let line = |product: &str, price: &str, tax: Value| {
        json!({
            "product_id": product, "product": "A thing", "quantity": "1", "unit_price": cny(price), "tax_rate": tax,
        })
    };
    let lines = json!([
        line(&pump, "56.50", Value::Null), line(&day, "53.00", Value::Null), line(&pump, "113.00", Value::Null),
        {"product": "Something else", "quantity": "1", "unit_price": cny("3.50")},
    ]);
    rep.client.patch(&path, json!({"line_items": lines})).await.expect(200);
    let sheet =
        async |by: &crate::support::Person| by.client.get(&format!("{path}/document")).await.expect(200).body;
    let drafted = sheet(rep).await;
    assert_eq!(drafted["customer"]["tax_profile"]["invoice_title"], "Acme Ltd");
    assert_eq!(
        (&drafted["customer"]["registration_number"], &drafted["owner"]["id"]),
        (&json!("91-X"), &json!(rep.id))
    );
    assert_eq!((&drafted["lines"][3]["position"], &drafted["lines"][0]["tax"]), (&json!(4), &cny("6.50")));
    let taxes: Vec<(Value, Value, Value)> = drafted["taxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|total| (total["tax_rate"].clone(), total["tax"].clone(), total["gross"].clone()))
        .collect();
    assert_eq!(
        taxes,
        [
            (Value::Null, cny("0.00"), cny("3.50")),
            (json!("0.06"), cny("3.00"), cny("53.00")),
            (json!("0.13"), cny("19.50"), cny("169.50")),
        ]
    );
    assert_eq!((&drafted["signatures"], &drafted["amendments"]), (&json!([]), &json!([])));
    assert!(!drafted["installments"].as_array().unwrap().is_empty());
    // Running, and amended: who agreed is named, and what changed is told.
    rep.client.act(&format!("{path}/submit")).await.expect(200);
    company.approve(&draft).await;
    let change = json!({
        "contract_id": draft, "reason": "Later", "installments": [{"due_on": "2032-01-31", "amount": cny("226.00")}],
    });
    let amendment = rep.client.post("/amendments", change).await.expect(201).id();
    company.approve(&amendment).await;
    let file = rep.client.request(Method::POST, &format!("{path}/attachments?file_name=plan.txt"));
    let file = file.header("content-type", "text/plain").body("As agreed");
    let file = rep.client.send(file).await.expect(201).body;
    let running = sheet(finance).await;
    let agreed = running["amendments"][0]["signatures"].as_array().unwrap();
    assert_eq!((agreed.len(), &agreed[0]["by"]["id"]), (2, &json!(company.director.id)));
    let listed = running["attachments"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["file_name"]), (1, &json!("plan.txt")));
    for member in ["id", "media_type", "size", "sha256"] {
        assert_eq!(listed[0][member], file[member], "{member}");
    }
    assert_eq!(running["installments"][0]["due_on"], "2032-01-31");
    assert_eq!(running["installments"].as_array().unwrap().len(), 1);
    assert_eq!(running["amendments"][0]["reason"], "Later");
    assert_eq!(running["amendments"][0]["changes"][0]["member"], "installments");
    let signed = running["signatures"].as_array().unwrap();
    assert_eq!(signed.len(), 2);
    assert!(signed.iter().all(|signature| signature["by"]["display_name"].is_string()));
    company.other_rep.client.get(&format!("{path}/document")).await.refused(404, "not_found");
}
