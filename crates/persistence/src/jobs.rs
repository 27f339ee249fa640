//! What keeps a background job with the server that works on it.

use fairlead_domain::job::Job;
use fairlead_domain::values::Timestamp;

use crate::error::StoreError;
use crate::work::Work;

impl Work {
    /// Notes until when the server that works on a job may be silent, unless another one took it over or it has ended.
    /// That changes nothing about the job: it has neither an event nor a version.
    pub async fn renew_lease(&self, job: &Job, until: Timestamp) -> Result<bool, StoreError> {
        let text = "UPDATE jobs SET leased_until = $3 WHERE id = $1 AND version = $2 AND status = 'running'";
        let values = vec![job.id.0.into(), job.version.into(), until.instant().into()];
        Ok(self.execute(text, values).await? == 1)
    }
}
