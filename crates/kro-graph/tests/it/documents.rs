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
