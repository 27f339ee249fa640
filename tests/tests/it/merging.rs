//! Records that were merged into others: their ids lead readers to what they were merged into, and refuse writers.

use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::support::{Client, Company, Server};

on_both_databases! {
    readers_are_led_to_the_survivor;
    readers_behind_a_proxy_are_led_there_as_well;
    writers_are_refused_and_the_survivor_stays_as_it_is;
    forms_that_name_what_was_merged_are_told_of_the_survivor;
    bulk_calls_tell_of_what_was_merged;
    what_was_answered_before_is_answered_again;
}

const NO_ID: &str = "01900000-0000-7000-8000-000000000000";

const MERGED: &str = "the record was merged into another one";

/// Two records of the rep: one that is to stay, and one that is to go.
async fn two(company: &Company, of: &str) -> [String; 2] {
    let make = async |name: &str| {
        let form = match of {
            "leads" => json!({"name": name, "source": "website"}),
            _ => json!({"kind": "company", "name": name}),
        };
        company.rep.client.post(&format!("/{of}"), form).await.expect(201).id()
    };
    [make("Stays").await, make("Goes").await]
}

async fn merge(company: &Company, of: &str, [stays, goes]: &[String; 2]) {
    let form = json!({"loser_id": goes});
    company.manager.client.post(&format!("/{of}/{stays}/merge"), form).await.expect(200);
}

async fn readers_are_led_to_the_survivor(server: Server) {
    let company = Company::found(&server).await;
    let (rep, other) = (&company.rep.client, &company.other_rep.client);
    // A client that follows nowhere.
    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    for (of, parts) in [
        ("leads", &["", "?include=owner", "/duplicates"][..]),
        (
            "customers",
            &["", "?include=owner", "/duplicates", "/timeline?limit=100", "/ownership-history"][..],
        ),
    ] {
        let both = two(&company, of).await;
        merge(&company, of, &both).await;
        let [stays, goes] = both;
        for part in parts {
            for method in [Method::GET, Method::HEAD] {
                let request = http.request(method, format!("{}/api/v1/{of}/{goes}{part}", rep.url));
                let answer = request.bearer_auth(rep.token.as_ref().unwrap()).send().await.unwrap();
                assert_eq!(answer.status().as_u16(), 308, "{of}{part}");
                let there = answer.headers()["location"].to_str().unwrap();
                assert_eq!(there, format!("/api/v1/{of}/{stays}{part}"));
            }
            let led = rep.get(&format!("/{of}/{goes}{part}")).await.expect(200);
            assert_eq!(led.body, rep.get(&format!("/{of}/{stays}{part}")).await.expect(200).body);
            other.get(&format!("/{of}/{goes}{part}")).await.refused(404, "not_found");
        }
    }
}

async fn readers_behind_a_proxy_are_led_there_as_well(mut server: Server) {
    let company = Company::found(&server).await;
    let both = two(&company, "customers").await;
    merge(&company, "customers", &both).await;
    let [stays, goes] = both;
    server.stop().await;
    server.set("FAIRLEAD_HTTP__PUBLIC_URL", "https://www.example.com/crm/");
    server.restart().await;
    let rep = company.rep.client.at(&server.url);
    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let request = http.get(format!("{}/api/v1/customers/{goes}/timeline?limit=1", rep.url));
    let answer = request.bearer_auth(rep.token.as_ref().unwrap()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 308);
    let there = answer.headers()["location"].to_str().unwrap();
    assert_eq!(there, format!("https://www.example.com/crm/api/v1/customers/{stays}/timeline?limit=1"));
    // As every other link.
    let next = rep.get(&format!("/customers/{stays}/timeline?limit=1")).await.expect(200);
    assert!(next.header("link").contains(there.split_once('?').unwrap().0), "{}", next.header("link"));
}

async fn writers_are_refused_and_the_survivor_stays_as_it_is(server: Server) {
    let company = Company::found(&server).await;
    let (rep, manager) = (&company.rep.client, &company.manager.client);
    for of in ["leads", "customers"] {
        let both = two(&company, of).await;
        let [survivor, gone] = both.each_ref().map(|id| format!("/{of}/{id}"));
        let [stays, _] = &both;
        // Both come to the same version: what was read of the one would fit the other.
        let stale = rep.patch(&gone, json!({"note": "Goes"})).await.expect(200).header("etag").to_owned();
        merge(&company, of, &both).await;
        let before = rep.get(&survivor).await.expect(200);
        assert!(stale.starts_with("\"v2-") && before.header("etag").starts_with("\"v2-"), "{stale}");

        let patch = json!({"note": "Stale"});
        let mut answers = vec![
            rep.patch_if(&gone, &stale, patch.clone()).await,
            rep.patch(&gone, patch.clone()).await,
            rep.send(rep.request(Method::DELETE, &gone).header("if-match", &stale)).await,
            rep.delete(&gone).await,
        ];
        let own: Vec<(&Client, &str, Value)> = match of {
            "leads" => vec![
                (rep, "claim", json!({})),
                (rep, "release", json!({})),
                (rep, "qualify", json!({})),
                (rep, "disqualify", json!({"reason": "spam"})),
                (rep, "reopen", json!({})),
                (rep, "convert", json!({})),
            ],
            _ => vec![
                (rep, "release", json!({"reason": "No need"})),
                (manager, "move", json!({"pool_id": company.pool})),
                (manager, "lock", json!({})),
                (manager, "unlock", json!({})),
            ],
        };
        let common = [
            (manager, "assign", json!({"owner_id": company.colleague.id})),
            (manager, "assign?dry_run=true", json!({"owner_id": company.colleague.id})),
            (manager, "merge", json!({"loser_id": stays})),
        ];
        for (client, action, form) in own.iter().chain(&common) {
            let request = client.request(Method::POST, &format!("{gone}/{action}"));
            answers.push(client.send(request.header("if-match", &stale).json(form)).await);
        }
        if of == "customers" {
            answers.push(rep.act(&format!("/public-pool{gone}/claim")).await);
        }
        for answer in answers {
            let answer = answer.refused(409, "record_merged");
            let told = (&answer.body["survivor_id"], answer.header("location"));
            assert_eq!(told, (&json!(stays), ""), "{}", answer.request);
        }
        // Whoever does not see what it was merged into is told of neither.
        company.other_rep.client.patch_if(&gone, &stale, patch).await.refused(404, "not_found");

        let after = rep.get(&survivor).await.expect(200);
        assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
    }
}

/// A form that names a record by its id, with the pointer to it.
type Form<'a> = (String, &'static str, Box<dyn Fn(&str) -> Value + 'a>);

async fn forms_that_name_what_was_merged_are_told_of_the_survivor(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let (rep, manager, other) = (&company.rep.client, &company.manager.client, &company.other_rep);
    for of in ["leads", "customers"] {
        let [goes, between] = two(&company, of).await;
        let [stays, own] = two(&company, of).await;
        merge(&company, of, &[between.clone(), goes.clone()]).await;
        merge(&company, of, &[stays.clone(), between]).await;
        let kind = of.trim_end_matches('s');
        let cny = json!({"amount": "100.00", "currency": "CNY"});
        let activity =
            |id: &str| json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        let mut forms: Vec<Form<'_>> = vec![("/activities".to_owned(), "/about/id", Box::new(activity))];
        if of == "customers" {
            let contract = |id: &str| {
                json!({
                    "customer_id": id, "title": "Delivery", "amount": cny, "collection_scheme": "by_contract",
                })
            };
            let quote = |id: &str| {
                let lines = json!([{"product_id": NO_ID, "quantity": "1"}]);
                json!({"currency": "CNY", "customer_id": id, "lines": lines})
            };
            let share =
                |id: &str| json!({"customer_id": id, "user_id": company.colleague.id, "access": "read"});
            let transfer = |id: &str| {
                json!({
                    "kind": "customers", "record_ids": [own, id], "to_user_id": company.colleague.id,
                    "reason": "Closer by",
                })
            };
            let named = |member: &'static str, value: &'static str| move |id: &str| json!({"customer_id": id, member: value});
            let change = |id: &str| json!({"customer_id": id, "changes": {"note": "Own"}});
            let of_customers: [Form<'_>; 7] = [
                ("/contacts".to_owned(), "/customer_id", Box::new(named("name", "Li Wei"))),
                ("/opportunities".to_owned(), "/customer_id", Box::new(named("name", "Pumps"))),
                ("/contracts".to_owned(), "/customer_id", Box::new(contract)),
                ("/collaborators".to_owned(), "/customer_id", Box::new(share)),
                ("/customer-changes".to_owned(), "/customer_id", Box::new(change)),
                ("/price-quotes".to_owned(), "/customer_id", Box::new(quote)),
                ("/transfers".to_owned(), "/record_ids/1", Box::new(transfer)),
            ];
            forms.extend(of_customers);
        }
        let told = json!({"merged_into": stays});
        for (path, pointer, form) in &forms {
            let refused = rep.post(path, form(&goes)).await.refused(422, "unknown_reference");
            let error = &refused.body["errors"][0];
            assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!("merged_reference")));
            assert_eq!((&error["params"], &error["message"]), (&told, &json!(MERGED)), "{path}");
            // Whoever does not see it is told what is told of what never was.
            let hidden = async |id: &str| {
                let answer = other.client.post(path, form(id)).await.refused(422, "unknown_reference");
                answer.body["errors"].clone()
            };
            let errors = hidden(&goes).await;
            assert_eq!(errors, hidden(NO_ID).await, "{path}");
            assert_eq!(errors[0]["code"], "unknown_reference", "{path}");
        }
        // What only those may who lead others, what takes a record of one's own, and another language.
        let loser = json!({"loser_id": goes});
        let mut more = vec![
            (manager, format!("/{of}/{own}/merge"), "/loser_id", loser.clone()),
            // Merged into the very one.
            (manager, format!("/{of}/{stays}/merge"), "/loser_id", loser),
        ];
        if of == "customers" {
            let shared = json!({
                "customer_ids": [goes], "members": [{"user_id": company.rep.id}], "strategy": "round_robin",
            });
            more.push((manager, "/public-pool/distributions".to_owned(), "/customer_ids/0", shared));
            let lead = json!({"name": "Lin Mei", "source": "website"});
            let lead = rep.post("/leads", lead).await.expect(201).id();
            let about = json!({"kind": "lead", "id": lead});
            let call = json!({"about": about, "kind": "call", "subject": "Called"});
            rep.post("/activities", call).await.expect(201);
            rep.act(&format!("/leads/{lead}/qualify")).await.expect(200);
            let convert = format!("/leads/{lead}/convert");
            more.push((rep, convert, "/customer_id", json!({"customer_id": goes})));
        }
        for (client, path, pointer, form) in more {
            let request = client.request(Method::POST, &path).header("accept-language", "zh-CN");
            let refused = client.send(request.json(&form)).await.refused(422, "unknown_reference");
            let error = json!({
                "pointer": pointer, "code": "merged_reference", "message": "该记录已合并到另一条记录", "params": told,
            });
            assert_eq!(refused.body["errors"], json!([error]), "{path}");
        }
    }
}

async fn bulk_calls_tell_of_what_was_merged(server: Server) {
    let company = Company::found(&server).await;
    let manager = &company.manager.client;
    for (of, action) in [("leads", "release"), ("customers", "lock")] {
        let both = two(&company, of).await;
        merge(&company, of, &both).await;
        let [stays, goes] = both;
        let path = format!("/{of}/bulk");
        let form =
            |mode: &str| json!({"action": action, "mode": mode, "items": [{"id": goes}, {"id": stays}]});
        let told = |items: &Value| {
            assert_eq!(items[0]["code"], "record_merged", "{of}: {items}");
            assert_eq!(items[0]["figures"], json!({"survivor_id": stays}));
        };
        told(&manager.post(&path, form("atomic")).await.refused(409, "bulk_refused").body["items"]);
        let done = manager.post(&path, form("best_effort")).await.expect(200);
        told(&done.body["items"]);
        assert_eq!((&done.body["done"], &done.body["refused"]), (&json!(1), &json!(1)));
        assert_eq!(done.body["items"][1]["version"], 3, "what stayed was not touched by its old name");
    }
}

async fn what_was_answered_before_is_answered_again(server: Server) {
    let company = Company::found(&server).await;
    let manager = &company.manager.client;
    for (of, action, form) in
        [("leads", "disqualify", json!({"reason": "spam"})), ("customers", "lock", json!({}))]
    {
        let both = two(&company, of).await;
        let [stays, goes] = &both;
        let path = format!("/{of}/{goes}/{action}");
        let once = async |key: &str| manager.post_once(&path, &format!("{key}-{of}"), form.clone()).await;
        let first = once("before").await.expect(200);
        merge(&company, of, &both).await;
        let again = once("before").await.expect(200);
        assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
        for replayed in ["", "true"] {
            let refused = once("after").await.refused(409, "record_merged");
            assert_eq!(refused.header("idempotent-replayed"), replayed);
            assert_eq!(refused.body["survivor_id"], json!(stays));
        }
    }
}
