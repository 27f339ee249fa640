//! Credit notes (红冲).

use fairlead_domain::access::Permission;
use fairlead_domain::context::Event;
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::{CreditForm, CreditNote};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CreditNoteId, NumberKind};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::there;
use crate::contracts::settle_and_save;
use crate::invoices;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::{Related, summary};

summary!(CreditNote, /// A credit note in a list.
    CreditNoteSummary, [owner: WithOwner, customer: WithCustomer, contract: WithContract]);

impl Versioned for CreditNote {
    fn version(&self) -> i64 {
        self.version
    }
}

/// What a list of credit notes can be asked.
pub static LISTING: Listing = Listing {
    resource: "credit_notes",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("invoice_id", Kind::Id),
        Field::new("contract_id", Kind::Id),
        Field::new("customer_id", Kind::Id),
        Field::new("owner_id", Kind::Id),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
        Field::new("issued_on", Kind::Date).sortable(),
    ],
    search: &["number", "tax_invoice_number"],
    default_sort: "-created_at",
    includes: CreditNoteSummary::INCLUDES,
};

/// What a credit note refers to.
fn links(note: &CreditNote) -> Links {
    Links {
        owner: Some(note.owner_id),
        customer: Some(note.customer_id),
        contract: Some(note.contract_id),
        ..Links::default()
    }
}

/// One credit note.
pub async fn get(app: &App, call: &Call, id: CreditNoteId, include: Include) -> Read<Related<CreditNote>> {
    app.read(call, async |ctx, reader| {
        let note: CreditNote = there(reader.one(id).await?)?;
        note.reveal(ctx)?;
        lists::related(ctx, reader, &include, links(&note), note).await
    })
    .await
}

/// The credit notes of invoices that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<CreditNoteSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::InvoicesRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Takes an issued invoice back, in whole or in part.
pub async fn create(app: &App, call: &Call, form: Valid<CreditForm>) -> Written<CreditNote> {
    app.write(call, async |ctx, work| {
        let found = invoices::load(ctx, work, form.invoice_id).await;
        let (contract, before) = found.map_err(|failure| match failure {
            Failure::Refused(_) => Failure::Refused(Refusal::unknown_reference("/invoice_id")),
            other => other,
        })?;
        let number = work.next_number(NumberKind::CreditNote, ctx.today().year()).await?;
        let (mut after, mut summed) = (before.clone(), contract.clone());
        let (note, event) = after.credit(ctx, &mut summed, (work.new_id(), number), form.clone())?;
        work.take_tax_number(note.tax_invoice_key()).await?;
        work.insert(&note, event).await?;
        work.save(&before, &mut after, Event("invoice.credited")).await?;
        settle_and_save(ctx, work, &contract, summed, Event("contract.sums_changed")).await?;
        Ok(note)
    })
    .await
}
