/// A piece of an expression and how tightly it holds together.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// How tightly: 0 a condition, 7 a name.
    pub level: u8,
}

/// `a ? b : c`
pub const CONDITION: u8 = 0;
/// `-a`, and negative numbers.
pub const UNARY: u8 = 6;
/// Names, calls, literals.
pub const PRIMARY: u8 = 7;

impl Piece {
    /// A piece that needs no parentheses anywhere.
    pub fn primary(text: impl Into<String>) -> Self {
        Self { text: text.into(), level: PRIMARY }
    }

    /// A literal; a sign makes it looser.
    pub fn literal(text: &str) -> Self {
        Self { text: text.to_owned(), level: if text.starts_with('-') { UNARY } else { PRIMARY } }
    }

    /// The text where at least a level is wanted.
    pub fn at(&self, level: u8) -> String {
        if self.level < level { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// The symbol of an operator with two operands, and its level.
fn binary(function: &str) -> Option<(&'static str, u8)> {
    Some(match function {
        "_||_" => ("||", 1),
        "_&&_" => ("&&", 2),
        "_<_" => ("<", 3),
        "_<=_" => ("<=", 3),
        "_>_" => (">", 3),
        "_>=_" => (">=", 3),
        "_==_" => ("==", 3),
        "_!=_" => ("!=", 3),
        "@in" => ("in", 3),
        "_+_" => ("+", 4),
        "_-_" => ("-", 4),
        "_*_" => ("*", 5),
        "_/_" => ("/", 5),
        "_%_" => ("%", 5),
        _ => return None,
    })
}

/// A call as it is written; `None` for functions that have no written form.
pub fn call(function: &str, member: bool, args: &[Piece]) -> Option<Piece> {
    if let (Some((symbol, level)), [left, right]) = (binary(function), args) {
        return Some(Piece { text: format!("{} {symbol} {}", left.at(level), right.at(level + 1)), level });
    }
    match (function, args) {
        ("!_", [operand]) => return Some(Piece { text: format!("!{}", operand.at(PRIMARY)), level: UNARY }),
        ("-_", [operand]) => return Some(Piece { text: format!("-{}", operand.at(PRIMARY)), level: UNARY }),
        ("_[_]", [operand, index]) => return Some(Piece::primary(format!("{}[{}]", operand.at(PRIMARY), index.text))),
        ("_[?_]", [operand, index]) => {
            return Some(Piece::primary(format!("{}[?{}]", operand.at(PRIMARY), index.text)));
        }
        ("_?_:_", [test, yes, no]) => {
            let text = format!("{} ? {} : {}", test.at(1), yes.at(1), no.at(CONDITION));
            return Some(Piece { text, level: CONDITION });
        }
        _ if !function.starts_with(|char: char| char.is_ascii_alphabetic()) || function.contains('@') => return None,
        _ => {}
    }
    let texts = |args: &[Piece]| args.iter().map(|arg| arg.text.clone()).collect::<Vec<_>>().join(", ");
    Some(Piece::primary(match args.split_first() {
        Some((receiver, rest)) if member => format!("{}.{function}({})", receiver.at(PRIMARY), texts(rest)),
        _ => format!("{function}({})", texts(args)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parentheses_stand_where_they_are_needed() {
        let piece = |text: &str, level| Piece { text: text.to_owned(), level };
        let (sum, product, name) = (piece("a + b", 4), piece("a * b", 5), piece("c", PRIMARY));
        for (function, member, args, text) in [
            ("_*_", false, vec![sum.clone(), name.clone()], "(a + b) * c"),
            ("_+_", false, vec![product.clone(), name.clone()], "a * b + c"),
            ("_-_", false, vec![name.clone(), sum.clone()], "c - (a + b)"),
            ("-_", false, vec![sum.clone()], "-(a + b)"),
            ("size", true, vec![sum.clone()], "(a + b).size()"),
            ("size", false, vec![sum.clone()], "size(a + b)"),
            ("_[_]", false, vec![sum.clone(), sum.clone()], "(a + b)[a + b]"),
        ] {
            assert_eq!(call(function, member, &args).unwrap().text, text);
        }
        assert!(call("@not_strictly_false", false, &[name]).is_none());
    }
}
