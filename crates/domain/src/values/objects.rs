//! Objects are read from objects only.
//!
//! What `serde` derives for a struct takes an array as well and gives its items to the members in the order of
//! their declaration: an order that nobody promised, and a second spelling of every form.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// A deserializer of JSON, or something that reads from one, with everything that is nested in it.
pub(super) struct Objects<T>(pub(super) T);

/// What is read, and what is wanted there, where `serde` would name a type of ours.
struct Reader<V> {
    visitor: V,
    wanted: Option<&'static str>,
}

macro_rules! forward {
    ($($method:ident $wanted:expr;)+) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Reader { visitor, wanted: $wanted })
        }
    )+ };
}

const WHOLE: Option<&str> = Some("a whole number");
const NUMBER: Option<&str> = Some("a number");

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    forward! {
        deserialize_any None;
        deserialize_bool None;
        deserialize_i8 WHOLE;
        deserialize_i16 WHOLE;
        deserialize_i32 WHOLE;
        deserialize_i64 WHOLE;
        deserialize_u8 WHOLE;
        deserialize_u16 WHOLE;
        deserialize_u32 WHOLE;
        deserialize_u64 WHOLE;
        deserialize_f32 NUMBER;
        deserialize_f64 NUMBER;
        deserialize_char None;
        deserialize_str None;
        deserialize_string None;
        deserialize_bytes None;
        deserialize_byte_buf None;
        deserialize_option None;
        deserialize_unit None;
        deserialize_seq Some("an array");
        deserialize_map Some("an object");
        deserialize_identifier None;
        deserialize_ignored_any None;
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Reader { visitor, wanted: None })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Reader { visitor, wanted: None })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Reader { visitor, wanted: Some("an array") })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_tuple(length, visitor)
    }

    // The enums of forms are texts and do not come here; what one of another kind contains is not looked into.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// A number as the whole number that it is, where both say it exactly. A fraction that no double has room for was never
/// there: whoever wrote it meant a double, as JSON's numbers are to most.
#[expect(clippy::cast_possible_truncation, reason = "it is whole, and far below the largest")]
fn whole(value: f64) -> Option<i64> {
    // 2^53: from here on it may be another whole number that was written, as 2^53 + 1 is read as 2^53.
    const INEXACT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() < INEXACT).then_some(value as i64)
}

macro_rules! visit {
    ($($method:ident $type:ty;)+) => { $(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )+ };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Reader<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wanted {
            Some(wanted) => f.write_str(wanted),
            None => self.visitor.expecting(f),
        }
    }

    // JSON has no other kinds of values.
    visit! {
        visit_bool bool;
        visit_i64 i64;
        visit_u64 u64;
        visit_str &str;
        visit_borrowed_str &'de str;
        visit_string String;
    }

    // JSON Schema takes `7.0` for the whole number that it is, and so do clients whose only numbers are such.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<V::Value, E> {
        match whole(value).filter(|_| self.wanted == WHOLE) {
            Some(whole) => self.visitor.visit_i64(whole),
            None => self.visitor.visit_f64(value),
        }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Objects(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Objects(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Objects(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Objects(members))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    // Names are texts; there is nothing in them.
    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        self.0.deserialize(Objects(deserializer))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::values::form;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        part: Option<Part>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        #[serde(default)]
        count: i64,
    }

    fn read(text: &str) -> Result<Form, (String, String)> {
        let from_text = form::read(&mut serde_json::Deserializer::from_str(text));
        let from_value = form::read(serde_json::from_str::<serde_json::Value>(text).unwrap());
        // A value has no lines, but is read alike.
        let short = |outcome: Result<Form, crate::error::Refusal>| {
            outcome.map_err(|refusal| {
                let detail = refusal.detail.split(" at line").next().unwrap_or_default().to_owned();
                (refusal.errors[0].pointer.clone(), detail)
            })
        };
        let (from_text, from_value) = (short(from_text), short(from_value));
        assert_eq!(from_text, from_value, "{text}");
        from_text
    }

    #[test]
    fn no_array_is_taken_for_an_object() {
        let form = read(r#"{"name": "a", "part": {"count": 1}, "parts": [{}, {"count": 2}]}"#).unwrap();
        let (part, parts) = (Some(Part { count: 1 }), vec![Part { count: 0 }, Part { count: 2 }]);
        assert_eq!(form, Form { name: Some("a".into()), part, parts });
        for (text, pointer) in [
            ("[]", ""),
            (r#"["a"]"#, ""),
            (r#"{"part": []}"#, "/part"),
            (r#"{"part": [1]}"#, "/part"),
            (r#"{"parts": [{}, [1]]}"#, "/parts/1"),
        ] {
            let wanted = "invalid type: sequence, expected an object".to_owned();
            assert_eq!(read(text).unwrap_err(), (pointer.to_owned(), wanted), "{text}");
        }
    }

    #[test]
    fn what_is_wanted_is_said_in_the_words_of_json() {
        for (text, detail) in [
            (r#"{"part": 1}"#, "invalid type: integer `1`, expected an object"),
            (r#"{"parts": {}}"#, "invalid type: map, expected an array"),
            (r#"{"part": {"count": "1"}}"#, "invalid type: string \"1\", expected a whole number"),
            (r#"{"name": 1}"#, "invalid type: integer `1`, expected a string"),
            (
                r#"{"part": {"count": 18446744073709551615}}"#,
                "invalid value: integer `18446744073709551615`, expected a whole number within its limits",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().1, detail, "{text}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let count = |text: &str| read(text).map(|form| form.part.unwrap().count);
        let form = |text: &str| format!(r#"{{"part": {{"count": {text}}}}}"#);
        let most = 9_007_199_254_740_991;
        for (text, expected) in [
            ("7.0", 7),
            ("-3.0", -3),
            ("-0.0", 0),
            ("1e3", 1000),
            ("1e15", 1_000_000_000_000_000),
            ("4503599627370495.0", 4_503_599_627_370_495),
            ("9007199254740990.0", most - 1),
            ("9007199254740991", most),
            ("9007199254740991.0", most),
            ("9007199254740991.000", most),
            ("9.007199254740991e15", most),
            ("90071992547409910e-1", most),
            ("-9007199254740991", -most),
            ("-9007199254740991.0", -most),
            ("-9.007199254740991E+15", -most),
            // No double lies between these two whole numbers.
            ("9007199254740990.25", most - 1),
            // Without a point they are what they say.
            ("9007199254740992", most + 1),
            ("9007199254740993", most + 2),
            ("9007199254740994", most + 3),
            ("-9007199254740993", -most - 2),
        ] {
            assert_eq!(count(&form(text)), Ok(expected), "{text}");
        }
        for text in [
            "7.5",
            "1e300",
            "-0.1",
            "9007199254740992.0",
            "9007199254740993.0",
            "9007199254740994.0",
            "9.007199254740992e15",
            "-9007199254740992.0",
            "-9007199254740993.0",
            "-9.007199254740994e15",
        ] {
            assert!(count(&form(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_member_is_given_once() {
        let twice = form::read::<_, Form>(&mut serde_json::Deserializer::from_str(
            r#"{"parts": [{"count": 1, "count": 2}]}"#,
        ));
        assert_eq!(twice.unwrap_err().errors[0].pointer, "/parts/0/count");
    }
}
