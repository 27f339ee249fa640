//! Schemas as generators and linters of clients want them. What types derive is right, but says some things
//! in a way that they read badly.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::Number;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

use super::example::single_type;
use fairlead_application::listing::MAX_INTEGER;
use fairlead_domain::values::ID_PATTERN;

type Named = BTreeMap<String, RefOr<Schema>>;

/// The longest text of a member that says no limit of its own.
const LONGEST: usize = 4000;
const NO_NUL: &str = r"^[^\u0000]*$";
const PREFIX: &str = "#/components/schemas/";

/// Tidies all schemas.
pub(crate) fn tidy(named: &mut Named) {
    named.values_mut().for_each(one);
    let flat: Vec<(String, Object)> =
        named.iter().filter_map(|(name, schema)| Some((name.clone(), flatten(schema, named)?))).collect();
    for (name, object) in flat {
        named.insert(name, object.into());
    }
}

/// Tidies one schema.
pub(crate) fn one(schema: &mut RefOr<Schema>) {
    walk(schema, &mut |schema| {
        let RefOr::T(schema) = schema else { return };
        merge_inlined(schema);
        hoist_description(schema);
        modern_examples(schema);
        bound(schema);
    });
    walk(schema, &mut |schema| {
        if let Some(description) = description(schema) {
            *description = flowing(description);
        }
    });
}

/// Takes out what nothing refers to: parts that were flattened into others, and forms of which only the
/// patch is used.
pub(crate) fn prune(named: &mut Named, roots: &impl serde::Serialize) {
    let mut reached = BTreeSet::new();
    let mut open = references(roots);
    while let Some(name) = open.pop() {
        if let Some(schema) = named.get(&name).filter(|_| !reached.contains(&name)) {
            open.extend(references(schema));
            reached.insert(name);
        }
    }
    named.retain(|name, _| reached.contains(name));
}

/// The members of an object whose values are of a named type, or null.
pub(crate) fn members_of(object: &RefOr<Schema>, name: &str, named: &Named) -> BTreeSet<String> {
    let Some(RefOr::T(Schema::Object(object))) = resolve(object, named) else { return BTreeSet::new() };
    let is_one = |schema: &RefOr<Schema>| references(schema) == [name];
    object.properties.iter().filter(|(_, schema)| is_one(schema)).map(|(member, _)| member.clone()).collect()
}

fn references(part: &impl serde::Serialize) -> Vec<String> {
    fn collect(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    out.extend(target.strip_prefix(PREFIX).map(str::to_owned));
                }
                members.values().for_each(|member| collect(member, out));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    collect(&serde_json::to_value(part).unwrap_or_default(), &mut out);
    out
}

/// A type with flattened members is derived as "all of" its parts. A form refuses unknown members, so that
/// no value could fit the form and the rest at once; one object with all members says what is meant.
///
/// Whoever fills a form in may leave members out; a record that has the form in it tells every one of them.
fn flatten(schema: &RefOr<Schema>, named: &Named) -> Option<Object> {
    let RefOr::T(Schema::AllOf(all_of)) = schema else { return None };
    let mut whole = Object::new();
    for part in &all_of.items {
        let part = resolve(part, named)?;
        let part = match part {
            RefOr::T(Schema::Object(object)) => object.clone(),
            nested => flatten(nested, named)?,
        };
        if is_form(&part) {
            whole.required.extend(part.properties.keys().cloned());
        } else {
            whole.required.extend(part.required);
        }
        whole.properties.extend(part.properties);
    }
    whole.description.clone_from(&all_of.description);
    Some(whole)
}

/// Whether unknown members are refused.
fn is_form(object: &Object) -> bool {
    matches!(object.additional_properties.as_deref(), Some(AdditionalProperties::FreeForm(false)))
}

pub(crate) fn resolve<'a>(schema: &'a RefOr<Schema>, named: &'a Named) -> Option<&'a RefOr<Schema>> {
    match schema {
        RefOr::Ref(reference) => named.get(reference.ref_location.strip_prefix(PREFIX)?),
        RefOr::T(_) => Some(schema),
    }
}

fn walk(schema: &mut RefOr<Schema>, visit: &mut impl FnMut(&mut RefOr<Schema>)) {
    visit(schema);
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(|member| walk(member, visit));
            if let Some(AdditionalProperties::RefOr(value)) = object.additional_properties.as_deref_mut() {
                walk(value, visit);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                walk(items, visit);
            }
        }
        Schema::OneOf(one_of) => one_of.items.iter_mut().for_each(|item| walk(item, visit)),
        Schema::AllOf(all_of) => all_of.items.iter_mut().for_each(|item| walk(item, visit)),
        Schema::AnyOf(any_of) => any_of.items.iter_mut().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// A member whose type is inlined and described anew is derived as "all of" the type and an empty object
/// with the description, which nothing but an object could fit.
fn merge_inlined(schema: &mut Schema) {
    let Schema::AllOf(all_of) = schema else { return };
    let [RefOr::T(Schema::Object(inlined)), RefOr::T(Schema::Object(words))] = &all_of.items[..] else {
        return;
    };
    if words.properties.is_empty() {
        let mut inlined = inlined.clone();
        inlined.description = words.description.clone().or(inlined.description);
        *schema = inlined.into();
    }
}

/// The description of a member that may be null belongs to the member, not to the branch that is not null.
fn hoist_description(schema: &mut Schema) {
    if let Schema::OneOf(one_of) = schema
        && one_of.description.is_none()
    {
        for item in &mut one_of.items {
            if let RefOr::Ref(reference) = item
                && !reference.description.is_empty()
            {
                one_of.description = Some(std::mem::take(&mut reference.description));
            }
        }
    }
}

fn description(schema: &mut RefOr<Schema>) -> Option<&mut String> {
    match schema {
        RefOr::Ref(reference) => Some(&mut reference.description),
        RefOr::T(Schema::Object(object)) => object.description.as_mut(),
        RefOr::T(Schema::Array(array)) => array.description.as_mut(),
        RefOr::T(Schema::OneOf(one_of)) => one_of.description.as_mut(),
        RefOr::T(Schema::AllOf(all_of)) => all_of.description.as_mut(),
        RefOr::T(Schema::AnyOf(any_of)) => any_of.description.as_mut(),
        RefOr::T(_) => None,
    }
}

/// A text without the line ends that its comment has because the source is so wide: some readers of Markdown show them.
fn flowing(text: &str) -> String {
    let stands_alone = |line: &str| line.is_empty() || line.starts_with(['-', '*', '|', '#']);
    let mut flowing = String::with_capacity(text.len());
    let mut before = "";
    for line in text.lines().map(str::trim) {
        if !flowing.is_empty() {
            flowing.push(if before.is_empty() || stands_alone(line) { '\n' } else { ' ' });
        }
        flowing.push_str(line);
        before = line;
    }
    flowing
}

/// JSON Schema, and so OpenAPI 3.1, knows `examples` only.
fn modern_examples(schema: &mut Schema) {
    match schema {
        Schema::Object(object) => object.examples.extend(object.example.take()),
        Schema::Array(array) => array.examples.extend(array.example.take()),
        _ => {}
    }
}

/// Says what holds for every value of a type and so was left unsaid: no text holds a NUL or is longer than
/// the longest that is kept, an id has one form, a date has ten characters, and no number is larger than every client can hold.
fn bound(schema: &mut Schema) {
    let Schema::Object(object) = schema else { return };
    match single_type(&object.schema_type) {
        Some(Type::String) if object.enum_values.is_none() => {
            let known = object.format.as_ref().and_then(|format| match format {
                SchemaFormat::KnownFormat(KnownFormat::Date) => Some(10),
                SchemaFormat::KnownFormat(KnownFormat::DateTime) => Some(40),
                SchemaFormat::KnownFormat(KnownFormat::Uuid) => Some(36),
                _ => None,
            });
            object.max_length = object.max_length.or(known).or(Some(LONGEST));
            if object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)) {
                object.min_length.get_or_insert(36);
                object.pattern.get_or_insert_with(|| ID_PATTERN.to_owned());
            }
            if object.format.is_none() && object.pattern.is_none() {
                object.pattern = Some(NO_NUL.to_owned());
            }
        }
        Some(Type::Integer) => {
            let narrow = object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int32));
            let most = if narrow { i64::from(i32::MAX) } else { MAX_INTEGER };
            object.minimum.get_or_insert(Number::from(-most));
            object.maximum.get_or_insert(Number::from(most));
            object.format.get_or_insert(SchemaFormat::KnownFormat(KnownFormat::Int64));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::ToSchema;

    use super::*;
    use crate::api::schemas::Schemas;

    /// Details.
    #[derive(serde::Serialize, serde::Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Details {
        /// The name.
        #[schema(example = "x")]
        name: String,
        /// A link.
        other: Option<Other>,
        /// A secret.
        #[schema(inline)]
        secret: Secret,
    }

    /// Any secret.
    #[derive(serde::Serialize, serde::Deserialize, ToSchema)]
    struct Secret(String);

    /// Another.
    #[derive(serde::Serialize, serde::Deserialize, ToSchema)]
    struct Other {
        /// Its id.
        id: i64,
    }

    /// A record.
    #[derive(serde::Serialize, ToSchema)]
    struct Record {
        /// Its id.
        id: i64,
        /// What was said.
        #[serde(flatten)]
        details: Details,
    }

    /// A view.
    #[derive(serde::Serialize, ToSchema)]
    struct View {
        /// The record.
        #[serde(flatten)]
        record: Record,
        /// More.
        more: bool,
    }

    #[test]
    fn lines_end_where_paragraphs_and_items_do() {
        let text = "One\nand two.\n\nThree:\n- four\n  five\n- six";
        assert_eq!(flowing(text), "One and two.\n\nThree:\n- four five\n- six");
        assert_eq!(flowing(""), "");
    }

    #[test]
    fn flattened_types_become_one_object() {
        let mut schemas = Schemas::default();
        let root = schemas.of::<View>();
        let (mut named, _) = schemas.into_parts();
        tidy(&mut named);
        prune(&mut named, &root);
        assert_eq!(named.keys().collect::<Vec<_>>(), ["Other", "View"]);
        let view = serde_json::to_value(&named["View"]).unwrap();
        let mut required: Vec<_> = view["required"].as_array().unwrap().iter().collect();
        required.sort_by_key(|name| name.as_str());
        assert_eq!(required, ["id", "more", "name", "other", "secret"]);
        assert_eq!(view["description"], "A view.");
        assert_eq!(view.get("additionalProperties"), None);
        assert_eq!(view["properties"]["name"]["examples"], json!(["x"]));
        assert_eq!(view["properties"]["other"]["description"], "A link.");
        let secret = &view["properties"]["secret"];
        assert_eq!((&secret["type"], &secret["description"]), (&json!("string"), &json!("A secret.")));
    }
}
