//! From a syntax tree to a [`Program`].

use std::sync::Arc;

use kro_value::Str;

use super::dispatch;
use super::path::{Origin, Path, Root, Step, invalid_key};
use super::plan::{
    Call, Candidate, Comparison, Element, Entry, Fold, Format, FormatPiece, Has, Index, Kind, Match, MatchFunction,
    MessageField, MessageLiteral, Node, Selection, Test,
};
use super::program::{Inner, Program};
use super::{Budget, ErrorKind, EvalContext, EvalError};
use crate::ast::{Ast, Comprehension, ExprId, ExprKind, Literal, StructField};
use crate::checker::{Checked, Reference};
use crate::cost::{Price, Prices};
use crate::declarations::FunctionDecl;
use crate::environment::Environment;
use crate::library;
use crate::macros::MAP_INSERT;
use crate::operators;
use crate::types::Type;
use crate::value::CelValue;
use crate::well_known::{self, Message};

impl Environment {
    /// Plans an expression for evaluation. With the result of a check, calls of which one overload is left are direct;
    /// without one, everything is found by the types of the values.
    ///
    /// # Errors
    /// When a literal argument can never be evaluated: a regular expression for `find` that is none.
    pub fn plan(&self, ast: &Ast, checked: Option<&Checked>) -> Result<Program, EvalError> {
        self.plan_with(ast, checked, None)
    }

    /// Plans an expression for an evaluation that counts what it does ([`EvalContext::counting`]): nothing is evaluated
    /// ahead or together with anything else, so it is slower than [`Self::plan`]. The prices of calls are those of the
    /// overloads that the check found; of one that was not checked, or that may mean several overloads, it is one.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_counting(&self, ast: &Ast, checked: Option<&Checked>, prices: Prices) -> Result<Program, EvalError> {
        self.plan_with(ast, checked, Some(prices))
    }

    fn plan_with(&self, ast: &Ast, checked: Option<&Checked>, prices: Option<Prices>) -> Result<Program, EvalError> {
        let (variables, scope) = (Vec::new(), Vec::new());
        let mut planner = Planner { ast, checked, environment: self, prices, variables, scope, slots: 0 };
        let root = planner.node(ast.root())?;
        let weight = weigh(ast, ast.root());
        Ok(Program::new(Inner { root, variables: planner.variables.into(), slots: planner.slots, weight, prices }))
    }
}

/// How much the folding of constants may do.
const FOLDING: Budget = Budget { steps: 2_000, bytes: 16 << 10 };

struct Planner<'a> {
    ast: &'a Ast,
    checked: Option<&'a Checked>,
    environment: &'a Environment,
    /// Set where the program counts, which has to do everything as it is written.
    prices: Option<Prices>,
    variables: Vec<Str>,
    /// Variables of the comprehensions around, innermost last; the place is the slot.
    scope: Vec<Arc<Origin>>,
    slots: usize,
}

type Planned<T> = Result<T, EvalError>;

/// The number of nodes, which bounds the work of one evaluation outside of loops.
fn weigh(ast: &Ast, root: ExprId) -> u64 {
    let mut count = 0;
    ast.walk_from(root, |_| count += 1);
    count
}

impl Planner<'_> {
    fn node(&mut self, id: ExprId) -> Planned<Node> {
        let kind = self.kind(id)?;
        Ok(self.at(id, kind))
    }

    fn at(&self, id: ExprId, kind: Kind) -> Node {
        let node = self.ast.node(id);
        Node { kind, start: node.start, end: node.end }
    }

    fn kind(&mut self, id: ExprId) -> Planned<Kind> {
        if let Reference::Variable(name) = self.reference(id) {
            let name = name.clone();
            return Ok(self.named(&name));
        }
        if let Reference::Type(ty) = self.reference(id) {
            return self.type_name(id, ty);
        }
        let ast = self.ast;
        match ast.kind(id) {
            ExprKind::Error => Ok(Kind::Fail(EvalError::invalid("the expression has a syntax error"))),
            ExprKind::Literal(literal) => Ok(Kind::Constant(literal_value(literal))),
            ExprKind::Ident(name) => Ok(self.unchecked_name(name)),
            ExprKind::Select { operand, field, test_only: true, .. } => {
                let operand = self.node(*operand)?;
                let path = match &operand.kind {
                    Kind::Path(path) => path.with([field_step(field, false)]),
                    _ => None,
                };
                Ok(Kind::Test(Test::Has(Box::new(Has { operand, field: field.clone(), path }))))
            }
            ExprKind::Select { operand, field, optional, .. } => self.select(id, *operand, field, *optional),
            ExprKind::Call { target, function, args } => self.call(id, *target, function, args),
            ExprKind::List { elements, optional } => self.list(elements, optional),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Struct { name, fields } => self.message(name, fields),
            ExprKind::Comprehension(fold) => self.comprehension(fold),
        }
    }

    /// The name of a type as a value. Most well-known messages have no values of their own, and so no type.
    fn type_name(&self, id: ExprId, ty: &Type) -> Planned<Kind> {
        let last = match self.ast.kind(id) {
            ExprKind::Select { field, .. } => field.as_str(),
            ExprKind::Ident(name) => name.as_str(),
            _ => return Ok(type_value(ty)),
        };
        let is_named = |message: &&Message| message.name.rsplit('.').next() == Some(last) && message.ty() == *ty;
        match well_known::MESSAGES.iter().find(is_named) {
            Some(message) if !message.names_a_type() => {
                Err(EvalError::invalid(format!("reference to undefined type: {}", message.name)))
            }
            _ => Ok(type_value(ty)),
        }
    }

    fn message(&mut self, name: &str, fields: &[StructField]) -> Planned<Kind> {
        let found = self.environment.candidates(name).find_map(|name| well_known::find(&name));
        let Some(message) = found else {
            return Ok(Kind::Fail(EvalError::invalid(format!("unknown type '{name}'"))));
        };
        let mut planned = Vec::with_capacity(fields.len());
        for StructField { name, value, optional, .. } in fields {
            let value = self.node(*value)?;
            match message.field(name) {
                Some(field) => planned.push(MessageField { field, value, optional: *optional }),
                None => {
                    return Ok(Kind::Fail(EvalError::new(ErrorKind::NoSuchField, format!("no such field '{name}'"))));
                }
            }
        }
        Ok(Kind::Message(Box::new(MessageLiteral { message, fields: planned.into() })))
    }

    fn reference(&self, id: ExprId) -> &Reference {
        self.checked.map_or(&Reference::None, |checked| checked.reference(id))
    }

    /// A name that the checker found.
    fn named(&mut self, name: &Str) -> Kind {
        if !name.starts_with('.')
            && let Some(slot) = self.scope.iter().rposition(|local| local.name == *name)
        {
            return local_path(slot, &self.scope[slot]);
        }
        let name = name.strip_prefix('.').map_or_else(|| name.clone(), Str::new);
        if let Some(constant) = self.environment.variable(&name).and_then(|variable| variable.value.as_ref()) {
            return Kind::Constant(literal_value(constant));
        }
        if name == "runtime" && is_runtime(self.environment) {
            let runtime = Kind::Constant(crate::value::Opaque::Runtime.into());
            return if self.prices.is_some() { variable_of(runtime) } else { runtime };
        }
        let index = self.variable(&name);
        Kind::Path(Box::new(Path { root: Root::Variable(index), steps: Box::default() }))
    }

    /// The place of a variable in the program's list.
    fn variable(&mut self, name: &str) -> u32 {
        let known = self.variables.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            if self.variables.is_empty() {
                self.variables.reserve_exact(1); // most expressions read one
            }
            self.variables.push(Str::new(name));
            self.variables.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// A name in an expression that was not checked.
    fn unchecked_name(&mut self, name: &Str) -> Kind {
        if !name.starts_with('.')
            && let Some(slot) = self.scope.iter().rposition(|local| local.name == *name)
        {
            return local_path(slot, &self.scope[slot]);
        }
        if self.environment.is_only_variable(name) {
            return self.named(name);
        }
        self.candidates(std::slice::from_ref(name)).unwrap_or_else(|| {
            let name = name.clone();
            self.named(&name)
        })
    }

    /// What a dotted name may stand for, longest first; `None` if it is just one variable.
    fn candidates(&mut self, parts: &[Str]) -> Option<Kind> {
        let environment = self.environment;
        let mut found = Vec::new();
        for length in (1..=parts.len()).rev() {
            let dotted = parts[..length].join(".");
            for name in environment.candidates(&dotted) {
                if environment.variable(&name).is_none()
                    && let Some(ty) = environment.type_named(&name)
                    && length == parts.len()
                {
                    return Some(type_value(&ty));
                }
                if let Some(value) = environment.variable(&name).and_then(|variable| variable.value.as_ref())
                    && length == parts.len()
                {
                    return Some(Kind::Constant(literal_value(value)));
                }
                let is_object_type =
                    environment.variable(&name).is_none() && environment.object_provider(&name).is_some();
                if is_object_type && length == parts.len() {
                    return Some(Kind::Constant(CelValue::Type((*name).into())));
                }
                found.push((self.variable(&name), length - 1));
            }
        }
        if let [(_, 0)] = found.as_slice() {
            return None;
        }
        let steps = parts[1..].iter().map(|part| field_step(part, false)).collect();
        Some(Kind::Path(Box::new(Path { root: Root::Candidates(found.into()), steps })))
    }

    fn is_local(&self, name: &Str) -> bool {
        self.scope.iter().any(|local| local.name == *name)
    }

    /// The parts of `a.b.c`, if it is nothing but names, the first of which is not just a variable.
    fn dotted(&self, id: ExprId) -> Option<Vec<Str>> {
        match self.ast.kind(id) {
            ExprKind::Ident(name) => {
                let is_variable = self.is_local(name) || self.environment.is_only_variable(name);
                (!is_variable).then(|| vec![name.clone()])
            }
            ExprKind::Select { operand, field, test_only: false, optional: false } => {
                let mut parts = self.dotted(*operand)?;
                parts.push(field.clone());
                Some(parts)
            }
            _ => None,
        }
    }

    /// The way from a variable that no dotted name can mean, if that is all there is.
    fn fields_of_variable(&mut self, id: ExprId) -> Option<Kind> {
        let ast = self.ast;
        let (mut at, mut steps) = (id, Vec::new());
        while let ExprKind::Select { operand, field, test_only: false, optional } = ast.kind(at) {
            if steps.is_empty() {
                steps.reserve_exact(ast.node(at).height as usize - 1);
            }
            steps.push(field_step(field, *optional));
            at = *operand;
        }
        let ExprKind::Ident(name) = ast.kind(at) else { return None };
        if self.is_local(name) || !self.environment.is_only_variable(name) {
            return None;
        }
        steps.reverse();
        let Kind::Path(mut path) = self.named(name) else { return None };
        path.steps = steps.into();
        Some(Kind::Path(path))
    }

    fn select(&mut self, id: ExprId, operand: ExprId, field: &Str, optional: bool) -> Planned<Kind> {
        if self.checked.is_none()
            && let Some(kind) = self.fields_of_variable(id)
        {
            return Ok(kind);
        }
        if self.checked.is_none()
            && !optional
            && let Some(parts) = self.dotted(id)
            && let Some(kind) = self.candidates(&parts)
        {
            return Ok(kind);
        }
        let operand = self.node(operand)?;
        Ok(Kind::Path(Box::new(extend(operand, field_step(field, optional)))))
    }

    fn index(&mut self, args: &[ExprId], optional: bool) -> Planned<Kind> {
        let [operand, key] = args else { return Ok(Kind::Fail(EvalError::no_overload())) };
        // literals and names of types that are no keys of anything
        let is_name = matches!(self.ast.kind(*key), ExprKind::Ident(_) | ExprKind::Select { .. });
        let is_no_key = matches!(self.ast.kind(*key), ExprKind::Literal(Literal::Null | Literal::Bytes(_)));
        let operand = self.node(*operand)?;
        let key = self.node(*key)?;
        match key.kind {
            Kind::Constant(key) if is_no_key || is_name && matches!(key, CelValue::Type(_)) => Err(invalid_key(&key)),
            Kind::Constant(key) => Ok(Kind::Path(Box::new(extend(operand, Step::new(key, optional))))),
            _ => Ok(Kind::Index(Box::new(Index { operand, key, optional }))),
        }
    }

    fn list(&mut self, elements: &[ExprId], optional: &[u32]) -> Planned<Kind> {
        let mut planned = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let optional = optional.iter().any(|place| *place as usize == index);
            planned.push(Element { value: self.node(*element)?, optional });
        }
        let known = |element: &Element| constant(&element.value).filter(|_| !element.optional && self.prices.is_none());
        match planned.iter().map(known).collect::<Option<Vec<_>>>() {
            Some(items) if self.prices.is_none() => Ok(Kind::Constant(CelValue::list(items))),
            _ => Ok(Kind::List(planned.into())),
        }
    }

    fn map(&mut self, entries: &[crate::ast::MapEntry]) -> Planned<Kind> {
        let mut planned = Vec::with_capacity(entries.len());
        for entry in entries {
            let (key, value) = (self.node(entry.key)?, self.node(entry.value)?);
            planned.push(Entry { key, value, optional: entry.optional });
        }
        Ok(Kind::Map(planned.into()))
    }

    /// `a + b + c` where all are texts, as the checker says.
    fn concat(&mut self, id: ExprId) -> Planned<Option<Kind>> {
        let (ast, Some(checked)) = (self.ast, self.checked) else { return Ok(None) };
        if *checked.type_of(id) != Type::String || self.prices.is_some() {
            return Ok(None);
        }
        let mut parts = Vec::new();
        let mut at = id;
        while let ExprKind::Call { target: None, function, args } = ast.kind(at)
            && function == operators::ADD
            && let [left, right] = args.as_slice()
            && *checked.type_of(at) == Type::String
        {
            parts.push(*right);
            at = *left;
        }
        parts.push(at);
        if parts.len() < 2 {
            return Ok(None);
        }
        let nodes = parts.into_iter().rev().map(|part| self.node(part)).collect::<Planned<Vec<Node>>>()?;
        Ok(Some(Kind::Concat(nodes.into())))
    }

    fn call(&mut self, id: ExprId, target: Option<ExprId>, function: &Str, args: &[ExprId]) -> Planned<Kind> {
        if function == operators::ADD
            && let Some(kind) = self.concat(id)?
        {
            return Ok(kind);
        }
        if let Some(kind) = self.operator(function, args)? {
            return Ok(kind);
        }
        let (declaration, overloads, namespaced) = self.resolve(id, target, function);
        let receiver = if namespaced { None } else { target };
        let operands: Vec<ExprId> = receiver.into_iter().chain(args.iter().copied()).collect();
        let mut nodes = Vec::with_capacity(operands.len());
        for operand in &operands {
            nodes.push(self.node(*operand)?);
        }
        if matches!(function.as_str(), "or" | "orValue") && receiver.is_some() && nodes.len() == 2 {
            let unwrap = function == "orValue";
            return Ok(pair(nodes).map_or(Kind::Fail(EvalError::no_overload()), |nodes| Kind::OrElse(nodes, unwrap)));
        }
        let is_written = operands.get(1).is_some_and(|id| matches!(self.ast.kind(*id), ExprKind::Literal(_)));
        let price = self.price(declaration.as_deref(), overloads.as_deref());
        let nodes = match literal_regex(function, nodes, receiver.is_some(), is_written, price)? {
            Ok(kind) => return Ok(kind),
            Err(nodes) => nodes,
        };
        let Some(declaration) = declaration else {
            let text = format!("no such overload: {function}");
            return Ok(Kind::Fail(EvalError::new(ErrorKind::NoOverload, text)));
        };
        let format = self.format(&declaration.name, &operands, &nodes)?;
        let call = Call { price, ..self.planned_call(&declaration, overloads, nodes, &operands) };
        match format {
            _ if self.prices.is_some() => Ok(Kind::Call(Box::new(call))),
            Some((pieces, args)) => Ok(Kind::Format(Box::new(Format { pieces, args, call }))),
            None => Ok(fold_constants(call)),
        }
    }

    /// What is counted for a call.
    fn price(&self, declaration: Option<&FunctionDecl>, overloads: Option<&[u16]>) -> Price {
        match (self.prices, declaration, overloads) {
            (Some(prices), Some(declaration), Some([only])) => {
                let overload = declaration.overloads.get(usize::from(*only));
                overload.map_or(Price::ONE, |overload| Price::of(overload, prices))
            }
            _ => Price::ONE,
        }
    }

    /// A format text that is known and the values that are written out for it.
    #[allow(clippy::type_complexity)] // used once
    fn format(
        &mut self,
        function: &str,
        operands: &[ExprId],
        nodes: &[Node],
    ) -> Planned<Option<(Box<[FormatPiece]>, Box<[Node]>)>> {
        let (Some(CelValue::String(text)), [_, list]) = (nodes.first().and_then(constant), operands) else {
            return Ok(None);
        };
        let ExprKind::List { elements, optional } = self.ast.kind(*list) else { return Ok(None) };
        let Some(pieces) = library::plain_pieces(&text).filter(|_| function == "format" && optional.is_empty()) else {
            return Ok(None);
        };
        let clauses = pieces.iter().filter(|piece| !matches!(piece, FormatPiece::Text(_))).count();
        if clauses != elements.len() {
            return Ok(None);
        }
        let args = elements.iter().map(|element| self.node(*element)).collect::<Planned<Vec<Node>>>()?;
        Ok(Some((pieces.into(), args.into())))
    }

    /// The function a call means, the overloads the checker left, and whether the receiver is only its namespace.
    fn resolve(
        &self,
        id: ExprId,
        target: Option<ExprId>,
        function: &Str,
    ) -> (Option<Arc<FunctionDecl>>, Option<Vec<u16>>, bool) {
        if let Reference::Function { function, overloads, namespaced } = self.reference(id) {
            return (Some(function.clone()), Some(overloads.clone()), *namespaced);
        }
        let qualified = target.and_then(|target| self.dotted(target)).map(|parts| parts.join(".") + "." + function);
        if let Some(found) = qualified.and_then(|name| self.environment.resolve_function(&name).cloned()) {
            return (Some(found), None, true);
        }
        let found = match target {
            Some(_) => self.environment.function(function),
            None => self.environment.resolve_function(function),
        };
        (found.cloned(), None, false)
    }

    fn planned_call(
        &self,
        declaration: &Arc<FunctionDecl>,
        overloads: Option<Vec<u16>>,
        args: Vec<Node>,
        operands: &[ExprId],
    ) -> Call {
        let name = declaration.name.clone();
        let all = &declaration.overloads;
        if declaration.catch_all {
            let first = all.iter().find_map(|overload| overload.implementation);
            let candidates = first.map(|code| Candidate { params: Box::default(), code }).into_iter().collect();
            return Call { name, args: args.into(), candidates, select: Selection::First, price: Price::ONE };
        }
        let single = overloads.filter(|overloads| overloads.len() == 1);
        let chosen = all.iter().enumerate().filter(|(index, overload)| {
            let left = single.as_ref().is_none_or(|single| single.iter().any(|only| usize::from(*only) == *index));
            left && overload.params.len() == args.len()
        });
        let candidates: Vec<Candidate> = chosen
            .filter_map(|(_, overload)| {
                let code = overload.implementation?;
                Some(Candidate { params: overload.params.clone().into(), code })
            })
            .collect();
        let certain = matches!(candidates.as_slice(), [only] if self.certain(&only.params, operands));
        let select = if certain { Selection::First } else { Selection::ByTypes };
        Call { name, args: args.into(), candidates: candidates.into(), select, price: Price::ONE }
    }

    /// Whether the checked types of the arguments leave nothing to look at when the call is evaluated.
    fn certain(&self, params: &[Type], operands: &[ExprId]) -> bool {
        let Some(checked) = self.checked else { return false };
        params.iter().zip(operands).all(|(param, operand)| {
            let open = matches!(param, Type::Dyn | Type::Any | Type::Param(_));
            open || (self.is_scalar(param) && checked.type_of(*operand) == param)
        })
    }

    /// Whether the type says all about its values that a call looks at. Those of lists and maps may not be what is declared.
    fn is_scalar(&self, ty: &Type) -> bool {
        match ty {
            Type::List(_) | Type::Map(_) | Type::Wrapper(_) => false,
            // an object with fields, or one of a library
            Type::Object(name) => self.environment.object_provider(name).is_none(),
            _ => true,
        }
    }

    /// Operators that are part of the evaluator.
    fn operator(&mut self, function: &str, args: &[ExprId]) -> Planned<Option<Kind>> {
        let kind = match function {
            operators::LOGICAL_AND => Kind::Test(Test::And(self.flattened(function, args)?.into())),
            operators::LOGICAL_OR => Kind::Test(Test::Or(self.flattened(function, args)?.into())),
            operators::INDEX => return self.index(args, false).map(Some),
            operators::OPT_INDEX => return self.index(args, true).map(Some),
            operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE => {
                let [operand] = args else { return Ok(None) };
                let operand = Box::new(self.node(*operand)?);
                let negated = function == operators::LOGICAL_NOT;
                Kind::Test(if negated { Test::Not(operand) } else { Test::NotStrictlyFalse(operand) })
            }
            operators::CONDITIONAL => {
                let [condition, positive, negative] = args else { return Ok(None) };
                let nodes = [self.node(*condition)?, self.node(*positive)?, self.node(*negative)?];
                Kind::Conditional(Box::new(nodes))
            }
            _ => return self.binary_operator(function, args),
        };
        Ok(Some(kind))
    }

    fn binary_operator(&mut self, function: &str, args: &[ExprId]) -> Planned<Option<Kind>> {
        let [left, right] = args else { return Ok(None) };
        if self.prices.is_some() {
            return Ok(None); // a call, with its price
        }
        let build: fn(Box<[Node; 2]>) -> Kind = match function {
            operators::EQUALS => |nodes| Kind::Test(Test::Equal(nodes, true)),
            operators::NOT_EQUALS => |nodes| Kind::Test(Test::Equal(nodes, false)),
            operators::LESS => |nodes| Kind::Test(Test::Compare(nodes, Comparison::Less)),
            operators::LESS_EQUALS => |nodes| Kind::Test(Test::Compare(nodes, Comparison::LessEquals)),
            operators::GREATER => |nodes| Kind::Test(Test::Compare(nodes, Comparison::Greater)),
            operators::GREATER_EQUALS => |nodes| Kind::Test(Test::Compare(nodes, Comparison::GreaterEquals)),
            operators::IN => |nodes| Kind::Test(Test::In(nodes)),
            operators::ADD => |nodes| Kind::Binary(nodes, library::add),
            operators::SUBTRACT => |nodes| Kind::Binary(nodes, library::subtract),
            operators::MULTIPLY => |nodes| Kind::Binary(nodes, library::multiply),
            operators::DIVIDE => |nodes| Kind::Binary(nodes, library::divide),
            operators::MODULO => |nodes| Kind::Binary(nodes, library::modulo),
            _ => return Ok(None),
        };
        let nodes = [self.node(*left)?, self.node(*right)?];
        Ok(Some(build(Box::new(nodes))))
    }

    /// The operands of a chain of one logical operator, in order.
    fn flattened(&mut self, function: &str, args: &[ExprId]) -> Planned<Vec<Node>> {
        let ast = self.ast;
        let mut operands = Vec::new();
        let mut open: Vec<ExprId> = args.iter().rev().copied().collect();
        while let Some(id) = open.pop() {
            match ast.kind(id) {
                ExprKind::Call { target: None, function: inner, args } if inner == function => {
                    open.extend(args.iter().rev());
                }
                _ => operands.push(self.node(id)?),
            }
        }
        Ok(operands)
    }

    fn push(&mut self, name: &Str) -> u32 {
        self.push_item(name, None)
    }

    /// A variable of the items of a list.
    fn push_item(&mut self, name: &Str, range: Option<Path>) -> u32 {
        self.scope.push(Arc::new(Origin { name: name.clone(), range }));
        self.slots = self.slots.max(self.scope.len());
        u32::try_from(self.scope.len() - 1).unwrap_or(u32::MAX)
    }

    fn comprehension(&mut self, fold: &Comprehension) -> Planned<Kind> {
        let range = self.node(fold.range)?;
        let initial = self.node(fold.initial)?;
        let outside = self.scope.len();
        let accumulator = self.push(&fold.accumulator);
        if is_bind(&range, self.ast.kind(fold.condition)) {
            let result = self.node(fold.result)?;
            self.scope.truncate(outside);
            return Ok(Kind::Bind(accumulator, Box::new([initial, result])));
        }
        let path = match &range.kind {
            Kind::Path(path) => path.with([]),
            _ => None,
        };
        let (first, second) = if fold.second_variable.is_some() { (None, path) } else { (path, None) };
        let variable = self.push_item(&fold.variable, first);
        let second_variable = fold.second_variable.as_ref().map(|name| self.push_item(name, second));
        let condition = self.node(fold.condition)?;
        let step = self.step(fold.step, &fold.accumulator, accumulator)?;
        self.scope.truncate(outside + 1);
        let result = self.node(fold.result)?;
        self.scope.truncate(outside);
        let weight = 1 + weigh(self.ast, fold.step) + weigh(self.ast, fold.condition);
        let deciding = deciding(accumulator, &initial, &condition, &step, &result);
        Ok(Kind::Fold(Box::new(Fold {
            range,
            initial,
            condition: Some(condition).filter(|node| !matches!(node.kind, Kind::Constant(CelValue::Bool(true)))),
            step,
            result: Some(result).filter(|node| !is_local(node, accumulator)),
            accumulator,
            variable,
            second_variable,
            weight,
            deciding,
        })))
    }

    /// The step of a comprehension. What it takes out of the accumulator's slot is put back right after, so that lists
    /// and maps grow in place.
    fn step(&mut self, id: ExprId, name: &Str, slot: u32) -> Planned<Node> {
        let ast = self.ast;
        let shadowed = self.scope.iter().rposition(|local| local.name == *name) != Some(slot as usize);
        let is_accumulator = |id: ExprId| !shadowed && matches!(ast.kind(id), ExprKind::Ident(ident) if ident == name);
        let kind = match ast.kind(id) {
            ExprKind::Ident(_) if is_accumulator(id) => Kind::Take(slot),
            ExprKind::Call { function, args, .. } => match (function.as_str(), args.as_slice()) {
                (operators::CONDITIONAL, [condition, positive, negative]) => {
                    let condition = self.node(*condition)?;
                    let branches = (self.step(*positive, name, slot)?, self.step(*negative, name, slot)?);
                    Kind::Conditional(Box::new([condition, branches.0, branches.1]))
                }
                (operators::ADD, [list, added]) if is_accumulator(*list) => match ast.kind(*added) {
                    ExprKind::List { elements, optional } if elements.len() == 1 && optional.is_empty() => {
                        Kind::Append(slot, Box::new(self.node(elements[0])?))
                    }
                    _ => return self.node(id),
                },
                (MAP_INSERT, [map, key, value]) if is_accumulator(*map) => {
                    Kind::Insert(slot, Box::new([self.node(*key)?, self.node(*value)?]), false)
                }
                (MAP_INSERT, [map, added]) if is_accumulator(*map) => match ast.kind(*added) {
                    ExprKind::Map(entries) if entries.len() == 1 && !entries[0].optional => {
                        let entry = [self.node(entries[0].key)?, self.node(entries[0].value)?];
                        Kind::Insert(slot, Box::new(entry), true)
                    }
                    _ => return self.node(id),
                },
                _ => return self.node(id),
            },
            _ => return self.node(id),
        };
        Ok(self.at(id, kind))
    }
}

/// `cel.bind` and its kin: a loop over nothing, which only names a value.
fn is_bind(range: &Node, condition: &ExprKind) -> bool {
    let empty = match &range.kind {
        Kind::Constant(CelValue::List(list)) => list.is_empty(),
        Kind::List(elements) => elements.is_empty(),
        _ => false,
    };
    empty && matches!(condition, ExprKind::Literal(Literal::Bool(false)))
}

/// What decides a loop that is `all` or `exists`.
fn deciding(slot: u32, initial: &Node, condition: &Node, step: &Node, result: &Node) -> Option<bool> {
    let Kind::Test(Test::NotStrictlyFalse(going_on)) = &condition.kind else { return None };
    let (nodes, deciding, accumulated) = match (&step.kind, &going_on.kind) {
        (Kind::Test(Test::Or(nodes)), Kind::Test(Test::Not(inner))) => (nodes, true, &**inner),
        (Kind::Test(Test::And(nodes)), _) => (nodes, false, &**going_on),
        _ => return None,
    };
    let starts = matches!(initial.kind, Kind::Constant(CelValue::Bool(value)) if value != deciding);
    let locals = [accumulated, result, nodes.first()?].into_iter().all(|node| is_local(node, slot));
    (starts && locals).then_some(deciding)
}

fn is_local(node: &Node, slot: u32) -> bool {
    match &node.kind {
        Kind::Path(path) => path.steps.is_empty() && matches!(path.root, Root::Local(local, _) if local == slot),
        _ => false,
    }
}

fn local_path(slot: usize, origin: &Arc<Origin>) -> Kind {
    let root = Root::Local(u32::try_from(slot).unwrap_or(u32::MAX), Arc::clone(origin));
    Kind::Path(Box::new(Path { root, steps: Box::default() }))
}

/// A value that is read as a variable is.
fn variable_of(kind: Kind) -> Kind {
    let root = Root::Node(Node { kind, start: 0, end: 0 });
    Kind::Path(Box::new(Path { root, steps: Box::default() }))
}

fn is_runtime(environment: &Environment) -> bool {
    environment.variable("runtime").is_some_and(|variable| variable.ty == Type::opaque("kro.run.Runtime", []))
}

fn field_step(name: &Str, optional: bool) -> Step {
    Step::new(CelValue::String(name.clone()), optional)
}

/// A path with one more step.
fn extend(operand: Node, step: Step) -> Path {
    match operand.kind {
        Kind::Path(path) => {
            let Path { root, steps } = *path;
            let mut steps = steps.into_vec();
            steps.push(step);
            Path { root, steps: steps.into() }
        }
        kind => Path { root: Root::Node(Node { kind, ..operand }), steps: Box::new([step]) },
    }
}

fn pair(nodes: Vec<Node>) -> Option<Box<[Node; 2]>> {
    Box::<[Node; 2]>::try_from(nodes.into_boxed_slice()).ok()
}

fn constant(node: &Node) -> Option<CelValue> {
    if let Kind::Constant(value) = &node.kind { Some(value.clone()) } else { None }
}

fn literal_value(literal: &Literal) -> CelValue {
    match literal {
        Literal::Null => CelValue::Null,
        Literal::Bool(value) => CelValue::Bool(*value),
        Literal::Int(value) => CelValue::Int(*value),
        Literal::Uint(value) => CelValue::Uint(*value),
        Literal::Double(value) => CelValue::Double(*value),
        Literal::String(text) => CelValue::String(text.clone()),
        Literal::Bytes(bytes) => CelValue::Bytes(bytes.clone()),
    }
}

fn type_value(ty: &Type) -> Kind {
    match ty.runtime_name() {
        Some(name) => Kind::Constant(CelValue::Type(name.into())),
        None => Kind::Constant(CelValue::Type("dyn".into())),
    }
}

/// A call with a regular expression that is known, compiled now. A bad one is refused now where it is written as a literal
/// (`is_written`); `matches`, and what constants come to, report it when they are evaluated.
fn literal_regex(
    function: &str,
    mut nodes: Vec<Node>,
    member: bool,
    is_written: bool,
    price: Price,
) -> Planned<Result<Kind, Vec<Node>>> {
    let matcher = match function {
        "matches" => MatchFunction::Matches,
        "find" if member && is_written => MatchFunction::Find,
        "findAll" if member && is_written => MatchFunction::FindAll,
        _ => return Ok(Err(nodes)),
    };
    let Some(CelValue::String(pattern)) = nodes.get(1).and_then(constant) else { return Ok(Err(nodes)) };
    let regex = match (library::compile_regex(&pattern), matcher) {
        (Ok(regex), _) => regex,
        (Err(_), MatchFunction::Matches) => return Ok(Err(nodes)),
        (Err(error), _) => return Err(error),
    };
    let limit = (nodes.len() > 2).then(|| nodes.remove(2));
    nodes.truncate(1);
    let Some(text) = nodes.pop() else { return Ok(Err(nodes)) };
    Ok(Ok(Kind::Match(Box::new(Match { regex, pattern, function: matcher, text, limit, price }))))
}

/// A call of constants is evaluated now; if that ends in an error, it will again when the program runs.
fn fold_constants(call: Call) -> Kind {
    let args: Option<Vec<CelValue>> = call.args.iter().map(constant).collect();
    let value = args.and_then(|args| dispatch::invoke(&mut EvalContext::new(FOLDING), &call, &args).ok());
    match value {
        Some(value) => Kind::Constant(value),
        None => Kind::Call(Box::new(call)),
    }
}
