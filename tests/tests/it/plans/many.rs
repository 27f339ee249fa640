//! Among many customers, whatever is asked for is looked up. They are made once for all of it, which takes longest.

use reqwest::Method;

use super::*;

pub(super) async fn heavy_among_many_customers_all_is_looked_up(mut server: Server) {
    // Nothing but what is asked here: the sweep goes through all customers once a day.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    let company = many(&mut server).await;
    the_pool_is_listed_by_an_index(&server, &company).await;
    a_first_copy_is_told_in_the_order_of_an_index(&server, &company).await;
    what_writes_looks_by_an_index(&server, &company).await;
    what_was_missed_is_told_by_an_index(&server, &company).await;
}

/// How many customers there are in the pool.
const MANY: usize = 100_000;

/// Puts copies of a pool customer beside it, of four grades, ten regions and ten industries.
async fn fill(database: &Database, template: &str) {
    let mut direct = database.connect().await;
    let (id, instant, numbers) = match database.kind {
        Kind::Sqlite => (
            "randomblob(16)",
            "strftime('%Y-%m-%dT%H:%M:%S.000+00:00', 1767225600 + i * 60, 'unixepoch')",
            format!(
                "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {MANY})"
            ),
        ),
        Kind::Postgres => (
            "gen_random_uuid()",
            "timestamptz '2026-01-01T00:00:00Z' + i * interval '1 minute'",
            format!("WITH numbers (i) AS (SELECT generate_series(1, {MANY}))"),
        ),
    };
    let same = "tags, tax_profiles, pool_id, locked, lifecycle, furthest, created_by, version, created_at, updated_at";
    direct
        .run(&format!(
            "{numbers} INSERT INTO customers (id, kind, name, name_key, grade, region, industry, pooled_at, {same}) \
             SELECT {id}, kind, name || ' ' || i, name_key || i, SUBSTR('ABCD', 1 + i % 4, 1), 'Region ' || (i % 10), \
             'Industry ' || (i / 10 % 10), {instant}, {same} FROM customers, numbers WHERE customers.id = {}",
            database.id(template)
        ))
        .await;
    direct
        .run(&format!(
            "INSERT INTO ownership_history (id, customer_id, cause, occurred_at) \
             SELECT {id}, id, 'created', created_at FROM customers \
             WHERE id NOT IN (SELECT customer_id FROM ownership_history)"
        ))
        .await;
    // What `Many 7` is found by is what `Many` is found by, but for the whole name, and by the number.
    direct
        .run(&format!(
            "INSERT INTO search_entries (record_kind, record_id, title, words, contact_words) \
             SELECT 'customer', customers.id, name, \
             SUBSTR(name, 6) || ' ' || REPLACE(words, '=many', '=many' || SUBSTR(name, 6)), '' \
             FROM customers, search_entries WHERE search_entries.record_id = {} \
             AND customers.id NOT IN (SELECT record_id FROM search_entries)",
            database.id(template)
        ))
        .await;
    direct
        .run(
            "INSERT INTO standings (record_kind, record_id, owner_id, pool_id, customer_id, since) \
             SELECT 'customer', id, owner_id, pool_id, id, 1 FROM customers \
             WHERE id NOT IN (SELECT record_id FROM standings)",
        )
        .await;
    if database.kind == Kind::Postgres {
        // What autovacuum does by itself, sooner or later.
        direct.run("VACUUM ANALYZE customers").await;
        direct.run("VACUUM ANALYZE ownership_history").await;
    }
}

/// A company with many customers in its pool, and a server that tells what it asks its database.
async fn many(server: &mut Server) -> Company {
    let company = Company::found(server).await;
    let form = json!({"kind": "company", "name": "Many"});
    let template = company.admin.client.post("/customers", form).await.expect(201).id();
    fill(&server.database, &template).await;
    tell(server).await;
    company
}

/// The last statement about customers in an order that the server has sent.
fn sent(server: &Server) -> String {
    let about =
        |statement: &String| statement.contains("FROM customers WHERE") && statement.contains("ORDER BY");
    all_sent(server).into_iter().rfind(about).expect("a statement")
}

async fn the_pool_is_listed_by_an_index(server: &Server, company: &Company) {
    let rep = company.rep.client.at(&server.url);
    for (query, found) in [
        ("grade=D&region=Region%205&industry=Industry%203&sort=-pooled_at", true),
        ("grade=D&region=Region%205&industry=Industry%203&sort=name", true),
        ("grade=A,C&region=Region%204&industry=Industry%203&sort=created_at", true),
        ("sort=-pooled_at", true),
        ("grade=B&sort=-pooled_at", true),
        ("region=Region%205&sort=pooled_at", true),
        ("sort=name", true),
    ] {
        let page = rep.get(&format!("/public-pool/customers?{query}")).await.expect(200);
        assert_eq!(page.body["page"]["has_more"], found, "{query}");
        let plan = plan(&server.database, &sent(server)).await;
        let scans = plan.lines().any(|line| {
            line.contains("Seq Scan on customers")
                || (line.contains("SCAN customers") && !line.contains("USING INDEX"))
        });
        assert!(!scans && plan.contains("customers_"), "{query} is read without an index:\n{plan}");
        let sorts = plan.contains("TEMP B-TREE FOR ORDER BY") || plan.contains("Sort Key");
        assert!(!sorts || query.contains("industry"), "{query} is sorted after it was read:\n{plan}");
    }

    // What many fit is looked for from the youngest on, but among the little that somebody sees of a kind.
    let lead = rep.post("/leads", json!({"name": "Many Zhang", "source": "event"})).await.expect(201).id();
    let found = rep.get("/search?q=many&kinds=customer,lead&limit=20").await.expect(200);
    let found: Vec<_> = found.body["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert!(found.len() == 20 && found.contains(&json!(lead)), "{found:?}");
    if server.database.kind == Kind::Postgres {
        let searched = all_sent(server).into_iter().rfind(|statement| statement.contains("AS found"));
        let searched = searched.expect("a search");
        let begun = |table: &str| {
            searched.split(&format!("FROM {table} WHERE ")).nth(1).unwrap().split(" AS seen").next()
        };
        let collected = |table: &str| begun(table).unwrap().contains("OFFSET 0");
        assert!(collected("leads") && !collected("customers"), "{searched}");
    }
}

/// Pages of a copy that is begun go on where the one before ended: none sorts everything anew. PostgreSQL goes by what
/// it knows of the tables.
async fn a_first_copy_is_told_in_the_order_of_an_index(server: &Server, company: &Company) {
    if server.database.kind == Kind::Postgres {
        return;
    }
    for (person, order) in [(&company.director, "(id>?)"), (&company.rep, "(customer_id=?)")] {
        person.client.at(&server.url).get("/sync?kinds=contact").await.expect(200);
        let about = |it: &String| it.contains("FROM contacts WHERE") && it.contains("ORDER BY id");
        let statement = all_sent(server).into_iter().rfind(about).expect("a statement");
        let plan = plan(&server.database, &statement).await;
        assert!(plan.contains(order), "{statement} of {} is read otherwise:\n{plan}", person.email);
        assert!(read_whole(&plan, &["contacts", "customers"]).is_empty(), "{statement} reads all:\n{plan}");
        // Whoever has next to no customers gets what little they have at once.
        let sorted = plan.contains("TEMP B-TREE FOR ORDER BY");
        assert_eq!(sorted, order != "(id>?)", "{statement} is sorted:\n{plan}");
    }
}

async fn what_writes_looks_by_an_index(server: &Server, company: &Company) {
    let rep = company.rep.client.at(&server.url);
    let before = all_sent(server).len();
    let form = json!({
        "kind": "company", "name": "New", "phone": "138 0013 8000", "email": "zhang@example.com",
        "registration_number": "91310000MA1FL0001X",
    });
    rep.post("/customers", form).await.expect(201);
    rep.post("/leads", json!({"name": "Li", "source": "event", "company": "Newer"})).await.expect(201);
    let pooled = rep.get("/public-pool/customers?limit=1").await.expect(200).body["data"][0].clone();
    let path = format!("/public-pool/customers/{}", pooled["id"].as_str().unwrap());
    rep.get(&path).await.expect(200);
    rep.act(&format!("{path}/claim")).await.expect(200);
    // Whether a pool can be deleted goes by how many customers it has.
    let admin = company.admin.client.at(&server.url);
    let pool = admin.post("/public-pools", json!({"name": "Another"})).await.expect(201).id();
    let counted = all_sent(server).len();
    admin.get(&format!("/public-pools/{pool}")).await.expect(200);
    let counts = |statement: &String| statement.contains("SELECT COUNT(*) FROM customers ");
    assert!(all_sent(server)[counted..].iter().any(counts), "nothing was counted");
    let looks = |statement: &&String| {
        statement.starts_with("SELECT")
            && ["FROM customers ", "FROM ownership_history "].iter().any(|from| statement.contains(from))
    };
    let sent = all_sent(server);
    let looked: Vec<&String> = sent[before..].iter().filter(looks).collect();
    assert!(looked.len() >= 5, "{looked:#?}");
    for statement in looked {
        let plan = plan(&server.database, statement).await;
        let all = |table: &str| {
            let whole = [format!("Seq Scan on {table}"), format!("SCAN {table}")];
            // A page of a list is read in the order of an index, not to its end.
            plan.lines().any(|line| whole.iter().any(|word| line.contains(word)))
                && !(plan.contains("USING INDEX customers_pooled") && statement.contains(" LIMIT "))
        };
        assert!(!all("customers") && !all("ownership_history"), "{statement} reads all:\n{plan}");
        // However many somebody owns, few are locked.
        let counts = statement.contains("other.locked");
        assert!(
            !counts || plan.contains("customers_locked"),
            "{statement} looks at all of a seller's:\n{plan}"
        );
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
async fn what_was_missed_is_told_by_an_index(server: &Server, company: &Company) {
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
            let begun = all_sent(server).len();
            let path = format!("/events?wait=0&kinds={kind}");
            let told = client.send(client.request(Method::GET, &path).header("last-event-id", "0")).await;
            let told = told.expect(200).text;
            assert!(told.contains(&format!("\"record_kind\":\"{kind}\"")), "{kind}: {told}");
            let asked = all_sent(server).split_off(begun);
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
