//! What is to be done in the background. Whether there is anything is asked every few seconds, so these look at few
//! rows where there is nothing, whatever the database knows of its tables. Words that an index is made for stand in the
//! text: SQLite does not see that a bound value is one of them.

use fairlead_domain::job::Job;
use fairlead_domain::values::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Member, only};
use crate::reader::Reader;
use crate::sql::Sql;
use crate::stored::Kept;
use crate::work::Work;

/// The jobs that are not done, the oldest first.
fn unfinished(sql: &mut Sql) {
    sql.push(&Job::table().selection)
        .push(" FROM jobs WHERE status IN ('queued', 'running') ORDER BY created_at, id");
}

impl Work {
    /// The jobs that are not done, the oldest first.
    pub async fn unfinished_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let mut sql = Sql::new("SELECT ");
        unfinished(&mut sql);
        self.select(sql, Job::take).await
    }

    /// Notes until when the server that works on a job may be silent, unless another one took it over or it has ended.
    /// That changes nothing about the job: it has neither an event nor a version.
    pub async fn renew_lease(&self, job: &Job, until: Timestamp) -> Result<bool, StoreError> {
        let text = "UPDATE jobs SET leased_until = $3 WHERE id = $1 AND version = $2 AND status = 'running'";
        let values = vec![job.id.0.into(), job.version.into(), until.instant().into()];
        Ok(self.execute(text, values).await? == 1)
    }
}

impl Reader<'_> {
    /// The jobs that are not done, the oldest first.
    pub async fn unfinished_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let rest = |sql: &mut Sql| {
            unfinished(sql);
            Ok(())
        };
        self.rows(rest, Job::take).await
    }

    /// Whether any lead was scored by other rules than these. All were scored by the same where the first and the last
    /// of the index are the same, which takes two looks; what is not equal could only be looked for from end to end.
    pub async fn is_any_lead_outdated(&self, basis: &str) -> Result<bool, StoreError> {
        let ends = |sql: &mut Sql| {
            sql.push("(SELECT MIN(score_basis) FROM leads WHERE status <> 'converted'), ");
            sql.push("(SELECT MAX(score_basis) FROM leads WHERE status <> 'converted')");
            Ok(())
        };
        let both = self.rows(ends, |row| Ok([row.column::<Option<String>>()?, row.column()?])).await?;
        Ok(both.into_iter().flatten().flatten().any(|known| known != basis))
    }

    /// How many leads were scored by other rules than these.
    pub async fn count_outdated_leads(&self, basis: &str) -> Result<i64, StoreError> {
        let count = |sql: &mut Sql| {
            sql.push("COUNT(*)");
            outdated(sql, basis);
            Ok(())
        };
        self.number(count).await
    }

    /// The next of them behind one, in the order of their ids.
    pub async fn outdated_leads(
        &self,
        basis: &str,
        after: Option<Uuid>,
        most: u64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id");
                outdated(sql, basis);
                sql.push(" AND id > ").bind(after.unwrap_or_default());
                // As long as PostgreSQL has not noticed that the rules changed, it takes them for very few, unless it
                // sees by which rules they are not scored; and would collect and sort all of them each time.
                sql.push(&format!(" ORDER BY id LIMIT {most}")).plan_each_time();
                Ok(())
            },
            only,
        )
        .await
    }
}

fn outdated(sql: &mut Sql, basis: &str) {
    sql.push(" FROM leads WHERE status <> 'converted' AND score_basis <> ").bind(basis);
}
