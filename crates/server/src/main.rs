//! Fairlead server.
fn main() {}
