//! Whether the value of an expression fits the place it is written to.
//!
//! The checker's own rules go by the names of object types; here objects are compared by their fields, and literals entry by
//! entry, because what is written is data: `{"name": "a", "ports": []}` fits a container.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use kro_value::Str;

use crate::ast::{Ast, Comprehension, ExprId, ExprKind, Literal, MapEntry};
use crate::checker::Checked;
use crate::environment::Environment;
use crate::operators;
use crate::types::Type;

/// How deep types are compared; recursive object types fit when they fit this far.
const DEPTH_MAX: usize = 32;

/// Why a value does not fit, outermost reason first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The sentence for users; it has everything.
    pub message: String,
    /// The part of the expression that is to blame, when it is not the whole.
    pub blame: Option<ExprId>,
}

impl Mismatch {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), blame: None }
    }

    fn within(self, context: impl fmt::Display) -> Self {
        Self { message: format!("{context}: {}", self.message), ..self }
    }

    fn at(mut self, id: ExprId) -> Self {
        self.blame.get_or_insert(id);
        self
    }
}

/// Whether a checked expression fits a place of type `wanted`. The types of both are looked up in the environment. Looks into
/// literals and into the branches of conditionals.
///
/// # Errors
/// With the reason when it does not fit.
pub fn fits(environment: &Environment, ast: &Ast, checked: &Checked, wanted: &Type) -> Result<(), Mismatch> {
    Comparison { environment, compared: RefCell::default() }.expression(ast, checked, ast.root(), wanted, DEPTH_MAX)
}

/// Whether values of one type fit a place of another.
///
/// # Errors
/// With the reason when they do not.
pub fn type_fits(environment: &Environment, found: &Type, wanted: &Type) -> Result<(), Mismatch> {
    Comparison { environment, compared: RefCell::default() }.types(found, wanted, DEPTH_MAX)
}

struct Comparison<'e> {
    environment: &'e Environment,
    /// Pairs of definitions that are being compared or were found to fit: schemas may contain themselves.
    compared: RefCell<BTreeSet<(Str, Str)>>,
}

type Verdict = Result<(), Mismatch>;

impl Comparison<'_> {
    fn expression(&self, ast: &Ast, checked: &Checked, id: ExprId, wanted: &Type, depth: usize) -> Verdict {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        match (ast.kind(id), wanted) {
            (_, Type::Dyn | Type::Any) => Ok(()),
            (ExprKind::Call { function, args, .. }, _) if function == operators::CONDITIONAL && args.len() == 3 => {
                args[1..].iter().try_for_each(|branch| self.expression(ast, checked, *branch, wanted, depth))
            }
            (ExprKind::List { elements, .. }, Type::List(element)) => elements.iter().try_for_each(|id| {
                let verdict = self.expression(ast, checked, *id, element, depth);
                verdict.map_err(|mismatch| mismatch.within("list element type incompatible").at(*id))
            }),
            (ExprKind::Comprehension(fold), Type::List(_)) if matches!(ast.kind(fold.result), ExprKind::Ident(name) if *name == fold.accumulator) => {
                self.collected(ast, checked, fold, fold.step, wanted, depth)
            }
            (ExprKind::Map(entries), Type::Map(_) | Type::Object(_)) => {
                entries.iter().try_for_each(|entry| self.entry(ast, checked, entry, wanted, depth))
            }
            _ => self.types(checked.type_of(id), wanted, depth),
        }
    }

    /// The step of a macro that collects a list: `accumulator + [element]`, perhaps under a condition.
    fn collected(
        &self,
        ast: &Ast,
        checked: &Checked,
        fold: &Comprehension,
        step: ExprId,
        wanted: &Type,
        depth: usize,
    ) -> Verdict {
        let is_accumulator = |id| matches!(ast.kind(id), ExprKind::Ident(name) if *name == fold.accumulator);
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        match ast.kind(step) {
            ExprKind::Call { function, args, .. } if function == operators::CONDITIONAL && args.len() == 3 => {
                args[1..].iter().try_for_each(|step| self.collected(ast, checked, fold, *step, wanted, depth))
            }
            ExprKind::Call { function, args, .. } if function == operators::ADD && is_accumulator(args[0]) => {
                self.expression(ast, checked, args[1], wanted, depth)
            }
            _ if is_accumulator(step) => Ok(()),
            _ => self.types(checked.type_of(step), wanted, depth),
        }
    }

    /// An entry of a map literal that is written as a map or as an object.
    fn entry(&self, ast: &Ast, checked: &Checked, entry: &MapEntry, wanted: &Type, depth: usize) -> Verdict {
        let key = match ast.kind(entry.key) {
            ExprKind::Literal(Literal::String(key)) => Some(key),
            _ => None,
        };
        match wanted {
            Type::Map(types) => {
                self.types(checked.type_of(entry.key), &types.0, depth)
                    .map_err(|mismatch| mismatch.within("map key type incompatible").at(entry.key))?;
                let verdict = self.expression(ast, checked, entry.value, &types.1, depth);
                verdict.map_err(|mismatch| mismatch.within("map value type incompatible").at(entry.value))
            }
            Type::Object(object) => match key {
                Some(key) => {
                    let field = self.field(object, key).map_err(|mismatch| mismatch.at(entry.key))?;
                    let verdict = self.expression(ast, checked, entry.value, &field, depth);
                    let context = || format!("map value incompatible with struct field \"{key}\"");
                    verdict.map_err(|mismatch| mismatch.within(context()).at(entry.value))
                }
                None => self.string_key(checked.type_of(entry.key)).map_err(|mismatch| mismatch.at(entry.key)),
            },
            _ => Ok(()),
        }
    }

    fn string_key(&self, key: &Type) -> Verdict {
        if key.is_dyn() || *key == Type::String {
            return Ok(());
        }
        Err(Mismatch::new("map keys must be strings to assign to struct"))
    }

    /// The type of a field by the name that the data has, which is not escaped.
    fn field(&self, object: &str, name: &str) -> Result<Type, Mismatch> {
        let Some(provider) = self.environment.object_provider(object) else { return Ok(Type::Dyn) };
        if let Some(ty) = provider.data_field_type(object, name) {
            return Ok(ty);
        }
        let names = provider.field_names(object).unwrap_or_default();
        let close = kro_diagnostics::did_you_mean(name, names.iter().map(Str::as_str));
        let help = close.map(|text| format!(" ({text})")).unwrap_or_default();
        Err(Mismatch::new(format!("field \"{name}\" exists in output but not in expected type{help}")))
    }

    fn types(&self, found: &Type, wanted: &Type, depth: usize) -> Verdict {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        if found.is_dyn() || wanted.is_dyn() || found.is_error() || found == wanted {
            return Ok(());
        }
        if let Some(inner) = found.optional_inner() {
            return self.types(inner, wanted, depth);
        }
        match (found, wanted) {
            (Type::Wrapper(found), _) => self.types(found, wanted, depth),
            (Type::List(found), Type::List(wanted)) => {
                self.types(found, wanted, depth).map_err(|mismatch| mismatch.within("list element type incompatible"))
            }
            (Type::Map(found), Type::Map(wanted)) => {
                self.types(&found.0, &wanted.0, depth).map_err(|m| m.within("map key type incompatible"))?;
                self.types(&found.1, &wanted.1, depth).map_err(|m| m.within("map value type incompatible"))
            }
            (Type::Map(found), Type::Object(object)) => self.map_to_object(&found.0, &found.1, object, depth),
            (Type::Object(object), Type::Map(wanted)) => self.object_to_map(object, &wanted.0, &wanted.1, depth),
            (Type::Object(found), Type::Object(wanted)) => self.objects(found, wanted, depth),
            _ => Err(Mismatch::new(format!(
                "type kind mismatch: got \"{}\", expected \"{}\"",
                kind(found),
                kind(wanted)
            ))),
        }
    }

    /// A map of which only the type is known has some value for every field.
    fn map_to_object(&self, key: &Type, value: &Type, object: &str, depth: usize) -> Verdict {
        self.string_key(key)?;
        for (name, ty) in self.fields(object) {
            let context = || format!("map value incompatible with struct field \"{name}\"");
            self.types(value, &ty, depth).map_err(|mismatch| mismatch.within(context()))?;
        }
        Ok(())
    }

    fn object_to_map(&self, object: &str, key: &Type, value: &Type, depth: usize) -> Verdict {
        if !key.is_dyn() && *key != Type::String {
            return Err(Mismatch::new("map key type must be string when assigning struct → map"));
        }
        for (name, ty) in self.fields(object) {
            let context = || format!("struct field \"{name}\" incompatible with map value type");
            self.types(&ty, value, depth).map_err(|mismatch| mismatch.within(context()))?;
        }
        Ok(())
    }

    /// What is written may leave fields out but has none that are not expected.
    fn objects(&self, found: &str, wanted: &str, depth: usize) -> Verdict {
        let providers = (self.environment.object_provider(found), self.environment.object_provider(wanted));
        let (Some(_), Some(target)) = providers else { return Ok(()) };
        if target.is_open(wanted) {
            return Ok(());
        }
        let definitions = providers.0.and_then(|provider| provider.definition(found)).zip(target.definition(wanted));
        if let Some(pair) = definitions
            && (pair.0 == pair.1 || !self.compared.borrow_mut().insert(pair))
        {
            return Ok(());
        }
        let (have, want) = (self.fields(found), self.fields(wanted));
        if want.is_empty() && !have.is_empty() {
            return Err(Mismatch::new("output has fields but expected type has none"));
        }
        for (name, ty) in have {
            let Some((_, expected)) = want.iter().find(|(known, _)| *known == name) else {
                return Err(Mismatch::new(format!("field \"{name}\" exists in output but not in expected type")));
            };
            let context = || format!("field \"{name}\" has incompatible type");
            self.types(&ty, expected, depth).map_err(|mismatch| mismatch.within(context()))?;
        }
        Ok(())
    }

    fn fields(&self, object: &str) -> Vec<(Str, Type)> {
        let Some(provider) = self.environment.object_provider(object) else { return Vec::new() };
        let names = provider.field_names(object).unwrap_or_default();
        names.into_iter().filter_map(|name| Some((name.clone(), provider.field_type(object, &name)?))).collect()
    }
}

/// The kind of a type without what is inside, as messages show it.
fn kind(ty: &Type) -> String {
    match ty {
        Type::List(_) => "list".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::Object(_) => "struct".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{ObjectTypes, library};

    fn environment() -> Environment {
        let mut types = ObjectTypes::new();
        let field = |name: &'static str, ty| (Str::new_static(name), ty);
        let port = [field("containerPort", Type::Int)];
        types.insert("Port", port, false);
        let container = [
            field("name", Type::String),
            field("image", Type::String),
            field("ports", Type::list(Type::object("Port"))),
        ];
        types.insert("Container", container, false);
        types.insert("Named", [field("name", Type::String)], false);
        types.insert("Extra", [field("name", Type::String), field("zzz", Type::String)], false);
        types.insert("Wrong", [field("name", Type::Int)], false);
        types.insert("Open", [], true);
        types.insert("Bare", [], false);
        let builder = Environment::builder().types(Arc::new(types)).library(&library::standard()).optional_syntax(true);
        let objects = ["Named", "Extra", "Wrong", "Container", "Open"];
        let builder =
            objects.iter().fold(builder, |builder, name| builder.variable(name.to_lowercase(), Type::object(*name)));
        builder.variable("oi", Type::optional(Type::Int)).variable("s", Type::String).variable("b", Type::Bool).build()
    }

    fn verdict(expression: &str, wanted: &Type) -> String {
        let environment = environment();
        let parsed = environment.parse(expression);
        let checked = environment.check(&parsed.ast);
        assert_eq!((&parsed.errors, &checked.errors), (&Vec::new(), &Vec::new()), "{expression}");
        match fits(&environment, &parsed.ast, &checked, wanted) {
            Ok(()) => "ok".to_owned(),
            Err(mismatch) => {
                let blame = mismatch.blame.map(|id| format!(" at {}", parsed.ast.text_of(id))).unwrap_or_default();
                format!("{}{blame}", mismatch.message)
            }
        }
    }

    #[test]
    fn compares_what_is_written_with_the_place() {
        let container = || Type::object("Container");
        let strings = || Type::map(Type::String, Type::String);
        let rows = [
            ("1", Type::Int, "ok"),
            ("s", Type::Int, "type kind mismatch: got \"string\", expected \"int\""),
            ("oi", Type::Int, "ok"),
            ("1", Type::Double, "type kind mismatch: got \"int\", expected \"double\""),
            ("null", Type::String, "type kind mismatch: got \"null\", expected \"string\""),
            ("dyn(1)", Type::String, "ok"),
            ("[named]", Type::list(container()), "ok"),
            ("named", container(), "ok"),
            ("extra", container(), "field \"zzz\" exists in output but not in expected type"),
            (
                "wrong",
                container(),
                "field \"name\" has incompatible type: type kind mismatch: got \"int\", expected \"string\"",
            ),
            ("extra", Type::object("Open"), "ok"),
            ("named", Type::object("Bare"), "output has fields but expected type has none"),
            ("named", strings(), "ok"),
            ("named", Type::map(Type::Int, Type::String), "map key type must be string when assigning struct → map"),
            (
                "container",
                strings(),
                "struct field \"ports\" incompatible with map value type: type kind mismatch: got \"list\", expected \"string\"",
            ),
            ("{'name': 'a', 'image': s}", container(), "ok"),
            ("{'name': 'a', 'ports': []}", container(), "ok"),
            ("{'name': 'a', 'ports': [{'containerPort': 1}]}", container(), "ok"),
            (
                "{'name': 'a', 'ports': [{'containerPort': 'x'}]}",
                container(),
                "map value incompatible with struct field \"ports\": list element type incompatible: map value incompatible with struct field \"containerPort\": type kind mismatch: got \"string\", expected \"int\" at 'x'",
            ),
            (
                "b ? {'name': 'a'} : {'nam': 'b'}",
                container(),
                "field \"nam\" exists in output but not in expected type (did you mean \"name\"?) at 'nam'",
            ),
            ("{1: 'a'}", container(), "map keys must be strings to assign to struct at 1"),
            ("s", container(), "type kind mismatch: got \"string\", expected \"struct\""),
            ("[s]", container(), "type kind mismatch: got \"list\", expected \"struct\""),
            ("{'a': 'b'}", Type::list(Type::String), "type kind mismatch: got \"map\", expected \"list\""),
            ("named", Type::String, "type kind mismatch: got \"struct\", expected \"string\""),
        ];
        for (expression, wanted, outcome) in rows {
            assert_eq!(verdict(expression, &wanted), outcome, "{expression} as {wanted}");
        }
    }
}
