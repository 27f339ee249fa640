//! How good a lead is (线索评分): configured rules give points, points make a score, the score makes a grade.

use iso_currency::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::LeadDetails;
use crate::context::{Context, Event};
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::settings::{LeadSettings, Settings};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{CurrencyCode, Line, Money, ScoringRuleId, Timestamp, folded};
use crate::workflow::AllowedAction;

text_enum! {
    /// How good a lead looks.
    pub enum LeadGrade {
        /// Call at once.
        Hot = "hot" ("Hot", "高意向"),
        /// Worth a call.
        Warm = "warm" ("Warm", "中意向"),
        /// Can wait.
        Cold = "cold" ("Cold", "低意向"),
    }
}

text_enum! {
    /// A member of a lead that a rule looks at.
    pub enum ScoreField {
        /// Where it came from.
        Source = "source" ("Source", "来源"),
        /// The campaign.
        Campaign = "campaign" ("Campaign", "市场活动"),
        /// The region.
        Region = "region" ("Region", "地区"),
        /// The industry.
        Industry = "industry" ("Industry", "行业"),
        /// The person's position.
        Title = "title" ("Position", "职位"),
        /// The company.
        Company = "company" ("Company", "公司"),
        /// The telephone number.
        Phone = "phone" ("Phone", "电话"),
        /// The e-mail address.
        Email = "email" ("E-mail", "邮箱"),
        /// What they are interested in.
        Interest = "interest" ("Interest", "需求意向"),
        /// The labels.
        Tags = "tags" ("Labels", "标签"),
        /// What they can spend.
        Budget = "budget" ("Budget", "预算"),
        /// When they expect to buy.
        ExpectedPurchaseOn = "expected_purchase_on" ("Expected purchase date", "预计采购日期"),
    }
}

text_enum! {
    /// How a rule compares.
    pub enum ScoreOperator {
        /// The member is this; of labels, one is. Case, width, spaces and punctuation do not count.
        Is = "is" ("Is", "等于"),
        /// The member is there, and is not this; of labels, none is.
        IsNot = "is_not" ("Is not", "不等于"),
        /// The member contains this.
        Contains = "contains" ("Contains", "包含"),
        /// The member is there.
        Present = "present" ("Is present", "不为空"),
        /// The member is not there.
        Absent = "absent" ("Is absent", "为空"),
        /// The budget is this or more; the value is an amount with its currency, such as `100000 CNY`.
        AtLeast = "at_least" ("At least", "大于等于"),
        /// The budget is this or less.
        AtMost = "at_most" ("At most", "小于等于"),
    }
}

/// What one may say about a scoring rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "makes_sense"))]
#[schema(example = json!({
    "name": "Large budget",
    "field": "budget",
    "operator": "at_least",
    "value": "100000 CNY",
    "points": 20,
    "active": true
}))]
pub struct ScoringRuleDetails {
    /// What it is for.
    #[validate(nested)]
    pub name: Line,
    /// What it looks at.
    pub field: ScoreField,
    /// How it compares.
    pub operator: ScoreOperator,
    /// With what; absent for `present` and `absent`.
    #[serde(default)]
    #[validate(nested)]
    pub value: Option<Line>,
    /// The points that it gives when it holds; negative ones are taken away.
    #[validate(range(min = -100, max = 100, message = "must be from -100 to 100"))]
    #[schema(minimum = -100, maximum = 100)]
    pub points: i64,
    /// Whether it counts.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
}

fn yes() -> bool {
    true
}

fn makes_sense(rule: &ScoringRuleDetails) -> Result<(), ValidationError> {
    use ScoreOperator::{Absent, AtLeast, AtMost, Contains, Is, IsNot, Present};
    let broken = |rule: Rule, message: &'static str| Err(rule.error(message));
    let compares = !matches!(rule.operator, Present | Absent);
    if compares != rule.value.is_some() {
        return broken(Rule::Value, "must have a value, except for `present` and `absent`");
    }
    if rule.value.as_ref().is_some_and(|value| folded(value.as_str()).is_empty()) {
        return broken(Rule::Value, "must have a letter or a digit, which is what is compared");
    }
    let fits = match rule.field {
        ScoreField::Budget => !matches!(rule.operator, Is | IsNot | Contains),
        ScoreField::ExpectedPurchaseOn => matches!(rule.operator, Present | Absent),
        _ => !matches!(rule.operator, AtLeast | AtMost),
    };
    if !fits {
        return broken(Rule::Operator, "this operator does not fit the field");
    }
    if matches!(rule.operator, AtLeast | AtMost) && rule.amount().is_none() {
        return broken(Rule::Amount, "the value must be an amount with its currency, such as `100000 CNY`");
    }
    if rule.field == ScoreField::Source
        && rule.value.as_ref().is_some_and(|value| value.as_str().parse::<super::Source>().is_err())
        && rule.operator != Contains
    {
        return broken(Rule::Source, "the value must be a source");
    }
    Ok(())
}

impl ScoringRuleDetails {
    fn amount(&self) -> Option<Money> {
        let (amount, code) = self.value.as_ref()?.as_str().trim().split_once(' ')?;
        let currency: Currency = code.trim().parse::<CurrencyCode>().ok()?.0;
        Money::parse(amount, currency).ok()
    }

    /// Whether it holds for a lead.
    pub fn holds(&self, lead: &LeadDetails) -> bool {
        let texts = self.texts(lead);
        let value = self.value.as_ref().map(|value| folded(value.as_str())).unwrap_or_default();
        let budget =
            || lead.budget.zip(self.amount()).filter(|(has, wants)| has.currency() == wants.currency());
        match self.operator {
            ScoreOperator::Present => !texts.is_empty(),
            ScoreOperator::Absent => texts.is_empty(),
            ScoreOperator::Is => texts.contains(&value),
            ScoreOperator::IsNot => !texts.is_empty() && !texts.contains(&value),
            ScoreOperator::Contains => texts.iter().any(|text| text.contains(&value)),
            ScoreOperator::AtLeast => budget().is_some_and(|(has, wants)| has.minor() >= wants.minor()),
            ScoreOperator::AtMost => budget().is_some_and(|(has, wants)| has.minor() <= wants.minor()),
        }
    }

    /// The member as it is compared: nothing when it is absent, several when it is a list.
    fn texts(&self, lead: &LeadDetails) -> Vec<String> {
        let line = |line: &Option<Line>| line.as_ref().map(|line| folded(line.as_str()));
        let one = match self.field {
            ScoreField::Source => Some(folded(lead.source.as_str())),
            ScoreField::Campaign => line(&lead.campaign),
            ScoreField::Region => line(&lead.region),
            ScoreField::Industry => line(&lead.industry),
            ScoreField::Title => line(&lead.title),
            ScoreField::Company => line(&lead.company),
            ScoreField::Phone => lead.phone.as_ref().map(|phone| folded(phone.as_str())),
            ScoreField::Email => lead.email.as_ref().map(|email| folded(email.as_str())),
            ScoreField::Interest => lead.interest.as_ref().map(|text| folded(text.as_str())),
            ScoreField::Tags => return lead.tags.0.iter().map(|tag| folded(tag.as_str())).collect(),
            ScoreField::Budget => lead.budget.map(|budget| budget.to_string()),
            ScoreField::ExpectedPurchaseOn => lead.expected_purchase_on.map(|day| day.to_string()),
        };
        one.into_iter().collect()
    }

    /// What it gave, in words: `+20 budget at_least 100000 CNY`.
    fn told(&self) -> String {
        let value = self.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
        format!("{:+} {} {}{value}", self.points, self.field, self.operator)
    }
}

/// A scoring rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoringRule {
    /// Its id.
    pub id: ScoringRuleId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: ScoringRuleDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(ScoringRule, ScoringRule);

impl ScoringRule {
    /// How many there may be.
    pub const MOST: i64 = 1000;

    /// Refuses one more than there may be.
    pub fn check_count(present: i64) -> Result<(), Refusal> {
        if present < Self::MOST {
            return Ok(());
        }
        Err(Refusal::new(Code::TooMany, format!("there are {present} scoring rules"))
            .with("limit", Self::MOST))
    }

    /// Records a rule. Every open lead is scored anew by it, in the background.
    pub fn new(
        ctx: &Context,
        id: ScoringRuleId,
        form: Valid<ScoringRuleDetails>,
    ) -> Result<(Self, Event), Refusal> {
        Settings::may_manage(ctx)?;
        let rule =
            Self { id, details: form.into_inner(), version: 1, created_at: ctx.now, updated_at: ctx.now };
        Ok((rule, Event("scoring_rule.created")))
    }

    /// Changes it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<ScoringRuleDetails>) -> Result<Event, Refusal> {
        Settings::may_manage(ctx)?;
        self.details = form.into_inner();
        Ok(Event("scoring_rule.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context) -> Vec<AllowedAction> {
        let verdict = Settings::may_manage(ctx);
        ["update", "delete"].map(|action| AllowedAction::judge(action, verdict.clone())).to_vec()
    }
}

/// What one rule gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "rule_id": ScoringRuleId::example(1),
    "points": 20,
    "field": "budget",
    "operator": "at_least",
    "value": "100000 CNY",
    "text": "+20 budget at_least 100000 CNY"
}))]
pub struct ScoreLine {
    /// The rule.
    pub rule_id: ScoringRuleId,
    /// The points.
    #[schema(minimum = -100, maximum = 100)]
    pub points: i64,
    /// What the rule looked at, a word of the dictionary `score_field`; like `operator` absent from what was scored
    /// before lines had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<ScoreField>,
    /// How it compared, a word of the dictionary `score_operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<ScoreOperator>,
    /// With what; absent for `present` and `absent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Line>,
    /// All of it in English.
    #[schema(max_length = 300, example = "+20 budget at_least 100000 CNY")]
    pub text: String,
}

/// How good a lead is, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// From 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub score: i64,
    /// By the thresholds of the settings; warm where there are no rules.
    pub grade: LeadGrade,
    /// What each rule gave that holds.
    #[schema(max_items = 1000)]
    pub score_lines: Vec<ScoreLine>,
    /// By which rules and thresholds it was scored.
    #[serde(skip)]
    pub score_basis: String,
}

/// The rules and thresholds by which leads are scored at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scoring {
    rules: Vec<ScoringRule>,
    basis: String,
}

impl Scoring {
    /// Those of these rules that count.
    pub fn new(mut rules: Vec<ScoringRule>, settings: &LeadSettings) -> Self {
        rules.retain(|rule| rule.details.active);
        rules.sort_by_key(|rule| rule.id);
        // A fingerprint (FNV-1a): it need only tell two sets of rules apart.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut feed = |text: String| {
            for byte in text.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for rule in &rules {
            feed(format!("{}:{};", rule.id, rule.version));
        }
        feed(format!("{},{}", settings.hot_from, settings.warm_from));
        Self { rules, basis: format!("{hash:016x}") }
    }

    /// Names these rules and thresholds: a lead with another one is to be scored anew.
    pub fn basis(&self) -> &str {
        &self.basis
    }

    /// Scores a lead.
    pub fn score(&self, lead: &LeadDetails, settings: &LeadSettings) -> Score {
        let lines: Vec<ScoreLine> = self
            .rules
            .iter()
            .filter(|rule| rule.details.holds(lead))
            .map(|rule| ScoreLine {
                rule_id: rule.id,
                points: rule.details.points,
                field: Some(rule.details.field),
                operator: Some(rule.details.operator),
                value: rule.details.value.clone(),
                text: rule.details.told(),
            })
            .collect();
        let score = lines.iter().map(|line| line.points).sum::<i64>().clamp(0, 100);
        let grade = if self.rules.is_empty() {
            LeadGrade::Warm
        } else if score >= settings.hot_from {
            LeadGrade::Hot
        } else if score >= settings.warm_from {
            LeadGrade::Warm
        } else {
            LeadGrade::Cold
        };
        Score { score, grade, score_lines: lines, score_basis: self.basis.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn lines_that_were_kept_with_their_text_alone_stay_as_they_are() {
        let rule_id = ScoringRuleId::example(1);
        let kept = json!({"rule_id": rule_id, "points": -40, "text": "-40 phone absent"});
        let line: ScoreLine = from_value(kept.clone()).unwrap();
        assert_eq!((line.field, line.operator, &line.value), (None, None, &None));
        assert_eq!(to_value(&line).unwrap(), kept);
    }
}
