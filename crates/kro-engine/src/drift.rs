//! Would an apply change anything? Decided from the live object alone, without asking the server.
//!
//! The `managedFields` entry of our own field manager says which fields we own, and whether a list is atomic, a set
//! or keyed, so no schema is needed. Whoever else changes a field that we own takes it out of that entry.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kro_api::metadata as wire;
use kro_value::{Map, Str, Value};

use crate::digest::Digest;

/// Fields that identify an object and belong to nobody.
const IDENTITY: [&str; 4] = ["name", "namespace", "uid", "resourceVersion"];

/// The `fieldsV1` of our own apply entry; `None` when we own nothing or the entry is of another API version. What we
/// applied as `stringData` of a Secret counts as the `data` that became of it.
pub fn own_fields(live: &Value) -> Option<Cow<'_, Value>> {
    let fields = applied_fields(live)?;
    let Some(texts) = fields.get("f:stringData").and_then(Value::as_map).filter(|_| is_secret(live)) else {
        return Some(Cow::Borrowed(fields));
    };
    let mut folded = fields.clone();
    let map = folded.ensure_map();
    map.remove("f:stringData");
    let data = map.entry_or_null("f:data").ensure_map();
    for (key, below) in texts {
        data.insert(key.clone(), below.clone());
    }
    Some(Cow::Owned(folded))
}

fn is_secret(object: &Value) -> bool {
    object.str_at(&["kind"]) == Some("Secret") && object.str_at(&["apiVersion"]) == Some("v1")
}

/// The server makes `data` of `stringData`.
fn fold_string_data(body: &mut Map) {
    let Some(Value::Map(texts)) = body.remove("stringData") else {
        return;
    };
    let data = body.entry_or_null("data").ensure_map();
    for (key, text) in &texts {
        data.insert(key.clone(), Value::from(STANDARD.encode(text.as_str().unwrap_or_default())));
    }
}

fn applied_fields(live: &Value) -> Option<&Value> {
    let entries = live.at(&["metadata", "managedFields"]).and_then(Value::as_list)?;
    let version = live.str_at(&["apiVersion"]);
    let is_own = |entry: &&Value| {
        entry.str_at(&["manager"]) == Some(wire::MANAGER_APPLYSET)
            && entry.str_at(&["operation"]) == Some("Apply")
            && entry.str_at(&["subresource"]).unwrap_or_default().is_empty()
            && entry.str_at(&["apiVersion"]) == version
    };
    entries.iter().find(is_own)?.get("fieldsV1")
}

/// Who wrote an object besides ourselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Writer {
    /// The field manager.
    pub manager: Str,
    /// The `fieldsV1` of what it owns.
    pub fields: Value,
}

/// The manager that wrote to the object last, besides ourselves and those who write its status.
pub fn last_writer(live: &Value) -> Option<Writer> {
    let entries = live.at(&["metadata", "managedFields"]).and_then(Value::as_list)?;
    let is_other = |entry: &&Value| {
        entry.str_at(&["manager"]) != Some(wire::MANAGER_APPLYSET)
            && entry.str_at(&["subresource"]).unwrap_or_default().is_empty()
    };
    let last = entries.iter().filter(is_other).max_by_key(|entry| entry.str_at(&["time"]).unwrap_or_default())?;
    Some(Writer {
        manager: last.str_at(&["manager"]).unwrap_or_default().into(),
        fields: last.get("fieldsV1").cloned().unwrap_or_default(),
    })
}

/// The fields of an apply body that are among these, at most three.
pub fn contested_fields(body: &Value, fields: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    collect_contested(body, fields, "", &mut paths);
    paths.truncate(3);
    paths
}

fn collect_contested(body: &Value, fields: &Value, path: &str, paths: &mut Vec<String>) {
    for (key, value) in body.as_map().into_iter().flatten() {
        let Some(below) = fields.get(&format!("f:{key}")) else { continue };
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match value {
            Value::Map(map) if !map.is_empty() && below.as_map().is_some_and(|below| !below.is_empty()) => {
                collect_contested(value, below, &path, paths);
            }
            _ => paths.push(path),
        }
    }
}

/// A digest of what we own: which fields, and the values they have.
pub fn own_digest(live: &Value, fields: Option<&Value>) -> u64 {
    let mut digest = Digest::default();
    if let Some(fields) = fields {
        digest_owned(live, fields, &mut digest);
    }
    digest.finish()
}

fn digest_owned(live: &Value, fields: &Value, digest: &mut Digest) {
    let Some(map) = fields.as_map().filter(|map| !map.is_empty()) else {
        return digest.value(live);
    };
    for (key, below) in map {
        digest.text(key);
        let child = match key.split_once(':') {
            Some(("f", name)) => live.get(name),
            Some(("k", keys)) => keyed(live, keys),
            Some(("v", value)) => member(live, value),
            _ => None,
        };
        match child {
            Some(child) if key.starts_with("v:") => digest.value(child),
            Some(child) => digest_owned(child, below, digest),
            None => digest.bytes(b"-"),
        }
    }
}

fn keyed<'a>(list: &'a Value, keys: &str) -> Option<&'a Value> {
    let keys = kro_value::from_json(keys).ok()?;
    let keys = keys.as_map()?;
    list.as_list()?.iter().find(|item| keys.iter().all(|(key, value)| item.get(key) == Some(value)))
}

fn member<'a>(list: &'a Value, value: &str) -> Option<&'a Value> {
    let value = kro_value::from_json(value).ok()?;
    list.as_list()?.iter().find(|item| **item == value)
}

/// True when applying `desired` would leave `live` as it is: we own exactly the fields of `desired`, and they have its
/// values. Errs on the side of applying. Fields of kro's own version label may differ: rewriting everything because the
/// controller was upgraded helps nobody.
pub fn holds(desired: &Value, live: &Value, fields: Option<&Value>) -> bool {
    let (Some(desired), Some(fields)) = (desired.as_map(), fields.and_then(Value::as_map)) else {
        return false;
    };
    if desired.get("apiVersion") != live.get("apiVersion") || desired.get("kind") != live.get("kind") {
        return false;
    }
    let mut body = desired.clone();
    body.retain(|key, _| key != "apiVersion" && key != "kind");
    if is_secret(live) {
        fold_string_data(&mut body);
    }
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_map_mut) {
        metadata.retain(|key, _| !IDENTITY.contains(&key.as_str()));
    }
    map_holds(&body, Some(live), fields, Context::default())
}

/// Where in the object we are, as far as it matters.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    /// Below a field whose values are quantities.
    quantity: bool,
}

impl Context {
    fn below(self, key: &str) -> Self {
        let quantity = matches!(key, "limits" | "requests" | "capacity" | "hard" | "overhead" | "sizeLimit");
        Self { quantity: self.quantity || quantity }
    }
}

fn value_holds(desired: &Value, live: Option<&Value>, fields: &Value, context: Context) -> bool {
    let Some(fields) = fields.as_map() else {
        return false;
    };
    match desired {
        Value::Map(map) if !fields.is_empty() => map_holds(map, live, fields, context),
        Value::List(items) if !fields.is_empty() => list_holds(items, live, fields, context),
        // An owned empty container says nothing about what others put there.
        Value::Map(map) if map.is_empty() => live.is_none_or(|live| live.is_null() || live.as_map().is_some()),
        Value::List(items) if items.is_empty() => live.is_none_or(|live| live.is_null() || live.as_list().is_some()),
        Value::Null => live.is_none_or(Value::is_null),
        _ => fields.is_empty() && live.is_some_and(|live| scalar_equal(desired, live, context)),
    }
}

fn map_holds(desired: &Map, live: Option<&Value>, fields: &Map, context: Context) -> bool {
    let Some(live) = live.and_then(Value::as_map) else {
        return desired.is_empty() && fields.is_empty();
    };
    let mut owned = fields.keys().filter(|key| *key != ".").count();
    for (key, value) in desired {
        let below = fields.get(&format!("f:{key}"));
        owned -= usize::from(below.is_some() && owned > 0);
        let holds = match below {
            None => value.is_null() && live.get(key).is_none_or(Value::is_null),
            Some(_) if key == wire::LABEL_KRO_VERSION => live.get(key).is_some_and(|value| value.as_str().is_some()),
            Some(below) => value_holds(value, live.get(key), below, context.below(key)),
        };
        if !holds {
            return false;
        }
    }
    owned == 0
}

fn list_holds(desired: &[Value], live: Option<&Value>, fields: &Map, context: Context) -> bool {
    let Some(live) = live.filter(|live| live.as_list().is_some()) else {
        return false;
    };
    let entries: Vec<(&Str, &Value)> = fields.iter().filter(|(key, _)| *key != ".").collect();
    entries.len() == desired.len()
        && entries.iter().all(|(key, below)| match key.split_once(':') {
            Some(("k", keys)) => item_holds(desired, live, keys, below, context),
            Some(("v", value)) => member(live, value).is_some_and(|found| desired.contains(found)),
            _ => false,
        })
}

fn item_holds(desired: &[Value], live: &Value, keys: &str, fields: &Value, context: Context) -> bool {
    let Some(live) = keyed(live, keys) else {
        return false;
    };
    let Ok(keys) = kro_value::from_json(keys) else {
        return false;
    };
    // A key that the author left out was filled in by a default.
    let matches = |item: &&Value| {
        keys.as_map().is_some_and(|keys| keys.iter().all(|(key, value)| item.get(key).is_none_or(|own| own == value)))
    };
    let mut found = desired.iter().filter(matches);
    match (found.next(), found.next()) {
        (Some(item), None) => value_holds(item, Some(live), fields, context),
        _ => false,
    }
}

fn scalar_equal(desired: &Value, live: &Value, context: Context) -> bool {
    if desired == live {
        return true;
    }
    context.quantity && quantity(desired).is_some_and(|left| Some(left) == quantity(live))
}

/// A quantity in thousandths; `None` for what is none or is finer than that.
fn quantity(value: &Value) -> Option<i128> {
    let text = match value {
        Value::Int(number) => return Some(i128::from(*number) * 1000),
        Value::String(text) => text.as_str(),
        _ => return None,
    };
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = suffix_scale(suffix)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = digits.checked_mul(scale)?;
    (scaled % divisor == 0).then(|| scaled / divisor)
}

/// What one of a suffix is, in thousandths.
fn suffix_scale(suffix: &str) -> Option<i128> {
    let (base, powers): (i128, &str) = if suffix.ends_with('i') { (1024, "KMGTPE") } else { (1000, "kMGTPE") };
    match suffix.trim_end_matches('i') {
        "" if suffix.is_empty() => Some(1000),
        "m" if suffix == "m" => Some(1),
        letter if letter.len() == 1 => {
            let power = powers.find(letter)? + 1;
            Some(1000 * base.checked_pow(u32::try_from(power).ok()?)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        kro_value::from_json(text).unwrap()
    }

    fn desired() -> Value {
        json(
            r#"{"apiVersion":"apps/v1","kind":"D","metadata":{"name":"a","namespace":"n","labels":{"app":"x","kro.run/kro-version":"v2"}},
            "spec":{"replicas":3,"args":["a","b"],"empty":{},"nothing":null,
            "ports":[{"port":80},{"port":81,"protocol":"UDP"}],"set":["y","x"],"c":[{"name":"m","limits":{"cpu":"0.5","memory":"1Gi"}}]}}"#,
        )
    }

    fn live() -> Value {
        json(
            r#"{"apiVersion":"apps/v1","kind":"D","metadata":{"name":"a","namespace":"n","uid":"u","labels":{"app":"x","kro.run/kro-version":"v1","other":"o"},
            "managedFields":[{"manager":"other","operation":"Update","apiVersion":"apps/v1","fieldsV1":{}},
            {"manager":"kro.run/applyset","operation":"Apply","apiVersion":"apps/v1","fieldsV1":{
              "f:metadata":{"f:labels":{"f:app":{},"f:kro.run/kro-version":{}}},
              "f:spec":{"f:replicas":{},"f:args":{},"f:empty":{},
                "f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}},"k:{\"port\":81,\"protocol\":\"UDP\"}":{".":{},"f:port":{},"f:protocol":{}}},
                "f:set":{"v:\"x\"":{},"v:\"y\"":{}},
                "f:c":{"k:{\"name\":\"m\"}":{".":{},"f:name":{},"f:limits":{".":{},"f:cpu":{},"f:memory":{}}}}}}}]},
            "spec":{"replicas":3.0,"args":["a","b"],"defaulted":1,
            "ports":[{"port":80,"protocol":"TCP"},{"port":81,"protocol":"UDP","nodePort":5}],"set":["x","y","z"],
            "c":[{"name":"other"},{"name":"m","image":"i","limits":{"cpu":"500m","memory":"1Gi"}}]},"status":{"ready":1}}"#,
        )
    }

    fn still_holds(desired: &Value, live: &Value) -> bool {
        holds(desired, live, own_fields(live).as_deref())
    }

    #[test]
    fn an_object_as_applied_holds_whatever_others_added() {
        assert!(still_holds(&desired(), &live()));
    }

    #[test]
    fn every_change_that_matters_is_seen() {
        type Change = fn(&mut Value, &mut Value);
        let changes: [(&str, Change); 12] = [
            ("value wanted", |desired, _| desired.set_at(&["spec", "replicas"], Value::Int(4))),
            ("value drifted", |_, live| live.set_at(&["spec", "replicas"], Value::Int(4))),
            ("new field", |desired, _| desired.set_at(&["spec", "more"], Value::Int(4))),
            ("field dropped", |desired, _| drop(desired.remove_at(&["spec", "replicas"]))),
            ("atomic list", |desired, _| desired.set_at(&["spec", "args"], json(r#"["a"]"#))),
            ("item dropped", |desired, _| desired.set_at(&["spec", "ports"], json(r#"[{"port":80}]"#))),
            ("item field", |desired, _| {
                desired.set_at(&["spec", "ports"], json(r#"[{"port":80},{"port":81,"protocol":"UDP","x":1}]"#))
            }),
            ("set member", |desired, _| desired.set_at(&["spec", "set"], json(r#"["x","q"]"#))),
            ("quantity", |desired, _| {
                desired.set_at(&["spec", "c"], json(r#"[{"name":"m","limits":{"cpu":"0.6","memory":"1Gi"}}]"#))
            }),
            ("label", |desired, _| desired.set_at(&["metadata", "labels", "app"], Value::from("y"))),
            ("version", |desired, _| desired.set_at(&["apiVersion"], Value::from("apps/v2"))),
            ("ownership lost", |_, live| drop(live.remove_at(&["metadata", "managedFields"]))),
        ];
        for (name, change) in changes {
            let (mut desired, mut live) = (desired(), live());
            change(&mut desired, &mut live);
            assert!(!still_holds(&desired, &live), "{name}");
        }
    }

    #[test]
    fn the_digest_covers_exactly_what_we_own() {
        let before = live();
        let digest = |live: &Value| own_digest(live, own_fields(live).as_deref());
        let mut other = before.clone();
        other.set_at(&["spec", "defaulted"], Value::Int(2));
        other.set_at(&["status", "ready"], Value::Int(2));
        assert_eq!(digest(&other), digest(&before));
        for (path, value) in [
            (&["spec", "replicas"][..], json("9")),
            (&["spec", "args"], json(r#"["b","a"]"#)),
            (&["spec", "set"], json(r#"["x"]"#)),
            (&["spec", "ports"], json(r#"[{"port":80,"protocol":"TCP"}]"#)),
            (&["metadata", "managedFields"], json("[]")),
        ] {
            let mut changed = before.clone();
            changed.set_at(path, value);
            assert_ne!(digest(&changed), digest(&before), "{path:?}");
        }
    }

    #[test]
    fn a_rival_is_named_with_its_fields() {
        let mut live = live();
        let entries = r#"[{"manager":"kro.run/applyset","time":"9","fieldsV1":{}},{"manager":"old","time":"1","fieldsV1":{}},
            {"manager":"kubelet","time":"8","subresource":"status","fieldsV1":{}},
            {"manager":"rival","time":"7","fieldsV1":{"f:spec":{"f:replicas":{},"f:args":{},"f:other":{}},"f:metadata":{"f:labels":{"f:app":{}}}}}]"#;
        live.set_at(&["metadata", "managedFields"], json(entries));
        let writer = last_writer(&live).unwrap();
        assert_eq!(writer.manager, "rival");
        let expected = ["metadata.labels.app", "spec.args", "spec.replicas"];
        assert_eq!(contested_fields(&desired(), &writer.fields), expected);
        assert_eq!(last_writer(&json("{}")), None);
    }

    #[test]
    fn quantities_compare_by_value() {
        for (left, right, equal) in [
            ("1", "1000m", true),
            ("0.5", "500m", true),
            ("1Gi", "1024Mi", true),
            ("1G", "1000M", true),
            ("1G", "1Gi", false),
            ("x", "x", false),
            ("", "0", false),
            ("1mi", "1", false),
        ] {
            let (left, right) = (quantity(&Value::from(left)), quantity(&Value::from(right)));
            assert_eq!(left.is_some() && left == right, equal, "{left:?} {right:?}");
        }
    }
}
