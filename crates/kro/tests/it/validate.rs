//! `kro validate`

use std::io::BufRead;
use std::process::{Output, Stdio};

use crate::{command, err, kro, kro_reads, out};

fn errors_of(output: &Output) -> Vec<String> {
    err(output).lines().filter(|line| line.starts_with("error[")).map(|line| line[6..13].to_owned()).collect()
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
fn reports_for_machines() {
    let output = kro(&["validate", "--output", "json", "crates/kro/tests/fixtures/six-errors.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(kro_value::from_json_bytes(&output.stdout).is_ok());
    for (format, begin) in [("sarif", "{"), ("github", "::error "), ("junit", "<?xml ")] {
        let output = kro(&["validate", "--output", format, "crates/kro/tests/fixtures/six-errors.yaml"]);
        assert!(out(&output).starts_with(begin), "{}", out(&output));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn all_examples_are_valid() {
    let output = kro(&["validate", "--recursive", "examples"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let output = kro_reads(include_str!("../../../../examples/webapp/rgd.yaml"), &["validate", "-"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), "1 document is valid\n"));
}

#[test]
fn the_go_implementations_spelling_works() {
    let output = kro(&["validate", "rgd", "-f", "examples/webapp/rgd.yaml", "--verbose"]);
    let text = "Validation successful! The ResourceGraphDefinition is valid.\n";
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), text));
    assert_eq!(kro(&["validate", "rgd"]).status.code(), Some(3));
}

#[test]
fn kinds_come_from_files() {
    let file = "crates/kro/tests/fixtures/uses-widget.yaml";
    assert_eq!(errors_of(&kro(&["validate", file])), ["KRO5001"]);
    let output = kro(&["validate", file, "--crds", "crates/kro/tests/fixtures/crds"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[test]
fn breaking_changes_are_shown_against_an_earlier_definition() {
    let (before, after) = ("examples/webapp/rgd.yaml", "crates/kro/tests/fixtures/evolved.yaml");
    let output = kro(&["validate", after, "--against", before]);
    assert_eq!(output.status.code(), Some(1));
    let text = err(&output);
    assert!(text.contains("error[KRO6001]") && text.contains("evolved.yaml:"), "{text}");
    let same = kro(&["validate", before, "--against", before]);
    assert_eq!((same.status.code(), err(&same).as_str()), (Some(0), ""));
    let broken = kro(&["validate", before, "--against", "crates/kro/tests/fixtures/six-errors.yaml"]);
    assert_eq!(broken.status.code(), Some(1));
}

#[test]
fn features_are_switched_on() {
    let text = include_str!("../fixtures/evolved.yaml").replace("string(schema.spec.replicas)", "omit()");
    let off = kro_reads(&text, &["validate", "-"]);
    assert!(err(&off).contains("CELOmitFunction"), "{}", err(&off));
    let on = kro_reads(&text, &["validate", "-", "--feature-gates", "CELOmitFunction=true"]);
    assert_eq!(on.status.code(), Some(0), "{}", err(&on));
    assert_eq!(kro(&["validate", "-", "--feature-gates", "Nothing=true"]).status.code(), Some(2));
}

/// Validates with a cache of its own, changes a schema in it, and validates again: the files that were kept, and the second
/// result.
fn validate_twice(cache: &std::path::Path, kubeconfig: &str) -> (Vec<String>, Output) {
    let _ = std::fs::remove_dir_all(cache);
    let validate = || {
        let arguments = ["validate", "crates/kro/tests/fixtures/uses-widget.yaml", "--kubeconfig", kubeconfig];
        command(&arguments).env("KRO_CACHE_DIR", cache).output().unwrap()
    };
    assert_eq!(validate().status.code(), Some(0));
    let server = std::fs::read_dir(cache.join("openapi")).unwrap().next().unwrap().unwrap().path();
    let files: Vec<_> = std::fs::read_dir(&server).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        std::fs::write(file, text.replace(r#""size":{"type":"integer"}"#, r#""size":{"type":"boolean"}"#)).unwrap();
    }
    (files.iter().map(|file| file.display().to_string()).collect(), validate())
}

/// A cluster of `kro dev` that serves a kind of its own.
#[test]
fn kinds_and_compatibility_come_from_a_cluster() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cluster");
    let kubeconfig = folder.join("kubeconfig");
    let _ = std::fs::remove_file(&kubeconfig);
    let kubeconfig = kubeconfig.to_string_lossy();
    let files = ["-f", "crates/kro/tests/fixtures/crds", "-f", "examples/webapp"];
    let arguments = [&["dev", "--plain", "--write-kubeconfig", &kubeconfig][..], &files].concat();
    let mut cluster = command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(cluster.stdout.take().unwrap()).lines();
    let is_ready = lines.map_while(Result::ok).any(|line| line.ends_with("ACTIVE  ready"));
    let known = kro(&["validate", "crates/kro/tests/fixtures/uses-widget.yaml", "--kubeconfig", &kubeconfig]);
    let (kept, unread) = validate_twice(&folder.join("cache"), &kubeconfig);
    let changed = kro(&["validate", "crates/kro/tests/fixtures/evolved.yaml", "--kubeconfig", &kubeconfig]);
    let same = kro(&["validate", "examples/webapp", "--kubeconfig", &kubeconfig]);
    cluster.kill().unwrap();
    cluster.wait().unwrap();
    assert!(is_ready);
    assert_eq!(known.status.code(), Some(0), "{}", err(&known));
    assert!(matches!(kept.as_slice(), [file] if file.contains("example.org_v1@")), "{kept:?}");
    assert_eq!(errors_of(&unread), ["KRO5010"], "the second time reads what was kept: {}", err(&unread));
    assert_eq!(errors_of(&changed).first().map(String::as_str), Some("KRO6001"), "{}", err(&changed));
    assert_eq!(same.status.code(), Some(0), "{}", err(&same));
    let gone = kro(&["validate", "examples/webapp", "--kubeconfig", &kubeconfig]);
    assert_eq!(gone.status.code(), Some(3), "{}", err(&gone));
}
