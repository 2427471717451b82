//! The checker against recorded verdicts, types and messages.

use kro_cel::{Budget, Environment, Issue, render};
use kro_celwire::{World, encode};
use serde_json::{Map, Value, json};

use crate::parsing::compare;
use crate::shared::{self, Scoreboard};

/// The type of an expression, or what is wrong with it.
fn check(environment: &Environment, text: &str) -> Result<String, (Vec<Issue>, usize)> {
    let parsed = environment.parse(text);
    if !parsed.errors.is_empty() {
        return Err((parsed.errors, 0));
    }
    let checked = environment.check(&parsed.ast);
    let (errors, truncated) = (&checked.errors, checked.truncated);
    if errors.is_empty() { Ok(checked.result_type().to_string()) } else { Err((errors.clone(), truncated)) }
}

#[test]
fn accepted_expressions_have_the_recorded_types() {
    let Some(folder) = shared::folder("checker vectors") else { return };
    let mut session = shared::session(&folder);
    const PROTOBUF: &str = "protobuf messages and enums are no part of this engine";
    let reasons = &[("misc-4153", PROTOBUF), ("misc-4154", PROTOBUF), ("misc-4155", PROTOBUF)];
    let mut board = Scoreboard::new("check_accept").explain(reasons);
    for file in ["checker_accept.jsonl", "eval.jsonl"] {
        for row in shared::rows(&folder.join("vectors").join(file)) {
            let (text, wanted) = (shared::text(&row, "expr"), shared::text(&row, "type"));
            let outcome = match check(&session.world(&row["env"]).unwrap().environment, text) {
                Ok(found) if found == wanted || wanted.is_empty() => Ok(()),
                Ok(found) => Err(format!("{text:.100} wants {wanted} found {found}")),
                Err((errors, _)) => Err(format!("{text:.100} found {:?}", errors.first().map(|error| &error.message))),
            };
            board.record(shared::text(&row, "id"), outcome);
        }
    }
    board.finish();
}

#[test]
fn rejected_expressions_have_the_recorded_messages() {
    let Some(folder) = shared::folder("checker vectors") else { return };
    let mut session = shared::session(&folder);
    let mut board = Scoreboard::new("check_reject");
    for row in shared::rows(&folder.join("vectors/checker_reject.jsonl")) {
        let text = shared::text(&row, "expr");
        let outcome = match check(&session.world(&row["env"]).unwrap().environment, text) {
            Ok(found) => Err(format!("{text:.100} found {found}, wants {:?}", shared::errors(&row))),
            Err((errors, truncated)) => compare(text, &errors, &shared::errors(&row))
                .and_then(|()| same_rendering(&row, &render(text, &errors, truncated))),
        };
        board.record(shared::text(&row, "id"), outcome);
    }
    board.finish();
}

/// The carets below the text are where they are in the reference, too.
fn same_rendering(row: &Value, found: &str) -> Result<(), String> {
    let wanted = shared::text(row, "text");
    if wanted.is_empty() || wanted.contains("Syntax error") || wanted == found {
        return Ok(());
    }
    Err(format!("wants {wanted:?} found {found:?}"))
}

#[test]
fn types_that_the_specification_deduces() {
    let Some(folder) = shared::folder("type deduction of the specification") else { return };
    let reasons =
        &[("legacy_nullable_types/null_assignable_to_abstract", "the reference differs from the specification here")];
    let mut board = Scoreboard::new("type_deduction").explain(reasons);
    for row in shared::rows(&folder.join("conformance/type_deduction.jsonl")) {
        let declared = row["type_env"].as_array().cloned().unwrap_or_default();
        let is_variable = |declared: &&Value| declared.get("type").is_some();
        let variables = declared.iter().filter(is_variable);
        let variables: Map<_, _> =
            variables.map(|declared| (shared::text(declared, "name").to_owned(), declared["type"].clone())).collect();
        let functions: Vec<_> = declared.iter().filter(|declared| !is_variable(declared)).collect();
        let container = shared::text(&row, "container");
        let description = json!({"container": container, "vars": variables, "funcs": functions});
        let environment = World::build(&description, &Map::new()).unwrap().environment;
        let (text, wanted) = (shared::text(&row, "expr"), shared::text(&row, "type"));
        let outcome = match check(&environment, text) {
            Ok(found) if found == wanted => Ok(()),
            other => Err(format!("{text:.100} wants {wanted} found {other:?}")),
        };
        board.record(&format!("{}/{}", shared::text(&row, "section"), shared::text(&row, "name")), outcome);
    }
    board.finish();
}

/// Planning with the checker's types only saves work: what comes out is the same.
#[test]
fn checked_programs_give_the_values_of_unchecked_ones() {
    let Some(folder) = shared::folder("checked evaluation") else { return };
    let mut session = shared::session(&folder);
    let mut board = Scoreboard::new("checked_eval");
    for row in shared::rows(&folder.join("vectors/eval.jsonl")) {
        let text = shared::text(&row, "expr");
        let world = session.world(&row["env"]).unwrap();
        let environment = &world.environment;
        let parsed = environment.parse(text);
        let checked = environment.check(&parsed.ast);
        if !checked.errors.is_empty() {
            continue; // counted by the scoreboard of accepted expressions
        }
        let run = |checked| {
            let program = environment.plan(&parsed.ast, checked)?;
            program.evaluate(&world.bindings, &Budget::default()).map(|value| encode(&value))
        };
        let outcome = match (run(Some(&checked)), run(None)) {
            (Ok(with), Ok(without)) if with == without => Ok(()),
            (Err(with), Err(without)) if with.message() == without.message() => Ok(()),
            (with, without) => Err(format!("{text}: checked {with:?} unchecked {without:?}")),
        };
        board.record(shared::text(&row, "id"), outcome);
    }
    board.finish();
}
