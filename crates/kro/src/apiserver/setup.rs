//! An embedded cluster as the command line asks for it.

use std::path::{Path, PathBuf};

use kro_apiserver::controllers::{Options, Timeline};
use kro_apiserver::{ApiServer, Authorization, Config, Profile, Timestamp};
use kro_diagnostics::FileId;
use kro_serve::{Clock, Database, Identity, Server};

use crate::error::CliError;

/// What is asked for.
pub struct Setup<'a> {
    pub profile: Profile,
    /// Where the cluster is kept; in memory without.
    pub data: Option<&'a Path>,
    /// Files with timelines.
    pub simulate: &'a [PathBuf],
}

impl Setup<'_> {
    /// The server, and by what its listener shall be known.
    pub fn server(&self) -> Result<(Server, Identity), CliError> {
        let now = Clock::System.now();
        let identity = self.data.map_or_else(Identity::generate, Identity::open)?;
        let config = Config {
            profile: self.profile,
            authorization: Authorization::Rbac,
            seed: crate::seed(),
            resource_version: first_resource_version(now),
            ..Config::default()
        };
        let mut options = Options::of(self.profile);
        options.root_certificate = identity.authority_pem().into();
        for path in self.simulate {
            options.timelines.extend(read_timelines(path)?);
        }
        let Some(folder) = self.data else {
            let api = ApiServer::with_controllers(config, &options, now);
            return Ok((Server::new(api, Clock::System), identity));
        };
        let opened = Database::open(folder);
        let (database, records) = opened.map_err(|cause| CliError::Data { path: folder.to_owned(), cause })?;
        let api = ApiServer::restore_with_controllers(config, &options, &records, now);
        Ok((Server::with_journal(api, Clock::System, database), identity))
    }
}

/// Above anything that an earlier server in memory handed out, so that a client of that one notices.
fn first_resource_version(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}

fn read_timelines(path: &Path) -> Result<Vec<Timeline>, CliError> {
    let malformed = |message: String| CliError::Malformed { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|cause| CliError::Read { path: path.to_owned(), cause })?;
    let parsed = kro_yaml::parse(&text, FileId(0));
    if let Some(error) = parsed.diagnostics.iter().find(|found| found.severity == kro_diagnostics::Severity::Error) {
        return Err(malformed(error.message.clone()));
    }
    let mut timelines = Vec::new();
    for document in parsed.values() {
        timelines.extend(Timeline::parse(&document).map_err(malformed)?);
    }
    Ok(timelines)
}
