//! The section `webhooks`: what receivers are sent, one entry for each event.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use fairlead_application::webhooks::{EventMessage, PingMessage};
use fairlead_domain::values::TextEnum;
use fairlead_domain::webhook::{EventType, PING};
use serde_json::{Value, json};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, Paths, Ref, RefOr, Required, Response, ResponseBuilder, Schema, SecurityRequirement,
};

use super::components::{self, text};
use super::example::{Purpose, example};
use super::schemas::Schemas;
use super::shape::Named;
use crate::request::body::JSON;

/// The tag of the operations that make webhooks.
const TAG: &str = "Webhooks";
/// The names of shared parts.
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
const TAKEN: &str = "MessageTaken";

/// What messages are made of.
pub(super) struct Messages {
    event: Named,
    ping: Named,
}

impl Messages {
    pub(super) fn of(schemas: &mut Schemas) -> Self {
        Self { event: schemas.of::<EventMessage>(), ping: schemas.of::<PingMessage>() }
    }

    /// One entry for each event, and one for trials.
    pub(super) fn describe(&self, named: &BTreeMap<String, RefOr<Schema>>) -> Paths {
        let mut paths = Paths::new();
        for event in EventType::ALL {
            let mut message = example(&self.event, named, Purpose::Response);
            message["type"] = json!(event);
            message["data"]["record_kind"] = json!(event.kind());
            let words = (event.label().en, event.meaning());
            add(&mut paths, event.as_str(), words, &self.event, message);
        }
        let words = ("Trial", "Somebody tries whether the receiver answers.");
        add(&mut paths, PING, words, &self.ping, example(&self.ping, named, Purpose::Response));
        paths
    }
}

fn add(paths: &mut Paths, name: &str, words: (&str, &str), schema: &Named, message: Value) {
    paths.add_path_operation(name, vec![HttpMethod::Post], operation(name, words, schema, message));
}

fn operation(name: &str, (label, meaning): (&str, &str), schema: &Named, message: Value) -> Operation {
    let body = ContentBuilder::new().schema(Some(schema.clone())).example(Some(message)).build();
    let mut operation = OperationBuilder::new()
        .tag(TAG)
        .operation_id(Some(format!("receive_{}", name.replace('.', "_"))))
        .summary(Some(label))
        .description(Some(meaning))
        .securities(Some(Vec::<SecurityRequirement>::new()))
        .request_body(Some(
            RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, body).build(),
        ));
    for parameter in [ID, TIMESTAMP, SIGNATURE] {
        operation = operation.parameter_ref(components::parameter(parameter));
    }
    let taken = RefOr::Ref(Ref::new(format!("#/components/responses/{TAKEN}")));
    operation.response::<_, RefOr<Response>>(StatusCode::NO_CONTENT.as_str(), taken).build()
}

/// What receivers answer.
pub(super) fn responses() -> [(String, RefOr<Response>); 1] {
    let meaning = "It was taken; any other 2xx says the same. 410 says that the receiver is gone for good, and the \
                   webhook is disabled. Whatever else is answered, it comes again.";
    [(TAKEN.to_owned(), RefOr::T(ResponseBuilder::new().description(meaning).build()))]
}

/// The headers of messages.
pub(super) fn parameters() -> [(String, RefOr<Parameter>); 3] {
    let parameter = |name: &str, description, pattern, longest, value: Value| {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(description))
            .schema(Some(text(longest).pattern(Some(pattern))))
            .example(Some(value));
        (name.to_owned(), RefOr::T(parameter.build()))
    };
    [
        parameter(
            ID,
            "Which message: the same each time that it is sent, so that it is dealt with once.",
            "^[0-9a-f-]{36}$",
            36,
            json!("0190163d-8694-739b-aea5-966c26f8ad91"),
        ),
        parameter(
            TIMESTAMP,
            "When it was sent this time, in seconds since 1970. What is more than five minutes off is not from here.",
            "^[0-9]+$",
            20,
            json!("1767225600"),
        ),
        parameter(
            SIGNATURE,
            "Proves that it is from here, after Standard Webhooks: `v1,` and the HMAC-SHA256 of id, timestamp and body \
             with dots between them, in Base64; the key is what follows `whsec_` in the secret, from Base64. While the \
             secret changes there are several with spaces between them, and one that fits is enough.",
            "^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$",
            2000,
            json!("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
        ),
    ]
}
