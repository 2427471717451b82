use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use kro_schema::builtin;
use kro_value::{Str, format_smolstr};

use crate::resource::Version;
use crate::{GroupResource, Resource};

/// Everything that is served: built-in resources and those of CustomResourceDefinitions.
pub(crate) struct Registry {
    resources: BTreeMap<GroupResource, Arc<Resource>>,
    /// Built-in resources in the order of discovery.
    builtin: Vec<GroupResource>,
    kinds: HashMap<(Str, Str), GroupResource>,
    revisions: u64,
}

impl Registry {
    /// All built-in resources.
    pub(crate) fn new() -> Self {
        let mut registry =
            Self { resources: BTreeMap::new(), builtin: Vec::new(), kinds: HashMap::new(), revisions: 0 };
        for row in builtin::resources() {
            let id = GroupResource::new(row.group.clone(), row.plural.clone());
            // Rows come with the preferred version first; what is stored is that one.
            if let Some(known) = registry.resources.get_mut(&id) {
                Arc::make_mut(known).versions.push(builtin_version(row));
                continue;
            }
            registry.builtin.push(id);
            registry.insert(Arc::new(builtin_resource(row)));
        }
        registry
    }

    pub(crate) fn get(&self, id: &GroupResource) -> Option<&Arc<Resource>> {
        self.resources.get(id)
    }

    pub(crate) fn find(&self, group: &str, resource: &str) -> Option<&Arc<Resource>> {
        self.resources.get(&GroupResource::new(group, resource))
    }

    pub(crate) fn of_kind(&self, group: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.resources.get(self.kinds.get(&(Str::new(group), Str::new(kind)))?)
    }

    /// The resource of an `apiVersion` and `kind`, in any served version of the group.
    pub(crate) fn of_object(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.of_kind(group, kind)
    }

    /// True when the group has built-in resources.
    pub(crate) fn is_builtin_group(&self, group: &str) -> bool {
        self.builtin.iter().any(|id| id.group == group)
    }

    /// Built-in resources in the order of discovery, then custom ones by group and name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        let builtin = self.builtin.iter().filter_map(|id| self.resources.get(id));
        builtin.chain(self.resources.values().filter(|resource| resource.custom))
    }

    /// A number for a new definition of a custom resource.
    pub(crate) fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }

    /// Serves a resource, in place of the one with the same name.
    pub(crate) fn insert(&mut self, resource: Arc<Resource>) {
        self.forget_kind(&resource.id);
        self.kinds.insert((resource.id.group.clone(), resource.kind.clone()), resource.id.clone());
        self.resources.insert(resource.id.clone(), resource);
    }

    /// Serves a resource no longer.
    pub(crate) fn remove(&mut self, id: &GroupResource) {
        self.forget_kind(id);
        self.resources.remove(id);
    }

    fn forget_kind(&mut self, id: &GroupResource) {
        if let Some(known) = self.resources.get(id) {
            self.kinds.remove(&(known.id.group.clone(), known.kind.clone()));
        }
    }
}

fn builtin_resource(row: &builtin::Resource) -> Resource {
    Resource {
        id: GroupResource::new(row.group.clone(), row.plural.clone()),
        kind: row.kind.clone(),
        list_kind: format_smolstr!("{}List", row.kind),
        singular: row.singular.clone(),
        namespaced: row.namespaced,
        short_names: row.short_names.clone(),
        categories: row.categories.clone(),
        verbs: row.verbs.clone(),
        versions: vec![builtin_version(row)],
        storage: 0,
        custom: false,
        terminating: false,
        revision: 0,
    }
}

fn builtin_version(row: &builtin::Resource) -> Version {
    Version {
        name: row.version.clone(),
        served: true,
        schema: builtin::resolve(&row.group, &row.version, &row.kind),
        subresources: row.subresources.iter().map(|subresource| subresource.name.clone()).collect(),
        scale: None,
        columns: Vec::new(),
        selectable_fields: Vec::new(),
        deprecation: Str::new_static(match (row.group.as_str(), row.plural.as_str()) {
            ("", "endpoints") => "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
            ("", "componentstatuses") => "v1 ComponentStatus is deprecated in v1.19+",
            _ => "",
        }),
        structure: OnceLock::new(),
        rules: OnceLock::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_builtin_kinds() {
        let registry = Registry::new();
        let deployments = registry.find("apps", "deployments").unwrap();
        assert_eq!((deployments.kind.as_str(), deployments.api_version(0).as_str()), ("Deployment", "apps/v1"));
        assert!(deployments.has_status(0) && deployments.schema(0).is_some());
        assert_eq!(registry.of_object("v1", "Pod").unwrap().id.resource, "pods");
        assert_eq!(registry.find("autoscaling", "horizontalpodautoscalers").unwrap().versions[0].name, "v2");
        assert!(registry.is_builtin_group("") && !registry.is_builtin_group("kro.run"));
    }
}
