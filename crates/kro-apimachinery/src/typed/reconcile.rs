use super::owned::step;
use super::{Relationship, Type};
use crate::fieldset::{Node, Set};

/// Brings a set that was made with an older schema in line with the type: where a container has become atomic, what was
/// owned below it becomes ownership of the container.
pub fn reconcile(kind: &Type, set: &Set) -> Set {
    let nodes = set.nodes().iter().map(|node| {
        let Some(child) = step(Some(kind), &node.element).0 else { return node.clone() };
        if !node.set.is_empty() && is_atomic_below(&child, &node.set) {
            return Node { element: node.element.clone(), member: true, set: Set::new() };
        }
        Node { element: node.element.clone(), member: node.member, set: reconcile(&child, &node.set) }
    });
    nodes.collect()
}

/// Whether what is owned below belongs to a container that is one value now.
fn is_atomic_below(kind: &Type, below: &Set) -> bool {
    use crate::fieldset::PathElement::Field;
    let fields = below.nodes().iter().any(|node| matches!(node.element, Field(_)));
    let items = below.nodes().iter().any(|node| !matches!(node.element, Field(_)));
    let atomic = |relationship| relationship == Relationship::Atomic;
    (fields && kind.map().is_some_and(|face| atomic(face.relationship)))
        || (items && kind.list().is_some_and(|face| atomic(face.relationship)))
}
