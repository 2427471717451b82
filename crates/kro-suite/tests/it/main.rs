//! The controller suite on the embedded API, with and without faults, and on a real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stderr)] // an edge: starts processes

mod real;
mod real_cluster;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kro_suite::{Baseline, Cluster, Embedded, Scenario, load_all, run, sample};
use kro_value::Value;

/// How many faults hit each scenario where not all are asked for.
const FAULTS_SAMPLED: usize = 1;

fn folder() -> PathBuf {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR"));
    suite.parent().and_then(Path::parent).unwrap().join("tests/scenarios")
}

/// A run with a fault that is reported because it takes so long. Seconds.
const SLOW_S: u64 = 5;

/// The scenarios; `KRO_SCENARIO` picks those whose names contain it.
fn scenarios() -> Vec<Scenario> {
    let only = std::env::var("KRO_SCENARIO").unwrap_or_default();
    let mut scenarios = load_all(&folder(), "default");
    scenarios.retain(|scenario| scenario.name.contains(&only));
    assert!(!scenarios.is_empty(), "no scenario");
    scenarios
}

/// Plays a scenario; `Err` holds what is to be reported.
fn judge(on: &str, scenario: &Scenario, cluster: &mut dyn Cluster) -> Result<(), String> {
    let started = Instant::now();
    let result = match (run(scenario, cluster), &scenario.known_failing) {
        (Ok(()), Some(_)) => Err(format!("{} holds now: take its knownFailing away", scenario.name)),
        (Err(_), Some(reason)) => {
            eprintln!("{on}: {} KNOWN TO FAIL: {reason}", scenario.name);
            return Ok(());
        }
        (result, None) => result,
    };
    let verdict = if result.is_ok() { "ok" } else { "FAILED" };
    eprintln!("{on}: {} {verdict} {} ms", scenario.name, started.elapsed().as_millis());
    if let Err(message) = &result {
        eprintln!("{on}: {message}");
    }
    result
}

/// Fails with all failures at the end.
fn conclude(on: &str, count: usize, failures: &[String]) {
    eprintln!("{on}: {count} scenarios, {} failed", failures.len());
    assert!(failures.is_empty(), "{} failed on {on}:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn scenarios_hold_on_the_embedded_api() {
    let scenarios = scenarios();
    let judge = |scenario: &Scenario| judge("embedded", scenario, &mut Embedded::start()).err();
    let failures: Vec<String> = scenarios.iter().filter_map(judge).collect();
    conclude("embedded", scenarios.len(), &failures);
}

fn is_played_with_faults(scenario: &Scenario) -> bool {
    scenario.known_failing.is_none() && scenario.without_faults.is_none()
}

/// Which part of the scenarios this process plays with faults: `KRO_FAULTS_SHARD=1/2` is the first half.
fn is_in_shard(at: usize) -> bool {
    let Ok(shard) = std::env::var("KRO_FAULTS_SHARD") else { return true };
    let (part, parts) = shard.split_once('/').expect("KRO_FAULTS_SHARD is PART/PARTS");
    let (part, parts): (usize, usize) = (part.parse().unwrap(), parts.parse().unwrap());
    at % parts == part - 1
}

/// `KRO_FAULTS=all` plays every scenario with every fault; otherwise each with a few, always the same.
#[test]
fn scenarios_survive_faults() {
    let are_all = std::env::var("KRO_FAULTS").is_ok_and(|value| value == "all");
    let (mut failures, mut played, mut known) = (Vec::new(), BTreeMap::<String, usize>::new(), 0);
    let scenarios: Vec<(usize, Scenario)> = scenarios()
        .into_iter()
        .enumerate()
        .filter(|(at, scenario)| is_in_shard(*at) && is_played_with_faults(scenario))
        .collect();
    for (at, scenario) in &scenarios {
        let baseline = match Baseline::of(scenario) {
            Ok(baseline) => baseline,
            Err(message) => {
                failures.push(message);
                continue;
            }
        };
        let size = if are_all { baseline.faults().len() } else { FAULTS_SAMPLED };
        let chosen = sample(baseline.faults(), size, *at);
        known += baseline.faults().len();
        chosen.iter().for_each(|fault| *played.entry(fault.kind()).or_default() += 1);
        let check = |fault| {
            let started = Instant::now();
            let result = baseline.check(scenario, fault);
            // Whoever waits for hours wants to see where they go.
            if started.elapsed().as_secs() >= SLOW_S {
                eprintln!("faults: {} with {fault:?} took {} s", scenario.name, started.elapsed().as_secs());
            }
            result.err()
        };
        let failed: Vec<String> = chosen.into_iter().filter_map(check).collect();
        if are_all {
            eprintln!("faults: {} {} of {size} failed", scenario.name, failed.len());
            failed.iter().for_each(|message| eprintln!("FAULT {message}\n"));
        }
        failures.extend(failed);
    }
    eprintln!("faults: {} of {known} faults played: {played:?}", played.values().sum::<usize>());
    conclude("faults", scenarios.len(), &failures);
}

/// On a real API server scenarios are played side by side: nothing cluster-scoped may be shared.
#[test]
fn scenarios_have_kinds_of_their_own() {
    let mut owners: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut shared = Vec::new();
    for scenario in load_all(&folder(), "default") {
        for manifest in scenario.manifests().filter(|manifest| manifest.get("kind") == Some(&DEFINITION.into())) {
            let text = |keys: &[&str]| manifest.str_at(keys).unwrap_or_default().to_owned();
            let [name, kind] = [text(&["metadata", "name"]), text(&["spec", "schema", "kind"])];
            for key in [("definition", name), ("kind", kind)].into_iter().filter(|(_, name)| !name.is_empty()) {
                let key = (key.0.to_owned(), key.1);
                let owner = owners.entry(key.clone()).or_insert_with(|| scenario.name.clone());
                if *owner != scenario.name {
                    shared.push(format!("{} {} is in {owner} and {}", key.0, key.1, scenario.name));
                }
            }
        }
    }
    assert!(shared.is_empty(), "{}", shared.join("\n"));
}

const DEFINITION: &str = "ResourceGraphDefinition";

/// What of a scenario's own is in the paths of requests: names of definitions and kinds in lower case.
fn names_of(scenario: &Scenario) -> Vec<String> {
    let definitions = scenario.manifests().filter(|manifest| manifest.get("kind") == Some(&Value::from(DEFINITION)));
    let names = definitions.flat_map(|manifest| {
        let name = manifest.str_at(&["metadata", "name"]).map(str::to_owned);
        name.into_iter().chain(manifest.str_at(&["spec", "schema", "kind"]).map(str::to_lowercase))
    });
    names.collect()
}

#[test]
fn scenarios_hold_on_a_real_api() {
    let Some(shared) = std::env::var_os("KRO_SHARED_DIR") else {
        eprintln!("SKIPPED: the controller suite on a real kube-apiserver: KRO_SHARED_DIR is not set");
        return;
    };
    let (simulated, scenarios): (Vec<Scenario>, Vec<Scenario>) =
        scenarios().into_iter().partition(Scenario::is_simulated);
    eprintln!("real: {} scenarios need a simulated cluster and are left out", simulated.len());
    let failures = real::play(Path::new(&shared), &scenarios);
    conclude("real", scenarios.len(), &failures);
}
