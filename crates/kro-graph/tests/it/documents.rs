//! The rules of definitions by the documents of `tests/lang/graph` and the pages of all diagnostics.

use std::collections::BTreeMap;

use kro_diagnostics::codes::{self, CodeInfo};
use kro_diagnostics::{Code, Diagnostic, Diagnostics, FileId};
use kro_graph::{
    BuiltinSchemas, CompileOptions, Compiled, CrdSchemas, SchemaSources, Source, compile_set, conflicts, evolution,
};
use kro_langtest::{Case, Outcome, check_document, documents, parse_cases, run_folder};
use kro_value::Value;
use kro_yaml::{Document, Node};

use crate::summary;

/// What a fragment of a definition lacks.
const FRAME: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: web}
spec: {}
schema:
  apiVersion: v1alpha1
  kind: Web
  spec: {name: string, image: string, replicas: integer, zones: '[]string', values: object}
";

/// Compiles the documents of a text together. CustomResourceDefinitions give kinds; `schema` and `resources` alone are
/// the `spec` of a definition; a second definition of a name is the next version of the first.
fn compile_text(text: &str, file: FileId) -> Outcome {
    let parsed = kro_yaml::parse(text, file);
    let mut diagnostics: Diagnostics = parsed.diagnostics;
    let is_crd = |document: &Document| document.root.value().str_at(&["kind"]) == Some("CustomResourceDefinition");
    let (crds, definitions): (Vec<Document>, Vec<Document>) = parsed.documents.into_iter().partition(is_crd);
    let crds = CrdSchemas::new(crds.iter().map(|document| document.root.value()));
    let sources: Vec<Source> = definitions.into_iter().map(complete).map(Source::from_document).collect();
    let schemas = SchemaSources::new([&BuiltinSchemas as _, &crds as _]);
    let compiled = compile_set(&sources, &schemas, &CompileOptions::default());
    for result in &compiled {
        assert_eq!(result.graph.is_none(), result.diagnostics.has_errors());
        diagnostics.extend(result.diagnostics.clone());
    }
    let is_twice = |diagnostic: &Diagnostic| !diagnostic.message.contains("have the name");
    diagnostics.extend(conflicts(&sources).into_iter().filter(is_twice));
    diagnostics.extend(changes(&sources, &compiled));
    Outcome { diagnostics, outputs: outputs(&compiled) }
}

/// A fragment as a whole definition; places stay as they are.
fn complete(document: Document) -> Document {
    let frame = kro_yaml::parse(FRAME, FileId(u32::MAX)).documents.remove(0);
    let entry = |key: &str| frame.root.entry(key).unwrap().clone();
    let root = &document.root;
    if root.get("schema").is_none() && root.get("resources").is_none() {
        return document;
    }
    let mut spec = root.entries().to_vec();
    if root.get("schema").is_none() {
        spec.push(entry("schema"));
    }
    let mut body = entry("spec");
    body.value = Node::mapping(root.span, spec);
    let entries = vec![entry("apiVersion"), entry("kind"), entry("metadata"), body];
    Document { root: Node::mapping(root.span, entries) }
}

/// What the later of two definitions of one name changes of the API.
fn changes(sources: &[Source], compiled: &[Compiled]) -> Diagnostics {
    let crd = |compiled: &Compiled| Some(compiled.graph.as_ref()?.instance.as_ref()?.crd.clone());
    let [old, new] = compiled else { return Diagnostics::new() };
    let name = |source: &Source| source.value.str_at(&["metadata", "name"]).map(str::to_owned);
    match (crd(old), crd(new)) {
        (Some(old), Some(new)) if name(&sources[0]) == name(&sources[1]) => {
            evolution::compare(&old, &new, evolution::CompareOptions::default()).unwrap().diagnostics(&sources[1])
        }
        _ => Diagnostics::new(),
    }
}

/// Of the last graph: its order, deletion waves, expressions, CRD, and the schema of the author's status fields.
fn outputs(compiled: &[Compiled]) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let Some(graph) = compiled.last().and_then(|compiled| compiled.graph.as_ref()) else { return outputs };
    let order: Vec<&str> = graph.order.iter().map(|node| graph.node(*node).id.as_str()).collect();
    outputs.insert("text order".to_owned(), order.join(" "));
    let expressions: String = graph.nodes.iter().map(summary::node_expressions).collect();
    outputs.insert("text expressions".to_owned(), expressions);
    let waves: Vec<String> = graph.nodes.iter().map(|node| format!("{} {}", node.id, node.wave)).collect();
    outputs.insert("text waves".to_owned(), waves.join(", "));
    if let Some(api) = &graph.instance {
        let version = api.crd.at(&["spec", "versions"]).and_then(Value::as_list).unwrap()[0].clone();
        let status = version.at(&["schema", "openAPIV3Schema", "properties", "status", "properties"]).unwrap();
        let mut own = status.clone();
        ["state", "conditions"].iter().for_each(|key| drop(own.remove_at(&[key])));
        outputs.insert("yaml crd".to_owned(), kro_yaml::to_yaml(&api.crd));
        outputs.insert("yaml status".to_owned(), kro_yaml::to_yaml(&own));
    }
    outputs
}

#[test]
fn rules() {
    run_folder("tests/lang/graph", compile_text);
}

/// What users read is true.
#[test]
fn documentation() {
    run_folder("docs/language", compile_text);
}

/// Codes whose examples would be too large for a page; [`limits_are_named`] has them.
const WITHOUT_BAD: [Code; 2] = [Code(4), Code(3012)];

fn example(info: &CodeInfo, heading: &str) -> Case {
    let cases = parse_cases(info.page);
    cases.into_iter().find(|case| case.name.ends_with(heading)).unwrap_or_else(|| panic!("{}: {heading}", info.code))
}

/// The pages are language tests: the bad example shows its mistake where it says, the good one does not have it.
#[test]
fn pages() {
    let mut failures = Vec::new();
    // The pages of SimpleSchema are tested where it is.
    for info in codes::all().filter(|info| info.code.0 / 1000 != 2) {
        let good = example(info, "Good");
        let outcome = run(&good.text, info.code);
        if outcome.diagnostics.iter().any(|diagnostic| diagnostic.code == info.code) {
            failures.push(format!("the good example of {} is not good", info.code));
        }
        if WITHOUT_BAD.contains(&info.code) {
            continue;
        }
        let bad = example(info, "Bad");
        assert!(bad.text.contains(&format!(": {}", info.code)), "the bad example of {} expects nothing", info.code);
        failures.extend(check_document(&info.code.to_string(), info.page, |text, file| run_at(text, file, info.code)));
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n\n"));
}

fn run(text: &str, code: Code) -> Outcome {
    run_at(text, FileId(0), code)
}

/// Examples of YAML are no definitions.
fn run_at(text: &str, file: FileId, code: Code) -> Outcome {
    if code.0 < 1000 {
        return Outcome { diagnostics: kro_yaml::parse(text, file).diagnostics, outputs: BTreeMap::new() };
    }
    compile_text(text, file)
}

/// Every code is expected by some rule, and stands on its page with a place.
#[test]
fn every_code_has_a_rule() {
    let text: String = documents("tests/lang/graph").into_iter().map(|(_, text)| text).collect();
    let is_expected = |code: Code| {
        ["error", "warning", "note"].iter().any(|what| {
            let at = |line: &str| line.contains(&format!("# {what}: {code}")) || line.contains(&format!(": {code}"));
            text.lines().any(at)
        })
    };
    let missing: Vec<String> = codes::all()
        .map(|info| info.code)
        .filter(|code| !matches!(code.0 / 1000, 0 | 2) && !WITHOUT_BAD.contains(code) && !is_expected(*code))
        .map(|code| code.to_string())
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn limits_are_named() {
    let definition = |expression: &str| {
        format!(
            "resources:\n- id: web\n  template:\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {{name: a}}\n    \
             data: {{a: '${{{expression}}}'}}\n"
        )
    };
    for (expression, limit) in [
        (format!("{}1{}", "(".repeat(300), ")".repeat(300)), "250"),
        (format!("schema.spec.name + \"{}\"", "x".repeat(100_001)), "100000"),
    ] {
        let outcome = compile_text(&definition(&expression), FileId(0));
        let found: Vec<String> = outcome.diagnostics.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|text| text.contains("KRO3012") && text.contains(limit)), "{found:?}");
    }
    let many = format!("resources:\n{}", "- {id: a}\n".repeat(5_001));
    let loops = format!(
        "resources:\n- id: web\n  forEach:\n{}",
        (0..11).map(|n| format!("  - a{n}: '${{schema.spec.zones}}'\n")).collect::<String>()
    );
    let deep = format!("schema:\n  apiVersion: v1\n  kind: Web\n  spec: {{a: '{}string'}}\n", "[]".repeat(17));
    for (text, code, limit) in [
        (many, "KRO1016", "limit resources_max: 5001 resources, at most 5000 are allowed"),
        (loops, "KRO1011", "forEach cannot have more than 10 dimensions, got 11 (limit collection_dimensions_max)"),
        (deep, "KRO2002", "type nesting too deep (max 16)"),
    ] {
        let outcome = compile_text(&text, FileId(0));
        let found: Vec<String> = outcome.diagnostics.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|text| text.contains(code) && text.contains(limit)), "{found:?}");
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    (1..9).for_each(|level| {
        let alias = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(", ")));
    });
    let found: Vec<String> = kro_yaml::parse(&bomb, FileId(0)).diagnostics.iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|text| text.contains("KRO0004")), "{found:?}");
}
