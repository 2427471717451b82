//! Any patch of any object ends without a panic, and canonical form is stable.

#![no_main]

use kro_apimachinery::normalize;
use kro_apimachinery::patch::{apply_json_patch, apply_merge_patch, apply_strategic_merge_patch};
use kro_schema::builtin;
use kro_value::from_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (Ok(object), Ok(patch)) = (from_json(texts.0), from_json(texts.1)) else { return };
    let schema = builtin::resolve("", "v1", "Pod").expect("bundled");
    let results = [
        apply_json_patch(&object, &patch),
        apply_merge_patch(&object, &patch),
        apply_strategic_merge_patch(&schema, &object, &patch),
    ];
    for patched in results.into_iter().flatten() {
        if let Ok(once) = normalize(&schema, &patched) {
            assert_eq!(normalize(&schema, &once.value).map(|twice| twice.value), Ok(once.value));
        }
    }
});
