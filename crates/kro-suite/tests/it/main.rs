//! The controller suite on the embedded API and on a real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stderr)] // an edge: starts processes

mod real;

use std::path::{Path, PathBuf};

use kro_suite::{Cluster, Embedded, Scenario, load_all, run};

/// The scenarios; `KRO_SCENARIO` picks those whose names contain it.
fn scenarios() -> Vec<Scenario> {
    let only = std::env::var("KRO_SCENARIO").unwrap_or_default();
    let mut scenarios = load_all(&root().join("tests/scenarios"));
    scenarios.retain(|scenario| scenario.name.contains(&only));
    assert!(!scenarios.is_empty(), "no scenario");
    scenarios
}

fn root() -> PathBuf {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR"));
    suite.parent().and_then(Path::parent).unwrap().to_owned()
}

/// Plays each scenario and fails with all failures at the end.
fn run_all<C: Cluster>(on: &str, mut cluster_for: impl FnMut() -> C) {
    let mut failures = Vec::new();
    for scenario in scenarios() {
        match run(&scenario, &mut cluster_for()) {
            Ok(()) => eprintln!("{on}: {} ok", scenario.name),
            Err(message) => {
                eprintln!("{on}: {} FAILED", scenario.name);
                failures.push(message);
            }
        }
    }
    assert!(failures.is_empty(), "{} scenarios failed on {on}:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn scenarios_hold_on_the_embedded_api() {
    run_all("embedded", Embedded::start);
}

#[test]
fn scenarios_hold_on_a_real_api() {
    let Some(shared) = std::env::var_os("KRO_SHARED_DIR") else {
        eprintln!("SKIPPED: the controller suite on a real kube-apiserver: KRO_SHARED_DIR is not set");
        return;
    };
    let control_plane = real::ControlPlane::start(Path::new(&shared));
    run_all("real", || control_plane.connect());
}
