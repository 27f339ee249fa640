//! Fairlead persistence.
