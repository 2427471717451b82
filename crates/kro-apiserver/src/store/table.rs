use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use kro_value::Str;

use super::shapes::Shapes;
use super::{Event, Key, Stored};

/// The objects of one resource in order, and what happened to them lately.
pub(crate) struct Table {
    objects: BTreeMap<Key, Arc<Stored>>,
    labels: HashMap<(Str, Str), BTreeSet<Key>>,
    log: VecDeque<Arc<Event>>,
    /// Events up to this resource version are gone from the log.
    compacted: u64,
    pub(super) shapes: Shapes,
}

impl Table {
    pub(super) fn new(compacted: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            labels: HashMap::new(),
            log: VecDeque::new(),
            compacted,
            shapes: Shapes::default(),
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Stored>> {
        self.objects.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<Stored>)> {
        self.objects.iter()
    }

    /// The objects of one namespace in order, or of all.
    pub(crate) fn in_namespace<'a>(
        &'a self,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Stored>)> {
        let from = namespace.map_or(Bound::Unbounded, |namespace| Bound::Included(Key::new(namespace, "")));
        let within = move |key: &Key| namespace.is_none_or(|namespace| key.namespace == namespace);
        self.objects.range((from, Bound::Unbounded)).take_while(move |(key, _)| within(key))
    }

    /// The objects with this label, in order.
    pub(crate) fn labelled(&self, key: &Str, value: &Str) -> impl Iterator<Item = (&Key, &Arc<Stored>)> {
        let keys = self.labels.get(&(key.clone(), value.clone()));
        keys.into_iter().flatten().filter_map(|key| self.objects.get_key_value(key))
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    /// The objects as they were at a resource version; `None` when that is too long ago.
    pub(crate) fn at(&self, revision: u64) -> Option<BTreeMap<Key, Arc<Stored>>> {
        if revision < self.compacted {
            return None;
        }
        let mut past = self.objects.clone();
        for event in self.log.iter().rev().take_while(|event| event.revision > revision) {
            match &event.previous {
                Some(previous) => past.insert(event.key.clone(), Arc::clone(previous)),
                None => past.remove(&event.key),
            };
        }
        Some(past)
    }

    /// The oldest resource version that a watch may start from.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The events after a resource version.
    pub(crate) fn since(&self, revision: u64) -> impl Iterator<Item = &Arc<Event>> {
        let start = self.log.partition_point(|event| event.revision <= revision);
        self.log.range(start..)
    }

    pub(super) fn insert(&mut self, key: Key, object: Arc<Stored>) -> Option<Arc<Stored>> {
        let previous = self.objects.get(&key).cloned();
        let unchanged = previous.as_ref().is_some_and(|previous| previous.labels() == object.labels());
        if !unchanged {
            self.drop_labels(&key, previous.as_deref());
            for pair in pairs(&object) {
                self.labels.entry(pair).or_default().insert(key.clone());
            }
        }
        self.objects.insert(key, object);
        previous
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Stored>> {
        let removed = self.objects.remove(key);
        self.drop_labels(key, removed.as_deref());
        removed
    }

    pub(super) fn log(&mut self, event: Arc<Event>, events_max: usize) {
        self.log.push_back(event);
        while self.log.len() > events_max {
            if let Some(dropped) = self.log.pop_front() {
                self.compacted = dropped.revision;
            }
        }
    }

    pub(super) fn expire(&mut self, revision: u64) {
        self.log.clear();
        self.compacted = revision;
    }

    fn drop_labels(&mut self, key: &Key, object: Option<&Stored>) {
        for pair in object.into_iter().flat_map(pairs) {
            let Some(keys) = self.labels.get_mut(&pair) else { continue };
            keys.remove(key);
            if keys.is_empty() {
                self.labels.remove(&pair);
            }
        }
    }
}

fn pairs(object: &Stored) -> impl Iterator<Item = (Str, Str)> {
    let labels = object.labels().into_iter().flatten();
    labels.map(|(key, value)| (key.clone(), Str::new(value.as_str().unwrap_or_default())))
}
