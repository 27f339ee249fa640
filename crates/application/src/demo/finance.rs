//! What finance did last in the demo: a bank statement, money that went back, other terms for a contract.

use fairlead_domain::attachment::{FileCard, MediaType};
use fairlead_domain::values::{
    AmendmentId, AttachmentId, ContractId, CreditNoteId, Currency, ReceiptId, RefundId, Today,
};
use serde_json::json;

use super::act::Approver;
use super::setting_up::form;
use super::stage::{Key, Stage, done, exactly, known, there};
use crate::call::Failure;
use crate::listing::Include;
use crate::{amendments, attachments, contracts, credit_notes, payments, receipts, refunds};

/// The deal whose contract and payments all of it is about.
const DEAL: &str = "vision";

impl Stage {
    /// The bank's statement of the day, and what came of it.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        let (app, cashier, finance) = (&self.app, self.call("finance2")?, self.call("finance")?);
        let course = there(self.courses.get(DEAL), "deal")?;
        let (owner, contract) = (course.owner, there(course.contract, "contract")?);
        let seller = self.call(owner)?;
        let number = contracts::get(app, &seller, contract, Include::default()).await?.view.record.number;
        let Today(day) = self.clock.today();
        let csv = format!(
            "Date,Amount,Payer,Reference,Text\n{day},\"50,000.00\",Suzhou,DEMO-B-01,{number} second part\n\
             {day},8800.00,Hangzhou Unknown Trading,DEMO-B-02,goods\n{day},312.45,Bank,DEMO-B-03,interest\n\
             {day},-25.00,Bank,DEMO-B-04,fee\n"
        );
        let statement = json!({
            "csv": csv, "currency": "CNY", "method": "bank_transfer",
            "columns": {
                "received_on": "Date", "amount": "Amount", "payer": "Payer", "bank_reference": "Reference", "memo": "Text",
            },
        });
        // Each receipt is followed by the event about it.
        let [unknown, aside] = [3, 2].map(|place| Some(ReceiptId::example(place).0));
        self.ids.give_in_order([None, None, unknown, None, aside]);
        let imported = done(receipts::import(app, &cashier, form(statement)?).await)?;
        let receipt = |at: usize| there(imported.rows.get(at).and_then(|row| row.receipt_id), "receipt");
        let matched = form(json!({ "contract_id": contract }))?;
        let matched = done(receipts::match_one(app, &cashier, receipt(0)?, matched).await)?;
        let payment = there(matched.record.payment_id, "payment")?;
        done(payments::confirm(app, &finance, payment).await)?;
        // Paid over the counter, and nobody has said yet for what.
        let counter = json!({
            "received_on": day, "amount": exactly(36_000, Currency::CNY), "method": "cheque",
            "payer": "Suzhou Yuncang Logistics",
        });
        self.ids.give(ReceiptId::example(1));
        done(receipts::create(app, &cashier, form(counter)?).await)?;
        let interest = form(json!({"reason": "Interest 利息"}))?;
        done(receipts::set_aside(app, &cashier, receipt(2)?, interest).await)?;
        // Two orders were paid at once, they say.
        let parts = [5_000, 3_800].map(|units| exactly(units, Currency::CNY));
        let parts = form(json!({ "amounts": parts }))?;
        done(receipts::split(app, &cashier, receipt(1)?, parts).await)?;

        let paid = known(&course.payments, &1, "payment")?;
        let back = json!({
            "payment_id": paid, "amount": exactly(5_000, Currency::CNY), "refunded_on": day,
            "method": "bank_transfer", "reason": "Two cameras came late 相机延迟交付",
        });
        self.ids.give(RefundId::example(1));
        let back = done(refunds::create(app, &cashier, form(back)?).await)?.record.id;
        done(refunds::confirm(app, &finance, back).await)?;

        // Of what another deal was billed, a part is taken back.
        let billed = there(self.courses.get("retrofit"), "deal")?;
        let note = json!({
            "invoice_id": known(&billed.invoices, &2, "invoice")?, "amount": exactly(1_000, Currency::USD),
            "tax_invoice_number": "DEMO-RED-01", "reason": "Travel was not due 差旅费冲红",
        });
        self.ids.give(CreditNoteId::example(1));
        done(credit_notes::create(app, &finance, form(note)?).await)?;

        // The copy that both signed.
        self.ids.give(AttachmentId::example(1));
        self.attach(owner, contract, &format!("{number} signed 已签.pdf")).await?;

        let longer = json!({
            "contract_id": contract, "reason": "The hall is finished later 厂房延期",
            "ends_on": self.clock.day(200),
        });
        self.ids.give(AmendmentId::example(1));
        let amendment = done(amendments::create(app, &seller, form(longer)?).await)?.record.id;
        for step in [Approver::Manager, Approver::Finance] {
            self.agree(amendment, owner, step).await?;
        }
        Ok(())
    }

    /// Adds a sheet of paper to a contract.
    pub(super) async fn attach(&self, by: Key, contract: ContractId, name: &str) -> Result<(), Failure> {
        let sheet = "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[3 0 R]\
                     /Count 1>> endobj\n3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>> endobj\n\
                     trailer <</Root 1 0 R>>\n%%EOF\n";
        let card = FileCard::new(name, MediaType::Pdf)?;
        let content = futures_util::stream::iter([Ok(bytes::Bytes::from_static(sheet.as_bytes()))]);
        done(attachments::create(&self.app, &self.call(by)?, contract, card, content).await)?;
        Ok(())
    }
}
