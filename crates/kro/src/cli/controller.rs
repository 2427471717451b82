//! The flags of the controller: those of the Go implementation, and a few more.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use kro_controller::BindAddress;

use super::go::{boolean, duration};

#[derive(Debug, Args)]
pub struct ControllerArguments {
    /// Kubeconfig of the cluster [default: KUBECONFIG, the service account of the pod, or the one at home]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Install and update kro's own CustomResourceDefinitions first
    #[arg(long)]
    pub install_crds: bool,

    /// Where /metrics is served, as host:port or :port; 0 for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = ":8078")]
    pub metrics_bind_address: BindAddress,

    /// Where /healthz and /readyz are served, as host:port or :port; 0 for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = ":8079")]
    pub health_probe_bind_address: BindAddress,

    /// Work only while this process holds the Lease controller.kro.run
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = boolean, action = ArgAction::Set)]
    pub leader_elect: bool,

    /// Namespace of the Lease [default: that of the pod]
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub leader_election_namespace: String,

    /// How long others wait after the last renewal before they take over
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub leader_election_lease_duration: Duration,

    /// A leader that could not renew for so long stops to lead
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub leader_election_renew_deadline: Duration,

    /// Time between two tries to get or keep the Lease
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub leader_election_retry_period: Duration,

    /// Delete the CustomResourceDefinition of a graph, and with it all instances, together with the graph
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = boolean, action = ArgAction::Set)]
    pub allow_crd_deletion: bool,

    /// How long requests under way are waited for at the end
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub graceful_shutdown_timeout: Duration,

    /// First delay before something that failed is tried again
    #[arg(long, value_name = "DURATION", default_value = "200ms", value_parser = duration)]
    pub dynamic_controller_rate_limiter_min_delay: Duration,

    /// Longest delay before something that failed is tried again
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub dynamic_controller_rate_limiter_max_delay: Duration,

    /// How many revisions of a graph are kept; 0 keeps all
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true)]
    pub rgd_max_graph_revisions: i64,

    /// Largest number of objects of one forEach
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub rgd_max_collection_size: usize,

    /// Largest number of dimensions of one forEach
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub rgd_max_collection_dimension_size: usize,

    /// Switches of features, as `CELOmitFunction=true,...`
    #[arg(long, value_name = "NAME=BOOL,...", default_value = "", hide_default_value = true)]
    pub feature_gates: String,

    /// Form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text, alias = "zap-encoder")]
    pub log: LogFormat,

    /// What is logged: debug, info, warn or error
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = log_level, alias = "zap-log-level")]
    pub log_level: LogLevel,

    #[command(flatten)]
    pub legacy: LegacyArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    #[value(alias = "console")]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// Also the levels of zap: numbers from 1 on are ever finer, `panic` and the like ever coarser.
fn log_level(text: &str) -> Result<LogLevel, String> {
    match text {
        "debug" => Ok(LogLevel::Debug),
        "info" | "0" => Ok(LogLevel::Info),
        "warn" => Ok(LogLevel::Warn),
        "error" | "panic" | "dpanic" | "fatal" => Ok(LogLevel::Error),
        number if number.parse::<u8>().is_ok() => Ok(LogLevel::Debug),
        other => Err(format!("{other:?} is none of debug, info, warn, error")),
    }
}

/// Declares flags that are taken so that command lines of the Go implementation work, and change nothing.
macro_rules! legacy {
    ($($field:ident $flag:literal)*) => {
        #[derive(Debug, Default, Args)]
        pub struct LegacyArguments {
            $(#[arg(long = $flag, hide = true, num_args = 0..=1, allow_hyphen_values = false)]
            $field: Option<Option<String>>,)*
        }

        impl LegacyArguments {
            /// Those that were given.
            pub fn given(&self) -> Vec<&'static str> {
                [$(($flag, self.$field.is_some())),*].into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
            }
        }
    };
}

legacy! {
    // Everything is one loop with no workers, no polls and no resyncs.
    resource_graph_definition_concurrent_reconciles "resource-graph-definition-concurrent-reconciles"
    graph_revision_concurrent_reconciles "graph-revision-concurrent-reconciles"
    dynamic_controller_concurrent_reconciles "dynamic-controller-concurrent-reconciles"
    dynamic_controller_default_resync_period "dynamic-controller-default-resync-period"
    instance_requeue_interval "instance-requeue-interval"
    rgd_progress_requeue_delay "rgd-progress-requeue-delay"
    // Nothing is dropped, and requests in flight are bounded instead of requests per second.
    dynamic_controller_default_queue_max_retries "dynamic-controller-default-queue-max-retries"
    dynamic_controller_rate_limiter_rate_limit "dynamic-controller-rate-limiter-rate-limit"
    dynamic_controller_rate_limiter_burst_limit "dynamic-controller-rate-limiter-burst-limit"
    client_qps "client-qps"
    client_burst "client-burst"
    // The watches of a new leader are there in milliseconds.
    enable_controller_warmup "enable-controller-warmup"
    pprof_bind_address "pprof-bind-address"
    zap_devel "zap-devel"
    zap_stacktrace_level "zap-stacktrace-level"
    zap_time_encoding "zap-time-encoding"
}
