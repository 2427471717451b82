//! What expressions cost, as the reference counts it; see `crates/kro-celtest` for how the table is made.

use kro_celtest::ENVIRONMENTS;
use kro_celwire::Session;
use serde_json::{Value, json};

fn cost(session: &mut Session, environment: &Value, text: &str) -> Value {
    let question = json!({"id": "", "env": environment, "expr": text, "cost": true});
    let answer: Value = serde_json::from_str(&session.answer(&question.to_string())).unwrap();
    answer["cost"].clone()
}

#[test]
fn expressions_cost_what_is_recorded() {
    let mut session = Session::new(ENVIRONMENTS, "").unwrap();
    let mut differences = Vec::new();
    let lines: Vec<&str> = include_str!("../data/costs.jsonl").lines().collect();
    for line in &lines {
        let row: Value = serde_json::from_str(line).unwrap();
        let found = cost(&mut session, &row[0], row[1].as_str().unwrap());
        if found != row[2] {
            differences.push(format!("{line}: {found}"));
        }
    }
    assert!(lines.len() >= 800, "{} rows", lines.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
