//! Records that were merged into others: where they went.

use std::collections::HashMap;

use fairlead_domain::record::RecordKind;
use fairlead_domain::values::CustomerId;
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::only;
use crate::query::predicate::Predicate;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::sync::Watched;
use crate::work::Work;

impl Reader<'_> {
    /// The record into which another one was merged.
    pub async fn survivor(&self, kind: RecordKind, id: Uuid) -> Result<Option<Uuid>, StoreError> {
        let find = |sql: &mut Sql| {
            sql.push("survivor_id FROM merges WHERE loser_id = ").bind(id);
            sql.push(" AND record_kind = ").bind(kind.as_str());
            Ok(())
        };
        Ok(self.rows(find, only::<Uuid>).await?.into_iter().next())
    }

    /// Which of these records were merged into others that can be seen now, and into which: one statement, whatever
    /// their number.
    pub async fn survivors(
        &self,
        watched: &Watched,
        losers: &[Uuid],
    ) -> Result<HashMap<Uuid, Uuid>, StoreError> {
        if losers.is_empty() {
            return Ok(HashMap::new());
        }
        let seen = Predicate::Each("merges.survivor_id", watched.table, Box::new(watched.visible.clone()));
        let find = |sql: &mut Sql| {
            sql.push("loser_id, survivor_id FROM merges WHERE loser_id IN (");
            sql.bind_list(losers.iter().copied());
            sql.push(") AND record_kind = ").bind(watched.kind.as_str()).push(" AND ");
            seen.write(sql);
            Ok(())
        };
        let found: Vec<(Uuid, Uuid)> = self.rows(find, |row| Ok((row.column()?, row.column()?))).await?;
        Ok(found.into_iter().collect())
    }
}

impl Work {
    /// The record into which another one was merged.
    pub async fn survivor(&self, kind: RecordKind, id: Uuid) -> Result<Option<Uuid>, StoreError> {
        let text = "SELECT survivor_id FROM merges WHERE loser_id = $1 AND record_kind = $2";
        self.first(text, vec![id.into(), kind.as_str().into()], only::<Uuid>).await
    }

    /// Notes that a record was merged into another one, and with it all that had been merged into it.
    pub async fn note_merge(&self, kind: RecordKind, loser: Uuid, survivor: Uuid) -> Result<(), StoreError> {
        let text = "UPDATE merges SET survivor_id = $2 WHERE survivor_id = $1";
        self.execute(text, vec![loser.into(), survivor.into()]).await?;
        let text =
            "INSERT INTO merges (loser_id, record_kind, survivor_id, merged_at) VALUES ($1, $2, $3, $4)";
        let now = self.now().instant();
        self.execute(text, vec![loser.into(), kind.as_str().into(), survivor.into(), now.into()]).await?;
        Ok(())
    }

    /// Forgets what was merged into a record that is about to be deleted: the old ids lead nowhere then.
    pub async fn forget_merges(&self, survivor: Uuid) -> Result<(), StoreError> {
        self.execute("DELETE FROM merges WHERE survivor_id = $1", vec![survivor.into()]).await?;
        Ok(())
    }

    /// Lets what happened to one customer be part of another one's timeline.
    pub async fn join_timelines(&self, loser: CustomerId, survivor: CustomerId) -> Result<(), StoreError> {
        let text = "INSERT INTO timeline (customer_id, sequence) \
                    SELECT $2, sequence FROM timeline WHERE customer_id = $1 \
                    ON CONFLICT (customer_id, sequence) DO NOTHING";
        // PostgreSQL must be told the type of a value that is selected.
        let typed = text.replace("$2, sequence", "CAST($2 AS UUID), sequence");
        let text = if self.is_postgres() { &typed } else { text };
        self.execute(text, vec![loser.0.into(), survivor.0.into()]).await?;
        Ok(())
    }
}
