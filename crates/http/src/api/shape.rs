//! The shape of an operation: everything about it that the router, the reader of requests, the writer of
//! answers and the specification share. They know no kinds of operation; they read the shape.

use actix_web::http::{Method, StatusCode};
use fairlead_application::Flag;
use fairlead_application::fields::FIELDS;
use fairlead_application::listing::Listing;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::form;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use super::Form;
use super::schemas::{Question, Schemas};
use super::selection::Members;
use super::stream::LAST_EVENT_ID;
use crate::request::condition::Precondition;
use crate::request::query::FILE_NAME;

/// The parameter that says since when what changed is asked for.
const SINCE: &str = "since";

/// A schema, as a reference to its name.
pub(crate) type Named = RefOr<Schema>;

/// The shape of an operation.
pub(crate) struct Shape {
    pub(crate) method: Method,
    /// The whole path, with its parameter in braces.
    pub(crate) path: String,
    /// The type of the path's parameter.
    pub(crate) parameter: Option<Named>,
    /// An example of the path's parameter, where the first one of its type would not do.
    pub(crate) example: Option<Value>,
    /// Whether it takes no token.
    pub(crate) public: bool,
    pub(crate) body: Body,
    /// What the query may say; without it, nothing.
    pub(crate) listing: Option<&'static Listing>,
    /// The list of which its query may include what is related to the one record that it reads.
    pub(crate) related: Option<&'static Listing>,
    /// What the query asks, where it is no list's.
    pub(crate) question: Option<Question>,
    /// What else the query may say.
    pub(crate) flags: &'static [Flag],
    /// The members of which the query may choose some; known to the router only.
    pub(crate) members: Option<Members>,
    /// All that the query may say; known to the router only.
    pub(crate) queried: Vec<String>,
    pub(crate) precondition: Precondition,
    /// Whether `If-None-Match` is looked at.
    pub(crate) cached: Cached,
    /// Whether `Idempotency-Key` is looked at.
    pub(crate) idempotent: bool,
    /// What it may refuse with besides what follows from the rest.
    pub(crate) refuses: &'static [Code],
    pub(crate) answer: Answer,
}

/// By what an answer is known that was given before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cached {
    /// It is given anew each time.
    Never,
    /// By the version of the record, and what is shown of it.
    Record,
    /// By what it says.
    Text,
}

/// What an operation reads from its body.
pub(crate) enum Body {
    /// The body is not looked at.
    Ignored,
    /// Nothing is wanted.
    Empty,
    /// A form.
    Form {
        schema: Named,
        /// Whether a value is one.
        check: fn(&Value) -> Result<(), Refusal>,
    },
    /// A patch of a form.
    Patch {
        schema: Named,
        /// The form that is patched.
        form: Box<Named>,
        /// Whether a form takes a patch: first the form, then the patch.
        check: fn(&Value, &Value) -> Result<(), Refusal>,
    },
    /// A search of a list.
    Search { schema: Named, listing: &'static Listing },
    /// A file; the query says what it is called.
    File,
}

impl Body {
    /// A form of this type.
    pub(crate) fn form<T: Form>(schemas: &mut Schemas) -> Self {
        Self::Form { schema: schemas.of::<T>(), check: is_form::<T> }
    }

    /// A patch of a form of this type.
    pub(crate) fn patch<T: Form + Serialize>(schemas: &mut Schemas) -> Self {
        let schema = schemas.patch_of::<T>();
        Self::Patch { schema, form: Box::new(schemas.of::<T>()), check: takes_patch::<T> }
    }
}

fn is_form<T: Form>(value: &Value) -> Result<(), Refusal> {
    Valid::<T>::check(form::read(value.clone())?)?;
    Ok(())
}

fn takes_patch<T: Form + Serialize>(current: &Value, patch: &Value) -> Result<(), Refusal> {
    let current: T = form::read(current.clone())?;
    let Value::Object(members) = patch else {
        return Err(Refusal::malformed("", "expected an object with the members to change"));
    };
    Patch::new(members.clone()).apply(&current)?;
    Ok(())
}

/// The body of an answer.
pub(crate) enum Content {
    /// There is none.
    Nothing,
    /// JSON of this type.
    Json(Box<Named>),
    /// A file, of which a part may be asked for.
    File,
    /// Events of this type, one after the other.
    Events(Box<Named>),
}

impl Content {
    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Events(_))
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File)
    }
}

/// What an operation answers when all goes well.
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own about the answer")]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: Content,
    /// Whether it comes with an `ETag`.
    pub(crate) tagged: bool,
    /// Whether it comes with a `Location`.
    pub(crate) located: bool,
    /// Where what it makes is found, when not below its own path.
    pub(crate) home: Option<&'static str>,
    /// Whether it may come with a `Link` to the next page.
    pub(crate) paged: bool,
    /// Whether it comes as a page for whoever prefers that.
    pub(crate) shown: bool,
    /// Whether it says why parts of the call were refused, in the caller's language.
    pub(crate) tells_parts: bool,
    /// Whether it says the same to everybody and nothing of anybody, so that browsers may keep it.
    pub(crate) impersonal: bool,
}

impl Shape {
    /// An operation that takes nothing but a token and answers nothing.
    pub(crate) fn new(method: Method, path: String) -> Self {
        let status = StatusCode::NO_CONTENT;
        Self {
            method,
            path,
            parameter: None,
            example: None,
            public: false,
            body: Body::Ignored,
            listing: None,
            related: None,
            question: None,
            flags: &[],
            members: None,
            queried: Vec::new(),
            precondition: Precondition::Ignored,
            cached: Cached::Never,
            idempotent: false,
            refuses: &[],
            answer: Answer {
                status,
                content: Content::Nothing,
                tagged: false,
                located: false,
                home: None,
                paged: false,
                shown: false,
                tells_parts: false,
                impersonal: false,
            },
        }
    }

    /// Whether it is counted who asks how often. Health and keys are for machines, which must never be refused.
    pub(crate) fn is_limited(&self) -> bool {
        !matches!(self.path.as_str(), "/healthz" | "/readyz" | "/.well-known/jwks.json")
    }

    /// Whether whoever asks may say what they were given before.
    pub(crate) fn heeds_tags(&self) -> bool {
        self.cached != Cached::Never || self.answer.content.is_file()
    }

    /// Where a request says where to go on, if it does at all.
    pub(crate) fn cursor(&self) -> &'static str {
        let mut asked = self.question.iter().flat_map(|question| &question.0);
        if self.answer.content.is_stream() {
            LAST_EVENT_ID
        } else if asked.any(|asked| asked.name == SINCE) {
            SINCE
        } else if matches!(self.body, Body::Search { .. }) {
            "/cursor"
        } else {
            "cursor"
        }
    }

    /// It takes no token.
    pub(crate) fn public(self) -> Self {
        Self { public: true, ..self }
    }

    /// Its path has a parameter of this type.
    pub(crate) fn of(self, id: Named) -> Self {
        Self { parameter: Some(id), ..self }
    }

    /// It reads this body.
    pub(crate) fn takes(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// It answers with this.
    pub(crate) fn answers(mut self, status: StatusCode, schema: Named) -> Self {
        self.answer.status = status;
        self.answer.content = Content::Json(Box::new(schema));
        self
    }

    /// It changes a record that has a version.
    pub(crate) fn versioned(mut self, precondition: Precondition) -> Self {
        self.precondition = precondition;
        self.answer.tagged = self.answer.content.is_json();
        self
    }

    /// It reads a record that has a version.
    pub(crate) fn cached(mut self) -> Self {
        self.cached = Cached::Record;
        self.answer.tagged = true;
        self
    }

    /// It reads what has no version and seldom changes.
    pub(crate) fn kept(&mut self) {
        self.cached = Cached::Text;
        self.answer.tagged = true;
    }

    /// It reads a list.
    pub(crate) fn listed(mut self, listing: &'static Listing) -> Self {
        self.listing = Some(listing);
        self.answer.paged = true;
        self
    }

    /// It reads a record, and includes what this list includes.
    pub(crate) fn relates(self, listing: &'static Listing) -> Self {
        Self { related: Some(listing), ..self }
    }

    /// Its query is a form with these members.
    pub(crate) fn asked(self, question: Question) -> Self {
        Self { question: Some(question), ..self }
    }

    /// It shows its answer as a page to whoever prefers that.
    pub(crate) fn shown(mut self) -> Self {
        self.answer.shown = true;
        self
    }

    /// It goes on answering with events of this type.
    pub(crate) fn streams(mut self, event: Named) -> Self {
        self.answer.status = StatusCode::OK;
        self.answer.content = Content::Events(Box::new(event));
        self
    }

    /// It answers with a file, or a part of one.
    pub(crate) fn gives_file(mut self) -> Self {
        self.answer.status = StatusCode::OK;
        self.answer.content = Content::File;
        self
    }

    /// It makes a record that has a version.
    pub(crate) fn creates(mut self) -> Self {
        self.answer.located = true;
        self.answer.tagged = true;
        self
    }

    /// It begins something that goes on after the answer, and is found under this path.
    pub(crate) fn begins(mut self, home: &'static str) -> Self {
        self.answer.located = true;
        self.answer.home = Some(home);
        self
    }

    /// Its query may say this.
    pub(crate) fn flagged(self, flags: &'static [Flag]) -> Self {
        Self { flags, ..self }
    }

    /// Repeated under one key, it happens once.
    pub(crate) fn idempotent(self) -> Self {
        Self { idempotent: true, ..self }
    }

    /// It moves a record from one state to another.
    pub(crate) fn transition(self) -> Self {
        Self { refuses: &[Code::InvalidTransition], ..self }
    }

    /// The list whose rows it answers with.
    pub(crate) fn list(&self) -> Option<&'static Listing> {
        match self.body {
            Body::Search { listing, .. } => Some(listing),
            _ => self.listing,
        }
    }

    /// The list that says what it may include: in its rows, or in a record alone.
    pub(crate) fn including(&self) -> Option<&'static Listing> {
        self.list().or(self.related)
    }

    /// Whether it answers with the rows of a list.
    pub(crate) fn gives_rows(&self) -> bool {
        self.list().is_some()
    }

    /// The names of all that its query may say, as those who read it know them.
    pub(crate) fn parameter_names(&self) -> Vec<String> {
        let listed = self.listing.map(Listing::parameters).unwrap_or_default();
        let related = self.related.filter(|listing| !listing.includes.is_empty());
        let include = related.map(|_| "include".to_owned());
        let asked = self.question.iter().flat_map(|question| &question.0).map(|member| member.name.clone());
        let flags = self.flags.iter().map(|flag| flag.name().to_owned());
        let file_name = matches!(self.body, Body::File).then(|| FILE_NAME.to_owned());
        let fields = self.members.as_ref().map(|_| FIELDS.to_owned());
        listed.into_iter().chain(include).chain(asked).chain(flags).chain(file_name).chain(fields).collect()
    }

    /// Whether its query says more than flags: whoever reads that also refuses what it says twice.
    pub(crate) fn is_asked(&self) -> bool {
        self.listing.is_some() || self.related.is_some() || self.question.is_some()
    }

    /// Whether its query may choose some of the members of what it answers.
    pub(crate) fn is_selectable(&self) -> bool {
        self.answer.content.is_json() && (self.gives_rows() || self.cached == Cached::Record)
    }

    /// The name of the path's parameter.
    pub(crate) fn parameter_name(&self) -> Option<&str> {
        let (_, rest) = self.path.split_once('{')?;
        rest.split_once('}').map(|(name, _)| name)
    }
}
