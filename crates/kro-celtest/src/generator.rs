//! Expressions of wanted types, made of everything that an environment declares.

mod comprehensions;
mod literals;

use kro_cel::{Environment, OverloadDecl, Type};

use crate::mutation;
use crate::pools;
use crate::random::Random;
use crate::syntax::{self, Piece};

/// Makes expressions for one environment.
pub struct Generator<'e> {
    environment: &'e Environment,
    functions: Vec<(String, OverloadDecl)>,
    /// Whether types are values here: not with typed objects, where the reference cannot plan them.
    has_type_values: bool,
    pub(crate) random: Random,
    /// Names with types, the innermost last.
    scope: Vec<(String, Type)>,
    fresh: usize,
    /// How often something of another type stands where one is wanted, in a thousand.
    wrong: usize,
}

impl<'e> Generator<'e> {
    /// A generator whose expressions depend on the seed alone.
    pub fn new(environment: &'e Environment, seed: u64) -> Self {
        let mut functions = Vec::new();
        for name in environment.function_names() {
            let declared = environment.function(&name).map(|function| function.overloads.clone());
            functions.extend(declared.unwrap_or_default().into_iter().map(|overload| (name.to_string(), overload)));
        }
        let variables = environment.variable_names();
        let scope: Vec<(String, Type)> = variables
            .iter()
            .filter_map(|name| Some((name.to_string(), environment.variable(name)?.ty.clone())))
            .collect();
        let has_type_values = !scope.iter().any(|(_, ty)| matches!(ty, Type::Object(_)));
        Self { environment, functions, has_type_values, random: Random::new(seed), scope, fresh: 0, wrong: 0 }
    }

    /// The next expression.
    pub fn generate(&mut self) -> String {
        self.wrong = if self.random.chance(200) { 60 } else { 0 };
        self.fresh = 0;
        let ty = self.any_type();
        let depth = 1 + self.random.below(4);
        let piece = self.expression(&ty, depth);
        if self.random.chance(80) { mutation::mutate(&piece.text, &mut self.random) } else { piece.text }
    }

    /// A type that expressions may have.
    fn any_type(&mut self) -> Type {
        const SIMPLE: [Type; 8] = [
            Type::Int,
            Type::Uint,
            Type::Double,
            Type::String,
            Type::Bool,
            Type::Bytes,
            Type::Timestamp,
            Type::Duration,
        ];
        match self.random.below(40) {
            0..=24 => SIMPLE[[0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 6, 7][self.random.below(15)]].clone(),
            25..=28 => Type::list(self.element_type()),
            29..=30 => Type::map(self.key_type(), self.element_type()),
            31..=32 => Type::optional(self.element_type()),
            33 => Type::Dyn,
            34 => Type::Null,
            _ => self.library_type(),
        }
    }

    /// The result of some function: what libraries bring.
    fn library_type(&mut self) -> Type {
        let results: Vec<&Type> = self.functions.iter().map(|(_, overload)| &overload.result).collect();
        let ty = self.random.pick(&results).cloned().unwrap_or(Type::Int);
        if matches!(ty, Type::Object(_) | Type::Opaque(_)) && ty.optional_inner().is_none() { ty } else { Type::Bool }
    }

    fn element_type(&mut self) -> Type {
        match self.random.below(10) {
            0..=3 => Type::Int,
            4..=6 => Type::String,
            7 => Type::Double,
            8 => Type::Bool,
            _ => Type::list(Type::Int),
        }
    }

    fn key_type(&mut self) -> Type {
        [Type::String, Type::String, Type::Int, Type::Bool, Type::Uint][self.random.below(5)].clone()
    }

    /// An expression of a type, or now and then of another one.
    pub(crate) fn expression(&mut self, ty: &Type, depth: usize) -> Piece {
        if self.random.chance(self.wrong) {
            return self.misfit(depth);
        }
        if depth == 0 {
            return self.leaf(ty);
        }
        let made = match self.random.below(100) {
            0..=13 => None,
            14..=29 => self.path(ty),
            30..=68 => self.call(ty, depth),
            69..=73 => Some(self.conditional(ty, depth)),
            74..=77 => Some(self.lookup(ty, depth)),
            78..=94 => self.comprehension(ty, depth),
            95..=96 => Some(self.expression(&Type::Dyn, depth)),
            _ => Some(Piece::primary(format!("({})", self.expression(ty, depth - 1).text))),
        };
        made.unwrap_or_else(|| self.leaf(ty))
    }

    /// Something of another type, or something that is not there.
    fn misfit(&mut self, depth: usize) -> Piece {
        match self.random.below(8) {
            0 => Piece::primary("nope"),
            1 => Piece::primary(format!("{}.nope", self.any_piece(depth).at(syntax::PRIMARY))),
            2 => Piece::primary(format!("{}.nope()", self.any_piece(depth).at(syntax::PRIMARY))),
            3 => Piece::primary(format!("{}[{}]", self.any_piece(depth).at(syntax::PRIMARY), self.any_piece(0).text)),
            _ => self.any_piece(depth),
        }
    }

    fn any_piece(&mut self, depth: usize) -> Piece {
        let ty = self.any_type();
        self.expression(&ty, depth.saturating_sub(1))
    }

    fn conditional(&mut self, ty: &Type, depth: usize) -> Piece {
        let test = self.expression(&Type::Bool, depth - 1);
        let (yes, no) = (self.expression(ty, depth - 1), self.expression(ty, depth - 1));
        syntax::call("_?_:_", false, &[test, yes, no]).expect("written")
    }

    /// An item of a list or a value of a map.
    fn lookup(&mut self, ty: &Type, depth: usize) -> Piece {
        let optional = ty.optional_inner().cloned();
        let (item, operator) = optional.map_or((ty.clone(), "_[_]"), |inner| (inner, "_[?_]"));
        let (container, index) = if self.random.chance(500) {
            (Type::list(item), Type::Int)
        } else {
            let key = self.key_type();
            (Type::map(key.clone(), item), key)
        };
        let operand = self.expression(&container, depth - 1);
        let index = if index == Type::Int { self.small_int() } else { self.expression(&index, 0) };
        syntax::call(operator, false, &[operand, index]).expect("written")
    }

    fn small_int(&mut self) -> Piece {
        Piece::literal(self.random.pick(&pools::SMALL_INTS[..7]).unwrap_or("0"))
    }

    /// A call of a function whose result may be of the type.
    fn call(&mut self, ty: &Type, depth: usize) -> Option<Piece> {
        let mut fitting = Vec::new();
        for (at, (_, overload)) in self.functions.iter().enumerate() {
            let mut bound = Vec::new();
            if unify(&overload.result, ty, &mut bound) {
                fitting.push((at, bound));
            }
        }
        let (at, bound) = fitting.get(self.random.below(fitting.len()))?.clone();
        let (name, overload) = self.functions[at].clone();
        self.call_of(&name, &overload, bound, depth)
    }

    /// A call of an overload with some of its type parameters chosen.
    pub(crate) fn call_of(
        &mut self,
        name: &str,
        overload: &OverloadDecl,
        mut bound: Vec<(String, Type)>,
        depth: usize,
    ) -> Option<Piece> {
        let mut args = Vec::new();
        for (index, param) in overload.params.iter().enumerate() {
            let param = self.substitute(param, &mut bound);
            args.push(self.argument(name, index, &param, depth));
        }
        if self.random.chance(self.wrong / 2) {
            args.pop();
        }
        syntax::call(name, overload.member, &args)
    }

    fn argument(&mut self, function: &str, index: usize, ty: &Type, depth: usize) -> Piece {
        if function == "format" && index == 0 {
            return self.format_text();
        }
        if *ty == Type::String
            && self.random.chance(700)
            && let Some(texts) = pools::texts_of(function, index)
        {
            let bad = pools::bad_texts_of(function).filter(|_| self.random.chance(150));
            return Piece::primary(self.random.pick(bad.unwrap_or(texts)).unwrap_or("''"));
        }
        // counts decide how much work there is
        let is_count = matches!(function, "lists.range" | "random.seededString" | "flatten");
        if is_count && *ty == Type::Int {
            return self.small_int();
        }
        if *ty == Type::Int && index > 0 && self.random.chance(600) {
            return self.small_int();
        }
        self.expression(ty, depth - 1)
    }

    fn format_text(&mut self) -> Piece {
        let count = 1 + self.random.below(3);
        let parts: Vec<&str> = (0..count).filter_map(|_| self.random.pick(pools::FORMATS)).collect();
        Piece::primary(format!("'{}'", parts.join("-")))
    }

    fn substitute(&mut self, ty: &Type, bound: &mut Vec<(String, Type)>) -> Type {
        match ty {
            Type::Param(name) => {
                if let Some((_, known)) = bound.iter().find(|(known, _)| **known == **name) {
                    return known.clone();
                }
                let chosen = if **name == *"K" { self.key_type() } else { self.element_type() };
                bound.push((name.to_string(), chosen.clone()));
                chosen
            }
            Type::List(element) => Type::list(self.substitute(element, bound)),
            Type::Map(entry) => {
                let key = match &entry.0 {
                    Type::Param(name) if !bound.iter().any(|(known, _)| **known == **name) => {
                        let key = self.key_type();
                        bound.push((name.to_string(), key.clone()));
                        key
                    }
                    key => self.substitute(key, bound),
                };
                Type::map(key, self.substitute(&entry.1, bound))
            }
            Type::Type(Some(inner)) => Type::type_of(self.substitute(inner, bound)),
            _ => match ty.optional_inner() {
                Some(inner) => Type::optional(self.substitute(inner, bound)),
                None => ty.clone(),
            },
        }
    }

    /// A way from a variable to something of the type.
    fn path(&mut self, ty: &Type) -> Option<Piece> {
        for _ in 0..10 {
            let (name, start) = self.scope.get(self.random.below(self.scope.len()))?.clone();
            let (mut text, mut at) = (name, start);
            for _ in 0..6 {
                let is_found = at == *ty || (at.is_dyn() && self.random.chance(150));
                if is_found {
                    return Some(Piece::primary(text));
                }
                let Some((step, next)) = self.step(&at) else { break };
                text.push_str(&step);
                at = next;
            }
        }
        None
    }

    fn step(&mut self, at: &Type) -> Option<(String, Type)> {
        let question =
            if self.random.chance(100) && self.environment.parse_options().optional_syntax { "?" } else { "" };
        let (step, next) = match at {
            Type::Object(name) => {
                let fields = self.environment.object_provider(name)?.field_names(name)?;
                let field = fields.get(self.random.below(fields.len()))?;
                let ty = self.environment.object_provider(name)?.field_type(name, field)?;
                (format!(".{question}{field}"), ty)
            }
            Type::List(element) => (format!("[{question}{}]", self.small_int().text), (**element).clone()),
            Type::Map(entry) => {
                let key = ["'app'", "'a'", "'k'", "'user'", "1", "true"][self.random.below(6)];
                let is_text = key.starts_with('\'');
                if is_text == (entry.0 == Type::String) {
                    (format!("[{question}{key}]"), entry.1.clone())
                } else {
                    (format!("[{question}{}]", self.leaf(&entry.0).text), entry.1.clone())
                }
            }
            Type::Dyn => {
                let names = ["name", "n", "f", "list", "empty", "nothing", "flag", "missing", "b"];
                let name = names[self.random.below(names.len())];
                (format!(".{question}{name}"), Type::Dyn)
            }
            _ => match at.optional_inner().cloned() {
                Some(inner) => {
                    let (step, next) = self.step(&inner)?;
                    return Some((step, if next.optional_inner().is_some() { next } else { Type::optional(next) }));
                }
                None => return None,
            },
        };
        Some((step, if question.is_empty() { next } else { Type::optional(next) }))
    }

    /// Runs with a name in scope.
    pub(crate) fn with<T>(&mut self, names: &[(&str, &Type)], run: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.scope.len();
        self.scope.extend(names.iter().map(|(name, ty)| ((*name).to_owned(), (*ty).clone())));
        let out = run(self);
        self.scope.truncate(before);
        out
    }

    /// A name that is new, or hides another one now and then.
    pub(crate) fn name(&mut self) -> String {
        if self.random.chance(60) {
            return ["i", "s", "x", "b", "size"][self.random.below(5)].to_owned();
        }
        self.fresh += 1;
        format!("v{}", self.fresh)
    }
}

/// Whether a declared result may be of a type; chooses type parameters.
fn unify(declared: &Type, wanted: &Type, bound: &mut Vec<(String, Type)>) -> bool {
    match (declared, wanted) {
        (Type::Param(name), _) => match bound.iter().find(|(known, _)| **known == **name) {
            Some((_, known)) => known == wanted,
            None => {
                bound.push((name.to_string(), wanted.clone()));
                true
            }
        },
        (Type::List(left), Type::List(right)) => unify(left, right, bound),
        (Type::Map(left), Type::Map(right)) => unify(&left.0, &right.0, bound) && unify(&left.1, &right.1, bound),
        (Type::Type(_), Type::Type(_)) => true,
        _ => match (declared.optional_inner(), wanted.optional_inner()) {
            (Some(left), Some(right)) => unify(left, right, bound),
            _ => declared == wanted,
        },
    }
}

#[cfg(test)]
mod tests {
    use kro_celwire::Session;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seed_makes_the_same_expressions_most_of_which_are_right() {
        let mut session = Session::new(crate::ENVIRONMENTS, "").unwrap();
        for name in ["typed", "kube", "extended", "standard"] {
            let world = session.world(&json!(name)).unwrap();
            let environment = &world.environment;
            let (mut first, mut again) = (Generator::new(environment, 5), Generator::new(environment, 5));
            let texts: Vec<String> = (0..200).map(|_| first.generate()).collect();
            assert!(texts.iter().all(|text| *text == again.generate()));
            let is_right = |text: &&String| {
                let parsed = environment.parse(text);
                parsed.errors.is_empty() && environment.check(&parsed.ast).errors.is_empty()
            };
            assert!(texts.iter().filter(is_right).count() > 140, "{name}");
        }
    }
}
