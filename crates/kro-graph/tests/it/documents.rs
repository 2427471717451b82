//! The rules of definitions by the documents of `tests/lang/graph`.

use std::collections::BTreeMap;

use kro_diagnostics::{Diagnostics, FileId};
use kro_graph::{BuiltinSchemas, CompileOptions, Source, compile};
use kro_langtest::{Outcome, run_folder};

fn compile_text(text: &str, file: FileId) -> Outcome {
    let parsed = kro_yaml::parse(text, file);
    let mut diagnostics: Diagnostics = parsed.diagnostics;
    for document in parsed.documents {
        let compiled = compile(&Source::from_document(document), &BuiltinSchemas, &CompileOptions::default());
        assert_eq!(compiled.graph.is_none(), compiled.diagnostics.has_errors());
        diagnostics.extend(compiled.diagnostics);
    }
    Outcome { diagnostics, outputs: BTreeMap::new() }
}

#[test]
fn documents() {
    run_folder("tests/lang/graph", compile_text);
}

/// Limits of expressions need texts too long for a document, and kro's environment refuses no literal arguments.
const WITHOUT_CASE: [u16; 2] = [3011, 3012];

#[test]
fn every_code_has_a_case() {
    let folder = kro_langtest::workspace_root().join("tests/lang/graph");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let text: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let stages = [1, 3, 4, 5];
    let codes = kro_diagnostics::codes::all().map(|info| info.code).filter(|code| stages.contains(&(code.0 / 1000)));
    let missing: Vec<String> = codes
        .filter(|code| !WITHOUT_CASE.contains(&code.0))
        .map(|code| code.to_string())
        .filter(|code| !text.contains(&format!("# error: {code}")) && !text.contains(&format!("# warning: {code}")))
        .filter(|code| !text.contains(&format!("# note: {code}")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
