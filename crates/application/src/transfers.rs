//! Transfers (转移): asked for here, decided by approvals, executed all or nothing.

use std::collections::BTreeSet;

use fairlead_domain::access::Permission;
use fairlead_domain::approval::SubjectFacts;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::{Customer, OwnerLoad};
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::invoice::{Invoice, InvoiceStatus};
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::payment::Payment;
use fairlead_domain::record::RecordKind;
use fairlead_domain::transfer::{
    Transfer, TransferDetails, TransferItem, TransferKind, TransferObstacle, TransferStatus,
};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerId, Line, NumberKind, TransferId, UserId};
use fairlead_persistence::{Predicate, Work};
use uuid::Uuid;

use crate::app::App;
use crate::approvals;
use crate::bulk::refused;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, Resource};
use crate::customers;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::views;

views!(Transfer, /// A transfer.
    TransferView, /// A transfer in a list.
    TransferSummary);

/// What a list of transfers can be asked.
pub static LISTING: Listing = Listing {
    resource: "transfers",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("decided_at", Kind::Timestamp).nullable().sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("kind", words!(TransferKind)),
        Field::new("status", words!(TransferStatus)),
        Field::new("owner_id", Kind::Id),
        Field::new("to_user_id", Kind::Id),
        Field::new("created_by", Kind::Id),
    ],
    search: &["number", "reason"],
    default_sort: "-created_at",
    includes: &["owner"],
};

/// What a list of a transfer's records can be asked.
pub static ITEMS: Listing = Listing {
    resource: "transfer_items",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("record_id", Kind::Id),
        Field::new("included", Kind::Boolean),
    ],
    search: &[],
    default_sort: "created_at",
    includes: &[],
};

impl Resource for Transfer {
    type View = TransferView;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Transfer::reveal(self, ctx)
    }
    fn view(self, ctx: &Context) -> Result<TransferView, Refusal> {
        Ok(TransferView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// One transfer.
pub async fn get(app: &App, call: &Call, id: TransferId) -> Read<TransferView> {
    app.get::<Transfer>(call, id).await
}

/// The transfers of what the caller may see, to the caller, and asked for by the caller.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<TransferSummary>> {
    app.read(call, async |ctx, reader| {
        let me = ctx.actor.id.0;
        let mut seen = vec![Predicate::Is("to_user_id", me.into()), Predicate::Is("created_by", me.into())];
        seen.push(lists::scope(ctx, Permission::TransfersRead, "id")?);
        let links = |transfer: &Transfer| Links { owner: Some(transfer.owner_id), ..Links::default() };
        lists::page(ctx, reader, &list, Predicate::Any(seen), links).await
    })
    .await
}

/// The records of a transfer: those that were named, and once it is approved those that went along.
pub async fn items(app: &App, call: &Call, id: TransferId, list: ListRequest) -> Read<Page<TransferItem>> {
    app.read(call, async |ctx, reader| {
        change::read::<Transfer>(ctx, reader, id).await?;
        lists::lines(reader, &list, Predicate::Is("transfer_id", id.0.into())).await
    })
    .await
}

/// Asks for a transfer.
pub async fn create(app: &App, call: &Call, form: Valid<TransferDetails>) -> Written<TransferView> {
    app.write(call, async |ctx, work| {
        let owner = owner_of(ctx, work, &form).await?;
        let number = work.next_number(NumberKind::Transfer, ctx.today().year()).await?;
        let (transfer, event) = Transfer::request(ctx, work.new_id(), number, owner, form.clone())?;
        // Whatever could not go now is told now.
        let mark = work.mark().await?;
        let mut moving = Moving::new(ctx, work, &transfer).await?;
        moving.named(ctx, work, &transfer).await?;
        moving.check()?;
        work.back_to(mark).await?;
        work.insert(&transfer, event).await?;
        for id in &transfer.details.record_ids {
            note(work, &transfer, transfer.details.kind.record(), *id, false, true).await?;
        }
        approvals::request(ctx, work, SubjectFacts::of_transfer(&transfer)?).await?;
        Ok(transfer.view(ctx)?)
    })
    .await
}

/// The one owner of all records, each of which the caller must see.
async fn owner_of(ctx: &Context<'_>, work: &Work, form: &TransferDetails) -> Result<UserId, Failure> {
    let ids = || Predicate::ids(form.record_ids.iter().copied());
    let found: Vec<(Uuid, Option<UserId>)> = match form.kind {
        TransferKind::Customers => {
            let all: Vec<Customer> = work.load_all(ids()).await?;
            all.iter().filter(|it| it.reveal(ctx).is_ok()).map(|it| (it.id.0, it.owner_id)).collect()
        }
        TransferKind::Opportunities => {
            let all: Vec<Opportunity> = work.load_all(ids()).await?;
            all.iter().filter(|it| it.reveal(ctx).is_ok()).map(|it| (it.id.0, Some(it.owner_id))).collect()
        }
        TransferKind::Contracts => {
            let all: Vec<Contract> = work.load_all(ids()).await?;
            all.iter().filter(|it| it.reveal(ctx).is_ok()).map(|it| (it.id.0, Some(it.owner_id))).collect()
        }
    };
    // Whoever may not see a record is told nothing about it; whoever sees them and may not is told so.
    for (at, id) in form.record_ids.iter().enumerate() {
        if !found.iter().any(|(found, _)| found == id) {
            return Err(Refusal::unknown_reference(&format!("/record_ids/{at}")).into());
        }
    }
    ctx.actor.authorize_own(Permission::TransfersRequest)?;
    let mut owners = BTreeSet::new();
    for (id, owner) in &found {
        let unowned = || Refusal::new(Code::CustomerUnowned, "claim or assign the customer first");
        owners.insert(owner.ok_or_else(|| unowned().with("id", id))?);
        if work.count("transfer_items", pending(*id)).await? > 0 {
            let detail = "another transfer of the record waits for its decision";
            return Err(Refusal::new(Code::PendingTransfer, detail).with("id", id).into());
        }
    }
    match owners.into_iter().collect::<Vec<_>>()[..] {
        [owner] => Ok(owner),
        _ => Err(Refusal::new(Code::OwnersDiffer, "transfer what belongs to one owner at a time").into()),
    }
}

fn pending(record: Uuid) -> Predicate {
    Predicate::All(vec![Predicate::Is("record_id", record.into()), Predicate::Is("pending", true.into())])
}

async fn note(
    work: &Work,
    transfer: &Transfer,
    record_kind: RecordKind,
    record_id: Uuid,
    included: bool,
    pending: bool,
) -> Result<(), Failure> {
    let (id, created_at) = (work.new_id(), work.now());
    let transfer_id = transfer.id;
    let item = TransferItem { id, transfer_id, record_kind, record_id, included, pending, created_at };
    Ok(work.append(&item).await?)
}

/// Takes a transfer back.
pub async fn withdraw(app: &App, call: &Call, id: TransferId) -> Written<TransferView> {
    app.change(call, id, async |ctx, work, transfer: &mut Transfer| {
        let event = transfer.withdraw(ctx)?;
        approvals::withdraw_pending(ctx, work, id.0).await?;
        work.settle_transfer(id).await?;
        Ok(event)
    })
    .await
}

/// A supervisor did not agree, or the question was taken back.
pub(crate) async fn ended(
    work: &mut Work,
    transfer: &Transfer,
    end: impl FnOnce(&mut Transfer) -> Result<Event, Refusal>,
) -> Result<(), Failure> {
    let mut after = transfer.clone();
    let event = end(&mut after)?;
    work.save(transfer, &mut after, event).await?;
    Ok(work.settle_transfer(transfer.id).await?)
}

/// A supervisor agreed: everything moves, or nothing does.
pub(crate) async fn execute(ctx: &Context<'_>, work: &mut Work, before: &Transfer) -> Result<(), Failure> {
    let mut transfer = before.clone();
    let event = transfer.approve(ctx)?;
    work.save(before, &mut transfer, event).await?;
    work.settle_transfer(transfer.id).await?;
    let mut moving = Moving::new(ctx, work, &transfer).await?;
    moving.named(ctx, work, &transfer).await?;
    moving.included(work, &transfer).await?;
    moving.check()
}

/// Records on their way to another owner.
pub(crate) struct Moving {
    from: UserId,
    to: UserId,
    load: OwnerLoad,
    reason: Line,
    customers: Vec<CustomerId>,
    obstacles: Vec<TransferObstacle>,
}

impl Moving {
    async fn new(ctx: &Context<'_>, work: &Work, transfer: &Transfer) -> Result<Self, Failure> {
        let to = transfer.details.to_user_id;
        // Customers are locked before the user who receives them, as everywhere.
        if transfer.details.kind == TransferKind::Customers {
            let ids = Predicate::ids(transfer.details.record_ids.iter().copied());
            work.load_all::<Customer>(ids).await?;
        }
        Self::between(ctx, work, (transfer.owner_id, to), transfer.details.reason.clone()).await
    }

    /// Begins to move from one user to another.
    pub(crate) async fn between(
        ctx: &Context<'_>,
        work: &Work,
        (from, to): (UserId, UserId),
        reason: Line,
    ) -> Result<Self, Failure> {
        let load = work.owner_load(to, customers::day_began(ctx)).await?;
        Ok(Self { from, to, load, reason, customers: Vec::new(), obstacles: Vec::new() })
    }

    /// Who receives.
    pub(crate) fn to(&self) -> UserId {
        self.to
    }

    /// How much the receiver owns by now.
    pub(crate) fn load(&self) -> OwnerLoad {
        self.load
    }

    /// The receiver owns one customer more.
    pub(crate) fn took_one(&mut self) {
        self.load = self.load.with(1);
    }

    /// Moves what was named.
    async fn named(
        &mut self,
        ctx: &Context<'_>,
        work: &mut Work,
        transfer: &Transfer,
    ) -> Result<(), Failure> {
        let details = &transfer.details;
        for id in &details.record_ids {
            let outcome = match details.kind {
                TransferKind::Customers => self.customer(ctx, work, *id).await,
                TransferKind::Opportunities => match work.load::<Opportunity>(*id).await? {
                    Some(opportunity) => self.opportunity(work, &opportunity).await,
                    None => Err(Refusal::not_found().into()),
                },
                TransferKind::Contracts => match work.load::<Contract>(*id).await? {
                    Some(contract) => self.contract(work, &contract).await,
                    None => Err(Refusal::not_found().into()),
                },
            };
            self.obstructed(*id, outcome)?;
        }
        Ok(())
    }

    /// Moves what goes along with customers: what is open, and has the same owner.
    async fn included(&mut self, work: &mut Work, transfer: &Transfer) -> Result<(), Failure> {
        let of_customers = Predicate::All(vec![
            Predicate::In("customer_id", self.customers.iter().map(|id| id.0).collect()),
            Predicate::Is("owner_id", self.from.0.into()),
        ]);
        if transfer.details.include_opportunities {
            let open = Predicate::All(vec![of_customers.clone(), Predicate::Is("status", "open".into())]);
            for opportunity in work.load_all::<Opportunity>(open).await? {
                let outcome = self.opportunity(work, &opportunity).await;
                self.obstructed(opportunity.id.0, outcome)?;
                note(work, transfer, RecordKind::Opportunity, opportunity.id.0, true, false).await?;
            }
        }
        if transfer.details.include_contracts {
            let live =
                ["draft", "pending_approval", "active"].map(|status| Predicate::Is("status", status.into()));
            let live = Predicate::All(vec![of_customers, Predicate::Any(live.into())]);
            for contract in work.load_all::<Contract>(live).await? {
                let outcome = self.contract(work, &contract).await;
                self.obstructed(contract.id.0, outcome)?;
                note(work, transfer, RecordKind::Contract, contract.id.0, true, false).await?;
            }
        }
        Ok(())
    }

    async fn customer(&mut self, ctx: &Context<'_>, work: &mut Work, id: Uuid) -> Result<(), Failure> {
        let before: Customer = change::there(work.load(id).await?)?;
        self.same_owner(before.owner_id)?;
        let mut after = before.clone();
        let (change, event) = after.transfer(ctx, self.to, self.load, self.reason.clone())?;
        work.save(&before, &mut after, event).await?;
        customers::moved(work, &change, None).await?;
        self.took_one();
        self.customers.push(before.id);
        Ok(())
    }

    pub(crate) async fn opportunity(&self, work: &mut Work, before: &Opportunity) -> Result<(), Failure> {
        self.same_owner(Some(before.owner_id))?;
        let mut after = before.clone();
        let event = after.transfer(self.to)?;
        Ok(work.save(before, &mut after, event).await?)
    }

    pub(crate) async fn contract(&self, work: &mut Work, before: &Contract) -> Result<(), Failure> {
        self.same_owner(Some(before.owner_id))?;
        let of_contract = || Predicate::Is("contract_id", before.id.0.into());
        let invoices: Vec<Invoice> = work.load_all(of_contract()).await?;
        let pending =
            invoices.iter().filter(|invoice| invoice.status == InvoiceStatus::PendingApproval).count();
        let mut after = before.clone();
        let event = after.transfer(self.to, pending)?;
        work.save(before, &mut after, event).await?;
        for invoice in &invoices {
            let mut after = invoice.clone();
            after.owner_id = self.to;
            work.save(invoice, &mut after, Event("invoice.transferred")).await?;
        }
        for payment in &work.load_all::<Payment>(of_contract()).await? {
            let mut after = payment.clone();
            after.owner_id = self.to;
            work.save(payment, &mut after, Event("payment.transferred")).await?;
        }
        Ok(())
    }

    fn same_owner(&self, owner: Option<UserId>) -> Result<(), Refusal> {
        if owner == Some(self.from) {
            return Ok(());
        }
        Err(Refusal::new(Code::OwnersDiffer, "the record has changed hands since the transfer was asked for"))
    }

    fn obstructed(&mut self, id: Uuid, outcome: Result<(), Failure>) -> Result<(), Failure> {
        if let Err(refusal) = refused(outcome)? {
            self.obstacles.push(TransferObstacle { id, code: refusal.code, detail: refusal.detail });
        }
        Ok(())
    }

    /// Nothing moves unless everything does.
    fn check(self) -> Result<(), Failure> {
        if self.obstacles.is_empty() {
            return Ok(());
        }
        let detail = format!("{} of the records cannot be transferred, so none was", self.obstacles.len());
        Err(Refusal::new(Code::TransferObstructed, detail).with("items", self.obstacles).into())
    }
}
