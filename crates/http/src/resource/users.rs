//! Users.

use fairlead_application::{handover, users};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag(
        "Users",
        "The people who work with Fairlead. They are disabled, never deleted: records name them.",
    )
    .list(
        "/users",
        "list_users",
        "List users",
        "All users. Like everything that belongs to nobody but the organisation, they take the scope `all`.",
        &users::LISTING,
        users::list,
    )
    .needs(Permission::UsersRead)
    .create(
        "/users",
        "create_user",
        "Add a user",
        "With an address that no other user has, one or more roles, and a first password.",
        users::create,
    )
    .needs(Permission::UsersManage)
    .refuses(&[Code::Duplicate, Code::UnknownReference])
    .get(
        "/users/{id}",
        "get_user",
        "Get a user",
        "One user. Everybody may read their own, without the permission.",
        users::get,
    )
    .needs(Permission::UsersRead)
    .patch(
        "/users/{id}",
        "update_user",
        "Change a user",
        "A change of team or roles takes effect at once. Somebody must remain who can manage users.",
        users::update,
    )
    .needs(Permission::UsersManage)
    .refuses(&[Code::Duplicate, Code::UnknownReference, Code::LastAdministrator])
    .act_with(
        "/users/{id}/disable",
        "disable_user",
        "Disable a user",
        "Ends their sessions and refuses their tokens at once. Somebody must remain who can manage users. Whoever owns \
         records hands them over with it, or they are said to be kept for now.",
        users::disable,
    )
    .needs(Permission::UsersManage)
    .refuses(&[
        Code::LastAdministrator,
        Code::HandOverNeeded,
        Code::SuccessorNeeded,
        Code::UnknownReference,
        Code::SeparationOfDuties,
        Code::OwnerNotEligible,
        Code::AlreadyOwner,
        Code::TransferObstructed,
    ])
    .act("/users/{id}/enable", "enable_user", "Enable a user", "They may log in again.", users::enable)
    .needs(Permission::UsersManage)
    .act_with(
        "/users/{id}/set-password",
        "set_user_password",
        "Set a user's password",
        "Ends their sessions.",
        users::set_password,
    )
    .needs(Permission::UsersManage)
    .look(
        "/users/{id}/holdings",
        "get_user_holdings",
        "Get how much a user owns",
        "What disabling them would leave behind: open leads, customers, open opportunities, contracts that are not over.",
        handover::holdings,
    )
    .needs(Permission::UsersRead)
    .batch_of(
        "/users/{id}/hand-over",
        "hand_over_user",
        "Hand over what a user owns",
        "Everything that is not closed goes to a successor, or customers without open business and leads to their pools \
         and the rest to the successor; all or nothing. For users who are disabled; for others, a dry run tells what \
         would go where.",
        handover::hand_over,
    )
    .needs(Permission::UsersManage)
    .refuses(&[
        Code::UnknownReference,
        Code::SeparationOfDuties,
        Code::OwnerNotEligible,
        Code::AlreadyOwner,
        Code::InvalidTransition,
        Code::TransferObstructed,
    ]);
}
