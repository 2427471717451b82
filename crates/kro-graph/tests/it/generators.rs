//! Diagrams and samples.

use kro_graph::diagram::{to_dot, to_html, to_mermaid, to_svg};
use kro_graph::sample::sample_instance;
use kro_yaml::to_yaml;

use crate::summary::compile_text;

#[test]
fn diagrams_and_samples() {
    let text = include_str!("../fixtures/collections.yaml");
    let (_, compiled) = compile_text("collections.yaml", text);
    let graph = compiled[0].graph.as_ref().unwrap();
    let sample = to_yaml(&sample_instance(graph.instance.as_ref().unwrap()));
    let html = to_html(graph);
    assert!(html.contains(&to_svg(graph)), "the page shows the same picture");
    let shown = [to_mermaid(graph), to_dot(graph), sample, html].join("\n");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| insta::assert_snapshot!("generators", shown));
}
