//! From RE2 syntax to that of the regex crate. Both accept nearly the same expressions, but the crate's classes such as
//! `\d` are Unicode where RE2's are ASCII, and it has set operators inside of brackets that RE2 reads as characters.

/// Classes such as `[:alpha:]`.
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// The names of character classes, sorted.
const PROPERTIES: [&str; 200] = [
    "adlam",
    "ahom",
    "any",
    "arabic",
    "armenian",
    "ascii",
    "assigned",
    "avestan",
    "balinese",
    "bamum",
    "batak",
    "bengali",
    "bhaiksuki",
    "bopomofo",
    "brahmi",
    "braille",
    "buginese",
    "buhid",
    "c",
    "carian",
    "casedletter",
    "cc",
    "cf",
    "chakma",
    "cham",
    "cherokee",
    "chorasmian",
    "closepunctuation",
    "cn",
    "cntrl",
    "co",
    "combiningmark",
    "common",
    "connectorpunctuation",
    "control",
    "coptic",
    "cs",
    "cuneiform",
    "currencysymbol",
    "cypriot",
    "cyrillic",
    "dashpunctuation",
    "decimalnumber",
    "deseret",
    "devanagari",
    "digit",
    "dogra",
    "duployan",
    "elbasan",
    "elymaic",
    "enclosingmark",
    "ethiopic",
    "finalpunctuation",
    "format",
    "georgian",
    "glagolitic",
    "gothic",
    "grantha",
    "greek",
    "gujarati",
    "gurmukhi",
    "han",
    "hangul",
    "hanunoo",
    "hatran",
    "hebrew",
    "hiragana",
    "inherited",
    "initialpunctuation",
    "javanese",
    "kaithi",
    "kannada",
    "katakana",
    "kawi",
    "kharoshthi",
    "khmer",
    "khojki",
    "khudawadi",
    "l",
    "lao",
    "latin",
    "lc",
    "lepcha",
    "letter",
    "letternumber",
    "limbu",
    "lineseparator",
    "lisu",
    "ll",
    "lm",
    "lo",
    "lowercaseletter",
    "lt",
    "lu",
    "lycian",
    "lydian",
    "m",
    "mahajani",
    "makasar",
    "malayalam",
    "mandaic",
    "manichaean",
    "marchen",
    "mark",
    "mathsymbol",
    "mc",
    "me",
    "medefaidrin",
    "miao",
    "mn",
    "modi",
    "modifierletter",
    "modifiersymbol",
    "mongolian",
    "mro",
    "multani",
    "myanmar",
    "n",
    "nabataean",
    "nandinagari",
    "nd",
    "newa",
    "nko",
    "nl",
    "no",
    "nonspacingmark",
    "number",
    "nushu",
    "ogham",
    "openpunctuation",
    "oriya",
    "osage",
    "osmanya",
    "other",
    "otherletter",
    "othernumber",
    "otherpunctuation",
    "othersymbol",
    "p",
    "palmyrene",
    "paragraphseparator",
    "pc",
    "pd",
    "pe",
    "pf",
    "phoenician",
    "pi",
    "po",
    "privateuse",
    "ps",
    "punct",
    "punctuation",
    "rejang",
    "runic",
    "s",
    "samaritan",
    "saurashtra",
    "sc",
    "separator",
    "sharada",
    "shavian",
    "siddham",
    "sinhala",
    "sk",
    "sm",
    "so",
    "sogdian",
    "soyombo",
    "spaceseparator",
    "spacingmark",
    "sundanese",
    "surrogate",
    "symbol",
    "syriac",
    "tagalog",
    "tagbanwa",
    "takri",
    "tamil",
    "tangsa",
    "tangut",
    "telugu",
    "thaana",
    "thai",
    "tibetan",
    "tifinagh",
    "tirhuta",
    "titlecaseletter",
    "toto",
    "ugaritic",
    "unassigned",
    "uppercaseletter",
    "vai",
    "vithkuqi",
    "wancho",
    "yezidi",
    "yi",
    "z",
    "zl",
    "zp",
    "zs",
];

/// The largest count of a repetition.
const REPEAT_MAX: u32 = 1000;

/// The expression in the syntax of the regex crate.
///
/// # Errors
/// What RE2 refuses and the crate accepts, in Go's words.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut repeats = Repeats::default();
    let mut rest = pattern;
    while let Some(mut character) = rest.chars().next() {
        let before = rest;
        rest = match character {
            '\\' => escape(rest, &mut out)?,
            '[' => class(rest, &mut out)?,
            '{' => brace(rest, &mut out),
            '(' if is_unsupported_group(rest) => {
                return Err(format!("invalid or unsupported Perl syntax: `{}`", group_head(rest)));
            }
            '(' if rest.starts_with("(?P<") || rest.starts_with("(?<") => named_group(rest, &mut out)?,
            '(' if rest.starts_with("(?") => {
                let (opens, rest) = flags(rest, &mut out)?;
                character = if opens { '(' } else { ' ' };
                rest
            }
            _ => {
                out.push(character);
                &rest[character.len_utf8()..]
            }
        };
        repeats.see(pattern, before, character)?;
    }
    Ok(out)
}

/// What RE2 allows of repetitions: not one right after the other, and no more than a thousand copies of anything.
#[derive(Default)]
struct Repeats {
    /// Where the repetition starts that ends here.
    last: Option<usize>,
    /// Where the repetition that is being read ends; it may have a question mark of its own.
    end: usize,
    /// Copies of what was read last.
    copies: u32,
    /// The most copies inside of each group that is open.
    groups: Vec<u32>,
}

impl Repeats {
    fn see(&mut self, pattern: &str, text: &str, character: char) -> Result<(), String> {
        let at = pattern.len() - text.len();
        if at < self.end {
            return Ok(()); // the question mark or the bounds of the repetition before
        }
        let bounds = if character == '{' { repeat(text) } else { None };
        let length = match (&bounds, character) {
            (Some((shown, _)), _) => shown.len(),
            (None, '*' | '+' | '?') => 1,
            _ => {
                self.see_operand(character);
                return Ok(());
            }
        };
        self.end = at + length + usize::from(text[length..].starts_with('?'));
        if let Some(start) = self.last {
            return Err(format!("invalid nested repetition operator: `{}`", &pattern[start..self.end]));
        }
        self.last = Some(at);
        if let Some((shown, bounds)) = bounds {
            self.copies = self.copies.max(1).saturating_mul(bounds.into_iter().max().unwrap_or(1).max(1));
            if self.copies > REPEAT_MAX {
                return Err(format!("invalid repeat count: `{shown}`"));
            }
        }
        Ok(())
    }

    fn see_operand(&mut self, character: char) {
        self.last = None;
        let copies = std::mem::replace(&mut self.copies, 1);
        if let Some(most) = self.groups.last_mut() {
            *most = copies.max(*most);
        }
        match character {
            '(' => self.groups.push(1),
            ')' => self.copies = self.groups.pop().unwrap_or(1),
            _ => {}
        }
    }
}

/// Look-around and other groups of Perl.
fn is_unsupported_group(text: &str) -> bool {
    ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?#", "(?P=", "(?P>", "(?x", "(?u", "(?R"]
        .iter()
        .any(|head| text.starts_with(head))
}

fn group_head(text: &str) -> &str {
    let length = if text.starts_with("(?<") { 4 } else { 3 };
    text.get(..length).unwrap_or(text)
}

/// The head of a group with a name. Nothing reads the name, and two groups may share one, so it is left out.
fn named_group<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let start = text.find('<').map_or(0, |at| at + 1);
    let Some(length) = text[start..].find('>') else {
        return Err(format!("invalid named capture: `{text}`"));
    };
    let name = &text[start..start + length];
    let end = start + length + 1;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(format!("invalid named capture: `{}`", &text[..end]));
    }
    out.push('(');
    Ok(&text[end..])
}

/// Flags: `(?i-s)`, or `(?i-s:` at the start of a group. Returns whether a group opens, and the rest. A flag may be said twice,
/// which the crate does not take; what is turned off is off.
fn flags<'a>(text: &'a str, out: &mut String) -> Result<(bool, &'a str), String> {
    let (mut on, mut off) = (String::new(), String::new());
    let mut minus = false;
    for (at, character) in text.char_indices().skip(2) {
        match character {
            'i' | 'm' | 's' | 'U' => {
                let side = if minus { &mut off } else { &mut on };
                if !side.contains(character) {
                    side.push(character);
                }
            }
            '-' if !minus => minus = true,
            ':' | ')' if !minus || !off.is_empty() => {
                on.retain(|flag| !off.contains(flag));
                let opens = character == ':';
                if opens || !on.is_empty() || !off.is_empty() {
                    let minus = if off.is_empty() { "" } else { "-" };
                    out.push_str(&format!("(?{on}{minus}{off}{character}"));
                }
                return Ok((opens, &text[at + 1..]));
            }
            _ => {
                let end = at + character.len_utf8();
                return Err(format!("invalid or unsupported Perl syntax: `{}`", &text[..end]));
            }
        }
    }
    Err(format!("invalid or unsupported Perl syntax: `{text}`"))
}

/// A brace that opens no repetition is a character in RE2.
fn brace<'a>(text: &'a str, out: &mut String) -> &'a str {
    out.push_str(if repeat(text).is_some() { "{" } else { "\\{" });
    &text[1..]
}

/// The bounds of a repetition such as `{2,5}`.
fn repeat(text: &str) -> Option<(&str, Vec<u32>)> {
    let end = text.find('}')?;
    let inner = &text[1..end];
    let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
    let digits = |part: &str| {
        let leading_zero = part.len() > 1 && part.starts_with('0');
        !part.is_empty() && !leading_zero && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(least) || !(most.is_empty() || digits(most)) {
        return None;
    }
    let bounds = [least, most].into_iter().filter(|part| !part.is_empty()).map(|part| part.parse().unwrap_or(u32::MAX));
    Some((&text[..=end], bounds.collect()))
}

/// An escape outside of brackets; returns the rest.
fn escape<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let Some(character) = text[1..].chars().next() else {
        return Err("trailing backslash at end of expression: ``".to_owned());
    };
    if let Some(rest) = octal(&text[1..], out) {
        return Ok(rest);
    }
    let rest = &text[1 + character.len_utf8()..];
    match character {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str("[\\t\\n\\f\\r ]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        'b' => out.push_str("(?-u:\\b)"),
        // a byte offset that is no boundary of ASCII words may only lie between characters here
        'B' => out.push_str("\\B"),
        'p' | 'P' => return property(text, out),
        'Q' => return Ok(quoted(rest, out)),
        'C' | '1'..='9' | 'u' | 'U' => return Err(format!("invalid escape sequence: `\\{character}`")),
        '<' | '>' => out.push(character),
        _ => {
            out.push('\\');
            out.push(character);
        }
    }
    Ok(rest)
}

/// A character by its number: up to three octal digits, at least two unless the first is zero. Returns the rest.
fn octal<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let count = text.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let (digits, rest) = text.split_at(count);
    if count == 0 || (count == 1 && digits != "0") {
        return None;
    }
    let number = u32::from_str_radix(digits, 8).ok()?;
    out.push_str(&format!("\\x{{{number:x}}}"));
    Some(rest)
}

/// A class of characters such as `\p{Greek}`; returns the rest. Go knows general categories with their aliases, and those
/// scripts of Unicode 15 whose names are one word, all without regard to case, spaces, underscores and hyphens.
fn property<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let end = match text[2..].chars().next() {
        Some('{') => text.find('}').map_or(text.len(), |end| end + 1),
        Some(letter) => 2 + letter.len_utf8(),
        None => text.len(),
    };
    let class = &text[..end];
    let name = class[2..].trim_start_matches('{').trim_end_matches('}');
    let (turned, name) = name.strip_prefix('^').map_or((false, name), |name| (true, name));
    let plain: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect();
    if PROPERTIES.binary_search(&plain.as_str()).is_err() {
        return Err(format!("invalid character class range: `{class}`"));
    }
    let negative = class.starts_with("\\P") != turned;
    if matches!(plain.as_str(), "cs" | "surrogate") {
        // no text holds halves of surrogate pairs
        out.push_str(if negative { "[\\x{0}-\\x{10ffff}]" } else { "[^\\x{0}-\\x{10ffff}]" });
    } else {
        out.push_str(if negative { "\\P{" } else { "\\p{" });
        out.push_str(&plain);
        out.push('}');
    }
    Ok(&text[end..])
}

/// `\Q...\E`: the text in between as it is.
fn quoted<'a>(text: &'a str, out: &mut String) -> &'a str {
    let (literal, rest) = text.split_once("\\E").unwrap_or((text, ""));
    out.push_str(&regex::escape(literal));
    rest
}

/// A bracket expression; returns the rest.
fn class<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let mut rest = &text[1..];
    out.push('[');
    if let Some(tail) = rest.strip_prefix('^') {
        out.push('^');
        rest = tail;
    }
    let mut first = true;
    while let Some(character) = rest.chars().next() {
        let next = &rest[character.len_utf8()..];
        match character {
            ']' if !first => {
                out.push(']');
                return Ok(next);
            }
            '[' if rest.starts_with("[:") && rest[2..].contains(":]") => {
                let end = rest[2..].find(":]").unwrap_or(0) + 4;
                let name = rest[2..end - 2].strip_prefix('^').unwrap_or(&rest[2..end - 2]);
                if !POSIX_CLASSES.contains(&name) {
                    return Err(format!("invalid character class range: `{}`", &rest[..end]));
                }
                out.push_str(&rest[..end]);
                rest = &rest[end..];
                first = false;
                continue;
            }
            '\\' => {
                rest = class_escape(rest, out)?;
                first = false;
                continue;
            }
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(character);
            }
            // a range to a hyphen, which the crate would read as a difference of sets
            '-' if next.starts_with('-') => {
                out.push_str("-\\-");
                rest = &next[1..];
                first = false;
                continue;
            }
            _ => out.push(character),
        }
        rest = next;
        first = false;
    }
    Err(format!("missing closing ]: `{text}`"))
}

fn class_escape<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let Some(character) = text[1..].chars().next() else {
        return Err(format!("missing closing ]: `{text}`"));
    };
    if let Some(rest) = octal(&text[1..], out) {
        return Ok(rest);
    }
    let rest = &text[1 + character.len_utf8()..];
    match character {
        'p' | 'P' => return property(text, out),
        'd' => out.push_str("0-9"),
        'w' => out.push_str("0-9A-Za-z_"),
        's' => out.push_str("\\t\\n\\f\\r "),
        'D' => out.push_str("[^0-9]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        _ => {
            out.push('\\');
            out.push(character);
        }
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::super::regexes::compile;

    #[test]
    fn matches_as_re2_does() {
        for (pattern, text, matched) in [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^[\w&&]+$", "a&b", true),
            (r"a{,3}", "a{,3}", true),
            (r"[[:alpha:]-]+", "a-b", true),
            (r"^[]a]+$", "]a", true),
            (r"\Qa.b\E", "axb", false),
            (r"^\s$", "\u{a0}", false),
            (r"^\p{Greek}[\pL]$", "αb", true),
            (r"^\101\0[\60-\071]$", "A\u{0}5", true),
            (r"(?i)straße", "STRASSE", false),
            (r"^[+--]+$", ",-", true),
            (r"^(?:a{2}b*?){3}c?$", "aabaabaab", true),
            (r"^(?i:A)+\*{2}$", "aa**", true),
            (r"(?)a(?ii)B(?i-i)C", "abC", true),
            (r"^(?P<n>a)(?P<n>b)(?<1>c)$", "abc", true),
            (r"^\p{greek}\pL\P{Cs}[\p{Cs}x]\p{Decimal Number}$", "αbcx1", true),
        ] {
            assert_eq!(compile(pattern).map(|regex| regex.is_match(text)), Ok(matched), "{pattern} {text}");
        }
    }

    #[test]
    fn refuses_what_re2_refuses() {
        for (pattern, message) in [
            ("a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"),
            ("[a-", "error parsing regexp: missing closing ]: `[a-`"),
            ("a**", "error parsing regexp: invalid nested repetition operator: `**`"),
            ("a+?{2}b", "error parsing regexp: invalid nested repetition operator: `+?{2}`"),
            ("((ab{100})c{2}){20}", "error parsing regexp: invalid repeat count: `{20}`"),
            ("[[::]]", "error parsing regexp: invalid character class range: `[::]`"),
            ("[[:foo:]]", "error parsing regexp: invalid character class range: `[:foo:]`"),
            ("(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
            (r"\p{IsHan}", r"error parsing regexp: invalid character class range: `\p{IsHan}`"),
            (r"\p{gc=L}", r"error parsing regexp: invalid character class range: `\p{gc=L}`"),
            (r"(?P<é>a)", "error parsing regexp: invalid named capture: `(?P<é>`"),
            (r"\C", r"error parsing regexp: invalid escape sequence: `\C`"),
            (r"(?i-)a", "error parsing regexp: invalid or unsupported Perl syntax: `(?i-)`"),
            (r"a\", "error parsing regexp: trailing backslash at end of expression: ``"),
        ] {
            assert_eq!(compile(pattern).unwrap_err().message(), message, "{pattern}");
        }
        assert!(compile("(((a{100}){100}){100})").is_err(), "the automaton is limited");
    }
}
