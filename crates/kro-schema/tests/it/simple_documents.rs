//! SimpleSchema by the documents of `tests/lang/simpleschema` and the pages of its diagnostics.

use std::collections::BTreeMap;

use kro_diagnostics::{FileId, codes};
use kro_langtest::{Outcome, parse_cases, run_folder};
use kro_schema::simple::{Tree, compile};
use kro_value::{FieldPath, to_json_pretty};

/// Compiles the text of a `spec.schema`: a map with `spec` and `types`.
fn compile_text(text: &str, file: FileId) -> Outcome {
    let parsed = kro_yaml::parse(text, file);
    let mut diagnostics = parsed.diagnostics;
    let mut outputs = BTreeMap::new();
    if let Some(document) = parsed.documents.first() {
        let tree =
            |key: &str| Some(Tree::from_node(document.root.get(key)?, FieldPath::fields(["spec", "schema", key])));
        let compiled = compile(tree("spec").as_ref(), tree("types").as_ref());
        diagnostics.extend(compiled.diagnostics);
        outputs.insert("json".to_owned(), to_json_pretty(&compiled.schema));
    }
    Outcome { diagnostics, outputs }
}

#[test]
fn documents() {
    run_folder("tests/lang/simpleschema", compile_text);
}

/// The bad example of a page shows its mistake, and the good one shows none.
#[test]
fn pages() {
    for info in codes::all().filter(|info| info.code.0 / 1000 == 2) {
        let cases = parse_cases(info.page);
        let reported = |name: &str| {
            let case = cases.iter().find(|case| case.name.ends_with(name)).unwrap();
            let outcome = compile_text(&case.text, FileId(0));
            outcome.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>()
        };
        let bad = reported("Bad");
        assert!(
            !bad.is_empty() && bad.iter().all(|code| *code == info.code),
            "{}: the bad example gives {bad:?}",
            info.code
        );
        assert_eq!(reported("Good"), [], "{}: the good example", info.code);
    }
}
