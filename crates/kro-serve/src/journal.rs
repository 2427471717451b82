//! Keeps the writes of the API: a thread of its own commits what came together, and requests are answered once their
//! writes are safe.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use kro_apiserver::Record;
use tokio::sync::watch;

/// Where records are kept.
pub trait Journal: Send + 'static {
    /// Makes records durable, all of them or none.
    ///
    /// # Errors
    /// When it cannot: nothing later is tried then.
    fn commit(&mut self, records: &[Record]) -> std::io::Result<()>;
}

/// How far the journal is.
#[derive(Debug, Clone, Default)]
struct Progress {
    committed: u64,
    failure: Option<String>,
}

/// The side of the server.
pub(crate) struct Keeper {
    sender: Sender<Vec<Record>>,
    sent: u64,
    progress: watch::Receiver<Progress>,
}

/// Waits for one batch.
pub(crate) struct Ticket {
    batch: u64,
    progress: watch::Receiver<Progress>,
}

impl Keeper {
    pub(crate) fn start(journal: impl Journal) -> Self {
        let (sender, receiver) = channel();
        let (done, progress) = watch::channel(Progress::default());
        thread::spawn(move || keep(journal, &receiver, &done));
        Self { sender, sent: 0, progress }
    }

    /// Hands records over. The ticket is for whoever answers.
    pub(crate) fn push(&mut self, records: Vec<Record>) -> Option<Ticket> {
        if records.is_empty() {
            return None;
        }
        self.sent += 1;
        let _ = self.sender.send(records); // a thread that ended left its reason in the progress
        Some(Ticket { batch: self.sent, progress: self.progress.clone() })
    }

    /// A ticket for everything that was handed over.
    pub(crate) fn last(&self) -> Ticket {
        Ticket { batch: self.sent, progress: self.progress.clone() }
    }
}

impl Ticket {
    /// Returns when the batch is safe.
    ///
    /// # Errors
    /// Why it never will be.
    pub(crate) async fn settled(mut self) -> Result<(), String> {
        let batch = self.batch;
        let state = self.progress.wait_for(|state| state.committed >= batch || state.failure.is_some()).await;
        match state {
            Ok(state) if state.committed >= batch => Ok(()),
            Ok(state) => Err(state.failure.clone().unwrap_or_default()),
            Err(_) => Err("the journal ended".to_owned()),
        }
    }
}

/// Commits until the server is gone. Batches that wait are committed together: one flush for all of them.
fn keep(mut journal: impl Journal, receiver: &Receiver<Vec<Record>>, done: &watch::Sender<Progress>) {
    while let Ok(mut records) = receiver.recv() {
        let mut batches = 1;
        while let Ok(more) = receiver.try_recv() {
            records.extend(more);
            batches += 1;
        }
        if let Err(error) = journal.commit(&records) {
            done.send_modify(|progress| progress.failure = Some(error.to_string()));
            return;
        }
        done.send_modify(|progress| progress.committed += batches);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, Result};

    use kro_apiserver::GroupResource;

    use super::*;

    struct Full(usize);

    impl Journal for Full {
        fn commit(&mut self, records: &[Record]) -> Result<()> {
            self.0 = self.0.checked_sub(records.len()).ok_or_else(|| Error::other("disk full"))?;
            Ok(())
        }
    }

    fn record() -> Vec<Record> {
        let resource = GroupResource::new("", "things");
        vec![Record { revision: 1, resource, namespace: "n".into(), name: "a".into(), object: None }]
    }

    #[tokio::test]
    async fn who_writes_learns_whether_it_was_kept() {
        let mut keeper = Keeper::start(Full(2));
        assert!(keeper.push(Vec::new()).is_none());
        for _ in 0..2 {
            assert_eq!(keeper.push(record()).unwrap().settled().await, Ok(()));
        }
        assert_eq!(keeper.push(record()).unwrap().settled().await, Err("disk full".to_owned()));
        assert!(keeper.push(record()).unwrap().settled().await.is_err());
        assert!(keeper.last().settled().await.is_err());
    }
}
