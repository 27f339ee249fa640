use std::fmt;

use iso_currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::form;
use crate::error::{Code, Refusal, Rule};

/// The largest amount, in minor units, that one record may carry: ten million millions of a currency
/// with two decimals. Nine thousand of them still add up inside an `i64`.
pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

/// A currency code of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CurrencyCode(pub Currency);

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

impl std::str::FromStr for CurrencyCode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Currency::from_code(text)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or_else(|| "expected a currency code of ISO 4217 such as `CNY`".to_owned())
    }
}

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken(Rule::UnknownCurrency, why))
    }
}

impl utoipa::PartialSchema for CurrencyCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .min_length(Some(3))
            .max_length(Some(3))
            .description(Some("A currency code of ISO 4217."))
            .examples([serde_json::json!("CNY")])
            .into()
    }
}
impl ToSchema for CurrencyCode {}

/// Reads digits with at most one point between them, as our schemas write it: no sign, no exponent, no
/// bare point. `None` when it is anything else or has more digits than allowed.
pub(crate) fn plain_decimal(text: &str, before: usize, after: usize) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (digits(whole, before) && digits(fraction, after)).then(|| text.parse().ok()).flatten()
}

/// An exact amount of one currency, counted in the currency's minor unit.
///
/// In JSON `{"amount": "12000.00", "currency": "CNY"}`. An amount with more decimals than the currency
/// has is refused, never rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount in minor units (cents, fen).
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Reads a plain decimal such as `12000.00`; refuses more decimals than the currency has, exponents,
    /// and magnitudes above [`MAX_MINOR`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, (Rule, String)> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let amount = Some(digits)
            .filter(|_| text.len() <= 24)
            .and_then(|digits| plain_decimal(digits, 24, 24))
            .map(|amount| if negative { -amount } else { amount })
            .ok_or_else(|| {
                (Rule::InvalidAmount, "expected a decimal number such as `12000.00`".to_owned())
            })?;
        let exponent = exponent(currency);
        let scaled = amount
            .normalize()
            .checked_mul(Decimal::from(10_i64.pow(exponent)))
            .ok_or_else(|| (Rule::AmountOutOfRange, "the amount is too large".to_owned()))?;
        if !scaled.fract().is_zero() {
            let why = format!("{} has {exponent} decimals", currency.code());
            return Err((Rule::TooManyDecimals, why));
        }
        i64::try_from(scaled)
            .ok()
            .filter(|minor| minor.abs() <= MAX_MINOR)
            .map(|minor| Self { minor, currency })
            .ok_or_else(|| (Rule::AmountOutOfRange, "the amount is too large".to_owned()))
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount as a decimal with exactly the currency's decimals.
    pub fn amount(self) -> Decimal {
        Decimal::new(self.minor, exponent(self.currency))
    }

    /// Whether the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether nothing is left.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Adds an amount of the same currency.
    pub fn plus(self, other: Self) -> Result<Self, Refusal> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or_else(too_large)?;
        Ok(Self { minor, ..self })
    }

    /// Takes an amount of the same currency away.
    pub fn minus(self, other: Self) -> Result<Self, Refusal> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or_else(too_large)?;
        Ok(Self { minor, ..self })
    }

    /// Whether this amount is above another of the same currency.
    pub fn exceeds(self, other: Self) -> Result<bool, Refusal> {
        self.same_currency(other)?;
        Ok(self.minor > other.minor)
    }

    /// The smaller of two amounts of one currency.
    pub fn at_most(self, limit: Self) -> Result<Self, Refusal> {
        Ok(if self.exceeds(limit)? { limit } else { self })
    }

    /// Adds up amounts of one currency.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, Refusal> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// This amount times a quantity, rounded half-even once at the currency's decimals.
    pub fn times(self, factor: Decimal) -> Result<Self, Refusal> {
        let exact = self.amount().checked_mul(factor).ok_or_else(too_large)?;
        Self::round(exact, self.currency)
    }

    /// Splits a gross amount into net and tax: `tax = gross - gross / (1 + rate)`, rounded half-even once;
    /// net + tax is the gross amount always.
    pub fn split_tax(self, rate: Rate) -> Result<TaxSplit, Refusal> {
        let net = self.amount().checked_div(Decimal::ONE + rate.0).ok_or_else(too_large)?;
        let tax = Self::round(self.amount() - net, self.currency)?;
        Ok(TaxSplit { net: self.minus(tax)?, tax, gross: self })
    }

    fn same_currency(self, other: Self) -> Result<(), Refusal> {
        if self.currency == other.currency {
            return Ok(());
        }
        let why = format!("{} and {} do not add up", self.currency.code(), other.currency.code());
        Err(Refusal::new(Code::CurrencyMismatch, why))
    }

    /// Refuses an amount in another currency than the one that is wanted where `pointer` leads.
    pub fn stated_in(self, wanted: Currency, pointer: &str) -> Result<(), Refusal> {
        if self.currency == wanted {
            return Ok(());
        }
        let why = format!("{} is wanted here, not {}", wanted.code(), self.currency.code());
        let refusal = Refusal::invalid(&format!("{pointer}/currency"), Rule::CurrencyMismatch, why.clone());
        Err(Refusal { code: Code::CurrencyMismatch, detail: why, ..refusal }
            .with("wanted", wanted.code())
            .with("given", self.currency.code()))
    }

    fn round(exact: Decimal, currency: Currency) -> Result<Self, Refusal> {
        let exponent = exponent(currency);
        let rounded = exact.round_dp_with_strategy(exponent, RoundingStrategy::MidpointNearestEven);
        rounded
            .checked_mul(Decimal::from(10_i64.pow(exponent)))
            .and_then(|scaled| i64::try_from(scaled).ok())
            .filter(|minor| minor.abs() <= MAX_MINOR)
            .map(|minor| Self { minor, currency })
            .ok_or_else(too_large)
    }
}

fn exponent(currency: Currency) -> u32 {
    u32::from(currency.exponent().unwrap_or(0))
}

fn too_large() -> Refusal {
    Refusal::new(Code::AmountOutOfRange, "the amount is too large to be kept exactly")
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency.code())
    }
}

/// [`Money`] as JSON has it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money, description = "An exact amount of one currency. More decimals than the currency has are refused, never rounded. What is computed is rounded once, at the currency's decimals, half to even.")]
struct MoneyForm {
    /// A plain decimal number, as a string so that no client makes a float of it.
    #[schema(max_length = 24, pattern = r"^-?[0-9]+(\.[0-9]+)?$", example = "12000.00")]
    amount: String,
    /// The currency.
    currency: CurrencyCode,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyForm { amount: self.amount().to_string(), currency: CurrencyCode(self.currency) }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = MoneyForm::deserialize(deserializer)?;
        Self::parse(&form.amount, form.currency.0)
            .map_err(|(rule, why)| form::broken_member("amount", rule, why))
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        MoneyForm::schema()
    }
}
impl ToSchema for Money {
    fn name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        MoneyForm::schemas(schemas);
    }
}

/// A gross amount and its two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxSplit {
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// Net and tax together.
    pub gross: Money,
}

/// A rate as a decimal fraction from 0 to 1 with at most four decimals; 13 % is `"0.13"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(Decimal);

impl Rate {
    /// No tax, no discount.
    pub const ZERO: Self = Self(Decimal::ZERO);
    const DECIMALS: u32 = 4;

    /// A rate in ten-thousandths: 1 300 is 13 %.
    pub fn from_basis_points(points: i64) -> Option<Self> {
        (0..=10_000).contains(&points).then(|| Self(Decimal::new(points, Self::DECIMALS).normalize()))
    }

    /// The rate in ten-thousandths, as the database keeps it.
    pub fn basis_points(self) -> i64 {
        i64::try_from(self.0 * Decimal::from(10_000)).unwrap_or(0)
    }

    /// The fraction.
    pub fn fraction(self) -> Decimal {
        self.0
    }
}

impl std::str::FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        plain_decimal(text, 1, 4)
            .map(|rate| rate.normalize())
            .filter(|rate| *rate <= Decimal::ONE)
            .map(Self)
            .ok_or_else(|| {
                "expected a fraction from 0 to 1 with at most 4 decimals, such as `0.13`".to_owned()
            })
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken(Rule::InvalidRate, why))
    }
}

impl utoipa::PartialSchema for Rate {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$"))
            .max_length(Some(8))
            .description(Some("A rate as a decimal fraction from 0 to 1; 13 % is `0.13`."))
            .examples([serde_json::json!("0.13")])
            .into()
    }
}
impl ToSchema for Rate {}
