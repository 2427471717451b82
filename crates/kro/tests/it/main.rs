//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // an edge: starts processes

mod commands;
mod dev;
mod documents;
mod generate;
mod odd_input;
mod validate;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap().to_owned()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kro"));
    command.args(arguments).current_dir(root()).env("NO_COLOR", "1");
    command
}

/// Runs the program in the root of the repository, without colour.
fn kro(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// The same with something on standard input.
fn kro_reads(input: &str, arguments: &[&str]) -> Output {
    let mut command = command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `kro cel` with a text on standard input.
fn cel(arguments: &[&str], input: &str) -> Output {
    use std::io::Write;
    use std::process::Stdio;
    let mut command = Command::new(env!("CARGO_BIN_EXE_kro"));
    command.arg("cel").args(arguments).env("NO_COLOR", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn expressions_are_evaluated_with_type_and_place_of_mistakes() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let (env, bindings) = (format!("{fixtures}/cel-env.yaml"), format!("{fixtures}/cel-bindings.yaml"));
    let files = ["--env", &env, "--bindings", &bindings, "-e"];
    for (text, shown) in [
        ("deployment.spec.replicas + count", "6\ntype int,"),
        ("started - duration('1h')", "timestamp(\"2026-03-01T09:20:30Z\")\ntype timestamp,"),
        ("-count", "-3\ntype int,"),
        ("extra.map(v, type(v))", "[int, string]\ntype list(type(dyn)),"),
    ] {
        let output = cel(&[&files[..], &[text]].concat(), "");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(shown), "{output:?}");
    }
    let output = cel(&[&files[..], &["1 / (count - count)"]].concat(), "");
    assert_eq!(output.status.code(), Some(1));
    let shown = "ERROR: <input>:1:1: division by zero\n | 1 / (count - count)\n | ^\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), shown);
}

#[test]
fn a_dialogue_keeps_variables() {
    let output = cel(&[], "x = [1, 2]\nx.map(v, v + 1)\ny +\n:type x[0]\n");
    let text = String::from_utf8_lossy(&output.stdout);
    let values: Vec<&str> = text.lines().filter(|line| !line.starts_with("type ")).collect();
    assert_eq!(values, ["[1, 2]", "[2, 3]", "int"]);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("ERROR: <input>:1:4: Syntax error"), "{output:?}");
}

#[test]
fn questions_are_answered_line_by_line() {
    let questions = "{\"id\":\"a\",\"expr\":\"1u + 2u\"}\n\n{\"id\":\"b\",\"expr\":\"1 + \"}\n{\n";
    let output = cel(&["--jsonl"], questions);
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], r#"{"id":"a","ok":true,"type":"uint","value":{"uint":3}}"#);
    assert!(lines[1].starts_with(r#"{"id":"b","ok":false,"stage":"parse","errors":[{"msg":"Syntax error"#));
    assert!(lines[2].contains("bad request"));
}
