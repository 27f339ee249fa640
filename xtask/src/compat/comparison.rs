//! The comparison of two documents: what is known while it goes on. What is compared how is in the other modules.

use std::collections::HashSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::change::{Change, Direction, Rule};
use super::shape::Identity;
use super::walk::Document;

/// Two documents, and what was found so far.
pub(super) struct Comparison<'a> {
    /// The last release.
    pub(super) before: Document<'a>,
    /// The present.
    pub(super) after: Document<'a>,
    /// The day, for what was announced to go.
    pub(super) today: &'a str,
    /// Pairs of schemas that are being compared, for those that contain themselves.
    pub(super) open: Vec<(Identity<'a>, Identity<'a>)>,
    compared: HashSet<(&'a str, Direction)>,
    reported: HashSet<(Rule, String)>,
    changes: Vec<Change>,
}

/// The breaking changes from one document to the other, in the order of the first. `today` is a day such as
/// `2026-01-31`.
pub(super) fn compare(before: &Value, after: &Value, today: &str) -> Result<Vec<Change>> {
    let mut comparison = Comparison {
        before: Document::new(before).context("the document of the last release")?,
        after: Document::new(after).context("the present document")?,
        today,
        open: Vec::new(),
        compared: HashSet::new(),
        reported: HashSet::new(),
        changes: Vec::new(),
    };
    comparison.security_schemes();
    comparison.operations();
    comparison.webhooks();
    Ok(comparison.changes)
}

impl<'a> Comparison<'a> {
    /// Notes a change; one rule is broken in one place only once.
    pub(super) fn report(&mut self, rule: Rule, place: impl Into<String>, what: impl Into<String>) {
        let place = place.into();
        if self.reported.insert((rule, place.clone())) {
            self.changes.push(Change { rule, place, what: what.into() });
        }
    }

    /// Whether a named component still has to be compared. All that refer to it share it, so it is compared once for
    /// each direction, under its own name: a change in it is one change, not hundreds.
    pub(super) fn first_time(&mut self, target: &'a str, direction: Direction) -> bool {
        self.compared.insert((target, direction))
    }
}
