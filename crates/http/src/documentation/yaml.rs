//! The document in YAML, as every reader takes it for the same document. What a text without quotes is depends on the
//! reader: to those of YAML 1.1, which are many, `2026-01-31` is a day, `on` a truth value and `010` the number eight.
//! So a text goes without quotes only where nobody could take it for anything else.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

/// By how much what belongs to something stands to the right of it.
const STEP: usize = 2;

/// What is a word to people and a value to readers, in whatever letters.
const VALUES: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// The document in YAML.
pub(crate) fn write(document: &OpenApi) -> serde_json::Result<String> {
    Ok(text(&serde_json::to_value(document)?))
}

fn text(value: &Value) -> String {
    let mut yaml = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => write_members(&mut yaml, members, 0),
        Value::Array(items) if !items.is_empty() => write_items(&mut yaml, items, 0),
        other => yaml.push_str(&scalar(other, STEP)),
    }
    yaml.push('\n');
    yaml
}

/// Members below one another; the first one stands where the text ends.
fn write_members(yaml: &mut String, members: &Map<String, Value>, indent: usize) {
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            begin_line(yaml, indent);
        }
        yaml.push_str(&on_one_line(name));
        yaml.push(':');
        match value {
            Value::Object(members) if !members.is_empty() => {
                begin_line(yaml, indent + STEP);
                write_members(yaml, members, indent + STEP);
            }
            Value::Array(items) if !items.is_empty() => {
                begin_line(yaml, indent);
                write_items(yaml, items, indent);
            }
            other => {
                yaml.push(' ');
                yaml.push_str(&scalar(other, indent + STEP));
            }
        }
    }
}

/// Items below one another; the first one stands where the text ends.
fn write_items(yaml: &mut String, items: &[Value], indent: usize) {
    for (at, value) in items.iter().enumerate() {
        if at > 0 {
            begin_line(yaml, indent);
        }
        yaml.push_str("- ");
        match value {
            Value::Object(members) if !members.is_empty() => write_members(yaml, members, indent + STEP),
            Value::Array(items) if !items.is_empty() => write_items(yaml, items, indent + STEP),
            other => yaml.push_str(&scalar(other, indent + STEP)),
        }
    }
}

fn begin_line(yaml: &mut String, indent: usize) {
    yaml.push('\n');
    yaml.extend(std::iter::repeat_n(' ', indent));
}

/// A value without parts. Lines of a text begin at `indent`.
fn scalar(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) if is_prose(text) => lines(text, indent),
        Value::String(text) => on_one_line(text),
        // JSON's own words, numbers and empty brackets are YAML's.
        other => other.to_string(),
    }
}

/// Whether a text can stand as lines: it has some, and loses nothing at its beginning and end.
fn is_prose(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|char| char == '\n' || is_printable(char))
}

fn lines(text: &str, indent: usize) -> String {
    let (head, text) = text.strip_suffix('\n').map_or(("|-", text), |text| ("|", text));
    let mut yaml = head.to_owned();
    for line in text.split('\n') {
        begin_line(&mut yaml, if line.is_empty() { 0 } else { indent });
        yaml.push_str(line);
    }
    yaml
}

fn on_one_line(text: &str) -> String {
    if !text.chars().all(is_printable) {
        escaped(text)
    } else if is_plain(text) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Whether a text means itself to every reader.
fn is_plain(text: &str) -> bool {
    // What begins neither like a number or a day nor with a sign of YAML's.
    let begins = text.starts_with(|char: char| char.is_alphabetic() || "/^($_\\".contains(char));
    (begins || is_version(text))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !VALUES.contains(&text.to_ascii_lowercase().as_str())
}

/// `3.1.0` is no number to anybody.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a character may stand in YAML, and ends no line.
fn is_printable(char: char) -> bool {
    !char.is_control() && !matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn escaped(text: &str) -> String {
    let mut yaml = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => yaml.extend(['\\', char]),
            '\n' => yaml.push_str("\\n"),
            char if is_printable(char) => yaml.push(char),
            char => {
                let _ = write!(yaml, "\\U{:08x}", u32::from(char));
            }
        }
    }
    yaml.push('"');
    yaml
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use serde_json::json;

    use super::*;

    /// What a text without quotes is to readers of YAML 1.1, other than a text: by the patterns of PyYAML, and those of
    /// the standard that go further.
    fn means_something_else() -> Regex {
        let numbers = r"[-+]?([0-9][0-9_,]*)?\.?[0-9_]*([eE][-+]?[0-9]+)?|[-+]?0[xXoObB][0-9a-fA-F_]+";
        let sixtieths = r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?";
        let days = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?";
        let words = r"(?i-u:y|yes|n|no|true|false|on|off|null|~|[-+]?\.inf|\.nan)|=|<<";
        Regex::new(&format!("^({numbers}|{sixtieths}|{days}|{words})$")).unwrap()
    }

    /// How many values of a document are no text, and what its texts are, names of members among them.
    fn parts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) -> usize {
        match value {
            Value::String(text) => texts.push(text),
            Value::Array(items) => return items.iter().map(|item| parts(item, texts)).sum(),
            Value::Object(members) => {
                texts.extend(members.keys().map(String::as_str));
                return members.values().map(|member| parts(member, texts)).sum();
            }
            _ => return 1,
        }
        0
    }

    /// What stands in quotes at the beginning of a line, and what is behind it.
    fn behind_quotes(line: &str) -> Option<&str> {
        let mut rest = line.strip_prefix('\'')?;
        loop {
            let (_, after) = rest.split_once('\'').unwrap();
            match after.strip_prefix('\'') {
                Some(after) => rest = after,
                None => return Some(after),
            }
        }
    }

    /// Everything that stands without quotes, line by line.
    fn bare(yaml: &str) -> Vec<&str> {
        let (mut found, mut prose) = (Vec::new(), None);
        for line in yaml.lines() {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            if prose.is_some_and(|begin| spaces >= begin || line.is_empty()) {
                continue;
            }
            prose = None;
            let mut rest = line.trim_start_matches(' ');
            while let Some(item) = rest.strip_prefix("- ") {
                rest = item;
            }
            let column = line.len() - rest.len();
            let (name, value) = match behind_quotes(rest) {
                Some("") => continue,
                Some(behind) => (None, behind.strip_prefix(':').unwrap().trim_start()),
                None => match rest.split_once(": ") {
                    Some((name, value)) => (Some(name), value),
                    None => match rest.strip_suffix(':') {
                        Some(name) => (Some(name), ""),
                        None => (None, rest),
                    },
                },
            };
            if value.starts_with('|') {
                prose = Some(if value.len() == rest.len() { column } else { column + STEP });
            } else if !value.is_empty() && behind_quotes(value).is_none() {
                found.push(value);
            }
            found.extend(name);
        }
        found
    }

    #[test]
    fn it_is_the_same_document() {
        let document = crate::openapi();
        let yaml = write(&document).unwrap();
        let read: Value = yaml_serde::from_str(&yaml).unwrap();
        assert_eq!(read, serde_json::to_value(&document).unwrap());
        assert!(yaml.starts_with("openapi: 3.1.0\n"));
    }

    #[test]
    fn no_text_in_it_is_taken_for_something_else() {
        let odd = means_something_else();
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut texts = Vec::new();
        let others = parts(&document, &mut texts);
        for text in ["2026-01-31", "2026-01-31T08:30:00.000Z", "200"] {
            assert!(texts.contains(&text) && odd.is_match(text), "{text}");
        }
        let yaml = text(&document);
        let bare = bare(&yaml);
        let found: Vec<&str> = bare.iter().copied().filter(|bare| odd.is_match(bare)).collect();
        // Numbers, truth values and null; with a text among them there would be one more.
        assert!(bare.len() > 10_000 && others > 1_000, "{} {others}", bare.len());
        let days: Vec<&&str> = found.iter().filter(|bare| bare.starts_with("20")).collect();
        assert_eq!(found.len(), others, "{days:?}");
    }

    #[test]
    fn whatever_a_text_is_it_comes_back() {
        let odd = [
            "",
            " ",
            "~",
            "=",
            "<<",
            "-",
            "- a",
            "-name",
            "?",
            "? a",
            ":",
            "a:",
            "a: b",
            "a #b",
            "#a",
            "a ",
            " a",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "true",
            "False",
            "null",
            "NULL",
            ".inf",
            "-.INF",
            ".nan",
            "010",
            "0o10",
            "0x1F",
            "0b1",
            "1_000",
            "1,000",
            "+1",
            "-1.5",
            "1e3",
            "12:30:00",
            "2026-01-31",
            "2026-1-1",
            "2026-01-31T08:30:00.000Z",
            "2026-01-31 08:30:00",
            "3.1.0",
            "1.2.3.4",
            ".5",
            "[a]",
            "{a}",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "'a'",
            "it's",
            "\"a\"",
            "\\",
            "a\\n",
            "%a",
            "@a",
            "`a`",
            ", a",
            "a\tb",
            "\ta",
            "a\r\nb",
            "a\u{7f}b",
            "a\u{85}b",
            "a\u{2028}b",
            "\u{feff}a",
            "a\0b",
            "长城",
            "🐍",
            "---",
            "...",
            "a\nb",
            "a\n",
            "a\n\n",
            "\na",
            " a\nb",
            "a\n b\n\n  c",
            "a\n\nb\n",
            "- a\n- b",
            "# a\nb: c",
            "a \nb",
            "\n",
            "a\n ",
        ];
        let deep = |one: &str| {
            let list = json!([one, [one, [one]], {one: one, "after": [one]}]);
            json!({"a": {"list": list}, one: [], "end": {}})
        };
        for one in odd {
            for value in [json!(one), json!([one, one]), deep(one)] {
                let yaml = text(&value);
                let read: Value =
                    yaml_serde::from_str(&yaml).unwrap_or_else(|error| panic!("{error}:\n{yaml}"));
                assert_eq!(read, value, "{yaml}");
            }
        }
        for (value, yaml) in [
            (json!({"a": [1, -2.5, true, null, {}, []]}), "a:\n- 1\n- -2.5\n- true\n- null\n- {}\n- []\n"),
            (json!({"on": "010", "b": ["x", "a: b"]}), "'on': '010'\nb:\n- x\n- 'a: b'\n"),
            (
                json!({"a": {"b": "c\nd\n"}, "e": [["f\n\ng"]]}),
                "a:\n  b: |\n    c\n    d\ne:\n- - |-\n    f\n\n    g\n",
            ),
        ] {
            assert_eq!(text(&value), yaml);
        }
    }
}
