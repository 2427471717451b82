//! What conditions say: the words of the Go implementation come first.

use kro_diagnostics::FileId;
use kro_graph::{BuiltinSchemas, CompileOptions, Source, compile, condition_message};

/// The message for a definition with these resources and this status.
fn message(status: &str, resources: &str) -> String {
    let text = format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: web}}\nspec:\n  schema:\n    \
         apiVersion: v1\n    kind: Web\n    spec: {{name: string, zones: '[]string'}}\n    status: {status}\n  \
         resources: [{resources}]\n"
    );
    let document = kro_yaml::parse(&text, FileId(0)).documents.remove(0);
    let compiled = compile(&Source::from_document(document), &BuiltinSchemas, &CompileOptions::default());
    condition_message(&compiled.diagnostics, "web")
}

const HEAD: &str = "apiVersion: v1, kind: ConfigMap";

#[test]
fn messages_begin_as_the_contract_says() {
    let resource = |id: &str, more: &str, data: &str| {
        format!("{{id: {id}, {more} template: {{{HEAD}, metadata: {{name: \"a-${{z}}\"}}, data: {{a: {data}}}}}}}")
    };
    let plain = |more: &str, data: &str| resource("a", more, data).replace("-${z}", "");
    for (resources, expected) in [
        (
            plain("", "b").replace("id: a", "id: self"),
            "failed to validate resourcegraphdefinition: naming convention violation: id self is a reserved keyword in KRO",
        ),
        (
            "{id: a}".to_owned(),
            "failed to build resource \"a\": invalid combination of resource fields: resource \"a\": exactly one of template or externalRef must be provided",
        ),
        (
            plain("", "b").replace("kind: ConfigMap", "kind: ConfigMop"),
            "failed to build resource \"a\": failed to get schema for resource a: ",
        ),
        (
            plain("", "1"),
            "failed to build resource \"a\": failed to extract CEL expressions from schema for resource a: expected string type for path data.a, got integer",
        ),
        (
            plain("", "\"${b}\""),
            "failed to build dependency graph: failed to extract dependencies: references unknown identifiers: [b]",
        ),
        (
            plain("includeWhen: [\"${b}\"],", "b"),
            "failed to build dependency graph: failed to extract dependencies from includeWhen: references unknown identifiers: [b]",
        ),
        (
            resource("a", "forEach: [{z: \"${b}\"}],", "b"),
            "failed to build dependency graph: failed to extract dependencies from forEach iterator \"z\": references unknown identifiers: [b]",
        ),
        (
            plain("readyWhen: [\"${b}\"],", "b"),
            "failed to validate resource \"a\": resource \"a\" readyWhen: references unknown identifiers: [b]",
        ),
        (
            plain("readyWhen: [b],", "b"),
            "failed to build resource \"a\": failed to parse readyWhen expressions: only standalone expressions are allowed",
        ),
        (plain("", "\"${a.metadata.name}\""), "failed to build dependency graph: self references are not allowed"),
        (
            plain("", "\"${schema.spec.nam}\""),
            "failed to validate resource \"a\": failed to compile template expression at path \"spec.resources[0].template.data.a\": undefined field 'nam'",
        ),
        (
            plain("", "\"${schema.spec.zones}\""),
            "failed to validate resource \"a\": type mismatch in resource \"a\" at path \"data.a\": expression \"schema.spec.zones\" returns type \"list(string)\" but expected \"string\"",
        ),
        (
            plain("includeWhen: [\"${schema.spec.name}\"],", "b"),
            "failed to validate resource \"a\": includeWhen expression \"schema.spec.name\" in resource \"a\" must return bool or optional_type(bool), but returns \"string\"",
        ),
        (
            plain("", "\"${1 +}\""),
            "failed to build dependency graph: failed to extract dependencies: failed to inspect expression: parse error: ",
        ),
    ] {
        let message = message("{}", &resources);
        assert!(message.lines().any(|line| line.starts_with(expected)), "{resources}\n{message}\n{expected}");
    }
    for (status, expected) in [
        ("{a: b}", "failed to build instance status schema: status fields without expressions are not supported: [a]"),
        (
            "{a: \"${b.c}\"}",
            "failed to build instance status schema: status field \"a\": references unknown identifiers: [b]",
        ),
        (
            "{a: \"${schema.spec.nam}\"}",
            "failed to build instance status schema: failed to type-check status expression at path \"a\": undefined field 'nam'",
        ),
        (
            "{conditions: [b]}",
            "failed to build instance conditions: invalid conditions block: only standalone expressions are allowed",
        ),
        (
            "{conditions: [\"${schema.spec.name}\"]}",
            "failed to build instance conditions: condition \"schema.spec.name\": condition expressions must return",
        ),
    ] {
        let message = message(status, "");
        assert!(message.starts_with(expected), "{status}\n{message}\n{expected}");
    }
}

#[test]
fn all_errors_are_told() {
    let message = message("{a: b}", "{id: a}, {id: self}");
    assert_eq!(message.lines().count(), 4, "{message}");
}
