//! Since when a device is retired, as it stands in the field `retired_since`.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

const DAY: u64 = 86_400 * 1_000_000_000;
/// How far into the future a moment may lie, for clocks that differ and for days of another time zone.
const MOST_AHEAD: u64 = DAY;

/// The field that says it.
pub const RETIRED_SINCE: &str = "retired_since";

/// What a value of [`RETIRED_SINCE`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// `never`: the device is in service, whatever tables say.
    Never,
    /// `now`: since this was decided.
    Now,
    /// Since a time (RFC 3339), or a day (`2026-11-01`) as UTC has it.
    Since {
        /// The moment, or the beginning of the day; nanoseconds since the Unix epoch.
        from: u64,
        /// What is seen up to then was seen before it was retired: of a day, its end.
        through: u64,
    },
}

impl Retired {
    /// Reads a value; `None` for one that means nothing.
    pub fn read(value: &str) -> Option<Self> {
        match value {
            "never" => return Some(Self::Never),
            "now" => return Some(Self::Now),
            _ => {}
        }
        if let Ok(day) = Date::parse(value, format_description!("[year]-[month]-[day]")) {
            let from = nanoseconds(day.midnight().assume_utc())?;
            return Some(Self::Since { from, through: from.checked_add(DAY - 1)? });
        }
        let at = nanoseconds(OffsetDateTime::parse(value, &Rfc3339).ok()?)?;
        Some(Self::Since { from: at, through: at })
    }

    /// Whether it lies ahead of when it was decided (nanoseconds since the Unix epoch) by more than clocks may differ.
    pub fn is_ahead_of(self, decided: u64) -> bool {
        matches!(self, Self::Since { from, .. } if from > decided.saturating_add(MOST_AHEAD))
    }
}

fn nanoseconds(at: OffsetDateTime) -> Option<u64> {
    u64::try_from(at.unix_timestamp_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `date -u -d 2026-11-01 +%s` says 1793491200.
    const NOVEMBER: u64 = 1_793_491_200 * 1_000_000_000;

    #[test]
    fn a_day_lasts_until_its_end_and_a_time_is_a_moment() {
        let day = Retired::Since { from: NOVEMBER, through: NOVEMBER + DAY - 1 };
        assert_eq!(Retired::read("2026-11-01"), Some(day));
        let time = Retired::Since { from: NOVEMBER, through: NOVEMBER };
        assert_eq!(Retired::read("2026-11-01T01:00:00+01:00"), Some(time));
        assert_eq!(Retired::read("now"), Some(Retired::Now));
        assert_eq!(Retired::read("never"), Some(Retired::Never));
    }

    #[test]
    fn what_is_no_moment_means_nothing() {
        for value in ["", "yes", "soon", "2026-13-01", "2026-02-30", "01.11.2026", "1969-12-31", "Now"] {
            assert_eq!(Retired::read(value), None, "{value}");
        }
    }

    #[test]
    fn nobody_retires_a_device_ahead_of_time() {
        let day = Retired::read("2026-11-02").expect("a day");
        assert!(!day.is_ahead_of(NOVEMBER), "somewhere it is that day already");
        assert!(day.is_ahead_of(NOVEMBER - 1));
        assert!(!Retired::Now.is_ahead_of(0) && !Retired::Never.is_ahead_of(0));
    }
}
