//! What people choose from, with what each value is called.

use std::str::FromStr;

use fairlead_domain::access::{Permission, Scope, Share};
use fairlead_domain::activity::{ActivityKind, SubjectKind};
use fairlead_domain::amendment::AmendmentKind;
use fairlead_domain::approval::{
    ApprovalAction, ApprovalStatus, ApprovalSubject, Decision, Place, ProposalAction, StepMode, TrailKind,
};
use fairlead_domain::attachment::MediaType;
use fairlead_domain::audit::AuditAction;
use fairlead_domain::contact::DecisionRole;
use fairlead_domain::contract::{CollectionScheme, ContractAction, ContractStatus, InstallmentStatus};
use fairlead_domain::customer::{CustomerKind, Grade, Lifecycle, Ownership, OwnershipAction, OwnershipCause};
use fairlead_domain::error::{Code, Refusal, Rule};
use fairlead_domain::invoice::{InvoiceAction, InvoiceKind, InvoiceStatus};
use fairlead_domain::job::{JobAction, JobKind, JobOutcome, JobStatus};
use fairlead_domain::lead::{
    DisqualifyReason, FormField, LeadAction, LeadGrade, LeadStatus, LikeKind, MatchedOn, ScoreField,
    ScoreOperator, Source,
};
use fairlead_domain::notification::NotificationKind;
use fairlead_domain::opportunity::{
    ForecastCategory, LossReason, OpportunityAction, OpportunityGrade, OpportunityStatus,
};
use fairlead_domain::organisation::{Locale, UserStatus};
use fairlead_domain::payment::{PaymentAction, PaymentMethod, PaymentStatus, RefundAction, RefundStatus};
use fairlead_domain::pipeline::{RequiredField, StageKind};
use fairlead_domain::pool::{ContactField, Strategy};
use fairlead_domain::receipt::{MatchReason, ReceiptAction, ReceiptStatus};
use fairlead_domain::record::RecordKind;
use fairlead_domain::saved_view::ViewResource;
use fairlead_domain::search::Fit;
use fairlead_domain::target::TargetMeasure;
use fairlead_domain::transfer::TransferKind;
use fairlead_domain::values::{CURRENCIES, Currency, Label, TextEnum};
use fairlead_domain::webhook::{DeliveryStatus, DisabledReason, EventType, WebhookAction, WebhookStatus};
use fairlead_domain::workflow::{Action, TakenBy};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::app::App;
use crate::bulk::{BulkMode, BulkOutcome};
use crate::call::{Call, Read};
use crate::customers::CustomerBulkAction;
use crate::leads::LeadBulkAction;
use crate::payments::PaymentBulkAction;
use crate::receipts::{Delimiter, ImportOutcome, ReceiptBulkAction};
use crate::search::SearchKind;
use crate::visibility::FollowedKind;

/// Every closed list of the API, in the order of the sale. The words of the state machines are among them, for
/// they are states and buttons on a screen.
const DICTIONARIES: &[fn() -> Dictionary] = &[
    of::<LeadStatus>,
    of::<LeadAction>,
    of::<LeadBulkAction>,
    of::<LeadGrade>,
    of::<Source>,
    of::<DisqualifyReason>,
    of::<ScoreField>,
    of::<ScoreOperator>,
    of::<FormField>,
    of::<MatchedOn>,
    of::<LikeKind>,
    of::<CustomerKind>,
    of::<Grade>,
    of::<Lifecycle>,
    of::<Ownership>,
    of::<OwnershipAction>,
    of::<OwnershipCause>,
    of::<CustomerBulkAction>,
    of::<ContactField>,
    of::<Strategy>,
    of::<Share>,
    of::<DecisionRole>,
    of::<ActivityKind>,
    of::<SubjectKind>,
    of::<StageKind>,
    of::<RequiredField>,
    of::<OpportunityStatus>,
    of::<OpportunityAction>,
    of::<OpportunityGrade>,
    of::<ForecastCategory>,
    of::<LossReason>,
    of::<ContractStatus>,
    of::<ContractAction>,
    of::<CollectionScheme>,
    of::<InstallmentStatus>,
    of::<AmendmentKind>,
    of::<MediaType>,
    of::<InvoiceStatus>,
    of::<InvoiceAction>,
    of::<InvoiceKind>,
    of::<PaymentStatus>,
    of::<PaymentAction>,
    of::<PaymentBulkAction>,
    of::<PaymentMethod>,
    of::<RefundStatus>,
    of::<RefundAction>,
    of::<ReceiptStatus>,
    of::<ReceiptAction>,
    of::<ReceiptBulkAction>,
    of::<MatchReason>,
    of::<Delimiter>,
    of::<ImportOutcome>,
    of::<TargetMeasure>,
    of::<TransferKind>,
    of::<SearchKind>,
    of::<Fit>,
    of::<ApprovalSubject>,
    of::<ApprovalStatus>,
    of::<ApprovalAction>,
    of::<ProposalAction>,
    of::<Decision>,
    of::<TrailKind>,
    of::<StepMode>,
    of::<Place>,
    of::<NotificationKind>,
    of::<ViewResource>,
    of::<UserStatus>,
    of::<Locale>,
    of::<Permission>,
    of::<Scope>,
    of::<WebhookStatus>,
    of::<WebhookAction>,
    of::<DisabledReason>,
    of::<DeliveryStatus>,
    of::<EventType>,
    of::<AuditAction>,
    of::<JobKind>,
    of::<JobStatus>,
    of::<JobAction>,
    of::<JobOutcome>,
    of::<RecordKind>,
    of::<FollowedKind>,
    of::<Action>,
    of::<TakenBy>,
    of::<BulkMode>,
    of::<BulkOutcome>,
    currencies,
    of::<Code>,
    of::<Rule>,
];

/// A closed list of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    /// Its name: the name of the schema, in snake_case.
    pub name: String,
    /// The values, in the order in which they are shown.
    pub values: Vec<DictionaryValue>,
}

/// A value, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryValue {
    /// The value, as it is sent and answered.
    pub value: &'static str,
    /// What people call it.
    pub label: Label,
    /// What it means, in English.
    pub meaning: String,
}

/// The name of a dictionary, whether there is one or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryName(String);

impl FromStr for DictionaryName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fits = (1..=50).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        fits.then(|| Self(text.to_owned()))
            .ok_or_else(|| "expected the name of a dictionary such as `lead_status`".to_owned())
    }
}

impl utoipa::PartialSchema for DictionaryName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(50))
            .pattern(Some("^[a-z_]+$"))
            .description(Some("The name of a dictionary."))
            .examples([serde_json::json!("lead_status")])
            .into()
    }
}
impl ToSchema for DictionaryName {}

/// All dictionaries, to whoever has logged in.
pub async fn list(app: &App, call: &Call) -> Read<Vec<Dictionary>> {
    app.read(call, async |_, _| Ok(all().collect())).await
}

/// One dictionary.
pub async fn get(app: &App, call: &Call, name: DictionaryName) -> Read<Dictionary> {
    let DictionaryName(name) = name;
    app.read(call, async |_, _| Ok(all().find(|one| one.name == name).ok_or_else(Refusal::not_found)?)).await
}

/// Every dictionary.
pub fn all() -> impl Iterator<Item = Dictionary> {
    DICTIONARIES.iter().map(|dictionary| dictionary())
}

fn of<T: TextEnum>() -> Dictionary {
    let values = T::ALL.iter().map(|value| DictionaryValue {
        value: value.as_str(),
        label: value.label(),
        meaning: value.meaning().to_owned(),
    });
    Dictionary { name: snake_case(T::NAME), values: values.collect() }
}

/// The currencies that amounts may have. What their meaning says is what a field for amounts must know.
fn currencies() -> Dictionary {
    let values = CURRENCIES.iter().map(|(code, label)| {
        let decimals = Currency::from_code(code).and_then(Currency::exponent).unwrap_or_default();
        let meaning = format!("Amounts have {decimals} decimals.");
        DictionaryValue { value: code, label: *label, meaning }
    });
    Dictionary { name: "currency".to_owned(), values: values.collect() }
}

/// `LeadStatus` as `lead_status`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_those_of_the_schemas_in_snake_case() {
        assert_eq!(snake_case("LeadStatus"), "lead_status");
        assert_eq!(snake_case("CustomerBulkAction"), "customer_bulk_action");
        assert_eq!(snake_case("Code"), "code");
        let names: BTreeSet<String> = all().map(|one| one.name).collect();
        assert_eq!(names.len(), DICTIONARIES.len(), "each once");
        for name in &names {
            assert_eq!(name.parse::<DictionaryName>(), Ok(DictionaryName(name.clone())));
        }
        for unfit in ["", "LeadStatus", "lead-status", "lead status", &"x".repeat(51)] {
            assert!(unfit.parse::<DictionaryName>().is_err(), "{unfit}");
        }
    }

    #[test]
    fn labels_tell_the_values_of_a_list_apart() {
        let fits =
            |text: &str, most: usize| text.trim() == text && (1..=most).contains(&text.chars().count());
        for Dictionary { name, values } in all() {
            assert!((1..=500).contains(&values.len()), "{name}");
            let english: BTreeSet<&str> = values.iter().map(|one| one.label.en).collect();
            let chinese: BTreeSet<&str> = values.iter().map(|one| one.label.zh_cn).collect();
            assert_eq!((english.len(), chinese.len()), (values.len(), values.len()), "{name}");
            for DictionaryValue { value, label, meaning } in &values {
                assert!(fits(value, 100) && fits(label.en, 100) && fits(label.zh_cn, 100), "{name}: {value}");
                assert!(fits(meaning, 500) && !meaning.contains("  "), "{name}: {value}: {meaning}");
                assert!(label.en.starts_with(char::is_uppercase), "{name}: {}", label.en);
            }
        }
    }

    #[test]
    fn currencies_say_how_many_decimals_they_have() {
        let Dictionary { values, .. } = currencies();
        let meaning =
            |code: &str| values.iter().find(|one| one.value == code).map(|one| one.meaning.as_str());
        assert_eq!(meaning("CNY"), Some("Amounts have 2 decimals."));
        assert_eq!(meaning("JPY"), Some("Amounts have 0 decimals."));
    }
}
