use std::cmp::Ordering;
use std::sync::Arc;

use super::{Outcome, function, method};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::value::{CelValue, Opaque, Semver};

/// Semantic versions of Kubernetes, with the normalizing forms.
pub fn semvers() -> Library {
    Library::new(
        "kubernetes.Semver",
        [
            function(
                "semver",
                [("string_to_semver(string) -> kubernetes.Semver ~ walk 0 | one", parse as Implementation)],
            ),
            function("isSemver", [("is_semver_string(string) -> bool ~ walk 0 | one", is_semver as Implementation)]),
            method(
                "isGreaterThan",
                [(
                    "semver_is_greater_than(kubernetes.Semver, kubernetes.Semver) -> bool",
                    (|_, args| compared(args, |order| CelValue::Bool(order.is_gt()))) as Implementation,
                )],
            ),
            method(
                "isLessThan",
                [(
                    "semver_is_less_than(kubernetes.Semver, kubernetes.Semver) -> bool",
                    (|_, args| compared(args, |order| CelValue::Bool(order.is_lt()))) as Implementation,
                )],
            ),
            method(
                "compareTo",
                [(
                    "semver_compare_to(kubernetes.Semver, kubernetes.Semver) -> int",
                    (|_, args| compared(args, |order| CelValue::Int(order as i64))) as Implementation,
                )],
            ),
            method(
                "major",
                [(
                    "semver_major(kubernetes.Semver) -> int",
                    (|_, args| number(args, |version| version.major)) as Implementation,
                )],
            ),
            method(
                "minor",
                [(
                    "semver_minor(kubernetes.Semver) -> int",
                    (|_, args| number(args, |version| version.minor)) as Implementation,
                )],
            ),
            method(
                "patch",
                [(
                    "semver_patch(kubernetes.Semver) -> int",
                    (|_, args| number(args, |version| version.patch)) as Implementation,
                )],
            ),
        ],
    )
}

fn parse(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64 / 8)?;
    context.allocate(128 + 2 * text.len())?;
    Semver::parse(text)
        .map(|version| CelValue::Opaque(Opaque::Semver(Arc::new(version))))
        .map_err(|problem| EvalError::new(ErrorKind::TypeConversion, problem))
}

fn is_semver(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64 / 8)?;
    Ok(CelValue::Bool(Semver::parse(text).is_ok()))
}

fn compared(args: &[CelValue], code: fn(Ordering) -> CelValue) -> Outcome {
    let [CelValue::Opaque(Opaque::Semver(left)), CelValue::Opaque(Opaque::Semver(right))] = args else {
        return Err(EvalError::no_overload());
    };
    Ok(code(left.compare(right)))
}

fn number(args: &[CelValue], part: fn(&Semver) -> u64) -> Outcome {
    let [CelValue::Opaque(Opaque::Semver(version))] = args else { return Err(EvalError::no_overload()) };
    // as in the reference, numbers beyond the range of integers turn over
    Ok(CelValue::Int(part(version).cast_signed()))
}
