//! The command line.

mod controller;
mod go;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::feature_gates::FeatureGates;

pub use self::controller::{ControllerArguments, LogFormat, LogLevel};
pub use self::go::spell_flags;

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
    /// Serve the embedded Kubernetes API alone; called as kube-apiserver or etcd, stand in for them
    Apiserver(crate::apiserver::ApiserverArguments),
    /// Run the controller on a cluster
    Controller(Box<ControllerArguments>),
    /// Compile definitions and say all that is wrong with them; needs no cluster
    Validate(ValidateArguments),
    /// Print what definitions stand for: their CustomResourceDefinition, a sample instance, a diagram
    #[command(subcommand)]
    Generate(GenerateCommand),
    /// Bring YAML files into one layout; comments, order and values stay
    Fmt(FmtArguments),
    /// Evaluate expressions: one, a dialogue, or questions as JSON Lines
    Cel(CelArguments),
    /// Explain the code of a diagnostic, such as KRO4001
    Explain {
        /// The code
        code: String,
    },
    /// Print the completions of a shell
    Completion {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write the pages of all commands into this folder instead
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct CelArguments {
    /// The expression; without one, expressions are read from standard input, one a line
    #[arg(short = 'e', long, value_name = "EXPR", allow_hyphen_values = true, conflicts_with = "jsonl")]
    pub expression: Option<String>,

    /// What the expression may use, as YAML or JSON: `profile`, `container`, `vars` (name: type), `funcs`
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub env: Option<PathBuf>,

    /// Values of variables, as YAML or JSON; those that the environment does not declare are dyn
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub bindings: Option<PathBuf>,

    /// Answer the questions of standard input, one JSON object a line
    #[arg(long)]
    pub jsonl: bool,

    /// Named environments for --jsonl, as JSON
    #[arg(long, value_name = "FILE", requires = "jsonl")]
    pub envs: Option<PathBuf>,

    /// Named OpenAPI schemas for --jsonl, as JSON
    #[arg(long, value_name = "FILE", requires = "jsonl")]
    pub schemas: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SourceArguments {
    /// Files and folders (their .yaml, .yml and .json files); `-` reads standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// More files and folders
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,

    /// Folders with everything below them
    #[arg(short = 'R', long)]
    pub recursive: bool,
}

#[derive(Debug, Args)]
pub struct CompileArguments {
    /// Files and folders with CustomResourceDefinitions whose kinds the definitions use
    #[arg(long, value_name = "PATH")]
    pub crds: Vec<PathBuf>,

    /// Switches of features, as `CELOmitFunction=true,...`
    #[arg(long, value_name = "NAME=BOOL,...", default_value_t, hide_default_value = true)]
    pub feature_gates: FeatureGates,

    /// Ask a cluster for the kinds that it serves; reads only
    #[arg(long)]
    pub cluster: bool,

    /// Kubeconfig of that cluster [default: KUBECONFIG, the service account of the pod, or the one at home]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Accepted for the Go implementation's sake
    #[arg(long, hide = true)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub struct ValidateArguments {
    #[command(flatten)]
    pub sources: SourceArguments,

    #[command(flatten)]
    pub compile: CompileArguments,

    /// Say which changes since this earlier file (or folder) would break instances
    #[arg(long, value_name = "PATH")]
    pub against: Option<PathBuf>,

    /// Form of the report
    #[arg(short, long, value_enum, default_value_t = ReportFormat::Text)]
    pub output: ReportFormat,
}

#[derive(Debug, Subcommand)]
pub enum GenerateCommand {
    /// The CustomResourceDefinition that a definition serves
    Crd(GenerateArguments<ObjectFormat>),
    /// An instance that is valid by the definition's schema
    Instance(GenerateArguments<ObjectFormat>),
    /// A picture of the resources and what they read from each other
    Diagram(GenerateArguments<DiagramFormat>),
}

#[derive(Debug, Args)]
pub struct GenerateArguments<F: ValueEnum + Clone + Send + Sync + 'static> {
    #[command(flatten)]
    pub sources: SourceArguments,

    #[command(flatten)]
    pub compile: CompileArguments,

    /// Only the definition of this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Form of the output [default: the first]
    // No default of clap's: its generated code keeps the default of the first type for all types.
    #[arg(short = 'o', long, value_enum)]
    pub format: Option<F>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ObjectFormat {
    #[default]
    Yaml,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DiagramFormat {
    /// A page that loads nothing from elsewhere
    #[default]
    Html,
    Svg,
    /// For Markdown
    Mermaid,
    /// For Graphviz
    Dot,
}

#[derive(Debug, Args)]
pub struct FmtArguments {
    #[command(flatten)]
    pub sources: SourceArguments,

    /// Write nothing; name the files that would change, and end with 1 if there are any
    #[arg(long)]
    pub check: bool,

    /// Write nothing; show what would change, and end with 1 if anything does
    #[arg(long)]
    pub diff: bool,
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

    /// Folder that keeps the cluster over restarts [default: memory]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Timelines of further kinds, as YAML: what becomes of their objects
    #[arg(long, value_name = "FILE")]
    pub simulate: Vec<PathBuf>,

    /// Plain lines instead of the live view, also on a terminal
    #[arg(long)]
    pub plain: bool,
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

    /// Every command and flag that help shows is on the page about the command line.
    #[test]
    fn the_manual_is_complete() {
        use clap::CommandFactory;
        let manual = include_str!("../../../../docs/cli.md");
        let mut command = Cli::command();
        command.build();
        let mut missing = Vec::new();
        list_undocumented(&command, manual, &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    fn list_undocumented(command: &clap::Command, manual: &str, missing: &mut Vec<String>) {
        for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
            let name = subcommand.get_bin_name().unwrap_or_default().to_owned();
            let section = manual.split("\n## ").find(|section| {
                section.split('\n').next().is_some_and(|heading| heading.contains(&format!("`{name}`")))
            });
            match section {
                None if subcommand.get_subcommands().count() == 0 => missing.push(name.clone()),
                None => {}
                Some(section) => {
                    let shown = subcommand.get_arguments().filter(|argument| !argument.is_hide_set());
                    let flags = shown.filter_map(|argument| argument.get_long()).filter(|flag| *flag != "help");
                    let unknown = flags.filter(|flag| !section.contains(&format!("`--{flag}")) && *flag != "version");
                    missing.extend(unknown.map(|flag| format!("{name} --{flag}")));
                }
            }
            list_undocumented(subcommand, manual, missing);
        }
    }

    #[test]
    fn timeouts_are_seconds() {
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(seconds("0.5s"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err());
        assert!(seconds("soon").is_err());
    }
}
