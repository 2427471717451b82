//! Load on a real API server: what `kro controller` needs beside a bare client loop that sends only the necessary
//! writes, in one run on one machine. See `benches/README.md`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout)] // an edge: clocks and processes

mod api;
mod bare;
mod fleet;
mod graphs;
mod process;
mod report;
mod requests;
mod scenarios;
mod steps;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use graphs::Graph;
use scenarios::Bench;

/// Anything that ends a run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures `kro controller` on a real API server without a controller manager.
#[derive(Debug, Parser)]
struct Arguments {
    /// Kubeconfig of the cluster
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The kro program, a release build
    #[arg(long)]
    kro: PathBuf,
    /// Process id of the API server, for its CPU time
    #[arg(long)]
    server_pid: Option<u32>,
    /// What to measure [default: everything]
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Seconds at rest
    #[arg(long, default_value_t = 60)]
    rest: u64,
    /// Samples of latencies
    #[arg(long, default_value_t = 50)]
    samples: usize,
    /// Where the log of the controller goes
    #[arg(long, default_value = "kro-load.log")]
    log: PathBuf,
    /// Write the figures as JSON to this file too
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    Definitions,
    Simple100,
    Simple1000,
    Webapp100,
    Webapp1000,
    Chain100,
    Chain1000,
    Fanout,
    Memory,
    Growth,
    GrowthWebapp,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    // Dropping the run ends its controller too.
    tokio::select! {
        result = measure(Arguments::parse()) => result,
        _ = terminated.recv() => Err("stopped".into()),
        _ = tokio::signal::ctrl_c() => Err("stopped".into()),
    }
}

async fn measure(arguments: Arguments) -> Result<(), Failure> {
    let program = process::Program { kro: arguments.kro, kubeconfig: arguments.kubeconfig.clone(), log: arguments.log };
    let mut bench = Bench {
        api: api::Api::connect(&arguments.kubeconfig).await?,
        program,
        server: arguments.server_pid,
        report: report::Report::default(),
        rest_s: arguments.rest,
        samples: arguments.samples,
    };
    println!("| what | seen | wanted | | |\n|---|---|---|---|---|");
    let all = Scenario::value_variants().to_vec();
    let mut broken = Vec::new();
    for scenario in if arguments.scenarios.is_empty() { all } else { arguments.scenarios } {
        // The next one starts a controller of its own: one that breaks ends nothing but itself.
        if let Err(error) = run(&mut bench, scenario).await {
            println!("| {scenario:?} broke | | | BROKEN | {error} |");
            broken.push(format!("{scenario:?}"));
        }
    }
    if let Some(file) = arguments.json {
        std::fs::write(file, bench.report.to_json())?;
    }
    println!("\nnot as wanted: {}", bench.report.missed().collect::<Vec<_>>().join("; "));
    if broken.is_empty() { Ok(()) } else { Err(format!("broke: {}", broken.join(", ")).into()) }
}

async fn run(bench: &mut Bench, scenario: Scenario) -> Result<(), Failure> {
    match scenario {
        Scenario::Definitions => bench.definitions().await,
        Scenario::Simple100 => bench.fleet(Graph::Simple, 100).await,
        Scenario::Simple1000 => bench.fleet(Graph::Simple, 1000).await,
        Scenario::Webapp100 => bench.fleet(Graph::WebApp, 100).await,
        Scenario::Webapp1000 => bench.fleet(Graph::WebApp, 1000).await,
        Scenario::Chain100 => bench.fleet(Graph::Chain10, 100).await,
        Scenario::Chain1000 => bench.fleet(Graph::Chain10, 1000).await,
        Scenario::Fanout => bench.fleet(Graph::Fanout, 50).await,
        Scenario::Memory => bench.memory(Graph::Simple, &[1000]).await,
        Scenario::Growth => bench.memory(Graph::Simple, &[1000, 5000, 10000]).await,
        Scenario::GrowthWebapp => bench.memory(Graph::WebApp, &[1000, 5000, 10000]).await,
    }
}
