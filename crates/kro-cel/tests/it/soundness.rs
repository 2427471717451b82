//! What the checker accepts never fails for want of an overload or a name when it is evaluated on data that fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use kro_cel::{Budget, CelValue, Environment, ErrorKind, Type, library, view};
use kro_schema::cel::SchemaTypes;
use kro_schema::structural::Schema;
use kro_schema::view::SchemaView;
use kro_value::{Str, from_json};
use proptest::prelude::*;

const SCHEMA: &str = r#"{"type":"object","properties":{
    "name":{"type":"string"},"replicas":{"type":"integer"},"ratio":{"type":"number"},"on":{"type":"boolean"},
    "since":{"type":"string","format":"date-time"},"secret":{"type":"string","format":"byte"},
    "labels":{"type":"object","additionalProperties":{"type":"string"}},
    "ports":{"type":"array","items":{"type":"object","properties":{"port":{"type":"integer"},"name":{"type":"string"}}}},
    "tags":{"type":"array","items":{"type":"string"}},
    "inner":{"type":"object","properties":{"deep":{"type":"object","properties":{"x":{"type":"integer"}}}}}}}"#;
const DATA: &str = r#"{"name":"web","replicas":3,"ratio":1,"on":true,"since":"2026-01-02T03:04:05Z","secret":"aGk=",
    "labels":{"app":"web","b":""},"ports":[{"port":80,"name":"http"},{"port":443}],"tags":["a","b"],"inner":{}}"#;

/// Expressions of each type; `{int}` and the like stand for an expression of that type.
const FORMS: [(&str, &str); 92] = [
    ("int", "7"),
    ("int", "-3"),
    ("int", "o.replicas"),
    ("int", "o.inner.deep.x"),
    ("int", "o.ports[{int}].port"),
    ("int", "{int} + {int}"),
    ("int", "{int} * {int}"),
    ("int", "({int}) / ({int})"),
    ("int", "({int}) % ({int})"),
    ("int", "-({int})"),
    ("int", "{string}.size()"),
    ("int", "{ints}[{int}]"),
    ("int", "{ints}.sum()"),
    ("int", "int({double})"),
    ("int", "int({string})"),
    ("int", "{bool} ? ({int}) : ({int})"),
    ("int", "{time}.getFullYear()"),
    ("int", "{string}.indexOf({string})"),
    ("int", "{ints}.filter(e, e > ({int})).size()"),
    ("int", "o.?inner.deep.x.orValue({int})"),
    ("int", "cel.bind(v, {int}, v + v)"),
    ("int", "{ints}.map(e, e * 2)[0]"),
    ("int", "quantity({string}).asInteger()"),
    ("double", "1.5"),
    ("double", "o.ratio"),
    ("double", "({double}) / ({double})"),
    ("double", "({double}) - ({double})"),
    ("double", "double({int})"),
    ("string", "'a-b'"),
    ("string", "o.name"),
    ("string", "o.labels['app']"),
    ("string", "o.labels[{string}]"),
    ("string", "o.labels.missing"),
    ("string", "o.tags[{int}]"),
    ("string", "({string}) + ({string})"),
    ("string", "string({int})"),
    ("string", "string({double})"),
    ("string", "string({bool})"),
    ("string", "{strings}.join(',')"),
    ("string", "{string}.replace('a', {string})"),
    ("string", "{string}.substring(0, {int})"),
    ("string", "{string}.upperAscii()"),
    ("string", "'%s-%d'.format([{string}, {int}])"),
    ("string", "base64.encode(o.secret)"),
    ("string", "{bool} ? ({string}) : o.name"),
    ("string", "json.marshal({ints})"),
    ("string", "{map}[{string}]"),
    ("string", "random.seededString({int}, {string})"),
    ("string", "o.ports.map(p, p.name)[0]"),
    ("bool", "true"),
    ("bool", "o.on"),
    ("bool", "({int}) < ({int})"),
    ("bool", "({double}) >= ({double})"),
    ("bool", "({string}) == ({string})"),
    ("bool", "({ints}) != ({ints})"),
    ("bool", "!({bool})"),
    ("bool", "({bool}) && ({bool})"),
    ("bool", "({bool}) || ({bool})"),
    ("bool", "({int}) in ({ints})"),
    ("bool", "({string}) in ({map})"),
    ("bool", "{string}.startsWith({string})"),
    ("bool", "{string}.matches('^a+')"),
    ("bool", "has(o.inner.deep)"),
    ("bool", "has(o.labels.app)"),
    ("bool", "{ints}.exists(e, e > ({int}))"),
    ("bool", "o.ports.all(p, p.port > ({int}))"),
    ("bool", "{ints}.exists_one(e, e == ({int}))"),
    ("bool", "{time} < {time}"),
    ("bool", "o.?inner.?deep.hasValue()"),
    ("bool", "{strings}.isSorted()"),
    ("bool", "{map}.all(k, v, k != v)"),
    ("ints", "[{int}, {int}]"),
    ("ints", "li"),
    ("ints", "li.filter(e, false)"),
    ("ints", "{ints}.filter(e, {bool})"),
    ("ints", "{strings}.map(e, e.size())"),
    ("ints", "({ints}) + ({ints})"),
    ("ints", "{ints}.reverse()"),
    ("ints", "o.ports.map(p, p.port)"),
    ("ints", "{ints}.sortBy(e, -e)"),
    ("ints", "lists.range({int})"),
    ("ints", "{ints}.slice(0, {int})"),
    ("ints", "{strings}.transformList(i, s, i)"),
    ("strings", "o.tags"),
    ("strings", "[{string}, {string}]"),
    ("strings", "{string}.split('-')"),
    ("strings", "{map}.map(k, k)"),
    ("map", "o.labels"),
    ("map", "{{string}: {string}}"),
    ("map", "{map}.merge({map})"),
    ("time", "o.since"),
    ("time", "{time} + duration('1h')"),
];

/// An expression of a type, chosen by a seed.
fn generate(wanted: &str, depth: u32, seed: &mut u64) -> String {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let is_leaf = |form: &str| {
        !["int", "double", "string", "bool", "ints", "strings", "map", "time"]
            .iter()
            .any(|ty| form.contains(&format!("{{{ty}}}")))
    };
    let fitting = |form: &&(&str, &str)| form.0 == wanted && (depth > 0 || is_leaf(form.1));
    let forms: Vec<_> = FORMS.iter().filter(fitting).collect();
    let form = forms[usize::try_from(*seed >> 33).unwrap() % forms.len()].1;
    let mut out = form.to_owned();
    for ty in ["int", "double", "string", "bool", "ints", "strings", "map", "time"] {
        let hole = format!("{{{ty}}}");
        while out.contains(&hole) {
            // what is filled in may contain holes of no other kind, because it is complete
            let part = generate(ty, depth.saturating_sub(1), seed);
            out = out.replacen(&hole, &format!("({part})"), 1);
        }
    }
    out
}

fn environment() -> (Environment, BTreeMap<Str, CelValue>) {
    let schema = Schema::from_json(&from_json(SCHEMA).unwrap());
    let mut types = SchemaTypes::new();
    let object = types.declare("o", &schema).unwrap();
    let builder = library::kro_environment().extend().types(Arc::new(types));
    let environment = builder.variable("o", object).variable("li", Type::list(Type::Int)).build();
    let value = view::typed(&from_json(DATA).unwrap(), &SchemaView::new(schema.clone())).unwrap();
    let list = CelValue::list([3, 1, 2].map(CelValue::Int));
    (environment, BTreeMap::from([("o".into(), value), ("li".into(), list)]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]
    #[test]
    fn checked_expressions_find_their_overloads(seed in any::<u64>(), ty in prop::sample::select(vec!["int", "string", "bool", "ints", "map"])) {
        let (environment, variables) = environment();
        let mut seed = seed;
        let text = generate(ty, 4, &mut seed);
        let parsed = environment.parse(&text);
        prop_assert_eq!(&parsed.errors, &[], "{}", text);
        let checked = environment.check(&parsed.ast);
        prop_assert_eq!(&checked.errors, &[], "{}", text);
        let budget = Budget { steps: 100_000, bytes: 1 << 20 };
        let outcome = environment.plan(&parsed.ast, Some(&checked)).and_then(|program| program.evaluate(&variables, &budget));
        if let Err(error) = &outcome {
            prop_assert!(!matches!(error.kind(), ErrorKind::NoOverload | ErrorKind::NoSuchAttribute), "{}: {:?}", text, error);
        }
        // the types do not change what comes out
        let unchecked = environment.plan(&parsed.ast, None).and_then(|program| program.evaluate(&variables, &budget));
        match (outcome, unchecked) {
            (Ok(left), Ok(right)) => prop_assert!(left == right, "{text}: {left:?} and {right:?}"),
            (Err(left), Err(right)) => prop_assert_eq!(left.message(), right.message(), "{}", text),
            (left, right) => prop_assert!(false, "{text}: {left:?} and {right:?}"),
        }
    }
}
