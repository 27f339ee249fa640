//! Bodies of requests; responses with their media types and headers, which messages of webhooks have as well.

use serde_json::Value;

use super::change::{Direction, Rule, Site};
use super::comparison::Comparison;
use super::operations::Operation;
use super::place::Place;
use super::walk::{ANYTHING, name, object, reference, says};

impl<'a> Comparison<'a> {
    pub(super) fn request_body(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let place = place.word("request body");
        let (before, after) = (before.own.get("requestBody"), after.own.get("requestBody"));
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (self.before.resolve(before), self.after.resolve(after)),
            (Some(_), None) => return self.report(Rule::RequestBodyRemoved, place, "the body is gone"),
            (None, Some(after)) if says(self.after.resolve(after), "required") => {
                return self.report(
                    Rule::RequestBodyAddedRequired,
                    place,
                    "there was none, and one is required",
                );
            }
            (None, _) => return,
        };
        if !says(before, "required") && says(after, "required") {
            self.report(Rule::RequestBodyBecameRequired, &place, "the body was optional and is required");
        }
        self.contents(before, after, Site::Request, &place);
    }

    pub(super) fn responses(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let after = object(after.own.get("responses"));
        for (status, before) in object(before.own.get("responses")) {
            let place = place.word(&format!("response {status}"));
            match after.get(status) {
                Some(after) => self.response(before, after, place),
                // A refusal or a redirection that does not happen any more breaks nothing.
                None if status.starts_with('2') => {
                    self.report(Rule::ResponseSuccessStatusRemoved, place, "the response is gone");
                }
                None => {}
            }
        }
    }

    fn response(&mut self, before: &'a Value, after: &'a Value, mut place: Place) {
        if let Some(target) = reference(before).filter(|target| reference(after) == Some(*target)) {
            if !self.first_time(target, Direction::Response) {
                return;
            }
            place = Place::new(format!("response {}", name(target)));
        }
        let (before, after) = (self.before.resolve(before), self.after.resolve(after));
        self.headers(before, after, &place);
        self.contents(before, after, Site::Response, &place);
    }

    /// Everything that a body may be.
    pub(super) fn contents(&mut self, before: &'a Value, after: &'a Value, site: Site, place: &Place) {
        let after = object(after.get("content"));
        let gone = match site.direction() {
            Direction::Request => Rule::RequestBodyMediaTypeRemoved,
            Direction::Response => Rule::ResponseMediaTypeRemoved,
        };
        for (media_type, before) in object(before.get("content")) {
            let place = place.word(media_type);
            let Some(after) = after.get(media_type) else {
                self.report(gone, place, "the media type is gone");
                continue;
            };
            let schema = |content: &'a Value| content.get("schema").unwrap_or(ANYTHING);
            self.schemas(schema(before), schema(after), site, &place);
        }
    }

    fn headers(&mut self, before: &'a Value, after: &'a Value, place: &Place) {
        let after = object(after.get("headers"));
        for (header, before) in object(before.get("headers")) {
            let place = place.word(&format!("header {header}"));
            match after.iter().find(|(name, _)| name.eq_ignore_ascii_case(header)) {
                Some((_, after)) => self.header(before, after, place),
                None => self.removed_header(self.before.resolve(before), place),
            }
        }
    }

    pub(super) fn removed_header(&mut self, before: &'a Value, place: Place) {
        let rule = if says(before, "required") {
            Rule::RequiredResponseHeaderRemoved
        } else {
            Rule::OptionalResponseHeaderRemoved
        };
        self.report(rule, place, "the header is gone");
    }

    pub(super) fn header(&mut self, before: &'a Value, after: &'a Value, mut place: Place) {
        if let Some(target) = reference(before).filter(|target| reference(after) == Some(*target)) {
            if !self.first_time(target, Direction::Response) {
                return;
            }
            place = Place::new(format!("header {}", name(target)));
        }
        let (before, after) = (self.before.resolve(before), self.after.resolve(after));
        if says(before, "required") && !says(after, "required") {
            self.report(Rule::ResponseHeaderBecameOptional, &place, "the header was always there");
        }
        let schema = |header: &'a Value| header.get("schema").unwrap_or(ANYTHING);
        self.schemas(schema(before), schema(after), Site::Header, &place);
    }
}
