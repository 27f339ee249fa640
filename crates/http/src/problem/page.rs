//! The catalogue of problems as pages, for whoever follows the `type` of a problem.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use fairlead_domain::error::Code;

use super::catalogue::{ProblemCatalogue, ProblemFigure, ProblemKind};
use crate::api::{Api, Shown};
use crate::request::negotiate::Language;
use crate::resource;

/// Everything that a page says by itself, in one language.
struct Words {
    catalogue: &'static str,
    about: &'static str,
    status: &'static str,
    code: &'static str,
    meaning: &'static str,
    figures: &'static str,
    figure: &'static str,
    kind: &'static str,
    answered_by: &'static str,
    back: &'static str,
    missing: &'static str,
}

const ENGLISH: Words = Words {
    catalogue: "Problems",
    about: "Every error of the API is a problem document (RFC 9457). Its code never changes; its type leads here.",
    status: "Status",
    code: "Code",
    meaning: "Meaning",
    figures: "Members besides those of every problem",
    figure: "Member",
    kind: "Type",
    answered_by: "Operations that may answer so",
    back: "All problems",
    missing: "There is no such code",
};

const CHINESE: Words = Words {
    catalogue: "错误目录",
    about: "接口的每个错误都是一份问题文档（RFC 9457）。错误代码永不改变，其 type 指向本页。",
    status: "状态码",
    code: "代码",
    meaning: "含义",
    figures: "除各错误共有的成员之外的成员",
    figure: "成员",
    kind: "类型",
    answered_by: "可能返回此错误的操作",
    back: "全部错误",
    missing: "没有这个错误代码",
};

const STYLE: &str = "\
    body{font:16px/1.6 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;color:#1f2937;\
    max-width:60rem;margin:0 auto;padding:2rem 1rem}\
    h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin-top:2rem}\
    table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.5rem .6rem;\
    border-bottom:1px solid #e5e7eb}a{color:#1d4ed8}code{font-size:.9em}\
    .other{color:#6b7280}.status{font-variant-numeric:tabular-nums}ul{padding-left:1.2rem}\
    @media(max-width:40rem){td,th{display:block;border:0;padding:.1rem 0}thead{display:none}tr{display:block;\
    border-bottom:1px solid #e5e7eb;padding:.7rem 0}}";

impl Language {
    const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

/// Title and meaning in the reader's language, and then in the other one.
fn told(kind: &ProblemKind, language: Language) -> [(&str, &str, Language); 2] {
    let english = (kind.title.as_str(), kind.description.as_str(), Language::English);
    let chinese = (kind.title_zh.as_str(), kind.description_zh.as_str(), Language::Chinese);
    match language {
        Language::English => [english, chinese],
        Language::Chinese => [chinese, english],
    }
}

impl Shown for ProblemCatalogue {
    fn page(&self, language: Language) -> String {
        let words = language.words();
        let mut rows = String::new();
        for kind in &self.data {
            let [(title, meaning, _), (other, _, other_language)] = told(kind, language);
            let _ = write!(
                rows,
                "<tr><td class=\"status\">{}</td><td><a href=\"/problems/{code}\"><code>{code}</code></a></td>\
                 <td>{title}<br><span class=\"other\" lang=\"{}\">{other}</span></td><td>{}</td></tr>",
                kind.status,
                other_language.tag(),
                prose(meaning),
                code = kind.code,
            );
        }
        let body = format!(
            "<h1>{}</h1><p>{}</p><table><thead><tr><th>{}</th><th>{}</th><th colspan=\"2\">{}</th></tr></thead>\
             <tbody>{rows}</tbody></table>",
            words.catalogue, words.about, words.status, words.code, words.meaning
        );
        page(words.catalogue, language, &body)
    }
}

impl Shown for ProblemKind {
    fn page(&self, language: Language) -> String {
        let words = language.words();
        let mut body = format!("<p><a href=\"/problems\">{}</a></p>", words.back);
        for (at, (title, meaning, language)) in told(self, language).into_iter().enumerate() {
            let (heading, class) = if at == 0 { ("h1", "") } else { ("h2", " class=\"other\"") };
            let _ = write!(
                body,
                "<section lang=\"{}\"{class}><{heading}>{title}</{heading}><p>{}</p></section>",
                language.tag(),
                prose(meaning)
            );
        }
        let _ = write!(
            body,
            "<p>{}: <code>{}</code> &nbsp; {}: <code>{}</code></p>{}<h2>{}</h2><ul>{}</ul>",
            words.code,
            self.code,
            words.status,
            self.status,
            figures(&self.figures, language),
            words.answered_by,
            operations(self.code)
        );
        page(&format!("{} · {}", self.code, words.catalogue), language, &body)
    }
}

/// What a kind of problems carries, if it carries anything.
fn figures(figures: &[ProblemFigure], language: Language) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let words = language.words();
    let rows = figures.iter().fold(String::new(), |mut rows, figure| {
        let meaning = match language {
            Language::English => &figure.description,
            Language::Chinese => &figure.description_zh,
        };
        let (name, kind) = (&figure.name, &figure.value_type);
        let _ = write!(
            rows,
            "<tr><td><code>{name}</code></td><td><code>{kind}</code></td><td>{}</td></tr>",
            prose(meaning)
        );
        rows
    });
    format!(
        "<h2>{}</h2><table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>{rows}</tbody></table>",
        words.figures, words.figure, words.kind, words.meaning
    )
}

/// Instead of the page of a code that there is not.
pub(crate) fn missing(language: Language) -> String {
    let words = language.words();
    let body = format!("<p><a href=\"/problems\">{}</a></p><h1>{}</h1>", words.back, words.missing);
    page(words.missing, language, &body)
}

/// The operations that may refuse with a code, each with a link to where it can be tried out. All lists are made once:
/// anybody may ask for them, and declaring every operation anew takes a while.
fn operations(code: Code) -> &'static str {
    static LISTS: LazyLock<BTreeMap<Code, String>> = LazyLock::new(|| {
        let api = resource::api();
        Code::ALL.iter().map(|code| (*code, links(&api, *code))).collect()
    });
    LISTS.get(&code).map_or("", String::as_str)
}

fn links(api: &Api, code: Code) -> String {
    api.refusing(code).fold(String::new(), |mut list, (method, path, tag, id)| {
        let tag = tag.replace(' ', "%20");
        let _ =
            write!(list, "<li><a href=\"/swagger-ui/#/{tag}/{id}\"><code>{method} {path}</code></a></li>");
        list
    })
}

/// Our own words with code between backquotes. They hold nothing that HTML would take for its own but `<` and `&`.
fn prose(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let parts = escaped.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() })
        .collect()
}

fn page(title: &str, language: Language, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{title} · Fairlead</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\
         <body>{body}</body></html>\n",
        language.tag()
    )
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    #[test]
    fn pages_speak_both_languages() {
        let kind = catalogue::kind(Code::InvoiceExceedsContract);
        let (english, chinese) = (kind.page(Language::English), kind.page(Language::Chinese));
        for page in [&english, &chinese] {
            assert!(page.contains("Invoices exceed the contract") && page.contains("开票金额超出合同金额"));
            assert!(page.contains("/swagger-ui/#/Invoices/submit_invoice"), "{page}");
        }
        assert!(english.contains("<html lang=\"en\">") && english.contains("<h1>Invoices exceed"));
        assert!(chinese.contains("<html lang=\"zh-CN\">") && chinese.contains("<h1>开票金额超出"));
        // What it carries is told in the reader's language.
        let row = |meaning: &str| {
            format!("<code>remaining</code></td><td><code>object</code></td><td>{meaning}</td>")
        };
        assert!(english.contains(&row("What may still be invoiced.")), "{english}");
        assert!(chinese.contains(&row("最多还可开票的金额。")), "{chinese}");
        let bare = catalogue::kind(Code::NotFound).page(Language::English);
        assert!(!bare.contains(ENGLISH.figures), "{bare}");
        let nothing = missing(Language::Chinese);
        assert!(nothing.contains("<h1>没有这个错误代码</h1>") && nothing.contains("href=\"/problems\""));
        let all = catalogue::all().page(Language::Chinese);
        assert!(Code::ALL.iter().all(|code| all.contains(&format!("href=\"/problems/{code}\""))));
    }

    #[test]
    fn code_is_marked_and_nothing_else_is_markup() {
        assert_eq!(prose("a < b & `c`"), "a &lt; b &amp; <code>c</code>");
    }
}
