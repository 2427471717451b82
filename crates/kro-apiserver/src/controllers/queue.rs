use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// What a controller has to look at, and when. An entry is queued at most once: at the earliest time asked for.
#[derive(Debug)]
pub(super) struct Queue<K> {
    times: BTreeMap<K, Timestamp>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K: Ord + Clone> Queue<K> {
    pub(super) fn new() -> Self {
        Self { times: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Asks for a look at `key` at a time, unless it is queued for an earlier one.
    pub(super) fn add(&mut self, key: K, at: Timestamp) {
        match self.times.get_mut(&key) {
            Some(earlier) if *earlier <= at => return,
            Some(later) => {
                self.order.remove(&(*later, key.clone()));
                *later = at;
            }
            None => {
                self.times.insert(key.clone(), at);
            }
        }
        self.order.insert((at, key));
    }

    /// Takes the first entry that is due.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<K> {
        let (at, _) = self.order.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.times.remove(&key);
        Some(key)
    }

    /// When the first entry is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use jiff::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn gives_each_entry_once_at_the_earliest_time() {
        let mut queue = Queue::new();
        queue.add("a", at(5));
        queue.add("b", at(4));
        queue.add("a", at(3));
        queue.add("a", at(9));
        assert_eq!((queue.next_due(), queue.pop(at(2))), (Some(at(3)), None));
        assert_eq!((queue.pop(at(9)), queue.pop(at(9)), queue.pop(at(9))), (Some("a"), Some("b"), None));
        assert_eq!(queue.next_due(), None);
    }
}
