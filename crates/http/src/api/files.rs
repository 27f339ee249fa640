//! Operations whose body or answer is a file.

use std::fmt::Write;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use fairlead_application::attachments::{self, Content};
use fairlead_application::{App, Call, Read, Written};
use fairlead_domain::attachment::FileCard;
use fairlead_domain::error::Refusal;
use futures_util::TryStreamExt;
use futures_util::stream::LocalBoxStream;
use serde::Serialize;

use super::ask::Ask;
use super::shape::{Body, Shape};
use super::{About, Api, PathId, View, api};
use crate::middleware::AS_IT_IS;
use crate::problem::Outcome;
use crate::request::{condition, range};

/// A file as it arrives.
pub(crate) type Upload = LocalBoxStream<'static, Result<actix_web::web::Bytes, Refusal>>;

impl Api {
    /// `POST` of a file that belongs to a record.
    pub(crate) fn upload<Id, V, F>(
        &mut self,
        (path, home): (&str, &'static str),
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        V: View + Serialize,
        F: AsyncFn(&App, &Call, Id, FileCard, Upload) -> Written<V> + Send + Sync + 'static,
    {
        let shape = api(Method::POST, path)
            .of(self.schemas.of::<Id>())
            .takes(Body::File)
            .answers(StatusCode::CREATED, self.schemas.of::<V>())
            .creates();
        let shape = Shape { answer: super::shape::Answer { home: Some(home), ..shape.answer }, ..shape };
        self.signed(About { id, summary, rules }, shape.idempotent(), async move |ask: &Ask, call: &Call| {
            let (card, content) = ask.file()?;
            ask.written(run(ask.app(), call, ask.id()?, card, content).await?)
        })
    }

    /// `GET` of a file's content, or of a part of it.
    pub(crate) fn download<Id, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        F: AsyncFn(&App, &Call, Id) -> Read<Content> + Send + Sync + 'static,
    {
        let shape = api(Method::GET, path).of(self.schemas.of::<Id>()).gives_file();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.content(run(ask.app(), call, ask.id()?).await?).await
        })
    }
}

impl Ask {
    /// Content, whole or in part, always as something to be saved: what a browser would run stays a file.
    async fn content(&self, content: Content) -> Outcome {
        let headers = self.request.headers();
        let tag = format!("\"{}\"", content.sha256);
        if condition::not_modified(headers, &tag)? {
            return Ok(HttpResponse::NotModified()
                .insert_header((header::ETAG, tag))
                .insert_header((header::CONTENT_ENCODING, AS_IT_IS))
                .finish());
        }
        let part = range::part(headers, content.size, &tag)?;
        let mut response = HttpResponse::build(StatusCode::OK);
        if let Some(part) = &part {
            response.status(StatusCode::PARTIAL_CONTENT);
            let text = format!("bytes {}-{}/{}", part.start, part.end - 1, content.size);
            response.insert_header((header::CONTENT_RANGE, text));
        }
        describe(&mut response, &content, &tag);
        let length = part.as_ref().map_or(content.size, |part| part.end - part.start);
        let body = attachments::open(self.app(), &content, part).await?;
        Ok(response.no_chunking(length).streaming(body.map_err(|error| {
            tracing::error!(%error, "a file breaks off");
            error
        })))
    }
}

fn describe(response: &mut HttpResponseBuilder, content: &Content, tag: &str) {
    // RFC 6266 and RFC 8187: the name in UTF-8, every sign that might mean something escaped.
    let name = content.file_name.as_str().bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
        name
    });
    // Nobody guesses: what was taken as text is UTF-8.
    let charset = if content.media_type.is_text() { "; charset=utf-8" } else { "" };
    response
        .insert_header((header::CONTENT_TYPE, format!("{}{charset}", content.media_type)))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, tag.to_owned()))
        // Compressed, its parts would be parts of something else.
        .insert_header((header::CONTENT_ENCODING, AS_IT_IS));
}
