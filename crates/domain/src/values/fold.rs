//! Normal forms of names, by which they are compared.

use unicode_normalization::UnicodeNormalization;

/// A text as it is compared: compatibility forms made one (full-width letters are letters), lower case, without
/// spaces, punctuation and symbols.
pub fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

/// Forms of companies that people leave out or spell differently, longest first.
const COMPANY_FORMS: [&str; 20] = [
    "股份有限公司",
    "有限责任公司",
    "有限公司",
    "集团公司",
    "incorporated",
    "corporation",
    "limited",
    "company",
    "公司",
    "集团",
    "gmbh",
    "corp",
    "coltd",
    "ltd",
    "inc",
    "llc",
    "plc",
    "pte",
    "ag",
    "co",
];

/// The name of a company as it is compared: folded, without the form of the company at its end. A name of which
/// folding leaves nothing stands for itself.
pub fn company_key(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(folded).filter(|word| !word.is_empty()).collect();
    let mut key = words.concat();
    if key.is_empty() {
        return name.trim().to_owned();
    }
    // Latin forms are words of their own, so that a name may end like one; Chinese ones are written on.
    let mut latin: Vec<&str> = words.iter().map(String::as_str).collect();
    while latin.len() > 1 && latin.last().is_some_and(|last| COMPANY_FORMS.contains(last)) {
        latin.pop();
    }
    if latin.len() < words.len() {
        key = latin.concat();
    }
    let chinese = COMPANY_FORMS.iter().filter(|form| !form.is_ascii());
    for form in chinese {
        if let Some(stem) = key.strip_suffix(form).filter(|stem| !stem.is_empty()) {
            return stem.to_owned();
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_company_are_the_same() {
        for names in [
            &["Acme Machinery", "ACME  machinery Co., Ltd.", "Acme Machinery Inc", "Ａｃｍｅ Machinery"][..],
            &["上海星辰科技有限公司", "上海星辰科技", "上海 星辰科技 股份有限公司", "上海星辰科技公司"],
        ] {
            let keys: Vec<String> = names.iter().map(|name| company_key(name)).collect();
            assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
        }
    }

    #[test]
    fn a_name_is_not_eaten_up() {
        for name in ["Company", "公司", "Inc", "Costco", "Zinc", "Magic"] {
            assert_eq!(company_key(name), folded(name), "{name}");
        }
        assert_ne!(company_key("Acme"), company_key("Acme Tools"));
        assert_ne!(company_key("!!!"), company_key("???"));
    }
}
