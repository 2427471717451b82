use kro_value::{Str, same_text};

/// A table by names of properties that is made once and searched often. Names are told apart by a few of their bytes first.
#[derive(Debug)]
pub struct Properties<T> {
    prints: Box<[u64]>,
    entries: Box<[(Str, T)]>,
}

impl<T> Properties<T> {
    /// The entry of a name.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&T> {
        let wanted = print(name);
        let candidates = self.prints.iter().zip(&self.entries).filter(|(print, _)| **print == wanted);
        candidates.map(|(_, entry)| entry).find(|(known, _)| same_text(known, name)).map(|(_, found)| found)
    }
}

impl<T> Default for Properties<T> {
    fn default() -> Self {
        Self { prints: Box::default(), entries: Box::default() }
    }
}

/// The first of a name counts.
impl<T> FromIterator<(Str, T)> for Properties<T> {
    fn from_iter<I: IntoIterator<Item = (Str, T)>>(entries: I) -> Self {
        let entries: Box<[(Str, T)]> = entries.into_iter().collect();
        Self { prints: entries.iter().map(|(name, _)| print(name)).collect(), entries }
    }
}

/// The length, and the first and the last bytes.
#[inline]
fn print(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mixed = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(24),
        _ => bytes.iter().fold(0, |print, byte| print << 8 | u64::from(*byte)),
    };
    mixed ^ (bytes.len() as u64).rotate_right(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in() {
        let names =
            ["", "a", "b", "ab", "spec", "status", "metadata", "containers", "initContainers", "ephemeralContainers"];
        let table: Properties<usize> = names.iter().enumerate().map(|(at, name)| (Str::new(name), at)).collect();
        for (at, name) in names.iter().enumerate() {
            assert_eq!(table.get(name), Some(&at), "{name}");
        }
        for missing in ["c", "ba", "spce", "statu", "containerS", "ephemeralcontainers"] {
            assert_eq!(table.get(missing), None, "{missing}");
        }
    }
}
