use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};

/// A moment between the years 1 and 9999, to the nanosecond, with the offset from UTC it was written in.
///
/// The offset matters only for printing; two moments with different offsets are equal.
#[derive(Clone, Copy, Debug)]
pub struct CelTimestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds on top of the seconds, 0 to 999,999,999.
    pub nanoseconds: u32,
    /// Seconds east of UTC.
    pub offset_seconds: i32,
}

impl CelTimestamp {
    /// 0001-01-01T00:00:00Z in seconds since 1970.
    pub const SECONDS_MIN: i64 = -62_135_596_800;
    /// 9999-12-31T23:59:59Z in seconds since 1970.
    pub const SECONDS_MAX: i64 = 253_402_300_799;

    /// A moment in UTC; `None` outside of the years 1 to 9999.
    pub fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        let valid = (Self::SECONDS_MIN..=Self::SECONDS_MAX).contains(&seconds) && nanoseconds < 1_000_000_000;
        valid.then_some(Self { seconds, nanoseconds, offset_seconds: 0 })
    }

    /// Nanoseconds since 1970.
    pub fn total_nanoseconds(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }

    /// The moment so many nanoseconds since 1970; `None` outside of the years 1 to 9999.
    pub fn from_total_nanoseconds(total: i128) -> Option<Self> {
        let seconds = i64::try_from(total.div_euclid(1_000_000_000)).ok()?;
        let nanoseconds = u32::try_from(total.rem_euclid(1_000_000_000)).ok()?;
        Self::new(seconds, nanoseconds)
    }
}

impl PartialEq for CelTimestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for CelTimestamp {}
impl PartialOrd for CelTimestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for CelTimestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanoseconds).cmp(&(other.seconds, other.nanoseconds))
    }
}

/// A length of time in nanoseconds, up to about 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CelDuration(pub i64);

impl CelTimestamp {
    /// Reads RFC 3339: `2026-01-01T00:00:00.5+01:00`.
    ///
    /// # Errors
    /// When the text has another form, or stands for no moment between the years 1 and 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let form = TimestampForm::read(text).ok_or(TimestampError::Form)?;
        let date = Date::new(form.year, form.month, form.day).map_err(|_| TimestampError::Value)?;
        if form.second > 59 || !text.contains('T') || text.ends_with('z') {
            return Err(TimestampError::Value);
        }
        let days = i64::from(epoch().until(date).map_err(|_| TimestampError::Range)?.get_days());
        let seconds = days * SECONDS_PER_DAY + i64::from(form.second_of_day) - i64::from(form.offset_seconds);
        let moment = Self::new(seconds, form.nanoseconds).ok_or(TimestampError::Range)?;
        Ok(Self { offset_seconds: form.offset_seconds, ..moment })
    }

    /// RFC 3339 in the offset it was written in, with as many decimals as are needed.
    pub fn to_text(self) -> String {
        let mut text = self.civil_text();
        if self.nanoseconds > 0 {
            let decimals = format!(".{:09}", self.nanoseconds);
            text.push_str(decimals.trim_end_matches('0'));
        }
        let minutes = self.offset_seconds / 60;
        match minutes {
            0 => text.push('Z'),
            _ => {
                let sign = if minutes < 0 { '-' } else { '+' };
                text.push_str(&format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60));
            }
        }
        text
    }

    /// RFC 3339 in UTC and whole seconds: the form of Kubernetes.
    pub fn to_seconds_text(self) -> String {
        let utc = Self { offset_seconds: 0, ..self };
        utc.civil_text() + "Z"
    }

    fn civil_text(self) -> String {
        let local = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            local.year(),
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second()
        )
    }

    /// Date and time of day in the offset it was written in.
    pub(crate) fn civil(self) -> DateTime {
        let local = self.seconds + i64::from(self.offset_seconds);
        let date = epoch().saturating_add(jiff::Span::new().days(local.div_euclid(SECONDS_PER_DAY)));
        let second = i32::try_from(local.rem_euclid(SECONDS_PER_DAY)).unwrap_or(0);
        let part = |value: i32| i8::try_from(value).unwrap_or(0);
        let nanoseconds = i32::try_from(self.nanoseconds).unwrap_or(0);
        let time = Time::new(part(second / 3600), part(second / 60 % 60), part(second % 60), nanoseconds);
        date.to_datetime(time.unwrap_or(Time::midnight()))
    }
}

const SECONDS_PER_DAY: i64 = 86_400;

fn epoch() -> Date {
    jiff::civil::date(1970, 1, 1)
}

/// Why a text is no timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampError {
    /// It has not the form of RFC 3339.
    Form,
    /// There is no such day or second.
    Value,
    /// It is before the year 1 or after the year 9999.
    Range,
}

/// The numbers of an RFC 3339 text.
struct TimestampForm {
    year: i16,
    month: i8,
    day: i8,
    second: i32,
    second_of_day: i32,
    nanoseconds: u32,
    offset_seconds: i32,
}

impl TimestampForm {
    fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let fixed = |at: usize, byte: u8| bytes.get(at).is_some_and(|found| found.eq_ignore_ascii_case(&byte));
        let layout = fixed(4, b'-') && fixed(7, b'-') && fixed(10, b'T') && fixed(13, b':') && fixed(16, b':');
        if !layout {
            return None;
        }
        let number = |at, count, range: std::ops::RangeInclusive<i32>| {
            digits(text, at, count).filter(|number| range.contains(number))
        };
        let (hour, minute, second) = (number(11, 2, 0..=23)?, number(14, 2, 0..=59)?, number(17, 2, 0..=60)?);
        let (nanoseconds, zone) = fraction(text.get(19..)?)?;
        Some(Self {
            year: i16::try_from(number(0, 4, 0..=9999)?).ok()?,
            month: i8::try_from(number(5, 2, 1..=12)?).ok()?,
            day: i8::try_from(number(8, 2, 1..=31)?).ok()?,
            second,
            second_of_day: hour * 3600 + minute * 60 + second,
            nanoseconds,
            offset_seconds: parse_offset(zone)?,
        })
    }
}

fn digits(text: &str, at: usize, count: usize) -> Option<i32> {
    let part = text.get(at..at + count)?;
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
}

/// The decimals after the seconds in nanoseconds, and the rest of the text.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 {
        return None;
    }
    let nine = format!("{:0<9}", &rest[..end.min(9)]);
    Some((nine.parse().ok()?, &rest[end..]))
}

fn parse_offset(zone: &str) -> Option<i32> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(zone, 1, 2)?, digits(zone, 4, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

impl CelDuration {
    /// Reads a duration as Go's `time.ParseDuration` does: `1h30m`, `-1.5s`, `2us`.
    pub fn parse(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Some(Self(0));
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: u128 = 0;
        while !rest.is_empty() {
            let (amount, tail) = duration_part(rest)?;
            total += amount;
            rest = tail;
        }
        if total > 1 << 63 {
            return None;
        }
        let total = i128::try_from(total).ok()?;
        i64::try_from(if negative { -total } else { total }).ok().map(Self)
    }

    /// Reads what the schemas' `duration` format takes: Go's form, and whole numbers with words such as `2 days`.
    pub fn parse_lenient(text: &str) -> Option<Self> {
        if let Some(duration) = Self::parse(text) {
            return Some(duration);
        }
        let compact: String = text.split_whitespace().collect();
        let (number, unit) = compact.split_at(compact.find(|c: char| !c.is_ascii_digit()).unwrap_or(compact.len()));
        let unit_seconds: i64 = match unit {
            "days" | "day" | "d" => 86_400,
            "weeks" | "week" | "w" => 7 * 86_400,
            "hours" | "hour" | "hrs" | "hr" | "h" => 3600,
            "minutes" | "minute" | "mins" | "min" | "m" => 60,
            "seconds" | "second" | "secs" | "sec" | "s" => 1,
            _ => return None,
        };
        number.parse::<i64>().ok()?.checked_mul(unit_seconds)?.checked_mul(1_000_000_000).map(Self)
    }

    /// The text of CEL: seconds with as many decimals as are needed, as in `-1.5s`.
    pub fn to_text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let total = self.0.unsigned_abs();
        let decimals = format!(".{:09}", total % 1_000_000_000);
        format!("{sign}{}{}s", total / 1_000_000_000, decimals.trim_end_matches('0').trim_end_matches('.'))
    }

    /// The text of Go: `1h30m0s`, `1.5ms`.
    pub fn to_go_text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let total = self.0.unsigned_abs();
        let unit = |unit: u64, name: &str| format!("{sign}{}{name}", decimal(total, unit));
        match total {
            0 => "0s".to_owned(),
            1..1_000 => unit(1, "ns"),
            1_000..1_000_000 => unit(1_000, "µs"),
            1_000_000..1_000_000_000 => unit(1_000_000, "ms"),
            _ => {
                let minutes = total / 60_000_000_000;
                let seconds = decimal(total % 60_000_000_000, 1_000_000_000);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => format!("{sign}{seconds}s"),
                    (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                    (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

/// `total / unit` without trailing zeros; the unit is a power of ten.
fn decimal(total: u64, unit: u64) -> String {
    let rest = total % unit;
    if rest == 0 {
        return (total / unit).to_string();
    }
    let width = unit.ilog10() as usize;
    let decimals = format!("{rest:0width$}");
    format!("{}.{}", total / unit, decimals.trim_end_matches('0'))
}

/// The leading number and unit of a duration in nanoseconds, and the rest of the text.
fn duration_part(text: &str) -> Option<(u128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, mut rest) = text.split_at(end);
    let mut decimals = "";
    if let Some(tail) = rest.strip_prefix('.') {
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        (decimals, rest) = tail.split_at(end);
    }
    if whole.is_empty() && decimals.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok().filter(|whole| *whole <= 1 << 63)? };
    let decimals = &decimals[..decimals.len().min(18)];
    let part = decimals.parse::<u128>().unwrap_or(0) * unit / 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    let total = whole * unit + part;
    (total <= 1 << 63).then_some((total, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_go_has_them() {
        for (text, cel, go) in [
            ("1h30m", Some("5400s"), "1h30m0s"),
            ("-1.5s", Some("-1.5s"), "-1.5s"),
            ("1.5ms", Some("0.0015s"), "1.5ms"),
            ("100us", Some("0.0001s"), "100µs"),
            (".5m", Some("30s"), "30s"),
            ("0", Some("0s"), "0s"),
            ("1", None, ""),
            ("", None, ""),
            ("1d", None, ""),
            ("9223372036.854775807s", Some("9223372036.854775807s"), "2562047h47m16.854775807s"),
            ("2562048h", None, ""),
        ] {
            let duration = CelDuration::parse(text);
            assert_eq!(duration.map(CelDuration::to_text).as_deref(), cel, "{text}");
            assert_eq!(duration.map(CelDuration::to_go_text).unwrap_or_default(), go, "{text}");
        }
    }

    #[test]
    fn timestamps_keep_their_offset() {
        for (text, printed) in [
            ("2026-01-01T00:00:00.50+01:30", Some("2026-01-01T00:00:00.5+01:30")),
            ("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z")),
            ("2026-02-29T00:00:00Z", None),
            ("2026-01-01T24:00:00Z", None),
            ("2026-01-01", None),
            ("2026-01-01T00:00:00.Z", None),
        ] {
            assert_eq!(CelTimestamp::parse(text).map(CelTimestamp::to_text).ok().as_deref(), printed, "{text}");
        }
    }
}
