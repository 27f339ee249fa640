//! Fairlead http.
