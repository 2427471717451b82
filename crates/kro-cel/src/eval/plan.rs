use kro_value::Str;
use regex::Regex;

use super::Implementation;
use super::path::Path;
use crate::cost::Price;
use crate::types::Type;
use crate::value::CelValue;
use crate::well_known::{Field, Message};

/// A part of a planned expression, with the bytes of the text it stands for.
#[derive(Debug)]
pub(super) struct Node {
    pub kind: Kind,
    pub start: u32,
    pub end: u32,
}

/// What a node does.
#[derive(Debug)]
pub(super) enum Kind {
    Constant(CelValue),
    /// A variable, and selects of names known from the text.
    Path(Box<Path>),
    /// `operand[key]`
    Index(Box<Index>),
    /// What is true or false.
    Test(Test),
    Conditional(Box<[Node; 3]>),
    Binary(Box<[Node; 2]>, BinaryOperation),
    /// A text with clauses, known from the text, and a list of values.
    Format(Box<Format>),
    /// The sum of texts.
    Concat(Box<[Node]>),
    Call(Box<Call>),
    Match(Box<Match>),
    /// `a.or(b)`; with `unwrap` `a.orValue(b)`.
    OrElse(Box<[Node; 2]>, bool),
    List(Box<[Element]>),
    Map(Box<[Entry]>),
    /// A literal of a well-known message.
    Message(Box<MessageLiteral>),
    /// `cel.bind`: a slot, its value, and the expression that sees it.
    Bind(u32, Box<[Node; 2]>),
    Fold(Box<Fold>),
    /// The accumulator of a list with one more item.
    Append(u32, Box<Node>),
    /// The accumulator of a map with one more entry; `true` where the entry is written as a map.
    Insert(u32, Box<[Node; 2]>, bool),
    /// The accumulator itself, which is put back right away.
    Take(u32),
    /// What cannot be evaluated at all.
    Fail(super::EvalError),
}

/// What a node with a boolean does, which can be known without a value for it.
#[derive(Debug)]
pub(super) enum Test {
    /// `has(operand.field)`
    Has(Box<Has>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Not(Box<Node>),
    NotStrictlyFalse(Box<Node>),
    /// `==`, and `!=` where equality is not wanted.
    Equal(Box<[Node; 2]>, bool),
    Compare(Box<[Node; 2]>, Comparison),
    In(Box<[Node; 2]>),
}

/// An operation on two values.
pub(super) type BinaryOperation =
    fn(&mut super::EvalContext, &CelValue, &CelValue) -> Result<CelValue, super::EvalError>;

/// An operator that compares.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Less,
    LessEquals,
    Greater,
    GreaterEquals,
}

#[derive(Debug)]
pub(super) struct Index {
    pub operand: Node,
    pub key: Node,
    pub optional: bool,
}

#[derive(Debug)]
pub(super) struct Has {
    pub operand: Node,
    pub field: Str,
    /// The path to the field, where the operand is one.
    pub path: Option<Path>,
}

/// A call of a function.
#[derive(Debug)]
pub(super) struct Call {
    pub name: Str,
    pub args: Box<[Node]>,
    pub candidates: Box<[Candidate]>,
    pub select: Selection,
    /// What is counted for the call.
    pub price: Price,
}

/// How the overload of a call is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    /// The first candidate, which takes what it gets.
    First,
    /// The first candidate whose parameters fit the values.
    ByTypes,
}

/// An overload that a call may mean.
#[derive(Debug)]
pub(super) struct Candidate {
    pub params: Box<[Type]>,
    pub code: Implementation,
}

/// A format text, cut up, and the call that it is.
#[derive(Debug)]
pub(super) struct Format {
    pub pieces: Box<[FormatPiece]>,
    pub args: Box<[Node]>,
    pub call: Call,
}

/// A part of a format text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FormatPiece {
    Text(Str),
    /// `%s`
    String,
    /// `%d`
    Decimal,
}

/// A function with a regular expression that is known from the text.
#[derive(Debug)]
pub(super) struct Match {
    pub regex: Regex,
    /// The regular expression as it is written.
    pub pattern: Str,
    pub function: MatchFunction,
    pub text: Node,
    pub limit: Option<Node>,
    /// What is counted for the call.
    pub price: Price,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum MatchFunction {
    Matches,
    Find,
    FindAll,
}

/// An element of a list literal.
#[derive(Debug)]
pub(super) struct Element {
    pub value: Node,
    pub optional: bool,
}

/// An entry of a map literal.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: Node,
    pub value: Node,
    pub optional: bool,
}

/// A literal of a well-known message.
#[derive(Debug)]
pub(super) struct MessageLiteral {
    pub message: &'static Message,
    pub fields: Box<[MessageField]>,
}

/// A field of a message literal.
#[derive(Debug)]
pub(super) struct MessageField {
    pub field: &'static Field,
    pub value: Node,
    pub optional: bool,
}

/// A loop over a list or a map.
#[derive(Debug)]
pub(super) struct Fold {
    pub range: Node,
    pub initial: Node,
    /// `None` when it is always true.
    pub condition: Option<Node>,
    pub step: Node,
    /// `None` when it is the accumulator itself.
    pub result: Option<Node>,
    pub accumulator: u32,
    pub variable: u32,
    pub second_variable: Option<u32>,
    /// Steps to charge for each round.
    pub weight: u64,
    /// The value that decides a loop of `all` or `exists`, whose step is a chain of the accumulator and the predicate.
    pub deciding: Option<bool>,
}
