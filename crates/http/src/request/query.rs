//! Query strings as pairs.

use fairlead_application::Flag;
pub(crate) use fairlead_application::query::pairs;
use fairlead_domain::error::Refusal;

/// The parameter that says what a file is called.
pub(crate) const FILE_NAME: &str = "file_name";

/// Refuses whatever is not one of an operation's flags, said once, as `true` or `false`; `named` lets it say what a
/// file is called.
pub(crate) fn check_flags(pairs: &[(String, String)], flags: &[Flag], named: bool) -> Result<(), Refusal> {
    for (at, (name, value)) in pairs.iter().enumerate() {
        if named && name == FILE_NAME && pairs[..at].iter().all(|(other, _)| other != name) {
            continue;
        }
        if !flags.iter().any(|flag| flag.name() == name) {
            let allowed: Vec<&str> = flags.iter().map(|flag| flag.name()).collect();
            let why = format!("unknown parameter `{name}`");
            return Err(Refusal::malformed(name, why).with("allowed", allowed));
        }
        if value != "true" && value != "false" {
            return Err(Refusal::malformed(name, "expected true or false"));
        }
        if pairs[..at].iter().any(|(other, _)| other == name) {
            return Err(Refusal::malformed(name, "give a parameter once"));
        }
    }
    Ok(())
}

/// Whether a query says yes to a flag.
pub(crate) fn says(pairs: &[(String, String)], flag: Flag) -> bool {
    pairs.iter().any(|(name, value)| name == flag.name() && value == "true")
}

/// The same query with another cursor.
pub(crate) fn with_cursor(query: &[(String, String)], cursor: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query.iter().filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", cursor)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_survive_the_way_to_the_next_page() {
        let query = pairs("name_contains=a%26b+c&cursor=old&limit=2").unwrap();
        assert_eq!(with_cursor(&query, "new="), "name_contains=a%26b+c&limit=2&cursor=new%3D");
    }

    #[test]
    fn flags_are_known_said_once_and_true_or_false() {
        let check = |query: &str| {
            let refused = check_flags(&pairs(query).unwrap(), &[Flag::DryRun], false);
            refused.map_err(|refusal| refusal.errors[0].pointer.clone())
        };
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("dry_run=true"), Ok(()));
        for bad in ["dry_run=", "dry_run=1", "dry_run=true&dry_run=true"] {
            assert_eq!(check(bad), Err("dry_run".to_owned()), "{bad}");
        }
        assert_eq!(check("allow_duplicate=true"), Err("allow_duplicate".to_owned()));
        let says = |query: &str| says(&pairs(query).unwrap(), Flag::DryRun);
        assert!(says("dry_run=true") && !says("dry_run=false"));
    }
}
