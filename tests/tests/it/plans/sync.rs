//! What copies and listeners are told of what they missed is looked up by what happened, not among all that there is.

use reqwest::Method;

use super::*;

/// However many records there are and ever were, a copy asks for what happened since.
pub(super) async fn a_difference_is_told_by_what_happened(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let customer = company.customer(&company.rep).await;
    tell(&mut server).await;
    let rep = company.rep.client.at(&server.url);
    let amount = json!({"amount": "100.00", "currency": "CNY"});
    let activity =
        json!({"about": {"kind": "customer", "id": customer}, "kind": "call", "subject": "Called"});
    let contract = json!({
        "customer_id": customer, "title": "Contract", "amount": amount, "collection_scheme": "by_contract",
        "installments": [{"due_on": "2026-12-31", "amount": amount}],
    });
    let transfer = json!({
        "kind": "customers", "record_ids": [], "to_user_id": company.colleague.id, "reason": "Closer by",
    });
    for (kind, table, path, form) in [
        ("contact", "contacts", "/contacts", json!({"customer_id": customer, "name": "Li Wei"})),
        ("activity", "activities", "/activities", activity),
        ("approval", "approvals", "/contracts", contract),
        ("transfer", "transfers", "/transfers", transfer),
    ] {
        for person in [&company.rep, &company.director] {
            let client = person.client.at(&server.url);
            let mut form = form.clone();
            if kind == "transfer" {
                // A customer is in one that waits.
                let another = json!({"kind": "company", "name": format!("For {}", person.id)});
                form["record_ids"] = json!([rep.post("/customers", another).await.expect(201).id()]);
            }
            let point = client.get(&format!("/sync?kinds={kind}")).await.expect(200).text_of("next");
            let made = rep.post(path, form).await.expect(201).id();
            if kind == "approval" {
                rep.act(&format!("/contracts/{made}/submit")).await.expect(200);
            }
            let begun = all_sent(&server).len();
            let told = client.get(&format!("/sync?kinds={kind}&since={point}")).await.expect(200).body;
            assert_eq!(told[table].as_array().unwrap().len(), 1, "{told}");
            let asked = all_sent(&server).split_off(begun);
            let last = |words: [&str; 2]| {
                let fits = |statement: &&String| words.iter().all(|word| statement.contains(word));
                asked.iter().rfind(fits).expect("a statement").clone()
            };
            let changed = last([&format!("FROM {table} WHERE"), "FROM audit_events WHERE"]);
            let removed = last(["FROM standings", "GROUP BY own.record_id"]);
            for statement in [changed, removed] {
                let plan = plan(&server.database, &statement).await;
                match server.database.kind {
                    Kind::Sqlite => {
                        let mut tables =
                            vec![table, "customers", "standings", "audit_events", "moved", "theirs", "here"];
                        if ["approval", "transfer"].contains(&kind) {
                            // Of those that are seen with others it is what was found already.
                            tables.push("own");
                        }
                        assert!(read_whole(&plan, &tables).is_empty(), "{statement} reads all:\n{plan}");
                        for whole in ["(id>?)", "(since<?)"] {
                            assert!(!plan.contains(whole), "{statement} reads nearly all:\n{plan}");
                        }
                    }
                    // Which index it takes depends on how many rows there are. What is asked of each row in turn,
                    // though, is asked of all of them, however many there are.
                    Kind::Postgres => {
                        assert!(!plan.contains("SubPlan"), "{statement} looks at each row:\n{plan}");
                    }
                }
            }
        }
    }
}

/// Pages of a copy that is begun go on where the one before ended: none sorts everything anew. PostgreSQL goes by what
/// it knows of the tables.
pub(super) async fn heavy_a_first_copy_is_told_in_the_order_of_an_index(server: Server) {
    let mut server = server;
    if server.database.kind == Kind::Postgres {
        return;
    }
    let company = many(&mut server).await;
    for (person, order) in [(&company.director, "(id>?)"), (&company.rep, "(customer_id=?)")] {
        person.client.at(&server.url).get("/sync?kinds=contact").await.expect(200);
        let about = |it: &String| it.contains("FROM contacts WHERE") && it.contains("ORDER BY id");
        let statement = all_sent(&server).into_iter().rfind(about).expect("a statement");
        let plan = plan(&server.database, &statement).await;
        assert!(plan.contains(order), "{statement} of {} is read otherwise:\n{plan}", person.email);
        assert!(read_whole(&plan, &["contacts", "customers"]).is_empty(), "{statement} reads all:\n{plan}");
        // Whoever has next to no customers gets what little they have at once.
        let sorted = plan.contains("TEMP B-TREE FOR ORDER BY");
        assert_eq!(sorted, order != "(id>?)", "{statement} is sorted:\n{plan}");
    }
}

/// Leaves behind where contacts, activities and transfers stood that are gone, three for each customer: with so many
/// standings PostgreSQL shows which way it goes.
async fn remember_many(database: &Database) {
    if database.kind == Kind::Sqlite {
        return;
    }
    let kinds = ["contact", "activity", "transfer"].map(|kind| format!("('{kind}')")).join(", ");
    let mut direct = database.connect().await;
    direct
        .run(&format!(
            "INSERT INTO standings \
             (record_kind, record_id, customer_id, with_id, about_id, persons, since, until) \
             SELECT kinds.kind, gen_random_uuid(), id, id, id, '', 1, 2 \
             FROM customers CROSS JOIN (VALUES {kinds}) AS kinds (kind)"
        ))
        .await;
    direct.run("VACUUM ANALYZE standings").await;
}

/// The scans of a table by which a plan of PostgreSQL goes through all of it, or through all of an index of it.
fn scanned_whole<'a>(plan: &'a str, table: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = plan.lines().collect();
    let [of_table, of_index] = [format!(" on {table} "), format!("Bitmap Index Scan on {table}_")];
    let goes_through = |at: &usize| {
        let line = lines[*at];
        let by_index = line.contains(&of_index) || (line.contains("Scan using") && line.contains(&of_table));
        let bounded = lines.get(at + 1).is_some_and(|next| next.contains("Index Cond"));
        (line.contains("Seq Scan") && line.contains(&of_table)) || (by_index && !bounded)
    };
    (0..lines.len()).filter(goes_through).map(|at| lines[at]).collect()
}

/// However many records there are and ever were, what was missed of some is looked up by their ids, and by those of
/// what they are seen with.
pub(super) async fn heavy_what_was_missed_is_told_by_an_index(server: Server) {
    let mut server = server;
    let company = many(&mut server).await;
    remember_many(&server.database).await;
    let rep = company.rep.client.at(&server.url);
    let made = async |path: &str, form: Value| rep.post(path, form).await.expect(201).id();
    let customer = made("/customers", json!({"kind": "company", "name": "Missed"})).await;
    let moved = made("/customers", json!({"kind": "company", "name": "Moved"})).await;
    made("/contacts", json!({"customer_id": customer, "name": "Li Wei"})).await;
    let about = json!({"kind": "customer", "id": customer});
    made("/activities", json!({"about": about, "kind": "call", "subject": "Called"})).await;
    let amount = json!({"amount": "100.00", "currency": "CNY"});
    let contract = json!({
        "customer_id": customer, "title": "Contract", "amount": amount, "collection_scheme": "by_contract",
        "installments": [{"due_on": "2026-12-31", "amount": amount}],
    });
    let contract = made("/contracts", contract).await;
    rep.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let transfer = json!({
        "kind": "customers", "record_ids": [moved], "to_user_id": company.colleague.id, "reason": "Closer by",
    });
    made("/transfers", transfer).await;

    for (kind, table) in [
        ("customer", "customers"),
        ("contact", "contacts"),
        ("activity", "activities"),
        ("contract", "contracts"),
        ("approval", "approvals"),
        ("transfer", "transfers"),
    ] {
        for person in [&company.rep, &company.director] {
            let client = person.client.at(&server.url);
            let begun = all_sent(&server).len();
            let path = format!("/events?wait=0&kinds={kind}");
            let told = client.send(client.request(Method::GET, &path).header("last-event-id", "0")).await;
            let told = told.expect(200).text;
            assert!(told.contains(&format!("\"record_kind\":\"{kind}\"")), "{kind}: {told}");
            let asked = all_sent(&server).split_off(begun);
            let missed = |it: &String| it.contains("UNION SELECT own.record_id");
            let statement = asked.into_iter().rfind(missed).expect("a look for what was missed");
            assert!(statement.contains(&format!("FROM {table} WHERE id IN (")), "{statement}");
            let plan = plan(&server.database, &statement).await;
            match server.database.kind {
                Kind::Sqlite => {
                    let whole = read_whole(&plan, &[table, "standings", "own", "theirs", "here"]);
                    assert!(whole.is_empty(), "{statement} reads all of {whole:?}:\n{plan}");
                }
                // Of the other tables there are few rows here, which it reads at once.
                Kind::Postgres => {
                    for large in ["standings", "customers"] {
                        let whole = scanned_whole(&plan, large);
                        assert!(whole.is_empty(), "{statement} reads all by {whole:?}:\n{plan}");
                    }
                }
            }
        }
    }
}
