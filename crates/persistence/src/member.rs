//! How the domain's values become columns and come back.
//!
//! Columns are read by position, in the order of their declaration: looking them up by name costs a third
//! of a read on SQLite.

use chrono::{DateTime, NaiveDate, Utc};
use fairlead_domain::values::{Currency, Money, Rate, Timestamp};
use sea_orm::{QueryResult, TryGetable, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::StoreError;

/// A row being read from left to right.
#[derive(Debug)]
pub struct Row<'a> {
    result: &'a QueryResult,
    at: usize,
}

impl<'a> Row<'a> {
    pub(crate) fn new(result: &'a QueryResult) -> Self {
        Self { result, at: 0 }
    }

    pub(crate) fn skip(&mut self, columns: usize) {
        self.at += columns;
    }

    /// The next column.
    pub fn column<T: TryGetable>(&mut self) -> Result<T, StoreError> {
        let at = self.at;
        self.at += 1;
        self.result.try_get_by_index(at).map_err(|error| StoreError::Corrupt(format!("column {at}: {error}")))
    }

    /// The next member.
    pub fn member<T: Member>(&mut self) -> Result<T, StoreError> {
        T::take(self)
    }
}

/// The only column of a row.
pub(crate) fn only<T: TryGetable>(row: &mut Row) -> Result<T, StoreError> {
    row.column()
}

/// Something that is kept in one or more columns.
pub trait Member: Sized {
    /// The names of its columns, for a member of this name.
    fn columns(name: &str, out: &mut Vec<String>);
    /// Its columns' values, in that order.
    fn put(&self, out: &mut Vec<Value>);
    /// Reads it from its columns, in that order.
    fn take(row: &mut Row) -> Result<Self, StoreError>;
}

/// The columns of a member that is reached like this; it saves naming the member's type.
pub(crate) fn columns_of<S, M: Member>(_reach: fn(&S) -> &M, name: &str, out: &mut Vec<String>) {
    M::columns(name, out);
}

/// Declares a struct whose members each have columns of their own.
macro_rules! members {
    ($type:ty { $($member:ident),+ $(,)? }) => {
        impl $crate::member::Member for $type {
            fn columns(_name: &str, out: &mut Vec<String>) {
                $($crate::member::columns_of(|it: &Self| &it.$member, stringify!($member), out);)+
            }
            fn put(&self, out: &mut Vec<sea_orm::Value>) {
                $($crate::member::Member::put(&self.$member, out);)+
            }
            fn take(row: &mut $crate::member::Row) -> Result<Self, $crate::error::StoreError> {
                Ok(Self { $($member: row.member()?),+ })
            }
        }
    };
}
pub(crate) use members;

/// A value that fits one column, and may be absent.
macro_rules! one_column {
    ($type:ty, $raw:ty, $to:expr, $from:expr) => {
        impl Member for $type {
            fn columns(name: &str, out: &mut Vec<String>) {
                out.push(name.to_owned());
            }
            fn put(&self, out: &mut Vec<Value>) {
                let to: fn(&$type) -> $raw = $to;
                out.push(to(self).into());
            }
            fn take(row: &mut Row) -> Result<Self, StoreError> {
                let from: fn($raw) -> Result<$type, StoreError> = $from;
                from(row.column()?)
            }
        }
        impl Member for Option<$type> {
            fn columns(name: &str, out: &mut Vec<String>) {
                out.push(name.to_owned());
            }
            fn put(&self, out: &mut Vec<Value>) {
                let to: fn(&$type) -> $raw = $to;
                out.push(self.as_ref().map(to).into());
            }
            fn take(row: &mut Row) -> Result<Self, StoreError> {
                let from: fn($raw) -> Result<$type, StoreError> = $from;
                row.column::<Option<$raw>>()?.map(from).transpose()
            }
        }
    };
}

one_column!(i64, i64, |value| *value, Ok);
one_column!(bool, bool, |value| *value, Ok);
one_column!(String, String, Clone::clone, Ok);
one_column!(Uuid, Uuid, |value| *value, Ok);
one_column!(NaiveDate, NaiveDate, |value| *value, Ok);
one_column!(Timestamp, DateTime<Utc>, |value| value.instant(), |raw| Ok(Timestamp::new(raw)));
one_column!(Rate, i64, |value| value.basis_points(), |raw| {
    Rate::from_basis_points(raw).ok_or_else(|| StoreError::Corrupt(format!("a rate of {raw}")))
});

macro_rules! ids {
    ($($type:ident),+ $(,)?) => { $(
        one_column!(fairlead_domain::values::$type, Uuid, |id| id.0, |raw| Ok(raw.into()));
    )+ };
}
ids!(
    UserId,
    TeamId,
    RoleId,
    SessionId,
    SettingsId,
    AmendmentId,
    RefundId,
    ReceiptId,
    CustomerChangeId,
    TargetId,
    CreditNoteId,
    FlowId,
    FlowVersionId,
    DelegationId,
    PoolId,
    CollaboratorId,
    JobId,
    JobItemId,
    OwnershipChangeId,
    LeadFormId,
    NotificationId,
    SavedViewId,
    WebhookId,
    WebhookDeliveryId,
    ScoringRuleId,
    AssignmentRuleId,
    TransferId,
    TransferItemId,
    LeadId,
    CustomerId,
    ContactId,
    ActivityId,
    ProductId,
    AttachmentId,
    PriceListId,
    PipelineId,
    StageId,
    OpportunityId,
    ContractId,
    InstallmentId,
    InvoiceId,
    PaymentId,
    AllocationId,
    ApprovalId,
    AuditEventId,
);

/// Texts that were validated before they were stored.
macro_rules! texts {
    ($($type:ident),+ $(,)?) => { $(
        one_column!(
            fairlead_domain::values::$type, String,
            |text| text.as_str().to_owned(), |raw| Ok(fairlead_domain::values::$type::new(raw))
        );
    )+ };
}
texts!(Line, Prose, Email, Phone, WebAddress);

fn word<T: std::str::FromStr>(raw: &str) -> Result<T, StoreError> {
    raw.parse().map_err(|_| StoreError::Corrupt(format!("an unknown word `{raw}`")))
}

/// Text enums.
macro_rules! words {
    ($($type:path),+ $(,)?) => { $(
        one_column!($type, String, |value| value.as_str().to_owned(), |raw| word(&raw));
    )+ };
}
words!(
    fairlead_domain::record::RecordKind,
    fairlead_domain::access::Share,
    fairlead_domain::transfer::TransferKind,
    fairlead_domain::notification::NotificationKind,
    fairlead_domain::saved_view::ViewResource,
    fairlead_domain::job::JobKind,
    fairlead_domain::job::JobStatus,
    fairlead_domain::job::JobOutcome,
    fairlead_domain::organisation::UserStatus,
    fairlead_domain::organisation::Locale,
    fairlead_domain::lead::Source,
    fairlead_domain::lead::LeadStatus,
    fairlead_domain::lead::LeadGrade,
    fairlead_domain::lead::ScoreField,
    fairlead_domain::lead::ScoreOperator,
    fairlead_domain::lead::DisqualifyReason,
    fairlead_domain::customer::CustomerKind,
    fairlead_domain::customer::Grade,
    fairlead_domain::customer::Lifecycle,
    fairlead_domain::customer::OwnershipCause,
    fairlead_domain::contact::DecisionRole,
    fairlead_domain::activity::ActivityKind,
    fairlead_domain::activity::SubjectKind,
    fairlead_domain::opportunity::OpportunityStatus,
    fairlead_domain::opportunity::OpportunityGrade,
    fairlead_domain::opportunity::ForecastCategory,
    fairlead_domain::opportunity::LossReason,
    fairlead_domain::amendment::AmendmentKind,
    fairlead_domain::attachment::MediaType,
    fairlead_domain::contract::ContractStatus,
    fairlead_domain::contract::CollectionScheme,
    fairlead_domain::invoice::InvoiceStatus,
    fairlead_domain::invoice::InvoiceKind,
    fairlead_domain::payment::PaymentStatus,
    fairlead_domain::payment::PaymentMethod,
    fairlead_domain::payment::RefundStatus,
    fairlead_domain::receipt::ReceiptStatus,
    fairlead_domain::target::TargetMeasure,
    fairlead_domain::approval::ApprovalStatus,
    fairlead_domain::approval::ApprovalSubject,
    fairlead_domain::webhook::WebhookStatus,
    fairlead_domain::webhook::DisabledReason,
    fairlead_domain::webhook::DeliveryStatus,
);

one_column!(fairlead_domain::values::Number, String, |number| number.0.clone(), |raw| Ok(
    fairlead_domain::values::Number(raw)
));
one_column!(fairlead_domain::lead::FormToken, String, |token| token.0.clone(), |raw| Ok(
    fairlead_domain::lead::FormToken(raw)
));
one_column!(fairlead_domain::access::RoleKey, String, |key| key.0.clone(), |raw| Ok(
    fairlead_domain::access::RoleKey(raw)
));

one_column!(fairlead_domain::values::CurrencyCode, String, |code| code.0.code().to_owned(), |raw| word(&raw));
one_column!(fairlead_domain::target::Month, String, |month| month.to_string(), |raw| word(&raw));
one_column!(fairlead_domain::approval::ApproverRule, String, |rule| rule.to_string(), |raw| word(&raw));

fn to_json<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or(serde_json::Value::Null)
}

fn from_json<T: DeserializeOwned>(raw: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(raw).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Values with a structure of their own, which nothing is filtered or added up by.
macro_rules! documents {
    ($($type:ty),+ $(,)?) => { $(
        one_column!($type, serde_json::Value, to_json, from_json);
    )+ };
}
documents!(
    fairlead_domain::amendment::ContractTerms,
    fairlead_domain::customer_change::Said,
    fairlead_domain::values::Tags,
    fairlead_domain::customer::TaxProfile,
    Vec<fairlead_domain::customer::TaxProfile>,
    Vec<fairlead_domain::customer::Grade>,
    fairlead_domain::settings::SettingsDetails,
    fairlead_domain::pool::PoolRules,
    fairlead_domain::job::JobParameters,
    serde_json::Value,
    serde_json::Map<String, serde_json::Value>,
    Vec<fairlead_domain::error::FieldError>,
    Vec<fairlead_domain::values::Line>,
    Vec<uuid::Uuid>,
    Vec<fairlead_domain::lead::ScoreLine>,
    Vec<fairlead_domain::lead::Source>,
    Vec<fairlead_domain::lead::LeadGrade>,
    Vec<fairlead_domain::lead::FormField>,
    Vec<fairlead_domain::values::WebAddress>,
    Vec<fairlead_domain::values::UserId>,
    Vec<fairlead_domain::values::CustomerId>,
    Vec<fairlead_domain::values::TeamId>,
    Vec<fairlead_domain::access::RoleKey>,
    Vec<fairlead_domain::access::Grant>,
    Vec<fairlead_domain::catalogue::Price>,
    Vec<fairlead_domain::pipeline::Stage>,
    Vec<fairlead_domain::catalogue::LineItem>,
    Vec<fairlead_domain::contract::InstallmentPlan>,
    Vec<fairlead_domain::approval::Step>,
    Vec<fairlead_domain::approval::TrailEntry>,
    Vec<fairlead_domain::approval::FlowStep>,
    Vec<fairlead_domain::approval::ApprovalSubject>,
    Vec<fairlead_domain::webhook::EventType>,
);

/// Minor units and currency: both databases add up whole numbers exactly the same.
pub(crate) fn money(minor: i64, code: &str) -> Result<Money, StoreError> {
    let currency = Currency::from_code(code)
        .ok_or_else(|| StoreError::Corrupt(format!("an unknown currency `{code}`")))?;
    Ok(Money::from_minor(minor, currency))
}

fn money_columns(name: &str, out: &mut Vec<String>) {
    out.push(format!("{name}_minor"));
    out.push(format!("{name}_currency"));
}

impl Member for Money {
    fn columns(name: &str, out: &mut Vec<String>) {
        money_columns(name, out);
    }
    fn put(&self, out: &mut Vec<Value>) {
        out.push(self.minor().into());
        out.push(self.currency().code().into());
    }
    fn take(row: &mut Row) -> Result<Self, StoreError> {
        money(row.column()?, &row.column::<String>()?)
    }
}

impl Member for Option<Money> {
    fn columns(name: &str, out: &mut Vec<String>) {
        money_columns(name, out);
    }
    fn put(&self, out: &mut Vec<Value>) {
        out.push(self.map(Money::minor).into());
        out.push(self.map(|money| money.currency().code().to_owned()).into());
    }
    fn take(row: &mut Row) -> Result<Self, StoreError> {
        match (row.column::<Option<i64>>()?, row.column::<Option<String>>()?) {
            (Some(minor), Some(code)) => money(minor, &code).map(Some),
            _ => Ok(None),
        }
    }
}
