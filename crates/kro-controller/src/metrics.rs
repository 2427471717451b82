//! The numbers of the process, and their text for Prometheus.
//!
//! Metrics come by name from the manager, and the names are a contract (some gauges end in `_total`), so this writes the
//! classic text format 0.0.4 itself.

mod catalogue;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kro_manager::{Effect, Metric, MetricChange};
use kro_value::Str;

use self::catalogue::{CATALOGUE, COMPANIONS, Kind};

type Labels = Vec<(&'static str, Str)>;

/// All series of a process. Cheap to clone; clones share their numbers.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    families: Arc<Mutex<Families>>,
}

type Families = BTreeMap<&'static str, BTreeMap<Labels, Sample>>;

#[derive(Debug, Clone)]
enum Sample {
    Number(f64),
    Histogram {
        /// Observations in each bucket alone.
        buckets: Vec<u64>,
        sum: f64,
    },
}

impl Metrics {
    /// Takes one measurement in. One without an entry in the catalogue is a counter or a gauge.
    pub(crate) fn record(&self, metric: &Metric) {
        record(&mut self.lock(), metric);
    }

    pub(crate) fn count(&self, name: &'static str, labels: Labels) {
        self.record(&Metric { name, labels, change: MetricChange::Add(1.0) });
    }

    pub(crate) fn observe(&self, name: &'static str, labels: Labels, value: f64) {
        self.record(&Metric { name, labels, change: MetricChange::Observe(value) });
    }

    /// What the effects of one step of the manager measure. The manager has no clock: how long its work took is what the
    /// step took, shared among the items it worked on.
    pub(crate) fn record_step(&self, effects: &[Effect], took: Duration) {
        let counted = || {
            effects.iter().filter_map(|effect| if let Effect::Metric(metric) = effect { Some(metric) } else { None })
        };
        let mut families = self.lock();
        counted().for_each(|metric| record(&mut families, metric));
        for (counter, histogram) in COMPANIONS {
            let items: Vec<&Metric> = counted().filter(|metric| metric.name == *counter).collect();
            let total: f64 = items.iter().map(|item| amount(item)).sum();
            for item in items {
                let change = MetricChange::Observe(took.as_secs_f64() / total.max(1.0));
                let wanted = catalogue::find(histogram).map(|info| info.labels).unwrap_or_default();
                let labels = item.labels.iter().filter(|(name, _)| wanted.contains(name)).cloned().collect();
                record(&mut families, &Metric { name: histogram, labels, change });
            }
        }
    }

    /// The text of all series, and of these gauges besides.
    pub fn render(&self, gauges: &[Metric]) -> String {
        let mut families = self.lock().clone();
        gauges.iter().for_each(|gauge| record(&mut families, gauge));
        let mut out = String::new();
        for info in CATALOGUE {
            let kind = match info.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
            };
            let series = families.remove(info.name).unwrap_or_else(|| info.series_at_start());
            if series.is_empty() {
                continue;
            }
            let _ = writeln!(out, "# HELP {} {}\n# TYPE {} {kind}", info.name, info.help, info.name);
            series.iter().for_each(|(labels, sample)| write_sample(&mut out, info.name, labels, sample));
        }
        out
    }

    fn lock(&self) -> MutexGuard<'_, Families> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn amount(metric: &Metric) -> f64 {
    if let MetricChange::Add(amount) = metric.change { amount } else { 1.0 }
}

fn record(families: &mut Families, metric: &Metric) {
    debug_assert!(is_catalogued(metric), "not in the catalogue: {metric:?}");
    let family = families.entry(metric.name).or_default();
    let bounds = catalogue::find(metric.name).and_then(|info| info.bounds()).unwrap_or_default();
    let sample = || match metric.change {
        MetricChange::Observe(_) => Sample::empty_histogram(bounds),
        _ => Sample::Number(0.0),
    };
    match metric.change {
        MetricChange::Remove => {
            family.remove(&metric.labels);
        }
        MetricChange::Add(more) => {
            if let Sample::Number(number) = family.entry(metric.labels.clone()).or_insert_with(sample) {
                *number += more;
            }
        }
        MetricChange::Set(value) => {
            family.insert(metric.labels.clone(), Sample::Number(value));
        }
        MetricChange::Observe(value) => {
            let entry = family.entry(metric.labels.clone()).or_insert_with(sample);
            if let Sample::Histogram { buckets, sum } = entry {
                let bucket = bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len());
                buckets[bucket] += 1;
                *sum += value;
            }
        }
    }
}

fn is_catalogued(metric: &Metric) -> bool {
    let names = metric.labels.iter().map(|(name, _)| *name);
    catalogue::find(metric.name).is_some_and(|info| names.eq(info.labels.iter().copied()))
}

impl Sample {
    fn empty_histogram(bounds: &[f64]) -> Self {
        Self::Histogram { buckets: vec![0; bounds.len() + 1], sum: 0.0 }
    }
}

fn write_sample(out: &mut String, name: &'static str, labels: &Labels, sample: &Sample) {
    let text = labels_text(labels);
    match sample {
        Sample::Number(number) => {
            let _ = writeln!(out, "{name}{} {number}", braced(&text, ""));
        }
        Sample::Histogram { buckets, sum } => {
            let bounds = catalogue::find(name).and_then(|info| info.bounds()).unwrap_or_default();
            let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
            let mut count = 0;
            for (bound, in_bucket) in bounds.zip(buckets) {
                count += in_bucket;
                let _ = writeln!(out, "{name}_bucket{} {count}", braced(&text, &format!("le=\"{bound}\"")));
            }
            let braces = braced(&text, "");
            let _ = writeln!(out, "{name}_sum{braces} {sum}\n{name}_count{braces} {count}");
        }
    }
}

fn labels_text(labels: &Labels) -> String {
    let text = |(name, value): &(&str, Str)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    labels.iter().map(text).collect::<Vec<_>>().join(",")
}

fn braced(labels: &str, more: &str) -> String {
    match (labels.is_empty(), more.is_empty()) {
        (true, true) => String::new(),
        (false, false) => format!("{{{labels},{more}}}"),
        _ => format!("{{{labels}{more}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &'static str, labels: Labels, change: MetricChange) -> Metric {
        Metric { name, labels, change }
    }

    fn series<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        text.lines().filter(|line| line.starts_with(name)).collect()
    }

    #[test]
    fn counters_gauges_and_histograms_are_written() {
        let metrics = Metrics::default();
        let gvr = || vec![("gvr", Str::new("/v1, Resource=\"x\""))];
        metrics.record(&metric("instance_reconcile_total", gvr(), MetricChange::Add(1.0)));
        metrics.record(&metric("instance_reconcile_total", gvr(), MetricChange::Add(2.0)));
        metrics.observe("instance_reconcile_duration_seconds", gvr(), 0.2);
        metrics.observe("instance_reconcile_duration_seconds", gvr(), 1000.0);
        let text = metrics.render(&[metric("dynamic_controller_gvr_count", Vec::new(), MetricChange::Set(3.0))]);
        assert_eq!(
            series(&text, "instance_reconcile_total"),
            ["instance_reconcile_total{gvr=\"/v1, Resource=\\\"x\\\"\"} 3"]
        );
        assert_eq!(series(&text, "dynamic_controller_gvr_count"), ["dynamic_controller_gvr_count 3"]);
        assert!(text.contains("# TYPE instance_reconcile_duration_seconds histogram\n"));
        for line in [
            "instance_reconcile_duration_seconds_bucket{gvr=\"/v1, Resource=\\\"x\\\"\",le=\"0.1\"} 0",
            "instance_reconcile_duration_seconds_bucket{gvr=\"/v1, Resource=\\\"x\\\"\",le=\"0.25\"} 1",
            "instance_reconcile_duration_seconds_bucket{gvr=\"/v1, Resource=\\\"x\\\"\",le=\"+Inf\"} 2",
            "instance_reconcile_duration_seconds_sum{gvr=\"/v1, Resource=\\\"x\\\"\"} 1000.2",
            "instance_reconcile_duration_seconds_count{gvr=\"/v1, Resource=\\\"x\\\"\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        metrics.record(&metric("instance_reconcile_total", gvr(), MetricChange::Remove));
        assert!(series(&metrics.render(&[]), "instance_reconcile_total").is_empty());
    }

    #[test]
    fn series_without_labels_are_there_from_the_start() {
        let text = Metrics::default().render(&[]);
        assert!(text.contains("\nruntime_node_eval_total 0\n"), "{text}");
        assert!(text.contains("\nruntime_collection_size_count 0\n"), "{text}");
    }

    #[test]
    fn a_step_shares_its_time() {
        let metrics = Metrics::default();
        let effects = [Effect::Metric(metric("runtime_node_eval_total", Vec::new(), MetricChange::Add(4.0)))];
        metrics.record_step(&effects, Duration::from_secs(2));
        assert!(metrics.render(&[]).contains("\nruntime_node_eval_duration_seconds_sum 0.5\n"));
    }
}
