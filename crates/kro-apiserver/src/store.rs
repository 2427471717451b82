//! Objects, their indexes and their history, under one resource version counter.

mod event;
mod index;
mod shapes;
mod stored;
mod table;

pub(crate) use event::Event;
pub(crate) use stored::{Stored, body_of};
pub(crate) use table::Table;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use kro_value::{Str, Value};

use self::index::Index;
use crate::{ChangeKind, GroupResource};

/// The schema revision of objects whose schema is not known: none has it, so they are converted when they are read.
pub(crate) const UNKNOWN_SCHEMA: u64 = u64::MAX;

/// Namespace (empty for cluster-scoped objects) and name: the order of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: Str,
    pub(crate) name: Str,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: Str::new(namespace), name: Str::new(name) }
    }
}

/// All objects of a server.
pub(crate) struct Store {
    tables: BTreeMap<GroupResource, Table>,
    /// The resource version of the newest write.
    revision: u64,
    index: Index,
    history_events_max: usize,
    /// Where the counter began: nothing is known of the time before.
    floor: u64,
}

impl Store {
    pub(crate) fn new(revision: u64, history_events_max: usize) -> Self {
        Self { tables: BTreeMap::new(), revision, index: Index::default(), history_events_max, floor: revision }
    }

    /// The resource version of the newest write to anything.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The oldest resource version that a watch of a resource may start from.
    pub(crate) fn compacted(&self, resource: &GroupResource) -> u64 {
        self.table(resource).map_or(self.floor, Table::compacted)
    }

    pub(crate) fn table(&self, resource: &GroupResource) -> Option<&Table> {
        self.tables.get(canonical(resource))
    }

    pub(crate) fn get(&self, resource: &GroupResource, key: &Key) -> Option<&Arc<Stored>> {
        self.tables.get(canonical(resource))?.get(key)
    }

    /// Where the object with this uid is.
    pub(crate) fn locate(&self, uid: &str) -> Option<(&GroupResource, &Key)> {
        self.index.locate(uid)
    }

    /// The objects that name this uid in their owner references, in order.
    pub(crate) fn dependents(&self, uid: &str) -> impl Iterator<Item = &(GroupResource, Key)> {
        self.index.dependents(uid)
    }

    /// Writes an object: it gets the next resource version. `schema_revision` says which schema it conforms to.
    pub(crate) fn put(
        &mut self,
        resource: &GroupResource,
        key: &Key,
        mut value: Value,
        schema_revision: u64,
    ) -> Arc<Event> {
        let resource = canonical(resource);
        self.revision += 1;
        value.set_at(&["metadata", "resourceVersion"], self.revision.to_string().into());
        let table = self.tables.entry(resource.clone()).or_insert_with(|| Table::new(self.floor));
        table.shapes.compact(&mut value);
        let object = Arc::new(Stored::new(value, self.revision, schema_revision));
        let previous = table.insert(key.clone(), Arc::clone(&object));
        if let Some(previous) = &previous {
            self.index.remove(resource, key, &previous.value);
        }
        self.index.add(resource, key, &object.value);
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        let event = Arc::new(Event::new(self.revision, kind, key.clone(), object, previous));
        table.log(Arc::clone(&event), self.history_events_max);
        event
    }

    /// Takes an object over from an earlier life, without history; nothing removes it.
    pub(crate) fn restore(&mut self, resource: &GroupResource, key: &Key, value: Option<Value>, revision: u64) {
        self.revision = self.revision.max(revision);
        self.floor = self.revision;
        let table = self.tables.entry(resource.clone()).or_insert_with(|| Table::new(0));
        if let Some(previous) = table.remove(key) {
            self.index.remove(resource, key, &previous.value);
        }
        if let Some(value) = value {
            self.index.add(resource, key, &value);
            table.insert(key.clone(), Arc::new(Stored::new(value, revision, UNKNOWN_SCHEMA)));
        }
        table.expire(self.floor);
    }

    /// Leaves out some resource versions.
    pub(crate) fn skip_revisions(&mut self, count: u64) {
        self.revision += count;
        self.expire_history();
    }

    /// Removes an object: its last state, with the resource version of the removal, is in the event.
    pub(crate) fn remove(&mut self, resource: &GroupResource, key: &Key) -> Option<Arc<Event>> {
        let resource = canonical(resource);
        let table = self.tables.get_mut(resource)?;
        let previous = table.remove(key)?;
        self.revision += 1;
        self.index.remove(resource, key, &previous.value);
        let mut value = previous.value.clone();
        value.set_at(&["metadata", "resourceVersion"], self.revision.to_string().into());
        let object = Arc::new(Stored::new(value, self.revision, previous.schema_revision));
        let event = Arc::new(Event::new(self.revision, ChangeKind::Deleted, key.clone(), object, Some(previous)));
        table.log(Arc::clone(&event), self.history_events_max);
        Some(event)
    }

    /// Forgets all history, as if it were too old: watches and lists that start in the past expire.
    pub(crate) fn expire_history(&mut self) {
        self.floor = self.revision;
        for table in self.tables.values_mut() {
            table.expire(self.revision);
        }
    }

    /// Every object with its place, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&GroupResource, &Key, &Arc<Stored>)> {
        self.tables.iter().flat_map(|(resource, table)| table.iter().map(move |(key, stored)| (resource, key, stored)))
    }
}

/// Where objects of a resource are: events are one store under two groups.
pub(crate) fn canonical(resource: &GroupResource) -> &GroupResource {
    static EVENTS: OnceLock<GroupResource> = OnceLock::new();
    if resource.is("events.k8s.io", "events") {
        return EVENTS.get_or_init(|| GroupResource::new("", "events"));
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, owner: &str) -> Value {
        let text = format!(r#"{{"metadata":{{"uid":"{uid}","ownerReferences":[{{"uid":"{owner}"}}]}}}}"#);
        kro_value::from_json(&text).unwrap()
    }

    #[test]
    fn versions_rise_and_indexes_follow() {
        let mut store = Store::new(10, 100);
        let resource = GroupResource::new("", "things");
        let key = Key::new("ns", "a");
        assert_eq!(store.put(&resource, &key, object("u1", "o1"), 0).revision, 11);
        assert_eq!(store.put(&resource, &key, object("u1", "o2"), 0).kind, ChangeKind::Modified);
        assert_eq!(store.locate("u1").unwrap(), (&resource, &key));
        assert_eq!((store.dependents("o1").count(), store.dependents("o2").count()), (0, 1));
        let event = store.remove(&resource, &key).unwrap();
        assert_eq!((event.revision, event.kind), (13, ChangeKind::Deleted));
        assert_eq!(event.object.value.str_at(&["metadata", "resourceVersion"]), Some("13"));
        assert_eq!((store.locate("u1").is_none(), store.dependents("o2").count()), (true, 0));
        assert!(store.remove(&resource, &key).is_none());
        assert_eq!(store.revision(), 13);
    }

    #[test]
    fn the_past_can_be_read_until_it_expires() {
        let mut store = Store::new(0, 100);
        let resource = GroupResource::new("", "things");
        let (a, b) = (Key::new("", "a"), Key::new("", "b"));
        store.put(&resource, &a, object("1", ""), 0);
        store.put(&resource, &b, object("2", ""), 0);
        store.put(&resource, &a, object("1", "x"), 0);
        store.remove(&resource, &b);
        let names = |revision| {
            let past = store.table(&resource).unwrap().at(revision)?;
            Some(past.iter().map(|(key, stored)| (key.name.clone(), stored.revision)).collect::<Vec<_>>())
        };
        assert_eq!(names(1), Some(vec![("a".into(), 1)]));
        assert_eq!(names(2), Some(vec![("a".into(), 1), ("b".into(), 2)]));
        assert_eq!(names(3), Some(vec![("a".into(), 3), ("b".into(), 2)]));
        assert_eq!(names(4), Some(vec![("a".into(), 3)]));
        store.expire_history();
        assert!(store.table(&resource).unwrap().at(3).is_none());
        assert!(store.table(&resource).unwrap().at(4).is_some());
    }
}
