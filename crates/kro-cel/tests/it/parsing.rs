//! The parser against recorded verdicts.

use kro_cel::{Issue, ParseOptions, macros, parse};

use crate::shared::{self, Scoreboard};

pub fn options(environment: &str) -> ParseOptions {
    let mut options = ParseOptions { optional_syntax: environment != "standard", ..ParseOptions::default() };
    options.macros.extend(macros::STANDARD);
    if environment != "standard" {
        options.macros.extend(macros::TWO_VARIABLES);
        options.macros.extend(macros::SORT_BY);
        options.macros.extend(macros::BINDINGS);
        options.macros.extend(macros::OPTIONAL);
        options.macros.extend(macros::RUNTIME);
    }
    options
}

/// Messages of syntax errors depend on the generator of the reference parser: only the first position counts there.
/// All other messages are compared one by one.
pub fn compare(text: &str, found: &[Issue], wanted: &[(i64, i64, String)]) -> Result<(), String> {
    let found: Vec<_> = found
        .iter()
        .map(|issue| {
            let (line, column) = issue.position(text);
            (line, column, issue.message.clone())
        })
        .collect();
    let exact = |errors: &[(i64, i64, String)]| {
        errors.iter().filter(|error| !error.2.starts_with("Syntax error: ")).cloned().collect::<Vec<_>>()
    };
    let first = |errors: &[(i64, i64, String)]| errors.first().map(|error| (error.0, error.1));
    if exact(&found) == exact(wanted) && first(&found) == first(wanted) && found.is_empty() == wanted.is_empty() {
        return Ok(());
    }
    Err(format!("{text:.80} wants {wanted:?} found {found:?}"))
}

#[test]
fn verdicts_of_the_parser() {
    let Some(folder) = shared::folder("parser vectors") else { return };
    let mut board = Scoreboard::new("parse");
    let mut wording = (0, 0);
    for file in ["checker_accept.jsonl", "checker_reject.jsonl"] {
        for row in shared::rows(&folder.join("vectors").join(file)) {
            let text = shared::text(&row, "expr");
            let wanted = if shared::text(&row, "stage") == "parse" { shared::errors(&row) } else { Vec::new() };
            let found = parse(text, &options(shared::text(&row, "env"))).errors;
            if !wanted.is_empty() {
                wording.1 += 1;
                let same = found.iter().map(|issue| &issue.message).eq(wanted.iter().map(|error| &error.2));
                wording.0 += usize::from(same);
                if !same && std::env::var_os("KRO_VERBOSE").is_some() {
                    eprintln!("{text:?}\n   wants {wanted:?}\n   found {found:?}");
                }
            }
            board.record(shared::text(&row, "id"), compare(text, &found, &wanted));
        }
    }
    eprintln!("wording of parse errors equal in {} of {}", wording.0, wording.1);
    board.finish();
}
