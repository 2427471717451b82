use kro_value::{Value, from_json};

use super::*;

fn crd(schema: &str) -> Value {
    let text = format!(
        r#"{{"spec":{{"scope":"Namespaced","versions":[{{"name":"v1","served":true,
            "schema":{{"openAPIV3Schema":{schema}}},"subresources":{{"status":{{}}}}}}]}}}}"#
    );
    from_json(&text).unwrap()
}

fn field(schema: &str) -> Value {
    crd(&format!(r#"{{"type":"object","properties":{{"spec":{{"type":"object","properties":{{"f":{schema}}}}}}}}}"#))
}

/// The changes as lines: `B` breaking, `C` compatible, `I` ignored.
fn lines(old: &Value, new: &Value) -> Vec<String> {
    let evolution = compare(old, new, CompareOptions::default()).unwrap();
    evolution.changes.iter().map(|change| format!("{:.1} {change}", format!("{:?}", change.class))).collect()
}

#[test]
fn judges_changes_of_one_field() {
    const AT: &str = ".properties.spec.properties.f";
    for (old, new, expected) in [
        (r#"{"type":"string"}"#, r#"{"type":"string"}"#, ""),
        (r#"{"type":"string"}"#, r#"{"type":"integer","minimum":3}"#, "B Type changed from string to integer .type"),
        (
            r#"{"description":"a"}"#,
            r#"{"description":"b"}"#,
            "C Description field was changed from a to b .description",
        ),
        (r#"{"default":1}"#, r#"{"default":2}"#, "C Default value was changed from 1 to 2 .default"),
        (r#"{}"#, r#"{"pattern":"^a"}"#, "B Validation pattern ^a was added .pattern"),
        (r#"{"pattern":"^a"}"#, r#"{"pattern":"^b"}"#, "B Validation pattern changed from ^a to ^b .pattern"),
        (r#"{"pattern":"^a"}"#, r#"{}"#, "C Validation pattern ^a was removed .pattern"),
        (r#"{}"#, r#"{"minimum":1}"#, "B Minimum constraint 1 was added .minimum"),
        (r#"{"minimum":1}"#, r#"{"minimum":2}"#, "B Minimum was increased from 1 to 2 .minimum"),
        (r#"{"minimum":2}"#, r#"{"minimum":1.5}"#, "C Minimum was decreased from 2 to 1.5 .minimum"),
        (r#"{"maxItems":2}"#, r#"{"maxItems":1}"#, "B MaxItems was decreased from 2 to 1 .maxItems"),
        (r#"{"maxItems":2}"#, r#"{"maxItems":3}"#, "C MaxItems was increased from 2 to 3 .maxItems"),
        (r#"{"maxLength":2}"#, r#"{}"#, "C MaxLength constraint 2 was removed .maxLength"),
        (r#"{"enum":["a","b"]}"#, r#"{"enum":["b"]}"#, r#"B Enum value "a" was removed .enum"#),
        (r#"{"enum":["b"]}"#, r#"{"enum":["b","c"]}"#, r#"C Enum value "c" was added .enum"#),
        (r#"{}"#, r#"{"enum":["b"]}"#, r#"B Enum ["b"] was added .enum"#),
        (r#"{"enum":["b"]}"#, r#"{}"#, r#"C Enum ["b"] was removed .enum"#),
        (r#"{"items":{"type":"string"}}"#, r#"{}"#, "B Property items was removed .items"),
        (r#"{}"#, r#"{"items":{"type":"string"}}"#, "C Optional property items was added .items"),
        (
            r#"{"items":{"type":"string"}}"#,
            r#"{"items":{"type":"integer"}}"#,
            "B Type changed from string to integer .items.type",
        ),
        (
            r#"{"additionalProperties":{"type":"string"}}"#,
            r#"{"additionalProperties":{"type":"integer"}}"#,
            "B Type changed from string to integer .additionalProperties.type",
        ),
        (r#"{"additionalProperties":{"type":"string"}}"#, r#"{}"#, "B Map values were removed .additionalProperties"),
        (r#"{}"#, r#"{"format":"date"}"#, r#"B Format was changed from nothing to "date" .format"#),
        (r#"{"nullable":true}"#, r#"{}"#, "B Nullable was changed from true to nothing .nullable"),
        (
            r#"{}"#,
            r#"{"x-kubernetes-validations":[{"rule":"self > 1"}]}"#,
            "B Validation rule self > 1 was added .x-kubernetes-validations",
        ),
        (
            r#"{"x-kubernetes-validations":[{"rule":"self > 1"}]}"#,
            r#"{}"#,
            "C Validation rule self > 1 was removed .x-kubernetes-validations",
        ),
        (
            r#"{}"#,
            r#"{"x-kubernetes-list-type":"set"}"#,
            r#"B X-kubernetes-list-type was changed from nothing to "set" .x-kubernetes-list-type"#,
        ),
        (r#"{}"#, r#"{"uniqueItems":true}"#, "B UniqueItems constraint true was added .uniqueItems"),
        (r#"{}"#, r#"{"title":"T"}"#, r#"I Title was changed from nothing to "T" .title"#),
    ] {
        let expected = match expected.rsplit_once(' ') {
            Some((text, path)) => vec![format!("{text} (at {AT}{path})")],
            None => Vec::new(),
        };
        assert_eq!(lines(&field(old), &field(new)), expected, "{old} -> {new}");
    }
}

#[test]
fn judges_properties() {
    let object = |properties: &str, required: &str| {
        field(&format!(r#"{{"type":"object","properties":{properties},"required":{required}}}"#))
    };
    let (a, ab) = (r#"{"a":{"type":"string"}}"#, r#"{"a":{"type":"string"},"b":{"type":"string"}}"#);
    let at = |name: &str| format!(".properties.spec.properties.f.properties.{name}");
    for (old, new, expected) in [
        (object(ab, "[]"), object(a, "[]"), format!("B Property b was removed (at {})", at("b"))),
        (object(a, "[]"), object(ab, "[]"), format!("C Optional property b was added (at {})", at("b"))),
        (object(a, "[]"), object(ab, r#"["b"]"#), format!("B Required property b was added (at {})", at("b"))),
        (object(a, "[]"), object(a, r#"["a"]"#), format!("B Field a is newly required (at {})", at("a"))),
        (object(a, r#"["a"]"#), object(a, "[]"), format!("C Field a is no longer required (at {})", at("a"))),
    ] {
        assert_eq!(lines(&old, &new), [expected]);
    }
    let with_default = object(r#"{"a":{"default":"x"}}"#, r#"["a"]"#);
    let without = object(r#"{"a":{}}"#, r#"["a"]"#);
    assert_eq!(
        lines(&with_default, &without),
        [
            format!("B Default value removed from required field a (at {})", at("a")),
            format!("C Default value was changed from \"x\" to nothing (at {}.default)", at("a")),
        ]
    );
}

#[test]
fn status_is_softer_unless_strict() {
    let status =
        |kind: &str| crd(&format!(r#"{{"properties":{{"status":{{"properties":{{"f":{{"type":"{kind}"}}}}}}}}}}"#));
    let (old, new) = (status("string"), status("integer"));
    assert!(!compare(&old, &new, CompareOptions::default()).unwrap().is_breaking());
    assert!(compare(&old, &new, CompareOptions { strict_status: true }).unwrap().is_breaking());
}

#[test]
fn summarises_three() {
    let properties: Vec<String> = (0..5).map(|number| format!(r#""p{number}":{{}}"#)).collect();
    let old = crd(&format!(r#"{{"properties":{{{}}}}}"#, properties.join(",")));
    let evolution = compare(&old, &crd("{}"), CompareOptions::default()).unwrap();
    assert_eq!(
        evolution.summary(),
        "Property p0 was removed (at .properties.p0); Property p1 was removed (at .properties.p1); \
         Property p2 was removed (at .properties.p2); and 2 more changes"
    );
    assert_eq!(compare(&old, &old, CompareOptions::default()).unwrap().summary(), "no breaking changes");
}

#[test]
fn compares_what_stands_around_the_schema() {
    let mut new = crd("{}");
    new.set_at(&["spec", "scope"], "Cluster".into());
    new.set_at(&["spec", "names", "shortNames"], Value::list(["a".into()]));
    new.set_at(&["metadata", "labels", "l"], "1".into());
    assert_eq!(
        lines(&crd("{}"), &new),
        [
            r#"C L was changed from nothing to "1" (at metadata.labels.l)"#,
            r#"C ShortNames was changed from nothing to ["a"] (at names.shortNames)"#,
            r#"B Scope was changed from "Namespaced" to "Cluster" (at scope)"#,
        ]
    );
    let error = compare(&Value::Null, &new, CompareOptions::default()).unwrap_err();
    assert_eq!(error.message, "expected exactly one version in each CRD, got 0 old and 1 new versions");
}
