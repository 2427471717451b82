//! The hash of a definition's spec: equal for specs that mean the same.
//!
//! FNV-1a (64 bits) over the canonical JSON of the normalised spec. Integers are hashed exactly, however large.

use kro_value::{Map, Value, write_json};

/// Hashes a spec. Defaults, the order of resources, of `readyWhen` and of `includeWhen`, the order of keys and nil
/// against empty do not matter; everything else does.
pub fn hash_spec(spec: &Value) -> u64 {
    let mut hash = Fnv1a::default();
    write_json(&normalize(spec), &mut hash);
    hash.0
}

/// FNV-1a, 64 bits.
pub fn fnv_1a(bytes: &[u8]) -> u64 {
    let mut hash = Fnv1a::default();
    hash.add(bytes);
    hash.0
}

/// The hash of what was written to it.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    fn add(&mut self, bytes: &[u8]) {
        const PRIME: u64 = 0x0100_0000_01b3;
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    }
}

impl std::io::Write for Fnv1a {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.add(bytes);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The spec in its normal form: defaults filled in, absent lists empty, lists without an order sorted.
pub fn normalize(spec: &Value) -> Value {
    let mut spec = spec.clone();
    let map = spec.ensure_map();
    if let Some(schema) = map.get_mut("schema") {
        normalize_schema(schema.ensure_map());
    }
    let resources = map.entry_or_null("resources");
    let mut items: Vec<Value> = resources.as_list().unwrap_or_default().iter().map(normalize_resource).collect();
    items.sort_by(|left, right| left.str_at(&["id"]).cmp(&right.str_at(&["id"])));
    *resources = items.into();
    spec
}

fn normalize_schema(schema: &mut Map) {
    set_default(schema, "group", kro_api::GROUP.into());
    set_default(schema, "scope", "Namespaced".into());
    fill_list(schema, "additionalPrinterColumns");
    if let Some(metadata) = schema.get_mut("metadata") {
        let metadata = metadata.ensure_map();
        for key in ["labels", "annotations"] {
            if metadata.get(key).is_none_or(Value::is_null) {
                metadata.insert(key, Map::new().into());
            }
        }
    }
}

fn normalize_resource(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let map = resource.ensure_map();
    for key in ["readyWhen", "includeWhen"] {
        fill_list(map, key);
        if let Some(items) = map.get_mut(key).and_then(Value::as_list_mut) {
            items.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
        }
    }
    fill_list(map, "forEach");
    resource
}

fn set_default(map: &mut Map, key: &str, default: Value) {
    if map.get(key).is_none_or(|value| value.is_null() || value.as_str() == Some("")) {
        map.insert(key, default);
    }
}

fn fill_list(map: &mut Map, key: &str) {
    if map.get(key).is_none_or(Value::is_null) {
        map.insert(key, Vec::new().into());
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    fn hash(text: &str) -> u64 {
        hash_spec(&from_json(text).unwrap())
    }

    #[test]
    fn fnv_vectors() {
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"hello world"), 0x779a_65e7_023c_d2e7);
    }

    #[test]
    fn same_meaning_same_hash() {
        let base = r#"{"schema":{"kind":"A"},"resources":[{"id":"a"},{"id":"b","includeWhen":["x","y"]}]}"#;
        for same in [
            r#"{"resources":[{"id":"b","includeWhen":["y","x"],"readyWhen":null},{"id":"a","forEach":[]}],"schema":{"kind":"A","group":"","scope":null}}"#,
            r#"{"schema":{"group":"kro.run","scope":"Namespaced","kind":"A","additionalPrinterColumns":[]},"resources":[{"id":"a"},{"id":"b","includeWhen":["x","y"]}]}"#,
        ] {
            assert_eq!(hash(base), hash(same), "{same}");
        }
    }

    #[test]
    fn other_meaning_other_hash() {
        for (left, right) in [
            (
                r#"{"resources":[{"id":"a","forEach":[{"x":"1"},{"y":"2"}]}]}"#,
                r#"{"resources":[{"id":"a","forEach":[{"y":"2"},{"x":"1"}]}]}"#,
            ),
            (r#"{"schema":{"metadata":{}}}"#, r#"{"schema":{}}"#),
            (r#"{"schema":{"shortNames":["a","b"]}}"#, r#"{"schema":{"shortNames":["b","a"]}}"#),
            (
                r#"{"resources":[{"template":{"n":9007199254740992}}]}"#,
                r#"{"resources":[{"template":{"n":9007199254740993}}]}"#,
            ),
        ] {
            assert_ne!(hash(left), hash(right), "{left}");
        }
    }
}
