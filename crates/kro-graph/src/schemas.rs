//! Where the schemas of kinds come from.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use kro_schema::builtin;
use kro_schema::structural::Schema;
use kro_value::{Str, Value};

use crate::Gvk;

/// The reference to the schema of `metadata` in the bundled definitions.
const OBJECT_META: &str = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The reference to the schema of a selector in the bundled definitions.
const LABEL_SELECTOR: &str = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector";

/// What is known of a kind.
#[derive(Debug, Clone)]
pub struct ResolvedKind {
    /// The schema of its objects.
    pub schema: Schema,
    /// The resource in request paths.
    pub plural: Str,
    /// False for cluster-scoped kinds.
    pub namespaced: bool,
}

/// Answers what is known of kinds. Performs no I/O: a host fetches what is missing and compiles again.
pub trait SchemaSource {
    /// What is known of a kind; `None` when nothing is.
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind>;

    /// All kinds it knows, for suggestions; may be empty.
    fn kinds(&self) -> Vec<Gvk> {
        Vec::new()
    }
}

/// The built-in kinds of the bundled Kubernetes release.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuiltinSchemas;

impl SchemaSource for BuiltinSchemas {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        let resource = builtin::resource_of_kind(&gvk.group, &gvk.version, &gvk.kind)?;
        Some(ResolvedKind {
            schema: builtin::resolve(&gvk.group, &gvk.version, &gvk.kind)?,
            plural: resource.plural.clone(),
            namespaced: resource.namespaced,
        })
    }

    fn kinds(&self) -> Vec<Gvk> {
        let gvk = |row: &builtin::Resource| Gvk::new(row.group.clone(), row.version.clone(), row.kind.clone());
        builtin::resources().iter().map(gvk).collect()
    }
}

/// Kinds of CustomResourceDefinitions: from files, from a cluster, or of other definitions of the same set.
#[derive(Debug, Clone, Default)]
pub struct CrdSchemas {
    kinds: BTreeMap<Gvk, ResolvedKind>,
}

impl CrdSchemas {
    /// Kinds of some CustomResourceDefinitions.
    pub fn new<'a>(crds: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut schemas = Self::default();
        crds.into_iter().for_each(|crd| schemas.add(crd));
        schemas
    }

    /// Adds the kinds of a CustomResourceDefinition, in place of those it had before; ignores what is none.
    pub fn add(&mut self, crd: &Value) {
        let text = |keys: &[&str]| Str::new(crd.str_at(keys).unwrap_or_default());
        let (group, kind) = (text(&["spec", "group"]), text(&["spec", "names", "kind"]));
        if group.is_empty() || kind.is_empty() {
            return;
        }
        self.kinds.retain(|known, _| known.group != group || known.kind != kind);
        let versions = crd.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
        for version in versions {
            let name = version.str_at(&["name"]).unwrap_or_default();
            let resolved = ResolvedKind {
                schema: object_schema(version.at(&["schema", "openAPIV3Schema"])),
                plural: text(&["spec", "names", "plural"]),
                namespaced: crd.str_at(&["spec", "scope"]) != Some("Cluster"),
            };
            self.kinds.insert(Gvk::new(group.clone(), name, kind.clone()), resolved);
        }
    }
}

impl SchemaSource for CrdSchemas {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        self.kinds.get(gvk).cloned()
    }

    fn kinds(&self) -> Vec<Gvk> {
        self.kinds.keys().cloned().collect()
    }
}

/// Sources that are asked in turn.
#[derive(Default)]
pub struct SchemaSources<'a> {
    sources: Vec<&'a dyn SchemaSource>,
}

impl<'a> SchemaSources<'a> {
    /// The first that knows a kind wins.
    pub fn new(sources: impl IntoIterator<Item = &'a dyn SchemaSource>) -> Self {
        Self { sources: sources.into_iter().collect() }
    }
}

impl SchemaSource for SchemaSources<'_> {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        self.sources.iter().find_map(|source| source.resolve(gvk))
    }

    fn kinds(&self) -> Vec<Gvk> {
        self.sources.iter().flat_map(|source| source.kinds()).collect()
    }
}

/// The schema of a custom resource as objects have it: with the full `metadata`, `apiVersion` and `kind`.
pub(crate) fn object_schema(json: Option<&Value>) -> Schema {
    let mut json = json.cloned().unwrap_or_default();
    json.set_at(&["type"], "object".into());
    let text = Value::map([("type", Value::from("string"))]);
    json.set_at(&["properties", "apiVersion"], text.clone());
    json.set_at(&["properties", "kind"], text);
    json.set_at(&["properties", "metadata"], Value::map([("$ref", Value::from(OBJECT_META))]));
    builtin::definitions().schema(&json)
}

/// The schema of an instance as expressions see it; without a namespace for cluster-scoped ones.
pub(crate) fn instance_schema(json: &Value, namespaced: bool) -> Schema {
    if namespaced {
        return object_schema(Some(json));
    }
    let mut metadata = object_meta().map(|schema| schema.to_json()).unwrap_or_default();
    metadata.remove_at(&["properties", "namespace"]);
    let mut json = object_schema(Some(json)).to_json();
    json.set_at(&["properties", "metadata"], metadata);
    builtin::definitions().schema(&json)
}

/// The schema of the object that an external reference is turned into. The shape of the reference is read before, so that
/// fields besides these are left alone.
pub(crate) fn reference_schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = || Value::map([("type", Value::from("string"))]);
        let open = |properties| {
            Value::map([
                ("type", Value::from("object")),
                ("x-kubernetes-preserve-unknown-fields", Value::from(true)),
                ("properties", properties),
            ])
        };
        let selector = Value::map([("$ref", Value::from(LABEL_SELECTOR))]);
        let metadata = Value::map([("name", text()), ("namespace", text()), ("selector", selector)]);
        let root = Value::map([("apiVersion", text()), ("kind", text()), ("metadata", open(metadata))]);
        builtin::definitions().schema(&open(root))
    })
}

/// The schema of `metadata`.
pub(crate) fn object_meta() -> Option<Schema> {
    builtin::definition(OBJECT_META.rsplit('/').next().unwrap_or_default())
}
