use std::fmt;

use kro_value::{Map, Str, Value};

use super::lexer::{Token, tokens};
use crate::FieldError;
use crate::names::{label_key_errors, label_value_errors};

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The value is one of the values.
    In,
    /// The value is none of the values, or the key is missing.
    NotIn,
    /// The key is there.
    Exists,
    /// The key is missing.
    DoesNotExist,
    /// The value is an integer above the value.
    GreaterThan,
    /// The value is an integer below the value.
    LessThan,
}

/// One term of a label selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LabelRequirement {
    /// The label's key.
    pub key: Str,
    /// How to compare.
    pub operator: Operator,
    /// What to compare with, sorted and unique; empty for the existence operators.
    pub values: Vec<Str>,
}

impl LabelRequirement {
    fn matches(&self, labels: Option<&Map>) -> bool {
        let value = labels.and_then(|labels| labels.get(&self.key)).and_then(Value::as_str);
        match (self.operator, value) {
            (Operator::In, Some(value)) => self.holds(value),
            (Operator::NotIn, Some(value)) => !self.holds(value),
            (Operator::NotIn | Operator::DoesNotExist, None) | (Operator::Exists, Some(_)) => true,
            (Operator::GreaterThan, Some(value)) => self.compares(value, |value, limit| value > limit),
            (Operator::LessThan, Some(value)) => self.compares(value, |value, limit| value < limit),
            _ => false,
        }
    }

    fn holds(&self, value: &str) -> bool {
        self.values.iter().any(|wanted| wanted == value)
    }

    fn compares(&self, value: &str, holds: impl Fn(i64, i64) -> bool) -> bool {
        let limit = self.values.first().and_then(|limit| limit.parse().ok());
        value.parse().ok().zip(limit).is_some_and(|(value, limit)| holds(value, limit))
    }
}

impl fmt::Display for LabelRequirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.join(",");
        let key = &self.key;
        match (self.operator, self.values.len()) {
            (Operator::Exists, _) => formatter.write_str(key),
            (Operator::DoesNotExist, _) => write!(formatter, "!{key}"),
            (Operator::In, 1) => write!(formatter, "{key}={values}"),
            (Operator::NotIn, 1) => write!(formatter, "{key}!={values}"),
            (Operator::In, _) => write!(formatter, "{key} in ({values})"),
            (Operator::NotIn, _) => write!(formatter, "{key} notin ({values})"),
            (Operator::GreaterThan, _) => write!(formatter, "{key}>{values}"),
            (Operator::LessThan, _) => write!(formatter, "{key}<{values}"),
        }
    }
}

/// A label selector: all requirements must hold; without requirements it selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    /// The requirements in the order they were written.
    pub requirements: Vec<LabelRequirement>,
}

impl LabelSelector {
    /// Selects everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Selects what has exactly these labels (and maybe others).
    pub fn of_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let requirement = |(key, value)| LabelRequirement {
            key: Str::new(key),
            operator: Operator::In,
            values: vec![Str::new(value)],
        };
        Self { requirements: labels.into_iter().map(requirement).collect() }
    }

    /// Reads the text form: `a=b,c!=d,e in (f,g),h,!i`.
    ///
    /// # Errors
    /// The reference's text when the selector is malformed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        Ok(Self { requirements: parser.requirements()? })
    }

    /// Reads the object form (`matchLabels`, `matchExpressions`). Null and absent selectors are the caller's case;
    /// malformed expressions select nothing.
    pub fn from_value(selector: &Value) -> Self {
        let labels = selector.get("matchLabels").and_then(Value::as_map);
        let labels = labels.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        let mut result = Self::of_labels(labels);
        let expressions = selector.get("matchExpressions").and_then(Value::as_list).unwrap_or_default();
        result.requirements.extend(expressions.iter().map(expression));
        result
    }

    /// True when an object with these labels is selected.
    pub fn matches(&self, labels: Option<&Map>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// True when it selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// A key with the one value it must have, when there is such a requirement: good for an index.
    pub fn exact(&self) -> Option<(&Str, &Str)> {
        self.requirements.iter().find_map(|requirement| match (requirement.operator, requirement.values.as_slice()) {
            (Operator::In, [value]) => Some((&requirement.key, value)),
            _ => None,
        })
    }
}

/// The text form.
impl fmt::Display for LabelSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            requirement.fmt(formatter)?;
        }
        Ok(())
    }
}

fn expression(expression: &Value) -> LabelRequirement {
    let values = expression.get("values").and_then(Value::as_list).unwrap_or_default();
    let mut values: Vec<Str> = values.iter().filter_map(Value::as_str).map(Str::new).collect();
    values.sort();
    values.dedup();
    let operator = match expression.str_at(&["operator"]) {
        Some("NotIn") => Operator::NotIn,
        Some("Exists") => Operator::Exists,
        Some("DoesNotExist") => Operator::DoesNotExist,
        _ => Operator::In,
    };
    LabelRequirement { key: Str::new(expression.str_at(&["key"]).unwrap_or_default()), operator, values }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn requirements(&mut self) -> Result<Vec<LabelRequirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Not => {
                    requirements
                        .push(self.requirement().map_err(|error| format!("unable to parse requirement: {error}"))?);
                }
                other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.text())),
            }
            match self.next() {
                Token::End => return Ok(requirements),
                Token::Comma => self.expect_another()?,
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
        }
    }

    fn expect_another(&self) -> Result<(), String> {
        match self.peek() {
            Token::Word(_) | Token::Not => Ok(()),
            other => Err(format!("found '{}', expected: identifier after ','", other.text())),
        }
    }

    fn requirement(&mut self) -> Result<LabelRequirement, String> {
        let absent = *self.peek() == Token::Not;
        if absent {
            self.at += 1;
        }
        let key = self.word("identifier")?;
        check("<nil>", &key, &label_key_errors(&key))?;
        if matches!(self.peek(), Token::End | Token::Comma) || absent {
            let operator = if absent { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(LabelRequirement { key, operator, values: Vec::new() });
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn if self.tokens[self.at - 1].text().ends_with("in") => self.set()?,
            _ => vec![self.exact()?],
        };
        validated(key, operator, values)
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let token = self.next();
        Ok(match &token {
            Token::Equal | Token::DoubleEqual => Operator::In,
            Token::NotEqual => Operator::NotIn,
            Token::Greater => Operator::GreaterThan,
            Token::Less => Operator::LessThan,
            Token::Word(word) if word == "in" => Operator::In,
            Token::Word(word) if word == "notin" => Operator::NotIn,
            other => {
                return Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text()));
            }
        })
    }

    fn set(&mut self) -> Result<Vec<Str>, String> {
        let open = self.next();
        if open != Token::Open {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        if *self.peek() == Token::Close {
            self.at += 1;
            return Ok(vec![Str::default()]);
        }
        let mut values = Vec::new();
        loop {
            values.push(match self.peek() {
                Token::Word(_) => self.word("identifier")?,
                Token::Comma | Token::Close => Str::default(),
                other => return Err(format!("found '{}', expected: ',', ')' or identifier", other.text())),
            });
            match self.next() {
                Token::Comma => {}
                Token::Close => return Ok(values),
                other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
            }
        }
    }

    fn exact(&mut self) -> Result<Str, String> {
        match self.peek() {
            Token::End | Token::Comma => Ok(Str::default()),
            _ => self.word("identifier"),
        }
    }

    fn word(&mut self, expected: &str) -> Result<Str, String> {
        match self.next() {
            Token::Word(word) => Ok(word),
            other => Err(format!("found '{}', expected: {expected}", other.text())),
        }
    }
}

fn validated(key: Str, operator: Operator, mut values: Vec<Str>) -> Result<LabelRequirement, String> {
    if values.is_empty() {
        let error = "for 'in', 'notin' operators, values set can't be empty";
        return Err(FieldError::invalid("values", &Value::list([]), error).to_string());
    }
    values.sort();
    values.dedup();
    for (index, value) in values.iter().enumerate() {
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) && value.parse::<i64>().is_err() {
            let error = "for 'Gt', 'Lt' operators, the value must be an integer";
            return Err(
                FieldError::invalid(format!("values[{index}]"), &Value::String(value.clone()), error).to_string()
            );
        }
        check(&format!("values[{index}][{key}]"), value, &label_value_errors(value))?;
    }
    Ok(LabelRequirement { key, operator, values })
}

fn check(field: &str, text: &str, errors: &[String]) -> Result<(), String> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(FieldError::invalid(field, &Value::from(text), errors.join("; ")).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects() {
        let labels = Value::map([("a", Value::from("b")), ("n", Value::from("7"))]);
        for (selector, expected) in [
            ("", true),
            ("a=b", true),
            ("a==b,n", true),
            ("a!=b", false),
            ("x!=b", true),
            ("a in (b,c)", true),
            ("a notin (b)", false),
            ("x notin (b)", true),
            ("!x", true),
            ("!a", false),
            ("n>5", true),
            ("n<5", false),
            ("a=", false),
            ("in=b", false),
            ("a in (b), n in (7)", true),
        ] {
            assert_eq!(LabelSelector::parse(selector).unwrap().matches(labels.as_map()), expected, "{selector}");
        }
    }

    #[test]
    fn words_syntax_errors_like_the_reference() {
        for (selector, error) in [
            ("a=b=c", "found '=', expected: ',' or 'end of string'"),
            ("=", "found '=', expected: !, identifier, or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ] {
            assert_eq!(LabelSelector::parse(selector).unwrap_err(), error, "{selector}");
        }
        let error = LabelSelector::parse("-bad").unwrap_err();
        assert!(error.starts_with("unable to parse requirement: <nil>: Invalid value: \"-bad\": "), "{error}");
    }

    #[test]
    fn object_form_prints_as_text() {
        let value = kro_value::from_json(
            r#"{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"NotIn","values":["y","x"]},{"key":"d","operator":"Exists"}]}"#,
        );
        assert_eq!(LabelSelector::from_value(&value.unwrap()).to_string(), "a=b,c notin (x,y),d");
    }
}
