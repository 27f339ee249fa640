//! What a record that is read alone includes: the same as the row of its list, judged alike, and only where it was asked
//! for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::includes::{opportunity, row, sold};
use crate::support::{Company, Server};

on_both_databases! {
    a_record_alone_includes_what_its_row_does;
    what_is_not_there_is_null_where_it_was_asked_for;
    what_is_hidden_in_lists_is_hidden_alone;
    opening_a_pool_customer_shows_its_primary_contact_at_once;
    a_tag_is_of_what_was_included_as_well;
    members_are_chosen_beside_what_is_included;
    what_a_record_does_not_include_is_refused;
    writes_include_nothing;
}

/// The member that a word of `include` adds.
fn member(word: &str) -> &str {
    word.split_once('.').map_or(word, |(record, _)| record)
}

async fn a_record_alone_includes_what_its_row_does(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let make = async |path: &str, form: Value| rep.post(path, form).await.expect(201).id();
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let customer = rep.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let invoice = company.invoice_draft(&company.rep, &contract, "10.00").await;
    let paid = company.active(&company.rep, "50.00", "by_contract").await;
    let payment = make("/payments", Company::payment(&paid, "10.00")).await;
    let lead = make("/leads", json!({"name": "Lin", "source": "website"})).await;
    let person = json!({"customer_id": customer, "name": "Zhang", "title": "Buyer", "is_primary": true});
    let person = make("/contacts", person).await;
    let about = json!({"kind": "customer", "id": customer});
    let call = make("/activities", json!({"about": about, "kind": "call", "subject": "Called"})).await;
    let share = json!({"customer_id": customer, "user_id": company.colleague.id, "access": "read"});
    let share = make("/collaborators", share).await;
    // An opportunity that became a contract: each leads to the other.
    let deal = opportunity(&company, &customer).await;
    let became = sold(&company, &deal).await;

    let of_customer = ["customer", "customer.owner"];
    let of_contract =
        ["owner", "customer", "customer.owner", "contract", "contract.owner", "contract.customer"];
    for (list, id, words) in [
        ("/leads", &lead, &["owner"][..]),
        ("/customers", &customer, &["owner", "primary_contact"][..]),
        ("/contacts", &person, &of_customer[..]),
        ("/activities", &call, &of_customer[..]),
        ("/collaborators", &share, &of_customer[..]),
        ("/opportunities", &deal, &of_contract[..]),
        ("/contracts", &became, &["owner", "customer", "customer.owner", "opportunity"][..]),
        ("/invoices", &invoice, &of_contract[..]),
        ("/payments", &payment, &of_contract[..]),
    ] {
        let path = format!("{list}/{id}");
        let bare = rep.get(&path).await.expect(200).body;
        let asked: Vec<Vec<&str>> = words.iter().map(|word| vec![*word]).collect();
        let together = words.chunks(5).map(<[&str]>::to_vec);
        for some in asked.into_iter().chain(together) {
            let include = some.join(",");
            let among = row(rep, &format!("{list}?limit=200&include={include}"), id).await;
            let mut alone = rep.get(&format!("{path}?include={include}")).await.expect(200).body;
            let members = alone.as_object_mut().unwrap();
            for word in &some {
                let shown = members.get(member(word)).unwrap_or_else(|| panic!("{path}: no {word}"));
                assert!(shown.is_object(), "{path} {word}: {shown}");
                assert_eq!(shown, &among[member(word)], "{path} {include}");
            }
            members.retain(|name, _| !some.iter().any(|word| member(word) == name));
            assert_eq!(alone, bare, "{path} {include}: the record is another one with what is included");
        }
    }
}

async fn what_is_not_there_is_null_where_it_was_asked_for(server: Server) {
    let company = Company::found(&server).await;
    let (rep, manager) = (&company.rep.client, &company.manager.client);
    let form = json!({"name": "Nobody's", "source": "website"});
    let lead = company.marketing.client.post("/leads", form).await.expect(201).id();
    let own = rep.post("/leads", json!({"name": "Own", "source": "website"})).await.expect(201).id();
    let about = json!({"kind": "lead", "id": own});
    let call = json!({"kind": "call", "subject": "Called", "about": about});
    let call = rep.post("/activities", call).await.expect(201).id();
    let customer = company.customer(&company.rep).await;
    let deal = json!({"customer_id": customer, "name": "Deal"});
    let deal = rep.post("/opportunities", deal).await.expect(201).id();
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let target = json!({
        "team_id": manager.get("/me").await.expect(200).body["team_id"], "month": "2026-05",
        "measure": "signed", "amount": {"amount": "100.00", "currency": "CNY"},
    });
    let target = manager.post("/targets", target).await.expect(201).id();
    for (client, path, relation) in [
        (&company.marketing.client, format!("/leads/{lead}"), "owner"),
        (rep, format!("/activities/{call}"), "customer"),
        (rep, format!("/opportunities/{deal}"), "contract"),
        (rep, format!("/contracts/{contract}"), "opportunity"),
        (rep, format!("/customers/{customer}"), "primary_contact"),
        (manager, format!("/targets/{target}"), "owner"),
    ] {
        let asked = client.get(&format!("{path}?include={relation}")).await.expect(200).body;
        assert_eq!(asked.get(relation), Some(&Value::Null), "{path}: {asked}");
        let bare = client.get(&path).await.expect(200).body;
        assert_eq!(bare.get(relation), None, "{path}: {bare}");
    }
}

async fn what_is_hidden_in_lists_is_hidden_alone(server: Server) {
    let company = Company::found(&server).await;
    let (rep, other) = (&company.rep.client, &company.other_rep.client);
    // A contract stays with its seller when the customer goes to somebody whose customers the seller does not see.
    let contract = company.draft(&company.other_rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}");
    let asked = format!("{path}?include=owner,customer.owner");
    let before = other.get(&asked).await.expect(200);
    assert!(before.body["customer"]["owner"].is_object(), "{}", before.text);
    let customer = before.text_of("customer_id");
    let assign = json!({"owner_id": company.rep.id});
    company.director.client.post(&format!("/customers/{customer}/assign"), assign).await.expect(200);
    let after = other.get(&asked).await.expect(200);
    assert_eq!(after.body.get("customer"), Some(&Value::Null), "{}", after.text);
    assert_eq!(after.body["owner"]["id"], json!(company.other_rep.id));
    assert!(!after.text.contains(&company.rep.id), "{}", after.text);
    let list = "/contracts?include=owner,customer.owner";
    assert_eq!(row(other, list, &contract).await["customer"], after.body["customer"]);
    // Whoever sees both is shown both, and whoever sees neither is shown nothing.
    let whole = company.director.client.get(&asked).await.expect(200).body;
    assert_eq!(whole["customer"]["owner"]["id"], json!(company.rep.id));
    rep.get(&asked).await.refused(404, "not_found");

    // An opportunity is shared with its customer, the contract that it became is not.
    let shared = company.customer(&company.rep).await;
    let deal = opportunity(&company, &shared).await;
    sold(&company, &deal).await;
    let share = json!({"customer_id": shared, "user_id": company.other_rep.id, "access": "read"});
    rep.post("/collaborators", share).await.expect(201);
    let asked = format!("/opportunities/{deal}?include=customer,contract.customer");
    let seen = other.get(&asked).await.expect(200).body;
    assert!(seen["contract_id"].is_string() && seen["customer"]["id"] == json!(shared), "{seen}");
    assert_eq!(seen.get("contract"), Some(&Value::Null), "{seen}");
    assert!(rep.get(&asked).await.expect(200).body["contract"]["customer"].is_object());
}

/// The contacts of a masked customer are behind opening it, and to read it is to open it.
async fn opening_a_pool_customer_shows_its_primary_contact_at_once(server: Server) {
    let company = Company::found(&server).await;
    let form = json!({"kind": "company", "name": "Pooled", "phone": "138 0013 8000"});
    let pooled = company.admin.client.post("/customers", form).await.expect(201).id();
    let form = json!({
        "customer_id": pooled, "name": "Zhang", "title": "Buyer", "phone": "139 9999 8888", "is_primary": true,
    });
    let zhang = company.admin.client.post("/contacts", form).await.expect(201).id();
    let shown = json!({"id": zhang, "name": "Zhang", "title": "Buyer"});
    for (person, home, include) in [
        (&company.rep, "/customers", "owner,primary_contact"),
        (&company.colleague, "/public-pool/customers", "primary_contact"),
    ] {
        let client = &person.client;
        let list = format!("{home}?include={include}");
        assert_eq!(row(client, &list, &pooled).await["primary_contact"], Value::Null, "{home}");
        let opened = client.get(&format!("{home}/{pooled}?include={include}")).await.expect(200);
        assert_eq!(opened.body["primary_contact"], shown, "{home}");
        assert_eq!(opened.body.get("owner").is_some(), include.contains("owner"), "{home}");
        assert!(opened.body["phone"].as_str().unwrap().contains('*'), "{}", opened.text);
        let again = client.get(&format!("{home}/{pooled}?include={include}")).await.expect(200);
        assert_eq!(again.body, opened.body, "{home}");
        assert_eq!(row(client, &list, &pooled).await["primary_contact"], shown, "{home}");
        // Its contact is read with the customer.
        let contact = client.get(&format!("/contacts/{zhang}?include=customer.owner")).await.expect(200);
        assert_eq!(contact.body["customer"]["id"], json!(pooled));
        assert_eq!(contact.body["customer"].get("owner"), Some(&Value::Null), "{}", contact.text);
    }
}

/// The tag tells whether anything that was shown is other now; which version it is of is another matter.
async fn a_tag_is_of_what_was_included_as_well(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}");
    let asked = format!("{path}?include=customer");
    let known = async |path: &str, tag: &str| {
        rep.send(rep.request(Method::GET, path).header("if-none-match", tag)).await
    };
    let (bare, whole) = (rep.get(&path).await.expect(200), rep.get(&asked).await.expect(200));
    let (of_record, of_both) = (bare.header("etag"), whole.header("etag"));
    assert!(of_record != of_both && of_both.starts_with("\"v1-"), "{of_record} {of_both}");
    known(&path, of_record).await.expect(304);
    known(&asked, of_both).await.expect(304);
    // The one is not the other, and other relations are something else again.
    known(&asked, of_record).await.expect(200);
    known(&path, of_both).await.expect(200);
    known(&format!("{path}?include=owner"), of_both).await.expect(200);

    let customer = format!("/customers/{}", bare.text_of("customer_id"));
    rep.patch(&customer, json!({"name": "Renamed"})).await.expect(200);
    known(&path, of_record).await.expect(304);
    let after = known(&asked, of_both).await.expect(200);
    assert_eq!(after.body["customer"]["name"], "Renamed");
    assert_eq!(after.body["version"], whole.body["version"]);

    // A write goes by the version, whatever was shown beside it.
    rep.patch_if(&path, of_both, json!({"title": "Delivery in May"})).await.expect(200);
    let late = rep.patch_if(&path, of_both, json!({"title": "Delivery in June"})).await;
    late.refused(412, "version_mismatch");
    let now = known(&asked, after.header("etag")).await.expect(200);
    assert!(
        now.header("etag").starts_with("\"v2-") && now.body["title"] == "Delivery in May",
        "{}",
        now.text
    );
}

async fn members_are_chosen_beside_what_is_included(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}");
    let whole = rep.get(&format!("{path}?include=owner,customer.owner")).await.expect(200);
    let (owner, customer) = (&whole.body["owner"], &whole.body["customer"]);
    for (query, expected) in [
        ("fields=id&include=customer.owner", json!({"id": contract, "customer": customer})),
        (
            "include=owner,customer.owner&fields=id,customer",
            json!({"id": contract, "owner": owner, "customer": customer}),
        ),
        ("fields=owner&include=owner", json!({"owner": owner})),
        ("fields=version&include=opportunity", json!({"version": 1, "opportunity": null})),
        ("fields=id,version", json!({"id": contract, "version": 1})),
    ] {
        let some = rep.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(some.body, expected, "{query}");
        assert!(some.header("etag").starts_with("\"v1-"), "{query}");
    }
    // A related record that nobody asked to include is no member that could be chosen.
    for query in ["fields=customer", "fields=id,customer&include=owner"] {
        let refused = rep.get(&format!("{path}?{query}")).await.refused(400, "malformed_request");
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], "fields", "{query}");
        assert_eq!(error["message"], "`customer` is there only where `include` names it", "{query}");
    }
}

async fn what_a_record_does_not_include_is_refused(server: Server) {
    let company = Company::found(&server).await;
    let (rep, admin) = (&company.rep.client, &company.admin.client);
    let lead = rep.post("/leads", json!({"name": "Lin", "source": "website"})).await.expect(201).id();
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    let payment = Company::payment(&contract, "10.00");
    let payment = rep.post("/payments", payment).await.expect(201).id();
    let pooled = company.pool_customer().await;
    let six = "owner,customer,customer.owner,contract,contract.owner,contract.customer";
    let of_contract = "expected up to 5 of owner, customer, customer.owner, opportunity".to_owned();
    let of_payment = format!("expected up to 5 of {}", six.replace(',', ", "));
    let of_lead = "expected up to 5 of owner".to_owned();
    let of_pool = "expected up to 5 of primary_contact".to_owned();
    for (path, include, message) in [
        (format!("/leads/{lead}"), "customer", &of_lead),
        (format!("/leads/{lead}"), "owner,owner,owner,owner,owner,owner", &of_lead),
        (format!("/leads/{lead}"), "", &of_lead),
        (format!("/contracts/{contract}"), "contract", &of_contract),
        (
            format!("/contracts/{contract}"),
            "owner,customer,customer.owner,opportunity,owner,owner",
            &of_contract,
        ),
        (format!("/payments/{payment}"), "owner.team", &of_payment),
        (format!("/payments/{payment}"), "contract.customer.owner", &of_payment),
        (format!("/payments/{payment}"), six, &of_payment),
        // In the pool nobody has an owner.
        (format!("/public-pool/customers/{pooled}"), "owner", &of_pool),
    ] {
        let refused = rep.get(&format!("{path}?include={include}")).await.refused(400, "malformed_request");
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], "include", "{path} {include}");
        assert_eq!(error["message"], *message, "{path} {include}");
    }
    let asked = rep.request(Method::GET, &format!("/leads/{lead}?include=customer"));
    let refused = rep.send(asked.header("accept-language", "zh-CN")).await.refused(400, "malformed_request");
    let message = refused.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("最多为下列值中的 5 个：owner"), "{message}");
    // Nothing else but its members is asked of a record, and of one without relations not even that.
    let refused = rep.get(&format!("/leads/{lead}?limit=1")).await.refused(400, "malformed_request");
    assert_eq!(
        (&refused.body["errors"][0]["pointer"], &refused.body["allowed"]),
        (&json!("limit"), &json!(["include", "fields"]))
    );
    let twice = format!("/leads/{lead}?include=owner&include=owner");
    let refused = rep.get(&twice).await.refused(400, "malformed_request");
    assert_eq!(refused.body["errors"][0]["pointer"], "include");
    let pipeline = company.pipeline["id"].as_str().unwrap();
    for path in [
        format!("/pipelines/{pipeline}"),
        format!("/contracts/{contract}/billing"),
        format!("/contracts/{contract}/document"),
        format!("/users/{}", company.rep.id),
    ] {
        let refused = admin.get(&format!("{path}?include=owner")).await.refused(400, "malformed_request");
        assert_eq!(refused.body["errors"][0]["pointer"], "include", "{path}");
    }
    // Said twice or in another order, it is there once.
    let twice = rep.get(&format!("/payments/{payment}?include=owner,customer.owner,owner")).await.expect(200);
    let other =
        rep.get(&format!("/payments/{payment}?include=customer,owner,customer.owner")).await.expect(200);
    assert_eq!((&twice.body, twice.header("etag")), (&other.body, other.header("etag")));
    // Of few relations as of many.
    for (path, include) in [
        (format!("/leads/{lead}"), "owner,owner"),
        (format!("/contracts/{contract}"), "owner,customer,customer.owner,opportunity,owner"),
    ] {
        rep.get(&format!("{path}?include={include}")).await.expect(200);
    }
}

async fn writes_include_nothing(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let form = json!({"name": "Lin", "source": "website"});
    let lead = rep.post("/leads", form.clone()).await.expect(201).id();
    let path = format!("/leads/{lead}");
    for answer in [
        rep.post("/leads?include=owner", form).await,
        rep.patch(&format!("{path}?include=owner"), json!({"title": "CEO"})).await,
        rep.act(&format!("{path}/release?include=owner")).await,
        rep.delete(&format!("{path}?include=owner")).await,
    ] {
        let refused = answer.refused(400, "malformed_request");
        assert_eq!(refused.body["errors"][0]["pointer"], "include", "{}", refused.request);
    }
    let changed = rep.patch(&path, json!({"title": "CEO"})).await.expect(200);
    assert!(changed.body.get("owner").is_none(), "{}", changed.text);
}
