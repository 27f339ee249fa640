//! Webhooks. Here the server asks and a program of somebody else answers: what a message says is held to the rules of
//! responses, and what its receiver answers to those of requests.

use serde_json::Value;

use super::change::{Direction, Rule, Site};
use super::comparison::Comparison;
use super::operations::Operation;
use super::parameters::Parameter;
use super::place::Place;
use super::sunset::Sunset;
use super::walk::{ANYTHING, name, object, reference, says};

impl<'a> Comparison<'a> {
    /// All webhooks of the last release. New ones break nothing.
    pub(super) fn webhooks(&mut self) {
        for (place, before, after) in self.operations_in("/webhooks", "webhook ") {
            match after {
                Some(after) => self.webhook(&before, &after, &place),
                None => self.removed_webhook(before.own, &place),
            }
        }
    }

    fn removed_webhook(&mut self, before: &'a Value, place: &Place) {
        let sunset = Sunset::of(before, self.today);
        if sunset != Sunset::Passed {
            let what = format!("it is not sent any more{}", sunset.explanation());
            self.report(Rule::WebhookRemoved, place, what);
        }
    }

    fn webhook(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        self.names_and_promises(before, after, place);
        self.sent_credentials(before, after, place);
        self.sent_parameters(before, after, place);
        self.message(before, after, place);
        self.answers(before, after, place);
    }

    /// What is sent beside the body: headers.
    fn sent_parameters(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let after = Parameter::all(self.after, after);
        for old in Parameter::all(self.before, before) {
            let here = place.word(&format!("{} {}", old.place(), old.name()));
            match after.iter().find(|new| new.key() == old.key()) {
                Some(new) => self.header(old.named, new.named, here),
                None if Sunset::of(old.what, self.today) == Sunset::Passed => {}
                None => self.removed_header(old.what, here),
            }
        }
    }

    fn message(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let Some(before) = before.own.get("requestBody") else { return };
        let place = place.word("message");
        let before = self.before.resolve(before);
        let after = after.own.get("requestBody").map_or(ANYTHING, |after| self.after.resolve(after));
        if says(before, "required") && !says(after, "required") {
            self.report(Rule::WebhookBodyBecameOptional, &place, "the body was always there");
        }
        let known = object(before.get("content"));
        for media_type in object(after.get("content")).keys().filter(|kind| !known.contains_key(*kind)) {
            let what = "the media type is new, and a receiver cannot say which it reads";
            self.report(Rule::WebhookMediaTypeAdded, place.word(media_type), what);
        }
        self.contents(before, after, Site::Response, &place);
    }

    fn answers(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let after = object(after.own.get("responses"));
        for (status, before) in object(before.own.get("responses")) {
            let place = place.word(&format!("answer {status}"));
            // `2XX` stands for each of them.
            let class = status.chars().take(1).chain("XX".chars()).collect::<String>();
            match after.get(status).or_else(|| after.get(&class)) {
                Some(after) => self.answer(before, after, place),
                None => self.report(Rule::WebhookAnswerStatusRemoved, place, "it is not understood any more"),
            }
        }
    }

    fn answer(&mut self, before: &'a Value, after: &'a Value, mut place: Place) {
        if let Some(target) = reference(before).filter(|target| reference(after) == Some(*target)) {
            if !self.first_time(target, Direction::Request) {
                return;
            }
            place = Place::new(format!("response {}", name(target)));
        }
        let (before, after) = (self.before.resolve(before), self.after.resolve(after));
        self.answered_headers(before, after, &place);
        if object(before.get("content")).is_empty() && !object(after.get("content")).is_empty() {
            self.report(Rule::RequestBodyAddedRequired, &place, "nothing was to be said, and something is");
        }
        self.contents(before, after, Site::Request, &place);
    }

    fn answered_headers(&mut self, before: &'a Value, after: &'a Value, place: &Place) {
        let (old, new) = (object(before.get("headers")), object(after.get("headers")));
        for (header, after) in new {
            let place = place.word(&format!("header {header}"));
            let after = self.after.resolve(after);
            let before = old.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
            let Some((_, before)) = before else {
                if says(after, "required") {
                    self.report(Rule::NewRequiredRequestParameter, place, "the header is new and required");
                }
                continue;
            };
            let before = self.before.resolve(before);
            if !says(before, "required") && says(after, "required") {
                let what = "the header was optional and is required";
                self.report(Rule::RequestParameterBecameRequired, &place, what);
            }
            let schema = |header: &'a Value| header.get("schema").unwrap_or(ANYTHING);
            self.schemas(schema(before), schema(after), Site::Parameter, &place);
        }
        for header in old.keys().filter(|name| new.keys().all(|known| !known.eq_ignore_ascii_case(name))) {
            let place = place.word(&format!("header {header}"));
            self.report(Rule::RequestParameterRemoved, place, "the header is not read any more");
        }
    }
}
