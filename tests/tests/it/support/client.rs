use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Somebody who talks to a server. Paths are below `/api/v1` unless they say otherwise (`get_root`).
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// The server's address.
    pub url: String,
    /// The access token, if logged in.
    pub token: Option<String>,
    /// The refresh token, if logged in.
    pub refresh_token: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` when there was none or it was not JSON.
    pub body: Value,
    pub text: String,
    /// The request, for messages.
    pub request: String,
}

impl Client {
    pub fn new(url: &str) -> Self {
        Self::with(Self::http(), url)
    }

    /// A client that sends with this one.
    pub fn with(http: reqwest::Client, url: &str) -> Self {
        Self { http, url: url.to_owned(), token: None, refresh_token: None }
    }

    /// What sends requests, and keeps connections for the next ones.
    pub fn http() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    /// The same client, logged in.
    pub async fn login(mut self, email: &str, password: &str) -> Self {
        let pair = self.post("/auth/login", json!({"email": email, "password": password})).await.expect(200);
        self.token = pair.body["access_token"].as_str().map(str::to_owned);
        self.refresh_token = pair.body["refresh_token"].as_str().map(str::to_owned);
        self
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client, which is led nowhere.
    pub fn that_stays(&self) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { http, ..self.clone() }
    }

    /// The same client on another address, after the server was started again.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// A request to be sent with [`Client::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.root(method, &format!("/api/v1{path}"))
    }

    /// A request to a path that is not below `/api/v1`.
    pub fn root(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// Sends a request that may fail to get an answer at all.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let request = request.build()?;
        let line = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body, text, request: line })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get_root(&self, path: &str) -> Answer {
        self.send(self.root(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// A transition without a body.
    pub async fn act(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    /// A `POST` with an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
    }

    /// A `PATCH` of whatever version is there.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.patch_if(path, "*", body).await
    }

    pub async fn patch_if(&self, path: &str, if_match: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).header("if-match", if_match).json(&body)).await
    }

    /// A `DELETE` of whatever version is there.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).header("if-match", "*")).await
    }

    /// Every row of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.get(&next).await.expect(200);
            rows.extend(page.body["data"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page.body["page"]["next_cursor"].as_str() else { return rows };
            next = format!("{path}{}cursor={cursor}", if path.contains('?') { '&' } else { '?' });
        }
    }
}

impl Answer {
    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}: {}", self.request, self.status, self.text);
        self
    }

    /// Fails unless it is a problem with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.body["code"], code, "{} answered {}", answer.request, answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.request);
        answer
    }

    /// The record's id.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text_of("id")
    }

    /// A member that is a string.
    #[track_caller]
    pub fn text_of(&self, member: &str) -> String {
        let value = self.body[member].as_str();
        value.unwrap_or_else(|| panic!("{} has no {member}: {}", self.request, self.text)).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
