use super::{Bounds, Step};
use crate::types::Type;

/// Where a value is found: a variable and the steps from it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub variable: kro_value::Str,
    pub steps: Vec<Step>,
}

impl Place {
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { variable: self.variable.clone(), steps }
    }
}

/// The sizes of the entries of a list or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entries {
    pub key: Bounds,
    pub value: Bounds,
}

impl Entries {
    pub fn or(self, other: Self) -> Self {
        Self { key: self.key.or(other.key), value: self.value.or(other.value) }
    }
}

/// A variable of a comprehension or binding, or an accumulator.
#[derive(Debug)]
pub(super) struct Local {
    pub name: kro_value::Str,
    pub place: Option<Place>,
    pub size: Option<Bounds>,
    pub entries: Option<Entries>,
}

/// True for types whose values all have the size one.
pub(super) fn is_scalar(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Timestamp | Type::Duration => true,
        other => other.optional_inner().is_some_and(is_scalar),
    }
}
