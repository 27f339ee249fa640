//! The catalogue of problems: what `type` points to.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fairlead_domain::error::Code;
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::entry;

/// One kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// The code, which never changes.
    code: Code,
    /// The HTTP status that it comes with.
    #[schema(minimum = 308, maximum = 599, example = 409)]
    status: u16,
    /// Its title in English.
    #[schema(max_length = 100, example = "Duplicate")]
    title: String,
    /// Its title in Chinese.
    #[schema(max_length = 100, example = "数据重复")]
    title_zh: String,
    /// What it means.
    #[schema(max_length = 500, example = "A value that must be unique is taken; `field` names it.")]
    description: String,
}

/// Every kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemCatalogue {
    /// The kinds, in no particular order.
    #[schema(max_items = 200)]
    data: Vec<ProblemKind>,
}

/// One entry of the catalogue.
pub(crate) fn kind(code: Code) -> ProblemKind {
    let entry = entry(code);
    ProblemKind {
        code,
        status: entry.status,
        title: entry.english.to_owned(),
        title_zh: entry.chinese.to_owned(),
        description: description(code).to_owned(),
    }
}

/// The whole catalogue.
pub(crate) fn all() -> ProblemCatalogue {
    ProblemCatalogue { data: Code::ALL.iter().copied().map(kind).collect() }
}

/// What a code means: the enum's own documentation, which its schema carries line by line.
pub(crate) fn description(code: Code) -> &'static str {
    static LINES: LazyLock<BTreeMap<Code, String>> = LazyLock::new(|| {
        let text = match Code::schema() {
            RefOr::T(Schema::Object(object)) => object.description.unwrap_or_default(),
            _ => String::new(),
        };
        text.lines()
            .filter_map(|line| line.strip_prefix("- `")?.split_once("`: "))
            .filter_map(|(code, meaning)| Some((code.parse().ok()?, meaning.to_owned())))
            .collect()
    });
    LINES.get(&code).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_described() {
        for code in Code::ALL {
            assert!(description(*code).ends_with('.'), "{code}: {}", description(*code));
        }
    }
}
