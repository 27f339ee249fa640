//! End-to-end tests: a real server, over HTTP, on both databases. They are in `tests/it`.
