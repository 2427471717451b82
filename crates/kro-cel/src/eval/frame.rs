//! The evaluation of planned nodes.

use std::cell::Cell;
use std::fmt::Write;

use kro_value::{StrBuilder, format_smolstr};

use super::glance::{Glance, Scalar, Slot, glance, glance_item};
use super::path::{Cursor, Path, Root, is_list, key_text, not_found};
use super::plan::{
    BinaryOperation, Call, Element, Entry, Format, FormatPiece, Index, Kind, Match, MatchFunction, Node, Test,
};
use super::program::Inner;
use super::{Activation, ErrorKind, EvalContext, EvalError};
use crate::cost::Prices;
use crate::library;
use crate::value::{CelList, CelValue, MapBuilder, MapKey, unsupported_key};

pub(super) type Outcome = Result<CelValue, EvalError>;

/// How many variables are looked up only once.
const CACHED_VARIABLES: usize = 4;

/// One evaluation.
pub(super) struct Frame<'a> {
    pub program: &'a Inner,
    pub activation: &'a dyn Activation,
    pub context: &'a mut EvalContext,
    /// Variables and accumulators of comprehensions.
    pub slots: Vec<Slot>,
    /// What is counted, if anything is.
    pub counting: Option<Prices>,
    /// Where costs are counted: the first values of accumulators that were not read yet.
    pub pending: Vec<Option<&'a Node>>,
    /// Where costs are counted: steps from values to parts of them.
    steps: Cell<u64>,
    variables: [Cell<Option<Option<&'a CelValue>>>; CACHED_VARIABLES],
}

impl<'a> Frame<'a> {
    pub fn new(program: &'a Inner, activation: &'a dyn Activation, context: &'a mut EvalContext) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(program.slots, || Slot::EMPTY);
        let counting = program.prices.filter(|_| context.is_counting());
        let pending = if counting.is_some() { vec![None; program.slots] } else { Vec::new() };
        let variables = [const { Cell::new(None) }; CACHED_VARIABLES];
        Self { program, activation, context, slots, counting, pending, steps: Cell::new(0), variables }
    }

    /// The value of a node; errors know where they arose.
    pub fn evaluate(&mut self, node: &'a Node) -> Outcome {
        if self.counting.is_some() {
            return self.evaluate_counting(node);
        }
        let outcome = self.evaluate_kind(&node.kind);
        match outcome {
            Err(error) => Err(error.at(&(node.start as usize..node.end as usize))),
            value => value,
        }
    }

    pub(super) fn evaluate_kind(&mut self, kind: &'a Kind) -> Outcome {
        match kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Path(path) => self.path(path),
            Kind::Index(index) => self.index(index),
            Kind::Test(test) => self.verdict(test).map(CelValue::Bool),
            Kind::Conditional(nodes) => {
                let branch = if self.truth(&nodes[0])? { &nodes[1] } else { &nodes[2] };
                self.evaluate(branch)
            }
            Kind::Message(literal) => self.message(literal),
            Kind::Concat(nodes) => self.concat(nodes),
            Kind::Format(format) => match self.format(format) {
                Some(text) => text,
                None => self.call(&format.call),
            },
            Kind::Binary(nodes, operation) => self.binary(nodes, *operation),
            Kind::Call(call) => self.call(call),
            Kind::Match(found) => self.match_regex(found),
            Kind::OrElse(nodes, unwrap) => self.or_else(nodes, *unwrap),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Bind(slot, nodes) => {
                self.begin(*slot, &nodes[0]);
                self.evaluate(&nodes[1])
            }
            Kind::Fold(fold) => self.fold(fold),
            Kind::Append(slot, item) => self.append(*slot, item),
            Kind::Insert(slot, entry, _) => self.insert(*slot, entry),
            Kind::Take(slot) => self.slots[*slot as usize].take(),
            Kind::Fail(error) => Err(error.clone()),
        }
    }

    pub(super) fn pair(&mut self, nodes: &'a [Node; 2]) -> Result<(CelValue, CelValue), EvalError> {
        Ok((self.evaluate(&nodes[0])?, self.evaluate(&nodes[1])?))
    }

    fn binary(&mut self, nodes: &'a [Node; 2], operation: BinaryOperation) -> Outcome {
        let (left, right) = self.pair(nodes)?;
        operation(self.context, &left, &right)
    }

    fn call(&mut self, call: &'a Call) -> Outcome {
        match &*call.args {
            [] => super::dispatch::invoke(self.context, call, &[]),
            [argument] => {
                let arguments = [self.evaluate(argument)?];
                super::dispatch::invoke(self.context, call, &arguments)
            }
            [first, second] => {
                let arguments = [self.evaluate(first)?, self.evaluate(second)?];
                super::dispatch::invoke(self.context, call, &arguments)
            }
            many => {
                let arguments: Vec<CelValue> = many.iter().map(|node| self.evaluate(node)).collect::<Result<_, _>>()?;
                super::dispatch::invoke(self.context, call, &arguments)
            }
        }
    }

    fn match_regex(&mut self, found: &'a Match) -> Outcome {
        let value = self.evaluate(&found.text)?;
        let limit = found.limit.as_ref().map(|limit| self.evaluate(limit)).transpose()?;
        if self.counting.is_some() {
            self.context
                .add_cost(found.price.measure(&[value.clone(), CelValue::String(found.pattern.clone())], None))?;
        }
        let seen = if matches!(found.function, MatchFunction::Matches) { &value } else { library::held(&value) };
        let CelValue::String(text) = seen else {
            return Err(super::dispatch::no_match_overload(found.function, &value));
        };
        match found.function {
            MatchFunction::Matches => library::matches_with(self.context, text, &found.regex),
            MatchFunction::Find => library::find_with(self.context, text, &found.regex),
            MatchFunction::FindAll => library::find_all_with(self.context, text, &found.regex, limit.as_ref()),
        }
    }

    /// Texts behind each other. What is no text after all is added as such.
    fn concat(&mut self, nodes: &'a [Node]) -> Outcome {
        let Some((_, rest)) = nodes.split_first() else { return Ok(CelValue::string("")) };
        let mut text = StrBuilder::new();
        let mut length;
        for (at, node) in nodes.iter().enumerate() {
            if let Some(Scalar::Text(part)) = self.scalar(node) {
                length = part.len();
                text.push_str(part);
            } else {
                match self.evaluate(node)? {
                    CelValue::String(part) => {
                        length = part.len();
                        text.push_str(&part);
                    }
                    other if at == 0 => return self.add_all(other, rest),
                    other => {
                        let sum = library::add(self.context, &CelValue::String(text.finish()), &other)?;
                        return self.add_all(sum, &nodes[at + 1..]);
                    }
                }
            }
            self.context.allocate(length)?;
        }
        Ok(CelValue::String(text.finish()))
    }

    /// A text with texts and whole numbers in it, which are looked at where they are; `None` where they are anything else.
    fn format(&mut self, format: &'a Format) -> Option<Outcome> {
        let mut args = format.args.iter();
        let mut text = StrBuilder::new();
        let mut length = 0;
        for piece in &format.pieces {
            let scalar = match piece {
                FormatPiece::Text(part) => Scalar::Text(part),
                FormatPiece::String => self.scalar(args.next()?)?,
                FormatPiece::Decimal => self.scalar(args.next()?).filter(|scalar| matches!(scalar, Scalar::Int(_)))?,
            };
            match scalar {
                Scalar::Text(part) => {
                    length += part.len();
                    text.push_str(part);
                }
                Scalar::Int(number) => {
                    length += 20;
                    // a text takes everything
                    let _ = write!(text, "{number}");
                }
                Scalar::Bool(value) => text.push_str(if value { "true" } else { "false" }),
            }
        }
        Some(self.context.allocate(length).map(|()| CelValue::String(text.finish())))
    }

    fn add_all(&mut self, first: CelValue, nodes: &'a [Node]) -> Outcome {
        let mut sum = first;
        for node in nodes {
            let value = self.evaluate(node)?;
            sum = library::add(self.context, &sum, &value)?;
        }
        Ok(sum)
    }

    /// The other operand is evaluated only when the first is empty.
    fn or_else(&mut self, nodes: &'a [Node; 2], unwrap: bool) -> Outcome {
        match self.evaluate(&nodes[0])? {
            CelValue::Optional(Some(inner)) if unwrap => Ok((*inner).clone()),
            CelValue::Optional(Some(inner)) => Ok(CelValue::Optional(Some(inner))),
            CelValue::Optional(None) => self.evaluate(&nodes[1]),
            _ => Err(EvalError::no_overload()),
        }
    }

    fn list(&mut self, elements: &'a [Element]) -> Outcome {
        self.context.allocate_items(elements.len())?;
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.evaluate(&element.value)?;
            match (element.optional, value) {
                (false, value) => items.push(value),
                (true, CelValue::Optional(inner)) => items.extend(inner.map(|inner| (*inner).clone())),
                (true, value) => {
                    let shown = library::display(&value);
                    let text = format!("cannot initialize optional list element from non-optional value {shown}");
                    return Err(EvalError::invalid(text));
                }
            }
        }
        Ok(CelValue::List(items.into()))
    }

    fn map(&mut self, entries: &'a [Entry]) -> Outcome {
        self.context.allocate_items(entries.len().saturating_mul(2))?;
        let mut map = MapBuilder::new();
        for entry in entries {
            let key = self.evaluate(&entry.key)?;
            let name = MapKey::new(&key);
            let value = self.evaluate(&entry.value)?;
            let value = match (entry.optional, value) {
                (false, value) => value,
                (true, CelValue::Optional(Some(inner))) => (*inner).clone(),
                (true, CelValue::Optional(None)) => {
                    name.inspect(|name| map.remove(name)); // also an entry before it
                    continue;
                }
                (true, value) => {
                    let (key, shown) = (key_text(&key), library::display(&value));
                    let text = format!("cannot initialize optional entry '{key}' from non-optional value {shown}");
                    return Err(EvalError::invalid(text));
                }
            };
            map.insert(name.ok_or_else(|| unsupported_key(&key))?, value);
        }
        Ok(CelValue::Map(map.finish()))
    }

    /// A variable by its place in the program's list.
    fn variable(&self, index: u32) -> Option<&'a CelValue> {
        let index = index as usize;
        let cached = self.variables.get(index);
        if let Some(known) = cached.and_then(Cell::get) {
            return known;
        }
        let program: &'a Inner = self.program;
        let found = self.activation.variable(program.variables.get(index)?);
        if let Some(cached) = cached {
            cached.set(Some(found));
        }
        found
    }

    /// A look along a path that starts at a variable.
    #[inline]
    pub(super) fn glance(&self, path: &Path) -> Glance<'_> {
        match &path.root {
            Root::Variable(index) => match self.variable(*index) {
                Some(value) => glance(value, &path.steps),
                None => Glance::Unclear,
            },
            Root::Local(slot, _) => match &self.slots[*slot as usize] {
                Slot::Value(value) => glance(value, &path.steps),
                Slot::Item(list, index) => glance_item(list, *index, &path.steps),
                Slot::Error(_) => Glance::Unclear,
            },
            Root::Node(_) | Root::Candidates(_) => Glance::Unclear,
        }
    }

    /// What a node leads to, where that is a scalar that can be looked at where it is.
    pub(super) fn scalar(&self, node: &'a Node) -> Option<Scalar<'_>> {
        match &node.kind {
            Kind::Constant(value) => Scalar::of(value),
            Kind::Path(path) => match self.glance(path) {
                Glance::Found(seen) => seen.scalar(),
                _ => self.root_value(path).and_then(Scalar::of),
            },
            _ => None,
        }
    }

    /// The value of a path without steps.
    fn root_value(&self, path: &Path) -> Option<&CelValue> {
        match &path.root {
            _ if !path.steps.is_empty() => None,
            Root::Variable(index) => self.variable(*index),
            Root::Local(slot, _) => match &self.slots[*slot as usize] {
                Slot::Value(value) => Some(value),
                Slot::Item(CelList::Built(items), index) => items.get(*index),
                Slot::Item(..) | Slot::Error(_) => None,
            },
            Root::Node(_) | Root::Candidates(_) => None,
        }
    }

    fn path(&mut self, path: &'a Path) -> Outcome {
        if let Glance::Found(seen) = self.glance(path) {
            return seen.finish();
        }
        self.path_open(path).map(|(value, _)| value)
    }

    /// The value of a node that something is selected from, and whether an optional in it is gone into. At the start of a
    /// path it is, and where a step before was optional; an optional that lies inside of a container is not.
    pub(super) fn attribute(&mut self, node: &'a Node) -> Result<(CelValue, bool), EvalError> {
        if !matches!(node.kind, Kind::Path(_) | Kind::Index(_) | Kind::Conditional(_)) {
            return match &node.kind {
                // read as a part of something else, which has the cost
                kind @ (Kind::Test(Test::Has(_)) | Kind::Take(_)) if self.counting.is_some() => {
                    if let Kind::Take(slot) = kind {
                        self.initialize(*slot)?;
                    }
                    Ok((self.evaluate_kind(kind)?, true))
                }
                _ => Ok((self.evaluate(node)?, true)),
            };
        }
        let outcome = match &node.kind {
            Kind::Path(path) => {
                let outcome = self.path_open(path);
                if self.counting.is_some() {
                    let steps = self.steps.take();
                    self.context.add_cost(steps)?;
                }
                outcome
            }
            Kind::Index(index) => self.index_open(index),
            Kind::Conditional(nodes) => {
                self.truth(&nodes[0]).and_then(|yes| self.attribute(&nodes[if yes { 1 } else { 2 }]))
            }
            _ => self.evaluate(node).map(|value| (value, true)),
        };
        outcome.map_err(|error| error.at(&(node.start as usize..node.end as usize)))
    }

    fn path_open(&mut self, path: &'a Path) -> Result<(CelValue, bool), EvalError> {
        if let Root::Local(slot, _) = &path.root
            && self.counting.is_some()
        {
            self.initialize(*slot)?;
        }
        match &path.root {
            Root::Variable(index) => {
                let Some(value) = self.variable(*index) else { return Err(self.no_variable(*index)) };
                walk(Cursor::Cel(value), path, 0, true, &self.steps, || self.root_text(&path.root))
            }
            Root::Local(slot, _) => match &self.slots[*slot as usize] {
                slot if path.steps.is_empty() => Ok((slot.get()?, true)),
                Slot::Value(value) => {
                    walk(Cursor::Cel(value), path, 0, true, &self.steps, || self.root_text(&path.root))
                }
                slot => walk(Cursor::Cel(&slot.get()?), path, 0, true, &self.steps, || self.root_text(&path.root)),
            },
            Root::Node(node) => {
                let (value, open) = self.attribute(node)?;
                walk(Cursor::Cel(&value), path, 0, open, &self.steps, String::new)
            }
            Root::Candidates(candidates) => {
                if let Some((index, skip)) = self.candidate(candidates)
                    && let Some(value) = self.variable(index)
                {
                    return walk(Cursor::Cel(value), path, skip, true, &self.steps, || self.root_text(&path.root));
                }
                let shortest = candidates.last().map_or(0, |(index, _)| *index);
                Err(self.no_variable(shortest))
            }
        }
    }

    /// Where a path starts, as an expression outside of all loops would have it: the third pod is `pods[2]`.
    #[cold]
    fn root_text(&self, root: &Root) -> String {
        match root {
            Root::Variable(index) => self.program.variables[*index as usize].to_string(),
            Root::Local(slot, origin) => match (&origin.range, &self.slots[*slot as usize]) {
                (Some(range), Slot::Item(_, index)) => {
                    let steps = range.steps.get(self.skipped(&range.root)..).unwrap_or_default();
                    format!("{}[{index}]", path_text(&self.root_text(&range.root), steps))
                }
                _ => origin.name.to_string(),
            },
            Root::Candidates(candidates) => match self.candidate(candidates) {
                Some((index, _)) => self.program.variables[index as usize].to_string(),
                None => String::new(),
            },
            Root::Node(_) => String::new(),
        }
    }

    /// How many steps of a path the name of its variable takes up.
    fn skipped(&self, root: &Root) -> usize {
        match root {
            Root::Candidates(candidates) => self.candidate(candidates).map_or(0, |(_, skip)| skip),
            _ => 0,
        }
    }

    /// The first of several variables that is there.
    fn candidate(&self, candidates: &[(u32, usize)]) -> Option<(u32, usize)> {
        candidates.iter().copied().find(|(index, _)| self.variable(*index).is_some())
    }

    #[cold]
    fn no_variable(&self, index: u32) -> EvalError {
        let name = &self.program.variables[index as usize];
        EvalError::new(ErrorKind::NoSuchAttribute, format_smolstr!("no such attribute(s): {name}"))
            .reading(|| name.clone())
    }

    fn index(&mut self, index: &'a Index) -> Outcome {
        self.index_open(index).map(|(value, _)| value)
    }

    /// The key of an index. Where costs are counted, what it reads is a part of what is read with it.
    fn key(&mut self, node: &'a Node) -> Outcome {
        if self.counting.is_some() { self.attribute(node).map(|(value, _)| value) } else { self.evaluate(node) }
    }

    fn index_open(&mut self, index: &'a Index) -> Result<(CelValue, bool), EvalError> {
        let (operand, open) = self.attribute(&index.operand)?;
        let (cursor, unwrapped) = Cursor::Cel(&operand).enter(open);
        let optional = unwrapped || index.optional;
        // what is not there has no entries, whatever the key is
        let Some(cursor) = cursor else { return Ok((CelValue::none(), true)) };
        let key = match self.key(&index.key) {
            Ok(key) => key,
            Err(error) => {
                self.count_step(optional, false)?;
                return Err(error);
            }
        };
        let in_list = is_list(&cursor);
        let found = cursor.step(&key);
        self.count_step(optional, matches!(found, Ok(Some(_))))?;
        match found? {
            Some(found) if optional => Ok((CelValue::some(found.finish()?), true)),
            Some(found) => Ok((found.finish()?, false)),
            None if optional => Ok((CelValue::none(), true)),
            None => Err(not_found(&key, in_list)),
        }
    }
}

/// Follows the steps of a path. After an optional step, or from an optional, what is missing is an empty optional.
fn walk(
    start: Cursor<'_>,
    path: &Path,
    skip: usize,
    open: bool,
    taken: &Cell<u64>,
    root: impl Fn() -> String,
) -> Result<(CelValue, bool), EvalError> {
    let steps = path.steps.get(skip..).unwrap_or_default();
    if steps.is_empty() {
        return Ok((start.finish()?, open));
    }
    let (mut cursor, mut optional) = match start.enter(open) {
        (Some(cursor), optional) => (cursor, optional),
        (None, _) => return Ok((CelValue::none(), true)),
    };
    for (at, step) in steps.iter().enumerate() {
        optional |= step.optional;
        let in_list = is_list(&cursor);
        let found = cursor.step(&step.key).map_err(|error| {
            taken.set(taken.get() + u64::from(!optional));
            error.reading(|| path_text(&root(), &steps[..=at]))
        })?;
        taken.set(taken.get() + u64::from(found.is_some() || !optional));
        cursor = match found {
            Some(found) => found,
            None if optional => return Ok((CelValue::none(), true)),
            None => return Err(not_found(&step.key, in_list).reading(|| path_text(&root(), &steps[..=at]))),
        };
    }
    let value = cursor.finish()?;
    Ok((if optional { CelValue::some(value) } else { value }, optional))
}

/// A path as an expression would have it: `pods[0].metadata.name`.
#[cold]
fn path_text(root: &str, steps: &[super::path::Step]) -> kro_value::Str {
    let mut text = root.to_owned();
    for step in steps {
        match &step.key {
            CelValue::String(name) => {
                text.push('.');
                text.push_str(name);
            }
            key => {
                text.push('[');
                text.push_str(&key_text(key));
                text.push(']');
            }
        }
    }
    text.into()
}
