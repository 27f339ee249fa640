//! Members of objects: which there are, which there must be.

use super::change::{Aspect, Direction, Rule, Site};
use super::comparison::Comparison;
use super::place::Place;
use super::shape::{Others, Shape};
use super::sunset::Sunset;
use super::walk::ANYTHING;

impl<'a> Comparison<'a> {
    /// Members with names: those that are gone or new, then those that are in both. Then all others.
    pub(super) fn members(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        match site.direction() {
            Direction::Request => self.request_members(before, after, place),
            Direction::Response => self.response_members(before, after, place),
        }
        let members = after.members();
        for (name, old) in before.members() {
            if let Some((_, new)) = members.iter().find(|(known, _)| *known == name) {
                self.schemas(old, new, site, &place.member(name));
            }
        }
        self.others(before, after, site, place);
    }

    fn request_members(&mut self, before: &Shape<'a>, after: &Shape<'a>, place: &Place) {
        // What may be anything by now may be the former object as well.
        let gone = if before.types().is_some() && after.types().is_none() {
            Vec::new()
        } else {
            self.gone(before, after)
        };
        for (name, sunset) in gone {
            let what = format!("the member is gone{}", sunset.explanation());
            self.report(Rule::RequestPropertyRemoved, place.member(name), what);
        }
        let known = before.members();
        for name in after.required().difference(&before.required()) {
            let place = place.member(name);
            if known.iter().any(|(known, _)| known == name) {
                self.report(
                    Rule::RequestPropertyBecameRequired,
                    place,
                    "the member was optional and is required",
                );
            } else {
                self.report(Rule::NewRequiredRequestProperty, place, "the member is new and required");
            }
        }
    }

    fn response_members(&mut self, before: &Shape<'a>, after: &Shape<'a>, place: &Place) {
        let (was, is) = (before.required(), after.required());
        let gone = self.gone(before, after);
        for (name, sunset) in &gone {
            let required = was.contains(name);
            let rule = if required {
                Rule::ResponseRequiredPropertyRemoved
            } else {
                Rule::ResponseOptionalPropertyRemoved
            };
            self.report(rule, place.member(name), format!("the member is gone{}", sunset.explanation()));
        }
        let there = after.members();
        let old = before.members();
        let is_there = |name: &str| there.iter().any(|(known, _)| *known == name);
        let was_there = |name: &str| old.iter().any(|(known, _)| *known == name);
        // Of a member that is gone it has been said, or it was announced.
        for name in was.difference(&is).filter(|name| is_there(name) || !was_there(name)) {
            let what = "the member was always there";
            self.report(Rule::ResponsePropertyBecameOptional, place.member(name), what);
        }
    }

    /// The members that are gone, but for those whose day has come.
    fn gone(&self, before: &Shape<'a>, after: &Shape<'a>) -> Vec<(&'a str, Sunset<'a>)> {
        let there = after.members();
        let gone =
            before.members().into_iter().filter(|(name, _)| there.iter().all(|(known, _)| known != name));
        gone.map(|(name, schema)| (name, Sunset::of(schema, self.today)))
            .filter(|(_, sunset)| *sunset != Sunset::Passed)
            .collect()
    }

    /// Members without a name of their own.
    fn others(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        let here = place.entries();
        match (before.others(), after.others(), site.direction()) {
            (Others::Open | Others::Like(_), Others::Closed, Direction::Request) => {
                self.value(site, Aspect::AdditionalPropertiesRefused, &here, "other members are refused");
            }
            (Others::Like(_), Others::Closed, Direction::Response) => {
                self.report(Rule::ResponseOptionalPropertyRemoved, &here, "there are no such members");
            }
            (Others::Like(old), Others::Like(new), _) => self.schemas(old, new, site, &here),
            (Others::Like(old), Others::Open, _) => self.schemas(old, ANYTHING, site, &here),
            (Others::Open, Others::Like(new), _) => self.schemas(ANYTHING, new, site, &here),
            _ => {}
        }
    }
}
