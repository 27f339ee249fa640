use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::product::may_manage;
use super::{LineItem, Product, Quantity};
use crate::context::{Context, Event};
use crate::customer::Grade;
use crate::error::{Refusal, Rule};
use crate::record;
use crate::valid::Valid;
use crate::values::{
    Currency, CurrencyCode, CustomerId, Line, Money, PriceListId, ProductId, Rate, TaxSplit, Timestamp,
};
use crate::workflow::AllowedAction;

/// What a product costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The product.
    pub product_id: ProductId,
    /// For how much each, tax included, in the list's currency.
    #[validate(custom(function = "crate::contract::positive"))]
    pub unit_price: Money,
}

/// What one may say about a price list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "makes_sense"))]
#[schema(example = json!({
    "name": "List prices 2026 and 2027",
    "currency": "CNY",
    "valid_from": "2026-01-01",
    "valid_until": "2027-12-31",
    "customer_grades": ["A", "B"],
    "prices": [
        {
            "product_id": ProductId::example(1),
            "unit_price": {"amount": "5500.00", "currency": "CNY"}
        }
    ]
}))]
pub struct PriceListDetails {
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// The currency of its prices.
    pub currency: CurrencyCode,
    /// The first day on which it holds.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub valid_from: NaiveDate,
    /// The last day on which it holds; none while it holds on.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub valid_until: Option<NaiveDate>,
    /// For customers of which grades; for all when empty.
    #[serde(default)]
    #[validate(length(max = 4))]
    #[schema(max_items = 4)]
    pub customer_grades: Vec<Grade>,
    /// The prices; each product has one.
    #[validate(length(max = 2000), nested)]
    #[schema(max_items = 2000)]
    pub prices: Vec<Price>,
}

fn makes_sense(details: &PriceListDetails) -> Result<(), ValidationError> {
    if details.valid_until.is_some_and(|until| until < details.valid_from) {
        let message = "valid_until is before valid_from";
        return Err(Rule::DatesOutOfOrder.error(message));
    }
    if details.prices.iter().any(|price| price.unit_price.currency() != details.currency.0) {
        let message = "prices must have the list's currency";
        return Err(Rule::CurrencyMismatch.error(message));
    }
    let products: BTreeSet<ProductId> = details.prices.iter().map(|price| price.product_id).collect();
    if products.len() < details.prices.len() {
        let message = "each product has one price";
        return Err(Rule::Distinct.error(message));
    }
    Ok(())
}

/// A price list (价目表). Of all that hold on a day, the lowest price counts: a promotion is a list of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceList {
    /// Its id.
    pub id: PriceListId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: PriceListDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(PriceList, PriceList);

impl PriceList {
    /// May the caller change price lists?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        may_manage(ctx)
    }

    /// Records a price list of products of the catalogue.
    pub fn new(
        ctx: &Context,
        id: PriceListId,
        form: Valid<PriceListDetails>,
        catalogue: &[ProductId],
    ) -> Result<(Self, Event), Refusal> {
        may_manage(ctx)?;
        all_known(&form, catalogue)?;
        let list =
            Self { id, details: form.into_inner(), version: 1, created_at: ctx.now, updated_at: ctx.now };
        Ok((list, Event("price_list.created")))
    }

    /// Changes it. What was agreed stays as it was.
    pub fn edit(
        &mut self,
        ctx: &Context,
        form: Valid<PriceListDetails>,
        catalogue: &[ProductId],
    ) -> Result<Event, Refusal> {
        may_manage(ctx)?;
        all_known(&form, catalogue)?;
        self.details = form.into_inner();
        Ok(Event("price_list.updated"))
    }

    fn holds(&self, on: NaiveDate, currency: Currency, grade: Option<Grade>) -> bool {
        let details = &self.details;
        let grades = &details.customer_grades;
        details.currency.0 == currency
            && details.valid_from <= on
            && details.valid_until.is_none_or(|until| on <= until)
            && (grades.is_empty() || grade.is_some_and(|grade| grades.contains(&grade)))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("update", may_manage(ctx)), AllowedAction::judge("delete", may_manage(ctx))]
    }
}

fn all_known(form: &PriceListDetails, catalogue: &[ProductId]) -> Result<(), Refusal> {
    match form.prices.iter().position(|price| !catalogue.contains(&price.product_id)) {
        None => Ok(()),
        Some(at) => Err(Refusal::unknown_reference(&format!("/prices/{at}/product_id"))),
    }
}

/// The price lists that may count on a day.
#[derive(Debug, Clone)]
pub struct PriceBook {
    /// The day.
    pub on: NaiveDate,
    /// The lists; those that do not hold are passed over.
    pub lists: Vec<PriceList>,
    /// Whether there are lists at all, in whichever currency.
    pub kept: bool,
}

impl PriceBook {
    /// The lowest price of a product for a customer of this grade, and the list that has it.
    pub fn price(
        &self,
        product: ProductId,
        currency: Currency,
        grade: Option<Grade>,
    ) -> Option<(Money, PriceListId)> {
        let lists = self.lists.iter().filter(|list| list.holds(self.on, currency, grade));
        let prices = lists.flat_map(|list| list.details.prices.iter().map(move |price| (price, list.id)));
        let of_product = prices.filter(|(price, _)| price.product_id == product);
        of_product.map(|(price, list)| (price.unit_price, list)).min_by_key(|(price, _)| price.minor())
    }

    /// The largest discount on a line, measured by the list price where there is one; none when it is not known: what
    /// has no lines tells no discount, and where there are price lists, neither does a line that none of them prices.
    pub fn largest_discount(&self, lines: &[LineItem], grade: Option<Grade>) -> Option<Rate> {
        let discount = |line: &LineItem| {
            let currency = line.unit_price.currency();
            let list = line.product_id.and_then(|product| self.price(product, currency, grade));
            let known = list.is_some() || !self.kept;
            known.then(|| line.discount_from(list.map(|(price, _)| price)))
        };
        let discounts: Option<Vec<Rate>> = lines.iter().map(discount).collect();
        discounts?.into_iter().max()
    }
}

/// What is to be priced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "currency": "CNY",
    "on": "2026-12-01",
    "lines": [{"product_id": ProductId::example(1), "quantity": "20", "discount": "0.1"}]
}))]
pub struct QuoteForm {
    /// In which currency.
    pub currency: CurrencyCode,
    /// For whom; without, the prices for everybody count.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// On which day; today when absent.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub on: Option<NaiveDate>,
    /// What is wanted.
    #[validate(length(min = 1, max = 200, message = "must have between 1 and 200 lines"), nested)]
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<QuoteLine>,
}

/// How much of a product is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteLine {
    /// The product.
    pub product_id: ProductId,
    /// How much of it.
    pub quantity: Quantity,
    /// Discount as a fraction of the list price.
    #[serde(default)]
    pub discount: Option<Rate>,
}

/// A line with its price, ready for a contract.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuotedLine {
    /// The line, as a contract takes it.
    pub line_item: LineItem,
    /// The list that has the price.
    pub price_list_id: PriceListId,
    /// The line's amount, with the tax in it.
    #[serde(flatten)]
    pub amount: TaxSplit,
}

impl PriceBook {
    /// Prices a line.
    pub fn quote(
        &self,
        at: usize,
        line: &QuoteLine,
        product: Option<&Product>,
        (currency, grade): (Currency, Option<Grade>),
    ) -> Result<QuotedLine, Refusal> {
        let pointer = format!("/lines/{at}/product_id");
        let product = product.ok_or_else(|| Refusal::unknown_reference(&pointer))?;
        if !product.details.is_active {
            return Err(Refusal::invalid(&pointer, Rule::NotSold, "the product is not sold any more"));
        }
        let Some((unit_price, price_list_id)) = self.price(product.id, currency, grade) else {
            let why = format!("no price list has a price in {} on {}", currency.code(), self.on);
            return Err(Refusal::invalid(&pointer, Rule::NoPrice, why));
        };
        let line_item = LineItem {
            product_id: Some(product.id),
            product: product.details.name.clone(),
            quantity: line.quantity,
            unit_price,
            discount: line.discount.unwrap_or(Rate::ZERO),
            tax_rate: Some(product.details.tax_rate),
        };
        let amount = line_item.tax()?;
        Ok(QuotedLine { line_item, price_list_id, amount })
    }
}
