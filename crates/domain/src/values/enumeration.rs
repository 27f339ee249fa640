use serde::Serialize;
use utoipa::ToSchema;

/// Declares an enum whose values are lower `snake_case` strings everywhere: JSON, database, URL, spec.
///
/// An unknown string is refused with the code `unknown_value` and the list of the known ones. Each value says what
/// people call it, in English and in Chinese: `New = "new" ("New", "新线索")`. What it means is its doc comment.
///
/// An action of a state machine says no such thing, `Claim = "claim"`: it is called what
/// [`Action`](crate::workflow::Action) calls it, and one that is not there does not compile.
#[macro_export]
macro_rules! text_enum {
    (@label $variant:ident) => {
        $crate::values::TextEnum::label($crate::workflow::Action::$variant)
    };
    (@label $variant:ident $english:literal $chinese:literal) => {
        $crate::values::Label { en: $english, zh_cn: $chinese }
    };
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $(
                $(#[doc = $vdoc:literal])*
                $variant:ident = $text:literal $(($english:literal, $chinese:literal))?
            ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $vdoc])* $variant ),+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl $crate::values::TextEnum for $name {
            const NAME: &'static str = stringify!($name);
            const ALL: &'static [Self] = $name::ALL;

            fn as_str(self) -> &'static str {
                $name::as_str(self)
            }

            fn label(self) -> $crate::values::Label {
                match self { $(Self::$variant => $crate::text_enum!(@label $variant $($english $chinese)?)),+ }
            }

            fn meaning(self) -> &'static str {
                // Each line of a doc comment begins with a space, which is the one between two lines.
                match self { $(Self::$variant => concat!("", $($vdoc),*).trim()),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(concat!("expected one of", $(" `", $text, "`"),+).to_owned()),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|why: String| {
                    $crate::values::form::broken($crate::error::Rule::UnknownValue, why)
                })
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let doc: &[&str] = &[$($doc.trim()),*];
                let values: &[(&str, &[&str])] = &[$(($text, &[$($vdoc.trim()),*])),+];
                $crate::values::enum_schema(&doc.join(" "), values)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
        }
    };
}

/// A closed list of values that people choose from, with what each is called. Made by
/// [`text_enum!`](crate::text_enum).
pub trait TextEnum: Copy + Sized + 'static {
    /// The type's name, as in the specification.
    const NAME: &'static str;

    /// Every value, in the order of declaration.
    const ALL: &'static [Self];

    /// The value as it is written.
    fn as_str(self) -> &'static str;

    /// What people call it.
    fn label(self) -> Label;

    /// What it means, in a sentence.
    fn meaning(self) -> &'static str;
}

/// What something is called, in both languages of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Label {
    /// In English.
    #[schema(value_type = String, max_length = 100, example = "New")]
    pub en: &'static str,
    /// In Simplified Chinese.
    #[schema(value_type = String, max_length = 100, example = "新线索")]
    pub zh_cn: &'static str,
}

/// The schema of a [`text_enum!`](crate::text_enum).
pub fn enum_schema(
    doc: &str,
    values: &[(&str, &[&str])],
) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    let documented = values.iter().filter(|(_, doc)| !doc.is_empty());
    let lines = documented.map(|(text, doc)| format!("- `{text}`: {}", doc.join(" ")));
    let description = std::iter::once(doc.to_owned()).chain(lines).collect::<Vec<_>>().join("\n");
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(values.iter().map(|(text, _)| *text)))
        .examples(values.first().map(|(text, _)| serde_json::json!(text)))
        .into()
}
