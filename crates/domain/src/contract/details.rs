use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::catalogue::{LineItem, lines_agree};
use crate::error::Rule;
use crate::text_enum;
use crate::values::{ContractId, CustomerId, Line, Money, Prose};

text_enum! {
    /// How money is collected.
    pub enum CollectionScheme {
        /// Against issued invoices.
        ByInvoice = "by_invoice" ("By invoice", "按发票回款"),
        /// Against the approved contract's installments.
        ByContract = "by_contract" ("By contract", "按合同回款"),
    }
}

/// A part of the amount and when it is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallmentPlan {
    /// When it is due.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub due_on: NaiveDate,
    /// How much.
    #[validate(custom(function = "positive"))]
    pub amount: Money,
    /// On what condition.
    #[serde(default)]
    #[validate(nested)]
    pub condition: Option<Line>,
}

/// Refuses an amount that is not above zero.
pub(crate) fn positive(amount: &Money) -> Result<(), ValidationError> {
    if amount.is_positive() {
        return Ok(());
    }
    Err(Rule::NotPositive.error("must be above zero"))
}

/// What one may say about a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "dates_in_order"), schema(function = "amounts_agree"))]
#[schema(example = json!({
    "title": "海川机械 2026 年度订阅",
    "customer_id": CustomerId::example(1),
    "amount": {"amount": "120000.00", "currency": "CNY"},
    "line_items": [
        {
            "product": "企业版年度订阅",
            "quantity": "20",
            "unit_price": {"amount": "5500.00", "currency": "CNY"},
            "discount": "0.1",
            "tax_rate": "0.06"
        },
        {
            "product": "实施服务",
            "quantity": "6",
            "unit_price": {"amount": "3500.00", "currency": "CNY"},
            "discount": "0",
            "tax_rate": "0.06"
        }
    ],
    "installments": [
        {"due_on": "2026-02-15", "amount": {"amount": "36000.00", "currency": "CNY"}, "condition": "On signing"},
        {"due_on": "2026-06-30", "amount": {"amount": "72000.00", "currency": "CNY"}, "condition": "On acceptance"},
        {"due_on": "2027-01-31", "amount": {"amount": "12000.00", "currency": "CNY"}, "condition": "After one year"}
    ],
    "collection_scheme": "by_invoice",
    "signed_on": "2026-01-12",
    "starts_on": "2026-02-01",
    "ends_on": "2027-01-31",
    "our_signer": "李伟",
    "customer_signer": "林悦",
    "terms": "Due within 30 days of the invoice."
}))]
pub struct ContractDetails {
    /// In one line.
    #[validate(nested)]
    pub title: Line,
    /// The customer; cannot be changed.
    pub customer_id: CustomerId,
    /// The amount, tax included. With line items it is their sum.
    #[validate(custom(function = "positive"))]
    pub amount: Money,
    /// What is sold; may be empty.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    #[schema(max_items = 200)]
    pub line_items: Vec<LineItem>,
    /// When the amount is due; must add up to it before the contract is submitted.
    #[serde(default)]
    #[validate(length(max = 120), nested)]
    #[schema(max_items = 120)]
    pub installments: Vec<InstallmentPlan>,
    /// How money is collected.
    pub collection_scheme: CollectionScheme,
    /// When it was signed.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub signed_on: Option<NaiveDate>,
    /// When it begins.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub starts_on: Option<NaiveDate>,
    /// When it ends.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub ends_on: Option<NaiveDate>,
    /// Who signs for us.
    #[serde(default)]
    #[validate(nested)]
    pub our_signer: Option<Line>,
    /// Who signs for the customer.
    #[serde(default)]
    #[validate(nested)]
    pub customer_signer: Option<Line>,
    /// The terms.
    #[serde(default)]
    #[validate(nested)]
    pub terms: Option<Prose>,
    /// The contract with the same customer that it renews (续约); cannot be changed. One that is not cancelled renews it.
    #[serde(default)]
    pub renewal_of_id: Option<ContractId>,
}

fn dates_in_order(details: &ContractDetails) -> Result<(), ValidationError> {
    match (details.starts_on, details.ends_on) {
        (Some(starts), Some(ends)) if ends < starts => {
            Err(Rule::DatesOutOfOrder.error("ends_on is before starts_on"))
        }
        _ => Ok(()),
    }
}

fn amounts_agree(details: &ContractDetails) -> Result<(), ValidationError> {
    if details.installments.iter().any(|part| part.amount.currency() != details.amount.currency()) {
        let message = "installments must have the amount's currency";
        return Err(Rule::CurrencyMismatch.error(message));
    }
    lines_agree(&details.line_items, Some(details.amount))
}
