//! The abstract syntax tree: an arena of nodes, so that passes index by [`ExprId`] instead of hashing or copying.
//!
//! Macros are expanded by the parser; the call as it was written is kept next to the expansion for display, for the
//! unparser and for tools. Every node knows the bytes of the text it covers and the place that cel-go reports errors at
//! (of `a + b` the operator, of `f(x)` the parenthesis).

use std::ops::Range;
use std::sync::Arc;

use kro_value::Str;

/// The place of a node in its [`Ast`]. Children always come before their parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(u32);

impl ExprId {
    /// The id as an index into tables that run beside the arena (types, references).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A literal in an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1`, `-1`, `0x1f`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.5`
    Double(f64),
    /// `"text"`, unescaped.
    String(Str),
    /// `b"bytes"`, unescaped.
    Bytes(Arc<[u8]>),
}

/// One entry of a map literal.
#[derive(Clone, Debug, PartialEq)]
pub struct MapEntry {
    /// The key expression.
    pub key: ExprId,
    /// The value expression.
    pub value: ExprId,
    /// True for `{?key: value}`: the value is an optional, and none leaves the entry out.
    pub optional: bool,
}

/// One field of a struct literal.
#[derive(Clone, Debug, PartialEq)]
pub struct StructField {
    /// The field name, without backticks.
    pub name: Str,
    /// The value expression.
    pub value: ExprId,
    /// True for `T{?field: value}`.
    pub optional: bool,
    /// Byte offset of the colon, where errors about the field point.
    pub anchor: u32,
}

/// A fold over a list or a map, which all iterating macros expand to.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// What is iterated.
    pub range: ExprId,
    /// The variable of the element or key; with a second variable that of the index or key.
    pub variable: Str,
    /// In two-variable forms the variable of the element or map value.
    pub second_variable: Option<Str>,
    /// The variable of the accumulator.
    pub accumulator: Str,
    /// The first value of the accumulator.
    pub initial: ExprId,
    /// Whether to go on, before each step; sees the accumulator and the variables.
    pub condition: ExprId,
    /// The next value of the accumulator; sees the accumulator and the variables.
    pub step: ExprId,
    /// The value of the whole; sees the accumulator only.
    pub result: ExprId,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A place where the parser found an error; never in the tree of a result without errors.
    Error,
    /// A literal.
    Literal(Literal),
    /// A name; with a leading dot when it was written `.name`, which skips containers and local variables.
    Ident(Str),
    /// `operand.field`
    Select {
        /// The expression left of the dot.
        operand: ExprId,
        /// The field name, without backticks.
        field: Str,
        /// True for `has(operand.field)`.
        test_only: bool,
        /// True for `operand.?field`, whose value is an optional. Never together with `test_only`.
        optional: bool,
    },
    /// A call of a function or operator: `f(a)`, `target.f(a)`, `a + b` (function `_+_`), `a[b]` (function `_[_]`).
    Call {
        /// The receiver; it may turn out to be the namespace of a dotted function name (`base64.encode`).
        target: Option<ExprId>,
        /// The function name; operators have the names in [`crate::operators`].
        function: Str,
        /// The arguments without the receiver.
        args: Vec<ExprId>,
    },
    /// `[a, ?b]`
    List {
        /// The elements.
        elements: Vec<ExprId>,
        /// Indices of elements written with `?`, in order.
        optional: Vec<u32>,
    },
    /// `{k: v}`
    Map(Vec<MapEntry>),
    /// `Name{field: value}`
    Struct {
        /// The type name as written, maybe with a leading dot.
        name: Str,
        /// The fields in order.
        fields: Vec<StructField>,
    },
    /// The expansion of an iterating macro.
    Comprehension(Box<Comprehension>),
}

/// A node: what it is and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: ExprKind,
    /// First byte in the text.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
    /// Byte offset that cel-go reports for the node.
    pub anchor: u32,
    /// Height of the tree below, one for a leaf.
    pub(crate) height: u32,
}

/// A macro call as it was written. Arguments may themselves be expansions.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroCall {
    /// The node that the call was expanded to.
    pub id: ExprId,
    /// The macro: `map`, `bind`.
    pub function: Str,
    /// The receiver.
    pub target: Option<ExprId>,
    /// The arguments.
    pub args: Vec<ExprId>,
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    text: Str,
    nodes: Vec<Node>,
    macro_calls: Vec<MacroCall>,
    root: ExprId,
}

impl Ast {
    /// An empty tree over a text, for builders; its root is an error node until [`Ast::set_root`].
    pub(crate) fn new(text: &str) -> Self {
        Self::with_capacity(text, 0)
    }

    /// The same with room for some nodes.
    pub(crate) fn with_capacity(text: &str, nodes: usize) -> Self {
        let nodes = Vec::with_capacity(nodes);
        Self { text: Str::new(text), nodes, macro_calls: Vec::new(), root: ExprId(0) }
    }

    /// A tree that is one error, for a text that could not be parsed at all.
    pub(crate) fn broken(text: &str) -> Self {
        let mut ast = Self::new(text);
        ast.add(ExprKind::Error, 0..text.len(), 0);
        ast
    }

    /// Adds a node whose children are already there.
    #[allow(clippy::cast_possible_truncation)] // the text is limited to 400 kB and the arena to the node limit
    pub(crate) fn add(&mut self, kind: ExprKind, span: Range<usize>, anchor: usize) -> ExprId {
        let mut height = 0;
        for_each_child(&kind, |child| height = height.max(self.nodes[child.index()].height));
        let id = ExprId(self.nodes.len() as u32);
        let (start, end, anchor) = (span.start as u32, span.end as u32, anchor as u32);
        self.nodes.push(Node { kind, start, end, anchor, height: height + 1 });
        id
    }

    /// Keeps the written form of an expansion.
    pub(crate) fn add_macro_call(&mut self, call: MacroCall) {
        self.macro_calls.push(call);
    }

    /// Makes a node the root.
    pub(crate) fn set_root(&mut self, root: ExprId) {
        self.root = root;
    }

    /// The text that was parsed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost node.
    pub fn root(&self) -> ExprId {
        self.root
    }

    /// How many nodes the arena has, with those that only macro calls refer to.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True for a tree without nodes, which no parse returns.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node. Ids of another tree give some node of this one or panic; keep ids with their tree.
    pub fn node(&self, id: ExprId) -> &Node {
        &self.nodes[id.index()]
    }

    /// What a node is.
    pub fn kind(&self, id: ExprId) -> &ExprKind {
        &self.node(id).kind
    }

    /// The bytes that a node covers; parts of an expansion cover the whole macro call.
    pub fn span(&self, id: ExprId) -> Range<usize> {
        let node = self.node(id);
        node.start as usize..node.end as usize
    }

    /// Byte offset that errors about the node are reported at.
    pub fn anchor(&self, id: ExprId) -> usize {
        self.node(id).anchor as usize
    }

    /// The text that a node covers.
    pub fn text_of(&self, id: ExprId) -> &str {
        self.text.get(self.span(id)).unwrap_or_default()
    }

    /// The macro call that was expanded to this node.
    pub fn macro_call(&self, id: ExprId) -> Option<&MacroCall> {
        let index = self.macro_calls.binary_search_by_key(&id, |call| call.id).ok()?;
        Some(&self.macro_calls[index])
    }

    /// All macro calls that were expanded, inner ones first.
    pub fn macro_calls(&self) -> &[MacroCall] {
        &self.macro_calls
    }

    /// Calls `visit` with every direct child of a node, in the order of evaluation.
    pub fn for_each_child(&self, id: ExprId, visit: impl FnMut(ExprId)) {
        for_each_child(self.kind(id), visit);
    }

    /// Calls `visit` with every node of the tree, parents before children.
    pub fn walk(&self, visit: impl FnMut(ExprId)) {
        self.walk_from(self.root, visit);
    }

    /// The same for the part of the tree below a node, with that node.
    pub fn walk_from(&self, root: ExprId, mut visit: impl FnMut(ExprId)) {
        let mut open = Vec::new();
        let mut next = Some(root);
        while let Some(id) = next.take().or_else(|| open.pop()) {
            visit(id);
            let outside = open.len();
            // the first child comes next; only the others have to wait
            self.for_each_child(id, |child| match next {
                None => next = Some(child),
                Some(_) => open.push(child),
            });
            open[outside..].reverse();
        }
    }
}

fn for_each_child(kind: &ExprKind, mut visit: impl FnMut(ExprId)) {
    match kind {
        ExprKind::Error | ExprKind::Literal(_) | ExprKind::Ident(_) => {}
        ExprKind::Select { operand, .. } => visit(*operand),
        ExprKind::Call { target, args, .. } => target.iter().chain(args).for_each(|id| visit(*id)),
        ExprKind::List { elements, .. } => elements.iter().for_each(|id| visit(*id)),
        ExprKind::Map(entries) => entries.iter().for_each(|entry| {
            visit(entry.key);
            visit(entry.value);
        }),
        ExprKind::Struct { fields, .. } => fields.iter().for_each(|field| visit(field.value)),
        ExprKind::Comprehension(fold) => {
            [fold.range, fold.initial, fold.condition, fold.step, fold.result].into_iter().for_each(visit);
        }
    }
}
