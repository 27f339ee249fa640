use chrono::{Days, NaiveDate};

use super::{RecycleCause, RecycleFacts, RecycleRules, Recycling, recycling};
use crate::customer::Customer;
use crate::fixtures::{REP, World};
use crate::values::{Timestamp, Today};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap()
}

/// A customer that the rep got on the first of March, in the morning in Shanghai.
fn customer(world: &World) -> Customer {
    Customer { owned_since: Some(at("2026-03-01T02:00:00Z")), ..world.customer(Some(REP)) }
}

const NOTHING: RecycleFacts = RecycleFacts {
    last_opportunity_at: None,
    last_contract_at: None,
    last_contract_closed_at: None,
    last_contract_ends_on: None,
    live_contracts: 0,
    pending_approvals: 0,
};

fn rules(no_activity: Option<i64>, warning_days: i64) -> RecycleRules {
    RecycleRules { no_activity_days: no_activity, warning_days, ..RecycleRules::default() }
}

fn ask(customer: &Customer, facts: &RecycleFacts, rules: &RecycleRules, today: NaiveDate) -> Recycling {
    recycling(customer, facts, rules, &World::new().0, Today(today))
}

#[test]
fn each_rule_warns_and_then_takes() {
    let world = World::new();
    let owned = day("2026-03-01");
    let off = RecycleRules { warning_days: 3, ..RecycleRules::default() };
    let seen = Customer { last_activity_at: Some(at("2026-03-05T02:00:00Z")), ..customer(&world) };
    let ended_on = RecycleFacts { last_contract_ends_on: Some(day("2026-03-08")), ..NOTHING };
    let closed = RecycleFacts { last_contract_closed_at: Some(at("2026-03-09T02:00:00Z")), ..ended_on };
    for (what, customer, facts, rules, due, cause) in [
        (
            "never seen",
            customer(&world),
            NOTHING,
            RecycleRules { no_activity_days: Some(10), ..off.clone() },
            after(owned, 10),
            RecycleCause::NoActivity,
        ),
        (
            "seen later",
            seen.clone(),
            NOTHING,
            RecycleRules { no_activity_days: Some(10), ..off.clone() },
            day("2026-03-15"),
            RecycleCause::NoActivity,
        ),
        (
            "no opportunity",
            seen.clone(),
            NOTHING,
            RecycleRules { no_opportunity_days: Some(20), ..off.clone() },
            after(owned, 20),
            RecycleCause::NoOpportunity,
        ),
        (
            "no contract",
            seen.clone(),
            NOTHING,
            RecycleRules { no_contract_days: Some(30), ..off.clone() },
            after(owned, 30),
            RecycleCause::NoContract,
        ),
        (
            "contract ran out",
            seen.clone(),
            ended_on,
            RecycleRules { after_contract_days: Some(5), ..off.clone() },
            day("2026-03-13"),
            RecycleCause::ContractEnded,
        ),
        (
            "contract terminated",
            seen.clone(),
            closed,
            RecycleRules { after_contract_days: Some(5), ..off.clone() },
            day("2026-03-14"),
            RecycleCause::ContractEnded,
        ),
        (
            "the earliest counts",
            seen,
            NOTHING,
            RecycleRules { no_activity_days: Some(10), no_opportunity_days: Some(9), ..off },
            after(owned, 9),
            RecycleCause::NoOpportunity,
        ),
    ] {
        let warned_on = due.checked_sub_days(Days::new(3)).unwrap();
        let before = warned_on.pred_opt().unwrap();
        assert_eq!(ask(&customer, &facts, &rules, before), Recycling::Keep, "{what}");
        assert_eq!(ask(&customer, &facts, &rules, warned_on), Recycling::Warn(cause, due), "{what}");
        let told = Customer { recycle_on: Some(due), ..customer };
        assert_eq!(ask(&told, &facts, &rules, warned_on), Recycling::Wait(cause, due), "{what}: told once");
        let eve = due.pred_opt().unwrap();
        assert_eq!(ask(&told, &facts, &rules, eve), Recycling::Wait(cause, due), "{what}");
        assert_eq!(ask(&told, &facts, &rules, due), Recycling::Move(cause), "{what}");
        assert_eq!(ask(&told, &facts, &rules, after(due, 40)), Recycling::Move(cause), "{what}: late");
    }
}

#[test]
fn nobody_loses_a_customer_unwarned_to_a_new_rule() {
    let world = World::new();
    let long_after = day("2027-01-01");
    let warned = Recycling::Warn(RecycleCause::NoActivity, day("2027-01-04"));
    assert_eq!(ask(&customer(&world), &NOTHING, &rules(Some(10), 3), long_after), warned);
    let at_once = Recycling::Move(RecycleCause::NoActivity);
    assert_eq!(ask(&customer(&world), &NOTHING, &rules(Some(10), 0), long_after), at_once);
}

#[test]
fn what_comes_of_it_keeps_it() {
    let world = World::new();
    let today = day("2027-01-01");
    let told = Customer { recycle_on: Some(today), ..customer(&world) };
    let all = RecycleRules {
        no_activity_days: Some(400),
        no_opportunity_days: Some(10),
        no_contract_days: Some(10),
        after_contract_days: Some(400),
        warning_days: 3,
    };
    assert_eq!(ask(&told, &NOTHING, &all, today), Recycling::Move(RecycleCause::NoOpportunity));
    let sold = RecycleFacts {
        last_opportunity_at: Some(at("2026-03-02T00:00:00Z")),
        last_contract_at: Some(at("2026-03-03T00:00:00Z")),
        ..NOTHING
    };
    assert_eq!(ask(&told, &sold, &all, today), Recycling::CallOff);
    assert_eq!(ask(&customer(&world), &sold, &all, today), Recycling::Keep);
    // What came of it under an owner before counts for that owner alone.
    let before = RecycleFacts { last_opportunity_at: Some(at("2026-02-01T00:00:00Z")), ..sold };
    assert_eq!(ask(&told, &before, &all, today), Recycling::Move(RecycleCause::NoOpportunity));
    for safe in
        [RecycleFacts { live_contracts: 1, ..NOTHING }, RecycleFacts { pending_approvals: 1, ..NOTHING }]
    {
        assert_eq!(ask(&told, &safe, &all, today), Recycling::CallOff);
        assert_eq!(ask(&customer(&world), &safe, &all, today), Recycling::Keep);
    }
    let locked = Customer { locked: true, ..told.clone() };
    assert_eq!(ask(&locked, &NOTHING, &all, today), Recycling::CallOff);
    let off = RecycleRules::default();
    assert_eq!(ask(&told, &NOTHING, &off, today), Recycling::CallOff, "the rule was taken back");
    let pooled = Customer { owned_since: None, recycle_on: None, ..told };
    assert_eq!(ask(&pooled, &NOTHING, &all, today), Recycling::Keep);
}

#[test]
fn an_activity_after_the_warning_puts_the_day_off() {
    let world = World::new();
    let told = Customer { recycle_on: Some(day("2026-03-11")), ..customer(&world) };
    let seen = Customer { last_activity_at: Some(at("2026-03-10T02:00:00Z")), ..told };
    let rules = rules(Some(10), 3);
    assert_eq!(ask(&seen, &NOTHING, &rules, day("2026-03-11")), Recycling::CallOff);
    let again = Recycling::Warn(RecycleCause::NoActivity, day("2026-03-20"));
    assert_eq!(ask(&seen, &NOTHING, &rules, day("2026-03-17")), again);
}

/// Days are those of the calendar, whether one of them has 23, 24 or 25 hours.
#[test]
fn days_are_counted_over_a_change_of_clocks() {
    let mut world = World::new();
    world.0.settings.time_zone.0 = chrono_tz::Europe::Berlin;
    for (owned_since, last_minute, first_minute) in [
        // Half an hour before midnight; the next day has 23 hours.
        ("2026-03-28T22:30:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
        // The same, and the next day has 25.
        ("2026-10-24T21:30:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
        // In the hour that there is twice, both times.
        ("2026-10-25T00:30:00Z", "2026-10-26T22:59:59Z", "2026-10-26T23:00:00Z"),
        ("2026-10-25T01:30:00Z", "2026-10-26T22:59:59Z", "2026-10-26T23:00:00Z"),
    ] {
        let owned = Customer { owned_since: Some(at(owned_since)), ..customer(&world) };
        let ask = |now: &str| {
            let today = world.0.today(at(now));
            recycling(&owned, &NOTHING, &rules(Some(2), 0), &world.0, today)
        };
        assert_eq!(ask(last_minute), Recycling::Keep, "{owned_since}");
        assert_eq!(ask(first_minute), Recycling::Move(RecycleCause::NoActivity), "{owned_since}");
    }
}
