//! Nanoseconds of planning and evaluating the expressions of `expressions.jsonl` over typed Kubernetes objects.
//! Needs `KRO_SHARED_DIR`. How to compare with cel-go is told in `benches/README.md` at the root.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use kro_cel::Budget;
use kro_celwire::Session;
use serde_json::{Value, json};

/// How long one measurement takes.
const TARGET: Duration = Duration::from_millis(300);

fn main() {
    let Some(shared) = std::env::var_os("KRO_SHARED_DIR") else {
        eprintln!("SKIPPED: benchmark of expressions: KRO_SHARED_DIR is not set");
        return;
    };
    let read = |name: &str| {
        let path = std::path::Path::new(&shared).join("cel/vectors").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    let mut session = Session::new(&read("envs.json"), &read("schemas.json")).unwrap();
    let world = session.world(&json!("kro")).unwrap();
    let environment = &world.environment;
    let variables = world.bind(&json!({"pods": (0..100).map(pod).collect::<Vec<_>>()})).unwrap();
    println!("expression\tparse and check ns\tplan ns\tevaluate ns");
    for line in include_str!("expressions.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let (name, text) = (row["id"].as_str().unwrap(), row["expr"].as_str().unwrap());
        let ast = environment.parse(text).ast;
        let checked = environment.check(&ast);
        assert!(checked.errors.is_empty(), "{text}: {:?}", checked.errors);
        let program = environment.plan(&ast, Some(&checked)).unwrap();
        program.evaluate(&variables, &Budget::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let check = measure(|| drop(black_box(environment.check(&environment.parse(text).ast))));
        let plan = measure(|| drop(black_box(environment.plan(&ast, Some(&checked)))));
        let evaluate = measure(|| drop(black_box(program.evaluate(&variables, &Budget::default()))));
        println!("{name}\t{check}\t{plan}\t{evaluate}");
    }
}

/// A pod; every second one is running.
fn pod(index: usize) -> Value {
    let phase = if index.is_multiple_of(2) { "Running" } else { "Pending" };
    json!({
        "metadata": {"name": format!("web-{index}"), "labels": {"app": "web"}},
        "status": {"phase": phase, "podIP": format!("10.0.0.{index}")},
        "spec": {"containers": [{"name": "c", "image": format!("nginx:{index}")}]},
    })
}

/// The best of five rounds, in nanoseconds a call.
fn measure(mut work: impl FnMut()) -> u128 {
    let mut calls = 1_u32;
    loop {
        let start = Instant::now();
        (0..calls).for_each(|_| work());
        if start.elapsed() > TARGET / 10 {
            break;
        }
        calls *= 2;
    }
    let round = |_| {
        let start = Instant::now();
        (0..calls).for_each(|_| work());
        start.elapsed().as_nanos() / u128::from(calls)
    };
    (0..5).map(round).min().unwrap_or_default()
}
