//! The evaluator against recorded values and errors, and against the tests of the specification.

use kro_cel::{Budget, CelValue, Environment, EvalError};
use kro_celwire::{Variables, decode, encode, profile};
use serde_json::Value;

use crate::shared::{self, Scoreboard, rows, text};

/// Messages of Go's own library, which are informative.
fn is_informative(message: &str) -> bool {
    ["ParseAddr(", "ParsePrefix(", "parse \"", "error parsing regexp", "parse JSON", "internal error"]
        .iter()
        .any(|part| message.contains(part))
}

fn compare(found: Result<CelValue, EvalError>, row: &Value) -> Result<(), String> {
    let wanted_error = row.get("eval_error").and_then(Value::as_str);
    match (found, row.get("value"), wanted_error) {
        (Ok(found), Some(wanted), _) => {
            let (found, wanted) = (encode(&found), encode(&decode(wanted).unwrap()));
            if found == wanted { Ok(()) } else { Err(format!("wants {wanted} found {found}")) }
        }
        (Err(found), None, Some(wanted)) if found.message() == wanted || is_informative(wanted) => Ok(()),
        (Err(found), _, wanted) => Err(format!("wants {wanted:?} found error {found}")),
        (Ok(found), _, wanted) => Err(format!("wants error {wanted:?} found {}", encode(&found))),
    }
}

fn evaluate(environment: &Environment, text: &str, variables: &Variables) -> Result<CelValue, EvalError> {
    let parsed = environment.parse(text);
    if let Some(error) = parsed.errors.first() {
        return Err(EvalError::invalid(format!("syntax: {}", error.message)));
    }
    environment.plan(&parsed.ast, None)?.evaluate(variables, &Budget::default())
}

/// Without a check, so that every overload is found by the types of the values.
#[test]
fn values_and_errors_agree_with_the_reference() {
    let Some(folder) = shared::folder("evaluation vectors") else { return };
    let mut session = shared::session(&folder);
    let mut board = Scoreboard::new("eval");
    for row in rows(&folder.join("vectors/eval.jsonl")) {
        let world = session.world(&row["env"]).unwrap();
        let outcome = compare(evaluate(&world.environment, text(&row, "expr"), &world.bindings), &row);
        board.record(text(&row, "id"), outcome.map_err(|problem| format!("{}: {problem}", text(&row, "expr"))));
    }
    board.finish();
}

/// The tests of the specification, without a check.
#[test]
fn conforms_to_the_specification() {
    let Some(folder) = shared::folder("conformance tests") else { return };
    let mut board = Scoreboard::new("conformance");
    let base = profile("extended").unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.join("conformance"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .filter(|path| !path.ends_with("celgo_differences.jsonl"))
        .collect();
    files.sort();
    for path in files {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for row in rows(&path) {
            let id = format!("{file}/{}/{}", text(&row, "section"), text(&row, "name"));
            let outcome = conform(&base, &row);
            board.record(&id, outcome.map_err(|problem| format!("{}: {problem}", text(&row, "expr"))));
        }
    }
    board.finish();
}

fn conform(base: &Environment, row: &Value) -> Result<(), String> {
    let flag = |name: &str| row.get(name).and_then(Value::as_bool) == Some(true);
    if flag("check_only") {
        return Ok(()); // belongs to the checker's suite
    }
    let mut builder = base.extend().container(text(row, "container")).library(&crate::blocks::library());
    if flag("disable_macros") {
        builder = builder.without_macros();
    }
    let environment = builder.build();
    let bound = row.get("bindings").and_then(Value::as_object);
    let variables =
        bound.map(|map| map.iter().map(|(name, value)| (name.as_str().into(), decode(value).unwrap())).collect());
    let found = evaluate(&environment, text(row, "expr"), &variables.unwrap_or_default());
    let wanted = match (row.get("value"), row.get("eval_error"), row.get("type")) {
        (Some(value), ..) => value.clone(),
        (None, Some(_), _) => {
            return match found {
                Err(_) => Ok(()),
                Ok(found) => Err(format!("wants an error, found {}", encode(&found))),
            };
        }
        (None, None, Some(_)) => return Ok(()), // only the type counts
        (None, None, None) => Value::Bool(true),
    };
    let found = found.map_err(|error| format!("wants {wanted}, found error {error}"))?;
    let (found, wanted) = (encode(&found), encode(&decode(&wanted).unwrap()));
    if found == wanted { Ok(()) } else { Err(format!("wants {wanted} found {found}")) }
}
