//! `cargo xtask generate-builtin-schemas VERSION KUBERNETES [MODULE...]`: writes the data of `kro_schema::builtin`.
//!
//! KUBERNETES is an unpacked Go module `k8s.io/kubernetes`; each MODULE is one it depends on whose Go types the
//! schemas describe: `k8s.io/api`, `k8s.io/apimachinery`, `k8s.io/apiextensions-apiserver`, `k8s.io/kube-aggregator`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::go_types::{Package, Zero};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The keyword that tells what Go's encoder does with the zero of a property.
const ZERO: &str = "x-kro-zero";
const GVK: &str = "x-kubernetes-group-version-kind";

/// Writes the files into `data`.
pub fn generate(arguments: &[String], data: &Path) -> Outcome {
    let [version, kubernetes, modules @ ..] = arguments else {
        return Err("usage: generate-builtin-schemas VERSION KUBERNETES [MODULE...]".into());
    };
    let kubernetes = Path::new(kubernetes);
    let mut schemas = schemas(&kubernetes.join("api/openapi-spec/v3"))?;
    mark_zeros(&mut schemas, &Sources::new(modules)?)?;
    let descriptions = split_descriptions(&mut schemas);
    let files = [
        ("schemas.deflate", deflate(&schema_lines(&schemas))),
        ("descriptions.deflate", deflate(&description_lines(&descriptions))),
        ("resources.json", resource_lines(&kubernetes.join("api/discovery"))?.into_bytes()),
    ];
    fs::create_dir_all(data)?;
    let mut record = format!("kubernetes {version}\n");
    for (name, content) in files {
        let digest: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(record, "sha256 {digest} {name}")?;
        fs::write(data.join(name), content)?;
    }
    fs::write(data.join("VERSION"), record)?;
    Ok(())
}

fn read_json(path: &Path) -> Outcome<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

/// True for `v1`, false for `v1beta2` and `v2alpha1`.
fn is_stable(version: &str) -> bool {
    version.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_unstable(version: &str) -> bool {
    version.starts_with('v') && (version.contains("alpha") || version.contains("beta"))
}

/// All stable schemas of all documents in one map.
fn schemas(folder: &Path) -> Outcome<BTreeMap<String, Value>> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let document = read_json(&entry?.path())?;
        let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object) else { continue };
        for (name, schema) in schemas.iter().filter(|(name, _)| !name.split('.').any(is_unstable)) {
            let known = all.entry(name.clone()).or_insert_with(|| schema.clone());
            add_kinds(known, schema);
        }
    }
    for schema in all.values_mut() {
        sort_kinds(schema);
    }
    Ok(all)
}

/// The documents differ only in the kinds they list for option types: take the union.
fn add_kinds(known: &mut Value, other: &Value) {
    let (Some(known), Some(other)) = (known.get_mut(GVK).and_then(Value::as_array_mut), other[GVK].as_array()) else {
        return;
    };
    let missing: Vec<Value> = other.iter().filter(|kind| !known.contains(kind)).cloned().collect();
    known.extend(missing);
}

fn sort_kinds(schema: &mut Value) {
    if let Some(kinds) = schema.get_mut(GVK).and_then(Value::as_array_mut) {
        kinds.retain(|kind| is_stable(kind["version"].as_str().unwrap_or_default()));
        kinds.sort_by_key(ToString::to_string);
    }
}

/// Go packages by the prefix of schema names, `io.k8s.api.apps.v1`.
struct Sources {
    modules: BTreeMap<String, PathBuf>,
}

impl Sources {
    fn new(folders: &[String]) -> Outcome<Self> {
        let mut modules = BTreeMap::new();
        for folder in folders.iter().map(Path::new) {
            let text = fs::read_to_string(folder.join("go.mod"))?;
            let module = text.lines().find_map(|line| line.strip_prefix("module k8s.io/")).ok_or("no k8s.io module")?;
            modules.insert(module.trim().to_owned(), folder.to_owned());
        }
        Ok(Self { modules })
    }

    /// `io.k8s.api.apps.v1` -> package `apps/v1` of the module `k8s.io/api`.
    fn package(&self, prefix: &str) -> Outcome<Option<Package>> {
        let path = prefix.trim_start_matches("io.k8s.").replace('.', "/");
        let Some((module, inner)) = path.split_once('/') else { return Ok(None) };
        match self.modules.get(module) {
            Some(folder) => Ok(Some(Package::read(&folder.join(inner))?)),
            None => Ok(None),
        }
    }
}

fn mark_zeros(schemas: &mut BTreeMap<String, Value>, sources: &Sources) -> Outcome {
    let mut packages = BTreeMap::new();
    for (name, schema) in schemas {
        let Some((prefix, type_name)) = name.rsplit_once('.') else { continue };
        if !packages.contains_key(prefix) {
            packages.insert(prefix.to_owned(), sources.package(prefix)?);
        }
        let Some(Some(package)) = packages.get(prefix) else { continue };
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        for (json_name, property) in properties {
            let mark = match package.zero(type_name, json_name) {
                Some(Zero::Dropped) => "drop",
                Some(Zero::Omitted) => "omit",
                Some(Zero::Emitted) => "emit",
                Some(Zero::Kept) | None => continue,
            };
            mark_zero(property, mark);
        }
    }
    Ok(())
}

/// A keyword beside `$ref` would be lost, so a bare reference gets the usual `allOf` around it.
fn mark_zero(property: &mut Value, mark: &str) {
    if property.get("$ref").is_some() {
        *property = json!({ "allOf": [property.take()] });
    }
    property[ZERO] = json!(mark);
}

/// Takes all descriptions out; the result has the shape of the schemas, with nothing but descriptions.
fn split_descriptions(schemas: &mut BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let split = |(name, schema): (&String, &mut Value)| (name.clone(), split_description(schema));
    schemas.iter_mut().map(split).filter(|(_, texts)| !texts.is_null()).collect()
}

fn split_description(schema: &mut Value) -> Value {
    let mut texts = Map::new();
    let Some(schema) = schema.as_object_mut() else { return Value::Null };
    if let Some(text) = schema.remove("description") {
        texts.insert("description".into(), text);
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let split = properties.iter_mut().map(|(name, property)| (name.clone(), split_description(property)));
        let inner: Map<String, Value> = split.filter(|(_, texts)| !texts.is_null()).collect();
        if !inner.is_empty() {
            texts.insert("properties".into(), Value::Object(inner));
        }
    }
    for keyword in ["items", "additionalProperties"] {
        let inner = schema.get_mut(keyword).map_or(Value::Null, split_description);
        if !inner.is_null() {
            texts.insert(keyword.into(), inner);
        }
    }
    if texts.is_empty() { Value::Null } else { Value::Object(texts) }
}

/// One line for each schema: name, tab, kinds as `group/version/Kind` with commas, tab, JSON.
fn schema_lines(schemas: &BTreeMap<String, Value>) -> String {
    let mut lines = String::new();
    for (name, schema) in schemas {
        let kinds = schema[GVK].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |kind: &Value, key: &str| kind[key].as_str().unwrap_or_default().to_owned();
        let kind = |kind| format!("{}/{}/{}", text(kind, "group"), text(kind, "version"), text(kind, "kind"));
        let kinds: Vec<String> = kinds.iter().map(kind).collect();
        lines.push_str(&format!("{name}\t{}\t{schema}\n", kinds.join(",")));
    }
    lines
}

/// One line for each schema: name, tab, JSON.
fn description_lines(descriptions: &BTreeMap<String, Value>) -> String {
    descriptions.iter().map(|(name, texts)| format!("{name}\t{texts}\n")).collect()
}

/// Groups in the order of discovery, their stable versions, and the resources of each: a JSON array, one resource on
/// each line.
fn resource_lines(folder: &Path) -> Outcome<String> {
    let core = json!({"metadata": {"name": ""}, "versions": [{"version": "v1"}]});
    let aggregated = read_json(&folder.join("aggregated_v2.json"))?;
    let groups = std::iter::once(&core).chain(aggregated["items"].as_array().into_iter().flatten());
    let mut rows = Vec::new();
    for group in groups {
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        for version in group["versions"].as_array().into_iter().flatten() {
            let version = version["version"].as_str().unwrap_or_default();
            if is_stable(version) {
                rows.extend(resources(folder, name, version)?);
            }
        }
    }
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    Ok(format!("[\n{}\n]\n", rows.join(",\n")))
}

fn resources(folder: &Path, group: &str, version: &str) -> Outcome<Vec<Value>> {
    let file = match group {
        "" => format!("api__{version}.json"),
        _ => format!("apis__{group}__{version}.json"),
    };
    let list = read_json(&folder.join(file))?;
    let entries: Vec<&Value> = list["resources"].as_array().into_iter().flatten().collect();
    let name = |entry: &Value| entry["name"].as_str().unwrap_or_default().to_owned();
    let parents: BTreeSet<String> =
        entries.iter().map(|entry| name(entry)).filter(|name| !name.contains('/')).collect();
    let row = |parent: &String| {
        let own = entries.iter().find(|entry| name(entry) == *parent)?;
        let prefix = format!("{parent}/");
        let children = entries.iter().filter_map(|entry| {
            let subresource = name(entry).strip_prefix(&prefix)?.to_owned();
            Some(subresource_row(&subresource, entry))
        });
        Some(resource_row(group, version, own, children.collect()))
    };
    Ok(parents.iter().filter_map(row).collect())
}

fn resource_row(group: &str, version: &str, entry: &Value, subresources: Vec<Value>) -> Value {
    let mut row = json!({
        "group": group,
        "version": version,
        "kind": entry["kind"],
        "plural": entry["name"],
        "singular": entry["singularName"],
        "namespaced": entry["namespaced"],
        "verbs": entry["verbs"],
    });
    for (key, value) in [
        ("shortNames", &entry["shortNames"]),
        ("categories", &entry["categories"]),
        ("storageVersionHash", &entry["storageVersionHash"]),
    ] {
        if !value.is_null() {
            row[key] = value.clone();
        }
    }
    if !subresources.is_empty() {
        row["subresources"] = Value::Array(subresources);
    }
    row
}

fn subresource_row(name: &str, entry: &Value) -> Value {
    let mut row = json!({"name": name, "kind": entry["kind"], "verbs": entry["verbs"]});
    for key in ["group", "version"] {
        if !entry[key].is_null() {
            row[key] = entry[key].clone();
        }
    }
    row
}

fn deflate(text: &str) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert!(is_stable("v1") && is_stable("v12"));
        assert!(!is_stable("v1beta1") && !is_stable("v") && !is_stable("1"));
    }

    #[test]
    fn descriptions_leave_and_keep_their_shape() {
        let mut schema = json!({"type": "object", "description": "d", "properties": {
            "description": {"type": "string", "description": "e"}, "plain": {"type": "string"}}});
        let texts = split_description(&mut schema);
        assert_eq!(texts, json!({"description": "d", "properties": {"description": {"description": "e"}}}));
        let rest = json!({"type": "object", "properties": {
            "description": {"type": "string"}, "plain": {"type": "string"}}});
        assert_eq!(schema, rest);
    }

    #[test]
    fn a_marked_reference_is_wrapped() {
        let mut property = json!({"$ref": "#/components/schemas/X"});
        mark_zero(&mut property, "emit");
        assert_eq!(property, json!({"allOf": [{"$ref": "#/components/schemas/X"}], "x-kro-zero": "emit"}));
    }
}
