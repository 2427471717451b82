use std::fmt;

/// What is wrong with a question, an environment or an encoded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError(pub String);

impl WireError {
    /// This error with a place before it: `binding x: …`.
    #[must_use]
    pub fn within(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl From<&str> for WireError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for WireError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WireError {}
