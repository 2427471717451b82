use super::{Bounds, LIST};
use crate::value::{CelList, CelMap, CelValue, Opaque};

/// How the cost of a call, and the size of what it returns, follow from the sizes of its arguments; the receiver is the
/// first. "A walk" is a tenth of a unit for each character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// One unit.
    #[default]
    One,
    /// Nothing of its own: logic and choices, which the estimate looks into.
    Free,
    /// A walk over one argument.
    Walk(u8),
    /// Two walks over one argument.
    WalkTwice(u8),
    /// A walk over the first argument, and a text not longer than that.
    Copy,
    /// A unit for each item of one argument.
    Items(u8),
    /// A unit and a walk for each item of the first argument, or one walk over a text.
    Elements,
    /// A walk over the first argument for each tenth character of the second.
    Search,
    /// A regular expression, the second argument, for each tenth character of the first.
    Regex,
    /// As a regular expression; returns a part of the first argument, or a list of parts.
    Find,
    /// A walk over the result, which is the two arguments behind each other.
    Concat,
    /// One unit; the result is the two lists behind each other.
    Append,
    /// A walk over the smaller of the two arguments.
    Compare,
    /// Two walks over the first argument, in which the third comes in place of the second.
    Replace,
    /// Two walks over the first argument, and a list of its parts.
    Split,
    /// A walk over the items of the first argument with the second between them.
    Join,
    /// Two addresses, and with `text` a walk over the second argument.
    Address {
        /// True when the second argument is text and has to be read first.
        text: bool,
        /// True when ranges are compared, and not only an address with a range.
        range: bool,
    },
    /// A regular expression of a format with its name, over the second argument.
    Format,
    /// A walk over the argument, which becomes this many quarters as large.
    Convert {
        /// Quarters of the size: 16 for text whose every character may become four bytes.
        quarters: u8,
    },
    /// A new list of the items of the first argument.
    List,
    /// A new list in which every item is compared with every other.
    Distinct,
    /// One unit, and so many for each pair of an item of the first list and one of the second.
    Pairs(u8),
    /// A new list of the lists in the first argument.
    Flatten,
    /// A new list as long as the argument says.
    Range,
    /// A walk over everything that the arguments hold: their text in JSON.
    Everything,
}

/// What a formula knows of an argument.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// Its size; one for scalars.
    pub size: Bounds,
    /// The size of its items, where they are texts or lists.
    pub items: Option<Bounds>,
    /// True for a list.
    pub is_list: bool,
    /// Its value, where it is an integer known from the text.
    pub number: Option<i64>,
}

const UNKNOWN: Operand = Operand { size: Bounds::UNKNOWN, items: None, is_list: false, number: None };
pub(super) const WALK: f64 = 0.1;
pub(super) const PATTERN: f64 = 0.25;
const ADDRESS: Bounds = Bounds { min: 4, max: 16 };
/// Bytes that the pattern of a named format has at most.
const FORMAT_PATTERN: f64 = 128.0;
/// As many items a list can be asked for.
const RANGE_MAX: u64 = 1_000_000;

impl Cost {
    /// The cost of a call, and the size of its result where that is known.
    pub fn of(self, args: &[Operand]) -> (Bounds, Option<Bounds>) {
        let operand = |index: usize| args.get(index).copied().unwrap_or(UNKNOWN);
        let size = |index: usize| operand(index).size;
        let one = Bounds::exactly(1);
        match self {
            Self::One => (one, None),
            Self::Free => (Bounds::ZERO, None),
            Self::Walk(at) => (size(at.into()).scaled(WALK), None),
            Self::WalkTwice(at) => (size(at.into()).scaled(2.0 * WALK), None),
            Self::Copy => (size(0).scaled(WALK), Some(size(0))),
            Self::Items(at) => (size(at.into()), None),
            Self::Elements if !operand(0).is_list => (size(0).scaled(WALK), None),
            Self::Elements => {
                let item = operand(0).items.map_or(Bounds::ZERO, |items| items.scaled(WALK));
                (size(0).times(one.plus(item)), None)
            }
            Self::Search => (size(0).scaled(WALK).times(size(1).scaled(WALK)), None),
            Self::Regex => (regex(size(0), size(1)), None),
            Self::Find => (regex(size(0), size(1)), Some(Bounds::up_to(size(0).max))),
            Self::Concat => {
                let both = size(0).plus(size(1));
                (both.scaled(WALK), Some(both))
            }
            Self::Append => (one, Some(size(0).plus(size(1)))),
            Self::Compare => (comparison(size(0), size(1)), None),
            Self::Replace => (size(0).scaled(2.0 * WALK), Some(replaced(size(0), size(1), size(2)))),
            Self::Split => {
                let limit = operand(2).number.and_then(|limit| u64::try_from(limit).ok());
                // without a separator every character is a part, and there is always one part
                let parts = limit.unwrap_or_else(|| size(0).max.saturating_add(1));
                (size(0).scaled(2.0 * WALK), Some(Bounds::up_to(parts)))
            }
            Self::Join => {
                let joined = joined(operand(0), args.get(1).map_or(Bounds::ZERO, |separator| separator.size));
                (joined.scaled(WALK), Some(joined))
            }
            Self::Address { text, range } => (address(size(1), text, range), None),
            Self::Format => (size(1).plus(one).scaled(WALK).scaled(FORMAT_PATTERN * PATTERN), None),
            Self::Convert { quarters } => {
                let result = Bounds { min: 0, max: size(0).scaled(f64::from(quarters) / 4.0).max.saturating_add(2) };
                (size(0).scaled(WALK), Some(result))
            }
            Self::List => (size(0).plus(Bounds::exactly(LIST)), Some(Bounds::up_to(size(0).max.saturating_add(1)))),
            Self::Distinct => (size(0).times(size(0)).plus(Bounds::exactly(LIST)), Some(Bounds::up_to(size(0).max))),
            Self::Pairs(factor) => (size(0).times(size(1)).times(Bounds::exactly(factor.into())).plus(one), None),
            Self::Flatten => {
                let all = Bounds::up_to(size(0).times(operand(0).items.unwrap_or(Bounds::UNKNOWN)).max);
                (all.plus(size(0)).plus(Bounds::exactly(LIST)), Some(all))
            }
            Self::Range => {
                let known = operand(0).number.map(|number| u64::try_from(number).unwrap_or(0));
                let count = known.map_or(Bounds::up_to(RANGE_MAX), |known| Bounds::up_to(known.min(RANGE_MAX)));
                (count.plus(Bounds::exactly(LIST)), Some(count))
            }
            Self::Everything => (Bounds { min: 1, max: u64::MAX }, None),
        }
    }
}

/// One more for the text, so that an expensive pattern on an empty text is not free.
fn regex(text: Bounds, pattern: Bounds) -> Bounds {
    text.plus(Bounds::exactly(1)).scaled(WALK).times(pattern.scaled(PATTERN))
}

fn comparison(left: Bounds, right: Bounds) -> Bounds {
    let max = left.max.min(right.max);
    Bounds { min: u64::from(max > 0), max }.scaled(WALK)
}

/// The size of a text after a replacement, as Kubernetes estimates it.
fn replaced(text: Bounds, old: Bounds, new: Bounds) -> Bounds {
    let times = |text: u64, old: u64| Bounds::exactly(text).scaled(1.0 / to_float(old)).max;
    let max = if old.min == 0 {
        text.max.saturating_add(1).saturating_mul(new.max).saturating_add(text.max)
    } else if new.max <= old.min {
        text.max
    } else {
        // a part that is no longer than what it replaces stays as it is
        times(text.max, old.min).saturating_mul(new.max).max(text.max)
    };
    let min = if old.max == 0 {
        text.min.saturating_add(1).saturating_mul(new.min).saturating_add(text.min)
    } else if old.max <= new.min {
        text.min
    } else {
        0
    };
    Bounds { min, max }
}

#[allow(clippy::cast_precision_loss)]
fn to_float(value: u64) -> f64 {
    value as f64
}

fn joined(list: Operand, separator: Bounds) -> Bounds {
    let between = Bounds { min: list.size.min.saturating_sub(1), max: list.size.max.saturating_sub(1) };
    let texts = list.size.times(list.items.unwrap_or(Bounds::UNKNOWN));
    texts.plus(separator.times(between))
}

fn address(other: Bounds, text: bool, range: bool) -> Bounds {
    let mut cost = ADDRESS.plus(ADDRESS).scaled(WALK);
    if range {
        cost = cost.plus(ADDRESS.scaled(WALK)).plus(Bounds::exactly(1));
    }
    if text { cost.plus(other.scaled(WALK)) } else { cost }
}

/// The cost of a call with these values.
#[cold]
pub(super) fn measure(cost: Cost, args: &[CelValue]) -> u64 {
    if cost == Cost::Everything {
        return args.iter().map(weight).fold(0, u64::saturating_add);
    }
    let operands: Vec<Operand> = args.iter().map(operand).collect();
    cost.of(&operands).0.max
}

fn operand(value: &CelValue) -> Operand {
    let list = value.as_list();
    // scalars among the items are no more to look at than the item itself
    let large = |item: &CelValue| matches!(item, CelValue::String(_) | CelValue::Bytes(_) | CelValue::List(_));
    let items = list.and_then(|list| list.iter().flatten().filter(large).map(|item| size(&item)).max());
    let number = value.as_int();
    Operand { size: Bounds::exactly(size(value)), items: items.map(Bounds::up_to), is_list: list.is_some(), number }
}

pub(super) fn size(value: &CelValue) -> u64 {
    match value {
        CelValue::String(text) => text.chars().count() as u64,
        CelValue::Bytes(bytes) => bytes.len() as u64,
        CelValue::List(list) => list.len() as u64,
        CelValue::Map(map) => map.len() as u64,
        CelValue::Optional(Some(inner)) => size(inner),
        CelValue::Opaque(Opaque::Ip(address)) => {
            if address.0.is_ipv4() {
                4
            } else {
                16
            }
        }
        CelValue::Opaque(Opaque::Cidr(range)) => u64::from(range.prefix_bits).div_ceil(8),
        _ => 1,
    }
}

/// A unit for each value, and a walk over each text.
fn weight(value: &CelValue) -> u64 {
    match value {
        CelValue::List(list) => 1 + list_weight(list),
        CelValue::Map(map) => 1 + map_weight(map),
        other => 1 + size(other) / 10,
    }
}

fn list_weight(list: &CelList) -> u64 {
    list.iter().flatten().map(|item| weight(&item)).fold(0, u64::saturating_add)
}

fn map_weight(map: &CelMap) -> u64 {
    let entries = map.entries().unwrap_or_default();
    entries.iter().map(|(key, value)| weight(&key.to_value()) + weight(value)).fold(0, u64::saturating_add)
}
