//! The direction of dependencies between crates.

use std::collections::BTreeMap;
use std::process::Command;

use crate::tree;

/// Crates that do no I/O, lowest first. A crate may depend only on crates that stand before it.
pub const BELOW_IO: [&str; 13] = [
    "kro-value",
    "kro-api",
    "kro-diagnostics",
    "kro-yaml",
    "kro-cel",
    "kro-schema",
    "kro-celwire",
    "kro-graph",
    "kro-apimachinery",
    "kro-engine",
    "kro-manager",
    "kro-apiserver",
    "kro-sim",
];

/// Crates at the edges, lowest first.
const EDGES: [&str; 3] = ["kro-serve", "kro-controller", "kro"];

/// Crates that only tests may use.
const TEST_ONLY: [&str; 4] = ["kro-langtest", "kro-suite", "kro-celtest", "kro-load"];

/// Pairs that must stay apart although the order would allow them: the embedded API knows nothing of kro, and the
/// compiler, engine and manager know nothing of the embedded API.
const APART: [(&str, &str); 7] = [
    ("kro-apiserver", "kro-api"),
    ("kro-apiserver", "kro-graph"),
    ("kro-apiserver", "kro-engine"),
    ("kro-apiserver", "kro-manager"),
    ("kro-serve", "kro-manager"),
    ("kro-apimachinery", "kro-graph"),
    ("kro-engine", "kro-apimachinery"),
];

/// Libraries that do I/O, read clocks or spawn; none may be reached from below the I/O line.
const IO_LIBRARIES: [&str; 9] =
    ["tokio", "mio", "hyper", "kube", "kube-client", "rustls", "getrandom", "rand", "socket2"];

/// All dependencies, of all kinds but development, by crate.
type Dependencies = BTreeMap<String, Vec<String>>;

/// Checks the direction.
pub fn check() -> Result<(), String> {
    let errors = find_violations(&read_dependencies()?);
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

fn read_dependencies() -> Result<Dependencies, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(tree::root())
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(collect_dependencies(&metadata))
}

fn collect_dependencies(metadata: &serde_json::Value) -> Dependencies {
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let names: BTreeMap<&str, &str> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?))).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap_or(&empty);
    let mut dependencies = Dependencies::new();
    for node in nodes {
        let name = node["id"].as_str().and_then(|id| names.get(id)).copied().unwrap_or_default();
        let targets = node["deps"].as_array().unwrap_or(&empty).iter().filter(|dependency| is_normal(dependency));
        let targets =
            targets.filter_map(|dependency| names.get(dependency["pkg"].as_str()?).map(|name| (*name).to_owned()));
        dependencies.entry(name.to_owned()).or_default().extend(targets);
    }
    dependencies
}

/// True for a dependency that is built into the product on the targets that matter (not for tests, not build scripts).
fn is_normal(dependency: &serde_json::Value) -> bool {
    let empty = Vec::new();
    let kinds = dependency["dep_kinds"].as_array().unwrap_or(&empty);
    kinds.iter().any(|kind| kind["kind"].is_null() && kind["target"].is_null())
}

fn find_violations(dependencies: &Dependencies) -> Vec<String> {
    let order: Vec<&str> = BELOW_IO.iter().chain(&EDGES).copied().collect();
    let position = |name: &str| order.iter().position(|crate_name| *crate_name == name);
    let mut errors = Vec::new();
    for (name, targets) in dependencies {
        for target in targets.iter().filter(|target| target.starts_with("kro")) {
            match (position(name), position(target)) {
                (Some(user), Some(used)) if used >= user => errors.push(format!("{name} depends upwards on {target}")),
                (Some(_), None) => errors.push(format!("{name} depends on {target}, which has no place in the layers")),
                _ => {}
            }
            if APART.contains(&(name.as_str(), target.as_str())) {
                errors.push(format!("{name} must not know {target}"));
            }
        }
        let known = position(name).is_some() || TEST_ONLY.contains(&name.as_str());
        if name.starts_with("kro") && !known {
            errors.push(format!("{name} has no place in the layers"));
        }
    }
    for name in BELOW_IO {
        errors.extend(reached_io(name, dependencies).map(|path| format!("below the I/O line: {path}")));
    }
    errors
}

/// The first path from a crate to a library that does I/O.
fn reached_io(name: &str, dependencies: &Dependencies) -> Option<String> {
    let mut paths = vec![vec![name.to_owned()]];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = paths.pop() {
        for target in path.last().and_then(|last| dependencies.get(last)).into_iter().flatten() {
            let longer = [path.as_slice(), std::slice::from_ref(target)].concat();
            if IO_LIBRARIES.contains(&target.as_str()) {
                return Some(longer.join(" -> "));
            }
            if seen.insert(target.clone()) {
                paths.push(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_depend_downwards_only() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn violations_are_found() {
        let graph = |pairs: &[(&str, &[&str])]| -> Dependencies {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            pairs.iter().map(|(name, targets)| ((*name).to_owned(), own(targets))).collect()
        };
        for (dependencies, expected) in [
            (graph(&[("kro-value", &["kro-graph"])]), "kro-value depends upwards on kro-graph"),
            (graph(&[("kro-apiserver", &["kro-engine"])]), "kro-apiserver must not know kro-engine"),
            (graph(&[("kro-new", &[])]), "kro-new has no place in the layers"),
            (
                graph(&[("kro-graph", &["time"]), ("time", &["getrandom"])]),
                "below the I/O line: kro-graph -> time -> getrandom",
            ),
        ] {
            assert_eq!(find_violations(&dependencies), [expected]);
        }
    }
}
