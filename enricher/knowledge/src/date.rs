//! Calendar dates against event time, without a clock.

const NANOSECONDS_PER_DAY: u64 = 86_400 * 1_000_000_000;

/// The day of an event time, counted from 1970-01-01.
pub(crate) fn day_of(nanoseconds: u64) -> i64 {
    // 2^64 ns are some 213,504 days: the quotient always fits.
    (nanoseconds / NANOSECONDS_PER_DAY).cast_signed()
}

/// The first nanosecond of a day `days` before the event time.
pub(crate) fn days_before(nanoseconds: u64, days: u32) -> u64 {
    nanoseconds.saturating_sub(u64::from(days).saturating_mul(NANOSECONDS_PER_DAY))
}

/// The day of a date `YYYY-MM-DD` in the proleptic Gregorian calendar, counted from 1970-01-01.
pub(crate) fn day_of_date(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last, so that months need no table.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    // 0000-03-01 is 719,468 days before 1970-01-01.
    Some(shifted_year * 365 + leap_days + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_the_epoch() {
        // `date -ud DATE +%s` divided by 86400.
        for (date, day) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11016),
            ("2020-01-01", 18262),
            ("2038-01-19", 24855),
        ] {
            assert_eq!(day_of_date(date), Some(day), "{date}");
        }
        assert_eq!(day_of_date("2020-13-01"), None);
        assert_eq!(day_of_date("tomorrow"), None);
    }

    #[test]
    fn an_event_time_falls_on_its_day() {
        assert_eq!(day_of(0), 0);
        assert_eq!(day_of(18262 * NANOSECONDS_PER_DAY - 1), 18261);
        assert_eq!(day_of(u64::MAX), 213_503);
    }
}
