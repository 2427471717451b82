//! The objects that every cluster has from the start.

use kro_value::{Str, Value};

use crate::User;
use crate::state::State;
use crate::write::{Call, FieldValidation};

const NAMESPACES: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

/// Creates them.
pub(crate) fn populate(state: &mut State) {
    for name in NAMESPACES {
        let metadata = Value::map([("name", Value::from(*name))]);
        create(state, "", "namespaces", "", Value::map([("metadata", metadata)]));
    }
}

/// Creates an object of a built-in kind; what exists stays.
fn create(state: &mut State, group: &str, resource: &str, namespace: &str, mut object: Value) {
    let Some(resource) = state.registry.find(group, resource).cloned() else { return };
    object.set_at(&["kind"], resource.kind.clone().into());
    object.set_at(&["apiVersion"], resource.api_version(0).into());
    let mut call = Call {
        version: 0,
        resource,
        namespace: Str::new(namespace),
        name: Str::default(),
        subresource: Str::default(),
        user: User::admin(),
        now: state.now,
        manager: Str::new("kube-apiserver"),
        dry_run: false,
        validation: FieldValidation::Ignore,
        force: false,
        warnings: Vec::new(),
    };
    // The objects are part of the program; the only possible failure is that one exists.
    let _ = state.create(&mut call, object);
}
