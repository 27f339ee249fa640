//! What is each user's own: notifications and saved views.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Company, Person, Server};

on_both_databases! {
    everybody_reads_their_own_notifications;
    approvals_are_told_to_whom_they_wait_for;
    owners_hear_of_what_happens_to_theirs;
    heavy_notifications_come_once_over_restarts;
    views_are_private_or_shared_with_the_team;
    a_view_keeps_the_members_that_its_list_would_show;
}

/// Waits until somebody has so many notifications of a kind.
async fn told(person: &Person, kind: &str, count: usize) -> Vec<Value> {
    let path = format!("/notifications?kind={kind}");
    for _ in 0..600 {
        let told = person.client.all(&path).await;
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} was not told of {kind} {count} times", person.email);
}

async fn unread(person: &Person) -> i64 {
    person.client.get("/notifications/unread-count").await.expect(200).body["unread"].as_i64().unwrap()
}

async fn everybody_reads_their_own_notifications(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, .. } = &company;
    for _ in 0..3 {
        let id = company.pool_customer().await;
        manager
            .client
            .post(&format!("/customers/{id}/assign"), json!({"owner_id": rep.id}))
            .await
            .expect(200);
    }
    let news = told(rep, "customer_assigned", 3).await;
    assert_eq!((news.len(), unread(rep).await), (3, 3));
    assert_eq!((&news[0]["actor_id"], &news[0]["record_kind"]), (&json!(manager.id), &json!("customer")));
    assert!(news[0]["title"].as_str().unwrap().starts_with("Customer "));
    assert_eq!(unread(manager).await, 0, "nobody is told what they did themselves");
    let one = format!("/notifications/{}/read", news[0]["id"].as_str().unwrap());
    colleague.client.act(&one).await.refused(404, "not_found");
    let read = rep.client.act(&one).await.expect(200).body;
    assert!(read["read_at"].is_string());
    assert_eq!(rep.client.act(&one).await.expect(200).body["read_at"], read["read_at"], "read once");
    assert_eq!(unread(rep).await, 2);
    assert_eq!(rep.client.all("/notifications?read_at_is_null=true").await.len(), 2);
    rep.client.act("/notifications/read-all").await.expect(204);
    assert_eq!(unread(rep).await, 0);
}

async fn owners_hear_of_what_happens_to_theirs(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, manager, admin, marketing, .. } = &company;
    // Taken from somebody, they are told; assigned from the pool, whoever had it long before is not.
    let (first, second) = (company.customer(rep).await, company.customer(rep).await);
    let give = async |id: &str, to: &Person| {
        let form = json!({"owner_id": to.id});
        manager.client.post(&format!("/customers/{id}/assign"), form).await.expect(200);
    };
    rep.client.post(&format!("/customers/{first}/release"), json!({"reason": "No need"})).await.expect(200);
    give(&first, colleague).await;
    give(&second, colleague).await;
    let taken = told(rep, "customer_taken", 1).await;
    assert_eq!((taken.len(), &taken[0]["record_id"]), (1, &json!(second)));
    let merge = json!({"loser_id": second});
    manager.client.post(&format!("/customers/{first}/merge"), merge).await.expect(200);
    assert_eq!(told(colleague, "customer_merged", 1).await[0]["record_id"], json!(first));
    // What was asked of somebody, and taken back.
    let form =
        json!({"kind": "customers", "record_ids": [first], "to_user_id": inner.id, "reason": "Holidays"});
    let transfer = colleague.client.post("/transfers", form).await.expect(201).id();
    colleague.client.act(&format!("/transfers/{transfer}/withdraw")).await.expect(200);
    assert_eq!(told(inner, "transfer_withdrawn", 1).await[0]["record_id"], json!(transfer));
    // Whoever asks again by a form, asks somebody.
    let form = json!({"name": "Page", "fields": ["phone"], "required": ["phone"]});
    let form = marketing.client.post("/lead-forms", form).await.expect(201);
    let ask = async |phone: &str| {
        let path = format!("/public/lead-forms/{}", form.text_of("token"));
        server.anonymous().post(&path, json!({"name": "Zhang", "phone": phone})).await.expect(202);
    };
    admin.client.patch(&format!("/customers/{first}"), json!({"phone": "13800138000"})).await.expect(200);
    let lead = json!({"name": "Li", "source": "event", "phone": "13900139000"});
    let lead = inner.client.post("/leads", lead).await.expect(201).id();
    ask("138 0013 8000").await;
    ask("139 0013 9000").await;
    assert_eq!(told(colleague, "customer_asked_again", 1).await[0]["record_id"], json!(first));
    assert_eq!(told(inner, "lead_asked_again", 1).await[0]["record_id"], json!(lead));
    for path in [format!("/customers/{first}"), format!("/leads/{lead}")] {
        let seen = admin.client.get(&path).await.expect(200).body;
        assert!(seen["last_activity_at"].is_string(), "{path}");
        assert_ne!(seen["status"], "contacted", "that was no response");
    }
    // A notification has versions like everything else.
    let read = format!("/notifications/{}/read", taken[0]["id"].as_str().unwrap());
    let stale = rep.client.request(reqwest::Method::POST, &read).header("if-match", "\"v7\"");
    rep.client.send(stale).await.refused(412, "version_mismatch");
    assert_eq!(unread(rep).await, 1);
}

async fn approvals_are_told_to_whom_they_wait_for(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, director, finance, finance_two, other_manager, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let approval = company.pending(&contract).await;
    for person in [manager, director] {
        let news = told(person, "approval_waiting", 1).await;
        assert_eq!(news[0]["record_id"], json!(approval));
    }
    assert_eq!(unread(finance).await, 0, "their step comes later");
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    for person in [finance, finance_two] {
        told(person, "approval_waiting", 1).await;
    }
    finance
        .client
        .post(&format!("/approvals/{approval}/reject"), json!({"comment": "Too cheap"}))
        .await
        .expect(200);
    told(rep, "approval_rejected", 1).await;
    assert_eq!(unread(other_manager).await, 0);
}

async fn heavy_notifications_come_once_over_restarts(mut server: Server) {
    let company = Company::found(&server).await;
    let (rep, manager) = (company.rep.clone(), company.manager.clone());
    let second = server.beside().await;
    for at in 0..20 {
        let id = company.pool_customer().await;
        let by = manager.client.at(if at % 2 == 0 { &server.url } else { &second.url });
        by.post(&format!("/customers/{id}/assign"), json!({"owner_id": rep.id})).await.expect(200);
    }
    server.kill().await;
    server.restart().await;
    let rep = Person { client: rep.client.at(&server.url), ..rep };
    told(&rep, "customer_assigned", 20).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(told(&rep, "customer_assigned", 20).await.len(), 20, "each once");
}

async fn views_are_private_or_shared_with_the_team(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, other_rep, manager, .. } = &company;
    let form = json!({"resource": "customers", "name": "Important", "query": "grade=A,B&sort=-created_at"});
    let view = rep.client.post("/saved-views", form.clone()).await.expect(201);
    let path = format!("/saved-views/{}", view.id());
    let sees = async |person: &Person| {
        let listed = person.client.all("/saved-views").await.iter().any(|it| it["id"] == view.body["id"]);
        let read = person.client.get(&path).await.status == 200;
        assert_eq!(listed, read, "{}", person.email);
        read
    };
    assert!(sees(rep).await && !sees(colleague).await && !sees(manager).await);
    let team = rep.client.get("/me").await.expect(200).body["team_id"].clone();
    rep.client.patch(&path, json!({"shared_with_team_id": team})).await.expect(200);
    assert!(sees(colleague).await && sees(manager).await, "the team sees it");
    assert!(!sees(inner).await && !sees(other_rep).await, "others do not");
    let nobody = json!({"shared_with_team_id": "01900000-0000-7000-8000-000000000000"});
    rep.client.patch(&path, nobody).await.refused(422, "unknown_reference");
    // A team of another's as well, from whoever belongs to none.
    let shared =
        json!({"resource": "leads", "name": "Hot", "query": "grade=hot", "shared_with_team_id": team});
    let theirs = company.director.client.post("/saved-views", shared).await.expect(201).id();
    rep.client.get(&format!("/saved-views/{theirs}")).await.expect(200);
    other_rep.client.get(&format!("/saved-views/{theirs}")).await.refused(404, "not_found");
    colleague.client.patch(&path, json!({"name": "Mine"})).await.refused(403, "forbidden");
    colleague.client.delete(&path).await.refused(403, "forbidden");
    for query in ["grade=Z", "nothing=1", "cursor=abc", "sort=phone"] {
        let mut bad = form.clone();
        bad["query"] = json!(query);
        let refused = rep.client.post("/saved-views", bad).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/query", "{query}");
    }
    let query = rep.client.get(&path).await.expect(200).text_of("query");
    rep.client.get(&format!("/customers?{query}")).await.expect(200);
    rep.client.delete(&path).await.expect(204);
    rep.client.get(&path).await.refused(404, "not_found");
}

/// Of the rows of every list that has views: what the document knows of them, the view takes, and no more.
async fn a_view_keeps_the_members_that_its_list_would_show(server: Server) {
    let rep = Company::found(&server).await.rep.client;
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    for resource in document["components"]["schemas"]["ViewResource"]["enum"].as_array().unwrap() {
        let resource = resource.as_str().unwrap();
        let list = if resource == "pool_customers" { "public-pool/customers" } else { resource };
        let parameters =
            document["paths"][&format!("/api/v1/{list}")]["get"]["parameters"].as_array().unwrap();
        let words = |name: &str| {
            let parameter = parameters.iter().find(|it| it["name"] == name).unwrap();
            let words = parameter["schema"]["items"]["enum"].as_array().unwrap().iter();
            words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>()
        };
        let relations = words("include");
        let (included, own): (Vec<&str>, Vec<&str>) =
            words("fields").into_iter().partition(|name| relations.contains(name));
        assert!(own.contains(&"id") && !included.is_empty(), "{resource}");
        let save = async |query: &str| {
            rep.post("/saved-views", json!({"resource": resource, "name": "Some", "query": query})).await
        };
        let mut taken = vec![format!("fields={}", own.join(",")), "fields=id&sort=-created_at".to_owned()];
        taken.extend(included.iter().map(|name| format!("include={name}&fields=id,{name}")));
        for query in taken {
            let kept = save(&query).await.expect(201).text_of("query");
            rep.get(&format!("/{list}?{kept}")).await.expect(200);
        }
        let mut refused: Vec<String> = included.iter().map(|name| format!("fields={name}")).collect();
        refused.extend(
            ["", "nope", "id,", "id&fields=id", "data", "allowed_actions"].map(|it| format!("fields={it}")),
        );
        for query in refused {
            rep.get(&format!("/{list}?{query}")).await.refused(400, "malformed_request");
            let answer = save(&query).await.refused(422, "validation_failed");
            assert_eq!(answer.body["errors"][0]["pointer"], "/query", "{resource} {query}");
        }
    }
}
