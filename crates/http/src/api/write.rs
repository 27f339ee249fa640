//! Operations that write.

use actix_web::http::{Method, StatusCode};
use fairlead_application::{App, Call, Failure, Flag, Written};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use serde::Serialize;

use super::ask::Ask;
use super::shape::{Body, Shape};
use super::{About, Api, Form, PathId, View, api};
use crate::request::condition::Precondition;

impl Api {
    /// `POST` that makes a record.
    pub(crate) fn create<T, V, F>(
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
        F: AsyncFn(&App, &Call, Valid<T>) -> Written<V> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape =
            api(Method::POST, path).takes(form).answers(StatusCode::CREATED, view).creates().idempotent();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.form()?).await?)
        })
    }

    /// `POST` that does many things at once.
    pub(crate) fn batch<T, V, F>(
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
        F: AsyncFn(&App, &Call, Valid<T>) -> Written<V> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::POST, path)
            .takes(form)
            .answers(StatusCode::OK, view)
            .flagged(&[Flag::DryRun])
            .idempotent();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.form()?).await?)
        })
    }

    /// `POST` that does many things at once about a record.
    pub(crate) fn batch_of<Id, T, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        T: Form,
        V: View,
        F: AsyncFn(&App, &Call, Id, Valid<T>) -> Written<V> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::POST, path)
            .of(self.schemas.of::<Id>())
            .takes(form)
            .answers(StatusCode::OK, view)
            .flagged(&[Flag::DryRun])
            .idempotent();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.id()?, ask.form()?).await?)
        })
    }

    /// `POST` that begins something that goes on after the answer.
    pub(crate) fn begin<T, V, F>(
        &mut self,
        (path, home): (&str, &'static str),
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        T: Form,
        V: View,
        F: AsyncFn(&App, &Call, Valid<T>) -> Written<V> + Send + Sync + 'static,
    {
        let (form, view) = (Body::form::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape =
            api(Method::POST, path).takes(form).answers(StatusCode::ACCEPTED, view).begins(home).idempotent();
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.form()?).await?)
        })
    }

    /// `PATCH` of something that there is one of.
    pub(crate) fn patch_one<T, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        T: Form + Serialize,
        V: View,
        F: AsyncFn(&App, &Call, Patch<T>) -> Written<V> + Send + Sync + 'static,
    {
        let (body, view) = (Body::patch::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::PATCH, path)
            .takes(body)
            .answers(StatusCode::OK, view)
            .versioned(Precondition::Required);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.patch()?).await?)
        })
    }

    /// `PATCH` of a record.
    pub(crate) fn patch<Id, T, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        T: Form + Serialize,
        V: View,
        F: AsyncFn(&App, &Call, Id, Patch<T>) -> Written<V> + Send + Sync + 'static,
    {
        let (body, view) = (Body::patch::<T>(&mut self.schemas), self.schemas.of::<V>());
        let shape = api(Method::PATCH, path)
            .of(self.schemas.of::<Id>())
            .takes(body)
            .answers(StatusCode::OK, view)
            .versioned(Precondition::Required);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.id()?, ask.patch()?).await?)
        })
    }

    /// `DELETE` of a record.
    pub(crate) fn delete<Id, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        F: AsyncFn(&App, &Call, Id) -> Written<()> + Send + Sync + 'static,
    {
        let shape = api(Method::DELETE, path).of(self.schemas.of::<Id>()).versioned(Precondition::Required);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.id()?).await?)
        })
    }

    /// `POST` that moves a record from one state to another, without a body.
    pub(crate) fn act<Id, V, F>(
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
        F: AsyncFn(&App, &Call, Id) -> Written<V> + Send + Sync + 'static,
    {
        let shape = self.transition::<Id, V>(path, Body::Empty);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.id()?).await?)
        })
    }

    /// `POST` that moves a record from one state to another, with a form.
    pub(crate) fn act_with<Id, T, V, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        T: Form,
        V: View,
        F: AsyncFn(&App, &Call, Id, Valid<T>) -> Written<V> + Send + Sync + 'static,
    {
        let form = Body::form::<T>(&mut self.schemas);
        let shape = self.transition::<Id, V>(path, form);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            ask.written(run(ask.app(), call, ask.id()?, ask.form()?).await?)
        })
    }

    /// `POST` about the caller themselves, without a body.
    pub(crate) fn command<F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        F: AsyncFn(&App, &Call) -> Result<(), Failure> + Send + Sync + 'static,
    {
        let shape = api(Method::POST, path).takes(Body::Empty);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            run(ask.app(), call).await?;
            Ok(ask.nothing())
        })
    }

    /// `POST` about the caller themselves, with a form.
    pub(crate) fn command_with<T, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        T: Form,
        F: AsyncFn(&App, &Call, Valid<T>) -> Result<(), Failure> + Send + Sync + 'static,
    {
        let form = Body::form::<T>(&mut self.schemas);
        let shape = api(Method::POST, path).takes(form);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            run(ask.app(), call, ask.form()?).await?;
            Ok(ask.nothing())
        })
    }

    /// `DELETE` of something without a version.
    pub(crate) fn end<Id, F>(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
        run: F,
    ) -> &mut Self
    where
        Id: PathId,
        F: AsyncFn(&App, &Call, Id) -> Result<(), Failure> + Send + Sync + 'static,
    {
        let shape = api(Method::DELETE, path).of(self.schemas.of::<Id>());
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            run(ask.app(), call, ask.id()?).await?;
            Ok(ask.nothing())
        })
    }

    fn transition<Id: PathId, V: View>(&mut self, path: &str, body: Body) -> Shape {
        let (id, view) = (self.schemas.of::<Id>(), self.schemas.of::<V>());
        api(Method::POST, path)
            .of(id)
            .takes(body)
            .answers(StatusCode::OK, view)
            .versioned(Precondition::Optional)
            .flagged(&[Flag::DryRun])
            .idempotent()
            .transition()
    }
}
