use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::delays::after;
use super::known::Known;
use super::queue::Queue;
use super::{Api, Key};
use crate::{Access, Change, Reactor};

/// The first wait after a write was refused; doubled each time.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_DOUBLINGS_MAX: u32 = 6;

/// A controller by keys: changes queue the key of what they may concern, and a sync brings that in order from what is
/// live then. A sync that finds everything in order writes nothing.
pub(super) trait Controller: Send {
    /// The name: part of the user, and the field manager.
    const NAME: &'static str;
    /// The resources whose changes matter.
    const WATCHES: &'static [&'static Known];

    /// Queues what a change may concern.
    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>);

    /// Brings the object of a key in order; says when to look again without a change.
    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp>;
}

/// Runs a [`Controller`] as a [`Reactor`].
pub(super) struct Driver<C> {
    controller: C,
    queue: Queue<Key>,
    failures: BTreeMap<Key, u32>,
}

impl<C: Controller> Driver<C> {
    pub(super) fn new(controller: C) -> Self {
        Self { controller, queue: Queue::new(), failures: BTreeMap::new() }
    }

    fn retry_at(&mut self, key: &Key, now: Timestamp) -> Timestamp {
        let failures = self.failures.entry(key.clone()).or_default();
        let delay = RETRY * (1 << (*failures).min(RETRY_DOUBLINGS_MAX));
        *failures += 1;
        after(now, delay)
    }
}

impl<C: Controller> Reactor for Driver<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn observe(&mut self, change: &Change, now: Timestamp) {
        if C::WATCHES.iter().any(|known| known.is(&change.resource.id)) {
            self.controller.observe(change, now, &mut self.queue);
        }
    }

    fn run(&mut self, access: &mut Access<'_>, now: Timestamp) {
        while let Some(key) = self.queue.pop(now) {
            let mut api = Api::new(access, C::NAME, now);
            let again = self.controller.sync(&key, &mut api, now);
            if api.was_refused() {
                let at = self.retry_at(&key, now);
                self.queue.add(key, at);
                continue;
            }
            self.failures.remove(&key);
            // Later, never at once: a change queues by itself.
            if let Some(again) = again.filter(|again| *again > now) {
                self.queue.add(key, again);
            }
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }
}
