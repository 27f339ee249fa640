//! Values that every subject uses: ids, money, time, text, and the macros that declare their kin.

mod contact_data;
mod currencies;
mod enumeration;
mod fold;
pub use enumeration::{Label, TextEnum, enum_schema};
pub use fold::{company_key, folded};
pub mod form;
mod id;
pub mod json;
mod money;
mod number;
mod objects;
#[cfg(test)]
mod tests;
mod text;
mod time;

pub use contact_data::{Email, Phone, WebAddress, mask_email, mask_phone, mask_text, phone_key};
pub use currencies::CURRENCIES;
pub use id::*;
pub(crate) use id::{any_id, any_ids};
pub use iso_currency::Currency;
pub(crate) use money::plain_decimal;
pub use money::{CurrencyCode, MAX_MINOR, Money, Rate, TaxSplit};
pub use number::{Number, NumberKind};
pub(crate) use text::one_of;
pub use text::{Line, Prose, Tag, Tags, without_nul};
pub(crate) use time::written_day;
pub use time::{Timestamp, Today, day, day_or_null, given_or_null, optional_day, parse_day};
