//! Differences from the reference that are meant. Each has a reason and applies to nothing but what it is about.

use serde_json::{Value, json};

use crate::comparison::{Case, first_syntax_error};

/// A reason, and the cases that it explains.
pub struct Explanation {
    /// Why this engine answers otherwise.
    pub reason: &'static str,
    explains: fn(&Case) -> bool,
}

/// All of them.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        reason: "with typed objects the reference cannot plan names of types; here they work",
        explains: |case| {
            case.reference_stage() == "plan"
                && case.reference_error().starts_with("reference to undefined type: ")
                && matches!(case.our_stage(), "ok" | "eval")
        },
    },
    Explanation {
        reason: "bytes are no key, which the reference finds out by a panic",
        explains: |case| {
            case.our_error() == "unsupported key type: bytes"
                && case.reference_error().contains("hash of unhashable type")
        },
    },
    Explanation {
        reason: "kro's contract has an error for a comparison of omit(); the reference's oracle says true to `!=`",
        explains: |case| {
            case.our_error() == "omit() is a field-removal sentinel and cannot be compared"
                && case.text.contains("omit()")
        },
    },
    Explanation {
        reason: "NaN is a key that nothing finds; the reference makes an entry of each, here there is one",
        explains: |case| case.reference["value"].to_string().contains(r#"{"error":"no such key: NaN"}"#),
    },
    Explanation {
        reason: "the reference names the function when what an optional holds is no argument for it",
        explains: |case| {
            case.our_error() == "no such overload"
                && case.reference_error().starts_with("no such overload: ")
                && case.text.contains("orValue(")
        },
    },
    Explanation {
        reason: "a difference of the smallest duration there is, which the reference counts as an overflow",
        explains: |case| case.reference_error() == "integer overflow" && case.text.contains("2562047h47m16.854775807s"),
    },
    Explanation {
        reason: "with typed objects the word list is the type of one of the lists of their schemas in the reference",
        explains: |case| {
            case.environment == "kube" && case.reference["errors"].to_string().contains("type(list(__type_")
        },
    },
    Explanation {
        reason: "words of Go's own library",
        explains: |case| {
            let words: [&'static str; 5] =
                ["ParseAddr(", "ParsePrefix(", "parse \"", "error parsing regexp", "parse JSON"];
            // what comes before them is ours to get right
            let before = |text: &'static str, error: &str| error.split_once(text).map(|(start, _)| start.to_owned());
            let same_words = |word: &&'static str| {
                let starts = before(word, case.reference_error()).zip(before(word, case.our_error()));
                starts.is_some_and(|(reference, ours)| reference == ours)
            };
            case.reference_stage() == case.our_stage() && words.iter().any(same_words)
        },
    },
    Explanation {
        reason: "what the reference counts for a list function with an error as its argument is a panic",
        explains: |case| {
            let words = case.reference_error();
            let is_panic = words.starts_with("internal error: interface conversion: ");
            is_panic && words.ends_with(" is not traits.Lister: missing method Add") && case.our_stage() == "eval"
        },
    },
    Explanation { reason: "the name of one of the oracle's own types", explains: has_oracle_name },
    Explanation {
        reason: "addresses are those of Kubernetes, as kro has them; cel-go's network extension looks at literals early",
        explains: is_network_extension,
    },
    Explanation {
        reason: "Go's protobuf library has a space or a no-break space in its messages, by chance",
        explains: |case| {
            case.reference_error().contains("proto:\u{a0}")
                && case.reference_error().replace('\u{a0}', " ") == case.our_error()
        },
    },
    Explanation {
        reason: "has() of a path through an optional is a bool, as its type says; the reference makes an optional of it",
        explains: |case| {
            let as_key = case.reference_error() == "invalid qualifier type: *types.Optional";
            let as_test = case.reference_error() == "no such overload";
            let as_value = case.reference["value"].get("optional").is_some() && case.ours["value"].is_boolean();
            has_of_optional(&case.text) && (as_key || as_test || as_value)
        },
    },
    Explanation {
        reason: "a list or map with a value of a Kubernetes library differs from one with a value of another type; the reference \
                 drops its own error and takes them for equal",
        explains: |case| {
            let makers = ["quantity(", "ip(", "cidr(", "url(", "semver("];
            let verdict = |answer: &Value| answer["value"].as_bool();
            let opposite = verdict(&case.reference).zip(verdict(&case.ours)).is_some_and(|(left, right)| left != right);
            let compares = ["==", "!=", " in ", "ndexOf(", "sets."].iter().any(|operator| case.text.contains(operator));
            opposite
                && compares
                && makers.iter().any(|maker| case.text.contains(maker))
                && case.text.contains(['[', '{'])
        },
    },
    Explanation {
        reason: "the reference subtracts the smallest integer from a quantity as if it were added",
        explains: |case| {
            let is_quantity = |answer: &Value| answer["type"] == "kubernetes.Quantity";
            case.text.contains(".sub(-9223372036854775808)")
                && case.reference_stage() == "ok"
                && case.our_stage() == "ok"
                && (is_quantity(&case.ours) || case.ours["type"] == case.reference["type"])
        },
    },
    Explanation {
        reason: "the nearest double of a quantity; the reference multiplies by a power of ten, which rounds twice",
        explains: |case| {
            let close = |(left, right): (f64, f64)| (left - right).abs() <= left.abs() * 1e-15;
            let double = |answer: &Value| answer["value"]["double"].as_f64();
            let doubles = double(&case.reference).zip(double(&case.ours));
            case.text.contains("asApproximateFloat") && doubles.is_some_and(close)
        },
    },
    Explanation {
        reason: "what is said after a syntax error depends on how the reference's parser recovers; the first one is the same",
        explains: |case| {
            let first =
                |answer: &Value| first_syntax_error(answer).map(|error| (error["line"].clone(), error["col"].clone()));
            first(&case.reference).is_some() && first(&case.reference) == first(&case.ours)
        },
    },
    Explanation {
        reason: "with typed objects the reference takes the words duration and timestamp for types, which it cannot plan",
        explains: |case| {
            let ours = case.ours["errors"].to_string();
            let is_unknown = |word: &&str| ours.contains(&format!("undeclared reference to '{word}' "));
            case.environment == "kube"
                && case.our_stage() == "check"
                && ["plan", "check"].contains(&case.reference_stage())
                && ["duration", "timestamp"].iter().any(is_unknown)
        },
    },
    Explanation {
        reason: "with typed objects the reference does not know the words type and null_type as types; here they stay known",
        explains: |case| {
            let errors = case.reference["errors"].to_string();
            let is_unknown = |word: &&str| errors.contains(&format!("undeclared reference to '{word}' "));
            case.environment == "kube"
                && case.reference_stage() == "check"
                && ["type", "null_type"].iter().any(is_unknown)
                && !["type", "null_type"]
                    .iter()
                    .any(|word| case.ours["errors"].to_string().contains(&format!("undeclared reference to '{word}' ")))
        },
    },
    Explanation {
        reason: "a pattern without variables is compiled ahead like a literal one, and an operand of another type says so shorter",
        explains: |case| {
            let names_types = case.reference_error().starts_with("no such overload: find");
            names_types && case.our_error() == "no such overload" && case.reference_stage() == case.our_stage()
        },
    },
    Explanation {
        reason: "messages name a type; the reference has the number of a type variable there that it has determined already",
        explains: |case| {
            let place = |error: &Value| (error["line"].clone(), error["col"].clone());
            let places =
                |answer: &Value| answer["errors"].as_array().into_iter().flatten().map(place).collect::<Vec<_>>();
            let has_number = case.reference["errors"].to_string().contains("_var");
            has_number && case.our_stage() == "check" && places(&case.reference) == places(&case.ours)
        },
    },
    Explanation {
        reason: "a whole object keeps the names of its fields; the reference shows them escaped",
        explains: |case| {
            let shown = case.reference["value"].to_string();
            case.environment == "kube"
                && ["a__dash__b", "__namespace__", "__if__"].iter().any(|name| shown.contains(name))
        },
    },
];

/// The names that the oracle's own types have in messages.
fn has_oracle_name(case: &Case) -> bool {
    let names = [
        ("main.omitVal", "kro.run.Omit"),
        ("main.conditionVal", "kro.run.Condition"),
        ("main.runtimeVal", "kro.run.Runtime"),
    ];
    names.iter().any(|(theirs, ours)| case.reference_error().replace(theirs, ours) == case.our_error())
        && case.reference_error().contains("main.")
}

/// `has(a.?b.c)`
fn has_of_optional(text: &str) -> bool {
    let paths = text.split("has(").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    paths.into_iter().any(|path| path.contains(".?") || path.contains("[?"))
}

/// What cel-go's network extension says about addresses, early or when it is evaluated.
fn is_network_extension(case: &Case) -> bool {
    let errors = case.reference["errors"].to_string();
    let early = errors.contains("invalid ip argument: ") || errors.contains("invalid cidr argument: ");
    let words =
        ["CIDR \"", "IP Address \"", "IP address \"", "IPv4-mapped", "unsupported type conversion to '*structpb"]
            .iter()
            .any(|start| case.reference_error().starts_with(start))
            && case.our_stage() == "eval";
    let same_value = case.our_stage() == "ok" && plain_addresses(&case.reference["value"]) == case.ours["value"];
    case.environment == "extended" && (early || words || same_value)
}

/// A value in which addresses of the network extension are written as those of Kubernetes.
fn plain_addresses(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain_addresses).collect(),
        Value::Object(map) => match (map.get("opaque").and_then(Value::as_array).map(Vec::as_slice), map.len()) {
            (Some([Value::String(name), text]), 1) if name == "net.IP" => json!({"ip": text}),
            (Some([Value::String(name), text]), 1) if name == "net.CIDR" => json!({"cidr": text}),
            _ => map.iter().map(|(key, value)| (key.clone(), plain_addresses(value))).collect(),
        },
        other => other.clone(),
    }
}

/// Why a case may differ.
pub fn explain(case: &Case) -> Option<&'static str> {
    EXPLANATIONS.iter().find(|explanation| (explanation.explains)(case)).map(|explanation| explanation.reason)
}
