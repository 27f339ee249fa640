//! Query strings as pairs.

use fairlead_domain::error::Refusal;

/// The decoded pairs of a query string, in order.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Refuses any parameter: for operations that have none.
pub(crate) fn refuse_any(pairs: &[(String, String)]) -> Result<(), Refusal> {
    match pairs.first() {
        None => Ok(()),
        Some((name, _)) => {
            let none: [&str; 0] = [];
            Err(Refusal::malformed(name, format!("unknown parameter `{name}`")).with("allowed", none))
        }
    }
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
        let query = pairs("name_contains=a%26b+c&cursor=old&limit=2");
        assert_eq!(with_cursor(&query, "new="), "name_contains=a%26b+c&limit=2&cursor=new%3D");
        assert!(refuse_any(&[]).is_ok());
        assert_eq!(refuse_any(&query).unwrap_err().errors[0].pointer, "name_contains");
    }
}
