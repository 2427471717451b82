//! Reads struct fields out of Go source: just enough to know what a Go encoder does with the zero of each field.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What Go's JSON encoder does with the zero of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// A pointer: absent and zero are told apart.
    Kept,
    /// A value with `omitempty`: its zero is not written (a struct is always written).
    Dropped,
    /// A value with `omitzero`: not even an empty struct is written.
    Omitted,
    /// A value without either: its zero is always written.
    Emitted,
}

/// Fields by JSON name of one struct, embedded structs still by type name.
#[derive(Debug, Default)]
struct Struct {
    fields: BTreeMap<String, Zero>,
    embedded: Vec<String>,
}

/// The structs of one Go package.
#[derive(Debug, Default)]
pub struct Package {
    structs: BTreeMap<String, Struct>,
}

impl Package {
    /// Reads every source of a folder but tests and generated code.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut package = Self::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".go") && !name.ends_with("_test.go") && !name.starts_with("zz_generated") {
                package.add(&fs::read_to_string(&path)?);
            }
        }
        Ok(package)
    }

    fn add(&mut self, source: &str) {
        let mut current: Option<(String, Struct)> = None;
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("type ")
                && let Some(name) = rest.strip_suffix(" struct {")
            {
                current = Some((name.to_owned(), Struct::default()));
            } else if line == "}" {
                self.structs.extend(current.take());
            } else if let Some((_, fields)) = &mut current {
                fields.add(line.trim());
            }
        }
    }

    /// What becomes of the zero of a field; `None` when the struct does not declare it.
    pub fn zero(&self, type_name: &str, json_name: &str) -> Option<Zero> {
        let found = self.structs.get(type_name)?;
        found
            .fields
            .get(json_name)
            .copied()
            .or_else(|| found.embedded.iter().find_map(|name| self.zero(name, json_name)))
    }
}

impl Struct {
    fn add(&mut self, line: &str) {
        let Some((declaration, tag)) = line.split_once("`json:\"") else { return };
        let Some((json, _)) = tag.split_once('"') else { return };
        let mut options = json.split(',');
        let name = options.next().unwrap_or_default();
        let options: Vec<&str> = options.collect();
        let words: Vec<&str> = declaration.split_whitespace().collect();
        match words.as_slice() {
            [embedded] if options.contains(&"inline") => self.embedded.push((*embedded).to_owned()),
            // A field with a name of its own, or an embedded struct that is named in JSON only.
            [.., go_type] => {
                self.fields.insert(name.to_owned(), zero(go_type, &options));
            }
            [] => {}
        }
    }
}

fn zero(go_type: &str, options: &[&str]) -> Zero {
    match () {
        () if go_type.starts_with('*') => Zero::Kept,
        () if options.contains(&"omitzero") => Zero::Omitted,
        () if options.contains(&"omitempty") => Zero::Dropped,
        () => Zero::Emitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_pointers_values_and_embedded_structs_apart() {
        let mut package = Package::default();
        package.add(
            "type Inner struct {\n\tName string `json:\"name,omitempty\" protobuf:\"x\"`\n}\n\
             type Outer struct {\n\tInner `json:\",inline\"`\n\tReplicas *int32 `json:\"replicas,omitempty\"`\n\
             \tCount int32 `json:\"count\"`\n\tmetav1.ObjectMeta `json:\"metadata,omitempty\"`\n\t// Old string `json:\"old\"` was here\n}\n",
        );
        assert_eq!(package.zero("Outer", "name"), Some(Zero::Dropped));
        assert_eq!(package.zero("Outer", "replicas"), Some(Zero::Kept));
        assert_eq!(package.zero("Outer", "count"), Some(Zero::Emitted));
        assert_eq!(package.zero("Outer", "metadata"), Some(Zero::Dropped));
        assert_eq!(package.zero("Outer", "missing"), None);
    }
}
