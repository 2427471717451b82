//! The evaluation of planned nodes.

use kro_value::format_smolstr;

use super::path::{Cursor, Path, Root, is_list, key_text, not_found};
use super::plan::{BinaryOperation, Call, Comparison, Element, Entry, Has, Index, Kind, Match, MatchFunction, Node};
use super::program::Inner;
use super::{Activation, ErrorKind, EvalContext, EvalError};
use crate::cost::{self, Cost};
use crate::library;
use crate::operators;
use crate::value::{CelValue, MapBuilder, MapKey, try_equal, unsupported_key};

pub(super) type Outcome = Result<CelValue, EvalError>;

/// How many variables are looked up only once.
const CACHED_VARIABLES: usize = 8;

/// One evaluation.
pub(super) struct Frame<'a> {
    pub program: &'a Inner,
    pub activation: &'a dyn Activation,
    pub context: &'a mut EvalContext,
    /// Variables and accumulators of comprehensions. An accumulator may be an error that a later round makes irrelevant.
    pub slots: Vec<Outcome>,
    variables: [Option<Option<&'a CelValue>>; CACHED_VARIABLES],
}

impl<'a> Frame<'a> {
    pub fn new(program: &'a Inner, activation: &'a dyn Activation, context: &'a mut EvalContext) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(program.slots, || Ok(CelValue::Null));
        Self { program, activation, context, slots, variables: [None; CACHED_VARIABLES] }
    }

    /// The value of a node; errors know where they arose.
    pub fn evaluate(&mut self, node: &Node) -> Outcome {
        if self.context.is_counting() {
            self.context.add_cost(fixed_cost(&node.kind))?;
        }
        let outcome = self.evaluate_kind(&node.kind);
        match outcome {
            Err(error) => Err(error.at(&(node.start as usize..node.end as usize))),
            value => value,
        }
    }

    fn evaluate_kind(&mut self, kind: &Kind) -> Outcome {
        match kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Path(path) => self.path(path),
            Kind::Index(index) => self.index(index),
            Kind::Has(has) => self.has(has),
            Kind::And(nodes) => self.logical(nodes, false),
            Kind::Or(nodes) => self.logical(nodes, true),
            Kind::Not(node) => self.boolean(node).map(|value| CelValue::Bool(!value)),
            Kind::NotStrictlyFalse(node) => self.not_strictly_false(node),
            Kind::Conditional(nodes) => {
                let branch = if self.boolean(&nodes[0])? { &nodes[1] } else { &nodes[2] };
                self.evaluate(branch)
            }
            Kind::Equal(nodes, wanted) => {
                let (left, right) = self.pair(nodes)?;
                self.count(|| cost::comparison_cost(&left, &right))?;
                Ok(CelValue::Bool(try_equal(self.context, &left, &right)? == *wanted))
            }
            Kind::Compare(nodes, comparison) => self.compare(nodes, *comparison),
            Kind::In(nodes) => {
                let (item, container) = self.pair(nodes)?;
                self.count(|| cost::membership_cost(&container))?;
                library::contains_item(self.context, &item, &container).map(CelValue::Bool)
            }
            Kind::Binary(nodes, operation) => self.binary(nodes, *operation),
            Kind::Call(call) => self.call(call),
            Kind::Match(found) => self.match_regex(found),
            Kind::OrElse(nodes, unwrap) => self.or_else(nodes, *unwrap),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Bind(slot, nodes) => {
                let value = self.evaluate(&nodes[0]);
                self.slots[*slot as usize] = value;
                self.evaluate(&nodes[1])
            }
            Kind::Fold(fold) => self.fold(fold),
            Kind::Append(slot, item) => self.append(*slot, item),
            Kind::Insert(slot, entry) => self.insert(*slot, entry),
            Kind::Take(slot) => std::mem::replace(&mut self.slots[*slot as usize], Ok(CelValue::Null)),
            Kind::Fail(error) => Err(error.clone()),
        }
    }

    /// Adds the cost of an operation on values, where costs are counted.
    #[inline]
    fn count(&mut self, cost: impl FnOnce() -> u64) -> Result<(), EvalError> {
        if self.context.is_counting() { self.context.add_cost(cost()) } else { Ok(()) }
    }

    fn pair(&mut self, nodes: &[Node; 2]) -> Result<(CelValue, CelValue), EvalError> {
        Ok((self.evaluate(&nodes[0])?, self.evaluate(&nodes[1])?))
    }

    fn boolean(&mut self, node: &Node) -> Result<bool, EvalError> {
        match self.evaluate(node)? {
            CelValue::Bool(value) => Ok(value),
            _ => Err(EvalError::no_overload()),
        }
    }

    /// `&&` and `||`: one operand of the deciding value decides, whatever the others are; else the first error counts.
    fn logical(&mut self, nodes: &[Node], deciding: bool) -> Outcome {
        let mut first_error = None;
        for node in nodes {
            match self.boolean(node) {
                Ok(value) if value == deciding => return Ok(CelValue::Bool(deciding)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::BudgetExceeded => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(CelValue::Bool(!deciding)), Err)
    }

    fn not_strictly_false(&mut self, node: &Node) -> Outcome {
        match self.evaluate(node) {
            Ok(CelValue::Bool(value)) => Ok(CelValue::Bool(value)),
            Err(error) if error.kind() == ErrorKind::BudgetExceeded => Err(error),
            _ => Ok(CelValue::Bool(true)),
        }
    }

    fn compare(&mut self, nodes: &[Node; 2], comparison: Comparison) -> Outcome {
        let (left, right) = self.pair(nodes)?;
        self.count(|| cost::comparison_cost(&left, &right))?;
        let operator = match comparison {
            Comparison::Less => operators::LESS,
            Comparison::LessEquals => operators::LESS_EQUALS,
            Comparison::Greater => operators::GREATER,
            Comparison::GreaterEquals => operators::GREATER_EQUALS,
        };
        let order = library::order(operator, &left, &right)?;
        Ok(CelValue::Bool(order.is_some_and(|order| match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessEquals => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterEquals => order.is_ge(),
        })))
    }

    fn binary(&mut self, nodes: &[Node; 2], operation: BinaryOperation) -> Outcome {
        let (left, right) = self.pair(nodes)?;
        self.count(|| cost::binary_cost(&left, &right))?;
        operation(self.context, &left, &right)
    }

    fn call(&mut self, call: &Call) -> Outcome {
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

    fn match_regex(&mut self, found: &Match) -> Outcome {
        let value = self.evaluate(&found.text)?;
        let limit = found.limit.as_ref().map(|limit| self.evaluate(limit)).transpose()?;
        self.count(|| cost::measure(Cost::Regex, &[value.clone(), found.regex.as_str().into()]))?;
        let CelValue::String(text) = &value else {
            return Err(super::dispatch::no_match_overload(found.function, &value));
        };
        match found.function {
            MatchFunction::Matches => library::matches_with(self.context, text, &found.regex),
            MatchFunction::Find => library::find_with(self.context, text, &found.regex),
            MatchFunction::FindAll => library::find_all_with(self.context, text, &found.regex, limit.as_ref()),
        }
    }

    /// The other operand is evaluated only when the first is empty.
    fn or_else(&mut self, nodes: &[Node; 2], unwrap: bool) -> Outcome {
        match self.evaluate(&nodes[0])? {
            CelValue::Optional(Some(inner)) if unwrap => Ok((*inner).clone()),
            CelValue::Optional(Some(inner)) => Ok(CelValue::Optional(Some(inner))),
            CelValue::Optional(None) => self.evaluate(&nodes[1]),
            _ => Err(EvalError::no_overload()),
        }
    }

    fn list(&mut self, elements: &[Element]) -> Outcome {
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

    fn map(&mut self, entries: &[Entry]) -> Outcome {
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
    fn variable(&mut self, index: u32) -> Option<&'a CelValue> {
        let index = index as usize;
        if let Some(Some(known)) = self.variables.get(index) {
            return *known;
        }
        let program: &'a Inner = self.program;
        let activation: &'a dyn Activation = self.activation;
        let found = activation.variable(program.variables.get(index)?);
        if let Some(cached) = self.variables.get_mut(index) {
            *cached = Some(found);
        }
        found
    }

    fn path(&mut self, path: &Path) -> Outcome {
        match &path.root {
            Root::Variable(index) => {
                let Some(value) = self.variable(*index) else { return Err(self.no_variable(*index)) };
                walk(Cursor::Cel(value), path, 0, || self.program.variables[*index as usize].to_string())
            }
            Root::Local(slot, name) => match &self.slots[*slot as usize] {
                Ok(value) if path.steps.is_empty() => Ok(value.clone()),
                Ok(value) => walk(Cursor::Cel(value), path, 0, || name.to_string()),
                Err(error) => Err(error.clone()),
            },
            Root::Node(node) => {
                let value = self.evaluate(node)?;
                walk(Cursor::Cel(&value), path, 0, String::new)
            }
            Root::Candidates(candidates) => {
                for (index, skip) in candidates {
                    if let Some(value) = self.variable(*index) {
                        let name = || self.program.variables[*index as usize].to_string();
                        return walk(Cursor::Cel(value), path, *skip, name);
                    }
                }
                let shortest = candidates.last().map_or(0, |(index, _)| *index);
                Err(self.no_variable(shortest))
            }
        }
    }

    #[cold]
    fn no_variable(&self, index: u32) -> EvalError {
        let name = &self.program.variables[index as usize];
        EvalError::new(ErrorKind::NoSuchAttribute, format_smolstr!("no such attribute(s): {name}"))
            .reading(|| name.clone())
    }

    fn index(&mut self, index: &Index) -> Outcome {
        let operand = self.evaluate(&index.operand)?;
        let (cursor, unwrapped) = Cursor::Cel(&operand).unwrap_optional();
        let optional = unwrapped || index.optional;
        // what is not there has no entries, whatever the key is
        let Some(cursor) = cursor else { return Ok(CelValue::none()) };
        let key = self.evaluate(&index.key)?;
        let in_list = is_list(&cursor);
        match cursor.step(&key)? {
            Some(found) if optional => Ok(CelValue::some(found.finish()?)),
            Some(found) => found.finish(),
            None if optional => Ok(CelValue::none()),
            None => Err(not_found(&key, in_list)),
        }
    }

    fn has(&mut self, has: &Has) -> Outcome {
        let operand = self.evaluate(&has.operand)?;
        let found = match Cursor::Cel(&operand).unwrap_optional() {
            (Some(cursor), _) => cursor.has(&has.field)?,
            (None, _) => false,
        };
        Ok(CelValue::Bool(found))
    }
}

/// What a node costs whatever the values are; that of operators and functions depends on them.
#[cold]
fn fixed_cost(kind: &Kind) -> u64 {
    match kind {
        Kind::Path(path) => path.steps.len() as u64 + u64::from(!matches!(path.root, Root::Node(_))),
        Kind::Index(_) | Kind::Not(_) | Kind::NotStrictlyFalse(_) | Kind::OrElse(..) | Kind::Take(_) => 1,
        Kind::List(_) => cost::LIST,
        Kind::Map(_) => cost::MAP,
        // the accumulator, a list of one item, and the sum
        Kind::Append(..) => cost::LIST + 2,
        // the accumulator and the call
        Kind::Insert(..) => 2,
        _ => 0,
    }
}

/// Follows the steps of a path. After an optional step, or from an optional, what is missing is an empty optional.
fn walk(start: Cursor<'_>, path: &Path, skip: usize, root: impl Fn() -> String) -> Outcome {
    let steps = path.steps.get(skip..).unwrap_or_default();
    if steps.is_empty() {
        return start.finish();
    }
    let (mut cursor, mut optional) = match start.unwrap_optional() {
        (Some(cursor), optional) => (cursor, optional),
        (None, _) => return Ok(CelValue::none()),
    };
    for (at, step) in steps.iter().enumerate() {
        optional |= step.optional;
        let in_list = is_list(&cursor);
        let found = cursor.step(&step.key).map_err(|error| error.reading(|| path_text(&root(), &steps[..=at])))?;
        cursor = match found {
            Some(found) => found,
            None if optional => return Ok(CelValue::none()),
            None => return Err(not_found(&step.key, in_list).reading(|| path_text(&root(), &steps[..=at]))),
        };
    }
    let value = cursor.finish()?;
    Ok(if optional { CelValue::some(value) } else { value })
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
