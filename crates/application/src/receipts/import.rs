//! Bank statements as CSV (银行流水导入): each row becomes a receipt, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveTime};
use fairlead_domain::error::{Code, FieldError, Refusal, Rule};
use fairlead_domain::payment::PaymentMethod;
use fairlead_domain::receipt::{Receipt, ReceiptDetails};
use fairlead_domain::text_enum;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CurrencyCode, Line, Money, Prose, ReceiptId};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::app::App;
use crate::bulk::refused;
use crate::call::{Call, Failure, Written};

/// How many rows one statement may have.
const MOST: usize = 2000;
/// How many references are looked up together: SQLite's expressions are a thousand deep at most.
const TOGETHER: usize = 200;

/// In which columns of the statement what stands, by their headings.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportColumns {
    /// The day.
    #[validate(nested)]
    pub received_on: Line,
    /// The amount. What is not above zero went out, and is skipped.
    #[validate(nested)]
    pub amount: Line,
    /// The bank's reference.
    #[serde(default)]
    #[validate(nested)]
    pub bank_reference: Option<Line>,
    /// Who paid.
    #[serde(default)]
    #[validate(nested)]
    pub payer: Option<Line>,
    /// What the payer wrote.
    #[serde(default)]
    #[validate(nested)]
    pub memo: Option<Line>,
}

/// A bank statement.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "csv": "Date,Amount,Reference,Payer,Memo\n2026-02-12,36000.00,B0212-0001,宁波海川机械有限公司,CT-2026-000123\n",
    "delimiter": "comma",
    "columns": {
        "received_on": "Date",
        "amount": "Amount",
        "bank_reference": "Reference",
        "payer": "Payer",
        "memo": "Memo"
    },
    "date_format": "%Y-%m-%d",
    "currency": "CNY",
    "method": "bank_transfer"
}))]
pub struct ImportForm {
    /// The statement as CSV (RFC 4180), UTF-8, with headings: 2000 rows at most.
    #[validate(length(min = 1, max = 900_000, message = "must have between 1 and 900000 characters"))]
    #[schema(min_length = 1, max_length = 900_000, example = "Date,Amount,Payer\n2026-03-01,100.00,Acme\n")]
    pub csv: String,
    /// What separates columns: a comma, semicolon or tab.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// Which column is what.
    #[validate(nested)]
    pub columns: ImportColumns,
    /// How days are written, as in `strftime`.
    #[serde(default = "iso_days")]
    #[validate(
        length(min = 2, max = 20, message = "must have between 2 and 20 characters"),
        custom(function = "writes_days")
    )]
    #[schema(min_length = 2, max_length = 20, example = "%Y-%m-%d")]
    pub date_format: String,
    /// The currency of the account.
    pub currency: CurrencyCode,
    /// How the money came.
    pub method: PaymentMethod,
}

/// By a format of days, the days that it writes are read again. What else it writes, such as the time, is passed over.
fn writes_days(format: &str) -> Result<(), ValidationError> {
    let is_read_again = |day: NaiveDate| {
        let midnight = day.and_time(NaiveTime::MIN).and_utc();
        let mut written = String::new();
        write!(written, "{}", midnight.format(format)).is_ok()
            && NaiveDate::parse_from_str(&written, format) == Ok(day)
    };
    let days = [(2026, 1, 31), (2027, 11, 2)];
    let mut days =
        days.into_iter().filter_map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day));
    if days.all(is_read_again) {
        return Ok(());
    }
    let why = "must be a format in which whole days are written, such as %d.%m.%Y";
    Err(Rule::InvalidDateFormat.error(why))
}

fn iso_days() -> String {
    "%Y-%m-%d".to_owned()
}

text_enum! {
    /// What separates columns.
    pub enum Delimiter {
        /// `,`
        Comma = "comma" ("Comma", "逗号"),
        /// `;`
        Semicolon = "semicolon" ("Semicolon", "分号"),
        /// A tab.
        Tab = "tab" ("Tab", "制表符"),
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum knows no default")]
impl Default for Delimiter {
    fn default() -> Self {
        Self::Comma
    }
}

text_enum! {
    /// What became of a row.
    pub enum ImportOutcome {
        /// A receipt was made of it.
        Created = "created" ("Created", "已创建"),
        /// A receipt of it is there, or is made of an earlier row: one with the same reference; without a reference, one of
        /// as many with the same day, amount, payer and memo as were there before.
        Duplicate = "duplicate" ("Duplicate", "重复"),
        /// No money came in.
        Skipped = "skipped" ("Skipped", "已跳过"),
        /// It cannot be read, or breaks a rule.
        Refused = "refused" ("Refused", "被拒绝"),
    }
}

/// What became of a row.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportRow {
    /// Its line in the file; the headings are in line 1.
    #[schema(minimum = 2)]
    pub line: u64,
    /// What became of it.
    pub outcome: ImportOutcome,
    /// The receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_id: Option<ReceiptId>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub errors: Vec<FieldError>,
}

/// What became of a statement.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportResult {
    /// How many receipts were made.
    #[schema(minimum = 0, maximum = 2000)]
    pub created: usize,
    /// How many rows were there already.
    #[schema(minimum = 0, maximum = 2000)]
    pub duplicates: usize,
    /// How many rows brought no money in.
    #[schema(minimum = 0, maximum = 2000)]
    pub skipped: usize,
    /// How many rows were refused.
    #[schema(minimum = 0, maximum = 2000)]
    pub refused: usize,
    /// Each row, in the order of the file.
    #[schema(max_items = 2000)]
    pub rows: Vec<ImportRow>,
}

/// A row as it was read.
enum Read {
    Form(Box<Valid<ReceiptDetails>>),
    Skipped,
    Refused(Refusal),
}

/// Where the columns are.
struct Places {
    received_on: usize,
    amount: usize,
    bank_reference: Option<usize>,
    payer: Option<usize>,
    memo: Option<usize>,
}

impl Places {
    fn find(headings: &csv::StringRecord, columns: &ImportColumns) -> Result<Self, Refusal> {
        let place = |heading: &Line, member: &str| {
            let (heading, pointer) = (heading.as_str(), format!("/columns/{member}"));
            let texts = headings.iter().map(|text| text.trim().trim_start_matches('\u{feff}'));
            let mut found = texts.enumerate().filter(|(_, text)| *text == heading).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (Some(_), Some(_)) => {
                    let why = format!("the statement has more than one column `{heading}`");
                    Err(Refusal::invalid(&pointer, Rule::SeveralColumns, why))
                }
                (None, _) => {
                    let why = format!("the statement has no column `{heading}`");
                    Err(Refusal::invalid(&pointer, Rule::NoSuchColumn, why))
                }
            }
        };
        let maybe =
            |heading: &Option<Line>, member: &str| heading.as_ref().map(|it| place(it, member)).transpose();
        Ok(Self {
            received_on: place(&columns.received_on, "received_on")?,
            amount: place(&columns.amount, "amount")?,
            bank_reference: maybe(&columns.bank_reference, "bank_reference")?,
            payer: maybe(&columns.payer, "payer")?,
            memo: maybe(&columns.memo, "memo")?,
        })
    }

    fn read(&self, row: &csv::StringRecord, form: &ImportForm) -> Read {
        let text = |at: usize| row.get(at).unwrap_or_default().trim();
        let maybe = |at: Option<usize>| at.map(text).filter(|text| !text.is_empty());
        let written: String = text(self.amount).chars().filter(|c| !c.is_whitespace()).collect();
        let amount: String = written.chars().filter(|c| *c != ',').collect();
        if amount.is_empty() || amount.starts_with('-') || amount.bytes().all(|b| b == b'0' || b == b'.') {
            return Read::Skipped;
        }
        let details = || -> Result<Valid<ReceiptDetails>, Refusal> {
            let amount = amount.trim_start_matches('+');
            if !commas_between_thousands(&written) {
                let why =
                    format!("`{written}` has a comma that is not between thousands; decimals follow a point");
                return Err(Refusal::invalid("/amount", Rule::MalformedAmount, why));
            }
            let day = text(self.received_on);
            let received_on = NaiveDate::parse_from_str(day, &form.date_format).map_err(|_| {
                let why = format!("`{day}` is no day in the format {}", form.date_format);
                Refusal::invalid("/received_on", Rule::InvalidDate, why)
            })?;
            Valid::check(ReceiptDetails {
                amount: Money::parse(amount, form.currency.0)
                    .map_err(|(rule, why)| Refusal::invalid("/amount", rule, why))?,
                received_on,
                method: form.method,
                bank_reference: maybe(self.bank_reference).map(Line::new),
                payer: maybe(self.payer).map(Line::new),
                memo: maybe(self.memo).map(Prose::new),
            })
        };
        match details() {
            Ok(details) => Read::Form(Box::new(details)),
            Err(refusal) => Read::Refused(refusal),
        }
    }
}

/// Banks write thousands with commas, and some write decimals with one: what may be either is not guessed.
fn commas_between_thousands(amount: &str) -> bool {
    let digits = amount.trim_start_matches('+');
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    let leads = rest.peek().is_none() || (1..=3).contains(&first.len());
    leads && rest.all(|group| group.len() == 3) && !decimals.contains(',')
}

/// Tells in which line a record begins. The reader's own count lags behind where lines end with `\r\n`.
struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), counted: 0, line: 1 }
    }

    /// Of ever later records.
    fn at(&mut self, begin: u64) -> u64 {
        let mut begin = usize::try_from(begin).unwrap_or(usize::MAX).min(self.bytes.len());
        while self.bytes.get(begin).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            begin += 1;
        }
        let passed = self.bytes.get(self.counted..begin).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').map(|_| 1).sum::<u64>();
        self.counted = begin;
        self.line
    }
}

/// What a statement has no row of.
const END: &str = "\u{4}";

/// Reads the statement; refuses one that is no CSV at all.
fn rows(form: &ImportForm) -> Result<Vec<(u64, Read)>, Refusal> {
    let delimiter = match form.delimiter {
        Delimiter::Comma => b',',
        Delimiter::Semicolon => b';',
        Delimiter::Tab => b'\t',
    };
    let broken = |error: csv::Error| Refusal::invalid("/csv", Rule::InvalidCsv, error.to_string());
    // A last row of our own comes out as it went in, unless a quote before it was never closed.
    let text = format!("{}\n{END}\n", form.csv);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let mut ended = false;
    let places = Places::find(&reader.headers().map_err(broken)?.clone(), &form.columns)?;
    let mut rows = Vec::new();
    let mut lines = Lines::new(&form.csv);
    for row in reader.records() {
        let row = row.map_err(broken)?;
        ended = row.len() == 1 && row.get(0) == Some(END);
        if ended {
            continue;
        }
        if rows.len() == MOST {
            return Err(Refusal::invalid(
                "/csv",
                Rule::TooManyRows,
                format!("must have at most {MOST} rows"),
            ));
        }
        let line = row.position().map_or(0, |position| lines.at(position.byte()));
        rows.push((line, places.read(&row, form)));
    }
    if ended {
        return Ok(rows);
    }
    Err(Refusal::invalid("/csv", Rule::InvalidCsv, "a quote is opened and never closed"))
}

/// What is known of the money of a statement before a row of it is read.
#[derive(Default)]
struct Known {
    /// Amounts and days by reference.
    by_reference: BTreeMap<String, (Money, NaiveDate)>,
    /// How many there are of what has no reference, and is alike.
    alike: BTreeMap<Likeness, usize>,
}

/// By what money without a reference is told from other money.
type Likeness = (NaiveDate, i64, Option<String>, Option<String>);

/// What a row says of money that is known.
enum Verdict {
    New,
    Again,
    /// The same reference, and other money.
    Other(Money, NaiveDate),
}

fn likeness(details: &ReceiptDetails) -> Likeness {
    let memo = details.memo.as_ref().map(|memo| memo.as_str().to_owned());
    (details.received_on, details.amount.minor(), details.payer_key(), memo)
}

impl Known {
    async fn of(work: &Work, form: &ImportForm, rows: &[(u64, Read)]) -> Result<Self, Failure> {
        let mut known = Self::default();
        let forms = || {
            rows.iter().filter_map(|(_, row)| match row {
                Read::Form(details) => Some(details),
                Read::Skipped | Read::Refused(_) => None,
            })
        };
        let references: Vec<String> = forms().filter_map(|it| it.reference_key()).collect();
        let days: BTreeSet<NaiveDate> =
            forms().filter(|it| it.bank_reference.is_none()).map(|it| it.received_on).collect();
        let alike = |column, value| {
            let by_method = Predicate::Is("method", form.method.as_str().into());
            Predicate::All(vec![by_method, Predicate::Any(value)].into_iter().chain(column).collect())
        };
        for some in references.chunks(TOGETHER) {
            let one = |key: &String| Predicate::Is("bank_reference_key", key.clone().into());
            let found: Vec<Receipt> = work.find_all(alike(None, some.iter().map(one).collect())).await?;
            let entry = |it: Receipt| {
                Some((it.details.reference_key()?, (it.details.amount, it.details.received_on)))
            };
            known.by_reference.extend(found.into_iter().filter_map(entry));
        }
        let days: Vec<NaiveDate> = days.into_iter().collect();
        for some in days.chunks(TOGETHER) {
            let one = |day: &NaiveDate| Predicate::Is("received_on", (*day).into());
            let without = Some(Predicate::IsNull("bank_reference"));
            let found: Vec<Receipt> = work.find_all(alike(without, some.iter().map(one).collect())).await?;
            // A part of a receipt is not what a statement says.
            let said =
                |it: &&Receipt| it.part_of_id.is_none() && it.details.amount.currency() == form.currency.0;
            for receipt in found.iter().filter(said) {
                *known.alike.entry(likeness(&receipt.details)).or_default() += 1;
            }
        }
        Ok(known)
    }

    /// Judges a row, and takes note of it.
    fn meet(&mut self, details: &ReceiptDetails) -> Verdict {
        let (amount, day) = (details.amount, details.received_on);
        if let Some(key) = details.reference_key() {
            return match self.by_reference.get(&key) {
                None => {
                    self.by_reference.insert(key, (amount, day));
                    Verdict::New
                }
                Some(known) if *known == (amount, day) => Verdict::Again,
                Some((amount, day)) => Verdict::Other(*amount, *day),
            };
        }
        match self.alike.get_mut(&likeness(details)) {
            // A statement that is read again has as many of them as before.
            Some(left) if *left > 0 => {
                *left -= 1;
                Verdict::Again
            }
            _ => Verdict::New,
        }
    }
}

/// Makes receipts of the rows of a statement: of each that can be read, and is not there already.
pub async fn import(app: &App, call: &Call, form: Valid<ImportForm>) -> Written<ImportResult> {
    app.write(call, async |ctx, work| {
        Receipt::may_manage(ctx)?;
        let rows = rows(&form)?;
        // Of two who import the same statement at once, the second finds what the first made.
        work.hold_words(vec!["receipts:import".to_owned()]).await?;
        let mut known = Known::of(work, &form, &rows).await?;
        let mut result = ImportResult {
            created: 0,
            duplicates: 0,
            skipped: 0,
            refused: 0,
            rows: Vec::with_capacity(rows.len()),
        };
        for (line, row) in rows {
            let made = match row {
                Read::Form(details) => match known.meet(&details) {
                    Verdict::New => Some(Receipt::new(ctx, work.new_id(), *details)),
                    Verdict::Again => None,
                    Verdict::Other(amount, day) => {
                        let why = format!("is the reference of {amount} that arrived on {day} already");
                        Some(Err(Refusal::invalid("/bank_reference", Rule::OtherMoney, why)))
                    }
                },
                Read::Skipped => {
                    result.skipped += 1;
                    result.rows.push(ImportRow::new(line, ImportOutcome::Skipped));
                    continue;
                }
                Read::Refused(refusal) => Some(Err(refusal)),
            };
            match made.map(|made| refused(made.map_err(Failure::from))).transpose()? {
                None => {
                    result.duplicates += 1;
                    result.rows.push(ImportRow::new(line, ImportOutcome::Duplicate));
                }
                Some(Ok((receipt, event))) => {
                    work.insert(&receipt, event).await?;
                    result.created += 1;
                    let row = ImportRow::new(line, ImportOutcome::Created);
                    result.rows.push(ImportRow { receipt_id: Some(receipt.id), ..row });
                }
                Some(Err(refusal)) if refusal.code == Code::ValidationFailed => {
                    result.refused += 1;
                    let row = ImportRow::new(line, ImportOutcome::Refused);
                    result.rows.push(ImportRow { errors: refusal.errors.into_vec(), ..row });
                }
                Some(Err(refusal)) => return Err(refusal.into()),
            }
        }
        Ok(result)
    })
    .await
}

impl ImportRow {
    fn new(line: u64, outcome: ImportOutcome) -> Self {
        Self { line, outcome, receipt_id: None, errors: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_write_days() {
        let fits = ["%Y-%m-%d", "%d.%m.%Y", "%-d/%-m/%Y", "%Y%m%d", "%d.%m.%y", "%Y-%m-%d %H:%M", "%d %b %Y"];
        for format in fits {
            assert!(writes_days(format).is_ok(), "{format}");
        }
        for format in ["%Q%%%", "%", "%d.%m.", "%Y-%m", "%H:%M", "today", "%%Y-%%m-%%d"] {
            assert!(writes_days(format).is_err(), "{format}");
        }
    }
}
