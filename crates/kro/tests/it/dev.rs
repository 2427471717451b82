//! `kro dev`

use crate::kro;

#[test]
fn malformed_yaml_is_shown() {
    let output = kro(&["dev", "--once", "-f", "crates/kro/tests/fixtures/malformed.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error[KRO0001]") && text.contains("malformed.yaml:5:2"), "{text}");
}

#[test]
fn examples_become_ready_with_no_cluster() {
    for (folder, ready) in
        [("examples/webapp", "WebApp default/shop  ACTIVE  ready"), ("examples/seed", "graph my-resource-graph  ready")]
    {
        let output = kro(&["dev", "--once", "-f", folder]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(ready) && text.contains("all is ready"), "{text}");
    }
}

#[test]
fn what_cannot_become_ready_is_named() {
    let output = kro(&["dev", "--once", "--timeout", "2", "-f", "crates/kro/tests/fixtures/never-ready.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("not ready in time") && text.contains("readyWhen condition evaluated to false"), "{text}");
}

#[test]
fn a_refused_graph_ends_the_wait() {
    let output = kro(&["dev", "--once", "--timeout", "60", "-f", "crates/kro/tests/fixtures/two-owners.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("in time"), "{text}");
    // Which of the two was first is not promised.
    assert!(text.contains("a graph is refused"), "{text}");
    assert!(text.contains("CRD is owned by another ResourceGraphDefinition"), "{text}");
}
