//! How long `kro validate` takes on one file, from the start of the process to its end, with all built-in schemas at hand.
//! How to read and repeat it: `benches/README.md` at the root.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stdout)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 100;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/webapp/rgd.yaml");

fn main() {
    run(); // the program and the file are in the page cache
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort_unstable();
    let shown = |index: usize| times[index].as_secs_f64() * 1e3;
    println!("kro validate of one file, {RUNS} runs\tms, best\tms, median\tms, 95th of 100");
    println!("\t{:.1}\t{:.1}\t{:.1}", shown(0), shown(RUNS / 2), shown(RUNS * 95 / 100));
}

fn run() -> Duration {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_kro")).args(["validate", FILE]).stdout(Stdio::null()).status();
    let time = start.elapsed();
    assert!(status.unwrap().success(), "{FILE} is valid");
    time
}
