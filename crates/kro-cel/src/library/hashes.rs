use md5::Md5;
use sha2::{Digest, Sha256};

use super::{Outcome, function};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::CelValue;

/// kro's digests and the deterministic random values, which names of resources depend on.
pub fn hashes() -> Library {
    Library::new(
        "kro.hash",
        [
            function(
                "hash.fnv64a",
                [(
                    "hash.fnv64a_string(string) -> bytes ~ walk 0 | one",
                    (|context, args| digest(context, args, |text| fnv64a(text).to_be_bytes().to_vec()))
                        as Implementation,
                )],
            ),
            function(
                "hash.sha256",
                [(
                    "hash.sha256_string(string) -> bytes ~ walk 0 | one",
                    (|context, args| digest(context, args, |text| Sha256::digest(text).to_vec())) as Implementation,
                )],
            ),
            function(
                "hash.md5",
                [(
                    "hash.md5_string(string) -> bytes ~ walk 0 | one",
                    (|context, args| digest(context, args, |text| Md5::digest(text).to_vec())) as Implementation,
                )],
            ),
            function(
                "random.seededString",
                [("seeded_string(int, string) -> string", seeded_string as Implementation)],
            ),
            function("random.seededInt", [("seeded_int(int, int, string) -> int", seeded_int as Implementation)]),
        ],
    )
}

fn digest(context: &mut EvalContext, args: &[CelValue], code: fn(&[u8]) -> Vec<u8>) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64 / 8)?;
    context.allocate(32)?;
    Ok(CelValue::Bytes(code(text.as_bytes()).into()))
}

fn fnv64a(bytes: &[u8]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// The text repeats after eight characters, which is how many the digest has room for.
fn seeded_string(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let [CelValue::Int(length), CelValue::String(seed)] = args else { return Err(EvalError::no_overload()) };
    if *length <= 0 {
        return Err(EvalError::invalid("random.seededString length must be positive"));
    }
    let length = usize::try_from(*length).unwrap_or(usize::MAX);
    context.charge(length as u64 / 8)?;
    context.allocate(length)?;
    let digest = Sha256::digest(seed.as_bytes());
    let (words, _) = digest.as_chunks::<4>();
    let letter = |word: &[u8; 4]| char::from(ALPHABET[(u32::from_be_bytes(*word) % 36) as usize]);
    let text: String = words.iter().cycle().take(length).map(letter).collect();
    Ok(CelValue::String(text.into()))
}

fn seeded_int(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Int(least), CelValue::Int(most), CelValue::String(seed)] = args else {
        return Err(EvalError::no_overload());
    };
    if least >= most {
        return Err(EvalError::invalid("random.seededInt min must be less than max"));
    }
    let digest = Sha256::digest(seed.as_bytes());
    let number = digest.as_chunks::<8>().0.first().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let span = most.wrapping_sub(*least).cast_unsigned();
    Ok(CelValue::Int(least.wrapping_add((number % span).cast_signed())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_are_those_of_the_reference() {
        let mut context = EvalContext::unlimited();
        for (length, seed, text) in
            [(10, "test-seed", "5czheg3o5c"), (20, "test-seed", "5czheg3o5czheg3o5czh"), (8, "abc", "r6qfjs5d")]
        {
            let value = seeded_string(&mut context, &[CelValue::Int(length), seed.into()]).unwrap();
            assert_eq!(value.as_str(), Some(text));
        }
        for (least, most, seed, number) in
            [(0, 100, "test-seed", 56), (30_000, 32_768, "my-service", 31_247), (-100, -50, "seed", -58)]
        {
            let value = seeded_int(&mut context, &[CelValue::Int(least), CelValue::Int(most), seed.into()]).unwrap();
            assert_eq!(value.as_int(), Some(number));
        }
    }
}
