//! A virus scanner that listens to clamd's protocol: `INSTREAM` takes chunks, each behind its length, and says `OK` or
//! what it found (clamd(8)).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::StoreError;

/// How long the scanner may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const ANSWER: u64 = 4096;

/// A file on its way through the scanner.
pub(super) struct Scan(TcpStream);

fn silent(why: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("the virus scanner: {why}"))
}

async fn patiently<T>(step: impl Future<Output = std::io::Result<T>>) -> Result<T, StoreError> {
    tokio::time::timeout(PATIENCE, step).await.map_err(|_| silent("no answer in time"))?.map_err(silent)
}

impl Scan {
    /// Asks the scanner to look at a file.
    pub(super) async fn begin(address: &str) -> Result<Self, StoreError> {
        let mut connection = patiently(TcpStream::connect(address)).await?;
        patiently(connection.write_all(b"zINSTREAM\0")).await?;
        Ok(Self(connection))
    }

    /// Shows it the next bytes.
    pub(super) async fn feed(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        // An empty chunk would end the stream.
        if bytes.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(bytes.len()).map_err(silent)?;
        patiently(self.0.write_all(&length.to_be_bytes())).await?;
        patiently(self.0.write_all(bytes)).await
    }

    /// What it found in the whole; none when it is clean.
    pub(super) async fn verdict(mut self) -> Result<Option<String>, StoreError> {
        patiently(self.0.write_all(&[0; 4])).await?;
        let mut answer = Vec::new();
        patiently(self.0.take(ANSWER).read_to_end(&mut answer)).await?;
        let answer = String::from_utf8_lossy(&answer);
        let answer = answer.trim_matches(|char: char| char == '\0' || char.is_whitespace());
        let said = answer.strip_prefix("stream:").map(str::trim).unwrap_or_default();
        match said.strip_suffix("FOUND") {
            Some(name) => Ok(Some(name.trim().to_owned())),
            None if said == "OK" => Ok(None),
            None => Err(silent(format!("`{answer}`"))),
        }
    }
}
