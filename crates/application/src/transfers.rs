//! Transfers (转移): asked for here, decided by approvals, executed all or nothing.

mod outlook;

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
    Transfer, TransferDetails, TransferItem, TransferKind, TransferObstacle, lapsing, waits,
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
use crate::change::{self, AT_ONCE, Eyes, Resource};
use crate::customers;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};

pub(crate) use outlook::obstacle;

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
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Transfer::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<TransferView, Refusal> {
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
        Ok(transfer.view(ctx, ())?)
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
            let (eyes, pointer) = (Eyes::Work(work), format!("/record_ids/{at}"));
            let refusal = match form.kind {
                TransferKind::Customers => change::absent::<Customer>(ctx, &eyes, *id, &pointer).await?,
                TransferKind::Opportunities | TransferKind::Contracts => Refusal::unknown_reference(&pointer),
            };
            return Err(refusal.into());
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

/// What transfers wait to move.
async fn pending(eyes: &Eyes<'_>, records: Vec<Uuid>) -> Result<Vec<TransferItem>, Failure> {
    let mut found = Vec::new();
    // More may go along with customers than a statement can name.
    for some in records.chunks(AT_ONCE) {
        let of_records = Predicate::In("record_id", some.to_vec());
        let waiting = Predicate::All(vec![of_records, Predicate::Is("pending", true.into())]);
        found.extend(eyes.all::<TransferItem>(waiting).await?);
    }
    Ok(found)
}

/// Refuses what another transfer waits to move.
pub(crate) async fn none_pending(
    work: &Work,
    records: impl IntoIterator<Item = Uuid>,
) -> Result<(), Failure> {
    match pending(&Eyes::Work(work), records.into_iter().collect()).await?.first() {
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

/// Locks what a transfer names, then the transfer: so does whoever gives one of these records to somebody else, and takes
/// back the transfer with it.
pub(crate) async fn locked(work: &Work, id: TransferId) -> Result<Transfer, Failure> {
    let found: Transfer = change::there(work.find(id).await?)?;
    let details = &found.details;
    let named = Predicate::ids(details.record_ids.iter().copied());
    // Customers before the user who receives, everything else after, as everywhere.
    match details.kind {
        TransferKind::Customers => {
            work.load_all::<Customer>(named).await?;
        }
        TransferKind::Opportunities => {
            work.lock_user(details.to_user_id).await?;
            work.load_all::<Opportunity>(named).await?;
        }
        TransferKind::Contracts => {
            work.lock_user(details.to_user_id).await?;
            work.load_all::<Contract>(named).await?;
        }
    }
    Ok(change::there(work.load(id).await?)?)
}

/// Records, which the caller has locked, left their owner by other means than the transfers that wait to move them:
/// whoever has them now may ask for a transfer of their own. What can no longer go as it was asked for is taken back,
/// with the question about it.
pub(crate) async fn lapse(ctx: &Context<'_>, work: &mut Work, records: &[Uuid]) -> Result<(), Failure> {
    for some in records.chunks(AT_ONCE) {
        let waiting = pending(&Eyes::Work(work), some.to_vec()).await?;
        if waiting.is_empty() {
            continue;
        }
        let over = lapsing(&waiting);
        approvals::lapse::<Transfer>(ctx, work, Predicate::ids(over.iter().map(|id| id.0))).await?;
        for transfer in over {
            work.settle_transfer(transfer).await?;
        }
        // What would have gone along stays behind, and may be asked for by itself.
        work.release_from_transfers(some).await?;
    }
    Ok(())
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
    let moving = Moving::new(ctx, work, &transfer).await?;
    work.save(before, &mut transfer, event).await?;
    work.settle_transfer(transfer.id).await?;
    let along = moving.all(ctx, work, &transfer).await?;
    work.forget_included(transfer.id).await?;
    for record in along {
        note(work, &transfer, record, Going::Along { pending: false }).await?;
    }
    Ok(())
}

/// The states of opportunities that go along with their customer.
const OPEN: [&str; 1] = ["open"];
/// The states of contracts that do.
const LIVE: [&str; 3] = ["draft", "pending_approval", "active"];

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
        let load = work.owner_load(to, ctx.day_began()).await?;
        Ok(Self::with((from, to), load, reason))
    }

    /// Nothing has moved yet to a user who owns that much.
    fn with((from, to): (UserId, UserId), load: OwnerLoad, reason: Line) -> Self {
        Self {
            from,
            to,
            load,
            reason,
            changes: Vec::new(),
            others: Vec::new(),
            along: Vec::new(),
            obstacles: Vec::new(),
        }
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
        self.verdict(transfer)?;
        self.settle(ctx, work).await?;
        Ok(self.along)
    }

    /// Refuses where something is in the way.
    fn verdict(&mut self, transfer: &Transfer) -> Result<(), Refusal> {
        if let Some(full) = self.obstacles.iter().position(|it| it.code == Code::OwnershipLimitReached) {
            // Of whom it is too many tells how much the receiver owns.
            let full = self.obstacles.swap_remove(full);
            let all =
                transfer.details.record_ids.iter().map(|id| TransferObstacle { id: *id, ..full.clone() });
            self.obstacles = all.collect();
        }
        if self.obstacles.is_empty() {
            return Ok(());
        }
        let detail = format!("{} of the records cannot be transferred, so none was", self.obstacles.len());
        Err(Refusal::new(Code::TransferObstructed, detail).with("items", &self.obstacles))
    }

    /// Has what was asked about the records follow them, once all of them have moved.
    pub(crate) async fn settle(&self, ctx: &Context<'_>, work: &mut Work) -> Result<(), Failure> {
        customers::moved(ctx, work, &self.changes, None).await?;
        lapse(ctx, work, &self.others).await?;
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
        if transfer.details.include_opportunities {
            let found: Vec<Opportunity> = work.load_all(self.goes_along(&OPEN)).await?;
            self.none_waits(&Eyes::Work(work), transfer, found.iter().map(|it| it.id.0)).await?;
            for opportunity in found {
                let outcome = self.opportunity(work, &opportunity).await;
                self.obstructed(opportunity.id.0, outcome)?;
                self.along.push((RecordKind::Opportunity, opportunity.id.0));
            }
        }
        if transfer.details.include_contracts {
            let found: Vec<Contract> = work.load_all(self.goes_along(&LIVE)).await?;
            self.none_waits(&Eyes::Work(work), transfer, found.iter().map(|it| it.id.0)).await?;
            for contract in found {
                let outcome = self.contract(work, &contract).await;
                self.obstructed(contract.id.0, outcome)?;
                self.along.push((RecordKind::Contract, contract.id.0));
            }
        }
        Ok(())
    }

    /// What has the same owner as the customers that move, in these states.
    fn goes_along(&self, states: &[&'static str]) -> Predicate {
        let customers = self.changes.iter().map(|change| change.customer_id.0).collect();
        let states = states.iter().map(|state| Predicate::Is("status", (*state).into())).collect();
        Predicate::All(vec![
            Predicate::In("customer_id", customers),
            Predicate::Is("owner_id", self.from.0.into()),
            Predicate::Any(states),
        ])
    }

    /// What another transfer waits to move does not go along.
    async fn none_waits(
        &mut self,
        eyes: &Eyes<'_>,
        transfer: &Transfer,
        records: impl Iterator<Item = Uuid>,
    ) -> Result<(), Failure> {
        let waiting = pending(eyes, records.collect()).await?;
        for item in waiting.iter().filter(|item| item.transfer_id != transfer.id) {
            self.obstacles.push(TransferObstacle::new(item.record_id, waits()));
        }
        Ok(())
    }

    /// A customer as it would be with the receiver.
    fn moved_customer(
        &self,
        ctx: &Context,
        before: &Customer,
    ) -> Result<(Customer, OwnershipChange, Event), Refusal> {
        self.same_owner(before.owner_id)?;
        let mut after = before.clone();
        let (change, event) = after.transfer(ctx, self.to, self.load, self.reason.clone())?;
        Ok((after, change, event))
    }

    /// An opportunity as it would be with the receiver.
    fn moved_opportunity(&self, before: &Opportunity) -> Result<(Opportunity, Event), Refusal> {
        self.same_owner(Some(before.owner_id))?;
        let mut after = before.clone();
        let event = after.transfer(self.to)?;
        Ok((after, event))
    }

    /// A contract as it would be with the receiver; so many approvals of what belongs to it are pending.
    fn moved_contract(&self, before: &Contract, pending: usize) -> Result<(Contract, Event), Refusal> {
        self.same_owner(Some(before.owner_id))?;
        let mut after = before.clone();
        let event = after.transfer(self.to, pending)?;
        Ok((after, event))
    }

    async fn customer(&mut self, ctx: &Context<'_>, work: &mut Work, id: Uuid) -> Result<(), Failure> {
        let before: Customer = change::there(work.load(id).await?)?;
        let (mut after, change, event) = self.moved_customer(ctx, &before)?;
        work.save(&before, &mut after, event).await?;
        self.took_one();
        self.changes.push(change);
        Ok(())
    }

    pub(crate) async fn opportunity(&mut self, work: &mut Work, before: &Opportunity) -> Result<(), Failure> {
        let (mut after, event) = self.moved_opportunity(before)?;
        work.save(before, &mut after, event).await?;
        self.others.push(before.id.0);
        Ok(())
    }

    pub(crate) async fn contract(&mut self, work: &mut Work, before: &Contract) -> Result<(), Failure> {
        let of_contract = || Predicate::Is("contract_id", before.id.0.into());
        let invoices: Vec<Invoice> = work.load_all(of_contract()).await?;
        let pending =
            invoices.iter().filter(|invoice| invoice.status == InvoiceStatus::PendingApproval).count();
        let pending = pending + amendments::count_pending(work, before).await?;
        let (mut after, event) = self.moved_contract(before, pending)?;
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
