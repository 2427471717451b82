//! Counting what an evaluation costs, node by node as the reference does: variables and what is selected from them when
//! they are read, calls once their arguments are there, literals when they are made.

use super::frame::{Frame, Outcome};
use super::glance::Slot;
use super::path::Root;
use super::plan::{Call, Fold, Kind, Node, Test};
use super::{ErrorKind, EvalError, dispatch};
use crate::cost::{LIST, MAP, Prices, STRUCT};
use crate::value::CelValue;

impl<'a> Frame<'a> {
    /// The value of a node of a program that counts.
    #[cold]
    pub(super) fn evaluate_counting(&mut self, node: &'a Node) -> Outcome {
        let outcome = match &node.kind {
            Kind::Path(_) | Kind::Index(_) | Kind::Conditional(_) => self.attribute(node).map(|(value, _)| value),
            Kind::Call(call) => self.call_counting(call),
            kind => {
                if let Kind::Append(slot, _) | Kind::Insert(slot, ..) | Kind::Take(slot) = kind {
                    self.initialize(*slot)?;
                }
                self.evaluate_kind(kind)
            }
        };
        self.context.add_cost(self.own_cost(&node.kind))?;
        outcome.map_err(|error| error.at(&(node.start as usize..node.end as usize)))
    }

    /// What a node costs without its parts.
    fn own_cost(&self, kind: &Kind) -> u64 {
        let reference = self.counting == Some(Prices::Reference);
        match kind {
            Kind::Path(_) | Kind::Index(_) => match start(kind) {
                Start::Variable => 1,
                Start::Value => u64::from(reference), // the estimate counts the step only
                Start::Choice => 0,
            },
            Kind::Test(Test::Has(has)) => u64::from(reference && !matches!(start(&has.operand.kind), Start::Choice)),
            Kind::Test(Test::Not(_) | Test::NotStrictlyFalse(_)) | Kind::Take(_) => 1,
            Kind::List(_) => LIST,
            Kind::Map(_) => MAP,
            Kind::Message(_) => STRUCT,
            // the empty list that is looped over
            Kind::Bind(..) => LIST,
            // the accumulator, a list of one item, and the sum
            Kind::Append(..) => LIST + 2,
            // the accumulator, the map of one entry where it is one, and the call
            Kind::Insert(_, _, literal) => 2 + if *literal { MAP } else { 0 },
            _ => 0,
        }
    }

    /// A call is counted when all its arguments are there; in the reference also when the last one is an error.
    fn call_counting(&mut self, call: &'a Call) -> Outcome {
        let mut args = Vec::with_capacity(call.args.len());
        for node in &call.args {
            match self.evaluate(node) {
                Ok(value) => args.push(value),
                Err(error) => {
                    let is_last = args.len() + 1 == call.args.len();
                    let is_counted = is_last && self.counting == Some(Prices::Reference);
                    if is_counted && error.kind() != ErrorKind::BudgetExceeded {
                        args.push(CelValue::Null);
                        self.context.add_cost(call.price.measure(&args, None))?;
                    }
                    return Err(error);
                }
            }
        }
        let outcome = dispatch::invoke(self.context, call, &args);
        self.context.add_cost(call.price.measure(&args, outcome.as_ref().ok()))?;
        outcome
    }

    /// Counts a step from a value to a part of it. What is optional is counted only where it is there.
    #[inline]
    pub(super) fn count_step(&mut self, optional: bool, found: bool) -> Result<(), EvalError> {
        if self.counting.is_some() && (found || !optional) { self.context.add_cost(1) } else { Ok(()) }
    }

    /// Gets an accumulator its first value, which is evaluated when it is read first.
    pub(super) fn begin(&mut self, slot: u32, initial: &'a Node) {
        let at = slot as usize;
        if self.counting.is_some() {
            self.pending[at..].fill(None); // those of scopes that were left
            self.pending[at] = Some(initial);
        } else {
            self.slots[at] = self.evaluate(initial).into();
        }
    }

    /// Gives an accumulator its next value, after which the first one is not wanted any more.
    pub(super) fn set(&mut self, slot: u32, value: Slot) {
        if let Some(pending) = self.pending.get_mut(slot as usize) {
            *pending = None;
        }
        self.slots[slot as usize] = value;
    }

    /// Evaluates the first value of an accumulator if that was not done yet. It may have loops that use the same slots as
    /// those that are running.
    pub(super) fn initialize(&mut self, slot: u32) -> Result<(), EvalError> {
        let at = slot as usize;
        let Some(initial) = self.pending.get_mut(at).and_then(Option::take) else { return Ok(()) };
        let slots = self.slots.split_off(at);
        let pending = self.pending.split_off(at);
        self.slots.resize_with(at + slots.len(), || Slot::EMPTY);
        self.pending.resize(at + pending.len(), None);
        let value = self.evaluate(initial);
        self.slots.truncate(at);
        self.pending.truncate(at);
        self.slots.extend(slots);
        self.pending.extend(pending);
        if let Err(error) = &value
            && error.kind() == ErrorKind::BudgetExceeded
        {
            return Err(error.clone());
        }
        self.slots[at] = value.into();
        Ok(())
    }

    /// Reads the accumulator as the result of a loop.
    pub(super) fn result(&mut self, fold: &'a Fold) -> Outcome {
        if self.counting.is_some() {
            self.initialize(fold.accumulator)?;
            self.context.add_cost(1)?;
        }
        self.slots[fold.accumulator as usize].take()
    }
}

/// What something is selected from.
enum Start {
    Variable,
    /// A choice, which has no cost of its own.
    Choice,
    /// Anything else.
    Value,
}

fn start(kind: &Kind) -> Start {
    match kind {
        Kind::Path(path) => match &path.root {
            Root::Node(node) => start(&node.kind),
            _ => Start::Variable,
        },
        Kind::Index(index) => start(&index.operand.kind),
        Kind::Conditional(_) => Start::Choice,
        _ => Start::Value,
    }
}
