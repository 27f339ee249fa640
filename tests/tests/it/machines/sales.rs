//! Leads, customers and opportunities.

use serde_json::{Value, json};

use super::{Records, every_pair};
use crate::support::{Client, Company, Server};

struct Leads(Company);

impl Leads {
    async fn new_lead(&self) -> String {
        let form = json!({"name": "Wang Fang", "company": "Blue River", "source": "event"});
        self.0.marketing.client.post("/leads?allow_duplicate=true", form).await.expect(201).id()
    }
}

impl Records for Leads {
    const MACHINE: &'static str = "lead";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, action: &str) -> String {
        let (marketing, director) = (&self.0.marketing.client, &self.0.director.client);
        let id = self.new_lead().await;
        let lead = format!("/leads/{id}");
        // A lead is claimed while it has no owner; most else wants one.
        if action != "claim" || state == "converted" {
            let form = json!({"owner_id": self.0.rep.id});
            marketing.post(&format!("{lead}/assign"), form).await.expect(200);
        }
        if ["contacted", "qualified", "converted"].contains(&state) {
            let form = json!({"about": {"kind": "lead", "id": id}, "kind": "call", "subject": "First call"});
            marketing.post("/activities", form).await.expect(201);
        }
        if ["qualified", "converted"].contains(&state) {
            marketing.act(&format!("{lead}/qualify")).await.expect(200);
        }
        if state == "converted" {
            director.post(&format!("{lead}/convert"), json!({})).await.expect(200);
        }
        if state == "disqualified" {
            marketing.post(&format!("{lead}/disqualify"), json!({"reason": "spam"})).await.expect(200);
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/leads/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "assign" => json!({"owner_id": self.0.colleague.id}),
            "disqualify" => json!({"reason": "no_need"}),
            _ => json!({}),
        }
    }
}

struct Customers(Company);

impl Records for Customers {
    const MACHINE: &'static str = "customer";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, action: &str) -> String {
        let id = match state {
            "pool" => self.0.pool_customer().await,
            "owned" => self.0.customer(&self.0.rep).await,
            other => panic!("no customer is made {other}"),
        };
        if state == "owned" && action == "unlock" {
            self.0.director.client.act(&format!("/customers/{id}/lock")).await.expect(200);
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/customers/{id}")
    }

    fn action_path(&self, id: &str, action: &str) -> String {
        match action {
            "claim" => format!("/public-pool/customers/{id}/claim"),
            _ => format!("/customers/{id}/{action}"),
        }
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "assign" => json!({"owner_id": self.0.colleague.id}),
            "release" => json!({"reason": "nobody answers"}),
            "move" => json!({"pool_id": self.0.pool}),
            _ => json!({}),
        }
    }

    fn state(record: &Value) -> String {
        if record["owner_id"].is_null() { "pool" } else { "owned" }.to_owned()
    }
}

struct Opportunities(Company);

impl Opportunities {
    async fn open(&self) -> String {
        let rep = &self.0.rep;
        let form = json!({
            "name": "Packing line", "customer_id": self.0.customer(rep).await,
            "amount": {"amount": "1000.00", "currency": "CNY"},
        });
        rep.client.post("/opportunities", form).await.expect(201).id()
    }
}

impl Records for Opportunities {
    const MACHINE: &'static str = "opportunity";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let rep = &self.0.rep.client;
        let id = self.open().await;
        let opportunity = format!("/opportunities/{id}");
        match state {
            "open" => {}
            "lost" => {
                rep.post(&format!("{opportunity}/lose"), json!({"reason": "price"})).await.expect(200);
            }
            "won" => {
                let form = json!({"stage_id": self.0.signing_stage()});
                let signing = rep.post(&format!("{opportunity}/advance"), form).await.expect(200);
                let contract = signing.text_of("contract_id");
                let money = json!({"amount": "1000.00", "currency": "CNY"});
                let plan = json!({"installments": [{"due_on": "2099-12-31", "amount": money}]});
                rep.patch(&format!("/contracts/{contract}"), plan).await.expect(200);
                rep.act(&format!("/contracts/{contract}/submit")).await.expect(200);
                self.0.approve(&contract).await;
            }
            other => panic!("no opportunity is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/opportunities/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "advance" => json!({"stage_id": self.0.stage(1)}),
            "lose" => json!({"reason": "competitor"}),
            _ => json!({}),
        }
    }
}

pub(super) async fn leads_follow_their_machine(server: Server) {
    let leads = Leads(Company::found(&server).await);
    leads.0.tell_no_duplicates().await;
    every_pair(&leads).await;
}

pub(super) async fn customers_follow_their_machine(server: Server) {
    every_pair(&Customers(Company::found(&server).await)).await;
}

pub(super) async fn opportunities_follow_their_machine(server: Server) {
    every_pair(&Opportunities(Company::found(&server).await)).await;
}

/// Refusals of a state that allows the action, where the record itself says no.
pub(super) async fn conditions_beside_the_state_hold(server: Server) {
    let leads = Leads(Company::found(&server).await);
    let company = &leads.0;
    let director = &company.director.client;
    for state in ["new", "contacted", "qualified"] {
        let owned = leads.make(state, "assign").await;
        director.act(&format!("/leads/{owned}/claim")).await.refused(409, "already_claimed");
        let form = json!({"owner_id": company.rep.id});
        director.post(&format!("/leads/{owned}/assign"), form).await.refused(409, "already_owner");
        let unowned = leads.make(state, "claim").await;
        director.act(&format!("/leads/{unowned}/release")).await.refused(409, "invalid_transition");
        director
            .post(&format!("/leads/{unowned}/convert"), json!({}))
            .await
            .refused(409, "invalid_transition");
    }
    let customer = company.customer(&company.rep).await;
    let form = json!({"owner_id": company.rep.id});
    director.post(&format!("/customers/{customer}/assign"), form).await.refused(409, "already_owner");

    // Whoever did not ask does not withdraw, though they hold the permission.
    let contract = company.draft(&company.rep, "1000.00", "by_contract").await;
    company.rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    director.act(&format!("/contracts/{contract}/withdraw")).await.refused(403, "forbidden");
    company.rep.client.act(&format!("/contracts/{contract}/withdraw")).await.expect(200);
}
