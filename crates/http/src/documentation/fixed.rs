//! What stays as it is while the server runs: written once, compressed once in each encoding, and known by a tag.

use std::io::{Result, Write as _};
use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding, ETAG};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use fairlead_domain::error::{Code, Refusal};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::middleware::encoding;
use crate::problem;
use crate::request::condition;

/// How hard brotli tries: as small as gzip makes it at its best, and sooner. It is done while somebody waits.
const QUALITY: i32 = 5;

/// A document that stays as it is while the server runs. It is written when it is first asked for: writing the
/// specification takes longer than all else that a server does before it listens. Neither that nor packing keeps
/// others waiting who want something else: both have a thread of their own.
pub(super) struct Fixed {
    kind: String,
    write: Arc<Write>,
    written: OnceCell<(Bytes, String)>,
    packed: Packed,
}

/// What writes a document.
type Write = dyn Fn() -> Bytes + Send + Sync;

/// What packs a document.
type Pack = fn(&[u8]) -> Result<Vec<u8>>;

/// The same in each encoding, once somebody has taken it in that.
#[derive(Default)]
struct Packed {
    brotli: OnceCell<Bytes>,
    deflate: OnceCell<Bytes>,
    gzip: OnceCell<Bytes>,
    zstd: OnceCell<Bytes>,
}

impl Fixed {
    pub(super) fn new(
        kind: impl Into<String>,
        write: impl Fn() -> Bytes + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (written, packed) = (OnceCell::new(), Packed::default());
        Arc::new(Self { kind: kind.into(), write: Arc::new(write), written, packed })
    }

    /// Whoever has it already is told so.
    pub(super) async fn answer(&self, request: &HttpRequest) -> HttpResponse {
        match self.found(request).await {
            Ok(response) => response,
            Err(error) => problem::answer(Refusal::new(Code::Internal, error.to_string()).into(), request),
        }
    }

    async fn found(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let (text, tag) = self.written().await?;
        // A page has no refusals: what says no tag is passed over.
        let known = condition::not_modified(request.headers(), tag).unwrap_or_default();
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // Weak, because the same text goes out compressed as well, in other bytes.
        response.insert_header((ETAG, format!("W/{tag}"))).insert_header((CACHE_CONTROL, "no-cache"));
        if known {
            return Ok(response.finish());
        }
        response.insert_header((CONTENT_TYPE, self.kind.as_str()));
        let wanted = encoding(request);
        Ok(match self.packed(wanted, text).await? {
            // What is encoded already, what compresses leaves alone.
            Some(packed) => response.insert_header(wanted).body(packed),
            None => response.body(text.clone()),
        })
    }

    /// The text, and the tag that it is known by.
    async fn written(&self) -> Result<&(Bytes, String)> {
        let write = async || {
            let write = Arc::clone(&self.write);
            apart(move || {
                let text = write();
                let tag = Sha256::digest(&text)
                    .iter()
                    .fold(String::new(), |tag, byte| tag + &format!("{byte:02x}"));
                Ok((text, format!("\"{tag}\"")))
            })
            .await
        };
        self.written.get_or_try_init(write).await
    }

    /// It in an encoding. Pictures are packed already.
    async fn packed(&self, wanted: ContentEncoding, text: &Bytes) -> Result<Option<Bytes>> {
        if self.kind.starts_with("image/") {
            return Ok(None);
        }
        let (place, pack) = match wanted {
            ContentEncoding::Brotli => (&self.packed.brotli, to_brotli as Pack),
            ContentEncoding::Deflate => (&self.packed.deflate, to_deflate as Pack),
            ContentEncoding::Gzip => (&self.packed.gzip, to_gzip as Pack),
            ContentEncoding::Zstd => (&self.packed.zstd, to_zstd as Pack),
            _ => return Ok(None),
        };
        let packed = place.get_or_try_init(async || {
            let text = text.clone();
            apart(move || Ok(Bytes::from(pack(&text)?))).await
        });
        Ok(Some(packed.await?.clone()))
    }
}

/// Does what takes long on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

fn to_brotli(text: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: QUALITY, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*text, &mut packed, &parameters)?;
    Ok(packed)
}

/// What HTTP calls so is zlib's format (RFC 9110, section 8.4.1.2).
fn to_deflate(text: &[u8]) -> Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text)?;
    packed.finish()
}

fn to_gzip(text: &[u8]) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text)?;
    packed.finish()
}

fn to_zstd(text: &[u8]) -> Result<Vec<u8>> {
    zstd::encode_all(text, zstd::DEFAULT_COMPRESSION_LEVEL)
}
