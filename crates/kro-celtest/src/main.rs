//! Compares this engine with the reference: see the README of this crate.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // a tool on the command line

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use kro_celtest::comparison::{self, Case};
use kro_celtest::explained::explain;
use kro_celtest::generator::Generator;
use kro_celtest::oracle::Oracle;
use kro_celtest::random::Random;
use kro_celtest::{ENVIRONMENTS, probes};
use kro_celwire::Session;
use serde_json::{Value, json};

const USAGE: &str = "celdiff ORACLE generate [SEED [COUNT]]   random expressions
celdiff ORACLE probes                    every overload with edge values
celdiff ORACLE record [SEED [COUNT]]     random expressions with the answers, for the recorded part
celdiff ORACLE costs [SEED [COUNT]]      random expressions and what they cost
celdiff ORACLE record-costs FILE [SEED [COUNT]]   the same and those of a file, with what they cost
celdiff ORACLE ask FILE                  questions of a file of JSON Lines
celdiff - show [SEED [COUNT]]            random expressions only";

/// How many questions go to the reference at once.
const BATCH: usize = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |at: usize, default: u64| texts.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seed, count) = (number(2, 1), usize::try_from(number(3, 10_000)).unwrap());
    let mut differ = Differ::new(texts.first().unwrap_or(&"-"));
    match texts.get(1) {
        Some(&"generate") => generate(seed, count, &mut |questions| differ.compare(&questions)),
        Some(&"probes") => probe(&mut differ),
        Some(&"record") => {
            differ.records = true;
            generate(seed, count, &mut |questions| differ.compare(&questions));
        }
        Some(&"costs") => generate(seed, count, &mut |questions| differ.compare(&with_costs(questions))),
        Some(&"record-costs") => {
            differ.records = true;
            differ.compare(&with_costs(questions_of(texts[2])));
            let count = usize::try_from(number(4, 500)).unwrap();
            generate(number(3, 1), count, &mut |questions| differ.compare(&with_costs(questions)));
        }
        Some(&"ask") => questions_of(texts[2]).chunks(BATCH).for_each(|questions| differ.compare(questions)),
        Some(&"show") => generate(seed, count, &mut |questions| {
            questions.iter().for_each(|question| println!("{}\t{}", question["env"], question["expr"]));
        }),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    }
    differ.report();
    if differ.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The questions of a file of JSON Lines.
fn questions_of(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of questions");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Questions that also want to know the cost.
fn with_costs(mut questions: Vec<Value>) -> Vec<Value> {
    questions.iter_mut().for_each(|question| question["cost"] = json!(true));
    questions
}

/// Makes expressions of all environments and hands them on in batches.
fn generate(seed: u64, count: usize, take: &mut dyn FnMut(Vec<Value>)) {
    let mut session = Session::new(ENVIRONMENTS, "").expect("environments");
    let names = ["typed", "kube", "extended", "standard"];
    let worlds: Vec<_> = names.iter().map(|name| session.world(&json!(name)).expect("an environment")).collect();
    let mut generators: Vec<_> = worlds
        .iter()
        .zip(1..)
        .map(|(world, number)| Generator::new(&world.environment, seed * 1000 + number))
        .collect();
    let mut random = Random::new(seed);
    let mut left = count;
    while left > 0 {
        let size = left.min(BATCH);
        left -= size;
        let question = |_| {
            let at = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][random.below(10)];
            json!({"id": "", "env": names[at], "expr": generators[at].generate()})
        };
        take((0..size).map(question).collect());
    }
}

fn probe(differ: &mut Differ) {
    let mut session = Session::new(ENVIRONMENTS, "").expect("environments");
    for name in ["typed", "extended", "standard"] {
        let world = session.world(&json!(name)).expect("an environment");
        let mut texts = probes::probes(&world.environment, 60);
        if name == "typed" {
            texts.extend(probes::formats());
        }
        let questions: Vec<Value> =
            texts.into_iter().map(|text| json!({"id": "", "env": name, "expr": text})).collect();
        questions.chunks(BATCH).for_each(|questions| differ.compare(questions));
    }
}

struct Differ {
    oracle: Oracle,
    session: Session,
    records: bool,
    seen: BTreeSet<String>,
    total: usize,
    outcomes: BTreeMap<String, usize>,
    explained: BTreeMap<&'static str, usize>,
    differences: usize,
    spent: [Duration; 2],
}

impl Differ {
    fn new(oracle: &str) -> Self {
        let environments = concat!(env!("CARGO_MANIFEST_DIR"), "/data/environments.json");
        Self {
            oracle: Oracle::new(oracle, &["-envs", environments]),
            session: Session::new(ENVIRONMENTS, "").expect("environments"),
            records: false,
            seen: BTreeSet::new(),
            total: 0,
            outcomes: BTreeMap::new(),
            explained: BTreeMap::new(),
            differences: 0,
            spent: [Duration::ZERO; 2],
        }
    }

    fn compare(&mut self, questions: &[Value]) {
        let start = Instant::now();
        let answers = self.oracle.ask(questions);
        self.spent[0] += start.elapsed();
        for (question, reference) in questions.iter().zip(answers) {
            let start = Instant::now();
            let ours = serde_json::from_str(&self.session.answer(&question.to_string())).expect("an answer");
            let took = start.elapsed();
            self.spent[1] += took;
            if took > Duration::from_secs(2) {
                println!("SLOW {took:?} {}", question["expr"]);
            }
            let text = |part: &str| question[part].as_str().unwrap_or_default().to_owned();
            let case = Case { environment: text("env"), text: text("expr"), reference, ours };
            self.total += 1;
            self.seen.insert(format!("{}{}", case.environment, case.text));
            *self.outcomes.entry(case.reference_stage().to_owned()).or_default() += 1;
            self.judge(question, &case);
        }
    }

    fn judge(&mut self, question: &Value, case: &Case) {
        let Some(difference) = case.difference() else {
            match case.reference.get("cost").filter(|_| case.reference_stage() == "ok") {
                _ if !self.records => {}
                Some(cost) => println!("{}", json!([case.environment, case.text, cost])),
                None if question.get("cost").is_some() => {}
                None => println!("{}", json!([case.environment, case.text, comparison::record(&case.reference)])),
            }
            return;
        };
        if let Some(reason) = explain(case).or_else(|| self.depends_on_order(question, case)) {
            *self.explained.entry(reason).or_default() += 1;
            return;
        }
        self.differences += 1;
        if !self.records {
            println!("{}\t{}\t{difference}", case.environment, case.text.escape_debug());
        }
    }

    /// The reference goes through maps in another order every time: one of its answers is ours, or it has so many that
    /// the right one is hard to meet.
    fn depends_on_order(&self, question: &Value, case: &Case) -> Option<&'static str> {
        let agrees = |reference: &Value| Case { reference: reference.clone(), ..case.clone() }.difference().is_none();
        let again = self.oracle.ask(&vec![question.clone(); 60]);
        let distinct: BTreeSet<String> = again.iter().map(Value::to_string).collect();
        match (again.iter().any(agrees), distinct.len()) {
            (true, _) => Some("the reference goes through maps in any order; one order gives our answer"),
            (false, 4..) => Some("the reference goes through a large map in any order, with many answers"),
            (false, _) => None,
        }
    }

    fn report(&self) {
        let counts = |counts: &BTreeMap<String, usize>| {
            counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        eprintln!("{} expressions, {} different ones: {}", self.total, self.seen.len(), counts(&self.outcomes));
        for (reason, count) in &self.explained {
            eprintln!("{count} explained: {reason}");
        }
        eprintln!("{} unexplained differences", self.differences);
        eprintln!("reference {:?}, this engine {:?}", self.spent[0], self.spent[1]);
    }
}
