use kro_graph::{Expression, Node};
use kro_value::Value;

use super::{Halt, NodeState, Planner};
use crate::eval::evaluate;

impl Planner<'_> {
    /// Whether the node is left out: because something it depends on is, or because a condition does not hold.
    pub(super) fn is_skipped(&self, node: &Node) -> Result<bool, Halt> {
        let skipped =
            |seen: &Option<super::Seen>| seen.as_ref().is_some_and(|seen| seen.plan.state == NodeState::Skipped);
        if node.dependencies.iter().any(|index| skipped(&self.seen[index.get()])) {
            return Ok(true);
        }
        for expression in &node.include_when {
            if !self.includes(node, expression)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn includes(&self, node: &Node, expression: &Expression) -> Result<bool, Halt> {
        for reference in &expression.references {
            self.require_ready(*reference).map_err(|halt| match halt {
                Halt::Pending(why) => {
                    let id = &self.input.graph.node(*reference).id;
                    Halt::Pending(format!("node {:?}: includeWhen dependency {id:?} not ready: {why}", node.id))
                }
                other => other,
            })?;
        }
        let origin = format!("node {:?}: includeWhen {:?}: ", node.id, expression.text);
        match evaluate(expression, self.scope(&[]), None) {
            Ok(Some(Value::Bool(value))) => Ok(value),
            Ok(None | Some(Value::Null)) => Ok(false),
            Ok(Some(other)) => Err(Halt::Hard(format!("{origin}did not return bool, but {}", other.type_name()))),
            Err(failure) if failure.is_unavailable && !expression.references.is_empty() => {
                Err(Halt::Pending(format!("{origin}{} (data pending)", failure.message)))
            }
            Err(failure) => Err(Halt::Hard(format!("{origin}{}", failure.message))),
        }
    }
}
