use kro_value::Str;

/// Which parts of a cluster run besides the API itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The API server alone, like envtest: no garbage collection, namespaces stay Terminating.
    Bare,
    /// With garbage collection, namespace deletion, default ServiceAccounts.
    ControlPlane,
    /// With simulated workloads too.
    Dev,
}

/// How requests are authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    /// Everyone may do everything.
    AllowAll,
    /// By the RBAC objects in the store; `system:masters` may do everything.
    Rbac,
}

/// What the host decides about a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which controllers run.
    pub profile: Profile,
    /// Seed of uids, generated names and the like: equal seeds and requests give equal answers.
    pub seed: u64,
    /// The resource version of the first write is one more. A host with real clients seeds it from its clock, so that
    /// it never goes backwards during the life of a client.
    pub resource_version: u64,
    /// Who may do what.
    pub authorization: Authorization,
    /// Events kept per resource for watches that start in the past.
    pub history_events_max: usize,
    /// Signs tokens of ServiceAccounts. A host that listens on a network gives a random one.
    pub token_key: Vec<u8>,
    /// `gitVersion` of `/version`: must parse as a version.
    pub git_version: Str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            profile: Profile::ControlPlane,
            seed: 0,
            resource_version: 0,
            authorization: Authorization::AllowAll,
            history_events_max: 10_000,
            token_key: b"for tests".to_vec(),
            git_version: Str::new("v1.36.3+kro"),
        }
    }
}
