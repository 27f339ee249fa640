//! What the source says: rules and sentences are named where they are decided.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The source of the crates that refuse something, without its tests and without what is said in Chinese.
pub(super) fn sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = ["domain", "persistence", "application", "http"]
        .iter()
        .map(|name| crates.join(name).join("src"))
        .collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("problem/chinese") && !path.ends_with("src/sentence") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
                && !path.ends_with("chinese.rs")
            {
                let text = std::fs::read_to_string(path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                sources.push(code.to_owned());
            }
        }
    }
    assert!(sources.len() > 100, "{}", sources.len());
    sources
}

/// The rules that a source names, as `Rule` calls them.
pub(super) fn named(source: &str) -> BTreeSet<&str> {
    let behind = source.split("Rule::").skip(1);
    behind.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next()).collect()
}

/// The codes of the rules that the validator breaks where a source says so in an attribute: its own, which are called
/// as they are written, or what the attribute calls them.
pub(super) fn validated(source: &str) -> BTreeSet<String> {
    let attribute = "#[validate(";
    let mut found = BTreeSet::new();
    for (begin, _) in source.match_indices(attribute) {
        for argument in arguments(&source[begin + attribute.len()..]) {
            if let Some((_, code)) = argument.split_once("code = \"") {
                found.extend(code.split('"').next().map(str::to_owned));
                continue;
            }
            let word: String = argument.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if !["", "nested", "custom", "schema"].contains(&word.as_str()) {
                found.insert(word);
            }
        }
    }
    found
}

/// Broken rules that would be told by their bare codes: those of the validator whose sentence nobody makes.
pub(super) fn wordless(source: &str) -> Vec<String> {
    let attribute = "#[validate(";
    let mut found = Vec::new();
    for (begin, _) in source.match_indices(attribute) {
        for rule in arguments(&source[begin + attribute.len()..]) {
            // The domain makes the sentence of a length or a range, by these figures.
            let bounded = rule.starts_with("length(") || rule.starts_with("range(");
            let figures = rule.contains("min =") || rule.contains("max =");
            let made_by_others = ["nested", "custom(", "schema("].iter().any(|way| rule.starts_with(way));
            if !(rule.is_empty() || made_by_others || rule.contains("message =") || bounded && figures) {
                found.push(rule);
            }
        }
    }
    found
}

/// Functions whose errors are told of a query or a path as they are, by the line that each begins with.
const HANDED_ON: [&str; 13] = [
    "fn parse(&self, text: &str) -> Result<Vec<Value>, String>",
    "fn parse_condition(",
    "pub(super) fn include<",
    "pub(super) fn order<",
    "fn boolean(",
    "pub(super) fn bounded(",
    "pub fn parse(text: &str, currency: Currency)",
    "pub fn parse_id(",
    "fn read_day(",
    "impl std::str::FromStr for CurrencyCode",
    "impl FromStr for Timestamp",
    "impl FromStr for FormToken",
    "impl FromStr for DictionaryName",
];

/// What the source says of requests that cannot be read, with `{}` where it cites something.
pub(super) fn unreadable(sources: &[String]) -> BTreeSet<String> {
    let maker = "malformed(";
    let mut found = BTreeSet::new();
    for source in sources {
        for (begin, _) in source.match_indices(maker) {
            // The constructor has a pointer before it; a shorthand for it has none.
            let at = usize::from(source[..begin].ends_with("Refusal::"));
            let arguments = arguments(&source[begin + maker.len()..]);
            let Some(argument) = arguments.get(at) else { continue };
            let named = format!("let {argument} =");
            let bound = source[..begin].rfind(&named).map(|before| &source[before + named.len()..]);
            found.extend(sentence(argument).or_else(|| bound.and_then(sentence)));
        }
    }
    for head in HANDED_ON {
        let body = sources.iter().find_map(|source| body(source, head));
        let body = body.unwrap_or_else(|| panic!("nothing begins with {head}"));
        found.extend(templates(body));
        for (end, _) in body.match_indices("\".to_owned()") {
            found.extend(body[..end].rfind('"').and_then(|begin| sentence(&body[begin..])));
        }
    }
    found
}

/// Every text that a source fills with figures, with `{}` where they are.
pub(super) fn templates(source: &str) -> BTreeSet<String> {
    source.match_indices("format!(").filter_map(|(begin, _)| sentence(&source[begin..])).collect()
}

/// A function or an implementation, by what its first line begins with.
fn body<'a>(source: &'a str, head: &str) -> Option<&'a str> {
    let begin = source.find(head)?;
    let line = source[..begin].rfind('\n').map_or(0, |end| end + 1);
    let indent = &source[line..begin];
    let end = source[begin..].find(&format!("\n{indent}}}\n"))?;
    indent.trim().is_empty().then(|| &source[begin..begin + end])
}

/// The sentence that stands here, if one does, be it a text or a template.
fn sentence(code: &str) -> Option<String> {
    let code = code.trim_start();
    let quoted = code.strip_prefix("format!(").unwrap_or(code).trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = quoted.find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let (mut bare, mut rest) = (String::new(), &quoted[..end]);
    while let Some((before, behind)) = rest.split_once('{') {
        bare.push_str(before);
        bare.push_str("{}");
        rest = behind.split_once('}')?.1;
    }
    bare.push_str(rest);
    // A word alone is a name.
    bare.contains(' ').then(|| bare.replace("\\\"", "\""))
}

/// What stands behind an opening parenthesis, cut at its commas.
fn arguments(text: &str) -> Vec<String> {
    let (mut arguments, mut depth) = (vec![String::new()], 0);
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(c);
    }
    arguments.iter().map(|argument| argument.trim().to_owned()).collect()
}
