//! What a list may be asked, as parameters of the specification.

use crate::request::query::FILE_NAME;
use fairlead_application::Flag;
use fairlead_application::listing::{
    Field, Kind, Listing, MAX_INCLUDE, MAX_INTEGER, MAX_SORT, MAX_TEXT, Operator,
};
use fairlead_domain::attachment::MediaType;
use fairlead_domain::values::{CURRENCIES, ID_PATTERN};
use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Required, Schema, SchemaFormat};

/// The years that days and instants may be in.
const YEARS: &str = "^(19[0-9]{2}|[2-9][0-9]{3})-";

/// Where a list is asked. Several values of a query are one text with commas between them, those of a body an array.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    Body,
}

impl Place {
    fn commas(self) -> &'static str {
        match self {
            Self::Query => ", separated by commas",
            Self::Body => "",
        }
    }

    /// What has to be known of a value of this kind to write it there.
    fn spelling(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Query, Kind::Timestamp) => {
                " The `+` of an offset (`+08:00`) is written `%2B`: as it is, it stands for a blank."
            }
            _ => "",
        }
    }
}

/// Something that a list may be asked.
pub(super) struct Wish {
    name: String,
    description: String,
    value: ObjectBuilder,
    /// How many values it takes, where it takes several.
    most: Option<usize>,
}

impl Wish {
    fn into_parameter(self) -> Parameter {
        match self.most {
            Some(most) => comma_list(&self.name, self.description, self.value, most),
            None => query(&self.name, self.description).schema(Some(self.value)).build(),
        }
    }

    /// The same as a member of a body: its name and its schema.
    pub(super) fn into_member(self) -> (String, RefOr<Schema>) {
        let schema = if let Some(most) = self.most {
            several(self.value, most).description(Some(self.description)).into()
        } else {
            let mut value = self.value.build();
            let more = value.description.take().map(|more| format!(" {more}")).unwrap_or_default();
            value.description = Some(self.description + &more);
            value.into()
        };
        (self.name, schema)
    }
}

/// Every parameter of a list, in the order in which the list declares them.
pub(crate) fn parameters(listing: &Listing) -> Vec<Parameter> {
    let all = filters(listing, Place::Query).into_iter().chain(others(listing, Place::Query));
    all.map(Wish::into_parameter).collect()
}

/// What may be included of a record that is read alone, as in the rows of its list.
pub(crate) fn include(listing: &Listing) -> Option<Parameter> {
    includes(listing, Place::Query).map(Wish::into_parameter)
}

/// What the rows of a list can be compared with.
pub(super) fn filters(listing: &Listing, place: Place) -> Vec<Wish> {
    let of = |field: &'static Field| {
        field.operators().into_iter().map(move |operator| filter(field, operator, place))
    };
    // What stands for a condition of its own is said in a query only.
    let fields = listing.fields.iter().filter(|field| place == Place::Query || !field.only_equals);
    fields.flat_map(of).collect()
}

/// What a list can be asked besides.
pub(super) fn others(listing: &Listing, place: Place) -> Vec<Wish> {
    search(listing).into_iter().chain(includes(listing, place)).chain(paging(listing, place)).collect()
}

/// A flag of an operation that reads no list.
pub(crate) fn flag(flag: Flag) -> Parameter {
    let value = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false)));
    query(flag.name(), flag.description().to_owned()).schema(Some(value)).build()
}

/// What an uploaded file is called.
pub(crate) fn file_name() -> Parameter {
    let ending = |kind: &MediaType| format!("- `{kind}`: {}", kind.extensions().join(", "));
    let endings: Vec<String> = MediaType::ALL.iter().map(ending).collect();
    let about = format!(
        "What the file is called: one line without / and \\ that does not begin with a dot. What stands behind its last \
         dot is an extension where it has only ASCII letters and digits, a letter among them: then it is one of its \
         `Content-Type`, in capitals or not. `No. 5` and `v1.2` have none.\n\n{}",
        endings.join("\n")
    );
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some(r"^\s*[^/\\.\s][^/\\]*$"))
        .examples([json!("contract.pdf")]);
    query(FILE_NAME, about).required(Required::True).schema(Some(name)).build()
}

fn filter(field: &Field, operator: Operator, place: Place) -> Wish {
    let several = field.takes_several(operator);
    let (value, spelling) = match operator {
        Operator::IsNull => (ObjectBuilder::new().schema_type(Type::Boolean), ""),
        _ => (value(field.kind, several && place == Place::Query), place.spelling(field.kind)),
    };
    Wish {
        name: format!("{}{}", field.name, operator.suffix()),
        description: describe(field, operator, if several { place.commas() } else { "" }) + spelling,
        value,
        most: several.then(|| field.most_values()),
    }
}

fn describe(field: &Field, operator: Operator, commas: &str) -> String {
    let name = field.name;
    let several = field.takes_several(operator);
    let condition = match operator {
        Operator::Equals if matches!(field.kind, Kind::Tags) => "have any of these",
        Operator::Not if matches!(field.kind, Kind::Tags) => "have none of these",
        Operator::Equals if several => "is any of these",
        Operator::Equals => "is this",
        Operator::Not => "is none of these",
        Operator::Gt => "is above this",
        Operator::Gte => "is this or above",
        Operator::Lt => "is below this",
        Operator::Lte => "is this or below",
        Operator::Contains => "contains this, whatever the case of its letters a to z",
        Operator::Prefix => "begins with this, whatever the case of its letters a to z",
        Operator::IsNull => "is absent (`true`) or present (`false`)",
    };
    let masked = if field.sensitive { " Passes over records whose contact data you see masked." } else { "" };
    let same = if field.key(operator).is_some() { ", however it is written" } else { "" };
    format!("Rows whose `{name}` {condition}{commas}{same}.{masked}")
}

/// The schema of one value. In a comma list it cannot hold a comma.
fn value(kind: Kind, in_comma_list: bool) -> ObjectBuilder {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let known = |format| Some(SchemaFormat::KnownFormat(format));
    match kind {
        Kind::Text | Kind::Tags => text()
            .min_length(Some(1))
            .max_length(Some(MAX_TEXT))
            .pattern(Some(if in_comma_list { r"^[^,\u0000]+$" } else { r"^[^\u0000]+$" })),
        Kind::OneOf(words) => text().enum_values(Some(words())),
        Kind::Id => text()
            .format(known(KnownFormat::Uuid))
            .min_length(Some(36))
            .max_length(Some(36))
            .pattern(Some(ID_PATTERN)),
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

fn search(listing: &Listing) -> Option<Wish> {
    let description = "Rows in which any of the searched texts contains this.".to_owned();
    let value = value(Kind::Text, false);
    (!listing.search.is_empty()).then(|| Wish { name: "q".to_owned(), description, value, most: None })
}

fn includes(listing: &Listing, place: Place) -> Option<Wish> {
    let description = format!(
        "Related records to add beside their ids{}; behind a point, what to add to such a record, which then comes \
         along.",
        place.commas()
    );
    let relations = listing.relations();
    let there_are_some = !relations.is_empty();
    let value = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(relations));
    there_are_some.then(|| Wish { name: "include".to_owned(), description, value, most: Some(MAX_INCLUDE) })
}

fn paging(listing: &Listing, place: Place) -> [Wish; 4] {
    use fairlead_application::listing::{DEFAULT_LIMIT, MAX_LIMIT};
    let sortable: Vec<String> = listing
        .fields
        .iter()
        .filter(|field| field.sortable)
        .flat_map(|field| [field.name.to_owned(), format!("-{}", field.name)])
        .collect();
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(sortable));
    let is_amount = |field: &&Field| field.sortable && matches!(field.kind, Kind::Money(_));
    let amounts: Vec<&str> = listing.fields.iter().filter(is_amount).map(|field| field.name).collect();
    let in_smallest_units = amounts.first().map(|one| {
        format!(
            " By {} rows are compared in the smallest unit of each one's currency, whatever that is (19.00 CNY is 1900, \
             150000 JPY is 150000, 20.000 KWD is 20000); a filter such as `{one}_gte=0 CNY` leaves one currency.",
            amounts.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
        )
    });
    let order = format!(
        "The order: up to {MAX_SORT} members{}, with `-` the greatest first. Without it `{}`.{}",
        place.commas(),
        listing.default_sort,
        in_smallest_units.unwrap_or_default()
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
    let one = |name: &str, description: &str, value| Wish {
        name: name.to_owned(),
        description: description.to_owned(),
        value,
        most: None,
    };
    [
        Wish { most: Some(MAX_SORT), ..one("sort", &order, word) },
        one("limit", "How many rows at most.", limit),
        one("cursor", "Where the page before ended: its `page.next_cursor`.", cursor),
        one("total", "Whether to count the rows of all pages.", total),
    ]
}

fn several(value: ObjectBuilder, most: usize) -> ArrayBuilder {
    ArrayBuilder::new().items(value).min_items(Some(1)).max_items(Some(most))
}

pub(crate) fn comma_list(name: &str, description: String, word: ObjectBuilder, most: usize) -> Parameter {
    query(name, description)
        .schema(Some(several(word, most)))
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
        includes: &[
            &["owner"],
            &["customer", "customer.owner"],
            &["contract", "contract.owner", "contract.customer"],
        ],
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

    /// Whoever sorts by amounts of several currencies is told what that means; others are not.
    #[test]
    fn orders_by_amounts_say_how_they_compare() {
        static PRICED: Listing = Listing {
            fields: &[Field::new("price", Kind::Money("price_currency")).in_column("price_minor").sortable()],
            search: &[],
            default_sort: "-price",
            includes: &[],
            resource: "priced",
        };
        let told = |listing: &Listing| {
            let parameters = serde_json::to_value(parameters(listing)).unwrap();
            let mut all = parameters.as_array().unwrap().iter();
            let sort = all.find(|parameter| parameter["name"] == "sort").unwrap();
            sort["description"]
                .as_str()
                .unwrap()
                .contains("By `price` rows are compared in the smallest unit")
        };
        assert!(told(&PRICED));
        assert!(!told(&LISTING));
    }

    /// A telephone number is compared however it is written, but only where it is compared as a whole.
    #[test]
    fn what_is_compared_in_a_normal_form_says_so() {
        let field = Field::new("phone", Kind::Text).compared_by("phone_key", str::to_lowercase);
        assert!(describe(&field, Operator::Equals, "").contains("however it is written"));
        assert!(!describe(&field, Operator::Prefix, "").contains("however it is written"));
    }

    /// In a body a `+` is a `+`, and whether something is absent has no offset.
    #[test]
    fn parameters_of_instants_say_how_an_offset_is_written() {
        for (place, expected) in [(Place::Query, true), (Place::Body, false)] {
            for wish in filters(&LISTING, place) {
                let tells = wish.description.contains("%2B");
                assert_eq!(tells, expected && wish.name.starts_with("seen_at"), "{}", wish.name);
            }
        }
        let field = Field::new("seen_at", Kind::Timestamp).nullable();
        assert!(!filter(&field, Operator::IsNull, Place::Query).description.contains("%2B"));
    }

    /// A `+` that is not escaped has become a blank.
    #[test]
    fn an_offset_that_lost_its_sign_is_told_what_to_write() {
        for (text, expected) in [
            ("2026-01-01T00:00:00 08:00", true),
            ("2026-01-01T00:00:00Z,2026-01-01 00:00:00.5 08:00", true),
            ("2026-01-01T00:00:00 08", false),
            ("2026-13-01T00:00:00 08:00", false),
            ("2026-01-01 00:00:00", false),
            ("2026-01-01", false),
        ] {
            let refusal = LISTING.parse(&[("seen_at".to_owned(), text.to_owned())]).unwrap_err();
            assert_eq!(refusal.detail.contains("`%2B`"), expected, "{text}: {}", refusal.detail);
        }
        for text in ["2026-01-01T00:00:00+08:00", "2026-01-01 00:00:00Z"] {
            assert!(LISTING.parse(&[("seen_at".to_owned(), text.to_owned())]).is_ok(), "{text}");
        }
        let other = LISTING.parse(&[("due_on".to_owned(), "2026-01-01T00:00:00 08:00".to_owned())]);
        assert!(!other.unwrap_err().detail.contains("%2B"));
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
                text.parse::<i64>()
                    .is_ok_and(|number| number.to_string() == text && (least..=most).contains(&number))
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
            let query = [(name.to_owned(), text.to_owned())];
            let parsed = LISTING.parse(&query);
            let taken = parsed.is_ok();
            if name == "include" {
                // Of a record alone the same is taken, and refused in the same words.
                let said = |refusal: fairlead_domain::error::Refusal| refusal.errors;
                let alone = LISTING.parse_include(&query).map_err(said);
                assert_eq!(alone, parsed.map(|request| request.include).map_err(said), "{text}");
            }
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
            // As JSON writes them.
            ("score", "-7", true),
            ("score", "0", true),
            ("score", "+7", false),
            ("score", "07", false),
            ("score", "-0", false),
            ("limit", "5", true),
            ("limit", "+5", false),
            ("limit", "05", false),
            ("limit", "-5", false),
            ("score", "9223372036854775807", false),
            // A member that is named twice orders nothing more.
            ("sort", "name,name", true),
            ("sort", "name,-name,name,-name", true),
            ("sort", "name,name,name,name,name", false),
            // Nor does a relation that is named twice add anything.
            ("include", "owner", true),
            ("include", "owner,owner", true),
            ("include", "customer.owner", true),
            ("include", "owner,customer,customer.owner,contract.owner,contract.customer", true),
            ("include", "owner,owner,owner,owner,owner,owner", false),
            ("include", "owner,customer,customer.owner,contract,contract.owner,contract.customer", false),
            ("include", "owner.team", false),
            ("include", "contract.customer.owner", false),
            ("include", "customer.", false),
            ("include", ".owner", false),
            ("include", "", false),
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
