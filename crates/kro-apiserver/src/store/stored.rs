use std::sync::OnceLock;

use bytes::Bytes;
use kro_value::{Map, Str, Value, to_json};

/// One version of an object, immutable, with its JSON text once somebody asked for it.
pub(crate) struct Stored {
    /// The whole object at its storage version, `apiVersion` and `kind` included.
    pub(crate) value: Value,
    /// Its resource version.
    pub(crate) revision: u64,
    /// The revision of the schema that the value conforms to: reads after a change of the schema convert.
    pub(crate) schema_revision: u64,
    body: OnceLock<Bytes>,
    /// Boxed: few objects are asked for theirs.
    metadata: OnceLock<Box<Bytes>>,
}

impl Stored {
    pub(crate) fn new(value: Value, revision: u64, schema_revision: u64) -> Self {
        Self { value, revision, schema_revision, body: OnceLock::new(), metadata: OnceLock::new() }
    }

    /// The JSON text without `kind` and `apiVersion`, which depend on the request: `{"metadata":...}`.
    pub(crate) fn body(&self) -> &Bytes {
        self.body.get_or_init(|| body_of(&self.value))
    }

    /// As [`body`](Self::body), without keeping it: of most objects that are written nobody asks again soon.
    pub(crate) fn body_once(&self) -> Bytes {
        self.body.get().cloned().unwrap_or_else(|| body_of(&self.value))
    }

    /// The JSON text of `metadata`.
    pub(crate) fn metadata(&self) -> &Bytes {
        self.metadata.get_or_init(|| {
            let text = self.value.get("metadata").map_or_else(|| "{}".into(), to_json);
            Box::new(text.into_boxed_str().into_boxed_bytes().into())
        })
    }

    pub(crate) fn labels(&self) -> Option<&Map> {
        self.value.at(&["metadata", "labels"])?.as_map()
    }

    pub(crate) fn uid(&self) -> Str {
        self.value.str_at(&["metadata", "uid"]).map(Str::new).unwrap_or_default()
    }
}

/// The JSON text of an object without `kind` and `apiVersion`.
pub(crate) fn body_of(value: &Value) -> Bytes {
    let mut value = value.clone();
    if let Some(map) = value.as_map_mut() {
        map.remove("kind");
        map.remove("apiVersion");
    }
    // Without what the text has reserved and does not use.
    to_json(&value).into_boxed_str().into_boxed_bytes().into()
}
