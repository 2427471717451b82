use std::ops::Range;

use kro_value::Str;

use crate::ast::{Ast, Comprehension, ExprId, ExprKind, Literal, MapEntry};
use crate::issue::{Issue, IssueKind};
use crate::macros::ACCUMULATOR;

/// What macros build their expansions with. All nodes made here cover the bytes of the macro call.
#[derive(Debug)]
pub struct Expander<'p> {
    pub(crate) ast: &'p mut Ast,
    pub(crate) span: Range<usize>,
    pub(crate) anchor: usize,
}

impl Expander<'_> {
    /// What an argument is.
    pub fn kind(&self, id: ExprId) -> &ExprKind {
        self.ast.kind(id)
    }

    /// The name, if an argument is a plain name.
    pub fn ident_of(&self, id: ExprId) -> Option<Str> {
        if let ExprKind::Ident(name) = self.kind(id) { Some(name.clone()) } else { None }
    }

    /// An error about an argument.
    pub fn error(&self, id: ExprId, message: impl Into<String>) -> Issue {
        Issue::new(IssueKind::Macro, self.ast.span(id), self.ast.anchor(id), message)
    }

    /// A new node.
    pub fn add(&mut self, kind: ExprKind) -> ExprId {
        self.ast.add(kind, self.span.clone(), self.anchor)
    }

    /// A literal.
    pub fn literal(&mut self, literal: Literal) -> ExprId {
        self.add(ExprKind::Literal(literal))
    }

    /// A name.
    pub fn ident(&mut self, name: &str) -> ExprId {
        self.add(ExprKind::Ident(Str::new(name)))
    }

    /// A second node for the same name, at the place of the first; nodes have one parent only.
    pub fn copy_ident(&mut self, id: ExprId) -> ExprId {
        let (kind, span, anchor) = (self.ast.kind(id).clone(), self.ast.span(id), self.ast.anchor(id));
        self.ast.add(kind, span, anchor)
    }

    /// The accumulator of comprehensions.
    pub fn accumulator(&mut self) -> ExprId {
        self.ident(ACCUMULATOR)
    }

    /// A call of a global function.
    pub fn call(&mut self, function: &'static str, args: impl Into<Vec<ExprId>>) -> ExprId {
        self.add(ExprKind::Call { target: None, function: Str::new_static(function), args: args.into() })
    }

    /// A call of a member function.
    pub fn member_call(&mut self, function: &'static str, target: ExprId, args: impl Into<Vec<ExprId>>) -> ExprId {
        self.add(ExprKind::Call { target: Some(target), function: Str::new_static(function), args: args.into() })
    }

    /// A list literal.
    pub fn list(&mut self, elements: impl Into<Vec<ExprId>>) -> ExprId {
        self.add(ExprKind::List { elements: elements.into(), optional: Vec::new() })
    }

    /// A map literal.
    pub fn map(&mut self, entries: Vec<MapEntry>) -> ExprId {
        self.add(ExprKind::Map(entries))
    }

    /// A comprehension.
    pub fn comprehension(&mut self, fold: Comprehension) -> ExprId {
        self.add(ExprKind::Comprehension(Box::new(fold)))
    }

    /// A binding of a name to a value inside an expression: a comprehension over nothing.
    pub fn bind(&mut self, name: Str, value: ExprId, result: ExprId) -> ExprId {
        let fold = Comprehension {
            range: self.list([]),
            variable: Str::new_static("#unused"),
            second_variable: None,
            accumulator: name.clone(),
            initial: value,
            condition: self.literal(Literal::Bool(false)),
            step: self.add(ExprKind::Ident(name)),
            result,
        };
        self.comprehension(fold)
    }
}
