use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// A place for files that speaks S3, as far as objects are put, read and deleted.
#[derive(Clone)]
pub struct Bucket {
    endpoint: String,
    inner: web::Data<Inner>,
}

#[derive(Default)]
struct Inner {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    signed: Mutex<Vec<String>>,
    /// How often it was asked how long an object is.
    measured: AtomicUsize,
    /// Whether whoever asks that waits.
    slow: AtomicBool,
}

impl Bucket {
    /// Begins to listen.
    pub fn start() -> Self {
        let inner = web::Data::new(Inner::default());
        let (address, addressed) = std::sync::mpsc::channel();
        let shared = inner.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(shared.clone()).default_service(web::to(serve));
                let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
                address.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        Self { endpoint: format!("http://{}", addressed.recv().unwrap()), inner }
    }

    /// The settings of a server that keeps its files here.
    pub fn settings(&self) -> [(&str, &str); 4] {
        [
            ("FAIRLEAD_FILES__URL", "s3://crm/attachments"),
            ("FAIRLEAD_FILES__S3_ENDPOINT", self.endpoint.as_str()),
            ("FAIRLEAD_FILES__S3_ACCESS_KEY_ID", "harbour"),
            ("FAIRLEAD_FILES__S3_SECRET_ACCESS_KEY", "a-secret"),
        ]
    }

    /// The objects that it holds.
    pub fn held(&self) -> Vec<String> {
        self.inner.objects.lock().unwrap().keys().cloned().collect()
    }

    /// Loses every object.
    pub fn lose(&self) {
        self.inner.objects.lock().unwrap().clear();
    }

    /// What requests were signed with.
    pub fn signed(&self) -> Vec<String> {
        self.inner.signed.lock().unwrap().clone()
    }

    /// Lets whoever asks how long an object is wait, or wait no longer.
    pub fn be_slow(&self, slow: bool) {
        self.inner.slow.store(slow, Ordering::SeqCst);
    }

    /// How often it was asked how long an object is.
    pub fn measured(&self) -> usize {
        self.inner.measured.load(Ordering::SeqCst)
    }
}

async fn serve(bucket: web::Data<Inner>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let signature = request.headers().get("authorization").map(|it| it.to_str().unwrap().to_owned());
    bucket.signed.lock().unwrap().push(signature.unwrap_or_default());
    let key = request.path().trim_start_matches('/').to_owned();
    let (get, head) = (request.method() == Method::GET, request.method() == Method::HEAD);
    if head {
        bucket.measured.fetch_add(1, Ordering::SeqCst);
        while bucket.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let mut objects = bucket.objects.lock().unwrap();
    if request.method() == Method::PUT {
        objects.insert(key, body.to_vec());
        return HttpResponse::Ok().insert_header(("etag", "\"1\"")).finish();
    }
    if request.method() == Method::DELETE || request.query_string().contains("delete") {
        objects.retain(|name, _| {
            *name != key && !String::from_utf8_lossy(&body).contains(name.split('/').next_back().unwrap())
        });
        return HttpResponse::Ok().body("<DeleteResult></DeleteResult>");
    }
    let Some(object) = objects.get(&key).filter(|_| get || head) else {
        return HttpResponse::NotFound().finish();
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header(("etag", "\"1\""))
        .insert_header(("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT"));
    let range = request.headers().get("range").map(|it| it.to_str().unwrap().to_owned());
    let Some(range) = range else { return response.body(object.clone()) };
    let (from, to) = range.trim_start_matches("bytes=").split_once('-').unwrap();
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    HttpResponse::PartialContent()
        .insert_header(("etag", "\"1\""))
        .insert_header(("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT"))
        .insert_header(("content-range", format!("bytes {from}-{to}/{}", object.len())))
        .body(object[from..=to].to_vec())
}
