//! Random expressions with the answers that the reference gave; see `crates/kro-celtest`.

use kro_celtest::ENVIRONMENTS;
use kro_celtest::comparison::{Case, replay};
use kro_celtest::explained::explain;
use kro_celwire::Session;
use serde_json::{Value, json};

#[test]
fn generated_expressions_have_the_recorded_answers() {
    let mut session = Session::new(ENVIRONMENTS, "").unwrap();
    let mut differences = Vec::new();
    // what differed once is kept beside the random ones
    let texts = [include_str!("../data/generated.jsonl"), include_str!("../data/mended.jsonl")];
    let lines: Vec<&str> = texts.into_iter().flat_map(str::lines).collect();
    for line in &lines {
        let row: Value = serde_json::from_str(line).unwrap();
        let (environment, text) = (row[0].as_str().unwrap().to_owned(), row[1].as_str().unwrap().to_owned());
        let question = json!({"id": "", "env": environment, "expr": text});
        let ours = serde_json::from_str(&session.answer(&question.to_string())).unwrap();
        let case = Case { environment, text, reference: replay(&row[2]), ours };
        let difference = case.difference().filter(|_| explain(&case).is_none());
        differences.extend(difference.map(|difference| format!("{} {}: {difference}", case.environment, case.text)));
    }
    assert!(lines.len() >= 2900, "{} rows", lines.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
