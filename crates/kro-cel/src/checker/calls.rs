//! Overload resolution.

use std::sync::Arc;

use crate::ast::ExprId;
use crate::checker::Reference;
use crate::checker::unify::{Instance, exact};
use crate::checker::walk::Checker;
use crate::declarations::{FunctionDecl, OverloadDecl};
use crate::issue::IssueKind;
use crate::operators;
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn check_call(&mut self, id: ExprId, target: Option<ExprId>, function: &str, args: &[ExprId]) {
        for arg in args {
            self.check(*arg);
        }
        let Some(target) = target else {
            match self.environment.resolve_function(function) {
                Some(function) => self.resolve_call(id, function, None, args, false),
                None => self.undeclared_function(id, function),
            }
            return;
        };
        // `a.b.c(x)` is a call of the function `a.b.c`, or of `c` on `a.b`
        let dotted = self.dotted(target).map(|parts| format!("{}.{function}", parts.join(".")));
        if let Some(function) = dotted.and_then(|name| self.environment.resolve_function(&name)) {
            self.resolve_call(id, function, None, args, true);
            return;
        }
        self.check(target);
        match self.environment.resolve_function(function) {
            Some(function) => self.resolve_call(id, function, Some(target), args, false),
            None => self.undeclared_function(id, function),
        }
    }

    fn undeclared_function(&mut self, id: ExprId, name: &str) {
        self.set(id, Type::Error);
        let similar = self.similar_function(name);
        self.undeclared(id, name, similar);
    }

    fn resolve_call(
        &mut self,
        id: ExprId,
        function: &Arc<FunctionDecl>,
        target: Option<ExprId>,
        args: &[ExprId],
        namespaced: bool,
    ) {
        let resolved = if [operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&function.name.as_str()) {
            self.resolve_logical(args).map(|ty| (ty, vec![0]))
        } else {
            self.resolve_overloads(id, function, target, args)
        };
        match resolved {
            Some((ty, overloads)) => {
                self.set(id, ty);
                self.refer(id, Reference::Function { function: function.clone(), overloads, namespaced });
            }
            None => self.set(id, Type::Error),
        }
    }

    /// Both sides have to be booleans, and each one that is not is reported.
    fn resolve_logical(&mut self, args: &[ExprId]) -> Option<Type> {
        let mut fits = true;
        for arg in args {
            let found = self.type_of(*arg).clone();
            if !self.substitution.assign(&found, &Type::Bool) {
                self.mismatch(*arg, &Type::Bool, &found);
                fits = false;
            }
        }
        fits.then_some(Type::Bool)
    }

    /// The result type and the overloads that may apply, tried in the order of declaration. The first one that fits gives
    /// the result type; others that fit too make it `dyn` if theirs differs.
    fn resolve_overloads(
        &mut self,
        id: ExprId,
        function: &FunctionDecl,
        target: Option<ExprId>,
        args: &[ExprId],
    ) -> Option<(Type, Vec<u16>)> {
        let arg_types: Vec<Type> = target.iter().chain(args).map(|arg| self.type_of(*arg).clone()).collect();
        let mut result: Option<Type> = None;
        let mut fitting = Vec::new();
        for (index, overload) in (0u16..).zip(&function.overloads) {
            if overload.member != target.is_some()
                || overload.params.len() != arg_types.len()
                || self.is_off(function, overload)
            {
                continue;
            }
            let Some(found) = self.try_overload(overload, &arg_types) else { continue };
            fitting.push(index);
            result = Some(match result {
                None => found,
                Some(first) if first.is_dyn() || exact(&found, &first) => first,
                Some(_) => Type::Dyn,
            });
        }
        if result.is_none() {
            self.no_overload(id, function, target.is_some(), &arg_types);
        }
        Some((result?, fitting))
    }

    fn try_overload(&mut self, overload: &OverloadDecl, arg_types: &[Type]) -> Option<Type> {
        if !overload.is_generic {
            let fits = self.substitution.assign_all(arg_types, &overload.params);
            return fits.then(|| overload.result.clone());
        }
        let mut instance = Instance::default();
        self.substitution.assign_instance(arg_types, &overload.params, &mut instance).then(|| {
            let result = instance.apply(&overload.result, &mut self.substitution);
            self.substitution.apply(&result)
        })
    }

    /// Comparisons of numbers of different types are declared for the evaluation of dynamic values only.
    fn is_off(&self, function: &FunctionDecl, overload: &OverloadDecl) -> bool {
        let orders = [operators::LESS, operators::LESS_EQUALS, operators::GREATER, operators::GREATER_EQUALS];
        let is_number = |ty: &Type| matches!(ty, Type::Int | Type::Uint | Type::Double);
        match overload.params.as_slice() {
            [left, right] if !self.cross_type && orders.contains(&function.name.as_str()) => {
                is_number(left) && is_number(right) && left != right
            }
            _ => false,
        }
    }

    fn no_overload(&mut self, id: ExprId, function: &FunctionDecl, member: bool, arg_types: &[Type]) {
        let shown: Vec<String> = arg_types.iter().map(|ty| self.substitution.finish(ty).to_string()).collect();
        let signature = match shown.split_first() {
            Some((target, rest)) if member => format!("{target}.({})", rest.join(", ")),
            _ => format!("({})", shown.join(", ")),
        };
        let message = format!("found no matching overload for '{}' applied to '{signature}'", function.name);
        self.report(id, IssueKind::Type, message);
    }
}
