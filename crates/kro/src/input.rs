//! The files that a command is given.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use kro_diagnostics::{Diagnostics, SourceMap};
use kro_graph::ServedSchemas;
use kro_value::Value;
use kro_yaml::Document;

use crate::cli::{CompileArguments, SourceArguments};
use crate::error::CliError;

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Input {
    /// The texts, for pictures of what is wrong.
    pub sources: SourceMap,
    /// All documents in the order of their files.
    pub documents: Vec<Document>,
    /// Objects that only say which kinds there are.
    pub schemas: Vec<Value>,
    /// Kinds of a cluster.
    pub served: ServedSchemas,
    /// The CustomResourceDefinitions that a cluster has for the definitions.
    pub served_crds: Vec<Value>,
    /// What is wrong with the YAML itself.
    pub diagnostics: Diagnostics,
}

impl Input {
    /// Reads files, folders (their `.yaml`, `.yml` and `.json` files, by name, not deeper) and standard input (`-`).
    pub fn read(paths: &[PathBuf]) -> Result<Self, CliError> {
        let mut input = Self::default();
        input.read_paths(paths, false)?;
        Ok(input)
    }

    /// Reads what a command names, and the kinds that it may use.
    pub fn of(sources: &SourceArguments, compile: &CompileArguments) -> Result<Self, CliError> {
        let mut input = Self::default();
        input.read_paths(&compile.crds, true)?;
        input.schemas = input.documents.drain(..).map(|document| document.root.value().clone()).collect();
        input.read_paths(&sources.named()?, sources.recursive)?;
        Ok(input)
    }

    fn read_paths(&mut self, paths: &[PathBuf], recursive: bool) -> Result<(), CliError> {
        let mut seen = BTreeSet::new();
        for path in paths {
            if path.as_os_str() == "-" {
                self.add("<stdin>", read_stdin()?);
                continue;
            }
            for file in list_files(path, recursive)? {
                let text = read_file(&file)?;
                // A file of a folder may be named too.
                if seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                    self.add(&file.to_string_lossy(), text);
                }
            }
        }
        Ok(())
    }

    /// Reads one text.
    pub fn add(&mut self, name: &str, text: String) {
        let file = self.sources.add(name, text.clone());
        let parsed = kro_yaml::parse(&text, file);
        self.diagnostics.extend(parsed.diagnostics);
        self.documents.extend(parsed.documents.into_iter().flat_map(objects));
    }
}

impl SourceArguments {
    /// All that is named, by position or by flag.
    pub fn named(&self) -> Result<Vec<PathBuf>, CliError> {
        // `kro validate rgd -f FILE` is how the Go implementation spells it.
        let positional = self.paths.iter().filter(|path| !self.is_legacy() || path.as_os_str() != "rgd");
        let named: Vec<PathBuf> = positional.chain(&self.files).cloned().collect();
        if named.is_empty() { Err(CliError::NothingNamed) } else { Ok(named) }
    }

    /// True for the spelling of the Go implementation.
    pub fn is_legacy(&self) -> bool {
        self.paths.first().is_some_and(|path| path.as_os_str() == "rgd" && !path.exists()) && !self.files.is_empty()
    }
}

/// The objects of a document: `kubectl get -o yaml` writes several as the items of one List.
fn objects(document: Document) -> Vec<Document> {
    let root = document.root.value();
    let is_list = root.str_at(&["apiVersion"]) == Some("v1") && root.str_at(&["kind"]) == Some("List");
    match document.root.get("items") {
        Some(items) if is_list => items.items().iter().map(|item| Document { root: item.clone() }).collect(),
        _ => vec![document],
    }
}

/// Standard input as a whole.
pub fn read_stdin() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes);
    read.map_err(|cause| CliError::Read { path: "standard input".into(), cause })?;
    to_text(Path::new("standard input"), bytes)
}

/// A file as a whole.
pub fn read_file(file: &Path) -> Result<String, CliError> {
    let bytes = std::fs::read(file).map_err(|cause| CliError::Read { path: file.to_owned(), cause })?;
    to_text(file, bytes)
}

fn to_text(path: &Path, bytes: Vec<u8>) -> Result<String, CliError> {
    let is_utf_16 = matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    String::from_utf8(bytes).map_err(|error| {
        let found =
            if is_utf_16 { "UTF-16".to_owned() } else { format!("see byte {}", error.utf8_error().valid_up_to()) };
        CliError::NotText { path: path.to_owned(), found }
    })
}

/// A file itself, or the manifests that a folder holds, by name; hidden files and folders are left out.
pub fn list_files(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    collect_files(path, recursive, &mut files)?;
    files.sort();
    if files.is_empty() { Err(CliError::NoFiles(path.to_owned())) } else { Ok(files) }
}

fn collect_files(folder: &Path, recursive: bool, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let entries = std::fs::read_dir(folder).map_err(|cause| CliError::Read { path: folder.to_owned(), cause })?;
    for entry in entries.flatten() {
        let (path, is_hidden) = (entry.path(), entry.file_name().to_string_lossy().starts_with('.'));
        // Not through links: a folder may link to one above it.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match (is_folder, is_hidden) {
            (true, false) if recursive => collect_files(&path, recursive, files)?,
            (false, false) if is_manifest(&path) => files.push(path),
            _ => {}
        }
    }
    Ok(())
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
