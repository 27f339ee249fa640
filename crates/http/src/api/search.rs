//! The body of a search: the filters of a list in groups, as schemas of the specification.

use fairlead_application::groups::{MAX_FILTERS, MAX_FILTERS_IN_ALL, MAX_GROUPS, MAX_VALUES_IN_ALL};
use fairlead_application::listing::Listing;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Type};

use super::listing::{Place, Wish, filters, others};
use super::schemas::{Schemas, row_of};
use super::shape::Named;

impl Schemas {
    /// The body of a search of a list, named after the list's rows. No part of it contains itself, because not every
    /// generator of clients takes that.
    pub(super) fn search_of<T: ToSchema>(&mut self, listing: &'static Listing, example: Value) -> Named {
        let row = row_of::<T>();
        let (search, group, filter) =
            (format!("{row}Search"), format!("{row}SearchGroup"), format!("{row}Filter"));

        let filter = self.insert(filter, move || {
            let members =
                closed("What a row must be in every member that is named here.").min_properties(Some(1));
            with(members, filters(listing, Place::Body)).into()
        });
        let group = self.insert(group, move || {
            let any = ArrayBuilder::new()
                .items(filter)
                .min_items(Some(1))
                .max_items(Some(MAX_FILTERS))
                .description(Some("Filters, of which one must hold."));
            closed("Alternatives.").property("any", any).required("any").into()
        });
        self.insert(search, move || {
            let about = format!(
                "Groups, all of which must hold; without any, every row is meant. Together they have \
                 {MAX_FILTERS_IN_ALL} filters and {MAX_VALUES_IN_ALL} values at most."
            );
            let all = ArrayBuilder::new().items(group).max_items(Some(MAX_GROUPS)).description(Some(about));
            let whole = closed("What is looked for, and how it is shown.").property("all", all);
            with(whole, others(listing, Place::Body)).examples([example]).into()
        })
    }
}

/// An object that refuses members that it does not name.
fn closed(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

fn with(object: ObjectBuilder, wishes: Vec<Wish>) -> ObjectBuilder {
    wishes
        .into_iter()
        .map(Wish::into_member)
        .fold(object, |object, (name, schema)| object.property(name, schema))
}
