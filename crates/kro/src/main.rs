//! The kro program: reads arguments and files, starts what is asked for, prints what comes out.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)] // the outermost edge

mod apiserver;
mod cel;
mod check;
mod cli;
mod cluster_kinds;
mod compatibility;
mod controller;
mod dev;
mod error;
mod feature_gates;
mod fmt;
mod generate;
mod input;
mod logging;
mod manual;
mod replace;
mod schema_cache;
mod signal;
mod terminal;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, spell_flags};
use crate::error::CliError;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(outcome) = apiserver::stand_in(&arguments) {
        return outcome.unwrap_or_else(|error| fail(&error));
    }
    match run(Cli::parse_from(spell_flags(std::env::args_os()))) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> ExitCode {
    anstream::eprintln!("{}error:{} {error}", terminal::ERROR, terminal::RESET);
    error.exit_code()
}

/// Exit codes: 0 all is well, 1 the input or the outcome is not, 2 the command line is not understood (also by clap),
/// 3 a file or the network said no.
fn run(cli: Cli) -> Result<ExitCode, CliError> {
    match cli.command {
        Command::Dev(arguments) => start(dev::run(arguments)),
        Command::Apiserver(arguments) => start(apiserver::run(arguments)),
        Command::Controller(arguments) => {
            logging::start(arguments.log, arguments.log_level);
            // As the Go implementation ends when it cannot start.
            Ok(start_single(controller::run(*arguments)).unwrap_or_else(|error| {
                fail(&error);
                ExitCode::FAILURE
            }))
        }
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Cel(arguments) => cel::run(&arguments),
        Command::Generate(command) => generate::run(&command),
        Command::Fmt(arguments) => fmt::run(&arguments),
        Command::Explain { code } => manual::explain(&code),
        Command::Completion { shell } => manual::complete(shell),
        Command::Man { dir } => manual::print_man(dir.as_deref()),
    }
}

/// Runs a command that talks to a cluster.
fn start(command: impl Future<Output = Result<ExitCode, CliError>>) -> Result<ExitCode, CliError> {
    // Two threads: one that answers requests while the other one computes. More cost memory and help nobody.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(command)
}

/// On one thread: the API server is what a controller waits for, so a second thread only adds wake-ups and memory.
fn start_single(command: impl Future<Output = Result<ExitCode, CliError>>) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(command)
}

/// The version that goes onto labels.
fn version() -> kro_value::Str {
    kro_value::format_smolstr!("v{}", env!("CARGO_PKG_VERSION"))
}

/// A number that differs from process to process: it spreads retries and makes uids.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
