//! The kinds built into Kubernetes: their schemas and resources, bundled for one release.
//!
//! Only stable versions are here. The data is small and compressed; it is unpacked on first use (once for the
//! process), and a schema is parsed when it is first asked for. Where the data comes from: `data/README.md`.

use std::collections::HashMap;
use std::sync::OnceLock;

use kro_value::{Map, Str, Value, from_json};

use crate::structural::{Definitions, Schema};

static SCHEMAS: &[u8] = include_bytes!("../data/schemas.deflate");
static DESCRIPTIONS: &[u8] = include_bytes!("../data/descriptions.deflate");
static RESOURCES: &str = include_str!("../data/resources.json");
static VERSION: &str = include_str!("../data/VERSION");

/// The keyword that tells what Go's encoder does with the zero of a field; see [`Zero`].
const ZERO_KEYWORD: &str = "x-kro-zero";

/// What the real server does with the zero of a field (`""`, `0`, `false`, an empty list or map) when it stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// Zero and absent differ: kept as sent.
    Kept,
    /// Zero is not stored; a struct always is.
    Dropped,
    /// Neither zero nor an empty struct is stored.
    Omitted,
    /// Zero is always stored, even when absent from what was sent.
    Emitted,
}

/// What becomes of the zero of the field with this schema; meaningful for bundled schemas only.
pub fn zero(schema: &Schema) -> Zero {
    match schema.keyword(ZERO_KEYWORD).and_then(Value::as_str) {
        Some("drop") => Zero::Dropped,
        Some("omit") => Zero::Omitted,
        Some("emit") => Zero::Emitted,
        _ => Zero::Kept,
    }
}

/// One resource of discovery.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: Str,
    /// Version.
    pub version: Str,
    /// Kind.
    pub kind: Str,
    /// Name in request paths.
    pub plural: Str,
    /// Lower-case singular.
    pub singular: Str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Verbs in alphabetical order.
    pub verbs: Vec<Str>,
    /// Abbreviations.
    pub short_names: Vec<Str>,
    /// Groups of resources such as `all`.
    pub categories: Vec<Str>,
    /// What discovery tells of the stored version; empty for resources that are not stored.
    pub storage_version_hash: Str,
    /// Subresources in alphabetical order.
    pub subresources: Vec<Subresource>,
}

/// One subresource of discovery.
#[derive(Debug, Clone, PartialEq)]
pub struct Subresource {
    /// Name in request paths, such as `status`.
    pub name: Str,
    /// Group of its kind when it is not that of the resource.
    pub group: Option<Str>,
    /// Version of its kind when it is not that of the resource.
    pub version: Option<Str>,
    /// Kind of its objects.
    pub kind: Str,
    /// Verbs in alphabetical order.
    pub verbs: Vec<Str>,
}

impl Resource {
    /// True when the resource has this subresource.
    pub fn has_subresource(&self, name: &str) -> bool {
        self.subresources.iter().any(|subresource| subresource.name == name)
    }
}

/// The release that the data is of, as `v1.36.3`.
pub fn kubernetes_version() -> &'static str {
    VERSION.lines().find_map(|line| line.strip_prefix("kubernetes ")).unwrap_or_default()
}

/// The schema of a kind, without descriptions.
pub fn resolve(group: &str, version: &str, kind: &str) -> Option<Schema> {
    let data = data();
    data.definitions.get(data.kinds.get(&(group, version, kind))?)
}

/// A schema by its name in OpenAPI, as `io.k8s.api.core.v1.PodSpec`, without descriptions.
pub fn definition(name: &str) -> Option<Schema> {
    data().definitions.get(name)
}

/// All schemas, without descriptions: what programs compute on.
pub fn definitions() -> &'static Definitions {
    &data().definitions
}

/// All schemas with the descriptions of their fields, for people and OpenAPI documents. Larger: unpacked apart.
pub fn described() -> &'static Definitions {
    static DESCRIBED: OnceLock<Definitions> = OnceLock::new();
    DESCRIBED
        .get_or_init(|| Definitions::lazy(data().lines.iter().map(|line| Str::new_static(line.name)), load_described))
}

/// The schema of a kind with the descriptions of its fields.
pub fn resolve_described(group: &str, version: &str, kind: &str) -> Option<Schema> {
    described().get(data().kinds.get(&(group, version, kind))?)
}

/// All resources: groups as the real server orders them, then versions, preferred first, then by name.
pub fn resources() -> &'static [Resource] {
    static ROWS: OnceLock<Vec<Resource>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let rows = from_json(RESOURCES).unwrap_or_default();
        rows.as_list().unwrap_or_default().iter().map(resource).collect()
    })
}

/// The resource of a kind.
pub fn resource_of_kind(group: &str, version: &str, kind: &str) -> Option<&'static Resource> {
    type Kind = (&'static str, &'static str, &'static str);
    static ROWS: OnceLock<HashMap<Kind, &'static Resource>> = OnceLock::new();
    let key = |row: &'static Resource| (row.group.as_str(), row.version.as_str(), row.kind.as_str());
    let rows = ROWS.get_or_init(|| resources().iter().rev().map(|row| (key(row), row)).collect());
    rows.get(&(group, version, kind)).copied()
}

/// One schema of the data, not parsed yet.
struct Line {
    name: &'static str,
    json: &'static str,
}

struct Data {
    /// Sorted by name.
    lines: Vec<Line>,
    kinds: HashMap<(&'static str, &'static str, &'static str), &'static str>,
    definitions: Definitions,
}

fn data() -> &'static Data {
    static DATA: OnceLock<Data> = OnceLock::new();
    DATA.get_or_init(|| {
        let mut lines = Vec::new();
        let mut kinds = HashMap::new();
        for line in schema_text().lines() {
            let mut columns = line.splitn(3, '\t');
            let (Some(name), Some(kinds_column), Some(json)) = (columns.next(), columns.next(), columns.next()) else {
                continue;
            };
            kinds.extend(kinds_column.split(',').filter_map(split_kind).map(|kind| (kind, name)));
            lines.push(Line { name, json });
        }
        let definitions = Definitions::lazy(lines.iter().map(|line| Str::new_static(line.name)), load);
        Data { lines, kinds, definitions }
    })
}

fn split_kind(text: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (group, rest) = text.split_once('/')?;
    let (version, kind) = rest.split_once('/')?;
    Some((group, version, kind))
}

fn schema_text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| inflate(SCHEMAS))
}

fn load(index: usize) -> Value {
    data().lines.get(index).and_then(|line| from_json(line.json).ok()).unwrap_or_default()
}

fn load_described(index: usize) -> Value {
    static TEXT: OnceLock<String> = OnceLock::new();
    static TEXTS: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        TEXT.get_or_init(|| inflate(DESCRIPTIONS)).lines().filter_map(|line| line.split_once('\t')).collect()
    });
    let mut schema = load(index);
    let name = data().lines.get(index).map_or("", |line| line.name);
    if let Some(texts) = texts.get(name).and_then(|json| from_json(json).ok()) {
        lay_over(&mut schema, &texts);
    }
    schema
}

/// Puts descriptions, which have the shape of the schema, where they belong.
fn lay_over(schema: &mut Value, texts: &Value) {
    let (Value::Map(schema), Some(texts)) = (schema, texts.as_map()) else { return };
    for (key, text) in texts {
        match schema.get_mut(key) {
            Some(inner) => lay_over(inner, text),
            None => {
                schema.insert(key.clone(), text.clone());
            }
        }
    }
}

/// The data is part of the program; a test proves that it unpacks.
fn inflate(data: &[u8]) -> String {
    let bytes = miniz_oxide::inflate::decompress_to_vec(data).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn resource(row: &Value) -> Resource {
    let map = row.as_map().cloned().unwrap_or_default();
    let subresources = map.get("subresources").and_then(Value::as_list).unwrap_or_default();
    Resource {
        group: text(&map, "group"),
        version: text(&map, "version"),
        kind: text(&map, "kind"),
        plural: text(&map, "plural"),
        singular: text(&map, "singular"),
        namespaced: map.get("namespaced").and_then(Value::as_bool).unwrap_or_default(),
        verbs: texts(&map, "verbs"),
        short_names: texts(&map, "shortNames"),
        categories: texts(&map, "categories"),
        storage_version_hash: text(&map, "storageVersionHash"),
        subresources: subresources.iter().map(subresource).collect(),
    }
}

fn subresource(row: &Value) -> Subresource {
    let map = row.as_map().cloned().unwrap_or_default();
    let optional = |key| map.get(key).and_then(Value::as_str).map(Str::new);
    Subresource {
        name: text(&map, "name"),
        group: optional("group"),
        version: optional("version"),
        kind: text(&map, "kind"),
        verbs: texts(&map, "verbs"),
    }
}

fn text(map: &Map, key: &str) -> Str {
    Str::new(map.get(key).and_then(Value::as_str).unwrap_or_default())
}

fn texts(map: &Map, key: &str) -> Vec<Str> {
    let items = map.get(key).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(Str::new).collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::structural::{ListType, SchemaType};

    #[test]
    fn data_is_what_the_record_says() {
        for (name, content) in [
            ("schemas.deflate", SCHEMAS),
            ("descriptions.deflate", DESCRIPTIONS),
            ("resources.json", RESOURCES.as_bytes()),
        ] {
            let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(VERSION.contains(&format!("sha256 {digest} {name}\n")), "{name} does not match data/VERSION");
        }
        assert!(kubernetes_version().starts_with("v1."));
    }

    #[test]
    fn every_schema_parses_and_every_reference_leads_somewhere() {
        for definitions in [definitions(), described()] {
            assert!(definitions.names().count() > 500);
            for name in definitions.names() {
                let schema = definitions.get(name).unwrap();
                assert_eq!(schema.reference(), Some(name.as_str()));
                for (property, child) in schema.properties() {
                    let known =
                        child.schema_type().is_some() || child.one_of().len() > 0 || child.reference().is_some();
                    assert!(known, "{name}.{property}");
                }
            }
        }
    }

    #[test]
    fn service_ports_have_keys_with_a_default() {
        let spec = resolve("", "v1", "Service").unwrap().property("spec").unwrap();
        let ports = spec.property("ports").unwrap();
        assert_eq!(ports.list_type(), Some(ListType::Map));
        assert_eq!(ports.list_map_keys(), ["port", "protocol"]);
        assert_eq!(ports.patch_merge_key(), Some("port"));
        let protocol = ports.items().unwrap().property("protocol").unwrap();
        assert_eq!(protocol.default_value(), Some(&Value::from("TCP")));
    }

    #[test]
    fn zeros_are_told_apart() {
        let spec = resolve("apps", "v1", "Deployment").unwrap().property("spec").unwrap();
        let zero_of = |name: &str| zero(&spec.property(name).unwrap());
        assert_eq!(zero_of("replicas"), Zero::Kept);
        assert_eq!(zero_of("paused"), Zero::Dropped);
        assert_eq!(zero_of("template"), Zero::Emitted);
        let metadata = definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta").unwrap();
        assert_eq!(zero(&metadata.property("creationTimestamp").unwrap()), Zero::Omitted);
    }

    #[test]
    fn every_resource_has_a_schema_and_unstable_versions_are_gone() {
        for row in resources() {
            let schema = resolve(&row.group, &row.version, &row.kind);
            assert!(schema.is_some(), "{}/{} {}", row.group, row.version, row.kind);
            assert!(!row.version.contains("beta") && !row.version.contains("alpha"));
        }
        let pods = resource_of_kind("", "v1", "Pod").unwrap();
        assert!(pods.namespaced && pods.has_subresource("status") && pods.short_names == ["po"]);
        let scale = resource_of_kind("apps", "v1", "Deployment").unwrap();
        let scale = scale.subresources.iter().find(|subresource| subresource.name == "scale").unwrap();
        assert_eq!((scale.group.as_deref(), scale.kind.as_str()), (Some("autoscaling"), "Scale"));
    }

    #[test]
    fn descriptions_are_apart() {
        assert_eq!(resolve("", "v1", "Pod").unwrap().description(), None);
        let pod = resolve_described("", "v1", "Pod").unwrap();
        assert!(pod.description().unwrap().starts_with("Pod is a collection of containers"));
        let spec = pod.property("spec").unwrap();
        assert!(spec.description().unwrap().starts_with("Specification of the desired behavior"));
        assert_eq!(spec.schema_type(), Some(SchemaType::Object));
    }
}
