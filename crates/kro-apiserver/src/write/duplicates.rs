//! Fields that a JSON text has twice.

/// How deep objects are looked into.
const DEPTH_MAX: usize = 100;

/// The paths of the fields that occur again in their object, in the order of a text that is valid JSON.
pub(super) fn fields(text: &[u8]) -> Vec<String> {
    let mut scan = Scan { text, at: 0, path: String::new(), found: Vec::new(), depth: 0 };
    scan.value();
    scan.found
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    path: String,
    found: Vec<String>,
    depth: usize,
}

impl Scan<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn value(&mut self) {
        match self.peek() {
            Some(b'{') if self.depth < DEPTH_MAX => self.object(),
            Some(b'[') if self.depth < DEPTH_MAX => self.list(),
            Some(b'{' | b'[') => self.at = self.text.len(), // nobody writes duplicates that deep
            Some(b'"') => drop(self.string()),
            _ => {
                while self.text.get(self.at).is_some_and(|byte| !matches!(byte, b',' | b'}' | b']')) {
                    self.at += 1;
                }
            }
        }
    }

    fn object(&mut self) {
        self.at += 1;
        self.depth += 1;
        let mut keys: Vec<&[u8]> = Vec::new();
        while self.peek() == Some(b'"') {
            let range = self.string();
            let text = self.text;
            let key = text.get(range).unwrap_or_default();
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&String::from_utf8_lossy(key));
            self.peek();
            self.at += 1; // the colon
            self.value();
            if keys.contains(&key) {
                self.found.push(self.path.clone());
            } else {
                keys.push(key);
            }
            self.path.truncate(length);
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        self.depth -= 1;
    }

    fn list(&mut self) {
        self.at += 1;
        self.depth += 1;
        let mut index = 0_usize;
        while self.peek().is_some_and(|byte| byte != b']') {
            let length = self.path.len();
            self.path.push_str(&format!("[{index}]"));
            self.value();
            self.path.truncate(length);
            index += 1;
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        self.depth -= 1;
    }

    /// Where the content of a string is.
    fn string(&mut self) -> std::ops::Range<usize> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let end = self.at.min(self.text.len());
        self.at = end + 1;
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there_twice() {
        for (text, expected) in [
            ("{}", ""),
            (r#"{"a":1,"b":{"a":2}}"#, ""),
            (r#"{"a":1,"a":2}"#, "a"),
            (r#" { "m" : {"n":"x","n":"y"} , "l":[{"k":1,"k":2}, "}"], "m":{} } "#, "m.n l[0].k m"),
            (r#"{"a\"b":1,"a\"b":2}"#, r#"a\"b"#),
            ("[[[[1]]]]", ""),
            ("7", ""),
            (r#"{"a":"#, ""),
        ] {
            assert_eq!(fields(text.as_bytes()).join(" "), expected, "{text}");
        }
    }
}
