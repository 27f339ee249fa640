//! What a list may be asked, as parameters of the specification.

use crate::request::query::FILE_NAME;
use fairlead_application::Flag;
use fairlead_application::listing::{Field, Kind, Listing, MAX_INTEGER, MAX_SORT, MAX_TEXT, Operator};
use fairlead_domain::values::CURRENCIES;
use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Required, Schema, SchemaFormat};

/// The years that days and instants may be in.
const YEARS: &str = "^(19[0-9]{2}|[2-9][0-9]{3})-";

/// Every parameter of a list, in the order in which the list declares them.
pub(crate) fn parameters(listing: &Listing) -> Vec<Parameter> {
    let filters = listing
        .fields
        .iter()
        .flat_map(|field| field.operators().into_iter().map(|operator| filter(field, operator)));
    filters.chain(search(listing)).chain(includes(listing)).chain(paging(listing)).collect()
}

/// A flag of an operation that reads no list.
pub(crate) fn flag(flag: Flag) -> Parameter {
    let value = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false)));
    query(flag.name(), flag.description().to_owned()).schema(Some(value)).build()
}

/// What an uploaded file is called.
pub(crate) fn file_name() -> Parameter {
    let about = "What the file is called: one line without / and \\ that does not begin with a dot.";
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some(r"^\s*[^/\\.\s][^/\\]*$"))
        .examples([json!("contract.pdf")]);
    query(FILE_NAME, about.to_owned()).required(Required::True).schema(Some(name)).build()
}

fn filter(field: &Field, operator: Operator) -> Parameter {
    let several = matches!(operator, Operator::Equals | Operator::Not) && has_alternatives(field.kind);
    let name = format!("{}{}", field.name, operator.suffix());
    let description = describe(field, operator, several);
    let value = match operator {
        Operator::IsNull => ObjectBuilder::new().schema_type(Type::Boolean),
        _ => value(field.kind, several),
    };
    if several {
        comma_list(&name, description, value, field.most_values())
    } else {
        query(&name, description).schema(Some(value)).build()
    }
}

/// Whether "equals" is "any of". An amount may hold a comma of its own kind, and of two truth values any is
/// no filter.
fn has_alternatives(kind: Kind) -> bool {
    !matches!(kind, Kind::Money(_) | Kind::Boolean)
}

fn describe(field: &Field, operator: Operator, several: bool) -> String {
    let name = field.name;
    let condition = match operator {
        Operator::Equals if matches!(field.kind, Kind::Tags) => "have any of these, separated by commas",
        Operator::Not if matches!(field.kind, Kind::Tags) => "have none of these, separated by commas",
        Operator::Equals if several => "is any of these, separated by commas",
        Operator::Equals => "is this",
        Operator::Not => "is none of these, separated by commas",
        Operator::Gt => "is above this",
        Operator::Gte => "is this or above",
        Operator::Lt => "is below this",
        Operator::Lte => "is this or below",
        Operator::Contains => "contains this, whatever the case of its letters a to z",
        Operator::Prefix => "begins with this, whatever the case of its letters a to z",
        Operator::IsNull => "is absent (`true`) or present (`false`)",
    };
    let masked = if field.sensitive { " Passes over records whose contact data you see masked." } else { "" };
    format!("Rows whose `{name}` {condition}.{masked}")
}

/// The schema of one value. In a comma list it cannot hold a comma.
fn value(kind: Kind, several: bool) -> ObjectBuilder {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let known = |format| Some(SchemaFormat::KnownFormat(format));
    match kind {
        Kind::Text | Kind::Tags => text()
            .min_length(Some(1))
            .max_length(Some(MAX_TEXT))
            .pattern(Some(if several { r"^[^,\u0000]+$" } else { r"^[^\u0000]+$" })),
        Kind::OneOf(words) => text().enum_values(Some(words())),
        Kind::Id => text().format(known(KnownFormat::Uuid)).min_length(Some(36)).max_length(Some(36)),
        Kind::Integer => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(known(KnownFormat::Int64))
            .minimum(Some(-MAX_INTEGER))
            .maximum(Some(MAX_INTEGER)),
        Kind::Boolean => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::Timestamp => text()
            .format(known(KnownFormat::DateTime))
            .max_length(Some(40))
            .pattern(Some(YEARS))
            .examples([json!("2026-01-31T08:30:00.000Z")]),
        Kind::Date => text()
            .format(known(KnownFormat::Date))
            .max_length(Some(10))
            .pattern(Some(YEARS))
            .examples([json!("2026-01-31")]),
        Kind::Money(_) => text()
            .max_length(Some(28))
            .pattern(Some(amount()))
            .description(Some(
                "An amount; without a currency code behind it, of the organisation's currency.",
            ))
            .examples([json!("1000.00 CNY")]),
    }
}

/// An amount that is exact in every currency, with or without the code of a currency that there is.
fn amount() -> String {
    let codes: Vec<&str> = CURRENCIES.iter().map(|(code, ..)| *code).collect();
    format!(r"^-?[0-9]{{1,11}}(\.[0-9]+)?( ({}))?$", codes.join("|"))
}

fn search(listing: &Listing) -> Option<Parameter> {
    let description = "Rows in which any of the searched texts contains this.";
    let text = value(Kind::Text, false);
    (!listing.search.is_empty()).then(|| query("q", description.to_owned()).schema(Some(text)).build())
}

fn includes(listing: &Listing) -> Option<Parameter> {
    let description = "Related records to add to each row, separated by commas.".to_owned();
    let word =
        || ObjectBuilder::new().schema_type(Type::String).enum_values(Some(listing.includes.iter().copied()));
    (!listing.includes.is_empty()).then(|| comma_list("include", description, word(), listing.includes.len()))
}

fn paging(listing: &Listing) -> Vec<Parameter> {
    use fairlead_application::listing::{DEFAULT_LIMIT, MAX_LIMIT};
    let sortable: Vec<String> = listing
        .fields
        .iter()
        .filter(|field| field.sortable)
        .flat_map(|field| [field.name.to_owned(), format!("-{}", field.name)])
        .collect();
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(sortable));
    let order = format!(
        "The order: up to {MAX_SORT} members, separated by commas, with `-` the greatest first. \
         Without it `{}`.",
        listing.default_sort
    );
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(1))
        .maximum(Some(MAX_LIMIT))
        .default(Some(json!(DEFAULT_LIMIT)));
    let cursor = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(2000))
        .pattern(Some("^[A-Za-z0-9_=-]+$"));
    let total = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false)));
    vec![
        comma_list("sort", order, word, MAX_SORT),
        query("limit", "How many rows at most.".to_owned()).schema(Some(limit)).build(),
        query("cursor", "Where the page before ended: its `page.next_cursor`.".to_owned())
            .schema(Some(cursor))
            .build(),
        query("total", "Whether to count the rows of all pages.".to_owned()).schema(Some(total)).build(),
    ]
}

pub(crate) fn comma_list(name: &str, description: String, word: ObjectBuilder, most: usize) -> Parameter {
    let words: RefOr<Schema> =
        ArrayBuilder::new().items(word).min_items(Some(1)).max_items(Some(most)).into();
    query(name, description)
        .schema(Some(words))
        .style(Some(ParameterStyle::Form))
        .explode(Some(false))
        .build()
}

fn query(name: &str, description: String) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use serde_json::Value;

    use super::*;

    static LISTING: Listing = Listing {
        resource: "things",
        fields: &[
            Field::new("name", Kind::Text).sortable(),
            Field::new("status", Kind::OneOf(|| vec!["new", "old"])),
            Field::new("amount", Kind::Money("currency")).nullable(),
            Field::new("score", Kind::Integer),
            Field::new("due_on", Kind::Date),
            Field::new("seen_at", Kind::Timestamp),
            Field::new("tags", Kind::Tags),
        ],
        search: &["name"],
        default_sort: "-name",
        includes: &["owner"],
    };

    #[test]
    fn the_specification_knows_exactly_what_the_parser_knows() {
        let mut documented: Vec<String> =
            parameters(&LISTING).into_iter().map(|parameter| parameter.name).collect();
        let mut parsed = LISTING.parameters();
        documented.sort();
        parsed.sort();
        assert_eq!(documented, parsed);
    }

    #[test]
    fn comma_lists_are_one_parameter() {
        let parameters = serde_json::to_value(parameters(&LISTING)).unwrap();
        let named = |name: &str| {
            parameters.as_array().unwrap().iter().find(|parameter| parameter["name"] == name).unwrap()
        };
        assert_eq!(named("status")["explode"], false);
        assert_eq!(named("status")["schema"]["items"]["enum"], json!(["new", "old"]));
        assert_eq!(named("sort")["schema"]["items"]["enum"], json!(["name", "-name"]));
        assert_eq!(named("amount_is_null")["schema"]["type"], "boolean");
        assert_eq!(named("limit")["schema"]["maximum"], 200);
    }

    /// Whether a parameter's schema allows a text.
    fn allows(schema: &Value, text: &str) -> bool {
        let within = |size: usize, least: &str, most: &str| {
            let size = u64::try_from(size).unwrap();
            schema[least].as_u64().is_none_or(|least| size >= least)
                && schema[most].as_u64().is_none_or(|most| size <= most)
        };
        match schema["type"].as_str() {
            Some("array") => {
                let words: Vec<&str> = text.split(',').collect();
                within(words.len(), "minItems", "maxItems")
                    && words.iter().all(|word| allows(&schema["items"], word))
            }
            Some("integer") => {
                let (least, most) =
                    (schema["minimum"].as_i64().unwrap(), schema["maximum"].as_i64().unwrap());
                text.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number))
            }
            _ => {
                let fits = |pattern: &str| Regex::new(pattern).unwrap().is_match(text);
                within(text.chars().count(), "minLength", "maxLength")
                    && schema["pattern"].as_str().is_none_or(fits)
                    && schema["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == text))
            }
        }
    }

    /// A program that makes up requests from the document is refused none, and whoever leaves it is told so.
    #[test]
    fn the_specification_allows_what_the_parser_takes() {
        let documented = serde_json::to_value(parameters(&LISTING)).unwrap();
        let check = |name: &str, text: &str, expected: bool| {
            let mut all = documented.as_array().unwrap().iter();
            let parameter = all.find(|parameter| parameter["name"] == name).unwrap();
            let taken = LISTING.parse(&[(name.to_owned(), text.to_owned())]).is_ok();
            assert_eq!((taken, allows(&parameter["schema"], text)), (expected, expected), "{name}={text}");
        };
        let (longest, longer) = ("长".repeat(200), "长".repeat(201));
        let (many, more) = (["a"; 20].join(","), ["a"; 21].join(","));
        let words = (["new"; 100].join(","), ["new"; 101].join(","));
        let cases = [
            // A whole query must fit into an address.
            ("name", longest.as_str(), true),
            ("name", &longer, false),
            ("name", &many, true),
            ("name", &more, false),
            ("name", "", false),
            ("name", "a\0b", false),
            ("name_contains", "a,b", true),
            ("name_contains", &longer, false),
            ("tags", &longest, true),
            ("tags", &longer, false),
            ("tags", &more, false),
            ("status", &words.0, true),
            ("status", &words.1, false),
            ("q", &longest, true),
            ("q", &longer, false),
            ("q", "a\0b", false),
            // Every client holds numbers up to 2^53.
            ("score", "9007199254740991", true),
            ("score", "-9007199254740991", true),
            ("score", "9007199254740992", false),
            ("score_gte", "-9007199254740992", false),
            ("score", "9223372036854775807", false),
            // A member that is named twice orders nothing more.
            ("sort", "name,name", true),
            ("sort", "name,-name,name,-name", true),
            ("sort", "name,name,name,name,name", false),
            // Years have four digits, and begin with 1900.
            ("due_on", "1900-01-01,9999-12-31", true),
            ("due_on", "1899-12-31", false),
            ("due_on_gte", "0000-01-01", false),
            ("due_on_lte", "10000-01-01", false),
            ("seen_at", "1900-01-01T00:00:00Z", true),
            ("seen_at_lt", "9999-12-31T23:59:59.999Z", true),
            ("seen_at_gte", "1899-12-31T23:59:59.999Z", false),
            ("seen_at_gte", "0999-01-01T00:00:00Z", false),
            // Amounts are of currencies that there are, and exact in each of them.
            ("amount", "-99999999999.99", true),
            ("amount_gt", "1 CNY", true),
            ("amount", "999999999999", false),
            ("amount", "100000000000 JPY", false),
            ("amount", "1 XXX", false),
            ("amount", "1 RMB", false),
            ("amount", "1 cny", false),
            ("amount", "1e3", false),
            ("amount", "--1", false),
        ];
        for (name, text, expected) in cases {
            check(name, text, expected);
        }
        for (code, ..) in CURRENCIES {
            check("amount", &format!("99999999999 {code}"), true);
        }
    }
}
