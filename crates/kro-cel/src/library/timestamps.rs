use jiff::civil::DateTime;

use super::{FunctionDecl, Outcome, members, method};
use crate::Implementation;
use crate::eval::{EvalContext, EvalError};
use crate::value::{CelTimestamp, CelValue};

/// The functions that read a part of a timestamp, and some of a duration.
pub(super) fn functions() -> Vec<FunctionDecl> {
    let mut functions = vec![
        part(
            "getFullYear",
            year,
            ["timestamp_to_year(timestamp) -> int", "timestamp_to_year_with_tz(timestamp, string) -> int"],
        ),
        part(
            "getMonth",
            month,
            ["timestamp_to_month(timestamp) -> int", "timestamp_to_month_with_tz(timestamp, string) -> int"],
        ),
        part(
            "getDayOfYear",
            day_of_year,
            [
                "timestamp_to_day_of_year(timestamp) -> int",
                "timestamp_to_day_of_year_with_tz(timestamp, string) -> int",
            ],
        ),
        part(
            "getDayOfMonth",
            day_of_month,
            [
                "timestamp_to_day_of_month(timestamp) -> int",
                "timestamp_to_day_of_month_with_tz(timestamp, string) -> int",
            ],
        ),
        part(
            "getDate",
            date,
            [
                "timestamp_to_day_of_month_1_based(timestamp) -> int",
                "timestamp_to_day_of_month_1_based_with_tz(timestamp, string) -> int",
            ],
        ),
        part(
            "getDayOfWeek",
            day_of_week,
            [
                "timestamp_to_day_of_week(timestamp) -> int",
                "timestamp_to_day_of_week_with_tz(timestamp, string) -> int",
            ],
        ),
    ];
    functions.extend(times_of_day());
    functions
}

fn times_of_day() -> [FunctionDecl; 4] {
    [
        method(
            "getHours",
            [
                ("timestamp_to_hours(timestamp) -> int", hours as Implementation),
                ("timestamp_to_hours_with_tz(timestamp, string) -> int", hours),
                ("duration_to_hours(duration) -> int", |_, args| span(args, 3_600_000_000_000)),
            ],
        ),
        method(
            "getMinutes",
            [
                ("timestamp_to_minutes(timestamp) -> int", minutes as Implementation),
                ("timestamp_to_minutes_with_tz(timestamp, string) -> int", minutes),
                ("duration_to_minutes(duration) -> int", |_, args| span(args, 60_000_000_000)),
            ],
        ),
        method(
            "getSeconds",
            [
                ("timestamp_to_seconds(timestamp) -> int", seconds as Implementation),
                ("timestamp_to_seconds_tz(timestamp, string) -> int", seconds),
                ("duration_to_seconds(duration) -> int", |_, args| span(args, 1_000_000_000)),
            ],
        ),
        method(
            "getMilliseconds",
            [
                ("timestamp_to_milliseconds(timestamp) -> int", milliseconds as Implementation),
                ("timestamp_to_milliseconds_with_tz(timestamp, string) -> int", milliseconds),
                ("duration_to_milliseconds(duration) -> int", |_, args| span(args, 1_000_000)),
            ],
        ),
    ]
}

fn part(name: &'static str, code: Implementation, signatures: [&'static str; 2]) -> FunctionDecl {
    FunctionDecl::new(name, members(signatures).into_iter().map(|overload| overload.with(code)))
}

fn year(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let moment = local(args)?;
    let later = if is_beyond(moment) { YEARS_PER_CYCLE } else { 0 };
    Ok(CelValue::Int(i64::from(civil(moment).year()) + later))
}

fn month(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.month()) - 1)
}

fn day_of_year(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.day_of_year()) - 1)
}

fn day_of_month(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.day()) - 1)
}

fn date(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.day()))
}

fn day_of_week(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.weekday().to_sunday_zero_offset()))
}

fn hours(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.hour()))
}

fn minutes(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.minute()))
}

fn seconds(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.second()))
}

fn milliseconds(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    read(args, |local| i64::from(local.subsec_nanosecond()) / 1_000_000)
}

fn span(args: &[CelValue], unit_nanoseconds: i64) -> Outcome {
    let [CelValue::Duration(duration)] = args else { return Err(EvalError::no_overload()) };
    Ok(CelValue::Int(duration.0 / unit_nanoseconds))
}

fn read(args: &[CelValue], part: fn(DateTime) -> i64) -> Outcome {
    local(args).map(|moment| CelValue::Int(part(civil(moment))))
}

/// The moment in the zone asked for, UTC without one.
fn local(args: &[CelValue]) -> Result<CelTimestamp, EvalError> {
    let (moment, offset_seconds) = match args {
        [CelValue::Timestamp(moment)] => (*moment, 0),
        [CelValue::Timestamp(moment), CelValue::String(zone)] => (*moment, offset_in(*moment, zone)?),
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelTimestamp { offset_seconds, ..moment })
}

/// The calendar repeats after so many years, weekdays included.
const YEARS_PER_CYCLE: i64 = 400;
const SECONDS_PER_CYCLE: i64 = 146_097 * 86_400;

/// True when a zone east of UTC already has the year 10000, which no date here has.
fn is_beyond(moment: CelTimestamp) -> bool {
    moment.seconds + i64::from(moment.offset_seconds) > CelTimestamp::SECONDS_MAX
}

fn civil(moment: CelTimestamp) -> DateTime {
    let back = if is_beyond(moment) { SECONDS_PER_CYCLE } else { 0 };
    CelTimestamp { seconds: moment.seconds - back, ..moment }.civil()
}

/// Seconds east of UTC.
fn offset_in(moment: CelTimestamp, zone: &str) -> Result<i32, EvalError> {
    if let Some((hours, minutes)) = zone.split_once(':') {
        return fixed_offset(zone, hours, minutes);
    }
    if zone.starts_with(['/', '\\']) || zone.contains("..") {
        return Err(EvalError::invalid("time: invalid location name"));
    }
    if zone.contains('\0') {
        return Err(EvalError::invalid("invalid argument"));
    }
    let unknown = || EvalError::invalid(format!("unknown time zone {zone}"));
    // an empty name is UTC, as in Go
    let time_zone = match zone {
        "" | "UTC" => jiff::tz::TimeZone::UTC,
        "Local" => jiff::tz::TimeZone::UTC,
        _ => named_zone(zone).ok_or_else(unknown)?,
    };
    let last = jiff::Timestamp::MAX; // some hours before the end of the year 9999
    let instant = jiff::Timestamp::from_second(moment.seconds).unwrap_or(last);
    Ok(time_zone.to_offset(instant).seconds())
}

/// A zone of the database; the case of letters counts, unlike for the database itself.
fn named_zone(name: &str) -> Option<jiff::tz::TimeZone> {
    let found = jiff::tz::TimeZoneDatabase::bundled().get(name).ok()?;
    (found.iana_name() == Some(name)).then_some(found)
}

fn fixed_offset(zone: &str, hours: &str, minutes: &str) -> Result<i32, EvalError> {
    let number = |text: &str| {
        text.parse::<i32>().map_err(|_| {
            EvalError::invalid(format!("strconv.Atoi: parsing {}: invalid syntax", super::quoted::quote(text)))
        })
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if !(-23..=23).contains(&hours) {
        return Err(EvalError::invalid(format!("timezone offset hours out of range [-23, 23]: {zone}")));
    }
    if !(0..=59).contains(&minutes) {
        return Err(EvalError::invalid(format!("timezone offset minutes out of range [0, 59]: {zone}")));
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    Ok(hours * 3600 + sign * minutes * 60)
}
