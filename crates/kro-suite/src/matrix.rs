use kro_sim::Fate;

use crate::likeness::first_difference;
use crate::runner::{Mode, Outcome, play};
use crate::{Embedded, Scenario};

/// How long a watch is stalled, and how far one lags behind.
const DELAY_MS: i64 = 5_000;

/// One thing that goes wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// At a request of the controller, counted from 1.
    Request {
        /// Which.
        number: u64,
        /// What happens.
        fate: Fate,
    },
    /// A watch, counted from 1 as they are opened, lags behind.
    Watch {
        /// Which.
        number: u64,
        /// By how much.
        lag_ms: i64,
    },
}

impl Fault {
    /// What goes wrong, without where: `500`, `crash`.
    pub fn kind(&self) -> String {
        match self {
            Self::Watch { .. } => "a watch lags".to_owned(),
            Self::Request { fate, .. } => match fate {
                Fate::Answer => "none".to_owned(),
                Fate::Refuse(status, ..) => status.to_string(),
                Fate::LoseAnswer => "answer lost".to_owned(),
                Fate::Lose => "request lost".to_owned(),
                Fate::Crash => "crash".to_owned(),
                Fate::CutWatches => "watches cut".to_owned(),
                Fate::StallWatches(_) => "watches stall".to_owned(),
            },
        }
    }
}

/// What a scenario does without a fault.
pub struct Baseline {
    outcome: Outcome,
    faults: Vec<Fault>,
}

impl Baseline {
    /// Plays the scenario without a fault.
    ///
    /// # Errors
    /// When it fails.
    pub fn of(scenario: &Scenario) -> Result<Self, String> {
        let mut cluster = Embedded::start();
        let outcome = play(scenario, &mut cluster, Mode::Strict)?;
        let trace = cluster.simulation().trace();
        let (requests, watches) = (trace.requests.len() as u64, trace.watches.len() as u64);
        Ok(Self { outcome, faults: all_faults(requests, watches) })
    }

    /// Every fault that can hit it.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Plays the scenario with a fault: all that it expects must come to hold, and the cluster must be the same before
    /// and after its objects were taken down.
    ///
    /// # Errors
    /// With what is different.
    pub fn check(&self, scenario: &Scenario, fault: &Fault) -> Result<(), String> {
        let named = |message: String| format!("{} with {fault:?}: {message}", scenario.name);
        let mut cluster = Embedded::with_fault(Some(fault.clone()));
        let outcome = play(scenario, &mut cluster, Mode::Faulty).map_err(named)?;
        let stages = [
            ("at its end", &self.outcome.before, &outcome.before),
            ("after it was taken down", &self.outcome.after, &outcome.after),
        ];
        for (when, expected, found) in stages {
            if let Some(difference) = first_difference(expected, found) {
                return Err(named(format!("the cluster is different {when}: {difference}")));
            }
        }
        Ok(())
    }
}

fn all_faults(requests: u64, watches: u64) -> Vec<Fault> {
    let fates = [
        Fate::Crash,
        Fate::LoseAnswer,
        Fate::refuse(409, "Conflict"),
        Fate::refuse(500, "InternalError"),
        Fate::CutWatches,
        Fate::refuse(404, "NotFound"),
        Fate::StallWatches(DELAY_MS),
        Fate::refuse(429, "TooManyRequests"),
        Fate::Lose,
    ];
    let at_requests =
        (1..=requests).flat_map(|number| fates.iter().map(move |fate| Fault::Request { number, fate: fate.clone() }));
    let at_watches = (1..=watches).map(|number| Fault::Watch { number, lag_ms: DELAY_MS });
    at_requests.chain(at_watches).collect()
}

/// A sample of `faults`, spread evenly and different for each `seed`; all of them where there are no more than `size`.
pub fn sample(faults: &[Fault], size: usize, seed: usize) -> Vec<&Fault> {
    let count = faults.len();
    if size >= count {
        return faults.iter().collect();
    }
    (0..size).map(|at| &faults[(seed.wrapping_mul(7919) + at * count / size + at) % count]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_all_leaves_none_out() {
        let faults = all_faults(4, 2);
        assert_eq!(sample(&faults, faults.len(), 3), faults.iter().collect::<Vec<_>>());
        assert_eq!(sample(&faults, 5, 3).len(), 5);
    }
}
