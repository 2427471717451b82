//! Any text is parsed, checked, planned and evaluated within its limits and without a panic; errors lie in the text, and
//! the canonical form of an expression is one of itself.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kro_cel::{Budget, CelValue, Environment, Type, facts, library, template, unparse};
use kro_value::Str;
use libfuzzer_sys::fuzz_target;

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
    let names = ["a", "b", "c", "x"];
    names.iter().fold(library::kro_environment().extend(), |builder, name| builder.variable(*name, Type::Dyn)).build()
});

fuzz_target!(|text: &str| {
    for part in template::scan(text).expressions() {
        assert!(text.get(part).is_some());
    }
    let parsed = ENVIRONMENT.parse(text);
    for issue in &parsed.errors {
        assert!(text.get(issue.span.clone()).is_some() && text.is_char_boundary(issue.anchor));
        issue.render(text);
    }
    if !parsed.errors.is_empty() {
        return;
    }
    let canonical = unparse(&parsed.ast);
    let again = ENVIRONMENT.parse(&canonical);
    if again.errors.is_empty() {
        assert_eq!(unparse(&again.ast), canonical);
    }
    facts(&parsed.ast, &ENVIRONMENT);
    let checked = ENVIRONMENT.check(&parsed.ast);
    let checked = checked.errors.is_empty().then_some(&checked);
    if let Ok(program) = ENVIRONMENT.plan(&parsed.ast, checked) {
        let variables: BTreeMap<Str, CelValue> = BTreeMap::new();
        let _ = program.evaluate(&variables, &Budget::default());
    }
});
