//! Security: whether the credentials of the last release still suffice.

use std::collections::BTreeSet;

use serde_json::Value;

use super::change::Rule;
use super::comparison::Comparison;
use super::operations::Operation;
use super::place::Place;
use super::walk::{Document, list};

/// One sufficient combination of schemes, each with a scope; the empty one lets anybody in.
type Way<'a> = BTreeSet<(&'a str, &'a str)>;

impl<'a> Comparison<'a> {
    /// How credentials are sent. A scheme that is gone shows at the operations that took it.
    pub(super) fn security_schemes(&mut self) {
        let after = self.after.members("/components/securitySchemes");
        for (name, before) in self.before.members("/components/securitySchemes") {
            let Some(after) = after.get(name) else { continue };
            let (before, after) = (self.before.resolve(before), self.after.resolve(after));
            for member in ["type", "scheme", "in", "name", "flows", "openIdConnectUrl"] {
                if before.get(member) != after.get(member) {
                    let place = format!("security scheme {name}");
                    let what = format!("`{member}` is different");
                    self.report(Rule::ApiSecurityComponentTypeChanged, place, what);
                }
            }
        }
    }

    pub(super) fn security(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let now = ways(self.after, after.own);
        for way in ways(self.before, before.own) {
            if now.iter().any(|now| now.is_subset(&way)) {
                continue;
            }
            if way.is_empty() {
                self.report(Rule::ApiSecurityAdded, place, "it takes credentials, and took none");
            } else {
                let names = way.iter().map(|(name, scope)| format!("{name} {scope}").trim_end().to_owned());
                let names = names.collect::<Vec<_>>().join(", ");
                let what = format!("these credentials do not suffice any more: {names}");
                self.report(Rule::ApiSecurityRemoved, place, what);
            }
        }
    }

    /// What the server says of itself to receivers of a webhook: those who look for it refuse what comes without.
    pub(super) fn sent_credentials(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let before = ways(self.before, before.own);
        let without = |way: &Way<'a>| before.iter().all(|before| !before.is_subset(way));
        if ways(self.after, after.own).iter().any(without) {
            self.report(Rule::ApiSecurityRemoved, place, "it may come without the credentials that it had");
        }
    }
}

/// The combinations, each of which suffices.
fn ways<'a>(document: Document<'a>, operation: &'a Value) -> Vec<Way<'a>> {
    let all = list(operation.get("security").or_else(|| document.security()));
    if all.is_empty() {
        return vec![Way::new()];
    }
    all.iter().filter_map(Value::as_object).map(|schemes| schemes.iter().flat_map(scopes).collect()).collect()
}

/// A scheme counts without its scopes as well.
fn scopes<'a>((name, scopes): (&'a String, &'a Value)) -> impl Iterator<Item = (&'a str, &'a str)> {
    let scopes = list(Some(scopes)).iter().filter_map(Value::as_str);
    std::iter::once("").chain(scopes).map(move |scope| (name.as_str(), scope))
}
