//! How much of the corpus is answered as a real server does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use kro_value::Value;

use super::Answers;

/// Compares; every difference must be named in `differences.yaml`, and everything named there must differ.
pub fn judge(folder: &Path, ours: &Answers, recorded: &Answers, is_complete: bool) {
    let reasons = reasons(folder);
    let mut differing = BTreeMap::new();
    let (mut answers, mut equal) = (0, 0);
    for (id, found) in ours {
        let expected = recorded.get(id).unwrap_or_else(|| panic!("{id} is not recorded"));
        answers += found.len();
        let same = found.iter().zip(expected).filter(|(found, expected)| found == expected).count();
        equal += same;
        if same < found.len() {
            differing.insert(id.as_str(), (found, expected));
        }
    }
    let unnamed: Vec<_> = differing.iter().filter(|(id, _)| !reasons.contains_key(**id)).collect();
    for (id, (found, expected)) in &unnamed {
        tell(id, found, expected);
    }
    if is_complete {
        let stale: Vec<_> = reasons.keys().filter(|id| !differing.contains_key(id.as_str())).collect();
        assert!(stale.is_empty(), "these are equal now, take them out of differences.yaml: {stale:?}");
        let text = text(ours.len(), differing.len(), answers, equal, &reasons);
        compare_committed(&folder.join("SCOREBOARD.md"), &text);
    }
    let names: Vec<_> = unnamed.iter().map(|(id, _)| id).collect();
    assert!(unnamed.is_empty(), "{} of {} scripts differ and are not named: {names:#?}", unnamed.len(), ours.len());
    assert!(!is_complete || differing.len() * 50 <= ours.len(), "less than 98 % are equal");
}

fn reasons(folder: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder.join("differences.yaml")).unwrap();
    let parsed = kro_yaml::parse(&text, kro_diagnostics::FileId(0)).values().into_iter().next().unwrap_or_default();
    let entries = parsed.as_map().into_iter().flatten();
    entries.map(|(id, reason)| (id.to_string(), reason.as_str().unwrap().to_owned())).collect()
}

fn text(scripts: usize, differing: usize, answers: usize, equal: usize, reasons: &BTreeMap<String, String>) -> String {
    let percent = |part: usize, whole: usize| format!("{:.1} %", part as f64 * 100.0 / whole as f64);
    let mut text = format!(
        "# Embedded API against kube-apiserver v1.36.3\n\n\
         Written by the test `corpus` of kro-serve (`KRO_API_UPDATE=1`); compared are code, type, warnings, whole body and events.\n\n\
         | | total | equal | |\n|---|---|---|---|\n\
         | scripts | {scripts} | {} | {} |\n| answers | {answers} | {equal} | {} |\n",
        scripts - differing,
        percent(scripts - differing, scripts),
        percent(equal, answers),
    );
    if !reasons.is_empty() {
        text.push_str("\n| script that differs | why |\n|---|---|\n");
    }
    for (id, reason) in reasons {
        writeln!(text, "| {id} | {reason} |").unwrap();
    }
    text
}

fn compare_committed(path: &Path, text: &str) {
    if std::env::var_os("KRO_API_UPDATE").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, text, "run with KRO_API_UPDATE=1 and commit SCOREBOARD.md");
}

/// Prints where answers differ.
pub fn tell(id: &str, found: &[Value], expected: &[Value]) {
    eprintln!("--- {id}");
    for index in 0..found.len().max(expected.len()) {
        let null = Value::Null;
        let mut lines = Vec::new();
        let pair = (found.get(index).unwrap_or(&null), expected.get(index).unwrap_or(&null));
        differences(pair.0, pair.1, "", &mut lines);
        for line in lines.iter().take(6) {
            eprintln!("  answer {}{line}", index + 1);
        }
    }
}

fn differences(found: &Value, expected: &Value, path: &str, lines: &mut Vec<String>) {
    match (found, expected) {
        _ if found == expected => {}
        (Value::Map(left), Value::Map(right)) => {
            for (key, expected) in right {
                match left.get(key) {
                    Some(found) => differences(found, expected, &format!("{path}.{key}"), lines),
                    None => lines.push(format!("{path}.{key}:\n    ours nothing\n    real {expected}")),
                }
            }
            for (key, found) in left.iter().filter(|(key, _)| !right.contains_key(key)) {
                lines.push(format!("{path}.{key}:\n    ours {found}\n    real nothing"));
            }
        }
        (Value::List(left), Value::List(right)) if left.len() == right.len() => {
            for (index, (found, expected)) in left.iter().zip(right.iter()).enumerate() {
                differences(found, expected, &format!("{path}[{index}]"), lines);
            }
        }
        _ => lines.push(format!("{path}:\n    ours {found}\n    real {expected}")),
    }
}
