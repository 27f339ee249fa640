//! What activities say about the lead or the customer they belong to, also after they were changed.

use serde_json::{Value, json};

use crate::support::{Client, Company, Server};

on_both_databases! {
    a_customer_follows_its_activities;
    a_lead_follows_its_activities;
    an_open_task_goes_with_what_it_is_about;
    what_it_is_about_stays_as_long_as_it;
}

const JANUARY: &str = "2026-01-05T08:00:00.000Z";
const FEBRUARY: &str = "2026-02-05T08:00:00.000Z";
const MARCH: &str = "2026-03-05T08:00:00.000Z";
const LATER: &str = "2199-01-05T08:00:00.000Z";
const MUCH_LATER: &str = "2199-02-05T08:00:00.000Z";

async fn times(client: &Client, path: &str) -> [Value; 2] {
    let record = client.get(path).await.expect(200);
    ["last_activity_at", "next_activity_at"].map(|member| record.body[member].clone())
}

async fn a_customer_follows_its_activities(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let customer = company.customer(&company.rep).await;
    let path = format!("/customers/{customer}");
    let log = async |kind: &str, times: Value| {
        let mut form =
            json!({"about": {"kind": "customer", "id": customer}, "kind": kind, "subject": "Hello"});
        for (member, time) in times.as_object().unwrap() {
            form[member] = time.clone();
        }
        format!("/activities/{}", rep.post("/activities", form).await.expect(201).id())
    };
    let call = log("call", json!({"happened_at": JANUARY, "next_step_at": MUCH_LATER})).await;
    let visit = log("meeting", json!({"happened_at": MARCH})).await;
    assert_eq!(times(rep, &path).await, [json!(MARCH), json!(MUCH_LATER)]);
    let task = log("task", json!({"due_at": LATER})).await;
    assert_eq!(times(rep, &path).await, [json!(MARCH), json!(LATER)]);

    rep.patch(&visit, json!({"happened_at": FEBRUARY})).await.expect(200);
    assert_eq!(times(rep, &path).await, [json!(FEBRUARY), json!(LATER)]);
    rep.delete(&task).await.expect(204);
    assert_eq!(times(rep, &path).await, [json!(FEBRUARY), json!(MUCH_LATER)]);
    rep.patch(&call, json!({"next_step_at": LATER})).await.expect(200);
    assert_eq!(times(rep, &path).await, [json!(FEBRUARY), json!(LATER)]);
    // What was planned for before the last activity is over.
    rep.patch(&call, json!({"next_step_at": JANUARY})).await.expect(200);
    assert_eq!(times(rep, &path).await, [json!(FEBRUARY), Value::Null]);
    // The latest plan counts, and a task beside it.
    rep.patch(&visit, json!({"next_step_at": MUCH_LATER})).await.expect(200);
    assert_eq!(times(rep, &path).await, [json!(FEBRUARY), json!(MUCH_LATER)]);
    let task = log("task", json!({"due_at": LATER})).await;
    rep.patch(&task, json!({"happened_at": MARCH})).await.expect(200);
    assert_eq!(times(rep, &path).await, [json!(MARCH), json!(MUCH_LATER)]);
    for activity in [&task, &visit, &call] {
        rep.delete(activity).await.expect(204);
    }
    assert_eq!(times(rep, &path).await, [Value::Null, Value::Null]);
    // What changes neither leaves the customer as it is.
    let call = log("call", json!({"happened_at": JANUARY})).await;
    let before = rep.get(&path).await.expect(200).body["version"].clone();
    rep.patch(&call, json!({"subject": "Hello again"})).await.expect(200);
    assert_eq!(rep.get(&path).await.expect(200).body["version"], before);
}

async fn a_lead_follows_its_activities(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = rep.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201).id();
    let path = format!("/leads/{lead}");
    let log = async |happened_at: &str| {
        let about = json!({"kind": "lead", "id": lead});
        let form = json!({"about": about, "kind": "call", "subject": "Hello", "happened_at": happened_at});
        format!("/activities/{}", rep.post("/activities", form).await.expect(201).id())
    };
    let (early, late) = (log(JANUARY).await, log(MARCH).await);
    assert_eq!(times(rep, &path).await[0], json!(MARCH));
    rep.patch(&late, json!({"happened_at": FEBRUARY})).await.expect(200);
    assert_eq!(times(rep, &path).await[0], json!(FEBRUARY));
    rep.delete(&late).await.expect(204);
    assert_eq!(times(rep, &path).await[0], json!(JANUARY));
    rep.delete(&early).await.expect(204);
    let lead = rep.get(&path).await.expect(200);
    assert_eq!((&lead.body["last_activity_at"], &lead.body["status"]), (&Value::Null, &json!("contacted")));
}

/// What is to be done is for whoever has the customer or the lead now; what was done stays its author's.
async fn an_open_task_goes_with_what_it_is_about(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, other_rep, director, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let log = async |kind: &str, id: &str, what: Value| {
        let mut form = json!({"about": {"kind": kind, "id": id}, "subject": "Hello"});
        form.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        format!("/activities/{}", rep.client.post("/activities", form).await.expect(201).id())
    };
    let open = json!({"kind": "task", "due_at": LATER});
    let call = log("customer", &customer, json!({"kind": "call", "happened_at": JANUARY})).await;
    let (task, other) =
        (log("customer", &customer, open.clone()).await, log("customer", &customer, open.clone()).await);
    let third = log("customer", &customer, open.clone()).await;
    let of_contract = log("contract", &contract, json!({"kind": "task", "due_at": MUCH_LATER})).await;
    // Shared with somebody, it is neither theirs nor their superiors' to do.
    let share = json!({"customer_id": customer, "user_id": other_rep.id, "access": "write"});
    rep.client.post("/collaborators", share).await.expect(201);
    let done = json!({"happened_at": FEBRUARY});
    other_rep.client.patch(&task, done.clone()).await.refused(403, "forbidden");

    let assign = format!("/customers/{customer}/assign");
    manager.client.post(&assign, json!({"owner_id": colleague.id})).await.expect(200);
    rep.client.patch(&task, done.clone()).await.refused(404, "not_found");
    other_rep.client.patch(&task, done.clone()).await.refused(403, "forbidden");
    let allowed = async |path: &str| {
        let shown = colleague.client.get(path).await.expect(200).body;
        let actions = shown["allowed_actions"].as_array().unwrap().clone();
        actions.iter().map(|action| action["allowed"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((allowed(&task).await, allowed(&call).await), (vec![true, true], vec![false, false]));
    colleague.client.patch(&task, done.clone()).await.expect(200);
    assert_eq!(allowed(&task).await, [false, false], "now it was done");
    colleague.client.patch(&task, json!({"subject": "Hi"})).await.refused(403, "forbidden");
    colleague.client.delete(&call).await.refused(403, "forbidden");
    colleague.client.delete(&other).await.expect(204);
    director.client.patch(&third, done.clone()).await.expect(200);
    let path = format!("/customers/{customer}");
    assert_eq!(times(&colleague.client, &path).await, [json!(FEBRUARY), json!(MUCH_LATER)]);
    // The contract stayed with its owner: whoever sees both may.
    colleague.client.get(&of_contract).await.refused(404, "not_found");
    colleague.client.patch(&of_contract, done.clone()).await.refused(404, "not_found");
    colleague.client.delete(&of_contract).await.refused(404, "not_found");
    manager.client.patch(&of_contract, done.clone()).await.expect(200);
    assert_eq!(times(&colleague.client, &path).await, [json!(FEBRUARY), Value::Null]);

    let lead = json!({"name": "Lin Mei", "source": "website"});
    let lead = rep.client.post("/leads", lead).await.expect(201).id();
    let task = log("lead", &lead, open).await;
    let assign = format!("/leads/{lead}/assign");
    manager.client.post(&assign, json!({"owner_id": colleague.id})).await.expect(200);
    rep.client.patch(&task, done.clone()).await.refused(404, "not_found");
    colleague.client.patch(&task, done).await.expect(200);
    assert_eq!(times(&colleague.client, &format!("/leads/{lead}")).await[0], json!(FEBRUARY));
}

/// What counts for a customer's next step is in the list, is read by its id, and can be done: nothing takes away from
/// under it what it is about.
async fn what_it_is_about_stays_as_long_as_it(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let contract = ("contract", format!("/contracts/{contract}"), contract);
    let customer = rep.get(&contract.1).await.expect(200).text_of("customer_id");
    let deal = json!({"name": "Pumps", "customer_id": customer});
    let deal = rep.post("/opportunities", deal).await.expect(201).id();
    let person = json!({"name": "Zhang Wei", "customer_id": customer});
    let person = rep.post("/contacts", person).await.expect(201).id();
    let path = format!("/customers/{customer}");
    for (kind, of, id) in [
        contract,
        ("opportunity", format!("/opportunities/{deal}"), deal),
        ("contact", format!("/contacts/{person}"), person),
    ] {
        let about = json!({"kind": kind, "id": id});
        let form = json!({"about": about, "kind": "task", "subject": "Call back", "due_at": LATER});
        let task = rep.post("/activities", form.clone()).await.expect(201).id();
        rep.delete(&of).await.refused(409, "in_use");
        assert_eq!(times(rep, &path).await[1], json!(LATER), "{kind}");
        let listed = rep.all(&format!("/activities?about_id={id}")).await;
        assert_eq!((listed.len(), &listed[0]["id"]), (1, &json!(task)), "{kind}");
        let task = format!("/activities/{task}");
        rep.get(&task).await.expect(200);
        rep.patch(&task, json!({"due_at": MUCH_LATER})).await.expect(200);
        assert_eq!(times(rep, &path).await[1], json!(MUCH_LATER), "{kind}");
        rep.delete(&task).await.expect(204);
        assert_eq!(times(rep, &path).await[1], Value::Null, "{kind}");
        rep.delete(&of).await.expect(204);
        let gone = rep.post("/activities", form).await.refused(422, "unknown_reference");
        assert_eq!(gone.body["errors"][0]["pointer"], "/about/id", "{kind}");
    }
}
