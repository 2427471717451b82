//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // an edge: starts processes

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in the root of the repository, without colour.
fn kro(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kro"));
    command.args(arguments).current_dir(root).env("NO_COLOR", "1").output().unwrap()
}

fn errors_of(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().filter(|line| line.starts_with("error[")).map(|line| line[6..13].to_owned()).collect()
}

#[test]
fn all_errors_come_at_once_with_place_and_help() {
    for command in [&["dev", "--once", "-f"][..], &["validate"][..]] {
        let output = kro(&[command, &["crates/kro/tests/fixtures/six-errors.yaml"]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(errors_of(&output), ["KRO2009", "KRO2008", "KRO4001", "KRO3005", "KRO5005", "KRO3003"]);
        let text = String::from_utf8_lossy(&output.stderr);
        for place in ["10:35", "11:31", "18:19", "20:23", "28:11", "29:20"] {
            assert!(text.contains(&format!("six-errors.yaml:{place}")), "{place} is not in\n{text}");
        }
        assert_eq!(text.matches("= help: ").count(), 6, "{text}");
        // Nothing was started, so nothing can have been applied.
        assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
    }
}

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
fn reports_for_machines() {
    let output = kro(&["validate", "--output", "json", "crates/kro/tests/fixtures/six-errors.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(kro_value::from_json_bytes(&output.stdout).is_ok());
    assert_eq!(kro(&["validate", "examples/webapp", "examples/seed"]).status.code(), Some(0));
    assert_eq!(kro(&["validate", "rgd", "-f", "examples/webapp/rgd.yaml"]).status.code(), Some(0));
}

#[test]
fn codes_are_explained() {
    assert!(String::from_utf8_lossy(&kro(&["explain", "KRO4001"]).stdout).contains("KRO4001"));
    assert_eq!(kro(&["explain", "KRO9999"]).status.code(), Some(1));
    assert_eq!(kro(&["frobnicate"]).status.code(), Some(2));
}
