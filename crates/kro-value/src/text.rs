/// Whether two texts are the same. For short ones, as names of fields are, this is quicker than a comparison of memory.
#[inline]
pub fn same_text(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    // the first and the last eight (or four) bytes overlap where there are fewer than twice as many
    if let (Some(first), Some(other_first)) = (left.first_chunk::<8>(), right.first_chunk::<8>()) {
        let last = left.last_chunk::<8>() == right.last_chunk::<8>();
        return first == other_first && last && (left.len() <= 16 || left == right);
    }
    if let (Some(first), Some(other_first)) = (left.first_chunk::<4>(), right.first_chunk::<4>()) {
        return first == other_first && left.last_chunk::<4>() == right.last_chunk::<4>();
    }
    left.iter().eq(right)
}

/// The first eight bytes as a number that orders as they do, with zeros after a shorter text. Where two are equal, the texts
/// have to be compared.
#[inline]
pub(crate) fn prefix(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if let Some(first) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // the last four bytes begin with some of the first four, which are shifted out
        let rest = u32::from_be_bytes(*last).checked_shl(8 * (8 - bytes.len() as u32)).unwrap_or(0);
        return u64::from(u32::from_be_bytes(*first)) << 32 | u64::from(rest);
    }
    bytes.iter().enumerate().fold(0, |prefix, (at, byte)| prefix | u64::from(*byte) << (56 - 8 * at))
}

#[cfg(test)]
mod tests {
    use super::{prefix, same_text};

    #[test]
    fn prefixes_order_as_texts_do() {
        let texts = [
            "",
            "a",
            "a\0",
            "ab",
            "abc",
            "abcd",
            "abcda",
            "abcdb",
            "abcdef",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "b",
            "é",
        ];
        for left in texts {
            for right in texts {
                let order = prefix(left).cmp(&prefix(right));
                assert!(order.is_eq() || order == left.cmp(right), "{left:?} {right:?}");
            }
        }
        assert!(prefix("abcda") < prefix("abcdb"));
    }

    #[test]
    fn agrees_with_equality() {
        let long = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..=long.len() {
            let text = &long[..length];
            assert!(same_text(text, text), "{text}");
            for at in 0..length {
                let mut other = text.to_owned();
                other.replace_range(at..=at, "_");
                assert!(!same_text(text, &other), "{text} {other}");
            }
            assert!(!same_text(text, &format!("{text}x")), "{text}");
        }
    }
}
