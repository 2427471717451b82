//! `kro fmt`, `explain`, `completion`, `man`, and what all commands have in common.

use std::path::PathBuf;
use std::process::Command;

use crate::{command, err, kro, kro_reads, out};

const UNFORMATTED: &str = include_str!("../fixtures/unformatted.yaml");
const FORMATTED: &str = "\
# A comment that stays.
kind: ConfigMap
metadata:
  name: a   # and this one
items:
  - 1
  - 2
";

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_formatted_in_place() {
    let folder = Folder::new("formatted");
    let (file, json) = (folder.path("a.yaml"), folder.path("b.json"));
    std::fs::write(&file, UNFORMATTED).unwrap();
    std::fs::write(&json, "{\"a\":   1}").unwrap();
    let check = kro(&["fmt", "--check", &folder.path("")]);
    assert_eq!((check.status.code(), out(&check)), (Some(1), format!("{file}\n")));
    let diff = kro(&["fmt", "--diff", &file]);
    assert_eq!(diff.status.code(), Some(1));
    assert!(out(&diff).contains("-kind:   ConfigMap\n+kind: ConfigMap\n"), "{}", out(&diff));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), UNFORMATTED);
    let written = kro(&["fmt", &folder.path("")]);
    assert_eq!((written.status.code(), out(&written)), (Some(0), format!("{file}\n")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FORMATTED);
    assert_eq!(std::fs::read_to_string(&json).unwrap(), "{\"a\":   1}");
    let again = kro(&["fmt", "--check", &file]);
    assert_eq!((again.status.code(), out(&again).as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2, "nothing is left beside the files");
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    assert_eq!(out(&kro_reads(UNFORMATTED, &["fmt", "-"])), FORMATTED);
    assert_eq!(out(&kro_reads(FORMATTED, &["fmt", "-"])), FORMATTED);
    assert_eq!(kro_reads(FORMATTED, &["fmt", "--check", "-"]).status.code(), Some(0));
    let malformed = kro_reads("a: [1\nb: 2", &["fmt", "-"]);
    assert_eq!((malformed.status.code(), out(&malformed).as_str()), (Some(1), ""));
    assert!(err(&malformed).contains("error[KRO0001]"), "{}", err(&malformed));
}

#[test]
fn codes_are_explained() {
    assert!(out(&kro(&["explain", "KRO4001"])).starts_with("# KRO4001: "));
    assert!(out(&kro(&["explain", "kro4001"])).starts_with("# KRO4001: "));
}

#[test]
fn exit_codes_tell_who_is_wrong() {
    for (arguments, code) in [
        (&["validate", "examples/webapp"][..], 0),
        (&["validate", "crates/kro/tests/fixtures/six-errors.yaml"], 1),
        (&["generate", "crd", "examples/webapp/instance.yaml"], 1),
        (&["explain", "KRO9999"], 2),
        (&["validate"], 2),
        (&["frobnicate"], 2),
        (&["fmt", "there/is/no/such.yaml"], 3),
        (&["dev", "-f", "there/is/no/such.yaml"], 3),
        (&["controller", "--kubeconfig", "there/is/no/such"], 1),
    ] {
        assert_eq!(kro(arguments).status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn help_is_stable() {
    let mut all = String::new();
    for arguments in [
        &["--help"][..],
        &["validate", "--help"],
        &["generate", "--help"],
        &["generate", "diagram", "--help"],
        &["fmt", "--help"],
        &["dev", "--help"],
        &["controller", "--help"],
    ] {
        all.push_str(&format!("$ kro {}\n{}\n", arguments.join(" "), out(&kro(arguments))));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn colour_is_for_those_who_want_it() {
    let file = "crates/kro/tests/fixtures/six-errors.yaml";
    let forced = command(&["validate", file]).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(err(&forced).contains("\x1b["));
    let refused = command(&["validate", file]).env("NO_COLOR", "1").output().unwrap();
    assert!(!err(&refused).contains('\x1b'));
}

#[test]
fn shells_complete() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = out(&kro(&["completion", shell]));
        for word in ["validate", "generate", "controller", "--feature-gates"] {
            // Some shells split flags from their dashes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell} does not know {word}");
        }
    }
    let script = "eval \"$(\"$KRO\" completion bash)\"; COMP_WORDS=(kro va); COMP_CWORD=1; _kro kro va kro; echo \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash").args(["-c", script]).env("KRO", env!("CARGO_BIN_EXE_kro")).output().unwrap();
    assert_eq!(out(&bash).trim(), "validate", "{}", err(&bash));
}

#[test]
fn there_is_a_manual() {
    let page = out(&kro(&["man"]));
    assert!(page.contains(".TH kro 1") && page.contains("validate"), "{page}");
    let folder = Folder::new("manual");
    assert_eq!(kro(&["man", "--dir", &folder.path("man1")]).status.code(), Some(0));
    assert!(std::fs::read_to_string(folder.0.join("man1/kro-generate-diagram.1")).unwrap().contains("mermaid"));
}

#[test]
fn the_controller_takes_the_go_implementations_flags() {
    let go = "-metrics-bind-address=0 --health-probe-bind-address 0 --leader-elect=false --zap-devel=false \
        --zap-encoder console --zap-log-level info --client-qps 100 --client-burst=150 --allow-crd-deletion=true \
        --dynamic-controller-rate-limiter-max-delay 1000s --dynamic-controller-concurrent-reconciles=4 \
        --feature-gates CELOmitFunction=true,AllAlpha=false --kubeconfig there/is/no/such";
    let output = kro(&[&["controller"], go.split_ascii_whitespace().collect::<Vec<_>>().as_slice()].concat());
    assert_eq!(output.status.code(), Some(1));
    let text = err(&output);
    let unused = "flags=\"dynamic-controller-concurrent-reconciles,client-qps,client-burst,zap-devel\"";
    assert!(text.contains(unused) && text.contains("cannot use the kubeconfig"), "{text}");
    for (arguments, code, why) in [
        (&["--feature-gates", "Nothing=true"][..], 1, "unrecognized feature gate: Nothing"),
        (&["--leader-elect"], 1, "leader election needs a namespace"),
        (&["--leader-elect=perhaps"], 2, "is not a bool"),
        (&["--graceful-shutdown-timeout", "5"], 2, "is no duration"),
        (&["--metrics-bind-address", "here"], 2, "is no host:port"),
        (&["--no-such-flag"], 2, "--no-such-flag"),
    ] {
        let output = kro(&[&["controller"], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(err(&output).contains(why), "{}", err(&output));
    }
}
