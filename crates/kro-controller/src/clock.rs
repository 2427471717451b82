use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kro_engine::Timestamp;
use tokio::time::Instant;

/// The time of day that never goes back: read once, then advanced by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Timestamp,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Self { started: Instant::now(), started_at: Timestamp::from_ms(ms) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.started_at.plus_ms(elapsed)
    }

    /// The moment of a time of day; now for one in the past.
    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        let wait = u64::try_from(at.since_ms(self.now())).unwrap_or(0);
        Instant::now() + Duration::from_millis(wait)
    }
}
