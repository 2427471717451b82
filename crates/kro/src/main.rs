//! The kro program.
fn main() {}
