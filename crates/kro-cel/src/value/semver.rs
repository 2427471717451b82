use std::cmp::Ordering;
use std::fmt;

use kro_value::Str;

use crate::library::quote;

/// A semantic version. Build metadata has no part in comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semver {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// What follows a hyphen, without the dots.
    pub prerelease: Vec<Identifier>,
    /// What follows a plus sign, without the dots.
    pub build: Vec<Str>,
}

/// A part of a pre-release: numbers come before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identifier {
    /// Digits only.
    Number(u64),
    /// Letters, digits and hyphens.
    Word(Str),
}

impl Semver {
    /// Reads a version of three numbers.
    ///
    /// # Errors
    /// What is wrong, in the reference's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Version string empty".to_owned());
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("No Major.Minor.Patch elements found".to_owned());
        };
        let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
        let (patch, prerelease) = rest.split_once('-').map_or((rest, None), |(patch, tail)| (patch, Some(tail)));
        Ok(Self {
            major: number(major, "major", "Major")?,
            minor: number(minor, "minor", "Minor")?,
            patch: number(patch, "patch", "Patch")?,
            prerelease: prerelease.map_or(Ok(Vec::new()), |text| text.split('.').map(identifier).collect())?,
            build: build.map_or(Ok(Vec::new()), |text| text.split('.').map(metadata).collect())?,
        })
    }

    /// The precedence of two versions.
    pub fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => self.prerelease.cmp(&other.prerelease),
            }
        })
    }
}

impl fmt::Display for Semver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (index, part) in self.prerelease.iter().enumerate() {
            formatter.write_str(if index == 0 { "-" } else { "." })?;
            match part {
                Identifier::Number(number) => write!(formatter, "{number}")?,
                Identifier::Word(word) => formatter.write_str(word)?,
            }
        }
        for (index, part) in self.build.iter().enumerate() {
            write!(formatter, "{}{part}", if index == 0 { "+" } else { "." })?;
        }
        Ok(())
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn parse_digits(text: &str) -> Result<u64, String> {
    let problem = if text.is_empty() { "invalid syntax" } else { "value out of range" };
    text.parse().map_err(|_| format!("strconv.ParseUint: parsing {quoted}: {problem}", quoted = quote(text)))
}

fn number(text: &str, name: &str, title: &str) -> Result<u64, String> {
    if !is_number(text) {
        return Err(format!("Invalid character(s) found in {name} number {quoted}", quoted = quote(text)));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(format!("{title} number must not contain leading zeroes {quoted}", quoted = quote(text)));
    }
    parse_digits(text)
}

fn identifier(text: &str) -> Result<Identifier, String> {
    if text.is_empty() {
        return Err("Prerelease is empty".to_owned());
    }
    if is_number(text) {
        if text.len() > 1 && text.starts_with('0') {
            return Err(format!("Numeric PreRelease version must not contain leading zeroes {}", quote(text)));
        }
        return parse_digits(text).map(Identifier::Number);
    }
    if is_word(text) {
        return Ok(Identifier::Word(text.into()));
    }
    Err(format!("Invalid character(s) found in prerelease {}", quote(text)))
}

fn metadata(text: &str) -> Result<Str, String> {
    if text.is_empty() {
        return Err("Build meta data is empty".to_owned());
    }
    if is_word(text) {
        Ok(text.into())
    } else {
        Err(format!("Invalid character(s) found in build meta data {}", quote(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_the_specification_has_it() {
        let versions =
            ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.2", "1.0.0-rc.11", "1.0.0", "2.0.0"];
        for pair in versions.windows(2) {
            let [low, high] = [0, 1].map(|index| Semver::parse(pair[index]).unwrap());
            assert_eq!(low.compare(&high), Ordering::Less, "{low} {high}");
        }
        assert_eq!(Semver::parse("1.2.3-a.1+b.2").unwrap().to_string(), "1.2.3-a.1+b.2");
    }
}
