use kro_graph::{Node, NodeIndex};
use kro_value::{Str, Value};

use super::readiness::Readiness;
use super::{Halt, NodePlan, NodeState, Planner, Seen};
use crate::object;
use crate::snapshot::{External, ExternalTarget};

impl<'a> Planner<'a> {
    pub(super) fn external(&mut self, index: NodeIndex, node: &'a Node) -> Result<Seen, Halt> {
        let shared = self.shared_values(node)?;
        let reference = self.render(node, &shared, &[], None)?;
        let namespace = object::namespace(&reference);
        let target = ExternalTarget {
            node: index,
            namespace: (!namespace.is_empty()).then(|| namespace.into()),
            name: Some(object::name(&reference).into()),
            selector: Str::new_static(""),
        };
        let found = self.look_up(node, target)?.into_iter().next();
        let Some(live) = found else {
            let why = format!("waiting for external reference {:?}: not found", node.id);
            let readiness = Readiness::Waiting("not found".into());
            return Ok(Seen { plan: NodePlan::new(NodeState::WaitingForReadiness, why), readiness });
        };
        let readiness = self.readiness(node, &live);
        self.observe(index, Some(live));
        Ok(Seen { plan: external_plan("reference", node, &readiness), readiness })
    }

    pub(super) fn external_collection(&mut self, index: NodeIndex, node: &'a Node) -> Result<Seen, Halt> {
        let shared = self.shared_values(node)?;
        let reference = self.render(node, &shared, &[], None)?;
        let namespace =
            Some(object::namespace(&reference)).filter(|namespace| node.namespaced && !namespace.is_empty());
        let selector = reference.at(&["metadata", "selector"]).cloned().unwrap_or_default();
        let selector =
            selector_text(&selector).map_err(|why| Halt::Hard(format!("node {:?}: selector: {why}", node.id)))?;
        let target =
            ExternalTarget { node: index, namespace: namespace.map(Str::new), name: None, selector: selector.into() };
        let found = self.look_up(node, target)?;
        let readiness = self.readiness_of_each(node, &found);
        self.observe(index, Some(Value::list(found)));
        Ok(Seen { plan: external_plan("collection", node, &readiness), readiness })
    }

    fn look_up(&mut self, node: &Node, target: ExternalTarget) -> Result<Vec<Value>, Halt> {
        let found = self.input.snapshot.external(&target);
        self.externals.push(target);
        match found {
            External::Unknown => Err(Halt::Busy),
            External::Failed(why) => {
                Err(Halt::Hard(format!("node {:?}: cannot watch {}: {why}", node.id, super::resource_name(node))))
            }
            External::Found(objects) => Ok(objects),
        }
    }
}

fn external_plan(noun: &str, node: &Node, readiness: &Readiness) -> NodePlan {
    match readiness {
        Readiness::Ready => NodePlan::new(NodeState::Synced, ""),
        Readiness::Waiting(why) => {
            let message = format!("waiting for external {noun} {:?}: {why}", node.id);
            NodePlan::new(NodeState::WaitingForReadiness, message)
        }
        Readiness::Failed(why) => NodePlan::new(NodeState::Error, format!("node {:?}: {why}", node.id)),
    }
}

/// A LabelSelector in its query form. Missing or empty selects everything.
///
/// # Errors
/// For an unknown operator or a malformed entry.
pub(crate) fn selector_text(selector: &Value) -> Result<String, String> {
    let mut parts = Vec::new();
    for (key, value) in selector.at(&["matchLabels"]).and_then(Value::as_map).into_iter().flatten() {
        let Some(value) = value.as_str() else {
            return Err(format!("the value of label {key:?} is no string"));
        };
        parts.push(format!("{key}={value}"));
    }
    for expression in selector.at(&["matchExpressions"]).and_then(Value::as_list).unwrap_or_default() {
        parts.push(requirement_text(expression)?);
    }
    Ok(parts.join(","))
}

fn requirement_text(expression: &Value) -> Result<String, String> {
    let key = expression.str_at(&["key"]).unwrap_or_default();
    let operator = expression.str_at(&["operator"]).unwrap_or_default();
    let values = expression.at(&["values"]).and_then(Value::as_list).unwrap_or_default();
    let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    match operator {
        _ if key.is_empty() => Err("an expression has no key".into()),
        "In" | "NotIn" if values.is_empty() => Err(format!("operator {operator:?} needs values")),
        "In" => Ok(format!("{key} in ({})", values.join(","))),
        "NotIn" => Ok(format!("{key} notin ({})", values.join(","))),
        "Exists" => Ok(key.to_owned()),
        "DoesNotExist" => Ok(format!("!{key}")),
        _ => Err(format!("{operator:?} is not a valid label selector operator")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_in_query_form() {
        for (json, expected) in [
            ("null", Ok("")),
            ("{}", Ok("")),
            (r#"{"matchLabels":{"b":"2","a":"1"}}"#, Ok("a=1,b=2")),
            (
                r#"{"matchExpressions":[{"key":"k","operator":"In","values":["x","y"]},{"key":"e","operator":"Exists"}]}"#,
                Ok("k in (x,y),e"),
            ),
            (
                r#"{"matchExpressions":[{"key":"k","operator":"NotIn","values":["x"]},{"key":"e","operator":"DoesNotExist"}]}"#,
                Ok("k notin (x),!e"),
            ),
            (
                r#"{"matchExpressions":[{"key":"k","operator":"Like"}]}"#,
                Err("\"Like\" is not a valid label selector operator"),
            ),
            (r#"{"matchExpressions":[{"key":"k","operator":"In"}]}"#, Err("operator \"In\" needs values")),
            (r#"{"matchLabels":{"a":1}}"#, Err("the value of label \"a\" is no string")),
        ] {
            let text = selector_text(&kro_value::from_json(json).unwrap());
            assert_eq!(text.as_deref().map_err(String::as_str), expected, "{json}");
        }
    }
}
