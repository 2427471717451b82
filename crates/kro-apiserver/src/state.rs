use std::sync::Arc;

use jiff::Timestamp;
use kro_value::Str;

use crate::crd::Lifecycle;
use crate::openapi;
use crate::random::Random;
use crate::read::Watches;
use crate::registry::Registry;
use crate::store::{Event, Key, Store, canonical};
use crate::{Change, Config, GroupResource, Record};

/// Everything a server knows; the handlers are its methods.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) random: Random,
    pub(crate) watches: Watches,
    /// Committed writes that the controllers have not heard of.
    pub(crate) changes: Vec<Change>,
    /// What is known of CustomResourceDefinitions between writes.
    pub(crate) definitions: Lifecycle,
    /// OpenAPI documents that were asked for.
    pub(crate) openapi: openapi::Cache,
    /// By how many resource versions a fault makes lists lag behind; zero but within the request that it strikes.
    pub(crate) list_lag: u64,
    /// Writes for the host to keep; `None` when it does not.
    pub(crate) records: Option<Vec<Record>>,
    /// The time of the newest call.
    pub(crate) now: Timestamp,
}

impl State {
    pub(crate) fn new(config: Config, now: Timestamp) -> Self {
        Self {
            store: Store::new(config.resource_version, config.history_events_max),
            registry: Registry::new(),
            random: Random::new(config.seed),
            watches: Watches::default(),
            changes: Vec::new(),
            definitions: Lifecycle::default(),
            openapi: openapi::Cache::default(),
            list_lag: 0,
            records: None,
            now,
            config,
        }
    }

    /// Remembers a committed write for the controllers.
    pub(crate) fn announce(&mut self, resource: &GroupResource, event: &Event) {
        let resource = canonical(resource);
        if let Some(records) = &mut self.records {
            records.push(Record::of(resource, event));
        }
        self.note_for_definitions(resource, event.kind, &event.key.name);
        let Some(resource) = self.registry.get(resource) else { return };
        self.changes.push(Change {
            resource: Arc::clone(resource),
            kind: event.kind,
            object: event.object.value.clone(),
            previous: event.previous.as_ref().map(|previous| previous.value.clone()),
        });
    }

    /// Removes an object.
    pub(crate) fn remove(&mut self, resource: &GroupResource, key: &Key) -> Option<Arc<Event>> {
        let event = self.store.remove(resource, key)?;
        self.announce(resource, &event);
        Some(event)
    }

    /// Begins with the outcome of records. What cannot be read is left out.
    pub(crate) fn restore(&mut self, records: &[Record]) {
        for record in records {
            let key = Key { namespace: record.namespace.clone(), name: record.name.clone() };
            self.store.restore(&record.resource, &key, record.value(), record.revision);
        }
        // Far enough ahead of clients that saw writes which were not kept.
        self.store.skip_revisions(1_000);
        let definitions: Vec<Str> = self
            .store
            .table(&crate::crd::id())
            .into_iter()
            .flat_map(|table| table.iter().map(|(key, _)| key.name.clone()))
            .collect();
        definitions.iter().for_each(|name| self.definitions.enqueue(name));
        self.settle_definitions();
    }

    /// Every object as if it had just been added: what a new controller hears first.
    pub(crate) fn everything_as_added(&self) -> Vec<Change> {
        let objects = self.store.iter().filter_map(|(id, _, stored)| Some((self.registry.get(id)?, stored)));
        let change = |(resource, stored): (&Arc<crate::Resource>, &Arc<crate::store::Stored>)| Change {
            resource: Arc::clone(resource),
            kind: crate::ChangeKind::Added,
            object: stored.value.clone(),
            previous: None,
        };
        objects.map(change).collect()
    }
}
