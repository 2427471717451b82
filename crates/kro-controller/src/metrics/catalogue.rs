//! The metrics there are: names, labels and buckets are those of the Go implementation.

use std::collections::BTreeMap;

use super::{Labels, Sample};

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// The upper bounds of its buckets.
    Histogram(&'static [f64]),
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Info {
    pub name: &'static str,
    pub kind: Kind,
    /// Names of labels; a metric without any is there from the start.
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

impl Info {
    pub fn bounds(&self) -> Option<&'static [f64]> {
        if let Kind::Histogram(bounds) = self.kind { Some(bounds) } else { None }
    }

    /// Before anything was measured.
    pub fn series_at_start(&self) -> BTreeMap<Labels, Sample> {
        let sample = match self.kind {
            Kind::Histogram(bounds) => Sample::empty_histogram(bounds),
            _ => Sample::Number(0.0),
        };
        if self.labels.is_empty() { BTreeMap::from([(Vec::new(), sample)]) } else { BTreeMap::new() }
    }
}

/// The row of a metric.
pub fn find(name: &str) -> Option<&'static Info> {
    CATALOGUE.iter().find(|info| info.name == name)
}

/// Counters of work, and the histograms of how long it took, which may have fewer labels.
pub const COMPANIONS: &[(&str, &str)] = &[
    ("rgd_graph_build_total", "rgd_graph_build_duration_seconds"),
    ("graph_revision_compile_total", "graph_revision_compile_duration_seconds"),
    ("instance_reconcile_total", "instance_reconcile_duration_seconds"),
    ("dynamic_controller_reconcile_total", "dynamic_controller_reconcile_duration_seconds"),
    ("runtime_creation_total", "runtime_creation_duration_seconds"),
    ("runtime_node_eval_total", "runtime_node_eval_duration_seconds"),
    ("cel_expr_eval_total", "cel_expr_eval_duration_seconds"),
    ("controller_runtime_reconcile_total", "controller_runtime_reconcile_time_seconds"),
    ("workqueue_adds_total", "workqueue_work_duration_seconds"),
];

/// Seconds of work.
const R: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0, 120.0];
/// The defaults of Prometheus.
const D: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const CLIENT_SECONDS: &[f64] =
    &[0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384, 32.768];
const CLIENT_BYTES: &[f64] = &[
    64.0,
    128.0,
    256.0,
    512.0,
    1024.0,
    2048.0,
    4096.0,
    8192.0,
    16384.0,
    32768.0,
    65536.0,
    131_072.0,
    262_144.0,
    524_288.0,
    1_048_576.0,
    2_097_152.0,
];

/// What work of controllers takes.
#[rustfmt::skip] // a list
const RECONCILE_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75, 2.0,
    2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0,
];
const QUEUE_SECONDS: &[f64] = &[1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0];
const QUEUE: &[&str] = &["controller", "name"];

const fn row(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Info {
    Info { name, kind, labels, help }
}

/// All of them.
#[rustfmt::skip] // a table
pub const CATALOGUE: &[Info] = &[
    row("rgd_graph_build_total", Kind::Counter, &["name"], "Compilations of a definition"),
    row("rgd_graph_build_errors_total", Kind::Counter, &["name"], "Compilations of a definition that found errors"),
    row("rgd_graph_build_duration_seconds", Kind::Histogram(R), &["name"], "Duration of the compilation of a definition"),
    row("rgd_state_transitions_total", Kind::Counter, &["name", "from", "to"], "Changes of the state of a definition"),
    row("rgd_deletions_total", Kind::Counter, &["name"], "Deleted definitions"),
    row("rgd_deletion_duration_seconds", Kind::Histogram(R), &["name"], "Time from the request to delete a definition to its end"),
    row("rgd_graph_revision_issue_total", Kind::Counter, &["reason"], "Issued revisions"),
    row("rgd_graph_revision_wait_total", Kind::Counter, &["reason"], "Passes that wait for a revision"),
    row("rgd_graph_revision_resolution_total", Kind::Counter, &["result"], "Outcomes of resolving the revision of a definition"),
    row("rgd_graph_revision_registry_miss_total", Kind::Counter, &["reason"], "Revisions that were not in memory"),
    row("rgd_graph_revision_gc_deleted_total", Kind::Counter, &[], "Revisions that were deleted because there were too many"),
    row("rgd_graph_revision_gc_errors_total", Kind::Counter, &[], "Revisions that could not be deleted"),
    row("graph_revision_compile_total", Kind::Counter, &["result"], "Compilations of revisions"),
    row("graph_revision_compile_duration_seconds", Kind::Histogram(R), &["result"], "Duration of the compilation of a revision"),
    row("graph_revision_status_update_errors_total", Kind::Counter, &[], "Failed writes of the status of a revision"),
    row("graph_revision_activation_deferred_total", Kind::Counter, &[], "Compiled revisions whose status could not be written"),
    row("graph_revision_finalizer_evictions_total", Kind::Counter, &[], "Finalizers taken off revisions"),
    row("graph_revision_registry_entries", Kind::Gauge, &["state"], "Revisions by state"),
    row("graph_revision_registry_transitions_total", Kind::Counter, &["from", "to"], "Changes of the state of a revision"),
    row("graph_revision_registry_evictions_total", Kind::Counter, &[], "Revisions that are gone"),
    row("instance_reconcile_total", Kind::Counter, &["gvr"], "Passes over instances"),
    row("instance_reconcile_errors_total", Kind::Counter, &["gvr"], "Requests for instances that failed"),
    row("instance_reconcile_duration_seconds", Kind::Histogram(R), &["gvr"], "Duration of a pass over an instance"),
    row("instance_state_transitions_total", Kind::Counter, &["gvr", "from_state", "to_state"], "Changes of the state of an instance"),
    row("instance_graph_resolution_success_total", Kind::Counter, &["gvr"], "Instances that found their graph"),
    row("instance_graph_resolution_pending_total", Kind::Counter, &["gvr"], "Instances whose graph is not known yet"),
    row("instance_graph_resolution_failures_total", Kind::Counter, &["gvr", "reason"], "Instances without a graph"),
    row("instance_condition_current_status_seconds", Kind::Gauge, &["gvr", "namespace", "name", "condition_type", "condition_status", "reason"], "How long a condition of an instance has been as it is"),
    row("dynamic_controller_reconcile_total", Kind::Counter, &["gvr"], "Items of work of a kind"),
    row("dynamic_controller_handler_errors_total", Kind::Counter, &["gvr"], "Items of work that failed"),
    row("dynamic_controller_reconcile_panics_total", Kind::Counter, &["gvr"], "Bugs that were caught"),
    row("dynamic_controller_reconcile_duration_seconds", Kind::Histogram(R), &["gvr"], "Duration of an item of work"),
    row("dynamic_controller_requeue_total", Kind::Counter, &["gvr", "type"], "Items that come back"),
    row("dynamic_controller_gvr_count", Kind::Gauge, &[], "Kinds of instances that are watched"),
    row("dynamic_controller_queue_length", Kind::Gauge, &[], "Items that wait"),
    row("dynamic_controller_watch_count", Kind::Gauge, &[], "Watches"),
    row("dynamic_controller_handler_count_total", Kind::Gauge, &["type"], "Kinds of instances that are served"),
    row("dynamic_controller_handler_attach_total", Kind::Counter, &["type"], "Kinds of instances that began to be served"),
    row("dynamic_controller_handler_detach_total", Kind::Counter, &["type"], "Kinds of instances that are no longer served"),
    row("dynamic_controller_informer_sync_duration_seconds", Kind::Histogram(R), &["gvr"], "Time from the start of a watch to its first list"),
    row("dynamic_controller_informer_events_total", Kind::Counter, &["gvr", "event_type"], "Events of instances"),
    row("dynamic_controller_instance_watch_count", Kind::Gauge, &["parent_gvr"], "Instances that are watched"),
    row("dynamic_controller_watch_request_count", Kind::Gauge, &["gvr", "type"], "Users of a watch"),
    row("dynamic_controller_route_total", Kind::Counter, &["gvr"], "Events of children"),
    row("dynamic_controller_route_match_total", Kind::Counter, &["gvr"], "Instances that were woken by events of children"),
    row("runtime_creation_total", Kind::Counter, &[], "Plans made"),
    row("runtime_creation_duration_seconds", Kind::Histogram(D), &[], "Duration of making a plan"),
    row("runtime_node_eval_total", Kind::Counter, &[], "Nodes rendered"),
    row("runtime_node_eval_errors_total", Kind::Counter, &[], "Nodes that could not be rendered"),
    row("runtime_node_eval_duration_seconds", Kind::Histogram(D), &[], "Duration of rendering a node"),
    row("runtime_node_ignored_check_total", Kind::Counter, &[], "Nodes whose includeWhen was looked at"),
    row("runtime_node_ignored_total", Kind::Counter, &[], "Nodes that were left out"),
    row("runtime_node_ready_check_total", Kind::Counter, &[], "Nodes whose readyWhen was looked at"),
    row("runtime_node_not_ready_total", Kind::Counter, &[], "Nodes that were not ready"),
    row("runtime_collection_size", Kind::Histogram(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]), &[], "Objects of a collection"),
    row("cel_expr_eval_total", Kind::Counter, &[], "Expressions of rendered nodes"),
    row("cel_expr_eval_duration_seconds", Kind::Histogram(D), &[], "Duration of an expression"),
    row("schema_resolver_cache_hits_total", Kind::Counter, &[], "Kinds of API servers that were known"),
    row("schema_resolver_cache_misses_total", Kind::Counter, &[], "Kinds of API servers that had to be asked for"),
    row("schema_resolver_cache_evictions_total", Kind::Counter, &[], "Kinds of API servers that were forgotten"),
    row("schema_resolver_singleflight_deduplicated_total", Kind::Counter, &[], "Questions for a kind that was being asked for"),
    row("schema_resolver_errors_total", Kind::Counter, &[], "Questions for a kind that failed"),
    row("schema_resolver_cache_size", Kind::Gauge, &[], "Kinds of API servers that are known"),
    row("schema_resolver_api_call_duration_seconds", Kind::Histogram(&[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12]), &[], "Duration of a question for a kind"),
    row("rest_client_request_duration_seconds", Kind::Histogram(CLIENT_SECONDS), &["verb"], "Duration of a request"),
    row("rest_client_rate_limiter_duration_seconds", Kind::Histogram(CLIENT_SECONDS), &["verb"], "Time a request waited to be sent"),
    row("rest_client_request_size_bytes", Kind::Histogram(CLIENT_BYTES), &["verb"], "Size of a request"),
    row("rest_client_response_size_bytes", Kind::Histogram(CLIENT_BYTES), &["verb"], "Size of an answer"),
    row("rest_client_request_retries_total", Kind::Counter, &["code", "method"], "Requests that were sent again"),
    row("controller_runtime_reconcile_total", Kind::Counter, &["controller", "result"], "Passes over definitions and compilations of revisions"),
    row("controller_runtime_reconcile_errors_total", Kind::Counter, &["controller"], "Passes of which something failed"),
    row("controller_runtime_terminal_reconcile_errors_total", Kind::Counter, &["controller"], "Passes that are not tried again; there are none"),
    row("controller_runtime_reconcile_panics_total", Kind::Counter, &["controller"], "Bugs that were caught outside of instances"),
    row("controller_runtime_reconcile_time_seconds", Kind::Histogram(RECONCILE_SECONDS), &["controller"], "Duration of a pass"),
    row("controller_runtime_max_concurrent_reconciles", Kind::Gauge, &["controller"], "Passes at a time: one, requests go out side by side"),
    row("controller_runtime_active_workers", Kind::Gauge, &["controller"], "Passes under way; none while somebody scrapes"),
    row("workqueue_adds_total", Kind::Counter, QUEUE, "Items that were worked on"),
    row("workqueue_depth", Kind::Gauge, QUEUE, "Items that wait"),
    row("workqueue_queue_duration_seconds", Kind::Histogram(QUEUE_SECONDS), QUEUE, "Time an event waited for the controller"),
    row("workqueue_work_duration_seconds", Kind::Histogram(QUEUE_SECONDS), QUEUE, "Duration of the work on an item"),
    row("workqueue_retries_total", Kind::Counter, QUEUE, "Items that come back after a failure"),
    row("workqueue_unfinished_work_seconds", Kind::Gauge, QUEUE, "Time that items under way have taken so far"),
    row("workqueue_longest_running_processor_seconds", Kind::Gauge, QUEUE, "The longest of them"),
    row("leader_election_master_status", Kind::Gauge, &["name"], "Whether this process leads: 1 or 0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_companions_are_there() {
        let mut names: Vec<&str> = CATALOGUE.iter().map(|info| info.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        for (counter, histogram) in COMPANIONS {
            let (counter, histogram) = (find(counter).unwrap(), find(histogram).unwrap());
            assert_eq!(counter.kind, Kind::Counter);
            assert!(histogram.labels.iter().all(|label| counter.labels.contains(label)));
            assert!(histogram.bounds().is_some());
        }
    }

    /// A row of the table in the documentation.
    fn documented(info: &Info) -> String {
        let kind = match info.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = info.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {kind} | {} | {} |", info.name, labels.join(", "), info.help)
    }

    #[test]
    fn the_documentation_lists_them_all_and_no_other() {
        let text = include_str!("../../../../docs/metrics.md");
        let found: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = CATALOGUE.iter().map(documented).collect();
        assert_eq!(found, expected, "docs/metrics.md should hold\n{}", expected.join("\n"));
    }

    /// What is in the table and never measured would be a promise that is not kept.
    #[test]
    fn all_of_them_are_measured_somewhere() {
        const SOURCES: &str = concat!(
            include_str!("../../../kro-manager/src/metrics.rs"),
            include_str!("../../../kro-manager/src/manager.rs"),
            include_str!("../../../kro-manager/src/outbox.rs"),
            include_str!("../../../kro-manager/src/records.rs"),
            include_str!("../../../kro-manager/src/served.rs"),
            include_str!("../../../kro-manager/src/instances.rs"),
            include_str!("../../../kro-manager/src/instances/report.rs"),
            include_str!("../driver.rs"),
            include_str!("../monitor.rs"),
            include_str!("../leader.rs"),
        );
        // Always zero here, and said to be so in the documentation.
        const NEVER: [&str; 2] =
            ["schema_resolver_singleflight_deduplicated_total", "controller_runtime_terminal_reconcile_errors_total"];
        let is_companion = |name: &str| COMPANIONS.iter().any(|(_, histogram)| *histogram == name);
        let is_measured = |name: &str| SOURCES.contains(&format!("\"{name}\""));
        for info in CATALOGUE {
            let is_known = is_measured(info.name) || is_companion(info.name);
            assert_eq!(is_known, !NEVER.contains(&info.name), "{}", info.name);
        }
    }
}
