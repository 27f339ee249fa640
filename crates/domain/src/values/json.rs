//! What is free by nature, as the specification describes it: members of any record, figures of any rule.
//!
//! Clients are generated from these schemas. The generators follow no schema that contains itself, so that objects are
//! left open.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// How much a value that may be anything has at most: characters, items, or members. No record has more.
const MOST: usize = 10_000;

/// How many members a map of values has at most.
const MOST_NAMES: usize = 200;

/// An object whose members depend on what it is of.
#[derive(Debug, Clone, Copy)]
pub struct JsonObject;

impl PartialSchema for JsonObject {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("An object; its members depend on what it is of."))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
            .max_properties(Some(MOST))
            .into()
    }
}
impl ToSchema for JsonObject {}

/// Any value, which the named schema [`JsonObject`] is a part of.
pub fn any_value(description: &str) -> OneOfBuilder {
    let of = |kind: Type| ObjectBuilder::new().schema_type(kind);
    let text = || of(Type::String).max_length(Some(MOST));
    let item = OneOfBuilder::new().item(text()).item(of(Type::Number)).item(reference::<JsonObject>());
    OneOfBuilder::new()
        .item(text())
        .item(of(Type::Number))
        .item(of(Type::Boolean))
        .item(reference::<JsonObject>())
        .item(ArrayBuilder::new().items(item).max_items(Some(MOST)))
        .item(of(Type::Null))
        .description(Some(description))
}

/// An object of any names with such values.
pub fn map_of(values: impl Into<RefOr<Schema>>, description: &str) -> ObjectBuilder {
    let values: RefOr<Schema> = values.into();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::RefOr(values)))
        .max_properties(Some(MOST_NAMES))
}

/// The name of a type's schema, where it is a part of another one's.
pub fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

/// Names a type's schema and those of its parts, where it is a part of another one's.
pub fn name<T: ToSchema>(named: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(named);
    named.push((T::name().into_owned(), T::schema()));
}
