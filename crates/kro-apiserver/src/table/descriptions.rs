//! What the columns of built-in kinds are about.

use std::collections::HashMap;
use std::sync::OnceLock;

use kro_value::from_json;

static COLUMNS: &str = include_str!("../../data/columns.json");

/// The description of a column of a resource; empty when nothing is said.
pub(super) fn of(resource: &str, column: &str) -> &'static str {
    static TEXTS: OnceLock<HashMap<String, String>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        let parsed = from_json(COLUMNS).unwrap_or_default();
        let entries = parsed.as_map().into_iter().flatten();
        entries.map(|(key, text)| (key.to_string(), text.as_str().unwrap_or_default().to_owned())).collect()
    });
    texts.get(&format!("{resource}/{column}")).or_else(|| texts.get(column)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_described() {
        assert!(of("pods", "Name").starts_with("Name must be unique within a namespace."));
        assert_ne!(of("pods", "Status"), of("jobs", "Status"));
        assert_eq!(of("pods", "Nonsense"), "");
        assert!(from_json(COLUMNS).unwrap().as_map().is_some());
    }
}
