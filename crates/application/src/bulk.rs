//! Many operations in one call, all or as many as can be.

use fairlead_domain::error::{Code, FieldError, Figures, Refusal, Rule};
use fairlead_domain::text_enum;
use fairlead_persistence::{StoreError, Work};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Call, Expected, Failure};

/// How many operations one call may have.
pub(crate) const MAX: u64 = 200;

text_enum! {
    /// What happens when some operations are refused.
    pub enum BulkMode {
        /// Then none is done.
        Atomic = "atomic" ("All or nothing", "全部成功才执行"),
        /// The others are done.
        BestEffort = "best_effort" ("As far as possible", "逐条执行"),
    }
}

text_enum! {
    /// What became of one operation.
    pub enum BulkOutcome {
        /// It was done.
        Done = "done" ("Done", "已执行"),
        /// It was refused.
        Refused = "refused" ("Refused", "被拒绝"),
    }
}

/// What became of one operation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkItem {
    /// Its place in the call, from 0.
    #[schema(minimum = 0, maximum = 199)]
    pub index: usize,
    /// The record.
    pub id: Uuid,
    /// What became of it.
    pub outcome: BulkOutcome,
    /// The record's version afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The same in words, in English or Chinese by `Accept-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub detail: Option<String>,
    /// The broken rules of its members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub errors: Vec<FieldError>,
    /// The figures that a single call's problem would have, such as `limit`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Figures)]
    pub figures: Map<String, Value>,
}

/// What became of the operations of a call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkResult {
    /// How many were done.
    #[schema(minimum = 0, maximum = 200)]
    pub done: usize,
    /// How many were refused.
    #[schema(minimum = 0, maximum = 200)]
    pub refused: usize,
    /// Each, in the order of the call.
    #[schema(max_items = 200)]
    pub items: Vec<BulkItem>,
}

/// One operation of a call: its record, and the version that the caller believes to change.
pub(crate) trait Operation {
    fn id(&self) -> Uuid;
    fn version(&self) -> Option<i64>;
}

/// Runs operations one after the other, each as far as it goes and no further, and judges the whole by the mode.
pub(crate) async fn run<T: Operation>(
    work: &mut Work,
    call: &Call,
    mode: BulkMode,
    operations: &[T],
    step: impl AsyncFn(&mut Work, &Call, usize, &T) -> Result<i64, Failure>,
) -> Result<BulkResult, Failure> {
    let mut items = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let mut single = call.clone();
        single.if_match = operation.version().map(|version| Expected::OneOf(vec![version]));
        let mark = work.mark().await?;
        let outcome = step(work, &single, index, operation).await;
        let item = match refused(outcome)? {
            Ok(version) => {
                work.forget(mark).await?;
                BulkItem {
                    index,
                    id: operation.id(),
                    outcome: BulkOutcome::Done,
                    version: Some(version),
                    code: None,
                    detail: None,
                    errors: Vec::new(),
                    figures: Map::new(),
                }
            }
            Err(refusal) => {
                let refusal = refusal.within_item(index);
                work.back_to(mark).await?;
                BulkItem {
                    index,
                    id: operation.id(),
                    outcome: BulkOutcome::Refused,
                    version: None,
                    code: Some(refusal.code),
                    detail: Some(refusal.detail),
                    errors: refusal.errors.into_vec(),
                    figures: refusal.figures.into_iter().collect(),
                }
            }
        };
        items.push(item);
    }
    let refused = items.iter().filter(|item| item.outcome == BulkOutcome::Refused).count();
    if refused > 0 && mode == BulkMode::Atomic {
        items.retain(|item| item.outcome == BulkOutcome::Refused);
        let detail = format!("{refused} of {} operations were refused, so none was done", operations.len());
        return Err(Refusal::new(Code::BulkRefused, detail).with("items", items).into());
    }
    Ok(BulkResult { done: items.len() - refused, refused, items })
}

/// A refusal belongs to its operation, a technical failure to the whole.
pub(crate) fn refused<V>(outcome: Result<V, Failure>) -> Result<Result<V, Refusal>, StoreError> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(
            Failure::Refused(refusal)
            | Failure::Replayed(refusal)
            | Failure::Store(StoreError::Refused(refusal)),
        ) => Ok(Err(refusal)),
        Err(Failure::Store(error)) => Err(error),
    }
}

/// A member that an operation cannot do without.
pub(crate) fn needed<T: Clone>(member: Option<&T>, index: usize, name: &str) -> Result<T, Refusal> {
    let why = || Refusal::invalid(&format!("/items/{index}/{name}"), Rule::Required, "this action needs it");
    member.cloned().ok_or_else(why)
}

/// Refuses a member that was said, though the action of the call does not take it: whoever said it would believe that it
/// counts. Of each its name, whether it was said, and whether the action takes it.
pub(crate) fn only_wanted(index: usize, members: &[(&str, bool, bool)]) -> Result<(), Refusal> {
    match members.iter().find(|(_, said, taken)| *said && !taken) {
        Some((name, ..)) => {
            let why = "this action does not take it";
            Err(Refusal::invalid(&format!("/items/{index}/{name}"), Rule::NotWanted, why))
        }
        None => Ok(()),
    }
}

/// Refuses a call that names a record twice: the second operation would be judged by what the first left.
pub(crate) fn distinct<T: Operation>(operations: &[T]) -> Result<(), Refusal> {
    let mut seen = std::collections::HashSet::new();
    match operations.iter().position(|operation| !seen.insert(operation.id())) {
        Some(at) => {
            Err(Refusal::invalid(&format!("/items/{at}/id"), Rule::Distinct, "must name each record once"))
        }
        None => Ok(()),
    }
}
