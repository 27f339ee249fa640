//! Sentences that cite something, by their English wording with `{}` where they do. The Chinese ones number what is
//! cited (`{0}`), because they say it in another order.

use serde_json::{Map, Value};

use super::filled;

type Table = &'static [(&'static str, &'static str)];

/// Sentences of ours. One that was reworded loses its line here; a test names it.
pub(super) const PATTERNS: Table = &[
    ("unknown parameter `{}`", "未知的参数 `{0}`"),
    // Before what the parser says of a member, which begins like it.
    ("unknown field `{}`, expected some of {}", "未知的成员 `{0}`，可以使用：{1}"),
    ("expected a number from 1 to {}", "须为 1 至 {0} 的整数"),
    ("must have between 1 and {} characters", "长度须为 1 至 {0} 个字符"),
    ("at most {} alternatives", "可选值最多 {0} 个"),
    ("expected some of {}", "须为下列值中的若干个：{0}"),
    ("`{}` is there only where `include` names it", "只有 `include` 中指定了 `{0}` 时才能选择它"),
    // Before the next one, which begins like it.
    ("expected up to {} of {}, each with or without -", "最多为下列值中的 {0} 个，前面可以加 -：{1}"),
    ("expected up to {} visible characters", "最多为 {0} 个可见的 ASCII 字符"),
    ("expected up to {} of {}", "最多为下列值中的 {0} 个：{1}"),
    ("expected an entity tag such as \"v7\", or *, in `{}`", "`{0}` 须为实体标签（例如 \"v7\"）或 *"),
    ("give one `{}` header", "请只提供一个 `{0}` 请求头"),
    ("expected 1 to {} visible ASCII characters in `{}`", "`{1}` 须为 1 至 {0} 个可见的 ASCII 字符"),
    ("`{}` is no day in the format {}", "`{0}` 不是格式为 {1} 的日期"),
    ("must have at most {} filters in all groups together", "所有分组合计最多 {0} 个筛选条件"),
    ("must have at most {} values in all filters together", "所有筛选条件合计最多 {0} 个值"),
    ("{} has {} decimals", "{0} 的小数位数最多为 {1} 位"),
];

/// What `serde` says of a member, which has a name and needs no place.
const MEMBERS: Table = &[
    ("missing field `{}`", "缺少成员 `{0}`"),
    ("duplicate field `{}`", "成员重复：`{0}`"),
    ("unknown field `{}`, expected {}", "未知的成员 `{0}`"),
    ("unknown field `{}`, there are no fields", "未知的成员 `{0}`"),
    ("unknown variant `{}`, expected {}", "未知的取值 `{0}`"),
    ("unknown variant `{}`, there are no variants", "未知的取值 `{0}`"),
];

/// What it says of a value of another kind than is wanted.
const MISFITS: Table = &[
    ("invalid type: {}, expected {}", "类型不符：应为{1}，而不是{0}"),
    ("invalid value: {}, expected {}", "值不符：应为{1}，而不是{0}"),
    ("invalid length {}, expected {}", "长度不符：应为{1}，而不是 {0}"),
];

/// How it calls kinds of values.
const KINDS: Table = &[
    ("null", "空值（null）"),
    ("boolean `{}`", "布尔值 `{0}`"),
    ("integer `{}`", "整数 `{0}`"),
    ("floating point `{}`", "小数 `{0}`"),
    ("string {}", "字符串 {0}"),
    ("sequence", "数组"),
    ("map", "对象"),
    ("a boolean", "布尔值"),
    ("a whole number", "整数"),
    ("a number", "数字"),
    ("a string", "字符串"),
    ("an array", "数组"),
    ("an object", "对象"),
    ("a JSON value", "JSON 值"),
    // What a number is not that is too large or too small.
    ("a whole number within its limits", "范围内的整数"),
];

/// What `serde_json` says of a text that is no JSON.
const SYNTAX: Table = &[
    ("EOF while parsing a list", "JSON 不完整：数组没有结束"),
    ("EOF while parsing an object", "JSON 不完整：对象没有结束"),
    ("EOF while parsing a string", "JSON 不完整：字符串没有结束"),
    ("EOF while parsing a value", "JSON 不完整：缺少值"),
    ("expected `:`", "JSON 有误：此处应为 `:`"),
    ("expected `,` or `]`", "JSON 有误：此处应为 `,` 或 `]`"),
    ("expected `,` or `}`", "JSON 有误：此处应为 `,` 或 `}`"),
    ("expected ident", "JSON 有误：此处应为 true、false 或 null"),
    ("expected value", "JSON 有误：此处应为一个值"),
    ("expected `\"`", "JSON 有误：此处应为 `\"`"),
    ("invalid escape", "JSON 有误：字符串中的转义无效"),
    ("invalid number", "JSON 有误：数字的写法无效"),
    ("number out of range", "JSON 有误：数字超出范围"),
    ("invalid unicode code point", "JSON 有误：不是有效的 UTF-8 或 Unicode 字符"),
    (
        "control character (\\u0000-\\u001F) found while parsing a string",
        "JSON 有误：字符串中的控制字符须写成转义",
    ),
    ("key must be a string", "JSON 有误：成员的名称须为字符串"),
    ("lone leading surrogate in hex escape", "JSON 有误：转义中的代理项不成对"),
    ("unexpected end of hex escape", "JSON 有误：转义不完整"),
    ("trailing comma", "JSON 有误：末尾多了逗号"),
    ("trailing characters", "JSON 有误：结束之后还有其他内容"),
    ("recursion limit exceeded", "JSON 有误：嵌套过深"),
];

/// The Chinese wording of a sentence that cites something, or of what a parser says.
pub(super) fn said(english: &str) -> Option<String> {
    let (text, place) = placed(english);
    let member = || fill(PATTERNS, text, str::to_owned).or_else(|| fill(MEMBERS, text, str::to_owned));
    let value = || fill(MISFITS, text, kind).or_else(|| fill(SYNTAX, text, str::to_owned));
    member().or_else(|| value().map(|said| said + &place))
}

/// How a kind of values is called; as it was, if it has no Chinese name.
fn kind(english: &str) -> String {
    fill(KINDS, english, str::to_owned).unwrap_or_else(|| english.to_owned())
}

/// A sentence without its place in the text that was read, and that place.
fn placed(english: &str) -> (&str, String) {
    let place = || {
        let (text, place) = english.rsplit_once(" at line ")?;
        let (line, column) = place.split_once(" column ")?;
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        let place = format!("（第 {line} 行第 {column} 列）");
        (is_number(line) && is_number(column)).then_some((text, place))
    };
    place().unwrap_or_else(|| (english, String::new()))
}

/// Says a text by the first line of a table that fits, with each thing that it cites as `word` has it.
fn fill(table: Table, text: &str, word: fn(&str) -> String) -> Option<String> {
    table.iter().find_map(|(english, chinese)| {
        let cited = cited(english, text)?.into_iter().enumerate();
        let figures: Map<String, Value> =
            cited.map(|(at, cited)| (at.to_string(), word(cited).into())).collect();
        filled(chinese, &figures)
    })
}

/// What a text cites in the places of a pattern; `None` when it is another sentence.
fn cited<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces: Vec<&str> = pattern.split("{}").collect();
    let last = pieces.pop()?;
    if pieces.is_empty() {
        return (text == last).then(Vec::new);
    }
    // From the end: what is cited first came with the request, and may say anything.
    let (mut rest, mut cited) = (text.strip_suffix(last)?, Vec::new());
    while pieces.len() > 1 {
        let (before, behind) = rest.rsplit_once(pieces.pop()?)?;
        cited.push(behind);
        rest = before;
    }
    cited.push(rest.strip_prefix(pieces.pop()?)?);
    cited.reverse();
    Some(cited)
}
