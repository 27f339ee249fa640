//! What somebody left open last in the demo, so that each step of its kind can still be made: what waits for an answer,
//! what is locked or paused, and what people were told.

use fairlead_domain::values::{
    AmendmentId, AttachmentId, Currency, CustomerChangeId, NotificationId, PipelineId, RefundId, Today,
    WebhookDeliveryId, WebhookId,
};
use fairlead_domain::webhook::{Answer, Outcome, WebhookDelivery};
use serde_json::json;

use super::ids::LOCKED;
use super::setting_up::form;
use super::stage::{Stage, done, exactly, known, there};
use crate::call::Failure;
use crate::{amendments, customer_changes, customers, pipelines, refunds, webhooks};

impl Stage {
    /// What waits, and what is at rest.
    pub(super) async fn leave_open(&self) -> Result<(), Failure> {
        let (app, admin) = (&self.app, self.call("admin")?);
        let locked = known(&self.customers, LOCKED, "customer")?.id;
        done(customers::lock(app, &self.call("manager.east")?, locked).await)?;
        let wanted = json!({
            "customer_id": locked, "changes": { "scale": "1000+" }, "reason": "They opened a second works 新厂投产",
        });
        self.ids.give(CustomerChangeId::example(1));
        done(customer_changes::create(app, &self.call("rep.east")?, form(wanted)?).await)?;

        let longer = json!({
            "contract_id": there(self.courses.get("agv").and_then(|deal| deal.contract), "contract")?,
            "reason": "The vehicles stay longer 车队延期", "ends_on": self.clock.day(450),
        });
        self.ids.give(AmendmentId::example(2));
        done(amendments::create(app, &self.call("rep.south")?, form(longer)?).await)?;

        // The draft that finance sent back.
        let draft = there(self.courses.get("hull"), "deal")?;
        self.ids.give(AttachmentId::example(2));
        self.attach(draft.owner, there(draft.contract, "contract")?, "Layout 布局图.pdf").await?;

        let vision = there(self.courses.get("vision"), "deal")?;
        let Today(day) = self.clock.today();
        let back = json!({
            "payment_id": known(&vision.payments, &1, "payment")?, "amount": exactly(1_000, Currency::CNY),
            "refunded_on": day, "method": "bank_transfer", "reason": "A lens was scratched 镜片划伤",
        });
        self.ids.give(RefundId::example(2));
        done(refunds::create(app, &self.call("finance2")?, form(back)?).await)?;

        // Nothing is sold along it yet.
        let service = json!({
            "name": "Service 服务销售",
            "stages": [
                { "name": "Visit 上门", "probability": 30, "kind": "open" },
                { "name": "Offer 报价", "probability": 70, "kind": "open", "starts_contract": true },
                { "name": "Won 赢单", "probability": 100, "kind": "won" },
                { "name": "Lost 输单", "probability": 0, "kind": "lost" },
            ],
        });
        self.ids.give(PipelineId::example(2));
        done(pipelines::create(app, &admin, form(service)?).await)?;
        self.pause_webhook().await?;
        self.ids.give(NotificationId::example(1));
        self.app.notify().await
    }

    /// A webhook that was tried in vain and paused: a demo calls nobody.
    async fn pause_webhook(&self) -> Result<(), Failure> {
        let (app, admin) = (&self.app, self.call("admin")?);
        let wanted = json!({
            "name": "Warehouse 仓库系统", "url": "https://hooks.warehouse.example/fairlead",
            "events": ["contract.activated", "contract.completed"],
        });
        self.ids.give(WebhookId::example(1));
        let webhook = done(webhooks::create(app, &admin, form(wanted)?).await)?.webhook.record.id;
        done(webhooks::disable(app, &admin, webhook).await)?;
        self.ids.give(WebhookDeliveryId::example(1));
        let trial = done(webhooks::ping(app, &admin, webhook).await)?.delivery.id;
        let refused = Outcome {
            answer: Ok(Answer { status: 503, body: b"closed for maintenance".to_vec() }),
            duration_ms: 180,
        };
        app.act("webhooks", async |ctx, work| {
            let mut sent: WebhookDelivery = there(work.load(trial).await?, "delivery")?;
            sent.begin(ctx.now);
            sent.note(refused.clone(), ctx.now, 0.5);
            Ok(work.save_delivery(&mut sent).await?)
        })
        .await
    }
}
