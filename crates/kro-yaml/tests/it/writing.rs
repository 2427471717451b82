//! Values as YAML text.

use kro_diagnostics::FileId;
use kro_value::{Value, from_json};
use kro_yaml::{parse, to_yaml, to_yaml_stream};
use proptest::prelude::*;

#[test]
fn writes_as_kubectl_does() {
    let value = from_json(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{},"name":"x","annotations":{"a.b/c":"yes","n":"1"}},
        "spec":{"args":["--flag=1","-",": x","a: b","a #b","it's","'q'","","  x","*","1:30","2001-01-01","0x1F","~"],
        "nested":[[1,2],[],[[true]],{"a":1,"b":[null]}],"script":"one\n  two\n\nthree\n","tail":"x\ny","keep":"x\n\n",
        "odd":" x\ny","tab":"a\tb","nul":"\u0000\u2028"},"y":1.5,"big":1e300}"#,
    )
    .unwrap();
    let text = r#"apiVersion: v1
big: 1e+300
kind: Pod
metadata:
  annotations:
    a.b/c: "yes"
    "n": "1"
  labels: {}
  name: x
spec:
  args:
  - --flag=1
  - '-'
  - ': x'
  - 'a: b'
  - 'a #b'
  - it's
  - '''q'''
  - ""
  - '  x'
  - '*'
  - "1:30"
  - "2001-01-01"
  - "0x1F"
  - "~"
  keep: |+
    x

  nested:
  - - 1
    - 2
  - []
  - - - true
  - a: 1
    b:
    - null
  nul: "\u0000\u2028"
  odd: " x\ny"
  script: |
    one
      two

    three
  tab: "a\tb"
  tail: |-
    x
    y
"y": 1.5
"#;
    assert_eq!(to_yaml(&value), text);
    assert_eq!(parse(text, FileId(0)).values(), [value]);
}

#[test]
fn scalars_and_streams() {
    let values = [Value::from("a\nb\n"), Value::Null, Value::from(vec![]), Value::from("x")];
    let text = to_yaml_stream(&values);
    assert_eq!(text, "|\n  a\n  b\n---\nnull\n---\n[]\n---\nx\n");
    assert_eq!(parse(&text, FileId(0)).values(), values);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("whole floats are read by their printed digits", |float| float.is_finite()
                && (float.fract() != 0.0 || float.abs() > 1e20))
            .prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5).prop_map(Value::map),
        ]
    })
}

/// Texts that look like something else, and any text.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-?:,\\[\\]{}#&*!|>'\"%@` \\n\\ta0.~y=<+_é]{0,8}",
        "(true|No|on|~|null|0x1f|0o7|1e3|1_0|.inf|<<|---|[.]{3}| #|: |\\n|\\r|\u{85}|\u{2028}|\u{feff}|x){0,4}",
        any::<String>(),
        "k{110,140}",
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in value()) {
        let text = to_yaml(&value);
        let parsed = parse(&text, FileId(0));
        prop_assert!(parsed.diagnostics.is_empty(), "{:?} in {text:?}", parsed.diagnostics);
        prop_assert_eq!(parsed.values(), vec![value], "{}", text);
    }
}
