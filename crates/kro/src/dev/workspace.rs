//! The objects of the user's files, and how far each has come into the cluster.

use kro_manager::View;
use kro_value::Value;

use super::apply::{Outcome, apply, delete, identity, rank};
use super::cluster::Cluster;
use super::screen::Screen;
use crate::check::is_definition;
use crate::input::{Input, describe};
use crate::terminal::{ERROR, RESET};

pub struct Workspace {
    objects: Vec<Object>,
}

struct Object {
    value: Value,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    /// To be applied; its kind may not be served yet.
    Waiting,
    Applied,
    Refused(String),
}

impl Workspace {
    pub fn new(input: Input) -> Self {
        Self {
            objects: list_objects(&input).into_iter().map(|value| Object { value, state: State::Waiting }).collect(),
        }
    }

    /// Applies what waits.
    pub fn apply(&mut self, cluster: &Cluster, screen: &mut Screen) {
        for object in self.objects.iter_mut().filter(|object| object.state == State::Waiting) {
            match apply(cluster, &object.value) {
                Outcome::Applied => object.state = State::Applied,
                Outcome::NotServed => {}
                Outcome::Refused(message) => {
                    screen.print(&[format!("{ERROR}error:{RESET} {}: {message}", describe(&object.value))]);
                    object.state = State::Refused(message);
                }
            }
        }
    }

    /// Takes new contents of the files: what changed is applied again, what is not there any more is deleted.
    pub fn replace(&mut self, input: Input, cluster: &Cluster) {
        let wanted = list_objects(&input);
        let old = std::mem::take(&mut self.objects);
        let gone = |object: &&Object| !wanted.iter().any(|value| identity(value) == identity(&object.value));
        for object in old.iter().rev().filter(gone) {
            delete(cluster, &object.value);
        }
        let is_there =
            |value: &Value| old.iter().any(|object| object.value == *value && object.state == State::Applied);
        self.objects = wanted
            .into_iter()
            .map(|value| Object { state: if is_there(&value) { State::Applied } else { State::Waiting }, value })
            .collect();
    }

    /// True when every object is in the cluster.
    pub fn is_applied(&self) -> bool {
        self.objects.iter().all(|object| object.state == State::Applied)
    }

    /// The first object that the API does not take, with its words.
    pub fn refused(&self) -> Option<String> {
        self.objects.iter().find_map(|object| match &object.state {
            State::Refused(message) => Some(format!("{}: {message}", describe(&object.value))),
            _ => None,
        })
    }

    /// True when the controller knows of every definition.
    pub fn has_definitions_in(&self, view: &View) -> bool {
        let mut definitions = self.objects.iter().filter(|object| is_definition(&object.value));
        definitions.all(|object| {
            let [_, _, _, name] = identity(&object.value);
            view.graphs.iter().any(|graph| graph.name == name)
        })
    }

    /// True when the controller knows of every definition and of every instance of one.
    pub fn is_seen_in(&self, view: &View) -> bool {
        self.objects.iter().all(|object| {
            let [group, kind, namespace, name] = identity(&object.value);
            if is_definition(&object.value) {
                return view.graphs.iter().any(|graph| graph.name == name);
            }
            let _ = group;
            let of_kind = view.graphs.iter().find(|graph| graph.kind == kind);
            of_kind.is_none_or(|graph| {
                let namespace = if namespace.is_empty() { "default" } else { &namespace };
                graph.instances.iter().any(|instance| {
                    instance.name == name && (instance.namespace == namespace || instance.namespace.is_empty())
                })
            })
        })
    }

    /// A line for each object that waits for its kind.
    pub fn describe_waiting(&self) -> Vec<String> {
        let waiting = self.objects.iter().filter(|object| object.state == State::Waiting);
        waiting.map(|object| format!("{}: the API does not serve this kind", describe(&object.value))).collect()
    }
}

/// The objects in an order that works in one go; a `List` counts as its items.
fn list_objects(input: &Input) -> Vec<Value> {
    let mut objects = Vec::new();
    for document in &input.documents {
        let value = document.root.value();
        match (value.str_at(&["kind"]), value.get("items").and_then(Value::as_list)) {
            (Some("List"), Some(items)) => objects.extend(items.iter().cloned()),
            _ if value.is_null() => {}
            _ => objects.push(value.clone()),
        }
    }
    objects.sort_by_key(rank);
    objects
}
