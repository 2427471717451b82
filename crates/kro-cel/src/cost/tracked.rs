//! The costs that the reference tracks where they are others than those of the estimate.

use super::Cost;
use super::formula::{PATTERN, WALK, measure, size};
use super::{LIST, Prices};
use crate::declarations::OverloadDecl;
use crate::value::CelValue;

/// What the reference counts for a call that was made: as the estimate, or by another rule that may look at the result.
/// Every rule but [`Self::One`] and [`Self::AsEstimated`] has a unit for the call in it. "A walk" is a tenth of a unit for
/// each character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracked {
    /// The formula of the estimate, with the sizes that there are.
    #[default]
    AsEstimated,
    /// One unit: what the reference knows nothing of, such as the libraries of Kubernetes.
    One,
    /// A walk over the first argument.
    Walk,
    /// A walk over the first argument, and one more.
    Character,
    /// A walk over the first argument, and the size of the result.
    Transform,
    /// A walk over the first argument for each character of the second.
    Find,
    /// As [`Self::Find`], where nothing counts as one character, and the size of the result.
    Replace,
    /// A walk over the first argument, and a new list.
    Split,
    /// A walk over the items of the first argument as if they were characters, and the size of the result.
    Join,
    /// The items of one argument.
    Items,
    /// A new list.
    List,
    /// A new list, for which each item of one argument is compared with each, there and back.
    Pairwise(u8),
    /// A regular expression, and the size of the result; with `list` a new list.
    Extract {
        /// True when all matches are returned.
        list: bool,
    },
    /// A regular expression, and the size of the result, rounded down.
    ReplaceMatches,
    /// Two addresses, by their bytes.
    Address {
        /// True when the second argument is text and has to be read first.
        text: bool,
        /// True when ranges are compared, and not only an address with a range.
        range: bool,
    },
    /// More than any limit.
    Unbounded,
}

/// What is counted for a call, as it was planned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price {
    formula: Cost,
    tracked: Tracked,
}

impl Price {
    /// The price of a call whose overload is not known before it is made.
    pub const ONE: Self = Self { formula: Cost::One, tracked: Tracked::AsEstimated };

    /// The price of an overload.
    pub fn of(overload: &OverloadDecl, prices: Prices) -> Self {
        let tracked = match prices {
            Prices::Estimate => Tracked::AsEstimated,
            Prices::Reference => overload.tracked,
        };
        Self { formula: overload.cost, tracked }
    }

    /// What a call with these values costs.
    pub fn measure(self, args: &[CelValue], result: Option<&CelValue>) -> u64 {
        match self.tracked {
            Tracked::AsEstimated => measure(self.formula, args),
            tracked => tracked.of(args, result.map_or(1, size)),
        }
    }
}

impl Tracked {
    fn of(self, args: &[CelValue], result: u64) -> u64 {
        let known = |index: usize| args.get(index).map_or(1, size);
        let (first, second) = (known(0), known(1));
        match self {
            Self::AsEstimated | Self::One => 1,
            Self::Walk => 1 + walk(first),
            Self::Character => 2 + walk(first),
            Self::Transform => 1 + walk(first) + result,
            Self::Find => 1 + walk(first.saturating_mul(second)),
            Self::Replace => 1 + walk(first.max(1).saturating_mul(second.max(1))) + result,
            Self::Split => 1 + walk(first + 1) + result + LIST,
            Self::Join => 1 + walk(first + 1) + result,
            Self::Items => 1 + first,
            Self::List => 1 + result + LIST,
            Self::Pairwise(argument) => 1 + LIST + pairs(args.get(usize::from(argument))),
            // an optional text counts as one value
            Self::Extract { list } => 1 + up(regex(first, second)) + if list { result + LIST } else { 1 },
            Self::ReplaceMatches => 1 + down(regex(first, second)) + result,
            Self::Address { text, range } => {
                let other = if text { walk(second) } else { 0 };
                walk(first + first) + if range { walk(first) + 1 } else { 0 } + other
            }
            Self::Unbounded => u64::MAX,
        }
    }
}

fn walk(size: u64) -> u64 {
    up(float(size) * WALK)
}

fn regex(text: u64, pattern: u64) -> f64 {
    float(text + 1) * WALK * (float(pattern + 1) * PATTERN)
}

fn pairs(list: Option<&CelValue>) -> u64 {
    let Some(list) = list.and_then(CelValue::as_list) else { return 0 };
    let length = list.len() as u64;
    let is_text = matches!(list.get(0), Some(Ok(CelValue::String(_) | CelValue::Bytes(_))));
    down(float(length.saturating_mul(length)) * if is_text { 2.0 + WALK } else { 2.0 })
}

#[allow(clippy::cast_precision_loss)]
fn float(value: u64) -> f64 {
    value as f64
}

/// A cast saturates, which is what is wanted of what is too large.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn up(value: f64) -> u64 {
    value.ceil() as u64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn down(value: f64) -> u64 {
    value as u64
}
