//! Checks of the tree. `cargo xtask ci` is what CI runs.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // an edge: it runs programs and reads the tree

mod builtin_schemas;
mod ci;
mod go_types;
mod layers;
mod tree;

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <command>

  ci        all checks, in the order below
  fmt       formatting
  clippy    lints, warnings denied
  test      the tests, as README runs them
  wasm      everything below the I/O line builds for wasm32-unknown-unknown
  examples  `kro dev --once` on every example
  layers    crates depend downwards only
  tree      file lengths, unfinished marks, paths of a machine
  generate-builtin-schemas VERSION KUBERNETES [MODULE...]
            the data of kro-schema from unpacked Go modules; see its data/README.md
";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "ci" => ci::run_all(),
        "layers" => layers::check(),
        "tree" => tree::check(),
        "generate-builtin-schemas" => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
            let arguments: Vec<String> = std::env::args().skip(2).collect();
            builtin_schemas::generate(&arguments, &root.join("crates/kro-schema/data"))
                .map_err(|error| error.to_string())
        }
        step => ci::run_step(step).unwrap_or_else(|| Err(format!("unknown command {step:?}\n\n{HELP}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
