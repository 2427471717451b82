//! Any definitions of one text compile together or say why not, without a panic; every place lies in the text; compiling
//! twice agrees. What compiles can be drawn, has a sample, and can be compared with any other: a definition with itself has
//! no change, and what one change breaks has a message.

#![no_main]

use kro_diagnostics::FileId;
use kro_graph::diagram::{to_dot, to_html, to_mermaid, to_svg};
use kro_graph::evolution::{CompareOptions, compare};
use kro_graph::sample::sample_instance;
use kro_graph::{BuiltinSchemas, CompileOptions, Compiled, Graph, InstanceApi, Source, compile_set, condition_message};
use libfuzzer_sys::fuzz_target;

/// How many definitions of one text are looked at: what is tried is what they do to each other.
const DEFINITIONS_MAX: usize = 6;

fuzz_target!(|text: &str| {
    let documents = kro_yaml::parse(text, FileId(0)).documents;
    let sources: Vec<Source> = documents.into_iter().take(DEFINITIONS_MAX).map(Source::from_document).collect();
    let options = CompileOptions { omit_function: true, ..CompileOptions::default() };
    let set = compile_set(&sources, &BuiltinSchemas, &options);
    sources.iter().zip(&set).for_each(|(source, compiled)| check(source, compiled, text));
    for (first, again) in set.iter().zip(compile_set(&sources, &BuiltinSchemas, &options)) {
        assert_eq!(first.diagnostics, again.diagnostics);
    }
    let api = |compiled: &'_ Compiled| compiled.graph.as_ref()?.instance.clone();
    let apis: Vec<(&Source, InstanceApi)> =
        sources.iter().zip(&set).filter_map(|(source, compiled)| Some((source, api(compiled)?))).collect();
    for (_, old) in &apis {
        for (source, new) in &apis {
            change(old, new, source);
        }
    }
});

fn check(source: &Source, compiled: &Compiled, text: &str) {
    assert_eq!(compiled.graph.is_none(), compiled.diagnostics.has_errors());
    for span in compiled.diagnostics.iter().filter_map(|diagnostic| diagnostic.span) {
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
    match &compiled.graph {
        Some(graph) => show(graph),
        None => assert!(!condition_message(&compiled.diagnostics, &source.value).is_empty()),
    }
}

fn show(graph: &Graph) {
    for draw in [to_dot, to_html, to_mermaid, to_svg] {
        assert!(!draw(graph).is_empty());
    }
    if let Some(api) = &graph.instance {
        assert_eq!(sample_instance(api).str_at(&["kind"]), Some(&*api.kind));
    }
}

fn change(old: &InstanceApi, new: &InstanceApi, source: &Source) {
    let Ok(evolution) = compare(&old.crd, &new.crd, CompareOptions::default()) else { return };
    if old.crd == new.crd {
        assert!(evolution.is_empty(), "{:?}", evolution.changes);
    }
    assert_eq!(evolution.diagnostics(source).has_errors(), evolution.is_breaking());
    assert!(!evolution.summary().is_empty());
}
