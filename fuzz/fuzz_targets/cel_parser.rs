//! Any text is parsed within its limits; errors lie in the text, and the canonical form of an expression is one of itself.

#![no_main]

use std::sync::LazyLock;

use kro_cel::{Environment, facts, library, template, unparse};
use libfuzzer_sys::fuzz_target;

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(library::kro_environment);

fuzz_target!(|text: &str| {
    for part in template::scan(text).expressions() {
        assert!(text.get(part).is_some());
    }
    let parsed = ENVIRONMENT.parse(text);
    kro_fuzz::cel::verify(text, &parsed.errors);
    if !parsed.errors.is_empty() {
        return;
    }
    let canonical = unparse(&parsed.ast);
    let again = ENVIRONMENT.parse(&canonical);
    if again.errors.is_empty() {
        assert_eq!(unparse(&again.ast), canonical);
    }
    facts(&parsed.ast, &ENVIRONMENT);
});
