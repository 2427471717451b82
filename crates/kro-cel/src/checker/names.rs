//! What names stand for.

use std::borrow::Cow;

use kro_diagnostics::suggest;
use kro_value::Str;

use crate::ast::{ExprId, ExprKind};
use crate::checker::Reference;
use crate::checker::walk::Checker;
use crate::environment::Environment;
use crate::issue::{Issue, IssueKind};
use crate::types::Type;

impl Checker<'_> {
    /// What a plain name stands for: a variable around it, or a global name in the container.
    pub(super) fn resolve(&self, name: &str) -> Option<(Type, Reference)> {
        let local = self.local(name.strip_prefix('.').unwrap_or(name));
        match local {
            Some(ty) if !name.starts_with('.') => Some((ty.clone(), Reference::Variable(Str::new(name)))),
            hidden => self.resolve_global(name, hidden.is_some()),
        }
    }

    /// What a dotted name stands for as a whole.
    pub(super) fn resolve_dotted(&self, parts: &[&str]) -> Option<(Type, Reference)> {
        let first = parts.first()?;
        let hidden = self.local(first.strip_prefix('.').unwrap_or(first)).is_some();
        if hidden && !first.starts_with('.') {
            return None; // a select on the local variable
        }
        self.resolve_global(&parts.join("."), hidden)
    }

    fn resolve_global(&self, name: &str, hidden: bool) -> Option<(Type, Reference)> {
        self.environment.candidates(name).find_map(|candidate| global(self.environment, candidate, hidden))
    }

    fn local(&self, name: &str) -> Option<&Type> {
        self.scopes.iter().rev().find(|(known, _)| known == name).map(|(_, ty)| ty)
    }

    /// True for a select on selects on a variable that no dotted name can mean.
    pub(super) fn is_field(&mut self, id: ExprId) -> bool {
        let mut at = id;
        while let ExprKind::Select { operand, test_only: false, optional: false, .. } = self.ast.kind(at) {
            at = *operand;
        }
        let ExprKind::Ident(name) = self.ast.kind(at) else { return false };
        match self.only_variable {
            Some((known, is_only)) if known == at => is_only,
            _ => {
                let is_only = self.environment.is_only_variable(name);
                self.only_variable = Some((at, is_only));
                is_only
            }
        }
    }

    /// The parts of a select on selects on a name; none if it is anything else.
    pub(super) fn dotted(&self, id: ExprId) -> Option<Vec<&str>> {
        let mut parts = Vec::new();
        let mut at = id;
        loop {
            match self.ast.kind(at) {
                ExprKind::Select { operand, field, test_only: false, optional: false } => {
                    parts.push(field.as_str());
                    at = *operand;
                }
                ExprKind::Ident(name) => {
                    parts.push(name.as_str());
                    parts.reverse();
                    return Some(parts);
                }
                _ => return None,
            }
        }
    }

    /// The type that the name of a struct literal stands for, and its full name.
    pub(super) fn resolve_struct(&self, name: &str) -> Option<(String, Type)> {
        self.environment.candidates(name).find_map(|candidate| {
            let known = self.environment.type_named(&candidate);
            let object = || self.environment.object_provider(&candidate).map(|_| Type::object(&*candidate));
            Some((candidate.to_string(), known.or_else(object)?))
        })
    }

    pub(super) fn undeclared(&mut self, id: ExprId, name: &str, suggestion: Option<String>) {
        let container = self.environment.container();
        let message = format!("undeclared reference to '{name}' (in container '{container}')");
        let mut issue = Issue::new(IssueKind::Undeclared, self.ast.span(id), self.ast.anchor(id), message);
        issue.suggestion = suggestion;
        self.push(issue);
    }

    /// A variable with a name close to this one.
    pub(super) fn similar_variable(&self, name: &str) -> Option<String> {
        let globals = self.environment.variable_names();
        let locals = self.scopes.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with(['@', '#']));
        suggest(name, locals.chain(globals.iter().map(Str::as_str))).map(str::to_owned)
    }

    /// A function with a name close to this one.
    pub(super) fn similar_function(&self, name: &str) -> Option<String> {
        let functions = self.environment.function_names();
        let macros = self.environment.parse_options().macros.iter().map(|known| known.name);
        let words =
            functions.iter().map(Str::as_str).filter(|name| name.starts_with(|first: char| first.is_alphabetic()));
        suggest(name, words.chain(macros)).filter(|found| *found != name).map(str::to_owned)
    }

    /// A field with a name close to this one.
    pub(super) fn similar_field(&self, object: &str, field: &str) -> Option<String> {
        let names = self.environment.object_provider(object)?.field_names(object)?;
        suggest(field, names.iter().map(Str::as_str)).map(str::to_owned)
    }
}

/// What exactly this name stands for. It gets a leading dot where a local variable hides it.
fn global(environment: &Environment, name: Cow<'_, str>, hidden: bool) -> Option<(Type, Reference)> {
    if let Some(variable) = environment.variable(&name) {
        let shown: Str = if hidden { format!(".{name}").into() } else { Str::new(&name) };
        return Some((variable.ty.clone(), Reference::Variable(shown)));
    }
    let object = || environment.object_provider(&name).map(|_| Type::object(&*name));
    let ty = environment.type_named(&name).or_else(object)?;
    Some((Type::type_of(ty.clone()), Reference::Type(ty)))
}
