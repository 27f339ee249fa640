use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::error::{Refusal, Rule};
use crate::values::{Currency, Line, Money, ProductId, Rate, TaxSplit, form, plain_decimal};

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
        text.parse().map_err(|why: String| form::broken(Rule::InvalidQuantity, why))
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

/// Something sold. Its amount is the price times the quantity less the discount, with the tax in it, rounded once at the
/// currency's decimals, half to even (IEEE 754's `roundTiesToEven`): `5.025` is `5.02` and `5.035` is `5.04`. The tax in it
/// is `amount - amount / (1 + tax_rate)`, rounded likewise; net and tax add up to the amount.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "product_id": ProductId::example(1),
    "product": "企业版年度订阅",
    "quantity": "20",
    "unit_price": {"amount": "5500.00", "currency": "CNY"},
    "discount": "0.1",
    "tax_rate": "0.06"
}))]
pub struct LineItem {
    /// The product of the catalogue; none where something else is sold.
    #[serde(default)]
    pub product_id: Option<ProductId>,
    /// What, as the customer reads it.
    #[validate(nested)]
    pub product: Line,
    /// How much.
    pub quantity: Quantity,
    /// For how much each, tax included.
    #[validate(custom(function = "crate::contract::positive"))]
    pub unit_price: Money,
    /// Discount as a fraction of the price.
    #[serde(default = "no_discount")]
    pub discount: Rate,
    /// The tax in the price. When a line that names a product says none, it is the product's.
    #[serde(default)]
    pub tax_rate: Option<Rate>,
}

fn no_discount() -> Rate {
    Rate::ZERO
}

impl LineItem {
    /// Price times quantity less the discount, rounded half-even once.
    pub fn amount(&self) -> Result<Money, Refusal> {
        self.unit_price.times(self.quantity.0 * (Decimal::ONE - self.discount.fraction()))
    }

    /// The amount with the tax in it; none where no rate was said.
    pub fn tax(&self) -> Result<TaxSplit, Refusal> {
        self.amount()?.split_tax(self.tax_rate.unwrap_or(Rate::ZERO))
    }

    /// The discount in truth: what was said, or by how much the price is below the list's, whichever is more. It is
    /// cut to four decimals: limits have no more, so that it reaches one exactly when the discount does.
    pub fn discount_from(&self, list_price: Option<Money>) -> Rate {
        let Some(list) = list_price.filter(|list| list.is_positive()) else { return self.discount };
        let asked = self.unit_price.amount() * (Decimal::ONE - self.discount.fraction());
        let share = Decimal::ONE - (asked / list.amount());
        let points = (share * Decimal::from(10_000)).floor();
        let points = i64::try_from(points).unwrap_or(0).clamp(0, 10_000);
        Rate::from_basis_points(points).unwrap_or(Rate::ZERO).max(self.discount)
    }
}

/// What the lines of one tax rate add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaxTotal {
    /// The rate; none for lines that say none.
    #[schema(required)]
    pub tax_rate: Option<Rate>,
    /// The lines' amounts.
    #[serde(flatten)]
    pub amount: TaxSplit,
}

/// The lines' amounts by tax rate, the highest last: the sums of what each line says, so that they add up to the whole.
pub fn tax_totals(lines: &[LineItem]) -> Result<Vec<TaxTotal>, Refusal> {
    let mut totals: BTreeMap<Option<Rate>, TaxSplit> = BTreeMap::new();
    for line in lines {
        let split = line.tax()?;
        let total = match totals.get(&line.tax_rate) {
            None => split,
            Some(so_far) => TaxSplit {
                net: so_far.net.plus(split.net)?,
                tax: so_far.tax.plus(split.tax)?,
                gross: so_far.gross.plus(split.gross)?,
            },
        };
        totals.insert(line.tax_rate, total);
    }
    Ok(totals.into_iter().map(|(tax_rate, amount)| TaxTotal { tax_rate, amount }).collect())
}

/// Refuses line items whose amounts are not in the currency of the whole, or do not add up to it.
pub fn lines_agree(lines: &[LineItem], whole: Option<Money>) -> Result<(), ValidationError> {
    if lines.is_empty() {
        return Ok(());
    }
    let Some(whole) = whole else {
        let message = "amount must be given where there are line items";
        return Err(Rule::LineItemsMismatch.error(message));
    };
    if lines.iter().any(|item| item.unit_price.currency() != whole.currency()) {
        let message = "line items must have the amount's currency";
        return Err(Rule::CurrencyMismatch.error(message));
    }
    let too_large = |_| {
        let message = "the sum of the line items is too large";
        Rule::AmountOutOfRange.error(message)
    };
    let sum = worth(whole.currency(), lines).map_err(too_large)?;
    if sum == whole {
        return Ok(());
    }
    let mut error = Rule::LineItemsMismatch.error(format!("amount must be the sum of the line items, {sum}"));
    error.add_param("sum".into(), &sum);
    Err(error)
}

/// What line items add up to.
pub fn worth(currency: Currency, lines: &[LineItem]) -> Result<Money, Refusal> {
    let amounts = lines.iter().map(LineItem::amount).collect::<Result<Vec<_>, _>>()?;
    Money::sum(currency, amounts)
}
