//! What copies and listeners are told of what they missed is looked up by what happened, not among all that there is.

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
