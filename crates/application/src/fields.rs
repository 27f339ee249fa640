//! Some members of an answer instead of all: `fields=id,name`, as a query or a saved view says.

use std::collections::BTreeMap;

use fairlead_domain::error::Refusal;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::listing::{Include, Listing};

/// The parameter.
pub const FIELDS: &str = "fields";

/// The members that a query asks for; none where it asks for all.
pub fn read(query: &[(String, String)], members: &[String]) -> Result<Option<Vec<String>>, Refusal> {
    let mut said = query.iter().filter(|(name, _)| name == FIELDS);
    let Some((_, text)) = said.next() else { return Ok(None) };
    if said.next().is_some() {
        return Err(Refusal::malformed(FIELDS, "give a parameter once"));
    }
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    // Said twice, a member is no more than said once; the document bounds how many may be said.
    if names.len() <= members.len() && names.iter().all(|name| members.contains(name)) {
        return Ok(Some(names));
    }
    let why = format!("expected some of {}", members.join(", "));
    Err(Refusal::unknown_word(FIELDS, &why, members))
}

/// What a query says besides.
pub fn rest(query: &[(String, String)]) -> Vec<(String, String)> {
    query.iter().filter(|(name, _)| name != FIELDS).cloned().collect()
}

/// Refuses related records that were not asked to be included: they would be absent without a word.
pub fn check(fields: Option<&[String]>, listing: &Listing, include: &Include) -> Result<(), Refusal> {
    let relations = listing.relations();
    let is_missing = |name: &str| relations.contains(&name) && !include.contains(&name);
    let Some(name) = fields.unwrap_or_default().iter().find(|name| is_missing(name)) else { return Ok(()) };
    let why = format!("`{name}` is there only where `include` names it");
    Err(Refusal::malformed(FIELDS, why))
}

/// The members of what is shown as this type, with those of the parts that are flattened into it.
pub fn members<V: ToSchema>() -> Vec<String> {
    let mut parts = Vec::new();
    V::schemas(&mut parts);
    let mut members = Vec::new();
    collect(&V::schema(), &parts.into_iter().collect(), &mut members);
    members
}

fn collect(schema: &RefOr<Schema>, parts: &BTreeMap<String, RefOr<Schema>>, members: &mut Vec<String>) {
    match schema {
        RefOr::Ref(part) => {
            let name = part.ref_location.rsplit('/').next().unwrap_or_default();
            if let Some(part) = parts.get(name) {
                collect(part, parts, members);
            }
        }
        RefOr::T(Schema::AllOf(all_of)) => {
            for part in &all_of.items {
                collect(part, parts, members);
            }
        }
        RefOr::T(Schema::Object(object)) => members.extend(object.properties.keys().cloned()),
        RefOr::T(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part.
    #[derive(serde::Serialize, ToSchema)]
    struct Part {
        /// The name.
        name: String,
    }

    /// A whole.
    #[derive(serde::Serialize, ToSchema)]
    struct Whole {
        /// Its id.
        id: i64,
        /// Flattened.
        #[serde(flatten)]
        part: Part,
        /// Beside it.
        other: Option<Part>,
    }

    #[test]
    fn flattened_members_are_members() {
        let whole = Whole { id: 1, part: Part { name: "a".into() }, other: None };
        let shown = serde_json::to_value(&whole).unwrap();
        let mut shown: Vec<&String> = shown.as_object().unwrap().keys().collect();
        let known = members::<Whole>();
        let mut known: Vec<&String> = known.iter().collect();
        shown.sort();
        known.sort();
        assert_eq!(known, shown);
    }
}
