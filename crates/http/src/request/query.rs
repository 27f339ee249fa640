//! Query strings as pairs.

use fairlead_application::Flag;
pub(crate) use fairlead_application::query::pairs;
use fairlead_domain::error::Refusal;

/// The parameter that says what a file is called.
pub(crate) const FILE_NAME: &str = "file_name";

/// Refuses what an operation's query does not take, and tells what it does: here alone is known all that it takes.
pub(crate) fn check_known(pairs: &[(String, String)], known: &[String]) -> Result<(), Refusal> {
    match pairs.iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => {
            let why = format!("unknown parameter `{name}`");
            Err(Refusal::malformed(name, why).with("allowed", known))
        }
        None => Ok(()),
    }
}

/// Refuses what is said twice, and flags that are neither `true` nor `false`.
pub(crate) fn check_flags(pairs: &[(String, String)], flags: &[Flag]) -> Result<(), Refusal> {
    for (at, (name, value)) in pairs.iter().enumerate() {
        let is_flag = flags.iter().any(|flag| flag.name() == name);
        if is_flag && value != "true" && value != "false" {
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
        let known = [Flag::DryRun.name().to_owned(), FILE_NAME.to_owned()];
        let check = |query: &str| {
            let query = pairs(query).unwrap();
            let refused = check_known(&query, &known).and_then(|()| check_flags(&query, &[Flag::DryRun]));
            refused.map_err(|refusal| refusal.errors[0].pointer.clone())
        };
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("dry_run=true"), Ok(()));
        for bad in ["dry_run=", "dry_run=1", "dry_run=true&dry_run=true"] {
            assert_eq!(check(bad), Err("dry_run".to_owned()), "{bad}");
        }
        assert_eq!(check("allow_duplicate=true"), Err("allow_duplicate".to_owned()));
        assert_eq!(check("file_name=a.pdf"), Ok(()));
        assert_eq!(check("file_name=a.pdf&file_name=b.pdf"), Err("file_name".to_owned()));
        let says = |query: &str| says(&pairs(query).unwrap(), Flag::DryRun);
        assert!(says("dry_run=true") && !says("dry_run=false"));
    }

    #[test]
    fn what_is_unknown_is_told_with_all_that_is_known() {
        let known = ["limit".to_owned(), "fields".to_owned()];
        let refusal = check_known(&pairs("fields=id&colour=red").unwrap(), &known).unwrap_err();
        assert_eq!(refusal.errors[0].pointer, "colour");
        assert_eq!(refusal.figures["allowed"], serde_json::json!(known));
    }
}
