//! The checks that run programs.

use std::process::Command;
use std::time::Instant;

use crate::{layers, tree};

type Outcome = Result<(), String>;

/// A check and its name on the command line.
struct Step {
    name: &'static str,
    run: fn() -> Outcome,
}

const STEPS: [Step; 8] = [
    Step { name: "tree", run: tree::check },
    Step { name: "layers", run: layers::check },
    Step { name: "fmt", run: || cargo(&["fmt", "--all", "--check"]) },
    Step { name: "clippy", run: || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]) },
    Step { name: "wasm", run: build_wasm },
    Step { name: "test", run: || cargo(&["test", "--workspace"]) },
    Step { name: "examples", run: run_examples },
    Step { name: "clients", run: run_clients },
];

/// Runs every check; all of them run even when one fails, and the failing ones are named at the end.
pub fn run_all() -> Outcome {
    let failed: Vec<&str> = STEPS.iter().filter(|step| !run_timed(step)).map(|step| step.name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Runs the check of that name; `None` when there is none.
pub fn run_step(name: &str) -> Option<Outcome> {
    STEPS.iter().find(|step| step.name == name).map(|step| (step.run)())
}

fn run_timed(step: &Step) -> bool {
    eprintln!("==> {}", step.name);
    let start = Instant::now();
    let outcome = (step.run)();
    let verdict = match &outcome {
        Ok(()) => "ok".to_owned(),
        Err(message) => format!("FAILED: {message}"),
    };
    eprintln!("<== {} {verdict} ({} s)", step.name, start.elapsed().as_secs());
    outcome.is_ok()
}

fn cargo(arguments: &[&str]) -> Outcome {
    run(Command::new(env!("CARGO")).args(arguments))
}

fn build_wasm() -> Outcome {
    let mut command = Command::new(env!("CARGO"));
    command.args(["check", "--target", "wasm32-unknown-unknown", "--lib"]);
    for name in layers::BELOW_IO {
        command.args(["--package", name]);
    }
    run(&mut command)
}

/// Each folder of `examples/` becomes ready, alone, with no cluster.
fn run_examples() -> Outcome {
    let root = tree::root();
    let examples = std::fs::read_dir(root.join("examples")).map_err(|error| format!("examples: {error}"))?;
    let mut folders: Vec<_> = examples.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err("no examples".to_owned());
    }
    for folder in folders {
        eprintln!("--- {}", folder.display());
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--package", "kro", "--", "dev", "--once", "-f"]).arg(&folder);
        run(&mut command)?;
    }
    Ok(())
}

/// Clients of other projects work with the embedded API, unchanged.
fn run_clients() -> Outcome {
    cargo(&["build", "--quiet", "--package", "kro"])?;
    let root = tree::root();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), std::path::PathBuf::from);
    run(Command::new("bash").arg(root.join("tests/clients/run")).arg(target.join("debug/kro")))
}

fn run(command: &mut Command) -> Outcome {
    let status = command.current_dir(tree::root()).status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}
