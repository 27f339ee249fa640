//! The directory (通讯录): users as everybody who has logged in may know them.

use fairlead_domain::organisation::{User, UserStatus};
use fairlead_domain::person::Person;
use fairlead_domain::values::UserId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read};
use crate::change::there;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, words};

/// What the directory can be asked: nothing but what it shows, since a filter or an order tells what it goes by.
pub static LISTING: Listing = Listing {
    resource: "people",
    fields: &[
        Field::new("id", Kind::Id),
        Field::new("display_name", Kind::Text).sortable(),
        Field::new("team_id", Kind::Id).nullable(),
        Field::new("status", words!(UserStatus)),
    ],
    search: &["display_name"],
    default_sort: "display_name",
    includes: &[],
};

/// Everybody, those who left among them.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<Person>> {
    app.read(call, async |ctx, reader| {
        let Page { data, page } = lists::lines::<User>(reader, &list, Predicate::True).await?;
        let data = data.iter().map(|user| Person::of(ctx.org, user)).collect();
        Ok(Page { data, page })
    })
    .await
}

/// One of them. They are in the snapshot, whose epoch is compared as for every other read.
pub async fn get(app: &App, call: &Call, id: UserId) -> Read<Person> {
    app.read(call, async |ctx, _| Ok(Person::of(ctx.org, there(ctx.org.user(id))?))).await
}
