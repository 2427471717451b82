//! Comprehensions.

use std::sync::Arc;

use super::frame::{Frame, Outcome};
use super::glance::Slot;
use super::path::go_type;
use super::plan::{Fold, Kind, Node, Test};
use super::{ErrorKind, EvalError};
use crate::value::{CelList, CelMap, CelValue, MapKey, unsupported_key};

impl<'a> Frame<'a> {
    pub(super) fn fold(&mut self, fold: &'a Fold) -> Outcome {
        let range = self.evaluate(&fold.range)?;
        if let (Some(deciding), CelValue::List(list), false) = (fold.deciding, &range, self.counting.is_some()) {
            return self.quantify(fold, list, deciding).map(CelValue::Bool);
        }
        self.begin(fold.accumulator, &fold.initial);
        match &range {
            CelValue::List(list) => self.fold_list(fold, list)?,
            CelValue::Map(map) => self.fold_map(fold, map)?,
            other if fold.second_variable.is_some() => {
                let text = format!("unsupported comprehension range type: {}", go_type(other));
                return Err(EvalError::invalid(text));
            }
            other => return Err(EvalError::invalid(format!("got '{}', expected iterable type", go_type(other)))),
        }
        match &fold.result {
            Some(result) => self.evaluate(result),
            None => self.result(fold),
        }
    }

    /// Puts an item into the variables of a loop.
    fn bring(&mut self, fold: &Fold, list: &CelList, index: usize) {
        let position = || Slot::Value(CelValue::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        let slot = match fold.second_variable {
            Some(second) => {
                self.slots[fold.variable as usize] = position();
                second
            }
            None => fold.variable,
        };
        match &mut self.slots[slot as usize] {
            Slot::Item(_, at) if index > 0 => *at = index,
            other => *other = Slot::Item(list.clone(), index),
        }
    }

    /// `all` and `exists`: the first item that decides, else the first error, else the other value.
    fn quantify(&mut self, fold: &'a Fold, list: &CelList, deciding: bool) -> Result<bool, EvalError> {
        let Kind::Test(Test::Or(nodes) | Test::And(nodes)) = &fold.step.kind else {
            return Err(EvalError::no_overload());
        };
        let mut first_error = None;
        for index in 0..list.len() {
            self.context.charge(fold.weight)?;
            self.bring(fold, list, index);
            match self.logical(nodes.get(1..).unwrap_or_default(), deciding) {
                Ok(value) if value == deciding => return Ok(deciding),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::BudgetExceeded => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error.at(&(fold.step.start as usize..fold.step.end as usize)));
                }
            }
        }
        first_error.map_or(Ok(!deciding), Err)
    }

    fn fold_list(&mut self, fold: &'a Fold, list: &CelList) -> Result<(), EvalError> {
        for index in 0..list.len() {
            self.bring(fold, list, index);
            if !self.round(fold)? {
                break;
            }
        }
        Ok(())
    }

    fn fold_map(&mut self, fold: &'a Fold, map: &CelMap) -> Result<(), EvalError> {
        for key in map.keys() {
            if let Some(second) = fold.second_variable {
                let value = key.as_str().map_or_else(|| map.get(&key.to_value()), |name| map.get_str(name));
                self.slots[second as usize] = value.unwrap_or(Ok(CelValue::Null)).into();
            }
            self.slots[fold.variable as usize] = Slot::Value(key.to_value());
            if !self.round(fold)? {
                break;
            }
        }
        Ok(())
    }

    /// One round; false to stop.
    fn round(&mut self, fold: &'a Fold) -> Result<bool, EvalError> {
        self.context.charge(fold.weight)?;
        let Some(condition) = &fold.condition else {
            return match self.step(fold.accumulator, &fold.step) {
                // a filter goes on, and reports its last error
                Err(error)
                    if matches!(fold.step.kind, Kind::Conditional(_)) && error.kind() != ErrorKind::BudgetExceeded =>
                {
                    self.set(fold.accumulator, Slot::Error(error));
                    Ok(true)
                }
                // nothing can make any other error irrelevant any more
                outcome => outcome.map(|()| true),
            };
        };
        match self.evaluate(condition) {
            Ok(CelValue::Bool(false)) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::BudgetExceeded => return Err(error),
            _ => {}
        }
        let next = self.evaluate(&fold.step);
        if let Err(error) = &next
            && error.kind() == ErrorKind::BudgetExceeded
        {
            return Err(error.clone());
        }
        self.set(fold.accumulator, next.into());
        Ok(true)
    }

    /// The next value of an accumulator, which stays in its slot where that is the same one or a longer list.
    fn step(&mut self, accumulator: u32, node: &'a Node) -> Result<(), EvalError> {
        if self.counting.is_some() {
            let next = self.evaluate(node)?;
            self.set(accumulator, Slot::Value(next));
            return Ok(());
        }
        match &node.kind {
            Kind::Conditional(nodes) => {
                let branch = if self.truth(&nodes[0])? { &nodes[1] } else { &nodes[2] };
                self.step(accumulator, branch)
            }
            Kind::Take(slot) if *slot == accumulator => Ok(()),
            Kind::Append(slot, item) if *slot == accumulator => {
                self.check(accumulator)?;
                let item = self.evaluate(item)?;
                self.context.allocate(size_of::<CelValue>())?;
                if let Slot::Value(CelValue::List(CelList::Built(list))) = &mut self.slots[accumulator as usize]
                    && let Some(list) = Arc::get_mut(list)
                {
                    list.push(item);
                    return Ok(());
                }
                let list = self.appended(accumulator, item)?;
                self.slots[accumulator as usize] = Slot::Value(list);
                Ok(())
            }
            _ => {
                let next = self.evaluate(node)?;
                self.slots[accumulator as usize] = Slot::Value(next);
                Ok(())
            }
        }
    }

    /// `accumulator + [item]`, in place when nothing else holds the list.
    pub(super) fn append(&mut self, slot: u32, item: &'a Node) -> Outcome {
        self.check(slot)?;
        let item = self.evaluate(item)?;
        self.context.allocate(size_of::<CelValue>())?;
        self.appended(slot, item)
    }

    fn appended(&mut self, slot: u32, item: CelValue) -> Outcome {
        let mut list = match self.slots[slot as usize].take()? {
            CelValue::List(CelList::Built(list)) => list,
            CelValue::List(other) => Arc::new(other.to_vec()?),
            _ => return Err(EvalError::no_overload()),
        };
        if Arc::get_mut(&mut list).is_none() {
            self.context.allocate_items(list.len())?;
        }
        Arc::make_mut(&mut list).push(item);
        Ok(CelValue::List(CelList::Built(list)))
    }

    /// The accumulator with an entry, in place when nothing else holds the map.
    pub(super) fn insert(&mut self, slot: u32, entry: &'a [Node; 2]) -> Outcome {
        self.check(slot)?;
        let key = self.evaluate(&entry[0])?;
        let value = self.evaluate(&entry[1])?;
        self.context.allocate(2 * size_of::<CelValue>())?;
        let mut entries = match self.slots[slot as usize].take()? {
            CelValue::Map(CelMap::Built(entries)) => entries,
            CelValue::Map(other) => Arc::new(other.entries()?),
            _ => return Err(EvalError::no_overload()),
        };
        let name = MapKey::new(&key).ok_or_else(|| unsupported_key(&key))?;
        let place = match entries.last() {
            Some((last, _)) if *last < name => Err(entries.len()),
            _ => entries.binary_search_by(|(known, _)| known.cmp(&name)),
        };
        let Err(place) = place else {
            return Err(EvalError::invalid(format!("insert failed: key {name} already exists")));
        };
        // entries after the place have to move
        self.context.charge((entries.len() - place) as u64 / 8)?;
        if Arc::get_mut(&mut entries).is_none() {
            self.context.allocate_items(2 * entries.len())?;
        }
        Arc::make_mut(&mut entries).insert(place, (name, value));
        Ok(CelValue::Map(CelMap::Built(entries)))
    }

    /// An accumulator that is an error stays that error.
    fn check(&self, slot: u32) -> Result<(), EvalError> {
        if let Slot::Error(error) = &self.slots[slot as usize] { Err(error.clone()) } else { Ok(()) }
    }
}
