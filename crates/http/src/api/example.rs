//! Examples of whole bodies. What is to be sent is put together from the examples of its members; what is answered is
//! what a demo answered.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{Array, ArrayItems, Object, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

use super::schemas::RELATED;

type Named = BTreeMap<String, RefOr<Schema>>;

/// How deep bodies are followed; schemas that contain themselves end here.
const MAX_DEPTH: usize = 16;

/// What a demo answered, by the name of a schema. Lists are cut short, with sums of what is left.
static RECORDS: LazyLock<Map<String, Value>> = LazyLock::new(|| table(include_str!("example/records.json")));

/// What else an operation answers than a read of such a record, by the id of the operation.
static OUTCOMES: LazyLock<Map<String, Value>> =
    LazyLock::new(|| table(include_str!("example/outcomes.json")));

// A test sees that there is something in it.
fn table(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// For whom an example is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be sent. Links to other records are left out where they may be: no reader has just these.
    Request,
    /// To be received: as it was, or with everything that may be there.
    Response,
}

/// An example of a schema.
pub(crate) fn example(schema: &RefOr<Schema>, named: &Named, purpose: Purpose) -> Value {
    Examples { named, purpose }.of(schema, 0)
}

/// An example of what an operation answers.
pub(crate) fn answered(operation: &str, schema: &RefOr<Schema>, named: &Named) -> Value {
    let mut answer = example(schema, named, Purpose::Response);
    if let (Some(members), Some(Value::Object(outcome))) = (answer.as_object_mut(), OUTCOMES.get(operation)) {
        members.extend(outcome.clone());
    }
    answer
}

struct Examples<'a> {
    named: &'a Named,
    purpose: Purpose,
}

impl Examples<'_> {
    fn of(&self, schema: &RefOr<Schema>, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        match schema {
            RefOr::Ref(reference) => {
                let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
                let told = self.told(name);
                match self.named.get(name) {
                    Some(RefOr::T(Schema::Object(object))) if !told.is_empty() => {
                        self.as_told(object, &told, depth + 1)
                    }
                    Some(schema) => self.of(schema, depth + 1),
                    None => Value::Null,
                }
            }
            RefOr::T(Schema::Object(object)) => self.object(object, depth),
            RefOr::T(Schema::Array(array)) => self.array(array, depth),
            RefOr::T(Schema::OneOf(one_of)) => self.first(&one_of.items, depth),
            RefOr::T(Schema::AnyOf(any_of)) => self.first(&any_of.items, depth),
            RefOr::T(_) => Value::Null,
        }
    }

    /// What a demo answered of a schema. A record that may come with relations is shown as it comes when none is asked
    /// for; the rows of its list show them.
    fn told(&self, name: &str) -> Vec<&'static Map<String, Value>> {
        if self.purpose == Purpose::Request {
            return Vec::new();
        }
        let parts = |of: &str| [format!("{of}View"), of.to_owned()];
        let parts = name.strip_suffix(RELATED).map(parts).into_iter().flatten();
        let names = std::iter::once(name.to_owned()).chain(parts);
        names.filter_map(|name| RECORDS.get(&name)?.as_object()).collect()
    }

    /// What was answered. Members that must be there and were not yet are made up.
    fn as_told(&self, object: &Object, told: &[&Map<String, Value>], depth: usize) -> Value {
        let member = |(name, schema): (&String, &RefOr<Schema>)| {
            let made_up = || object.required.contains(name).then(|| self.of(schema, depth + 1));
            let answered = told.iter().find_map(|one| one.get(name)).cloned();
            Some((name.clone(), answered.or_else(made_up)?))
        };
        Value::Object(object.properties.iter().filter_map(member).collect())
    }

    /// Of several alternatives the first, but for null.
    fn first(&self, items: &[RefOr<Schema>], depth: usize) -> Value {
        items.iter().map(|item| self.of(item, depth + 1)).find(|value| !value.is_null()).unwrap_or_default()
    }

    fn object(&self, object: &Object, depth: usize) -> Value {
        let given = object.examples.first().or(object.default.as_ref());
        let first_word = object.enum_values.as_ref().and_then(|words| words.first());
        if let Some(value) = given.or(first_word) {
            return value.clone();
        }
        match single_type(&object.schema_type) {
            Some(Type::Object) => {
                let members = object.properties.iter().filter(|(name, _)| self.shows(object, name));
                let members = members.map(|(name, member)| (name.clone(), self.of(member, depth + 1)));
                let mut members = members.collect::<Map<_, _>>();
                name_kind(&mut members);
                Value::Object(members)
            }
            Some(Type::String) => json!(text(object)),
            Some(Type::Integer | Type::Number) => {
                json!(object.minimum.as_ref().map_or(json!(1), |least| json!(least)))
            }
            Some(Type::Boolean) => json!(false),
            _ => Value::Null,
        }
    }

    fn shows(&self, object: &Object, name: &String) -> bool {
        let link = name.ends_with("_id");
        self.purpose == Purpose::Response || !link || object.required.contains(name)
    }

    fn array(&self, array: &Array, depth: usize) -> Value {
        match (array.examples.first(), &array.items) {
            (Some(value), _) => value.clone(),
            (None, ArrayItems::RefOrSchema(item)) => {
                json!(vec![self.of(item, depth + 1); array.min_items.unwrap_or(1).max(1)])
            }
            (None, ArrayItems::False) => json!([]),
        }
    }
}

/// What happened (`contract.submitted`) names the kind of the record to which it happened.
fn name_kind(members: &mut Map<String, Value>) {
    let happened =
        |name: &&str| members.get(*name).and_then(Value::as_str).is_some_and(|it| it.contains('.'));
    let Some(name) = ["type", "event", "action"].into_iter().find(happened) else { return };
    let kind = members[name].as_str().and_then(|event| event.split_once('.')).map(|(kind, _)| json!(kind));
    if let (Some(kind), Some(told)) = (kind, members.get_mut("record_kind")) {
        *told = kind;
    }
}

/// The type of a schema that is not null.
pub(crate) fn single_type(schema_type: &SchemaType) -> Option<Type> {
    match schema_type {
        SchemaType::Type(one) => Some(one.clone()),
        SchemaType::Array(several) => several.iter().find(|one| **one != Type::Null).cloned(),
        SchemaType::AnyValue => None,
    }
}

fn text(object: &Object) -> &'static str {
    match &object.format {
        Some(SchemaFormat::KnownFormat(KnownFormat::Date)) => "2026-01-31",
        Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)) => "2026-01-31T08:30:00.000Z",
        Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)) => "0190163d-8694-739b-aea5-966c26f8ad91",
        Some(SchemaFormat::KnownFormat(KnownFormat::Email)) => "chen@example.com",
        Some(SchemaFormat::KnownFormat(KnownFormat::Password)) => "correct horse battery staple",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use fairlead_domain::lead::{Lead, LeadDetails};
    use serde_json::from_value;

    use super::*;
    use crate::api::schemas::Schemas;
    use crate::api::tidy::tidy;

    #[test]
    fn answers_are_told_of_what_there_is() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let schemas = &document["components"]["schemas"];
        assert!(RECORDS.len() > 60 && OUTCOMES.len() > 40, "{} {}", RECORDS.len(), OUTCOMES.len());
        for (name, told) in &*RECORDS {
            for member in told.as_object().unwrap().keys() {
                assert!(schemas[name]["properties"][member].is_object(), "{name} has no {member}");
            }
        }
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let answers: BTreeMap<&str, &Value> = operations
            .filter_map(|(_, operation)| Some((operation["operationId"].as_str()?, &operation["responses"])))
            .collect();
        for (id, outcome) in &*OUTCOMES {
            let success =
                answers[id.as_str()].as_object().unwrap().iter().find(|(status, _)| status.starts_with('2'));
            let content = &success.unwrap().1["content"]["application/json"];
            let schema = content["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
            for (member, value) in outcome.as_object().unwrap() {
                assert!(
                    document.pointer(schema).unwrap()["properties"][member].is_object(),
                    "{id} has no {member}"
                );
                assert_eq!(content["example"][member], *value, "{id}");
            }
        }
    }

    #[test]
    fn a_record_that_is_read_alone_is_shown_without_what_only_include_brings() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut seen = 0;
        for operation in &crate::resource::api().operations {
            let Some(listing) = operation.shape.related else { continue };
            let (id, path) = (operation.about.id, operation.shape.path.as_str());
            let content = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
            let example = content["example"].as_object().unwrap();
            assert!(example["id"].is_string(), "{id}");
            for relation in listing.relations() {
                assert!(!example.contains_key(relation), "{id} shows {relation}");
            }
            seen += 1;
        }
        assert!(seen > 15, "{seen}");
    }

    #[test]
    fn examples_are_what_they_are_examples_of() {
        let mut schemas = Schemas::default();
        let (form, record) = (schemas.of::<LeadDetails>(), schemas.of::<Lead>());
        let (mut named, _) = schemas.into_parts();
        tidy(&mut named);
        let form = example(&form, &named, Purpose::Request);
        assert_eq!(form["budget"]["currency"], "CNY");
        assert!(from_value::<LeadDetails>(form).is_ok());
        let record = example(&record, &named, Purpose::Response);
        assert!(record["owner_id"].is_string());
        assert!(from_value::<Lead>(record).is_ok());
    }
}
