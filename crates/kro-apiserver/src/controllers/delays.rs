use std::time::Duration;

use jiff::Timestamp;

/// How long things take in the simulated cluster. The defaults make a Deployment available after about a second, so
/// that a demonstration is pleasant to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    /// From the creation of a Pod until it has a node.
    pub schedule: Duration,
    /// From then until its containers run and are ready.
    pub start: Duration,
    /// How long a Pod of a Job runs.
    pub run: Duration,
    /// From the deletion of a running Pod until it is gone; never longer than its grace period.
    pub terminate: Duration,
    /// From a change of a Service or its Pods until the endpoints follow.
    pub endpoints: Duration,
    /// Until a Service of type LoadBalancer or an Ingress has an address.
    pub load_balancer: Duration,
    /// Until a PersistentVolumeClaim is bound.
    pub bind_volume: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            schedule: Duration::from_millis(50),
            start: Duration::from_millis(800),
            run: Duration::from_secs(2),
            terminate: Duration::from_millis(500),
            endpoints: Duration::from_millis(20),
            load_balancer: Duration::from_secs(1),
            bind_volume: Duration::from_millis(500),
        }
    }
}

impl Delays {
    /// Everything happens at once, still in the right order.
    pub fn none() -> Self {
        let zero = Duration::ZERO;
        Self {
            schedule: zero,
            start: zero,
            run: zero,
            terminate: zero,
            endpoints: zero,
            load_balancer: zero,
            bind_volume: zero,
        }
    }
}

/// A moment later than another.
pub(super) fn after(moment: Timestamp, delay: Duration) -> Timestamp {
    moment.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// Reads a duration as Go writes it: `300ms`, `1.5h`, `2m30s`; `None` for anything else and for negative ones.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = number * seconds_of(&rest[..unit])?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(total)
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse_duration;
    use std::time::Duration;

    #[test]
    fn durations_are_read_like_go() {
        let cases = [
            ("300ms", Some(300)),
            ("1.5s", Some(1500)),
            ("2m30s", Some(150_000)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("1.2.3s", None),
            ("1d", None),
            ("99999999999999999999h", None),
        ];
        for (text, millis) in cases {
            assert_eq!(parse_duration(text), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}
