//! What Go's command lines allow, and ours for the controller too.

use std::ffi::OsString;
use std::time::Duration;

/// Go takes `-flag` for `--flag`. Only for the controller, which has no flags of one letter that take values.
pub fn spell_flags(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|command| command == "controller") {
        for argument in arguments.iter_mut().skip(2) {
            let has_one_dash = argument.to_str().is_some_and(|text| {
                text.len() > 2 && text.starts_with('-') && text[1..].starts_with(|first: char| first.is_alphabetic())
            });
            if has_one_dash {
                let mut spelled = OsString::from("-");
                spelled.push(&argument);
                *argument = spelled;
            }
        }
    }
    arguments
}

/// `1h30m`, `200ms`, `0`: what Go's `time.ParseDuration` takes, without signs.
pub fn duration(text: &str) -> Result<Duration, String> {
    let malformed = || format!("{text:?} is no duration such as 15s, 200ms or 1m30s");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(malformed)?;
        let number: f64 = rest[..digits].parse().map_err(|_| malformed())?;
        let after = &rest[digits..];
        let end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let seconds = match &after[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(malformed()),
        };
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| malformed())?;
        total = total.checked_add(part).ok_or_else(malformed)?;
        rest = &after[end..];
    }
    if text.is_empty() { Err(malformed()) } else { Ok(total) }
}

/// What Go's `strconv.ParseBool` takes.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(format!("{other:?} is not a bool")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dash_is_enough_for_the_controller() {
        let spell = |line: &str| {
            let spelled = spell_flags(line.split(' ').map(OsString::from));
            spelled.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            spell("kro controller -leader-elect=false --log json -h"),
            "kro controller --leader-elect=false --log json -h"
        );
        assert_eq!(spell("kro validate -output json"), "kro validate -output json");
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, ms) in [("15s", 15_000), ("200ms", 200), ("1m30s", 90_000), ("1.5h", 5_400_000), ("0", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "15", "s", "-1s", "1d", "1s2", "1..s", "99999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
