//! Exponential backoff with jitter from an injected seed.

use kro_engine::Timestamp;
use kro_value::Str;

/// A small generator (splitmix64); its quality is enough to spread retries.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Of `0..bound`; 0 for an empty range.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or_default()
    }
}

/// Bounds of delays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub min_ms: i64,
    pub max_ms: i64,
}

/// Something that failed and is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How often it failed in a row, from 1.
    pub attempts: u32,
    /// When it is tried again.
    pub retry_at: Timestamp,
    /// The server's words.
    pub message: Str,
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
}

impl Failure {
    /// One more failure after `previous`. The delay doubles each time, up to the maximum, and a tenth of it is drawn.
    pub fn again(
        previous: Option<&Self>,
        refusal: Refusal,
        bounds: Bounds,
        jitter: &mut Jitter,
        now: Timestamp,
    ) -> Self {
        let attempts = previous.map_or(1, |previous| previous.attempts.saturating_add(1));
        let doubled = bounds.min_ms.saturating_mul(1_i64 << (attempts - 1).min(30));
        let delay = doubled.min(bounds.max_ms).max(i64::from(refusal.retry_after_s.unwrap_or_default()) * 1000);
        let spread = jitter.below(u64::try_from(delay / 10 + 1).unwrap_or(1));
        let delay = delay.saturating_add(i64::try_from(spread).unwrap_or_default());
        Self { attempts, retry_at: now.plus_ms(delay), message: refusal.message, status: refusal.status }
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        self.retry_at <= now
    }
}

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub message: Str,
    pub status: u16,
    /// The object is not there.
    pub is_gone: bool,
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    /// `None` for a success.
    pub fn of(result: &Result<crate::ApiResponse, crate::TransportError>) -> Option<Self> {
        match result {
            Ok(response) if response.is_success() => None,
            Ok(response) => Some(Self {
                message: response.message(),
                status: response.status,
                is_gone: response.is_gone(),
                retry_after_s: response.retry_after_s,
            }),
            Err(error) => Some(Self { message: error.message.clone(), status: 0, is_gone: false, retry_after_s: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum() {
        let bounds = Bounds { min_ms: 200, max_ms: 1000 };
        let refusal = |after| Refusal { message: "no".into(), status: 500, is_gone: false, retry_after_s: after };
        let mut jitter = Jitter::new(7);
        let mut failure = None;
        let mut delays = Vec::new();
        for _ in 0..5 {
            let next = Failure::again(failure.as_ref(), refusal(None), bounds, &mut jitter, Timestamp::from_ms(0));
            delays.push(next.retry_at.as_ms());
            failure = Some(next);
        }
        for (delay, least) in delays.iter().zip([200, 400, 800, 1000, 1000]) {
            assert!((least..=least + least / 10).contains(delay), "{delays:?}");
        }
        let patient = Failure::again(None, refusal(Some(9)), bounds, &mut jitter, Timestamp::from_ms(0));
        assert!(patient.retry_at.as_ms() >= 9000);
    }
}
