//! Macros: calls that the parser rewrites.
//!
//! The expansions are those of cel-go, so that types, errors and costs agree.

use kro_value::Str;

use crate::ast::{Comprehension, ExprId, ExprKind, Literal, MapEntry};
use crate::issue::Issue;
use crate::operators;
use crate::parser::Expander;

/// The name of the accumulator in comprehensions; no expression can write it.
pub const ACCUMULATOR: &str = "@result";
/// Its name in older versions, which is still refused as the name of a variable.
const OLD_ACCUMULATOR: &str = "__result__";
/// The function that adds to a map in a `transformMap` comprehension: `(map, key, value)` or `(map, map)`.
pub const MAP_INSERT: &str = "cel.@mapInsert";
/// The function behind `sortBy`: a list, and a list of the keys to sort it by.
pub const SORT_BY_KEYS: &str = "@sortByAssociatedKeys";
/// The function behind `runtime.newCondition`.
pub const NEW_CONDITION: &str = "@newCondition";
const SORT_BY_INPUT: &str = "@__sortBy_input__";
const OPTIONAL_TARGET: &str = "@target";

/// Rewrites one call: returns the node to put in its place, nothing to leave it an ordinary call, or what is wrong with it.
pub type Expansion = fn(&mut Expander<'_>, Option<ExprId>, &[ExprId]) -> Expanded;
/// The outcome of an [`Expansion`].
pub type Expanded = Result<Option<ExprId>, Issue>;

/// A macro: a function name, a style of call and a number of arguments that are rewritten while parsing.
#[derive(Clone, Copy, Debug)]
pub struct Macro {
    /// The function name.
    pub name: &'static str,
    /// True for `target.name(...)`, false for `name(...)`.
    pub receiver: bool,
    /// The number of arguments, without the receiver.
    pub arity: usize,
    /// The rewriting.
    pub expand: Expansion,
}

/// The arity of a macro that takes any number of arguments.
pub const ANY_ARITY: usize = usize::MAX;

impl Macro {
    /// Whether a call is one of this macro.
    pub fn matches(&self, function: &str, receiver: bool, arity: usize) -> bool {
        self.name == function && self.receiver == receiver && (self.arity == arity || self.arity == ANY_ARITY)
    }
}

const fn on_receiver(name: &'static str, arity: usize, expand: Expansion) -> Macro {
    Macro { name, receiver: true, arity, expand }
}

/// The macros of the language itself: `has all exists exists_one map filter`. The name `existsOne` has a form with two
/// variables only.
pub const STANDARD: [Macro; 7] = [
    Macro { name: "has", receiver: false, arity: 1, expand: has },
    on_receiver("all", 2, all),
    on_receiver("exists", 2, exists),
    on_receiver("exists_one", 2, exists_one),
    on_receiver("map", 2, map),
    on_receiver("map", 3, map),
    on_receiver("filter", 2, filter),
];

/// The macros with two variables.
pub const TWO_VARIABLES: [Macro; 10] = [
    on_receiver("all", 3, all),
    on_receiver("exists", 3, exists),
    on_receiver("existsOne", 3, exists_one),
    on_receiver("exists_one", 3, exists_one),
    on_receiver("transformList", 3, transform_list),
    on_receiver("transformList", 4, transform_list),
    on_receiver("transformMap", 3, transform_map),
    on_receiver("transformMap", 4, transform_map),
    on_receiver("transformMapEntry", 3, transform_map_entry),
    on_receiver("transformMapEntry", 4, transform_map_entry),
];

/// `cel.bind(name, value, expression)`
pub const BINDINGS: [Macro; 1] = [on_receiver("bind", 3, bind)];
/// `optMap` and `optFlatMap`
pub const OPTIONAL: [Macro; 2] = [on_receiver("optMap", 2, opt_map), on_receiver("optFlatMap", 2, opt_flat_map)];
/// `sortBy`
pub const SORT_BY: [Macro; 1] = [on_receiver("sortBy", 2, sort_by)];
/// `runtime.newCondition`
pub const RUNTIME: [Macro; 1] = [on_receiver("newCondition", 1, new_condition)];

/// `math.greatest` and `math.least`
pub const MATH: [Macro; 2] = [on_receiver("greatest", ANY_ARITY, greatest), on_receiver("least", ANY_ARITY, least)];

/// The names of the variables of a comprehension.
struct Variables {
    first: Str,
    second: Option<Str>,
}

/// What differs between comprehensions with the accumulator [`ACCUMULATOR`].
struct Fold {
    initial: ExprId,
    condition: ExprId,
    step: ExprId,
    result: ExprId,
}

fn fold(expander: &mut Expander<'_>, target: Option<ExprId>, variables: Variables, fold: Fold) -> Expanded {
    let Some(range) = target else { return Ok(None) };
    let Fold { initial, condition, step, result } = fold;
    let accumulator = Str::new_static(ACCUMULATOR);
    let (variable, second_variable) = (variables.first, variables.second);
    let comprehension =
        Comprehension { range, variable, second_variable, accumulator, initial, condition, step, result };
    Ok(Some(expander.comprehension(comprehension)))
}

fn one_variable(expander: &Expander<'_>, arg: ExprId, message: &str) -> Result<Variables, Issue> {
    let first = expander.ident_of(arg).ok_or_else(|| expander.error(arg, message))?;
    refuse_accumulator(expander, arg, &first)?;
    Ok(Variables { first, second: None })
}

fn two_variables(expander: &Expander<'_>, args: &[ExprId]) -> Result<Variables, Issue> {
    let name = |arg| expander.ident_of(arg).ok_or_else(|| expander.error(arg, "argument must be a simple name"));
    let (first, second) = (name(args[0])?, name(args[1])?);
    if first == second {
        return Err(expander.error(args[1], format!("duplicate variable name: {first}")));
    }
    refuse_accumulator(expander, args[0], &first)?;
    refuse_accumulator(expander, args[1], &second)?;
    Ok(Variables { first, second: Some(second) })
}

/// The variables and the other arguments of a macro that has a form with one variable and one with two.
fn quantifier_variables<'a>(expander: &Expander<'_>, args: &'a [ExprId]) -> Result<(Variables, &'a [ExprId]), Issue> {
    if args.len() == 3 {
        return Ok((two_variables(expander, args)?, &args[2..]));
    }
    Ok((one_variable(expander, args[0], "argument must be a simple name")?, &args[1..]))
}

fn refuse_accumulator(expander: &Expander<'_>, arg: ExprId, name: &str) -> Result<(), Issue> {
    if name == ACCUMULATOR || name == OLD_ACCUMULATOR {
        return Err(expander.error(arg, "iteration variable overwrites accumulator variable"));
    }
    Ok(())
}

fn has(expander: &mut Expander<'_>, _: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let ExprKind::Select { operand, field, optional: false, .. } = expander.kind(args[0]) else {
        return Err(expander.error(args[0], "invalid argument to has() macro"));
    };
    let (operand, field) = (*operand, field.clone());
    Ok(Some(expander.add(ExprKind::Select { operand, field, test_only: true, optional: false })))
}

fn all(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let (variables, rest) = quantifier_variables(expander, args)?;
    let initial = expander.literal(Literal::Bool(true));
    let so_far = expander.accumulator();
    let condition = expander.call(operators::NOT_STRICTLY_FALSE, [so_far]);
    let so_far = expander.accumulator();
    let step = expander.call(operators::LOGICAL_AND, [so_far, rest[0]]);
    let result = expander.accumulator();
    fold(expander, target, variables, Fold { initial, condition, step, result })
}

fn exists(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let (variables, rest) = quantifier_variables(expander, args)?;
    let initial = expander.literal(Literal::Bool(false));
    let so_far = expander.accumulator();
    let not_yet = expander.call(operators::LOGICAL_NOT, [so_far]);
    let condition = expander.call(operators::NOT_STRICTLY_FALSE, [not_yet]);
    let so_far = expander.accumulator();
    let step = expander.call(operators::LOGICAL_OR, [so_far, rest[0]]);
    let result = expander.accumulator();
    fold(expander, target, variables, Fold { initial, condition, step, result })
}

fn exists_one(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let (variables, rest) = quantifier_variables(expander, args)?;
    let initial = expander.literal(Literal::Int(0));
    let condition = expander.literal(Literal::Bool(true));
    let (so_far, one) = (expander.accumulator(), expander.literal(Literal::Int(1)));
    let more = expander.call(operators::ADD, [so_far, one]);
    let same = expander.accumulator();
    let step = expander.call(operators::CONDITIONAL, [rest[0], more, same]);
    let (count, one) = (expander.accumulator(), expander.literal(Literal::Int(1)));
    let result = expander.call(operators::EQUALS, [count, one]);
    fold(expander, target, variables, Fold { initial, condition, step, result })
}

/// Collects elements into a list, those for which the filter is true.
fn collect(
    expander: &mut Expander<'_>,
    target: Option<ExprId>,
    variables: Variables,
    filter: Option<ExprId>,
    element: ExprId,
) -> Expanded {
    let initial = expander.list([]);
    let so_far = expander.accumulator();
    let added = expander.list([element]);
    let step = expander.call(operators::ADD, [so_far, added]);
    finish(expander, target, variables, filter, initial, step)
}

/// A fold over all elements with a step that is left out where the filter is false.
fn finish(
    expander: &mut Expander<'_>,
    target: Option<ExprId>,
    variables: Variables,
    filter: Option<ExprId>,
    initial: ExprId,
    step: ExprId,
) -> Expanded {
    let condition = expander.literal(Literal::Bool(true));
    let step = match filter {
        Some(filter) => {
            let same = expander.accumulator();
            expander.call(operators::CONDITIONAL, [filter, step, same])
        }
        None => step,
    };
    let result = expander.accumulator();
    fold(expander, target, variables, Fold { initial, condition, step, result })
}

/// The transformation and the filter, if there is one, of arguments that end with them.
fn filter_and_transform(rest: &[ExprId]) -> (Option<ExprId>, ExprId) {
    if let [filter, transform] = rest { (Some(*filter), *transform) } else { (None, rest[0]) }
}

fn map(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let variables = one_variable(expander, args[0], "argument is not an identifier")?;
    let (filter, element) = filter_and_transform(&args[1..]);
    collect(expander, target, variables, filter, element)
}

fn filter(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let variables = one_variable(expander, args[0], "argument is not an identifier")?;
    collect(expander, target, variables, Some(args[1]), args[0])
}

fn transform_list(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let variables = two_variables(expander, args)?;
    let (filter, element) = filter_and_transform(&args[2..]);
    collect(expander, target, variables, filter, element)
}

fn transform_map(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let variables = two_variables(expander, args)?;
    let (filter, value) = filter_and_transform(&args[2..]);
    let initial = expander.map(Vec::new());
    let so_far = expander.accumulator();
    let key = expander.ident(&variables.first);
    let step = expander.call(MAP_INSERT, [so_far, key, value]);
    finish(expander, target, variables, filter, initial, step)
}

fn transform_map_entry(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let variables = two_variables(expander, args)?;
    let (filter, entry) = filter_and_transform(&args[2..]);
    let initial = expander.map(Vec::new());
    let so_far = expander.accumulator();
    let step = expander.call(MAP_INSERT, [so_far, entry]);
    finish(expander, target, variables, filter, initial, step)
}

fn bind(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    if target.and_then(|target| expander.ident_of(target)).as_deref() != Some("cel") {
        return Ok(None);
    }
    let message = "cel.bind() variable names must be simple identifiers";
    let name = expander.ident_of(args[0]).ok_or_else(|| expander.error(args[0], message))?;
    Ok(Some(expander.bind(name, args[1], args[2])))
}

fn opt_map(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    with_optional(expander, target, args, "optMap", true)
}

fn opt_flat_map(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    with_optional(expander, target, args, "optFlatMap", false)
}

/// `target.hasValue() ? (name bound to target.value() in body) : optional.none()`, with the target evaluated once.
fn with_optional(
    expander: &mut Expander<'_>,
    target: Option<ExprId>,
    args: &[ExprId],
    function: &str,
    wrap: bool,
) -> Expanded {
    let Some(target) = target else { return Ok(None) };
    let message = || format!("{function}() variable name must be a simple identifier");
    let name = expander.ident_of(args[0]).ok_or_else(|| expander.error(args[0], message()))?;
    let simple = expander.ident_of(target);
    let held = if simple.is_some() { target } else { expander.ident(OPTIONAL_TARGET) };
    let has_value = expander.member_call("hasValue", held, []);
    let held_again = expander.copy_ident(held);
    let value = expander.member_call("value", held_again, []);
    let bound = expander.bind(name, value, args[1]);
    let yes = if wrap { expander.call("optional.of", [bound]) } else { bound };
    let no = expander.call("optional.none", []);
    let result = expander.call(operators::CONDITIONAL, [has_value, yes, no]);
    if simple.is_some() {
        return Ok(Some(result));
    }
    Ok(Some(expander.bind(Str::new_static(OPTIONAL_TARGET), target, result)))
}

fn sort_by(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    let Some(target) = target else { return Ok(None) };
    if matches!(expander.kind(target), ExprKind::Literal(_) | ExprKind::Map(_) | ExprKind::Struct { .. }) {
        let message = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
        return Err(expander.error(target, message));
    }
    let range = expander.ident(SORT_BY_INPUT);
    let Some(keys) = map(expander, Some(range), args)? else { return Ok(None) };
    let input = expander.ident(SORT_BY_INPUT);
    let sorted = expander.member_call(SORT_BY_KEYS, input, [keys]);
    Ok(Some(expander.bind(Str::new_static(SORT_BY_INPUT), target, sorted)))
}

fn new_condition(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    if target.and_then(|target| expander.ident_of(target)).as_deref() != Some("runtime") {
        return Ok(None);
    }
    let fail = |expander: &Expander<'_>, id, message: &str| {
        Err(expander.error(id, format!("runtime.newCondition: {message}")))
    };
    let ExprKind::Map(entries) = expander.kind(args[0]).clone() else {
        return fail(expander, args[0], "argument must be a map literal");
    };
    let mut seen: Vec<Str> = Vec::new();
    let mut out = Vec::new();
    for MapEntry { key, value, .. } in entries {
        let Some(name) = expander.ident_of(key) else {
            let keys = "keys must be bare identifiers (type, status, reason, message); quoted or computed keys are not allowed";
            return fail(expander, key, keys);
        };
        if !["type", "status", "reason", "message"].contains(&name.as_str()) {
            let message = format!("unknown key \"{name}\" (allowed: type, status, reason, message)");
            return fail(expander, key, &message);
        }
        if seen.contains(&name) {
            return fail(expander, key, &format!("duplicate key \"{name}\""));
        }
        seen.push(name.clone());
        let key = expander.literal(Literal::String(name));
        out.push(MapEntry { key, value, optional: false });
    }
    if let Some(missing) = ["type", "status"].into_iter().find(|name| !seen.iter().any(|seen| seen == name)) {
        return fail(expander, args[0], &format!("'{missing}' is required"));
    }
    let condition = expander.map(out);
    Ok(Some(expander.call(NEW_CONDITION, [condition])))
}

fn greatest(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    extreme(expander, target, args, ("math.greatest()", "math.@max"))
}

fn least(expander: &mut Expander<'_>, target: Option<ExprId>, args: &[ExprId]) -> Expanded {
    extreme(expander, target, args, ("math.least()", "math.@min"))
}

fn extreme(
    expander: &mut Expander<'_>,
    target: Option<ExprId>,
    args: &[ExprId],
    (name, function): (&str, &'static str),
) -> Expanded {
    let Some(target) = target.filter(|target| expander.ident_of(*target).as_deref() == Some("math")) else {
        return Ok(None);
    };
    match args {
        [] => Err(expander.error(target, format!("{name} requires at least one argument"))),
        [only] => {
            let numbers = match expander.kind(*only) {
                ExprKind::List { elements, .. } => {
                    !elements.is_empty() && elements.iter().all(|element| may_be_number(expander.kind(*element)))
                }
                kind => may_be_number(kind),
            };
            if !numbers {
                return Err(expander.error(*only, format!("{name} invalid single argument value")));
            }
            Ok(Some(expander.call(function, [*only])))
        }
        many => {
            if let Some(wrong) = many.iter().find(|arg| !may_be_number(expander.kind(**arg))) {
                return Err(expander.error(*wrong, format!("{name} simple literal arguments must be numeric")));
            }
            let many = if many.len() > 2 { vec![expander.list(many)] } else { many.to_vec() };
            Ok(Some(expander.call(function, many)))
        }
    }
}

/// False for what can be seen to be no number.
fn may_be_number(kind: &ExprKind) -> bool {
    match kind {
        ExprKind::Literal(literal) => matches!(literal, Literal::Int(_) | Literal::Uint(_) | Literal::Double(_)),
        ExprKind::List { .. } | ExprKind::Map(_) | ExprKind::Struct { .. } => false,
        _ => true,
    }
}
