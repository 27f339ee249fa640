//! A request on its way to a use case.

use std::cell::Cell;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Payload};
use fairlead_application::listing::{Include, ListRequest};
use fairlead_application::{App, Call, Caller, Flag, fields};
use fairlead_domain::access::Permission;
use fairlead_domain::attachment::FileCard;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use validator::Validate;

use super::files::Upload;
use super::shape::{Body, Shape};
use super::{question, selection};
use crate::middleware::note_user;
use crate::request::body::{JSON, MERGE_PATCH};
use crate::request::limit::Asker;
use crate::request::origin::Origin;
use crate::request::{body, condition, idempotency, negotiate, query, token};
use crate::state::State;

/// A request as it came, and the shape of the operation that it is for.
pub(crate) struct Exchange {
    pub(crate) state: Arc<State>,
    pub(crate) shape: Arc<Shape>,
    pub(crate) permission: Option<Permission>,
    pub(crate) request: HttpRequest,
    pub(crate) payload: Payload,
}

/// A request that was read as its operation's shape wants.
pub(crate) struct Ask {
    pub(crate) state: Arc<State>,
    pub(crate) shape: Arc<Shape>,
    permission: Option<Permission>,
    pub(crate) request: HttpRequest,
    pub(crate) query: Vec<(String, String)>,
    /// The members that are wanted, where not all are.
    pub(crate) fields: Option<Vec<String>>,
    body: Bytes,
    /// A file, until it is read.
    payload: Cell<Option<Payload>>,
}

impl Exchange {
    /// Who asks.
    pub(crate) fn caller(&self) -> Result<Caller, Refusal> {
        match token::caller(&self.state.app, self.request.headers()) {
            Ok(caller) => {
                note_user(caller.user);
                self.state.limits.admit(&self.request, &Asker::User(caller.user))?;
                Ok(caller)
            }
            Err(refusal) => {
                self.unknown()?;
                Err(refusal)
            }
        }
    }

    /// Somebody asks of whom nothing is known but where they come from.
    pub(crate) fn unknown(&self) -> Result<(), Refusal> {
        if self.shape.is_limited() { self.state.limits.admit_unknown(&self.request) } else { Ok(()) }
    }

    fn wants_page(&self) -> bool {
        self.shape.answer.shown && negotiate::prefers_page(self.request.headers())
    }

    /// Reads the request.
    pub(crate) async fn read(mut self) -> Result<Ask, Refusal> {
        if self.shape.answer.content.is_json() && !self.wants_page() {
            negotiate::json_accepted(self.request.headers(), self.shape.answer.shown)?;
        }
        if self.shape.answer.content.is_stream() {
            negotiate::events_accepted(self.request.headers())?;
        }
        if self.shape.heeds_tags() {
            condition::check_if_none_match(self.request.headers())?;
        }
        let query = query::pairs(self.request.query_string())?;
        query::check_known(&query, &self.shape.queried)?;
        let chosen = selection::chosen(&query, &self.shape)?;
        if !self.shape.is_asked() {
            query::check_flags(&fields::rest(&query), self.shape.flags)?;
        }
        let body = self.body().await?;
        let Self { state, shape, permission, request, payload } = self;
        let payload = Cell::new(Some(payload));
        Ok(Ask { state, shape, permission, request, query, fields: chosen, body, payload })
    }

    async fn body(&mut self) -> Result<Bytes, Refusal> {
        let headers = self.request.headers();
        let allowed: &[&str] = match self.shape.body {
            Body::Ignored | Body::File => return Ok(Bytes::new()),
            Body::Empty => &[],
            Body::Form { .. } | Body::Search { .. } => &[JSON],
            Body::Patch { .. } => &[MERGE_PATCH, JSON],
        };
        if !allowed.is_empty() {
            body::check_type(headers, allowed)?;
        }
        let config = &self.state.config;
        let read = body::read(&mut self.payload, headers, config.body_limit, config.body_timeout).await?;
        if allowed.is_empty() && !read.is_empty() {
            body::check_type(headers, &[JSON])?;
            body::nothing(&read)?;
        }
        Ok(read)
    }
}

impl Ask {
    /// The application.
    pub(crate) fn app(&self) -> &App {
        &self.state.app
    }

    /// Where the request comes from.
    pub(crate) fn origin(&self) -> Origin {
        Origin::of(&self.request)
    }

    /// The call of a use case that this request makes.
    pub(crate) fn call(&self, caller: Caller) -> Result<Call, Refusal> {
        let mut call = Call::new(caller, self.origin().request_id);
        call.permission = self.permission;
        call.if_match = condition::if_match(self.request.headers(), self.shape.precondition)?;
        call.dry_run = self.says(Flag::DryRun) || self.says(Flag::DryJob);
        call.allow_duplicate = self.says(Flag::AllowDuplicate);
        if self.shape.idempotent {
            call.idempotency = idempotency::key(&self.request, &self.body)?;
        }
        Ok(call)
    }

    /// Whether the query says this.
    pub(crate) fn says(&self, flag: Flag) -> bool {
        self.shape.flags.contains(&flag) && query::says(&self.query, flag)
    }

    /// The path's parameter.
    pub(crate) fn id<Id: FromStr<Err = String>>(&self) -> Result<Id, Refusal> {
        let name = self
            .shape
            .parameter_name()
            .ok_or_else(|| Refusal::new(Code::Internal, "the path has no parameter"))?;
        let text = self.request.match_info().get(name).unwrap_or_default();
        text.parse().map_err(|why: String| Refusal::malformed(name, why))
    }

    /// The body as a file: what came with it, and its content as it arrives.
    pub(crate) fn file(&self) -> Result<(FileCard, Upload), Refusal> {
        let headers = self.request.headers();
        let media_type = body::media_type(headers)?;
        let name = self.query.iter().find(|(name, _)| name == query::FILE_NAME);
        let (_, name) =
            name.ok_or_else(|| Refusal::malformed(query::FILE_NAME, "say what the file is called"))?;
        let card = FileCard::new(name, media_type)?;
        let payload =
            self.payload.take().ok_or_else(|| Refusal::new(Code::Internal, "the file was read already"))?;
        let config = &self.state.config;
        let content = body::stream(payload, headers, config.file_limit, config.file_timeout)?;
        Ok((card, content.boxed_local()))
    }

    /// The body as a form.
    pub(crate) fn form<T: DeserializeOwned + Validate>(&self) -> Result<Valid<T>, Refusal> {
        body::form(&self.body)
    }

    /// The body as a patch of a form.
    pub(crate) fn patch<T: Serialize + DeserializeOwned + Validate>(&self) -> Result<Patch<T>, Refusal> {
        body::patch(&self.body)
    }

    /// The query as a form. What is wrong with it is malformed, as it is everywhere in a query.
    pub(crate) fn question<T: DeserializeOwned + Validate>(&self) -> Result<Valid<T>, Refusal> {
        let members = self.shape.question.as_ref().map_or(&[][..], |question| &question.0);
        question::read(&self.query, members)
    }

    /// The query as a list's.
    pub(crate) fn list(&self) -> Result<ListRequest, Refusal> {
        let listing =
            self.shape.listing.ok_or_else(|| Refusal::new(Code::Internal, "the operation reads no list"))?;
        self.selected(listing.parse(&fields::rest(&self.query))?)
    }

    /// What the query asks to include of a record.
    pub(crate) fn include(&self) -> Result<Include, Refusal> {
        let listing = self
            .shape
            .related
            .ok_or_else(|| Refusal::new(Code::Internal, "the operation includes nothing"))?;
        let include = listing.parse_include(&fields::rest(&self.query))?;
        fields::check(self.fields.as_deref(), listing, &include)?;
        Ok(include)
    }

    /// The body as a search of a list.
    pub(crate) fn search(&self) -> Result<ListRequest, Refusal> {
        let Body::Search { listing, .. } = self.shape.body else {
            return Err(Refusal::new(Code::Internal, "the operation searches no list"));
        };
        self.selected(listing.search(body::value(&self.body)?)?)
    }

    /// A list as it was asked for, if it shows the members that were chosen.
    fn selected(&self, request: ListRequest) -> Result<ListRequest, Refusal> {
        fields::check(self.fields.as_deref(), request.listing, &request.include)?;
        Ok(request)
    }
}
