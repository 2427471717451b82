//! The checker against recorded verdicts, types and messages.

use kro_cel::{Budget, Environment, Issue, render};
use kro_value::Value;

use crate::encoding::{bindings, encode, read};
use crate::environments::{self, Environments};
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
    let environments = Environments::load(&folder);
    const PROTOBUF: &str = "protobuf messages and enums are no part of this engine";
    let reasons = &[("misc-4153", PROTOBUF), ("misc-4154", PROTOBUF), ("misc-4155", PROTOBUF)];
    let mut board = Scoreboard::new("check_accept").explain(reasons);
    for file in ["checker_accept.jsonl", "eval.jsonl"] {
        for row in shared::rows(&folder.join("vectors").join(file)) {
            let (text, wanted) = (shared::text(&row, "expr"), shared::text(&row, "type"));
            let outcome = match check(environments.get(shared::text(&row, "env")), text) {
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
    let environments = Environments::load(&folder);
    let mut board = Scoreboard::new("check_reject");
    for row in shared::rows(&folder.join("vectors/checker_reject.jsonl")) {
        let text = shared::text(&row, "expr");
        let outcome = match check(environments.get(shared::text(&row, "env")), text) {
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
    let base = environments::profile("kro");
    for row in shared::rows(&folder.join("conformance/type_deduction.jsonl")) {
        let mut builder = base.extend().container(row.str_at(&["container"]).unwrap_or_default());
        for declared in row.get("type_env").and_then(Value::as_list).unwrap_or_default() {
            builder = match declared.str_at(&["type"]) {
                Some(ty) => builder.variable(shared::text(declared, "name"), environments::type_from(ty)),
                None => builder.function(environments::function(declared)),
            };
        }
        let (text, wanted) = (shared::text(&row, "expr"), shared::text(&row, "type"));
        let outcome = match check(&builder.build(), text) {
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
    let environments = Environments::load(&folder);
    let read_file = |name: &str| read(&std::fs::read_to_string(folder.join("vectors").join(name)).unwrap());
    let (declared, schemas) = (read_file("envs.json"), read_file("schemas.json"));
    let mut board = Scoreboard::new("checked_eval");
    for row in shared::rows(&folder.join("vectors/eval.jsonl")) {
        let (name, text) = (shared::text(&row, "env"), shared::text(&row, "expr"));
        let environment = environments.get(name);
        let parsed = environment.parse(text);
        let checked = environment.check(&parsed.ast);
        if !checked.errors.is_empty() {
            continue; // counted by the scoreboard of accepted expressions
        }
        let variables = bindings(declared.get(name).expect("a known environment"), &schemas);
        let run = |checked| {
            let program = environment.plan(&parsed.ast, checked)?;
            program.evaluate(&variables, &Budget::default()).map(|value| encode(&value))
        };
        let outcome = match (run(Some(&checked)), run(None)) {
            (Ok(with), Ok(without)) if kro_value::to_json(&with) == kro_value::to_json(&without) => Ok(()),
            (Err(with), Err(without)) if with.message() == without.message() => Ok(()),
            (with, without) => Err(format!("{text}: checked {with:?} unchecked {without:?}")),
        };
        board.record(shared::text(&row, "id"), outcome);
    }
    board.finish();
}
