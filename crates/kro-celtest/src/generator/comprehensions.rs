use kro_cel::Type;

use super::Generator;
use crate::syntax::{PRIMARY, Piece};

impl Generator<'_> {
    /// A macro whose result is of a type; `None` if there is none.
    pub(crate) fn comprehension(&mut self, ty: &Type, depth: usize) -> Option<Piece> {
        let has_bindings =
            self.environment.function("json.marshal").is_some() || self.environment.function("math.abs").is_some();
        if has_bindings && self.random.chance(250) {
            return Some(self.bind(ty, depth));
        }
        match ty {
            Type::Bool => Some(self.quantifier(depth)),
            Type::List(element) => Some(self.list_of(&element.clone(), depth)),
            Type::Map(entry) if has_bindings => Some(self.map_of(&entry.clone(), depth)),
            _ if ty.optional_inner().is_some() => self.optional_of(&ty.optional_inner()?.clone(), depth),
            _ if has_bindings => Some(self.bind(ty, depth)),
            _ => None,
        }
    }

    fn bind(&mut self, ty: &Type, depth: usize) -> Piece {
        let (name, bound) = (self.name(), self.any_type());
        let value = self.expression(&bound, depth - 1);
        let body = self.with(&[(&name, &bound)], |generator| generator.expression(ty, depth - 1));
        Piece::primary(format!("cel.bind({name}, {}, {})", value.text, body.text))
    }

    fn has_two_variables(&self) -> bool {
        self.environment.function("first").is_some()
    }

    fn quantifier(&mut self, depth: usize) -> Piece {
        if self.random.chance(150)
            && let Some(path) = self.selection()
        {
            return Piece::primary(format!("has({path})"));
        }
        let two = self.has_two_variables() && self.random.chance(350);
        let names: &[&str] =
            if two { &["all", "exists", "exists_one", "existsOne"] } else { &["all", "exists", "exists_one"] };
        let macro_name = names[self.random.below(names.len())];
        let (range, key, value, is_map) = self.range(depth);
        let (first, second) = (self.name(), self.name());
        let body = if two {
            self.with(&[(&first, &key), (&second, &value)], |generator| generator.expression(&Type::Bool, depth - 1))
        } else {
            let item = if is_map { &key } else { &value };
            self.with(&[(&first, item)], |generator| generator.expression(&Type::Bool, depth - 1))
        };
        let variables = if two { format!("{first}, {second}") } else { first };
        Piece::primary(format!("{}.{macro_name}({variables}, {})", range.at(PRIMARY), body.text))
    }

    /// Something to go through: the range, the types of keys (or positions) and values, and whether it is a map.
    fn range(&mut self, depth: usize) -> (Piece, Type, Type, bool) {
        let value = self.element_type();
        if self.random.chance(250) {
            let key = self.key_type();
            let range = self.expression(&Type::map(key.clone(), value.clone()), depth - 1);
            return (range, key, value, true);
        }
        (self.expression(&Type::list(value.clone()), depth - 1), Type::Int, value, false)
    }

    fn list_of(&mut self, element: &Type, depth: usize) -> Piece {
        let two = self.has_two_variables();
        match self.random.below(if two { 10 } else { 6 }) {
            0..=1 => self.filter(element, depth),
            2..=5 => self.map_macro(element, depth),
            6..=7 => self.transform("transformList", element, depth),
            _ => self.sort_by(element, depth),
        }
    }

    fn filter(&mut self, element: &Type, depth: usize) -> Piece {
        let (range, name) = (self.expression(&Type::list(element.clone()), depth - 1), self.name());
        let body = self.with(&[(&name, element)], |generator| generator.expression(&Type::Bool, depth - 1));
        Piece::primary(format!("{}.filter({name}, {})", range.at(PRIMARY), body.text))
    }

    fn map_macro(&mut self, element: &Type, depth: usize) -> Piece {
        let (range, key, value, is_map) = self.range(depth);
        let name = self.name();
        let item = if is_map { key } else { value };
        let (test, body) = self.with(&[(&name, &item)], |generator| {
            let test = generator.random.chance(250).then(|| generator.expression(&Type::Bool, depth - 1));
            (test, generator.expression(element, depth - 1))
        });
        let test = test.map(|test| format!("{}, ", test.text)).unwrap_or_default();
        Piece::primary(format!("{}.map({name}, {test}{})", range.at(PRIMARY), body.text))
    }

    fn transform(&mut self, macro_name: &str, result: &Type, depth: usize) -> Piece {
        let (range, key, value, _) = self.range(depth);
        let (first, second) = (self.name(), self.name());
        let (test, body) = self.with(&[(&first, &key), (&second, &value)], |generator| {
            let test = generator.random.chance(300).then(|| generator.expression(&Type::Bool, depth - 1));
            (test, generator.expression(result, depth - 1))
        });
        let test = test.map(|test| format!("{}, ", test.text)).unwrap_or_default();
        Piece::primary(format!("{}.{macro_name}({first}, {second}, {test}{})", range.at(PRIMARY), body.text))
    }

    fn sort_by(&mut self, element: &Type, depth: usize) -> Piece {
        let key = [Type::Int, Type::String, Type::Double][self.random.below(3)].clone();
        let (range, name) = (self.expression(&Type::list(element.clone()), depth - 1), self.name());
        let body = self.with(&[(&name, element)], |generator| generator.expression(&key, depth - 1));
        Piece::primary(format!("{}.sortBy({name}, {})", range.at(PRIMARY), body.text))
    }

    fn map_of(&mut self, entry: &(Type, Type), depth: usize) -> Piece {
        if self.random.chance(400) {
            return self.transform("transformMapEntry", &Type::map(entry.0.clone(), entry.1.clone()), depth);
        }
        let value = self.element_type();
        let range = if entry.0 == Type::Int && self.random.chance(500) {
            Type::list(value.clone())
        } else {
            Type::map(entry.0.clone(), value.clone())
        };
        let (range, first, second) = (self.expression(&range, depth - 1), self.name(), self.name());
        let body =
            self.with(&[(&first, &entry.0), (&second, &value)], |generator| generator.expression(&entry.1, depth - 1));
        Piece::primary(format!("{}.transformMap({first}, {second}, {})", range.at(PRIMARY), body.text))
    }

    fn optional_of(&mut self, inner: &Type, depth: usize) -> Option<Piece> {
        let from = self.element_type();
        let (target, name) = (self.expression(&Type::optional(from.clone()), depth - 1), self.name());
        let (macro_name, wanted) = if self.random.chance(600) {
            ("optMap", inner.clone())
        } else {
            ("optFlatMap", Type::optional(inner.clone()))
        };
        let body = self.with(&[(&name, &from)], |generator| generator.expression(&wanted, depth - 1));
        Some(Piece::primary(format!("{}.{macro_name}({name}, {})", target.at(PRIMARY), body.text)))
    }

    /// A selected field, for `has`.
    fn selection(&mut self) -> Option<String> {
        for _ in 0..10 {
            let (mut text, mut at) = self.scope.get(self.random.below(self.scope.len()))?.clone();
            for _ in 0..=self.random.below(4) {
                let Some((step, next)) = self.step(&at) else { break };
                text.push_str(&step);
                at = next;
            }
            if text.rsplit_once('.').is_some_and(|(_, field)| !field.contains(['[', '?'])) {
                return Some(text);
            }
        }
        None
    }
}
