//! Merging two records that are one (合并).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use crate::error::{Code, Refusal, Rule};
use crate::valid::Valid;

/// The survivor's form, with what it lacks taken from the other one: members that are absent, and labels.
pub fn filled<T: Serialize + DeserializeOwned + Validate>(
    survivor: &T,
    other: &T,
) -> Result<Valid<T>, Refusal> {
    let internal = |error: serde_json::Error| Refusal::new(Code::Internal, error.to_string());
    let mut form = serde_json::to_value(survivor).map_err(internal)?;
    let other = serde_json::to_value(other).map_err(internal)?;
    if let (Value::Object(members), Value::Object(others)) = (&mut form, other) {
        for (name, theirs) in others {
            let Some(ours) = members.get_mut(&name) else { continue };
            match (ours, theirs) {
                (ours @ Value::Null, theirs) => *ours = theirs,
                (Value::Array(ours), Value::Array(theirs)) if name == "tags" => {
                    for tag in theirs {
                        if ours.len() < 20 && !ours.contains(&tag) {
                            ours.push(tag);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    Valid::check(serde_json::from_value(form).map_err(internal)?)
}

/// Refuses to merge a record with itself.
pub fn check_two<T: PartialEq>(survivor: &T, other: &T) -> Result<(), Refusal> {
    if survivor != other {
        return Ok(());
    }
    Err(Refusal::invalid("/loser_id", Rule::Distinct, "must be another record"))
}
