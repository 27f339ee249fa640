//! Files that records have: in a folder, or in a bucket of anything that speaks S3. A record names its file by its id;
//! what a file is called, and who may see it, is said by the record.

mod scan;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::error::StoreError;
use scan::Scan;

/// Where files are.
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// `file:<folder>`, or `s3://<bucket>/<prefix>`.
    pub url: String,
    /// How to reach the bucket.
    pub s3: S3Config,
    /// A virus scanner that speaks clamd's protocol, as `host:port`; none to scan nothing.
    pub scanner: Option<String>,
}

impl FilesConfig {
    /// Files in a folder, which nobody scans.
    pub fn folder(path: &std::path::Path) -> Self {
        Self { url: format!("file:{}", path.display()), s3: S3Config::default(), scanner: None }
    }
}

/// How to reach a bucket. What is not said is looked for where the AWS tools do: role, then instance.
#[derive(Debug, Clone, Default)]
pub struct S3Config {
    /// The service, such as `https://minio.example.com`; Amazon's when absent.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The access key.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<SecretString>,
}

/// The files.
#[derive(Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    scanner: Option<Arc<str>>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({})", self.store)
    }
}

/// What was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// How many bytes.
    pub size: u64,
    /// The SHA-256 of them.
    pub sha256: [u8; 32],
}

/// How many of the first bytes tell what a file is.
const HEAD: usize = 8 * 1024;

impl Files {
    /// Opens the place; a folder is made when it is not there.
    pub fn open(config: &FilesConfig) -> Result<Self, StoreError> {
        let failed = |error: String| StoreError::Unavailable(format!("files: {error}"));
        let scanner = config.scanner.as_deref().map(Arc::from);
        if let Some(folder) = config.url.strip_prefix("file:") {
            std::fs::create_dir_all(folder).map_err(|error| failed(format!("{folder}: {error}")))?;
            let store =
                LocalFileSystem::new_with_prefix(folder).map_err(|error| failed(error.to_string()))?;
            return Ok(Self { store: Arc::new(store), prefix: Path::default(), scanner });
        }
        let Some(place) = config.url.strip_prefix("s3://") else {
            return Err(failed("expected `file:<folder>` or `s3://<bucket>/<prefix>`".to_owned()));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let s3 = &config.s3;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(s3.region.as_deref().unwrap_or("us-east-1"));
        if let Some(endpoint) = &s3.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let (Some(key), Some(secret)) = (&s3.access_key_id, &s3.secret_access_key) {
            builder = builder.with_access_key_id(key).with_secret_access_key(secret.expose_secret());
        }
        let store = builder.build().map_err(|error| failed(error.to_string()))?;
        Ok(Self { store: Arc::new(store), prefix: Path::from(prefix), scanner })
    }

    fn path(&self, id: Uuid) -> Path {
        self.prefix.clone().join(id.to_string())
    }

    /// Keeps a file as it arrives. `fits` judges its first bytes; what does not fit, breaks off or is infected is not
    /// kept, and why is told.
    pub async fn keep<E: From<StoreError>>(
        &self,
        id: Uuid,
        content: impl Stream<Item = Result<bytes::Bytes, E>>,
        fits: impl Fn(&[u8]) -> Result<(), E>,
        infected: impl Fn(&str) -> E,
    ) -> Result<Kept, E> {
        let mut writer = BufWriter::new(Arc::clone(&self.store), self.path(id));
        let taken = self.take(&mut writer, content, fits, infected).await;
        match taken {
            Ok(kept) => {
                writer.shutdown().await.map_err(|error| broken(&error))?;
                Ok(kept)
            }
            Err(refused) => {
                // Nothing of it shall stay; where that fails, it is swept away later.
                if let Err(error) = writer.abort().await {
                    tracing::warn!(%error, %id, "cannot give up a file that was begun");
                }
                Err(refused)
            }
        }
    }

    async fn take<E: From<StoreError>>(
        &self,
        writer: &mut BufWriter,
        content: impl Stream<Item = Result<bytes::Bytes, E>>,
        fits: impl Fn(&[u8]) -> Result<(), E>,
        infected: impl Fn(&str) -> E,
    ) -> Result<Kept, E> {
        let mut scan = match &self.scanner {
            Some(address) => Some(Scan::begin(address).await?),
            None => None,
        };
        let (mut size, mut sha256, mut head) = (0_u64, Sha256::new(), Vec::new());
        let mut judged = false;
        let mut content = std::pin::pin!(content);
        while let Some(chunk) = content.next().await {
            let chunk = chunk?;
            size += chunk.len() as u64;
            sha256.update(&chunk);
            if !judged {
                head.extend_from_slice(&chunk[..chunk.len().min(HEAD - head.len())]);
                if head.len() == HEAD {
                    fits(&head)?;
                    judged = true;
                }
            }
            if let Some(scan) = &mut scan {
                scan.feed(&chunk).await?;
            }
            writer.put(chunk).await.map_err(|error| unreachable_store(&error))?;
        }
        if !judged {
            fits(&head)?;
        }
        if let Some(scan) = scan
            && let Some(name) = scan.verdict().await?
        {
            return Err(infected(&name));
        }
        Ok(Kept { size, sha256: sha256.finalize().into() })
    }

    /// Reads a file, or a part of it.
    pub async fn read(
        &self,
        id: Uuid,
        range: Option<Range<u64>>,
    ) -> Result<impl Stream<Item = Result<bytes::Bytes, StoreError>> + use<>, StoreError> {
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let found = self.store.get_opts(&self.path(id), options).await;
        let found = found.map_err(|error| unreachable_store(&error))?;
        Ok(found.into_stream().map_err(|error| unreachable_store(&error)))
    }

    /// How long a file is; none when it is not there.
    pub async fn size(&self, id: Uuid) -> Result<Option<u64>, StoreError> {
        match self.store.head(&self.path(id)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unreachable_store(&error)),
        }
    }

    /// Removes a file, if it is there.
    pub async fn remove(&self, id: Uuid) -> Result<(), StoreError> {
        match self.store.delete(&self.path(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unreachable_store(&error)),
        }
    }
}

fn unreachable_store(error: &object_store::Error) -> StoreError {
    match error {
        object_store::Error::NotFound { .. } => {
            StoreError::Corrupt(format!("a file that a record names is not there: {error}"))
        }
        other => StoreError::Unavailable(format!("files: {other}")),
    }
}

fn broken(error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("files: {error}"))
}
