use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::error::Rule;

/// A kind of record with its article, for English sentences. Of the kinds whose name begins with a vowel, `user` is
/// spoken as if it did not.
pub(crate) fn one_of(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// One broken rule of a value, in the shape in which `validator` nests it under the member that has it.
pub(super) fn one(error: ValidationError) -> ValidationErrors {
    ValidationErrors(HashMap::from([(Cow::Borrowed(""), ValidationErrorsKind::Field(vec![error]))]))
}

pub(super) fn length_error(max: usize) -> ValidationErrors {
    let mut error = Rule::Length.error(format!("must have between 1 and {max} characters"));
    error.add_param("min".into(), &1);
    error.add_param("max".into(), &max);
    one(error)
}

/// What somebody typed, without the white space around it, which nobody sees and which would make two texts of one.
/// What is longer than allowed stays so: the schema counts what is sent.
pub(super) fn trimmed(typed: String, max: usize) -> String {
    let text = typed.trim();
    if text.len() == typed.len() || typed.chars().count() > max { typed } else { text.to_owned() }
}

/// Declares a text with a limit. It is kept as typed, without the white space around it; `validate` judges it, so that
/// a form gets all of its errors in one answer.
macro_rules! text_value {
    ($( $(#[doc = $doc:literal])* $name:ident max $max:literal allowing $extra:expr, example $example:literal; )+) => { $(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest text, in characters.
            pub const MAX: usize = $max;

            /// Takes a text as it is, such as one that was stored; it is trusted once validated.
            pub fn new(text: impl Into<String>) -> Self { Self(text.into()) }

            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        /// Takes what somebody typed.
        impl From<String> for $name {
            fn from(typed: String) -> Self { Self(trimmed(typed, $max)) }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self { text.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }

        impl Validate for $name {
            fn validate(&self) -> Result<(), ValidationErrors> {
                check(&self.0, $max, $extra)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .description(Some([$($doc.trim()),*].join(" ")))
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }
        impl ToSchema for $name {}
    )+ };
}

text_value! {
    /// One line of text: up to 200 characters, not blank, no control characters. White space around it is left out.
    Line max 200 allowing &[], example "Acme Machinery";
    /// Several lines of text: up to 4000 characters, not blank. White space around them is left out.
    Prose max 4000 allowing &['\n', '\r', '\t'], example "Asked for an offer before the end of the month.";
    /// A label: up to 40 characters, not blank. White space around it is left out.
    Tag max 40 allowing &[], example "vip";
}

/// Whether nothing is to be seen of a character: spaces, and what only joins, directs or fills.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || turns_text(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character shows what follows in another order than it is written.
pub(super) fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

// Control characters make log lines and exports lie, and PostgreSQL cannot store NUL.
fn check(text: &str, max: usize, extra: &[char]) -> Result<(), ValidationErrors> {
    if text.chars().any(turns_text) {
        return Err(control_character());
    }
    if text.chars().all(is_invisible) || text.chars().count() > max {
        return Err(length_error(max));
    }
    if text.chars().any(|c| c.is_control() && !extra.contains(&c)) {
        return Err(control_character());
    }
    Ok(())
}

/// Refuses what no database takes for a text, where anything else is taken.
pub fn without_nul(text: &str) -> Result<(), ValidationError> {
    if !text.contains('\0') {
        return Ok(());
    }
    Err(Rule::ControlCharacter.error("must not contain the character NUL"))
}

fn control_character() -> ValidationErrors {
    let message = "must not contain control characters, nor such as turn the direction of text";
    one(Rule::ControlCharacter.error(message))
}

impl Line {
    /// The form in which numbers and references are compared: upper case without spaces, and one spelling of
    /// what Unicode has several of, such as full-width digits.
    pub fn normalised(&self) -> String {
        self.0.nfkc().filter(|c| !is_invisible(*c)).collect::<String>().to_uppercase()
    }
}

/// Up to 20 different labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub Vec<Tag>);

impl Tags {
    /// The most labels.
    pub const MAX: usize = 20;
}

impl Validate for Tags {
    fn validate(&self) -> Result<(), ValidationErrors> {
        if self.0.len() > Self::MAX {
            let mut error = Rule::Length.error(format!("must have at most {} items", Self::MAX));
            error.add_param("max".into(), &Self::MAX);
            return Err(one(error));
        }
        let distinct: std::collections::BTreeSet<&Tag> = self.0.iter().collect();
        if distinct.len() < self.0.len() {
            return Err(one(Rule::Distinct.error("must name each once")));
        }
        self.0.validate()
    }
}

impl utoipa::PartialSchema for Tags {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ArrayBuilder::new()
            .items(utoipa::openapi::Ref::from_schema_name("Tag"))
            .max_items(Some(Self::MAX))
            .unique_items(true)
            .description(Some("Up to 20 different labels."))
            .into()
    }
}
impl ToSchema for Tags {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("Tag".into(), <Tag as utoipa::PartialSchema>::schema()));
    }
}
