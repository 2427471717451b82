//! `kro generate`

use std::path::{Path, PathBuf};

use kro_apiserver::{ApiServer, Bytes, Config, Method, Request, Timestamp};
use kro_graph::sample::sample_instance;
use kro_graph::{BuiltinSchemas, CompileOptions, CrdSchemas, InstanceApi, SchemaSources, Source, compile};
use kro_value::{Value, from_json_bytes, to_json};

use crate::{err, kro, out, root};

fn yaml(text: &str) -> Value {
    kro_yaml::parse(text, kro_diagnostics::FileId(0)).values().swap_remove(0)
}

fn post(server: &mut ApiServer, path: &str, body: &Value) -> Result<(), String> {
    let request = Request::new(Method::Post, path).with_body("application/json", Bytes::from(to_json(body)));
    let response = server.handle(&request, Timestamp::UNIX_EPOCH);
    let answer = from_json_bytes(response.bytes()).unwrap_or_default();
    if response.status == 201 { Ok(()) } else { Err(answer.str_at(&["message"]).unwrap_or_default().to_owned()) }
}

/// Posts a CRD and an instance of it to a fresh API server.
fn admit(crd: &Value, instance: &Value) -> Result<(), String> {
    let mut server = ApiServer::new(Config::default(), Timestamp::UNIX_EPOCH);
    post(&mut server, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)?;
    let text = |keys: &[&str]| crd.str_at(keys).unwrap_or_default();
    let version = instance.str_at(&["apiVersion"]).unwrap_or_default();
    let plural = text(&["spec", "names", "plural"]);
    let namespace = if text(&["spec", "scope"]) == "Cluster" { "" } else { "namespaces/default/" };
    post(&mut server, &format!("/apis/{version}/{namespace}{plural}?fieldValidation=Strict"), instance)
}

#[test]
fn generated_objects_are_admitted() {
    let file = "examples/webapp/rgd.yaml";
    let crd = out(&kro(&["generate", "crd", file]));
    let instance = out(&kro(&["generate", "instance", "-f", file]));
    assert_eq!(admit(&yaml(&crd), &yaml(&instance)), Ok(()));
    assert_eq!(yaml(&crd).str_at(&["kind"]), Some("CustomResourceDefinition"));
    assert!(crd.contains("kro.run/cli-version: v"), "{crd}");
    let json = kro(&["generate", "crd", file, "-o", "json"]);
    assert_eq!(from_json_bytes(&json.stdout).unwrap(), yaml(&crd));
}

/// All definitions of these folders, with the CustomResourceDefinitions that stand beside them.
fn definition_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            definition_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

#[test]
fn samples_of_all_definitions_are_admitted_by_their_own_kind() {
    let mut files = Vec::new();
    ["examples", "tests/golden", "crates/kro-graph/tests/golden", "crates/kro-graph/tests/fixtures"]
        .iter()
        .for_each(|folder| definition_files(&root().join(folder), &mut files));
    let documents: Vec<_> = files
        .iter()
        .flat_map(|file| kro_yaml::parse(&std::fs::read_to_string(file).unwrap(), kro_diagnostics::FileId(0)).documents)
        .collect();
    let crds = documents.iter().map(|document| document.root.value());
    let crds = CrdSchemas::new(crds.filter(|object| object.str_at(&["kind"]) == Some("CustomResourceDefinition")));
    let mut admitted = 0;
    for document in documents {
        let source = Source::from_document(document);
        if source.value.str_at(&["kind"]) != Some("ResourceGraphDefinition") {
            continue;
        }
        let sources = SchemaSources::new([&BuiltinSchemas as _, &crds as _]);
        let options = CompileOptions { omit_function: true, ..CompileOptions::default() };
        let compiled = compile(&source, &sources, &options);
        let Some(api) = compiled.graph.as_ref().and_then(|graph| graph.instance.clone()) else { continue };
        check_sample(&api);
        admitted += 1;
    }
    assert!(admitted >= 80, "{admitted}");
}

fn check_sample(api: &InstanceApi) {
    let sample = sample_instance(api);
    assert_eq!(admit(&api.crd, &sample), Ok(()), "{}: {}", api.kind, kro_yaml::to_yaml(&sample));
}

#[test]
fn samples_keep_to_patterns_bounds_and_formats() {
    let text = "\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: bounds}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Bounds
    spec:
      code: string | required=true pattern=\"^[A-Z]{3}-[0-9]+$\" minLength=8
      mode: string | required=true enum=\"fast,slow\"
      share: float | required=true minimum=0.5 maximum=0.75
      count: integer | required=true minimum=3
      names: '[]string | required=true minItems=3 uniqueItems=true'
      nested:
        short: string | required=true maxLength=2
  resources:
    - id: config
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: '${schema.metadata.name}'}
";
    let source = Source::from_value(yaml(text));
    let compiled = compile(&source, &BuiltinSchemas, &CompileOptions::default());
    let messages: Vec<String> = compiled.diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
    let api = compiled.graph.as_ref().and_then(|graph| graph.instance.clone());
    check_sample(&api.unwrap_or_else(|| panic!("{messages:?}")));
}

#[test]
fn diagrams_come_in_four_forms() {
    let file = "examples/webapp/rgd.yaml";
    for (format, begin, end) in [
        ("svg", "<svg xmlns=", "</svg>\n"),
        ("html", "<!doctype html>", "</html>\n"),
        ("mermaid", "flowchart TD\n", "\n"),
        ("dot", "digraph \"webapp\" {", "}\n"),
    ] {
        let text = out(&kro(&["generate", "diagram", file, "--format", format]));
        assert!(text.starts_with(begin) && text.ends_with(end), "{format}: {text}");
        assert!(text.contains("deployment"), "{format}: {text}");
    }
    assert_eq!(out(&kro(&["generate", "diagram", file])), out(&kro(&["generate", "diagram", file, "-o", "html"])));
    let several = kro(&["generate", "diagram", "examples/seed", "-o", "dot"]);
    assert!(err(&several).contains("choose with --name"), "{}", err(&several));
    let one = kro(&["generate", "diagram", "examples/seed", "-o", "dot", "--name", "ml-model-api"]);
    assert!(out(&one).starts_with("digraph \"ml-model-api\""), "{}", err(&one));
}
