//! Audit events: every change, field by field, each bound to the one before by a hash.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::record::RecordKind;
use crate::values::{AuditEventId, Timestamp, UserId};

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
    #[schema(max_length = 80, example = "contract.submitted")]
    pub action: String,
    /// To which kind of record.
    pub record_kind: RecordKind,
    /// To which record.
    pub record_id: Uuid,
    /// The request that did it.
    #[schema(required, max_length = 64)]
    pub request_id: Option<String>,
    /// Each changed member with its value `before` and `after`.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
    /// The hash of the event before, in hexadecimal.
    #[schema(max_length = 64)]
    pub previous_hash: String,
    /// SHA-256 over the previous hash and this event, in hexadecimal.
    #[schema(max_length = 64)]
    pub hash: String,
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
            serde_json::json!({"changed": true})
        } else {
            serde_json::json!({"before": old, "after": new})
        };
        out.insert(name.clone(), change);
    }
    out
}
