//! Figures that are words of closed lists, by what people call them.

use fairlead_domain::access::{Permission, Scope};
use fairlead_domain::approval::{ApprovalAction, ApprovalStatus, ApprovalSubject, ProposalAction};
use fairlead_domain::contract::{ContractAction, ContractStatus};
use fairlead_domain::customer::{Ownership, OwnershipAction};
use fairlead_domain::invoice::{InvoiceAction, InvoiceStatus};
use fairlead_domain::job::{JobAction, JobStatus};
use fairlead_domain::lead::{LeadAction, LeadStatus};
use fairlead_domain::opportunity::{OpportunityAction, OpportunityStatus};
use fairlead_domain::organisation::UserStatus;
use fairlead_domain::payment::{AllocationTarget, PaymentAction, PaymentStatus, RefundAction, RefundStatus};
use fairlead_domain::pipeline::RequiredField;
use fairlead_domain::receipt::{ReceiptAction, ReceiptStatus};
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::TextEnum;
use fairlead_domain::webhook::{WebhookAction, WebhookStatus};
use fairlead_domain::workflow::Action;
use serde_json::{Map, Value};

/// Looks a word up in one list.
type Lookup = fn(&str) -> Option<&'static str>;

/// What the word of a figure is called; `None` when it is no word of a closed list. States and actions depend on the
/// kind of record that the other figures name: an approved invoice is something else than an approved request.
pub(super) fn label(figure: &str, word: &str, figures: &Map<String, Value>) -> Option<&'static str> {
    let words = || {
        let kind = figures.get("record_kind").and_then(Value::as_str)?;
        machine(kind.parse().ok()?)
    };
    match figure {
        "record_kind" => of::<RecordKind>(word),
        "permission" | "permissions" => of::<Permission>(word),
        "needed_scope" => of::<Scope>(word),
        "subject_kind" => of::<ApprovalSubject>(word),
        "approval_status" => of::<ApprovalStatus>(word),
        "contract_status" => of::<ContractStatus>(word),
        "missing" => of::<RequiredField>(word),
        "target" => of::<AllocationTarget>(word),
        "locked" => Some(if word == "true" { "已锁定" } else { "未锁定" }),
        "from" => words().and_then(|(state, _)| state(word)),
        "action" | "allowed" => words().and_then(|(_, action)| action(word)).or_else(|| outside(word)),
        _ => None,
    }
}

fn of<T: TextEnum>(word: &str) -> Option<&'static str> {
    T::ALL.iter().find(|value| value.as_str() == word).map(|value| value.label().zh_cn)
}

/// The states and the actions of a kind of record.
fn machine(kind: RecordKind) -> Option<(Lookup, Lookup)> {
    let words: (Lookup, Lookup) = match kind {
        RecordKind::Lead => (of::<LeadStatus>, of::<LeadAction>),
        RecordKind::Customer => (of::<Ownership>, of::<OwnershipAction>),
        RecordKind::Opportunity => (of::<OpportunityStatus>, of::<OpportunityAction>),
        RecordKind::Contract => (of::<ContractStatus>, of::<ContractAction>),
        RecordKind::Approval => (of::<ApprovalStatus>, of::<ApprovalAction>),
        RecordKind::Amendment | RecordKind::CustomerChange | RecordKind::Transfer => {
            (of::<ApprovalStatus>, of::<ProposalAction>)
        }
        RecordKind::Invoice => (of::<InvoiceStatus>, of::<InvoiceAction>),
        RecordKind::Payment => (of::<PaymentStatus>, of::<PaymentAction>),
        RecordKind::Refund => (of::<RefundStatus>, of::<RefundAction>),
        RecordKind::Receipt => (of::<ReceiptStatus>, of::<ReceiptAction>),
        RecordKind::Webhook => (of::<WebhookStatus>, of::<WebhookAction>),
        RecordKind::Job => (of::<JobStatus>, of::<JobAction>),
        RecordKind::User => (of::<UserStatus>, outside),
        // The others have no states.
        _ => return None,
    };
    Some(words)
}

/// Actions that the machine of the record does not have.
fn outside(action: &str) -> Option<&'static str> {
    if action == "renew" { Some("续签") } else { of::<Action>(action) }
}
