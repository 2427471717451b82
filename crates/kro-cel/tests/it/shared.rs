//! The shared data, and scoreboards of what agrees with it.

use std::path::{Path, PathBuf};

use kro_celwire::Session;
use serde_json::Value;

/// The folder with the shared CEL data; says so when there is none.
pub fn folder(suite: &str) -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("KRO_SHARED_DIR") else {
        eprintln!("SKIPPED: {suite}: KRO_SHARED_DIR is not set");
        return None;
    };
    Some(Path::new(&shared).join("cel"))
}

/// The rows of a file of JSON Lines.
pub fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    rows.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The named environments of the vectors.
pub fn session(folder: &Path) -> Session {
    let read = |name: &str| std::fs::read_to_string(folder.join("vectors").join(name)).expect("the file is there");
    Session::new(&read("envs.json"), &read("schemas.json")).expect("environments")
}

/// The text of a column.
pub fn text<'r>(row: &'r Value, column: &str) -> &'r str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// The errors of a row: line, column, message.
pub fn errors(row: &Value) -> Vec<(i64, i64, String)> {
    let errors = row.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let error = |error: &Value| {
        let parts = error.as_array()?;
        Some((parts.first()?.as_i64()?, parts.get(1)?.as_i64()?, parts.get(2)?.as_str()?.to_owned()))
    };
    errors.iter().filter_map(error).collect()
}

/// Collects what agrees and what does not, and compares it with the committed file.
pub struct Scoreboard {
    name: &'static str,
    total: usize,
    failures: Vec<String>,
    /// Why rows differ on purpose, by the start of their names.
    reasons: &'static [(&'static str, &'static str)],
}

impl Scoreboard {
    pub fn new(name: &'static str) -> Self {
        Self { name, total: 0, failures: Vec::new(), reasons: &[] }
    }

    /// Explains differences that are meant.
    pub fn explain(mut self, reasons: &'static [(&'static str, &'static str)]) -> Self {
        self.reasons = reasons;
        self
    }

    /// Counts one row; a failure is listed with one line that says what differs.
    pub fn record(&mut self, id: &str, outcome: Result<(), String>) {
        self.total += 1;
        if let Err(difference) = outcome {
            let known = self.reasons.iter().find(|(start, _)| id.starts_with(start));
            let reason = known.map(|(_, reason)| format!(" [{reason}]")).unwrap_or_default();
            self.failures.push(format!("{id}: {}{reason}", difference.replace('\n', " ")));
        }
    }

    /// Compares with `tests/scoreboard/NAME.txt`; `KRO_UPDATE=1` writes it instead.
    pub fn finish(self) {
        let passed = self.total - self.failures.len();
        let mut text = format!("{passed} of {} agree\n", self.total);
        self.failures.iter().for_each(|failure| {
            text.push_str(failure);
            text.push('\n');
        });
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scoreboard").join(format!("{}.txt", self.name));
        if std::env::var_os("KRO_UPDATE").is_some() {
            std::fs::write(&path, &text).expect("the scoreboard can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{} changed; run with KRO_UPDATE=1 and look at the difference:\n{text}", self.name);
    }
}
