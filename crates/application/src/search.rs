//! Global search (全局搜索): one question to records of every kind, within what the caller may see.

use std::collections::BTreeMap;

use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::record::RecordKind;
use fairlead_domain::search::{Condition, Fit, SearchQuestion, meets, number_meets};
use fairlead_domain::text_enum;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::ContractId;
use fairlead_persistence::{Findable, Found, Predicate, Reader, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Read};
use crate::contacts;
use crate::visibility::{self, FollowedKind};

/// How many hits there are at most, and when nothing is said about it.
const MOST: u64 = 50;
const USUAL: u64 = 20;
/// How many of one fit and kind are looked at, the youngest. No answer holds as many, even if all of another are among
/// them.
const LOOKED_AT: u64 = 200;

text_enum! {
    /// What global search finds.
    pub enum SearchKind {
        /// Leads, by name, company, telephone number and e-mail address.
        Lead = "lead" ("Leads", "线索"),
        /// Customers, by name, telephone and registration number, e-mail address, web site and tax profiles.
        Customer = "customer" ("Customers", "客户"),
        /// Contacts, by name, telephone number, e-mail address and WeChat id.
        Contact = "contact" ("Contacts", "联系人"),
        /// Opportunities, by name.
        Opportunity = "opportunity" ("Opportunities", "商机"),
        /// Contracts, by title and number.
        Contract = "contract" ("Contracts", "合同"),
        /// Invoices, by their numbers and to whom they are.
        Invoice = "invoice" ("Invoices", "发票"),
        /// Payments, by number, reference and who paid.
        Payment = "payment" ("Payments", "回款"),
    }
}

/// What is looked for.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchForm {
    /// Words, or beginnings of words, of names in any script; a telephone number or its end; the number of a
    /// record. Of more than twelve parts, with spaces or signs between them, the first twelve find.
    #[validate(length(min = 1, max = 200), custom(function = "fairlead_domain::values::without_nul"))]
    #[schema(min_length = 1, max_length = 200, example = "上海")]
    pub q: String,
    /// Which kinds of records, separated by commas; all when absent.
    #[serde(default)]
    #[validate(length(min = 1, max = 7))]
    #[schema(min_items = 1, max_items = 7)]
    pub kinds: Option<Vec<SearchKind>>,
    /// How many hits at most.
    #[serde(default = "usual")]
    #[validate(range(min = 1, max = 50))]
    #[schema(minimum = 1, maximum = 50, default = 20)]
    pub limit: u64,
}

fn usual() -> u64 {
    USUAL
}

/// A record that was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "contract",
    "id": ContractId::example(1),
    "title": "上海星辰科技有限公司年度订阅",
    "number": "CT-2026-000123",
    "fit": "words"
}))]
pub struct SearchHit {
    /// What it is.
    pub kind: SearchKind,
    /// Its id.
    pub id: Uuid,
    /// What it is called; an invoice by to whom it is, a payment by who paid, or by their numbers where that is not said.
    #[schema(max_length = 200, example = "上海星辰科技有限公司")]
    pub title: String,
    /// Its number, where it has one.
    #[schema(required, max_length = 40, example = "CT-2026-000123")]
    pub number: Option<String>,
    /// How well it fits.
    pub fit: Fit,
}

/// What was found, the best first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SearchResults {
    /// The hits: whole names first, then every word, then beginnings of words, then similar words; of these those whose
    /// name begins like the question, then what is found by names and numbers, then what is found by contact data, and
    /// last invoices and payments that are found by the name of a customer. Among equals the kinds take turns.
    #[schema(max_items = 50)]
    pub data: Vec<SearchHit>,
}

/// Finds records. Each is found once, by what it fits best.
pub async fn search(app: &App, call: &Call, form: Valid<SearchForm>) -> Read<SearchResults> {
    let question = SearchQuestion::new(&form.q);
    let most = usize::try_from(form.limit.min(MOST)).unwrap_or_default();
    app.read(call, async |ctx, reader| {
        let kinds = visibility::chosen(form.kinds.as_deref());
        let among: Vec<Findable> = kinds.iter().filter_map(|kind| findable(ctx, *kind)).collect();
        let mut data: Vec<SearchHit> = Vec::new();
        for fit in Fit::ALL {
            let Some(question) = &question else { break };
            if data.len() >= most || among.is_empty() {
                break;
            }
            for hit in fitting(reader, question, *fit, &among, most).await? {
                if data.len() < most && data.iter().all(|before| before.id != hit.id) {
                    data.push(hit);
                }
            }
        }
        Ok(SearchResults { data })
    })
    .await
}

/// By what something is found, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// Its own name begins like the question.
    Beginning,
    /// Its own name, or its number.
    NameOrNumber,
    /// Contact data.
    ContactData,
    /// A name that it has from its customer: that one itself is to be found first, however much came of it.
    BorrowedName,
}

impl SearchKind {
    /// Whether it has no name of its own, only that of a customer.
    const fn borrows_its_name(self) -> bool {
        match self {
            Self::Invoice | Self::Payment => true,
            Self::Customer | Self::Contact | Self::Lead | Self::Opportunity | Self::Contract => false,
        }
    }

    /// Whose turn it is first among equals: people and companies before what is done with them.
    const fn turn(self) -> u8 {
        match self {
            Self::Customer => 0,
            Self::Contact => 1,
            Self::Lead => 2,
            Self::Opportunity => 3,
            Self::Contract => 4,
            Self::Invoice => 5,
            Self::Payment => 6,
        }
    }

    fn of(record: RecordKind) -> Option<Self> {
        record.as_str().parse().ok()
    }
}

/// What fits so, by what it is found; of equals one of each kind in turn, and of a kind the youngest first. Only where
/// more of a kind fit than are looked at, and too few of these begin so, are those that do asked for by themselves. So
/// many fill any answer: it happens once at most.
async fn fitting(
    reader: &Reader<'_>,
    question: &SearchQuestion,
    fit: Fit,
    among: &[Findable],
    most: usize,
) -> Result<Vec<SearchHit>, StoreError> {
    let Some(condition) = question.wanted(fit) else { return Ok(Vec::new()) };
    let found = reader.find(&condition, among, LOOKED_AT).await?;
    let begins = |found: &Found| question.begins(&found.words);
    let of = |found: &[Found], kind: RecordKind, which: &dyn Fn(&Found) -> bool| {
        found.iter().filter(|one| one.kind == kind && which(one)).count()
    };
    let may_lack = |one: &&Findable| {
        let are_all =
            u64::try_from(of(&found, one.kind, &|_| true)).is_ok_and(|looked_at| looked_at < LOOKED_AT);
        let has_names = SearchKind::of(one.kind).is_some_and(|kind| !kind.borrows_its_name());
        !are_all && has_names && of(&found, one.kind, &begins) < most
    };
    let lacking: Vec<Findable> = among.iter().filter(may_lack).cloned().collect();
    let more = match question.wanted_first(fit) {
        Some(condition) if !lacking.is_empty() => reader.find(&condition, &lacking, LOOKED_AT).await?,
        _ => Vec::new(),
    };
    let is_replaced = |one: &Found| begins(one) && lacking.iter().any(|kind| kind.kind == one.kind);
    let kept = found.into_iter().filter(|one| !is_replaced(one));
    Ok(ranked(question, fit, &condition, kept.chain(more)))
}

/// Puts what fits so into the order in which it is told.
fn ranked(
    question: &SearchQuestion,
    fit: Fit,
    condition: &Condition,
    found: impl Iterator<Item = Found>,
) -> Vec<SearchHit> {
    let mut taken: BTreeMap<(By, SearchKind), usize> = BTreeMap::new();
    let mut hits = Vec::new();
    for found in found {
        let Some(kind) = SearchKind::of(found.kind) else { continue };
        let by = found_by(question, condition, kind, &found);
        let round = taken.entry((by, kind)).or_default();
        hits.push((
            (by, *round, kind.turn()),
            SearchHit { kind, id: found.id, title: found.title, number: found.number, fit },
        ));
        *round += 1;
    }
    hits.sort_by_key(|(place, _)| *place);
    hits.into_iter().map(|(_, hit)| hit).collect()
}

fn found_by(question: &SearchQuestion, condition: &Condition, kind: SearchKind, found: &Found) -> By {
    let by_number = || found.number.as_deref().is_some_and(|number| number_meets(number, condition));
    if question.begins(&found.words) {
        By::Beginning
    } else if !meets(&found.words, condition) {
        By::ContactData
    } else if kind.borrows_its_name() && !by_number() {
        By::BorrowedName
    } else {
        By::NameOrNumber
    }
}

/// Which records of a kind the caller may find: those that they may list. None where they may list none.
fn findable(ctx: &Context<'_>, kind: SearchKind) -> Option<Findable> {
    let by_contact_data = match kind {
        _ if Customer::shows_pool_contact_data(ctx) => Predicate::True,
        SearchKind::Customer => Predicate::True.owned(),
        SearchKind::Contact => {
            Predicate::Through("contacts.customer_id", "customers", Box::new(Predicate::True.owned()))
        }
        SearchKind::Lead
        | SearchKind::Opportunity
        | SearchKind::Contract
        | SearchKind::Invoice
        | SearchKind::Payment => Predicate::True,
    };
    let visible = match kind {
        SearchKind::Contact => contacts::visible(ctx, Predicate::True).ok()?,
        _ => visibility::own(ctx, kind.into())?,
    };
    let kind = FollowedKind::from(kind);
    Some(Findable { kind: kind.record(), table: kind.table(), visible, by_contact_data })
}
