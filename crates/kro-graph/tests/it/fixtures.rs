//! Every file of `tests/fixtures` and of the examples has a snapshot of its graph, CRD and diagnostics.

use std::path::Path;

use crate::summary::summarise;

#[test]
fn fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = Vec::new();
    for root in
        [folder.join("tests/fixtures"), folder.join("../../examples/seed"), folder.join("../../examples/webapp")]
    {
        names.extend(std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()));
    }
    names.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    names.sort();
    assert!(names.len() > 3);
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("kind: ResourceGraphDefinition") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path("../snapshots");
        settings.bind(|| insta::assert_snapshot!(name, summarise(&format!("{name}.yaml"), &text)));
    }
}
