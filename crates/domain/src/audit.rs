//! Audit events: every change, field by field, each bound to the one before by a hash.

mod action;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

pub use self::action::{AuditAction, KeptAction};
use crate::record::RecordKind;
use crate::values::json::{self, JsonObject};
use crate::values::{AuditEventId, Money, Timestamp, UserId};

/// Members that change with every write and tell nothing.
const SILENT: &[&str] = &["version", "updated_at"];
/// Members that never enter the audit trail.
const SECRET: &[&str] = &["password_hash", "refresh_token_hash"];

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Its id.
    pub id: AuditEventId,
    /// Its place in the trail, from 1 without gaps.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// When.
    pub occurred_at: Timestamp,
    /// Who; none when Fairlead itself.
    #[schema(required)]
    pub actor_id: Option<UserId>,
    /// What happened, such as `contract.submitted`.
    #[schema(value_type = AuditAction)]
    pub action: String,
    /// To which kind of record.
    pub record_kind: RecordKind,
    /// To which record.
    pub record_id: Uuid,
    /// The request that did it.
    #[schema(required, max_length = 64)]
    pub request_id: Option<String>,
    /// Each changed member with its value `before` and `after`.
    #[schema(value_type = Changes)]
    pub changes: Map<String, Value>,
    /// The hash of the event before, in hexadecimal.
    #[schema(max_length = 64)]
    pub previous_hash: String,
    /// SHA-256 over the previous hash and this event, in hexadecimal.
    #[schema(max_length = 64)]
    pub hash: String,
}

/// How a member of a record changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberChange {
    /// What it was.
    pub before: Value,
    /// What it is now.
    pub after: Value,
}

impl PartialSchema for MemberChange {
    fn schema() -> RefOr<Schema> {
        let absent = "null where there was no such member, as before a record is made.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("How a member of a record changed."))
            .property("before", json::any_value(&format!("What it was; {absent}")))
            .required("before")
            .property("after", json::any_value("What it is now; null where it is gone."))
            .required("after")
            .into()
    }
}
impl ToSchema for MemberChange {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<JsonObject>(named);
    }
}

/// That a secret changed, of which nothing else is told.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SecretChange {
    /// Always `true`.
    pub changed: bool,
}

/// What else an event tells: what an installment is that became overdue, how many records were handed over.
#[derive(Debug, Clone, Copy)]
pub struct ToldFacts;

impl PartialSchema for ToldFacts {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(200));
        let number = ObjectBuilder::new().schema_type(Type::Number);
        let fact = OneOfBuilder::new().item(text).item(number).item(json::reference::<Money>());
        let about =
            "What else an event tells, such as the number and the day of an installment that became overdue.";
        json::map_of(fact, about).into()
    }
}
impl ToSchema for ToldFacts {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<Money>(named);
    }
}

/// What an event changed, member by member, as the specification describes it.
#[derive(Debug, Clone, Copy)]
pub struct Changes;

impl PartialSchema for Changes {
    fn schema() -> RefOr<Schema> {
        let change = AnyOfBuilder::new()
            .item(json::reference::<MemberChange>())
            .item(json::reference::<SecretChange>())
            .item(json::reference::<ToldFacts>());
        json::map_of(change, "What changed, by the names of members.")
            .examples([serde_json::json!({"status": {"before": "draft", "after": "pending_approval"}})])
            .into()
    }
}
impl ToSchema for Changes {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<MemberChange>(named);
        json::name::<SecretChange>(named);
        json::name::<ToldFacts>(named);
    }
}

/// What differs between two states of something, member by member, as the specification describes it.
#[derive(Debug, Clone, Copy)]
pub struct MemberChanges;

impl PartialSchema for MemberChanges {
    fn schema() -> RefOr<Schema> {
        json::map_of(json::reference::<MemberChange>(), "What changes, by the names of members.")
            .examples([serde_json::json!({"grade": {"before": "B", "after": "A"}})])
            .into()
    }
}
impl ToSchema for MemberChanges {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<MemberChange>(named);
    }
}

/// A record as its events tell it, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Told(Map<String, Value>);

impl Told {
    /// Takes note of the next event. What it says besides `before` and `after` of members is about something else.
    pub fn hear(&mut self, changes: &Map<String, Value>) {
        for (member, change) in changes {
            let Some(after) =
                change.as_object().filter(|it| it.contains_key("before")).and_then(|it| it.get("after"))
            else {
                continue;
            };
            self.0.insert(member.clone(), after.clone());
        }
    }

    /// What of a record, as it is kept, is not what its events say.
    pub fn differences(&self, present: Option<&Value>) -> Vec<String> {
        let Some(present) = present.and_then(Value::as_object) else {
            let there = self.0.get("id").is_some_and(|id| !id.is_null());
            return there.then(|| "it is gone, and no event says so".to_owned()).into_iter().collect();
        };
        let open = |name: &&String| !SILENT.contains(&name.as_str()) && !SECRET.contains(&name.as_str());
        let differs = |name: &&String| {
            let (told, kept) = (self.0.get(*name).unwrap_or(&Value::Null), present.get(*name));
            told != kept.unwrap_or(&Value::Null)
        };
        let missing = self.0.keys().filter(|name| !present.contains_key(*name));
        let members = present.keys().chain(missing).filter(open).filter(differs);
        members.map(|member| format!("{member} is not what its events say")).collect()
    }
}

/// The members that differ between two states of a record; `None` is "not there".
pub fn changes(before: Option<&Value>, after: Option<&Value>) -> Map<String, Value> {
    let empty = Map::new();
    let members = |side: Option<&'_ Value>| side.and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (members(before), members(after));
    let mut out = empty;
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (old, new) = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        if old == new || SILENT.contains(&name.as_str()) {
            continue;
        }
        let change = if SECRET.contains(&name.as_str()) {
            serde_json::json!(SecretChange { changed: true })
        } else {
            serde_json::json!(MemberChange { before: old.clone(), after: new.clone() })
        };
        out.insert(name.clone(), change);
    }
    out
}
