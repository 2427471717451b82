use kro_value::Value;

/// A ResourceGraphDefinition in short: `kind` (its name in lower case is that of the definition unless `name` says
/// otherwise), whatever else `spec.schema` may have, `resources`, and `annotations` and `labels` of the definition.
pub(crate) fn definition(argument: &Value) -> Result<Value, String> {
    let mut schema = argument.clone();
    let kind = argument.str_at(&["kind"]).ok_or("kind is missing")?;
    let mut manifest = head("ResourceGraphDefinition", argument.str_at(&["name"]).unwrap_or(&kind.to_lowercase()));
    for key in ["labels", "annotations"] {
        if let Some(value) = argument.get(key) {
            manifest.set_at(&["metadata", key], value.clone());
        }
    }
    let map = schema.ensure_map();
    map.retain(|key, _| !["name", "labels", "annotations", "resources"].contains(&key.as_str()));
    if !map.contains_key("apiVersion") {
        map.insert("apiVersion", Value::from("v1alpha1"));
    }
    manifest.set_at(&["spec", "schema"], schema);
    if let Some(resources) = argument.get("resources") {
        manifest.set_at(&["spec", "resources"], resources.clone());
    }
    Ok(manifest)
}

/// An instance in short: `kind`, `name`, and whatever else an object has; its namespace is that of the run.
pub(crate) fn instance(argument: &Value) -> Result<Value, String> {
    let kind = argument.str_at(&["kind"]).ok_or("kind is missing")?;
    let mut manifest = head(kind, argument.str_at(&["name"]).ok_or("name is missing")?);
    for key in ["labels", "annotations"] {
        if let Some(value) = argument.get(key) {
            manifest.set_at(&["metadata", key], value.clone());
        }
    }
    for key in ["apiVersion", "spec"] {
        if let Some(value) = argument.get(key) {
            manifest.set_at(&[key], value.clone());
        }
    }
    Ok(manifest)
}

fn head(kind: &str, name: &str) -> Value {
    Value::map([
        ("apiVersion", Value::from("kro.run/v1alpha1")),
        ("kind", Value::from(kind)),
        ("metadata", Value::map([("name", Value::from(name))])),
    ])
}
