//! Operations that read.

use actix_web::http::{Method, StatusCode};
use fairlead_application::listing::{Include, ListRequest, Listing};
use fairlead_application::{App, Call, Page, Read, Related, Versioned};
use fairlead_domain::valid::Valid;
use serde_json::Value;

use super::ask::Ask;
use super::shape::Body;
use super::{About, Api, Form, PathId, View, api};

/// What every search does, whatever its list.
const SEARCH: &str = "\
Answers what the list does, for longer conditions: all groups of `all` must hold; a group holds where any of its \
filters does, and a filter where all its members do. The members of filters are the list's parameters, with an array \
where a query has a comma list. It only reads, so that it takes no `Idempotency-Key`.";

impl Api {
    /// `GET` of a list.
    pub(crate) fn list<V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        listing: &'static Listing,
        run: F,
    ) -> &mut Self
    where
        V: View,
        F: AsyncFn(&App, &Call, ListRequest) -> Read<Page<V>> + Send + Sync + 'static,
    {
        let page = self.schemas.page_of::<V>();
        let shape = api(Method::GET, path).listed(listing).answers(StatusCode::OK, page);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.page(&run(ask.app(), call, ask.list()?).await?)
        })
    }

    /// `POST` of longer conditions than a query says, answered as the list is. It writes nothing.
    pub(crate) fn search<V, F>(
        &mut self,
        id: &'static str,
        summary: &'static str,
        listing: &'static Listing,
        example: Value,
        run: F,
    ) -> &mut Self
    where
        V: View,
        F: AsyncFn(&App, &Call, ListRequest) -> Read<Page<V>> + Send + Sync + 'static,
    {
        let page = self.schemas.page_of::<V>();
        let schema = self.schemas.search_of::<V>(listing, example);
        let path = format!("/{}/search", listing.resource);
        let shape =
            api(Method::POST, &path).takes(Body::Search { schema, listing }).answers(StatusCode::OK, page);
        self.signed(About { id, summary, rules: SEARCH }, shape, async move |ask: &Ask, call: &Call| {
            ask.page(&run(ask.app(), call, ask.search()?).await?)
        })
    }

    /// `GET` of a list that belongs to a record.
    pub(crate) fn list_of<Id, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        listing: &'static Listing,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        V: View,
        F: AsyncFn(&App, &Call, Id, ListRequest) -> Read<Page<V>> + Send + Sync + 'static,
    {
        let page = self.schemas.page_of::<V>();
        let shape =
            api(Method::GET, path).of(self.schemas.of::<Id>()).listed(listing).answers(StatusCode::OK, page);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.page(&run(ask.app(), call, ask.id()?, ask.list()?).await?)
        })
    }

    /// `GET` of something that there is one of, and that has a version.
    pub(crate) fn get_one<V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        V: View + Versioned,
        F: AsyncFn(&App, &Call) -> Read<V> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape = api(Method::GET, path).answers(StatusCode::OK, view).cached();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.versioned(&run(ask.app(), call).await?)
        })
    }

    /// `GET` of a record that has a version.
    pub(crate) fn get<Id, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        V: View + Versioned,
        F: AsyncFn(&App, &Call, Id) -> Read<V> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape = api(Method::GET, path).of(self.schemas.of::<Id>()).answers(StatusCode::OK, view).cached();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.versioned(&run(ask.app(), call, ask.id()?).await?)
        })
    }

    /// `GET` of a record that has a version, with what its list may include.
    pub(crate) fn get_related<Id, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        listing: &'static Listing,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        V: View + Versioned,
        F: AsyncFn(&App, &Call, Id, Include) -> Read<Related<V>> + Send + Sync + 'static,
    {
        let view = self.schemas.related_of::<V>(id, listing);
        let shape = api(Method::GET, path)
            .of(self.schemas.of::<Id>())
            .relates(listing)
            .answers(StatusCode::OK, view)
            .cached();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.versioned(&run(ask.app(), call, ask.id()?, ask.include()?).await?)
        })
    }

    /// `GET` of something about a record that has no version of its own.
    pub(crate) fn look<Id, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        V: View,
        F: AsyncFn(&App, &Call, Id) -> Read<V> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape = api(Method::GET, path).of(self.schemas.of::<Id>()).answers(StatusCode::OK, view);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.plain(&run(ask.app(), call, ask.id()?).await?)
        })
    }

    /// `POST` that works something out of a form and writes nothing.
    pub(crate) fn compute<T, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        T: Form,
        V: View,
        F: AsyncFn(&App, &Call, Valid<T>) -> Read<V> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::POST, path).takes(form).answers(StatusCode::OK, view);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.plain(&run(ask.app(), call, ask.form()?).await?)
        })
    }

    /// `GET` of what a question finds; the query is a form.
    pub(crate) fn ask<Q, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Q: Form,
        V: View,
        F: AsyncFn(&App, &Call, Valid<Q>) -> Read<V> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape =
            api(Method::GET, path).asked(self.schemas.question_of::<Q>()).answers(StatusCode::OK, view);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.plain(&run(ask.app(), call, ask.question()?).await?)
        })
    }

    /// `GET` of something that there is one of.
    pub(crate) fn read<V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        V: View,
        F: AsyncFn(&App, &Call) -> Read<V> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape = api(Method::GET, path).answers(StatusCode::OK, view);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.plain(&run(ask.app(), call).await?)
        })
    }
}
