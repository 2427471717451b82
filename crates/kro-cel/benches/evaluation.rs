//! Evaluation of the expressions of `expressions.jsonl` over Kubernetes objects, ours beside cel-go in one run: typed objects
//! against the API server's wrapper of typed objects, and plain JSON against plain JSON. Needs `KRO_SHARED_DIR`; without Go
//! there are only our own figures. `cargo bench -p kro-cel --bench evaluation [FILTER]`

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kro_cel::view::typed;
use kro_cel::{Budget, CelValue, Environment, Type, library};
use kro_schema::cel::SchemaTypes;
use kro_schema::structural::Schema;
use kro_schema::view::SchemaView;
use kro_value::{Str, Value};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

/// Counts allocations; that takes a nanosecond or two of our time for each.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// How long one round of a measurement takes.
const ROUND: Duration = Duration::from_micros(200);
const ROUNDS: usize = 400;

/// The variables of one mode and what expressions may use.
struct Mode {
    name: &'static str,
    environment: Environment,
    variables: Vec<(Str, CelValue)>,
}

/// Nanoseconds, and allocations of one evaluation.
#[derive(Clone, Copy)]
struct Figures {
    check: f64,
    evaluate: f64,
    allocations: f64,
}

fn main() {
    let Some(shared) = std::env::var_os("KRO_SHARED_DIR") else {
        eprintln!("SKIPPED: benchmark of expressions: KRO_SHARED_DIR is not set");
        return;
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [once, what, count] = arguments.as_slice()
        && once == "--once"
    {
        return repeat(&data(Path::new(&shared)), what, count.parse().unwrap());
    }
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let data = data(Path::new(&shared));
    let rows: Vec<Value> = include_str!("expressions.jsonl").lines().map(read_json).collect();
    let rows: Vec<Value> = rows.into_iter().filter(|row| row.str_at(&["id"]).unwrap().contains(&filter)).collect();
    let ours: Vec<Vec<Figures>> =
        modes(&data).iter().map(|mode| rows.iter().map(|row| measure(mode, row)).collect()).collect();
    let reference = reference(&data, &rows);
    report(&rows, &ours, reference.as_deref());
}

/// Parses and checks (`check`), or evaluates (`evaluate`), all expressions so many times, for tools that count instructions.
fn repeat(data: &Value, what: &str, count: usize) {
    let rows: Vec<Value> = include_str!("expressions.jsonl").lines().map(read_json).collect();
    let texts: Vec<&str> = rows.iter().map(|row| row.str_at(&["expr"]).unwrap()).collect();
    let mode = &modes(data)[0];
    let check = |text: &str| {
        let parsed = mode.environment.parse(text);
        let checked = mode.environment.check(&parsed.ast);
        assert!(checked.errors.is_empty(), "{text}");
        (parsed.ast, checked)
    };
    let plan = |(ast, checked): (_, _)| mode.environment.plan(&ast, Some(&checked)).unwrap();
    let programs: Vec<_> = texts.iter().map(|text| plan(check(text))).collect();
    let region = Region::new(ALLOCATOR);
    for _ in 0..count {
        if what == "check" {
            texts.iter().for_each(|text| drop(black_box(check(text))));
        } else {
            programs.iter().for_each(|program| drop(black_box(program.evaluate(&mode.variables, &Budget::default()))));
        }
    }
    println!("{} allocations in a round", region.change().allocations / count.max(1));
}

fn read_json(text: &str) -> Value {
    kro_value::from_json(text).unwrap()
}

/// Variables with schemas as `{name: {schema, list, data}}`.
fn data(shared: &Path) -> Value {
    let read = |name: &str| read_json(&std::fs::read_to_string(shared.join("cel/vectors").join(name)).unwrap());
    let (environments, schemas) = (read("envs.json"), read("schemas.json"));
    let environment = environments.get("kro").unwrap();
    let bindings = environment.get("bindings").and_then(Value::as_map).unwrap();
    let declared = environment.get("vars").and_then(Value::as_map).unwrap();
    let variable = |(name, row): (&Str, &Value)| {
        let schema = schemas.get(row.str_at(&["schema_ref"])?)?.clone();
        let list = row.get("list").and_then(Value::as_bool) == Some(true);
        let data = if name == "pods" { pods() } else { bindings.get(name)?.clone() };
        Some((name.clone(), Value::map([("schema", schema), ("list", Value::from(list)), ("data", data)])))
    };
    Value::Map(declared.iter().filter_map(variable).collect())
}

/// A hundred pods, half of them running.
fn pods() -> Value {
    let pod = |index: usize| {
        let phase = if index.is_multiple_of(2) { "Running" } else { "Pending" };
        kro_value::from_json(&format!(
            r#"{{"metadata":{{"name":"web-{index}","labels":{{"app":"web"}}}},"status":{{"phase":"{phase}","podIP":"10.0.0.{index}"}},
                "spec":{{"containers":[{{"name":"c","image":"nginx:{index}"}}]}}}}"#
        ))
        .unwrap()
    };
    Value::list((0..100).map(pod))
}

fn modes(data: &Value) -> [Mode; 2] {
    let variables = data.as_map().unwrap();
    let mut types = SchemaTypes::new();
    let mut declared = Vec::new();
    let (mut objects, mut plain) = (Vec::new(), Vec::new());
    for (name, variable) in variables {
        let schema = Schema::from_json(variable.get("schema").unwrap());
        let list = variable.get("list").and_then(Value::as_bool) == Some(true);
        let ty = if list { types.declare_list(name, &schema) } else { types.declare(name, &schema) };
        declared.push((name.clone(), ty.unwrap()));
        let view = SchemaView::new(schema);
        let value = variable.get("data").unwrap();
        objects.push((name.clone(), typed(value, &if list { view.list_of() } else { view }).unwrap()));
        plain.push((name.clone(), CelValue::from_json(value.clone())));
    }
    let base = library::kro_environment();
    let with = |types: Vec<(Str, Type)>| {
        types.into_iter().fold(base.extend(), |builder, (name, ty)| builder.variable(name, ty))
    };
    let dynamic = variables.keys().map(|name| (name.clone(), Type::Dyn)).collect();
    [
        Mode { name: "typed", environment: with(declared).types(Arc::new(types)).build(), variables: objects },
        Mode { name: "dyn", environment: with(dynamic).build(), variables: plain },
    ]
}

fn measure(mode: &Mode, row: &Value) -> Figures {
    let text = row.str_at(&["expr"]).unwrap();
    let Mode { environment, variables, .. } = mode;
    let ast = environment.parse(text).ast;
    let checked = environment.check(&ast);
    assert!(checked.errors.is_empty(), "{text}: {:?}", checked.errors);
    let program = environment.plan(&ast, Some(&checked)).unwrap();
    program.evaluate(variables, &Budget::default()).unwrap_or_else(|error| panic!("{} {text}: {error}", mode.name));
    let region = Region::new(ALLOCATOR);
    let runs = 100;
    (0..runs).for_each(|_| drop(black_box(program.evaluate(variables, &Budget::default()))));
    let allocations = region.change().allocations as f64 / f64::from(runs);
    let check = time(|| drop(black_box(environment.check(&environment.parse(text).ast))));
    let evaluate = time(|| drop(black_box(program.evaluate(variables, &Budget::default()))));
    Figures { check, evaluate, allocations }
}

/// Nanoseconds a call: of many short rounds the one that is better than nine tenths of them, so that other work on the
/// machine does not count.
fn time(mut work: impl FnMut()) -> f64 {
    let mut timed = |calls: u32| {
        let start = Instant::now();
        (0..calls).for_each(|_| work());
        start.elapsed()
    };
    let mut calls = 1_u32;
    while timed(calls) < ROUND {
        calls *= 2;
    }
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| timed(calls).as_secs_f64() * 1e9 / f64::from(calls)).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 10]
}

/// cel-go's figures in the order of ours: all expressions typed, then all of them dyn.
fn reference(data: &Value, rows: &[Value]) -> Option<Vec<Vec<Figures>>> {
    let program = build()?;
    let input = Value::map([("variables", data.clone()), ("expressions", Value::list(rows.iter().cloned()))]);
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(kro_value::to_json(&input).as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let lines = String::from_utf8(output.stdout).ok()?;
    let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_f64).unwrap();
    let figures: Vec<Figures> = lines
        .lines()
        .map(|line| kro_value::from_json(line).unwrap())
        .map(|row| Figures {
            check: number(&row, "check"),
            evaluate: number(&row, "eval"),
            allocations: number(&row, "allocs"),
        })
        .collect();
    (figures.len() == 2 * rows.len()).then(|| figures.chunks(rows.len()).map(<[Figures]>::to_vec).collect())
}

/// Builds the Go program; says so when there is no Go.
fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/cel-go");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cel-go-bench");
    let built = Command::new("go").args(["build", "-o"]).arg(&program).arg(".").current_dir(source).status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: comparison with cel-go: its program does not build here");
        return None;
    }
    Some(program)
}

fn report(rows: &[Value], ours: &[Vec<Figures>], reference: Option<&[Vec<Figures>]>) {
    let ns = |value: f64| format!("{value:.0}");
    println!("nanoseconds (allocations) of one evaluation; the ratio is theirs to ours");
    println!("| expression | typed | cel-go typed | ratio | dyn | cel-go dyn | ratio | typed to cel-go dyn |");
    println!("|---|---|---|---|---|---|---|---|");
    let cell = |figures: &Figures| format!("{} ({})", ns(figures.evaluate), figures.allocations);
    let mut ratios = [const { Vec::new() }; 5];
    for (at, row) in rows.iter().enumerate() {
        let name = row.str_at(&["id"]).unwrap();
        let (typed, plain) = (&ours[0][at], &ours[1][at]);
        let Some(reference) = reference else {
            println!("| {name} | {} | | | {} | | | |", cell(typed), cell(plain));
            continue;
        };
        let (their_typed, their_plain) = (&reference[0][at], &reference[1][at]);
        let row = [
            their_typed.evaluate / typed.evaluate,
            their_plain.evaluate / plain.evaluate,
            their_plain.evaluate / typed.evaluate,
        ];
        let checks = [their_typed.check / typed.check, their_plain.check / plain.check];
        row.into_iter().chain(checks).zip(&mut ratios).for_each(|(ratio, all)| all.push(ratio));
        println!(
            "| {name} | {} | {} | {:.0} | {} | {} | {:.1} | {:.1} |",
            cell(typed),
            cell(their_typed),
            row[0],
            cell(plain),
            cell(their_plain),
            row[1],
            row[2]
        );
    }
    let mean = |all: &[f64]| (all.iter().map(|ratio| ratio.ln()).sum::<f64>() / all.len() as f64).exp();
    let least = |all: &[f64]| all.iter().copied().fold(f64::INFINITY, f64::min);
    let names = [
        "evaluate typed",
        "evaluate dyn",
        "evaluate typed to cel-go dyn",
        "parse and check typed",
        "parse and check dyn",
    ];
    for (name, all) in names.iter().zip(&ratios).filter(|(_, all)| !all.is_empty()) {
        println!("{name}: geometric mean {:.1}, least {:.1}", mean(all), least(all));
    }
    let checks: Vec<String> = ours[0].iter().map(|figures| ns(figures.check)).collect();
    println!("parse and check typed, ns: {}", checks.join(" "));
}
