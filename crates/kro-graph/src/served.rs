use std::collections::BTreeMap;

use kro_schema::structural::{Definitions, Schema};
use kro_value::{Str, Value};

use crate::{Gvk, ResolvedKind, SchemaSource};

/// Kinds as an API server itself tells of them, by OpenAPI v3 and discovery: also those of aggregated API servers.
#[derive(Debug, Clone, Default)]
pub struct ServedSchemas {
    kinds: BTreeMap<Gvk, ResolvedKind>,
}

impl ServedSchemas {
    /// Adds the kinds of a group version, in place of those it had before: `document` is the answer to
    /// `/openapi/v3/apis/GROUP/VERSION`, `resources` (an `APIResourceList`) that to `/apis/GROUP/VERSION`; the core
    /// group, which is empty here, is below `api` instead. A kind without a schema is left out.
    pub fn add(&mut self, group: &str, version: &str, document: &Value, resources: &Value) {
        self.kinds.retain(|gvk, _| gvk.group != group || gvk.version != version);
        let definitions = Definitions::from_document(document);
        let mut by_kind: BTreeMap<Str, Schema> = BTreeMap::new();
        for schema in definitions.names().filter_map(|name| definitions.get(name)) {
            let gvks = schema.group_version_kinds().into_iter();
            let own = gvks.filter(|gvk| gvk.group == group && gvk.version == version);
            own.for_each(|gvk| drop(by_kind.insert(gvk.kind, schema.clone())));
        }
        for resource in resources.get("resources").and_then(Value::as_list).unwrap_or_default() {
            let text = |key| resource.str_at(&[key]).unwrap_or_default();
            let (plural, kind) = (text("name"), text("kind"));
            // Subresources have a slash.
            if plural.is_empty() || plural.contains('/') {
                continue;
            }
            let Some(schema) = by_kind.get(kind).cloned() else { continue };
            let namespaced = resource.get("namespaced").and_then(Value::as_bool).unwrap_or_default();
            let resolved = ResolvedKind { schema, plural: Str::new(plural), namespaced };
            self.kinds.insert(Gvk::new(group, version, kind), resolved);
        }
    }
}

impl SchemaSource for ServedSchemas {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        self.kinds.get(gvk).cloned()
    }

    fn kinds(&self) -> Vec<Gvk> {
        self.kinds.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn kinds_come_from_documents() {
        let document = from_json(
            r##"{"components": {"schemas": {
                "io.x.Gauge": {"type": "object", "properties": {"value": {"$ref": "#/components/schemas/io.x.Value"}},
                    "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Gauge"}]},
                "io.x.Value": {"type": "integer"}}}}"##,
        );
        let resources = from_json(
            r#"{"resources": [
                {"name": "gauges", "kind": "Gauge", "namespaced": true}, {"name": "gauges/status", "kind": "Gauge"},
                {"name": "others", "kind": "Other", "namespaced": true}]}"#,
        );
        let mut served = ServedSchemas::default();
        served.add("x.io", "v1", &document.unwrap(), &resources.unwrap());
        assert_eq!(served.kinds(), [Gvk::new("x.io", "v1", "Gauge")]);
        let gauge = served.resolve(&Gvk::new("x.io", "v1", "Gauge")).unwrap();
        assert_eq!((gauge.plural.as_str(), gauge.namespaced), ("gauges", true));
        assert_eq!(
            gauge.schema.property("value").and_then(|value| value.schema_type()).map(|kind| format!("{kind:?}")),
            Some("Integer".to_owned())
        );
        served.add("x.io", "v1", &Value::Null, &Value::Null);
        assert_eq!(served.kinds(), []);
    }
}
