//! Random sequences of applies and updates by three managers, on the embedded API and on a real server in one run.
//!
//! `KRO_API_FUZZ=5000 KRO_SHARED_DIR=... cargo test --release -p kro-serve apply_sequences -- --nocapture`; a sequence that
//! differs is printed as a script. `KRO_API_SEED` begins elsewhere. What a real server said to some of them is on record.

use std::rc::Rc;

use kro_value::{Value, from_json, to_json};

use super::script::Script;
use super::{Answers, ask, embedded, real, scoreboard};
use crate::control_plane::ControlPlane;

const STEPS: u64 = 20;
/// Sequences that are asked together: their answers are kept until they are compared.
const BATCH: u64 = 250;

/// The custom kind of all sequences; its group is not kept apart, its objects are in namespaces of their own.
const DEFINITION: &str = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.fuzz.kro.run"},
"spec":{"group":"fuzz.kro.run","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,
"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{
"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
"spec":{"type":"object","properties":{
"a":{"type":"string"},"n":{"type":"integer","default":3},
"set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
"atomic":{"type":"array","items":{"type":"integer"}},
"map":{"type":"object","additionalProperties":{"type":"string"}},
"whole":{"type":"object","x-kubernetes-map-type":"atomic","additionalProperties":{"type":"string"}},
"free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
"parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name","kind"],"items":{"type":"object",
"required":["name"],"properties":{"name":{"type":"string"},"kind":{"type":"string","default":"plain"},"size":{"type":"integer"},
"tags":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}}}}}}}}}}]}}"#;

#[test]
fn apply_sequences() {
    let Some(count) = std::env::var("KRO_API_FUZZ").ok().and_then(|count| count.parse::<u64>().ok()) else {
        eprintln!("SKIPPED: random apply sequences against a real API server: KRO_API_FUZZ is not set");
        return;
    };
    let shared = std::env::var("KRO_SHARED_DIR").expect("KRO_SHARED_DIR");
    let first = std::env::var("KRO_API_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let control_plane = Rc::new(ControlPlane::start(shared.as_ref()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(real::define(&control_plane, DEFINITION));
    let (mut differing, mut timed) = (0, 0);
    for start in (0..count).step_by(usize::try_from(BATCH).unwrap()) {
        let seeds: Vec<u64> = (start..count.min(start + BATCH)).map(|index| first + index).collect();
        for (seed, script, ours, theirs) in compare(&runtime, &control_plane, &seeds, "") {
            // Entries of managedFields are in the order of their times: where seconds end decides some answers.
            if !compare(&runtime, &control_plane, &[seed], "r").is_empty() {
                differing += 1;
                eprintln!("{script}");
                scoreboard::tell(&format!("seed {seed}"), &ours, &theirs);
            } else {
                timed += 1;
                eprintln!("seed {seed} is answered alike the second time");
            }
        }
        eprintln!("{} sequences, {differing} differ, {timed} differed once", count.min(start + BATCH));
    }
    assert_eq!(differing, 0, "sequences are answered otherwise than by a real API server");
}

/// Sequences whose answers are on record: some first ones, and those that once differed.
fn recorded_seeds() -> Vec<u64> {
    (0..150).chain([181, 1492, 2644, 3140, 3527, 3668, 6655, 9096]).collect()
}

/// The answers of a real server are on record as a hash each; `KRO_API_LIVE=record` (with `KRO_SHARED_DIR`) writes them.
#[test]
fn recorded_sequences() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/api/sequences.txt");
    let scripts: Vec<Script> = recorded_seeds().into_iter().map(sequence).collect();
    let ours: Answers = scripts.iter().map(|script| (script.id.clone(), embedded::run(script))).collect();
    if std::env::var("KRO_API_LIVE").as_deref() == Ok("record") {
        let shared = std::env::var("KRO_SHARED_DIR").expect("KRO_SHARED_DIR");
        let control_plane = Rc::new(ControlPlane::start(shared.as_ref()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(real::define(&control_plane, DEFINITION));
        let asked = tokio::task::LocalSet::new().block_on(&runtime, ask(control_plane, scripts, ours.clone()));
        std::fs::write(&path, hashes(asked)).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap();
    let found = hashes(ours);
    let differing: Vec<&str> =
        found.lines().zip(recorded.lines()).filter(|(found, known)| found != known).map(|(found, _)| found).collect();
    assert_eq!(found.lines().count(), recorded.lines().count());
    assert!(differing.is_empty(), "answered otherwise than on record, see KRO_API_FUZZ: {differing:#?}");
}

/// A line for each sequence: its seed, and a hash of each answer.
fn hashes(answers: Answers) -> String {
    let line = |(id, answers): (&String, &Vec<Value>)| {
        let hashes: Vec<String> = answers.iter().map(|answer| format!("{:016x}", hash(&to_json(answer)))).collect();
        format!("{}: {}\n", id.trim_start_matches("fuzz: "), hashes.join(" "))
    };
    sorted_entries(answers).iter().map(line).collect()
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A seed, its script, and the two answers.
type Difference = (u64, String, Vec<Value>, Vec<Value>);

/// The sequences that are answered differently.
fn compare(
    runtime: &tokio::runtime::Runtime,
    control_plane: &Rc<ControlPlane>,
    seeds: &[u64],
    suffix: &str,
) -> Vec<Difference> {
    let scripts: Vec<Script> = seeds
        .iter()
        .map(|seed| {
            let mut script = sequence(*seed);
            script.token.push_str(suffix);
            script
        })
        .collect();
    let texts: Vec<(String, String)> = scripts.iter().map(|script| (script.id.clone(), script.text())).collect();
    let ours: Answers = scripts.iter().map(|script| (script.id.clone(), embedded::run(script))).collect();
    let asked = tokio::task::LocalSet::new().block_on(runtime, ask(Rc::clone(control_plane), scripts, ours.clone()));
    let (ours, theirs) = (sorted_entries(ours), sorted_entries(asked));
    let pairs = seeds.iter().zip(texts);
    let differing = pairs.filter(|(_, (id, _))| ours[id] != theirs[id]);
    differing.map(|(seed, (id, text))| (*seed, text, ours[&id].clone(), theirs[&id].clone())).collect()
}

/// Entries of managedFields are in the order of their times, which pass differently here and there.
fn sorted_entries(answers: Answers) -> Answers {
    let sorted = |mut answer: Value| {
        let path = ["body", "metadata", "managedFields"];
        if let Some(entries) = answer.at(&path).and_then(Value::as_list) {
            let mut entries = entries.to_vec();
            entries.sort_by_key(to_json);
            answer.set_at(&path, entries.into());
        }
        answer
    };
    answers.into_iter().map(|(id, answers)| (id, answers.into_iter().map(sorted).collect())).collect()
}

/// The sequence of a seed.
fn sequence(seed: u64) -> Script {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(1));
    let kind = random.below(3);
    let steps = (0..STEPS).map(|_| step(&mut random, kind)).collect();
    let mut script = Script::new("fuzz", &format!("seed {seed}"), steps);
    script.token = format!("f{seed:05}");
    script.setup = vec![from_json(DEFINITION).unwrap()];
    script
}

fn step(random: &mut Random, kind: u64) -> Value {
    let (path, api_version, name) = match kind {
        0 => ("cm/x", "v1", "ConfigMap"),
        1 => ("deploy/x", "apps/v1", "Deployment"),
        _ => ("/apis/fuzz.kro.run/v1/namespaces/default/things/x", "fuzz.kro.run/v1", "Thing"),
    };
    let manager = random.below(3);
    let mut body = match kind {
        0 => config_map(random),
        1 => deployment(random),
        _ => thing(random),
    };
    if random.below(3) == 0 {
        body.set_at(&["metadata", "labels"], texts(random));
    }
    if random.below(5) == 0 {
        body.set_at(&["metadata", "finalizers"], set(random, "example.org/"));
    }
    match random.below(20) {
        0..=3 => Value::map([("merge", Value::from(format!("{path}?fieldManager=m{manager}"))), ("body", body)]),
        4 if kind > 0 => {
            let status = Value::map([("status", Value::map([("replicas", Value::Int(1))]))]);
            let mut status = status;
            status.set_at(&["apiVersion"], api_version.into());
            status.set_at(&["kind"], name.into());
            status.set_at(&["metadata", "name"], "x".into());
            Value::map([("apply", Value::from(format!("{path}/status?fieldManager=m{manager}"))), ("body", status)])
        }
        5 => Value::map([("delete", Value::from(path))]),
        number => {
            body.set_at(&["apiVersion"], api_version.into());
            body.set_at(&["kind"], name.into());
            body.set_at(&["metadata", "name"], "x".into());
            let force = if number.is_multiple_of(3) { "&force=true" } else { "" };
            Value::map([("apply", Value::from(format!("{path}?fieldManager=m{manager}{force}"))), ("body", body)])
        }
    }
}

/// A map with some of four keys.
fn texts(random: &mut Random) -> Value {
    let mut map = Value::map::<&str>([]);
    for key in ["k0", "k1", "k2", "k3"] {
        if random.below(2) == 0 {
            map.set_at(&[key], format!("v{}", random.below(2)).into());
        }
    }
    map
}

fn set(random: &mut Random, prefix: &str) -> Value {
    let all = ["a", "b", "c", "d"].into_iter().filter(|_| random.below(2) == 0);
    all.map(|name| Value::from(format!("{prefix}{name}"))).collect()
}

fn config_map(random: &mut Random) -> Value {
    Value::map([("data", texts(random))])
}

fn deployment(random: &mut Random) -> Value {
    let mut containers = Vec::new();
    for (at, name) in [(0, "a"), (1, "b"), (2, "c")] {
        if name == "a" || random.below(2) == 0 {
            let mut container =
                Value::map([("name", Value::from(name)), ("image", format!("i{}", random.below(2)).into())]);
            if random.below(2) == 0 {
                let entry = |name: &str, random: &mut Random| {
                    Value::map([("name", Value::from(name)), ("value", random.below(2).to_string().into())])
                };
                let mut env = Vec::new();
                for name in ["E", "F", "G"] {
                    if random.below(2) == 0 {
                        env.push(entry(name, random));
                    }
                }
                container.set_at(&["env"], env.into());
            }
            if random.below(3) == 0 {
                // Ports of their own: of shared ones the server warns, which is not what is looked for here.
                let ports = [80, 81].map(|port| Value::map([("containerPort", Value::Int(port + 10 * at))]));
                container
                    .set_at(&["ports"], Value::list(ports.into_iter().take(usize::try_from(random.below(3)).unwrap())));
            }
            containers.push(container);
        }
    }
    let labels = || Value::map([("app", Value::from("x"))]);
    let mut body = Value::map([("spec", Value::map([("selector", Value::map([("matchLabels", labels())]))]))]);
    body.set_at(&["spec", "template", "metadata", "labels"], labels());
    body.set_at(&["spec", "template", "spec", "containers"], containers.into());
    if random.below(3) == 0 {
        body.set_at(&["spec", "replicas"], Value::Int(i64::try_from(random.below(3)).unwrap()));
    }
    if random.below(4) == 0 {
        body.set_at(&["spec", "template", "spec", "nodeSelector"], texts(random));
    }
    body
}

fn thing(random: &mut Random) -> Value {
    let mut spec = Value::map::<&str>([]);
    for field in ["a", "n", "set", "atomic", "map", "whole", "free", "parts"] {
        if random.below(2) == 0 {
            continue;
        }
        let value = match field {
            "a" => format!("v{}", random.below(2)).into(),
            "n" => Value::Int(i64::try_from(random.below(3)).unwrap()),
            "set" => set(random, ""),
            "atomic" => (0..random.below(3)).map(|_| Value::Int(i64::try_from(random.below(3)).unwrap())).collect(),
            "free" => Value::map([("x", texts(random)), ("y", Value::list([Value::Int(1)])), ("z", Value::Null)]),
            "parts" => parts(random),
            _ => texts(random),
        };
        spec.set_at(&[field], value);
    }
    Value::map([("spec", spec)])
}

fn parts(random: &mut Random) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    for name in ["p", "q", "r"] {
        if random.below(2) == 0 {
            continue;
        }
        let mut part = Value::map([("name", Value::from(name))]);
        if random.below(2) == 0 {
            part.set_at(&["kind"], if random.below(2) == 0 { "plain" } else { "other" }.into());
        }
        if random.below(2) == 0 {
            part.set_at(&["size"], Value::Int(i64::try_from(random.below(2)).unwrap()));
        }
        if random.below(3) == 0 {
            part.set_at(&["tags"], set(random, ""));
        }
        parts.push(part);
    }
    if random.below(2) == 0 {
        parts.reverse();
    }
    parts.into()
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[test]
fn a_seed_gives_one_sequence() {
    assert_eq!(sequence(7).text(), sequence(7).text());
    assert_ne!(sequence(7).text(), sequence(8).text());
    let objects = (0..30).map(|seed| embedded::run(&sequence(seed)));
    let statuses: std::collections::BTreeSet<i64> =
        objects.flatten().filter_map(|answer| answer.get("status")?.as_i64()).collect();
    assert!([200, 201, 409].iter().all(|code| statuses.contains(code)), "{statuses:?}");
    assert!(!statuses.contains(&500), "{}", to_json(&from_json(DEFINITION).unwrap()));
}
