use kro_cel::value::CelValue;
use kro_graph::{Field, Node};
use kro_value::{Segment, Str, Value};

use super::{Halt, Planner};
use crate::eval::{EvalFailure, evaluate};
use crate::object;

/// What goes into a field; `None` leaves it out, as `omit()` asks.
pub(super) type Filling = Option<Value>;

impl Planner<'_> {
    /// The values of the fields that read no iterator, by the index of the field; `None` for the others.
    pub(super) fn shared_values(&self, node: &Node) -> Result<Vec<Option<Filling>>, Halt> {
        let value = |field: &Field| match field.expression.iterators.is_empty() {
            true => self.field_value(node, field, &[], None).map(Some),
            false => Ok(None),
        };
        node.fields.iter().map(value).collect()
    }

    /// The wanted object: the template with all its expressions filled in, in its namespace, without kro's marks.
    pub(super) fn render(
        &self,
        node: &Node,
        shared: &[Option<Filling>],
        iterators: &[(Str, CelValue)],
        item: Option<usize>,
    ) -> Result<Value, Halt> {
        let mut object = node.template.clone();
        let mut omitted = Vec::new();
        for (field, value) in node.fields.iter().zip(shared) {
            let value = match value {
                Some(value) => value.clone(),
                None => self.field_value(node, field, iterators, item)?,
            };
            let Some(place) = object.at_path_mut(&field.path) else {
                return Err(Halt::Hard(format!(
                    "node {:?}: resolve errors: no field {} in the template",
                    node.id, field.path
                )));
            };
            match value {
                Some(value) => *place = value,
                None => omitted.push(&field.path),
            }
        }
        // From the last to the first, so that positions in lists stay right.
        omitted.iter().rev().for_each(|path| remove(&mut object, path.segments()));
        self.place(node, &mut object)?;
        Ok(object)
    }

    fn field_value(
        &self,
        node: &Node,
        field: &Field,
        iterators: &[(Str, CelValue)],
        item: Option<usize>,
    ) -> Result<Filling, Halt> {
        let expression = &field.expression;
        evaluate(expression, self.scope(iterators), field.format.as_deref()).map_err(|failure| {
            let item = item.map_or_else(String::new, |item| format!("item {item}: collection iteration "));
            halt(failure, &format!("node {:?}: {item}eval {:?}: ", node.id, expression.text))
        })
    }

    /// Sees to name and namespace.
    fn place(&self, node: &Node, object: &mut Value) -> Result<(), Halt> {
        if object::name(object).is_empty() && !node.kind.is_collection_of_externals() {
            return Err(Halt::Hard(format!("node {:?}: metadata.name must be a non-empty string", node.id)));
        }
        if !node.namespaced {
            object.remove_at(&["metadata", "namespace"]);
            return Ok(());
        }
        if !object::namespace(object).is_empty() || node.kind.is_collection_of_externals() {
            return Ok(());
        }
        let own = Some(&self.input.owner.namespace).filter(|namespace| !namespace.is_empty());
        let Some(namespace) = own.or(self.input.graph.default_namespace.as_ref()) else {
            let id = &node.id;
            return Err(Halt::Hard(format!(
                "node {id:?}: metadata.namespace must resolve to a namespace, because the instance has none"
            )));
        };
        object.set_at(&["metadata", "namespace"], Value::String(namespace.clone()));
        Ok(())
    }
}

/// Takes a field or an element out. What becomes empty stays.
fn remove(place: &mut Value, path: &[Segment]) {
    match path {
        [] => {}
        [Segment::Field(name)] => drop(place.as_map_mut().and_then(|map| map.remove(name))),
        [Segment::Index(index)] => {
            if let Some(list) = place.as_list_mut().filter(|list| *index < list.len()) {
                list.remove(*index);
            }
        }
        [Segment::Field(name), rest @ ..] => {
            if let Some(below) = place.as_map_mut().and_then(|map| map.get_mut(name)) {
                remove(below, rest);
            }
        }
        [Segment::Index(index), rest @ ..] => {
            if let Some(below) = place.as_list_mut().and_then(|list| list.get_mut(*index)) {
                remove(below, rest);
            }
        }
    }
}

/// Pending or hard, with where it happened.
pub(super) fn halt(failure: EvalFailure, origin: &str) -> Halt {
    if failure.is_unavailable {
        Halt::Pending(format!("{origin}{} (data pending)", failure.message))
    } else {
        Halt::Hard(format!("{origin}{}", failure.message))
    }
}

trait ExternalKind {
    fn is_collection_of_externals(&self) -> bool;
}

impl ExternalKind for kro_graph::NodeKind {
    fn is_collection_of_externals(&self) -> bool {
        *self == Self::ExternalCollection
    }
}
