//! What lists include beside ids: related records, and what these relate to. What records include that are read alone is
//! in `related`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Company, PASSWORD, Server};

on_both_databases! {
    customers_come_with_their_primary_contact;
    a_primary_contact_in_the_pool_is_seen_like_any_contact;
    what_is_included_includes_relations_of_its_own;
    what_the_caller_does_not_see_is_null_at_every_depth;
    a_contract_is_null_for_whom_its_opportunity_is_shared_with;
    not_more_is_included_than_the_document_says;
}

/// The row of a list that has this id.
pub async fn row(client: &Client, list: &str, id: &str) -> Value {
    let rows = client.get(list).await.expect(200).body["data"].clone();
    let found = rows.as_array().unwrap().iter().find(|row| row["id"] == id).cloned();
    found.unwrap_or_else(|| panic!("{list} has no {id}: {rows}"))
}

/// A member of a row; null only where it is there.
fn member<'a>(row: &'a Value, name: &str) -> &'a Value {
    row.get(name).unwrap_or_else(|| panic!("no {name}: {row}"))
}

/// A contract that an opportunity of this customer became.
pub async fn sold(company: &Company, opportunity: &str) -> String {
    let signing = json!({"stage_id": company.signing_stage()});
    let path = format!("/opportunities/{opportunity}/advance");
    company.rep.client.post(&path, signing).await.expect(200).text_of("contract_id")
}

/// An opportunity of the rep's that can be signed.
pub async fn opportunity(company: &Company, customer: &str) -> String {
    let form = json!({
        "customer_id": customer, "name": "Line two", "amount": {"amount": "90.00", "currency": "CNY"},
        "expected_close_on": "2031-01-31", "grade": "A",
    });
    company.rep.client.post("/opportunities", form).await.expect(201).id()
}

async fn customers_come_with_their_primary_contact(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let (known, unknown) = (company.customer(&company.rep).await, company.customer(&company.rep).await);
    let person = async |customer: &str, name: &str, title: Option<&str>, is_primary: bool| {
        let form = json!({"customer_id": customer, "name": name, "title": title, "is_primary": is_primary});
        rep.post("/contacts", form).await.expect(201).id()
    };
    let zhang = person(&known, "Zhang", None, true).await;
    person(&known, "Li", Some("Buyer"), false).await;
    // Somebody is there, but nobody comes first.
    person(&unknown, "Wang", None, false).await;
    let list = "/customers?include=primary_contact";
    let shown = json!({"id": zhang, "name": "Zhang", "title": null});
    assert_eq!(member(&row(rep, list, &known).await, "primary_contact"), &shown);
    assert_eq!(member(&row(rep, list, &unknown).await, "primary_contact"), &Value::Null);
    let bare = row(rep, "/customers?include=owner", &known).await;
    assert!(bare["owner"].is_object() && bare.get("primary_contact").is_none(), "{bare}");
    // Another one takes the place. Whoever chooses members has what was included as well.
    let chen = person(&known, "Chen", Some("Director"), true).await;
    let some = rep.get(&format!("{list}&fields=id&sort=created_at")).await.expect(200);
    let shown = json!({"id": chen, "name": "Chen", "title": "Director"});
    assert_eq!(
        some.body["data"],
        json!([{"id": known, "primary_contact": shown}, {"id": unknown, "primary_contact": null}])
    );
}

async fn a_primary_contact_in_the_pool_is_seen_like_any_contact(server: Server) {
    let company = Company::found(&server).await;
    let pooled = company.pool_customer().await;
    let form = json!({
        "customer_id": pooled, "name": "Zhang", "title": "Buyer", "phone": "139 9999 8888", "is_primary": true,
    });
    let zhang = company.admin.client.post("/contacts", form).await.expect(201).id();
    let shown = json!({"id": zhang, "name": "Zhang", "title": "Buyer"});
    let check = async |client: &Client, expected: &Value| {
        for list in ["/customers", "/public-pool/customers"] {
            let row = row(client, &format!("{list}?include=primary_contact"), &pooled).await;
            assert_eq!(member(&row, "primary_contact"), expected, "{list}");
        }
        let listed = client.all(&format!("/contacts?customer_id={pooled}")).await;
        assert_eq!(listed.len(), usize::from(expected.is_object()), "{listed:?}");
    };
    check(&company.director.client, &shown).await;
    for who in [&company.rep, &company.colleague, &company.marketing] {
        check(&who.client, &Value::Null).await;
    }
    // Whoever opened the customer today sees its people.
    let rep = &company.rep.client;
    rep.get(&format!("/public-pool/customers/{pooled}")).await.expect(200);
    check(rep, &shown).await;
    check(&company.colleague.client, &Value::Null).await;
}

async fn what_is_included_includes_relations_of_its_own(server: Server) {
    let company = Company::found(&server).await;
    let (rep, admin) = (&company.rep.client, &company.admin.client);
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let invoice = company.invoice_draft(&company.rep, &contract, "10.00").await;
    let stored = rep.get(&format!("/contracts/{contract}")).await.expect(200);
    let (id, number) = (stored.text_of("customer_id"), stored.text_of("number"));
    let name = rep.get(&format!("/customers/{id}")).await.expect(200).text_of("name");
    let team = rep.get("/me").await.expect(200).body["team_id"].clone();
    let owner = json!({"id": company.rep.id, "display_name": "rep", "team_id": team});

    // What is in a record brings the record along.
    let list = "/invoices?include=customer.owner,contract.owner,contract.customer";
    let whole = row(rep, list, &invoice).await;
    assert_eq!(
        whole["customer"],
        json!({"id": id, "name": name, "owner_id": company.rep.id, "owner": owner})
    );
    let sale = json!({
        "id": contract, "number": number, "title": "Delivery", "owner_id": company.rep.id, "owner": owner,
        "customer_id": id, "customer": {"id": id, "name": name},
    });
    assert_eq!(whole["contract"], sale);
    assert!(whole.get("owner").is_none(), "nobody asked for the invoice's own: {whole}");
    // Only what was asked for.
    let some = row(rep, "/invoices?include=owner,customer,contract.customer", &invoice).await;
    let bare = json!({"id": id, "name": name, "owner_id": company.rep.id});
    assert_eq!((&some["owner"], &some["customer"]), (&owner, &bare));
    assert_eq!(some["contract"]["customer"], json!({"id": id, "name": name}));
    assert!(some["contract"].get("owner").is_none(), "{some}");
    assert_eq!(some["contract"]["owner_id"], json!(company.rep.id), "the id is there whatever was asked for");
    let alone = row(rep, "/invoices?include=contract", &invoice).await["contract"].clone();
    let bare = json!({
        "id": contract, "number": number, "title": "Delivery", "owner_id": company.rep.id, "customer_id": id,
    });
    assert_eq!(alone, bare);
    // Of the members of a row some can be chosen; what is included comes as it was asked for.
    let chosen = row(rep, &format!("{list}&fields=id,contract"), &invoice).await;
    assert_eq!(chosen, json!({"id": invoice, "contract": sale, "customer": whole["customer"]}));

    // A customer of nobody's is there, and its owner is null.
    let pooled = company.pool_customer().await;
    let person = json!({"customer_id": pooled, "name": "Zhang"});
    let person = admin.post("/contacts", person).await.expect(201).id();
    let row_of_pool = row(admin, "/contacts?include=customer.owner", &person).await;
    assert_eq!(row_of_pool["customer"]["id"], json!(pooled));
    for nobody in ["owner_id", "owner"] {
        assert_eq!(member(&row_of_pool["customer"], nobody), &Value::Null, "{nobody}");
    }

    // A contract knows the opportunity that it was, if it was one.
    let deal = opportunity(&company, &id).await;
    let draft = sold(&company, &deal).await;
    let list = "/contracts?include=opportunity";
    assert_eq!(row(rep, list, &draft).await["opportunity"], json!({"id": deal, "name": "Line two"}));
    assert_eq!(member(&row(rep, list, &contract).await, "opportunity"), &Value::Null);
    let back = row(rep, "/opportunities?include=contract.owner", &deal).await;
    assert_eq!((&back["contract"]["id"], &back["contract"]["owner"]), (&json!(draft), &owner));
}

/// Somebody who reads contracts and invoices sees them whole, and nothing of whose they are.
async fn what_the_caller_does_not_see_is_null_at_every_depth(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let invoice = company.invoice_draft(&company.rep, &contract, "10.00").await;
    let stored = company.rep.client.get(&format!("/contracts/{contract}")).await.expect(200);
    let deal = opportunity(&company, &stored.text_of("customer_id")).await;
    let draft = sold(&company, &deal).await;
    let grant = |permission: &str| json!({"permission": permission, "scope": "all"});
    let role = json!({
        "key": "reader", "name": "Reader", "grants": [grant("contracts:read"), grant("invoices:read")],
    });
    admin.post("/roles", role).await.expect(201);
    let user = json!({
        "email": "reader@example.com", "display_name": "Reader", "roles": ["reader"], "password": PASSWORD,
    });
    admin.post("/users", user).await.expect(201);
    let reader = server.login("reader@example.com", PASSWORD).await;

    let list = "/invoices?include=customer.owner,contract.owner,contract.customer";
    let row_of_invoice = row(&reader, list, &invoice).await;
    assert!(row_of_invoice["customer_id"].is_string());
    assert_eq!(member(&row_of_invoice, "customer"), &Value::Null);
    assert_eq!(row_of_invoice["contract"]["owner"]["id"], json!(company.rep.id));
    assert_eq!(member(&row_of_invoice["contract"], "customer"), &Value::Null);
    assert_eq!(
        row_of_invoice["contract"]["customer_id"], row_of_invoice["customer_id"],
        "as in the contract"
    );
    let row_of_contract = row(&reader, "/contracts?include=customer.owner,opportunity", &draft).await;
    assert_eq!(row_of_contract["opportunity_id"], json!(deal));
    for hidden in ["customer", "opportunity"] {
        assert_eq!(member(&row_of_contract, hidden), &Value::Null, "{hidden}");
    }
    // Whoever sees one but not the other is shown the one.
    let seen = row(admin, "/contracts?include=customer.owner,opportunity", &draft).await;
    assert!(seen["customer"]["owner"].is_object() && seen["opportunity"].is_object(), "{seen}");
}

async fn a_contract_is_null_for_whom_its_opportunity_is_shared_with(server: Server) {
    let company = Company::found(&server).await;
    let customer = company.customer(&company.rep).await;
    let deal = opportunity(&company, &customer).await;
    sold(&company, &deal).await;
    let share = json!({"customer_id": customer, "user_id": company.other_rep.id, "access": "read"});
    company.rep.client.post("/collaborators", share).await.expect(201);
    let list = "/opportunities?include=customer.owner,contract.owner,contract.customer";
    let shared = row(&company.other_rep.client, list, &deal).await;
    assert!(shared["contract_id"].is_string(), "{shared}");
    assert_eq!(member(&shared, "contract"), &Value::Null);
    assert_eq!(shared["customer"]["owner"]["id"], json!(company.rep.id));
    assert!(row(&company.rep.client, list, &deal).await["contract"]["customer"].is_object());
}

async fn not_more_is_included_than_the_document_says(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let five = "owner,customer,customer.owner,contract.owner,contract.customer";
    let six = "owner,customer,customer.owner,contract,contract.owner,contract.customer";
    let cases = [
        ("payments", five, true),
        ("payments", six, false),
        // What is said twice is there once, and counts twice; so many are taken of every list, be its relations few.
        ("payments", "owner,owner,customer.owner,customer,customer.owner", true),
        ("payments", "owner,owner,owner,owner,owner,owner", false),
        ("customers", "owner,owner", true),
        ("customers", "owner,primary_contact,owner", true),
        ("customers", "owner,owner,owner,owner,owner,owner", false),
        ("pool_customers", "primary_contact", true),
        ("pool_customers", "primary_contact,primary_contact", true),
        ("pool_customers", "owner", false),
        ("contracts", "contract", false),
        ("payments", "contract.customer.owner", false),
        ("payments", "customer.", false),
        ("payments", "customer.primary_contact", false),
        ("payments", "owner.team", false),
    ];
    for (resource, include, taken) in cases {
        let list = if resource == "pool_customers" { "public-pool/customers" } else { resource };
        let answer = rep.get(&format!("/{list}?include={include}")).await;
        let form = json!({"resource": resource, "name": "A view", "query": format!("include={include}")});
        let view = rep.post("/saved-views", form).await;
        if taken {
            answer.expect(200);
            view.expect(201);
        } else {
            let refused = answer.refused(400, "malformed_request");
            assert_eq!(refused.body["errors"][0]["pointer"], "include", "{list} {include}");
            let refused = view.refused(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], "/query", "{list} {include}");
        }
    }
    let customer = company.customer(&company.rep).await;
    let twice = row(rep, "/customers?include=owner,owner", &customer).await;
    assert_eq!(twice["owner"]["id"], json!(company.rep.id));
    let asked = rep.request(Method::GET, &format!("/payments?include={six}"));
    let refused = rep.send(asked.header("accept-language", "zh-CN")).await.refused(400, "malformed_request");
    let message = refused.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("最多为下列值中的 5 个：owner, customer"), "{message}");
}
