//! Global search (全局搜索): one question to records of every kind, within what the caller may see.

use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::search::{Fit, SearchQuestion, meets};
use fairlead_domain::text_enum;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::ContractId;
use fairlead_persistence::{Findable, Found, Predicate, Reader, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::app::App;
use crate::call::{Call, Read};
use crate::{contacts, visibility};

/// How many hits there are at most, and when nothing is said about it.
const MOST: u64 = 50;
const USUAL: u64 = 20;
/// How many of one fit are looked at, the youngest. No answer holds as many, even if all of another are among them.
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
    /// record.
    #[validate(length(min = 1, max = 200), custom(function = "without_nul"))]
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

/// What no database takes for a text.
fn without_nul(text: &str) -> Result<(), ValidationError> {
    if !text.contains('\0') {
        return Ok(());
    }
    Err(ValidationError::new("control_character").with_message("must not contain the character NUL".into()))
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
    /// What it is called; an invoice by to whom it is, a payment by who paid.
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
    /// name begins like the question, then what is found by names and numbers, then what is found by contact data.
    #[schema(max_items = 50)]
    pub data: Vec<SearchHit>,
}

/// Finds records. Each is found once, by what it fits best.
pub async fn search(app: &App, call: &Call, form: Valid<SearchForm>) -> Read<SearchResults> {
    let question = SearchQuestion::new(&form.q);
    let most = usize::try_from(form.limit.min(MOST)).unwrap_or_default();
    app.read(call, async |ctx, reader| {
        let kinds = SearchKind::chosen(form.kinds.as_deref());
        let among: Vec<Findable> = kinds.iter().filter_map(|kind| findable(ctx, *kind)).collect();
        let mut data: Vec<SearchHit> = Vec::new();
        for fit in Fit::ALL {
            let Some(question) = &question else { break };
            if data.len() >= most || among.is_empty() {
                break;
            }
            for found in fitting(reader, question, *fit, &among, most).await? {
                if data.iter().all(|hit| hit.id != found.id) {
                    data.extend(hit(found, *fit));
                }
            }
        }
        data.truncate(most);
        Ok(SearchResults { data })
    })
    .await
}

/// What fits so: those whose name begins like the question, then those that are found by a name or a number, then those
/// that are found by contact data; of equals the youngest. Only where more fit than are looked at, and too few of these
/// begin so, are those that do asked for by themselves. So many fill any answer: it happens once at most.
async fn fitting(
    reader: &Reader<'_>,
    question: &SearchQuestion,
    fit: Fit,
    among: &[Findable],
    most: usize,
) -> Result<Vec<Found>, StoreError> {
    let Some(condition) = question.wanted(fit) else { return Ok(Vec::new()) };
    let found = reader.find(&condition, among, LOOKED_AT).await?;
    let are_all = u64::try_from(found.len()).is_ok_and(|looked_at| looked_at < LOOKED_AT);
    let (mut first, others): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| question.begins(&found.title));
    if !are_all
        && first.len() < most
        && let Some(condition) = question.wanted_first(fit)
    {
        first = reader.find(&condition, among, LOOKED_AT).await?;
    }
    let (named, reached): (Vec<Found>, Vec<Found>) =
        others.into_iter().partition(|found| meets(&found.words, &condition));
    first.extend(named);
    first.extend(reached);
    Ok(first)
}

fn hit(found: Found, fit: Fit) -> Option<SearchHit> {
    let kind = found.kind.as_str().parse().ok()?;
    Some(SearchHit { kind, id: found.id, title: found.title, number: found.number, fit })
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
        _ => visibility::own(ctx, kind)?,
    };
    Some(Findable { kind: kind.record(), table: kind.table(), visible, by_contact_data })
}
