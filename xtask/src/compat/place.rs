//! Where a change is, as it is printed and declared.

use std::fmt;

/// A place within a schema that can be walked further down.
#[derive(Debug, Clone)]
pub(super) struct Place {
    root: String,
    path: String,
}

impl Place {
    /// A place outside of schemas.
    pub(super) fn new(root: impl Into<String>) -> Self {
        Self { root: root.into(), path: String::new() }
    }

    /// A place that has a name further on, in words.
    pub(super) fn word(&self, word: &str) -> Self {
        Self::new(format!("{self} {word}"))
    }

    /// A member of an object.
    pub(super) fn member(&self, name: &str) -> Self {
        self.step(&format!("/{name}"))
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Self {
        self.step("[]")
    }

    /// The values of a map, whatever their names.
    pub(super) fn entries(&self) -> Self {
        self.step("{}")
    }

    /// One of several alternatives.
    pub(super) fn alternative(&self, key: &str) -> Self {
        self.step(&format!("({key})"))
    }

    fn step(&self, step: &str) -> Self {
        Self { root: self.root.clone(), path: format!("{}{step}", self.path) }
    }
}

impl From<&Place> for String {
    fn from(place: &Place) -> Self {
        place.to_string()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.root)?;
        if self.path.is_empty() { Ok(()) } else { write!(out, " {}", self.path) }
    }
}
