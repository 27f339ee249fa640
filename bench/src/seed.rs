//! Customers in bulk: straight into the table, for a benchmark wants them there, not their history.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use fairlead_domain::search::{ContactData, SearchEntry};
use fairlead_domain::values::{Email, Phone};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::{NoContext, Timestamp, Uuid};

use crate::database::{Pools, on_writer};

/// Rows in one statement; SQLite takes 32 766 values at most.
const BATCH: usize = 500;
/// The limit of the default settings.
const OWNED_BY_EACH: usize = 200;

const INSERT: &str = "INSERT INTO customers (id, kind, name, name_key, source, grade, industry, region, address, phone, \
     phone_key, email, email_key, website, tags, tax_profiles, owner_id, pool_id, locked, lifecycle, furthest, owned_since, pooled_at, pool_reason, \
     created_by, version, created_at, updated_at) ";

const GRADES: [&str; 4] = ["A", "B", "C", "D"];
const SOURCES: [&str; 4] = ["website", "referral", "event", "partner"];
const INDUSTRIES: [&str; 5] = ["machinery", "logistics", "retail", "energy", "education"];
const REGIONS: [&str; 5] = ["Shanghai", "Jiangsu", "Zhejiang", "Guangdong", "Sichuan"];
const NAMES: [&str; 4] = ["华东机械有限公司", "Harbour Logistics", "星河零售集团", "Northwind Energy"];

/// What global search finds them by, as the application keeps it.
const INSERT_ENTRIES: &str =
    "INSERT INTO search_entries (record_kind, record_id, title, words, contact_words) ";

fn name(at: usize) -> String {
    format!("{} {at:06}", NAMES[at % NAMES.len()])
}

fn phone(at: usize) -> String {
    format!("138{at:08}")
}

fn email(at: usize) -> String {
    format!("buyer{at}@example.com")
}

/// What was seeded.
pub(crate) struct Seeded {
    /// Every customer.
    pub(crate) all: Vec<Uuid>,
    /// Those in the pool.
    pub(crate) pool: Vec<Uuid>,
    /// Those that a seller owns.
    pub(crate) owned: Vec<Uuid>,
}

/// Fills the table: each seller owns some customers, the rest is in the pool.
pub(crate) async fn customers(pools: &Pools, count: usize, sellers: &[Uuid], author: Uuid) -> Result<Seeded> {
    // One a minute up to now. Ids are ordered by time, as the application makes them.
    let begun = Utc::now() - Duration::minutes(i64::try_from(count)?);
    let times: Vec<DateTime<Utc>> =
        (0..i64::try_from(count)?).map(|at| begun + Duration::minutes(at)).collect();
    let all: Vec<Uuid> = times.iter().map(id_at).collect();
    // Owned and pooled customers are mixed in time, so that the newest page has both.
    let owned_every = (count / (sellers.len() * OWNED_BY_EACH).max(1)).max(2);
    let owner =
        |at: usize| at.is_multiple_of(owned_every).then(|| sellers[(at / owned_every) % sellers.len()]);
    on_writer!(pools, |pool| {
        let mut transaction = pool.begin().await?;
        let public: Uuid =
            sqlx::query_scalar("SELECT id FROM pools WHERE is_default").fetch_one(&mut *transaction).await?;
        for batch in (0..count).collect::<Vec<_>>().chunks(BATCH) {
            let mut insert = QueryBuilder::new(INSERT);
            insert.push_values(batch, |mut row, &at| {
                let (owner, time) = (owner(at), times[at]);
                let (phone, email) = (phone(at), email(at));
                row.push_bind(all[at])
                    .push_bind("company")
                    .push_bind(name(at))
                    .push_bind(format!("{}{at:06}", NAMES[at % NAMES.len()].to_lowercase().replace(' ', "")))
                    .push_bind(SOURCES[at % SOURCES.len()])
                    .push_bind(GRADES[at % GRADES.len()])
                    .push_bind(INDUSTRIES[at / REGIONS.len() % INDUSTRIES.len()])
                    .push_bind(REGIONS[at % REGIONS.len()])
                    .push_bind(format!("{at} Century Avenue, Pudong"))
                    .push_bind(phone.clone())
                    .push_bind(format!("86{phone}"))
                    .push_bind(email.clone())
                    .push_bind(email)
                    .push_bind("https://www.example.com")
                    .push_bind(Json(["vip", "2026"]))
                    .push_bind(Json(serde_json::json!([])))
                    .push_bind(owner)
                    .push_bind(public)
                    .push_bind(false)
                    .push_bind("potential")
                    .push_bind("potential")
                    .push_bind(owner.map(|_| time))
                    .push_bind(if owner.is_none() { Some(time) } else { None })
                    .push_bind(if owner.is_none() { Some("seeded") } else { None })
                    .push_bind(author)
                    .push_bind(1_i64)
                    .push_bind(time)
                    .push_bind(time);
            });
            insert.build().execute(&mut *transaction).await?;
            let mut insert = QueryBuilder::new(INSERT_ENTRIES);
            insert.push_values(batch, |mut row, &at| {
                let (name, phone, email) = (name(at), Phone::new(phone(at)), Email::new(email(at)));
                let entry = SearchEntry::new(&name)
                    .with_contact(Some(ContactData::Phone(&phone)))
                    .with_contact(Some(ContactData::Email(&email)));
                row.push_bind("customer").push_bind(all[at]).push_bind(name);
                row.push_bind(entry.words()).push_bind(entry.contact_words());
            });
            insert.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    });
    let (pool, taken): (Vec<_>, Vec<_>) = (0..count).partition(|at| owner(*at).is_none());
    let ids = |places: Vec<usize>| places.into_iter().map(|at| all[at]).collect();
    Ok(Seeded { pool: ids(pool), owned: ids(taken), all })
}

fn id_at(time: &DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.timestamp_subsec_nanos()))
}
