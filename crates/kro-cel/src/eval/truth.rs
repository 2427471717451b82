//! Conditions, which need no value to be made for their verdict.

use super::frame::Frame;
use super::glance::{Glance, Scalar};
use super::path::Cursor;
use super::plan::{Comparison, Has, Kind, Node, Test};
use super::{ErrorKind, EvalError};
use crate::library;
use crate::operators;
use crate::value::{CelList, CelValue};

type Verdict = Result<bool, EvalError>;

impl<'a> Frame<'a> {
    /// The verdict of a node that has to be a boolean.
    pub(super) fn truth(&mut self, node: &'a Node) -> Verdict {
        match &node.kind {
            Kind::Test(test) if self.counting.is_none() => {
                self.verdict(test).map_err(|error| error.at(&(node.start as usize..node.end as usize)))
            }
            _ => match self.evaluate(node)? {
                CelValue::Bool(value) => Ok(value),
                _ => Err(EvalError::no_overload()),
            },
        }
    }

    /// What a test comes to.
    pub(super) fn verdict(&mut self, test: &'a Test) -> Verdict {
        match test {
            Test::Has(has) => self.has(has),
            Test::And(nodes) => self.logical(nodes, false),
            Test::Or(nodes) => self.logical(nodes, true),
            Test::Not(node) => self.truth(node).map(|value| !value),
            Test::NotStrictlyFalse(node) => self.not_strictly_false(node),
            Test::Equal(nodes, wanted) => self.equal(nodes, *wanted),
            Test::Compare(nodes, comparison) => self.compare(nodes, *comparison),
            Test::In(nodes) => self.contains(nodes),
        }
    }

    /// `&&` and `||`: one operand of the deciding value decides, whatever the others are; else the first error counts.
    pub(super) fn logical(&mut self, nodes: &'a [Node], deciding: bool) -> Verdict {
        let mut first_error = None;
        for node in nodes {
            match self.truth(node) {
                Ok(value) if value == deciding => return Ok(deciding),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::BudgetExceeded => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(!deciding), Err)
    }

    fn not_strictly_false(&mut self, node: &'a Node) -> Verdict {
        match self.truth(node) {
            Err(error) if error.kind() == ErrorKind::BudgetExceeded => Err(error),
            verdict => Ok(verdict.unwrap_or(true)),
        }
    }

    /// Two scalars that can be compared where they are.
    fn scalars(&self, nodes: &'a [Node; 2]) -> Option<(Scalar<'_>, Scalar<'_>)> {
        Some((self.scalar(&nodes[0])?, self.scalar(&nodes[1])?))
    }

    fn equal(&mut self, nodes: &'a [Node; 2], wanted: bool) -> Verdict {
        if let Some((left, right)) = self.scalars(nodes) {
            return Ok(left.equals(right) == wanted);
        }
        let (left, right) = self.pair(nodes)?;
        library::equality(self.context, &left, &right, wanted)
    }

    fn compare(&mut self, nodes: &'a [Node; 2], comparison: Comparison) -> Verdict {
        let known = self.scalars(nodes).and_then(|(left, right)| left.order(right));
        let order = match known {
            Some(order) => Some(order),
            None => {
                let (left, right) = self.pair(nodes)?;
                let operator = match comparison {
                    Comparison::Less => operators::LESS,
                    Comparison::LessEquals => operators::LESS_EQUALS,
                    Comparison::Greater => operators::GREATER,
                    Comparison::GreaterEquals => operators::GREATER_EQUALS,
                };
                library::order(operator, &left, &right)?
            }
        };
        Ok(order.is_some_and(|order| match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessEquals => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterEquals => order.is_ge(),
        }))
    }

    fn contains(&mut self, nodes: &'a [Node; 2]) -> Verdict {
        if let Some((found, looked_at)) = self.contains_plainly(nodes) {
            self.context.charge(looked_at)?;
            return Ok(found);
        }
        let (item, container) = self.pair(nodes)?;
        library::contains_item(self.context, &item, &container)
    }

    /// Whether a scalar is in a list, both looked at where they are, and the length of the list.
    fn contains_plainly(&self, nodes: &'a [Node; 2]) -> Option<(bool, u64)> {
        let item = self.scalar(&nodes[0])?;
        match &nodes[1].kind {
            Kind::Constant(CelValue::List(CelList::Built(items))) => {
                let mut found = false;
                for other in items.iter() {
                    found |= Scalar::of(other)?.equals(item);
                }
                Some((found, items.len() as u64))
            }
            Kind::Path(path) => {
                let Glance::Found(seen) = self.glance(path) else { return None };
                let items = seen.plain_items()?;
                let mut found = false;
                for other in items {
                    found |= item.equals_json(other)?;
                }
                Some((found, items.len() as u64))
            }
            _ => None,
        }
    }

    fn has(&mut self, has: &'a Has) -> Verdict {
        if let Some(path) = &has.path
            && self.counting.is_none()
        {
            match self.glance(path) {
                Glance::Found(_) => return Ok(true),
                Glance::Missing(at) if at + 1 == path.steps.len() => return Ok(false),
                _ => {}
            }
        }
        let (operand, open) = self.attribute(&has.operand)?;
        match Cursor::Cel(&operand).enter(open) {
            (Some(cursor), optional) => {
                let found = cursor.has(&has.field);
                self.count_step(optional, matches!(found, Ok(true)))?;
                found
            }
            (None, _) => Ok(false),
        }
    }
}
