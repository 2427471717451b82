//! The wire format: tags, varints and lengths.

/// The content of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A varint.
    Number(u64),
    /// Eight bytes, little end first.
    Fixed(u64),
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message in order, each with its tag.
pub(super) fn items(mut bytes: &[u8]) -> Result<Vec<(u32, Item<'_>)>, String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let tag = u32::try_from(key >> 3).map_err(|_| "malformed tag".to_owned())?;
        let item = match key & 7 {
            0 => Item::Number(varint(&mut bytes)?),
            1 => Item::Fixed(fixed(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).map_err(|_| "malformed length".to_owned())?;
                let (content, rest) = bytes.split_at_checked(length).ok_or("unexpected end of message")?;
                bytes = rest;
                Item::Bytes(content)
            }
            5 => Item::Fixed(fixed(&mut bytes, 4)?),
            other => return Err(format!("unknown wire type {other}")),
        };
        found.push((tag, item));
    }
    Ok(found)
}

/// The numbers of a packed field.
pub(super) fn packed(mut bytes: &[u8]) -> Result<Vec<u64>, String> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(varint(&mut bytes)?);
    }
    Ok(numbers)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or("unexpected end of message")?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("number is too long".to_owned())
}

fn fixed(bytes: &mut &[u8], length: usize) -> Result<u64, String> {
    let (content, rest) = bytes.split_at_checked(length).ok_or("unexpected end of message")?;
    *bytes = rest;
    Ok(content.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
