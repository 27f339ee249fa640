//! Fairlead application.
