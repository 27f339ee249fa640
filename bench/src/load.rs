//! The load: connections that each send a request, read its answer, and send the next.
//!
//! HTTP/1.1 by hand: only what both sides here speak, so that the generator takes little of the processor that it
//! shares with the server.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request; answers with the status, and keeps the answer in the buffer. The number is where the body
    /// begins.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut searched = 0;
        let head = loop {
            self.more().await?;
            if let Some(at) = find(&self.buffer[searched..], b"\r\n\r\n") {
                break searched + at + 4;
            }
            searched = self.buffer.len().saturating_sub(3);
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status = text.get(9..12).context("no status")?.parse()?;
        let length = text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, length)| length.parse::<usize>())?;
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        ensure!(self.buffer.len() == head + length, "an answer is longer than it says");
        Ok((status, head))
    }

    async fn more(&mut self) -> Result<()> {
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed a connection");
        Ok(())
    }

    /// Sends a request and reads the answer as JSON. Any other status than the expected one is an error.
    pub(crate) async fn json(&mut self, request: &[u8], expected: u16) -> Result<Value> {
        let (status, body) = self.exchange(request).await?;
        let body = &self.buffer[body..];
        if status != expected {
            bail!("{expected} was expected, not {status}: {}", String::from_utf8_lossy(body));
        }
        Ok(serde_json::from_slice(body)?)
    }

    /// Sends a request; answers with the size of the answer's body.
    pub(crate) async fn size(&mut self, request: &[u8], expected: u16) -> Result<usize> {
        let (status, body) = self.exchange(request).await?;
        ensure!(status == expected, "{expected} was expected, not {status}");
        Ok(self.buffer.len() - body)
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// A request as it goes over the wire.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    if let Some(token) = token {
        text.push_str("Authorization: Bearer ");
        text.push_str(token);
        text.push_str("\r\n");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        text.push_str("Content-Type: application/json\r\n");
    }
    // Nobody else changes what is changed here.
    if method == "PATCH" {
        text.push_str("If-Match: *\r\n");
    }
    if method != "GET" {
        text.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    text.push_str("\r\n");
    text.push_str(&body);
    text.into_bytes()
}

/// What one round of load gave.
#[derive(Default)]
pub(crate) struct Round {
    /// How long each answer took.
    pub(crate) latencies: Vec<Duration>,
    /// How long the round was.
    pub(crate) elapsed: Duration,
}

impl Round {
    /// Answers per second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// When a round ends: after this time, or after so many requests where they are limited.
#[derive(Clone, Copy)]
pub(crate) struct Length {
    pub(crate) time: Duration,
    pub(crate) requests: usize,
}

/// Loads a server. `next` makes the next request of the connection with this number, or none when there is nothing
/// more to ask for. Any other status than the expected one is an error: a figure of failures would be none.
pub(crate) async fn round(
    address: &str,
    connections: usize,
    length: Length,
    expected: u16,
    next: impl Fn(usize) -> Option<Vec<u8>>,
) -> Result<Round> {
    let open = (0..connections).map(|_| Connection::open(address));
    let opened = try_join_all(open).await?;
    let begun = Instant::now();
    let end = begun + length.time;
    let left = Cell::new(length.requests);
    let running = opened.into_iter().enumerate().map(|(number, mut connection)| {
        let (next, left) = (&next, &left);
        async move {
            let mut latencies = Vec::new();
            while let Some(request) = next(number) {
                let sent = Instant::now();
                if sent >= end || left.get() == 0 {
                    break;
                }
                left.set(left.get() - 1);
                let (status, body) = connection.exchange(&request).await?;
                latencies.push(sent.elapsed());
                if status != expected {
                    let answer = String::from_utf8_lossy(&connection.buffer[body..]).into_owned();
                    bail!("{expected} was expected, not {status}: {answer}");
                }
            }
            Ok(latencies)
        }
    });
    let latencies: Vec<Duration> = try_join_all(running).await?.concat();
    ensure!(!latencies.is_empty(), "there was nothing to ask for");
    Ok(Round { latencies, elapsed: begun.elapsed() })
}
