//! Sentences that an answer shows in both languages, as it does with labels: what the values of closed lists mean, and
//! what the guards of the state machines say.
//!
//! The domain says them in English. Here is the same in Chinese, by the English wording, so that a sentence that was
//! reworded loses its line. What has none is told in English in its place; a test names it.

mod guards;
mod happenings;
mod meanings;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fairlead_domain::error::{Code, Rule};
use fairlead_domain::values::TextEnum;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::entry;
use guards::GUARDS;
use happenings::HAPPENINGS;
use meanings::MEANINGS;

/// A sentence in both languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Sentence {
    /// In English.
    #[schema(max_length = 500, example = "Nobody has been in touch.")]
    en: String,
    /// In Simplified Chinese.
    #[schema(max_length = 500, example = "尚无人联系。")]
    zh_cn: String,
}

impl Sentence {
    /// What a value of a closed list means.
    pub(crate) fn meaning(english: String) -> Self {
        static KNOWN: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
            let codes = Code::ALL.iter().map(|code| (code.meaning(), entry(*code).meaning_zh));
            let rules = Rule::ALL.iter().map(|rule| (rule.meaning(), rules::meaning(*rule)));
            MEANINGS.iter().chain(HAPPENINGS).copied().chain(codes).chain(rules).collect()
        });
        Self::new(english, &KNOWN)
    }

    /// A further condition of a transition.
    pub(crate) fn guard(english: String) -> Self {
        static KNOWN: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| GUARDS.iter().copied().collect());
        Self::new(english, &KNOWN)
    }

    fn new(english: String, known: &BTreeMap<&str, &str>) -> Self {
        let chinese = known.get(english.as_str()).copied().unwrap_or(&english).to_owned();
        Self { en: english, zh_cn: chinese }
    }
}
