//! From tree back to text: one canonical form, which parses to the same tree.

use std::fmt::Write as _;

use crate::ast::{Ast, ExprId, ExprKind, Literal, MapEntry, StructField};
use crate::operators;

/// How tightly the conditional, unary operators and operands bind; binary operators are between.
const CONDITIONAL: u8 = 0;
const UNARY: u8 = 6;
const OPERAND: u8 = 7;

/// The text of a tree. Macro calls are written as they were, not as what they were expanded to.
pub fn unparse(ast: &Ast) -> String {
    let mut writer = Writer { ast, out: String::new() };
    writer.expression(ast.root());
    writer.out
}

struct Writer<'a> {
    ast: &'a Ast,
    out: String,
}

impl Writer<'_> {
    fn expression(&mut self, id: ExprId) {
        if let Some(call) = self.ast.macro_call(id) {
            self.call(call.target, &call.function, &call.args);
            return;
        }
        match self.ast.kind(id) {
            ExprKind::Error => self.out.push_str("<error>"),
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Ident(name) => self.out.push_str(name),
            ExprKind::Select { operand, field, test_only, optional } => {
                self.select(*operand, field, *test_only, *optional);
            }
            ExprKind::Call { target: None, function, args } if self.operator(function, args) => {}
            ExprKind::Call { target, function, args } => self.call(*target, function, args),
            ExprKind::List { elements, optional } => self.list(elements, optional),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Struct { name, fields } => self.structure(name, fields),
            // only a tree that no text has made has one of these without its macro
            ExprKind::Comprehension(_) => self.out.push_str("<comprehension>"),
        }
    }

    /// How tightly a node binds as it is written.
    fn strength(&self, id: ExprId) -> u8 {
        match self.ast.kind(id) {
            _ if self.ast.macro_call(id).is_some() => OPERAND,
            ExprKind::Call { target: None, function, args } => match args.len() {
                3 if function == operators::CONDITIONAL => CONDITIONAL,
                2 => operators::binary_symbol(function).map_or(OPERAND, |(_, strength)| strength),
                1 if [operators::NEGATE, operators::LOGICAL_NOT].contains(&function.as_str()) => UNARY,
                _ => OPERAND,
            },
            _ => OPERAND,
        }
    }

    /// Writes an operand, in parentheses if it binds less tightly than is needed here.
    fn operand(&mut self, id: ExprId, needed: u8) {
        if self.strength(id) >= needed {
            self.expression(id);
            return;
        }
        self.out.push('(');
        self.expression(id);
        self.out.push(')');
    }

    /// Writes a call of an operator; false if the function is none.
    fn operator(&mut self, function: &str, args: &[ExprId]) -> bool {
        match (function, args) {
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.operand(*condition, CONDITIONAL + 1);
                self.out.push_str(" ? ");
                self.operand(*yes, CONDITIONAL + 1);
                self.out.push_str(" : ");
                self.operand(*no, CONDITIONAL);
            }
            (operators::INDEX | operators::OPT_INDEX, [operand, index]) => {
                self.operand(*operand, OPERAND);
                self.out.push_str(if function == operators::INDEX { "[" } else { "[?" });
                self.expression(*index);
                self.out.push(']');
            }
            (operators::NEGATE | operators::LOGICAL_NOT, [operand]) => {
                self.out.push_str(if function == operators::NEGATE { "-" } else { "!" });
                let start = self.out.len();
                self.operand(*operand, OPERAND);
                // with a sign right in front, a number would be read as a literal with that sign
                if self.out[start..].starts_with(|first: char| first.is_ascii_digit() || ['.', '-'].contains(&first)) {
                    self.out.insert(start, '(');
                    self.out.push(')');
                }
            }
            (_, [left, right]) => {
                let Some((symbol, strength)) = operators::binary_symbol(function) else { return false };
                // chains of `&&` and `||` are balanced when parsed: either side may be a chain
                let chains = matches!(function, operators::LOGICAL_AND | operators::LOGICAL_OR);
                self.operand(*left, strength);
                let _ = write!(self.out, " {symbol} ");
                self.operand(*right, if chains { strength } else { strength + 1 });
            }
            _ => return false,
        }
        true
    }

    fn call(&mut self, target: Option<ExprId>, function: &str, args: &[ExprId]) {
        if let Some(target) = target {
            self.operand(target, OPERAND);
            self.out.push('.');
        }
        self.out.push_str(function);
        self.out.push('(');
        self.separated(args, |writer, arg| writer.expression(*arg));
        self.out.push(')');
    }

    fn separated<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            write(self, item);
        }
    }

    fn select(&mut self, operand: ExprId, field: &str, test_only: bool, optional: bool) {
        if test_only {
            self.out.push_str("has(");
        }
        self.operand(operand, OPERAND);
        self.out.push_str(if optional { ".?" } else { "." });
        self.field(field);
        if test_only {
            self.out.push(')');
        }
    }

    fn field(&mut self, name: &str) {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && !["in", "true", "false", "null"].contains(&name);
        let quote = if plain { "" } else { "`" };
        let _ = write!(self.out, "{quote}{name}{quote}");
    }

    fn list(&mut self, elements: &[ExprId], optional: &[u32]) {
        self.out.push('[');
        for (index, element) in elements.iter().enumerate() {
            self.out.push_str(if index > 0 { ", " } else { "" });
            let marked = optional.iter().any(|at| *at as usize == index);
            self.out.push_str(if marked { "?" } else { "" });
            self.expression(*element);
        }
        self.out.push(']');
    }

    fn map(&mut self, entries: &[MapEntry]) {
        self.out.push('{');
        self.separated(entries, |writer, entry| {
            writer.out.push_str(if entry.optional { "?" } else { "" });
            writer.expression(entry.key);
            writer.out.push_str(": ");
            writer.expression(entry.value);
        });
        self.out.push('}');
    }

    fn structure(&mut self, name: &str, fields: &[StructField]) {
        self.out.push_str(name);
        self.out.push('{');
        self.separated(fields, |writer, field| {
            writer.out.push_str(if field.optional { "?" } else { "" });
            writer.field(&field.name);
            writer.out.push_str(": ");
            writer.expression(field.value);
        });
        self.out.push('}');
    }

    fn literal(&mut self, literal: &Literal) {
        let _ = match literal {
            Literal::Null => write!(self.out, "null"),
            Literal::Bool(value) => write!(self.out, "{value}"),
            Literal::Int(value) => write!(self.out, "{value}"),
            Literal::Uint(value) => write!(self.out, "{value}u"),
            // always with a fraction or an exponent, so that it stays a double
            Literal::Double(value) => write!(self.out, "{value:?}"),
            Literal::String(text) => {
                quote(text, &mut self.out);
                Ok(())
            }
            Literal::Bytes(bytes) => {
                self.out.push_str("b\"");
                bytes.iter().for_each(|byte| push_byte(*byte, &mut self.out));
                self.out.push('"');
                Ok(())
            }
        };
    }
}

/// Writes a string literal in double quotes.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char.is_control() => {
                let _ = write!(out, "\\U{:08x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

fn push_byte(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b' '..=b'~' => out.push(byte as char),
        _ => {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}
