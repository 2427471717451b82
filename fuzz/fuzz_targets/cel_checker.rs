//! Any expression is checked without a stall over variables of all types and Kubernetes objects; errors lie in the text,
//! and what is accepted has a type in every node that counts.

#![no_main]

use std::sync::LazyLock;

use kro_cel::{Environment, Type, compatible, render};
use libfuzzer_sys::fuzz_target;

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| kro_fuzz::cel::environment().0);

fuzz_target!(|text: &str| {
    let parsed = ENVIRONMENT.parse(text);
    if !parsed.errors.is_empty() {
        return;
    }
    let checked = ENVIRONMENT.check(&parsed.ast);
    kro_fuzz::cel::verify(text, &checked.errors);
    render(text, &checked.errors, checked.truncated);
    if checked.errors.is_empty() {
        assert!(!checked.result_type().is_error() && !matches!(checked.result_type(), Type::Variable(_)));
        assert!(!checked.result_type().to_string().is_empty());
        for wanted in [Type::String, Type::list(Type::Dyn), ENVIRONMENT.variable("deployment").expect("declared").ty.clone()] {
            let _ = compatible::fits(&ENVIRONMENT, &parsed.ast, &checked, &wanted);
        }
    }
});
