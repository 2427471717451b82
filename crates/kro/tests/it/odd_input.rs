//! What people feed to `kro validate` by mistake or on purpose: each is answered with a place and a reason, never with a
//! panic.

use std::path::PathBuf;

use crate::{command, err, kro_reads, out};

const HEAD: &str = "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: a}\n";
const SPEC: &str = "spec:\n  schema: {apiVersion: v1, kind: Web, spec: {name: string}}\n  resources:\n  - id: cm\n    \
                    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a: \"${schema.spec.nam}\"}}\n";

/// A folder of this test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("odd-input").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn texts() {
    let whole = format!("{HEAD}{SPEC}");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", whole.replace('\n', "\n  "));
    let bomb: String = (0..9).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let aliases = format!("*a{level}, ").repeat(9);
        format!("{text}a{}: &a{} [{aliases}x]\n", level + 1, level + 1)
    });
    let rows: &[(&str, String, i32, &[&str])] = &[
        ("nothing", String::new(), 0, &["0 documents are valid; none is a ResourceGraphDefinition"]),
        ("comments only", "# a\n---\n# b\n".into(), 0, &["0 documents are valid"]),
        ("a byte order mark", format!("\u{feff}{whole}"), 1, &["<stdin>:8:83", "did you mean \"name\"?"]),
        ("line ends of Windows", whole.replace('\n', "\r\n"), 1, &["<stdin>:8:83", "did you mean \"name\"?"]),
        ("tabs", format!("{HEAD}spec:\n\tresources: []\n"), 1, &["<stdin>:5:2", "indent with spaces"]),
        ("a zero byte", "a: b\0\n".into(), 1, &["<stdin>:1:5"]),
        ("a list of objects", list, 1, &["<stdin>:11:85", "did you mean \"name\"?"]),
        ("deep nesting", format!("a: {}", "[".repeat(100_000)), 1, &["nested deeper than 128 levels"]),
        ("an alias of itself", "a: &a [*a]\n".into(), 1, &["<stdin>:1:8", "contains itself"]),
        ("an alias of nothing", "a: *b\n".into(), 1, &["<stdin>:1:4", "unknown anchor 'b'"]),
        ("many aliases", bomb, 1, &["excessive aliasing"]),
        ("duplicate keys", format!("{HEAD}kind: x\n"), 1, &["duplicate key \"kind\"", "<stdin>:4:1"]),
        ("no spec", HEAD.to_owned(), 1, &["spec is required", "<stdin>:1:1"]),
        ("everything of another type", HEAD.replace("{name: a}", "5") + "spec: hello\n", 1, &["metadata must be of type object, got integer", "spec must be of type object, got string", "2 errors"]),
        ("another version", whole.replace("kro.run/v1alpha1", "kro.run/v9"), 1, &["apiVersion must be \"kro.run/v1alpha1\", got \"kro.run/v9\""]),
        ("JSON on one line", r#"{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","metadata":{"name":"a"},"spec":{"schema":{"apiVersion":"v1","kind":"Web","spec":{"a":"strin"}}}}"#.into(), 1, &["<stdin>:1:153", "did you mean \"string\"?"]),
        ("a huge line", whole.replace("${", &format!("{}${{", "x".repeat(50_000))), 1, &["<stdin>:8:50083"]),
        ("a long expression", whole.replace("schema.spec.nam", &format!("{}''", "schema.spec.name + ".repeat(3000))), 1, &["max recursion depth exceeded"]),
        ("two of one name", format!("{whole}---\n{whole}").replace("nam}", "name}"), 0, &["two definitions have the name \"a\"", "<stdin>:12:18"]),
    ];
    for (what, text, code, parts) in rows {
        let output = kro_reads(text, &["validate", "-"]);
        let shown = out(&output) + &err(&output);
        assert_eq!(output.status.code(), Some(*code), "{what}: {shown}");
        for part in *parts {
            assert!(shown.contains(part), "{what}: {part:?} is not in\n{shown}");
        }
        assert!(!shown.contains("panicked"), "{what}");
    }
}

#[test]
fn encodings() {
    let folder = folder("encodings");
    let utf_16: Vec<u8> = "\u{feff}kind: a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, part) in [
        ("utf-16.yaml", utf_16.as_slice(), "utf-16.yaml is not in UTF-8 (UTF-16): save it as UTF-8"),
        ("latin.yaml", b"kind: \xe9\n", "latin.yaml is not in UTF-8 (see byte 6): save it as UTF-8"),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
        let output = command(&["validate", name]).current_dir(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(err(&output).contains(part), "{}", err(&output));
    }
}

#[test]
fn files_and_folders() {
    let folder = folder("files");
    std::fs::create_dir_all(folder.join("empty")).unwrap();
    std::fs::write(folder.join("my graph.yaml"), format!("{HEAD}{SPEC}")).unwrap();
    std::fs::write(folder.join("notes.txt"), "[").unwrap();
    let validate =
        |arguments: &[&str]| command(&[&["validate"], arguments].concat()).current_dir(&folder).output().unwrap();
    for (arguments, code, part) in [
        (&["empty"][..], 3, "empty has no .yaml, .yml or .json file"),
        (&["missing.yaml"], 3, "cannot read missing.yaml"),
        (&["notes.txt"], 1, "unclosed bracket '['"),
        (&["."], 1, "1 error\n"),
        (&[".", "my graph.yaml", "."], 1, "1 error\n"),
        (&["my graph.yaml", "--output", "sarif"], 1, "\"uri\": \"my%20graph.yaml\""),
        (&["my graph.yaml", "--output", "github"], 1, "::error file=my graph.yaml,line=8,"),
        (&["my graph.yaml", "--output", "junit"], 1, "name=\"my graph.yaml:8:83\""),
    ] {
        let output = validate(arguments);
        let shown = out(&output) + &err(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        assert!(shown.contains(part), "{arguments:?}: {part:?} is not in\n{shown}");
        assert!(!shown.ends_with("\n\n"), "{arguments:?}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("my graph.yaml", folder.join("empty/link.yaml")).unwrap();
        std::os::unix::fs::symlink("..", folder.join("empty/up.d")).unwrap();
        let output = validate(&["--recursive", "empty"]);
        assert_eq!(output.status.code(), Some(3), "the link leads nowhere: {}", err(&output));
        assert!(err(&output).contains("empty/link.yaml"), "{}", err(&output));
    }
}
