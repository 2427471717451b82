use super::{ErrorKind, EvalError};
use crate::value::CelValue;

/// Where the values of variables come from.
pub trait Activation {
    /// The value of a variable; `None` when it is not (yet) there.
    fn variable(&self, name: &str) -> Option<&CelValue>;
}

/// No variables.
impl Activation for () {
    fn variable(&self, _name: &str) -> Option<&CelValue> {
        None
    }
}

/// A few variables in a slice; the first of a name counts.
impl Activation for [(&str, CelValue)] {
    fn variable(&self, name: &str) -> Option<&CelValue> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// As the slice of the same variables.
impl<const N: usize> Activation for [(&str, CelValue); N] {
    fn variable(&self, name: &str) -> Option<&CelValue> {
        self.as_slice().variable(name)
    }
}

/// A few variables; the first of a name counts.
impl Activation for Vec<(kro_value::Str, CelValue)> {
    fn variable(&self, name: &str) -> Option<&CelValue> {
        self.iter().find(|(known, _)| kro_value::same_text(known, name)).map(|(_, value)| value)
    }
}

impl Activation for std::collections::BTreeMap<kro_value::Str, CelValue> {
    fn variable(&self, name: &str) -> Option<&CelValue> {
        self.get(name)
    }
}

/// How much one evaluation may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Steps: about one for each part of the expression that is evaluated and each element that is visited.
    pub steps: u64,
    /// Bytes of new values, also of those that are dropped again.
    pub bytes: u64,
}

impl Budget {
    /// No limit.
    pub const UNLIMITED: Self = Self { steps: u64::MAX, bytes: u64::MAX };
}

/// Ten million steps and 64 MiB: well below a second, and far beyond any reasonable graph.
impl Default for Budget {
    fn default() -> Self {
        Self { steps: 10_000_000, bytes: 64 << 20 }
    }
}

/// What an evaluation has left of its budget. Functions charge it before they do work or allocate.
#[derive(Debug)]
pub struct EvalContext {
    left: Budget,
    total: Budget,
    counting: Option<Box<Count>>,
}

/// The cost so far, in the units of [`crate::cost`], and how much it may become.
#[derive(Debug)]
struct Count {
    cost: u64,
    limit: u64,
}

impl EvalContext {
    /// The context of an evaluation that starts with a full budget.
    pub fn new(budget: Budget) -> Self {
        Self { left: budget, total: budget, counting: None }
    }

    /// A context in which programs that count ([`crate::Environment::plan_counting`]) say what they cost, up to a limit.
    /// That takes time, so it is for those who have to know.
    pub fn counting(budget: Budget, limit: u64) -> Self {
        Self { counting: Some(Box::new(Count { cost: 0, limit })), ..Self::new(budget) }
    }

    /// The cost so far; zero unless it is counted.
    pub fn cost(&self) -> u64 {
        self.counting.as_ref().map_or(0, |count| count.cost)
    }

    /// Starts counting from zero again, up to the same limit.
    pub fn reset_cost(&mut self) {
        if let Some(count) = &mut self.counting {
            count.cost = 0;
        }
    }

    #[inline]
    pub(crate) fn is_counting(&self) -> bool {
        self.counting.is_some()
    }

    /// Adds to the cost.
    #[cold]
    pub(crate) fn add_cost(&mut self, cost: u64) -> Result<(), EvalError> {
        let Some(count) = &mut self.counting else { return Ok(()) };
        // what is more than any number wraps around, as in the reference, but not to get below a limit
        let (sum, is_beyond) = count.cost.overflowing_add(cost);
        count.cost = sum;
        if sum <= count.limit && !(is_beyond && count.limit < u64::MAX) {
            return Ok(());
        }
        Err(EvalError::new(ErrorKind::BudgetExceeded, "operation cancelled: actual cost limit exceeded"))
    }

    /// A context without limits.
    pub fn unlimited() -> Self {
        Self::new(Budget::UNLIMITED)
    }

    /// Takes steps off the budget.
    ///
    /// # Errors
    /// `BudgetExceeded` when there are not so many left.
    #[inline]
    pub fn charge(&mut self, steps: u64) -> Result<(), EvalError> {
        match self.left.steps.checked_sub(steps) {
            Some(left) => self.left.steps = left,
            None => return Err(exceeded("steps", self.total.steps)),
        }
        Ok(())
    }

    /// Takes bytes off the budget; to be called before they are allocated.
    ///
    /// # Errors
    /// `BudgetExceeded` when there are not so many left.
    #[inline]
    pub fn allocate(&mut self, bytes: usize) -> Result<(), EvalError> {
        match self.left.bytes.checked_sub(bytes as u64) {
            Some(left) => self.left.bytes = left,
            None => return Err(exceeded("bytes of new values", self.total.bytes)),
        }
        Ok(())
    }

    /// Takes the room for so many list items off the budget.
    ///
    /// # Errors
    /// `BudgetExceeded` when there is not so much left.
    pub fn allocate_items(&mut self, count: usize) -> Result<(), EvalError> {
        self.charge(count as u64)?;
        self.allocate(count.saturating_mul(size_of::<CelValue>()))
    }

    /// Steps and bytes used so far.
    pub fn used(&self) -> Budget {
        Budget { steps: self.total.steps - self.left.steps, bytes: self.total.bytes - self.left.bytes }
    }
}

#[cold]
fn exceeded(what: &str, limit: u64) -> EvalError {
    let text = kro_value::format_smolstr!("evaluation exceeds its budget of {limit} {what}");
    EvalError::new(ErrorKind::BudgetExceeded, text)
}
