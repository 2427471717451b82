//! What can be said about an expression without evaluating it: the names, functions and field paths it uses, and which of
//! them each branch needs.

use std::ops::Range;

use kro_value::Str;

use crate::ast::{Ast, Comprehension, ExprId, ExprKind, Literal};
use crate::environment::Environment;
use crate::macros;
use crate::operators;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field of an object, or a key of a map that is known: `.name`, `["name"]`.
    Field(Str),
    /// An element of a list that is known: `[0]`.
    Index(usize),
    /// Some element or some value, which one is known only when evaluated: `[i]`, or a variable of a comprehension.
    Any,
}

/// A read of a variable that is free in the expression, down to the last field that is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The variable, without a leading dot.
    pub root: Str,
    /// The way from there; empty when the variable is used as a whole.
    pub path: Vec<Step>,
    /// The bytes of the part that reads.
    pub span: Range<usize>,
    /// True for `has(...)` and for paths through `.?`, which do not need the value to be there.
    pub tolerant: bool,
}

/// A use of a free variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// The name, without a leading dot.
    pub name: Str,
    /// Its bytes.
    pub span: Range<usize>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUse {
    /// The function; with its namespace if it has one.
    pub name: Str,
    /// The bytes of the call.
    pub span: Range<usize>,
    /// True when it is called on a receiver.
    pub member: bool,
    /// Whether the environment has a function of that name.
    pub declared: bool,
}

/// What a [`Branch`] decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchKind {
    /// `a ? b : c`: the first operand, and one of the other two.
    Conditional,
    /// `a && b`: any operand that is false decides alone.
    And,
    /// `a || b`: any operand that is true decides alone.
    Or,
}

/// A part of the expression that may not need all that it mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The node.
    pub id: ExprId,
    /// How it decides.
    pub kind: BranchKind,
    /// The reads of each operand, as a range of [`Facts::reads`].
    pub operands: Vec<Range<usize>>,
}

/// What is known about an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Every use of a free variable, in order.
    pub identifiers: Vec<Identifier>,
    /// Every call that is no operator and no macro, in order.
    pub functions: Vec<FunctionUse>,
    /// Every read, in order.
    pub reads: Vec<Read>,
    /// Every conditional and logical operator, inner ones first.
    pub branches: Vec<Branch>,
}

impl Facts {
    /// True if the value can depend on nothing outside.
    pub fn is_constant(&self) -> bool {
        self.identifiers.is_empty()
    }

    /// The names of the free variables, sorted, each once.
    pub fn roots(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.identifiers.iter().map(|identifier| identifier.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether a function is called.
    pub fn calls(&self, function: &str) -> bool {
        self.functions.iter().any(|used| used.name == function)
    }
}

/// Collects the facts about an expression. The environment tells namespaces of functions from variables; its variables are
/// not looked at.
pub fn facts(ast: &Ast, environment: &Environment) -> Facts {
    let mut collector = Collector { ast, environment, facts: Facts::default(), scopes: Vec::new() };
    collector.read(ast.root());
    collector.facts
}

/// Where a value comes from, if that is a free variable.
#[derive(Clone)]
struct Source {
    root: Str,
    path: Vec<Step>,
    tolerant: bool,
}

impl Source {
    fn then(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

struct Collector<'c> {
    ast: &'c Ast,
    environment: &'c Environment,
    facts: Facts,
    /// Local variables, inner ones last, with what they stand for.
    scopes: Vec<(Str, Option<Source>)>,
}

/// Methods that return their receiver, or a part of it, without a change.
const TRANSPARENT: [&str; 4] = ["value", "orValue", "or", "unwrapOpt"];
/// Methods that return one element of their receiver.
const ELEMENT: [&str; 2] = ["first", "last"];

impl Collector<'_> {
    /// Collects a node whose value is used as a whole.
    fn read(&mut self, id: ExprId) {
        if let Some(source) = self.source(id) {
            self.push(Read {
                root: source.root,
                path: source.path,
                span: self.ast.span(id),
                tolerant: source.tolerant,
            });
        }
    }

    fn push(&mut self, read: Read) {
        if self.facts.reads.is_empty() {
            self.facts.reads.reserve_exact(1); // most expressions read one thing
        }
        self.facts.reads.push(read);
    }

    /// Collects a node, but leaves the read of its own value to the caller, who may go further down.
    fn source(&mut self, id: ExprId) -> Option<Source> {
        let ast = self.ast;
        match ast.kind(id) {
            ExprKind::Error | ExprKind::Literal(_) => None,
            ExprKind::Ident(name) => self.ident(id, name),
            ExprKind::Select { operand, field, test_only, optional } => {
                let source = self.source(*operand)?;
                let tolerant = source.tolerant || *test_only || *optional;
                let source = Source { tolerant, ..source.then(Step::Field(field.clone())) };
                if *test_only {
                    self.push(Read { root: source.root, path: source.path, span: ast.span(id), tolerant: true });
                    return None;
                }
                Some(source)
            }
            ExprKind::Call { target, function, args } => self.call(id, *target, function, args),
            ExprKind::Comprehension(fold) => self.comprehension(id, fold),
            ExprKind::List { .. } | ExprKind::Map(_) | ExprKind::Struct { .. } => {
                ast.for_each_child(id, |child| self.read(child));
                None
            }
        }
    }

    fn ident(&mut self, id: ExprId, name: &str) -> Option<Source> {
        let plain = name.strip_prefix('.').unwrap_or(name);
        let local = self.scopes.iter().rev().find(|(known, _)| known == plain);
        if let Some((_, source)) = local.filter(|_| !name.starts_with('.')) {
            return source.clone();
        }
        let root = Str::new(plain);
        if self.facts.identifiers.is_empty() {
            self.facts.identifiers.reserve_exact(1);
        }
        self.facts.identifiers.push(Identifier { name: root.clone(), span: self.ast.span(id) });
        Some(Source { root, path: Vec::new(), tolerant: false })
    }

    fn call(&mut self, id: ExprId, target: Option<ExprId>, function: &Str, args: &[ExprId]) -> Option<Source> {
        match function.as_str() {
            operators::INDEX | operators::OPT_INDEX => return self.index(function, args),
            operators::CONDITIONAL => return self.branch(id, BranchKind::Conditional, args),
            operators::LOGICAL_AND => return self.branch(id, BranchKind::And, args),
            operators::LOGICAL_OR => return self.branch(id, BranchKind::Or, args),
            _ => {}
        }
        let namespaced = target.and_then(|target| self.namespaced(target, function));
        let used = namespaced.is_none().then_some(target).flatten();
        let source = used.and_then(|target| self.method(target, function));
        let name = namespaced.unwrap_or_else(|| function.clone());
        if name.starts_with(|first: char| first.is_alphabetic() || first == '_' && !name.ends_with('_')) {
            let declared = self.environment.resolve_function(&name).is_some();
            self.facts.functions.push(FunctionUse { name, span: self.ast.span(id), member: used.is_some(), declared });
        }
        args.iter().for_each(|arg| self.read(*arg));
        source
    }

    /// The full name of a function, if the receiver is its namespace.
    fn namespaced(&self, target: ExprId, function: &str) -> Option<Str> {
        let mut name = function.to_owned();
        let mut at = target;
        loop {
            match self.ast.kind(at) {
                ExprKind::Select { operand, field, test_only: false, optional: false } => {
                    name = format!("{field}.{name}");
                    at = *operand;
                }
                ExprKind::Ident(first) => {
                    name = format!("{first}.{name}");
                    break;
                }
                _ => return None,
            }
        }
        self.environment.resolve_function(&name).map(|function| function.name.clone())
    }

    /// Collects the receiver of a method; returns where the result comes from, if it is a part of the receiver.
    fn method(&mut self, target: ExprId, function: &str) -> Option<Source> {
        if TRANSPARENT.contains(&function) {
            return self.source(target);
        }
        if ELEMENT.contains(&function) {
            return Some(self.source(target)?.then(Step::Any));
        }
        self.read(target);
        None
    }

    fn index(&mut self, function: &str, args: &[ExprId]) -> Option<Source> {
        let [operand, index] = args else { return None };
        let source = self.source(*operand);
        let step = match self.ast.kind(*index) {
            ExprKind::Literal(Literal::String(key)) => Step::Field(key.clone()),
            ExprKind::Literal(Literal::Int(index)) => usize::try_from(*index).map_or(Step::Any, Step::Index),
            _ => {
                self.read(*index);
                Step::Any
            }
        };
        let source = source?.then(step);
        let tolerant = source.tolerant || function == operators::OPT_INDEX;
        Some(Source { tolerant, ..source })
    }

    fn branch(&mut self, id: ExprId, kind: BranchKind, args: &[ExprId]) -> Option<Source> {
        let mut operands = Vec::new();
        for arg in args {
            let first = self.facts.reads.len();
            self.read(*arg);
            operands.push(first..self.facts.reads.len());
        }
        self.facts.branches.push(Branch { id, kind, operands });
        None
    }

    fn comprehension(&mut self, id: ExprId, fold: &Comprehension) -> Option<Source> {
        let range = self.source(fold.range);
        let bound = self.source(fold.initial);
        let is_binding = fold.variable == "#unused";
        let is_filter = self.ast.macro_call(id).is_some_and(|call| call.function == "filter");
        let element = range.clone().map(|source| source.then(Step::Any));
        let outside = self.scopes.len();
        if is_binding {
            self.scopes.push((fold.accumulator.clone(), bound));
            let source = self.source(fold.result);
            self.scopes.truncate(outside);
            return source;
        }
        self.scopes.push((fold.accumulator.clone(), None));
        let inside = self.scopes.len();
        match &fold.second_variable {
            Some(second) => {
                self.scopes.push((fold.variable.clone(), None));
                self.scopes.push((second.clone(), element));
            }
            // of a map this is a key; a path that is too long does no harm, one too short would
            None => self.scopes.push((fold.variable.clone(), element)),
        }
        self.step(fold, is_filter);
        self.scopes.truncate(inside);
        self.read(fold.result);
        self.scopes.truncate(outside);
        if is_filter {
            return range;
        }
        // the number of elements matters, whatever is read of them
        let reads = &self.facts.reads;
        if let Some(source) = range
            && !reads.iter().any(|read| read.root == source.root && read.path.starts_with(&source.path))
        {
            let (span, tolerant) = (self.ast.span(fold.range), source.tolerant);
            self.facts.reads.push(Read { root: source.root, path: source.path, span, tolerant });
        }
        None
    }

    /// What one step reads. A filter keeps elements as they are: what of them is read, is read by what uses the result.
    fn step(&mut self, fold: &Comprehension, is_filter: bool) {
        self.read(fold.condition);
        match self.ast.kind(fold.step) {
            ExprKind::Call { args, .. } if is_filter => args.iter().take(1).for_each(|predicate| self.read(*predicate)),
            ExprKind::Call { function, args, .. } if *function == macros::MAP_INSERT => {
                args.iter().for_each(|arg| self.read(*arg));
            }
            _ => self.read(fold.step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library;

    fn of(text: &str) -> Facts {
        let environment = library::kro_environment();
        let parsed = environment.parse(text);
        assert_eq!(parsed.errors, [], "{text}");
        facts(&parsed.ast, &environment)
    }

    /// `root.field[0][*]`, with a question mark behind reads that need not find anything.
    fn reads(text: &str) -> Vec<String> {
        let show = |read: &Read| {
            let mut out = read.root.to_string();
            for step in &read.path {
                match step {
                    Step::Field(name) => out.push_str(&format!(".{name}")),
                    Step::Index(index) => out.push_str(&format!("[{index}]")),
                    Step::Any => out.push_str("[*]"),
                }
            }
            out + if read.tolerant { "?" } else { "" }
        };
        of(text).reads.iter().map(show).collect()
    }

    #[test]
    fn follows_reads_to_the_last_certain_field() {
        let rows: [(&str, &[&str]); 18] = [
            ("1 + 2", &[]),
            ("a", &["a"]),
            ("a.b.c + d", &["a.b.c", "d"]),
            ("a['x-y'][0].z", &["a.x-y[0].z"]),
            ("a[i].b", &["i", "a[*].b"]),
            ("a.?b.c.orValue(d.e)", &["d.e", "a.b.c?"]),
            ("a[?'b']", &["a.b?"]),
            ("has(a.b.c)", &["a.b.c?"]),
            ("pods.map(p, p.metadata.name)", &["pods[*].metadata.name"]),
            ("pods.filter(p, p.ok)[0].name", &["pods[*].ok", "pods[0].name"]),
            ("pods.all(p, true)", &["pods"]),
            ("pods.transformList(i, p, p.name)", &["pods[*].name"]),
            ("cel.bind(x, a.b, x.c + x.d)", &["a.b.c", "a.b.d"]),
            ("a.b.optMap(v, v.c)", &["a.b", "a.b.c"]),
            ("a.items.first().value().name", &["a.items[*].name"]),
            ("a.b.size()", &["a.b"]),
            ("base64.encode(a.b)", &["a.b"]),
            ("b.filter(b, b.x)", &["b[*].x", "b"]),
        ];
        for (text, want) in rows {
            assert_eq!(reads(text), want, "{text}");
        }
    }

    #[test]
    fn tells_free_variables_from_local_ones_and_namespaces() {
        let rows: [(&str, &[&str]); 6] = [
            ("svc.filter(svc, svc.x == y)", &["svc", "y"]),
            ("json.marshal(json)", &["json"]),
            ("random.seededInt(0, 1, schema.x)", &["schema"]),
            ("li.map(x, li2.map(x, x))", &["li", "li2"]),
            (".x + x", &["x"]),
            ("'a'.size() == 1", &[]),
        ];
        for (text, want) in rows {
            assert_eq!(of(text).roots(), want, "{text}");
        }
        assert!(of("[1, 2].map(x, x * 2)").is_constant());
    }

    #[test]
    fn lists_functions_with_what_is_known_of_them() {
        let facts = of("lists.range(3).map(i, nope(i).trim())");
        let shown: Vec<_> =
            facts.functions.iter().map(|used| (used.name.as_str(), used.member, used.declared)).collect();
        assert_eq!(shown, [("lists.range", false, true), ("nope", false, false), ("trim", true, true)]);
        assert!(facts.calls("lists.range") && !facts.calls("range"));
    }

    #[test]
    fn says_which_reads_each_branch_needs() {
        let facts = of("a.on ? b.x : c.y && d.z");
        let shown: Vec<_> = facts.branches.iter().map(|branch| (branch.kind, branch.operands.clone())).collect();
        assert_eq!(shown, [(BranchKind::And, vec![2..3, 3..4]), (BranchKind::Conditional, vec![0..1, 1..2, 2..4])]);
    }
}
