//! End-to-end tests of Fairlead; see `tests/it/main.rs`.
