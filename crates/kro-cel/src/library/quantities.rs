use std::sync::Arc;

use kro_value::Quantity;

use super::{Outcome, function, method};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::value::{CelValue, Opaque};

/// The quantities of Kubernetes.
pub fn quantities() -> Library {
    Library::new(
        "kubernetes.quantity",
        [
            function(
                "quantity",
                [("string_to_quantity(string) -> kubernetes.Quantity ~ walk 0 | one", parse as Implementation)],
            ),
            function(
                "isQuantity",
                [("is_quantity_string(string) -> bool ~ walk 0 | one", is_quantity as Implementation)],
            ),
            function(
                "sign",
                [(
                    "quantity_sign(kubernetes.Quantity) -> int",
                    (|_, args| unary(args, |quantity| Ok(CelValue::Int(quantity.sign())))) as Implementation,
                )],
            ),
            comparison(
                "isGreaterThan",
                "quantity_is_greater_than(kubernetes.Quantity, kubernetes.Quantity) -> bool",
                |_, args| binary(args, |left, right| CelValue::Bool(left.compare(right).is_gt())),
            ),
            comparison("isLessThan", "quantity_is_less_than(kubernetes.Quantity, kubernetes.Quantity) -> bool", {
                |_, args| binary(args, |left, right| CelValue::Bool(left.compare(right).is_lt()))
            }),
            comparison("compareTo", "quantity_compare_to(kubernetes.Quantity, kubernetes.Quantity) -> int", {
                |_, args| binary(args, |left, right| CelValue::Int(left.compare(right) as i64))
            }),
            method(
                "asApproximateFloat",
                [(
                    "quantity_get_float(kubernetes.Quantity) -> double",
                    (|_, args| unary(args, |quantity| Ok(CelValue::Double(quantity.as_f64())))) as Implementation,
                )],
            ),
            method("asInteger", [("quantity_get_int(kubernetes.Quantity) -> int", as_integer as Implementation)]),
            method(
                "isInteger",
                [(
                    "quantity_is_integer(kubernetes.Quantity) -> bool",
                    (|_, args| unary(args, |quantity| Ok(CelValue::Bool(quantity.as_i64().is_some()))))
                        as Implementation,
                )],
            ),
            method(
                "add",
                [
                    (
                        "quantity_add(kubernetes.Quantity, kubernetes.Quantity) -> kubernetes.Quantity",
                        add as Implementation,
                    ),
                    ("quantity_add_int(kubernetes.Quantity, int) -> kubernetes.Quantity", add),
                ],
            ),
            method(
                "sub",
                [
                    (
                        "quantity_sub(kubernetes.Quantity, kubernetes.Quantity) -> kubernetes.Quantity",
                        sub as Implementation,
                    ),
                    ("quantity_sub_int(kubernetes.Quantity, int) -> kubernetes.Quantity", sub),
                ],
            ),
        ],
    )
}

fn comparison(name: &'static str, signature: &'static str, code: Implementation) -> crate::FunctionDecl {
    method(name, [(signature, code)])
}

fn quantity(value: Quantity) -> CelValue {
    CelValue::Opaque(Opaque::Quantity(Arc::new(value)))
}

fn parse(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64)?;
    context.allocate(64 + text.len())?;
    Quantity::parse(text).map(quantity).map_err(|error| EvalError::new(ErrorKind::TypeConversion, error.to_string()))
}

fn is_quantity(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64)?;
    Ok(CelValue::Bool(Quantity::parse(text).is_ok()))
}

fn unary(args: &[CelValue], code: fn(&Quantity) -> Outcome) -> Outcome {
    let [CelValue::Opaque(Opaque::Quantity(value))] = args else { return Err(EvalError::no_overload()) };
    code(value)
}

fn binary(args: &[CelValue], code: fn(&Quantity, &Quantity) -> CelValue) -> Outcome {
    let [CelValue::Opaque(Opaque::Quantity(left)), CelValue::Opaque(Opaque::Quantity(right))] = args else {
        return Err(EvalError::no_overload());
    };
    Ok(code(left, right))
}

fn as_integer(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    unary(args, |quantity| {
        let problem = || EvalError::new(ErrorKind::TypeConversion, "cannot convert value to integer");
        quantity.as_i64().map(CelValue::Int).ok_or_else(problem)
    })
}

fn combine(context: &mut EvalContext, args: &[CelValue], code: fn(&Quantity, &Quantity) -> Quantity) -> Outcome {
    context.allocate(256)?;
    match args {
        [CelValue::Opaque(Opaque::Quantity(left)), CelValue::Opaque(Opaque::Quantity(right))] => {
            Ok(quantity(code(left, right)))
        }
        [CelValue::Opaque(Opaque::Quantity(left)), CelValue::Int(right)] => {
            Ok(quantity(code(left, &Quantity::from_int(*right))))
        }
        _ => Err(EvalError::no_overload()),
    }
}

fn add(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    combine(context, args, Quantity::add)
}

fn sub(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    combine(context, args, Quantity::sub)
}
