//! A text that a regular expression matches.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Longer texts are given up.
const LETTERS_MAX: usize = 4096;
/// How deep expressions may nest.
const DEPTH_MAX: usize = 64;
/// How many repetitions beyond the needed ones are tried, to become long enough.
const EXTRA_MAX: u32 = 256;

/// A short text that matches and has at least `min` letters; `None` when none was found.
pub fn find_match(pattern: &str, min: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut extra = 0;
    loop {
        let mut text = Text { out: String::new(), extra };
        text.write(&hir, DEPTH_MAX)?;
        if text.out.chars().count() >= min {
            return Some(text.out);
        }
        if extra == EXTRA_MAX {
            return None;
        }
        extra = if extra < 16 { extra + 1 } else { (extra * 2).min(EXTRA_MAX) };
    }
}

struct Text {
    out: String,
    /// Repetitions beyond the needed ones, where more are allowed.
    extra: u32,
}

impl Text {
    fn write(&mut self, hir: &Hir, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if self.out.len() > LETTERS_MAX {
            return None;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(()),
            HirKind::Literal(literal) => {
                self.out.push_str(std::str::from_utf8(&literal.0).ok()?);
                Some(())
            }
            HirKind::Class(class) => {
                self.out.push(letter(class)?);
                Some(())
            }
            HirKind::Repetition(repetition) => {
                let count = repetition.min.saturating_add(self.extra);
                let count = repetition.max.map_or(count, |max| count.min(max));
                (0..count).try_for_each(|_| self.write(&repetition.sub, depth))
            }
            HirKind::Capture(capture) => self.write(&capture.sub, depth),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part, depth)),
            HirKind::Alternation(branches) => self.write(branches.first()?, depth),
        }
    }
}

/// A letter of the class, a plain one if there is one.
fn letter(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let is_in = |letter: &char| ranges.iter().any(|(start, end)| (start..=end).contains(&letter));
    let first = ranges.first().map(|(start, _)| *start);
    ['a', '1', 'A', '-', '.', '/', 'b'].into_iter().find(is_in).or(first)
}

#[cfg(test)]
mod tests {
    use super::find_match;

    #[test]
    fn texts_match() {
        for (pattern, min, text) in [
            ("^[a-z]+$", 0, "a"),
            ("^[a-z]+$", 4, "aaaa"),
            ("^v[0-9]+\\.[0-9]+$", 0, "v1.1"),
            ("^(dev|prod)-[a-z]{3}$", 0, "dev-aaa"),
            ("x{2,3}", 3, "xxx"),
            ("", 0, ""),
        ] {
            assert_eq!(find_match(pattern, min).as_deref(), Some(text), "{pattern}");
        }
        for (pattern, min) in [("^a$", 2), ("(", 0), ("((a{900}){900}){900}", 0), ("[^\\s\\S]", 0)] {
            assert_eq!(find_match(pattern, min), None, "{pattern}");
        }
    }
}
