//! A resource against its kind: object shape, scope, names, reserved keys, and the walk over its template.

use kro_api::metadata::{ANNOTATION_REPLACE_IMMUTABLE, INTERNAL_PREFIX, PREFIX};
use kro_diagnostics::codes::{cel as cel_codes, shape as codes, typing};
use kro_diagnostics::{Code, Diagnostic, did_you_mean};
use kro_value::{FieldPath, Map, Str, Value};

use crate::definition::{Definition, Entry};
use crate::report::Report;
use crate::template::{self, Site};
use crate::{Gvk, ResolvedKind, SchemaSource, names, schemas};

/// A resource whose object was read.
pub(crate) struct Resource<'d> {
    pub entry: &'d Entry,
    pub gvk: Gvk,
    /// `None` when no schema is known.
    pub kind: Option<ResolvedKind>,
    pub has_selector: bool,
    /// Strings with `${`, in the order of the walk.
    pub sites: Vec<Site>,
}

impl Resource<'_> {
    pub fn namespaced(&self) -> bool {
        self.kind.as_ref().is_none_or(|kind| kind.namespaced)
    }

    pub fn is_crd(&self) -> bool {
        is_crd(&self.gvk)
    }
}

fn is_crd(gvk: &Gvk) -> bool {
    gvk.group == "apiextensions.k8s.io" && gvk.version == "v1" && gvk.kind == "CustomResourceDefinition"
}

/// Reads one entry. Problems are reported; `None` when nothing can be said about the object.
pub(crate) fn read<'d>(
    report: &mut Report<'_>,
    definition: &Definition,
    entry: &'d Entry,
    sources: &dyn SchemaSource,
    missing: &mut Vec<Gvk>,
) -> Option<Resource<'d>> {
    let gvk = read_gvk(report, entry)?;
    let kind = sources.resolve(&gvk);
    if kind.is_none() {
        report_missing(report, entry, &gvk, sources);
        missing.push(gvk.clone());
    }
    let has_selector = entry.is_external && entry.object.at(&["metadata", "selector"]).is_some();
    // Bodies of CRDs are not checked: their expressions are refused, and the rest is data.
    let schema = match &kind {
        _ if entry.is_external => Some(schemas::reference_schema()),
        Some(kind) if !is_crd(&gvk) => Some(&kind.schema),
        _ => None,
    };
    let sites = template::walk(report, &entry.id, &entry.object_path, &entry.object, schema);
    let resource = Resource { entry, gvk, kind, has_selector, sites };
    check_namespace(report, definition, &resource);
    check_names(report, &resource);
    check_reserved(report, entry);
    check_crd(report, &resource);
    Some(resource)
}

fn error(report: &mut Report<'_>, entry: &Entry, code: Code, path: &FieldPath, message: String) {
    report.push(Diagnostic::error(code, message).about(entry.id.as_str()).at(path.clone()));
}

fn read_gvk(report: &mut Report<'_>, entry: &Entry) -> Option<Gvk> {
    if entry.object.is_null() {
        return None;
    }
    let id = &entry.id;
    let mut problem = None;
    let mut text = |key: &str| {
        let value = entry.object.get(key).filter(|value| !value.is_null());
        let what = match value {
            Some(Value::String(text)) => return text.clone(),
            Some(_) => "is not a string",
            None => "field not found",
        };
        problem.get_or_insert((key.to_owned(), what));
        Str::default()
    };
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let metadata = entry.object.get("metadata").filter(|metadata| !metadata.is_null());
    if metadata.is_none_or(|metadata| metadata.as_map().is_none()) {
        let what = if metadata.is_some() { "is not a map" } else { "field not found" };
        problem.get_or_insert(("metadata".to_owned(), what));
    }
    if let Some((key, what)) = problem {
        // External references were checked with their own words.
        if !entry.is_external {
            let field = if what.starts_with("field") { format!("{key} {what}") } else { format!("{key} field {what}") };
            let message = format!("resource {id} is not a valid Kubernetes object: {field}");
            error(report, entry, codes::NOT_AN_OBJECT, &entry.object_path.field(key), message);
        }
        return None;
    }
    let gvk = parse_gvk(&api_version, &kind);
    if gvk.is_none() {
        let path = entry.object_path.field("apiVersion");
        let message = format!("failed to extract GVK from resource {id}: invalid apiVersion format {api_version:?}");
        error(report, entry, codes::NOT_AN_OBJECT, &path, message);
    }
    if !names::is_dns_1035_label(&kind.to_ascii_lowercase()) {
        let message = format!(
            "failed to extract GVK from resource {id}: invalid kind {kind:?} (must be a valid DNS-1035 label when lowercased)"
        );
        error(report, entry, codes::NOT_AN_OBJECT, &entry.object_path.field("kind"), message);
        return None;
    }
    gvk
}

fn parse_gvk(api_version: &str, kind: &str) -> Option<Gvk> {
    if api_version.contains("${") {
        return None;
    }
    match api_version.split('/').collect::<Vec<_>>().as_slice() {
        [version] if !version.is_empty() => Some(Gvk::new("", *version, kind)),
        [group, version] if !version.is_empty() => Some(Gvk::new(*group, *version, kind)),
        _ => None,
    }
}

fn report_missing(report: &mut Report<'_>, entry: &Entry, gvk: &Gvk, schemas: &dyn SchemaSource) {
    let id = &entry.id;
    let message = format!(
        "failed to get schema for resource {id}: cannot resolve group version kind {:?}: schema not found",
        gvk.to_string()
    );
    let kinds = schemas.kinds();
    let elsewhere: Vec<&Gvk> = kinds.iter().filter(|known| known.kind == gvk.kind).collect();
    let mut diagnostic = Diagnostic::error(typing::UNKNOWN_KIND, message).about(id.as_str());
    if let Some(known) = elsewhere.first() {
        diagnostic = diagnostic.at(entry.object_path.field("apiVersion"));
        diagnostic = diagnostic.help(format!("{} is in apiVersion {}", gvk.kind, known.api_version()));
    } else {
        diagnostic = diagnostic.at(entry.object_path.field("kind"));
        let names = kinds.iter().map(|known| known.kind.as_str());
        let near = did_you_mean(&gvk.kind, names);
        diagnostic =
            diagnostic.help(near.unwrap_or_else(|| "install the CRD of this kind first, or give its file".to_owned()));
    }
    report.push(diagnostic);
}

fn check_namespace(report: &mut Report<'_>, definition: &Definition, resource: &Resource<'_>) {
    let (entry, id) = (resource.entry, &resource.entry.id);
    if resource.kind.is_none() {
        return;
    }
    let namespace = entry.object.at(&["metadata", "namespace"]);
    if !resource.namespaced() {
        if namespace.is_some() {
            let message = format!("resource {id:?} is cluster-scoped and must not set metadata.namespace");
            let diagnostic = Diagnostic::error(typing::CLUSTER_SCOPED, message).about(id.as_str());
            report.push_key(diagnostic.at(metadata_path(entry, "namespace")));
        }
        return;
    }
    let is_given = namespace.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    if !definition.is_namespaced() && !is_given && !resource.has_selector {
        let message = format!(
            "resource {id:?} is namespaced and must set metadata.namespace when the instance CRD is cluster-scoped"
        );
        error(report, entry, typing::NAMESPACE_REQUIRED, &metadata_path(entry, "namespace"), message);
    }
}

fn metadata_path(entry: &Entry, key: &str) -> FieldPath {
    entry.object_path.field("metadata").field(key)
}

/// Kinds whose names are not DNS subdomains.
const PATH_NAMED_GROUPS: &[&str] = &["rbac.authorization.k8s.io"];

fn check_names(report: &mut Report<'_>, resource: &Resource<'_>) {
    let entry = resource.entry;
    match entry.object.at(&["metadata", "name"]).filter(|name| !name.is_null()) {
        None if !entry.is_external => {
            let message = format!("resource {:?} has no metadata.name", entry.id);
            let mut diagnostic = Diagnostic::error(typing::NAME_REQUIRED, message).about(entry.id.as_str());
            if entry.object.at(&["metadata", "generateName"]).is_some() {
                diagnostic = diagnostic.help("kro must find the object again: generateName does not do");
            }
            report.push(diagnostic.at(metadata_path(entry, "name")));
        }
        Some(Value::String(name)) if !name.contains("${") => {
            let is_path = PATH_NAMED_GROUPS.contains(&resource.gvk.group.as_str());
            if !is_path && !names::is_dns_1123_subdomain(name) {
                let message = format!(
                    "metadata.name {name:?} is not a valid object name: it must be lower-case letters, digits, '-' and \
                     '.', alphanumeric at both ends, at most 253 characters"
                );
                error(report, entry, typing::NAME, &metadata_path(entry, "name"), message);
            }
        }
        _ => {}
    }
    if let Some(namespace) = entry.object.str_at(&["metadata", "namespace"])
        && !namespace.trim().is_empty() // which is as good as none
        && !namespace.contains("${")
        && (!names::is_dns_1123_subdomain(namespace) || namespace.contains('.') || namespace.len() > 63)
    {
        let message = format!(
            "metadata.namespace {namespace:?} is not a valid namespace: it must be lower-case letters, digits and '-', \
             alphanumeric at both ends, at most 63 characters"
        );
        error(report, entry, typing::NAME, &metadata_path(entry, "namespace"), message);
    }
}

fn check_reserved(report: &mut Report<'_>, entry: &Entry) {
    for (key, what) in [("labels", "label"), ("annotations", "annotation")] {
        let Some(entries) = entry.object.at(&["metadata", key]).and_then(Value::as_map) else { continue };
        for (name, _) in entries {
            let Some(prefix) = [PREFIX, INTERNAL_PREFIX].into_iter().find(|prefix| name.starts_with(prefix)) else {
                continue;
            };
            if name == ANNOTATION_REPLACE_IMMUTABLE && key == "annotations" {
                continue; // what a template may ask of kro
            }
            let message = format!(
                "invalid {what} for resource {:?}. {key} with prefix {prefix:?} are reserved for internal use",
                entry.id
            );
            let path = metadata_path(entry, key).field(name.clone());
            report.push_key(Diagnostic::error(codes::RESERVED_KEY, message).about(entry.id.as_str()).at(path));
        }
    }
}

fn check_crd(report: &mut Report<'_>, resource: &Resource<'_>) {
    if !resource.is_crd() || resource.entry.is_external {
        return;
    }
    let metadata = FieldPath::fields(["metadata"]);
    for site in resource.sites.iter().filter(|site| !site.path.starts_with(&metadata)) {
        let message = format!(
            "CEL expressions in CRDs are only supported for metadata fields, found in path {:?}, resource {}",
            site.path.to_string(),
            resource.entry.id
        );
        let path = resource.entry.object_path.join(&site.path);
        error(report, resource.entry, typing::CRD_EXPRESSION, &path, message);
    }
}

/// Reports `omit()` where an object needs a value.
pub(crate) fn omit_problem(definition: &Definition, resource: &Resource<'_>, path: &FieldPath) -> Option<Diagnostic> {
    let name = FieldPath::fields(["metadata", "name"]);
    let namespace = FieldPath::fields(["metadata", "namespace"]);
    let is_needed = *path == name || (*path == namespace && resource.namespaced() && !definition.is_namespaced());
    is_needed.then(|| {
        let message = format!(
            "resource {:?}: omit() cannot be used at path {:?} — the field is required and must resolve to a concrete value",
            resource.entry.id,
            path.to_string()
        );
        Diagnostic::error(cel_codes::OMIT, message)
    })
}

/// The CustomResourceDefinitions that a graph itself creates.
pub(crate) fn own_crds(definition: &Definition) -> Vec<&Value> {
    let is_crd_object = |object: &&Value| {
        object.str_at(&["kind"]) == Some("CustomResourceDefinition")
            && object.str_at(&["apiVersion"]) == Some("apiextensions.k8s.io/v1")
            && object.at(&["spec"]).and_then(Value::as_map).is_some_and(is_literal)
    };
    definition
        .resources
        .iter()
        .filter(|entry| !entry.is_external)
        .map(|entry| &entry.object)
        .filter(is_crd_object)
        .collect()
}

fn is_literal(spec: &Map) -> bool {
    !["group", "names", "scope"].iter().any(|key| spec.get(key).is_some_and(|value| value.to_string().contains("${")))
}
