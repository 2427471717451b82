//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Kube Resource Orchestrator: graphs of Kubernetes resources behind APIs of your own.
#[derive(Debug, Parser)]
#[command(name = "kro", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run graphs on this machine: an embedded Kubernetes API and the controller, no cluster needed
    Dev(DevArguments),
    /// Run the controller on a cluster
    Controller(ControllerArguments),
    /// Compile definitions and say all that is wrong with them; needs no cluster
    Validate(ValidateArguments),
    /// Explain the code of a diagnostic, such as KRO4001
    Explain {
        /// The code
        code: String,
    },
}

#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// Files and folders; `-` reads standard input
    pub paths: Vec<PathBuf>,

    /// More files and folders
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,

    /// Form of the report
    #[arg(short, long, value_enum, default_value_t = ReportFormat::Text)]
    pub output: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
    Sarif,
    Github,
    Junit,
}

#[derive(Debug, Args)]
pub struct DevArguments {
    /// Files and folders with definitions, instances and any other objects; `-` reads standard input
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,

    /// End when all is ready (exit code 0) or cannot become so (1), instead of running on
    #[arg(long)]
    pub once: bool,

    /// With --once: how long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub timeout: Duration,

    /// Where to write the kubeconfig for kubectl [default: a private file among the temporary ones]
    #[arg(long, value_name = "FILE")]
    pub write_kubeconfig: Option<PathBuf>,

    /// Loopback port of the API; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,

    /// Plain lines instead of the live view, also on a terminal
    #[arg(long)]
    pub plain: bool,
}

#[derive(Debug, Args)]
pub struct ControllerArguments {
    /// Kubeconfig of the cluster [default: KUBECONFIG, the service account of the pod, or the one at home]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Install and update kro's own CustomResourceDefinitions first
    #[arg(long)]
    pub install_crds: bool,

    /// Delete the CustomResourceDefinition of a graph, and with it all instances, together with the graph
    #[arg(long)]
    pub allow_crd_deletion: bool,

    /// How many revisions of a graph are kept; 0 keeps all
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rgd_max_graph_revisions: usize,

    /// Largest number of objects of one forEach
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub rgd_max_collection_size: usize,

    /// Form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn timeouts_are_seconds() {
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(seconds("0.5s"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err());
        assert!(seconds("soon").is_err());
    }
}
