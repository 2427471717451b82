use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use kro_value::{Map, Str};

use super::{CelList, CelValue, Opaque};
use crate::eval::{EvalContext, EvalError};
use crate::view::ObjectView;

/// A key of a map. Keys are ordered by kind and value; `1` and `1u` are two keys that each find the other.
///
/// The language has boolean, integer and string keys. As in the reference implementation, an expression may also build a map
/// with keys of other types, which stays what it is inside of the expression; no JSON can be made of it.
#[derive(Clone, Debug)]
pub enum MapKey {
    /// A boolean key.
    Bool(bool),
    /// A signed integer key.
    Int(i64),
    /// An unsigned integer key.
    Uint(u64),
    /// A string key.
    String(Str),
    /// A floating-point key.
    Double(f64),
    /// A key of any other type, with its type and text, by which such keys are told apart.
    Other(Arc<(CelValue, String)>),
}

impl MapKey {
    /// The key that a value is; `None` for values that cannot be keys.
    pub fn new(value: &CelValue) -> Option<Self> {
        match value {
            CelValue::Bool(value) => Some(Self::Bool(*value)),
            CelValue::Int(value) => Some(Self::Int(*value)),
            CelValue::Uint(value) => Some(Self::Uint(*value)),
            CelValue::String(text) => Some(Self::String(text.clone())),
            CelValue::Double(value) => Some(Self::Double(*value)),
            CelValue::Bytes(_) | CelValue::Opaque(Opaque::Omit | Opaque::Runtime | Opaque::Format(_)) => None,
            CelValue::Optional(inner) => {
                let inner = inner.as_ref().map(|inner| Self::new(inner).ok_or(())).transpose().ok()?;
                let text = format!("optional {}", inner.map_or_else(String::new, |inner| inner.to_string()));
                Some(Self::Other(Arc::new((value.clone(), text))))
            }
            other => {
                let text = format!("{} {}", other.type_name(), crate::library::display_within_bounds(other)?);
                Some(Self::Other(Arc::new((other.clone(), text))))
            }
        }
    }

    /// This key as a value.
    pub fn to_value(&self) -> CelValue {
        match self {
            Self::Bool(value) => CelValue::Bool(*value),
            Self::Int(value) => CelValue::Int(*value),
            Self::Uint(value) => CelValue::Uint(*value),
            Self::String(text) => CelValue::String(text.clone()),
            Self::Double(value) => CelValue::Double(*value),
            Self::Other(other) => other.0.clone(),
        }
    }

    /// The text, if this is a string key.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    fn parts(&self) -> (u8, i128, &str, u8) {
        match self {
            Self::Bool(value) => (0, i128::from(*value), "", 0),
            Self::Int(value) => (1, i128::from(*value), "", 0),
            Self::Uint(value) => (1, i128::from(*value), "", 1),
            Self::Double(_) => (2, 0, "", 0),
            Self::Other(other) => (3, 0, &other.1, 0),
            Self::String(text) => (4, 0, text, 0),
        }
    }
}

impl Ord for MapKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(left), Self::String(right)) => left.cmp(right),
            // both zeros are one key
            (Self::Double(left), Self::Double(right)) => (left + 0.0).total_cmp(&(right + 0.0)),
            _ => self.parts().cmp(&other.parts()),
        }
    }
}

impl PartialEq for MapKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for MapKey {}

impl PartialOrd for MapKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for MapKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Uint(value) => write!(formatter, "{value}"),
            Self::String(text) => formatter.write_str(text),
            Self::Double(value) => formatter.write_str(&crate::library::double_text(*value)),
            Self::Other(other) => formatter.write_str(&crate::library::display(&other.0)),
        }
    }
}

/// A map: of JSON, of CEL values, or a JSON object seen through a schema. Iteration is in the order of the keys.
#[derive(Clone, Debug)]
pub enum CelMap {
    /// A JSON object, shared with the object it is part of.
    Json(Map),
    /// A map that an expression built; sorted by key.
    Built(Arc<Vec<(MapKey, CelValue)>>),
    /// A JSON object whose fields get their types from a schema, one by one when they are read.
    View(Arc<ObjectView>),
}

impl CelMap {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(map) => map.len(),
            Self::Built(entries) => entries.len(),
            Self::View(view) => view.len(),
        }
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key of any type; `None` when there is no such key. Numbers find keys of the same value.
    ///
    /// # Errors
    /// When the value does not fit the schema it is seen through.
    pub fn get(&self, key: &CelValue) -> Option<Result<CelValue, EvalError>> {
        match key {
            CelValue::String(name) => self.get_str(name),
            CelValue::Bool(value) => self.get_built(&MapKey::Bool(*value)).map(Ok),
            CelValue::Int(_) | CelValue::Uint(_) => self.get_number(key).map(Ok),
            CelValue::Double(value) if value.is_nan() => None,
            CelValue::Double(value) => self.get_built(&MapKey::Double(*value)).or_else(|| self.get_number(key)).map(Ok),
            CelValue::List(_) | CelValue::Map(_) => self.get_same(key).map(Ok),
            CelValue::Optional(_) => None, // never the same as another one
            CelValue::Null | CelValue::Bytes(_) | CelValue::Timestamp(_) => self.get_built(&MapKey::new(key)?).map(Ok),
            CelValue::Duration(_) | CelValue::Type(_) | CelValue::Opaque(_) => {
                self.get_built(&MapKey::new(key)?).map(Ok)
            }
        }
    }

    /// The value of a string key.
    ///
    /// # Errors
    /// When the value does not fit the schema it is seen through.
    pub fn get_str(&self, name: &str) -> Option<Result<CelValue, EvalError>> {
        match self {
            Self::Json(map) => map.get(name).map(|value| Ok(CelValue::from_json(value.clone()))),
            Self::Built(entries) => find_str(entries, name).map(|value| Ok(value.clone())),
            Self::View(view) => view.get(name),
        }
    }

    /// The value whose key is this very container: another one of the same content is another key.
    fn get_same(&self, key: &CelValue) -> Option<CelValue> {
        let Self::Built(entries) = self else { return None };
        let is_same = |known: &CelValue| match (known, key) {
            (CelValue::List(CelList::Built(known)), CelValue::List(CelList::Built(key))) => Arc::ptr_eq(known, key),
            (CelValue::Map(Self::Built(known)), CelValue::Map(Self::Built(key))) => Arc::ptr_eq(known, key),
            _ => false,
        };
        let (_, value) =
            entries.iter().find(|(known, _)| matches!(known, MapKey::Other(other) if is_same(&other.0)))?;
        Some(value.clone())
    }

    fn get_number(&self, key: &CelValue) -> Option<CelValue> {
        let (signed, unsigned) = whole_number(key)?;
        let unsigned_first = matches!(key, CelValue::Uint(_));
        let by_int = || signed.and_then(|value| self.get_built(&MapKey::Int(value)));
        let by_uint = || unsigned.and_then(|value| self.get_built(&MapKey::Uint(value)));
        if unsigned_first { by_uint().or_else(by_int) } else { by_int().or_else(by_uint) }
    }

    fn get_built(&self, key: &MapKey) -> Option<CelValue> {
        let Self::Built(entries) = self else { return None };
        let position = entries.binary_search_by(|(entry, _)| entry.cmp(key)).ok()?;
        Some(entries[position].1.clone())
    }

    /// The keys in order.
    pub fn keys(&self) -> Vec<MapKey> {
        match self {
            Self::Json(map) => map.keys().map(|key| MapKey::String(key.clone())).collect(),
            Self::Built(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
            Self::View(view) => view.keys().map(MapKey::String).collect(),
        }
    }

    /// The entries in order, each with its value or what reading it says.
    pub fn readings(&self) -> Vec<(MapKey, Result<CelValue, EvalError>)> {
        match self {
            Self::Built(entries) => entries.iter().map(|(key, value)| (key.clone(), Ok(value.clone()))).collect(),
            Self::Json(_) | Self::View(_) => {
                let read = |key: MapKey| Some((key.clone(), self.get_str(key.as_str()?)?));
                self.keys().into_iter().filter_map(read).collect()
            }
        }
    }

    /// The entries in order.
    ///
    /// # Errors
    /// When a value does not fit the schema it is seen through.
    pub fn entries(&self) -> Result<Vec<(MapKey, CelValue)>, EvalError> {
        match self {
            Self::Json(map) => Ok(map
                .iter()
                .map(|(key, value)| (MapKey::String(key.clone()), CelValue::from_json(value.clone())))
                .collect()),
            Self::Built(entries) => Ok(entries.to_vec()),
            Self::View(view) => view
                .keys()
                .filter_map(|key| Some((key.clone(), view.get(&key)?)))
                .map(|(k, v)| Ok((MapKey::String(k), v?)))
                .collect(),
        }
    }

    /// The JSON object this map is or wraps, if it does.
    pub fn raw(&self) -> Option<&Map> {
        match self {
            Self::Json(map) => Some(map),
            Self::View(view) => Some(&view.map),
            Self::Built(_) => None,
        }
    }

    pub(super) fn type_name(&self) -> &str {
        match self {
            Self::View(view) => view.type_name(),
            Self::Json(_) | Self::Built(_) => "map",
        }
    }
}

/// The entry of a string key in sorted entries.
fn find_str<'a>(entries: &'a [(MapKey, CelValue)], name: &str) -> Option<&'a CelValue> {
    // Strings sort after all other keys.
    let position = entries
        .binary_search_by(|(entry, _)| match entry {
            MapKey::String(text) => text.as_str().cmp(name),
            _ => Ordering::Less,
        })
        .ok()?;
    Some(&entries[position].1)
}

/// A whole number as both kinds of integer, each where it fits.
fn whole_number(value: &CelValue) -> Option<(Option<i64>, Option<u64>)> {
    match value {
        CelValue::Int(value) => Some((Some(*value), u64::try_from(*value).ok())),
        CelValue::Uint(value) => Some((i64::try_from(*value).ok(), Some(*value))),
        CelValue::Double(value) if value.fract() == 0.0 => Some((super::exact_i64(*value), super::exact_u64(*value))),
        _ => None,
    }
}

/// Collects the entries of a map; sorts as it goes.
#[derive(Debug, Default)]
pub struct MapBuilder {
    entries: BTreeMap<MapKey, CelValue>,
}

impl MapBuilder {
    /// A builder without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an entry; a later one with the same key wins.
    pub fn insert(&mut self, key: MapKey, value: CelValue) {
        self.entries.insert(key, value);
    }

    /// Removes the entry of a key.
    pub fn remove(&mut self, key: &MapKey) {
        self.entries.remove(key);
    }

    /// Puts an entry unless its key is there already; returns whether it was put.
    pub fn insert_new(&mut self, key: MapKey, value: CelValue) -> bool {
        match self.entries.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(value);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// A builder that starts with the entries of a map.
    ///
    /// # Errors
    /// When a value does not fit its schema, or the budget is exceeded.
    pub fn from_map(context: &mut EvalContext, map: &CelMap) -> Result<Self, EvalError> {
        context.allocate_items(map.len().saturating_mul(2))?;
        Ok(Self { entries: map.entries()?.into_iter().collect() })
    }

    /// Puts an entry under a key that is not there yet.
    ///
    /// # Errors
    /// When the key is there already, or the value cannot be a key.
    pub fn insert_unique(&mut self, key: &CelValue, value: CelValue) -> Result<(), EvalError> {
        let name = MapKey::new(key).ok_or_else(|| unsupported_key(key))?;
        let text = name.to_string();
        if self.insert_new(name, value) {
            return Ok(());
        }
        Err(EvalError::invalid(format!("insert failed: key {text} already exists")))
    }

    /// The map.
    pub fn finish(self) -> CelMap {
        CelMap::Built(Arc::new(self.entries.into_iter().collect()))
    }
}

/// The error for a value that cannot be a key.
pub(crate) fn unsupported_key(key: &CelValue) -> EvalError {
    EvalError::invalid(format!("unsupported key type: {}", key.type_name()))
}

/// Of equal keys the last one wins.
impl FromIterator<(MapKey, CelValue)> for CelMap {
    fn from_iter<I: IntoIterator<Item = (MapKey, CelValue)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if !entries.is_sorted_by(|left, right| left.0 < right.0) {
            entries.reverse(); // so that the stable sort puts the last of equals first
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            entries.dedup_by(|later, first| later.0 == first.0);
        }
        Self::Built(Arc::new(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_find_keys_of_the_same_value() {
        let map: CelMap =
            [(MapKey::Uint(2), "b".into()), (MapKey::Int(1), "a".into()), (MapKey::String("x".into()), "c".into())]
                .into_iter()
                .collect();
        for (key, found) in [
            (CelValue::Int(1), Some("a")),
            (CelValue::Uint(1), Some("a")),
            (CelValue::Double(2.0), Some("b")),
            (CelValue::Double(2.5), None),
            (CelValue::Bool(true), None),
            ("x".into(), Some("c")),
            ("y".into(), None),
        ] {
            let value = map.get(&key).map(Result::unwrap);
            assert_eq!(value.as_ref().and_then(CelValue::as_str), found, "{key:?}");
        }
    }
}
