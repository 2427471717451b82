//! What can go wrong outside of the user's definitions.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

#[derive(Debug, Error)]
pub enum CliError {
    #[error("cannot read {}: {cause}", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("{} is not in UTF-8 ({found}): save it as UTF-8", path.display())]
    NotText { path: PathBuf, found: String },
    #[error("cannot write {}: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
    #[error("{} has no .yaml, .yml or .json file", .0.display())]
    NoFiles(PathBuf),
    #[error("{} is no YAML or JSON: {message}", path.display())]
    Malformed { path: PathBuf, message: String },
    #[error("{} must hold a mapping of names to values", .0.display())]
    NoMapping(PathBuf),
    #[error(transparent)]
    Expression(#[from] kro_celwire::WireError),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error(transparent)]
    Listen(#[from] kro_serve::ListenError),
    #[error("cannot watch files: {0}")]
    Notify(#[from] notify::Error),
    #[error(transparent)]
    Controller(#[from] kro_controller::ControllerError),
    #[error("cannot keep a cluster in {}: {cause}", path.display())]
    Data { path: PathBuf, cause: io::Error },
    #[error("the last writes are not kept: {0}")]
    NotKept(String),
    #[error("name a file or a folder, or - for standard input")]
    NothingNamed,
    #[error("--feature-gates: {0}")]
    FeatureGates(String),
    #[error(
        "leader election needs a namespace: there is no service account of a pod, \
         so name it with --leader-election-namespace"
    )]
    NoNamespace,
    #[error("nothing to generate: {0}")]
    NothingToGenerate(String),
    #[error("the earlier definition is wrong: {0}")]
    Earlier(String),
    #[error("there is no diagnostic {0}; codes look like KRO4001")]
    UnknownCode(String),
}

impl CliError {
    /// 1: the input is wrong; 2: the command line asks for nonsense; 3: the world said no.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::NothingToGenerate(_) | Self::Earlier(_) => 1,
            Self::NothingNamed | Self::UnknownCode(_) => 2,
            _ => 3,
        })
    }
}
