//! Whether a transfer could be carried out now: told by what moves records, of rows that are read at once, however many
//! they are, while nothing moves.

use std::collections::HashMap;

use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::ApprovalStatus;
use fairlead_domain::context::Context;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::{Invoice, InvoiceStatus};
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::transfer::{Transfer, TransferKind, TransferObstacle};
use fairlead_domain::values::ContractId;
use fairlead_persistence::{Owner, Predicate, Stored};
use uuid::Uuid;

use super::{LIVE, Moving, OPEN};
use crate::call::Failure;
use crate::change::{AT_ONCE, Eyes};

/// Why a transfer would be refused if its last approver agreed now: what [`super::execute`] would answer.
pub(crate) async fn obstacle(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    transfer: &Transfer,
) -> Result<Option<Refusal>, Failure> {
    if let Err(refusal) = transfer.clone().approve(ctx) {
        return Ok(Some(refusal));
    }
    let to = transfer.details.to_user_id;
    let load = eyes.load_of(&Owner { user: to, day_began: ctx.day_began() }).await?;
    let mut moving = Moving::with((transfer.owner_id, to), load, transfer.details.reason.clone());
    moving.judge_named(ctx, eyes, transfer).await?;
    moving.judge_included(eyes, transfer).await?;
    Ok(moving.verdict(transfer).err())
}

fn by_id<T: Stored>(all: Vec<T>) -> HashMap<Uuid, T> {
    all.into_iter().map(|record| (record.id(), record)).collect()
}

/// How many approvals of what belongs to contracts are pending.
async fn pending_approvals(
    eyes: &Eyes<'_>,
    contracts: &[Uuid],
) -> Result<HashMap<ContractId, usize>, Failure> {
    let mut pending = HashMap::new();
    for some in contracts.chunks(AT_ONCE) {
        let waiting = |status: &'static str| {
            let of_contracts = Predicate::In("contract_id", some.to_vec());
            Predicate::All(vec![of_contracts, Predicate::Is("status", status.into())])
        };
        let invoices: Vec<Invoice> = eyes.all(waiting(InvoiceStatus::PendingApproval.as_str())).await?;
        let amendments: Vec<Amendment> = eyes.all(waiting(ApprovalStatus::Pending.as_str())).await?;
        let of_invoices = invoices.iter().map(|invoice| invoice.details.contract_id);
        for contract in of_invoices.chain(amendments.iter().map(|amendment| amendment.contract_id)) {
            *pending.entry(contract).or_insert(0) += 1;
        }
    }
    Ok(pending)
}

impl Moving {
    fn judged<T>(&mut self, id: Uuid, outcome: Result<T, Refusal>) {
        if let Err(refusal) = outcome {
            self.obstacles.push(TransferObstacle::new(id, refusal));
        }
    }

    async fn judge_named(
        &mut self,
        ctx: &Context<'_>,
        eyes: &Eyes<'_>,
        transfer: &Transfer,
    ) -> Result<(), Failure> {
        let ids = &transfer.details.record_ids;
        let named = Predicate::ids(ids.iter().copied());
        match transfer.details.kind {
            TransferKind::Customers => {
                let found: HashMap<Uuid, Customer> = by_id(eyes.all(named).await?);
                for id in ids {
                    let customer = found.get(id).ok_or_else(Refusal::not_found);
                    match customer.and_then(|customer| self.moved_customer(ctx, customer)) {
                        Ok((_, change, _)) => {
                            self.took_one();
                            self.changes.push(change);
                        }
                        Err(refusal) => self.judged::<()>(*id, Err(refusal)),
                    }
                }
            }
            TransferKind::Opportunities => {
                let found: HashMap<Uuid, Opportunity> = by_id(eyes.all(named).await?);
                for id in ids {
                    let opportunity = found.get(id).ok_or_else(Refusal::not_found);
                    let outcome = opportunity.and_then(|opportunity| self.moved_opportunity(opportunity));
                    self.judged(*id, outcome);
                }
            }
            TransferKind::Contracts => {
                let found: HashMap<Uuid, Contract> = by_id(eyes.all(named).await?);
                let pending = pending_approvals(eyes, ids).await?;
                for id in ids {
                    let contract = found.get(id).ok_or_else(Refusal::not_found);
                    let outcome = contract.and_then(|contract| {
                        self.moved_contract(contract, pending.get(&contract.id).copied().unwrap_or(0))
                    });
                    self.judged(*id, outcome);
                }
            }
        }
        Ok(())
    }

    async fn judge_included(&mut self, eyes: &Eyes<'_>, transfer: &Transfer) -> Result<(), Failure> {
        if transfer.details.include_opportunities {
            let found: Vec<Opportunity> = eyes.all(self.goes_along(&OPEN)).await?;
            self.none_waits(eyes, transfer, found.iter().map(|it| it.id.0)).await?;
            for opportunity in &found {
                let outcome = self.moved_opportunity(opportunity);
                self.judged(opportunity.id.0, outcome);
            }
        }
        if transfer.details.include_contracts {
            let found: Vec<Contract> = eyes.all(self.goes_along(&LIVE)).await?;
            self.none_waits(eyes, transfer, found.iter().map(|it| it.id.0)).await?;
            let ids: Vec<Uuid> = found.iter().map(|contract| contract.id.0).collect();
            let pending = pending_approvals(eyes, &ids).await?;
            for contract in &found {
                let outcome = self.moved_contract(contract, pending.get(&contract.id).copied().unwrap_or(0));
                self.judged(contract.id.0, outcome);
            }
        }
        Ok(())
    }
}
