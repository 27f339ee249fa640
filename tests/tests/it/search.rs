//! Global search: found is what lists show, by what may be known of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, Company, Kind, Server};

on_both_databases! {
    records_are_found_by_names_numbers_and_telephones;
    names_that_begin_so_come_before_many_others;
    names_come_before_contact_data;
    a_customer_is_found_before_its_invoices;
    what_has_no_name_is_called_by_its_number;
    numbers_of_names_are_found_as_written;
    telephone_numbers_are_found_however_they_are_dialled;
    telephone_numbers_are_one_to_duplicates_search_and_filters;
    what_changes_is_found_as_it_is_now;
    nobody_finds_what_they_do_not_see;
    masked_contact_data_is_not_looked_in;
    questions_are_checked;
    whatever_is_typed_is_looked_for;
}

/// What somebody finds: kind, title and fit of each.
async fn found(client: &Client, question: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let path = format!("/search?{}", serde_urlencoded(question));
    let body = client.get(&path).await.expect(200).body;
    let text = |hit: &Value, member: &str| hit[member].as_str().unwrap_or_default().to_owned();
    let hits = body["data"].as_array().unwrap().iter();
    hits.map(|hit| (text(hit, "kind"), text(hit, "title"), text(hit, "fit"))).collect()
}

pub fn serde_urlencoded(pairs: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://localhost", pairs).unwrap();
    url.query().unwrap_or_default().to_owned()
}

async fn titles(client: &Client, q: &str) -> Vec<String> {
    found(client, &[("q", q)]).await.into_iter().map(|(_, title, _)| title).collect()
}

fn company_named(name: &str) -> Value {
    json!({"kind": "company", "name": name})
}

async fn records_are_found_by_names_numbers_and_telephones(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    for (name, phone) in [
        ("上海星辰科技有限公司", "+86 21 5588 1234"),
        ("北京星辰文化传播有限公司", "+86 10 6655 4321"),
        ("Müller Maschinenbau GmbH", "+49 89 123 45678"),
        ("Acme", "+1 212 555 0100"),
        ("Acme Machinery", "+1 212 555 0199"),
        ("The Acme", "+1 212 555 0177"),
    ] {
        let form = json!({"kind": "company", "name": name, "phone": phone});
        rep.post("/customers", form).await.expect(201);
    }
    for (question, expected) in [
        ("星辰", &["北京星辰文化传播有限公司", "上海星辰科技有限公司"][..]),
        ("上海星辰", &["上海星辰科技有限公司"]),
        ("上海 科技", &["上海星辰科技有限公司"]),
        ("MULLER", &["Müller Maschinenbau GmbH"]),
        ("masch mull", &["Müller Maschinenbau GmbH"]),
        ("Mueller", &["Müller Maschinenbau GmbH"]),
        ("5588 1234", &["上海星辰科技有限公司"]),
        ("021", &[]),
        ("12125550199", &["Acme Machinery"]),
        ("0177", &["The Acme"]),
        // The whole name first, then those whose name begins so.
        ("acme", &["Acme", "Acme Machinery", "The Acme"]),
        ("acne", &["The Acme", "Acme Machinery", "Acme"]),
        ("星尘", &[]),
    ] {
        assert_eq!(titles(rep, question).await, expected, "{question}");
    }
    assert_eq!(found(rep, &[("q", "Acme"), ("limit", "2")]).await.len(), 2);

    // Along the chain, each kind by what it is known by.
    let contract = company.active(&company.rep, "1000.00", "by_invoice").await;
    let invoice = company.issued(&company.rep, &contract, "500.00").await;
    let payment = company.paid(&company.rep, &contract, "100.00").await;
    for (path, kind) in [
        (format!("/contracts/{contract}"), "contract"),
        (format!("/invoices/{invoice}"), "invoice"),
        (format!("/payments/{payment}"), "payment"),
    ] {
        let record = company.director.client.get(&path).await.expect(200).body;
        let number = record["number"].as_str().unwrap();
        for question in [number, &number.replace('-', ""), &number.to_lowercase()] {
            let hits = company.director.client.get(&format!("/search?q={question}")).await.expect(200).body;
            let first = &hits["data"][0];
            assert_eq!(
                (&first["kind"], &first["id"], &first["number"], &first["fit"]),
                (&json!(kind), &record["id"], &record["number"], &json!("whole")),
                "{question}: {hits}"
            );
        }
    }
    let lead = json!({"name": "Zhao Liu", "company": "Bright Future", "source": "website", "email": "liu@bright.example"});
    rep.post("/leads", lead).await.expect(201);
    let customer = company.customer(&company.rep).await;
    let person = json!({"customer_id": customer, "name": "Sun Qi", "email": "qi@bright.example"});
    rep.post("/contacts", person).await.expect(201);
    let opportunity = json!({"customer_id": customer, "name": "Bright lights"});
    rep.post("/opportunities", opportunity).await.expect(201);
    let kinds: BTreeSet<String> =
        found(rep, &[("q", "bright")]).await.into_iter().map(|(kind, _, _)| kind).collect();
    assert_eq!(kinds, ["contact", "lead", "opportunity"].map(str::to_owned).into());
    for kinds in ["lead,contact", "contact,lead,contact,lead"] {
        let only = found(rep, &[("q", "bright"), ("kinds", kinds)]).await;
        assert_eq!(only.len(), 2, "{only:?}");
    }
}

async fn names_that_begin_so_come_before_many_others(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    let lead = async |name: &str| {
        rep.post("/leads", json!({"name": name, "source": "website"})).await.expect(201);
    };
    lead("Zebrax Prime").await;
    // More than are looked at, and all of them younger.
    for number in 0..205 {
        lead(&format!("The Zebrax {number}")).await;
    }
    for (question, fit) in [("zebrax", "words"), ("zebra", "beginnings")] {
        for limit in [1, 50] {
            let hits = found(rep, &[("q", question), ("limit", &limit.to_string())]).await;
            let names: Vec<&str> = hits.iter().map(|(_, title, _)| title.as_str()).collect();
            let different: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!((names.len(), different.len()), (limit, limit), "{question}: {names:?}");
            assert!(hits.iter().all(|(_, _, told)| told == fit), "{question}: {hits:?}");
            let expected = ["Zebrax Prime", "The Zebrax 204", "The Zebrax 203"];
            assert!(names.iter().zip(expected).all(|(name, expected)| *name == expected), "{names:?}");
        }
    }
    assert_eq!(titles(rep, "zebrax pr").await, ["Zebrax Prime"]);
}

async fn names_come_before_contact_data(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    for name in ["Kunming Steel", "Old Kunming Mill"] {
        rep.post("/customers", company_named(name)).await.expect(201);
    }
    let other = rep.post("/customers", company_named("Somebody else")).await.expect(201).id();
    // Younger, and known by the same word.
    let person = json!({"customer_id": other, "name": "Li Wei", "email": "li@kunming.example"});
    rep.post("/contacts", person).await.expect(201);
    let lead = json!({"name": "Zhang", "source": "website", "email": "zhang@kunming.example"});
    rep.post("/leads", lead).await.expect(201);
    for question in ["Kunmng", "kunming", "kunmi"] {
        let names = titles(rep, question).await;
        let begins = if question == "Kunmng" {
            ["Old Kunming Mill", "Kunming Steel"]
        } else {
            ["Kunming Steel", "Old Kunming Mill"]
        };
        assert_eq!(names, [begins[0], begins[1], "Li Wei", "Zhang"], "{question}");
    }
}

async fn a_customer_is_found_before_its_invoices(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    let name = "苏州云仓科技有限公司 Suzhou Yuncang";
    let customer = rep.post("/customers", company_named(name)).await.expect(201).id();
    let person = json!({"customer_id": customer, "name": "Yuncang Wang"});
    rep.post("/contacts", person).await.expect(201);
    let money = json!({"amount": "1000.00", "currency": "CNY"});
    let form = json!({
        "title": "Delivery", "customer_id": customer, "amount": money, "collection_scheme": "by_invoice",
        "installments": [{"due_on": "2026-12-31", "amount": money}],
    });
    let contract = rep.post("/contracts", form).await.expect(201).id();
    rep.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    company.approve(&contract).await;
    company.issued(&company.rep, &contract, "1.00").await;
    let mut payment = Company::payment(&contract, "1.00");
    payment["payer"] = json!(name);
    rep.post("/payments", payment).await.expect(201);
    // More than are looked at, all of them younger.
    for _ in 0..205 {
        let form = json!({
            "contract_id": contract, "amount": {"amount": "1.00", "currency": "CNY"}, "tax_rate": "0.13",
            "kind": "special", "tax_profile": {"invoice_title": name, "tax_number": "91-C"},
        });
        rep.post("/invoices", form).await.expect(201);
    }
    let questions = [
        (name, "whole"),
        ("苏州云仓", "words"),
        ("云仓科技", "words"),
        ("Suzhou Yuncang", "words"),
        ("yuncang 苏州", "words"),
        ("suzh", "beginnings"),
        ("Suzhuo", "similar"),
    ];
    let seen = async |hits: &str| {
        for (question, fit) in questions {
            let hits = found(rep, &[("q", question), ("limit", "20")]).await;
            let first = ("customer".to_owned(), name.to_owned(), fit.to_owned());
            assert_eq!(hits[0], first, "{question}: {hits:?}");
            let kinds: BTreeSet<&str> = hits.iter().map(|(kind, _, _)| kind.as_str()).collect();
            assert!(["invoice", "payment"].iter().all(|kind| kinds.contains(kind)), "{question}: {hits:?}");
            assert_eq!(hits.len(), 20, "{question}: {hits:?}");
        }
        // Every name of its own comes before all that is borrowed.
        let kinds: Vec<String> =
            found(rep, &[("q", "yuncang")]).await.into_iter().map(|(kind, _, _)| kind).collect();
        assert_eq!(kinds[..4], ["contact", "customer", "invoice", "payment"], "{hits}");
        let first = found(rep, &[("q", "云仓"), ("limit", "1")]).await;
        assert_eq!(first[0].0, "customer", "{hits}: {first:?}");
        let only = found(rep, &[("q", "云仓"), ("kinds", "invoice"), ("limit", "50")]).await;
        assert_eq!(only.len(), 50, "{hits}");
    };
    seen("few").await;
    // So common that kinds are walked from their youngest records on. All are invoices to the eyes of the index, but
    // there are no such invoices.
    let mut direct = server.database.connect().await;
    let (id, numbers) = match server.database.kind {
        Kind::Sqlite => (
            "randomblob(16)",
            "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 2500)",
        ),
        Kind::Postgres => ("gen_random_uuid()", "WITH numbers (i) AS (SELECT generate_series(1, 2500))"),
    };
    direct
        .run(&format!(
            "{numbers} INSERT INTO search_entries (record_kind, record_id, title, words, contact_words) \
             SELECT record_kind, {id}, title, words, contact_words FROM numbers, (SELECT * FROM search_entries \
             WHERE record_kind = 'invoice' ORDER BY id LIMIT 1) AS one"
        ))
        .await;
    seen("many").await;
    direct
        .run(
            "DELETE FROM search_entries WHERE record_kind = 'invoice' \
             AND record_id NOT IN (SELECT id FROM invoices)",
        )
        .await;
}

async fn what_has_no_name_is_called_by_its_number(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000.00", "by_contract").await;
    let payment = company.paid(&company.rep, &contract, "100.00").await;
    let number =
        company.director.client.get(&format!("/payments/{payment}")).await.expect(200).text_of("number");
    let hits = found(&company.director.client, &[("q", &number)]).await;
    assert_eq!(hits, [("payment".to_owned(), number, "whole".to_owned())]);
}

async fn numbers_of_names_are_found_as_written(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    rep.post("/leads", json!({"name": "Plan 2026/2027", "source": "website"})).await.expect(201);
    rep.post("/customers", company_named("Frame 2026-11 Steel")).await.expect(201);
    for (question, expected) in [
        ("2026/2027", &["Plan 2026/2027"][..]),
        ("2026 2027", &["Plan 2026/2027"]),
        ("2027 2026", &["Plan 2026/2027"]),
        // As with other words, one of a name may answer for two of the question.
        ("2026/20", &["Frame 2026-11 Steel", "Plan 2026/2027"]),
        ("2026-11", &["Frame 2026-11 Steel"]),
        ("2026", &["Frame 2026-11 Steel", "Plan 2026/2027"]),
        ("2026/2028", &[]),
        ("2025-11", &[]),
    ] {
        assert_eq!(titles(rep, question).await, expected, "{question}");
    }
}

async fn telephone_numbers_are_found_however_they_are_dialled(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = json!({"name": "Li Wei", "source": "website", "phone": "+86 139 0000 0322"});
    rep.post("/leads", lead).await.expect(201);
    for question in [
        "+86 139 0000 0322",
        "008613900000322",
        "0086 139 0000 0322",
        "tel:+8613900000322",
        "139-0000-0322",
        "0000 0322",
    ] {
        assert_eq!(titles(rep, question).await, ["Li Wei"], "{question}");
    }
    for question in ["0049 139 0000 0322", "tel:+4913900000322"] {
        assert_eq!(titles(rep, question).await, Vec::<String>::new(), "{question}");
    }
    // Zeros before the number of a record are its own.
    let contract = company.active(&company.rep, "1000.00", "by_invoice").await;
    let contract = rep.get(&format!("/contracts/{contract}")).await.expect(200).body;
    let number = contract["number"].as_str().unwrap();
    let (_, digits) = number.rsplit_once('-').unwrap();
    for question in [digits, &digits[2..]] {
        let found = found(rep, &[("q", question), ("kinds", "contract")]).await;
        assert_eq!(found.len(), 1, "{question}: {found:?}");
    }
}

async fn telephone_numbers_are_one_to_duplicates_search_and_filters(server: Server) {
    let company = Company::found(&server).await;
    let (rep, admin) = (&company.rep.client, &company.admin.client);
    for (name, ways, other) in [
        (
            "Mobile",
            &["13912340000", "+86 139 1234 0000", "008613912340000", "86 139-1234-0000"][..],
            "13912340001",
        ),
        (
            "Landline",
            &["021-5555 0199", "+86 21 5555 0199", "+86 (0)21 5555 0199", "(021) 5555-0199"],
            "022-5555 0199",
        ),
    ] {
        for (at, typed) in ways.iter().enumerate() {
            let name = format!("{name} {at}");
            let form = json!({"kind": "company", "name": name, "phone": typed});
            let id = rep.post("/customers", form).await.expect(201).id();
            for again in ways {
                let form = json!({"kind": "company", "name": "Again", "phone": again});
                rep.post("/customers", form).await.refused(409, "possible_duplicate");
                let form = json!({"name": "Again", "source": "website", "phone": again});
                rep.post("/leads", form).await.refused(409, "possible_duplicate");
                assert_eq!(titles(rep, again).await, std::slice::from_ref(&name), "{again} for {typed}");
                for (member, expected) in [("phone", true), ("phone_ne", false)] {
                    let path = format!("/customers?{}", serde_urlencoded(&[(member, again)]));
                    let listed = rep.get(&path).await.expect(200).body["data"].clone();
                    let is_listed = listed.as_array().unwrap().iter().any(|row| row["id"] == json!(id));
                    assert_eq!(is_listed, expected, "{member}={again} for {typed}");
                }
                let body = json!({"all": [{"any": [{"phone": [again]}]}]});
                let listed = rep.post("/customers/search", body).await.expect(200).body["data"].clone();
                assert_eq!(listed[0]["id"], json!(id), "{again} for {typed}");
            }
            assert_eq!(titles(rep, other).await, Vec::<String>::new());
            // Without a `%2B` a `+` is a space.
            let path = format!("/customers?phone={}", ways[1].replace(' ', ""));
            assert_eq!(rep.get(&path).await.expect(200).body["data"][0]["id"], json!(id), "{path}");
            // Where it is masked, it is neither found nor filtered by.
            rep.post(&format!("/customers/{id}/release"), json!({"reason": "No need"})).await.expect(200);
            let colleague = &company.colleague.client;
            for again in ways {
                assert_eq!(titles(colleague, again).await, Vec::<String>::new(), "{again} for {typed}");
                let path = format!("/customers?{}", serde_urlencoded(&[("phone", again)]));
                let listed = colleague.get(&path).await.expect(200).body["data"].clone();
                assert_eq!(listed, json!([]), "{again} for {typed}");
                let listed = admin.get(&path).await.expect(200).body["data"].clone();
                assert_eq!(listed[0]["id"], json!(id), "{again} for {typed}");
            }
            admin.patch(&format!("/customers/{id}"), json!({"phone": null})).await.expect(200);
        }
    }
}

async fn what_changes_is_found_as_it_is_now(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let id = rep.post("/customers", company_named("Before Limited")).await.expect(201).id();
    let path = format!("/customers/{id}");
    rep.patch(&path, json!({"name": "After Limited"})).await.expect(200);
    assert_eq!(titles(rep, "before").await, Vec::<String>::new());
    assert_eq!(titles(rep, "after").await, ["After Limited"]);
    let lead = json!({"name": "Gone Tomorrow", "source": "website"});
    let lead = rep.post("/leads", lead).await.expect(201).id();
    company.manager.client.delete(&format!("/leads/{lead}")).await.expect(204);
    assert_eq!(titles(rep, "tomorrow").await, Vec::<String>::new());
    // What a merge leaves of two is found once.
    let second = rep.post("/customers", company_named("After All")).await.expect(201).id();
    company.manager.client.post(&format!("{path}/merge"), json!({"loser_id": second})).await.expect(200);
    assert_eq!(titles(rep, "after").await, ["After Limited"]);
    server.verify().await;
}

async fn nobody_finds_what_they_do_not_see(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    for person in [&company.rep, &company.other_rep, &company.inner] {
        for number in 0..3 {
            let form = company_named(&format!("Lookalike {number}"));
            person.client.post("/customers", form).await.expect(201);
            let lead = json!({"name": format!("Lookalike {number}"), "source": "website"});
            person.client.post("/leads", lead).await.expect(201);
        }
    }
    company.active(&company.other_rep, "100.00", "by_contract").await;
    for (role, person) in company.by_role() {
        let client = &person.client;
        for (kind, path, word) in [
            ("lead", "/leads?name_prefix=Lookalike&limit=200", "lookalike"),
            ("customer", "/customers?name_prefix=Lookalike&limit=200", "lookalike"),
            ("contract", "/contracts?limit=200", "CT"),
        ] {
            let ids = |rows: &Value| -> BTreeSet<String> {
                rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
            };
            let listed = client.get(path).await;
            let listed =
                if listed.status == 403 { BTreeSet::new() } else { ids(&listed.expect(200).body["data"]) };
            let hits = client.get(&format!("/search?q={word}&kinds={kind}&limit=50")).await.expect(200).body;
            assert_eq!(ids(&hits["data"]), listed, "{role} finds other {kind}s than they see");
        }
    }
    let mine = found(&company.rep.client, &[("q", "lookalike"), ("kinds", "customer")]).await;
    assert_eq!(mine.len(), 3, "{mine:?}");
}

async fn masked_contact_data_is_not_looked_in(server: Server) {
    let company = Company::found(&server).await;
    let form = json!({
        "kind": "company", "name": "Hidden Phone", "phone": "+86 138 0013 8000", "email": "chief@secret.example",
        "registration_number": "91310000MA1FL0000X", "tax_profiles": [{"tax_number": "91310000MA1FL0000X"}],
    });
    let id = company.admin.client.post("/customers", form).await.expect(201).id();
    let rep = &company.rep.client;
    assert_eq!(titles(rep, "hidden").await, ["Hidden Phone"], "its name is for everybody in its pool");
    let questions = ["8613800138000", "8000", "secret", "chief@secret.example", "91310000MA1FL0000X"];
    for question in questions {
        assert_eq!(titles(rep, question).await, Vec::<String>::new(), "{question}");
        assert_eq!(titles(&company.admin.client, question).await, ["Hidden Phone"], "{question}");
    }
    rep.act(&format!("/public-pool/customers/{id}/claim")).await.expect(200);
    for question in questions {
        assert_eq!(titles(rep, question).await, ["Hidden Phone"], "{question}");
    }
    let contact =
        json!({"customer_id": id, "name": "Chen Bo", "phone": "+86 139 0000 7777", "wechat": "chenbo77"});
    rep.post("/contacts", contact).await.expect(201);
    assert_eq!(titles(rep, "7777").await, ["Chen Bo"]);
    rep.post(&format!("/customers/{id}/release"), json!({"reason": "No need"})).await.expect(200);
    let colleague = &company.colleague.client;
    for question in ["7777", "chenbo77", "chen"] {
        assert_eq!(titles(colleague, question).await, Vec::<String>::new(), "{question}");
    }
    // Whoever opens the customer sees its contacts, masked.
    colleague.get(&format!("/public-pool/customers/{id}")).await.expect(200);
    assert_eq!(titles(colleague, "chen").await, ["Chen Bo"]);
    assert_eq!(titles(colleague, "7777").await, Vec::<String>::new());
}

async fn questions_are_checked(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    for (query, name) in [
        ("", "q"),
        ("q=", "q"),
        ("q=a%00b", "q"),
        ("q=%FF", "q"),
        (&format!("q={}", "x".repeat(201)), "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=51", "limit"),
        ("q=a&limit=x", "limit"),
        ("q=a&kinds=user", "kinds/0"),
        ("q=a&kinds=", "kinds/0"),
        ("q=a&q=b", "q"),
        ("q=a&page=2", "page"),
    ] {
        let refused = rep.get(&format!("/search?{query}")).await.refused(400, "malformed_request");
        assert_eq!(refused.body["errors"][0]["pointer"], name, "{query}");
    }
}

async fn whatever_is_typed_is_looked_for(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let name = "Harbour AND b*";
    rep.post("/customers", company_named(name)).await.expect(201);
    // Nothing of it is a command of a database, or of its way to write what is looked for.
    for (question, expected) in [
        ("\"harbour\" AND b*", &[name][..]),
        ("harbour:* & (b)", &[name]),
        ("harbour%", &[name]),
        ("' OR 1=1 --", &[]),
        ("harbour | steel", &[]),
        ("NEAR(a b)", &[]),
        ("words : x", &[]),
        ("~x =y", &[]),
        ("%", &[]),
        ("_", &[]),
        ("\\", &[]),
        ("'", &[]),
        ("!?", &[]),
        ("😀 smile", &[]),
    ] {
        assert_eq!(titles(rep, question).await, expected, "{question}");
    }
}
