//! kro's own two CustomResourceDefinitions, as `--install-crds` installs them.
//!
//! They are those of the wire contract, relaxed for definitions without a schema: `spec.schema` may be absent, and an
//! entry of `spec.resources` may be a plain manifest, whose fields are kept as they are.

use kro_value::{Value, from_json};

/// `resourcegraphdefinitions.kro.run` and `graphrevisions.internal.kro.run`.
pub fn custom_resource_definitions() -> [Value; 2] {
    [definitions(), revisions()]
}

/// Reads a constant of this file.
fn json(text: &str) -> Value {
    from_json(text).unwrap_or_default()
}

/// A CRD with one version and a status subresource.
fn envelope(names: &str, group: &str, columns: &str, schema: Value) -> Value {
    let names = json(names);
    let plural = names.str_at(&["plural"]).unwrap_or_default().to_owned();
    let version = Value::map([
        ("name", Value::from(kro_api::VERSION)),
        ("served", Value::Bool(true)),
        ("storage", Value::Bool(true)),
        ("additionalPrinterColumns", json(columns)),
        ("subresources", json(r#"{"status":{}}"#)),
        ("schema", Value::map([("openAPIV3Schema", schema)])),
    ]);
    Value::map([
        ("apiVersion", Value::from("apiextensions.k8s.io/v1")),
        ("kind", Value::from("CustomResourceDefinition")),
        ("metadata", Value::map([("name", Value::from(format!("{plural}.{group}")))])),
        (
            "spec",
            Value::map([
                ("group", Value::from(group)),
                ("names", names),
                ("scope", Value::from("Cluster")),
                ("versions", Value::list([version])),
            ]),
        ),
    ])
}

fn definitions() -> Value {
    let mut schema = root("ResourceGraphDefinition describes a custom API and the graph of resources behind it.");
    schema.set_at(&["properties", "spec"], spec());
    schema.set_at(&["properties", "status"], status(DEFINITION_STATUS));
    let names = r#"{"kind":"ResourceGraphDefinition","listKind":"ResourceGraphDefinitionList",
        "plural":"resourcegraphdefinitions","singular":"resourcegraphdefinition","shortNames":["rgd"]}"#;
    envelope(names, kro_api::GROUP, DEFINITION_COLUMNS, schema)
}

fn revisions() -> Value {
    let mut schema = root("GraphRevision is an immutable snapshot of a ResourceGraphDefinition.");
    let mut spec_schema = json(REVISION_SPEC);
    spec_schema.set_at(&["properties", "snapshot", "properties", "spec"], spec());
    schema.set_at(&["properties", "spec"], spec_schema);
    schema.set_at(&["properties", "status"], status(REVISION_STATUS));
    let names = r#"{"kind":"GraphRevision","listKind":"GraphRevisionList","plural":"graphrevisions",
        "singular":"graphrevision","shortNames":["gr"]}"#;
    let mut crd = envelope(names, kro_api::INTERNAL_GROUP, REVISION_COLUMNS, schema);
    let versions = crd.as_map_mut().and_then(|crd| crd.get_mut("spec")).and_then(Value::as_map_mut);
    let version = versions.and_then(|spec| spec.get_mut("versions")).and_then(Value::as_list_mut);
    if let Some(version) = version.and_then(|versions| versions.first_mut()) {
        version.set_at(&["selectableFields"], json(r#"[{"jsonPath":".spec.snapshot.name"}]"#));
    }
    crd
}

fn root(description: &str) -> Value {
    let mut schema = json(
        r#"{"type":"object","required":["spec"],"properties":{
        "apiVersion":{"type":"string"},"kind":{"type":"string"},"metadata":{"type":"object"}}}"#,
    );
    schema.set_at(&["description"], Value::from(description));
    schema
}

/// `spec` of a definition, and of the snapshot in a revision.
fn spec() -> Value {
    let mut spec = json(SPEC);
    spec.set_at(&["properties", "schema"], json(SPEC_SCHEMA));
    spec.set_at(&["properties", "resources"], json(SPEC_RESOURCES));
    spec
}

/// A status with conditions and topology, and fields of its own.
fn status(own: &str) -> Value {
    let mut status = json(STATUS);
    for (key, value) in json(own).as_map().into_iter().flatten() {
        status.set_at(&["properties", key], value.clone());
    }
    status
}

const DEFINITION_COLUMNS: &str = r#"[
{"name":"APIVERSION","type":"string","jsonPath":".spec.schema.apiVersion","description":"The API version of the generated kind"},
{"name":"KIND","type":"string","jsonPath":".spec.schema.kind","description":"The generated kind"},
{"name":"STATE","type":"string","jsonPath":".status.state","description":"Active when instances are served"},
{"name":"READY","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status","description":"The root condition"},
{"name":"TOPOLOGICALORDER","type":"string","jsonPath":".status.topologicalOrder","priority":1,"description":"The order in which resources are processed"},
{"name":"AGE","type":"date","jsonPath":".metadata.creationTimestamp"}]"#;

const REVISION_COLUMNS: &str = r#"[
{"name":"RGD","type":"string","jsonPath":".spec.snapshot.name","priority":1,"description":"The definition"},
{"name":"REVISION","type":"integer","jsonPath":".spec.revision","description":"The number of the revision"},
{"name":"HASH","type":"string","jsonPath":".metadata.labels.kro\\.run/graph-revision-hash","priority":1,"description":"Hash of the spec"},
{"name":"READY","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status","description":"The root condition"},
{"name":"AGE","type":"date","jsonPath":".metadata.creationTimestamp"}]"#;

const REVISION_SPEC: &str = r#"{"type":"object","required":["revision","snapshot"],
"x-kubernetes-validations":[{"rule":"self == oldSelf","message":"spec is immutable"}],
"properties":{
"revision":{"type":"integer","format":"int64","minimum":1,"description":"Number of the revision, rising"},
"snapshot":{"type":"object","required":["name","generation","spec"],"properties":{
"name":{"type":"string","description":"Name of the definition"},
"generation":{"type":"integer","format":"int64","description":"Generation of the definition when the revision was issued"}}}}}"#;

const SPEC: &str = r#"{"type":"object","properties":{},"x-kubernetes-validations":[
{"rule":"has(self.schema) == has(oldSelf.schema)","message":"schema cannot be added or removed"}]}"#;

const SPEC_SCHEMA: &str = r#"{"type":"object","required":["apiVersion","kind","scope"],
"description":"The API of instances. Without it the definition is its own single instance.",
"properties":{
"kind":{"type":"string","pattern":"^[A-Z][a-zA-Z0-9]{0,62}$",
 "x-kubernetes-validations":[{"rule":"self == oldSelf","message":"kind is immutable"}]},
"apiVersion":{"type":"string","pattern":"^v[0-9]+(alpha[0-9]+|beta[0-9]+)?$",
 "x-kubernetes-validations":[{"rule":"self == oldSelf","message":"apiVersion is immutable"}]},
"group":{"type":"string","default":"kro.run",
 "x-kubernetes-validations":[{"rule":"self == oldSelf","message":"group is immutable"}]},
"scope":{"type":"string","default":"Namespaced","enum":["Namespaced","Cluster"],
 "x-kubernetes-validations":[{"rule":"self == oldSelf","message":"scope is immutable"}]},
"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"description":"Fields of an instance's spec, in SimpleSchema"},
"types":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"description":"Named types, in SimpleSchema"},
"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"description":"Fields of an instance's status, as CEL expressions"},
"metadata":{"type":"object","description":"Goes onto the generated CustomResourceDefinition","properties":{
 "labels":{"type":"object","additionalProperties":{"type":"string"}},
 "annotations":{"type":"object","additionalProperties":{"type":"string"}}}},
"additionalPrinterColumns":{"type":"array","items":{"type":"object","required":["name","type","jsonPath"],"properties":{
 "name":{"type":"string"},"type":{"type":"string"},"jsonPath":{"type":"string"},"description":{"type":"string"},
 "format":{"type":"string"},"priority":{"type":"integer","format":"int32"}}}},
"shortNames":{"type":"array","maxItems":32,"x-kubernetes-list-type":"set",
 "items":{"type":"string","maxLength":63,"pattern":"^[a-z]([-a-z0-9]*[a-z0-9])?$"}},
"categories":{"type":"array","maxItems":32,"x-kubernetes-list-type":"set",
 "items":{"type":"string","maxLength":63,"pattern":"^[a-z]([-a-z0-9]*[a-z0-9])?$"}}}}"#;

const SPEC_RESOURCES: &str = r#"{"type":"array",
"description":"Resources with an id and a template or an external reference, or plain manifests",
"items":{"type":"object","x-kubernetes-preserve-unknown-fields":true,
"x-kubernetes-validations":[
{"rule":"(has(self.apiVersion) && has(self.kind)) || has(self.id)","message":"id is required"},
{"rule":"(has(self.apiVersion) && has(self.kind)) || (has(self.template) != has(self.externalRef))",
 "message":"exactly one of template or externalRef must be provided"}],
"properties":{
"apiVersion":{"type":"string","description":"Of a plain manifest"},
"kind":{"type":"string","description":"Of a plain manifest"},
"metadata":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"description":"Of a plain manifest"},
"id":{"type":"string","description":"The name of the resource in expressions"},
"template":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"description":"The object, with CEL expressions"},
"externalRef":{"type":"object","required":["apiVersion","kind","metadata"],"properties":{
 "apiVersion":{"type":"string"},"kind":{"type":"string"},
 "metadata":{"type":"object","x-kubernetes-validations":[
  {"rule":"has(self.name) != has(self.selector)","message":"exactly one of name or selector must be provided"}],
  "properties":{"name":{"type":"string","minLength":1},"namespace":{"type":"string"},
  "selector":{"type":"object","x-kubernetes-map-type":"atomic","properties":{
   "matchLabels":{"type":"object","additionalProperties":{"type":"string"}},
   "matchExpressions":{"type":"array","x-kubernetes-list-type":"atomic","items":{"type":"object","required":["key","operator"],
    "properties":{"key":{"type":"string"},"operator":{"type":"string"},
    "values":{"type":"array","x-kubernetes-list-type":"atomic","items":{"type":"string"}}}}}}}}}}},
"readyWhen":{"type":"array","items":{"type":"string"}},
"includeWhen":{"type":"array","items":{"type":"string"}},
"forEach":{"type":"array","items":{"type":"object","minProperties":1,"maxProperties":1,"additionalProperties":{"type":"string"}}}}}}"#;

const STATUS: &str = r#"{"type":"object","properties":{
"topologicalOrder":{"type":"array","items":{"type":"string"}},
"resources":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},
 "dependencies":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}}}}},
"conditions":{"type":"array","items":{"type":"object","required":["type","status"],"properties":{
 "type":{"type":"string"},"status":{"type":"string"},"reason":{"type":"string"},"message":{"type":"string"},
 "lastTransitionTime":{"type":"string","format":"date-time"},
 "observedGeneration":{"type":"integer","format":"int64","minimum":0}}}}}}"#;

const DEFINITION_STATUS: &str =
    r#"{"state":{"type":"string"},"lastIssuedRevision":{"type":"integer","format":"int64"}}"#;

const REVISION_STATUS: &str = "{}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constant_is_json() {
        for text in [
            DEFINITION_COLUMNS,
            REVISION_COLUMNS,
            REVISION_SPEC,
            SPEC,
            SPEC_SCHEMA,
            SPEC_RESOURCES,
            STATUS,
            DEFINITION_STATUS,
            REVISION_STATUS,
        ] {
            assert!(from_json(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn both_have_their_names_and_the_same_spec() {
        let [definitions, revisions] = custom_resource_definitions();
        assert_eq!(definitions.str_at(&["metadata", "name"]), Some("resourcegraphdefinitions.kro.run"));
        assert_eq!(revisions.str_at(&["metadata", "name"]), Some("graphrevisions.internal.kro.run"));
        let schema = |crd: &Value| {
            crd.at(&["spec", "versions"]).unwrap().as_list().unwrap()[0].at(&["schema", "openAPIV3Schema"]).cloned()
        };
        let (definitions, revisions) = (schema(&definitions).unwrap(), schema(&revisions).unwrap());
        assert_eq!(
            definitions.at(&["properties", "spec"]),
            revisions.at(&["properties", "spec", "properties", "snapshot", "properties", "spec"])
        );
    }
}
