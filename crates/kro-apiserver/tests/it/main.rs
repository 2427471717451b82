//! The embedded API, driven by scripts of requests and expected answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod laws;
mod script;

use std::path::Path;

#[test]
fn scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    #[allow(clippy::disallowed_methods)] // a test may read its fixtures
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut failures = Vec::new();
    let mut count = 0;
    for file in files {
        #[allow(clippy::disallowed_methods)]
        let text = std::fs::read_to_string(&file).unwrap();
        for script in script::read(&text) {
            count += 1;
            if let Err(failure) = script::run(&script) {
                failures.push(format!("{}: {failure}", script.id));
            }
        }
    }
    assert!(count > 15, "only {count} scripts were found");
    assert!(failures.is_empty(), "{} of {count} scripts failed:\n{}", failures.len(), failures.join("\n\n"));
}
