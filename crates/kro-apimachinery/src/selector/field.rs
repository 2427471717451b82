use std::fmt;

use kro_value::Str;

/// One term of a field selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRequirement {
    /// The field label: `metadata.name`.
    pub field: Str,
    /// False for `!=`.
    pub equal: bool,
    /// What to compare with; a missing field compares as empty text.
    pub value: Str,
}

/// A field selector: all requirements must hold; without requirements it selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    /// The requirements in the order they were written.
    pub requirements: Vec<FieldRequirement>,
}

impl FieldSelector {
    /// Reads the text form: `a=b,c==d,e!=f`, with `\` before a literal `\`, `,` or `=`.
    ///
    /// # Errors
    /// The reference's text when the selector is malformed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = split_unescaped(text).into_iter().filter(|term| !term.is_empty());
        Ok(Self { requirements: terms.map(|term| requirement(text, term)).collect::<Result<_, _>>()? })
    }

    /// True when an object is selected; `value` looks a field label up.
    pub fn matches<'a>(&self, value: impl Fn(&str) -> std::borrow::Cow<'a, str>) -> bool {
        self.requirements.iter().all(|term| (value(&term.field) == term.value.as_str()) == term.equal)
    }

    /// True when it selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The value that a field must equal, if the selector says so.
    pub fn exact(&self, field: &str) -> Option<&Str> {
        self.requirements.iter().find(|term| term.equal && term.field == field).map(|term| &term.value)
    }
}

/// The text form.
impl fmt::Display for FieldSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.requirements.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let operator = if term.equal { "=" } else { "!=" };
            write!(formatter, "{comma}{}{operator}{}", term.field, escape(&term.value))?;
        }
        Ok(())
    }
}

fn requirement(selector: &str, term: &str) -> Result<FieldRequirement, String> {
    for (index, _) in term.char_indices() {
        let rest = &term[index..];
        let found = [("!=", false), ("==", true), ("=", true)].into_iter().find(|(sign, _)| rest.starts_with(sign));
        if let Some((sign, equal)) = found {
            let value = unescape(&rest[sign.len()..])?;
            return Ok(FieldRequirement { field: Str::new(&term[..index]), equal, value });
        }
    }
    Err(format!("invalid selector: '{selector}'; can't understand '{term}'"))
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn unescape(text: &str) -> Result<Str, String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                Some(other) => return Err(format!("invalid field selector: invalid escape sequence: \\{other}")),
                None => return Err("invalid field selector: invalid escape sequence: \\".to_owned()),
            },
            ',' | '=' => {
                return Err(format!("invalid field selector: unescaped character in value: {character}"));
            }
            other => plain.push(other),
        }
    }
    Ok(plain.into())
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects() {
        let fields = |name: &str| if name == "a" { "b,c".into() } else { "".into() };
        for (selector, expected) in [("", true), ("a=b\\,c", true), ("a!=x,z=", true), ("a==x", false), ("z!=", false)]
        {
            assert_eq!(FieldSelector::parse(selector).unwrap().matches(fields), expected, "{selector}");
        }
    }

    #[test]
    fn malformed() {
        assert_eq!(FieldSelector::parse("x").unwrap_err(), "invalid selector: 'x'; can't understand 'x'");
        assert!(FieldSelector::parse("a=b=c").is_err());
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["a=b", "a!=b,c=d\\,e"] {
            assert_eq!(FieldSelector::parse(text).unwrap().to_string(), text);
        }
    }
}
