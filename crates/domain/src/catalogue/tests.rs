use chrono::NaiveDate;
use uuid::Uuid;

use super::*;
use crate::customer::Grade;
use crate::error::Code;
use crate::fixtures::{cny, now};
use crate::valid::Valid;
use crate::values::{Currency, CurrencyCode, Line, Money, PriceListId, ProductId, Rate};

fn product(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(number))
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn line(product_id: Option<u128>, quantity: &str, unit_price: Money, discount: &str) -> LineItem {
    LineItem {
        product_id: product_id.map(product),
        product: Line::new("Seats"),
        quantity: quantity.parse().unwrap(),
        unit_price,
        discount: rate(discount),
        tax_rate: None,
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn list(
    number: u128,
    from: &str,
    until: Option<&str>,
    grades: &[Grade],
    prices: &[(u128, i64)],
) -> PriceList {
    let details = PriceListDetails {
        name: Line::new("List"),
        currency: CurrencyCode(Currency::CNY),
        valid_from: day(from),
        valid_until: until.map(day),
        customer_grades: grades.to_vec(),
        prices: prices
            .iter()
            .map(|(id, minor)| Price { product_id: product(*id), unit_price: cny(*minor) })
            .collect(),
    };
    let details = Valid::check(details).unwrap().into_inner();
    PriceList {
        id: PriceListId(Uuid::from_u128(number)),
        details,
        version: 1,
        created_at: now(),
        updated_at: now(),
    }
}

#[test]
fn the_lowest_price_that_holds_counts() {
    let lists = vec![
        list(1, "2026-01-01", None, &[], &[(1, 10_000), (2, 500)]),
        list(2, "2026-03-01", Some("2026-03-31"), &[], &[(1, 9_000)]),
        list(3, "2026-01-01", None, &[Grade::A], &[(1, 8_000)]),
    ];
    let price = |on: &str, product_number, currency, grade| {
        let book = PriceBook { on: day(on), lists: lists.clone(), kept: true };
        book.price(product(product_number), currency, grade)
            .map(|(price, list)| (price.minor(), list.0.as_u128()))
    };
    let cases = [
        ("2025-12-31", 1, Currency::CNY, None, None),
        ("2026-01-01", 1, Currency::CNY, None, Some((10_000, 1))),
        ("2026-02-28", 1, Currency::CNY, None, Some((10_000, 1))),
        ("2026-03-01", 1, Currency::CNY, None, Some((9_000, 2))),
        ("2026-03-31", 1, Currency::CNY, None, Some((9_000, 2))),
        ("2026-04-01", 1, Currency::CNY, None, Some((10_000, 1))),
        ("2026-03-15", 1, Currency::CNY, Some(Grade::A), Some((8_000, 3))),
        ("2026-03-15", 1, Currency::CNY, Some(Grade::B), Some((9_000, 2))),
        ("2026-03-15", 2, Currency::CNY, Some(Grade::A), Some((500, 1))),
        ("2026-03-15", 3, Currency::CNY, None, None),
        ("2026-03-15", 1, Currency::USD, None, None),
    ];
    for (on, number, currency, grade, wanted) in cases {
        assert_eq!(price(on, number, currency, grade), wanted, "{on} {number} {currency:?} {grade:?}");
    }
}

#[test]
fn a_discount_is_measured_by_the_list_price() {
    // What is asked, what is said, the list's price, the discount in truth.
    let cases = [
        (10_000, "0", Some(10_000), "0"),
        (9_000, "0", Some(10_000), "0.1"),
        (9_000, "0.5", Some(10_000), "0.55"),
        (12_000, "0", Some(10_000), "0"),
        (12_000, "0.2", Some(10_000), "0.2"),
        (9_000, "0.05", None, "0.05"),
        // A limit of a tenth is reached by a cent less than nine tenths, and not by a cent more.
        (8_999_999, "0", Some(10_000_000), "0.1"),
        (9_000_001, "0", Some(10_000_000), "0.0999"),
        (1, "1", Some(10_000), "1"),
    ];
    for (asked, said, listed, wanted) in cases {
        let discount = line(Some(1), "3", cny(asked), said).discount_from(listed.map(cny));
        assert_eq!(discount, rate(wanted), "{asked} {said} {listed:?}");
    }
    let lists = vec![list(1, "2026-01-01", None, &[], &[(1, 10_000)])];
    let book = PriceBook { on: day("2026-03-15"), lists, kept: true };
    let (listed, free) = (line(Some(1), "1", cny(7_000), "0"), line(None, "1", cny(1), "0.02"));
    assert_eq!(book.largest_discount(std::slice::from_ref(&listed), None), Some(rate("0.3")));
    // What no list prices tells no discount, unless nothing is priced by lists.
    let dollars = LineItem { unit_price: Money::from_minor(1, Currency::USD), ..listed.clone() };
    for unknown in [free.clone(), dollars, line(Some(2), "1", cny(1), "0")] {
        assert_eq!(book.largest_discount(&[listed.clone(), unknown], None), None);
    }
    let none = PriceBook { lists: Vec::new(), kept: false, ..book.clone() };
    assert_eq!(none.largest_discount(&[listed, free], None), Some(rate("0.02")));
    for book in [book, none] {
        assert_eq!(book.largest_discount(&[], None), None);
    }
}

#[test]
fn lines_name_what_is_sold() {
    let known = |number, active| Product {
        id: product(number),
        details: ProductDetails {
            code: Line::new("P-1"),
            name: Line::new("Seats"),
            unit: None,
            description: None,
            tax_rate: rate("0.13"),
            is_active: active,
        },
        version: 1,
        created_at: now(),
        updated_at: now(),
    };
    let catalogue = [known(1, true), known(2, false)];
    let taken = |wanted: &[LineItem], before: &[LineItem]| {
        let mut lines = wanted.to_vec();
        take_from_catalogue(&mut lines, before, &catalogue).map(|()| lines)
    };
    let (sold, gone, unknown) =
        (line(Some(1), "1", cny(1), "0"), line(Some(2), "1", cny(1), "0"), line(Some(3), "1", cny(1), "0"));
    let free = line(None, "1", cny(1), "0");
    let own_rate = LineItem { tax_rate: Some(rate("0.06")), ..sold.clone() };
    let lines = taken(&[sold, free.clone(), own_rate], &[]).unwrap();
    assert_eq!(
        lines.iter().map(|line| line.tax_rate).collect::<Vec<_>>(),
        [Some(rate("0.13")), None, Some(rate("0.06"))]
    );
    let refused = taken(&[free.clone(), gone.clone()], &[]).unwrap_err();
    assert_eq!(
        (refused.errors[0].pointer.as_str(), refused.errors[0].code.as_str()),
        ("/line_items/1/product_id", "not_sold")
    );
    assert!(taken(&[free, gone.clone()], &[gone]).is_ok());
    assert_eq!(taken(&[unknown], &[]).unwrap_err().code, Code::UnknownReference);
}

mod sums {
    use proptest::prelude::*;

    use super::*;

    fn lines(currency: Currency) -> impl Strategy<Value = Vec<LineItem>> {
        let one = (1_i64..1_000_000_000, 1_u32..1_000_000, 0_i64..=10_000, 0_i64..=10_000);
        prop::collection::vec(one, 1..40).prop_map(move |all| {
            let line = |(price, quantity, discount, tax): (i64, u32, i64, i64)| LineItem {
                product_id: None,
                product: Line::new("Anything"),
                quantity: format!("{}.{:04}", quantity / 100, quantity % 100 + 1).parse().unwrap(),
                unit_price: Money::from_minor(price, currency),
                discount: Rate::from_basis_points(discount).unwrap(),
                tax_rate: Rate::from_basis_points(tax),
            };
            all.into_iter().map(line).collect()
        })
    }

    proptest! {
        /// Whatever is sold at whatever discount and tax: each line's net and tax are its amount, and the lines' amounts
        /// are the whole that the rules ask for, to the smallest unit, in currencies with 0, 2 and 3 decimals.
        #[test]
        fn lines_are_exact(
            of in prop::sample::select(vec![Currency::JPY, Currency::CNY, Currency::KWD])
                .prop_flat_map(|currency| lines(currency).prop_map(move |lines| (currency, lines))),
        ) {
            let (currency, lines) = of;
            let Ok(whole) = worth(currency, &lines) else { return Ok(()) };
            let mut sum = 0;
            for line in &lines {
                let split = line.tax().unwrap();
                prop_assert_eq!(split.net.plus(split.tax).unwrap(), split.gross);
                prop_assert_eq!(split.gross, line.amount().unwrap());
                prop_assert!(split.tax.minor() >= 0 && split.net.minor() >= 0);
                sum += split.gross.minor();
            }
            prop_assert_eq!(whole.minor(), sum);
            let totals = tax_totals(&lines).unwrap();
            prop_assert_eq!(totals.iter().map(|total| total.amount.gross.minor()).sum::<i64>(), sum);
            prop_assert!(totals.iter().all(|total| total.amount.net.plus(total.amount.tax).unwrap() == total.amount.gross));
            prop_assert!(lines_agree(&lines, Some(whole)).is_ok());
            let other = Money::from_minor(whole.minor() + 1, currency);
            prop_assert!(lines_agree(&lines, Some(other)).is_err());
            prop_assert!(lines_agree(&lines, None).is_err());
        }
    }
}
