//! What Fairlead remembers, on SQLite and on PostgreSQL.
//!
//! Rules come from the domain and leave it unchanged; SQL and SeaORM's types do not leave this crate. Reads go
//! through [`Reader`], writes through [`Work`]; each record says once, in [`entity`], how it is kept.

pub mod access;
mod activities;
mod approvals;
mod chain;
mod deadline;
mod derived;
pub mod entity;
mod error;
pub mod files;
mod jobs;
mod lane;
mod lines;
mod member;
mod merges;
mod ownership;
pub mod query;
mod reader;
mod receivables;
mod search;
mod sql;
mod store;
mod stored;
pub mod sync;
mod ties;
mod traces;
pub mod verify;
mod webhooks;
mod work;

pub use derived::{Compared, DERIVING, Off};
pub use error::StoreError;
pub use ownership::{Owner, RecycleCandidates};
pub use query::cursor::CursorKey;
pub use query::list::{Slice, Visible};
pub use query::predicate::Predicate;
pub use reader::{Guard, Reader};
pub use receivables::AgingRow;
pub use sea_orm::Value;
pub use search::{Findable, Found};
pub use store::{Location, Store};
pub use stored::{Kept, Stored};
pub use ties::Ties;
pub use traces::TrailEvent;
pub use webhooks::of_present_webhooks;
pub use work::{Author, Claim, Mark, NewId, Work};
