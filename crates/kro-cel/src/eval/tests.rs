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
    let object = r#"{"a":{"b":[1,2.5,"x"]},"n":null,"replicas":3,"name":"web"}"#;
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
    ] {
        let error = run(text).unwrap_err();
        assert_eq!((error.message(), error.path(), error.is_unavailable()), (message, path, true), "{text}");
    }
    let error = run("o.replicas + 'x'").unwrap_err();
    assert_eq!((error.message(), error.is_unavailable(), error.span()), ("no such overload", false, Some(0..16)));
}
