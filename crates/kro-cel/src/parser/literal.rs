//! The values of literal tokens.

/// Unescapes a string or bytes literal with its prefix and quotes; the message is cel-go's.
pub(crate) fn unquote(token: &str, is_bytes: bool) -> Result<Vec<u8>, &'static str> {
    const BROKEN: &str = "unable to unescape string";
    let rest = if is_bytes { token.get(1..).unwrap_or_default() } else { token };
    let (raw, quoted) = match rest.strip_prefix(['r', 'R']) {
        Some(quoted) => (true, quoted),
        None => (false, rest),
    };
    let width = if quoted.len() >= 6 && (quoted.starts_with("'''") || quoted.starts_with("\"\"\"")) { 3 } else { 1 };
    let body = quoted.get(width..quoted.len().saturating_sub(width)).ok_or(BROKEN)?;
    let body = normalize_newlines(body);
    if raw { Ok(body.into_bytes()) } else { unescape(&body, is_bytes) }
}

/// All ways to end a line count as one.
fn normalize_newlines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

fn unescape(text: &str, is_bytes: bool) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(backslash) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..backslash]);
        rest = unescape_one(&rest[backslash + 1..], is_bytes, &mut out)?;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Writes what an escape sequence (without its backslash) stands for; returns the text after it.
fn unescape_one<'t>(text: &'t str, is_bytes: bool, out: &mut Vec<u8>) -> Result<&'t str, &'static str> {
    const BROKEN: &str = "unable to unescape string";
    let letter = text.chars().next().ok_or("unable to unescape string, found '\\' as last character")?;
    let simple = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' | '\'' | '"' | '`' | '?' => letter as u8,
        _ => 0,
    };
    if simple != 0 {
        out.push(simple);
        return Ok(&text[1..]);
    }
    let (digits, radix, skipped) = match letter {
        'x' | 'X' => (2, 16, 1),
        'u' if !is_bytes => (4, 16, 1),
        'U' if !is_bytes => (8, 16, 1),
        '0'..='3' => (3, 8, 0),
        _ => return Err(BROKEN),
    };
    let end = skipped + digits;
    let number = text.get(skipped..end).and_then(|digits| u32::from_str_radix(digits, radix).ok()).ok_or(BROKEN)?;
    push_code(number, is_bytes, out)?;
    Ok(&text[end..])
}

fn push_code(number: u32, is_bytes: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if is_bytes {
        out.push(u8::try_from(number).map_err(|_| "unable to unescape string")?);
        return Ok(());
    }
    let char = char::from_u32(number).ok_or("invalid unicode code point")?;
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}

/// The value of an integer token, `-` in front if there is a sign.
pub(crate) fn int(sign: &str, token: &str) -> Option<i64> {
    let (digits, radix) = split_radix(token);
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// The value of an unsigned token with its suffix.
pub(crate) fn uint(token: &str) -> Option<u64> {
    let (digits, radix) = split_radix(token.trim_end_matches(['u', 'U']));
    u64::from_str_radix(digits, radix).ok()
}

fn split_radix(token: &str) -> (&str, u32) {
    token.strip_prefix("0x").map_or((token, 10), |digits| (digits, 16))
}

/// The value of a floating-point token; `None` when it is too large.
pub(crate) fn double(sign: &str, token: &str) -> Option<f64> {
    let value: f64 = token.parse().ok()?;
    value.is_finite().then_some(if sign.is_empty() { value } else { -value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquotes_every_form() {
        let rows: [(&str, bool, &[u8]); 10] = [
            ("'a'", false, b"a"),
            ("\"\"", false, b""),
            ("'''a'b'''", false, b"a'b"),
            ("r'\\n'", false, b"\\n"),
            ("'\\n\\x41\\u00e9\\101'", false, "\nAéA".as_bytes()),
            ("b'\\xff\\377'", true, &[0xff, 0xff]),
            ("b'é'", true, "é".as_bytes()),
            ("bR\"\"\"\\x\"\"\"", true, b"\\x"),
            ("'''a\r\nb\rc'''", false, b"a\nb\nc"),
            ("''''''", false, b""),
        ];
        for (token, is_bytes, want) in rows {
            assert_eq!(unquote(token, is_bytes).as_deref(), Ok(want), "{token}");
        }
        assert_eq!(unquote("'\\ud800'", false), Err("invalid unicode code point"));
        assert_eq!(unquote("b'\\u00ff'", true), Err("unable to unescape string"));
    }

    #[test]
    fn numbers_have_their_limits() {
        assert_eq!(int("-", "9223372036854775808"), Some(i64::MIN));
        assert_eq!(int("", "9223372036854775808"), None);
        assert_eq!(int("-", "0x80"), Some(-128));
        assert_eq!(uint("0xffffffffffffffffu"), Some(u64::MAX));
        assert_eq!(double("", "1e400"), None);
        assert_eq!(double("-", "0.0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(double("", "1e-400"), Some(0.0));
    }
}
