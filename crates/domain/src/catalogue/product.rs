use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::LineItem;
use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::error::{Refusal, Rule};
use crate::record;
use crate::valid::Valid;
use crate::values::{Line, ProductId, Prose, Rate, Timestamp};
use crate::workflow::AllowedAction;

/// What one may say about a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "ENT-YEAR",
    "name": "企业版年度订阅",
    "unit": "seat",
    "description": "The enterprise edition for a year, support included.",
    "tax_rate": "0.06",
    "is_active": true
}))]
pub struct ProductDetails {
    /// Its code; whatever the spelling, each product has its own.
    #[validate(nested)]
    pub code: Line,
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// In what it is counted, such as `seat` or `day`.
    #[serde(default)]
    #[validate(nested)]
    pub unit: Option<Line>,
    /// What it is.
    #[serde(default)]
    #[validate(nested)]
    pub description: Option<Prose>,
    /// The tax in its prices.
    #[serde(default = "no_tax")]
    pub tax_rate: Rate,
    /// Whether it is sold. One that is not any more stays where it was sold, and comes on no new line.
    #[serde(default = "sold")]
    pub is_active: bool,
}

fn no_tax() -> Rate {
    Rate::ZERO
}

fn sold() -> bool {
    true
}

/// A product (产品).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: ProductDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Product, Product);

/// May the caller say what is sold, and for how much?
pub(super) fn may_manage(ctx: &Context) -> Result<(), Refusal> {
    ctx.actor.authorize(Permission::SettingsManage, &Standing::Organisation)
}

impl Product {
    /// May the caller change products?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        may_manage(ctx)
    }

    /// Records a product.
    pub fn new(ctx: &Context, id: ProductId, form: Valid<ProductDetails>) -> Result<(Self, Event), Refusal> {
        may_manage(ctx)?;
        let product =
            Self { id, details: form.into_inner(), version: 1, created_at: ctx.now, updated_at: ctx.now };
        Ok((product, Event("product.created")))
    }

    /// Changes it. Lines that name it stay as they were agreed.
    pub fn edit(&mut self, ctx: &Context, form: Valid<ProductDetails>) -> Result<Event, Refusal> {
        may_manage(ctx)?;
        self.details = form.into_inner();
        Ok(Event("product.updated"))
    }

    /// The form in which codes are compared.
    pub fn code_key(&self) -> String {
        self.details.code.normalised()
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("update", may_manage(ctx))]
    }
}

/// Lines that name products take from the catalogue what they do not say. A product must be there, and be sold unless
/// the line's `before` named it already.
pub fn take_from_catalogue(
    lines: &mut [LineItem],
    before: &[LineItem],
    catalogue: &[Product],
) -> Result<(), Refusal> {
    for (at, line) in lines.iter_mut().enumerate() {
        let Some(id) = line.product_id else { continue };
        let pointer = format!("/line_items/{at}/product_id");
        let product = catalogue.iter().find(|product| product.id == id);
        let product = product.ok_or_else(|| Refusal::unknown_reference(&pointer))?;
        if !product.details.is_active && before.iter().all(|line| line.product_id != Some(id)) {
            return Err(Refusal::invalid(&pointer, Rule::NotSold, "the product is not sold any more"));
        }
        line.tax_rate.get_or_insert(product.details.tax_rate);
    }
    Ok(())
}
