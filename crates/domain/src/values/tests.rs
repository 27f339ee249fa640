use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

const CURRENCIES: [Currency; 4] = [Currency::JPY, Currency::CNY, Currency::KWD, Currency::CLF];

fn minor() -> impl Strategy<Value = i64> {
    prop_oneof![-1_000..=1_000_i64, -MAX_MINOR..=MAX_MINOR]
}

fn currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(&CURRENCIES)
}

/// `numerator / denominator`, ties to even, in whole numbers.
fn half_even(numerator: i128, denominator: i128) -> i128 {
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    match (rest * 2).cmp(&denominator) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

proptest! {
    #[test]
    fn amounts_are_written_and_read_back(minor in minor(), currency in currency()) {
        let money = Money::from_minor(minor, currency);
        prop_assert_eq!(Money::parse(&money.amount().to_string(), currency).unwrap(), money);
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn sums_are_exact(parts in proptest::collection::vec(minor(), 0..50), currency in currency()) {
        let sum = Money::sum(currency, parts.iter().map(|part| Money::from_minor(*part, currency))).unwrap();
        prop_assert_eq!(sum.minor(), parts.iter().sum::<i64>());
        let mut rest = sum;
        for part in &parts {
            rest = rest.minus(Money::from_minor(*part, currency)).unwrap();
        }
        prop_assert!(rest.is_zero());
    }

    /// Against whole-number arithmetic: rounded once, ties to even, refused above the limit.
    #[test]
    fn products_round_half_even_once(minor in minor(), factor in 0..=10_000_000_i64, currency in currency()) {
        let product = Money::from_minor(minor, currency).times(Decimal::new(factor, 4));
        let exact = half_even(i128::from(minor) * i128::from(factor), 10_000);
        if exact.unsigned_abs() <= u128::from(MAX_MINOR.unsigned_abs()) {
            prop_assert_eq!(i128::from(product.unwrap().minor()), exact);
        } else {
            prop_assert_eq!(product.unwrap_err().code, crate::error::Code::AmountOutOfRange);
        }
    }

    #[test]
    fn tax_and_net_are_the_gross(minor in 0..=MAX_MINOR, points in 0..=10_000_i64, currency in currency()) {
        let rate = Rate::from_basis_points(points).unwrap();
        let split = Money::from_minor(minor, currency).split_tax(rate).unwrap();
        prop_assert_eq!(split.net.plus(split.tax).unwrap(), split.gross);
        prop_assert_eq!(split.gross.minor(), minor);
        let tax = half_even(i128::from(minor) * i128::from(points), 10_000 + i128::from(points));
        prop_assert_eq!(i128::from(split.tax.minor()), tax);
    }

    #[test]
    fn no_text_makes_a_wrong_amount(text in "[-+0-9.eE, ]{0,30}", currency in currency()) {
        if let Ok(money) = Money::parse(&text, currency) {
            prop_assert!(money.minor().abs() <= MAX_MINOR);
            prop_assert_eq!(money.amount(), text.parse::<Decimal>().unwrap());
        }
    }

    #[test]
    fn rates_are_written_and_read_back(points in 0..=10_000_i64) {
        let rate = Rate::from_basis_points(points).unwrap();
        prop_assert_eq!(rate.basis_points(), points);
        prop_assert_eq!(rate.fraction().to_string().parse::<Rate>().unwrap(), rate);
    }

    #[test]
    fn instants_are_written_and_read_back(millis in -2_208_988_800_000..=253_402_300_799_999_i64) {
        let instant = Timestamp::new(chrono::DateTime::from_timestamp_millis(millis).unwrap());
        prop_assert_eq!(instant.millis(), millis);
        prop_assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
    }
}

#[test]
fn ties_go_to_the_even_neighbour() {
    let half = Decimal::new(5, 1);
    for (minor, product) in [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2)] {
        let money = Money::from_minor(minor, Currency::CNY);
        assert_eq!(money.times(half).unwrap().minor(), product, "{minor}");
    }
}

#[test]
fn currencies_do_not_mix() {
    let (cny, usd) = (Money::from_minor(1, Currency::CNY), Money::from_minor(1, Currency::USD));
    for refused in [cny.plus(usd), cny.minus(usd), cny.at_most(usd), Money::sum(Currency::CNY, [cny, usd])] {
        assert_eq!(refused.unwrap_err().code, crate::error::Code::CurrencyMismatch);
    }
    assert!(cny.exceeds(usd).is_err());
}

#[test]
fn amounts_keep_their_bounds() {
    use Currency::{CNY, JPY, KWD};
    let read = |text: &str, currency| {
        Money::parse(text, currency).map(Money::minor).map_err(|(rule, _)| rule.as_str())
    };
    for (text, currency, minor) in [
        ("0", CNY, 0),
        ("-0.00", CNY, 0),
        ("12000.00", CNY, 1_200_000),
        ("12000", CNY, 1_200_000),
        ("0.10", CNY, 10),
        ("0.1000000", CNY, 10),
        ("007.5", CNY, 750),
        ("-3.21", CNY, -321),
        ("5", JPY, 5),
        ("5.0", JPY, 5),
        ("1.234", KWD, 1234),
        ("10000000000000.00", CNY, MAX_MINOR),
    ] {
        assert_eq!(read(text, currency), Ok(minor), "{text}");
    }
    for (text, currency, code) in [
        ("1.001", CNY, "too_many_decimals"),
        ("0.5", JPY, "too_many_decimals"),
        ("1.2345", KWD, "too_many_decimals"),
        ("10000000000000.01", CNY, "amount_out_of_range"),
        ("-10000000000000.01", CNY, "amount_out_of_range"),
        ("92233720368547758.08", CNY, "amount_out_of_range"),
        ("999999999999999999999999", CNY, "amount_out_of_range"),
        ("1e3", CNY, "invalid_amount"),
        ("1E3", CNY, "invalid_amount"),
        ("+1", CNY, "invalid_amount"),
        ("--1", CNY, "invalid_amount"),
        ("", CNY, "invalid_amount"),
        ("-", CNY, "invalid_amount"),
        (".", CNY, "invalid_amount"),
        (".5", CNY, "invalid_amount"),
        ("5.", CNY, "invalid_amount"),
        ("1.2.3", CNY, "invalid_amount"),
        ("1,000", CNY, "invalid_amount"),
        ("1_000", CNY, "invalid_amount"),
        (" 1", CNY, "invalid_amount"),
        ("１", CNY, "invalid_amount"),
        ("NaN", CNY, "invalid_amount"),
        ("0000000000000000000000001", CNY, "invalid_amount"),
    ] {
        assert_eq!(read(text, currency), Err(code), "{text}");
    }
}

#[test]
fn broken_values_say_which_rule() {
    fn rule<T: serde::de::DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
        form::classify(&error).map_or_else(|| "malformed".to_owned(), |broken| broken.rule.to_string())
    }
    assert_eq!(rule::<Money>(r#"{"amount": "1.001", "currency": "CNY"}"#), "too_many_decimals");
    assert_eq!(rule::<Money>(r#"{"amount": "1", "currency": "XYZ"}"#), "unknown_currency");
    assert_eq!(rule::<Money>(r#"{"amount": "1", "currency": "cny"}"#), "unknown_currency");
    assert_eq!(rule::<Money>(r#"{"amount": "1", "currency": "XAU"}"#), "unknown_currency");
    assert_eq!(rule::<Money>(r#"{"amount": 1, "currency": "CNY"}"#), "malformed");
    assert_eq!(rule::<Money>(r#"{"amount": "1"}"#), "malformed");
    assert_eq!(rule::<Money>(r#"{"amount": "1", "currency": "CNY", "x": 1}"#), "malformed");
    assert_eq!(rule::<Rate>(r#""1.01""#), "invalid_rate");
    assert_eq!(rule::<CustomerId>(r#""x""#), "invalid_id");
    assert_eq!(rule::<Timestamp>(r#""2026-01-31""#), "invalid_timestamp");
    assert_eq!(rule::<crate::catalogue::Quantity>(r#""0""#), "invalid_quantity");
    assert_eq!(rule::<crate::approval::ApproverRule>(r#""role:X""#), "invalid_approver_rule");
}

#[test]
fn rates_and_quantities_keep_their_bounds() {
    use crate::catalogue::Quantity;
    for text in ["0", "0.0", "0.13", "0.1234", "1", "1.0000"] {
        assert!(text.parse::<Rate>().is_ok(), "{text}");
    }
    for text in
        ["", ".", ".5", "0.", "1.", "1.0001", "2", "00", "00.5", "-0.1", "+0.1", "1e-1", "0.12345", "0,1"]
    {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
    assert!(Rate::from_basis_points(-1).is_none() && Rate::from_basis_points(10_001).is_none());
    for text in ["1", "0.0001", "2.5", "1000000000", "0000000001.50"] {
        assert!(text.parse::<Quantity>().is_ok(), "{text}");
    }
    for text in ["", "0", "0.0", "-1", ".5", "5.", "1.00001", "1000000000.0001", "10000000000", "1e3", "+1"] {
        assert!(text.parse::<Quantity>().is_err(), "{text}");
    }
}

#[test]
fn a_text_has_something_to_read_and_reads_as_it_is_written() {
    let rule = |text: &str| match validator::Validate::validate(&Line::new(text)) {
        Ok(()) => "",
        Err(errors) if errors.to_string().contains("control") => "control_character",
        Err(_) => "length",
    };
    // What joins letters belongs to many a name.
    for text in ["a", "क्\u{200d}ष", "می\u{200c}خواهم", "👩\u{200d}💻", "שלום\u{200f}", "長\u{3000}文"]
    {
        assert_eq!(rule(text), "", "{text:?}");
    }
    for text in
        ["", " ", "\u{3000}\u{a0}", "\u{feff}", "\u{200b}\u{200d} \u{2060}", "\u{ad}", "\u{3164}", "\u{2800}"]
    {
        assert_eq!(rule(text), "length", "{text:?}");
    }
    for text in ["a\u{0}", "a\u{202e}b", "\u{202a}", "a\u{2066}b\u{2069}", "a\nb"] {
        assert_eq!(rule(text), "control_character", "{text:?}");
    }
    let address = |text: &str| validator::Validate::validate(&WebAddress::new(text)).is_ok();
    assert!(address("https://example.com/a") && !address("https://example.com/\u{202e}a"));
}

#[test]
fn white_space_around_a_text_is_no_part_of_it() {
    fn taken<T: serde::de::DeserializeOwned>(typed: &str) -> T {
        serde_json::from_value(typed.into()).unwrap()
    }
    let valid = |text: &Line| validator::Validate::validate(text).is_ok();
    for (typed, kept) in [
        ("  Acme ", "Acme"),
        ("\tAcme\r\n", "Acme"),
        ("\u{3000}上海 星辰\u{a0}", "上海 星辰"),
        ("Acme  Tools", "Acme  Tools"),
        // It may belong to the letter before it.
        ("می\u{200c}", "می\u{200c}"),
    ] {
        let line: Line = taken(typed);
        assert_eq!(line.as_str(), kept, "{typed:?}");
        assert!(valid(&line), "{typed:?}");
        assert_eq!(line, taken::<Line>(kept), "{typed:?}");
    }
    for blank in ["", " ", "\u{3000}\n"] {
        assert_eq!(taken::<Line>(blank).as_str(), "", "{blank:?}");
        assert!(!valid(&taken(blank)), "{blank:?}");
    }
    assert_eq!(taken::<Prose>(" 1. Called\n\n  2. Wrote \n").as_str(), "1. Called\n\n  2. Wrote");
    assert_eq!(taken::<Email>(" li.wei@example.com\n").as_str(), "li.wei@example.com");
    assert_eq!(taken::<Phone>(" +86 138 0013 8000 ").as_str(), "+86 138 0013 8000");
    assert_eq!(taken::<WebAddress>("https://example.com ").as_str(), "https://example.com");
    let tags: Tags = serde_json::from_value(serde_json::json!(["vip", " vip"])).unwrap();
    assert!(validator::Validate::validate(&tags).is_err(), "they are the same");

    // What is sent is counted, as the schema says.
    let long = |length: usize| format!("{} ", "x".repeat(length));
    assert!(valid(&taken(&long(199))) && !valid(&taken(&long(200))));
    // What was stored is not looked into.
    assert_eq!(Line::new(" Acme ").as_str(), " Acme ");
}

#[test]
fn numbers_are_compared_in_one_spelling() {
    for twin in ["AB12", "ab12", " A b 1 2 ", "ａｂ１２", "A\u{200b}B12", "\u{feff}ab\u{3000}12"] {
        assert_eq!(Line::new(twin).normalised(), "AB12", "{twin:?}");
    }
    assert_ne!(Line::new("AB-12").normalised(), "AB12");
}

#[test]
fn an_id_is_read_in_one_form_and_written_in_lower_case() {
    let id = "0190163d-8694-739b-aea5-966c26f8ad91";
    for text in [id, "0190163D-8694-739B-AEA5-966C26F8AD91", "0190163d-8694-739B-AEA5-966c26f8ad91"] {
        assert_eq!(text.parse::<LeadId>().unwrap().to_string(), id);
    }
    for text in [
        "",
        "0190163d8694739baea5966c26f8ad91",
        "{0190163d-8694-739b-aea5-966c26f8ad91}",
        "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
        "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163d-8694-739b-aea5-966c26f8ad9g",
        " 0190163d-8694-739b-aea5-966c26f8ad91",
    ] {
        assert!(text.parse::<LeadId>().is_err(), "{text}");
    }
}

#[test]
fn years_have_four_digits() {
    for text in ["1900-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-01-31T08:30:00+08:00"] {
        assert!(text.parse::<Timestamp>().is_ok(), "{text}");
    }
    for text in [
        "1899-12-31T23:59:59Z",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        "2026-01-31T08:30:00",
        "2016-12-31T23:59:60Z",
        "2026-01-31T08:30:60.5Z",
        "now",
    ] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
    let day = |year| chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    assert!(written_day(&day(1900)).is_ok() && written_day(&day(9999)).is_ok());
    assert!(written_day(&day(-5000)).is_err() && written_day(&day(10_000)).is_err());
}

#[test]
fn the_business_day_is_the_organisations() {
    let late: Timestamp = "2026-03-10T16:30:00Z".parse().unwrap();
    assert_eq!(Today::at(late, chrono_tz::Asia::Shanghai).0.to_string(), "2026-03-11");
    assert_eq!(Today::at(late, chrono_tz::UTC).0.to_string(), "2026-03-10");
}

#[test]
fn a_telephone_number_has_one_form_however_it_is_written() {
    let ways: [(&str, &[&str]); 8] = [
        (
            "8613912340000",
            &[
                "13912340000",
                "139 1234 0000",
                "139-1234-0000",
                "+86 139 1234 0000",
                "+8613912340000",
                "(+86) 139 1234 0000",
                "0086 139 1234 0000",
                "8613912340000",
                " 86 139 1234 0000",
                "013912340000",
                "+86 0139 1234 0000",
            ],
        ),
        (
            "862155550199",
            &[
                "+86 21 5555 0199",
                "+86 (0)21 5555 0199",
                "+86 (021) 5555-0199",
                "+86 021 5555 0199",
                "0086 21 5555 0199",
                "0086 (0)21 5555 0199",
                "86 21 5555 0199",
                "86-021-55550199",
                "021 5555 0199",
                "021-55550199",
                "(021) 5555-0199",
                "(0)21 5555 0199",
                "02155550199",
            ],
        ),
        ("865748826441", &["0574 882 6441", "+86 574 882 6441", "+86 (0)574 882 6441"]),
        ("8657488264410", &["0574 8826 4410", "+86 574 8826 4410", "(0574) 88264410"]),
        ("864008208820", &["400-820-8820", "+86 400 820 8820", "86 400 820 8820"]),
        ("442079460000", &["+44 20 7946 0000", "+44 (0)20 7946 0000", "0044 (0)20 7946 0000"]),
        ("12125550100", &["+1 212 555 0100", "001 212 555 0100", "1 (212) 555-0100"]),
        // What does not say its area stays as it is, and an extension makes another number.
        ("55550199", &["5555 0199", "5555-0199"]),
    ];
    for (compared, written) in ways {
        for typed in written {
            assert_eq!(Phone::new(*typed).normalised(), compared, "{typed}");
        }
    }
    let different = [
        "021 5555 0199",
        "021 5555 0199 x12",
        "021 5555 0199 x13",
        "021 5555 0198",
        "022 5555 0199",
        "0210 5555 0199",
        "5555 0199",
        "+49 21 5555 0199",
        "+1 391 234 0000",
        "139 1234 0000",
        "139 1234 0000 x1",
        "+49 139 1234 0000",
        "0574 882 6441",
        "0574 8826 4410",
        "010 6655 4321",
        "95588",
    ];
    let keys: std::collections::BTreeSet<String> =
        different.iter().map(|typed| Phone::new(*typed).normalised()).collect();
    assert_eq!(keys.len(), different.len(), "{keys:?}");
    assert_eq!(Phone::new("+86 21 5555 0199 x12").normalised(), Phone::new("(021) 55550199x12").normalised());
}

#[test]
fn contact_data_is_compared_in_one_form_and_masked_in_another() {
    for (typed, compared) in [
        ("138 0013 8000", "8613800138000"),
        ("+86 138-0013-8000", "8613800138000"),
        ("0086 13800138000", "8613800138000"),
        ("+1 (555) 010-9999", "15550109999"),
    ] {
        assert_eq!(Phone::new(typed).normalised(), compared);
    }
    assert_eq!(mask_phone(&Phone::new("138 0013 8000")).as_str(), "138****8000");
    assert_eq!(mask_phone(&Phone::new("12345678")).as_str(), "****");
    assert_eq!(mask_phone(&mask_phone(&Phone::new("138 0013 8000"))).as_str(), "138****8000");
    assert_eq!(mask_email(&Email::new("zhang@example.com")).as_str(), "z***@example.com");
    let accepts = |text: &str| validator::Validate::validate(&WebAddress::new(text)).is_ok();
    assert!(accepts("https://example.com") && accepts("http://example.com/a?b=c"));
    assert!(!accepts("httpx://example.com") && !accepts("javascript:alert(1)") && !accepts("example.com"));
}

#[test]
fn what_people_choose_from_has_labels_and_meanings() {
    use crate::lead::{LeadStatus, ScoreOperator};
    assert_eq!(<LeadStatus as TextEnum>::NAME, "LeadStatus");
    assert_eq!(<LeadStatus as TextEnum>::ALL, LeadStatus::ALL);
    assert_eq!(LeadStatus::New.label(), Label { en: "New", zh_cn: "新线索" });
    assert_eq!(LeadStatus::New.meaning(), "Nobody has been in touch.");
    assert_eq!(ScoreOperator::AtMost.meaning(), "The budget is this or less.");
}
