//! The walk that adds up costs.

use kro_value::Str;

use super::entries::{Entries, Local, Place, is_scalar};
use super::formula::Operand;
use super::{Bounds, LIST, MAP, STRUCT, SizeHints, Step};
use crate::ast::{Ast, Comprehension, ExprId, ExprKind, Literal};
use crate::checker::{Checked, Reference};
use crate::macros::MAP_INSERT;
use crate::operators;
use crate::types::Type;

pub(super) fn estimate(ast: &Ast, checked: &Checked, hints: &dyn SizeHints) -> Bounds {
    let known = || vec![None; ast.len()];
    let sizes = vec![None; ast.len()];
    let mut estimator =
        Estimator { ast, checked, hints, places: known(), sizes, entries: vec![None; ast.len()], locals: Vec::new() };
    estimator.cost(ast.root())
}

struct Estimator<'a> {
    ast: &'a Ast,
    checked: &'a Checked,
    hints: &'a dyn SizeHints,
    // by node
    places: Vec<Option<Place>>,
    sizes: Vec<Option<Bounds>>,
    entries: Vec<Option<Entries>>,
    /// Variables of comprehensions and bindings, innermost last.
    locals: Vec<Local>,
}

const ONE: Bounds = Bounds::exactly(1);

impl Estimator<'_> {
    fn cost(&mut self, id: ExprId) -> Bounds {
        let ast = self.ast;
        match ast.kind(id) {
            ExprKind::Error | ExprKind::Literal(_) => Bounds::ZERO,
            ExprKind::Ident(name) => self.name(id, name),
            ExprKind::Select { operand, test_only: true, .. } => self.cost(*operand),
            ExprKind::Select { operand, field, .. } => self.select(id, *operand, field),
            ExprKind::Call { target, function, args } => self.call(id, *target, function, args),
            ExprKind::List { elements, .. } => self.list(id, elements),
            ExprKind::Map(entries) => self.map(id, entries),
            ExprKind::Struct { fields, .. } => {
                fields.iter().fold(Bounds::exactly(STRUCT), |sum, field| sum.plus(self.cost(field.value)))
            }
            ExprKind::Comprehension(fold) => self.comprehension(id, fold),
        }
    }

    fn name(&mut self, id: ExprId, name: &Str) -> Bounds {
        let local = self.local(name);
        let (place, size, entries) = match local {
            Some(local) => (local.place.clone(), local.size, local.entries),
            None => {
                let variable = name.strip_prefix('.').map_or_else(|| name.clone(), Str::new);
                (Some(Place { variable, steps: Vec::new() }), None, None)
            }
        };
        let at = id.index();
        (self.places[at], self.sizes[at], self.entries[at]) = (place, size, entries);
        ONE
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    fn select(&mut self, id: ExprId, operand: ExprId, field: &Str) -> Bounds {
        if let Reference::Variable(name) = self.checked.reference(id) {
            let name = name.clone();
            return self.name(id, &name);
        }
        if !matches!(self.checked.reference(id), Reference::None) {
            return ONE;
        }
        let cost = self.cost(operand).plus(ONE);
        let step = match self.checked.type_of(operand) {
            Type::Map(_) => Step::Values,
            _ => Step::Field(field.clone()),
        };
        self.places[id.index()] = self.places[operand.index()].as_ref().map(|place| place.then(step));
        self.sizes[id.index()] = self.entries[operand.index()].map(|entries| entries.value);
        cost
    }

    fn list(&mut self, id: ExprId, elements: &[ExprId]) -> Bounds {
        let mut cost = Bounds::exactly(LIST);
        let mut item: Option<Bounds> = None;
        for element in elements {
            cost = cost.plus(self.cost(*element));
            let size = self.size(*element);
            item = Some(item.map_or(size, |item| item.or(size)));
        }
        self.entries[id.index()] = Some(Entries { key: ONE, value: item.unwrap_or(Bounds::ZERO) });
        cost
    }

    fn map(&mut self, id: ExprId, entries: &[crate::ast::MapEntry]) -> Bounds {
        let mut cost = Bounds::exactly(MAP);
        let mut all: Option<Entries> = None;
        for entry in entries {
            cost = cost.plus(self.cost(entry.key)).plus(self.cost(entry.value));
            let sizes = Entries { key: self.size(entry.key), value: self.size(entry.value) };
            all = Some(all.map_or(sizes, |all| all.or(sizes)));
        }
        self.entries[id.index()] = Some(all.unwrap_or(Entries { key: Bounds::ZERO, value: Bounds::ZERO }));
        cost
    }

    fn call(&mut self, id: ExprId, target: Option<ExprId>, function: &Str, args: &[ExprId]) -> Bounds {
        let checked = self.checked;
        let Reference::Function { function: declaration, overloads, namespaced } = checked.reference(id) else {
            return Bounds::ZERO;
        };
        let receiver = target.filter(|_| !namespaced);
        let operands: Vec<ExprId> = receiver.into_iter().chain(args.iter().copied()).collect();
        let costs: Vec<Bounds> = operands.iter().map(|operand| self.cost(*operand)).collect();
        let sum = costs.iter().fold(Bounds::ZERO, |sum, cost| sum.plus(*cost));
        if let Some(cost) = self.choice(id, function, &operands, &costs) {
            return cost;
        }
        let known: Vec<Operand> = operands.iter().map(|operand| self.operand(*operand)).collect();
        let formulas = overloads.iter().filter_map(|index| declaration.overloads.get(usize::from(*index)));
        let mut cost: Option<Bounds> = None;
        let mut size: Option<Bounds> = None;
        for formula in formulas.map(|overload| overload.cost) {
            let (own, result) = formula.of(&known);
            cost = Some(cost.map_or(own, |cost| cost.or(own)));
            size = result.map(|result| size.map_or(result, |size| size.or(result))).or(size);
        }
        self.sizes[id.index()] = size;
        self.trace(id, function, &operands);
        sum.plus(cost.unwrap_or(ONE))
    }

    /// Logic and choices, where not everything is evaluated.
    fn choice(&mut self, id: ExprId, function: &str, operands: &[ExprId], costs: &[Bounds]) -> Option<Bounds> {
        match (function, operands, costs) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, _, [left, right]) => {
                Some(Bounds { min: left.min, max: left.plus(*right).max })
            }
            (operators::CONDITIONAL, [_, positive, negative], [condition, first, second]) => {
                let size = self.size(*positive).or(self.size(*negative));
                self.sizes[id.index()] = Some(size);
                let entries = self.entries[positive.index()].zip(self.entries[negative.index()]);
                self.entries[id.index()] = entries.map(|(first, second)| first.or(second));
                Some(condition.plus(first.or(*second)))
            }
            ("or" | "orValue", [_, _], [left, right]) => {
                Some(Bounds { min: left.min, max: left.plus(*right).max }.plus(ONE))
            }
            _ => None,
        }
    }

    /// Where the result of a call is found, and what its entries are.
    fn trace(&mut self, id: ExprId, function: &str, operands: &[ExprId]) {
        let at = id.index();
        match (function, operands) {
            (operators::INDEX | operators::OPT_INDEX, [container, _]) => {
                let step =
                    if matches!(self.checked.type_of(*container), Type::Map(_)) { Step::Values } else { Step::Items };
                self.places[at] = self.places[container.index()].as_ref().map(|place| place.then(step));
                self.sizes[at] = self.entries[container.index()].map(|entries| entries.value);
            }
            ("dyn", [inner]) => {
                let inner = inner.index();
                self.sizes[at] = self.sizes[inner];
                self.entries[at] = self.entries[inner];
                self.places[at] = self.places[inner].clone();
            }
            (operators::ADD, [left, right]) => {
                let entries = self.entries_of(*left).zip(self.entries_of(*right));
                self.entries[at] = entries.map(|(left, right)| left.or(right));
            }
            ("split" | "findAll", [text, ..]) => {
                self.entries[at] = Some(Entries { key: ONE, value: Bounds::up_to(self.size(*text).max) });
            }
            _ => {}
        }
    }

    fn comprehension(&mut self, id: ExprId, fold: &Comprehension) -> Bounds {
        let mut cost = self.cost(fold.range).plus(self.cost(fold.initial));
        let outside = self.locals.len();
        if self.is_bind(fold) {
            self.push(&fold.accumulator, fold.initial);
            cost = cost.plus(self.cost(fold.result));
            self.locals.truncate(outside);
            self.copy(id, fold.result);
            return cost;
        }
        let count = self.size(fold.range);
        self.accumulator(fold, count);
        self.push_variables(fold);
        let round = self.cost(fold.condition).plus(self.cost(fold.step));
        let (size, entries) = (self.sizes[fold.step.index()], self.entries_of(fold.step));
        self.locals.truncate(outside + 1);
        self.locals[outside].entries = entries;
        cost = cost.plus(self.cost(fold.result)).plus(count.times(round));
        self.locals.truncate(outside);
        match self.ast.kind(fold.initial) {
            ExprKind::List { .. } | ExprKind::Map(_) => {
                let growth = Bounds::exactly(self.growth(fold.step));
                self.sizes[id.index()] = Some(Bounds::up_to(count.times(growth).max));
                self.entries[id.index()] = entries;
            }
            _ => self.sizes[id.index()] = size,
        }
        cost
    }

    /// What grows in a loop is never larger than what is looped over; of anything else nothing is known.
    fn accumulator(&mut self, fold: &Comprehension, count: Bounds) {
        let grows = matches!(self.ast.kind(fold.initial), ExprKind::List { .. } | ExprKind::Map(_));
        let growth = Bounds::up_to(self.growth(fold.step));
        let size = if grows { Some(Bounds::up_to(count.times(growth).max)) } else { None };
        self.locals.push(Local { name: fold.accumulator.clone(), place: None, size, entries: None });
    }

    /// How many entries a round adds at most: more than one only where a map is written out.
    fn growth(&self, step: ExprId) -> u64 {
        match self.ast.kind(step) {
            ExprKind::Call { function, args, .. } if function == MAP_INSERT && args.len() == 2 => {
                literal_size(self.ast.kind(args[1])).map_or(u64::MAX, |size| size.max)
            }
            ExprKind::Call { function, args, .. } if function == operators::CONDITIONAL => {
                args.iter().skip(1).map(|branch| self.growth(*branch)).max().unwrap_or(1)
            }
            _ => 1,
        }
    }

    fn push(&mut self, name: &Str, value: ExprId) {
        let local = Local {
            name: name.clone(),
            place: self.places[value.index()].clone(),
            size: Some(self.size(value)),
            entries: self.entries_of(value),
        };
        self.locals.push(local);
    }

    fn push_variables(&mut self, fold: &Comprehension) {
        let range = fold.range;
        let is_list = !matches!(self.checked.type_of(range), Type::Map(_));
        let entries = self.entries_of(range);
        let place = self.places[range.index()].clone();
        let mut push = |name: &Str, step: Step, size: Option<Bounds>| {
            let place = place.as_ref().map(|place| place.then(step));
            self.locals.push(Local { name: name.clone(), place, size, entries: None });
        };
        let (key, value) = (entries.map(|entries| entries.key), entries.map(|entries| entries.value));
        match (&fold.second_variable, is_list) {
            (Some(second), true) => {
                push(&fold.variable, Step::Indices, Some(ONE));
                push(second, Step::Items, value);
            }
            (Some(second), false) => {
                push(&fold.variable, Step::Keys, key);
                push(second, Step::Values, value);
            }
            (None, true) => push(&fold.variable, Step::Items, value),
            (None, false) => push(&fold.variable, Step::Keys, key),
        }
    }

    fn is_bind(&self, fold: &Comprehension) -> bool {
        let empty = matches!(self.ast.kind(fold.range), ExprKind::List { elements, .. } if elements.is_empty());
        empty && matches!(self.ast.kind(fold.condition), ExprKind::Literal(Literal::Bool(false)))
    }

    fn copy(&mut self, to: ExprId, from: ExprId) {
        let (to, from) = (to.index(), from.index());
        self.sizes[to] = self.sizes[from];
        self.entries[to] = self.entries[from];
        self.places[to] = self.places[from].clone();
    }

    fn operand(&self, id: ExprId) -> Operand {
        let number = match self.ast.kind(id) {
            ExprKind::Literal(Literal::Int(value)) => Some(*value),
            _ => None,
        };
        let ty = self.checked.type_of(id);
        let items = match ty {
            Type::List(item) if is_scalar(item) => None,
            Type::List(item) => {
                let place = self.places[id.index()].as_ref();
                let hinted = place.and_then(|place| self.hint(&place.then(Step::Items), item));
                let counted = self.entries_of(id).map(|entries| entries.value);
                Some(hinted.or(counted).unwrap_or(Bounds::UNKNOWN))
            }
            _ => None,
        };
        Operand { size: self.size(id), items, is_list: matches!(ty, Type::List(_)), number }
    }

    fn entries_of(&self, id: ExprId) -> Option<Entries> {
        self.entries[id.index()]
    }

    fn hint(&self, place: &Place, ty: &Type) -> Option<Bounds> {
        self.hints.size(&place.variable, &place.steps, ty)
    }

    /// The size of a node that was walked over.
    fn size(&self, id: ExprId) -> Bounds {
        let known = self.sizes[id.index()].or_else(|| literal_size(self.ast.kind(id)));
        let ty = self.checked.type_of(id);
        let hinted = || self.places[id.index()].as_ref().and_then(|place| self.hint(place, ty));
        let scalar = || is_scalar(ty).then_some(ONE);
        known.or_else(hinted).or_else(scalar).unwrap_or(Bounds::UNKNOWN)
    }
}

fn literal_size(kind: &ExprKind) -> Option<Bounds> {
    Some(Bounds::exactly(match kind {
        ExprKind::Literal(Literal::String(text)) => text.chars().count() as u64,
        ExprKind::Literal(Literal::Bytes(bytes)) => bytes.len() as u64,
        ExprKind::Literal(_) => 1,
        ExprKind::List { elements, optional } if optional.is_empty() => elements.len() as u64,
        ExprKind::List { elements, optional } => {
            let (all, optional) = (elements.len() as u64, optional.len() as u64);
            return Some(Bounds { min: all - optional, max: all });
        }
        ExprKind::Map(entries) => return Some(Bounds::up_to(entries.len() as u64)),
        _ => return None,
    }))
}
