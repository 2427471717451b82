//! Schemas of API servers, kept on disk under their hash, so that a document is downloaded once.

use std::fs;
use std::path::{Path, PathBuf};

use kro_value::{Value, from_json, to_json};

/// Chooses another folder than the user's.
const ENV_FOLDER: &str = "KRO_CACHE_DIR";

/// The OpenAPI v3 documents of one API server. What cannot be read or written counts as not there: a cache is no promise.
pub struct SchemaCache {
    folder: Option<PathBuf>,
}

impl SchemaCache {
    /// That of an API server, by its address.
    pub fn of_server(server: &str) -> Self {
        let folder = user_folder().map(|folder| folder.join("openapi").join(file_name(server)));
        Self { folder }
    }

    /// The document of an address; addresses without a hash are never kept.
    pub fn read(&self, address: &str) -> Option<Value> {
        from_json(&fs::read_to_string(self.file(address)?.1).ok()?).ok()
    }

    /// Keeps a document, in place of that of another hash.
    pub fn write(&self, address: &str, document: &Value) {
        if document.is_null() {
            return;
        }
        if let (Some(folder), Some((document_name, file))) = (&self.folder, self.file(address)) {
            let _ = replace(folder, &document_name, &file, document);
        }
    }

    /// What the names of the document's files begin with, and the file of the address.
    fn file(&self, address: &str) -> Option<(String, PathBuf)> {
        let (path, hash) = address.split_once("?hash=")?;
        let is_hash = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let name = format!("{}@", file_name(path));
        is_hash.then(|| Some((name.clone(), self.folder.as_ref()?.join(format!("{name}{hash}.json")))))?
    }
}

fn user_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || folder("HOME").map(|home| home.join(".cache"));
    let shared = || folder("XDG_CACHE_HOME").or_else(|| folder("LOCALAPPDATA")).or_else(home);
    folder(ENV_FOLDER).or_else(|| shared().map(|shared| shared.join("kro")))
}

/// Writes beside and renames, so that nobody reads half a document; files of other hashes go.
fn replace(folder: &Path, name: &str, file: &Path, document: &Value) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let written = folder.join(format!("{name}{}", std::process::id()));
    fs::write(&written, to_json(document))?;
    fs::rename(&written, file)?;
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.path() != file && entry.file_name().to_string_lossy().starts_with(name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A text as the name of a file.
fn file_name(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_alphanumeric() || ".-".contains(char) { char } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_of_each_address_is_kept() {
        let folder = std::env::temp_dir().join(format!("kro-schema-cache-{}", std::process::id()));
        let cache = SchemaCache { folder: Some(folder.clone()) };
        let (old, new, other) =
            ("/openapi/v3/apis/a/v1?hash=AA", "/openapi/v3/apis/a/v1?hash=BB", "/openapi/v3/apis/b/v1?hash=AA");
        let document = |text: &str| Value::map([("is", text.into())]);
        for (address, text) in [(old, "old"), (other, "other"), (new, "new")] {
            assert_eq!(cache.read(address), None);
            cache.write(address, &document(text));
            assert_eq!(cache.read(address), Some(document(text)));
        }
        assert_eq!((cache.read(old), cache.read(other)), (None, Some(document("other"))));
        for unkept in ["/openapi/v3/apis/a/v1", "/openapi/v3/apis/a/v1?hash=", "/openapi/v3/apis/a/v1?hash=../x"] {
            cache.write(unkept, &document("never"));
            assert_eq!(cache.read(unkept), None, "{unkept}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
