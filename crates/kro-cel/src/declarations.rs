//! The declaration table: one description of every function for checker, evaluator and tools, so they cannot drift apart.
//!
//! A library is a table of [`FunctionDecl`]s with their implementations, plus macros and types. Overloads are tried in the
//! order in which they are declared; that order shows in the types that `dyn` arguments lead to.

use std::sync::Arc;

use kro_value::Str;

use crate::ast::Literal;
pub use crate::cost::{Cost, Tracked};
use crate::eval::{EvalContext, EvalError};
use crate::macros::Macro;
use crate::provider::ObjectTypes;
use crate::types::Type;
use crate::value::CelValue;

/// The code of an overload. A receiver is the first argument. The evaluator calls it only with arguments whose run-time
/// types fit the declared parameters, unless the function is declared [`FunctionDecl::catch_all`].
pub type Implementation = fn(&mut EvalContext, &[CelValue]) -> Result<CelValue, EvalError>;

/// One signature of a function.
#[derive(Clone, Debug)]
pub struct OverloadDecl {
    /// The name of the overload in the whole environment: `add_int64`.
    pub id: Str,
    /// True when the first parameter is the receiver: `s.size()`.
    pub member: bool,
    /// The parameters; the receiver first.
    pub params: Vec<Type>,
    /// The result.
    pub result: Type,
    /// The code; a declaration without it can be checked but not evaluated.
    pub implementation: Option<Implementation>,
    /// The cost of a call.
    pub cost: Cost,
    /// What the reference counts for a call.
    pub tracked: Tracked,
    /// True when the signature has type parameters.
    pub(crate) is_generic: bool,
}

impl OverloadDecl {
    /// An overload that is called as `f(a, b)`.
    pub fn global(id: &'static str, params: impl IntoIterator<Item = Type>, result: Type) -> Self {
        Self::new(Str::new_static(id), false, params, result)
    }

    /// An overload that is called as `a.f(b)`; the receiver is the first parameter.
    pub fn member(id: &'static str, params: impl IntoIterator<Item = Type>, result: Type) -> Self {
        Self::new(Str::new_static(id), true, params, result)
    }

    /// An overload with a name that is not known when this program is built.
    pub fn new(id: Str, member: bool, params: impl IntoIterator<Item = Type>, result: Type) -> Self {
        let params: Vec<Type> = params.into_iter().collect();
        let is_generic = params.iter().chain([&result]).any(Type::has_param);
        Self {
            is_generic,
            id,
            member,
            params,
            result,
            implementation: None,
            cost: Cost::One,
            tracked: Tracked::AsEstimated,
        }
    }

    /// Adds the code.
    #[must_use]
    pub fn with(mut self, implementation: Implementation) -> Self {
        self.implementation = Some(implementation);
        self
    }

    /// Sets the cost.
    #[must_use]
    pub fn costs(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Sets what the reference counts where that is not the cost.
    #[must_use]
    pub fn tracked(mut self, tracked: Tracked) -> Self {
        self.tracked = tracked;
        self
    }
}

/// A function: a name and its overloads in the order of resolution.
#[derive(Clone, Debug)]
pub struct FunctionDecl {
    /// The full name: `size`, `_+_`, `base64.encode`.
    pub name: Str,
    /// The signatures, at least one, none equal to another in id.
    pub overloads: Vec<OverloadDecl>,
    /// True when one code serves all overloads and looks at its arguments itself (equality, for example): the evaluator
    /// then calls the first overload's code with arguments of any type.
    pub catch_all: bool,
}

impl FunctionDecl {
    /// A function of a library.
    pub fn new(name: &'static str, overloads: impl IntoIterator<Item = OverloadDecl>) -> Self {
        Self { name: Str::new_static(name), overloads: overloads.into_iter().collect(), catch_all: false }
    }

    /// A function with a name that is not known when this program is built.
    pub fn named(name: Str, overloads: impl IntoIterator<Item = OverloadDecl>) -> Self {
        Self { name, overloads: overloads.into_iter().collect(), catch_all: false }
    }

    /// Declares that the first overload's code takes arguments of any type.
    #[must_use]
    pub fn catch_all(mut self) -> Self {
        self.catch_all = true;
        self
    }
}

/// A variable, or a constant with its value.
#[derive(Clone, Debug)]
pub struct VariableDecl {
    /// The name, which may have dots.
    pub name: Str,
    /// The type.
    pub ty: Type,
    /// The value, if it is a constant.
    pub value: Option<Literal>,
}

impl VariableDecl {
    /// A variable whose value comes with each evaluation.
    pub fn new(name: impl Into<Str>, ty: Type) -> Self {
        Self { name: name.into(), ty, value: None }
    }

    /// A constant.
    pub fn constant(name: impl Into<Str>, ty: Type, value: Literal) -> Self {
        Self { name: name.into(), ty, value: Some(value) }
    }
}

/// A check of literal arguments after the type check, such as that of `string.format`. It sees the call's node.
pub type Validator = fn(&crate::ast::Ast, &crate::checker::Checked, crate::ast::ExprId) -> Vec<crate::Issue>;

/// A set of functions, macros, variables and types that an environment can take in.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// The name, unique in an environment: `strings`.
    pub name: &'static str,
    /// The functions.
    pub functions: Vec<Arc<FunctionDecl>>,
    /// The macros.
    pub macros: Vec<Macro>,
    /// Variables and constants.
    pub variables: Vec<VariableDecl>,
    /// Names of types that can be used as values (`type(x) == net.IP`), and the types.
    pub types: Vec<(&'static str, Type)>,
    /// True for the library that the optional syntax (`a.?b`) belongs to.
    pub optional_syntax: bool,
    /// Types with fields.
    pub objects: ObjectTypes,
    /// Checks by function name.
    pub validators: Vec<(&'static str, Validator)>,
}

impl Library {
    /// A library with functions only.
    pub fn new(name: &'static str, functions: impl IntoIterator<Item = FunctionDecl>) -> Self {
        Self { name, functions: functions.into_iter().map(Arc::new).collect(), ..Self::default() }
    }

    /// Adds macros.
    #[must_use]
    pub fn with_macros(mut self, macros: impl IntoIterator<Item = Macro>) -> Self {
        self.macros.extend(macros);
        self
    }

    /// Adds a type that can be used as a value.
    #[must_use]
    pub fn with_type(mut self, name: &'static str, ty: Type) -> Self {
        self.types.push((name, ty));
        self
    }

    /// Adds a variable or a constant.
    #[must_use]
    pub fn with_variable(mut self, variable: VariableDecl) -> Self {
        self.variables.push(variable);
        self
    }

    /// Turns on the optional syntax.
    #[must_use]
    pub fn with_optional_syntax(mut self) -> Self {
        self.optional_syntax = true;
        self
    }

    /// Adds types with fields.
    #[must_use]
    pub fn with_objects(mut self, objects: ObjectTypes) -> Self {
        self.objects.extend(&objects);
        self
    }

    /// Adds a check of literal arguments.
    #[must_use]
    pub fn with_validator(mut self, function: &'static str, validator: Validator) -> Self {
        self.validators.push((function, validator));
        self
    }
}
