//! JSON Merge Patch (RFC 7396) over any form: absent is unchanged, `null` clears, unknown members are refused.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use validator::Validate;

use crate::error::{Code, Refusal};
use crate::valid::Valid;
use crate::values::form;

/// The members of a `T` that are to change.
#[derive(Debug, Clone)]
pub struct Patch<T> {
    members: Map<String, Value>,
    form: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned + Validate> Patch<T> {
    /// Takes the body of a request.
    pub fn new(members: Map<String, Value>) -> Self {
        Self { members, form: PhantomData }
    }

    /// The form after the patch, judged as a whole.
    pub fn apply(&self, current: &T) -> Result<Valid<T>, Refusal> {
        let form =
            serde_json::to_value(current).map_err(|error| Refusal::new(Code::Internal, error.to_string()))?;
        Valid::check(self.read(form)?)
    }

    /// The form after the patch, as it is read and before it is judged.
    pub(crate) fn read(&self, mut form: Value) -> Result<T, Refusal> {
        merge(&mut form, &Value::Object(self.members.clone()));
        form::read(form)
    }
}

/// The same members, none of them required. What may be cleared by `null` is what the form itself lets be null.
impl<T: ToSchema> PartialSchema for Patch<T> {
    fn schema() -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            object.example = None;
            object.examples.clear();
            object.description =
                Some("The members to change: an absent one stays as it is, `null` clears.".to_owned());
            object.properties.values_mut().for_each(forget_default);
        }
        schema
    }
}

impl<T: ToSchema> ToSchema for Patch<T> {
    fn name() -> Cow<'static, str> {
        let form = T::name();
        format!("{}Patch", form.strip_suffix("Details").unwrap_or(&form)).into()
    }
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(named);
    }
}

/// In a patch, what is absent keeps its value: it gets no default.
fn forget_default(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => object.default = None,
        RefOr::T(Schema::Array(array)) => array.default = None,
        RefOr::T(Schema::OneOf(one_of)) => one_of.default = None,
        RefOr::Ref(reference) => reference.default = None,
        RefOr::T(_) => {}
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(members) = target {
        for (name, change) in changes {
            if change.is_null() && members.get(name).is_some_and(|old| !old.is_null()) {
                members.insert(name.clone(), Value::Null);
            } else {
                merge(members.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Form {
        name: String,
        note: Option<String>,
        nested: Option<Nested>,
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nested {
        a: Option<i64>,
        b: Option<i64>,
    }

    fn patch(body: Value) -> Result<Form, Refusal> {
        let current = Form {
            name: "x".into(),
            note: Some("y".into()),
            nested: Some(Nested { a: Some(1), b: Some(2) }),
        };
        let Value::Object(members) = body else { panic!("an object") };
        Patch::new(members).apply(&current).map(Valid::into_inner)
    }

    #[test]
    fn absent_stays_null_clears_nested_merges() {
        let form = patch(serde_json::json!({"note": null, "nested": {"a": null, "b": 3}})).unwrap();
        assert_eq!(form, Form { name: "x".into(), note: None, nested: Some(Nested { a: None, b: Some(3) }) });
    }

    #[test]
    fn unknown_members_and_wrong_types_are_malformed_with_a_pointer() {
        let refusal = patch(serde_json::json!({"owner_id": 1})).unwrap_err();
        assert_eq!(refusal.code, Code::MalformedRequest);
        let refusal = patch(serde_json::json!({"nested": {"a": "x"}})).unwrap_err();
        assert_eq!((refusal.code, refusal.errors[0].pointer.as_str()), (Code::MalformedRequest, "/nested/a"));
        assert_eq!(patch(serde_json::json!({"name": null})).unwrap_err().code, Code::MalformedRequest);
    }
}
