use kro_value::Str;

/// Characters of generated names: no vowels, nothing that looks alike.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A seeded generator of uids and names (splitmix64): equal seeds give equal sequences.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or_default()
    }

    /// A version 4 UUID.
    pub(crate) fn uid(&mut self) -> Str {
        let (high, low) = (self.next(), self.next());
        let text = format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        );
        text.into()
    }

    /// Five characters for the end of a generated name.
    pub(crate) fn suffix(&mut self) -> String {
        let pick = |random: &mut Self| {
            let index = random.below(ALPHABET.len() as u64);
            char::from(ALPHABET[usize::try_from(index).unwrap_or_default()])
        };
        (0..5).map(|_| pick(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_uuids_and_suffixes() {
        let mut random = Random::new(1);
        let uid = random.uid();
        assert_eq!((uid.len(), uid.as_bytes()[14]), (36, b'4'));
        assert!(b"89ab".contains(&uid.as_bytes()[19]));
        assert!(random.suffix().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_eq!(Random::new(1).uid(), uid);
    }
}
