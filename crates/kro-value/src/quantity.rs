use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};

use crate::Str;

/// The notation a quantity was written in, which its canonical text keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `12e6`
    DecimalExponent,
    /// `12Mi`
    BinarySi,
    /// `12M`
    DecimalSi,
}

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityError {
    /// The text has not the form of a number and a suffix.
    Format,
    /// The number has two points or no digits.
    Numeric,
    /// The suffix is unknown, or the exponent is out of range.
    Suffix,
}

/// The messages of Kubernetes.
impl fmt::Display for QuantityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            Self::Numeric => "unable to parse numeric part of quantity",
            Self::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

/// A decimal number: `value * 10^exponent`.
#[derive(Debug, Clone)]
enum Amount {
    /// What Kubernetes keeps in 64 bits.
    Small { value: i64, exponent: i32 },
    /// Anything else, without a limit of digits.
    Big { value: BigInt, exponent: i32 },
}

/// A Kubernetes quantity such as `500m`, `1.5Gi` or `12e6`: an exact decimal number and its notation.
///
/// Like the reference, it keeps at least nano precision (smaller parts are rounded away from zero), and printing gives
/// the canonical form: no fraction, the largest suffix that needs none.
#[derive(Debug, Clone)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text it was read from, when that is canonical already.
    text: Option<Str>,
}

/// Exponents beyond this are refused, so that a short text never stands for a number of millions of digits.
const EXPONENT_MAX: i64 = 4096;
const NANO: i32 = -9;

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// When the text is none, with the reference's message.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        if text == "0" {
            return Ok(Self { amount: Amount::Small { value: 0, exponent: 0 }, format: Format::DecimalSi, text: None });
        }
        let parts = Parts::split(text)?;
        let (base, exponent, format) = suffix(parts.suffix).ok_or(QuantityError::Suffix)?;
        match parts.small(base, exponent, format, text)? {
            Some(quantity) => Ok(quantity),
            None => parts.big(base, exponent, format),
        }
    }

    /// A whole number.
    pub fn from_int(value: i64) -> Self {
        Self { amount: Amount::Small { value, exponent: 0 }, format: Format::DecimalExponent, text: None }
    }

    /// True for zero.
    pub fn is_zero(&self) -> bool {
        self.sign() == 0
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i64 {
        match &self.amount {
            Amount::Small { value, .. } => value.signum(),
            Amount::Big { value, .. } => sign_of(value),
        }
    }

    /// The number as an integer, if it is one that Kubernetes keeps in 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.amount {
            Amount::Small { value, exponent } => scale_up(*value, u32::try_from(*exponent).ok()?),
            Amount::Big { .. } => None,
        }
    }

    /// The nearest double, as the reference computes it: mantissa times a power of ten.
    pub fn as_f64(&self) -> f64 {
        let (value, exponent) = match &self.amount {
            #[allow(clippy::cast_precision_loss)]
            Amount::Small { value, exponent } => (*value as f64, *exponent),
            Amount::Big { value, exponent } => (value.to_string().parse().unwrap_or(f64::NAN), *exponent),
        };
        if exponent == 0 {
            return value;
        }
        value * format!("1e{exponent}").parse::<f64>().unwrap_or(f64::NAN)
    }

    /// The order of two quantities by value; `1` equals `1000m`.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let (left, right, _) = align(&self.amount, &other.amount);
            left.cmp(&right)
        })
    }

    /// The sum, in the notation of this quantity (of the other one if this is zero).
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.plus(other, &other.amount)
    }

    /// The difference, in the notation of this quantity (of the other one if this is zero).
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.plus(other, &negated(&other.amount))
    }

    fn plus(&self, other: &Self, addend: &Amount) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        let amount = add_small(&self.amount, addend).unwrap_or_else(|| {
            let (left, right, exponent) = align(&self.amount, addend);
            Amount::Big { value: left + right, exponent }
        });
        Self { amount, format, text: None }
    }

    fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        match self.format {
            Format::BinarySi if self.prints_binary() => self.binary_text(),
            Format::BinarySi | Format::DecimalSi => self.decimal_text(Format::DecimalSi),
            Format::DecimalExponent => self.decimal_text(Format::DecimalExponent),
        }
    }

    /// Small numbers and fractions print in decimal, so that nothing is rounded.
    fn prints_binary(&self) -> bool {
        let kibi = Self::from_int(1024);
        let beyond = self.compare(&kibi).is_ge() || self.compare(&Self::from_int(-1024)).is_le();
        beyond && self.whole().is_some()
    }

    /// The value if it has no fraction.
    fn whole(&self) -> Option<BigInt> {
        let (value, exponent) = big(&self.amount);
        if exponent >= 0 {
            return Some(value * power(exponent.unsigned_abs()));
        }
        let divisor = power(exponent.unsigned_abs());
        let whole = &value / &divisor;
        (&whole * divisor == value).then_some(whole)
    }

    fn binary_text(&self) -> String {
        let (value, times) = remove_factors(self.whole().unwrap_or_default(), 1024, 6);
        let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][times.min(6) as usize];
        format!("{value}{suffix}")
    }

    fn decimal_text(&self, format: Format) -> String {
        let (value, exponent) = big(&self.amount);
        let (mut value, times) = remove_factors(value, 10, u32::MAX);
        let mut exponent = exponent + times.cast_signed();
        let spare = exponent.rem_euclid(3);
        value *= power(spare.unsigned_abs());
        exponent -= spare;
        match format {
            Format::DecimalExponent if exponent == 0 => value.to_string(),
            Format::DecimalExponent => format!("{value}e{exponent}"),
            // The reference drops the suffix of numbers beyond exa; a number that keeps its value is better.
            _ if exponent > 18 => format!("{}E", value * power((exponent - 18).unsigned_abs())),
            _ => format!("{value}{}", decimal_suffix(exponent)),
        }
    }
}

/// The canonical text.
impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => formatter.write_str(text),
            None => formatter.write_str(&self.canonical()),
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_eq()
    }
}

/// The parts of a quantity's text.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'a str,
    /// Digits after the point.
    fraction: &'a str,
    suffix: &'a str,
    /// False for texts such as `.` or `+`, which have no digit at all.
    has_digits: bool,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let stripped = unsigned.trim_start_matches('0');
        let (whole, rest) = split_digits(stripped);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        let letters = suffix.trim_start_matches(['e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P']);
        let digits = letters.strip_prefix(['-', '+']).unwrap_or(letters);
        if !split_digits(digits).1.is_empty() {
            return Err(QuantityError::Format);
        }
        let has_digits = stripped.len() < unsigned.len() || !whole.is_empty() || !fraction.is_empty();
        // "+" alone reads as zero in the reference
        Ok(Self { negative, whole, fraction, suffix, has_digits: has_digits || unsigned.is_empty() })
    }

    /// The quantity if the reference keeps it in 64 bits.
    fn small(&self, base: u32, exponent: i32, format: Format, text: &str) -> Result<Option<Quantity>, QuantityError> {
        let whole_digits = self.whole.len().max(1);
        let digits = i32::try_from(whole_digits + self.fraction.len()).unwrap_or(i32::MAX);
        let binary = base == 2 && exponent > 0;
        let room = if binary {
            15 - i32::try_from(whole_digits).unwrap_or(i32::MAX) - exponent * 3 / 10 - 1
        } else {
            18 - digits
        };
        let scale = if binary { 0 } else { exponent - i32::try_from(self.fraction.len()).unwrap_or(i32::MAX) };
        if room < 0 || (binary && !self.fraction.is_empty()) || scale < NANO {
            return Ok(None);
        }
        let whole = if self.whole.is_empty() { "0" } else { self.whole };
        let digits = || whole.bytes().chain(self.fraction.bytes());
        // there is room for all digits
        let value = digits().fold(0_i64, |value, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
        let multiplier = if binary { 1_i64 << exponent } else { 1 };
        let Some(result) = value.checked_mul(multiplier) else { return Ok(None) };
        let canonical = match format {
            Format::BinarySi => value & 7 != 0,
            _ => scale % 3 == 0 && !ends_in_thousands(digits()) && !whole.starts_with('0'),
        };
        Ok(Some(Quantity {
            amount: Amount::Small { value: if self.negative { -result } else { result }, exponent: scale },
            format,
            text: canonical.then(|| Str::new(text)),
        }))
    }

    fn big(&self, base: u32, exponent: i32, format: Format) -> Result<Quantity, QuantityError> {
        if !self.has_digits {
            return Err(QuantityError::Numeric);
        }
        let digits = format!("0{}{}", self.whole, self.fraction);
        let mut value: BigInt = digits.parse().map_err(|_| QuantityError::Numeric)?;
        let mut scale = -i32::try_from(self.fraction.len()).map_err(|_| QuantityError::Numeric)?;
        if base == 2 {
            value <<= exponent.unsigned_abs();
        } else {
            scale += exponent;
        }
        if scale < NANO {
            value = divide_up(&value, &power((NANO - scale).unsigned_abs()));
            scale = NANO;
        }
        let mut format = format;
        if format == Format::BinarySi {
            (value, scale, format) = bound_binary(value, scale);
        }
        let value = if self.negative { -value } else { value };
        Ok(Quantity { amount: Amount::Big { value, exponent: scale }, format, text: None })
    }
}

/// Binary quantities end at the largest 64-bit integer, and those below one are decimal.
fn bound_binary(value: BigInt, scale: i32) -> (BigInt, i32, Format) {
    let unit = power(scale.unsigned_abs()); // the scale is never positive here
    if value > i64::MAX * &unit {
        return (i64::MAX.into(), 0, Format::BinarySi);
    }
    let below_one = value.sign() == Sign::Plus && value < unit;
    (value, scale, if below_one { Format::DecimalSi } else { Format::BinarySi })
}

fn ends_in_thousands(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    digits.rev().take_while(|digit| *digit == b'0').take(3).count() == 3
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Base, exponent and notation of a suffix.
fn suffix(suffix: &str) -> Option<(u32, i32, Format)> {
    let decimal = |exponent| Some((10, exponent, Format::DecimalSi));
    let binary = |exponent| Some((2, exponent, Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let bounded = exponent.abs() <= EXPONENT_MAX;
            bounded.then_some((10, i32::try_from(exponent).ok()?, Format::DecimalExponent))
        }
    }
}

fn decimal_suffix(exponent: i32) -> &'static str {
    match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}

fn sign_of(value: &BigInt) -> i64 {
    match value.sign() {
        Sign::Minus => -1,
        Sign::NoSign => 0,
        Sign::Plus => 1,
    }
}

fn power(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// `dividend / divisor`, rounded away from zero; both are positive.
fn divide_up(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    (dividend + divisor - 1) / divisor
}

fn scale_up(value: i64, exponent: u32) -> Option<i64> {
    if value == 0 { Some(0) } else { value.checked_mul(10_i64.checked_pow(exponent)?) }
}

fn big(amount: &Amount) -> (BigInt, i32) {
    match amount {
        Amount::Small { value, exponent } => (BigInt::from(*value), *exponent),
        Amount::Big { value, exponent } => (value.clone(), *exponent),
    }
}

fn negated(amount: &Amount) -> Amount {
    match amount {
        Amount::Small { value, exponent } => match value.checked_neg() {
            Some(value) => Amount::Small { value, exponent: *exponent },
            None => Amount::Big { value: -BigInt::from(*value), exponent: *exponent },
        },
        Amount::Big { value, exponent } => Amount::Big { value: -value, exponent: *exponent },
    }
}

/// Both mantissas for the smaller exponent of the two.
fn align(left: &Amount, right: &Amount) -> (BigInt, BigInt, i32) {
    let ((mut left, left_exponent), (mut right, right_exponent)) = (big(left), big(right));
    let exponent = left_exponent.min(right_exponent);
    left *= power((left_exponent - exponent).unsigned_abs());
    right *= power((right_exponent - exponent).unsigned_abs());
    (left, right, exponent)
}

/// The sum if it stays in 64 bits.
fn add_small(left: &Amount, right: &Amount) -> Option<Amount> {
    let (Amount::Small { value: a, exponent: x }, Amount::Small { value: b, exponent: y }) = (left, right) else {
        return None;
    };
    if *a == 0 || *b == 0 {
        return Some(if *b == 0 { left.clone() } else { right.clone() });
    }
    let exponent = *x.min(y);
    let a = scale_up(*a, (x - exponent).unsigned_abs())?;
    let b = scale_up(*b, (y - exponent).unsigned_abs())?;
    Some(Amount::Small { value: a.checked_add(b)?, exponent })
}

/// Takes a factor out as often as it goes, at most `limit` times.
fn remove_factors(mut value: BigInt, factor: u32, limit: u32) -> (BigInt, u32) {
    let mut times = 0;
    while times < limit && value.sign() != Sign::NoSign && (&value % factor).sign() == Sign::NoSign {
        value /= factor;
        times += 1;
    }
    (value, times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(quantity: &str) -> String {
        Quantity::parse(quantity).map_or_else(|error| error.to_string(), |quantity| quantity.to_string())
    }

    #[test]
    fn prints_the_canonical_form() {
        for (written, canonical) in [
            ("0", "0"),
            ("0.1", "100m"),
            ("1.5Gi", "1536Mi"),
            ("+1", "+1"),
            ("1.", "1."),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("100k", "100k"),
            ("1000000m", "1k"),
            ("1e3", "1e3"),
            ("1e21", "1e21"),
            ("1e2000", "100e1998"),
            ("0.5Gi", "512Mi"),
            ("1Ei", "1Ei"),
            ("16Ei", "9223372036854775807"),
            ("0.0000000001", "1n"),
            ("-0.0000000001", "-1n"),
            ("12345678901234567890", "12345678901234567890"),
            ("1000E", "1000E"),
            (".5", "500m"),
            ("1K", "unable to parse quantity's suffix"),
            ("1e9999999999", "unable to parse quantity's suffix"),
            ("x", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ] {
            assert_eq!(text(written), canonical, "{written}");
        }
    }

    #[test]
    fn computes_exactly() {
        let quantity = |text| Quantity::parse(text).unwrap();
        assert_eq!(quantity("50k").add(&Quantity::from_int(20)).to_string(), "50020");
        assert_eq!(quantity("1.5Gi").add(&Quantity::from_int(1)).to_string(), "1610612737");
        assert_eq!(quantity("0").sub(&quantity("1Mi")).to_string(), "-1Mi");
        assert_eq!(quantity("8Ei").add(&quantity("8Ei")).to_string(), "18446744073709551614");
        assert_eq!(quantity("200M").compare(&quantity("0.2G")), Ordering::Equal);
        assert_eq!(quantity("50M").compare(&quantity("50Mi")), Ordering::Less);
        assert_eq!(quantity("50k").as_i64(), Some(50_000));
        assert_eq!(quantity("9999999999999999999G").as_i64(), None);
        assert!((quantity("0.1").as_f64() - 0.1).abs() < 1e-15);
    }
}
