//! Any definition compiles or says why not, without a panic; every place lies in the text; compiling twice agrees.

#![no_main]

use kro_diagnostics::FileId;
use kro_graph::{BuiltinSchemas, CompileOptions, Source, compile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for document in kro_yaml::parse(text, FileId(0)).documents {
        let source = Source::from_document(document);
        let compiled = compile(&source, &BuiltinSchemas, &CompileOptions::default());
        assert_eq!(compiled.graph.is_none(), compiled.diagnostics.has_errors());
        for span in compiled.diagnostics.iter().filter_map(|diagnostic| diagnostic.span) {
            assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
        let again = compile(&source, &BuiltinSchemas, &CompileOptions::default());
        assert_eq!(compiled.diagnostics, again.diagnostics);
    }
});
