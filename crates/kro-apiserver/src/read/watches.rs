use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::watch::Watch;
use crate::{GroupResource, WatchId, WatchPoll};

/// The open watches, in the order of what they have to do by themselves.
#[derive(Default)]
pub(crate) struct Watches {
    open: BTreeMap<WatchId, Watch>,
    due: BTreeSet<(Timestamp, WatchId)>,
    newest: u64,
}

impl Watches {
    pub(crate) fn open(&mut self, watch: Watch) -> WatchId {
        self.newest += 1;
        let id = WatchId(self.newest);
        self.due.insert((watch.next_due(), id));
        self.open.insert(id, watch);
        id
    }

    /// For looking at what it has; its due time must stay.
    pub(crate) fn get_mut(&mut self, id: WatchId) -> Option<&mut Watch> {
        self.open.get_mut(&id)
    }

    /// Takes what a watch has to send now; one that is not there has ended.
    pub(crate) fn poll(&mut self, id: WatchId, poll: impl FnOnce(&mut Watch) -> WatchPoll) -> WatchPoll {
        let polled = self.change(id, poll).unwrap_or(WatchPoll { chunks: Vec::new(), ended: true });
        if polled.ended {
            self.remove(id);
        }
        polled
    }

    pub(crate) fn remove(&mut self, id: WatchId) {
        if let Some(watch) = self.open.remove(&id) {
            self.due.remove(&(watch.next_due(), id));
        }
    }

    /// Changes the watches of a resource.
    pub(crate) fn of_resource(&mut self, resource: &GroupResource, change: impl Fn(&mut Watch)) {
        self.each(|watch| {
            if watch.view.resource.id == *resource {
                change(watch);
            }
        });
    }

    /// Changes all watches.
    pub(crate) fn each(&mut self, change: impl Fn(&mut Watch)) {
        let ids: Vec<WatchId> = self.open.keys().copied().collect();
        for id in ids {
            self.change(id, &change);
        }
    }

    /// When one of them has something to send although nothing changes.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    fn change<R>(&mut self, id: WatchId, change: impl FnOnce(&mut Watch) -> R) -> Option<R> {
        let watch = self.open.get_mut(&id)?;
        let before = watch.next_due();
        let result = change(watch);
        let after = watch.next_due();
        if after != before {
            self.due.remove(&(before, id));
            self.due.insert((after, id));
        }
        Some(result)
    }
}
