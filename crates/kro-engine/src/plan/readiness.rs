use kro_cel::value::CelValue;
use kro_graph::{Expression, Node};
use kro_value::{Str, Value};

use super::Planner;
use crate::eval::evaluate;

/// Whether what is observed of a node is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It is, or it is left out.
    Ready,
    /// Not yet: why.
    Waiting(String),
    /// It cannot be told: why.
    Failed(String),
}

impl Planner<'_> {
    /// Of one object, bound to the node's id.
    pub(super) fn readiness(&self, node: &Node, object: &Value) -> Readiness {
        let locals = [(node.id.clone(), CelValue::from_json(object.clone()))];
        let all = node.ready_when.iter().map(|expression| self.holds(expression, &locals));
        all.into_iter().find(|readiness| *readiness != Readiness::Ready).unwrap_or(Readiness::Ready)
    }

    /// Of every object of a collection, bound to `each`; the first that is not ready decides.
    pub(super) fn readiness_of_each(&self, node: &Node, objects: &[Value]) -> Readiness {
        for (index, object) in objects.iter().enumerate() {
            let locals = [(Str::new_static("each"), CelValue::from_json(object.clone()))];
            for expression in &node.ready_when {
                match self.holds(expression, &locals) {
                    Readiness::Ready => {}
                    Readiness::Waiting(why) => return Readiness::Waiting(format!("item {index}: {why}")),
                    Readiness::Failed(why) => return Readiness::Failed(format!("item {index}: {why}")),
                }
            }
        }
        Readiness::Ready
    }

    fn holds(&self, expression: &Expression, locals: &[(Str, CelValue)]) -> Readiness {
        let failed = || format!("failed to evaluate readyWhen expression: {:?}", expression.text);
        match evaluate(expression, self.scope(locals), None) {
            Ok(Some(Value::Bool(true))) => Readiness::Ready,
            Ok(None | Some(Value::Bool(false) | Value::Null)) => {
                Readiness::Waiting(format!("readyWhen condition evaluated to false: {:?}", expression.text))
            }
            Ok(Some(other)) => Readiness::Failed(format!(
                "{} (readyWhen {:?} did not return bool, but {})",
                failed(),
                expression.text,
                other.type_name()
            )),
            Err(failure) if failure.is_unavailable => {
                Readiness::Waiting(format!("{} (waiting for readiness)", failed()))
            }
            Err(failure) => Readiness::Failed(format!("{} ({})", failed(), failure.message)),
        }
    }
}
