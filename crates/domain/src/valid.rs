//! Forms that were judged.

use std::ops::Deref;

use validator::Validate;

use crate::error::Refusal;

/// A form whose values keep their rules. The only way to one is [`Valid::check`], so a function that takes
/// it need not ask again.
#[derive(Debug, Clone, PartialEq)]
pub struct Valid<T>(T);

impl<T: Validate> Valid<T> {
    /// Judges a form; the refusal names every broken rule.
    pub fn check(form: T) -> Result<Self, Refusal> {
        form.validate()?;
        Ok(Self(form))
    }
}

impl<T> Valid<T> {
    /// The form.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Valid<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
