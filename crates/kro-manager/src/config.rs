use kro_value::Str;

/// What a manager is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The version of this build, as in `kro.run/kro-version`; `devel` for development builds.
    pub version: Str,
    /// Seed of the generator that spreads retries. Drivers draw it from the system, tests fix it.
    pub seed: u64,
    /// Largest number of items of one collection.
    pub collection_size_max: usize,
    /// How many GraphRevisions of a definition are kept; 0 keeps all.
    pub graph_revisions_max: usize,
    /// Delete the generated CRD (and with it all instances) together with its definition.
    pub allow_crd_deletion: bool,
    /// First delay before a failed item is tried again.
    pub backoff_min_ms: i64,
    /// Longest delay before a failed item is tried again.
    pub backoff_max_ms: i64,
    /// How many requests may be in flight at once.
    pub requests_in_flight_max: usize,
    /// Feature gate `InstanceConditionEvents`: record an Event for every condition of an instance that changes.
    pub instance_condition_events: bool,
    /// Feature gate `InstanceConditionMetrics`: gauges tell how long every condition of every instance is as it is.
    pub instance_condition_metrics: bool,
    /// How many dimensions a `forEach` may have.
    pub collection_dimensions_max: usize,
    /// Feature gate `CELOmitFunction`: templates may use `omit()`.
    pub omit_function: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: Str::new_static("devel"),
            seed: 0,
            collection_size_max: 1000,
            graph_revisions_max: 5,
            allow_crd_deletion: false,
            backoff_min_ms: 200,
            backoff_max_ms: 30_000,
            requests_in_flight_max: 32,
            instance_condition_events: false,
            instance_condition_metrics: false,
            collection_dimensions_max: 10,
            omit_function: false,
        }
    }
}
