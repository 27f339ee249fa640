//! What depends on a record. While something does, the record is not deleted: the domain says so with the figures,
//! and the database's foreign keys say it last.

use serde::Serialize;

use crate::error::{Code, Refusal};
use crate::record::RecordKind;
use crate::values::TextEnum;

/// How many records of one kind depend on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Dependent {
    record_kind: RecordKind,
    count: i64,
}

/// How many records depend on one, by their kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents(Vec<Dependent>);

impl FromIterator<(RecordKind, i64)> for Dependents {
    fn from_iter<I: IntoIterator<Item = (RecordKind, i64)>>(counts: I) -> Self {
        let there = counts.into_iter().filter(|(_, count)| *count > 0);
        Self(there.map(|(record_kind, count)| Dependent { record_kind, count }).collect())
    }
}

impl Dependents {
    /// Refuses to delete what others depend on.
    pub fn check_none(&self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let named = |it: &Dependent| format!("{} ({})", it.record_kind.label().en, it.count);
        let named: Vec<String> = self.0.iter().map(named).collect();
        let detail = format!("other records depend on this one: {}", named.join(", "));
        Err(self.refuse(detail))
    }

    /// Refuses to delete a record on which they depend, for a reason that says more than how many they are.
    pub(crate) fn refuse(&self, why: impl Into<String>) -> Refusal {
        Refusal::new(Code::InUse, why).with("dependents", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_depends_is_named_with_its_figures() {
        let counts = [(RecordKind::Contact, 2), (RecordKind::Lead, 0), (RecordKind::Opportunity, 1)];
        let refusal = counts.into_iter().collect::<Dependents>().check_none().unwrap_err();
        assert_eq!(refusal.code, Code::InUse);
        assert_eq!(refusal.detail, "other records depend on this one: Contact (2), Opportunity (1)");
        let named = json!([
            {"record_kind": "contact", "count": 2},
            {"record_kind": "opportunity", "count": 1},
        ]);
        assert_eq!(refusal.figures["dependents"], named);
    }

    #[test]
    fn nothing_depends_where_every_figure_is_zero() {
        let none: Dependents = [(RecordKind::Contact, 0)].into_iter().collect();
        assert_eq!((none.check_none(), none), (Ok(()), Dependents::default()));
    }
}
