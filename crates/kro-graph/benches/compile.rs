//! Time and allocations of compiling definitions of 2 to 1,000 resources. How to read and repeat it: `benches/README.md` at
//! the root.
//!
//! `--once NAME COUNT` compiles one definition `COUNT` times and prints nothing, for instruction counts by callgrind.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::alloc::System;
use std::hint::black_box;

use kro_graph::{BuiltinSchemas, CompileOptions, Source, compile};
use kro_value::from_json;
use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How long one measurement takes, in microseconds.
const TARGET: f64 = 400_000.0;
const ROUNDS: u32 = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [once, name, count] = arguments.as_slice()
        && once == "--once"
    {
        let source = definition(name);
        (0..count.parse::<u32>().unwrap()).for_each(|_| run(&source));
        return;
    }
    println!("definition\tus, best of {ROUNDS}\tus, median\tallocations\tKB allocated");
    for name in [
        "plain-2",
        "web-2",
        "web-20",
        "web-200",
        "plain-10",
        "plain-100",
        "plain-1000",
        "dense-10",
        "dense-100",
        "dense-1000",
    ] {
        let source = definition(name);
        run(&source); // schemas are read and cached
        let region = Region::new(ALLOCATOR);
        run(&source);
        let change = region.change();
        let (best, median) = measure(&source);
        println!("{name}\t{best:.1}\t{median:.1}\t{}\t{:.1}", change.allocations, change.bytes_allocated as f64 / 1e3);
    }
}

fn run(source: &Source) {
    let compiled = compile(black_box(source), &BuiltinSchemas, &CompileOptions::default());
    if compiled.graph.is_none() {
        let found: Vec<String> = compiled.diagnostics.iter().map(ToString::to_string).collect();
        panic!("{found:#?}");
    }
    black_box(compiled);
}

/// Microseconds that this thread was on a processor: what others do meanwhile counts less than on the wall clock.
fn processor_time() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}

/// Microseconds of one compilation: the best round and the median one.
fn measure(source: &Source) -> (f64, f64) {
    let start = processor_time();
    run(source);
    let count = (TARGET / f64::from(ROUNDS) / (processor_time() - start).max(1.0)).clamp(1.0, 10_000.0) as u32;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = processor_time();
            (0..count).for_each(|_| run(source));
            (processor_time() - start) / f64::from(count)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    (rounds[0], rounds[rounds.len() / 2])
}

/// `web-N`: what people write, N kinds in turn. `plain-N`: resources that read nothing but the instance. `dense-N`: each
/// reads ten others.
fn definition(name: &str) -> Source {
    let (shape, count) = name.split_once('-').unwrap();
    let resource: fn(usize) -> String = match shape {
        "web" => web,
        "plain" => |index| config(index, 0),
        _ => |index| config(index, 10),
    };
    let resources: Vec<String> = (0..count.parse().unwrap()).map(resource).collect();
    let text = format!(
        r#"{{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","metadata":{{"name":"bench"}},"spec":{{
        "schema":{{"apiVersion":"v1alpha1","kind":"WebApp","spec":{{"name":"string","image":"string | default=\"nginx\"",
        "replicas":"integer | default=3 minimum=1","zones":"[]string","ingress":{{"enabled":"boolean | default=false","host":"string"}}}},
        "status":{{"available":"${{r0.status.availableReplicas}}"}}}},"resources":[{}]}}}}"#,
        resources.join(",")
    );
    let text =
        if shape == "web" { text } else { text.replace("${r0.status.availableReplicas}", "${r0.metadata.name}") };
    Source::from_value(from_json(&text).unwrap())
}

fn entry(index: usize, more: &str, template: &str) -> String {
    let template = template.replace('%', &index.to_string());
    format!(r#"{{"id":"r{index}",{more}"template":{template}}}"#)
}

fn config(index: usize, reads: usize) -> String {
    let read = |back: usize| {
        let other = index.checked_sub(1 + back * 3)?;
        Some(format!(r#","k{back}":"${{r{other}.metadata.name}}-{back}""#))
    };
    let reads: String = (0..reads).filter_map(read).collect();
    let template = format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"${{schema.metadata.name}}-%"}},
        "data":{{"name":"${{schema.spec.name}}"{reads}}}}}"#
    );
    entry(index, "", &template)
}

fn web(index: usize) -> String {
    let before = index.saturating_sub(2);
    match index % 4 {
        0 => entry(
            index,
            r#""readyWhen":["${r%.status.availableReplicas == r%.spec.replicas}"],"#.replace('%', &index.to_string()).as_str(),
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"${schema.spec.name}-%",
            "labels":{"app":"${schema.spec.name}"}},"spec":{"replicas":"${schema.spec.replicas}",
            "selector":{"matchLabels":{"app":"${schema.spec.name}"}},"template":{"metadata":{"labels":{"app":"${schema.spec.name}"}},
            "spec":{"containers":[{"name":"web","image":"${schema.spec.image}","ports":[{"containerPort":8080}],
            "env":[{"name":"NAME","value":"${schema.spec.name}"}],"resources":{"limits":{"cpu":"500m"}}}]}}}}"#,
        ),
        1 => entry(
            index,
            "",
            &r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"${r@.metadata.name}-svc-%"},
            "spec":{"selector":"${r@.spec.selector.matchLabels}","ports":[{"port":80,"targetPort":8080}]}}"#
                .replace('@', &(index - 1).to_string()),
        ),
        2 => entry(
            index,
            r#""includeWhen":["${schema.spec.ingress.enabled}"],"#,
            &r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${schema.metadata.name}-%"},
            "data":{"host":"${schema.spec.ingress.host}","zones":"${schema.spec.zones.join(',')}","web":"${r@.metadata.name}"}}"#
                .replace('@', &before.to_string()),
        ),
        _ => entry(
            index,
            r#""forEach":[{"zone":"${schema.spec.zones}"}],"#,
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"${schema.metadata.name}-%-${zone}"},
            "stringData":{"zone":"${zone}","size":"${string(schema.spec.replicas)}"}}"#,
        ),
    }
}
