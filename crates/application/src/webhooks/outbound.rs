//! Calls of receivers: only where a webhook may lead, never further than it says, not for long, and without believing
//! what comes back (OWASP API7 and API10:2023).

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fairlead_domain::webhook::{Answer, EXCERPT, Outcome, Target, Targets};
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

/// How long an attempt may take from beginning to end.
const LIMIT: Duration = Duration::from_secs(10);

/// Says at which addresses a name is.
pub(super) trait Names: Send + Sync + 'static {
    /// The addresses of a name.
    fn look_up(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// As the operating system has it.
struct System;

impl Names for System {
    fn look_up(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Calls receivers.
pub(crate) struct Outbound {
    /// None where there are no certificates to trust: everything else works without.
    client: Result<Client, String>,
    targets: Targets,
}

impl Outbound {
    /// Prepares to call where it is allowed.
    pub(crate) fn new(targets: Targets) -> Self {
        Self::with_names(targets, Arc::new(System))
    }

    fn with_names(targets: Targets, names: Arc<dyn Names>) -> Self {
        let client = Client::builder()
            .dns_resolver(Arc::new(Guarded { names, targets }))
            .redirect(Policy::none())
            .timeout(LIMIT)
            // Proxies would connect for us, to wherever the name leads them.
            .no_proxy()
            // Each attempt looks the name up and judges what it finds.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("Fairlead/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { client: client.map_err(|error| format!("cannot call anybody: {}", why(&error))), targets }
    }

    /// Where webhooks may lead.
    pub(crate) fn targets(&self) -> Targets {
        self.targets
    }

    /// Sends a message.
    pub(super) async fn post(&self, target: &Target, headers: HeaderMap, body: String) -> Outcome {
        let begin = Instant::now();
        let answer = self.ask(target, headers, body).await;
        let duration_ms = i64::try_from(begin.elapsed().as_millis()).unwrap_or(i64::MAX);
        Outcome { answer, duration_ms }
    }

    async fn ask(&self, target: &Target, headers: HeaderMap, body: String) -> Result<Answer, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = client
            .post(target.url().clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .headers(headers)
            .body(body);
        let response = request.send().await.map_err(|error| why(&error))?;
        let status = response.status().as_u16();
        // It has answered: that the rest did not come changes nothing.
        Ok(Answer { status, body: beginning(response).await })
    }
}

/// The beginning of a body; what follows is not read.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < EXCERPT {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(EXCERPT - body.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    body
}

/// The innermost reason: the outer ones only say that there was a request.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", LIMIT.as_secs());
    }
    let mut reason: &dyn Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}

/// Looks names up and keeps what may not be connected to. The connection is made to these very addresses, so that a
/// name cannot lead elsewhere between question and connection (DNS rebinding).
struct Guarded {
    names: Arc<dyn Names>,
    targets: Targets,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, targets) = (Arc::clone(&self.names), self.targets);
        Box::pin(async move {
            let found = names.look_up(name.as_str().to_owned()).await?;
            let admitted: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| targets.admits(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if admitted.is_empty() {
                return Err(
                    format!("{} does not lead to another machine on the internet", name.as_str()).into()
                );
            }
            let addresses: Addrs = Box::new(admitted.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers a name with one address after the other.
    struct Turning(Mutex<Vec<IpAddr>>);

    impl Names for Turning {
        fn look_up(&self, _name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
            let mut addresses = self.0.lock().unwrap();
            let next = if addresses.len() > 1 { addresses.remove(0) } else { addresses[0] };
            Box::pin(async move { Ok(vec![next]) })
        }
    }

    /// A program that answers everything alike, and counts who comes.
    async fn receiver(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut request = vec![0; 65_536];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(answer).await;
                });
            }
        });
        (port, calls)
    }

    async fn call(outbound: &Outbound, judged_by: Targets, address: &str) -> Result<Answer, String> {
        let target = judged_by.judge(address).unwrap();
        outbound.post(&target, HeaderMap::new(), "{}".to_owned()).await.answer
    }

    const LOCAL: Targets = Targets { local: true };

    #[tokio::test]
    async fn a_name_that_turns_to_this_machine_is_not_followed() {
        let (port, calls) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        // The name is judged when it is looked up, each time anew: by text it is a stranger's.
        let addresses = ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"];
        let names = Turning(Mutex::new(addresses.map(|it| it.parse().unwrap()).to_vec()));
        let outbound = Outbound::with_names(Targets::default(), Arc::new(names));
        for _ in addresses {
            let why =
                call(&outbound, Targets::default(), &format!("https://a.example:{port}")).await.unwrap_err();
            assert!(why.contains("does not lead to another machine"), "{why}");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn an_answer_that_leads_elsewhere_is_an_answer() {
        let (inside, calls) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let answer = format!(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{inside}/\r\ncontent-length: 0\r\n\r\n"
        );
        let (port, _) = receiver(Box::leak(answer.into_bytes().into_boxed_slice())).await;
        let outbound = Outbound::new(LOCAL);
        assert_eq!(call(&outbound, LOCAL, &format!("http://127.0.0.1:{port}")).await.unwrap().status, 302);
        assert_eq!(calls.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 65_536];
            let _ = stream.read(&mut request).await;
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n";
            let _ = stream.write_all(head).await;
            let block = vec![b'x'; 65_536];
            for _ in 0..1600 {
                if stream.write_all(&block).await.is_err() {
                    break;
                }
                counted.fetch_add(block.len(), Ordering::SeqCst);
            }
        });
        let outbound = Outbound::new(LOCAL);
        let answer = call(&outbound, LOCAL, &format!("http://127.0.0.1:{port}")).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, EXCERPT));
        server.await.unwrap();
        // What the sockets hold has left the sender; 100 MB has not.
        assert!(sent.load(Ordering::SeqCst) < 20_000_000, "{}", sent.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn whoever_is_not_there_is_told_so_in_words() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let outbound = Outbound::new(LOCAL);
        let why = call(&outbound, LOCAL, &format!("http://127.0.0.1:{port}")).await.unwrap_err();
        assert!(why.contains("refused"), "{why}");
    }
}
