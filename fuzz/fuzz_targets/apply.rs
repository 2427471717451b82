//! Any object is applied over any other without a panic, twice is once, and the books survive the wire.

#![no_main]

use kro_apimachinery::managedfields::{FieldFilter, Managers, Request, Versions, apply, update};
use kro_apimachinery::typed::Type;
use kro_value::{Value, from_json};
use libfuzzer_sys::fuzz_target;

struct Pods;

impl Versions for Pods {
    fn type_at(&self, api_version: &str) -> Option<Type> {
        if api_version == "v1" { Type::builtin("", "v1", "Pod") } else { None }
    }

    fn filter_at(&self, _: &str) -> FieldFilter {
        FieldFilter::except_fields(&["status"])
    }
}

fn pod(text: &str) -> Option<Value> {
    let mut object = from_json(text).ok()?;
    object.as_map()?;
    object.set_at(&["apiVersion"], "v1".into());
    object.set_at(&["kind"], "Pod".into());
    Some(object)
}

fuzz_target!(|texts: (&str, &str)| {
    let (Some(live), Some(applied)) = (pod(texts.0), pod(texts.1)) else { return };
    let request = |manager| Request {
        versions: &Pods,
        api_version: "v1",
        kind: "Pod",
        manager,
        subresource: "",
        now: "2026-01-01T00:00:00Z",
    };
    let live = update(None, &live, &request("maker"));
    let managers = Managers::of(&live).expect("what was written can be read");
    assert_eq!(Managers::decode(&managers.encode()), Ok(managers));
    let Ok(first) = apply(Some(&live), &applied, &request("applier"), true) else { return };
    let second = apply(Some(&first.object), &applied, &request("applier"), false).expect("own fields never conflict");
    assert_eq!(second.object, first.object);
});
