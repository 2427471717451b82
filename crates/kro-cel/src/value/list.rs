use std::sync::Arc;

use kro_value::{List, Value};

use super::CelValue;
use crate::eval::EvalError;
use crate::view::ListView;

/// A list: of JSON, of CEL values, or of JSON seen through a schema.
#[derive(Clone, Debug)]
pub enum CelList {
    /// A JSON array, shared with the object it is part of.
    Json(List),
    /// A list that an expression built.
    Built(Arc<Vec<CelValue>>),
    /// A JSON array whose items get their types from a schema, one by one when they are read.
    View(Arc<ListView>),
}

impl CelList {
    /// How many items there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Built(items) => items.len(),
            Self::View(view) => view.items.len(),
        }
    }

    /// True without items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a position; `None` outside of the list.
    ///
    /// # Errors
    /// When the item does not fit the schema it is seen through.
    pub fn get(&self, index: usize) -> Option<Result<CelValue, EvalError>> {
        match self {
            Self::Json(items) => items.get(index).map(|item| Ok(CelValue::from_json(item.clone()))),
            Self::Built(items) => items.get(index).map(|item| Ok(item.clone())),
            Self::View(view) => view.get(index),
        }
    }

    /// The items in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<CelValue, EvalError>> + '_ {
        (0..self.len()).map(|index| self.get(index).unwrap_or(Ok(CelValue::Null)))
    }

    /// All items in a vector.
    ///
    /// # Errors
    /// When an item does not fit the schema it is seen through.
    pub fn to_vec(&self) -> Result<Vec<CelValue>, EvalError> {
        if let Self::Built(items) = self {
            return Ok(items.to_vec());
        }
        self.iter().collect()
    }

    /// True when both are the very same memory.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(left), Self::Json(right)) => Arc::ptr_eq(left, right),
            (Self::Built(left), Self::Built(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }

    /// The JSON array this list is or wraps, if it does.
    pub fn raw(&self) -> Option<&[Value]> {
        match self {
            Self::Json(items) => Some(items),
            Self::View(view) => Some(&view.items),
            Self::Built(_) => None,
        }
    }
}

impl From<Vec<CelValue>> for CelList {
    fn from(items: Vec<CelValue>) -> Self {
        Self::Built(Arc::new(items))
    }
}
