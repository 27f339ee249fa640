//! What is found: a breaking change, its rule and its place.

use std::fmt;

/// One breaking change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Which rule finds it.
    pub(super) rule: Rule,
    /// Where, such as `POST /api/v1/leads request body application/json /name` or `schema Line in requests`.
    pub(super) place: String,
    /// What is different, for people.
    pub(super) what: String,
}

/// The rules. Ids are those of oasdiff where it has the rule. Where it only warns or informs, it is said why it is an
/// error here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Rule {
    /// `api-removed-without-deprecation`. Also of an operation that is deprecated without a date.
    ApiRemovedWithoutDeprecation,
    /// `api-removed-before-sunset`.
    ApiRemovedBeforeSunset,
    /// `api-sunset-date-changed-too-small`: the date is a promise.
    ApiSunsetDateChangedTooSmall,
    /// `api-operation-id-removed`. oasdiff informs; functions of generated clients are named by it.
    ApiOperationIdRemoved,
    /// `api-tag-removed`. oasdiff informs; modules and classes of generated clients are named by it.
    ApiTagRemoved,
    /// `api-security-added`: anybody could call it before. oasdiff informs.
    ApiSecurityAdded,
    /// `api-security-removed`: a way to say who one is does not suffice any more. oasdiff informs.
    ApiSecurityRemoved,
    /// `api-security-component-type-changed`, of whatever decides how credentials are sent. oasdiff informs.
    ApiSecurityComponentTypeChanged,
    /// `request-parameter-removed`. oasdiff warns; unknown parameters are refused here.
    RequestParameterRemoved,
    /// `request-parameter-removed-before-sunset`.
    RequestParameterRemovedBeforeSunset,
    /// `request-parameter-sunset-date-changed-too-small`.
    RequestParameterSunsetDateChangedTooSmall,
    /// `request-parameter-became-required`.
    RequestParameterBecameRequired,
    /// `new-required-request-parameter`.
    NewRequiredRequestParameter,
    /// `new-request-path-parameter`.
    NewRequestPathParameter,
    /// Ours: how a list or an object is written in a parameter (`style`, `explode`).
    RequestParameterStyleChanged,
    /// `request-body-removed`.
    RequestBodyRemoved,
    /// `request-body-added-required`.
    RequestBodyAddedRequired,
    /// `request-body-became-required`.
    RequestBodyBecameRequired,
    /// `request-body-media-type-removed`.
    RequestBodyMediaTypeRemoved,
    /// `response-success-status-removed`.
    ResponseSuccessStatusRemoved,
    /// `response-media-type-removed`.
    ResponseMediaTypeRemoved,
    /// `required-response-header-removed`.
    RequiredResponseHeaderRemoved,
    /// `optional-response-header-removed`. oasdiff warns; this document marks no header as required.
    OptionalResponseHeaderRemoved,
    /// `response-header-became-optional`.
    ResponseHeaderBecameOptional,
    /// `webhook-removed`. Of what is in a webhook oasdiff compares nothing: the rules of responses hold for what is sent
    /// to receivers, those of requests for what they answer, and these four are ours but for the first.
    WebhookRemoved,
    /// `webhook-body-became-optional`: the counterpart of `request-body-became-required`.
    WebhookBodyBecameOptional,
    /// `webhook-media-type-added`: a client says what it accepts, a receiver cannot.
    WebhookMediaTypeAdded,
    /// `webhook-answer-status-removed`: whoever answers so is not understood any more.
    WebhookAnswerStatusRemoved,
    /// `request-property-removed`. oasdiff warns; unknown members are refused here.
    RequestPropertyRemoved,
    /// `new-required-request-property`, also with a default: a default does not make a member optional here.
    NewRequiredRequestProperty,
    /// `request-property-became-required`.
    RequestPropertyBecameRequired,
    /// `response-required-property-removed`.
    ResponseRequiredPropertyRemoved,
    /// `response-optional-property-removed`. oasdiff warns; generated clients lose a member that programs read.
    ResponseOptionalPropertyRemoved,
    /// `response-property-became-optional`.
    ResponsePropertyBecameOptional,
    /// Ours: a named schema is gone where something that is still there referred to it. Types of generated clients are
    /// named by it. A name that went with its last user is not counted: that user's going is.
    SchemaRenamedOrRemoved,
    /// What a schema says of a value, on either side.
    Value(Site, Aspect),
}

/// Where a schema is used: the first part of a rule's id. oasdiff tells bodies from their members as well; here the
/// place does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Site {
    /// A parameter.
    Parameter,
    /// The body of a request, or a schema that requests use.
    Request,
    /// The body of a response or of a webhook, or a schema that these use.
    Response,
    /// A header of a response or of a webhook.
    Header,
}

/// Who writes a value and who reads it: requests break when they are tightened, responses when they are loosened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Direction {
    /// Clients write, the server reads; so it is with what receivers of webhooks answer.
    Request,
    /// The server writes, clients read; so do receivers of webhooks.
    Response,
}

impl Site {
    pub(super) fn direction(self) -> Direction {
        match self {
            Self::Parameter | Self::Request => Direction::Request,
            Self::Response | Self::Header => Direction::Response,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Parameter => "request-parameter",
            Self::Request => "request-property",
            Self::Response => "response-property",
            Self::Header => "response-header",
        }
    }
}

/// What changed about a value: the second part of a rule's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Aspect {
    /// `...-type-changed`, type or format. oasdiff's `...-type-generalized` and `...-list-of-types-...` are in it.
    TypeChanged,
    /// `request-...-became-not-nullable`.
    BecameNotNullable,
    /// `response-...-became-nullable`.
    BecameNullable,
    /// `request-...-became-enum`, also of a `const`.
    BecameEnum,
    /// `request-...-enum-value-removed`, also of a `const`. There is no counterpart `response-...-enum-value-added`
    /// (oasdiff warns): clients are to expect new values, or no state and no code could ever be added.
    EnumValueRemoved,
    /// `response-...-const-changed`, also `-const-removed`. A constant is no list that grows: alternatives are told
    /// apart by it.
    ConstChanged,
    /// `request-...-pattern-added`.
    PatternAdded,
    /// `request-...-pattern-changed`. oasdiff warns; nobody can tell here whether the new one takes the same texts.
    PatternChanged,
    /// Ours: `uniqueItems` in a request.
    UniqueItemsSet,
    /// Ours: `multipleOf` in a request.
    MultipleOfChanged,
    /// Ours: `additionalProperties` became `false` in a request.
    AdditionalPropertiesRefused,
    /// `request-...-one-of-removed`, also of `anyOf`.
    OneOfRemoved,
    /// `response-...-one-of-added`, also of `anyOf`. That something became a list of alternatives is in it.
    OneOfAdded,
    /// Ours: a keyword changed that this comparison does not understand. Better to ask than to let it pass.
    KeywordChanged,
    /// `...-max-length-decreased` and the like.
    Limit(Limit, Movement),
}

/// What can be limited, by the name in a rule's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Limit {
    Max,
    Min,
    ExclusiveMax,
    ExclusiveMin,
    MaxLength,
    MinLength,
    MaxItems,
    MinItems,
    MaxProperties,
    MinProperties,
}

/// Where a limit went. oasdiff only warns of a limit in a request that was not there before (`...-set`), supposing that
/// the server had it all along; here the document is made by the server, so it had not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Movement {
    Increased,
    Decreased,
    Set,
    Unset,
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ApiRemovedWithoutDeprecation => "api-removed-without-deprecation",
            Self::ApiRemovedBeforeSunset => "api-removed-before-sunset",
            Self::ApiSunsetDateChangedTooSmall => "api-sunset-date-changed-too-small",
            Self::ApiOperationIdRemoved => "api-operation-id-removed",
            Self::ApiTagRemoved => "api-tag-removed",
            Self::ApiSecurityAdded => "api-security-added",
            Self::ApiSecurityRemoved => "api-security-removed",
            Self::ApiSecurityComponentTypeChanged => "api-security-component-type-changed",
            Self::RequestParameterRemoved => "request-parameter-removed",
            Self::RequestParameterRemovedBeforeSunset => "request-parameter-removed-before-sunset",
            Self::RequestParameterSunsetDateChangedTooSmall => {
                "request-parameter-sunset-date-changed-too-small"
            }
            Self::RequestParameterBecameRequired => "request-parameter-became-required",
            Self::NewRequiredRequestParameter => "new-required-request-parameter",
            Self::NewRequestPathParameter => "new-request-path-parameter",
            Self::RequestParameterStyleChanged => "request-parameter-style-changed",
            Self::RequestBodyRemoved => "request-body-removed",
            Self::RequestBodyAddedRequired => "request-body-added-required",
            Self::RequestBodyBecameRequired => "request-body-became-required",
            Self::RequestBodyMediaTypeRemoved => "request-body-media-type-removed",
            Self::ResponseSuccessStatusRemoved => "response-success-status-removed",
            Self::ResponseMediaTypeRemoved => "response-media-type-removed",
            Self::RequiredResponseHeaderRemoved => "required-response-header-removed",
            Self::OptionalResponseHeaderRemoved => "optional-response-header-removed",
            Self::ResponseHeaderBecameOptional => "response-header-became-optional",
            Self::WebhookRemoved => "webhook-removed",
            Self::WebhookBodyBecameOptional => "webhook-body-became-optional",
            Self::WebhookMediaTypeAdded => "webhook-media-type-added",
            Self::WebhookAnswerStatusRemoved => "webhook-answer-status-removed",
            Self::RequestPropertyRemoved => "request-property-removed",
            Self::NewRequiredRequestProperty => "new-required-request-property",
            Self::RequestPropertyBecameRequired => "request-property-became-required",
            Self::ResponseRequiredPropertyRemoved => "response-required-property-removed",
            Self::ResponseOptionalPropertyRemoved => "response-optional-property-removed",
            Self::ResponsePropertyBecameOptional => "response-property-became-optional",
            Self::SchemaRenamedOrRemoved => "schema-renamed-or-removed",
            Self::Value(site, aspect) => return write!(out, "{}-{aspect}", site.prefix()),
        })
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::TypeChanged => "type-changed",
            Self::BecameNotNullable => "became-not-nullable",
            Self::BecameNullable => "became-nullable",
            Self::BecameEnum => "became-enum",
            Self::EnumValueRemoved => "enum-value-removed",
            Self::ConstChanged => "const-changed",
            Self::PatternAdded => "pattern-added",
            Self::PatternChanged => "pattern-changed",
            Self::UniqueItemsSet => "unique-items-set",
            Self::MultipleOfChanged => "multiple-of-changed",
            Self::AdditionalPropertiesRefused => "additional-properties-refused",
            Self::OneOfRemoved => "one-of-removed",
            Self::OneOfAdded => "one-of-added",
            Self::KeywordChanged => "keyword-changed",
            Self::Limit(limit, movement) => return write!(out, "{limit}-{movement}"),
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Max => "max",
            Self::Min => "min",
            Self::ExclusiveMax => "exclusive-max",
            Self::ExclusiveMin => "exclusive-min",
            Self::MaxLength => "max-length",
            Self::MinLength => "min-length",
            Self::MaxItems => "max-items",
            Self::MinItems => "min-items",
            Self::MaxProperties => "max-properties",
            Self::MinProperties => "min-properties",
        })
    }
}

impl fmt::Display for Movement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Increased => "increased",
            Self::Decreased => "decreased",
            Self::Set => "set",
            Self::Unset => "unset",
        })
    }
}
