//! Contracts, and what is asked of approvers.

use serde_json::{Value, json};

use super::{Records, every_pair};
use crate::support::{Client, Company, Server};

struct Contracts(Company);

impl Records for Contracts {
    const MACHINE: &'static str = "contract";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let (rep, director) = (&self.0.rep, &self.0.director.client);
        match state {
            "draft" => self.0.draft(rep, "1000.00", "by_contract").await,
            "pending_approval" => {
                let id = self.0.draft(rep, "1000.00", "by_contract").await;
                // By whoever will try to withdraw it.
                director.act(&format!("/contracts/{id}/submit")).await.expect(200);
                id
            }
            "active" => self.0.active(rep, "1000.00", "by_contract").await,
            "completed" => {
                let id = self.0.active(rep, "1000.00", "by_contract").await;
                let payment =
                    rep.client.post("/payments", Company::payment(&id, "1000.00")).await.expect(201);
                self.0.finance.client.act(&format!("/payments/{}/confirm", payment.id())).await.expect(200);
                id
            }
            "terminated" => {
                let id = self.0.active(rep, "1000.00", "by_contract").await;
                let form = json!({"reason": "the customer closed down"});
                director.post(&format!("/contracts/{id}/terminate"), form).await.expect(200);
                id
            }
            "cancelled" => {
                let id = self.0.draft(rep, "1000.00", "by_contract").await;
                rep.client.post(&format!("/contracts/{id}/cancel"), json!({})).await.expect(200);
                id
            }
            other => panic!("no contract is made {other}"),
        }
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/contracts/{id}")
    }

    fn body(&self, action: &str) -> Value {
        if action == "terminate" { json!({"reason": "by agreement"}) } else { json!({}) }
    }
}

struct Approvals(Company);

impl Records for Approvals {
    const MACHINE: &'static str = "approval";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let Company { rep, manager, finance, .. } = &self.0;
        let contract = self.0.draft(rep, "1000.00", "by_contract").await;
        rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let id = self.0.pending(&contract).await;
        let approval = format!("/approvals/{id}");
        // The last step waits: its approval is the request's.
        manager.client.post(&format!("{approval}/approve"), json!({})).await.expect(200);
        match state {
            "pending" => {}
            "approved" => {
                finance.client.post(&format!("{approval}/approve"), json!({})).await.expect(200);
            }
            "rejected" => {
                let form = json!({"comment": "too cheap"});
                finance.client.post(&format!("{approval}/reject"), form).await.expect(200);
            }
            "withdrawn" => {
                rep.client.act(&format!("{approval}/withdraw")).await.expect(200);
            }
            other => panic!("no approval is made {other}"),
        }
        id
    }

    fn actor(&self, action: &str) -> &Client {
        if matches!(action, "withdraw" | "remind") { &self.0.rep.client } else { &self.0.finance.client }
    }

    fn path(&self, id: &str) -> String {
        format!("/approvals/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "reject" | "comment" => json!({"comment": "not like this"}),
            "return" => json!({"comment": "look again", "step": 0}),
            "add_step" => json!({"user_id": self.0.auditor.id, "place": "before"}),
            _ => json!({}),
        }
    }
}

pub(super) async fn contracts_follow_their_machine(server: Server) {
    every_pair(&Contracts(Company::found(&server).await)).await;
}

pub(super) async fn approvals_follow_their_machine(server: Server) {
    every_pair(&Approvals(Company::found(&server).await)).await;
}
