use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A cron schedule: minute, hour, day of month, month, day of week, in UTC.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Bit n: the value n is allowed.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both day fields are restricted: either may match.
    either_day: bool,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// A schedule such as 30 February never matches: the search ends here.
const YEARS_MAX: i16 = 5;

impl Schedule {
    /// Reads five fields, or `@hourly` and the like; `None` when malformed. A prefix `TZ=...` is skipped.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text.split_once(' ') {
            Some((zone, rest)) if zone.starts_with("TZ=") || zone.starts_with("CRON_TZ=") => rest,
            _ => text,
        };
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return None };
        let is_any = |field: &str| field.starts_with('*') || field.starts_with('?');
        let weekdays = field(weekday, 0, 7, &WEEKDAYS, 0)?;
        Some(Self {
            minutes: field(minute, 0, 59, &[], 0)?,
            hours: field(hour, 0, 23, &[], 0)?,
            days: field(day, 1, 31, &[], 0)?,
            months: field(month, 1, 12, &MONTHS, 1)?,
            weekdays: weekdays | weekdays >> 7, // 7 is Sunday too
            either_day: !is_any(day) && !is_any(weekday),
        })
    }

    /// The first start after a moment.
    pub(super) fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut at = moment.to_zoned(TimeZone::UTC).datetime();
        let year_max = at.year().checked_add(YEARS_MAX)?;
        at = at.with().second(0).subsec_nanosecond(0).build().ok()?.checked_add(Span::new().minutes(1)).ok()?;
        while at.year() <= year_max {
            if !has(self.months, i64::from(at.month())) {
                at = midnight(at).with().day(1).build().ok()?.checked_add(Span::new().months(1)).ok()?;
            } else if !self.has_day(at) {
                at = midnight(at).checked_add(Span::new().days(1)).ok()?;
            } else if !has(self.hours, i64::from(at.hour())) {
                at = at.with().minute(0).build().ok()?.checked_add(Span::new().hours(1)).ok()?;
            } else if !has(self.minutes, i64::from(at.minute())) {
                at = at.checked_add(Span::new().minutes(1)).ok()?;
            } else {
                return TimeZone::UTC.to_timestamp(at).ok();
            }
        }
        None
    }

    fn has_day(&self, at: DateTime) -> bool {
        let day = has(self.days, i64::from(at.day()));
        let weekday = has(self.weekdays, i64::from(Weekday::to_sunday_zero_offset(at.weekday())));
        if self.either_day { day || weekday } else { day && weekday }
    }
}

fn midnight(at: DateTime) -> DateTime {
    at.date().at(0, 0, 0, 0)
}

fn has(set: u64, value: i64) -> bool {
    set >> value & 1 == 1
}

/// Reads a list of `*`, `a`, `a-b`, each with an optional `/step`.
fn field(text: &str, least: u32, most: u32, names: &[&str], first_name: u32) -> Option<u64> {
    let number = |text: &str| {
        let name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match name {
            Some(place) => Some(u32::try_from(place).ok()? + first_name),
            None => text.parse::<u32>().ok(),
        }
    };
    let mut set = 0_u64;
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let (first, last) = match range {
            "*" | "?" => (least, most),
            _ => match range.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None if step.is_some() => (number(range)?, most),
                None => (number(range)?, number(range)?),
            },
        };
        let step = step.map_or(Some(1), |step| step.parse::<usize>().ok())?;
        if first < least || last > most || first > last || step == 0 {
            return None;
        }
        set |= (first..=last).step_by(step).fold(0, |set, value| set | 1 << value);
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use jiff::Timestamp;

    #[test]
    fn the_next_start_is_found() {
        let cases = [
            ("*/15 * * * *", "2026-11-25T03:59:59Z", "2026-11-25T04:00:00Z"),
            ("*/15 * * * *", "2026-11-25T04:00:00Z", "2026-11-25T04:15:00Z"),
            ("30 6 * * *", "2026-11-25T07:00:00Z", "2026-11-26T06:30:00Z"),
            ("0 0 29 2 *", "2026-11-25T07:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 9-17/4 * * mon-fri", "2026-11-27T18:00:00Z", "2026-11-30T09:00:00Z"),
            ("0 0 13 * 5", "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"),
            ("0 0 * * 7", "2026-11-25T00:00:00Z", "2026-11-29T00:00:00Z"),
            ("@monthly", "2026-12-25T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("TZ=UTC 5 4 * jan *", "2026-12-25T00:00:00Z", "2027-01-01T04:05:00Z"),
        ];
        for (schedule, from, next) in cases {
            let from: Timestamp = from.parse().unwrap();
            let found = Schedule::parse(schedule).unwrap().next_after(from).unwrap();
            assert_eq!(found.to_string(), next, "{schedule} after {from}");
        }
        assert_eq!(Schedule::parse("0 0 30 2 *").unwrap().next_after(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn malformed_schedules_are_refused() {
        for text in ["", "* * * *", "60 * * * *", "* * * * * *", "5-1 * * * *", "*/0 * * * *", "a * * * *", "* * 0 * *"]
        {
            assert_eq!(Schedule::parse(text), None, "{text:?}");
        }
    }
}
