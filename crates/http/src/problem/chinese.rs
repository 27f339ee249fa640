//! What a refusal says to whoever reads Chinese.
//!
//! The domain says everything in English and gives the figures beside it. So nothing but http knows of languages: it
//! takes the code and the figures, and says the same again. What it has no sentence for is told by the meaning of its
//! code, or stays in English where it is about a single value.

mod labels;
mod messages;
mod patterns;
mod phrases;
mod templates;
#[cfg(test)]
mod tests;

use fairlead_domain::error::{Code, FieldError, Refusal};
use serde_json::{Map, Value, json};

use super::entry;

/// Says a refusal in Chinese. Codes, pointers and figures stay as they are.
pub(super) fn translate(refusal: &mut Refusal) {
    refusal.detail = detail(refusal.code, &refusal.detail, &refusal.figures, &refusal.errors);
    for error in &mut refusal.errors {
        error.message = messages::message(error);
    }
    // What was refused of many is told within the figures.
    if let Some(items) = refusal.figures.get_mut("items") {
        translate_items(items);
    }
}

/// Says in Chinese why parts of a call were refused of which others were done: items, rows of a statement, or what a job
/// did.
pub(super) fn translate_answer(view: &mut Value) {
    for list in ["items", "rows", "data"] {
        if let Some(items) = view.get_mut(list) {
            translate_items(items);
        }
    }
}

fn translate_items(items: &mut Value) {
    items.as_array_mut().into_iter().flatten().for_each(translate_item);
}

fn detail(code: Code, english: &str, figures: &Map<String, Value>, errors: &[FieldError]) -> String {
    // What cannot be read is said by its one error.
    if let (Code::MalformedRequest, [error]) = (code, errors) {
        return messages::message(error);
    }
    phrases::phrase(english)
        .map(str::to_owned)
        .or_else(|| templates::fill(code, figures))
        .unwrap_or_else(|| entry(code).meaning_zh.to_owned())
}

/// The same of one of many: an object that may have a code with its detail, errors and figures.
fn translate_item(item: &mut Value) {
    let Some(item) = item.as_object_mut() else { return };
    let errors = item.get("errors").and_then(|errors| serde_json::from_value(errors.clone()).ok());
    let mut errors: Vec<FieldError> = errors.unwrap_or_default();
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    // Where a job was refused something, the code is its reason.
    let code = word("code").or_else(|| word("reason")).and_then(|code| code.parse::<Code>().ok());
    let figures = item.get("figures").and_then(Value::as_object).cloned().unwrap_or_default();
    let said = match (word("detail"), code) {
        (Some(english), Some(code)) => Some(detail(code, english, &figures, &errors)),
        _ => word("outcome").and_then(|outcome| templates::outcome(outcome, &figures)),
    };
    if let Some(said) = said {
        item.insert("detail".to_owned(), said.into());
    }
    if !errors.is_empty() {
        for error in &mut errors {
            error.message = messages::message(error);
        }
        item.insert("errors".to_owned(), json!(errors));
    }
}

/// Fills the placeholders of a template (`{limit}`, `{holdings.leads}`, `{items.length}`) with figures; `None` when
/// one of them is not there.
fn filled(template: &str, figures: &Map<String, Value>) -> Option<String> {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        text.push_str(before);
        text.push_str(&figure(name, figures)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn figure(name: &str, figures: &Map<String, Value>) -> Option<String> {
    if let Some(list) = name.strip_suffix(".length") {
        return Some(figures.get(list)?.as_array()?.len().to_string());
    }
    let mut path = name.split('.');
    let first = figures.get(path.next()?)?;
    let value = path.try_fold(first, |value, member| value.get(member))?;
    shown(name, value, figures)
}

/// A value as people read it; `None` when there is nothing to read.
fn shown(name: &str, value: &Value, figures: &Map<String, Value>) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(yes) => {
            labels::label(name, if *yes { "true" } else { "false" }, figures).map(str::to_owned)
        }
        Value::Number(number) => Some(number.to_string()),
        Value::String(word) => Some(labels::label(name, word, figures).unwrap_or(word).to_owned()),
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => {
            let values: Option<Vec<String>> =
                values.iter().map(|value| shown(name, value, figures)).collect();
            Some(values?.join("、"))
        }
        Value::Object(members) => {
            let text = |member: &str| members.get(member).and_then(Value::as_str);
            // So many records of a kind, or money.
            if let (Some(kind), Some(count)) = (text("record_kind"), members.get("count")) {
                let kind = labels::label("record_kind", kind, figures).unwrap_or(kind);
                return Some(format!("{kind} {count}"));
            }
            Some(format!("{} {}", text("amount")?, text("currency")?))
        }
    }
}
