use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kro_apiserver::Profile;

#[derive(Debug, Args)]
pub struct ApiserverArguments {
    /// What runs besides the API
    #[arg(long, value_enum, default_value_t = ProfileName::Dev)]
    pub profile: ProfileName,

    /// Loopback port; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,

    /// Where to write the kubeconfig [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub write_kubeconfig: Option<PathBuf>,

    /// Folder that keeps the cluster over restarts [default: memory]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Timelines of further kinds, as YAML
    #[arg(long, value_name = "FILE")]
    pub simulate: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// The API alone, as envtest has it
    Bare,
    /// With garbage collection, namespaces that go, ServiceAccounts
    ControlPlane,
    /// With simulated workloads too
    Dev,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Bare => Self::Bare,
            ProfileName::ControlPlane => Self::ControlPlane,
            ProfileName::Dev => Self::Dev,
        }
    }
}
