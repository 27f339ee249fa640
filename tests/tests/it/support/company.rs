use serde_json::{Value, json};

use super::server::PASSWORD;
use super::{Client, Server};

/// Somebody of the company.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub client: Client,
}

/// A company to test with: Sales with two teams below it, and every role.
///
/// ```text
/// Sales            director
///   East           manager, rep, colleague
///     East Inner   inner (a rep one level deeper)
///   South          other_manager, other_rep
/// Finance          finance, finance_two
/// no team          marketing, auditor, admin
/// ```
#[derive(Debug, Clone)]
pub struct Company {
    pub admin: Person,
    pub director: Person,
    pub manager: Person,
    pub rep: Person,
    /// A rep in the same team.
    pub colleague: Person,
    /// A rep in the team below.
    pub inner: Person,
    pub other_manager: Person,
    /// A rep of another team.
    pub other_rep: Person,
    pub finance: Person,
    pub finance_two: Person,
    pub marketing: Person,
    pub auditor: Person,
    /// The default pipeline.
    pub pipeline: Value,
    /// The default public pool.
    pub pool: String,
}

impl Company {
    pub async fn found(server: &Server) -> Self {
        let admin = server.admin().await;
        let team = async |name: &str, parent: Option<&str>| {
            admin.post("/teams", json!({"name": name, "parent_id": parent})).await.expect(201).id()
        };
        let sales = team("Sales", None).await;
        let east = team("East", Some(&sales)).await;
        let inner = team("East Inner", Some(&east)).await;
        let south = team("South", Some(&sales)).await;
        let finance = team("Finance", None).await;
        let person = async |name: &str, role: &str, team: Option<&str>| {
            let email = format!("{name}@example.com");
            let user = json!({
                "email": email, "display_name": name, "team_id": team, "roles": [role], "password": PASSWORD,
            });
            let id = admin.post("/users", user).await.expect(201).id();
            Person { id, client: server.login(&email, PASSWORD).await, email }
        };
        let pipelines = admin.get("/pipelines?is_default=true").await.expect(200);
        let pools = admin.get("/public-pools?is_default=true").await.expect(200);
        Self {
            pool: pools.body["data"][0]["id"].as_str().unwrap().to_owned(),
            director: person("director", "sales_director", Some(&sales)).await,
            manager: person("manager", "sales_manager", Some(&east)).await,
            rep: person("rep", "sales_rep", Some(&east)).await,
            colleague: person("colleague", "sales_rep", Some(&east)).await,
            inner: person("inner", "sales_rep", Some(&inner)).await,
            other_manager: person("other-manager", "sales_manager", Some(&south)).await,
            other_rep: person("other-rep", "sales_rep", Some(&south)).await,
            finance: person("finance", "finance", Some(&finance)).await,
            finance_two: person("finance-two", "finance", Some(&finance)).await,
            marketing: person("marketing", "marketing", None).await,
            auditor: person("auditor", "auditor", None).await,
            pipeline: pipelines.body["data"][0].clone(),
            admin: Person {
                id: admin.get("/me").await.expect(200).id(),
                email: super::server::ADMIN_EMAIL.to_owned(),
                client: admin,
            },
        }
    }

    /// Changes the organisation's settings.
    pub async fn set(&self, settings: Value) {
        self.admin.client.patch("/settings", settings).await.expect(200);
    }

    /// Lets records that look alike be made, where a test is about something else.
    pub async fn tell_no_duplicates(&self) {
        self.set(json!({"duplicates": {"refuse_on": []}})).await;
    }

    /// One person for every built-in role.
    pub fn by_role(&self) -> [(&'static str, &Person); 7] {
        [
            ("sales_rep", &self.rep),
            ("sales_manager", &self.manager),
            ("sales_director", &self.director),
            ("finance", &self.finance),
            ("marketing", &self.marketing),
            ("auditor", &self.auditor),
            ("admin", &self.admin),
        ]
    }

    /// The id of the n-th stage of the default pipeline.
    pub fn stage(&self, at: usize) -> String {
        self.pipeline["stages"][at]["id"].as_str().unwrap().to_owned()
    }

    /// The id of the stage that starts the contract.
    pub fn signing_stage(&self) -> String {
        let stages = self.pipeline["stages"].as_array().unwrap();
        let signing = stages.iter().find(|stage| stage["starts_contract"] == true).unwrap();
        signing["id"].as_str().unwrap().to_owned()
    }

    /// A customer of this person.
    pub async fn customer(&self, owner: &Person) -> String {
        let name = format!("Customer {}", rand::random::<u32>());
        owner.client.post("/customers", json!({"kind": "company", "name": name})).await.expect(201).id()
    }

    /// A customer in the pool.
    pub async fn pool_customer(&self) -> String {
        self.customer(&self.admin).await
    }

    /// A draft contract with one installment, in CNY.
    pub async fn draft(&self, owner: &Person, amount: &str, scheme: &str) -> String {
        let customer = self.customer(owner).await;
        let money = json!({"amount": amount, "currency": "CNY"});
        let form = json!({
            "title": "Delivery", "customer_id": customer, "amount": money, "collection_scheme": scheme,
            "installments": [{"due_on": "2026-12-31", "amount": money}],
        });
        owner.client.post("/contracts", form).await.expect(201).id()
    }

    /// The pending approval of a subject.
    pub async fn pending(&self, subject: &str) -> String {
        let found = self
            .director
            .client
            .get(&format!("/approvals?subject_id={subject}&status=pending"))
            .await
            .expect(200);
        found.body["data"][0]["id"].as_str().expect("a pending approval").to_owned()
    }

    /// Has the owner's manager (the director, where the owner is one) and finance approve a subject.
    pub async fn approve(&self, subject: &str) {
        let approval = self.pending(subject).await;
        let path = format!("/approvals/{approval}/approve");
        self.director.client.post(&path, json!({})).await.expect(200);
        self.finance.client.post(&path, json!({})).await.expect(200);
    }

    /// A running contract.
    pub async fn active(&self, owner: &Person, amount: &str, scheme: &str) -> String {
        let contract = self.draft(owner, amount, scheme).await;
        owner.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        self.approve(&contract).await;
        contract
    }

    /// A draft invoice.
    pub async fn invoice_draft(&self, owner: &Person, contract: &str, amount: &str) -> String {
        let form = json!({
            "contract_id": contract, "amount": {"amount": amount, "currency": "CNY"}, "tax_rate": "0.13",
            "kind": "special", "tax_profile": {"invoice_title": "Customer Ltd", "tax_number": "91-C"},
        });
        owner.client.post("/invoices", form).await.expect(201).id()
    }

    /// An issued invoice.
    pub async fn issued(&self, owner: &Person, contract: &str, amount: &str) -> String {
        let invoice = self.invoice_draft(owner, contract, amount).await;
        owner.client.act(&format!("/invoices/{invoice}/submit")).await.expect(200);
        self.approve(&invoice).await;
        let form = json!({"tax_invoice_number": format!("T-{}", rand::random::<u64>())});
        self.finance.client.post(&format!("/invoices/{invoice}/issue"), form).await.expect(200);
        invoice
    }

    /// A confirmed payment.
    pub async fn paid(&self, owner: &Person, contract: &str, amount: &str) -> String {
        let payment = owner.client.post("/payments", Self::payment(contract, amount)).await.expect(201).id();
        self.finance.client.act(&format!("/payments/{payment}/confirm")).await.expect(200);
        payment
    }

    /// The form of a payment.
    pub fn payment(contract: &str, amount: &str) -> Value {
        json!({
            "contract_id": contract, "amount": {"amount": amount, "currency": "CNY"}, "received_on": "2026-01-15",
            "method": "bank_transfer", "bank_reference": format!("REF-{}", rand::random::<u64>()),
        })
    }
}
