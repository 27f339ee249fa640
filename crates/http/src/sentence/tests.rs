use std::collections::BTreeSet;

use fairlead_application::dictionaries;
use fairlead_domain::workflow;

use super::*;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Every sentence has a line, every line a sentence.
fn check(said: &BTreeSet<String>, table: &[(&str, &str)]) {
    let known: BTreeMap<&str, &str> = table.iter().copied().collect();
    assert_eq!(known.len(), table.len(), "a sentence has two lines");
    let new: Vec<&String> = said.iter().filter(|english| !known.contains_key(english.as_str())).collect();
    assert!(new.is_empty(), "sentences without a Chinese text: {new:?}");
    let gone: Vec<&str> = known.keys().copied().filter(|english| !said.contains(*english)).collect();
    assert!(gone.is_empty(), "Chinese texts of what nobody says: {gone:?}");
    for (english, chinese) in table {
        assert!(is_chinese(chinese), "{english}");
        assert!(chinese.trim() == *chinese && chinese.chars().count() <= 500, "{english}");
    }
}

#[test]
fn every_meaning_is_said_in_chinese() {
    // What codes and rules mean stands in tables that have no catch-all.
    let others = dictionaries::all().filter(|one| !["code", "rule"].contains(&one.name.as_str()));
    let said: BTreeSet<String> = others.flat_map(|one| one.values).map(|value| value.meaning).collect();
    assert!(said.len() > 500, "{}", said.len());
    let table = [MEANINGS, HAPPENINGS].concat();
    check(&said, &table);
    assert!(table.iter().all(|(_, chinese)| chinese.ends_with('。')));
}

#[test]
fn every_guard_is_said_in_chinese() {
    let steps = workflow::machines().into_iter().flat_map(|machine| machine.transitions);
    let said: BTreeSet<String> = steps.flat_map(|step| step.guards).collect();
    assert!(said.len() > 70, "{}", said.len());
    check(&said, GUARDS);
    // They are shown one below the other, without a full stop in either language.
    assert!(GUARDS.iter().all(|(english, chinese)| !english.ends_with('.') && !chinese.ends_with('。')));
}

#[test]
fn what_has_no_line_stays_in_english() {
    let sentence = |en: &str, zh_cn: &str| Sentence { en: en.to_owned(), zh_cn: zh_cn.to_owned() };
    let known = "Nobody has been in touch.";
    assert_eq!(Sentence::meaning(known.to_owned()), sentence(known, "尚无人联系。"));
    assert_eq!(Sentence::guard(known.to_owned()), sentence(known, known));
    let guard = "a reason is given";
    assert_eq!(Sentence::guard(guard.to_owned()), sentence(guard, "须填写原因"));
    for code in Code::ALL {
        let told = Sentence::meaning(code.meaning().to_owned());
        assert_eq!(told, sentence(code.meaning(), entry(*code).meaning_zh), "{code}");
    }
    for rule in Rule::ALL {
        let told = Sentence::meaning(rule.meaning().to_owned());
        assert_eq!(told, sentence(rule.meaning(), rules::meaning(*rule)), "{rule}");
        assert!(is_chinese(&told.zh_cn) && told.zh_cn.ends_with('。'), "{rule}");
    }
}
