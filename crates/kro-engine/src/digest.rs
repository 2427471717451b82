//! Fast 64-bit digests of values, for telling whether something changed.

use kro_value::Value;

/// FNV-1a over a value's structure. Equal values have equal digests.
#[derive(Debug, Clone, Copy)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// The digest of one value.
    pub fn of(value: &Value) -> u64 {
        let mut digest = Self::default();
        digest.value(value);
        digest.finish()
    }

    /// The number.
    pub fn finish(self) -> u64 {
        self.0
    }

    /// Takes bytes in. Callers separate parts themselves.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Takes a text in, with its end.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }

    /// Takes a value in, with its type and its end.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes(b"n"),
            Value::Bool(value) => self.bytes(if *value { b"t" } else { b"f" }),
            // Equal numbers digest equally, whether they are integers or not.
            Value::Int(_) | Value::Float(_) => {
                self.bytes(b"d");
                self.bytes(&value.as_f64().unwrap_or_default().to_bits().to_le_bytes());
            }
            Value::String(text) => {
                self.bytes(b"s");
                self.text(text);
            }
            Value::List(items) => {
                self.bytes(b"[");
                items.iter().for_each(|item| self.value(item));
                self.bytes(b"]");
            }
            Value::Map(map) => {
                self.bytes(b"{");
                for (key, entry) in map {
                    self.text(key);
                    self.value(entry);
                }
                self.bytes(b"}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> u64 {
        Digest::of(&kro_value::from_json(json).unwrap())
    }

    #[test]
    fn equal_values_digest_equally_and_others_do_not() {
        assert_eq!(of(r#"{"a":1,"b":[true]}"#), of(r#"{"b":[true],"a":1.0}"#));
        let different =
            [r#"["a","b"]"#, r#"["ab"]"#, r#"[["a"],"b"]"#, r#"{"a":"b"}"#, "1", "\"1\"", "null", "[]", "{}", "-1"];
        for (position, left) in different.iter().enumerate() {
            for right in &different[position + 1..] {
                assert_ne!(of(left), of(right), "{left} {right}");
            }
        }
    }
}
