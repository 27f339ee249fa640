//! Transfers (转移): asked for here, decided by approvals, executed all or nothing.

use std::collections::BTreeSet;

use fairlead_domain::access::Permission;
use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::{ApprovalStatus, Proposal, SubjectFacts};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::{Customer, OwnerLoad, OwnershipChange};
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::invoice::{CreditNote, Invoice, InvoiceStatus};
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::payment::{Payment, Refund};
use fairlead_domain::record::RecordKind;
use fairlead_domain::transfer::{
    Transfer, TransferDetails, TransferItem, TransferKind, TransferObstacle, waits,
};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerId, Line, NumberKind, TransferId, UserId};
use fairlead_persistence::{Predicate, Stored, Work};
use uuid::Uuid;

use crate::amendments;
use crate::app::App;
use crate::approvals;
use crate::bulk::refused;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, AT_ONCE, Resource};
use crate::customers;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};

views!(Transfer, /// A transfer.
    TransferView, /// A transfer in a list.
    TransferSummary, [owner: WithOwner]);

/// What a list of transfers can be asked.
pub static LISTING: Listing = Listing {
    resource: "transfers",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("decided_at", Kind::Timestamp).nullable().sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("kind", words!(TransferKind)),
        Field::new("status", words!(ApprovalStatus)),
        Field::new("owner_id", Kind::Id),
        Field::new("to_user_id", Kind::Id),
        Field::new("created_by", Kind::Id),
    ],
    search: &["number", "reason"],
    default_sort: "-created_at",
    includes: TransferSummary::INCLUDES,
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

/// What a transfer refers to.
fn links(transfer: &Transfer) -> Links {
    Links { owner: Some(transfer.owner_id), ..Links::default() }
}

/// One transfer.
pub async fn get(app: &App, call: &Call, id: TransferId, include: Include) -> Read<Related<TransferView>> {
    app.get_related::<Transfer>(call, id, &include, links).await
}

/// The transfers of what the caller may see, to the caller, and asked for by the caller.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<TransferSummary>> {
    app.read(call, async |ctx, reader| lists::page(ctx, reader, &list, visible(ctx)?, links).await).await
}

/// The same by where they stood: standings name whom they concern.
pub(crate) fn stood(ctx: &Context) -> Predicate {
    let scope = ctx.actor.visible_scope(Permission::TransfersRead);
    let mine = Predicate::Like("persons", format!("%{}%", ctx.actor.id));
    Predicate::Any(vec![mine, Predicate::Scope("customer_id", scope)])
}

/// The transfers that the caller may see: the SQL of [`Transfer::reveal`]. Whoever may see none is told so.
pub(crate) fn visible(ctx: &Context) -> Result<Predicate, Refusal> {
    let scope = lists::scope(ctx, Permission::TransfersRead, "id")?;
    let me = ctx.actor.id.0;
    let mine = ["to_user_id", "created_by"].map(|column| Predicate::Is(column, me.into()));
    Ok(Predicate::Any(mine.into_iter().chain([scope]).collect()))
}

/// The records of a transfer: those that were named, and those that go along. While it is pending, these are what would
/// go as things stood when it was asked for; once it is approved, what went.
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
        let (owner, customers) = owner_of(ctx, work, &form).await?;
        let number = work.next_number(NumberKind::Transfer, ctx.today().year()).await?;
        let (transfer, event) =
            Transfer::request(ctx, work.new_id(), number, (owner, customers), form.clone())?;
        // Whatever could not go now is told now.
        let mark = work.mark().await?;
        let along = Moving::new(ctx, work, &transfer).await?.all(ctx, work, &transfer).await?;
        work.back_to(mark).await?;
        work.insert(&transfer, event).await?;
        for id in &transfer.details.record_ids {
            note(work, &transfer, (transfer.details.kind.record(), *id), Going::Named).await?;
        }
        for record in along {
            note(work, &transfer, record, Going::Along { pending: true }).await?;
        }
        let about = Predicate::ids(transfer.customer_ids.iter().map(|customer| customer.0));
        let about: Vec<Customer> = work.find_all(about).await?;
        let grades = about.iter().filter_map(|customer| customer.details.grade).collect();
        approvals::request(ctx, work, SubjectFacts::of_transfer(&transfer, grades)?).await?;
        Ok(transfer.view(ctx)?)
    })
    .await
}

/// A record that is to be transferred: itself, its owner and its customer.
type Named = (Uuid, Option<UserId>, CustomerId);

async fn seen<T: Resource>(
    ctx: &Context<'_>,
    work: &Work,
    form: &TransferDetails,
    each: impl Fn(&T) -> Named,
) -> Result<Vec<Named>, Failure> {
    let all: Vec<T> = work.load_all(Predicate::ids(form.record_ids.iter().copied())).await?;
    Ok(all.iter().filter(|it| it.reveal(ctx).is_ok()).map(each).collect())
}

/// The one owner of all records, each of which the caller must see, and their customers.
async fn owner_of(
    ctx: &Context<'_>,
    work: &Work,
    form: &TransferDetails,
) -> Result<(UserId, Vec<CustomerId>), Failure> {
    let found = match form.kind {
        TransferKind::Customers => {
            seen(ctx, work, form, |it: &Customer| (it.id.0, it.owner_id, it.id)).await?
        }
        TransferKind::Opportunities => {
            let each = |it: &Opportunity| (it.id.0, Some(it.owner_id), it.details.customer_id);
            seen(ctx, work, form, each).await?
        }
        TransferKind::Contracts => {
            let each = |it: &Contract| (it.id.0, Some(it.owner_id), it.details.customer_id);
            seen(ctx, work, form, each).await?
        }
    };
    // Whoever may not see a record is told nothing about it; whoever sees them and may not is told so.
    for (at, id) in form.record_ids.iter().enumerate() {
        if !found.iter().any(|(found, ..)| found == id) {
            return Err(Refusal::unknown_reference(&format!("/record_ids/{at}")).into());
        }
    }
    ctx.actor.authorize_own(Permission::TransfersRequest)?;
    let (mut owners, mut customers) = (BTreeSet::new(), BTreeSet::new());
    for (id, owner, customer) in &found {
        let unowned = || Refusal::new(Code::CustomerUnowned, "claim or assign the customer first");
        owners.insert(owner.ok_or_else(|| unowned().with("id", id))?);
        customers.insert(*customer);
    }
    let [owner] = owners.into_iter().collect::<Vec<_>>()[..] else {
        return Err(Refusal::new(Code::OwnersDiffer, "transfer what belongs to one owner at a time").into());
    };
    // Whether another transfer waits is told to whoever could ask for one.
    ctx.authorize(Permission::TransfersRequest, Some(owner))?;
    none_pending(work, form.record_ids.iter().copied()).await?;
    Ok((owner, customers.into_iter().collect()))
}

fn changed_hands() -> Refusal {
    Refusal::new(Code::OwnersDiffer, "the record has changed hands since the transfer was asked for")
}

/// What other transfers wait to move.
async fn pending(work: &Work, records: Vec<Uuid>) -> Result<Vec<TransferItem>, Failure> {
    let of_records = Predicate::In("record_id", records);
    Ok(work.find_all(Predicate::All(vec![of_records, Predicate::Is("pending", true.into())])).await?)
}

/// Refuses what another transfer waits to move.
pub(crate) async fn none_pending(
    work: &Work,
    records: impl IntoIterator<Item = Uuid>,
) -> Result<(), Failure> {
    match pending(work, records.into_iter().collect()).await?.first() {
        None => Ok(()),
        Some(item) => Err(waits().with("id", item.record_id).into()),
    }
}

/// Why a record goes.
#[derive(Clone, Copy)]
enum Going {
    /// It was named, and waits for the decision.
    Named,
    /// It goes along with its customer.
    Along {
        /// Whether it waits for the decision as well.
        pending: bool,
    },
}

async fn note(
    work: &Work,
    transfer: &Transfer,
    (record_kind, record_id): (RecordKind, Uuid),
    going: Going,
) -> Result<(), Failure> {
    let (id, created_at) = (work.new_id(), work.now());
    let transfer_id = transfer.id;
    let (included, pending) = match going {
        Going::Named => (false, true),
        Going::Along { pending } => (true, pending),
    };
    let item = TransferItem { id, transfer_id, record_kind, record_id, included, pending, created_at };
    Ok(work.append(&item).await?)
}

/// Takes a transfer back.
pub async fn withdraw(app: &App, call: &Call, id: TransferId) -> Written<TransferView> {
    app.write(call, async |ctx, work| {
        let before: Transfer = change::load(ctx, work, id).await?;
        let view = approvals::take_back(ctx, work, call, before).await?;
        work.settle_transfer(id).await?;
        Ok(view)
    })
    .await
}

/// A supervisor agreed: everything moves, or nothing does.
pub(crate) async fn execute(ctx: &Context<'_>, work: &mut Work, before: &Transfer) -> Result<(), Failure> {
    let mut transfer = before.clone();
    let event = transfer.approve(ctx)?;
    // Records before what tells of them, as everywhere.
    let mut moving = Moving::new(ctx, work, &transfer).await?;
    moving.gone = gone(work, &transfer).await?;
    work.save(before, &mut transfer, event).await?;
    work.settle_transfer(transfer.id).await?;
    let along = moving.all(ctx, work, &transfer).await?;
    work.forget_included(transfer.id).await?;
    for record in along {
        note(work, &transfer, record, Going::Along { pending: false }).await?;
    }
    Ok(())
}

/// The records that went to somebody else after the transfer was asked for, even if they came back.
async fn gone(work: &Work, transfer: &Transfer) -> Result<BTreeSet<Uuid>, Failure> {
    let which = Predicate::All(vec![
        Predicate::Is("transfer_id", transfer.id.0.into()),
        Predicate::Is("included", false.into()),
        Predicate::Is("pending", false.into()),
    ]);
    let items: Vec<TransferItem> = work.find_all(which).await?;
    Ok(items.into_iter().map(|item| item.record_id).collect())
}

/// Records on their way to another owner.
pub(crate) struct Moving {
    from: UserId,
    to: UserId,
    load: OwnerLoad,
    reason: Line,
    changes: Vec<OwnershipChange>,
    /// Opportunities, contracts and what belongs to these.
    others: Vec<Uuid>,
    along: Vec<(RecordKind, Uuid)>,
    gone: BTreeSet<Uuid>,
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
        Ok(Self {
            from,
            to,
            load,
            reason,
            changes: Vec::new(),
            others: Vec::new(),
            along: Vec::new(),
            gone: BTreeSet::new(),
            obstacles: Vec::new(),
        })
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

    /// Moves what was named and what goes along, or nothing. Answers with what goes along.
    async fn all(
        mut self,
        ctx: &Context<'_>,
        work: &mut Work,
        transfer: &Transfer,
    ) -> Result<Vec<(RecordKind, Uuid)>, Failure> {
        self.named(ctx, work, transfer).await?;
        self.included(work, transfer).await?;
        if let Some(full) = self.obstacles.iter().position(|it| it.code == Code::OwnershipLimitReached) {
            // Of whom it is too many tells how much the receiver owns.
            let full = self.obstacles.swap_remove(full);
            let all =
                transfer.details.record_ids.iter().map(|id| TransferObstacle { id: *id, ..full.clone() });
            self.obstacles = all.collect();
        }
        if self.obstacles.is_empty() {
            self.settle(ctx, work).await?;
            return Ok(self.along);
        }
        let detail = format!("{} of the records cannot be transferred, so none was", self.obstacles.len());
        Err(Refusal::new(Code::TransferObstructed, detail).with("items", self.obstacles).into())
    }

    /// Has what was asked about the records follow them, once all of them have moved.
    pub(crate) async fn settle(&self, ctx: &Context<'_>, work: &mut Work) -> Result<(), Failure> {
        customers::moved(ctx, work, &self.changes, None).await?;
        for some in self.others.chunks(AT_ONCE) {
            work.release_from_transfers(some).await?;
        }
        let owners = self.others.iter().map(|id| (*id, Some(self.to))).collect();
        approvals::follow(work, &owners).await
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
                _ if self.gone.contains(id) => Err(changed_hands().into()),
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
            Predicate::In("customer_id", self.changes.iter().map(|change| change.customer_id.0).collect()),
            Predicate::Is("owner_id", self.from.0.into()),
        ]);
        if transfer.details.include_opportunities {
            let open = Predicate::All(vec![of_customers.clone(), Predicate::Is("status", "open".into())]);
            let found: Vec<Opportunity> = work.load_all(open).await?;
            self.none_waits(work, found.iter().map(|it| it.id.0)).await?;
            for opportunity in found {
                let outcome = self.opportunity(work, &opportunity).await;
                self.obstructed(opportunity.id.0, outcome)?;
                self.along.push((RecordKind::Opportunity, opportunity.id.0));
            }
        }
        if transfer.details.include_contracts {
            let live =
                ["draft", "pending_approval", "active"].map(|status| Predicate::Is("status", status.into()));
            let live = Predicate::All(vec![of_customers, Predicate::Any(live.into())]);
            let found: Vec<Contract> = work.load_all(live).await?;
            self.none_waits(work, found.iter().map(|it| it.id.0)).await?;
            for contract in found {
                let outcome = self.contract(work, &contract).await;
                self.obstructed(contract.id.0, outcome)?;
                self.along.push((RecordKind::Contract, contract.id.0));
            }
        }
        Ok(())
    }

    /// What another transfer waits to move does not go along.
    async fn none_waits(&mut self, work: &Work, records: impl Iterator<Item = Uuid>) -> Result<(), Failure> {
        for item in pending(work, records.collect()).await? {
            self.obstacles.push(TransferObstacle::new(item.record_id, waits()));
        }
        Ok(())
    }

    async fn customer(&mut self, ctx: &Context<'_>, work: &mut Work, id: Uuid) -> Result<(), Failure> {
        let before: Customer = change::there(work.load(id).await?)?;
        self.same_owner(before.owner_id)?;
        let mut after = before.clone();
        let (change, event) = after.transfer(ctx, self.to, self.load, self.reason.clone())?;
        work.save(&before, &mut after, event).await?;
        self.took_one();
        self.changes.push(change);
        Ok(())
    }

    pub(crate) async fn opportunity(&mut self, work: &mut Work, before: &Opportunity) -> Result<(), Failure> {
        self.same_owner(Some(before.owner_id))?;
        let mut after = before.clone();
        let event = after.transfer(self.to)?;
        work.save(before, &mut after, event).await?;
        self.others.push(before.id.0);
        Ok(())
    }

    pub(crate) async fn contract(&mut self, work: &mut Work, before: &Contract) -> Result<(), Failure> {
        self.same_owner(Some(before.owner_id))?;
        let of_contract = || Predicate::Is("contract_id", before.id.0.into());
        let invoices: Vec<Invoice> = work.load_all(of_contract()).await?;
        let pending =
            invoices.iter().filter(|invoice| invoice.status == InvoiceStatus::PendingApproval).count();
        let pending = pending + amendments::count_pending(work, before).await?;
        let mut after = before.clone();
        let event = after.transfer(self.to, pending)?;
        work.save(before, &mut after, event).await?;
        let to = self.to;
        self.others.push(before.id.0);
        self.others.extend(invoices.iter().map(|invoice| invoice.id.0));
        hand_on(work, &invoices, |it| it.owner_id = to, Event("invoice.transferred")).await?;
        let all: Vec<Amendment> = work.load_all(of_contract()).await?;
        self.others.extend(all.iter().map(|amendment| amendment.id.0));
        hand_on(work, &all, |it| it.owner_id = to, Event("amendment.transferred")).await?;
        let all: Vec<CreditNote> = work.load_all(of_contract()).await?;
        hand_on(work, &all, |it| it.owner_id = to, Event("credit_note.transferred")).await?;
        let all: Vec<Refund> = work.load_all(of_contract()).await?;
        hand_on(work, &all, |it| it.owner_id = to, Event("refund.transferred")).await?;
        let all: Vec<Payment> = work.load_all(of_contract()).await?;
        hand_on(work, &all, |it| it.owner_id = to, Event("payment.transferred")).await
    }

    fn same_owner(&self, owner: Option<UserId>) -> Result<(), Refusal> {
        if owner == Some(self.from) {
            return Ok(());
        }
        Err(changed_hands())
    }

    fn obstructed(&mut self, id: Uuid, outcome: Result<(), Failure>) -> Result<(), Failure> {
        if let Err(refusal) = refused(outcome)? {
            self.obstacles.push(TransferObstacle::new(id, refusal));
        }
        Ok(())
    }
}

/// What belongs to a contract goes with it.
async fn hand_on<T: Stored>(
    work: &mut Work,
    all: &[T],
    change: impl Fn(&mut T),
    event: Event,
) -> Result<(), Failure> {
    for before in all {
        let mut after = before.clone();
        change(&mut after);
        work.save(before, &mut after, event).await?;
    }
    Ok(())
}
