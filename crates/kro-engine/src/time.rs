use std::fmt;

use kro_value::{Str, format_smolstr};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. The engine never reads a clock; time comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This time and some milliseconds more; stops at the end of time.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from an earlier time to this one; negative when it is later.
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As Kubernetes prints times: RFC 3339, UTC, whole seconds. A time outside of year -9999 to 9999 prints as the
    /// epoch.
    pub fn to_rfc3339(self) -> Str {
        let time = jiff::Timestamp::from_second(self.0.div_euclid(1000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        format_smolstr!("{time}")
    }

    /// Reads an RFC 3339 time; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_whole_seconds_and_reads_them_back() {
        let time = Timestamp::from_ms(1_764_042_000_250);
        assert_eq!(time.to_rfc3339(), "2025-11-25T03:40:00Z");
        assert_eq!(Timestamp::parse("2025-11-25T03:40:00Z"), Some(Timestamp::from_ms(1_764_042_000_000)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
