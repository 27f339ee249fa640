//! Some members of an answer instead of all: `fields=id,name`, for whoever pays for every byte.
//!
//! The schema of an answer stays that of the whole: generated clients would otherwise have to doubt every member.
//! Whoever asks for some knows that the others are absent.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use fairlead_application::fields::{self, FIELDS};
use fairlead_application::listing::Listing;
use fairlead_domain::error::Refusal;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{ArrayItems, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::Operation;
use super::answer::unwritable;
use super::listing::comma_list;
use super::schemas::Schemas;
use super::shape::{self, Content, Shape};
use super::tidy::{resolve, tidy};
use crate::problem::Failed;

type Named = BTreeMap<String, RefOr<Schema>>;

/// The members of which the query of an operation may choose some.
pub(crate) struct Members {
    operation: &'static str,
    all: Arc<AllMembers>,
}

/// The same of all operations, by id: read out of their schemas when somebody first chooses.
type AllMembers = LazyLock<ById, Box<dyn FnOnce() -> ById + Send>>;

type ById = BTreeMap<&'static str, Vec<String>>;

impl Members {
    fn names(&self) -> &[String] {
        self.all.get(self.operation).map_or(&[], Vec::as_slice)
    }
}

/// Lets operations know the members of their answers, which have these schemas.
pub(super) fn tell(operations: &mut [Operation], schemas: Schemas) {
    let choice = |one: &Operation| Some((one.about.id, Choice::of(&one.shape)?));
    let choices: Vec<_> = operations.iter().filter_map(choice).collect();
    let read = Box::new(move || {
        let (mut named, _) = schemas.into_parts();
        tidy(&mut named);
        choices.into_iter().filter_map(|(id, choice)| Some((id, choice.members(&named)?))).collect()
    });
    let all: Arc<AllMembers> = Arc::new(LazyLock::new(read));
    for operation in operations {
        if let Some(shape) = Arc::get_mut(&mut operation.shape).filter(|shape| shape.is_selectable()) {
            shape.members = Some(Members { operation: operation.about.id, all: Arc::clone(&all) });
        }
    }
}

/// The members that a query chooses; none where it wants all.
pub(super) fn chosen(query: &[(String, String)], shape: &Shape) -> Result<Option<Vec<String>>, Refusal> {
    // Whoever wants all does not wait for the schemas.
    let chooses = query.iter().any(|(name, _)| name == FIELDS);
    let members = shape.members.as_ref().filter(|_| chooses);
    members.map_or(Ok(None), |members| fields::read(query, members.names()))
}

/// Of what some members may be chosen.
struct Choice {
    answer: shape::Named,
    /// Whether it is of each of its rows.
    of_rows: bool,
}

impl Choice {
    fn of(shape: &Shape) -> Option<Self> {
        match &shape.answer.content {
            Content::Json(answer) if shape.is_selectable() => {
                Some(Self { answer: (**answer).clone(), of_rows: shape.gives_rows() })
            }
            _ => None,
        }
    }

    /// The members of a row, or of the record.
    fn members(&self, named: &Named) -> Option<Vec<String>> {
        let RefOr::T(Schema::Object(answer)) = resolve(&self.answer, named)? else { return None };
        let row = match answer.properties.get("data") {
            Some(RefOr::T(Schema::Array(rows))) if self.of_rows => match &rows.items {
                ArrayItems::RefOrSchema(row) => resolve(row, named)?,
                ArrayItems::False => return None,
            },
            _ => return Some(answer.properties.keys().cloned().collect()),
        };
        let RefOr::T(Schema::Object(row)) = row else { return None };
        Some(row.properties.keys().cloned().collect())
    }
}

/// The parameter, where an operation has it.
pub(crate) fn parameter(shape: &Shape, named: &Named) -> Option<Parameter> {
    let words = Choice::of(shape)?.members(named)?;
    let most = words.len();
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    let what = if shape.gives_rows() { "each row" } else { "the record" };
    let includes = shape.including().is_some_and(|listing| !listing.includes.is_empty());
    let comes_along = if includes {
        " What `include` names is there besides; a related record that it does not name is refused here."
    } else {
        ""
    };
    let about = format!(
        "Only these members of {what}, separated by commas. The schema of the answer is that of the whole: with this \
         parameter the members that are not named are absent, those that the schema requires among them.{comes_along}"
    );
    Some(comma_list(FIELDS, about, word, most))
}

/// A record with some of its members.
pub(crate) fn of<V: Serialize>(view: &V, fields: &[String], shape: &Shape) -> Result<Value, Failed> {
    let mut value = serde_json::to_value(view).map_err(|error| unwritable(&error))?;
    keep(&mut value, fields, &relations(shape));
    Ok(value)
}

/// A page whose rows have some of their members.
pub(crate) fn of_rows<V: Serialize>(page: &V, fields: &[String], shape: &Shape) -> Result<Value, Failed> {
    let relations = relations(shape);
    let mut value = serde_json::to_value(page).map_err(|error| unwritable(&error))?;
    if let Some(rows) = value.get_mut("data").and_then(Value::as_array_mut) {
        for row in rows {
            keep(row, fields, &relations);
        }
    }
    Ok(value)
}

/// Related records are there only where they were asked for, so that they stay.
fn relations(shape: &Shape) -> Vec<&'static str> {
    shape.including().map(Listing::relations).unwrap_or_default()
}

fn keep(value: &mut Value, fields: &[String], relations: &[&str]) {
    if let Value::Object(members) = value {
        members.retain(|name, _| fields.contains(name) || relations.contains(&name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FIELDS, Members};
    use crate::resource;

    #[test]
    fn what_may_be_chosen_is_what_the_document_names() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        for operation in resource::api().into_operations() {
            let (path, id) = (operation.shape.path.as_str(), operation.about.id);
            let told = &document["paths"][path][operation.shape.method.as_str().to_lowercase()]["parameters"];
            let mut told = told.as_array().into_iter().flatten();
            let told = told.find(|one| one["name"] == FIELDS).map(|one| &one["schema"]["items"]["enum"]);
            let taken = operation.shape.members.as_ref().map(|members| json!(Members::names(members)));
            assert_eq!(taken.as_ref(), told, "{id}");
            assert!(taken != Some(json!([])) && told != Some(&Value::Null), "{id}");
            assert_eq!(operation.shape.queried.contains(&FIELDS.to_owned()), told.is_some(), "{id}");
        }
    }
}
