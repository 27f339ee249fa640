//! Some members of an answer instead of all: `fields=id,name`, for whoever pays for every byte.
//!
//! The schema of an answer stays that of the whole: generated clients would otherwise have to doubt every member.
//! Whoever asks for some knows that the others are absent.

use std::collections::BTreeMap;

use fairlead_application::fields::FIELDS;
use fairlead_application::listing::Listing;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::answer::unwritable;
use super::listing::comma_list;
use super::shape::{Content, Shape};
use super::tidy::{resolve, tidy};
use super::{Api, shape};
use crate::problem::Failed;

type Named = BTreeMap<String, RefOr<Schema>>;

/// The members of which each operation's query may choose some, by the operation's id.
pub(crate) fn members(api: &Api) -> BTreeMap<&'static str, Vec<String>> {
    let (mut named, _) = api.schemas.clone().into_parts();
    tidy(&mut named);
    let of = |operation: &super::Operation| Some((operation.about.id, choices(&operation.shape, &named)?));
    api.operations.iter().filter_map(of).collect()
}

/// The members of a row, or of the record.
fn choices(shape: &Shape, named: &Named) -> Option<Vec<String>> {
    let Content::Json(answer) = &shape.answer.content else { return None };
    let Some(RefOr::T(Schema::Object(object))) = resolve(answer, named).filter(|_| shape.is_selectable())
    else {
        return None;
    };
    let rows = match object.properties.get("data") {
        Some(RefOr::T(Schema::Array(rows))) if shape.gives_rows() => match &rows.items {
            utoipa::openapi::schema::ArrayItems::RefOrSchema(row) => resolve(row, named)?,
            utoipa::openapi::schema::ArrayItems::False => return None,
        },
        _ => answer,
    };
    let Some(RefOr::T(Schema::Object(row))) = resolve(rows, named) else { return None };
    Some(row.properties.keys().cloned().collect())
}

/// The parameter, where an operation has it.
pub(crate) fn parameter(shape: &shape::Shape, named: &Named) -> Option<Parameter> {
    let words = choices(shape, named)?;
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
