//! Attachments of contracts (合同附件): what they may be, and who may add and take them away.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::context::{Context, Event};
use crate::contract::Contract;
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::text_enum;
use crate::values::{AttachmentId, ContractId, Line, Timestamp, UserId};
use crate::workflow::AllowedAction;

/// How many attachments a contract may have.
pub const MOST: usize = 100;

text_enum! {
    /// What a file is, as media types of IANA name it.
    pub enum MediaType {
        /// PDF.
        Pdf = "application/pdf" ("PDF document", "PDF 文档"),
        /// PNG.
        Png = "image/png" ("PNG image", "PNG 图片"),
        /// JPEG.
        Jpeg = "image/jpeg" ("JPEG image", "JPEG 图片"),
        /// WebP.
        Webp = "image/webp" ("WebP image", "WebP 图片"),
        /// A text document of Office Open XML.
        Docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            ("Word document", "Word 文档"),
        /// A spreadsheet of Office Open XML.
        Xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            ("Excel workbook", "Excel 表格"),
        /// A presentation of Office Open XML.
        Pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            ("PowerPoint presentation", "PowerPoint 演示文稿"),
        /// A ZIP archive.
        Zip = "application/zip" ("ZIP archive", "ZIP 压缩包"),
        /// Plain text in UTF-8.
        Text = "text/plain" ("Plain text", "纯文本"),
        /// Values in UTF-8, separated by commas.
        Csv = "text/csv" ("CSV file", "CSV 文件"),
    }
}

impl MediaType {
    /// How names of such files end, the usual one first, in lower case. Text has none that something runs: whoever opens
    /// a file that was saved goes by its name alone.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Webp => &["webp"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Zip => &["zip"],
            // Whatever else people write down has no media type of its own here.
            Self::Text => &["txt", "text", "md", "log", "csv", "tsv"],
            Self::Csv => &["csv"],
        }
    }

    /// Whether it is text, which is UTF-8 to its end.
    pub const fn is_text(self) -> bool {
        match self {
            Self::Text | Self::Csv => true,
            Self::Pdf
            | Self::Png
            | Self::Jpeg
            | Self::Webp
            | Self::Docx
            | Self::Xlsx
            | Self::Pptx
            | Self::Zip => false,
        }
    }

    /// Whether a file that begins like this may be one: what it is called tells nothing.
    pub fn agrees(self, head: &[u8]) -> bool {
        let found = infer::get(head).map(|kind| kind.mime_type());
        match self {
            Self::Pdf | Self::Png | Self::Jpeg | Self::Webp | Self::Zip => found == Some(self.as_str()),
            // They are archives, and tell what they are only as far as their first entries do.
            Self::Docx | Self::Xlsx | Self::Pptx => {
                found == Some(self.as_str()) || found == Some(Self::Zip.as_str())
            }
            Self::Text | Self::Csv => TextCheck::default().take(head).is_ok(),
        }
    }
}

/// Looks at text part by part as it arrives, to its end: whoever gets it is told that it is UTF-8, which its first bytes
/// do not tell.
#[derive(Debug, Default)]
pub struct TextCheck {
    /// The bytes of a character that the next part goes on with.
    begun: Vec<u8>,
}

impl TextCheck {
    /// Refuses a part that is no text. It may end within a character.
    pub fn take(&mut self, part: &[u8]) -> Result<(), Refusal> {
        let mut text = std::mem::take(&mut self.begun);
        text.extend_from_slice(part);
        let whole = match std::str::from_utf8(&text) {
            Ok(_) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(Self::refusal()),
        };
        if text.contains(&0) {
            return Err(Self::refusal());
        }
        self.begun = text.split_off(whole);
        Ok(())
    }

    /// Refuses text whose last character is not whole.
    pub fn end(&self) -> Result<(), Refusal> {
        if self.begun.is_empty() { Ok(()) } else { Err(Self::refusal()) }
    }

    fn refusal() -> Refusal {
        Refusal::new(Code::UnsupportedMediaType, "the content is not text in UTF-8")
    }
}

/// What came with a file.
#[derive(Debug, Clone)]
pub struct FileCard {
    name: Line,
    media_type: MediaType,
}

/// How a name ends, by which whoever opens a saved file goes: what stands behind the last dot, where it is letters or
/// letters and digits. `No. 5` and `v1.2` have none.
fn extension(name: &str) -> Option<&str> {
    // Windows leaves dots and blanks at the end out.
    let (_, end) = name.trim_end_matches(['.', ' ']).rsplit_once('.')?;
    let plain = end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && end.bytes().any(|byte| byte.is_ascii_alphabetic())).then_some(end)
}

impl FileCard {
    /// What a file is called and what it is said to be. A name is one line without the signs that make paths, and its
    /// extension, if it has one, is one of the type's.
    pub fn new(name: &str, media_type: MediaType) -> Result<Self, Refusal> {
        let refuse = |why: &str| Refusal::invalid("file_name", Rule::InvalidFileName, why);
        let name = Line::from(name.to_owned());
        if name.validate().is_err() {
            return Err(refuse("must be one line of 1 to 200 characters without control characters"));
        }
        if name.as_str().contains(['/', '\\']) || name.as_str().starts_with('.') {
            return Err(refuse("must be a name without / and \\ that does not begin with a dot"));
        }
        let extension = extension(name.as_str());
        let allowed = media_type.extensions();
        if extension.is_some_and(|it| !allowed.iter().any(|one| one.eq_ignore_ascii_case(it))) {
            let why = format!("must have no extension or one of {media_type}: {}", allowed.join(", "));
            return Err(refuse(&why).with_param("allowed", allowed));
        }
        Ok(Self { name, media_type })
    }

    /// What looks at the content to its end; none where the first bytes tell enough.
    pub fn text_check(&self) -> Option<TextCheck> {
        self.media_type.is_text().then(TextCheck::default)
    }

    /// Refuses content that begins like something else than it is said to be.
    pub fn judge(&self, head: &[u8]) -> Result<(), Refusal> {
        if head.is_empty() {
            return Err(Refusal::invalid("", Rule::EmptyFile, "must not be empty"));
        }
        if self.media_type.agrees(head) {
            return Ok(());
        }
        let detail = format!("the content is not {}, whatever it is called", self.media_type);
        Err(Refusal::new(Code::UnsupportedMediaType, detail))
    }

    /// Refuses content in which the scanner found something.
    pub fn infected(&self, found: &str) -> Refusal {
        let detail = format!("the virus scanner found {found} in {}", self.name);
        Refusal::new(Code::InfectedFile, detail).with("found", found)
    }
}

/// A file that belongs to a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// The contract.
    pub contract_id: ContractId,
    /// What it is called.
    pub file_name: Line,
    /// What it is.
    pub media_type: MediaType,
    /// How many bytes it has.
    #[schema(minimum = 1)]
    pub size: i64,
    /// The SHA-256 of its content, in hexadecimal digits.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: String,
    /// Who added it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Attachment, Attachment);

impl Attachment {
    /// Adds a file to a contract that has so many.
    pub fn new(
        ctx: &Context,
        id: AttachmentId,
        (contract, present): (&Contract, usize),
        card: FileCard,
        (size, sha256): (i64, String),
    ) -> Result<(Self, Event), Refusal> {
        contract.may_attach(ctx)?;
        if present >= MOST {
            let detail = format!("a contract has at most {MOST} attachments");
            return Err(Refusal::new(Code::TooMany, detail).with("limit", MOST));
        }
        let attachment = Self {
            id,
            contract_id: contract.id,
            file_name: card.name,
            media_type: card.media_type,
            size,
            sha256,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((attachment, Event("attachment.added")))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context, contract: &Contract) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("delete", contract.may_update(ctx))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_what_a_file_is() {
        let pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj";
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        let zip = b"PK\x03\x04\x14\0\0\0\0\0";
        let html = b"<!DOCTYPE html><script>alert(1)</script>";
        let program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff";
        let agreeing = |head: &[u8]| -> Vec<&str> {
            MediaType::ALL.iter().filter(|kind| kind.agrees(head)).map(|kind| kind.as_str()).collect()
        };
        assert_eq!(agreeing(png), ["image/png"]);
        assert_eq!(
            agreeing(zip),
            [MediaType::Docx.as_str(), MediaType::Xlsx.as_str(), MediaType::Pptx.as_str(), "application/zip"]
        );
        assert!(MediaType::Pdf.agrees(pdf) && !MediaType::Text.agrees(pdf));
        assert_eq!(agreeing(program), Vec::<&str>::new());
        // It is text, and is never answered as anything that a browser runs.
        assert_eq!(agreeing(html), ["text/plain", "text/csv"]);
        let cut = "公海".as_bytes();
        assert!(MediaType::Text.agrees(&cut[..4]), "the head may end within a character");
        assert!(!MediaType::Text.agrees(b"\xff\xfeh\0i\0"));
        let card = FileCard::new("a.pdf", MediaType::Pdf).unwrap();
        assert!(card.judge(pdf).is_ok());
        assert_eq!(card.judge(b"").unwrap_err().code, Code::ValidationFailed);
        assert_eq!(card.judge(png).unwrap_err().code, Code::UnsupportedMediaType);
    }

    #[test]
    fn names_are_no_paths() {
        for good in ["合同 (签字).pdf", "a", "x.tar.pdf", "a..pdf"] {
            assert!(FileCard::new(good, MediaType::Pdf).is_ok(), "{good}");
        }
        for bad in ["", " ", "../etc/passwd", "a/b", "a\\b", ".", "..", ".bashrc", " .bashrc", "a\nb", "a\0b"]
        {
            let refusal = FileCard::new(bad, MediaType::Pdf).unwrap_err();
            assert_eq!(refusal.errors[0].pointer, "file_name", "{bad:?}");
        }
        assert!(FileCard::new(&"x".repeat(201), MediaType::Pdf).is_err());
    }

    #[test]
    fn names_end_as_their_type_does() {
        for (name, kind) in [
            ("IMG_1.JPG", MediaType::Jpeg),
            ("IMG_1.jpeg", MediaType::Jpeg),
            ("v1.2 signed.Pdf ", MediaType::Pdf),
            ("setup.exe.pdf", MediaType::Pdf),
            ("scan", MediaType::Pdf),
            ("合同 No. 5", MediaType::Pdf),
            ("Contract v1.2", MediaType::Pdf),
            ("合同.终稿", MediaType::Pdf),
            ("scan.", MediaType::Pdf),
            ("scan.pdf.", MediaType::Pdf),
            ("报价.XLSX", MediaType::Xlsx),
            ("notes.md", MediaType::Text),
            ("rows.csv", MediaType::Csv),
        ] {
            assert!(FileCard::new(name, kind).is_ok(), "{name}");
        }
        for (name, kind) in [
            ("setup.exe", MediaType::Pdf),
            ("setup.pdf.exe", MediaType::Pdf),
            // Windows leaves the last dots and blanks out.
            ("setup.exe.", MediaType::Pdf),
            ("setup.exe .", MediaType::Pdf),
            ("x.html", MediaType::Png),
            ("x.html", MediaType::Text),
            ("x.jpg", MediaType::Png),
            ("x.docm", MediaType::Docx),
            ("x.txt", MediaType::Csv),
            ("x.zip", MediaType::Docx),
        ] {
            let refusal = FileCard::new(name, kind).unwrap_err();
            assert_eq!(refusal.code, Code::ValidationFailed, "{name}");
            let error = &refusal.errors[0];
            assert_eq!((error.pointer.as_str(), error.code), ("file_name", Rule::InvalidFileName));
            assert_eq!(error.params["allowed"], serde_json::json!(kind.extensions()), "{name}");
        }
        let refusal = FileCard::new("x.png", MediaType::Jpeg).unwrap_err();
        assert_eq!(
            refusal.errors[0].message,
            "must have no extension or one of image/jpeg: jpg, jpeg, jpe, jfif"
        );
        for kind in MediaType::ALL {
            assert!(kind.extensions().iter().all(|it| it.bytes().all(|byte| byte.is_ascii_lowercase())));
        }
    }

    #[test]
    fn text_is_looked_at_to_its_end() {
        let judge = |parts: &[&[u8]]| {
            let mut check = TextCheck::default();
            parts.iter().try_for_each(|part| check.take(part))?;
            check.end()
        };
        let text = "\u{feff}公海,€,😀\r\n".as_bytes();
        for size in 1..=text.len() {
            assert!(judge(&text.chunks(size).collect::<Vec<_>>()).is_ok(), "in parts of {size}");
        }
        // A character that is cut, one of another encoding, and bytes that are no text.
        let gbk: &[u8] = b"a,\xb9\xab\xba\xa3\r\n";
        let refused: [(&[&[u8]], &str); 5] = [
            (&[&text[..text.len() - 3]], "cut"),
            (&[b"a", gbk], "GBK"),
            (&[b"\xb9", b"\xab"], "in the middle"),
            (&["公".as_bytes().split_at(1).0, b"a"], "not gone on with"),
            (&[b"a", b"\0"], "NUL"),
        ];
        for (parts, what) in refused {
            assert_eq!(judge(parts).unwrap_err().code, Code::UnsupportedMediaType, "{what}");
        }
        assert!(FileCard::new("a.csv", MediaType::Csv).unwrap().text_check().is_some());
        assert!(FileCard::new("a.pdf", MediaType::Pdf).unwrap().text_check().is_none());
    }
}
