//! Telephone numbers, e-mail and web addresses: kept as typed but for white space around them, compared in a normal
//! form, masked for whoever may see a record but not its contact data.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use validator::{Validate, ValidateEmail, ValidateUrl, ValidationErrors};

use super::text::{length_error, one, trimmed, turns_text};
use crate::error::Rule;

macro_rules! contact_value {
    ($( $(#[doc = $doc:literal])* $name:ident max $max:literal, format $format:expr, example $example:literal,
        breaking $rule:expr, $message:literal, $check:expr; )+) => { $(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text as it is, such as one that was stored; it is trusted once validated.
            pub fn new(text: impl Into<String>) -> Self { Self(text.into()) }

            /// As typed.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        /// Takes what somebody typed.
        impl From<String> for $name {
            fn from(typed: String) -> Self { Self(trimmed(typed, $max)) }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self { value.0 }
        }

        impl Validate for $name {
            fn validate(&self) -> Result<(), ValidationErrors> {
                if self.0.is_empty() || self.0.chars().count() > $max {
                    return Err(length_error($max));
                }
                let check: fn(&str) -> bool = $check;
                if check(&self.0) && !self.0.chars().any(|c| c.is_control() || turns_text(c)) {
                    return Ok(());
                }
                Err(one($rule.error($message)))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format($format)
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .description(Some([$($doc.trim()),*].join(" ")))
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }
        impl ToSchema for $name {}
    )+ };
}

contact_value! {
    /// An e-mail address.
    Email max 254, format Some(SchemaFormat::KnownFormat(KnownFormat::Email)), example "li.wei@example.com",
        breaking Rule::Email, "must be an e-mail address", |text| text.validate_email();
    /// A telephone number: digits, spaces and `+ - ( ) . /`, with 5 to 20 digits.
    Phone max 40, format None, example "+86 138 0013 8000",
        breaking Rule::Phone, "must be a telephone number", is_phone;
    /// An address on the web, `http` or `https`.
    WebAddress max 300, format Some(SchemaFormat::Custom("uri".to_owned())), example "https://example.com",
        breaking Rule::Url, "must be a web address", |text| {
            (text.starts_with("https://") || text.starts_with("http://")) && text.validate_url()
        };
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (5..=20).contains(&digits) && text.chars().all(|c| c.is_ascii_digit() || " +-().,/x".contains(c))
}

impl Email {
    /// The form in which two addresses are compared: lower case.
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

/// The code of the country whose numbers are written without one: mainland China.
const COUNTRY: &str = "86";
/// What is dialled before an area's code within the country, and left out behind the country's.
const TRUNK: char = '0';
/// How many digits follow the trunk prefix at least: an area's code of two or three, and seven or eight.
const SHORTEST_BEHIND_TRUNK: usize = 9;
/// How many digits a number has at least with its country's code. What has fewer behind `00` is no number from abroad.
const SHORTEST_ABROAD: usize = 7;

impl Phone {
    /// The form in which two numbers are compared: digits with the country's code and without a trunk prefix, those of
    /// an extension behind them. A number without a country's code is Chinese where it is written like one: with a
    /// trunk prefix, a mobile number, or one that is free of charge.
    pub fn normalised(&self) -> String {
        let (number, extension) = self.0.split_at(self.0.find('x').unwrap_or(self.0.len()));
        // Whoever writes a trunk prefix behind a country's code puts it in brackets: `+44 (0)20`.
        let abroad = digits(&number.replacen("(0)", "", 1));
        let abroad = if number.trim_start_matches([' ', '(']).starts_with('+') {
            Some(abroad.as_str())
        } else {
            abroad.strip_prefix("00").filter(|rest| rest.len() >= SHORTEST_ABROAD)
        };
        abroad.map_or_else(|| within_country(&digits(number)), from_abroad) + &digits(extension)
    }
}

/// The form in which a text is compared with telephone numbers.
pub fn phone_key(text: &str) -> String {
    Phone::new(text).normalised()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Digits that begin with a country's code.
fn from_abroad(dialled: &str) -> String {
    let behind_trunk = dialled.strip_prefix(COUNTRY).and_then(|national| national.strip_prefix(TRUNK));
    behind_trunk.map_or_else(|| dialled.to_owned(), |rest| format!("{COUNTRY}{rest}"))
}

/// Digits as they are dialled within the country. Some write its code without a `+`.
fn within_country(dialled: &str) -> String {
    let national = dialled.strip_prefix(COUNTRY).unwrap_or(dialled);
    let behind_trunk = national.strip_prefix(TRUNK).filter(|rest| rest.len() >= SHORTEST_BEHIND_TRUNK);
    let is_mobile = dialled.len() == 11
        && dialled.strip_prefix('1').is_some_and(|rest| rest.starts_with(|c: char| ('3'..='9').contains(&c)));
    let is_free = dialled.len() == 10 && (dialled.starts_with("400") || dialled.starts_with("800"));
    match behind_trunk {
        Some(rest) => format!("{COUNTRY}{rest}"),
        None if is_mobile || is_free => format!("{COUNTRY}{dialled}"),
        None => dialled.to_owned(),
    }
}

/// `138****8000`: the first three and the last four characters stay when there are enough of them. What is masked
/// already stays as it is.
pub fn mask_phone(phone: &Phone) -> Phone {
    if phone.0.contains('*') {
        return phone.clone();
    }
    let digits: Vec<char> = phone.0.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 9 {
        return Phone::new("****");
    }
    let head: String = digits[..3].iter().collect();
    let tail: String = digits[digits.len() - 4..].iter().collect();
    Phone::new(format!("{head}****{tail}"))
}

/// `z***@example.com`: the first character and the domain stay.
pub fn mask_email(email: &Email) -> Email {
    let (local, domain) = email.0.split_once('@').unwrap_or((&email.0, ""));
    let first: String = local.chars().take(1).collect();
    Email::new(format!("{first}***@{domain}"))
}

/// `张**`: the first character stays.
pub fn mask_text(text: &str) -> String {
    text.chars().take(1).chain("**".chars()).collect()
}
