//! Types of expressions, from the leaves up.

use kro_value::Str;

use crate::ast::{Ast, Comprehension, ExprId, ExprKind, Literal, MapEntry, StructField};
use crate::checker::unify::{Substitution, most_general};
use crate::checker::{Checked, Reference};
use crate::environment::Environment;
use crate::issue::{Issue, IssueKind, sort};
use crate::types::Type;
use crate::well_known;

/// How many errors of one expression are collected.
const ERRORS_MAX: usize = 100;

pub(super) struct Checker<'c> {
    pub environment: &'c Environment,
    pub ast: &'c Ast,
    pub substitution: Substitution,
    /// Variables of the comprehensions around the node, inner ones last.
    pub scopes: Vec<(Str, Type)>,
    pub errors: Vec<Issue>,
    truncated: usize,
    /// Whether numbers of different types can be compared here. The reference forgets to forbid it once it has entered a
    /// comprehension, for the rest of the expression.
    pub cross_type: bool,
    types: Vec<Type>,
    references: Vec<Reference>,
    /// The name that selects were last looked at for, and whether it is only a variable: a chain of selects asks at each step.
    pub only_variable: Option<(ExprId, bool)>,
}

/// Checks an expression.
pub(crate) fn check(environment: &Environment, ast: &Ast) -> Checked {
    let mut checker = Checker {
        environment,
        ast,
        substitution: Substitution::default(),
        scopes: Vec::new(),
        errors: Vec::new(),
        truncated: 0,
        cross_type: environment.cross_type_numeric_comparisons(),
        types: vec![Type::Dyn; ast.len()],
        references: vec![Reference::None; ast.len()],
        only_variable: None,
    };
    checker.check(ast.root());
    let Checker { substitution, types, references, errors, truncated, .. } = checker;
    let types = substitution.finish_all(types, environment);
    let mut checked = Checked { types, references, root: ast.root(), errors, truncated };
    if checked.errors.is_empty() {
        validate(environment, ast, &mut checked);
    }
    sort(&mut checked.errors);
    checked
}

/// Checks of literal arguments, which need to know that the types are right.
fn validate(environment: &Environment, ast: &Ast, checked: &mut Checked) {
    let mut errors = Vec::new();
    ast.walk(|id| {
        if let ExprKind::Call { function, .. } = ast.kind(id)
            && let Some(validator) = environment.validator(function)
        {
            errors.extend(validator(ast, checked, id));
        }
    });
    checked.errors = errors;
}

impl Checker<'_> {
    pub(super) fn type_of(&self, id: ExprId) -> &Type {
        &self.types[id.index()]
    }

    pub(super) fn set(&mut self, id: ExprId, ty: Type) {
        self.types[id.index()] = ty;
    }

    pub(super) fn refer(&mut self, id: ExprId, reference: Reference) {
        self.references[id.index()] = reference;
    }

    pub(super) fn report(&mut self, id: ExprId, kind: IssueKind, message: String) {
        self.push(Issue::new(kind, self.ast.span(id), self.ast.anchor(id), message));
    }

    /// Keeps an error, unless there are many already.
    pub(super) fn push(&mut self, issue: Issue) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(issue);
        } else {
            self.truncated += 1;
        }
    }

    pub(super) fn mismatch(&mut self, id: ExprId, expected: &Type, found: &Type) {
        let (expected, found) = (self.substitution.apply(expected), self.substitution.apply(found));
        self.report(id, IssueKind::Type, format!("expected type '{expected}' but found '{found}'"));
    }

    /// Gives a node and all nodes below it their types.
    pub(super) fn check(&mut self, id: ExprId) {
        let ast = self.ast;
        match ast.kind(id) {
            ExprKind::Error => self.set(id, Type::Error),
            ExprKind::Literal(literal) => self.set(id, literal_type(literal)),
            ExprKind::Ident(name) => self.check_ident(id, name),
            ExprKind::Select { operand, field, test_only, optional } => {
                self.check_select(id, *operand, field, *test_only, *optional);
            }
            ExprKind::Call { target, function, args } => self.check_call(id, *target, function, args),
            ExprKind::List { elements, optional } => self.check_list(id, elements, optional),
            ExprKind::Map(entries) => self.check_map(id, entries),
            ExprKind::Struct { name, fields } => self.check_struct(id, name, fields),
            ExprKind::Comprehension(fold) => self.check_comprehension(id, fold),
        }
    }

    fn check_ident(&mut self, id: ExprId, name: &str) {
        match self.resolve(name) {
            Some((ty, reference)) => {
                self.set(id, ty);
                self.refer(id, reference);
            }
            None => {
                self.set(id, Type::Error);
                let similar = self.similar_variable(name);
                self.undeclared(id, name, similar);
            }
        }
    }

    fn check_select(&mut self, id: ExprId, operand: ExprId, field: &str, test_only: bool, optional: bool) {
        // the whole may be a declared name with dots
        let whole = if test_only || optional || self.is_field(id) { None } else { self.dotted(id) };
        if let Some((ty, reference)) = whole.and_then(|parts| self.resolve_dotted(&parts)) {
            self.set(id, ty);
            self.refer(id, reference);
            return;
        }
        let ty = self.select_type(id, operand, field, optional);
        let ty = if test_only { Type::Bool } else { self.substitution.apply(&ty) };
        self.set(id, ty);
    }

    fn select_type(&mut self, id: ExprId, operand: ExprId, field: &str, optional: bool) -> Type {
        self.check(operand);
        let operand_type = self.substitution.apply(self.type_of(operand));
        let inner = operand_type.optional_inner();
        let target = inner.unwrap_or(&operand_type);
        let result = match target {
            Type::Map(entry) => entry.1.clone(),
            Type::Object(name) => self.field_type(id, name, field).unwrap_or(Type::Error),
            Type::Variable(_) => {
                // nothing more specific may be concluded later
                self.substitution.assign(&Type::Dyn, target);
                Type::Dyn
            }
            Type::Dyn | Type::Any | Type::Error => Type::Dyn,
            other => {
                self.report(id, IssueKind::Field, format!("type '{other}' does not support field selection"));
                Type::Dyn
            }
        };
        if optional || inner.is_some() { Type::optional(result) } else { result }
    }

    /// The type of a field; reports what is wrong if there is none.
    fn field_type(&mut self, id: ExprId, object: &str, field: &str) -> Option<Type> {
        let provider = self.environment.object_provider(object);
        if provider.is_none() && well_known::find(object).is_none() {
            self.report(id, IssueKind::Field, format!("unexpected failed resolution of '{object}'"));
            return None;
        }
        let ty = provider.and_then(|provider| provider.field_type(object, field));
        if ty.is_none() {
            let similar = self.similar_field(object, field);
            let message = format!("undefined field '{field}'");
            let mut issue = Issue::new(IssueKind::Field, self.ast.span(id), self.ast.anchor(id), message);
            issue.suggestion = similar;
            self.push(issue);
        }
        ty
    }

    fn check_list(&mut self, id: ExprId, elements: &[ExprId], optional: &[u32]) {
        let mut joined = None;
        for (index, element) in elements.iter().enumerate() {
            self.check(*element);
            let is_optional = optional.iter().any(|at| *at as usize == index);
            let ty = self.entry_type(*element, is_optional);
            joined = Some(self.join(joined, ty));
        }
        let element = joined.unwrap_or_else(|| self.substitution.fresh());
        self.set(id, Type::list(element));
    }

    /// The type that an element or value contributes; with `?` it has to be an optional.
    fn entry_type(&mut self, id: ExprId, optional: bool) -> Type {
        let ty = self.type_of(id).clone();
        if !optional {
            return ty;
        }
        match ty.optional_inner() {
            Some(inner) => inner.clone(),
            None => {
                if !ty.is_dyn() {
                    self.mismatch(id, &Type::optional(ty.clone()), &ty);
                }
                ty
            }
        }
    }

    /// The type of a collection with one more element: the more general one of types that agree, else `dyn`.
    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        match previous {
            None => current,
            Some(previous) if self.substitution.assign(&previous, &current) => {
                most_general(&previous, &current).clone()
            }
            Some(_) => Type::Dyn,
        }
    }

    fn check_map(&mut self, id: ExprId, entries: &[MapEntry]) {
        let (mut keys, mut values) = (None, None);
        for entry in entries {
            self.check(entry.key);
            let key = self.type_of(entry.key).clone();
            keys = Some(self.join(keys, key));
            self.check(entry.value);
            let value = self.entry_type(entry.value, entry.optional);
            values = Some(self.join(values, value));
        }
        let key = keys.unwrap_or_else(|| self.substitution.fresh());
        let value = values.unwrap_or_else(|| self.substitution.fresh());
        self.set(id, Type::map(key, value));
    }

    fn check_struct(&mut self, id: ExprId, name: &str, fields: &[StructField]) {
        let Some((mut full_name, ty)) = self.resolve_struct(name) else {
            self.undeclared(id, name, None);
            self.set(id, Type::Error);
            return;
        };
        let ty = match ty {
            ty if well_known::find(&full_name).is_some() => ty,
            Type::Object(_) => ty,
            other => match well_known_name(&other) {
                Some(name) => {
                    name.clone_into(&mut full_name);
                    other
                }
                None => {
                    self.report(id, IssueKind::Type, format!("'{}' is not a message type", declared_name(&other)));
                    Type::Error
                }
            },
        };
        self.set(id, ty);
        for field in fields {
            self.check_field(id, &full_name, field);
        }
    }

    fn check_field(&mut self, id: ExprId, object: &str, field: &StructField) {
        self.check(field.value);
        let before = self.errors.len();
        let wanted = match well_known::find(object).and_then(|message| message.field(&field.name)) {
            Some(field) => field.kind.ty(),
            None => self.field_type(id, object, &field.name).unwrap_or(Type::Error),
        };
        let found = self.entry_type(field.value, field.optional);
        if !self.substitution.assign(&wanted, &found) {
            let (name, wanted) = (&field.name, self.substitution.apply(&wanted));
            let message = format!("expected type of field '{name}' is '{wanted}' but provided type is '{found}'");
            self.report(id, IssueKind::Type, message);
        }
        // errors about a field point at its colon
        let colon = field.anchor as usize;
        for issue in &mut self.errors[before..] {
            if issue.anchor == self.ast.anchor(id) {
                (issue.anchor, issue.span) = (colon, colon..colon + 1);
            }
        }
    }

    fn check_comprehension(&mut self, id: ExprId, fold: &Comprehension) {
        self.check(fold.range);
        self.check(fold.initial);
        let (first, second) = self.variable_types(fold);
        let accumulator = self.type_of(fold.initial).clone();
        let outside = self.scopes.len();
        self.scopes.push((fold.accumulator.clone(), accumulator.clone()));
        let inside = self.scopes.len();
        self.cross_type = true;
        self.scopes.push((fold.variable.clone(), first));
        if let Some(name) = &fold.second_variable {
            self.scopes.push((name.clone(), second));
        }
        self.check(fold.condition);
        self.expect(fold.condition, &Type::Bool);
        self.check(fold.step);
        self.expect(fold.step, &accumulator);
        self.scopes.truncate(inside);
        self.check(fold.result);
        self.scopes.truncate(outside);
        let ty = self.substitution.apply(self.type_of(fold.result));
        self.set(id, ty);
    }

    /// The types of the variables of a comprehension.
    fn variable_types(&mut self, fold: &Comprehension) -> (Type, Type) {
        let range = self.substitution.apply(self.type_of(fold.range));
        let two = fold.second_variable.is_some();
        match &range {
            Type::List(element) if two => (Type::Int, (**element).clone()),
            Type::List(element) => ((**element).clone(), Type::Error),
            Type::Map(entry) => (entry.0.clone(), entry.1.clone()),
            Type::Dyn | Type::Error | Type::Variable(_) => {
                // nothing more specific may be concluded later
                self.substitution.assign(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let message = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.report(fold.range, IssueKind::Type, message);
                (Type::Error, Type::Error)
            }
        }
    }

    fn expect(&mut self, id: ExprId, wanted: &Type) {
        let found = self.type_of(id).clone();
        if !self.substitution.assign(wanted, &found) {
            self.mismatch(id, wanted, &found);
        }
    }
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}

/// The message names of types that can be written as struct literals although they are none.
fn well_known_name(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Any => "google.protobuf.Any",
        Type::Timestamp => "google.protobuf.Timestamp",
        Type::Duration => "google.protobuf.Duration",
        Type::Dyn => "google.protobuf.Value",
        Type::Null => "google.protobuf.NullValue",
        _ => return None,
    })
}

fn declared_name(ty: &Type) -> &str {
    ty.runtime_name().unwrap_or_default()
}
