//! The type of each scalar and the text of each key, as `sigs.k8s.io/yaml` 1.6 gives them.

use kro_diagnostics::FileId;
use kro_value::to_json;
use kro_yaml::parse;

/// The JSON of the first document, or the codes of the errors.
fn read(text: &str) -> String {
    let parsed = parse(text, FileId(0));
    if parsed.diagnostics.has_errors() {
        return parsed.diagnostics.iter().map(|diagnostic| diagnostic.to_string()).collect::<Vec<_>>().join("\n");
    }
    parsed.values().first().map_or_else(String::new, to_json)
}

#[test]
fn plain_scalars() {
    for (scalar, json) in [
        // Booleans of YAML 1.1, and null.
        ("yes", "true"),
        ("On", "true"),
        ("y", "true"),
        ("N", "false"),
        ("oFF", "\"oFF\""),
        ("~", "null"),
        ("", "null"),
        ("NULL", "null"),
        // Integers.
        ("0777", "511"),
        ("0o17", "15"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("-0b11", "-3"),
        ("0b+1", "1"),
        ("1_000", "1000"),
        ("_1", "\"_1\""),
        ("+5", "5"),
        ("08", "8"),
        ("0o8", "\"0o8\""),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551615", "1.8446744073709552e+19"),
        ("99999999999999999999", "1e+20"),
        ("1:30", "\"1:30\""),
        // Floats; whole ones are integers in JSON.
        ("1.0", "1"),
        ("1e3", "1000"),
        ("-0.0", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        (".5_0", "0.5"),
        ("._5", "\"._5\""),
        ("1.5e300", "1.5e+300"),
        ("1234567890123456789.0", "1234567890123456800"),
        ("1e400", "\"1e400\""),
        ("0x1p4", "\"0x1p4\""),
        // Text.
        ("2001-01-01", "\"2001-01-01\""),
        ("${schema.spec.name}-x", "\"${schema.spec.name}-x\""),
        ("<<", "\"<<\""),
        ("'12'", "\"12\""),
        // Tags.
        ("! 12", "\"12\""),
        ("!!str 12", "\"12\""),
        ("!!int \"3\"", "3"),
        ("!!float 3", "3"),
        ("!!binary aGk=", "\"hi\""),
        ("!mine 12", "\"12\""),
    ] {
        assert_eq!(read(&format!("a: {scalar}")), format!("{{\"a\":{json}}}"), "{scalar}");
    }
}

#[test]
fn scalars_that_json_cannot_hold() {
    for (scalar, message) in [
        (".inf", "error[KRO0006]: JSON has no number `.inf`"),
        (".NaN", "error[KRO0006]: JSON has no number `.NaN`"),
        ("!!int x", "error[KRO0006]: cannot decode !!str `x` as a !!int"),
        ("!!bool 1", "error[KRO0006]: cannot decode !!int `1` as a !!bool"),
        ("!!binary YQ", "error[KRO0006]: !!binary value contains invalid base64 data"),
    ] {
        assert_eq!(read(&format!("a: {scalar}")), message, "{scalar}");
    }
}

#[test]
fn keys_become_text() {
    for (key, text) in [
        ("on", "true"),
        ("y", "true"),
        ("0x10", "16"),
        ("1.5", "1.5"),
        ("1.0", "1"),
        ("1e7", "1e+07"),
        ("1e-5", "1e-05"),
        ("123456.5", "123456.5"),
        ("2001-01-01", "2001-01-01"),
        ("\"y\"", "y"),
        ("\"1\"", "1"),
    ] {
        assert_eq!(read(&format!("{key}: v")), format!("{{\"{text}\":\"v\"}}"), "{key}");
    }
    for (key, message) in [
        ("~", "error[KRO0005]: a key cannot be null"),
        ("? [a]\n", "error[KRO0005]: a key cannot be a sequence"),
        ("? {a: b}\n", "error[KRO0005]: a key cannot be a mapping"),
        ("18446744073709551615", "error[KRO0005]: the integer key `18446744073709551615` is beyond 64 signed bits"),
    ] {
        assert_eq!(read(&format!("{key}: v")), message, "{key}");
    }
}

#[test]
fn boolean_keys_are_warned_of() {
    let parsed = parse("x: 1\ny: 2\nTrue: 3\n", FileId(0));
    let all: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(all[0], "warning[KRO0009]: the key `y` is read as \"true\"");
    assert_eq!(all[1], "error[KRO0002]: duplicate key \"true\"");
    assert_eq!(all.len(), 2);
}

#[test]
fn merges_apply_in_the_order_of_the_text() {
    for (text, json) in [
        ("m: &m {a: 2}\nz:\n  <<: *m\n  a: 1", r#"{"a":1}"#),
        ("m: &m {a: 2}\nz:\n  a: 1\n  <<: *m", r#"{"a":2}"#),
        ("m: &m {a: 2}\nk: &k {a: 3, b: 4}\nz: {<<: [*m, *k]}", r#"{"a":2,"b":4}"#),
        ("z: {!!merge <<: {a: 1}}", r#"{"a":1}"#),
        ("z: {\"<<\": {a: 1}}", r#"{"<<":{"a":1}}"#),
    ] {
        let parsed = parse(text, FileId(0));
        assert!(!parsed.diagnostics.has_errors(), "{text}");
        assert_eq!(to_json(parsed.values()[0].get("z").unwrap()), json, "{text}");
    }
    assert_eq!(read("<<: 3"), "error[KRO0007]: map merge requires map or sequence of maps as the value");
    let lost = parse("m: &m {a: 2}\nz:\n  a: 1\n  <<: *m", FileId(0));
    assert!(lost.diagnostics.iter().any(|diagnostic| diagnostic.code.0 == 8));
}
