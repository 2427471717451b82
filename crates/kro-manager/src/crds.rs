//! What the manager knows of CustomResourceDefinitions.

use std::collections::BTreeMap;

use kro_api::metadata as wire;
use kro_engine::object::{self, GroupKind};
use kro_graph::Gvk;
use kro_value::{Str, Value};

use crate::outbox::Resource;

/// Where CustomResourceDefinitions are served.
pub(crate) fn resource() -> Resource {
    Resource::new("apiextensions.k8s.io", "v1", "customresourcedefinitions")
}

/// Their kind.
pub(crate) fn gvk() -> Gvk {
    Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
}

/// One CRD.
#[derive(Debug, Clone)]
pub(crate) struct Crd {
    pub object: Value,
    pub group_kind: GroupKind,
    pub plural: Str,
    pub namespaced: bool,
    /// The served version that instances are watched in: the storage version if it is served.
    pub version: Str,
    pub is_established: bool,
    /// The name of the definition in its labels, if kro made it.
    pub definition: Option<Str>,
}

impl Crd {
    /// Reads a CRD; `None` when it is malformed.
    pub fn read(object: &Value) -> Option<Self> {
        let text = |path: &[&str]| object.str_at(path).map(Str::new);
        Some(Self {
            group_kind: GroupKind { kind: text(&["spec", "names", "kind"])?, group: text(&["spec", "group"])? },
            plural: text(&["spec", "names", "plural"])?,
            namespaced: object.str_at(&["spec", "scope"]) != Some("Cluster"),
            version: served_version(object)?,
            is_established: is_established(object),
            definition: is_owned(object).then(|| definition_of(object)),
            object: object.clone(),
        })
    }

    /// Group, version and kind of its instances.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(self.group_kind.group.clone(), self.version.clone(), self.group_kind.kind.clone())
    }

    /// Where its instances are served.
    pub fn resource(&self) -> Resource {
        Resource { group: self.group_kind.group.clone(), version: self.version.clone(), plural: self.plural.clone() }
    }
}

fn versions(object: &Value) -> &[Value] {
    object.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default()
}

fn is_served(version: &Value) -> bool {
    version.at(&["served"]).and_then(Value::as_bool) == Some(true)
}

fn served_version(object: &Value) -> Option<Str> {
    let is_storage = |version: &Value| version.at(&["storage"]).and_then(Value::as_bool) == Some(true);
    let served = || versions(object).iter().filter(|version| is_served(version));
    let version = served().find(|version| is_storage(version)).or_else(|| served().next())?;
    version.str_at(&["name"]).map(Str::new)
}

/// True once the API server serves it.
pub(crate) fn is_established(object: &Value) -> bool {
    let conditions = object.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let holds = |condition: &Value| {
        condition.str_at(&["type"]) == Some("Established") && condition.str_at(&["status"]) == Some("True")
    };
    conditions.iter().any(holds)
}

/// True for a CRD that kro made: by its `owned` label, or without one by `managed-by`.
pub(crate) fn is_owned(object: &Value) -> bool {
    match object::label(object, wire::LABEL_OWNED) {
        Some(value) => value == "true",
        None => object::label(object, wire::LABEL_MANAGED_BY) == Some(wire::MANAGED_BY),
    }
}

/// The definition in the labels; empty when they name none.
pub(crate) fn definition_of(object: &Value) -> Str {
    object::label(object, wire::LABEL_RGD_NAME).unwrap_or_default().into()
}

/// All CRDs by name.
#[derive(Debug, Default)]
pub(crate) struct CrdIndex {
    by_name: BTreeMap<Str, Crd>,
    by_kind: BTreeMap<GroupKind, Str>,
    /// Rises with every change that could change what compiles.
    pub epoch: u64,
}

impl CrdIndex {
    pub fn get(&self, name: &str) -> Option<&Crd> {
        self.by_name.get(name)
    }

    pub fn of_kind(&self, group_kind: &GroupKind) -> Option<&Crd> {
        self.by_name.get(self.by_kind.get(group_kind)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Str, &Crd)> {
        self.by_name.iter()
    }

    /// Takes a change in. True when its schema, its names or what is served changed.
    pub fn update(&mut self, name: &str, object: Option<&Value>) -> bool {
        let new = object.and_then(Crd::read);
        let old = self.by_name.remove(name);
        if let Some(old) = &old {
            self.by_kind.remove(&old.group_kind);
        }
        let matters =
            |crd: &Option<Crd>| crd.as_ref().map(|crd| (crd.object.at(&["spec"]).cloned(), crd.is_established));
        let is_changed = matters(&old) != matters(&new);
        if let Some(new) = new {
            self.by_kind.insert(new.group_kind.clone(), name.into());
            self.by_name.insert(name.into(), new);
        }
        self.epoch += u64::from(is_changed);
        is_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_versions_and_ownership() {
        let object = kro_value::from_json(
            r#"{"metadata":{"name":"webs.x.io","labels":{"kro.run/owned":"true","kro.run/resource-graph-definition-name":"web"}},
            "spec":{"group":"x.io","scope":"Cluster","names":{"kind":"Web","plural":"webs"},"versions":[
            {"name":"v1","served":true,"storage":false},{"name":"v2","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]},
            "status":{"conditions":[{"type":"Established","status":"True"}]}}"#,
        )
        .unwrap();
        let mut index = CrdIndex::default();
        assert!(index.update("webs.x.io", Some(&object)));
        assert!(!index.update("webs.x.io", Some(&object)), "nothing changed");
        let crd = index.of_kind(&GroupKind::new("x.io", "Web")).unwrap();
        assert_eq!((crd.version.as_str(), crd.namespaced, crd.is_established), ("v2", false, true));
        assert_eq!(crd.definition.as_deref(), Some("web"));
        assert!(index.update("webs.x.io", None));
        assert!(index.of_kind(&GroupKind::new("x.io", "Web")).is_none());
    }
}
