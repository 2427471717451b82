use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::crd::Lifecycle;
use crate::openapi;
use crate::random::Random;
use crate::read::watch::Watch;
use crate::registry::Registry;
use crate::store::{Event, Key, Store};
use crate::{Change, Config, GroupResource, WatchId};

/// Everything a server knows; the handlers are its methods.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) random: Random,
    pub(crate) watches: BTreeMap<WatchId, Watch>,
    /// Committed writes that the controllers have not heard of.
    pub(crate) changes: Vec<Change>,
    /// What is known of CustomResourceDefinitions between writes.
    pub(crate) definitions: Lifecycle,
    /// OpenAPI documents that were asked for.
    pub(crate) openapi: openapi::Cache,
    next_watch: u64,
    /// The time of the newest call.
    pub(crate) now: Timestamp,
}

impl State {
    pub(crate) fn new(config: Config, now: Timestamp) -> Self {
        Self {
            store: Store::new(config.resource_version, config.history_events_max),
            registry: Registry::new(),
            random: Random::new(config.seed),
            watches: BTreeMap::new(),
            changes: Vec::new(),
            definitions: Lifecycle::default(),
            openapi: openapi::Cache::default(),
            next_watch: 0,
            now,
            config,
        }
    }

    pub(crate) fn next_watch_id(&mut self) -> WatchId {
        self.next_watch += 1;
        WatchId(self.next_watch)
    }

    /// Remembers a committed write for the controllers.
    pub(crate) fn announce(&mut self, resource: &GroupResource, event: &Event) {
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
    pub(crate) fn remove(&mut self, resource: &GroupResource, key: &Key) {
        if let Some(event) = self.store.remove(resource, key) {
            self.announce(resource, &event);
        }
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
