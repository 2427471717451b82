use kro_value::{Map, Str, Value};

use crate::fieldset::Set;

/// How a manager came to own its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

impl Operation {
    /// The value of `operation`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// What tells entries apart. Appliers are the same in every version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Name of the manager.
    pub manager: Str,
    /// Apply or Update.
    pub operation: Operation,
    /// Version of an updater; empty for appliers.
    pub api_version: Str,
    /// Subresource of the requests; empty for the main resource.
    pub subresource: Str,
}

impl Identity {
    /// The identity of a writer; a manager without a name is `unknown`.
    pub fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply { "" } else { api_version };
        let manager = if manager.is_empty() { "unknown" } else { manager };
        Self {
            manager: Str::new(manager),
            operation,
            api_version: Str::new(api_version),
            subresource: Str::new(subresource),
        }
    }
}

/// One manager's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub identity: Identity,
    /// The version that the paths are of.
    pub api_version: Str,
    /// When it last changed, RFC 3339 in whole seconds.
    pub time: Option<Str>,
    /// The fields.
    pub fields: Set,
}

/// All managers of an object: the value of `metadata.managedFields`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Managers {
    entries: Vec<Entry>,
}

impl Managers {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `metadata.managedFields` of an object; absent and null are nobody.
    ///
    /// # Errors
    /// The reference's words for an entry that cannot be used.
    pub fn of(object: &Value) -> Result<Self, String> {
        match object.at(&["metadata", "managedFields"]) {
            None | Some(Value::Null) => Ok(Self::new()),
            Some(list) => Self::decode(list),
        }
    }

    /// Reads the list of entries. Of entries of one identity the last counts.
    ///
    /// # Errors
    /// The reference's words for an entry that cannot be used.
    pub fn decode(list: &Value) -> Result<Self, String> {
        let mut managers = Self::new();
        for entry in list.as_list().ok_or("managedFields is no list")? {
            managers.put(decode_entry(entry)?);
        }
        Ok(managers)
    }

    /// The list of entries in the order in which they are stored.
    pub fn encode(&self) -> Value {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| {
            let identity = &entry.identity;
            (identity.operation, entry.time.clone(), &identity.manager, &entry.api_version, &identity.subresource)
        });
        entries.into_iter().map(encode_entry).collect()
    }

    /// Writes `metadata.managedFields` of an object, or removes it when there is nobody.
    pub fn write(&self, object: &mut Value) {
        if self.entries.is_empty() {
            object.remove_at(&["metadata", "managedFields"]);
        } else {
            object.set_at(&["metadata", "managedFields"], self.encode());
        }
    }

    /// The entries in no particular order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// True when there is nobody.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry by identity.
    pub fn get(&self, identity: &Identity) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.identity == *identity)
    }

    /// Adds an entry or replaces the one of the same identity.
    pub fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.identity == entry.identity) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }

    /// Takes an entry out.
    pub fn take(&mut self, identity: &Identity) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.identity == *identity)?;
        Some(self.entries.remove(index))
    }

    pub(super) fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    pub(super) fn drop_empty(&mut self) {
        self.entries.retain(|entry| !entry.fields.is_empty());
    }
}

impl FromIterator<Entry> for Managers {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut managers = Self::new();
        entries.into_iter().for_each(|entry| managers.put(entry));
        managers
    }
}

fn decode_entry(entry: &Value) -> Result<Entry, String> {
    let text = |key| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let operation = match text("operation") {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        other => return Err(format!("invalid operation: {other}")),
    };
    match text("fieldsType") {
        "FieldsV1" => {}
        "" => return Err("missing fieldsType in managed fields entry".to_owned()),
        other => return Err(format!("invalid fieldsType {other} in managed fields entry")),
    }
    let fields = entry.get("fieldsV1").filter(|fields| !fields.is_null()).ok_or("missing fieldsV1")?;
    Ok(Entry {
        identity: Identity::new(text("manager"), operation, text("apiVersion"), text("subresource")),
        api_version: Str::new(text("apiVersion")),
        time: entry.get("time").and_then(Value::as_str).map(Str::new),
        fields: Set::decode(fields).map_err(|error| format!("error decoding managed fields: {error}"))?,
    })
}

fn encode_entry(entry: &Entry) -> Value {
    let identity = &entry.identity;
    let mut map = Map::new();
    map.insert("manager", Value::from(identity.manager.clone()));
    map.insert("operation", Value::from(identity.operation.as_str()));
    map.insert("apiVersion", Value::from(entry.api_version.clone()));
    map.insert("fieldsType", Value::from("FieldsV1"));
    map.insert("fieldsV1", entry.fields.encode());
    if let Some(time) = &entry.time {
        map.insert("time", Value::from(time.clone()));
    }
    if !identity.subresource.is_empty() {
        map.insert("subresource", Value::from(identity.subresource.clone()));
    }
    Value::Map(map)
}

/// Takes the times of the stored object's entries where the new object differs from it in nothing else.
///
/// A write that would only move times forward is no write at all.
pub fn restore_times(stored: &Value, new: &Value) -> Value {
    let path = ["metadata", "managedFields"];
    let (Some(old_list), Some(new_list)) = (stored.at(&path), new.at(&path)) else { return new.clone() };
    let times = |list: &Value| -> Vec<Value> {
        let without = |entry: &Value| {
            let mut entry = entry.clone();
            entry.remove_at(&["time"]);
            entry
        };
        list.as_list().unwrap_or_default().iter().map(without).collect()
    };
    let mut restored = new.clone();
    restored.set_at(&path, old_list.clone());
    if times(old_list) == times(new_list) && restored == *stored { restored } else { new.clone() }
}
