//! Operations that take no token.

use actix_web::http::header::ORIGIN;
use actix_web::http::{Method, StatusCode};
use fairlead_application::{App, Budget, Failure};
use fairlead_domain::valid::Valid;

use super::answer::Shown;
use super::ask::Ask;
use super::shape::{Body, Shape};
use super::{About, Api, Form, PathId, View, api};
use crate::request::limit;
use crate::request::origin::Origin;
use crate::state::State;

impl Api {
    /// Public `POST` with a form.
    pub(crate) fn open_form<T, V, F>(
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
        F: AsyncFn(&App, &Origin, Valid<T>) -> Result<V, Failure> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::POST, path).takes(form).answers(StatusCode::OK, view);
        self.open(About { id, summary, rules }, shape, async move |ask: &Ask| {
            ask.plain(&run(ask.app(), &ask.origin(), ask.form()?).await?)
        })
    }

    /// Public `POST` with a form, from pages of other sites, to one of several receivers. How much a sender may still
    /// send is told by `budget`.
    pub(crate) fn open_submission<Id, T, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        budget: fn(&App, &Id, &str) -> Budget,
        run: F,
    ) -> &mut Self
    where
        Id: PathId + Clone,
        T: Form,
        V: View,
        F: AsyncFn(&App, Id, Option<&str>, &str, Valid<T>) -> Result<V, Failure> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::POST, path)
            .of(self.schemas.of::<Id>())
            .takes(form)
            .answers(StatusCode::ACCEPTED, view);
        self.open(About { id, summary, rules }, shape, async move |ask: &Ask| {
            let site = ask.request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
            let (id, sender) = (ask.id::<Id>()?, ask.origin().client);
            let sent = async { run(ask.app(), id.clone(), site, &sender, ask.form()?).await };
            let outcome = sent.await;
            limit::note(&ask.request, budget(ask.app(), &id, &sender));
            ask.plain(&outcome?)
        })
    }

    /// Public `GET`, beside the API: the path is the whole path.
    pub(crate) fn open_read<V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        V: View,
        F: AsyncFn(&State) -> Result<V, Failure> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape = Shape::new(Method::GET, path.to_owned()).answers(StatusCode::OK, view);
        self.open(About { id, summary, rules }, shape, async move |ask: &Ask| {
            ask.plain(&run(&ask.state).await?)
        })
    }

    /// Public `GET` of something that there is one of, for programs and as a page; beside the API.
    pub(crate) fn open_page<V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        V: View + Shown,
        F: AsyncFn(&State) -> Result<V, Failure> + Send + Sync + 'static,
    {
        let view = self.schemas.of::<V>();
        let shape = Shape::new(Method::GET, path.to_owned()).answers(StatusCode::OK, view).shown();
        self.open(About { id, summary, rules }, shape, async move |ask: &Ask| {
            ask.shown(&run(&ask.state).await?)
        })
    }

    /// The same of one of several. What cannot be a name is the name of nothing: whoever follows a link is helped by no
    /// list of those that could be.
    pub(crate) fn open_page_of<Id, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        V: View + Shown,
        F: AsyncFn(&State, Id) -> Result<V, Failure> + Send + Sync + 'static,
    {
        let (parameter, view) = (self.schemas.of::<Id>(), self.schemas.of::<V>());
        let shape =
            Shape::new(Method::GET, path.to_owned()).of(parameter).answers(StatusCode::OK, view).shown();
        self.open(About { id, summary, rules }, shape, async move |ask: &Ask| {
            let Ok(id) = ask.id::<Id>() else { return Ok(ask.missing()) };
            ask.shown(&run(&ask.state, id).await?)
        })
    }
}
