//! The messages of Kubernetes; where they come from: `data/README.md`.

use std::collections::HashMap;
use std::sync::OnceLock;

use kro_value::Str;

static MESSAGES: &[u8] = include_bytes!("../../data/messages.deflate");

/// How often a field occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Single,
    Repeated,
    /// From strings to values.
    Map,
    /// Its members are members of the parent.
    Inlined,
}

#[derive(Debug)]
pub(super) struct Field {
    tag: u32,
    /// In JSON.
    pub(super) name: Str,
    /// A scalar type or the full name of a message.
    pub(super) kind: Str,
    pub(super) flag: Flag,
}

#[derive(Debug)]
pub(super) struct Message {
    fields: Vec<Field>,
}

impl Message {
    pub(super) fn field(&self, tag: u32) -> Option<&Field> {
        self.fields.iter().find(|field| field.tag == tag)
    }
}

/// A message by its full name.
pub(super) fn message(name: &str) -> Option<&'static Message> {
    static TABLE: OnceLock<HashMap<Str, Message>> = OnceLock::new();
    TABLE.get_or_init(load).get(name)
}

fn load() -> HashMap<Str, Message> {
    let bytes = miniz_oxide::inflate::decompress_to_vec(MESSAGES).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<(Str, Message)> {
    let mut columns = line.split('\t');
    let name = expand(columns.next()?);
    Some((name, Message { fields: columns.filter_map(field).collect() }))
}

fn field(text: &str) -> Option<Field> {
    let mut parts = text.split(' ');
    let (tag, name, kind) = (parts.next()?.parse().ok()?, Str::new(parts.next()?), expand(parts.next()?));
    let flag = match parts.next() {
        Some("r") => Flag::Repeated,
        Some("m") => Flag::Map,
        Some("i") => Flag::Inlined,
        _ => Flag::Single,
    };
    Some(Field { tag, name, kind, flag })
}

fn expand(name: &str) -> Str {
    match (name.strip_prefix("@m."), name.strip_prefix("@a.")) {
        (Some(rest), _) => format!("k8s.io.apimachinery.pkg.apis.meta.v1.{rest}").into(),
        (_, Some(rest)) => format!("k8s.io.api.{rest}").into(),
        _ => Str::new(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_a_field_names_is_there() {
        for row in kro_schema::builtin::resources().iter().filter(|row| row.group.is_empty()) {
            assert!(message(&format!("k8s.io.api.core.{}.{}", row.version, row.kind)).is_some(), "{}", row.kind);
        }
        let volume = message("k8s.io.api.core.v1.Volume").unwrap();
        assert_eq!(volume.field(2).map(|field| field.flag), Some(Flag::Inlined));
        let metadata = message("k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta").unwrap();
        assert_eq!(metadata.field(11).map(|field| field.flag), Some(Flag::Map));
    }
}
