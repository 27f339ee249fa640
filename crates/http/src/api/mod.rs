//! The API as data. A resource declares its operations here, each with the use case that it runs; the router
//! and the specification are both made from the declarations, so that neither can know what the other does
//! not.
//!
//! A declaration's kind ([`read`], [`write`], [`open`]) says what the use case takes and gives, and makes the
//! operation's [`shape`]. From there on nothing knows kinds: [`router`], [`ask`], [`answer`] and [`document`]
//! read the shape.

mod answer;
mod ask;
mod components;
mod deprecation;
mod document;
mod example;
mod files;
mod listing;
mod open;
mod question;
mod read;
mod router;
mod schemas;
mod search;
mod selection;
mod shape;
mod stream;
mod tidy;
mod webhooks;
mod write;

use std::str::FromStr;
use std::sync::Arc;

use actix_web::http::Method;
use fairlead_application::{Call, Flag};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

pub(crate) use self::answer::{REPLAYED, Shown};
use self::ask::{Ask, Exchange};
pub(crate) use self::deprecation::Deprecation;
pub(crate) use self::document::{BEARER, Parts, describe};
pub(crate) use self::router::{readable, scope, services};
use self::schemas::Schemas;
use self::shape::Shape;
use crate::problem::Outcome;

/// Under which path the API lives. What load balancers, key readers and people look for lives beside it.
const BASE: &str = "/api/v1";

/// What an operation runs.
type Handler = Arc<dyn Fn(Exchange) -> LocalBoxFuture<'static, Outcome> + Send + Sync>;

/// One operation.
pub(crate) struct Operation {
    shape: Arc<Shape>,
    about: About,
    tag: &'static str,
    permission: Option<Permission>,
    refusals: Vec<Code>,
    deprecation: Option<Deprecation>,
    handler: Handler,
}

/// What people are told about an operation.
#[derive(Clone, Copy)]
struct About {
    id: &'static str,
    summary: &'static str,
    rules: &'static str,
}

/// All operations, in the order of their declaration.
#[derive(Default)]
pub(crate) struct Api {
    tags: Vec<(&'static str, &'static str)>,
    operations: Vec<Operation>,
    schemas: Schemas,
}

/// What can stand in a path.
pub(crate) trait PathId: FromStr<Err = String> + ToSchema + 'static {}
impl<T: FromStr<Err = String> + ToSchema + 'static> PathId for T {}

/// What can be sent as a body.
pub(crate) trait Form: DeserializeOwned + Validate + ToSchema + 'static {}
impl<T: DeserializeOwned + Validate + ToSchema + 'static> Form for T {}

/// What can be answered.
pub(crate) trait View: Serialize + ToSchema + 'static {}
impl<T: Serialize + ToSchema + 'static> View for T {}

impl Api {
    /// The operations alone, for the router.
    pub(crate) fn into_operations(mut self) -> Vec<Arc<Operation>> {
        selection::tell(&mut self.operations, self.schemas);
        for operation in &mut self.operations {
            if let Some(shape) = Arc::get_mut(&mut operation.shape) {
                shape.queried = shape.parameter_names();
            }
        }
        self.operations.into_iter().map(Arc::new).collect()
    }

    /// What operations a code may be refused by: method, path, tag and id of each.
    pub(crate) fn refusing(&self, code: Code) -> impl Iterator<Item = (&Method, &str, &str, &str)> {
        let naming = self.operations.iter().filter(move |operation| document::names(operation, code));
        naming.map(|one| (&one.shape.method, one.shape.path.as_str(), one.tag, one.about.id))
    }

    /// The operations that follow belong together.
    pub(crate) fn tag(&mut self, name: &'static str, description: &'static str) -> &mut Self {
        self.tags.push((name, description));
        self
    }

    /// The operation declared last takes this permission.
    pub(crate) fn needs(&mut self, permission: Permission) -> &mut Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.permission = Some(permission);
        }
        self
    }

    /// Records below this path may have been merged into others: then reads lead there, and writes are refused.
    pub(crate) fn merges(&mut self, path: &str) -> &mut Self {
        let below = format!("{BASE}{path}/{{id}}");
        for operation in self.operations.iter_mut().filter(|it| it.shape.path.starts_with(&below)) {
            let reads = operation.shape.method == Method::GET;
            operation.refusals.push(if reads { Code::Merged } else { Code::RecordMerged });
        }
        self
    }

    /// What is below this path is a part of the records of its kind: here is one that a demo has there.
    pub(crate) fn example(&mut self, path: &str, id: &impl Serialize) -> &mut Self {
        let below = format!("{BASE}{path}/{{id}}");
        for operation in self.operations.iter_mut().filter(|it| it.shape.path.starts_with(&below)) {
            if let Some(shape) = Arc::get_mut(&mut operation.shape) {
                shape.example = Some(serde_json::json!(id));
            }
        }
        self
    }

    /// The operation declared last takes a record in a state that the first one of its kind is not in: here is one of a
    /// demo that is.
    pub(crate) fn shown_with(&mut self, id: &impl Serialize) -> &mut Self {
        if let Some(shape) = self.last_shape() {
            shape.example = Some(serde_json::json!(id));
        }
        self
    }

    /// The shape of the operation declared last, which nobody shares yet.
    fn last_shape(&mut self) -> Option<&mut Shape> {
        self.operations.last_mut().and_then(|last| Arc::get_mut(&mut last.shape))
    }

    /// The query of the operation declared last may say this.
    pub(crate) fn flagged(&mut self, flags: &'static [Flag]) -> &mut Self {
        if let Some(shape) = self.last_shape() {
            shape.flags = flags;
        }
        self
    }

    /// The operation declared last tells of parts that were refused while others were done: it says why, in the caller's
    /// language.
    pub(crate) fn tells_parts(&mut self) -> &mut Self {
        if let Some(shape) = self.last_shape() {
            shape.answer.tells_parts = true;
        }
        self
    }

    /// The answer of the operation declared last is worth keeping: it comes with a tag, and whoever has it is told so.
    pub(crate) fn kept(&mut self) -> &mut Self {
        if let Some(shape) = self.last_shape() {
            shape.kept();
        }
        self
    }

    /// The answer of the operation declared last says the same to everybody and nothing of anybody: browsers may keep it.
    pub(crate) fn impersonal(&mut self) -> &mut Self {
        if let Some(shape) = self.last_shape() {
            shape.answer.impersonal = true;
        }
        self
    }

    /// The operation declared last goes away: clients are told in the document and with every answer.
    #[cfg_attr(not(test), expect(dead_code, reason = "nothing goes away yet"))]
    pub(crate) fn deprecated(&mut self, deprecation: Deprecation) -> &mut Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.deprecation = Some(deprecation);
        }
        self
    }

    /// The operation declared last may refuse with these codes, besides what its kind refuses anyway.
    pub(crate) fn refuses(&mut self, codes: &[Code]) -> &mut Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.refusals.extend_from_slice(codes);
        }
        self
    }

    /// An operation that needs to know who calls. The caller is asked for before anything else is read.
    fn signed<F>(&mut self, about: About, shape: Shape, run: F) -> &mut Self
    where
        F: AsyncFn(&Ask, &Call) -> Outcome + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        self.add(about, shape, move |exchange| {
            let run = Arc::clone(&run);
            Box::pin(async move {
                let caller = exchange.caller()?;
                let ask = exchange.read().await?;
                let call = ask.call(caller)?;
                run(&ask, &call).await
            })
        })
    }

    /// An operation for everybody.
    fn open<F>(&mut self, about: About, shape: Shape, run: F) -> &mut Self
    where
        F: AsyncFn(&Ask) -> Outcome + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        self.add(about, shape.public(), move |exchange| {
            let run = Arc::clone(&run);
            Box::pin(async move {
                exchange.unknown()?;
                run(&exchange.read().await?).await
            })
        })
    }

    fn add(
        &mut self,
        about: About,
        shape: Shape,
        handler: impl Fn(Exchange) -> LocalBoxFuture<'static, Outcome> + Send + Sync + 'static,
    ) -> &mut Self {
        let tag = self.tags.last().map_or("", |(name, _)| name);
        self.operations.push(Operation {
            shape: Arc::new(shape),
            about,
            tag,
            permission: None,
            refusals: Vec::new(),
            deprecation: None,
            handler: Arc::new(handler),
        });
        self
    }
}

fn api(method: Method, path: &str) -> Shape {
    Shape::new(method, format!("{BASE}{path}"))
}
