//! How the demo's company has set Fairlead up: what leads are worth, who gets them, who may see what.

use std::collections::BTreeMap;

use chrono::Duration;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::lead::FormToken;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{
    AssignmentRuleId, CollaboratorId, Currency, DelegationId, JobId, LeadFormId, PoolId, PriceListId,
    ProductId, RoleId, SavedViewId, ScoringRuleId, TargetId, TransferId,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use validator::Validate;

use super::act::Approver;
use super::act::DealAct;
use super::customers::OVERSEAS;
use super::deals::DEALS;
use super::stage::{Key, Stage, done, exactly, known, there};
use crate::call::{Call, Failure};
use crate::clock::Clock;
use crate::jobs::recycle;
use crate::{
    assignment_rules, catalogue, collaborators, delegations, lead_forms, leads, pools, roles, saved_views,
    scoring_rules, targets, transfers,
};

/// A form as a client would send it.
pub(super) fn form<T: DeserializeOwned + Validate>(text: Value) -> Result<Valid<T>, Failure> {
    let form = serde_json::from_value(text);
    let form = form.map_err(|error| Refusal::new(Code::Internal, format!("the demo's forms: {error}")))?;
    Ok(Valid::check(form)?)
}

impl Stage {
    /// Says what makes a lead a good one, before the first comes.
    pub(super) async fn set_scores(&self) -> Result<(), Failure> {
        self.ids.give(ScoringRuleId::example(1));
        for (name, field, operator, value, points) in [
            ("Can be called 有电话", "phone", "present", None, 20),
            ("Has a budget of 500 000 预算五十万以上", "budget", "at_least", Some("500000 CNY"), 40),
            ("Was recommended 客户转介绍", "source", "is", Some("referral"), 30),
            ("No company 未留公司", "company", "absent", None, -20),
        ] {
            let rule = json!({
                "name": name, "field": field, "operator": operator, "value": value, "points": points,
            });
            done(scoring_rules::create(&self.app, &self.call("admin")?, form(rule)?).await)?;
        }
        Ok(())
    }

    /// Says what is sold and for how much: what the deals are about, at the prices of the first of them.
    pub(super) async fn fill_catalogue(&mut self) -> Result<(), Failure> {
        let (app, admin) = (&self.app, self.call("admin")?);
        let mut prices: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
        for deal in DEALS {
            let signed = deal.acts.iter().filter_map(|(_, act)| match act {
                DealAct::Sign(terms) | DealAct::Draft(terms) | DealAct::Write(terms) => Some(terms),
                _ => None,
            });
            for (name, _, price) in signed.flat_map(|terms| terms.items) {
                if self.products.contains_key(name) {
                    continue;
                }
                let code = format!("FA-{:03}", self.products.len() + 1);
                let product = json!({"code": code, "name": name, "tax_rate": "0.13"});
                if self.products.is_empty() {
                    self.ids.give(ProductId::example(1));
                }
                let product = done(catalogue::create_product(app, &admin, form(product)?).await)?.record.id;
                self.products.insert(name, product);
                let price = json!({"product_id": product, "unit_price": exactly(*price, deal.currency)});
                prices.entry(deal.currency.code()).or_default().push(price);
            }
        }
        self.ids.give(PriceListId::example(1));
        for (currency, prices) in prices {
            let list = json!({
                "name": format!("List prices 标准价 {currency}"), "currency": currency,
                "valid_from": self.clock.day(-400), "prices": prices,
            });
            done(catalogue::create_price_list(app, &admin, form(list)?).await)?;
        }
        Ok(())
    }

    /// What was set up since.
    pub(super) async fn set_up(&self) -> Result<(), Failure> {
        let (app, admin, marketing) = (&self.app, self.call("admin")?, self.call("marketing")?);
        let rule = json!({
            "name": "Overseas leads 海外线索", "position": 10, "regions": [OVERSEAS],
            "user_id": self.user("rep.east3")?,
        });
        self.ids.give(AssignmentRuleId::example(1));
        done(assignment_rules::create(app, &admin, form(rule)?).await)?;
        let pool = json!({
            "name": "Overseas 海外公海", "regions": [OVERSEAS],
            "member_ids": [self.user("rep.east3")?], "manager_ids": [self.user("manager.east")?],
        });
        self.ids.give(PoolId::example(1));
        done(pools::create(app, &admin, form(pool)?).await)?;
        let page = json!({
            "name": "Ask for an offer 获取报价", "source": "website",
            "fields": ["company", "title", "phone", "email", "interest"], "required": ["phone"],
        });
        self.ids.give(LeadFormId::example(1));
        done(lead_forms::make(app, &marketing, FormToken::example(), form(page)?).await)?;
        let view = json!({
            "resource": "leads", "name": "Hot and unanswered 待响应热线索", "shared_with_team_id": self.team(super::people::EAST)?,
            "query": "grade=hot&status=new&sort=response_due_at",
        });
        self.ids.give(SavedViewId::example(1));
        done(saved_views::create(app, &self.call("manager.east")?, form(view)?).await)?;
        let customer = known(&self.customers, "baltic-pack", "customer")?.id;
        let share = json!({"customer_id": customer, "user_id": self.user("rep.east")?, "access": "read"});
        self.ids.give(CollaboratorId::example(1));
        done(collaborators::create(app, &self.call("rep.east3")?, form(share)?).await)?;
        self.meet_twice().await?;
        let agreed = self.transfer("hangzhou-tea", "rep.east2", "rep.east3").await?;
        self.agree(agreed, "rep.east2", Approver::Manager).await?;
        self.ids.give(TransferId::example(1));
        self.transfer("zhang-workshop", "rep.east", "rep.east2").await?;
        self.plan_ahead().await
    }

    /// What is to come: a month's target, a holiday, an assistant, and what recycling would take.
    async fn plan_ahead(&self) -> Result<(), Failure> {
        let (app, admin) = (&self.app, self.call("admin")?);
        let target = json!({
            "team_id": self.team(super::people::EAST)?, "measure": "collected",
            "month": self.clock.day(0).format("%Y-%m").to_string(), "amount": exactly(800_000, Currency::CNY),
        });
        self.ids.give(TargetId::example(1));
        done(targets::create(app, &self.call("director")?, form(target)?).await)?;
        let away = |days: i64| self.clock.now().plus(Duration::days(days));
        let holiday = json!({
            "user_id": self.user("manager.south")?, "delegate_id": self.user("director")?,
            "starts_at": away(40), "ends_at": away(50), "reason": "Annual leave 年假",
        });
        self.ids.give(DelegationId::example(1));
        done(delegations::create(app, &self.call("manager.south")?, form(holiday)?).await)?;
        let assistant = json!({
            "key": "sales_assistant", "name": "Sales assistant 销售助理",
            "grants": [
                {"permission": "customers:read", "scope": "team"},
                {"permission": "contracts:read", "scope": "team"},
            ],
        });
        self.ids.give(RoleId::example(1));
        done(roles::create(app, &admin, form(assistant)?).await)?;
        self.ids.give(JobId::example(1));
        let trial = Call { dry_run: true, ..admin };
        done(recycle::start(app, &trial, form(json!({}))?).await)?;
        Ok(())
    }

    /// Two leads are found to be one person.
    async fn meet_twice(&self) -> Result<(), Failure> {
        let (app, mut marketing) = (&self.app, self.call("marketing")?);
        marketing.allow_duplicate = true;
        let mut met = Vec::new();
        for source in ["event", "website"] {
            let lead = json!({
                "name": "He Jun 何俊", "company": "Taizhou Castings 台州铸件", "source": source,
                "phone": "+86 139 0000 0999",
            });
            met.push(done(leads::create(app, &marketing, form(lead)?).await)?.record.id);
        }
        let (survivor, loser) = (there(met.first(), "lead")?, there(met.last(), "lead")?);
        let merge = json!({ "loser_id": loser });
        done(leads::merge(app, &marketing, *survivor, form(merge)?).await)?;
        Ok(())
    }

    /// Asks for a customer to go from one seller to another, with what belongs to it.
    async fn transfer(&self, customer: &str, from: Key, to: Key) -> Result<TransferId, Failure> {
        let wanted = json!({
            "kind": "customers", "record_ids": [known(&self.customers, customer, "customer")?.id],
            "to_user_id": self.user(to)?, "reason": "Closer to their site 离客户更近",
            "include_opportunities": true, "include_contracts": true,
        });
        let asked = done(transfers::create(&self.app, &self.call(from)?, form(wanted)?).await)?;
        Ok(asked.record.id)
    }
}
