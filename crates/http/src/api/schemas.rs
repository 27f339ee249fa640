//! The named schemas of the specification, collected from the types that operations take and give.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};

use fairlead_application::listing::Listing;
use fairlead_application::{WithContract, WithCustomer, WithOpportunity, WithOwner, WithPrimaryContact};
use fairlead_domain::patch::Patch;
use utoipa::ToSchema;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, ArrayBuilder, ObjectBuilder, RefBuilder, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::shape::Named;

/// The longest page.
const MAX_PAGE: usize = 200;

/// What is behind the name of a record in the name of one that was read alone.
pub(super) const RELATED: &str = "WithRelations";

/// What the query of an operation may say, member by member.
#[derive(Default)]
pub(crate) struct Question(pub(crate) Vec<Asked>);

/// A member of a question.
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) schema: Named,
}

/// The schemas that operations name, each still to be written. What a type derives is all that is in it, again for each type
/// that has it, so that writing them would be a quarter of a server's start, and most of one in a debug build; and it knows
/// its operations without.
#[derive(Default)]
pub(crate) struct Schemas {
    steps: Vec<Step>,
    /// Which types were asked for, by their whole names: the same ones are in many operations.
    asked: BTreeSet<&'static str>,
}

/// What writes some of them.
type Step = Box<dyn FnOnce(&mut Written) + Send>;

/// Schemas by name.
#[derive(Default)]
struct Written {
    named: BTreeMap<String, RefOr<Schema>>,
    /// Names that two different schemas claim; a test wants none.
    collisions: Vec<String>,
}

impl Written {
    fn insert(&mut self, name: String, schema: RefOr<Schema>) {
        match self.named.get(&name) {
            Some(known) if *known != schema => self.collisions.push(name),
            Some(_) => {}
            None => {
                self.named.insert(name, schema);
            }
        }
    }

    /// What is in a type.
    fn parts_of<T: ToSchema>(&mut self) {
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        for (name, schema) in nested {
            self.insert(name, schema);
        }
    }

    fn of<T: ToSchema>(&mut self) {
        self.parts_of::<T>();
        self.insert(T::name().into_owned(), T::schema());
    }

    fn opened<T: ToSchema>(&mut self) {
        if let Some(RefOr::T(Schema::Object(object))) = self.named.get_mut(&*T::name()) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
        }
    }
}

impl Schemas {
    /// The schema of a type, and of all types in it.
    pub(crate) fn of<T: ToSchema + 'static>(&mut self) -> Named {
        if self.asked.insert(type_name::<T>()) {
            self.steps.push(Box::new(Written::of::<T>));
        }
        reference(&T::name())
    }

    /// The schema of a type that may have members beyond those that it names.
    pub(crate) fn open_ended<T: ToSchema + 'static>(&mut self) -> Named {
        let named = self.of::<T>();
        self.steps.push(Box::new(Written::opened::<T>));
        named
    }

    /// The members of a form that is given in a query: their names, schemas, and whether they are required.
    pub(crate) fn question_of<T: ToSchema + 'static>(&mut self) -> Question {
        self.steps.push(Box::new(Written::parts_of::<T>));
        let RefOr::T(Schema::Object(form)) = T::schema() else { return Question::default() };
        let required = form.required;
        let member = |(name, schema)| Asked { required: required.contains(&name), name, schema };
        Question(form.properties.into_iter().map(member).collect())
    }

    /// The patch of a form, and the form.
    pub(crate) fn patch_of<T: ToSchema + 'static>(&mut self) -> Named {
        self.of::<T>();
        self.of::<Patch<T>>()
    }

    /// The page of a list, named after its rows.
    pub(crate) fn page_of<T: ToSchema + 'static>(&mut self) -> Named {
        let row = self.of::<T>();
        let info = match self.of::<fairlead_application::PageInfo>() {
            RefOr::Ref(reference) => {
                RefBuilder::from(reference).description(Some("How to go on after this page.")).into()
            }
            schema @ RefOr::T(_) => schema,
        };
        let name = format!("{}Page", row_of::<T>());
        self.insert(name, move || {
            let rows =
                ArrayBuilder::new().items(row).max_items(Some(MAX_PAGE)).description(Some("The rows."));
            let page = ObjectBuilder::new()
                .schema_type(Type::Object)
                .description(Some("One page of a list."))
                .property("data", rows)
                .property("page", info)
                .required("data")
                .required("page");
            page.into()
        })
    }

    /// A record that is read alone, with the relations that its list may include. It is named after the operation that
    /// reads it, since a view may be read from several lists: `get_pool_customer` as `PoolCustomerWithRelations`.
    pub(crate) fn related_of<T: ToSchema + 'static>(
        &mut self,
        operation: &str,
        listing: &'static Listing,
    ) -> Named {
        let view = self.of::<T>();
        let parts = [
            (WithOwner::WORDS, self.of::<WithOwner>()),
            (WithCustomer::WORDS, self.of::<WithCustomer>()),
            (WithContract::WORDS, self.of::<WithContract>()),
            (WithOpportunity::WORDS, self.of::<WithOpportunity>()),
            (WithPrimaryContact::WORDS, self.of::<WithPrimaryContact>()),
        ];
        let name = camel(operation.strip_prefix("get_").unwrap_or(operation)) + RELATED;
        self.insert(name, move || {
            let about = "A record, with the related ones that were asked to be included.";
            let whole = AllOfBuilder::new().item(view).description(Some(about));
            let relations = parts.into_iter().filter(|(words, _)| listing.includes.contains(words));
            relations.fold(whole, |whole, (_, part)| whole.item(part)).into()
        })
    }

    /// A schema of this name.
    pub(super) fn insert(
        &mut self,
        name: String,
        write: impl FnOnce() -> RefOr<Schema> + Send + 'static,
    ) -> Named {
        let named = reference(&name);
        self.steps.push(Box::new(move |written| written.insert(name, write())));
        named
    }

    /// All of them, and the names that clash.
    pub(crate) fn into_parts(self) -> (BTreeMap<String, RefOr<Schema>>, Vec<String>) {
        let mut written = Written::default();
        for step in self.steps {
            step(&mut written);
        }
        (written.named, written.collisions)
    }
}

/// What the rows of a list are called, without saying that they are rows.
pub(super) fn row_of<T: ToSchema>() -> String {
    let of = T::name();
    of.strip_suffix("Summary").unwrap_or(&of).to_owned()
}

/// `credit_note` as `CreditNote`.
pub(super) fn camel(words: &str) -> String {
    words.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn reference(name: &str) -> Named {
    Ref::from_schema_name(name).into()
}

#[cfg(test)]
mod tests {
    use fairlead_domain::lead::LeadDetails;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::tidy::tidy;

    mod one {
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        pub(super) struct Thing {
            a: i64,
        }
    }
    mod two {
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        pub(super) struct Thing {
            b: i64,
        }
    }

    #[test]
    fn two_types_of_one_name_are_noticed() {
        let mut schemas = Schemas::default();
        schemas.of::<one::Thing>();
        schemas.open_ended::<one::Thing>();
        schemas.of::<two::Thing>();
        let (_, collisions) = schemas.into_parts();
        assert_eq!(collisions, ["Thing"]);
    }

    #[test]
    fn a_patch_requires_nothing() {
        let mut schemas = Schemas::default();
        schemas.patch_of::<LeadDetails>();
        let (named, _) = schemas.into_parts();
        let patch: Value = serde_json::to_value(&named["LeadPatch"]).unwrap();
        assert_eq!(patch.get("required"), None);
        assert_eq!(patch["additionalProperties"], json!(false));
        assert!(named.contains_key("LeadDetails") && named.contains_key("Money"));
    }

    #[test]
    fn a_record_alone_has_the_relations_of_its_list() {
        let mut schemas = Schemas::default();
        let listing = &fairlead_application::pool::LISTING;
        schemas.related_of::<one::Thing>("get_pool_customer", listing);
        let (mut named, _) = schemas.into_parts();
        tidy(&mut named);
        let record = serde_json::to_value(&named["PoolCustomerWithRelations"]).unwrap();
        let members: Vec<&String> = record["properties"].as_object().unwrap().keys().collect();
        assert_eq!(members, ["a", "primary_contact"]);
        // Absent where nobody asked for it.
        assert_eq!(record["required"], json!(["a"]));
    }

    #[test]
    fn a_page_names_its_rows() {
        let mut schemas = Schemas::default();
        schemas.page_of::<one::Thing>();
        let (named, _) = schemas.into_parts();
        let page = serde_json::to_value(&named["ThingPage"]).unwrap();
        assert_eq!(page["properties"]["data"]["items"]["$ref"], "#/components/schemas/Thing");
        assert_eq!(page["properties"]["page"]["$ref"], "#/components/schemas/PageInfo");
    }
}
