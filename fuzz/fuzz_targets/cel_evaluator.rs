//! Any expression is planned and evaluated within its budget and without a panic, and the types of a check change nothing.

#![no_main]

use std::sync::LazyLock;

use kro_cel::{Budget, CelValue, Checked, Environment, ErrorKind, EvalError, ast::Ast};
use kro_fuzz::cel::Variables;
use libfuzzer_sys::fuzz_target;

static WORLD: LazyLock<(Environment, Variables)> = LazyLock::new(kro_fuzz::cel::environment);
const BUDGET: Budget = Budget { steps: 100_000, bytes: 1 << 20 };

fn evaluate(ast: &Ast, checked: Option<&Checked>) -> Result<CelValue, EvalError> {
    let (environment, variables) = &*WORLD;
    environment.plan(ast, checked)?.evaluate(variables, &BUDGET)
}

fuzz_target!(|text: &str| {
    let environment = &WORLD.0;
    let parsed = environment.parse(text);
    if !parsed.errors.is_empty() {
        return;
    }
    let checked = environment.check(&parsed.ast);
    let unchecked = evaluate(&parsed.ast, None);
    if let Ok(value) = &unchecked {
        let _ = value.to_json();
    }
    if !checked.errors.is_empty() {
        return;
    }
    let with_types = evaluate(&parsed.ast, Some(&checked));
    let exhausted = |outcome: &Result<CelValue, EvalError>| {
        outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::BudgetExceeded)
    };
    if exhausted(&with_types) || exhausted(&unchecked) {
        return;
    }
    match (with_types, unchecked) {
        (Ok(left), Ok(right)) => assert_eq!(format!("{left:?}"), format!("{right:?}")),
        (Err(left), Err(right)) => assert_eq!(left.message(), right.message()),
        (left, right) => panic!("{left:?} and {right:?}"),
    }
});
