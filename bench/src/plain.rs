//! The plain handlers: what one would write for these queries and nothing else. No token, permission, scope, version
//! or ETag; no audit trail, history or outbox; columns read by position, which is the fastest way there is.

use std::io::Write;
use std::net::TcpListener;

use actix_web::web::{self, Data, Json, Path};
use actix_web::{App, HttpResponse, HttpServer, Result};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Row, types};
use uuid::Uuid;

use crate::database::{Pools, on_reader, on_writer};

/// Which database, and how many of what.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    workers: usize,
    #[arg(long)]
    connections: u32,
    /// Who owns what is created and claimed.
    #[arg(long)]
    owner: Uuid,
}

struct State {
    pools: Pools,
    owner: Uuid,
}

/// The members that the API's customer has, in their order.
#[derive(Serialize)]
struct Customer {
    id: Uuid,
    kind: String,
    name: String,
    registration_number: Option<String>,
    source: Option<String>,
    grade: Option<String>,
    industry: Option<String>,
    region: Option<String>,
    address: Option<String>,
    scale: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    website: Option<String>,
    tags: types::Json<Vec<String>>,
    tax_profiles: types::Json<serde_json::Value>,
    note: Option<String>,
    owner_id: Option<Uuid>,
    pool_id: Uuid,
    locked: bool,
    lifecycle: String,
    furthest: String,
    last_activity_at: Option<DateTime<Utc>>,
    next_activity_at: Option<DateTime<Utc>>,
    owned_since: Option<DateTime<Utc>>,
    pooled_at: Option<DateTime<Utc>>,
    pool_reason: Option<String>,
    recycle_on: Option<NaiveDate>,
    previous_owner_id: Option<Uuid>,
    created_by: Uuid,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "id, kind, name, registration_number, source, grade, industry, region, address, scale, phone, email, \
         website, tags, tax_profiles, note, owner_id, pool_id, locked, lifecycle, furthest, last_activity_at, \
         next_activity_at, owned_since, pooled_at, pool_reason, recycle_on, previous_owner_id, created_by, version, created_at, updated_at"
    };
}

/// A macro, because rows of the two databases are of two types.
macro_rules! customer {
    ($row:expr) => {{
        let row = &$row;
        let read = || {
            Ok::<Customer, sqlx::Error>(Customer {
                id: row.try_get(0)?,
                kind: row.try_get(1)?,
                name: row.try_get(2)?,
                registration_number: row.try_get(3)?,
                source: row.try_get(4)?,
                grade: row.try_get(5)?,
                industry: row.try_get(6)?,
                region: row.try_get(7)?,
                address: row.try_get(8)?,
                scale: row.try_get(9)?,
                phone: row.try_get(10)?,
                email: row.try_get(11)?,
                website: row.try_get(12)?,
                tags: row.try_get(13)?,
                tax_profiles: row.try_get(14)?,
                note: row.try_get(15)?,
                owner_id: row.try_get(16)?,
                pool_id: row.try_get(17)?,
                locked: row.try_get(18)?,
                lifecycle: row.try_get(19)?,
                furthest: row.try_get(20)?,
                last_activity_at: row.try_get(21)?,
                next_activity_at: row.try_get(22)?,
                owned_since: row.try_get(23)?,
                pooled_at: row.try_get(24)?,
                pool_reason: row.try_get(25)?,
                recycle_on: row.try_get(26)?,
                previous_owner_id: row.try_get(27)?,
                created_by: row.try_get(28)?,
                version: row.try_get(29)?,
                created_at: row.try_get(30)?,
                updated_at: row.try_get(31)?,
            })
        };
        read()
    }};
}

/// One customer, and as many more bytes as the API spends on what the caller may do.
#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    customer: Customer,
    allowed_actions: [Action; 8],
}

#[derive(Serialize)]
struct Action {
    action: &'static str,
    allowed: bool,
}

const ACTIONS: [Action; 8] = [
    Action { action: "claim", allowed: true },
    Action { action: "assign", allowed: true },
    Action { action: "release", allowed: true },
    Action { action: "move", allowed: true },
    Action { action: "lock", allowed: true },
    Action { action: "unlock", allowed: true },
    Action { action: "update", allowed: true },
    Action { action: "delete", allowed: true },
];

#[derive(Serialize)]
struct Page {
    data: Vec<Customer>,
    page: PageInfo,
}

#[derive(Serialize)]
struct PageInfo {
    next_cursor: Option<String>,
    has_more: bool,
}

#[derive(Deserialize)]
struct Form {
    kind: String,
    name: String,
    source: Option<String>,
    grade: Option<String>,
    region: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

fn failed(error: sqlx::Error) -> actix_web::Error {
    actix_web::error::ErrorInternalServerError(error)
}

fn one(found: Option<Customer>, mut answer: actix_web::HttpResponseBuilder) -> HttpResponse {
    match found {
        Some(customer) => answer.json(View { customer, allowed_actions: ACTIONS }),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn get(state: Data<State>, id: Path<Uuid>) -> Result<HttpResponse> {
    const TEXT: &str = concat!("SELECT ", columns!(), " FROM customers WHERE id = $1");
    let found = on_reader!(&state.pools, |pool| {
        let row = sqlx::query(TEXT).bind(*id).fetch_optional(pool).await.map_err(failed)?;
        row.map(|row| customer!(row)).transpose().map_err(failed)?
    });
    Ok(one(found, HttpResponse::Ok()))
}

async fn list(state: Data<State>) -> Result<HttpResponse> {
    const TEXT: &str =
        concat!("SELECT ", columns!(), " FROM customers ORDER BY created_at DESC, id DESC LIMIT 51");
    let mut data = on_reader!(&state.pools, |pool| {
        let rows = sqlx::query(TEXT).fetch_all(pool).await.map_err(failed)?;
        let rows: Result<Vec<Customer>, sqlx::Error> = rows.iter().map(|row| customer!(row)).collect();
        rows.map_err(failed)?
    });
    let has_more = data.len() > 50;
    data.truncate(50);
    let next_cursor = data.last().map(|last| format!("{}_{}", last.created_at.timestamp_millis(), last.id));
    Ok(HttpResponse::Ok().json(Page { data, page: PageInfo { next_cursor, has_more } }))
}

async fn create(state: Data<State>, form: Json<Form>) -> Result<HttpResponse> {
    const TEXT: &str = concat!(
        "INSERT INTO customers (id, kind, name, name_key, source, grade, region, phone, email, tags, tax_profiles, owner_id, pool_id, \
         locked, lifecycle, furthest, owned_since, created_by, version, created_at, updated_at) \
         VALUES ($1, $2, $3, LOWER($3), $4, $5, $6, $7, $8, $9, $9, $10, (SELECT id FROM pools WHERE is_default), FALSE, \
         'potential', 'potential', $11, $10, 1, $11, $11) RETURNING ",
        columns!()
    );
    let now = Utc::now().trunc_subsecs(3);
    let form = form.into_inner();
    let made = on_writer!(&state.pools, |pool| {
        let row = sqlx::query(TEXT)
            .bind(Uuid::now_v7())
            .bind(form.kind)
            .bind(form.name)
            .bind(form.source)
            .bind(form.grade)
            .bind(form.region)
            .bind(form.phone)
            .bind(form.email)
            .bind(types::Json(Vec::<String>::new()))
            .bind(state.owner)
            .bind(now)
            .fetch_one(pool)
            .await
            .map_err(failed)?;
        customer!(row).map_err(failed)?
    });
    Ok(one(Some(made), HttpResponse::Created()))
}

async fn claim(state: Data<State>, id: Path<Uuid>) -> Result<HttpResponse> {
    const TEXT: &str = concat!(
        "UPDATE customers SET owner_id = $2, owned_since = $3, pooled_at = NULL, pool_reason = NULL, \
         version = version + 1, updated_at = $3 WHERE id = $1 AND owner_id IS NULL RETURNING ",
        columns!()
    );
    let now = Utc::now().trunc_subsecs(3);
    let claimed = on_writer!(&state.pools, |pool| {
        let row = sqlx::query(TEXT)
            .bind(*id)
            .bind(state.owner)
            .bind(now)
            .fetch_optional(pool)
            .await
            .map_err(failed)?;
        row.map(|row| customer!(row)).transpose().map_err(failed)?
    });
    Ok(one(claimed, HttpResponse::Ok()))
}

/// Serves until it is ended.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let pools = Pools::open(&options.database_url, options.connections).await?;
        let state = Data::new(State { pools, owner: options.owner });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/customers", web::get().to(list))
                .route("/customers", web::post().to(create))
                .route("/customers/{id}", web::get().to(get))
                .route("/customers/{id}/claim", web::post().to(claim))
        })
        .workers(options.workers)
        .listen(listener)?;
        writeln!(std::io::stdout(), "listening on http://{address}")?;
        server.run().await?;
        Ok(())
    })
}
