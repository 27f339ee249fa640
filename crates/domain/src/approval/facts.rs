use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::ApprovalSubject;
use crate::amendment::Amendment;
use crate::catalogue::PriceBook;
use crate::contract::{CollectionScheme, Contract};
use crate::customer::{Customer, Grade, owned};
use crate::customer_change::CustomerChange;
use crate::error::{Code, Refusal};
use crate::invoice::Invoice;
use crate::opportunity::Opportunity;
use crate::transfer::Transfer;
use crate::values::{CustomerId, Money, Number, Rate, UserId, json};

/// What a request needs to know of its subject: the submitted record, with the version that it has once
/// the submission is written.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectFacts {
    /// Its kind.
    pub kind: ApprovalSubject,
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: Number,
    /// Its version.
    pub version: i64,
    /// Its amount; none where no money is at stake, or nobody said how much.
    pub amount: Option<Money>,
    /// Its owner.
    pub owner_id: UserId,
    /// Who would receive it.
    pub beneficiary_id: Option<UserId>,
    /// Its customer.
    pub customer_id: Option<CustomerId>,
    /// The largest discount on a line; none where it sells nothing, or the discount is not known.
    pub discount: Option<Rate>,
    /// The grades of the customers that it is about.
    pub customer_grades: Vec<Grade>,
    /// How its money is collected.
    pub collection_scheme: Option<CollectionScheme>,
    /// All of it.
    pub snapshot: serde_json::Value,
}

impl SubjectFacts {
    /// Of a contract with this customer, by these prices.
    pub fn of_contract(
        contract: &Contract,
        customer: &Customer,
        prices: &PriceBook,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::Contract,
            id: contract.id.into(),
            number: contract.number.clone(),
            version: contract.version,
            amount: Some(contract.details.amount),
            owner_id: contract.owner_id,
            beneficiary_id: None,
            customer_id: Some(contract.details.customer_id),
            discount: prices.largest_discount(&contract.details.line_items, customer.details.grade),
            customer_grades: customer.details.grade.into_iter().collect(),
            collection_scheme: Some(contract.details.collection_scheme),
            snapshot: snapshot(contract)?,
        })
    }

    /// Of an amendment of a contract with this customer, by these prices.
    pub fn of_amendment(
        amendment: &Amendment,
        contract: &Contract,
        customer: &Customer,
        prices: &PriceBook,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            kind: amendment.subject(),
            id: amendment.id.into(),
            number: amendment.number.clone(),
            version: amendment.version,
            amount: Some(amendment.at_stake()?),
            discount: prices.largest_discount(&amendment.after.line_items, customer.details.grade),
            snapshot: snapshot(amendment)?,
            ..Self::of_contract(contract, customer, prices)?
        })
    }

    /// Of an opportunity with this customer, which is to enter another stage, by these prices.
    pub fn of_stage(
        opportunity: &Opportunity,
        customer: &Customer,
        prices: &PriceBook,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::StageGate,
            id: opportunity.id.into(),
            number: Number(opportunity.details.name.as_str().chars().take(24).collect()),
            version: opportunity.version,
            amount: opportunity.details.amount,
            owner_id: opportunity.owner_id,
            beneficiary_id: None,
            customer_id: Some(opportunity.details.customer_id),
            discount: prices.largest_discount(&opportunity.details.line_items, customer.details.grade),
            customer_grades: customer.details.grade.into_iter().collect(),
            collection_scheme: None,
            snapshot: snapshot(opportunity)?,
        })
    }

    /// Of a change of a customer, with its grades before and after.
    pub fn of_customer_change(change: &CustomerChange) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::CustomerChange,
            id: change.id.into(),
            number: change.number.clone(),
            version: change.version,
            amount: None,
            owner_id: owned(change.owner_id)?,
            beneficiary_id: None,
            customer_id: Some(change.customer_id),
            discount: None,
            customer_grades: [change.before.0.grade, change.after.0.grade].into_iter().flatten().collect(),
            collection_scheme: None,
            snapshot: snapshot(change)?,
        })
    }

    /// Of an invoice of a contract with this customer.
    pub fn of_invoice(invoice: &Invoice, contract: &Contract, customer: &Customer) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::Invoice,
            id: invoice.id.into(),
            number: invoice.number.clone(),
            version: invoice.version,
            amount: Some(invoice.details.amount),
            owner_id: invoice.owner_id,
            beneficiary_id: None,
            customer_id: Some(invoice.customer_id),
            discount: None,
            customer_grades: customer.details.grade.into_iter().collect(),
            collection_scheme: Some(contract.details.collection_scheme),
            snapshot: snapshot(invoice)?,
        })
    }

    /// Of a transfer of records of customers with these grades.
    pub fn of_transfer(transfer: &Transfer, customer_grades: Vec<Grade>) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::Transfer,
            id: transfer.id.into(),
            number: transfer.number.clone(),
            version: transfer.version,
            amount: None,
            owner_id: transfer.owner_id,
            beneficiary_id: Some(transfer.details.to_user_id),
            customer_id: None,
            discount: None,
            customer_grades,
            collection_scheme: None,
            snapshot: snapshot(transfer)?,
        })
    }
}

/// A subject as it was, as the specification describes it.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalSnapshot;

impl PartialSchema for ApprovalSnapshot {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(json::reference::<Contract>())
            .item(json::reference::<Amendment>())
            .item(json::reference::<Opportunity>())
            .item(json::reference::<CustomerChange>())
            .item(json::reference::<Invoice>())
            .item(json::reference::<Transfer>())
            .description(Some(
                "The subject of a request, as it was; `subject_kind` says which of these it is.",
            ))
            .into()
    }
}
impl ToSchema for ApprovalSnapshot {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<Contract>(named);
        json::name::<Amendment>(named);
        json::name::<Opportunity>(named);
        json::name::<CustomerChange>(named);
        json::name::<Invoice>(named);
        json::name::<Transfer>(named);
    }
}

fn snapshot(subject: &impl Serialize) -> Result<serde_json::Value, Refusal> {
    serde_json::to_value(subject).map_err(|error| Refusal::new(Code::Internal, error.to_string()))
}
