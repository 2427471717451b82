//! Comprehensions.

use std::sync::Arc;

use super::frame::{Frame, Outcome};
use super::path::go_type;
use super::plan::{Fold, Kind, Node};
use super::{ErrorKind, EvalError};
use crate::value::{CelList, CelMap, CelValue, MapKey, unsupported_key};

impl Frame<'_> {
    pub(super) fn fold(&mut self, fold: &Fold) -> Outcome {
        let range = self.evaluate(&fold.range)?;
        let initial = self.evaluate(&fold.initial);
        self.slots[fold.accumulator as usize] = initial;
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
            None => std::mem::replace(&mut self.slots[fold.accumulator as usize], Ok(CelValue::Null)),
        }
    }

    fn fold_list(&mut self, fold: &Fold, list: &CelList) -> Result<(), EvalError> {
        for (index, item) in list.iter().enumerate() {
            let position = CelValue::Int(i64::try_from(index).unwrap_or(i64::MAX));
            let go_on = match fold.second_variable {
                Some(_) => self.round(fold, Ok(position), Some(item))?,
                None => self.round(fold, item, None)?,
            };
            if !go_on {
                break;
            }
        }
        Ok(())
    }

    fn fold_map(&mut self, fold: &Fold, map: &CelMap) -> Result<(), EvalError> {
        for key in map.keys() {
            let value = fold.second_variable.map(|_| {
                let value = key.as_str().map_or_else(|| map.get(&key.to_value()), |name| map.get_str(name));
                value.unwrap_or(Ok(CelValue::Null))
            });
            if !self.round(fold, Ok(key.to_value()), value)? {
                break;
            }
        }
        Ok(())
    }

    /// One round; false to stop.
    fn round(&mut self, fold: &Fold, first: Outcome, second: Option<Outcome>) -> Result<bool, EvalError> {
        self.context.charge(fold.weight)?;
        self.slots[fold.variable as usize] = first;
        if let (Some(slot), Some(value)) = (fold.second_variable, second) {
            self.slots[slot as usize] = value;
        }
        if let Some(condition) = &fold.condition {
            match self.evaluate(condition) {
                Ok(CelValue::Bool(false)) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::BudgetExceeded => return Err(error),
                _ => {}
            }
        }
        let next = self.evaluate(&fold.step);
        if let Err(error) = &next {
            // without a condition nothing can make the error irrelevant any more, but a filter reports its last one
            let is_final = fold.condition.is_none() && !matches!(fold.step.kind, Kind::Conditional(_));
            if is_final || error.kind() == ErrorKind::BudgetExceeded {
                return Err(error.clone());
            }
        }
        self.slots[fold.accumulator as usize] = next;
        Ok(true)
    }

    /// `accumulator + [item]`, in place when nothing else holds the list.
    pub(super) fn append(&mut self, slot: u32, item: &Node) -> Outcome {
        self.check(slot)?;
        let item = self.evaluate(item)?;
        self.context.allocate(size_of::<CelValue>())?;
        let mut list = match self.take(slot)? {
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
    pub(super) fn insert(&mut self, slot: u32, entry: &[Node; 2]) -> Outcome {
        self.check(slot)?;
        let key = self.evaluate(&entry[0])?;
        let value = self.evaluate(&entry[1])?;
        self.context.allocate(2 * size_of::<CelValue>())?;
        let mut entries = match self.take(slot)? {
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
        self.slots[slot as usize].as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn take(&mut self, slot: u32) -> Outcome {
        std::mem::replace(&mut self.slots[slot as usize], Ok(CelValue::Null))
    }
}
