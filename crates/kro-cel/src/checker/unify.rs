//! Unification: which types may stand in for which, and what that says about types not known yet.
//!
//! The rules are those of cel-go, with all their asymmetries: they show in the types that users see. Bindings of type
//! variables are undone by a log when an attempt fails, instead of being copied before it.

use std::sync::Arc;

use crate::environment::Environment;
use crate::types::{Opaque, Type};

/// What is known about type variables.
#[derive(Debug, Default)]
pub(super) struct Substitution {
    bindings: Vec<Option<Type>>,
    undo: Vec<(u32, Option<Type>)>,
}

impl Substitution {
    /// A type that is not known yet.
    #[allow(clippy::cast_possible_truncation)] // a few per node
    pub fn fresh(&mut self) -> Type {
        self.bindings.push(None);
        Type::Variable(self.bindings.len() as u32 - 1)
    }

    fn binding(&self, variable: u32) -> Option<&Type> {
        self.bindings.get(variable as usize)?.as_ref()
    }

    fn bind(&mut self, variable: u32, ty: Type) {
        let old = self.bindings[variable as usize].replace(ty);
        self.undo.push((variable, old));
    }

    /// Whether a value of type `from` may stand where `to` is wanted; if so, what follows for variables is kept.
    pub fn assign(&mut self, from: &Type, to: &Type) -> bool {
        self.attempt(|substitution| substitution.assignable(from, to))
    }

    /// The same for lists of types, all or nothing.
    pub fn assign_all(&mut self, from: &[Type], to: &[Type]) -> bool {
        self.attempt(|substitution| substitution.all_assignable(from, to))
    }

    /// The same for the parameters of an overload, of which only those are made that are looked at.
    pub fn assign_instance(&mut self, from: &[Type], params: &[Type], instance: &mut Instance) -> bool {
        from.len() == params.len()
            && self.attempt(|substitution| {
                from.iter().zip(params).all(|(from, param)| {
                    may_fit(from, param) && {
                        let to = instance.apply(param, substitution);
                        substitution.assignable(from, &to)
                    }
                })
            })
    }

    fn attempt(&mut self, body: impl FnOnce(&mut Self) -> bool) -> bool {
        let fits = body(self);
        while let Some((variable, old)) = self.undo.pop() {
            if !fits {
                self.bindings[variable as usize] = old;
            }
        }
        fits
    }

    fn all_assignable(&mut self, from: &[Type], to: &[Type]) -> bool {
        from.len() == to.len() && from.iter().zip(to).all(|(from, to)| self.assignable(from, to))
    }

    fn assignable(&mut self, from: &Type, to: &Type) -> bool {
        if let Type::Variable(variable) = to {
            match self.substitute_for(from, *variable) {
                Fit::Yes => return true,
                Fit::Conflict => return false,
                Fit::Unbound => {} // the other way round may do
            }
        }
        if let Type::Variable(variable) = from {
            return matches!(self.substitute_for(to, *variable), Fit::Yes);
        }
        if is_dyn_or_error(from) || is_dyn_or_error(to) {
            return true;
        }
        match (from, to) {
            (Type::Null, other) | (other, Type::Null) => takes_null(other),
            (Type::Type(_), Type::Type(_)) => true,
            (Type::List(from), Type::List(to)) => Arc::ptr_eq(from, to) || self.assignable(from, to),
            (Type::Map(from), Type::Map(to)) if Arc::ptr_eq(from, to) => true,
            (Type::Map(from), Type::Map(to)) => self.assignable(&from.0, &to.0) && self.assignable(&from.1, &to.1),
            (Type::Opaque(from), Type::Opaque(to)) => {
                from.name == to.name && self.all_assignable(&from.params, &to.params)
            }
            (from, to) => unwrapped(from) == unwrapped(to),
        }
    }

    /// Whether the variable may stand for the type.
    fn substitute_for(&mut self, ty: &Type, variable: u32) -> Fit {
        if *ty == Type::Variable(variable) {
            return Fit::Yes;
        }
        let Some(bound) = self.binding(variable).cloned() else {
            if self.occurs(variable, ty) {
                return Fit::Unbound;
            }
            self.bind(variable, ty.clone());
            return Fit::Yes;
        };
        if exact(ty, &bound) {
            return Fit::Yes;
        }
        if !self.assignable(ty, &bound) {
            return Fit::Conflict;
        }
        let general = most_general(ty, &bound).clone();
        if !self.occurs(variable, &general) {
            self.bind(variable, general);
        }
        Fit::Yes
    }

    /// The occurs check: whether the variable is part of the type it would stand for.
    fn occurs(&self, variable: u32, within: &Type) -> bool {
        match within {
            Type::Variable(other) if *other == variable => true,
            Type::Variable(other) => self.binding(*other).is_some_and(|bound| self.occurs(variable, bound)),
            Type::Map(entry) => self.occurs(variable, &entry.0) || self.occurs(variable, &entry.1),
            other => other.params().iter().any(|param| self.occurs(variable, param)),
        }
    }

    /// The type with all known variables replaced.
    pub fn apply(&self, ty: &Type) -> Type {
        self.replace(ty, false)
    }

    /// The types without any variables: what is not known is `dyn`. Of equal types one is kept: that of the environment,
    /// if it has one.
    pub fn finish_all(&self, mut types: Vec<Type>, environment: &Environment) -> Vec<Type> {
        let mut own: Vec<Type> = Vec::new();
        for ty in &mut types {
            if let Some(finished) = self.replaced(ty, true) {
                *ty = finished;
            }
            if !ty.is_compound() {
                continue;
            }
            match own.iter().find(|known| *known == ty) {
                Some(known) => ty.clone_from(known),
                None => {
                    if let Some(known) = environment.interned(ty) {
                        ty.clone_from(known);
                    }
                    own.push(ty.clone());
                }
            }
        }
        types
    }

    /// The type without any variables: what is not known is `dyn`.
    pub fn finish(&self, ty: &Type) -> Type {
        self.replace(ty, true)
    }

    fn replace(&self, ty: &Type, finish: bool) -> Type {
        self.replaced(ty, finish).unwrap_or_else(|| ty.clone())
    }

    /// The type with variables replaced; `None` where there are none, so that it stays the type that it is.
    fn replaced(&self, ty: &Type, finish: bool) -> Option<Type> {
        Some(match ty {
            Type::Variable(variable) => match self.binding(*variable) {
                Some(bound) => self.replace(bound, finish),
                None if finish => Type::Dyn,
                None => return None,
            },
            Type::Param(_) if finish => Type::Dyn,
            Type::List(element) => Type::list(self.replaced(element, finish)?),
            Type::Map(entry) => match (self.replaced(&entry.0, finish), self.replaced(&entry.1, finish)) {
                (None, None) => return None,
                (key, value) => {
                    Type::map(key.unwrap_or_else(|| entry.0.clone()), value.unwrap_or_else(|| entry.1.clone()))
                }
            },
            Type::Type(Some(inner)) => Type::type_of(self.replaced(inner, finish)?),
            Type::Opaque(opaque) => {
                let changed = opaque.params.iter().position(|param| self.replaced(param, finish).is_some())?;
                let params = opaque.params.iter().enumerate().map(|(at, param)| match at < changed {
                    true => param.clone(),
                    false => self.replace(param, finish),
                });
                Type::Opaque(Arc::new(Opaque { name: opaque.name.clone(), params: params.collect() }))
            }
            _ => return None,
        })
    }
}

enum Fit {
    Yes,
    /// The variable stands for something else already.
    Conflict,
    /// The type contains the variable.
    Unbound,
}

/// False for what is plainly no list or map where one is wanted.
fn may_fit(from: &Type, param: &Type) -> bool {
    let is_open = || is_dyn_or_error(from) || matches!(from, Type::Variable(_));
    match param {
        Type::List(_) => matches!(from, Type::List(_)) || is_open(),
        Type::Map(_) => matches!(from, Type::Map(_)) || is_open(),
        _ => true,
    }
}

fn is_dyn_or_error(ty: &Type) -> bool {
    ty.is_dyn() || ty.is_error()
}

/// Types whose values may be null.
fn takes_null(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Null
            | Type::Opaque(_)
            | Type::Object(_)
            | Type::Duration
            | Type::Timestamp
            | Type::Wrapper(_)
            | Type::Any
    )
}

fn unwrapped(ty: &Type) -> &Type {
    if let Type::Wrapper(scalar) = ty { scalar } else { ty }
}

/// Whether two types are the same; whether a scalar may be null makes no difference.
pub(super) fn exact(left: &Type, right: &Type) -> bool {
    match (unwrapped(left), unwrapped(right)) {
        (Type::List(left), Type::List(right)) => Arc::ptr_eq(left, right) || exact(left, right),
        (Type::Map(left), Type::Map(right)) => {
            Arc::ptr_eq(left, right) || exact(&left.0, &right.0) && exact(&left.1, &right.1)
        }
        (left, right) => left == right,
    }
}

/// The more general of two types that go together.
pub(super) fn most_general<'t>(left: &'t Type, right: &'t Type) -> &'t Type {
    if is_equal_or_less_specific(left, right) { left } else { right }
}

fn is_equal_or_less_specific(left: &Type, right: &Type) -> bool {
    let is_open = |ty: &Type| ty.is_dyn() || matches!(ty, Type::Variable(_) | Type::Param(_));
    if is_open(left) || is_open(right) {
        return is_open(left);
    }
    match (left, right) {
        (Type::List(left), Type::List(right)) => is_equal_or_less_specific(left, right),
        (Type::Map(left), Type::Map(right)) => {
            is_equal_or_less_specific(&left.0, &right.0) && is_equal_or_less_specific(&left.1, &right.1)
        }
        (Type::Type(_), Type::Type(_)) => true,
        (Type::Opaque(left), Type::Opaque(right)) => {
            let mut params = left.params.iter().zip(&right.params);
            left.name == right.name
                && left.params.len() == right.params.len()
                && params.all(|(left, right)| is_equal_or_less_specific(left, right))
        }
        (left, right) => exact(left, right),
    }
}

/// Replaces the type parameters of declarations by variables, the same parameter by the same variable.
#[derive(Debug, Default)]
pub(super) struct Instance {
    params: Vec<(Arc<str>, Type)>,
}

impl Instance {
    pub fn apply(&mut self, ty: &Type, substitution: &mut Substitution) -> Type {
        match ty {
            Type::Param(name) => self.variable(name, substitution),
            Type::List(element) if element.has_param() => Type::list(self.apply(element, substitution)),
            Type::Map(entry) if entry.0.has_param() || entry.1.has_param() => {
                let key = self.apply(&entry.0, substitution);
                Type::map(key, self.apply(&entry.1, substitution))
            }
            Type::Type(Some(inner)) if inner.has_param() => Type::type_of(self.apply(inner, substitution)),
            Type::Opaque(opaque) if opaque.params.iter().any(Type::has_param) => {
                let params = opaque.params.iter().map(|param| self.apply(param, substitution)).collect();
                Type::Opaque(Arc::new(Opaque { name: opaque.name.clone(), params }))
            }
            other => other.clone(),
        }
    }

    fn variable(&mut self, name: &Arc<str>, substitution: &mut Substitution) -> Type {
        if let Some((_, variable)) = self.params.iter().find(|(known, _)| known == name) {
            return variable.clone();
        }
        let variable = substitution.fresh();
        self.params.push((name.clone(), variable.clone()));
        variable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_leaves_no_trace() {
        let mut substitution = Substitution::default();
        let variable = substitution.fresh();
        let pair = [variable.clone(), variable.clone()];
        assert!(!substitution.assign_all(&[Type::Int, Type::String], &pair));
        assert_eq!(substitution.apply(&variable), variable);
        assert!(substitution.assign_all(&[Type::Int, Type::Int], &pair));
        assert_eq!(substitution.apply(&variable), Type::Int);
    }

    #[test]
    fn equal_types_of_a_check_are_one() {
        let library = crate::library::standard();
        let base = Environment::builder().library(&library).variable("l", Type::list(Type::Int)).build();
        let environment = base.extend().variable("m", Type::map(Type::Int, Type::list(Type::Int))).build();
        let ast = environment.parse("[[1], [2].map(x, x), l, m[1], [3] + [4]]").ast;
        let checked = environment.check(&ast);
        let addresses = |environment: &Environment| match environment.variable("l").map(|variable| &variable.ty) {
            Some(Type::List(element)) => Arc::as_ptr(element),
            other => panic!("{other:?}"),
        };
        let mut lists = 0;
        ast.walk(|id| {
            if let Type::List(element) = checked.type_of(id)
                && **element == Type::Int
            {
                assert_eq!(Arc::as_ptr(element), addresses(&environment));
                lists += 1;
            }
        });
        assert!(lists >= 7, "{lists}");
    }

    #[test]
    fn a_variable_is_no_part_of_itself() {
        let mut substitution = Substitution::default();
        let variable = substitution.fresh();
        assert!(!substitution.assign(&Type::list(variable.clone()), &variable));
        assert_eq!(substitution.finish(&variable), Type::Dyn);
    }

    #[test]
    fn null_goes_where_the_reference_lets_it() {
        let mut substitution = Substitution::default();
        let rows = [
            (Type::Timestamp, true),
            (Type::optional(Type::Int), true),
            (Type::object("T"), true),
            (Type::wrapper(Type::Int), true),
            (Type::Int, false),
            (Type::list(Type::Dyn), false),
        ];
        for (ty, fits) in rows {
            assert_eq!(substitution.assign(&Type::Null, &ty), fits, "{ty}");
        }
    }
}
