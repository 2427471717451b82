use kro_engine::Timestamp;
use kro_engine::object::ObjectId;
use kro_engine::snapshot::{Outcome, Record};

use crate::records::CHURN_WINDOW_MS;

/// What is remembered of the children of one instance. A sorted list: nearly all instances have a handful, and there may
/// be very many instances.
#[derive(Debug, Default)]
pub(crate) struct Children(Vec<Child>);

#[derive(Debug)]
struct Child {
    id: ObjectId,
    record: Record,
    /// Since when, and how often it was applied in the present window.
    applies: (Timestamp, u32),
}

impl Children {
    fn position(&self, id: &ObjectId) -> Result<usize, usize> {
        self.0.binary_search_by(|child| child.id.cmp(id))
    }

    /// The last apply of a child.
    pub fn get(&self, id: &ObjectId) -> Option<&Record> {
        self.position(id).ok().map(|index| &self.0[index].record)
    }

    /// Lets a failed apply be tried again, or not yet.
    pub fn set_due(&mut self, id: &ObjectId, due: bool) {
        if let Ok(index) = self.position(id)
            && let Outcome::Failed { is_due, .. } = &mut self.0[index].record.outcome
        {
            *is_due = due;
        }
    }

    /// Notes what became of an apply.
    pub fn note(&mut self, id: &ObjectId, record: Record) {
        match self.position(id) {
            Ok(index) => self.0[index].record = record,
            Err(index) => {
                self.0.reserve_exact(1);
                self.0.insert(index, Child { id: id.clone(), record, applies: (Timestamp::default(), 0) });
            }
        }
    }

    /// Forgets a child.
    pub fn forget(&mut self, id: &ObjectId) {
        if let Ok(index) = self.position(id) {
            self.0.remove(index);
        }
    }

    /// Forgets all but some.
    pub fn keep(&mut self, is_kept: impl Fn(&ObjectId) -> bool) {
        self.0.retain(|child| is_kept(&child.id));
    }

    /// Counts an apply of a child that is known, and says how many there were in the present window.
    pub fn count_apply(&mut self, id: &ObjectId, now: Timestamp) -> u32 {
        let Ok(index) = self.position(id) else {
            return 0;
        };
        let applies = &mut self.0[index].applies;
        if now.since_ms(applies.0) > CHURN_WINDOW_MS {
            *applies = (now, 0);
        }
        applies.1 += 1;
        applies.1
    }

    /// True while an apply is not answered.
    pub fn is_applying(&self) -> bool {
        self.0.iter().any(|child| child.record.outcome == Outcome::InFlight)
    }
}
