mod examples;
mod sources;

use std::collections::BTreeSet;

use fairlead_domain::workflow;

use super::messages::{MESSAGES, message};
use super::phrases::PHRASES;
use super::templates::{TEMPLATES, fill};
use super::*;
use examples::examples;
use sources::{rules, sources};

/// Codes that `Money::parse` hands to whoever calls it, and those that have sentences of their own.
const TOLD_OTHERWISE: [&str; 5] =
    ["invalid_amount", "too_many_decimals", "amount_out_of_range", "malformed", "unknown_value"];

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// The names between braces.
fn placeholders(template: &str) -> Vec<&str> {
    template.split('{').skip(1).map(|behind| behind.split_once('}').unwrap().0).collect()
}

fn error(code: &str, message: &str, params: Value) -> FieldError {
    let Value::Object(params) = params else { panic!("params are an object") };
    FieldError { pointer: "/x".to_owned(), code: code.to_owned(), message: message.to_owned(), params }
}

#[test]
fn every_template_has_an_example() {
    let examples = examples();
    assert_eq!(examples.len(), TEMPLATES.len());
    for ((code, figures, expected), (of, template)) in examples.iter().zip(TEMPLATES) {
        assert_eq!(code, of, "{template}");
        let figures = figures.as_object().unwrap();
        assert_eq!(fill(*code, figures).as_deref(), Some(*expected));
        assert_eq!(filled(template, figures).as_deref(), Some(*expected), "an earlier line is in the way");
        assert!(is_chinese(template) && template.ends_with('。'), "{template}");
    }
    assert_eq!(fill(Code::TooMany, &Map::new()), None);
    assert_eq!(fill(Code::TeamCycle, &Map::new()), None);
}

#[test]
fn placeholders_are_figures_of_the_source() {
    let sources = sources().concat();
    for (code, template) in TEMPLATES {
        for name in placeholders(template) {
            let name = name.split('.').next().unwrap_or_default();
            let given = sources.contains(&format!(".with(\"{name}\"")) || name == crate::request::range::SIZE;
            assert!(given, "{code}: nothing gives {name}");
        }
    }
}

#[test]
fn states_and_actions_of_every_machine_have_labels() {
    for machine in workflow::machines() {
        let figures = json!({"record_kind": machine.name});
        let figures = figures.as_object().unwrap();
        for state in &machine.states {
            assert!(labels::label("from", state, figures).is_some(), "{} {state}", machine.name);
        }
        for transition in &machine.transitions {
            let label = labels::label("action", &transition.action, figures);
            assert!(label.is_some(), "{} {}", machine.name, transition.action);
        }
    }
}

#[test]
fn every_rule_of_the_source_has_a_message() {
    let found: BTreeSet<String> = sources().iter().flat_map(|source| rules(source)).collect();
    assert!(found.len() > 70, "{found:?}");
    let known: BTreeSet<&str> = MESSAGES.iter().map(|(rule, _)| *rule).chain(TOLD_OTHERWISE).collect();
    let new: Vec<&String> = found.iter().filter(|rule| !known.contains(rule.as_str())).collect();
    assert!(new.is_empty(), "rules without a Chinese message: {new:?}");
    let gone: Vec<&&str> =
        known.iter().filter(|rule| !found.contains(**rule) && !TOLD_OTHERWISE.contains(rule)).collect();
    assert!(gone.is_empty(), "messages of rules that nobody has: {gone:?}");
    assert!(MESSAGES.iter().all(|(_, text)| is_chinese(text)));
}

#[test]
fn sentences_are_worded_as_in_the_source() {
    let sources = sources().concat();
    let reworded: Vec<&str> = PHRASES
        .iter()
        .map(|(english, _)| *english)
        .filter(|english| !sources.contains(&format!("\"{english}\"")))
        .collect();
    assert!(reworded.is_empty(), "{reworded:?}");
    assert!(PHRASES.iter().all(|(_, chinese)| is_chinese(chinese)));
    let different: BTreeSet<&str> = PHRASES.iter().map(|(english, _)| *english).collect();
    assert_eq!(different.len(), PHRASES.len());
}

#[test]
fn messages_have_the_figures_of_their_rule() {
    let said = |code: &str, english: &str, params: Value| message(&error(code, english, params));
    assert_eq!(said("length", "between", json!({"min": 1, "max": 200})), "长度须为 1 至 200");
    assert_eq!(said("length", "length", json!({"max": 20})), "长度不得超过 20");
    assert_eq!(said("length", "length", json!({})), "长度不符合要求");
    assert_eq!(said("range", "1 or more", json!({"min": 1})), "不得小于 1");
    let sum = json!({"sum": {"amount": "90.00", "currency": "CNY"}});
    assert_eq!(said("line_items_mismatch", "the sum", sum), "金额须等于明细行的合计 90.00 CNY");
    assert_eq!(said("line_items_mismatch", "wanted", json!({})), "有明细行时须填写金额");
    let known = "color".parse::<fairlead_domain::access::Scope>().unwrap_err();
    let list = "须为下列值之一：`own`、`team`、`team_and_below`、`all`";
    assert_eq!(said("unknown_value", &known, json!({})), list);
    assert_eq!(said("unheard_of", "stays as it is", json!({})), "stays as it is");
    for (english, chinese) in [
        ("missing field `name`", "缺少成员 `name`"),
        ("unknown field `nmae`, expected one of `name`, `note`", "未知的成员 `nmae`"),
        ("unknown parameter `colour`", "未知的参数 `colour`"),
        ("invalid type: integer `1`, expected a string", "类型不符：integer `1`, expected a string"),
        ("give a parameter once", "每个参数只能出现一次"),
        ("EOF while parsing an object", "无法解析：EOF while parsing an object"),
    ] {
        assert_eq!(said("malformed", english, json!({})), chinese);
    }
}

#[test]
fn a_refusal_is_told_by_sentence_figures_or_meaning() {
    let told = |mut refusal: Refusal| {
        translate(&mut refusal);
        refusal.detail
    };
    let duties = Refusal::new(Code::SeparationOfDuties, "nobody decides two steps of one request");
    assert_eq!(told(duties), "同一个人不能审批同一申请的两个步骤。");
    assert_eq!(told(Refusal::new(Code::TooMany, "enough").with("limit", 5)), "数量已达到上限 5。");
    assert_eq!(told(Refusal::new(Code::TooMany, "enough")), entry(Code::TooMany).meaning_zh);
    assert_eq!(told(Refusal::malformed("/name", "missing field `name`")), "缺少成员 `name`");
    let none: Option<&str> = None;
    let nobody = Refusal::new(Code::NoEligibleApprover, "nobody could decide").with("step", none);
    assert_eq!(told(nobody), entry(Code::NoEligibleApprover).meaning_zh);
}

#[test]
fn what_was_refused_of_many_is_told_too() {
    let broken = error("length", "must have between 1 and 200 characters", json!({"min": 1, "max": 200}));
    let items = json!([
        {"index": 0, "code": "too_many", "detail": "enough", "figures": {"limit": 5}},
        {"index": 1, "code": "validation_failed", "detail": "broken", "errors": [broken]},
        {"id": 7, "code": "ownership_limit_reached", "detail": "the receiver has no room for so many customers"},
        {"index": 3, "outcome": "done"},
        "whatever",
    ]);
    let mut refusal = Refusal::new(Code::BulkRefused, "some").with("items", items);
    translate(&mut refusal);
    assert_eq!(refusal.detail, "有 5 项操作被拒绝，因此全部未执行，`items` 列出每一项。");
    let told = &refusal.figures["items"];
    assert_eq!(told[0]["detail"], "数量已达到上限 5。");
    assert_eq!(told[0]["figures"], json!({"limit": 5}));
    assert_eq!(told[1]["detail"], entry(Code::ValidationFailed).meaning_zh);
    assert_eq!(told[1]["errors"][0]["message"], "长度须为 1 至 200");
    assert_eq!(told[1]["errors"][0]["pointer"], "/x");
    assert_eq!(told[2]["detail"], "接收人持有的客户将超过上限。");
    assert_eq!(told[3], json!({"index": 3, "outcome": "done"}));
}
