//! What people choose from: every closed list of the specification is there, with labels and meanings.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Server;

on_both_databases! {
    every_closed_list_of_the_specification_has_labels;
    a_dictionary_is_found_by_its_name;
    an_action_is_called_the_same_everywhere;
    records_name_actions_that_have_labels;
    whatever_the_trail_tells_has_a_label;
    what_seldom_changes_is_not_told_twice;
}

/// `LeadStatus` as `lead_status`.
fn snake_case(name: &str) -> String {
    let letters = name.char_indices().map(|(at, letter)| {
        let between = if at > 0 && letter.is_ascii_uppercase() { "_" } else { "" };
        format!("{between}{}", letter.to_ascii_lowercase())
    });
    letters.collect()
}

async fn every_closed_list_of_the_specification_has_labels(server: Server) {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let listed = server.admin().await.get("/dictionaries").await.expect(200).body;
    let listed = listed["data"].as_array().unwrap();
    let dictionaries: BTreeMap<&str, &Vec<Value>> =
        listed.iter().map(|one| (one["name"].as_str().unwrap(), one["values"].as_array().unwrap())).collect();
    assert_eq!(dictionaries.len(), listed.len(), "each once");

    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas["FieldError"]["properties"]["code"]["$ref"], "#/components/schemas/Rule");
    let mut closed = 0;
    for (name, schema) in schemas {
        if schema["type"] != "string" || !schema["enum"].is_array() {
            continue;
        }
        closed += 1;
        let values = dictionaries.get(snake_case(name).as_str());
        let values = values.unwrap_or_else(|| panic!("{name} has no dictionary"));
        let values: Vec<&Value> = values.iter().map(|one| &one["value"]).collect();
        assert_eq!(json!(values), schema["enum"], "{name}");
    }
    assert!(closed > 60, "{closed}");

    // Grades are called so by everybody, what others named keeps its name, and some names are put together.
    let not_words = [
        "audit_action",
        "currency",
        "event_type",
        "grade",
        "locale",
        "media_type",
        "opportunity_grade",
        "permission",
    ];
    let is_word = |value: &str| {
        let parts = || value.split('_');
        let letters =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        parts().all(|part| !part.is_empty() && letters(part)) && value.as_bytes()[0].is_ascii_lowercase()
    };
    for (name, values) in &dictionaries {
        assert!(!values.is_empty(), "{name}");
        let mut words = values.iter().map(|one| one["value"].as_str().unwrap());
        assert!(not_words.contains(name) || words.all(is_word), "{name} is not in snake_case: {values:?}");
        for language in ["en", "zh_cn"] {
            let labels: BTreeSet<&str> =
                values.iter().map(|one| one["label"][language].as_str().unwrap()).collect();
            assert!(labels.iter().all(|label| !label.trim().is_empty()), "{name} in {language}");
            assert_eq!(labels.len(), values.len(), "{name} in {language}: two values of one label");
        }
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for one in *values {
            let meaning = &one["meaning"];
            assert!(meaning["en"].as_str().is_some_and(|why| !why.is_empty()), "{name}: {one}");
            assert!(meaning["zh_cn"].as_str().is_some_and(chinese), "{name}: {one}");
        }
    }
}

async fn a_dictionary_is_found_by_its_name(server: Server) {
    let admin = server.admin().await;
    let listed = admin.get("/dictionaries").await.expect(200).body;
    for one in listed["data"].as_array().unwrap() {
        let path = format!("/dictionaries/{}", one["name"].as_str().unwrap());
        assert_eq!(admin.get(&path).await.expect(200).body, *one, "{path}");
    }
    let statuses = admin.get("/dictionaries/lead_status").await.expect(200).body;
    assert_eq!(
        statuses["values"][0],
        json!({
            "value": "new",
            "label": {"en": "New", "zh_cn": "新线索"},
            "meaning": {"en": "Nobody has been in touch.", "zh_cn": "尚无人联系。"},
        })
    );
    let currencies = admin.get("/dictionaries/currency").await.expect(200).body;
    let yuan = currencies["values"].as_array().unwrap().iter().find(|one| one["value"] == "CNY").unwrap();
    assert_eq!(yuan["label"]["zh_cn"], "人民币");
    assert_eq!(yuan["meaning"], json!({"en": "Amounts have 2 decimals.", "zh_cn": "金额有 2 位小数。"}));
    // Actions outside the state machines have labels as well.
    let actions = admin.get("/dictionaries/action").await.expect(200).body;
    let leave = actions["values"].as_array().unwrap().iter().find(|one| one["value"] == "hand_over").unwrap();
    assert_eq!(leave["label"], json!({"en": "Hand over", "zh_cn": "交接"}));
    // The catalogue of problems says the same.
    let codes = admin.get("/dictionaries/code").await.expect(200).body;
    let missing = codes["values"].as_array().unwrap().iter().find(|one| one["value"] == "not_found").unwrap();
    let problem = server.anonymous().get_root("/problems/not_found").await.expect(200).body;
    assert_eq!(missing["label"], json!({"en": problem["title"], "zh_cn": problem["title_zh"]}));
    assert_eq!(missing["meaning"], json!({"en": problem["description"], "zh_cn": problem["description_zh"]}));

    // The rule that a single value breaks has its code in a list as well.
    let rules = admin.get("/dictionaries/rule").await.expect(200).body;
    let product = json!({"code": "R-1", "name": "Pump", "tax_rate": "1.5"});
    let refused = admin.post("/products", product).await.refused(422, "validation_failed").body;
    let broken = &refused["errors"][0]["code"];
    let rule = rules["values"].as_array().unwrap().iter().find(|one| one["value"] == *broken).unwrap();
    assert_eq!(rule["label"], json!({"en": "Not a rate", "zh_cn": "比率无效"}));

    admin.get("/dictionaries/no_such_list").await.refused(404, "not_found");
    admin.get("/dictionaries/LeadStatus").await.refused(400, "malformed_request");
    for path in ["/dictionaries", "/dictionaries/lead_status"] {
        server.anonymous().get(path).await.refused(401, "unauthenticated");
    }
}

/// The labels of a dictionary, by its words.
fn labels<'a>(dictionaries: &'a Value, name: &str) -> BTreeMap<&'a str, &'a Value> {
    let found = dictionaries["data"].as_array().unwrap().iter().find(|one| one["name"] == name);
    let values = found.unwrap_or_else(|| panic!("no dictionary {name}"))["values"].as_array().unwrap();
    values.iter().map(|one| (one["value"].as_str().unwrap(), &one["label"])).collect()
}

/// Whoever shows a button or a line of a history finds its word in one place, whatever record it is about.
async fn an_action_is_called_the_same_everywhere(server: Server) {
    let admin = server.admin().await;
    let dictionaries = admin.get("/dictionaries").await.expect(200).body;
    let actions = labels(&dictionaries, "action");
    let mut wrong = Vec::new();
    let mut compared = 0;
    let mut compare = |place: &str, word: &str, label: &Value| {
        compared += 1;
        if actions.get(word).is_none_or(|known| *known != label) {
            wrong.push(format!("{place}: {word} {label} is {:?} in the dictionary", actions.get(word)));
        }
    };
    let workflows = admin.get("/workflows").await.expect(200).body;
    for machine in workflows["data"].as_array().unwrap() {
        for step in machine["transitions"].as_array().unwrap() {
            compare(machine["name"].as_str().unwrap(), step["action"].as_str().unwrap(), &step["label"]);
        }
    }
    let names = dictionaries["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
    // What the audit trail says was done is a word for what happened, not for what can be done.
    for name in names.filter(|name| name.ends_with("_action") && *name != "audit_action") {
        for (word, label) in labels(&dictionaries, name) {
            // What is done with many at once, and with one by `PATCH`.
            if (name, word) != ("payment_bulk_action", "label") {
                compare(name, word, label);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 120, "{compared}");
}

/// Of every kind that has some: the document says which kinds are read by id. A demo has some of each.
async fn records_name_actions_that_have_labels(server: Server) {
    // Nothing happens by itself between a list and what is read one by one.
    let mut demo = Server::demo(server.database.kind).await;
    demo.stop().await;
    demo.set("FAIRLEAD_JOBS__ENABLED", "false");
    demo.restart().await;
    let document = demo.anonymous().get_root("/openapi.json").await.expect(200).body;
    let paths = document["paths"].as_object().unwrap();
    let is_read = |path: &str| paths.get(path).is_some_and(|item| item["get"].is_object());
    let lists: Vec<&str> = paths
        .keys()
        .filter(|path| is_read(path))
        .filter_map(|path| path.strip_suffix("/{id}"))
        .filter(|list| is_read(list))
        .map(|list| list.strip_prefix("/api/v1").unwrap())
        .collect();
    let admin = demo.login("admin@demo.fairlead.example", "demo-password").await;
    let dictionaries = admin.get("/dictionaries").await.expect(200).body;
    let actions = labels(&dictionaries, "action");
    let (mut kinds, mut nameless) = (BTreeSet::new(), BTreeSet::new());
    for who in ["rep.east", "manager.east", "finance", "admin"] {
        let client = demo.login(&format!("{who}@demo.fairlead.example"), "demo-password").await;
        for list in &lists {
            let page = client.get(list).await;
            if page.status == 403 {
                continue;
            }
            let page = page.expect(200).body;
            for row in page["data"].as_array().unwrap().iter().take(3) {
                let path = format!("{list}/{}", row["id"].as_str().unwrap());
                let record = client.get(&path).await.expect(200).body;
                for offer in record["allowed_actions"].as_array().into_iter().flatten() {
                    let word = offer["action"].as_str().unwrap().to_owned();
                    kinds.insert(*list);
                    if !actions.contains_key(word.as_str()) {
                        nameless.insert((*list, word));
                    }
                }
            }
        }
    }
    assert!(nameless.is_empty(), "{nameless:?}");
    assert!(kinds.len() >= 28, "only {kinds:?} offer something");
}

/// Whoever shows the trail names what happened, and chooses it from a list. A demo has a long one.
async fn whatever_the_trail_tells_has_a_label(server: Server) {
    let demo = Server::demo(server.database.kind).await;
    let admin = demo.login("admin@demo.fairlead.example", "demo-password").await;
    let dictionaries = admin.get("/dictionaries").await.expect(200).body;
    let actions = labels(&dictionaries, "audit_action");
    let trail = admin.all("/audit-events?limit=200").await;
    let told: BTreeSet<&str> = trail.iter().map(|event| event["action"].as_str().unwrap()).collect();
    let nameless: Vec<&&str> = told.iter().filter(|word| !actions.contains_key(**word)).collect();
    assert!(nameless.is_empty(), "{nameless:?}");
    assert!(told.len() > 50, "{told:?}");
    // What streams and webhooks tell is called the same, and a trial is nothing that happened.
    for (word, label) in labels(&dictionaries, "event_type") {
        assert_eq!(actions.get(word), Some(&label), "{word}");
    }
    assert!(!actions.contains_key("webhook.ping"));

    let seeded = admin.get("/audit-events?action=demo.seeded,team.created&limit=1").await.expect(200).body;
    assert!(!seeded["data"].as_array().unwrap().is_empty());
    let teams = admin.all("/audit-events?action_prefix=team.&limit=200").await;
    assert!(teams.iter().any(|event| event["action"] == "team.created"), "{teams:?}");
}

async fn what_seldom_changes_is_not_told_twice(server: Server) {
    let admin = server.admin().await;
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut tags = BTreeSet::new();
    for (path, described) in [
        ("/workflows", "/workflows"),
        ("/dictionaries", "/dictionaries"),
        ("/dictionaries/lead_status", "/dictionaries/{name}"),
        ("/dictionaries/currency", "/dictionaries/{name}"),
    ] {
        let whole = admin.get(path).await.expect(200);
        let tag = whole.header("etag").to_owned();
        assert!(tag.starts_with("W/\"") && tags.insert(tag.clone()), "{path}: {tag}");
        assert_eq!(admin.get(path).await.expect(200).header("etag"), tag, "{path}");
        assert_eq!(whole.header("cache-control"), "private, no-cache", "{path}");
        let ask = async |known: &str| {
            admin.send(admin.request(Method::GET, path).header("if-none-match", known)).await
        };
        for known in [tag.as_str(), &tag[2..], "*", &format!("\"v1\", {tag}")] {
            let answer = ask(known).await.expect(304);
            assert_eq!((answer.text.as_str(), answer.header("etag")), ("", tag.as_str()), "{path} {known}");
            assert_eq!(answer.header("cache-control"), "private, no-cache", "{path} {known}");
        }
        for other in ["\"v1\"", "W/\"0123456789abcdef\""] {
            assert_eq!(ask(other).await.expect(200).text, whole.text, "{path} {other}");
        }
        ask("0123456789abcdef").await.refused(400, "malformed_request");
        // Whoever may not read it is not told that it is the same.
        let stranger = server.anonymous();
        let request = stranger.request(Method::GET, path).header("if-none-match", &tag);
        let refused = stranger.send(request).await.refused(401, "unauthenticated");
        assert_eq!(refused.header("cache-control"), "no-store", "{path}");

        let operation = &document["paths"][format!("/api/v1{described}")]["get"];
        let parameters = operation["parameters"].as_array().unwrap();
        assert!(parameters.contains(&json!({"$ref": "#/components/parameters/If-None-Match"})), "{path}");
        assert!(!parameters.iter().any(|parameter| parameter["name"] == "fields"), "{path}");
        for status in ["200", "304"] {
            let header = operation["responses"][status]["headers"]["ETag"]["$ref"].as_str().unwrap();
            let header = document.pointer(header.strip_prefix('#').unwrap()).unwrap();
            assert_eq!(header["schema"]["pattern"], "^W/\"[0-9a-f]{16}\"$", "{path} {status}");
        }
    }
}
