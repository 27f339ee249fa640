//! A whole contract on one sheet: everything that a printed one says.

use fairlead_domain::amendment::{Amendment, TermChange};
use fairlead_domain::approval::{Approval, ApprovalStatus, Decision, Step, StepDecision};
use fairlead_domain::attachment::Attachment;
use fairlead_domain::catalogue::{LineItem, TaxTotal, tax_totals};
use fairlead_domain::context::Context;
use fairlead_domain::contract::{Contract, InstallmentPlan};
use fairlead_domain::customer::TaxProfile;
use fairlead_domain::error::Refusal;
use fairlead_domain::organisation::UserRef;
use fairlead_domain::values::{ContractId, Line, Number, TaxSplit, Timestamp};
use fairlead_persistence::{Predicate, Reader};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Failure, Read};
use crate::change;
use crate::contracts::{customer_seen, of_contract};
use crate::views::ContractRef;

/// The customer, as a contract names it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentParty {
    /// Its name.
    pub name: Line,
    /// Registration number.
    #[schema(required)]
    pub registration_number: Option<Line>,
    /// Address.
    #[schema(required)]
    pub address: Option<Line>,
    /// The usual tax profile.
    #[schema(required)]
    pub tax_profile: Option<TaxProfile>,
}

/// A line, with the tax in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentLine {
    /// Its place, from 1.
    #[schema(minimum = 1)]
    pub position: u32,
    /// What is sold.
    pub line_item: LineItem,
    /// The line's amount.
    #[serde(flatten)]
    pub amount: TaxSplit,
}

/// An amendment that was approved.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentAmendment {
    /// Its number.
    pub number: Number,
    /// Why.
    pub reason: Line,
    /// Since when.
    #[schema(required)]
    pub approved_at: Option<Timestamp>,
    /// What it changed.
    #[schema(max_items = 20)]
    pub changes: Vec<TermChange>,
    /// Who agreed to it, the first first.
    #[schema(max_items = 1000)]
    pub signatures: Vec<DocumentSignature>,
}

/// Who agreed to the contract or an amendment, within the organisation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentSignature {
    /// In which step.
    pub step: Line,
    /// Who; none where the user is not known any more.
    #[schema(required)]
    pub by: Option<UserRef>,
    /// For whom, where decisions were delegated.
    #[schema(required)]
    pub on_behalf_of: Option<UserRef>,
    /// When.
    pub at: Timestamp,
}

/// A whole contract.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractDocument {
    /// When this was put together.
    pub as_of: Timestamp,
    /// The contract.
    pub contract: Contract,
    /// The customer; none where the caller may not see it.
    #[schema(required)]
    pub customer: Option<DocumentParty>,
    /// The owner.
    #[schema(required)]
    pub owner: Option<UserRef>,
    /// The contract that it renews; none where the caller may not see it.
    #[schema(required)]
    pub renewal_of: Option<ContractRef>,
    /// What is sold.
    #[schema(max_items = 200)]
    pub lines: Vec<DocumentLine>,
    /// The lines' amounts by tax rate, the highest last.
    #[schema(max_items = 200)]
    pub taxes: Vec<TaxTotal>,
    /// When it is to be paid, as it was agreed last, the first first.
    #[schema(max_items = 120)]
    pub installments: Vec<InstallmentPlan>,
    /// What was amended, the oldest first.
    #[schema(max_items = 10000)]
    pub amendments: Vec<DocumentAmendment>,
    /// Who agreed, the first first.
    #[schema(max_items = 1000)]
    pub signatures: Vec<DocumentSignature>,
    /// The files that belong to it, the oldest first.
    #[schema(max_items = 10000)]
    pub attachments: Vec<Attachment>,
}

/// Puts a whole contract together.
pub async fn get(app: &App, call: &Call, id: ContractId) -> Read<ContractDocument> {
    app.read(call, async |ctx, reader| {
        let contract: Contract = change::read(ctx, reader, id).await?;
        let customer = customer_seen(ctx, reader.one(contract.details.customer_id).await?);
        let renewed: Option<Contract> = match contract.details.renewal_of_id {
            Some(original) => reader.one(original).await?,
            None => None,
        };
        let lines = contract.details.line_items.iter().zip(1..).map(|(item, position)| {
            Ok(DocumentLine { position, amount: item.tax()?, line_item: item.clone() })
        });
        let mut amendments: Vec<Amendment> = reader.all(approved(of_contract(id))).await?;
        let mut installments = contract.details.installments.clone();
        installments.sort_by_key(|part| part.due_on);
        amendments.sort_by_key(|amendment| (amendment.outcome.decided_at, amendment.id));
        let signed =
            Signed::read(reader, amendments.iter().map(|it| it.id.0).chain([id.0]).collect()).await?;
        let mut attachments: Vec<Attachment> = reader.all(of_contract(id)).await?;
        attachments.sort_by_key(|attachment| (attachment.created_at, attachment.id));
        Ok(ContractDocument {
            as_of: ctx.now,
            customer: customer.map(|customer| DocumentParty {
                name: customer.details.name,
                registration_number: customer.details.registration_number,
                address: customer.details.address,
                tax_profile: customer.details.tax_profiles.into_iter().next(),
            }),
            owner: ctx.org.user_ref(contract.owner_id),
            renewal_of: renewed.filter(|one| one.reveal(ctx).is_ok()).as_ref().map(ContractRef::from),
            lines: lines.collect::<Result<_, Refusal>>()?,
            taxes: tax_totals(&contract.details.line_items)?,
            installments,
            signatures: signed.of(ctx, id.0),
            amendments: amendments
                .into_iter()
                .map(|amendment| DocumentAmendment {
                    changes: amendment.changes(),
                    signatures: signed.of(ctx, amendment.id.0),
                    number: amendment.number,
                    reason: amendment.reason,
                    approved_at: amendment.outcome.decided_at,
                })
                .collect(),
            attachments,
            contract,
        })
    })
    .await
}

fn approved(of: Predicate) -> Predicate {
    Predicate::All(vec![of, Predicate::Is("status", ApprovalStatus::Approved.as_str().into())])
}

/// The approved requests about a contract and its amendments.
struct Signed(Vec<Approval>);

impl Signed {
    async fn read(reader: &Reader<'_>, subjects: Vec<Uuid>) -> Result<Self, Failure> {
        Ok(Self(reader.all(approved(Predicate::In("subject_id", subjects))).await?))
    }

    /// Who agreed when this was approved.
    fn of(&self, ctx: &Context, subject: Uuid) -> Vec<DocumentSignature> {
        let requests = self.0.iter().filter(|request| request.subject_id == subject);
        let agreed = |step: &Step| {
            let agreed = step.decisions.iter().filter(|decision| decision.outcome == Decision::Approved);
            let signature = |decision: &StepDecision| DocumentSignature {
                step: step.name.clone(),
                by: ctx.org.user_ref(decision.by),
                on_behalf_of: decision.on_behalf_of.and_then(|user| ctx.org.user_ref(user)),
                at: decision.at,
            };
            agreed.map(signature).collect::<Vec<_>>()
        };
        requests.flat_map(|request| &request.steps).flat_map(agreed).collect()
    }
}
