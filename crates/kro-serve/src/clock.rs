//! Where the time comes from.

use std::time::{Duration, SystemTime};

use kro_apiserver::Timestamp;
use tokio::time::Instant;

/// A source of time. Sleeping is always left to tokio.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Tokio's clock, counted from a moment: a paused runtime then moves this server's time too.
    Runtime {
        /// The time at `since`.
        origin: Timestamp,
        /// When counting began.
        since: Instant,
    },
}

impl Clock {
    /// Tokio's clock, which reads `origin` now. For tests with a paused runtime.
    pub fn runtime(origin: Timestamp) -> Self {
        Self::Runtime { origin, since: Instant::now() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            // A clock before 1970 or far in the future is useless in any case: all ages are wrong then.
            Self::System => Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH),
            Self::Runtime { origin, since } => origin.checked_add(since.elapsed()).unwrap_or(Timestamp::MAX),
        }
    }
}

/// How long until a moment; zero when it passed.
pub(crate) fn until(moment: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(moment.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::{Clock, until};
    use kro_apiserver::Timestamp;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_moves_the_clock() {
        let clock = Clock::runtime(Timestamp::UNIX_EPOCH);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), Timestamp::from_second(90).unwrap());
    }

    #[test]
    fn a_moment_that_passed_is_now() {
        let (early, late) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(3).unwrap());
        assert_eq!(until(late, early), Duration::from_secs(2));
        assert_eq!(until(early, late), Duration::ZERO);
    }
}
