//! Global search (全局搜索): what a record is found by, and what a question looks for.
//!
//! Databases differ in how they take texts apart, and none of ours takes Chinese apart. So it is done here, once: a
//! record becomes a set of tokens, a question a condition on tokens, and a database needs nothing but an index of
//! them. Tokens are
//! - words of letters and digits, in lower case and without accents (`müller` is `muller`, `straße` is `strasse`);
//! - of Chinese, Japanese and Korean, each two characters that follow one another, and the last one alone;
//! - of telephone numbers, in the form in which they are compared, and of the numbers of records, every ending from four
//!   digits on;
//! - of words of letters, what is left when one letter is taken away, with a `~` before it: two words with one letter
//!   more, less or other than the other have one of these in common (the method of symmetric deletion);
//! - the whole name without spaces, with a `=` before it, and so a whole number with `==`: what begins like a name is
//!   asked for without the numbers that do. A name that a record borrows, such as a customer's on an invoice, is in its
//!   words only: nothing is called so but the customer.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text_enum;
use crate::values::{Email, Line, Number, Phone, WebAddress};

/// The shortest ending of a number that is found.
const SHORTEST_ENDING: usize = 4;
/// Words of fewer letters are too much like each other for mistakes in them to be looked for.
const SHORTEST_MISTAKEN: usize = 4;
/// Longer words are cut: nobody types more.
const LONGEST_WORD: usize = 32;
/// How many parts of a question find records; the document says so.
const MOST_PARTS: usize = 12;
/// The last of several numbers may be begun with so many digits. With one begins a tenth of all telephone numbers.
const SHORTEST_BEGUN: usize = 2;
/// Behind `00` so many digits are a telephone number's: numbers of ours have six, with zeros before them.
const SHORTEST_INTERNATIONAL: usize = 5;
/// And so many behind the `0` of an area's code.
const SHORTEST_BEHIND_TRUNK: usize = 6;

text_enum! {
    /// How well something fits what was looked for, from best to worst.
    pub enum Fit {
        /// Its name or number is just that.
        Whole = "whole" ("Whole name", "完全匹配"),
        /// It has every word.
        Words = "words" ("Every word", "词语匹配"),
        /// It has words that begin like that.
        Beginnings = "beginnings" ("Beginnings of words", "前缀匹配"),
        /// It has words that differ by a letter.
        Similar = "similar" ("Similar words", "近似匹配"),
    }
}

/// What a record is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchEntry {
    /// What it is called.
    pub title: String,
    /// Its number, where it has one.
    pub number: Option<String>,
    tokens: BTreeSet<String>,
    contact_tokens: BTreeSet<String>,
}

impl SearchEntry {
    /// Something with this name.
    pub fn new(title: &str) -> Self {
        let mut entry = Self {
            title: title.to_owned(),
            number: None,
            tokens: BTreeSet::new(),
            contact_tokens: BTreeSet::new(),
        };
        entry.tokens.extend(whole(title).map(|whole| name_token(&whole)));
        take_words(&mut entry.tokens, title);
        entry
    }

    /// Something that has a number of ours, but no name of its own: it is called by the name of somebody, or else by its
    /// number.
    pub fn borrowing(name: Option<&Line>, number: &Number) -> Self {
        let entry = Self {
            title: name.map_or_else(|| number.to_string(), |name| name.as_str().to_owned()),
            number: None,
            tokens: BTreeSet::new(),
            contact_tokens: BTreeSet::new(),
        };
        entry.with(name).numbered(number)
    }

    /// With a number of ours.
    #[must_use]
    pub fn numbered(mut self, number: &Number) -> Self {
        let number = number.to_string();
        take_number(&mut self.tokens, &number);
        self.number = Some(number);
        self
    }

    /// Found by a name as well.
    #[must_use]
    pub fn with(mut self, name: Option<&Line>) -> Self {
        take_words(&mut self.tokens, name.map_or("", Line::as_str));
        self
    }

    /// Found by contact data or a number of others, which is hidden where contact data is.
    #[must_use]
    pub fn with_contact(mut self, data: Option<ContactData<'_>>) -> Self {
        let tokens = &mut self.contact_tokens;
        match data {
            Some(ContactData::Phone(phone)) => endings(tokens, &phone.normalised()),
            Some(ContactData::Email(email)) => take_words(tokens, email.as_str()),
            Some(ContactData::Website(website)) => take_words(tokens, website.as_str()),
            Some(ContactData::Name(name)) => take_words(tokens, name.as_str()),
            Some(ContactData::Number(number)) => take_number(tokens, number.as_str()),
            None => {}
        }
        self
    }

    /// The tokens that whoever sees the record may find it by, between spaces.
    pub fn words(&self) -> String {
        joined(&self.tokens)
    }

    /// The tokens of contact data, between spaces.
    pub fn contact_words(&self) -> String {
        joined(&self.contact_tokens)
    }
}

/// Data by which somebody is reached or known elsewhere.
#[derive(Debug, Clone, Copy)]
pub enum ContactData<'a> {
    /// A telephone number.
    Phone(&'a Phone),
    /// An e-mail address.
    Email(&'a Email),
    /// A web site.
    Website(&'a WebAddress),
    /// A name.
    Name(&'a Line),
    /// A number that others gave: of a register, a tax office, a bank.
    Number(&'a Line),
}

fn joined(tokens: &BTreeSet<String>) -> String {
    tokens.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuestion {
    whole: String,
    parts: Vec<Part>,
}

/// A part of a question: a word, or characters of a script without words.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Word(String),
    Pairs(Vec<String>),
    /// Digits, and each way to read them: as words that are all there.
    Digits(Vec<Vec<String>>),
}

/// A condition on tokens: all of these hold.
pub type Condition = Vec<Wanted>;

/// A condition on tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This token.
    Token(String),
    /// A token that begins so.
    Beginning(String),
    /// One of these holds.
    OneOf(Vec<Condition>),
}

/// Whether tokens between spaces meet a condition, as an index of them would say.
pub fn meets(words: &str, condition: &[Wanted]) -> bool {
    have(&words.split(' ').collect(), condition)
}

/// Whether a number of ours alone meets a condition.
pub fn number_meets(number: &str, condition: &[Wanted]) -> bool {
    let mut tokens = BTreeSet::new();
    take_number(&mut tokens, number);
    have(&tokens.iter().map(String::as_str).collect(), condition)
}

fn have(tokens: &BTreeSet<&str>, condition: &[Wanted]) -> bool {
    condition.iter().all(|wanted| match wanted {
        Wanted::Token(token) => tokens.contains(token.as_str()),
        Wanted::Beginning(start) => tokens.iter().any(|token| token.starts_with(start.as_str())),
        Wanted::OneOf(some) => some.iter().any(|one| have(tokens, one)),
    })
}

impl SearchQuestion {
    /// Takes apart what was typed; none where that has neither letters nor digits.
    pub fn new(text: &str) -> Option<Self> {
        let readings = readings(text);
        let parts = if readings.is_empty() {
            runs(text).into_iter().take(MOST_PARTS).map(Part::of).collect()
        } else {
            vec![Part::Digits(readings)]
        };
        let whole = whole(text)?;
        (!parts.is_empty()).then_some(Self { whole, parts })
    }

    /// What to look for to fit so; none where nothing can fit so.
    pub fn wanted(&self, fit: Fit) -> Option<Condition> {
        match fit {
            Fit::Whole => Some(vec![one_of([name_token(&self.whole), number_token(&self.whole)])]),
            Fit::Words => Some(self.parts.iter().flat_map(Part::exactly).collect()),
            Fit::Beginnings => Some(self.parts.iter().flat_map(Part::beginning).collect()),
            Fit::Similar => {
                let can_be_mistaken = self.parts.iter().any(|part| part.mistaken().is_some());
                let wanted = |part: &Part| part.mistaken().map_or_else(|| part.beginning(), |one| vec![one]);
                can_be_mistaken.then(|| self.parts.iter().flat_map(wanted).collect())
            }
        }
    }

    /// Sorts things of one fit, by their tokens: those whose own name begins with what was looked for come first.
    pub fn begins(&self, words: &str) -> bool {
        let start = name_token(&self.whole);
        words.split(' ').any(|token| token.starts_with(&start))
    }

    /// What to look for to fit so and to come first: the name begins so as well.
    pub fn wanted_first(&self, fit: Fit) -> Option<Condition> {
        let mut wanted = self.wanted(fit)?;
        wanted.push(Wanted::Beginning(name_token(&self.whole)));
        Some(wanted)
    }
}

impl Part {
    fn of(run: Run) -> Self {
        match run {
            Run::Word(word) => Self::Word(word),
            Run::Characters(characters) if characters.len() == 1 => Self::Word(characters.iter().collect()),
            Run::Characters(characters) => Self::Pairs(pairs(&characters).collect()),
        }
    }

    fn exactly(&self) -> Vec<Wanted> {
        match self {
            Self::Word(word) => vec![Wanted::Token(word.clone())],
            Self::Pairs(pairs) => all_of(pairs),
            Self::Digits(readings) => {
                vec![Wanted::OneOf(readings.iter().map(|words| all_of(words)).collect())]
            }
        }
    }

    fn beginning(&self) -> Vec<Wanted> {
        match self {
            Self::Word(word) => vec![Wanted::Beginning(word.clone())],
            Self::Pairs(_) => self.exactly(),
            Self::Digits(readings) => {
                vec![Wanted::OneOf(readings.iter().map(|words| last_begun(words)).collect())]
            }
        }
    }

    fn mistaken(&self) -> Option<Wanted> {
        match self {
            Self::Word(word) => Some(mistakes(word)).filter(|some| !some.is_empty()).map(one_of),
            Self::Pairs(_) | Self::Digits(_) => None,
        }
    }
}

fn one_of(tokens: impl IntoIterator<Item = String>) -> Wanted {
    Wanted::OneOf(tokens.into_iter().map(|token| vec![Wanted::Token(token)]).collect())
}

fn all_of(words: &[String]) -> Condition {
    words.iter().cloned().map(Wanted::Token).collect()
}

/// Words of digits, of which the last may be begun. Were each, a telephone number in groups would ask for all that
/// begins with its country's code.
fn last_begun(words: &[String]) -> Condition {
    let may_be_begun = |at: usize, word: &str| at + 1 == words.len() && word.len() >= SHORTEST_BEGUN;
    let wanted = |(at, word): (usize, &String)| {
        if may_be_begun(at, word) { Wanted::Beginning(word.clone()) } else { Wanted::Token(word.clone()) }
    };
    words.iter().enumerate().map(wanted).collect()
}

/// How to read a question of digits and of what telephone numbers have between them; not at all where it is another
/// one. It is a telephone number, however it was grouped and whatever was dialled before it, or several numbers of a
/// name, such as `2026/2027`.
fn readings(text: &str) -> Vec<Vec<String>> {
    let plain: String = plain(text).collect();
    let number = plain.trim_start();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let all_digits = digits(number);
    let is_number = number.chars().all(|c| c.is_ascii_digit() || " +-().,/".contains(c));
    if !is_number || all_digits.len() < SHORTEST_ENDING {
        return Vec::new();
    }
    let international = all_digits
        .strip_prefix("00")
        .filter(|rest| rest.len() >= SHORTEST_INTERNATIONAL && !rest.starts_with('0'))
        .map(|rest| vec![rest.to_owned()]);
    // Its beginning may be all that was typed: where the number ends is not known then.
    let national = all_digits
        .strip_prefix('0')
        .filter(|rest| rest.len() >= SHORTEST_BEHIND_TRUNK && !rest.starts_with('0'))
        .map(|rest| vec![rest.to_owned()]);
    let as_compared = vec![Phone::new(number).normalised()];
    let separate: Vec<String> = runs(text).into_iter().take(MOST_PARTS).map(Run::into_word).collect();
    let mut readings = vec![vec![all_digits]];
    for reading in international.into_iter().chain(national).chain([as_compared, separate]) {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

/// A piece of a text.
enum Run {
    Word(String),
    Characters(Vec<char>),
}

impl Run {
    fn into_word(self) -> String {
        match self {
            Self::Word(word) => word,
            Self::Characters(characters) => characters.into_iter().collect(),
        }
    }
}

/// The pieces of a text: words, and stretches of scripts that put no spaces between words.
fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut open = false;
    for c in plain(text) {
        if !c.is_alphanumeric() {
            open = false;
            continue;
        }
        match (runs.last_mut(), has_no_words(c)) {
            (Some(Run::Characters(characters)), true) if open => characters.push(c),
            (Some(Run::Word(word)), false) if open => word.push(c),
            (_, true) => runs.push(Run::Characters(vec![c])),
            (_, false) => runs.push(Run::Word(c.to_string())),
        }
        open = true;
    }
    for run in &mut runs {
        if let Run::Word(word) = run
            && let Some((end, _)) = word.char_indices().nth(LONGEST_WORD)
        {
            word.truncate(end);
        }
    }
    runs
}

/// One spelling of a text: compatibility forms made one, lower case, without accents.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).flat_map(typed).nfc()
}

/// A letter as people type it who do not have it: Unicode takes accents from letters, but not these apart.
fn typed(c: char) -> impl Iterator<Item = char> {
    let spelt = match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ı' => "i",
        // The same letter at the end of a word; made lower one by one, capitals become the other.
        'ς' => "σ",
        _ => "",
    };
    spelt.chars().chain(spelt.is_empty().then_some(c))
}

/// Scripts whose texts have no spaces between words.
const fn has_no_words(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

fn pairs(characters: &[char]) -> impl Iterator<Item = String> {
    characters.windows(2).map(|pair| pair.iter().collect())
}

/// The whole of a name or a number as one word.
fn whole(text: &str) -> Option<String> {
    let whole: String = plain(text).filter(|c| c.is_alphanumeric()).take(LONGEST_WORD * 4).collect();
    (!whole.is_empty()).then_some(whole)
}

fn name_token(whole: &str) -> String {
    format!("={whole}")
}

fn number_token(whole: &str) -> String {
    format!("=={whole}")
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn endings(tokens: &mut BTreeSet<String>, text: &str) {
    let starts = 0..=text.len().saturating_sub(SHORTEST_ENDING);
    tokens.extend(starts.filter_map(|at| text.get(at..)).filter(|it| !it.is_empty()).map(str::to_owned));
}

/// A number such as `CT-2026-000123`: by its words, as one word, and by the endings of its last digits.
fn take_number(tokens: &mut BTreeSet<String>, number: &str) {
    tokens.extend(whole(number).map(|whole| number_token(&whole)));
    let words: Vec<String> = runs(number).into_iter().map(Run::into_word).collect();
    if let Some(last) = words.last().filter(|last| last.is_ascii()) {
        endings(tokens, last);
        tokens.extend([last.trim_start_matches('0').to_owned()].into_iter().filter(|rest| !rest.is_empty()));
    }
    tokens.insert(words.concat());
    tokens.extend(words);
}

fn take_words(tokens: &mut BTreeSet<String>, text: &str) {
    for run in runs(text) {
        match run {
            Run::Word(word) => {
                tokens.extend(mistakes(&word));
                tokens.insert(word);
            }
            Run::Characters(characters) => {
                tokens.extend(pairs(&characters));
                tokens.extend(characters.last().map(char::to_string));
            }
        }
    }
}

/// A word of letters as it is and without each of its letters.
fn mistakes(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < SHORTEST_MISTAKEN || !letters.iter().all(|c| c.is_alphabetic()) {
        return Vec::new();
    }
    let without = |left_out: usize| {
        let rest = letters.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, c)| *c);
        format!("~{}", rest.collect::<String>())
    };
    let mut all: Vec<String> = (0..=letters.len()).map(without).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an index would answer.
    fn fits(entry: &SearchEntry, condition: &Condition) -> bool {
        meets(&format!("{} {}", entry.words(), entry.contact_words()), condition)
    }

    fn best(entry: &SearchEntry, question: &str) -> Option<Fit> {
        let question = SearchQuestion::new(question).unwrap();
        let fit = |fit: &Fit| question.wanted(*fit).is_some_and(|condition| fits(entry, &condition));
        Fit::ALL.iter().copied().find(fit)
    }

    #[test]
    fn names_are_found_in_both_scripts_and_with_mistakes() {
        let entry = SearchEntry::new("Müller Maschinenbau GmbH 上海星辰科技有限公司");
        for (question, fit) in [
            ("Müller Maschinenbau GmbH 上海星辰科技有限公司", Some(Fit::Whole)),
            ("ｍüller  maschinenbau gmbh，上海星辰科技有限公司", Some(Fit::Whole)),
            ("muller", Some(Fit::Words)),
            ("MASCHINENBAU Müller", Some(Fit::Words)),
            ("星辰科技", Some(Fit::Words)),
            ("司", Some(Fit::Words)),
            ("masch", Some(Fit::Beginnings)),
            ("星", Some(Fit::Beginnings)),
            ("Mueller", Some(Fit::Similar)),
            ("mullr 星辰", Some(Fit::Similar)),
            ("mulller", Some(Fit::Similar)),
            ("mulker", Some(Fit::Similar)),
            ("mlul", None),
            ("星科", None),
            ("smith", None),
        ] {
            assert_eq!(best(&entry, question), fit, "{question}");
        }
    }

    #[test]
    fn letters_are_found_as_they_are_typed() {
        for (name, question, fit) in [
            ("3M Deutschland Straße", "STRASSE", Some(Fit::Words)),
            ("Strasse", "straße", Some(Fit::Whole)),
            ("GROẞE STRAẞE", "große straße", Some(Fit::Whole)),
            ("Müllerstraße", "Mullerstrasse", Some(Fit::Whole)),
            ("Müllerstraße", "muellerstrasse", Some(Fit::Similar)),
            ("Æther Œuvre", "aether oeuvre", Some(Fit::Whole)),
            ("Ørsted", "orsted", Some(Fit::Whole)),
            ("Łódź", "lodz", Some(Fit::Whole)),
            ("Đặng Þór", "dang thor", Some(Fit::Whole)),
            ("IŞIK", "ışık", Some(Fit::Whole)),
            ("Σίσυφος ΑΣ", "ΣΙΣΥΦΟΣ ας", Some(Fit::Whole)),
        ] {
            assert_eq!(best(&SearchEntry::new(name), question), fit, "{name}: {question}");
        }
    }

    #[test]
    fn numbers_are_found_by_their_endings() {
        let phone = Phone::new("+86 138-0013-8000");
        let entry = SearchEntry::new("Li Wei").with_contact(Some(ContactData::Phone(&phone)));
        for question in ["8613800138000", "138 0013 8000", "13800138000", "8000", "+86 (138) 0013"] {
            assert!(best(&entry, question).is_some(), "{question}");
        }
        assert_eq!(best(&entry, "1381"), None);
        let number = Number("CT-2026-000123".to_owned());
        let entry = SearchEntry::new("Machines").numbered(&number);
        for question in ["CT-2026-000123", "ct2026000123", "ct-2026", "000123", "0123", "123", "ct 123"] {
            assert!(best(&entry, question).is_some(), "{question}");
        }
        assert_eq!(best(&entry, "CT-2025-000123"), None);
    }

    #[test]
    fn telephone_numbers_are_found_however_they_are_dialled() {
        let phone = Phone::new("+86 139 0000 0322");
        let entry = SearchEntry::new("Li Wei").with_contact(Some(ContactData::Phone(&phone)));
        for question in [
            "008613900000322",
            "0086 139 0000 0322",
            "(00)86 139-0000-0322",
            "tel:+8613900000322",
            " TEL: 0086 139 0000 0322",
            "＋８６　１３９　００００　０３２２",
        ] {
            assert_eq!(best(&entry, question), Some(Fit::Words), "{question}");
        }
        assert_eq!(best(&entry, "0086139"), Some(Fit::Beginnings));
        assert_eq!(best(&entry, "0049 139 0000 0322"), None);
        // Zeros before the number of a record are its own.
        let entry = SearchEntry::new("Machines").numbered(&Number("CT-2026-000012".to_owned()));
        for question in ["0012", "000012", "2026-000012"] {
            assert_eq!(best(&entry, question), Some(Fit::Words), "{question}");
        }
        let other = SearchEntry::new("Machines").numbered(&Number("CT-2026-561234".to_owned()));
        for question in ["001234", "000012"] {
            assert_eq!(best(&other, question), None, "{question}");
        }
    }

    #[test]
    fn telephone_numbers_are_found_however_they_were_written() {
        let landline = [
            "+86 21 5555 0110",
            "021 5555 0110",
            "02155550110",
            "(021) 5555-0110",
            "+86 (0)21 5555 0110",
            "0086 21 55550110",
            "86 21 5555 0110",
        ];
        let mobile = ["13912340000", "+86 139 1234 0000", "8613912340000", "0086-139-1234-0000"];
        for ways in [&landline[..], &mobile] {
            for written in ways {
                let phone = Phone::new(*written);
                let entry = SearchEntry::new("Li Wei").with_contact(Some(ContactData::Phone(&phone)));
                for question in ways {
                    assert_eq!(best(&entry, question), Some(Fit::Words), "{question} for {written}");
                }
            }
        }
        let phone = Phone::new("+86 21 5555 0110");
        let entry = SearchEntry::new("Li Wei").with_contact(Some(ContactData::Phone(&phone)));
        for begun in ["021 5555", "021-5555 01", "+86 21 5555"] {
            assert_eq!(best(&entry, begun), Some(Fit::Beginnings), "{begun}");
        }
        for other in ["022 5555 0110", "021 5555 0111", "+49 21 5555 0110", "010 5555 0110"] {
            assert_eq!(best(&entry, other), None, "{other}");
        }
    }

    #[test]
    fn numbers_of_a_name_are_found_as_written() {
        for (name, question, fit) in [
            ("Plan 2026/2027", "2026/2027", Some(Fit::Words)),
            ("Plan 2026/2027", "2026 2027", Some(Fit::Words)),
            ("Plan 2026/2027", "2027, 2026", Some(Fit::Words)),
            ("Plan 2026/2027", "2026/20", Some(Fit::Beginnings)),
            ("Plan 2026/2027", "2026/2028", None),
            ("Plan 20262027", "2026/2027", Some(Fit::Words)),
            ("2026/2027", "2026 2027", Some(Fit::Whole)),
            ("Frame 2026-11 Steel", "2026-11", Some(Fit::Words)),
            // Another number is begun only by two digits, and only as the last.
            ("Frame 2026-11 Steel", "2026-1", None),
            ("Frame 2026-11 Steel", "202 11", None),
            ("Hotline tel: 55881234", "tel:55881234", Some(Fit::Words)),
        ] {
            assert_eq!(best(&SearchEntry::new(name), question), fit, "{question} in {name}");
        }
    }

    #[test]
    fn contact_data_is_apart() {
        let email = Email::new("li.wei@example.com");
        let entry = SearchEntry::new("Star").with_contact(Some(ContactData::Email(&email)));
        assert!(!entry.words().contains("example"));
        assert!(entry.contact_words().contains("example"));
        // By which of the two something is found can be told, however well it fits.
        for (question, fit, named) in [
            ("star", Fit::Words, true),
            ("example", Fit::Words, false),
            ("sta", Fit::Beginnings, true),
            ("exam", Fit::Beginnings, false),
            ("stra", Fit::Similar, true),
            ("exmple", Fit::Similar, false),
        ] {
            let condition = SearchQuestion::new(question).unwrap().wanted(fit).unwrap();
            assert!(fits(&entry, &condition), "{question}");
            assert_eq!(meets(&entry.words(), &condition), named, "{question}");
        }
    }

    #[test]
    fn a_question_has_something_to_look_for() {
        for nothing in ["", "  ", "!?", "-"] {
            assert!(SearchQuestion::new(nothing).is_none(), "{nothing}");
        }
    }

    #[test]
    fn whoever_begins_like_the_question_comes_first() {
        let question = SearchQuestion::new("Acme").unwrap();
        let begins = |entry: &SearchEntry| question.begins(&entry.words());
        assert!(begins(&SearchEntry::new("acme tools")) && !begins(&SearchEntry::new("The Acme")));
        let comes_first =
            |entry: SearchEntry| question.wanted_first(Fit::Words).is_some_and(|first| fits(&entry, &first));
        assert!(comes_first(SearchEntry::new("Acme Tools")));
        assert!(!comes_first(SearchEntry::new("The Acme")), "it has the word elsewhere");
        assert!(!comes_first(SearchEntry::new("Acmeist")), "it has not the word");
        let number = Number("ACME-2026-000001".to_owned());
        assert!(!begins(&SearchEntry::new("The Acme").numbered(&number)), "a number is no name");
        assert!(!comes_first(SearchEntry::new("The Acme").numbered(&number)), "a number is no name");
    }

    #[test]
    fn a_borrowed_name_is_not_a_name() {
        let (name, number) = (Line::new("Acme Tools"), Number("IN-2026-000123".to_owned()));
        let invoice = SearchEntry::borrowing(Some(&name), &number);
        assert_eq!(
            (invoice.title.as_str(), invoice.number.as_deref()),
            ("Acme Tools", Some("IN-2026-000123"))
        );
        assert_eq!(best(&invoice, "Acme Tools"), Some(Fit::Words));
        assert_eq!(best(&SearchEntry::new("Acme Tools"), "Acme Tools"), Some(Fit::Whole));
        assert!(!SearchQuestion::new("Acme").unwrap().begins(&invoice.words()));
        assert_eq!(best(&invoice, "in2026000123"), Some(Fit::Whole));
        // What it is found by is its number, or not.
        for (question, by_number) in
            [("000123", true), ("in-2026", true), ("acme", false), ("acme 0123", false)]
        {
            let condition = SearchQuestion::new(question).unwrap().wanted(Fit::Words).unwrap();
            assert!(fits(&invoice, &condition), "{question}");
            assert_eq!(number_meets("IN-2026-000123", &condition), by_number, "{question}");
        }
        // Without a name it is called by its number.
        assert_eq!(SearchEntry::borrowing(None, &number).title, "IN-2026-000123");
    }

    proptest! {
        #[test]
        fn what_comes_first_is_asked_for_first(name in "\\PC{1,40}", length in 1_usize..8) {
            let asked: String = name.chars().take(length).collect();
            if let Some(question) = SearchQuestion::new(&asked) {
                let entry = SearchEntry::new(&name);
                let all = question.wanted(Fit::Beginnings).unwrap();
                let first = question.wanted_first(Fit::Beginnings).unwrap();
                prop_assert_eq!(fits(&entry, &first), fits(&entry, &all) && question.begins(&entry.words()));
            }
        }

        #[test]
        fn whatever_is_called_so_is_found_so(name in "\\PC{1,40}") {
            if SearchQuestion::new(&name).is_some() {
                prop_assert_eq!(best(&SearchEntry::new(&name), &name), Some(Fit::Whole));
            }
        }

        #[test]
        fn one_wrong_letter_does_no_harm(word in "[a-z]{5,12}", at in 0_usize..5, letter in "[a-z]") {
            let mut other = word.clone();
            other.replace_range(at..=at, &letter);
            prop_assert!(best(&SearchEntry::new(&word), &other).is_some());
        }

        #[test]
        fn tokens_are_plain(name in "\\PC{0,60}") {
            let words = SearchEntry::new(&name).words();
            let plain = |token: &str| token.trim_start_matches(['~', '=']).chars().all(char::is_alphanumeric);
            let all_plain = words.split(' ').all(plain);
            prop_assert!(all_plain, "{}", words);
        }
    }
}
