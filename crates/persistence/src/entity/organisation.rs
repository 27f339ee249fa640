use fairlead_domain::organisation::{Role, RoleDetails, Team, TeamDetails, User, UserDetails};
use fairlead_domain::pool::{Pool, PoolDetails};
use fairlead_domain::settings::Settings;
use fairlead_domain::target::{Target, TargetDetails};

use crate::member::members;
use crate::stored::stored;

members!(TeamDetails { name, parent_id });
stored!(Team, "teams" { id, details, version, created_at, updated_at });

members!(RoleDetails { key, name, description, grants });
stored!(Role, "roles" { id, details, built_in, version, created_at, updated_at });

members!(UserDetails { email, display_name, team_id, roles, locale });
stored!(User, "users" { id, details, status, version, created_at, updated_at }
    derived { "email_key" = |user| Some(user.details.email.normalised()) });

stored!(Settings, "settings" { id, details, version, created_at, updated_at });

members!(PoolDetails {
    name,
    description,
    is_default,
    regions,
    member_team_ids,
    member_ids,
    manager_ids,
    rules,
});
stored!(Pool, "pools" { id, details, version, created_at, updated_at });

members!(TargetDetails { owner_id, team_id, month, measure, amount });
stored!(Target, "targets" { id, details, created_by, version, created_at, updated_at });
