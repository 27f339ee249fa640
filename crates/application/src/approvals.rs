//! Approvals (审批): what waits for whom, and what follows from a decision.

use fairlead_domain::access::Permission;
use fairlead_domain::approval::{
    self, Approval, ApprovalStatus, ApprovalSubject, Decision, Inbox, Progress, SubjectFacts, default_flow,
};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::Invoice;
use fairlead_domain::transfer::Transfer;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ApprovalId, InvoiceId, Prose};
use fairlead_persistence::{Predicate, Work};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Resource, there};
use crate::listing::{Condition, Field, Kind, ListRequest, Listing, Operator};
use crate::lists::{self, Links, words};
use crate::views::views;
use crate::{contracts, invoices, transfers};

views!(Approval, /// A request for approval.
    ApprovalView, /// A request for approval in a list.
    ApprovalSummary);

/// Which requests one means.
const BOX: &str = "box";

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
        Field::new("owner_id", Kind::Id),
        Field::new("beneficiary_id", Kind::Id).nullable(),
        Field::new("customer_id", Kind::Id).nullable(),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").nullable().sortable(),
        Field::new(BOX, Kind::OneOf(|| vec!["waiting", "requested", "decided"])).one_value(),
    ],
    search: &["subject_number"],
    default_sort: "-created_at",
    includes: &["owner", "customer"],
};

impl Resource for Approval {
    type View = ApprovalView;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Approval::reveal(self, ctx)
    }
    fn view(self, ctx: &Context) -> Result<ApprovalView, Refusal> {
        Ok(ApprovalView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// What one says when one agrees.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveForm {
    /// Anything to add.
    #[serde(default)]
    #[validate(nested)]
    pub comment: Option<Prose>,
}

/// What one says when one does not agree.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectForm {
    /// Why; a rejection without a comment is refused.
    #[serde(default)]
    #[validate(nested)]
    pub comment: Option<Prose>,
}

fn subject(kind: ApprovalSubject) -> Predicate {
    Predicate::Is("subject_kind", kind.as_str().into())
}

/// The requests about subjects that the caller may see.
fn readable(ctx: &Context) -> Result<Predicate, Refusal> {
    let parts = approval::readable(ctx.actor);
    if parts.iter().all(|part| part.scope.is_nothing()) {
        let detail = "this takes contracts:read or invoices:read".to_owned();
        ctx.actor
            .authorize_own(Permission::ContractsRead)
            .map_err(|refusal| Refusal { detail, ..refusal })?;
    }
    let part = |part: approval::SubjectScope| {
        Predicate::All(vec![subject(part.subject_kind), Predicate::Scope("customer_id", part.scope)])
    };
    Ok(Predicate::Any(parts.into_iter().map(part).collect()))
}

fn decided_by(ctx: &Context) -> Predicate {
    let mine = Predicate::Is("user_id", ctx.actor.id.0.into());
    Predicate::Named("approval_id", "approval_decisions", Box::new(mine))
}

/// What waits for the caller: the SQL of [`Inbox::admits`].
fn waiting(ctx: &Context) -> Predicate {
    let inbox: Inbox = approval::inbox(ctx.actor);
    let named = Predicate::Like("waiting_for", inbox.named_pattern());
    let clause = |clause: approval::InboxClause| {
        Predicate::All(vec![
            subject(clause.subject_kind),
            Predicate::Is("waiting_for", clause.waiting_for.into()),
            Predicate::Scope("customer_id", clause.scope),
        ])
    };
    let me = || inbox.me.0.into();
    Predicate::All(vec![
        Predicate::Is("status", ApprovalStatus::Pending.as_str().into()),
        Predicate::Is("requester_id", me()).negate(),
        Predicate::Is("owner_id", me()).negate(),
        // Nobody is the beneficiary of most requests.
        Predicate::Any(vec![
            Predicate::IsNull("beneficiary_id"),
            Predicate::Is("beneficiary_id", me()).negate(),
        ]),
        decided_by(ctx).negate(),
        Predicate::Any(inbox.clauses.into_iter().map(clause).chain([named]).collect()),
    ])
}

/// `box` is not a column: it means a condition about the caller.
fn chosen_box(ctx: &Context, list: &mut ListRequest) -> Predicate {
    let is_box =
        |condition: &Condition| condition.field.name == BOX && condition.operator == Operator::Equals;
    let Some(at) = list.conditions.iter().position(is_box) else { return Predicate::True };
    let condition = list.conditions.remove(at);
    let any = condition.words().map(|word| match word {
        "waiting" => waiting(ctx),
        "requested" => Predicate::Is("requester_id", ctx.actor.id.0.into()),
        _ => decided_by(ctx),
    });
    Predicate::Any(any.collect())
}

/// One request.
pub async fn get(app: &App, call: &Call, id: ApprovalId) -> Read<ApprovalView> {
    app.get::<Approval>(call, id).await
}

/// The requests about contracts and invoices that the caller may see; `box` chooses those that wait for the
/// caller, that the caller made, or that the caller decided.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ApprovalSummary>> {
    app.read(call, async |ctx, reader| {
        let mut list = list.clone();
        let chosen = chosen_box(ctx, &mut list);
        let visible = Predicate::All(vec![readable(ctx)?, chosen]);
        let links = |approval: &Approval| Links {
            owner: Some(approval.owner_id),
            customer: approval.customer_id,
            contract: None,
        };
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Asks for approval of a subject that was just submitted.
pub(crate) async fn request(ctx: &Context<'_>, work: &mut Work, facts: SubjectFacts) -> Result<(), Failure> {
    let flow = default_flow(facts.kind);
    let (approval, event) = Approval::request(ctx, work.new_id(), &flow, facts)?;
    Ok(work.insert(&approval, event).await?)
}

/// Withdraws the pending request about a subject, which the caller has locked.
pub(crate) async fn withdraw_pending(
    ctx: &Context<'_>,
    work: &mut Work,
    subject: Uuid,
) -> Result<(), Failure> {
    let pending = Predicate::All(vec![
        Predicate::Is("subject_id", subject.into()),
        Predicate::Is("status", ApprovalStatus::Pending.as_str().into()),
    ]);
    let before: Approval = there(work.load_all(pending).await?.into_iter().next())?;
    let mut after = before.clone();
    let event = after.withdraw(ctx)?;
    Ok(work.save(&before, &mut after, event).await?)
}

/// A request's subject, locked. Everybody locks the subject first, then the request.
#[expect(clippy::large_enum_variant, reason = "a decision has one of them")]
enum Subject {
    Contract(Contract),
    Invoice(Contract, Invoice),
    Transfer(Transfer),
}

impl Subject {
    fn version(&self) -> i64 {
        match self {
            Self::Contract(contract) => contract.version,
            Self::Invoice(_, invoice) => invoice.version,
            Self::Transfer(transfer) => transfer.version,
        }
    }

    async fn go_on(&self, ctx: &Context<'_>, work: &mut Work) -> Result<(), Failure> {
        match self {
            Self::Contract(contract) => contracts::activate(ctx, work, contract).await,
            Self::Invoice(contract, invoice) => invoices::decided(ctx, work, (contract, invoice), true).await,
            Self::Transfer(transfer) => transfers::execute(ctx, work, transfer).await,
        }
    }

    async fn go_back(&self, ctx: &Context<'_>, work: &mut Work) -> Result<(), Failure> {
        match self {
            Self::Contract(contract) => {
                let mut after = contract.clone();
                let event = after.reject()?;
                Ok(work.save(contract, &mut after, event).await?)
            }
            Self::Invoice(contract, invoice) => {
                invoices::decided(ctx, work, (contract, invoice), false).await
            }
            Self::Transfer(transfer) => transfers::ended(work, transfer, |it| it.reject(ctx)).await,
        }
    }
}

async fn load(ctx: &Context<'_>, work: &Work, id: ApprovalId) -> Result<(Subject, Approval), Failure> {
    let found: Approval = there(work.find(id).await?)?;
    found.reveal(ctx)?;
    let subject = match found.subject_kind {
        ApprovalSubject::Contract => Subject::Contract(there(work.load(found.subject_id).await?)?),
        ApprovalSubject::Invoice => {
            let (contract, invoice) = invoices::load(ctx, work, InvoiceId(found.subject_id)).await?;
            Subject::Invoice(contract, invoice)
        }
        ApprovalSubject::Transfer => Subject::Transfer(there(work.load(found.subject_id).await?)?),
    };
    let approval = there(work.load(id).await?)?;
    Ok((subject, approval))
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
        let (progress, event) = after.decide(ctx, outcome, comment.clone())?;
        before.check_version(subject.version())?;
        work.save(&before, &mut after, event).await?;
        work.note_decision(id.0, before.step, ctx.actor.id, outcome.as_str()).await?;
        match progress {
            Progress::Next => {}
            Progress::Approved => subject.go_on(ctx, work).await?,
            Progress::Rejected => subject.go_back(ctx, work).await?,
        }
        Ok(after.view(ctx)?)
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
            Subject::Contract(contract) => {
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
                transfers::ended(work, &transfer, |it| it.withdraw(ctx)).await?;
            }
        }
        let mut after = before.clone();
        let event = after.withdraw(ctx)?;
        work.save(&before, &mut after, event).await?;
        Ok(after.view(ctx)?)
    })
    .await
}
