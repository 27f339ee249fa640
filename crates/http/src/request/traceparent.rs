//! The trace that a request is part of (W3C Trace Context): the one that `traceparent` names, or a new one. It ends in
//! the log: no request calls another program that would go on with it. Webhooks are told later, under the id of an
//! event of the audit trail, which names the request.

use std::num::{NonZeroU64, NonZeroU128};

use actix_web::http::header::HeaderMap;

const TRACEPARENT: &str = "traceparent";
/// How long version `00` is, and how long later ones are at least.
const LENGTH: usize = 55;

/// Where a request stands among all that is done for one reason, by whatever program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    /// All of it.
    pub(crate) id: NonZeroU128,
    /// What this request is in it.
    pub(crate) span: NonZeroU64,
    /// What asked; nothing where the trace begins here.
    pub(crate) parent: Option<NonZeroU64>,
}

impl Trace {
    /// Goes on with the trace that a request brings. Where it brings none, or not in the one way that there is, a new
    /// one begins, as the standard wants it: no request is refused for its trace.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(TRACEPARENT);
        let given = match (lines.next(), lines.next()) {
            (Some(line), None) => line.to_str().ok().and_then(parse),
            _ => None,
        };
        // The standard wants them random; ids of ours tell when they were made.
        let span = rand::random();
        match given {
            Some((id, parent)) => Self { id, span, parent: Some(parent) },
            None => Self { id: rand::random(), span, parent: None },
        }
    }
}

/// The trace and who asked. Of versions after `00` their beginning is read, which they promise to keep.
fn parse(text: &str) -> Option<(NonZeroU128, NonZeroU64)> {
    let (known, further) = text.split_at_checked(LENGTH)?;
    let parts: Vec<&str> = known.split('-').collect();
    let [version, trace, parent, flags] = parts[..] else { return None };
    // What reads numbers would take signs and capitals as well.
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let ends = match version {
        "00" => further.is_empty(),
        "ff" => false,
        _ => further.is_empty() || further.starts_with('-'),
    };
    if !(ends && is_hex(version, 2) && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2)) {
        return None;
    }
    let trace = u128::from_str_radix(trace, 16).ok().and_then(NonZeroU128::new)?;
    let parent = u64::from_str_radix(parent, 16).ok().and_then(NonZeroU64::new)?;
    Some((trace, parent))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn line(version: &str, id: &str, parent: &str, rest: &str) -> String {
        format!("{version}-{id}-{parent}-{rest}")
    }

    /// What becomes of a request with these lines.
    fn trace(lines: &[&str]) -> Trace {
        let mut headers = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_str(line).unwrap();
            headers.append(HeaderName::from_static("traceparent"), value);
        }
        Trace::of(&headers)
    }

    #[test]
    fn what_the_standard_allows_is_read() {
        let (id, parent) = (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7);
        let expected = NonZeroU128::new(id).zip(NonZeroU64::new(parent));
        for (version, rest) in [
            ("00", "01"),
            ("00", "00"),
            // Flags that mean nothing yet.
            ("00", "ff"),
            // Versions that are to come.
            ("01", "01"),
            ("fe", "03"),
            ("cc", "01-what-comes-then"),
            ("cc", "01-"),
        ] {
            let text = line(version, ID, PARENT, rest);
            assert_eq!(parse(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_standard_forbids_is_not() {
        let (no_id, no_parent) = ("0".repeat(32), "0".repeat(16));
        let (upper_id, upper_parent) = (ID.to_uppercase(), PARENT.to_uppercase());
        let fine = line("00", ID, PARENT, "01");
        for text in [
            String::new(),
            "-".repeat(LENGTH),
            "0".repeat(LENGTH),
            "é".repeat(LENGTH),
            line("00", &no_id, PARENT, "01"),
            line("00", ID, &no_parent, "01"),
            line("00", &upper_id, PARENT, "01"),
            line("00", ID, &upper_parent, "01"),
            line("00", ID, PARENT, "0A"),
            line("00", ID, PARENT, "1"),
            line("00", ID, PARENT, "001"),
            line("00", ID, PARENT, "0."),
            line("00", ID, PARENT, "01-"),
            line("00", ID, PARENT, "01-more"),
            line("cc", ID, PARENT, "01.more"),
            line("cc", ID, PARENT, "012"),
            line("ff", ID, PARENT, "01"),
            line("ff", ID, PARENT, "01-more"),
            line("CC", ID, PARENT, "01"),
            line("0", ID, PARENT, "01"),
            line("000", ID, PARENT, "01"),
            line("00", &ID[1..], PARENT, "01"),
            line("cc", &ID[1..], PARENT, "01-more"),
            line("00", &format!("0{ID}"), &PARENT[1..], "01"),
            line("00", &format!("+{}", &ID[1..]), PARENT, "01"),
            line("00", &format!("{ID}0"), PARENT, "01"),
            line("00", ID, &format!("{PARENT}0"), "01"),
            fine.replace('-', "_"),
            fine.replacen('-', "", 1),
            format!(" {fine}"),
            format!("{fine} "),
            format!("{fine},{fine}"),
        ] {
            assert_eq!(parse(&text), None, "{text:?}");
        }
        assert!(parse(&fine).is_some());
    }

    #[test]
    fn a_trace_goes_on_or_begins() {
        let fine = line("00", ID, PARENT, "01");
        let fine = fine.as_str();
        let (first, second) = (trace(&[fine]), trace(&[fine]));
        assert_eq!((format!("{:032x}", first.id), second.id), (ID.to_owned(), first.id));
        assert_eq!(first.parent.map(|parent| format!("{parent:016x}")).as_deref(), Some(PARENT));
        // Each request is something of its own in it.
        assert!(first.span != second.span && Some(first.span) != first.parent);
        // None, one that is broken, and several, be they alike.
        let none_of_use: [&[&str]; 4] = [&[], &["00-broken"], &[fine, fine], &[fine, ""]];
        let begun = none_of_use.map(trace);
        for (place, one) in begun.iter().enumerate() {
            assert!(one.parent.is_none() && one.id != first.id, "{one:?}");
            assert!(
                begun[..place].iter().all(|other| other.id != one.id && other.span != one.span),
                "{one:?}"
            );
        }
    }

    proptest! {
        /// Whatever is written in the form is read as it was meant, and what follows it only where something may.
        #[test]
        fn what_is_written_is_read(
            version in 0..=0xfe_u8,
            id in 1..=u128::MAX,
            parent in 1..=u64::MAX,
            flags in 0..=0xff_u8,
            more in "[!-~]{0,20}",
        ) {
            let text = format!("{version:02x}-{id:032x}-{parent:016x}-{flags:02x}");
            let meant = NonZeroU128::new(id).zip(NonZeroU64::new(parent));
            prop_assert_eq!(parse(&text), meant);
            let later = meant.filter(|_| version > 0);
            prop_assert_eq!(parse(&format!("{text}-{more}")), later);
            prop_assert_eq!(parse(&format!("{text}.{more}")), None);
        }

        /// One sign altered to something that cannot stand there, and it is no longer read.
        #[test]
        fn every_sign_counts(
            at in 0..LENGTH,
            sign in prop_oneof![any::<char>(), proptest::char::range('-', 'g')],
        ) {
            let fine = line("00", ID, PARENT, "01");
            let altered: String =
                fine.chars().enumerate().map(|(place, was)| if place == at { sign } else { was }).collect();
            let fits = match fine.as_bytes()[at] {
                b'-' => sign == '-',
                _ => matches!(sign, '0'..='9' | 'a'..='f'),
            };
            prop_assert_eq!(parse(&altered).is_some(), fits);
        }

        /// Text of any kind and length is judged, and is none.
        #[test]
        fn nonsense_is_none(text in "\\PC{0,80}") {
            prop_assert_eq!(parse(&text), None);
        }
    }
}
