//! Texts that are nearly expressions.

use crate::random::Random;

const PIECES: [&str; 44] = [
    "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "'", "\"", "\\", "+", "-", "*", "/", "%", "<", ">", "=", "!",
    "&", "|", "@", "#", "$", "0", "a", "u", " ", "\n", ".?", "[?", "&&", "==", " in ", "b'", "r\"", "`", "true", "1.",
    "0x", "ä",
];

/// Changes a text in one or two places.
pub fn mutate(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(chars.len() + 1);
        match random.below(6) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 => chars.truncate(at),
            2 => {
                let other = random.below(chars.len().max(1));
                if at < chars.len() && other < chars.len() {
                    chars.swap(at, other);
                }
            }
            3 => {
                let end = (at + random.below(6)).min(chars.len());
                let copied: Vec<char> = chars[at.min(end)..end].to_vec();
                let to = random.below(chars.len() + 1);
                chars.splice(to..to, copied);
            }
            _ => {
                let piece = random.pick(&PIECES).unwrap_or(" ");
                chars.splice(at..at, piece.chars());
            }
        }
    }
    chars.into_iter().collect()
}
