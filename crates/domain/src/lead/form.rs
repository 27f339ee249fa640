//! Web forms (网页表单): leads from a site, without a login.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use validator::{Validate, ValidationError};

use super::{LeadDetails, Source};
use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal, Rule};
use crate::pool::distinct;
use crate::record;
use crate::settings::Settings;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{Email, LeadFormId, Line, Phone, Prose, Tags, Timestamp, UserId, WebAddress};
use crate::workflow::AllowedAction;

/// For how long submissions are counted against a form's limit.
pub const COUNTED: Duration = Duration::hours(1);

text_enum! {
    /// What a form may ask.
    pub enum FormField {
        /// The person's name; always asked.
        Name = "name" ("Name", "姓名"),
        /// The company.
        Company = "company" ("Company", "公司"),
        /// The person's position.
        Title = "title" ("Position", "职位"),
        /// Telephone number.
        Phone = "phone" ("Phone", "电话"),
        /// E-mail address.
        Email = "email" ("E-mail", "邮箱"),
        /// Region.
        Region = "region" ("Region", "地区"),
        /// Industry.
        Industry = "industry" ("Industry", "行业"),
        /// What they are interested in.
        Interest = "interest" ("Interest", "需求意向"),
    }
}

/// What one may say about a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Trial request",
    "source": "website",
    "campaign": "Spring launch",
    "fields": ["company", "title", "phone", "email", "interest"],
    "required": ["phone"],
    "allowed_origins": ["https://www.example.com"],
    "hourly_limit": 200,
    "active": true
}))]
pub struct LeadFormDetails {
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// Where its leads come from.
    #[serde(default = "website")]
    #[schema(default = "website")]
    pub source: Source,
    /// The campaign that its leads belong to.
    #[serde(default)]
    #[validate(nested)]
    pub campaign: Option<Line>,
    /// What it asks besides the name; anything else is refused.
    #[validate(length(max = 8), custom(function = "distinct_fields"))]
    #[schema(max_items = 8)]
    pub fields: Vec<FormField>,
    /// What of that must be answered.
    #[serde(default)]
    #[validate(length(max = 8), custom(function = "distinct_fields"))]
    #[schema(max_items = 8)]
    pub required: Vec<FormField>,
    /// The sites whose pages may send it, such as `https://www.example.com`; any when none is named.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = "are_origins"), nested)]
    #[schema(max_items = 20)]
    pub allowed_origins: Vec<WebAddress>,
    /// How many submissions it takes in an hour from all senders together.
    #[serde(default = "hourly")]
    #[validate(range(min = 1, max = 100_000, message = "must be from 1 to 100000"))]
    #[schema(minimum = 1, maximum = 100_000, default = 200)]
    pub hourly_limit: i64,
    /// Whether it takes any.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
}

fn website() -> Source {
    Source::Website
}

fn hourly() -> i64 {
    200
}

fn yes() -> bool {
    true
}

fn distinct_fields(fields: &[FormField]) -> Result<(), ValidationError> {
    distinct(fields.iter().collect::<BTreeSet<_>>().len() == fields.len())
}

fn are_origins(origins: &[WebAddress]) -> Result<(), ValidationError> {
    let is_origin = |origin: &WebAddress| {
        let rest = origin.as_str().split_once("://").map(|(_, rest)| rest);
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']))
    };
    if origins.iter().all(is_origin) {
        return Ok(());
    }
    Err(Rule::Origin.error("must be origins without a path"))
}

/// What names a form in its address. Whoever knows it may send leads, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormToken(pub String);

impl FormToken {
    /// The one that the specification's examples name; a demo has such a form.
    pub fn example() -> Self {
        Self("0f8fad5bd9cb469fa16570867728950e".to_owned())
    }
}

impl FromStr for FormToken {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // One name however it is written: what is sent to it is counted by it.
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err("expected 32 hexadecimal digits".to_owned())
        }
    }
}

impl utoipa::PartialSchema for FormToken {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(32))
            .max_length(Some(32))
            .pattern(Some("^[0-9a-fA-F]{32}$"))
            .description(Some("What names a form in its address."))
            .examples([serde_json::json!(Self::example())])
            .into()
    }
}
impl ToSchema for FormToken {}

/// A web form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeadForm {
    /// Its id.
    pub id: LeadFormId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: LeadFormDetails,
    /// Its token: pages send to `/public/lead-forms/{form}`.
    pub token: FormToken,
    /// In whose name its leads are recorded.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(LeadForm, LeadForm);

/// What somebody filled in on a page.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "陈静",
    "company": "苏州恒泰精密制造有限公司",
    "title": "信息部经理",
    "phone": "+86 138 6210 7745",
    "email": "chen.jing@hengtai.example",
    "interest": "Would like to try it with a team of five."
}))]
pub struct LeadFormSubmission {
    /// The person's name.
    #[validate(nested)]
    pub name: Line,
    /// The company.
    #[serde(default)]
    #[validate(nested)]
    pub company: Option<Line>,
    /// The person's position.
    #[serde(default)]
    #[validate(nested)]
    pub title: Option<Line>,
    /// Telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
    /// E-mail address.
    #[serde(default)]
    #[validate(nested)]
    pub email: Option<Email>,
    /// Region.
    #[serde(default)]
    #[validate(nested)]
    pub region: Option<Line>,
    /// Industry.
    #[serde(default)]
    #[validate(nested)]
    pub industry: Option<Line>,
    /// What they are interested in.
    #[serde(default)]
    #[validate(nested)]
    pub interest: Option<Prose>,
    /// A trap for programs (honeypot): people do not see it and leave it empty. What fills it in is thrown away.
    #[serde(default)]
    #[validate(length(max = 4000), custom(function = "crate::values::without_nul"))]
    #[schema(max_length = 4000)]
    pub homepage: Option<String>,
}

impl LeadFormSubmission {
    /// Everything that somebody filled in, for whoever reads it beside a record that was there before.
    pub fn told(&self) -> Prose {
        let of = |text: &Option<Line>| text.as_ref().map(ToString::to_string);
        let lines = [
            ("name", Some(self.name.to_string())),
            ("company", of(&self.company)),
            ("title", of(&self.title)),
            ("phone", self.phone.as_ref().map(|it| it.as_str().to_owned())),
            ("email", self.email.as_ref().map(|it| it.as_str().to_owned())),
            ("region", of(&self.region)),
            ("industry", of(&self.industry)),
            ("interest", self.interest.as_ref().map(ToString::to_string)),
        ];
        let lines = lines.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}\n", text?)));
        let all: String = lines.collect();
        Prose::new(all.trim_end().chars().take(Prose::MAX).collect::<String>())
    }
}

impl LeadForm {
    /// May the caller make and change forms?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::LeadFormsManage, &Standing::Organisation)
    }

    /// May the caller see them?
    pub fn may_read(ctx: &Context) -> Result<(), Refusal> {
        Self::may_manage(ctx).or_else(|refusal| Settings::may_read(ctx).map_err(|_| refusal))
    }

    /// Records a form.
    pub fn new(
        ctx: &Context,
        id: LeadFormId,
        token: FormToken,
        form: Valid<LeadFormDetails>,
    ) -> Result<(Self, Event), Refusal> {
        Self::may_manage(ctx)?;
        let form = Self {
            id,
            details: form.into_inner(),
            token,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((form, Event("lead_form.created")))
    }

    /// Changes it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<LeadFormDetails>) -> Result<Event, Refusal> {
        Self::may_manage(ctx)?;
        self.details = form.into_inner();
        Ok(Event("lead_form.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context) -> Vec<AllowedAction> {
        let verdict = Self::may_manage(ctx);
        ["update", "delete"].map(|action| AllowedAction::judge(action, verdict.clone())).to_vec()
    }

    /// Whether a page of this origin may send it. Programs that send none are not browsers, and nobody is fooled.
    pub fn check_origin(&self, origin: Option<&str>) -> Result<(), Refusal> {
        let allowed = &self.details.allowed_origins;
        let known = |origin: &str| allowed.iter().any(|known| known.as_str().eq_ignore_ascii_case(origin));
        if allowed.is_empty() || origin.is_some_and(known) {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, "this form is sent from other sites"))
    }

    /// The lead that a submission describes: what was asked must be answered, and nothing else.
    pub fn lead(&self, filled: &LeadFormSubmission) -> Result<Valid<LeadDetails>, Refusal> {
        let answers = [
            (FormField::Company, filled.company.is_some()),
            (FormField::Title, filled.title.is_some()),
            (FormField::Phone, filled.phone.is_some()),
            (FormField::Email, filled.email.is_some()),
            (FormField::Region, filled.region.is_some()),
            (FormField::Industry, filled.industry.is_some()),
            (FormField::Interest, filled.interest.is_some()),
        ];
        for (field, answered) in answers {
            let pointer = format!("/{field}");
            if answered && !self.details.fields.contains(&field) {
                return Err(Refusal::invalid(&pointer, Rule::NotAsked, "the form does not ask this"));
            }
            if !answered && self.details.required.contains(&field) {
                return Err(Refusal::invalid(&pointer, Rule::Required, "must be answered"));
            }
        }
        Valid::check(LeadDetails {
            name: filled.name.clone(),
            company: filled.company.clone(),
            title: filled.title.clone(),
            phone: filled.phone.clone(),
            email: filled.email.clone(),
            source: self.details.source,
            campaign: self.details.campaign.clone(),
            region: filled.region.clone(),
            industry: filled.industry.clone(),
            interest: filled.interest.clone(),
            budget: None,
            expected_purchase_on: None,
            tags: Tags::default(),
            note: None,
        })
    }

    /// Refuses a submission above what the form takes in an hour. `within_hour` is how many it took, and when the first
    /// of them came: the next is taken when that one counts no more.
    pub fn check_rate(&self, within_hour: (i64, Option<Timestamp>), now: Timestamp) -> Result<(), Refusal> {
        let (taken, first) = within_hour;
        if taken < self.details.hourly_limit {
            return Ok(());
        }
        let wait = first.map_or(0, |first| first.plus(COUNTED).millis() - now.millis());
        Err(Refusal::new(Code::RateLimited, "the form takes no more at the moment")
            .with("retry_after", wait.max(0) / 1000 + 1)
            .with("limit", self.details.hourly_limit)
            .with("window", COUNTED.num_seconds()))
    }
}
