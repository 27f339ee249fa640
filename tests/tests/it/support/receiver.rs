use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A message that a receiver got.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its headers, in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body as it came.
    pub text: String,
    /// Its body.
    pub body: Value,
}

impl Message {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("{name} is missing: {self:?}"), |(_, value)| value.as_str())
    }

    /// What happened.
    pub fn event(&self) -> &str {
        self.body["type"].as_str().unwrap()
    }

    /// To which record.
    pub fn record(&self) -> &str {
        self.body["data"]["record_id"].as_str().unwrap_or_default()
    }
}

/// A program that webhooks tell of what happens.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    got: Vec<Message>,
    /// What it answers next; 204 when nothing is said.
    answers: VecDeque<u16>,
    /// What it answers when nothing is said for the next.
    usual: Option<u16>,
    /// How many of a hundred it answers with 500.
    failing: u32,
}

impl Receiver {
    /// Begins to listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let inner = Arc::<Mutex<Inner>>::default();
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &shared).await });
            }
        });
        Self { url, inner }
    }

    /// What it answers next, one after the other. 0 is no answer at all.
    pub fn answer(&self, answers: &[u16]) {
        self.inner.lock().unwrap().answers.extend(answers);
    }

    /// What it answers from now on.
    pub fn usually(&self, status: u16) {
        self.inner.lock().unwrap().usual = Some(status);
    }

    /// How many of a hundred messages it does not take from now on.
    pub fn fails(&self, of_hundred: u32) {
        self.inner.lock().unwrap().failing = of_hundred;
    }

    /// Everything that it got.
    pub fn got(&self) -> Vec<Message> {
        self.inner.lock().unwrap().got.clone()
    }

    /// Waits until it has got so many messages.
    pub async fn wait_for(&self, count: usize) -> Vec<Message> {
        super::until("messages", async || Some(self.got()).filter(|got| got.len() >= count)).await
    }

    /// Waits long enough for something to come that is not to come.
    pub async fn rest(&self) -> Vec<Message> {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        self.got()
    }
}

async fn serve(mut stream: TcpStream, inner: &Mutex<Inner>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let head = head.to_owned();
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            break (head, length.unwrap_or(0_usize));
        }
    };
    let begin = head.len() + 4;
    while bytes.len() < begin + length {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
    let text = String::from_utf8(bytes[begin..begin + length].to_vec()).unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let message = Message {
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: serde_json::from_str(&text).unwrap(),
        text,
    };
    let status = {
        let mut inner = inner.lock().unwrap();
        inner.got.push(message);
        let fails = rand::random_range(0..100) < inner.failing;
        let usual = if fails { 500 } else { inner.usual.unwrap_or(204) };
        inner.answers.pop_front().unwrap_or(usual)
    };
    if status == 0 {
        tokio::time::sleep(Duration::from_mins(5)).await;
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    let answer =
        if status == 204 { answer.replace("content-length: 2\r\n", "").replace("ok", "") } else { answer };
    let _ = stream.write_all(answer.as_bytes()).await;
}
