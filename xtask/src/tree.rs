//! Checks of the files themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

/// No file of code is longer.
const LINES_MAX: usize = 1000;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Checks file lengths, unfinished marks, ignored tests and paths of a machine in all tracked files.
pub fn check() -> Result<(), String> {
    let files = tracked_files()?;
    if files.is_empty() {
        return Err("no tracked files".to_owned());
    }
    let mut errors = Vec::new();
    for file in &files {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue }; // binary, or deleted but tracked
        errors.extend(find_faults(file, &text));
    }
    errors.extend(missing_documents(&files));
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

fn tracked_files() -> Result<Vec<String>, String> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let output = output.map_err(|error| format!("git: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn missing_documents(files: &[String]) -> Vec<String> {
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".ci/run"]
        .iter()
        .filter(|name| !files.iter().any(|file| file == *name))
        .map(|name| format!("{name} is missing"))
        .collect()
}

fn find_faults(file: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let code = file.ends_with(".rs");
    if code && text.lines().count() > LINES_MAX {
        faults.push(format!("{file} has more than {LINES_MAX} lines"));
    }
    let this_file = file == "xtask/src/tree.rs"; // it has to name what it looks for
    for (number, line) in text.lines().enumerate().filter(|_| !this_file) {
        let marks = ["todo!(", "unimplemented!(", "FIXME", "XXX", "#[ignore"];
        if let Some(mark) = marks.iter().find(|mark| code && line.contains(**mark)) {
            faults.push(format!("{file}:{} has an unfinished mark: {mark}", number + 1));
        }
        if names_machine_path(line) {
            faults.push(format!("{file}:{} names a path of a machine", number + 1));
        }
    }
    faults
}

/// An absolute path below a folder that only one machine has.
fn names_machine_path(line: &str) -> bool {
    ["/work/", "/root/", "/farm/"].iter().any(|folder| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + folder.len()..].chars().next();
            !before.is_some_and(|c| c.is_alphanumeric() || "._/-}".contains(c)) && after.is_some_and(char::is_lowercase)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_clean() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn faults_are_found() {
        let long = "x\n".repeat(LINES_MAX + 1);
        for (file, text, expected) in [
            ("a.rs", long.as_str(), "a.rs has more than 1000 lines"),
            ("a.rs", "fn a() { todo!() }", "a.rs:1 has an unfinished mark: todo!("),
            ("a.md", concat!("see /wo", "rk/main"), "a.md:1 names a path of a machine"),
        ] {
            assert_eq!(find_faults(file, text), [expected]);
        }
        assert_eq!(find_faults("a.md", "https://example.org/work/main a/root/b"), Vec::<String>::new());
    }
}
