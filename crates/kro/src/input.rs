//! The files that a command is given.

use std::io::Read;
use std::path::{Path, PathBuf};

use kro_diagnostics::{Diagnostics, SourceMap};
use kro_value::Value;
use kro_yaml::Document;

use crate::error::CliError;

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Input {
    /// The texts, for pictures of what is wrong.
    pub sources: SourceMap,
    /// All documents in the order of their files.
    pub documents: Vec<Document>,
    /// What is wrong with the YAML itself.
    pub diagnostics: Diagnostics,
}

impl Input {
    /// Reads files, folders (their `.yaml`, `.yml` and `.json` files, by name, not deeper) and standard input (`-`).
    pub fn read(paths: &[PathBuf]) -> Result<Self, CliError> {
        let mut input = Self::default();
        for path in paths {
            if path.as_os_str() == "-" {
                let mut text = String::new();
                let read = std::io::stdin().read_to_string(&mut text);
                read.map_err(|cause| CliError::Read { path: path.clone(), cause })?;
                input.add("<stdin>", text);
            } else {
                for file in list_files(path)? {
                    let text = std::fs::read_to_string(&file);
                    let text = text.map_err(|cause| CliError::Read { path: file.clone(), cause })?;
                    input.add(&file.to_string_lossy(), text);
                }
            }
        }
        Ok(input)
    }

    /// Reads one text.
    pub fn add(&mut self, name: &str, text: String) {
        let file = self.sources.add(name, text.clone());
        let parsed = kro_yaml::parse(&text, file);
        self.diagnostics.extend(parsed.diagnostics);
        self.documents.extend(parsed.documents);
    }
}

/// A file itself, or what a folder holds.
fn list_files(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|cause| CliError::Read { path: path.to_owned(), cause })?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|file| is_manifest(file)).collect();
    files.sort();
    if files.is_empty() { Err(CliError::NoFiles(path.to_owned())) } else { Ok(files) }
}

/// By its name, a file that may hold objects.
pub fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

/// An object's `kind` and name as people write it.
pub fn describe(object: &Value) -> String {
    let kind = object.str_at(&["kind"]).unwrap_or("object");
    let name = object.str_at(&["metadata", "name"]).unwrap_or("without a name");
    match object.str_at(&["metadata", "namespace"]) {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}
