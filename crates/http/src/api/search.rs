//! The body of a search: the filters of a list in groups, as schemas of the specification.

use fairlead_application::groups::{MAX_FILTERS, MAX_FILTERS_IN_ALL, MAX_GROUPS, MAX_VALUES_IN_ALL};
use fairlead_application::listing::Listing;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Type};

use super::listing::{Place, Wish, filters, others};
use super::schemas::{Schemas, reference, row_of};
use super::shape::Named;

impl Schemas {
    /// The body of a search of a list, named after the list's rows. No part of it contains itself, because not every
    /// generator of clients takes that.
    pub(super) fn search_of<T: ToSchema>(&mut self, listing: &Listing, example: Value) -> Named {
        let row = row_of::<T>();
        let (search, group, filter) =
            (format!("{row}Search"), format!("{row}SearchGroup"), format!("{row}Filter"));

        let members =
            closed("What a row must be in every member that is named here.").min_properties(Some(1));
        let members = with(members, filters(listing, Place::Body));
        self.insert(filter.clone(), members.into());

        let any = ArrayBuilder::new()
            .items(reference(&filter))
            .min_items(Some(1))
            .max_items(Some(MAX_FILTERS))
            .description(Some("Filters, of which one must hold."));
        let any = closed("Alternatives.").property("any", any).required("any");
        self.insert(group.clone(), any.into());

        let about = format!(
            "Groups, all of which must hold; without any, every row is meant. Together they have \
             {MAX_FILTERS_IN_ALL} filters and {MAX_VALUES_IN_ALL} values at most."
        );
        let all =
            ArrayBuilder::new().items(reference(&group)).max_items(Some(MAX_GROUPS)).description(Some(about));
        let whole = closed("What is looked for, and how it is shown.").property("all", all);
        let whole = with(whole, others(listing, Place::Body)).examples([example]);
        self.insert(search.clone(), whole.into());
        reference(&search)
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
