use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kro_value::Str;

use crate::ast::Ast;
use crate::checker::{self, Checked};
use crate::declarations::{FunctionDecl, Library, Validator, VariableDecl};
use crate::parser::{ParseOptions, Parsed, parse};
use crate::provider::{Providers, TypeProvider};
use crate::types::{Interner, Type};

/// What expressions may use: functions, macros, variables and types. Cheap to clone and to extend: an extension shares
/// the environment it extends.
#[derive(Clone, Debug)]
pub struct Environment {
    layer: Arc<Layer>,
}

#[derive(Debug, Default)]
struct Layer {
    parent: Option<Environment>,
    functions: BTreeMap<Str, Arc<FunctionDecl>>,
    /// Sorted by name.
    variables: Vec<VariableDecl>,
    types: BTreeMap<Str, Type>,
    validators: BTreeMap<Str, Validator>,
    interner: Interner,
    /// The first parts of the dotted names among variables and types.
    namespaces: BTreeSet<Str>,
    // what follows is copied from the parent: small or shared
    providers: Providers,
    options: Arc<ParseOptions>,
    container: Str,
    cross_type_numeric_comparisons: bool,
}

/// Collects the parts of an [`Environment`].
#[derive(Debug, Default)]
pub struct EnvironmentBuilder {
    layer: Layer,
}

impl Environment {
    /// An environment without anything, not even operators.
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder::default()
    }

    /// A new environment with everything of this one and more.
    pub fn extend(&self) -> EnvironmentBuilder {
        let layer = Layer {
            parent: Some(self.clone()),
            providers: self.layer.providers.clone(),
            options: self.layer.options.clone(),
            container: self.layer.container.clone(),
            cross_type_numeric_comparisons: self.layer.cross_type_numeric_comparisons,
            ..Layer::default()
        };
        EnvironmentBuilder { layer }
    }

    /// Parses an expression with the macros of this environment.
    pub fn parse(&self, text: &str) -> Parsed {
        parse(text, &self.layer.options)
    }

    /// Checks the types of a parsed expression.
    pub fn check(&self, ast: &Ast) -> Checked {
        checker::check(self, ast)
    }

    /// How expressions are parsed.
    pub fn parse_options(&self) -> &ParseOptions {
        &self.layer.options
    }

    /// The prefix that names may leave out: in `a.b`, `x` may mean `a.b.x` or `a.x`.
    pub fn container(&self) -> &str {
        &self.layer.container
    }

    /// Whether the checker lets numbers of different types be compared (`1 < 2.0`).
    pub fn cross_type_numeric_comparisons(&self) -> bool {
        self.layer.cross_type_numeric_comparisons
    }

    /// The function of exactly this name.
    pub fn function(&self, name: &str) -> Option<&Arc<FunctionDecl>> {
        self.layers().find_map(|layer| layer.functions.get(name))
    }

    /// The variable or constant of exactly this name.
    pub fn variable(&self, name: &str) -> Option<&VariableDecl> {
        self.layers().find_map(|layer| {
            let index = layer.variables.binary_search_by(|variable| variable.name.as_str().cmp(name)).ok()?;
            layer.variables.get(index)
        })
    }

    /// The type that a name stands for when it is used as a value (`int`, `net.IP`).
    pub fn type_named(&self, name: &str) -> Option<Type> {
        self.layers().find_map(|layer| layer.types.get(name)).cloned()
    }

    /// True for a declared variable of whose name no declared name is a continuation: in `name.a.b`, all behind it can only
    /// be fields.
    pub fn is_only_variable(&self, name: &str) -> bool {
        self.layer.container.is_empty()
            && self.variable(name).is_some()
            && !self.layers().any(|layer| layer.namespaces.contains(name))
            && !self.layer.providers.0.iter().any(|provider| provider.has_namespace(name))
    }

    /// The provider that knows an object type.
    pub fn object_provider(&self, object: &str) -> Option<&dyn TypeProvider> {
        self.layer.providers.of(object).map(|provider| &**provider)
    }

    /// The type of a variable that is equal to this one or has such a part.
    pub(crate) fn interned(&self, ty: &Type) -> Option<&Type> {
        self.layers().find_map(|layer| layer.interner.get(ty))
    }

    /// The check of literal arguments of a function.
    pub fn validator(&self, function: &str) -> Option<Validator> {
        self.layers().find_map(|layer| layer.validators.get(function)).copied()
    }

    /// The full names that a name may stand for in the container, most specific first. A leading dot means just the rest.
    pub fn candidates<'n>(&'n self, name: &'n str) -> impl Iterator<Item = std::borrow::Cow<'n, str>> {
        let absolute = name.strip_prefix('.');
        let mut scope = if absolute.is_some() { "" } else { self.container() };
        let mut done = false;
        std::iter::from_fn(move || {
            if done {
                return None;
            }
            if scope.is_empty() {
                done = true;
                return Some(absolute.unwrap_or(name).into());
            }
            let candidate = format!("{scope}.{name}");
            scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
            Some(candidate.into())
        })
    }

    /// The function that a name stands for in the container.
    pub fn resolve_function(&self, name: &str) -> Option<&Arc<FunctionDecl>> {
        self.candidates(name).find_map(|candidate| self.function(&candidate))
    }

    /// Names of all functions, sorted, each once.
    pub fn function_names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.layers().flat_map(|layer| layer.functions.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Names of all variables, sorted, each once.
    pub fn variable_names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.variables().map(|variable| variable.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn variables(&self) -> impl Iterator<Item = &VariableDecl> {
        self.layers().flat_map(|layer| &layer.variables)
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::successors(Some(&*self.layer), |layer| layer.parent.as_ref().map(|parent| &*parent.layer))
    }
}

impl EnvironmentBuilder {
    /// Takes in a library.
    #[must_use]
    pub fn library(mut self, library: &Library) -> Self {
        let options = Arc::make_mut(&mut self.layer.options);
        options.optional_syntax |= library.optional_syntax;
        options.macros.extend(library.macros.iter().copied());
        for function in &library.functions {
            self = self.shared_function(function);
        }
        self.layer.variables.extend(library.variables.iter().cloned());
        for (name, ty) in &library.types {
            self.layer.types.insert(Str::new_static(name), ty.clone());
        }
        if !library.objects.is_empty() {
            self = self.types(Arc::new(library.objects.clone()));
        }
        for (function, validator) in &library.validators {
            self.layer.validators.insert(Str::new_static(function), *validator);
        }
        self
    }

    /// Declares a function. Overloads are added to those that the name already has; one of the same id is replaced.
    #[must_use]
    pub fn function(self, function: FunctionDecl) -> Self {
        self.shared_function(&Arc::new(function))
    }

    fn shared_function(mut self, function: &Arc<FunctionDecl>) -> Self {
        let existing = self.layer.functions.get(&function.name);
        let inherited = || self.layer.parent.as_ref()?.function(&function.name);
        let merged = match existing.or_else(inherited) {
            Some(existing) => Arc::new(merge(existing, function)),
            None => function.clone(),
        };
        self.layer.functions.insert(function.name.clone(), merged);
        self
    }

    /// Declares a variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<Str>, ty: Type) -> Self {
        self.layer.variables.push(VariableDecl::new(name, ty));
        self
    }

    /// Adds object types; they are found before those that were added earlier.
    #[must_use]
    pub fn types(mut self, provider: Arc<dyn TypeProvider>) -> Self {
        self.layer.providers.0.insert(0, provider);
        self
    }

    /// Sets the container.
    #[must_use]
    pub fn container(mut self, container: impl Into<Str>) -> Self {
        self.layer.container = container.into();
        self
    }

    /// Turns the optional syntax (`a.?b`, `a[?b]`, `{?k: v}`) on or off.
    #[must_use]
    pub fn optional_syntax(mut self, on: bool) -> Self {
        Arc::make_mut(&mut self.layer.options).optional_syntax = on;
        self
    }

    /// Turns all macros off.
    #[must_use]
    pub fn without_macros(mut self) -> Self {
        Arc::make_mut(&mut self.layer.options).macros.clear();
        self
    }

    /// Lets the checker compare numbers of different types.
    #[must_use]
    pub fn cross_type_numeric_comparisons(mut self, on: bool) -> Self {
        self.layer.cross_type_numeric_comparisons = on;
        self
    }

    /// The environment.
    pub fn build(mut self) -> Environment {
        let variables = &mut self.layer.variables;
        variables.reverse(); // of two of one name the later one counts
        variables.sort_by(|left, right| left.name.cmp(&right.name));
        variables.dedup_by(|next, first| next.name == first.name);
        let parent = self.layer.parent.as_ref();
        let inherited = |ty: &Type| parent?.interned(ty).cloned();
        for variable in variables.iter_mut() {
            variable.ty = self.layer.interner.intern(&variable.ty, &inherited);
        }
        let names = variables.iter().map(|variable| &variable.name).chain(self.layer.types.keys());
        self.layer.namespaces = names.filter_map(|name| Some(Str::new(name.split_once('.')?.0))).collect();
        Environment { layer: Arc::new(self.layer) }
    }
}

fn merge(existing: &FunctionDecl, added: &FunctionDecl) -> FunctionDecl {
    let mut merged = existing.clone();
    for overload in &added.overloads {
        match merged.overloads.iter_mut().find(|known| known.id == overload.id) {
            Some(known) => *known = overload.clone(),
            None => merged.overloads.push(overload.clone()),
        }
    }
    merged.catch_all |= added.catch_all;
    merged
}
