use std::collections::BTreeMap;

use kro_value::{Str, from_json};

use super::*;
use crate::{CelValue, Environment, library};

fn environment() -> Environment {
    Environment::builder().library(&library::standard()).library(&library::strings()).build()
}

fn run(text: &str) -> Result<CelValue, EvalError> {
    let environment = environment();
    let parsed = environment.parse(text);
    assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
    let object = r#"{"a":{"b":[1,2.5,"x"]},"n":null,"l":[{"p":[]},{"p":[{"z":1}]}],"replicas":3,"name":"web"}"#;
    let mut variables: BTreeMap<Str, CelValue> = BTreeMap::new();
    variables.insert("o".into(), CelValue::from_json(from_json(object).unwrap()));
    environment.plan(&parsed.ast, None)?.evaluate(&variables, &Budget { steps: 100_000, bytes: 1 << 20 })
}

#[test]
fn evaluates_without_a_check() {
    for text in [
        "1 + 2 * 3 == 7",
        "o.a.b[0] == 1 && o.a.b[1] == 2.5",
        "o.replicas > 2 ? o.name == 'web' : false",
        "has(o.a) && !has(o.c) && has(o.n) && !has(o.n.x)",
        "true || 1 / 0 == 1",
        "'%s-%d'.format([o.name, o.replicas]) == 'web-3'",
        "'abc'.matches('^a.c$') && 'x' in o.a.b && 'a' in o",
        "size('héllo') == 5 && 'héllo'.size() == 5",
        "type(o) == map && type(1) == int",
        "string(timestamp('2026-01-01T00:00:00Z') + duration('90s')) == '2026-01-01T00:01:30Z'",
        "timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin') == 14",
    ] {
        assert_eq!(run(text).map(|value| value.as_bool()), Ok(Some(true)), "{text}");
    }
}

#[test]
fn says_what_is_missing() {
    for (text, message, path) in [
        ("o.a.c", "no such key: c", Some("o.a.c")),
        ("o.a.b[7]", "index out of bounds: 7", Some("o.a.b[7]")),
        ("p.x", "no such attribute(s): p", Some("p")),
        ("o.name.x", "no such key: x", Some("o.name.x")),
        ("o.l.all(i, i.p.all(j, j.q == 1))", "no such key: q", Some("o.l[1].p[0].q")),
        ("o.l.map(i, i.r)", "no such key: r", Some("o.l[0].r")),
        ("o.l.filter(i, true).map(i, i.r)", "no such key: r", Some("i.r")),
    ] {
        let error = run(text).unwrap_err();
        assert_eq!((error.message(), error.path(), error.is_unavailable()), (message, path, true), "{text}");
    }
    let error = run("o.replicas + 'x'").unwrap_err();
    assert_eq!((error.message(), error.is_unavailable(), error.span()), ("no such overload", false, Some(0..16)));
}

/// Work and memory are bounded on whatever an author writes.
#[test]
fn runaway_expressions_end_in_a_clear_error() {
    let doubling = |depth: usize| {
        let binds: String = (1..depth).map(|at| format!("cel.bind(x{at}, x{0} + x{0}, ", at - 1)).collect();
        format!("cel.bind(x0, 'xxxxxxxx', {binds}size(x{}){}", depth - 1, ")".repeat(depth))
    };
    let environment = library::kro_environment();
    let budget = Budget { steps: 200_000, bytes: 1 << 20 };
    for text in [
        "lists.range(1000000).size() > 0".to_owned(),
        "lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000).map(c, a + b + c))).size()".to_owned(),
        "lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0))".to_owned(),
        "random.seededString(100000000, 'a')".to_owned(),
        "lists.range(3000).distinct().size()".to_owned(),
        "lists.range(9000).reverse().transformMapEntry(i, v, {v: i}).size()".to_owned(),
        "lists.range(2000).filter(i, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('(a+)+b' + string(i))).size()"
            .to_owned(),
        doubling(40),
    ] {
        let parsed = environment.parse(&text);
        assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
        let program = environment.plan(&parsed.ast, None).unwrap();
        let error = program.evaluate(&(), &budget).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BudgetExceeded, "{text}: {error}");
        assert!(error.message().starts_with("evaluation exceeds its budget of "), "{text}: {error}");
    }
}

#[test]
fn a_spent_budget_is_never_absorbed() {
    let environment = library::kro_environment();
    let ast = environment.parse("true in [lists.range(100000).size() > 0] || true").ast;
    let error = environment.plan(&ast, None).unwrap().evaluate(&(), &Budget { steps: 1_000, bytes: 1 << 20 });
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::BudgetExceeded));
}

/// What would take for ever, or all memory, or the whole stack, is refused where it starts: most of it by a limit of its own,
/// the rest by the budget that every evaluation has.
#[test]
fn bombs_do_not_go_off() {
    let environment = library::kro_environment();
    let mut wrong = Vec::new();
    let budget = Budget { steps: 1_000_000, bytes: 8 << 20 };
    let doubled = |start: &str, times: usize, last: &str| {
        let binds: String = (1..=times).map(|at| format!("cel.bind(x{at}, x{0} + x{0}, ", at - 1)).collect();
        let last = last.replace("$", &format!("x{times}"));
        format!("cel.bind(x0, '{start}', {binds}{last}{}", ")".repeat(times + 1))
    };
    for (text, message) in [
        ("lists.range(1000000000)".to_owned(), "lists.range: size 1000000000 exceeds maximum allowed (1000000)"),
        (doubled("[", 17, "json.unmarshal($)"), "json.unmarshal failed to parse JSON: recursion limit exceeded"),
        (doubled("{\"a\":", 16, "json.unmarshal($)"), "json.unmarshal failed to parse JSON: recursion limit exceeded"),
        (doubled("(", 14, "'a'.matches($)"), "error parsing regexp: "),
        (doubled("a{1000}", 9, "'a'.matches($)"), "error parsing regexp: "),
        ("'a'.matches('((((a{100}){100}){100}){100})')".to_owned(), "error parsing regexp: "),
        (doubled("9", 16, "quantity($ + 'x')"), "quantities must match"),
        (doubled("1", 20, "int($)"), "type conversion error from 'string' to 'int'"),
        (doubled("aaaaaaaa", 40, "$"), "evaluation exceeds its budget of 8388608 bytes of new values"),
        (doubled("%s", 12, "'%s'.format([$.format([$])])"), ""),
        ("'%.2147483647f'.format([1.5])".to_owned(), ""),
        ("random.seededString(2000000000, 'a')".to_owned(), ""),
        ("lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000))).size()".to_owned(), "evaluation exceeds "),
        ("lists.range(1000000).map(a, 'x').join('yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')"
            .to_owned(), "evaluation exceeds "),
        ("lists.range(100000).distinct()".to_owned(), "evaluation exceeds "),
        ("lists.range(100000).map(a, lists.range(1000)).flatten().size()".to_owned(), "evaluation exceeds "),
        ("'a'.replace('', 'bbbbbbbbbb').replace('', 'bbbbbbbbbb').replace('', 'bbbbbbbbbb').replace('', 'bbbbbbbbbb')\
          .replace('', 'bbbbbbbbbb').replace('', 'bbbbbbbbbb').replace('', 'bbbbbbbbbb').replace('', 'bbbbbbbbbb').size()"
            .to_owned(), "evaluation exceeds "),
    ] {
        let parsed = environment.parse(&text);
        assert_eq!(parsed.errors, [], "{text:.80}");
        let mut context = EvalContext::new(budget);
        let outcome = environment.plan(&parsed.ast, None).and_then(|program| program.evaluate_with(&(), &mut context));
        match outcome {
            Err(error) if error.message().starts_with(message) => {}
            Err(error) => wrong.push(format!("{text:.80}: {error:.200}")),
            Ok(value) => wrong.push(format!("{text:.80}: {}", value.type_name())),
        }
        assert!(context.used().bytes <= budget.bytes, "{text:.80}");
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Depth is bounded where an expression is read: by the parser for what nests, by the tree for what is long.
#[test]
fn depth_ends_in_the_parser() {
    let environment = library::kro_environment();
    for text in [
        "(".repeat(100_000),
        "[".repeat(5_000) + &"]".repeat(5_000),
        "!".repeat(100_000) + "true",
        "a.".repeat(50_000) + "a",
    ] {
        let errors = environment.parse(&text).errors;
        assert!(!errors.is_empty(), "{text:.20}");
    }
}
