//! Who may. There are two doors and no third: [`Actor::authorize`] for one record, and
//! [`Actor::visible_scope`] for everything that looks at many.

mod actor;
mod permission;
mod role;
mod scope;
#[cfg(test)]
mod tests;

pub use actor::{Actor, Places};
pub use permission::{Permission, Share, Unowned};
pub use role::{BUILT_IN, BuiltInRole, Grant, RoleKey};
pub use scope::{Clause, Scope, ScopeFilter, Standing};
