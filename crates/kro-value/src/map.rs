use std::sync::Arc;

use crate::text::prefix;
use crate::{Str, Value, same_text};

/// A shared map from text to values: a vector sorted by the bytes of its keys.
///
/// Kubernetes objects are small, so a sorted vector beats a tree in memory and in speed, and walking two of them side
/// by side is a merge. Changing a shared map copies its entries (not what they hold).
#[derive(Clone, Default)]
pub struct Map {
    entries: Arc<Vec<(Str, Value)>>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        // Most objects are so small that comparing lengths first beats a binary search.
        const SMALL: usize = 8;
        if self.entries.len() <= SMALL {
            return self.entries.iter().find(|(entry, _)| same_text(entry, key)).map(|(_, value)| value);
        }
        let wanted = prefix(key);
        let order = |(entry, _): &(Str, Value)| prefix(entry).cmp(&wanted).then_with(|| entry.as_str().cmp(key));
        self.entries.binary_search_by(order).ok().map(|index| &self.entries[index].1)
    }

    /// The value of a key and its position, for callers that look up the same key in many maps: `guess` is where it was the last
    /// time. The guess only saves time.
    #[inline]
    pub fn get_near(&self, key: &str, guess: usize) -> Option<(usize, &Value)> {
        if let Some((entry, value)) = self.entries.get(guess)
            && same_text(entry, key)
        {
            return Some((guess, value));
        }
        let index = self.position(key).ok()?;
        Some((index, &self.entries[index].1))
    }

    /// True if the key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_ok()
    }

    /// The value of a key, for changing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let index = self.position(key).ok()?;
        Some(&mut Arc::make_mut(&mut self.entries)[index].1)
    }

    /// The value of a key, for changing; `null` is put there first when the key is missing.
    pub fn entry_or_null(&mut self, key: &str) -> &mut Value {
        let position = self.position(key);
        let entries = Arc::make_mut(&mut self.entries);
        let index = match position {
            Ok(index) => index,
            Err(index) => {
                entries.insert(index, (Str::new(key), Value::Null));
                index
            }
        };
        &mut entries[index].1
    }

    /// Puts a value and returns the one it replaces.
    pub fn insert(&mut self, key: impl Into<Str>, value: Value) -> Option<Value> {
        let key = key.into();
        let position = self.position(&key);
        let entries = Arc::make_mut(&mut self.entries);
        match position {
            Ok(index) => Some(std::mem::replace(&mut entries[index].1, value)),
            Err(index) => {
                entries.insert(index, (key, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.position(key).ok()?;
        Some(Arc::make_mut(&mut self.entries).remove(index).1)
    }

    pub(crate) fn shrink(&mut self) {
        if let Some(entries) = Arc::get_mut(&mut self.entries) {
            entries.shrink_to_fit();
            entries.iter_mut().for_each(|(_, value)| value.shrink());
        }
    }

    /// Keeps the entries for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Str, &Value) -> bool) {
        if self.entries.iter().all(|(key, value)| keep(key, value)) {
            return;
        }
        Arc::make_mut(&mut self.entries).retain(|(key, value)| keep(key, value));
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> + DoubleEndedIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries in the order of their keys, with values for changing.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Str, &mut Value)> {
        Arc::make_mut(&mut self.entries).iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// True when both are the very same memory.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries)
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        // Appending in order is the common case while reading canonical JSON.
        match self.entries.last() {
            Some((last, _)) if last.as_str() < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by(|(entry, _)| entry.as_str().cmp(key)),
        }
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || self.entries == other.entries
    }
}

/// Sorts once; of equal keys the last one wins.
impl FromIterator<(Str, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(entries: I) -> Self {
        let mut entries: Vec<(Str, Value)> = entries.into_iter().collect();
        if !entries.is_sorted_by(|left, right| left.0 < right.0) {
            entries.reverse(); // so that the stable sort puts the last of equals first
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            entries.dedup_by(|later, first| later.0 == first.0);
        }
        Self { entries: Arc::new(entries) }
    }
}

impl Extend<(Str, Value)> for Map {
    fn extend<I: IntoIterator<Item = (Str, Value)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for Map {
    type Item = (Str, Value);
    type IntoIter = std::vec::IntoIter<(Str, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::try_unwrap(self.entries).unwrap_or_else(|shared| (*shared).clone()).into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Str, &'a Value);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (Str, Value)>, fn(&'a (Str, Value)) -> (&'a Str, &'a Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter().map(|(key, value)| (key, value))
    }
}
