use kro_value::Str;

/// What the text of a label selector is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Not,
    Equal,
    DoubleEqual,
    NotEqual,
    Greater,
    Less,
    Open,
    Close,
    Comma,
    /// Keys, values and the words `in` and `notin`.
    Word(Str),
    End,
}

impl Token {
    /// The text as error messages quote it.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Not => "!",
            Self::Equal => "=",
            Self::DoubleEqual => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
            Self::Word(word) => word,
            Self::End => "",
        }
    }
}

/// Cuts a selector into tokens; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, length) = first(rest);
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    tokens.push(Token::End);
    tokens
}

fn first(text: &str) -> (Token, usize) {
    for (symbol, token) in [("==", Token::DoubleEqual), ("!=", Token::NotEqual)] {
        if text.starts_with(symbol) {
            return (token, 2);
        }
    }
    let token = match text.as_bytes()[0] {
        b'=' => Token::Equal,
        b'!' => Token::Not,
        b'>' => Token::Greater,
        b'<' => Token::Less,
        b'(' => Token::Open,
        b')' => Token::Close,
        b',' => Token::Comma,
        _ => {
            let end = text.find(|c: char| c.is_ascii_whitespace() || "=!><(),".contains(c)).unwrap_or(text.len());
            return (Token::Word(Str::new(&text[..end])), end);
        }
    };
    (token, 1)
}
