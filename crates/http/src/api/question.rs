//! Questions: queries that are forms, as parameters of the specification and as values.

use fairlead_application::listing::whole;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::form;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{RefOr, Required, Schema};
use validator::Validate;

use super::example::single_type;
use super::schemas::{Asked, Question};
use super::tidy;

/// The parameters that say a question.
pub(crate) fn parameters(question: &Question) -> Vec<Parameter> {
    question.0.iter().map(parameter).collect()
}

fn parameter(asked: &Asked) -> Parameter {
    let mut schema = asked.schema.clone();
    tidy::one(&mut schema);
    // What is not said is absent; nothing in a query is null.
    let (description, example) = match &mut schema {
        RefOr::T(Schema::Object(object)) => {
            if let Some(one) = single_type(&object.schema_type) {
                object.schema_type = one.into();
            }
            (object.description.take(), object.examples.pop())
        }
        RefOr::T(Schema::Array(array)) => {
            array.schema_type = Type::Array.into();
            (array.description.take(), array.examples.pop())
        }
        _ => (None, None),
    };
    let is_list = matches!(schema, RefOr::T(Schema::Array(_)));
    ParameterBuilder::new()
        .name(&asked.name)
        .parameter_in(ParameterIn::Query)
        .required(if asked.required { Required::True } else { Required::False })
        .description(description)
        .example(example)
        .schema(Some(schema))
        .style(is_list.then_some(ParameterStyle::Form))
        .explode(is_list.then_some(false))
        .build()
}

/// Reads a question from a query: each member at most once, written as its schema says. What is no member was refused.
pub(crate) fn read<T: DeserializeOwned + Validate>(
    query: &[(String, String)],
    members: &[Asked],
) -> Result<Valid<T>, Refusal> {
    let mut said = Map::new();
    for member in members {
        for (name, text) in query.iter().filter(|(name, _)| *name == member.name) {
            if said.insert(name.clone(), value(&member.schema, text)).is_some() {
                return Err(Refusal::malformed(name, "give a parameter once"));
            }
        }
    }
    form::read(Value::Object(said)).and_then(Valid::check).map_err(malformed)
}

/// What a text means where a schema is expected. What it cannot mean stays a text, which the form refuses.
fn value(schema: &RefOr<Schema>, text: &str) -> Value {
    match schema {
        RefOr::T(Schema::Array(_)) => json!(text.split(',').collect::<Vec<_>>()),
        RefOr::T(Schema::Object(object)) => match single_type(&object.schema_type) {
            Some(Type::Integer) => whole(text).map_or_else(|| json!(text), |number| json!(number)),
            Some(Type::Boolean) => text.parse::<bool>().map_or_else(|_| json!(text), |yes| json!(yes)),
            _ => json!(text),
        },
        _ => json!(text),
    }
}

/// A query's mistakes are named after its parameters.
fn malformed(refusal: Refusal) -> Refusal {
    let mut refusal = Refusal { code: Code::MalformedRequest, ..refusal };
    for error in &mut refusal.errors {
        error.pointer = error.pointer.trim_start_matches('/').to_owned();
    }
    refusal
}
