//! The database's schema, step by step. Each step runs on SQLite and on PostgreSQL.
//!
//! Steps only expand or only contract, so that the release before still works while one is being applied.

mod first;
mod schema;

use sea_orm_migration::prelude::*;

/// All steps in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(first::Migration)]
    }
}
