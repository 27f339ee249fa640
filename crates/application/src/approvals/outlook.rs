//! What agreeing to a request would lead to, told before it is done: by the rules that would refuse it then.

use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::{Approval, ApprovalSubject, ApprovalTies, Progress};
use fairlead_domain::context::Context;
use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::customer_change::CustomerChange;
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::Invoice;
use fairlead_domain::values::InstallmentId;

use super::Subject;
use crate::call::Failure;
use crate::change::Eyes;
use crate::contracts::of_contract;
use crate::{customer_changes, opportunities, transfers};

/// What the subject of a request says about what the caller may do with it. Nothing is looked for where the caller could
/// not decide it anyway.
pub(super) async fn ties(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    approval: &Approval,
) -> Result<ApprovalTies, Failure> {
    let Some(progress) = approval.would_lead_to(ctx) else { return Ok(ApprovalTies::default()) };
    let subject = read(eyes, approval).await?;
    let mut ties = ApprovalTies { subject_version: Some(subject.version()), obstacle: None };
    if progress == Progress::Approved && approval.check_version(subject.version()).is_ok() {
        ties.obstacle = subject.obstacle(ctx, eyes).await?;
    }
    Ok(ties)
}

/// A request's subject, not locked.
async fn read(eyes: &Eyes<'_>, approval: &Approval) -> Result<Subject, Failure> {
    let id = approval.subject_id;
    Ok(match approval.subject_kind {
        ApprovalSubject::Contract => {
            let contract: Contract = eyes.parent(id).await?;
            Subject::Contract(eyes.parent(contract.details.customer_id).await?, contract)
        }
        ApprovalSubject::Invoice => {
            let invoice: Invoice = eyes.parent(id).await?;
            Subject::Invoice(eyes.parent(invoice.details.contract_id).await?, invoice)
        }
        ApprovalSubject::Transfer => Subject::Transfer(eyes.parent(id).await?),
        ApprovalSubject::CustomerChange => {
            let change: CustomerChange = eyes.parent(id).await?;
            Subject::Customer(eyes.parent(change.customer_id).await?, change)
        }
        ApprovalSubject::StageGate => Subject::Stage(eyes.parent(id).await?),
        ApprovalSubject::ContractAmendment | ApprovalSubject::InstallmentChange => {
            let amendment: Amendment = eyes.parent(id).await?;
            Subject::Amendment(eyes.parent(amendment.contract_id).await?, amendment)
        }
    })
}

impl Subject {
    /// Why it would not go on if the last approver agreed now: what [`Subject::go_on`] would answer.
    async fn obstacle(&self, ctx: &Context<'_>, eyes: &Eyes<'_>) -> Result<Option<Refusal>, Failure> {
        Ok(match self {
            Self::Contract(customer, contract) => contract.clone().activate(ctx, customer).err(),
            Self::Invoice(contract, invoice) => invoice.clone().approve(contract).err(),
            Self::Transfer(transfer) => transfers::obstacle(ctx, eyes, transfer).await?,
            Self::Stage(opportunity) => opportunities::gate_obstacle(ctx, eyes, opportunity).await?,
            Self::Customer(customer, change) => {
                customer_changes::obstacle(ctx, eyes, (customer, change)).await?
            }
            Self::Amendment(contract, amendment) => {
                let mut plan: Vec<Installment> = eyes.all(of_contract(contract.id)).await?;
                // Nothing is kept of the plan, so that its parts need no ids of their own.
                let id = || InstallmentId(amendment.id.0);
                amendment.clone().approve(ctx, &mut contract.clone(), &mut plan, id).err()
            }
        })
    }
}
