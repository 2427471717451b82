//! The checker: types of all nodes and overloads of all calls.

mod calls;
mod names;
mod unify;
mod walk;

use std::sync::Arc;

use kro_value::Str;

use crate::ast::ExprId;
use crate::declarations::FunctionDecl;
use crate::issue::Issue;
use crate::types::Type;

pub(crate) use walk::check;

/// What a node refers to.
#[derive(Clone, Debug, Default)]
pub enum Reference {
    /// Nothing: literals, selects of fields, and nodes with errors.
    #[default]
    None,
    /// A variable of the environment or of a comprehension around the node. A select whose whole text is a declared name
    /// (`a.b.c`) is one too. The name has a leading dot where a comprehension variable of that name is to be skipped.
    Variable(Str),
    /// A type used as a value.
    Type(Type),
    /// Overloads of a function that may apply, as indices into its declaration, at least one.
    Function {
        /// The function.
        function: Arc<FunctionDecl>,
        /// Indices of the overloads, ascending.
        overloads: Vec<u16>,
        /// True when the receiver was the namespace of the function's name, so that there is none to evaluate.
        namespaced: bool,
    },
}

/// The result of a check.
#[derive(Clone, Debug)]
pub struct Checked {
    types: Vec<Type>,
    references: Vec<Reference>,
    root: ExprId,
    /// All errors, in the order of their positions.
    pub errors: Vec<Issue>,
    /// How many more errors there were.
    pub truncated: usize,
}

impl Checked {
    /// The type of the whole expression.
    pub fn result_type(&self) -> &Type {
        self.type_of(self.root)
    }

    /// The type of a node; [`Type::Dyn`] for nodes that only macro calls refer to.
    pub fn type_of(&self, id: ExprId) -> &Type {
        self.types.get(id.index()).unwrap_or(&Type::Dyn)
    }

    /// What a node refers to.
    pub fn reference(&self, id: ExprId) -> &Reference {
        self.references.get(id.index()).unwrap_or(&Reference::None)
    }
}
