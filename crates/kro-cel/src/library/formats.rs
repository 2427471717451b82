//! Named formats of Kubernetes: forms of texts with a name.

use super::{Outcome, function, method};
use crate::Implementation;
use crate::declarations::{FunctionDecl, Library};
use crate::eval::{EvalContext, EvalError};
use crate::types::Type;
use crate::value::{CelTimestamp, CelValue, NamedFormat, Opaque, Url};

static FORMAT_TABLE: [NamedFormat; 13] = [
    NamedFormat { name: "dns1123Label", validate: |text| label(text, Label::Dns1123) },
    NamedFormat { name: "dns1123Subdomain", validate: subdomain },
    NamedFormat { name: "dns1035Label", validate: |text| label(text, Label::Dns1035) },
    NamedFormat { name: "qualifiedName", validate: qualified_name },
    NamedFormat { name: "dns1123LabelPrefix", validate: |text| label(&without_dash(text), Label::Dns1123) },
    NamedFormat { name: "dns1123SubdomainPrefix", validate: |text| subdomain(&without_dash(text)) },
    NamedFormat { name: "dns1035LabelPrefix", validate: |text| label(&without_dash(text), Label::Dns1035) },
    NamedFormat { name: "labelValue", validate: label_value },
    NamedFormat { name: "uri", validate: |text| Url::check(text).err().into_iter().collect() },
    NamedFormat { name: "uuid", validate: |text| said(is_uuid(text), "does not match the UUID format") },
    NamedFormat { name: "byte", validate: |text| said(is_base64(text), "invalid base64") },
    NamedFormat { name: "date", validate: |text| said(is_date(text), "invalid date") },
    NamedFormat { name: "datetime", validate: |text| said(is_date_time(text), "invalid datetime") },
];

/// The format library of Kubernetes.
pub fn formats() -> Library {
    let mut functions = vec![
        function(
            "format.named",
            [("format-named(string) -> optional_type(kubernetes.NamedFormat)", named as Implementation)],
        ),
        method(
            "validate",
            [(
                "format-validate(kubernetes.NamedFormat, string) -> optional_type(list(string)) ~ format | one",
                validate as Implementation,
            )],
        ),
    ];
    functions.extend(constants());
    Library::new("kubernetes.format", functions)
        .with_type("kubernetes.NamedFormat", Type::object("kubernetes.NamedFormat"))
}

/// `format.dns1123Label()` and so on.
fn constants() -> [FunctionDecl; 13] {
    macro_rules! constant {
        ($name:literal, $index:literal) => {
            function(
                concat!("format.", $name),
                [(
                    concat!("format.", $name, "() -> kubernetes.NamedFormat"),
                    (|_, _| Ok(CelValue::Opaque(Opaque::Format(&FORMAT_TABLE[$index])))) as Implementation,
                )],
            )
        };
    }
    [
        constant!("dns1123Label", 0),
        constant!("dns1123Subdomain", 1),
        constant!("dns1035Label", 2),
        constant!("qualifiedName", 3),
        constant!("dns1123LabelPrefix", 4),
        constant!("dns1123SubdomainPrefix", 5),
        constant!("dns1035LabelPrefix", 6),
        constant!("labelValue", 7),
        constant!("uri", 8),
        constant!("uuid", 9),
        constant!("byte", 10),
        constant!("date", 11),
        constant!("datetime", 12),
    ]
}

fn named(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(name)] = args else { return Err(EvalError::no_overload()) };
    let found = FORMAT_TABLE.iter().find(|format| format.name == name.as_str());
    Ok(found.map_or(CelValue::none(), |format| CelValue::some(CelValue::Opaque(Opaque::Format(format)))))
}

/// What is wrong with a text; nothing if it has the form.
fn validate(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Opaque(Opaque::Format(format)), CelValue::String(text)] = args else {
        return Err(EvalError::no_overload());
    };
    context.charge(1 + text.len() as u64)?;
    let problems = (format.validate)(text);
    if problems.is_empty() {
        return Ok(CelValue::none());
    }
    context.allocate(problems.iter().map(String::len).sum())?;
    Ok(CelValue::some(CelValue::list(problems.into_iter().map(CelValue::from))))
}

fn said(valid: bool, problem: &str) -> Vec<String> {
    if valid { Vec::new() } else { vec![problem.to_owned()] }
}

/// A prefix may end in a dash, which a generated suffix follows.
fn without_dash(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => text.to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Dns1123,
    Dns1035,
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} bytes"))
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Lower-case letters and digits, with dashes in between.
fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| is_lower(*byte));
    ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|byte| is_lower(*byte) || *byte == b'-')
}

fn label(text: &str, kind: Label) -> Vec<String> {
    let valid = is_label(text) && (kind == Label::Dns1123 || text.starts_with(|c: char| c.is_ascii_lowercase()));
    let problem = match kind {
        Label::Dns1123 => {
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        }
        Label::Dns1035 => {
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
             validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        }
    };
    too_long(text, 63).into_iter().chain(said(valid, problem)).collect()
}

fn subdomain(text: &str) -> Vec<String> {
    let problem = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                   must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                   '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    too_long(text, 253).into_iter().chain(said(text.split('.').all(is_label), problem)).collect()
}

/// Letters, digits, dashes, underscores and dots, with a letter or digit at both ends.
fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn label_value(text: &str) -> Vec<String> {
    let problem = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                   must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', \
                   regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    too_long(text, 63).into_iter().chain(said(text.is_empty() || is_name_part(text), problem)).collect()
}

fn qualified_name(text: &str) -> Vec<String> {
    let problem = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                   alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                   '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let mut problems = Vec::new();
    let name = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                problem.trim_start_matches("name part ")
            )];
        }
        Some(("", name)) => {
            problems.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            problems.extend(subdomain(prefix).into_iter().map(|problem| format!("prefix part {problem}")));
            name
        }
        None => text,
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    }
    problems.extend(too_long(name, 63).map(|problem| format!("name part {problem}")));
    problems.extend(said(is_name_part(name), problem));
    problems
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    (lengths == [8, 4, 4, 4, 12] || lengths == [32]) && groups.iter().all(hexadecimal)
}

fn is_base64(text: &str) -> bool {
    use base64::Engine;
    !text.is_empty() && base64::engine::general_purpose::STANDARD.decode(text).is_ok()
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && CelTimestamp::parse(&format!("{text}T00:00:00Z")).is_ok()
}

fn is_date_time(text: &str) -> bool {
    CelTimestamp::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_forms_apart() {
        for (format, valid, invalid) in [
            ("dns1123Label", "a-1", "A"),
            ("dns1123Subdomain", "a.b-c", "a..b"),
            ("dns1035Label", "a1", "1a"),
            ("dns1123LabelPrefix", "a-", "-"),
            ("qualifiedName", "example.com/My.Name", "a/b/c"),
            ("labelValue", "", "-"),
            ("uri", "https://a/b", "a"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "1"),
            ("byte", "aGk=", "a"),
            ("date", "2026-02-28", "2026-02-30"),
            ("datetime", "2026-02-28T00:00:00Z", "2026-02-28"),
        ] {
            let found = FORMAT_TABLE.iter().find(|known| known.name == format).unwrap();
            assert_eq!((found.validate)(valid), Vec::<String>::new(), "{format} {valid}");
            assert_ne!((found.validate)(invalid), Vec::<String>::new(), "{format} {invalid}");
        }
    }
}
