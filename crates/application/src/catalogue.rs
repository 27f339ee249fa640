//! Products (产品), price lists (价目表), and what a choice of products costs.

use fairlead_domain::catalogue::{
    LineItem, PriceBook, PriceList, PriceListDetails, Product, ProductDetails, QuoteForm, QuoteLine,
    QuotedLine, take_from_catalogue,
};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Currency, Money, PriceListId, ProductId};
use fairlead_persistence::{Predicate, Work};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, Eyes, Resource};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(Product, /// A product.
    ProductView, /// A product in a list.
    ProductSummary, []);

views!(PriceList, /// A price list.
    PriceListView, /// A price list in a list.
    PriceListSummary, []);

/// What a list of products can be asked.
pub static PRODUCTS: Listing = Listing {
    resource: "products",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("code", Kind::Text).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("is_active", Kind::Boolean),
    ],
    search: &["code", "name"],
    default_sort: "code",
    includes: ProductSummary::INCLUDES,
};

/// What a list of price lists can be asked.
pub static PRICE_LISTS: Listing = Listing {
    resource: "price_lists",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("currency", Kind::Text),
        Field::new("valid_from", Kind::Date).sortable(),
        Field::new("valid_until", Kind::Date).nullable().sortable(),
    ],
    search: &["name"],
    default_sort: "-valid_from",
    includes: PriceListSummary::INCLUDES,
};

/// Whoever works here may know what is sold.
impl Resource for Product {
    type View = ProductView;
    type Ties = ();
    fn reveal(&self, _: &Context) -> Result<(), Refusal> {
        Ok(())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<ProductView, Refusal> {
        Ok(ProductView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// And for how much.
impl Resource for PriceList {
    type View = PriceListView;
    type Ties = ();
    fn reveal(&self, _: &Context) -> Result<(), Refusal> {
        Ok(())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<PriceListView, Refusal> {
        Ok(PriceListView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// One product.
pub async fn product(app: &App, call: &Call, id: ProductId) -> Read<ProductView> {
    app.get::<Product>(call, id).await
}

/// All products.
pub async fn products(app: &App, call: &Call, list: ListRequest) -> Read<Page<ProductSummary>> {
    app.read(call, async |ctx, reader| {
        lists::page(ctx, reader, &list, Predicate::True, |_: &Product| Links::default()).await
    })
    .await
}

/// Records a product.
pub async fn create_product(app: &App, call: &Call, form: Valid<ProductDetails>) -> Written<ProductView> {
    app.write(call, async |ctx, work| {
        let (product, event) = Product::new(ctx, work.new_id(), form.clone())?;
        work.insert(&product, event).await?;
        Ok(product.view(ctx, ())?)
    })
    .await
}

/// Changes a product.
pub async fn update_product(
    app: &App,
    call: &Call,
    id: ProductId,
    patch: Patch<ProductDetails>,
) -> Written<ProductView> {
    app.change(call, id, async |ctx, _, product: &mut Product| {
        Product::may_manage(ctx)?;
        Ok(product.edit(ctx, patch.apply(&product.details)?)?)
    })
    .await
}

/// One price list.
pub async fn price_list(app: &App, call: &Call, id: PriceListId) -> Read<PriceListView> {
    app.get::<PriceList>(call, id).await
}

/// All price lists.
pub async fn price_lists(app: &App, call: &Call, list: ListRequest) -> Read<Page<PriceListSummary>> {
    app.read(call, async |ctx, reader| {
        lists::page(ctx, reader, &list, Predicate::True, |_: &PriceList| Links::default()).await
    })
    .await
}

/// Which of the products that a price list names are there. None of them is ever deleted.
async fn named(work: &Work, form: &PriceListDetails) -> Result<Vec<ProductId>, Failure> {
    let ids = form.prices.iter().map(|price| price.product_id.0);
    let known: Vec<Product> = work.find_all(Predicate::ids(ids)).await?;
    Ok(known.into_iter().map(|product| product.id).collect())
}

/// Records a price list.
pub async fn create_price_list(
    app: &App,
    call: &Call,
    form: Valid<PriceListDetails>,
) -> Written<PriceListView> {
    app.write(call, async |ctx, work| {
        PriceList::may_manage(ctx)?;
        let known = named(work, &form).await?;
        let (list, event) = PriceList::new(ctx, work.new_id(), form.clone(), &known)?;
        work.insert(&list, event).await?;
        Ok(list.view(ctx, ())?)
    })
    .await
}

/// Changes a price list.
pub async fn update_price_list(
    app: &App,
    call: &Call,
    id: PriceListId,
    patch: Patch<PriceListDetails>,
) -> Written<PriceListView> {
    app.change(call, id, async |ctx, work, list: &mut PriceList| {
        PriceList::may_manage(ctx)?;
        let form = patch.apply(&list.details)?;
        let known = named(work, &form).await?;
        Ok(list.edit(ctx, form, &known)?)
    })
    .await
}

/// Deletes a price list. What was agreed stays as it was.
pub async fn delete_price_list(app: &App, call: &Call, id: PriceListId) -> Written<()> {
    app.remove(call, id, Event("price_list.deleted"), async |ctx, _, _: &PriceList| {
        Ok(PriceList::may_manage(ctx)?)
    })
    .await
}

/// What a choice of products costs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Quote {
    /// On which day.
    pub on: chrono::NaiveDate,
    /// The lines, in the order in which they were asked for.
    #[schema(max_items = 200)]
    pub lines: Vec<QuotedLine>,
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// What the lines add up to, tax included: the amount of a contract that has them.
    pub gross: Money,
}

/// Prices a choice of products for a customer. Nothing is written.
pub async fn quote(app: &App, call: &Call, form: Valid<QuoteForm>) -> Read<Quote> {
    app.read(call, async |ctx, reader| {
        let grade = match form.customer_id {
            None => None,
            Some(id) => {
                let customer: Option<Customer> = reader.one(id).await?;
                let Some(customer) = customer.filter(|customer| customer.reveal(ctx).is_ok()) else {
                    let eyes = Eyes::Reader(reader);
                    return Err(change::absent::<Customer>(ctx, &eyes, id, "/customer_id").await?.into());
                };
                customer.details.grade
            }
        };
        let on = form.on.unwrap_or(ctx.today().0);
        let currency = form.currency.0;
        let book = PriceBook { on, lists: reader.all(in_currency(currency)).await?, kept: true };
        let ids = form.lines.iter().map(|line| line.product_id.0);
        let products: Vec<Product> = reader.all(Predicate::ids(ids)).await?;
        let price = |(at, line): (usize, &QuoteLine)| {
            let product = products.iter().find(|product| product.id == line.product_id);
            book.quote(at, line, product, (currency, grade))
        };
        let lines = form.lines.iter().enumerate().map(price).collect::<Result<Vec<_>, _>>()?;
        let sum = |part: fn(&QuotedLine) -> Money| Money::sum(currency, lines.iter().map(part));
        let (net, tax, gross) =
            (sum(|line| line.amount.net)?, sum(|line| line.amount.tax)?, sum(|line| line.amount.gross)?);
        Ok(Quote { on, lines, net, tax, gross })
    })
    .await
}

fn in_currency(currency: Currency) -> Predicate {
    Predicate::Is("currency", currency.code().into())
}

/// The prices of today, by which discounts are measured when somebody is asked to approve them.
pub(crate) async fn todays_prices(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    currency: Option<Currency>,
) -> Result<PriceBook, Failure> {
    let lists = match currency {
        None => Vec::new(),
        Some(currency) => eyes.all(in_currency(currency)).await?,
    };
    let kept = !lists.is_empty() || eyes.count("price_lists", Predicate::True).await? > 0;
    Ok(PriceBook { on: ctx.today().0, lists, kept })
}

/// Lines take from the catalogue what they do not say, and name what is there and sold.
pub(crate) async fn take(work: &Work, lines: &mut [LineItem], before: &[LineItem]) -> Result<(), Failure> {
    let named: Vec<uuid::Uuid> = lines.iter().filter_map(|line| line.product_id).map(|id| id.0).collect();
    if named.is_empty() {
        return Ok(());
    }
    let products: Vec<Product> = work.find_all(Predicate::ids(named)).await?;
    Ok(take_from_catalogue(lines, before, &products)?)
}
