//! The threats of an API, each with the test that the control against it holds (OWASP API Security Top 10
//! 2023).

mod assignment;
mod exhaustion;
mod leaks;
mod objects;
mod passwords;
mod rights;
mod sessions;
mod tokens;
