//! Lists: what may be asked ([`listing`]), what may be seen ([`predicate`]), and how both become SQL.

pub mod cursor;
pub mod groups;
pub mod list;
pub mod listing;
pub mod predicate;
