//! What a real server answered, as committed data: one file for each file of scripts, one line for each answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use kro_value::{Value, from_json, to_json};

use super::Answers;

#[derive(Default)]
pub struct Recording {
    pub answers: Answers,
    /// The file of each script.
    files: BTreeMap<String, String>,
}

impl Recording {
    pub fn read(folder: &Path) -> Self {
        let mut recording = Self::default();
        for entry in std::fs::read_dir(folder.join("recorded")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let content = from_json(&text).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
            for (id, answers) in content.as_map().unwrap() {
                recording.answers.insert(id.to_string(), answers.as_list().unwrap().to_vec());
                recording.files.insert(id.to_string(), path.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
        recording
    }

    pub fn replace(&mut self, files: &BTreeMap<String, String>, answers: &Answers) {
        self.answers.extend(answers.clone());
        self.files.extend(files.clone());
    }

    pub fn write(&self, folder: &Path) {
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        for (id, answers) in &self.answers {
            let text = texts.entry(&self.files[id]).or_default();
            let lines: Vec<String> = answers.iter().map(to_json).collect();
            let separator = if text.is_empty() { "{\n" } else { ",\n" };
            let id = to_json(&Value::from(id.as_str()));
            write!(text, "{separator}{id}: [\n{}\n]", lines.join(",\n")).unwrap();
        }
        for (file, text) in texts {
            std::fs::write(folder.join(format!("recorded/{file}.json")), format!("{text}\n}}\n")).unwrap();
        }
    }
}
