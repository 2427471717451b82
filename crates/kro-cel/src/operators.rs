//! The function names of operators, as cel-go has them.

/// `a ? b : c`
pub const CONDITIONAL: &str = "_?_:_";
/// `a && b`
pub const LOGICAL_AND: &str = "_&&_";
/// `a || b`
pub const LOGICAL_OR: &str = "_||_";
/// `!a`
pub const LOGICAL_NOT: &str = "!_";
/// `a == b`
pub const EQUALS: &str = "_==_";
/// `a != b`
pub const NOT_EQUALS: &str = "_!=_";
/// `a < b`
pub const LESS: &str = "_<_";
/// `a <= b`
pub const LESS_EQUALS: &str = "_<=_";
/// `a > b`
pub const GREATER: &str = "_>_";
/// `a >= b`
pub const GREATER_EQUALS: &str = "_>=_";
/// `a + b`
pub const ADD: &str = "_+_";
/// `a - b`
pub const SUBTRACT: &str = "_-_";
/// `a * b`
pub const MULTIPLY: &str = "_*_";
/// `a / b`
pub const DIVIDE: &str = "_/_";
/// `a % b`
pub const MODULO: &str = "_%_";
/// `-a`
pub const NEGATE: &str = "-_";
/// `a[b]`
pub const INDEX: &str = "_[_]";
/// `a[?b]`
pub const OPT_INDEX: &str = "_[?_]";
/// `a.?b`; only shown in messages, the tree has a flag on the select.
pub const OPT_SELECT: &str = "_?._";
/// `a in b`
pub const IN: &str = "@in";
/// True unless the argument is `false`: errors count as true. The conditions of `all` and `exists` use it.
pub const NOT_STRICTLY_FALSE: &str = "@not_strictly_false";

/// The binary operators by how they are written, with their binding strength (higher binds tighter).
pub(crate) const BINARY: [(&str, &str, u8); 14] = [
    ("||", LOGICAL_OR, 1),
    ("&&", LOGICAL_AND, 2),
    ("<", LESS, 3),
    ("<=", LESS_EQUALS, 3),
    (">=", GREATER_EQUALS, 3),
    (">", GREATER, 3),
    ("==", EQUALS, 3),
    ("!=", NOT_EQUALS, 3),
    ("in", IN, 3),
    ("*", MULTIPLY, 5),
    ("/", DIVIDE, 5),
    ("%", MODULO, 5),
    ("+", ADD, 4),
    ("-", SUBTRACT, 4),
];

/// How a binary operator is written, and its binding strength.
pub fn binary_symbol(function: &str) -> Option<(&'static str, u8)> {
    BINARY.iter().find(|(_, name, _)| *name == function).map(|(symbol, _, strength)| (*symbol, *strength))
}
