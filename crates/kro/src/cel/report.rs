//! What an expression has and costs, or a picture of what is wrong with it.

use kro_cel::cost::Prices;
use kro_cel::{Budget, CelValue, EvalContext, EvalError, Issue, IssueKind, Type, render};
use kro_celwire::{World, literal};

use crate::terminal::{BOLD, DIM, ERROR, RESET};

/// Evaluates an expression and prints value, type and cost; `None` when it has no value.
pub fn evaluate(world: &World, text: &str) -> Option<(Type, CelValue)> {
    let environment = &world.environment;
    let parsed = environment.parse(text);
    let checked = parsed.errors.is_empty().then(|| environment.check(&parsed.ast));
    let (issues, truncated) =
        checked.as_ref().map_or((&parsed.errors, 0), |checked| (&checked.errors, checked.truncated));
    if !issues.is_empty() {
        print_issues(text, issues, truncated);
        return None;
    }
    let ty = checked.as_ref().map_or(Type::Dyn, |checked| checked.result_type().clone());
    let mut context = EvalContext::counting(Budget::default(), u64::MAX);
    let program = environment.plan_counting(&parsed.ast, checked.as_ref(), Prices::Reference);
    let outcome = program.and_then(|program| program.evaluate_with(&world.bindings, &mut context));
    match outcome {
        Ok(value) => {
            anstream::println!("{BOLD}{}{RESET}", literal(&value));
            anstream::println!("{DIM}type {ty}, cost {}{RESET}", context.cost());
            Some((ty, value))
        }
        Err(error) => {
            print_error(text, &error);
            None
        }
    }
}

/// Prints the type of an expression.
pub fn describe(world: &World, text: &str) {
    let parsed = world.environment.parse(text);
    if !parsed.errors.is_empty() {
        return print_issues(text, &parsed.errors, 0);
    }
    let checked = world.environment.check(&parsed.ast);
    if checked.errors.is_empty() {
        anstream::println!("{BOLD}{}{RESET}", checked.result_type());
    } else {
        print_issues(text, &checked.errors, checked.truncated);
    }
}

fn print_issues(text: &str, issues: &[Issue], truncated: usize) {
    anstream::eprintln!("{}", render(text, issues, truncated).replace("ERROR:", &format!("{ERROR}ERROR:{RESET}")));
    for suggestion in issues.iter().filter_map(|issue| issue.suggestion.as_ref()) {
        anstream::eprintln!("did you mean {BOLD}{suggestion}{RESET}?");
    }
}

fn print_error(text: &str, error: &EvalError) {
    match error.span() {
        Some(span) => {
            let at = span.start;
            print_issues(text, &[Issue::new(IssueKind::Argument, span, at, error.message())], 0);
        }
        None => anstream::eprintln!("{ERROR}ERROR:{RESET} {}", error.message()),
    }
    if let Some(path) = error.path().filter(|_| error.is_unavailable()) {
        anstream::eprintln!("{path} is not there");
    }
}
