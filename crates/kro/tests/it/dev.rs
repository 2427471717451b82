//! `kro dev`

use std::io::BufRead;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::{command, err, kro};

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

/// Starts `kro dev --data` with these files and waits for the instance.
fn dev_with_data(data: &Path, files: &[&str]) -> Child {
    let data = data.to_string_lossy();
    let arguments = [&["dev", "--plain", "--data", &data][..], files].concat();
    let mut cluster = command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(cluster.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.ends_with("ACTIVE  ready")), "it ended before it was ready");
    cluster
}

/// The kubeconfig of the first run, as a client copied it, reaches the second one, which has what the first one was given.
#[test]
fn a_kubeconfig_outlives_a_kill() {
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kept-cluster");
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).unwrap();
    let copy = data.with_extension("kubeconfig");
    let copied = copy.to_string_lossy();
    // Widget is a kind that only the first run is given.
    let validate = || kro(&["validate", "crates/kro/tests/fixtures/uses-widget.yaml", "--kubeconfig", &copied]);
    let files = ["-f", "crates/kro/tests/fixtures/crds", "-f", "examples/webapp"];
    let mut first = dev_with_data(&data, &files);
    std::fs::copy(data.join("kubeconfig"), &copy).unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    let between = validate();
    let mut second = dev_with_data(&data, &files[2..]);
    let after = validate();
    second.kill().unwrap();
    second.wait().unwrap();
    assert_eq!(between.status.code(), Some(3), "nobody answers: {}", err(&between));
    assert_eq!(after.status.code(), Some(0), "{}", err(&after));
}
