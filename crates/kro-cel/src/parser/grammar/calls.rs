//! Arguments of calls, and the expansion of macros.

use std::ops::Range;

use kro_value::Str;

use super::{Parser, Part, Step};
use crate::ast::{ExprId, ExprKind, MacroCall};
use crate::issue::{Issue, IssueKind};
use crate::parser::Expander;
use crate::parser::lexer::TokenKind;
use crate::parser::recovery::{ARGUMENT, EXPRESSION};

impl Parser<'_> {
    /// The arguments up to the closing parenthesis, their end, and how deep they nest. The opening one has been taken.
    pub(super) fn arguments(&mut self) -> Step<(Vec<ExprId>, usize, usize)> {
        let (mut args, mut depth) = (Vec::new(), 0);
        self.open.push(&[")", ","]);
        let mut expected = ARGUMENT;
        while !self.sees(")") || !args.is_empty() {
            if args.is_empty() && !self.starts_expression(0) && self.kind_at(1) == TokenKind::Symbol(")") {
                self.unwanted(ARGUMENT)?;
                self.advance();
                break;
            }
            let arg = self.expression_where(expected)?;
            depth = depth.max(arg.depth);
            args.push(arg.id);
            if !self.take(",") {
                break;
            }
            expected = EXPRESSION;
        }
        self.open.pop();
        let end = self.close(")", "')'")?;
        Ok((args, end, depth))
    }

    pub(super) fn call(
        &mut self,
        target: Option<ExprId>,
        function: Str,
        args: Vec<ExprId>,
        span: Range<usize>,
        anchor: usize,
        depth: usize,
    ) -> Step<Part> {
        if let Some(id) = self.expand(target, &function, &args, span.clone(), anchor)? {
            return Ok(Part { id, span, depth });
        }
        self.add(ExprKind::Call { target, function, args }, span, anchor, depth)
    }

    /// The expansion of a call, if it is one of a macro.
    pub(super) fn expand(
        &mut self,
        target: Option<ExprId>,
        function: &str,
        args: &[ExprId],
        span: Range<usize>,
        anchor: usize,
    ) -> Step<Option<ExprId>> {
        let fits = |candidate: &&crate::macros::Macro| candidate.matches(function, target.is_some(), args.len());
        // later libraries may replace macros of earlier ones
        let Some(found) = self.options.macros.iter().rev().find(fits) else { return Ok(None) };
        let mut expander = Expander { ast: &mut self.ast, span: span.clone(), anchor };
        match (found.expand)(&mut expander, target, args) {
            Ok(None) => Ok(None),
            Ok(Some(id)) => {
                let (function, args) = (Str::new(function), args.to_vec());
                self.ast.add_macro_call(MacroCall { id, function, target, args });
                self.check_expansion(id, found.name, span, anchor)
            }
            Err(issue) => {
                // an argument that could not be parsed has been reported already
                let is_blamed =
                    |arg: &ExprId| *self.ast.kind(*arg) == ExprKind::Error && self.ast.span(*arg) == issue.span;
                let is_known = args.iter().any(is_blamed);
                if !is_known {
                    self.errors.push(issue);
                }
                Ok(Some(self.error_node(span)?.id))
            }
        }
    }

    pub(super) fn check_expansion(
        &mut self,
        id: ExprId,
        name: &str,
        span: Range<usize>,
        anchor: usize,
    ) -> Step<Option<ExprId>> {
        self.check_size(id)?;
        let limit = self.options.nodes_max;
        if self.ast.len() > limit {
            let message = format!("expression count exceeds limit of {limit} while expanding macro '{name}'");
            self.errors.push(Issue::new(IssueKind::Macro, span.clone(), anchor, message));
            return Ok(Some(self.error_node(span)?.id));
        }
        Ok(Some(id))
    }
}
