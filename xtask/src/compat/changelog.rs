//! Breaking changes that are meant: declared in the changelog, where users read them.
//!
//! A declaration is one line: "- `request-property-removed` schema LeadDetails in requests /budget: money has its own
//! form now". Rule and place are those that the command prints, the rest is for people. Indented lines continue it.

use super::change::Change;
use super::version::Version;

use anyhow::{Context, Result, ensure};

/// What is not released yet.
pub(super) const SECTION: &str = "## [Unreleased]";
/// In it, what breaks.
pub(super) const SUBSECTION: &str = "### Breaking";
/// In a printed line, where the reason belongs.
pub(super) const BLANK: &str = "<why>";

/// A line of the changelog that declares a breaking change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) line: usize,
    pub(super) rule: String,
    pub(super) place: String,
}

impl Declaration {
    fn covers(&self, change: &Change) -> bool {
        self.place == change.place && self.rule == change.rule.to_string()
    }
}

/// What does not agree between changes and declarations.
pub(super) struct Verdict<'a> {
    pub(super) undeclared: Vec<&'a Change>,
    /// Declarations of what is no change. They may not pile up: one of them would cover a later mistake.
    pub(super) stale: Vec<&'a Declaration>,
}

impl Verdict<'_> {
    pub(super) fn passes(&self) -> bool {
        self.undeclared.is_empty() && self.stale.is_empty()
    }
}

/// Compares what changed with what is declared.
pub(super) fn judge<'a>(changes: &'a [Change], declarations: &'a [Declaration]) -> Verdict<'a> {
    let declared = |change: &Change| declarations.iter().any(|declaration| declaration.covers(change));
    let real = |declaration: &Declaration| changes.iter().any(|change| declaration.covers(change));
    Verdict {
        undeclared: changes.iter().filter(|change| !declared(change)).collect(),
        stale: declarations.iter().filter(|declaration| !real(declaration)).collect(),
    }
}

/// The line that declares a change, but for the reason.
pub(super) fn line(change: &Change) -> String {
    format!("- `{}` {}: {BLANK}", change.rule, change.place)
}

/// The declarations of a changelog. A list item among them that is none is an error: it was meant to be one.
pub(super) fn declarations(changelog: &str) -> Result<Vec<Declaration>> {
    let (mut unreleased, mut breaking) = (false, false);
    let mut declarations = Vec::new();
    for (position, text) in changelog.lines().enumerate() {
        if text.starts_with("## ") {
            unreleased = text.trim_end() == SECTION;
            breaking = false;
        } else if text.starts_with("### ") {
            breaking = unreleased && text.trim_end() == SUBSECTION;
        } else if breaking && let Some(item) = text.strip_prefix("- ") {
            let line = position + 1;
            declarations.push(declaration(line, item).with_context(|| format!("line {line}"))?);
        }
    }
    Ok(declarations)
}

/// The newest version that a changelog tells of.
pub(super) fn newest(changelog: &str) -> Result<Option<Version>> {
    let mut newest = None;
    for title in changelog.lines().filter(|line| line.starts_with("## [") && line.trim_end() != SECTION) {
        let version = title.trim_start_matches("## [").split(']').next().unwrap_or_default();
        newest = newest.max(Some(version.parse().with_context(|| format!("`{title}` names no version"))?));
    }
    Ok(newest)
}

fn declaration(line: usize, item: &str) -> Result<Declaration> {
    let parts = item.strip_prefix('`').and_then(|rest| rest.split_once("` "));
    let parts = parts.and_then(|(rule, rest)| Some((rule, rest.split_once(": ")?)));
    let (rule, (place, why)) =
        parts.context("under `### Breaking`, a line has the form: - `rule` place: why")?;
    ensure!(!why.trim().is_empty() && why.trim() != BLANK, "a breaking change has a reason: say why");
    Ok(Declaration { line, rule: rule.to_owned(), place: place.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::change::Rule;

    fn removed(place: &str) -> Change {
        Change { rule: Rule::ApiRemovedWithoutDeprecation, place: place.to_owned(), what: String::new() }
    }

    fn changelog(lines: &str) -> String {
        let released = format!("## [0.1.0]\n{SUBSECTION}\n- old\n");
        format!("# Changelog\n\n{SECTION}\n\n### Added\n- `x` y: z\n\n{SUBSECTION}\n{lines}\n\n{released}")
    }

    #[test]
    fn the_printed_line_declares_the_change_once_it_has_a_reason() {
        let change = removed("GET /api/v1/leads/{id}");
        let line = line(&change);
        let unfinished = declarations(&changelog(&line)).unwrap_err();
        assert!(
            format!("{unfinished:#}").contains("line 9: a breaking change has a reason"),
            "{unfinished:#}"
        );
        let text = changelog(&line.replace(BLANK, "nobody used it: see\n  the notes"));
        let declared = declarations(&text).unwrap();
        assert_eq!(declared.len(), 1);
        assert!(judge(&[change], &declared).passes());
    }

    #[test]
    fn a_change_without_a_declaration_and_a_declaration_without_a_change_are_found() {
        let text = changelog(
            "- `api-removed-without-deprecation` GET /here: gone\n- `api-tag-removed` GET /there: renamed",
        );
        let declared = declarations(&text).unwrap();
        let changes = [removed("GET /here"), removed("GET /there")];
        let verdict = judge(&changes, &declared);
        assert_eq!(verdict.undeclared, [&changes[1]]);
        assert_eq!(verdict.stale, [&declared[1]]);
        assert!(!verdict.passes());
        assert_eq!(declared[1].line, 10);
    }

    #[test]
    fn the_newest_version_is_found_by_its_title() {
        let newest = |text: &str| newest(text).map(|version| version.map(|version| version.to_string()));
        assert_eq!(newest("# Changelog\n\n## [Unreleased]\n").unwrap(), None);
        let several = "## [Unreleased]\n## [0.9.0] - 2027-01-31\n### [9.0.0]\n## [0.10.0]\n";
        assert_eq!(newest(several).unwrap().as_deref(), Some("0.10.0"));
        assert!(newest("## [next]\n").is_err());
    }

    #[test]
    fn lines_of_another_form_are_refused_and_other_sections_are_left_alone() {
        for line in
            ["- leads are gone", "- `api-tag-removed` GET /x", "- api-tag-removed GET /x: why", "- `a` b: "]
        {
            assert!(declarations(&changelog(line)).is_err(), "{line}");
        }
        assert_eq!(declarations(&changelog("")).unwrap(), []);
        assert_eq!(declarations("# Changelog\n").unwrap(), []);
    }
}
