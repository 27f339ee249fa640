//! The public pool: who sees it, who gets from it, and what comes back to it by itself.

mod giving;
mod limits;
mod members;
pub(crate) mod recycling;

use serde_json::{Value, json};

use crate::support::{Company, Person, Server};
use giving::*;
use limits::*;
use members::*;
use recycling::*;

on_both_databases! {
    settings_are_read_and_changed;
    a_pool_belongs_to_its_members;
    limits_differ_by_role_and_by_user;
    what_was_merged_is_found_in_the_pool;
    labels_are_looked_for;
    opening_pool_records_is_limited;
    what_is_masked_is_a_setting;
    fair_distribution_is_fair_and_can_be_tried;
    bulk_calls_do_all_or_as_many_as_can_be;
    a_dry_run_leaves_nothing_behind;
    a_dry_run_opens_nothing;
    the_neglected_are_warned_and_then_recycled;
    the_day_is_right_in_the_time_zone;
    rules_that_go_take_their_warnings_with_them;
    what_is_looked_after_is_spared;
    other_rules_can_be_tried;
    heavy_two_servers_recycle_once;
    heavy_two_hundred_claims_of_one_person_keep_the_limit;
    heavy_a_day_has_its_limit_and_its_cool_down;
    a_claim_counts_whatever_becomes_of_the_customer;
    customers_go_dormant_and_wake;
    collaborators_see_what_is_shared_and_no_money;
}

async fn customer(person: &Person, id: &str) -> Value {
    person.client.get(&format!("/customers/{id}")).await.expect(200).body
}

async fn settings_are_read_and_changed(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let settings = admin.get("/settings").await.expect(200);
    assert_eq!(settings.body["time_zone"], "Asia/Shanghai");
    assert!(settings.header("etag").starts_with("\"v1-"));
    admin.patch_if("/settings", "\"v1\"", json!({"leads": {"hot_from": 80}})).await.expect(200);
    admin.patch_if("/settings", "\"v1\"", json!({"due_soon_days": 3})).await.refused(412, "version_mismatch");
    let settings = admin.get("/settings").await.expect(200).body;
    assert_eq!((&settings["leads"]["hot_from"], &settings["leads"]["warm_from"]), (&json!(80), &json!(40)));
    for (body, pointer) in [
        (json!({"time_zone": "Mars/Olympus"}), "/time_zone"),
        (json!({"leads": {"warm_from": 90}}), "/leads"),
        (json!({"pool": {"recycle": {"no_activity_days": 0}}}), "/pool/recycle/no_activity_days"),
        (json!({"ownership": {"limit": -1}}), "/ownership/limit"),
        (
            json!({"ownership": {"by_role": [{"role": "sales_rep", "limit": 1}, {"role": "sales_rep", "limit": 2}]}}),
            "/ownership/by_role",
        ),
    ] {
        let refused = admin.patch("/settings", body).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    let unknown = json!({"ownership": {"by_role": [{"role": "nobody_has_it", "limit": 1}]}});
    admin.patch("/settings", unknown).await.refused(422, "unknown_reference");
    let again = admin.get("/settings").await.expect(200);
    assert_eq!(again.body["version"], 2, "what was refused left nothing");
}
