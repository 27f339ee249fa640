mod examples;
mod sources;

use std::collections::BTreeSet;

use fairlead_domain::error::Rule;
use fairlead_domain::workflow;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::messages::{lines, message};
use super::patterns::PATTERNS;
use super::phrases::PHRASES;
use super::templates::{OUTCOMES, TEMPLATES, fill};
use super::*;
use crate::problem::figures::{self, FIGURES};
use examples::examples;
use sources::{named, sources, unreadable, validated, wordless};

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// The names between braces.
fn placeholders(template: &str) -> Vec<&str> {
    template.split('{').skip(1).map(|behind| behind.split_once('}').unwrap().0).collect()
}

fn error(code: Rule, message: &str, params: Value) -> FieldError {
    let Value::Object(params) = params else { panic!("params are an object") };
    FieldError { pointer: "/x".to_owned(), code, message: message.to_owned(), params }
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

/// Of which code each is, the log of every end-to-end test tells: the server warns of one that has no line.
#[test]
fn figures_are_those_of_the_source() {
    let sources = sources().concat();
    let named = sources.split(".with(\"").skip(1).filter_map(|behind| behind.split('"').next());
    let given: BTreeSet<&str> = named.chain([crate::request::range::SIZE]).collect();
    let figures = FIGURES.iter().flat_map(|(_, figures)| figures.iter());
    let told: BTreeSet<&str> = figures.map(|figure| figure.name).collect();
    assert_eq!(told, given);
}

#[test]
fn templates_are_filled_with_figures_of_their_code() {
    let examples = examples().into_iter().flat_map(|(code, figures, _)| {
        let figures = figures.as_object().unwrap().clone();
        figures.into_iter().map(move |(name, value)| (code, name, value))
    });
    for (code, name, value) in examples {
        assert!(figures::is_told(code, &name, &value), "{code}: {name}");
    }
    for (code, template) in TEMPLATES {
        for name in placeholders(template) {
            let name = name.split('.').next().unwrap_or_default();
            assert!(figures::of(*code).iter().any(|figure| figure.name == name), "{code}: {name}");
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
fn every_rule_has_messages() {
    for rule in Rule::ALL {
        let (last, before) = lines(*rule).split_last().unwrap();
        assert!(before.iter().all(|line| !placeholders(line).is_empty()), "{rule}");
        assert!(placeholders(last).is_empty(), "{rule} has no line without figures");
        assert!(lines(*rule).iter().all(|line| is_chinese(line)), "{rule}");
    }
}

#[test]
fn rules_are_those_of_the_source() {
    let sources = sources();
    let attributes: BTreeSet<String> = sources.iter().flat_map(|source| validated(source)).collect();
    let new: Vec<&String> = attributes.iter().filter(|word| word.parse::<Rule>().is_err()).collect();
    assert!(new.is_empty(), "the validator breaks what is no `Rule`: {new:?}");
    assert!(["length", "range"].iter().all(|word| attributes.contains(*word)), "{attributes:?}");
    // What it finds: a rule of the validator, or what an attribute calls it.
    let odd = validated("#[validate(email, length(max = 3), custom(function = \"f\", code = \"odd\"))]");
    assert_eq!(odd, ["email", "length", "odd"].map(str::to_owned).into());
    let named: BTreeSet<&str> = sources.iter().flat_map(|source| named(source)).collect();
    let is_used = |rule: Rule| named.contains(&*format!("{rule:?}")) || attributes.contains(rule.as_str());
    let gone: Vec<&Rule> = Rule::ALL.iter().filter(|rule| !is_used(**rule)).collect();
    assert!(gone.is_empty(), "rules that nobody breaks: {gone:?}");
}

#[test]
fn no_rule_is_told_by_its_bare_code() {
    let sources = sources();
    let found: Vec<String> = sources.iter().flat_map(|source| wordless(source)).collect();
    assert!(found.is_empty(), "rules without words: {found:?}");
    // What it finds: neither a message nor figures.
    for bare in ["#[validate(email)]", "#[validate(nested, length(equal = 3))]"] {
        assert_eq!(wordless(bare).len(), 1, "{bare}");
    }
    // Whoever breaks a rule by hand does it with `Rule::error`, which takes words.
    assert_eq!(sources.concat().matches("ValidationError::new(").count(), 1);
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
    let said = |rule: Rule, english: &str, params: Value| message(&error(rule, english, params));
    assert_eq!(said(Rule::Length, "between", json!({"min": 1, "max": 200})), "长度须为 1 至 200");
    assert_eq!(said(Rule::Length, "length", json!({"max": 20})), "长度不得超过 20");
    assert_eq!(said(Rule::Length, "length", json!({})), "长度不符合要求");
    assert_eq!(said(Rule::Range, "1 or more", json!({"min": 1})), "不得小于 1");
    let sum = json!({"sum": {"amount": "90.00", "currency": "CNY"}});
    assert_eq!(said(Rule::LineItemsMismatch, "the sum", sum), "金额须等于明细行的合计 90.00 CNY");
    assert_eq!(said(Rule::LineItemsMismatch, "wanted", json!({})), "有明细行时须填写金额");
    for (rule, english, told) in [
        (Rule::TooManyDecimals, "CNY has 2 decimals", "CNY 的小数位数最多为 2 位"),
        (Rule::InvalidAmount, "CNY has 2 decimals", "CNY 的小数位数最多为 2 位"),
        (
            Rule::Length,
            "must have at most 50 filters in all groups together",
            "所有分组合计最多 50 个筛选条件",
        ),
        (Rule::UnknownValue, "expected up to 2 of a, b", "最多为下列值中的 2 个：a, b"),
        (Rule::Query, "unknown parameter `colour`", "查询条件有误：未知的参数 `colour`"),
        (Rule::Query, "expected one of a, b", "查询条件有误：须为下列值之一：a, b"),
        (Rule::Query, "says nothing", "缺少要比较的值"),
        (Rule::Query, "whatever else", "查询条件有误"),
    ] {
        assert_eq!(said(rule, english, json!({"max": 50})), told);
    }
    let known = "color".parse::<fairlead_domain::access::Scope>().unwrap_err();
    let list = "须为下列值之一：`own`、`team`、`team_and_below`、`all`";
    assert_eq!(said(Rule::UnknownValue, &known, json!({})), list);
    for (english, chinese) in [
        ("missing field `name`", "缺少成员 `name`"),
        ("unknown field `nmae`, expected one of `name`, `note`", "未知的成员 `nmae`"),
        ("unknown parameter `colour`", "未知的参数 `colour`"),
        (
            "unknown field `a`, expected b` at line 1 column 4`, expected `name`",
            "未知的成员 `a`, expected b` at line 1 column 4`",
        ),
        ("unknown field `x`, there are no fields at line 1 column 4", "未知的成员 `x`"),
        ("unknown variant `x`, expected `a` or `b`", "未知的取值 `x`"),
        ("invalid type: integer `1`, expected a string", "类型不符：应为字符串，而不是整数 `1`"),
        (
            "invalid type: string \"a, expected b\", expected a whole number at line 1 column 9",
            "类型不符：应为整数，而不是字符串 \"a, expected b\"（第 1 行第 9 列）",
        ),
        ("invalid type: map, expected tuple of wishes", "类型不符：应为tuple of wishes，而不是对象"),
        ("invalid length 3, expected an array", "长度不符：应为数组，而不是 3"),
        ("give a parameter once", "每个参数只能出现一次"),
        ("EOF while parsing an object", "JSON 不完整：对象没有结束"),
        ("expected `,` or `}` at line 3 column 14", "JSON 有误：此处应为 `,` 或 `}`（第 3 行第 14 列）"),
        ("expected one of `own` `team`", "须为下列值之一：`own`、`team`"),
        // What nobody thought of is told with what the parser said.
        ("a tail is missing at line 1 column 9", "请求无法解析（a tail is missing at line 1 column 9）"),
    ] {
        assert_eq!(said(Rule::Malformed, english, json!({})), chinese);
    }
    let day = "`31.02.2026` is no day in the format %d.%m.%Y";
    assert_eq!(said(Rule::InvalidDate, day, json!({})), "`31.02.2026` 不是格式为 %d.%m.%Y 的日期");
    assert_eq!(said(Rule::InvalidDate, "no day", json!({})), "须为有效的日期，例如 2026-01-31");
}

#[test]
fn whatever_the_source_says_of_unreadable_requests_is_told() {
    let sources = sources();
    let found = unreadable(&sources);
    assert!(found.len() > 30, "{found:?}");
    // Of each way to say something: a text, a template, a variable, and what another function says.
    for known in [
        "a body is wanted",
        "expected a number from 1 to {}",
        "it belongs to other kinds of records",
        "expected up to {} of {}, each with or without -",
        "expected up to {} of {}",
        "expected up to {} visible characters",
        "expected a whole number below 2^53",
        "at most {} alternatives",
        "expected an entity tag such as \"v7\", or *, in `{}`",
    ] {
        assert!(found.contains(known), "{known} is not among {found:?}");
    }
    for english in &found {
        let english = english.replace("{}", "7");
        let said = message(&error(Rule::Malformed, &english, json!({})));
        assert!(is_chinese(&said) && !said.contains(&english), "{said}");
    }
    let templates: BTreeSet<String> = sources.iter().flat_map(|source| sources::templates(source)).collect();
    let gone: Vec<&str> =
        PATTERNS.iter().map(|(english, _)| *english).filter(|it| !templates.contains(*it)).collect();
    assert!(gone.is_empty(), "patterns of sentences that nobody says: {gone:?}");
    let late = fairlead_domain::values::parse_day("1899-12-31").unwrap_err();
    assert_eq!(message(&error(Rule::Malformed, &late, json!({}))), "年份须在 1900 至 9999 之间");
}

/// A form, so that a parser has something to say.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Form {
    #[validate(length(max = 100))]
    name: String,
    #[serde(default)]
    count: i64,
    #[serde(default)]
    sure: bool,
    #[serde(default)]
    words: Vec<String>,
}

#[test]
fn what_parsers_say_is_told_too() {
    let told = |text: &str| {
        let mut refusal = crate::request::body::form::<Form>(text.as_bytes()).unwrap_err();
        translate(&mut refusal);
        assert_eq!(refusal.detail, refusal.errors[0].message, "{text}");
        refusal.detail
    };
    for (text, chinese) in [
        ("", "缺少请求内容"),
        ("{", "JSON 不完整：对象没有结束"),
        (r#"{"name": "#, "JSON 不完整：缺少值"),
        (r#"{"name": "a"#, "JSON 不完整：字符串没有结束"),
        (r#"{"name": "a", "words": ["a""#, "JSON 不完整：数组没有结束"),
        (r#"{"name" 1}"#, "JSON 有误：此处应为 `:`"),
        (r#"{"name": "a" "count": 1}"#, "JSON 有误：此处应为 `,` 或 `}`"),
        (r#"{"name": "a", "words": ["a" "b"]}"#, "JSON 有误：此处应为 `,` 或 `]`"),
        (r#"{"name": "a",}"#, "JSON 有误：末尾多了逗号"),
        (r#"{"name": "a"} x"#, "JSON 有误：结束之后还有其他内容"),
        ("{name: 1}", "JSON 有误：成员的名称须为字符串"),
        (r#"{"name": x}"#, "JSON 有误：此处应为一个值"),
        (r#"{"name": nul}"#, "JSON 有误：此处应为 true、false 或 null"),
        (r#"{"name": "\q"}"#, "JSON 有误：字符串中的转义无效"),
        ("{\"name\": \"a\nb\"}", "JSON 有误：字符串中的控制字符须写成转义"),
        (r#"{"name": "a", "count": 1e999}"#, "JSON 有误：数字超出范围"),
        (r#"{"name": "a", "count": 1.}"#, "JSON 有误：数字的写法无效"),
        ("[]", "类型不符：应为对象，而不是数组"),
        (r#"{"name": 5}"#, "类型不符：应为字符串，而不是整数 `5`"),
        (r#"{"name": null}"#, "类型不符：应为字符串，而不是空值（null）"),
        (r#"{"name": {}}"#, "类型不符：应为字符串，而不是对象"),
        (r#"{"name": "a", "words": "b"}"#, "类型不符：应为数组，而不是字符串 \"b\""),
        (r#"{"name": "a", "sure": 1}"#, "类型不符：应为布尔值，而不是整数 `1`"),
        (r#"{"name": "a", "count": "1"}"#, "类型不符：应为整数，而不是字符串 \"1\""),
        (r#"{"name": "a", "count": true}"#, "类型不符：应为整数，而不是布尔值 `true`"),
        (r#"{"name": "a", "count": 1.5}"#, "类型不符：应为范围内的整数，而不是小数 `1.5`"),
        (
            r#"{"name": "a", "count": 9223372036854775808}"#,
            "值不符：应为范围内的整数，而不是整数 `9223372036854775808`",
        ),
        ("{}", "缺少成员 `name`"),
        (r#"{"name": "a", "name": "b"}"#, "成员重复：`name`"),
        (r#"{"nmae": "a"}"#, "未知的成员 `nmae`"),
    ] {
        let told = told(text);
        assert_eq!(told.split("（第 ").next(), Some(chinese), "{text}");
    }
    assert_eq!(told(r#"{"name": 5}"#), "类型不符：应为字符串，而不是整数 `5`（第 1 行第 10 列）");
    let deep = format!("{{\"name\": {}{}}}", "[".repeat(200), "]".repeat(200));
    let refusal = crate::request::body::patch::<Form>(deep.as_bytes()).unwrap_err();
    let deep = message(&refusal.errors[0]);
    assert!(deep.starts_with("JSON 有误：嵌套过深（第 1 行"), "{deep}");
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
    let broken = error(Rule::Length, "must have between 1 and 200 characters", json!({"min": 1, "max": 200}));
    let items = json!([
        {"index": 0, "code": "too_many", "detail": "enough", "figures": {"limit": 5}},
        {"index": 1, "code": "validation_failed", "detail": "broken", "errors": [broken]},
        {"id": 7, "code": "ownership_limit_reached", "detail": "the receiver has no room for so many customers"},
        {"index": 3, "outcome": "done"},
        "whatever",
    ]);
    let mut answer = json!({"done": 1, "refused": 3, "items": items});
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
    // An answer whose other parts were done says the same of them; rows of a statement have no code.
    translate_answer(&mut answer);
    assert_eq!(&answer["items"], told);
    let mut answer = json!({"rows": [{"line": 2, "errors": [broken]}, {"line": 3}]});
    translate_answer(&mut answer);
    assert_eq!(answer["rows"][0]["errors"][0]["message"], "长度须为 1 至 200");
    assert_eq!(answer["rows"][1], json!({"line": 3}));
    // What a job did: refused by its reason, or told by its outcome.
    let figures = json!({"goes_on": "2026-03-01"});
    let mut answer = json!({"data": [
        {"outcome": "failed", "reason": "too_many", "detail": "enough", "figures": {"limit": 5}},
        {"outcome": "warned", "reason": "no_activity", "detail": "goes on 2026-03-01", "figures": figures},
        {"outcome": "already_warned", "reason": "no_activity", "detail": "goes on 2026-03-01", "figures": figures},
        {"outcome": "changed", "reason": "no_activity", "detail": null},
        {"outcome": "differs", "reason": "differs", "detail": "the audit trail: event 7 was changed"},
    ]});
    let english = answer.clone();
    translate_answer(&mut answer);
    assert_eq!(answer["data"][0]["detail"], "数量已达到上限 5。");
    assert_eq!(answer["data"][1]["detail"], "将于 2026-03-01 退回公海。");
    assert_eq!(answer["data"][2]["detail"], "将于 2026-03-01 退回公海，此前已预警其负责人。");
    assert_eq!((&answer["data"][3], &answer["data"][4]), (&english["data"][3], &english["data"][4]));
    assert!(OUTCOMES.iter().all(|(_, template)| placeholders(template) == ["goes_on"]));
    let mut other = json!({"id": 7});
    translate_answer(&mut other);
    assert_eq!(other, json!({"id": 7}));
}
