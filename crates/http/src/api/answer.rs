//! A use case's answer on its way back.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use fairlead_application::{Done, Flag, Page, Versioned};
use fairlead_domain::error::{Code, Refusal};
use serde::Serialize;
use serde_json::Value;

use super::BASE;
use super::ask::Ask;
use super::selection;
use super::shape::Cached;
use crate::middleware::KEPT;
use crate::problem::{self, Failed, Outcome};
use crate::request::body::JSON;
use crate::request::condition::{entity_tag, not_modified, text_tag};
use crate::request::negotiate::{Language, prefers_page};
use crate::request::query;

/// The header that marks an answer given before.
pub(crate) const REPLAYED: &str = "Idempotent-Replayed";

/// By what the form of a page varies that programs get as JSON.
const SHOWN_BY: &str = "accept, accept-language";

/// Something that can be shown to people.
pub(crate) trait Shown {
    /// A whole page (HTML).
    fn page(&self, language: Language) -> String;
}

impl Ask {
    /// A view, or a page of it for whoever prefers that.
    pub(crate) fn shown<V: Serialize + Shown>(&self, view: &V) -> Outcome {
        let status = self.shape.answer.status;
        match self.html(status, |language| view.page(language)) {
            Some(page) => Ok(page),
            None => json(HttpResponse::build(status).insert_header((header::VARY, SHOWN_BY)), view),
        }
    }

    /// That there is nothing of this name: a problem, or a page for whoever prefers that.
    pub(crate) fn missing(&self) -> HttpResponse {
        self.html(StatusCode::NOT_FOUND, problem::missing_page).unwrap_or_else(|| {
            let refusal = Refusal::new(Code::NotFound, "no such code");
            let mut response = problem::answer(refusal.into(), &self.request);
            response.headers_mut().insert(header::VARY, header::HeaderValue::from_static(SHOWN_BY));
            response
        })
    }

    /// A page in the caller's language, if they prefer one.
    fn html(&self, status: StatusCode, page: impl FnOnce(Language) -> String) -> Option<HttpResponse> {
        let headers = self.request.headers();
        prefers_page(headers).then(|| {
            let language = Language::of(headers);
            HttpResponse::build(status)
                .insert_header((header::VARY, SHOWN_BY))
                .insert_header((header::CONTENT_LANGUAGE, language.tag()))
                .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
                .body(page(language))
        })
    }

    /// Nothing to say.
    pub(crate) fn nothing(&self) -> HttpResponse {
        HttpResponse::build(self.shape.answer.status).finish()
    }

    /// A view.
    pub(crate) fn plain<V: Serialize>(&self, view: &V) -> Outcome {
        if self.shape.cached == Cached::Text {
            let body = bytes(view)?;
            return self.known_by(text_tag(&body), body);
        }
        json(&mut HttpResponse::build(self.shape.answer.status), view)
    }

    /// A view with a version: nothing to whoever was shown the same before.
    pub(crate) fn versioned<V: Serialize + Versioned>(&self, view: &V) -> Outcome {
        let body = match &self.fields {
            Some(fields) => bytes(&selection::of(view, fields, &self.shape)?),
            None => bytes(view),
        }?;
        self.known_by(entity_tag(view.version(), &body), body)
    }

    /// A body with its tag: nothing to whoever was given the same before.
    fn known_by(&self, tag: String, body: Vec<u8>) -> Outcome {
        let seen = not_modified(self.request.headers(), &tag)?;
        let status = if seen { StatusCode::NOT_MODIFIED } else { self.shape.answer.status };
        let mut response = HttpResponse::build(status);
        response.insert_header((header::ETAG, tag));
        if self.shape.answer.impersonal {
            response.insert_header((header::CACHE_CONTROL, KEPT));
        }
        Ok(if seen {
            response.finish()
        } else {
            response.insert_header((header::CONTENT_TYPE, JSON)).body(body)
        })
    }

    /// A page, with the way to the next one.
    pub(crate) fn page<V: Serialize>(&self, page: &Page<V>) -> Outcome {
        let mut response = HttpResponse::build(self.shape.answer.status);
        if let Some(cursor) = page.page.next_cursor.as_ref().filter(|_| self.shape.answer.paged) {
            let next = format!("{}?{}", self.request.path(), query::with_cursor(&self.query, cursor));
            response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", self.state.link(&next))));
        }
        if !self.shape.answer.tells_parts {
            return self.rows(&mut response, page);
        }
        let mut told = serde_json::to_value(page).map_err(|error| unwritable(&error))?;
        self.tell_parts(&mut response, &mut told);
        self.rows(&mut response, &told)
    }

    /// The rows of a page, as much of each as was asked for.
    fn rows<P: Serialize>(&self, response: &mut HttpResponseBuilder, page: &P) -> Outcome {
        match &self.fields {
            Some(fields) => json(response, &selection::of_rows(page, fields, &self.shape)?),
            None => json(response, page),
        }
    }

    /// Says why parts of the whole were refused in the caller's language, where the answer tells it.
    fn tell_parts(&self, response: &mut HttpResponseBuilder, view: &mut Value) {
        if self.shape.answer.tells_parts {
            let language = Language::of(self.request.headers());
            problem::tell_parts(view, language);
            response.insert_header((header::CONTENT_LANGUAGE, language.tag()));
        }
    }

    /// What was written, now or before under the same idempotency key.
    pub(crate) fn written<V: Serialize>(&self, done: Done<V>) -> Outcome {
        let (mut view, replayed) = done.into_json().map_err(|error| unwritable(&error))?;
        let answer = &self.shape.answer;
        let mut response = HttpResponse::build(answer.status);
        self.tell_parts(&mut response, &mut view);
        if replayed {
            response.insert_header((REPLAYED, "true"));
        }
        // Of what a dry run shows, no version will ever be there.
        let tagged = answer.tagged && !self.says(Flag::DryRun);
        let body = bytes(&view)?;
        if let Some(version) = view.get("version").and_then(Value::as_i64).filter(|_| tagged) {
            response.insert_header((header::ETAG, entity_tag(version, &body)));
        }
        if let Some(id) = view.get("id").and_then(Value::as_str).filter(|_| answer.located) {
            let path = match answer.home {
                Some(home) => format!("{BASE}{home}/{id}"),
                None => format!("{}/{id}", self.request.path()),
            };
            response.insert_header((header::LOCATION, self.state.link(&path)));
        }
        Ok(if answer.content.is_json() {
            response.insert_header((header::CONTENT_TYPE, JSON)).body(body)
        } else {
            response.finish()
        })
    }
}

fn json<V: Serialize>(response: &mut HttpResponseBuilder, view: &V) -> Outcome {
    let body = bytes(view)?;
    Ok(response.insert_header((header::CONTENT_TYPE, JSON)).body(body))
}

fn bytes<V: Serialize>(view: &V) -> Result<Vec<u8>, Failed> {
    serde_json::to_vec(view).map_err(|error| unwritable(&error))
}

pub(super) fn unwritable(error: &serde_json::Error) -> Failed {
    Refusal::new(Code::Internal, format!("an answer cannot be written: {error}")).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::resource;

    /// Whether a part of the document leads to this schema.
    fn leads_to(name: &str, part: &Value, document: &Value, seen: &mut BTreeSet<String>) -> bool {
        match part {
            Value::Object(members) => members.iter().any(|(member, value)| match value.as_str() {
                Some(target) if member == "$ref" => {
                    let pointer = target.trim_start_matches('#');
                    let found = document.pointer(pointer).unwrap_or_else(|| panic!("{target}"));
                    target.ends_with(&format!("/{name}"))
                        || (seen.insert(target.to_owned()) && leads_to(name, found, document, seen))
                }
                _ => leads_to(name, value, document, seen),
            }),
            Value::Array(items) => items.iter().any(|item| leads_to(name, item, document, seen)),
            _ => false,
        }
    }

    #[test]
    fn whatever_tells_of_broken_rules_tells_it_in_the_callers_language() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut telling = Vec::new();
        for operation in &resource::api().operations {
            let (shape, id) = (&operation.shape, operation.about.id);
            let method = shape.method.as_str().to_lowercase();
            let status = shape.answer.status.as_str();
            let answer = &document["paths"][shape.path.as_str()][method.as_str()]["responses"][status];
            assert!(answer.is_object(), "{id}");
            let tells = leads_to("FieldError", answer, &document, &mut BTreeSet::new());
            assert_eq!(shape.answer.tells_parts, tells, "{id}");
            if tells {
                telling.push(id);
            }
        }
        assert!(
            ["bulk_leads", "import_receipts", "list_job_items"].iter().all(|id| telling.contains(id)),
            "{telling:?}"
        );
    }
}
