//! Functions: the standard library, cel-go's extensions, the libraries of Kubernetes and kro's own.
//!
//! Every table lists overloads by id and signature in the order of the reference implementation, because that order
//! decides the types that `dyn` arguments lead to.

mod aggregates;
mod arithmetic;
mod collections;
mod comparisons;
mod conversions;
mod encoders;
mod formats;
mod formatting;
mod hashes;
mod json;
mod kubernetes_lists;
mod lists;
mod math;
mod networks;
mod optionals;
mod quantities;
mod quoted;
mod regex_extraction;
mod regex_syntax;
mod regexes;
mod runtime;
mod semvers;
mod sets;
mod signature;
mod strings;
mod timestamps;
mod urls;

use crate::ast::Literal;
use crate::declarations::{FunctionDecl, Library, OverloadDecl, VariableDecl};
use crate::environment::Environment;
use crate::eval::{EvalContext, EvalError, Implementation};
use crate::macros;
use crate::provider::ObjectTypes;
use crate::types::Type;
use crate::value::CelValue;
use crate::well_known;

pub(crate) use arithmetic::{add, divide, modulo, multiply, subtract};
pub use collections::collections;
pub(crate) use comparisons::{contains_item, equality, order};
pub use conversions::double_text;
pub use encoders::encoders;
pub use formats::formats;
pub(crate) use formatting::{display, display_within_bounds, plain_pieces};
pub use hashes::hashes;
pub use json::json;
pub(crate) use json::{native_problem, to_json_value};
pub use kubernetes_lists::kubernetes_lists;
pub use lists::{bindings, lists, two_variable_comprehensions};
pub use math::math;
pub use networks::{cidrs, ips, network};
pub use optionals::optionals;
pub use quantities::quantities;
pub(crate) use quoted::quote;
pub use regex_extraction::regex;
pub use regexes::kubernetes_regex;
pub(crate) use regexes::{compile as compile_regex, find_all_with, find_with, held, matches_with};
pub use runtime::{omit, runtime};
pub use semvers::semvers;
pub use sets::sets;
pub use strings::strings;
pub use urls::urls;

type Outcome = Result<CelValue, EvalError>;

/// A function whose overloads each have their own code.
fn function<const N: usize>(name: &'static str, overloads: [(&'static str, Implementation); N]) -> FunctionDecl {
    FunctionDecl::new(name, overloads.map(|(signature, code)| global(signature).with(code)))
}

/// A function called on a receiver, whose overloads each have their own code.
fn method<const N: usize>(name: &'static str, overloads: [(&'static str, Implementation); N]) -> FunctionDecl {
    FunctionDecl::new(name, overloads.map(|(signature, code)| member(signature).with(code)))
}

/// A function with one code that looks at its arguments itself.
fn catch_all(name: &'static str, code: Implementation, overloads: Vec<OverloadDecl>) -> FunctionDecl {
    FunctionDecl::new(name, overloads.into_iter().map(|overload| overload.with(code))).catch_all()
}

/// Many overloads that are called without a receiver.
fn globals<const N: usize>(signatures: [&'static str; N]) -> Vec<OverloadDecl> {
    signatures.map(global).into()
}

/// Many overloads that are called on a receiver.
fn members<const N: usize>(signatures: [&'static str; N]) -> Vec<OverloadDecl> {
    signatures.map(member).into()
}

fn global(signature: &'static str) -> OverloadDecl {
    signature::parse(signature, false)
}

fn member(signature: &'static str) -> OverloadDecl {
    signature::parse(signature, true)
}

/// `no such overload: FUNCTION`, which functions with one code for all types say.
fn no_overload(function: &str) -> EvalError {
    EvalError::new(crate::eval::ErrorKind::NoOverload, format!("no such overload: {function}"))
}

/// A string that a function made, charged to the budget.
fn new_string(context: &mut EvalContext, text: String) -> Outcome {
    context.allocate(text.len())?;
    Ok(CelValue::String(text.into()))
}

/// The operators, functions and conversions of the language itself.
pub fn standard() -> Library {
    let mut functions = arithmetic::functions();
    functions.extend(comparisons::functions());
    functions.extend(aggregates::functions());
    functions.extend(conversions::functions());
    functions.extend(timestamps::functions());
    let mut library = Library::new("standard", functions).with_macros(macros::STANDARD);
    for (name, ty) in standard_types() {
        library = library.with_type(name, ty);
    }
    for message in &well_known::MESSAGES {
        library = library.with_type(message.name, message.ty());
    }
    let mut objects = ObjectTypes::new();
    objects.insert("google.protobuf.Empty", [], false);
    library.with_objects(objects).with_variable(VariableDecl::constant(
        "google.protobuf.NullValue.NULL_VALUE",
        Type::Int,
        Literal::Int(0),
    ))
}

/// The names that stand for types.
fn standard_types() -> [(&'static str, Type); 10] {
    [
        ("bool", Type::Bool),
        ("bytes", Type::Bytes),
        ("double", Type::Double),
        ("int", Type::Int),
        ("list", Type::list(Type::Dyn)),
        ("map", Type::map(Type::Dyn, Type::Dyn)),
        ("null_type", Type::Null),
        ("string", Type::String),
        ("type", Type::Type(None)),
        ("uint", Type::Uint),
    ]
}

/// All libraries of kro's expressions, in the order in which the reference registers them.
pub fn kro() -> Vec<Library> {
    vec![
        standard(),
        two_variable_comprehensions(),
        lists(),
        strings(),
        bindings(),
        optionals(),
        encoders(),
        kubernetes_lists(),
        urls(),
        kubernetes_regex(),
        quantities(),
        ips(),
        cidrs(),
        semvers(),
        hashes(),
        json(),
        collections(),
        omit(),
        runtime(),
    ]
}

/// The environment of kro's expressions, without the variables of a graph.
pub fn kro_environment() -> Environment {
    let libraries = kro();
    let builder = libraries.iter().fold(Environment::builder(), |builder, library| builder.library(library));
    builder.optional_syntax(true).build()
}

/// The environment of the validation rules of CustomResourceDefinitions, without `self` and `oldSelf`.
pub fn kubernetes_environment() -> Environment {
    let libraries = kubernetes();
    let builder = libraries.iter().fold(Environment::builder(), |builder, library| builder.library(library));
    builder.optional_syntax(true).cross_type_numeric_comparisons(true).build()
}

/// The libraries of Kubernetes' own expressions.
pub fn kubernetes() -> Vec<Library> {
    vec![
        standard(),
        strings(),
        sets(),
        optionals(),
        two_variable_comprehensions(),
        lists(),
        kubernetes_lists(),
        urls(),
        kubernetes_regex(),
        quantities(),
        ips(),
        cidrs(),
        formats(),
        semvers(),
        math(),
    ]
}

/// The libraries that the tests of the specification need.
pub fn extended() -> Vec<Library> {
    vec![
        standard(),
        strings(),
        math(),
        encoders(),
        sets(),
        bindings(),
        lists(),
        two_variable_comprehensions(),
        optionals(),
        regex(),
        network(),
    ]
}
