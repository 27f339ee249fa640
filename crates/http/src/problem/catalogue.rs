//! The catalogue of problems: what `type` points to.

use fairlead_domain::error::Code;
use fairlead_domain::values::TextEnum;
use serde::Serialize;
use utoipa::ToSchema;

use super::{entry, figures};

/// A member that problems of a kind may have besides those that all have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemFigure {
    /// Its name.
    #[schema(max_length = 40, example = "limit")]
    pub(super) name: String,
    /// What it is in JSON: `string`, `integer`, `boolean`, `array` or `object`; null where there is nothing to tell.
    #[schema(max_length = 10, example = "integer")]
    pub(super) value_type: String,
    /// What it says.
    #[schema(max_length = 300, example = "How many there may be at most.")]
    pub(super) description: String,
    /// What it says, in Chinese.
    #[schema(max_length = 300, example = "数量上限。")]
    pub(super) description_zh: String,
}

/// One kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// The code, which never changes.
    pub(super) code: Code,
    /// The HTTP status that it comes with.
    #[schema(minimum = 308, maximum = 599, example = 409)]
    pub(super) status: u16,
    /// Its title in English.
    #[schema(max_length = 100, example = "Duplicate")]
    pub(super) title: String,
    /// Its title in Chinese.
    #[schema(max_length = 100, example = "数据重复")]
    pub(super) title_zh: String,
    /// What it means.
    #[schema(max_length = 500, example = "A value that must be unique is taken; `errors` names the member.")]
    pub(super) description: String,
    /// What it means, in Chinese.
    #[schema(max_length = 500, example = "必须唯一的值已被占用，`errors` 指出是哪个成员。")]
    pub(super) description_zh: String,
    /// The members that it may have besides those of every problem. Not all of them come in every case.
    #[schema(max_items = 20)]
    pub(super) figures: Vec<ProblemFigure>,
}

/// Every kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemCatalogue {
    /// The kinds, in no particular order.
    #[schema(max_items = 200)]
    pub(super) data: Vec<ProblemKind>,
}

/// One entry of the catalogue.
pub(crate) fn kind(code: Code) -> ProblemKind {
    let (entry, title) = (entry(code), code.label());
    ProblemKind {
        code,
        status: entry.status,
        title: title.en.to_owned(),
        title_zh: title.zh_cn.to_owned(),
        description: description(code).to_owned(),
        description_zh: entry.meaning_zh.to_owned(),
        figures: figures::of(code).iter().map(figure).collect(),
    }
}

fn figure(figure: &figures::Figure) -> ProblemFigure {
    ProblemFigure {
        name: figure.name.to_owned(),
        value_type: figure.kind.name().to_owned(),
        description: figure.english.to_owned(),
        description_zh: figure.chinese.to_owned(),
    }
}

/// The whole catalogue.
pub(crate) fn all() -> ProblemCatalogue {
    ProblemCatalogue { data: Code::ALL.iter().copied().map(kind).collect() }
}

/// What a code means: its own documentation.
pub(crate) fn description(code: Code) -> &'static str {
    code.meaning()
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
