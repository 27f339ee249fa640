use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::error::Refusal;
use crate::text_enum;
use crate::values::{ContractId, CustomerId, Line, Money, Prose, Rate, form, plain_decimal};

text_enum! {
    /// How money is collected.
    pub enum CollectionScheme {
        /// Against issued invoices.
        ByInvoice = "by_invoice",
        /// Against the approved contract's installments.
        ByContract = "by_contract",
    }
}

/// A quantity above zero and up to one thousand million, with at most four decimals; written as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(Decimal);

impl std::str::FromStr for Quantity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        plain_decimal(text, 10, 4)
            .map(|quantity| quantity.normalize())
            .filter(|quantity| *quantity > Decimal::ZERO && *quantity <= Decimal::from(1_000_000_000))
            .map(Self)
            .ok_or_else(|| "expected a quantity above 0 with at most 4 decimals, such as `2.5`".to_owned())
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken("invalid_quantity", why))
    }
}

impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^[0-9]{1,10}(\.[0-9]{1,4})?$"))
            .max_length(Some(16))
            .description(Some("A quantity above 0 with at most 4 decimals."))
            .examples([serde_json::json!("2.5")])
            .into()
    }
}
impl ToSchema for Quantity {}

/// Something sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineItem {
    /// What.
    #[validate(nested)]
    pub product: Line,
    /// How much.
    pub quantity: Quantity,
    /// For how much each.
    #[validate(custom(function = "positive"))]
    pub unit_price: Money,
    /// Discount as a fraction of the price.
    #[serde(default = "no_discount")]
    pub discount: Rate,
}

fn no_discount() -> Rate {
    Rate::ZERO
}

impl LineItem {
    /// Price times quantity less the discount, rounded half-even once.
    pub fn amount(&self) -> Result<Money, Refusal> {
        self.unit_price.times(self.quantity.0 * (Decimal::ONE - self.discount.fraction()))
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
    Err(ValidationError::new("not_positive").with_message("must be above zero".into()))
}

/// What one may say about a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "dates_in_order"), schema(function = "amounts_agree"))]
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
            Err(ValidationError::new("dates_out_of_order").with_message("ends_on is before starts_on".into()))
        }
        _ => Ok(()),
    }
}

fn amounts_agree(details: &ContractDetails) -> Result<(), ValidationError> {
    let currency = details.amount.currency();
    let other = |amount: &Money| amount.currency() != currency;
    if details.line_items.iter().any(|item| other(&item.unit_price))
        || details.installments.iter().any(|part| other(&part.amount))
    {
        let message = "line items and installments must have the amount's currency";
        return Err(ValidationError::new("currency_mismatch").with_message(message.into()));
    }
    if details.line_items.is_empty() {
        return Ok(());
    }
    let sum = details
        .line_items
        .iter()
        .map(LineItem::amount)
        .collect::<Result<Vec<_>, _>>()
        .and_then(|amounts| Money::sum(currency, amounts))
        .map_err(|_| ValidationError::new("amount_out_of_range"))?;
    if sum == details.amount {
        return Ok(());
    }
    let mut error = ValidationError::new("line_items_mismatch")
        .with_message(format!("amount must be the sum of the line items, {sum}").into());
    error.add_param("sum".into(), &sum);
    Err(error)
}
