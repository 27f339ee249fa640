//! What stays as it is while the server runs: written once, compressed once in each encoding, and known by a tag.

use std::io::{Result, Write as _};
use std::sync::{Arc, LazyLock, OnceLock};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding, ETAG};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::middleware::encoding;
use crate::request::condition;

/// How hard brotli tries: as small as gzip makes it at its best, and sooner. It is done while somebody waits.
const QUALITY: i32 = 5;

/// A document that stays as it is while the server runs. It is written when it is first asked for: writing the
/// specification takes longer than all else that a server does before it listens.
pub(super) struct Fixed {
    kind: String,
    written: LazyLock<(Bytes, String), Write>,
    packed: Packed,
}

/// What writes a document and the tag that it is known by.
type Write = Box<dyn FnOnce() -> (Bytes, String) + Send>;

/// What packs a document.
type Pack = fn(&[u8]) -> Result<Vec<u8>>;

/// The same in each encoding, once somebody has taken it in that. None where it cannot be.
#[derive(Default)]
struct Packed {
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
    zstd: OnceLock<Option<Bytes>>,
}

impl Fixed {
    pub(super) fn new(kind: impl Into<String>, write: impl FnOnce() -> Bytes + Send + 'static) -> Arc<Self> {
        let written = LazyLock::new(Box::new(|| {
            let text = write();
            let tag =
                Sha256::digest(&text).iter().fold(String::new(), |tag, byte| tag + &format!("{byte:02x}"));
            (text, format!("\"{tag}\""))
        }) as Write);
        Arc::new(Self { kind: kind.into(), written, packed: Packed::default() })
    }

    /// Whoever has it already is told so.
    pub(super) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let (text, tag) = &*self.written;
        // A page has no refusals: what says no tag is passed over.
        let known = condition::not_modified(request.headers(), tag).unwrap_or_default();
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // Weak, because the same text goes out compressed as well, in other bytes.
        response.insert_header((ETAG, format!("W/{tag}"))).insert_header((CACHE_CONTROL, "no-cache"));
        if known {
            return response.finish();
        }
        response.insert_header((CONTENT_TYPE, self.kind.as_str()));
        let wanted = encoding(request);
        match self.packed(wanted, text) {
            // What is encoded already, what compresses leaves alone.
            Some(packed) => response.insert_header(wanted).body(packed.clone()),
            None => response.body(text.clone()),
        }
    }

    /// It in an encoding. Pictures are packed already, and hardly anybody takes the others.
    fn packed(&self, wanted: ContentEncoding, text: &Bytes) -> Option<&Bytes> {
        if self.kind.starts_with("image/") {
            return None;
        }
        let (place, pack) = match wanted {
            ContentEncoding::Brotli => (&self.packed.brotli, to_brotli as Pack),
            ContentEncoding::Gzip => (&self.packed.gzip, to_gzip as Pack),
            ContentEncoding::Zstd => (&self.packed.zstd, to_zstd as Pack),
            _ => return None,
        };
        place.get_or_init(|| pack(text).ok().map(Bytes::from)).as_ref()
    }
}

fn to_brotli(text: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: QUALITY, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*text, &mut packed, &parameters)?;
    Ok(packed)
}

fn to_gzip(text: &[u8]) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text)?;
    packed.finish()
}

fn to_zstd(text: &[u8]) -> Result<Vec<u8>> {
    zstd::encode_all(text, zstd::DEFAULT_COMPRESSION_LEVEL)
}
