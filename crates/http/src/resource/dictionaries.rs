//! What people choose from, with labels.

use fairlead_application::dictionaries::{self, DictionaryName};
use fairlead_application::{App, Call};
use fairlead_domain::values::Label;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::sentence::Sentence;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Dictionaries", "What people choose from, with labels in English and in Chinese.")
        .read(
            "/dictionaries",
            "list_dictionaries",
            "List everything that people choose from",
            "Every closed list of values, with labels and meanings in both languages: enough to fill each select \
             and to name each state. A value never changes its meaning, but new versions of Fairlead may bring \
             new values and better labels: a frontend reads this when it starts, and keeps it with its `ETag`. \
             Everybody who has logged in may.",
            async |app: &App, call: &Call| {
                let data = dictionaries::list(app, call).await?;
                Ok(DictionaryList { data: data.into_iter().map(Dictionary::from).collect() })
            },
        )
        .kept()
        .impersonal()
        .look(
            "/dictionaries/{name}",
            "get_dictionary",
            "Read one closed list of values",
            "The list of this name, with labels and meanings in both languages. It may be kept like the whole. \
             Everybody who has logged in may.",
            async |app: &App, call: &Call, name: DictionaryName| {
                Ok(Dictionary::from(dictionaries::get(app, call, name).await?))
            },
        )
        .kept()
        .impersonal();
}

/// Everything that people choose from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DictionaryList {
    /// One per closed list.
    #[schema(max_items = 200)]
    data: Vec<Dictionary>,
}

/// A closed list of values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(dictionaries::all().next().map(Dictionary::from)))]
pub(crate) struct Dictionary {
    /// Its name: the name of the schema, in snake_case.
    #[schema(max_length = 50, pattern = "^[a-z_]+$", example = "lead_status")]
    name: String,
    /// The values, in the order in which they are shown.
    #[schema(max_items = 500)]
    values: Vec<DictionaryValue>,
}

/// A value, and what it is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DictionaryValue {
    /// The value, as it is sent and answered.
    #[schema(value_type = String, max_length = 100, example = "new")]
    value: &'static str,
    /// What people call it.
    label: Label,
    /// What it means.
    meaning: Sentence,
}

impl From<dictionaries::Dictionary> for Dictionary {
    fn from(one: dictionaries::Dictionary) -> Self {
        let values = one.values.into_iter().map(|value| DictionaryValue {
            value: value.value,
            label: value.label,
            meaning: Sentence::meaning(value.meaning),
        });
        Self { name: one.name, values: values.collect() }
    }
}
