//! The database's schema, step by step. Each step runs on SQLite and on PostgreSQL.
//!
//! Steps only expand or only contract, so that the release before still works while one is being applied.

mod run;

use sea_orm_migration::prelude::*;

/// All steps in order.
#[derive(Debug)]
pub struct Migrator;

/// The steps by name. A step that was released is never edited: what changes is a new one.
const STEPS: &[Step] = &[
    Step { name: "m0001_access", text: include_str!("schema/01_access.sql") },
    Step { name: "m0002_customers", text: include_str!("schema/02_customers.sql") },
    Step { name: "m0003_sales", text: include_str!("schema/03_sales.sql") },
    Step { name: "m0004_money", text: include_str!("schema/04_money.sql") },
    Step { name: "m0005_approvals", text: include_str!("schema/05_approvals.sql") },
    Step { name: "m0006_traces", text: include_str!("schema/06_traces.sql") },
    Step { name: "m0007_jobs", text: include_str!("schema/07_jobs.sql") },
    Step { name: "m0008_search", text: include_str!("schema/08_search.sql") },
    Step { name: "m0009_sync", text: include_str!("schema/09_sync.sql") },
    Step { name: "m0010_webhooks", text: include_str!("schema/10_webhooks.sql") },
];

#[derive(Debug, Clone, Copy)]
struct Step {
    name: &'static str,
    text: &'static str,
}

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run::run(manager, self.text).await
    }
}

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS.iter().map(|step| -> Box<dyn MigrationTrait> { Box::new(*step) }).collect()
    }
}
