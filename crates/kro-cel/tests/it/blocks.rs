//! The macros that the specification's tests of `cel.block` need: `cel.block`, `cel.index`, `cel.iterVar`, `cel.accuVar`.

use kro_cel::ast::{ExprId, ExprKind, Literal};
use kro_cel::macros::{ANY_ARITY, Macro};
use kro_cel::{FunctionDecl, Issue, Library};

type Expander<'p> = kro_cel::Expander<'p>;
type Expanded = Result<Option<ExprId>, Issue>;

pub fn library() -> Library {
    let on_cel = |name, arity, expand| Macro { name, receiver: true, arity, expand };
    Library::new("block", Vec::<FunctionDecl>::new()).with_macros([
        on_cel("block", 2, block),
        on_cel("index", 1, index),
        on_cel("iterVar", ANY_ARITY, iteration),
        on_cel("accuVar", ANY_ARITY, accumulator),
    ])
}

fn is_cel(expander: &Expander<'_>, target: Option<ExprId>) -> bool {
    target.and_then(|target| expander.ident_of(target)).as_deref() == Some("cel")
}

fn numbers(expander: &Expander<'_>, args: &[ExprId]) -> Vec<i64> {
    let number = |id: &ExprId| match expander.kind(*id) {
        ExprKind::Literal(Literal::Int(value)) => *value,
        other => panic!("a number and not {other:?}"),
    };
    args.iter().map(number).collect()
}

/// The expressions become bindings, the first outermost.
fn block(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    if !is_cel(expander, target) {
        return Ok(None);
    }
    let ExprKind::List { elements, .. } = expander.kind(args[0]).clone() else { return Ok(None) };
    let bound = elements.into_iter().enumerate().rev();
    let result = bound.fold(args[1], |inner, (at, value)| expander.bind(format!("@index{at}").into(), value, inner));
    Ok(Some(result))
}

fn index(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    if !is_cel(expander, target) {
        return Ok(None);
    }
    let at = numbers(expander, args)[0];
    Ok(Some(expander.ident(&format!("@index{at}"))))
}

fn iteration(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    named(expander, target, args, "@it")
}

fn accumulator(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    named(expander, target, args, "@ac")
}

fn named(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId], prefix: &str) -> Expanded {
    if !is_cel(expander, target) {
        return Ok(None);
    }
    let numbers: Vec<String> = numbers(expander, args).iter().map(i64::to_string).collect();
    Ok(Some(expander.ident(&format!("{prefix}:{}", numbers.join(":")))))
}
