//! Every overload of every function with values at the edges of what it takes.

use kro_cel::{Environment, Type};

use crate::generator::Generator;
use crate::pools;
use crate::syntax::{self, Piece};

/// Calls of all overloads of an environment: each argument takes every edge value once while the others stay, and so many
/// random combinations more.
pub fn probes(environment: &Environment, combinations: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut generator = Generator::new(environment, 7);
    for name in environment.function_names() {
        let Some(function) = environment.function(&name) else { continue };
        for overload in &function.overloads {
            let pools: Vec<Vec<String>> =
                overload.params.iter().enumerate().map(|(index, ty)| edge_values(&name, index, ty)).collect();
            if pools.iter().any(Vec::is_empty) && !pools.is_empty() {
                continue;
            }
            let call = |picks: &[usize]| {
                let args: Vec<Piece> =
                    picks.iter().zip(&pools).map(|(pick, pool)| Piece::literal(&pool[pick % pool.len()])).collect();
                syntax::call(&name, overload.member, &args)
            };
            for (argument, pool) in pools.iter().enumerate() {
                for value in 0..pool.len() {
                    let picks: Vec<usize> = (0..pools.len()).map(|at| if at == argument { value } else { 1 }).collect();
                    out.extend(call(&picks).map(|piece| piece.text));
                }
            }
            for _ in 0..combinations {
                let picks: Vec<usize> = pools.iter().map(|pool| generator.random.below(pool.len())).collect();
                out.extend(call(&picks).map(|piece| piece.text));
            }
        }
    }
    out.dedup();
    out
}

fn edge_values(function: &str, index: usize, ty: &Type) -> Vec<String> {
    let texts = |pool: &[&str]| pool.iter().map(ToString::to_string).collect::<Vec<_>>();
    let made =
        |function: &str, pool: &[&str]| pool.iter().map(|text| format!("{function}({text})")).collect::<Vec<_>>();
    match ty {
        Type::Int if function == "random.seededString" => texts(pools::SMALL_INTS), // the reference takes the memory
        Type::Int => texts(pools::INTS),
        Type::Uint => texts(pools::UINTS),
        Type::Double => texts(pools::DOUBLES),
        Type::Bytes => texts(pools::BYTES),
        Type::Bool => texts(&["true", "false"]),
        Type::Null => texts(&["null"]),
        Type::String => {
            let known = pools::texts_of(function, index).unwrap_or(pools::STRINGS);
            let bad = pools::bad_texts_of(function).unwrap_or_default();
            known.iter().chain(bad).chain(&pools::STRINGS[..6]).map(ToString::to_string).collect()
        }
        Type::Timestamp => made("timestamp", pools::TIMESTAMPS),
        Type::Duration => made("duration", pools::DURATIONS),
        Type::Dyn | Type::Any | Type::Param(_) => texts(MIXED),
        Type::List(element) => lists(&edge_values("", 9, element)),
        Type::Map(entry) => maps(&edge_values("", 9, &entry.0), &edge_values("", 9, &entry.1)),
        Type::Type(_) => texts(&["int", "type(1)", "list", "type(null)"]),
        _ => library_values(ty),
    }
}

const MIXED: &[&str] = &[
    "1",
    "'a'",
    "1.5",
    "2u",
    "true",
    "null",
    "b'x'",
    "[1, 2]",
    "[]",
    "{'a': 1}",
    "{}",
    "timestamp(0)",
    "duration('1s')",
    "int",
    "optional.of(1)",
    "optional.none()",
    "dyn(1)",
    "x",
    "[dyn(1), 'a']",
    "{1: 2u}",
    "-1",
    "'1'",
    "1.0",
    "double('NaN')",
    "[null]",
    "'ä'",
    "quantity('1Gi')",
    "ip('::1')",
    "[[1], [2]]",
    "{'a': {'b': null}}",
    "18446744073709551615u",
];

fn library_values(ty: &Type) -> Vec<String> {
    let made =
        |function: &str, pool: &[&str]| pool.iter().map(|text| format!("{function}({text})")).collect::<Vec<_>>();
    if let Some(inner) = ty.optional_inner() {
        let values = edge_values("", 9, inner);
        let some = values.iter().take(8).map(|value| format!("optional.of({value})"));
        return some.chain(["optional.none()".to_owned()]).collect();
    }
    match ty.runtime_name().unwrap_or_default() {
        "kubernetes.Quantity" => made("quantity", pools::QUANTITIES),
        "kubernetes.URL" => made("url", pools::URLS),
        "kubernetes.Semver" => made("semver", pools::SEMVERS),
        "net.IP" => made("ip", pools::IPS),
        "net.CIDR" => made("cidr", pools::CIDRS),
        "kro.run.Runtime" => vec!["runtime".to_owned()],
        _ => Vec::new(),
    }
}

/// Lists of nothing, of one value, of each value beside the first, and of a few in disorder.
fn lists(values: &[String]) -> Vec<String> {
    let first = values.first().cloned().unwrap_or_default();
    let mut out = vec!["[]".to_owned(), format!("[{first}]")];
    out.extend(values.iter().map(|value| format!("[{first}, {value}]")));
    out.extend(values.windows(3).map(|values| format!("[{}]", values.join(", "))));
    out
}

fn maps(keys: &[String], values: &[String]) -> Vec<String> {
    let mut out = vec!["{}".to_owned()];
    let value = |at: usize| values.get(at % values.len().max(1)).cloned().unwrap_or_default();
    out.extend(keys.iter().enumerate().map(|(at, key)| format!("{{{key}: {}}}", value(at))));
    out
}

/// Formats with every verb and precision over values of every type.
pub fn formats() -> Vec<String> {
    let mut out = Vec::new();
    for verb in [
        "%s", "%d", "%f", "%e", "%x", "%X", "%o", "%b", "%%", "%q", "%", "%5d", "%-s", "%.s", "%c", "%v", "%+d", "%1$s",
    ] {
        for value in
            MIXED.iter().chain(pools::INTS).chain(pools::DOUBLES).chain(pools::UINTS).chain(&pools::STRINGS[..8])
        {
            out.push(format!("'{verb}'.format([{value}])"));
        }
    }
    for verb in ["f", "e", "d", "s", "x", "o", "b"] {
        for precision in
            ["0", "1", "2", "6", "15", "17", "20", "99", "100", "101", "1000", "", "-1", "01", "99999999999999999999"]
        {
            for value in [
                "1.5",
                "-0.125",
                "1e21",
                "123456789.987654321",
                "0.0",
                "5e-324",
                "1e308",
                "7",
                "2.5",
                "0.5",
                "dyn(3u)",
                "'x'",
            ] {
                out.push(format!("'%.{precision}{verb}'.format([{value}])"));
            }
        }
    }
    for (text, args) in
        [("%s", ""), ("", "1"), ("%s %s", "1"), ("%s", "1, 2"), ("%%%d%%", "1"), ("%s%", "1"), ("ä%sü", "'日'")]
    {
        out.push(format!("'{text}'.format([{args}])"));
    }
    out
}
