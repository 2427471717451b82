use kro_cel::value::CelValue;
use kro_graph::{Node, NodeIndex};
use kro_value::{Str, Value};

use super::readiness::Readiness;
use super::render::halt;
use super::target::{Target, ready_plan};
use super::{Halt, NodePlan, NodeState, Planner, Seen};
use crate::eval::evaluate;
use crate::object::ObjectId;

impl<'a> Planner<'a> {
    pub(super) fn collection(&mut self, index: NodeIndex, node: &'a Node) -> Result<Seen, Halt> {
        let items = self.expand(node)?;
        let shared = if items.is_empty() { Vec::new() } else { self.shared_values(node)? };
        let mut rendered = Vec::with_capacity(items.len());
        for (position, iterators) in items.iter().enumerate() {
            rendered.push(self.render(node, &shared, iterators, Some(position))?);
        }
        let mut ids = Vec::with_capacity(rendered.len());
        for object in &rendered {
            ids.push(self.claim(index, node, object)?);
        }
        let size = rendered.len();
        let mut targets = Vec::with_capacity(size);
        for (position, (object, id)) in rendered.into_iter().zip(&ids).enumerate() {
            targets.push(self.target(index, node, id, object, Some((position, size))));
        }
        Ok(self.settle_all(index, node, ids, targets))
    }

    /// The iterators of every item: the product of all dimensions, the first one outermost.
    fn expand(&self, node: &Node) -> Result<Vec<Vec<(Str, CelValue)>>, Halt> {
        let max = self.input.collection_size_max;
        let mut items: Vec<Vec<(Str, CelValue)>> = vec![Vec::new()];
        for dimension in &node.for_each {
            let origin = format!("node {:?}: forEach {:?}: ", node.id, dimension.name);
            let list =
                evaluate(&dimension.expression, self.scope(&[]), None).map_err(|failure| halt(failure, &origin))?;
            let list = list.unwrap_or_default();
            let Some(elements) = list.as_list() else {
                return Err(Halt::Hard(format!("{origin}did not return a list, but {}", list.type_name())));
            };
            let size = items.len().saturating_mul(elements.len());
            if size > max {
                let id = &node.id;
                return Err(Halt::Hard(format!(
                    "node {id:?}: collection size of {size} is over the maximum collection size of {max}"
                )));
            }
            let extended = |item: &Vec<(Str, CelValue)>, element: &Value| {
                let mut item = item.clone();
                item.push((dimension.name.clone(), CelValue::from_json(element.clone())));
                item
            };
            items = items.iter().flat_map(|item| elements.iter().map(move |element| extended(item, element))).collect();
        }
        Ok(items)
    }

    /// What becomes of a node with many objects: the first failure decides, then the first that is terminating, then
    /// whatever is under way.
    fn settle_all(&mut self, index: NodeIndex, node: &Node, ids: Vec<ObjectId>, targets: Vec<Target>) -> Seen {
        let desired = targets.len();
        let mut observed = Vec::with_capacity(desired);
        let (mut failed, mut deleting, mut is_busy) = (None, None, false);
        for (position, target) in targets.into_iter().enumerate() {
            match target {
                Target::Current(live) => observed.push(live),
                Target::Busy => is_busy = true,
                Target::Deleting(why) => deleting = deleting.or(Some(why)),
                Target::Failed(why, live) => {
                    failed = failed.or_else(|| Some(format!("collection item {position}: {why}")));
                    observed.extend(live);
                }
            }
        }
        let readiness = if observed.len() < desired {
            Readiness::Waiting(format!("collection not ready: observed {} but desired {desired}", observed.len()))
        } else {
            self.readiness_of_each(node, &observed)
        };
        let mut plan = match (failed, deleting) {
            (Some(why), _) => NodePlan { is_apply_failure: true, ..NodePlan::new(NodeState::Error, why) },
            (None, Some(why)) => NodePlan::new(NodeState::Deleting, why),
            (None, None) if is_busy => NodePlan::new(NodeState::InProgress, ""),
            (None, None) => ready_plan(node, &readiness),
        };
        plan.is_busy = is_busy;
        plan.objects = ids;
        self.observe(index, Some(Value::list(observed)));
        Seen { plan, readiness }
    }
}
