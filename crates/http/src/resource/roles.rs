//! Roles (角色).

use fairlead_application::roles;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Roles", "Named sets of permissions with their scopes (角色).")
        .list("/roles", "list_roles", "List roles", "Built-in roles and others.", &roles::LISTING, roles::list)
        .needs(Permission::RolesRead)
        .create(
            "/roles",
            "create_role",
            "Make a role",
            "Under a key that no other role has.",
            roles::create,
        )
        .needs(Permission::RolesManage)
        .refuses(&[Code::Duplicate])
        .get("/roles/{id}", "get_role", "Get a role", "One role.", roles::get)
        .needs(Permission::RolesRead)
        .patch(
            "/roles/{id}",
            "update_role",
            "Change a role",
            "Built-in roles cannot be changed: copy them. A change takes effect at once. Somebody must remain \
             who can manage users.",
            roles::update,
        )
        .needs(Permission::RolesManage)
        .refuses(&[Code::BuiltInRole, Code::Duplicate, Code::InUse, Code::LastAdministrator])
        .delete(
            "/roles/{id}",
            "delete_role",
            "Delete a role",
            "Only when no user has it, no approval flow names it and no request waits for it.",
            roles::delete,
        )
        .needs(Permission::RolesManage)
        .refuses(&[Code::BuiltInRole, Code::InUse]);
}
