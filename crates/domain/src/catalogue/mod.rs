//! What is sold (产品), for how much (价目表), and the lines of sales and contracts that name it.

mod line_item;
mod price_list;
mod product;
#[cfg(test)]
mod tests;

pub use line_item::{LineItem, Quantity, TaxTotal, lines_agree, tax_totals, worth};
pub use price_list::{Price, PriceBook, PriceList, PriceListDetails, QuoteForm, QuoteLine, QuotedLine};
pub use product::{Product, ProductDetails, take_from_catalogue};
