//! Parsed expressions, shared by all places that have the same text.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;

use foldhash::HashMap;
use kro_cel::ast::Ast;
use kro_cel::facts::{Facts, facts};
use kro_cel::{Checked, Environment, Issue, Parsed};

use crate::Program;
use crate::environment::base;

/// Parses each text of a definition once.
#[derive(Default)]
pub(crate) struct Parser {
    known: RefCell<HashMap<Box<str>, Rc<Parse>>>,
}

impl Parser {
    pub fn parse(&self, text: &str) -> Rc<Parse> {
        let mut known = self.known.borrow_mut();
        if let Some(parse) = known.get(text) {
            return Rc::clone(parse);
        }
        let parsed = base().parse(text);
        let parse = Rc::new(Parse::new(parsed));
        known.insert(text.into(), Rc::clone(&parse));
        parse
    }
}

/// An expression and what was found out about it, whatever place it stands in.
pub(crate) struct Parse {
    pub ast: Ast,
    pub errors: Vec<Issue>,
    facts: OnceCell<Facts>,
    checked: OnceCell<Rc<Checked>>,
    program: OnceCell<Program>,
}

impl Parse {
    fn new(parsed: Parsed) -> Self {
        Self {
            ast: parsed.ast,
            errors: parsed.errors,
            facts: OnceCell::new(),
            checked: OnceCell::new(),
            program: OnceCell::new(),
        }
    }

    pub fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| facts(&self.ast, base()))
    }

    /// Its types in the environment that all places of the definition share.
    pub fn checked(&self, shared: &Environment) -> Rc<Checked> {
        Rc::clone(self.checked.get_or_init(|| Rc::new(shared.check(&self.ast))))
    }

    /// What evaluates it. A literal argument that can never be evaluated was reported before; if it is still there, the
    /// evaluation fails.
    pub fn program(&self, shared: &Environment) -> Program {
        self.program.get_or_init(|| shared.plan(&self.ast, None).map(Program::from).unwrap_or_default()).clone()
    }
}

impl fmt::Debug for Parse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.ast.text())
    }
}
