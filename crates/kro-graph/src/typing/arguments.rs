//! Literal arguments that a function refuses: such a call fails for every instance.

use std::ops::Range;

use kro_cel::ast::{Ast, ExprId, ExprKind, Literal};
use kro_cel::eval::{Budget, ErrorKind};

use crate::environment::base;

/// Functions that take a regular expression as their first argument.
const PATTERN_FUNCTIONS: &[&str] = &["matches", "find", "findAll"];

/// What one such call may do.
const BUDGET: Budget = Budget { steps: 10_000, bytes: 64 << 10 };

/// A call that can only fail, and why.
pub(super) struct Problem {
    pub message: String,
    /// Bytes of the parsed text.
    pub span: Range<usize>,
}

/// The calls of an expression, without errors otherwise, that fail whatever its variables are.
pub(super) fn problems(ast: &Ast) -> Vec<Problem> {
    let mut found = Vec::new();
    ast.walk(|id| {
        if let Some((text, blamed)) = constant_text(ast, id)
            && let Some(why) = failure(&text)
        {
            let message = format!("{} can never be evaluated: {why}", ast.text_of(id));
            found.push(Problem { message, span: ast.span(blamed) });
        }
    });
    found
}

/// The text to evaluate for a call with literal arguments, and the part of it to point at.
fn constant_text(ast: &Ast, id: ExprId) -> Option<(String, ExprId)> {
    let ExprKind::Call { target, function, args } = ast.kind(id) else { return None };
    if let (Some(_), true, Some(pattern)) = (target, PATTERN_FUNCTIONS.contains(&function.as_str()), args.first())
        && matches!(ast.kind(*pattern), ExprKind::Literal(Literal::String(_)))
    {
        return Some((format!("\"\".matches({})", ast.text_of(*pattern)), *pattern));
    }
    let is_constant = function != "omit" && target.iter().chain(args).all(|part| is_literal(ast, *part));
    is_constant.then(|| (ast.text_of(id).to_owned(), id))
}

/// A literal, or a list of literals.
fn is_literal(ast: &Ast, id: ExprId) -> bool {
    match ast.kind(id) {
        ExprKind::Literal(_) => true,
        ExprKind::List { elements, .. } => {
            elements.iter().all(|element| matches!(ast.kind(*element), ExprKind::Literal(_)))
        }
        _ => false,
    }
}

fn failure(text: &str) -> Option<String> {
    let parsed = base().parse(text);
    if !parsed.errors.is_empty() {
        return None; // the span of a macro is not its text
    }
    let error = match base().plan(&parsed.ast, None) {
        Ok(program) => program.evaluate(&(), &BUDGET).err()?,
        Err(error) => error,
    };
    let is_certain =
        !matches!(error.kind(), ErrorKind::BudgetExceeded | ErrorKind::NoSuchAttribute | ErrorKind::NoOverload);
    is_certain.then(|| error.to_string())
}
