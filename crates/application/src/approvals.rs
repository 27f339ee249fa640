//! Approvals (审批): what waits for whom, and what follows from a decision.

mod outlook;

use std::collections::BTreeMap;

use fairlead_domain::access::Permission;
use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::{
    self, AddStepForm, Approval, ApprovalStatus, ApprovalSubject, ApprovalTies, Decision, Inbox, Progress,
    Proposal, ReturnForm, SubjectFacts,
};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::customer_change::CustomerChange;
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::Invoice;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::transfer::Transfer;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{
    AmendmentId, ApprovalId, ContractId, CustomerChangeId, InvoiceId, Prose, TransferId, UserId,
};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{AT_ONCE, Eyes, Resource, save_changed, there};
use crate::listing::{Condition, Field, Include, Kind, ListRequest, Listing, Operator};
use crate::lists::{self, Links, words};
use crate::views::{Included, Related, views};
use crate::{amendments, contracts, customer_changes, invoices, opportunities, transfers};

views!(Approval, /// A request for approval.
    ApprovalView, /// A request for approval in a list.
    ApprovalSummary, [owner: WithOwner, customer: WithCustomer]);

/// Which requests one means.
const BOX: &str = "box";
const ROLE: &str = "role";

/// What a list of approvals can be asked.
pub static LISTING: Listing = Listing {
    resource: "approvals",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("decided_at", Kind::Timestamp).nullable().sortable(),
        Field::new("subject_kind", words!(ApprovalSubject)),
        Field::new("subject_id", Kind::Id),
        Field::new("subject_number", Kind::Text),
        Field::new("status", words!(ApprovalStatus)),
        Field::new("requester_id", Kind::Id),
        Field::new("owner_id", Kind::Id).nullable(),
        Field::new("beneficiary_id", Kind::Id).nullable(),
        Field::new("customer_id", Kind::Id).nullable(),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").nullable().sortable(),
        Field::new(BOX, Kind::OneOf(|| vec!["waiting", "requested", "decided"])).one_value(),
        Field::new(ROLE, Kind::OneOf(|| vec!["approver", "requester"])).one_value(),
    ],
    search: &["subject_number"],
    default_sort: "-created_at",
    includes: ApprovalSummary::INCLUDES,
};

impl Resource for Approval {
    type View = ApprovalView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Approval::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<ApprovalView, Refusal> {
        Ok(view(ctx, self, &ApprovalTies::default()))
    }
    async fn judged(self, ctx: &Context<'_>, eyes: &Eyes<'_>, (): ()) -> Result<ApprovalView, Failure> {
        let ties = Box::pin(outlook::ties(ctx, eyes, &self)).await?;
        Ok(view(ctx, self, &ties))
    }
}

fn view(ctx: &Context, approval: Approval, ties: &ApprovalTies) -> ApprovalView {
    ApprovalView { allowed_actions: approval.allowed_actions(ctx, ties), record: approval.seen_by(ctx) }
}

/// What one says when one agrees.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "comment": "The discount is within what was agreed."
}))]
pub struct ApproveForm {
    /// Anything to add.
    #[serde(default)]
    #[validate(nested)]
    pub comment: Option<Prose>,
}

/// What one says when one does not agree.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "comment": "The discount is more than the margin bears."
}))]
pub struct RejectForm {
    /// Why; a rejection without a comment is refused.
    #[serde(default)]
    #[validate(nested)]
    pub comment: Option<Prose>,
}

fn subject(kind: ApprovalSubject) -> Predicate {
    Predicate::Is("subject_kind", kind.as_str().into())
}

/// Of what conditions on requests are.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// The requests as they are.
    Requests,
    /// Where they stood: `standings` have of a request what changes about who sees it.
    Standings,
}

impl Of {
    fn pending(self) -> Predicate {
        match self {
            Self::Requests => Predicate::Is("status", ApprovalStatus::Pending.as_str().into()),
            Self::Standings => Predicate::IsNull("waiting_for").negate(),
        }
    }

    /// A condition on what stays with a request from beginning to end.
    fn lasting(self, condition: Predicate) -> Predicate {
        match self {
            Self::Requests => condition,
            Self::Standings => Predicate::Each("record_id", "approvals", Box::new(condition)),
        }
    }

    /// Requests of which these persons decided a step, or had it decided for them; what was returned does not count.
    fn decided_by(self, persons: &[UserId]) -> Predicate {
        match self {
            Self::Requests => {
                let columns = ["user_id", "on_behalf_of"].into_iter();
                let one =
                    |user: UserId| columns.clone().map(move |column| Predicate::Is(column, user.0.into()));
                let theirs = Predicate::Any(persons.iter().copied().flat_map(one).collect());
                let counts = Predicate::Is("void", false.into());
                let decision = Predicate::All(vec![theirs, counts]);
                Predicate::Named("approval_id", "approval_decisions", Box::new(decision))
            }
            Self::Standings => {
                let one = |user: &UserId| Predicate::Like("persons", format!("%{user}%"));
                Predicate::Any(persons.iter().map(one).collect())
            }
        }
    }
}

fn decided_by_me(ctx: &Context) -> Predicate {
    let mine = Predicate::Is("user_id", ctx.actor.id.0.into());
    Predicate::Named("approval_id", "approval_decisions", Box::new(mine))
}

/// What waits for the caller: the SQL of [`Inbox::admits`], for each name in which they decide.
fn waiting(ctx: &Context) -> Predicate {
    let waiting = |inbox| waiting_in_name(inbox, Of::Requests);
    Predicate::Any(approval::inboxes(ctx).into_iter().map(waiting).collect())
}

fn waiting_in_name(inbox: Inbox, of: Of) -> Predicate {
    let named = Predicate::Like("waiting_for", inbox.named_pattern());
    let clause = |clause: approval::InboxClause| {
        let mut parts =
            vec![subject(clause.subject_kind), Predicate::Is("waiting_for", clause.waiting_for.into())];
        parts.extend(clause.scopes.into_iter().map(|scope| Predicate::Scope("customer_id", scope)));
        Predicate::All(parts)
    };
    let nobody = |column: &'static str| {
        let persons = inbox.persons.iter().map(|user| Predicate::Is(column, user.0.into())).collect();
        Predicate::Any(persons).negate()
    };
    // Nobody is the beneficiary of most requests.
    let no_beneficiary = Predicate::Any(vec![Predicate::IsNull("beneficiary_id"), nobody("beneficiary_id")]);
    Predicate::All(vec![
        of.pending(),
        of.lasting(Predicate::All(vec![nobody("requester_id"), no_beneficiary])),
        nobody("owner_id"),
        of.decided_by(&inbox.persons).negate(),
        seen_by_name(&inbox.readable),
        Predicate::Any(inbox.clauses.into_iter().map(clause).chain([named]).collect()),
    ])
}

fn seen_by_name(parts: &[approval::SubjectScope]) -> Predicate {
    let part = |part: &approval::SubjectScope| {
        Predicate::All(vec![subject(part.subject_kind), Predicate::Scope("customer_id", part.scope.clone())])
    };
    Predicate::Any(parts.iter().map(part).collect())
}

/// What the caller decides for others at this time.
pub(crate) fn entrusted(ctx: &Context) -> impl Iterator<Item = Inbox> {
    let me = ctx.actor.id;
    approval::inboxes(ctx).into_iter().filter(move |inbox| inbox.name != me)
}

/// The requests about subjects that the caller may see, among which is what waits for them; those that wait for whom
/// the caller decides, and those that the caller decided.
fn seen(ctx: &Context, of: Of) -> Predicate {
    let mut seen = vec![seen_by_name(&approval::readable(ctx.actor)), of.decided_by(&[ctx.actor.id])];
    seen.extend(entrusted(ctx).map(|inbox| waiting_in_name(inbox, of)));
    Predicate::Any(seen)
}

/// The requests that the caller may see. Whoever may see none is told so.
pub(crate) fn visible(ctx: &Context) -> Result<Predicate, Refusal> {
    if !approval::sees_any(ctx) {
        // Several kinds are read by the same permission.
        let mut one_of: Vec<&str> = Vec::new();
        for word in ApprovalSubject::ALL.iter().map(|kind| kind.read().as_str()) {
            if !one_of.contains(&word) {
                one_of.push(word);
            }
        }
        let detail = format!("this takes one of {}", one_of.join(", "));
        ctx.actor
            .authorize_own(Permission::ContractsRead)
            .map_err(|refusal| Refusal { detail, ..refusal }.with("permissions", one_of))?;
    }
    Ok(seen(ctx, Of::Requests))
}

/// The same by where they stood.
pub(crate) fn stood(ctx: &Context) -> Predicate {
    seen(ctx, Of::Standings)
}

/// Takes a parameter that is not a column, but means a condition about the caller, out of what was asked.
fn chosen(list: &mut ListRequest, name: &str, meaning: impl Fn(&str) -> Predicate) -> Predicate {
    let is_it =
        |condition: &Condition| condition.field.name == name && condition.operator == Operator::Equals;
    let Some(at) = list.conditions.iter().position(is_it) else { return Predicate::True };
    let condition = list.conditions.remove(at);
    Predicate::Any(condition.words().map(meaning).collect())
}

fn requested(ctx: &Context) -> Predicate {
    Predicate::Is("requester_id", ctx.actor.id.0.into())
}

fn in_box(ctx: &Context, word: &str) -> Predicate {
    match word {
        "waiting" => waiting(ctx),
        "requested" => requested(ctx),
        _ => decided_by_me(ctx),
    }
}

fn in_role(ctx: &Context, word: &str) -> Predicate {
    match word {
        "approver" => Predicate::Any(vec![waiting(ctx), decided_by_me(ctx)]),
        _ => requested(ctx),
    }
}

/// How many requests concern the caller: the numbers on badges.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApprovalCounts {
    /// Those that wait for the caller's decision.
    #[schema(minimum = 0)]
    pub waiting: i64,
    /// Those that the caller made and that are not decided.
    #[schema(minimum = 0)]
    pub requested: i64,
}

/// How many requests wait for the caller, and for how many the caller waits: of those that the caller may see. Whoever
/// may see none is told so, as by the list.
pub async fn counts(app: &App, call: &Call) -> Read<ApprovalCounts> {
    app.read(call, async |ctx, reader| {
        let pending = Predicate::Is("status", ApprovalStatus::Pending.as_str().into());
        let mine = Predicate::All(vec![visible(ctx)?, requested(ctx), pending]);
        Ok(ApprovalCounts {
            waiting: reader.count("approvals", waiting(ctx)).await?,
            requested: reader.count("approvals", mine).await?,
        })
    })
    .await
}

/// What a request refers to.
fn links(approval: &Approval) -> Links {
    Links { owner: approval.owner_id, customer: approval.customer_id, ..Links::default() }
}

/// One request.
pub async fn get(app: &App, call: &Call, id: ApprovalId, include: Include) -> Read<Related<ApprovalView>> {
    app.get_related::<Approval>(call, id, &include, links).await
}

/// The requests that the caller may see; `box` and `role` choose those that concern the caller.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ApprovalSummary>> {
    app.read(call, async |ctx, reader| {
        let mut list = list.clone();
        let boxed = chosen(&mut list, BOX, |word| in_box(ctx, word));
        let in_role = chosen(&mut list, ROLE, |word| in_role(ctx, word));
        let visible = Predicate::All(vec![visible(ctx)?, boxed, in_role]);
        let page: Page<(Approval, Included)> = lists::page(ctx, reader, &list, visible, links).await?;
        let shown = |(approval, included): (Approval, Included)| {
            ApprovalSummary::from((approval.seen_by(ctx), included))
        };
        Ok(Page { data: page.data.into_iter().map(shown).collect(), page: page.page })
    })
    .await
}

/// Asks for approval of a subject that was just submitted.
pub(crate) async fn request(ctx: &Context<'_>, work: &mut Work, facts: SubjectFacts) -> Result<(), Failure> {
    let flow = ctx.org.flow(facts.kind)?;
    let (approval, event) = Approval::request(ctx, work.new_id(), flow, facts)?;
    Ok(work.insert(&approval, event).await?)
}

/// Withdraws the pending request about a subject, which the caller has locked.
pub(crate) async fn withdraw_pending(
    ctx: &Context<'_>,
    work: &mut Work,
    subject: Uuid,
) -> Result<(), Failure> {
    let before = there(pending_about(work, vec![subject]).await?.into_iter().next())?;
    let mut after = before.clone();
    let event = after.withdraw(ctx)?;
    Ok(work.save(&before, &mut after, event).await?)
}

/// Takes back what was asked for, which the caller has locked, and the question with it.
pub(crate) async fn take_back<T: Resource<Ties = ()> + Proposal>(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    before: T,
) -> Result<T::View, Failure> {
    call.check_version(before.version())?;
    let mut after = before.clone();
    let event = after.withdraw(ctx)?;
    withdraw_pending(ctx, work, before.id()).await?;
    work.save(&before, &mut after, event).await?;
    Ok(after.view(ctx, ())?)
}

/// What was asked for was rejected, or taken back.
async fn ended<T: Resource + Proposal>(
    work: &mut Work,
    before: &T,
    end: impl FnOnce(&mut T) -> Result<Event, Refusal>,
) -> Result<(), Failure> {
    let mut after = before.clone();
    let event = end(&mut after)?;
    Ok(work.save(before, &mut after, event).await?)
}

/// A request's subject, locked. Everybody locks the subject first, then the request.
#[expect(clippy::large_enum_variant, reason = "a decision has one of them")]
enum Subject {
    Contract(Customer, Contract),
    Invoice(Contract, Invoice),
    Transfer(Transfer),
    Amendment(Contract, Amendment),
    Stage(Opportunity),
    Customer(Customer, CustomerChange),
}

impl Subject {
    fn version(&self) -> i64 {
        match self {
            Self::Contract(_, contract) => contract.version,
            Self::Invoice(_, invoice) => invoice.version,
            Self::Transfer(transfer) => transfer.version,
            Self::Amendment(_, amendment) => amendment.version,
            Self::Stage(opportunity) => opportunity.version,
            Self::Customer(_, change) => change.version,
        }
    }

    async fn go_on(&self, ctx: &Context<'_>, work: &mut Work) -> Result<(), Failure> {
        match self {
            Self::Contract(customer, contract) => contracts::activate(ctx, work, (customer, contract)).await,
            Self::Invoice(contract, invoice) => invoices::decided(ctx, work, (contract, invoice), true).await,
            Self::Transfer(transfer) => transfers::execute(ctx, work, transfer).await,
            Self::Stage(opportunity) => opportunities::pass_gate(ctx, work, opportunity).await,
            Self::Customer(customer, change) => {
                customer_changes::execute(ctx, work, (customer, change)).await
            }
            Self::Amendment(contract, amendment) => {
                amendments::execute(ctx, work, (contract, amendment)).await
            }
        }
    }

    async fn go_back(&self, ctx: &Context<'_>, work: &mut Work) -> Result<(), Failure> {
        match self {
            Self::Contract(_, contract) => {
                let mut after = contract.clone();
                let event = after.reject()?;
                Ok(work.save(contract, &mut after, event).await?)
            }
            Self::Invoice(contract, invoice) => {
                invoices::decided(ctx, work, (contract, invoice), false).await
            }
            Self::Transfer(transfer) => {
                ended(work, transfer, |it| it.reject(ctx)).await?;
                Ok(work.settle_transfer(transfer.id).await?)
            }
            Self::Amendment(_, amendment) => ended(work, amendment, |it| it.reject(ctx)).await,
            Self::Stage(opportunity) => opportunities::stay(work, opportunity).await,
            Self::Customer(_, change) => ended(work, change, |it| it.reject(ctx)).await,
        }
    }
}

async fn load(ctx: &Context<'_>, work: &Work, id: ApprovalId) -> Result<(Subject, Approval), Failure> {
    let found: Approval = there(work.find(id).await?)?;
    found.reveal(ctx)?;
    locked(work, found).await
}

async fn locked(work: &Work, found: Approval) -> Result<(Subject, Approval), Failure> {
    let subject = match found.subject_kind {
        ApprovalSubject::Contract => {
            let (customer, contract) = contracts::locked(work, ContractId(found.subject_id)).await?;
            Subject::Contract(customer, contract)
        }
        ApprovalSubject::Invoice => {
            let (contract, invoice) = invoices::locked(work, InvoiceId(found.subject_id)).await?;
            Subject::Invoice(contract, invoice)
        }
        ApprovalSubject::Transfer => {
            Subject::Transfer(transfers::locked(work, TransferId(found.subject_id)).await?)
        }
        ApprovalSubject::CustomerChange => {
            let (customer, change) = customer_changes::load(work, CustomerChangeId(found.subject_id)).await?;
            Subject::Customer(customer, change)
        }
        ApprovalSubject::StageGate => Subject::Stage(there(work.load(found.subject_id).await?)?),
        ApprovalSubject::ContractAmendment | ApprovalSubject::InstallmentChange => {
            let (contract, amendment) = amendments::locked(work, AmendmentId(found.subject_id)).await?;
            Subject::Amendment(contract, amendment)
        }
    };
    let approval = there(work.load(found.id).await?)?;
    Ok((subject, approval))
}

/// Goes on with a request that waits for nobody.
pub(crate) async fn go_on(ctx: &Context<'_>, work: &mut Work, id: ApprovalId) -> Result<(), Failure> {
    let (subject, before) = locked(work, there(work.find(id).await?)?).await?;
    let mut after = before.clone();
    let Some((progress, event)) = after.go_on(ctx)? else { return Ok(()) };
    before.check_version(subject.version())?;
    work.save(&before, &mut after, event).await?;
    match progress {
        Progress::Approved => subject.go_on(ctx, work).await,
        Progress::Next | Progress::Rejected => Ok(()),
    }
}

/// Rejects a request that waits for nobody and cannot be done, and says why.
pub(crate) async fn give_up(
    ctx: &Context<'_>,
    work: &mut Work,
    id: ApprovalId,
    why: &str,
) -> Result<(), Failure> {
    let (subject, before) = locked(work, there(work.find(id).await?)?).await?;
    let mut after = before.clone();
    let Some(event) = after.give_up(ctx, why)? else { return Ok(()) };
    work.save(&before, &mut after, event).await?;
    subject.go_back(ctx, work).await
}

/// Takes back these proposals, with the questions about them: what they are about is no longer what was asked about.
pub(crate) async fn lapse<T: Resource + Proposal>(
    ctx: &Context<'_>,
    work: &mut Work,
    which: Predicate,
) -> Result<(), Failure> {
    let pending = Predicate::Is("status", ApprovalStatus::Pending.as_str().into());
    let all: Vec<T> = work.load_all(Predicate::All(vec![which, pending])).await?;
    if all.is_empty() {
        return Ok(());
    }
    let asked = pending_about(work, all.iter().map(T::id).collect()).await?;
    for before in &all {
        let asked = there(asked.iter().find(|asked| asked.subject_id == before.id()))?;
        let (mut after, mut over) = (before.clone(), asked.clone());
        let (event, end) = (after.lapse(ctx)?, over.lapse(ctx)?);
        work.save(before, &mut after, event).await?;
        work.save(asked, &mut over, end).await?;
    }
    Ok(())
}

/// Lets what was asked about subjects follow each of them to its next owner, or to none. Whoever decided it goes on
/// seeing it.
pub(crate) async fn follow(work: &mut Work, owners: &BTreeMap<Uuid, Option<UserId>>) -> Result<(), Failure> {
    let subjects: Vec<Uuid> = owners.keys().copied().collect();
    for some in subjects.chunks(AT_ONCE) {
        for before in work.load_all::<Approval>(Predicate::In("subject_id", some.to_vec())).await? {
            let mut after = before.clone();
            let event = after.belong_to(owners.get(&before.subject_id).copied().flatten());
            save_changed(work, &before, &mut after, event).await?;
        }
    }
    Ok(())
}

/// The requests that wait for a decision about these subjects.
async fn pending_about(work: &Work, subjects: Vec<Uuid>) -> Result<Vec<Approval>, Failure> {
    let pending = Predicate::All(vec![
        Predicate::In("subject_id", subjects),
        Predicate::Is("status", ApprovalStatus::Pending.as_str().into()),
    ]);
    Ok(work.load_all(pending).await?)
}

async fn decide(
    app: &App,
    call: &Call,
    id: ApprovalId,
    outcome: Decision,
    comment: Option<Prose>,
) -> Written<ApprovalView> {
    app.write(call, async |ctx, work| {
        let (subject, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let mut after = before.clone();
        let (progress, decision, event) = after.decide(ctx, outcome, comment.clone())?;
        before.check_version(subject.version())?;
        work.save(&before, &mut after, event).await?;
        work.note_decision(&before, &decision).await?;
        match progress {
            Progress::Next => {}
            Progress::Approved => subject.go_on(ctx, work).await?,
            Progress::Rejected => subject.go_back(ctx, work).await?,
        }
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Agrees to the present step. The last one moves the subject.
pub async fn approve(
    app: &App,
    call: &Call,
    id: ApprovalId,
    form: Valid<ApproveForm>,
) -> Written<ApprovalView> {
    decide(app, call, id, Decision::Approved, form.comment.clone()).await
}

/// Does not agree: the subject goes back to its draft.
pub async fn reject(
    app: &App,
    call: &Call,
    id: ApprovalId,
    form: Valid<RejectForm>,
) -> Written<ApprovalView> {
    decide(app, call, id, Decision::Rejected, form.comment.clone()).await
}

/// Takes the question back.
pub async fn withdraw(app: &App, call: &Call, id: ApprovalId) -> Written<ApprovalView> {
    app.write(call, async |ctx, work| {
        let (subject, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        before.may_withdraw(ctx)?;
        match subject {
            Subject::Contract(_, contract) => {
                let mut after = contract.clone();
                let event = after.withdraw(ctx)?;
                work.save(&contract, &mut after, event).await?;
            }
            Subject::Invoice(contract, invoice) => {
                let (mut after, mut summed) = (invoice.clone(), contract.clone());
                let event = after.withdraw(ctx, &mut summed)?;
                work.save(&invoice, &mut after, event).await?;
                work.save(&contract, &mut summed, Event("contract.sums_changed")).await?;
            }
            Subject::Transfer(transfer) => {
                ended(work, &transfer, |it| it.withdraw(ctx)).await?;
                work.settle_transfer(transfer.id).await?;
            }
            Subject::Stage(opportunity) => opportunities::stay(work, &opportunity).await?,
            Subject::Customer(_, change) => {
                ended(work, &change, |it| it.withdraw(ctx)).await?;
            }
            Subject::Amendment(_, amendment) => {
                ended(work, &amendment, |it| it.withdraw(ctx)).await?;
            }
        }
        let mut after = before.clone();
        let event = after.withdraw(ctx)?;
        work.save(&before, &mut after, event).await?;
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Moves a pending request without deciding it.
async fn move_on(
    app: &App,
    call: &Call,
    id: ApprovalId,
    case: impl AsyncFn(&Context<'_>, &mut Work, &mut Approval) -> Result<Event, Failure>,
) -> Written<ApprovalView> {
    app.write(call, async |ctx, work| {
        let (_, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let mut after = before.clone();
        let event = case(ctx, work, &mut after).await?;
        work.save(&before, &mut after, event).await?;
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Has a former step, and those after it, decided anew.
pub async fn return_to(
    app: &App,
    call: &Call,
    id: ApprovalId,
    form: Valid<ReturnForm>,
) -> Written<ApprovalView> {
    move_on(app, call, id, async |ctx, work, approval| {
        let event = approval.return_to(ctx, form.clone())?;
        work.void_decisions(id.0, form.step).await?;
        Ok(event)
    })
    .await
}

/// Has one more person agree.
pub async fn add_step(
    app: &App,
    call: &Call,
    id: ApprovalId,
    form: Valid<AddStepForm>,
) -> Written<ApprovalView> {
    move_on(app, call, id, async |ctx, _, approval| Ok(approval.add_step(ctx, form.clone())?)).await
}

/// What one says about a request.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "comment": "The customer expects an answer by Friday."
}))]
pub struct CommentForm {
    /// What.
    #[validate(nested)]
    pub comment: Prose,
}

/// Says something about a request.
pub async fn comment(
    app: &App,
    call: &Call,
    id: ApprovalId,
    form: Valid<CommentForm>,
) -> Written<ApprovalView> {
    move_on(app, call, id, async |ctx, _, approval| Ok(approval.comment(ctx, form.comment.clone())?)).await
}

/// Reminds those for whom a request waits.
pub async fn remind(app: &App, call: &Call, id: ApprovalId) -> Written<ApprovalView> {
    move_on(app, call, id, async |ctx, _, approval| Ok(approval.remind(ctx)?)).await
}
