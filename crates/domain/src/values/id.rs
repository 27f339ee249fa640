//! One id type per resource, so that a contract's id can never be used where a customer's is wanted.

use uuid::Uuid;

use crate::error::Rule;

macro_rules! ids {
    ($( $(#[doc = $doc:literal])* $name:ident ),+ $(,)?) => { $(
        $(#[doc = $doc])*
        ///
        /// A UUID of version 7: made by the application, ordered by time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// An id that the specification's examples name, from 1: a demo has such a record of nearly every kind.
            pub fn example(place: u8) -> Self { Self(example(stringify!($name), place)) }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self { id.0 }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> { parse_id(text).map(Self) }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                parse_id(&text).map(Self).map_err(|why| super::form::broken(Rule::InvalidId, why))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                schema(&[$($doc.trim()),*].join(" "), Self::example(1).0)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
        }
    )+ };
}

/// A UUID of version 7 like any other, from the middle of 2024. That of each kind is another one.
fn example(kind: &str, place: u8) -> Uuid {
    let mix = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let kind = kind.bytes().fold(0x811c_9dc5, mix);
    Uuid::from_u128(0x0190_163d_8694_739b_aea5_0000_0000_0000 | (u128::from(kind) << 16) | u128::from(place))
}

ids! {
    /// Id of a user; `/people` tells who it is.
    UserId,
    /// Id of a team.
    TeamId,
    /// Id of a role.
    RoleId,
    /// Id of a login session.
    SessionId,
    /// Id of an amendment.
    AmendmentId,
    /// Id of a credit note.
    CreditNoteId,
    /// Id of a performance target.
    TargetId,
    /// Id of a change of a customer.
    CustomerChangeId,
    /// Id of a receipt.
    ReceiptId,
    /// Id of a refund.
    RefundId,
    /// Id of an approval flow.
    FlowId,
    /// Id of a version of an approval flow.
    FlowVersionId,
    /// Id of a delegation.
    DelegationId,
    /// Id of the organisation's settings.
    SettingsId,
    /// Id of a public pool (公海).
    PoolId,
    /// Id of a customer's collaborator (协作人).
    CollaboratorId,
    /// Id of a background job.
    JobId,
    /// Id of a line of a job's record.
    JobItemId,
    /// Id of a transfer (转移).
    TransferId,
    /// Id of a record of a transfer.
    TransferItemId,
    /// Id of a scoring rule (评分规则).
    ScoringRuleId,
    /// Id of an assignment rule (分配规则).
    AssignmentRuleId,
    /// Id of a notification (通知).
    NotificationId,
    /// Id of a saved view (视图).
    SavedViewId,
    /// Id of a web form (网页表单).
    LeadFormId,
    /// Id of a webhook.
    WebhookId,
    /// Id of a delivery of a webhook (推送记录).
    WebhookDeliveryId,
    /// Id of a line of an ownership history.
    OwnershipChangeId,
    /// Id of a lead (线索).
    LeadId,
    /// Id of a customer (客户).
    CustomerId,
    /// Id of a contact (联系人).
    ContactId,
    /// Id of an activity (跟进).
    ActivityId,
    /// Id of an attachment (附件).
    AttachmentId,
    /// Id of a product (产品).
    ProductId,
    /// Id of a price list (价目表).
    PriceListId,
    /// Id of a pipeline (销售流程).
    PipelineId,
    /// Id of a stage of a pipeline.
    StageId,
    /// Id of an opportunity (商机).
    OpportunityId,
    /// Id of a contract (合同).
    ContractId,
    /// Id of an installment (回款计划).
    InstallmentId,
    /// Id of an invoice (开票).
    InvoiceId,
    /// Id of a payment (回款).
    PaymentId,
    /// Id of a payment's allocation to an invoice or an installment.
    AllocationId,
    /// Id of an approval request (审批).
    ApprovalId,
    /// Id of an audit event.
    AuditEventId,
}

/// An id of any kind, as a form says it: `Uuid` by itself would take other forms.
struct AnyId(Uuid);

impl<'de> serde::Deserialize<'de> for AnyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        parse_id(&text).map(Self).map_err(|why| super::form::broken(Rule::InvalidId, why))
    }
}

/// Reads an id of any kind from a form.
pub(crate) fn any_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    <AnyId as serde::Deserialize>::deserialize(deserializer).map(|id| id.0)
}

/// Reads a list of such ids; what is wrong is told of each by its place.
pub(crate) fn any_ids<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
    let ids = <Vec<AnyId> as serde::Deserialize>::deserialize(deserializer)?;
    Ok(ids.into_iter().map(|id| id.0).collect())
}

/// How an id looks. It is written in lower case and read in either (RFC 9562, section 4): some languages write capitals.
pub const ID_PATTERN: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/// Reads an id of any kind, in the hyphenated form of 36 characters.
pub fn parse_id(text: &str) -> Result<Uuid, String> {
    match Uuid::try_parse(text) {
        // No other form has as many.
        Ok(id) if text.len() == 36 => Ok(id),
        _ => Err("expected a UUID such as `0190163d-8694-739b-aea5-966c26f8ad91`".to_owned()),
    }
}

fn schema(doc: &str, example: Uuid) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .pattern(Some(ID_PATTERN))
        .min_length(Some(36))
        .max_length(Some(36))
        .description(Some(doc))
        .examples([serde_json::json!(example)])
        .into()
}
