//! Which devices a list has.

use clap::{Args, ValueEnum};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use wardwatch_store::quote;

/// Which devices; each that is given must hold, of several values of one any.
#[derive(Args, Debug, Default)]
pub(super) struct Filter {
    /// Only devices of this category: medical, building, iot, it, network (repeatable)
    #[arg(long)]
    category: Vec<String>,
    /// Only devices of this type, such as "CT scanner" (repeatable)
    #[arg(long = "type", value_name = "TYPE")]
    device_type: Vec<String>,
    /// Only devices of this manufacturer (repeatable)
    #[arg(long)]
    manufacturer: Vec<String>,
    /// Only devices of this model (repeatable)
    #[arg(long)]
    model: Vec<String>,
    /// Only devices of this site (repeatable)
    #[arg(long)]
    site: Vec<String>,
    /// Only devices with this label (repeatable: with all of them)
    #[arg(long)]
    label: Vec<String>,
    /// Only devices that are retired, seen after that or not; that were seen after it; or that are not retired
    #[arg(long, value_enum, value_name = "STATE")]
    lifecycle: Option<Lifecycle>,
    /// Only devices that were seen since then: 7d, 12h, 2026-11-01 or 2026-11-01T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    seen_since: Option<Since>,
    /// Only devices that were not seen since then
    #[arg(long, value_name = "TIME", value_parser = since)]
    not_seen_since: Option<Since>,
    /// Only devices with at least this score
    #[arg(long, value_name = "SCORE")]
    min_score: Option<u8>,
    /// Only devices of which nobody knows what they are: without a type
    #[arg(long)]
    unknown: bool,
    /// Only devices on which sources of equal standing disagree
    #[arg(long)]
    conflicting: bool,
    /// Only devices that lack this field of the profile, although it applies to them (repeatable: all of them)
    #[arg(long, value_name = "FIELD")]
    pub(super) missing: Vec<String>,
    /// Only devices with this text in a name, an address, what they are, or any field of the profile
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

/// Whether a device is retired, as `details['lifecycle']` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lifecycle {
    Retired,
    RetiredButSeen,
    NotRetired,
}

impl Lifecycle {
    fn condition(self) -> &'static str {
        match self {
            Self::Retired => "details['lifecycle'] IN ('retired', 'retired-but-seen')",
            Self::RetiredButSeen => "details['lifecycle'] = 'retired-but-seen'",
            Self::NotRetired => "details['lifecycle'] NOT IN ('retired', 'retired-but-seen')",
        }
    }
}

/// A moment, as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Since(String);

impl Filter {
    /// As a condition on `v_devices`; `missing` are the fields that are wanted missing, as the profile calls them.
    pub(super) fn condition(&self, missing: &[&str]) -> String {
        let mut all = vec!["1".to_owned()];
        for (column, wanted) in [
            ("category", &self.category),
            ("type", &self.device_type),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("site", &self.site),
        ] {
            if !wanted.is_empty() {
                let wanted: Vec<_> = wanted.iter().map(|value| quote(&value.to_lowercase())).collect();
                all.push(format!("lowerUTF8(toString({column})) IN ({})", wanted.join(", ")));
            }
        }
        for label in &self.label {
            all.push(format!("has(splitByString(', ', details['labels']), {})", quote(label)));
        }
        all.extend(self.seen_since.iter().map(|Since(moment)| format!("last_seen >= {moment}")));
        all.extend(self.not_seen_since.iter().map(|Since(moment)| format!("last_seen < {moment}")));
        all.extend(self.min_score.iter().map(|score| format!("score >= {score}")));
        all.extend(self.lifecycle.map(|lifecycle| lifecycle.condition().to_owned()));
        if self.unknown {
            all.push("type = ''".to_owned());
        }
        if self.conflicting {
            all.push("has(gap_reasons, 'conflicting')".to_owned());
        }
        for field in missing {
            let field = quote(field);
            all.push(format!(
                "arrayExists((field, reason) -> field = {field} AND reason = 'not-seen', gap_fields, gap_reasons)"
            ));
        }
        all.extend(self.search.iter().map(|text| {
            format!(
                "positionCaseInsensitiveUTF8(arrayStringConcat(arrayConcat([device, name, toString(category), \
                 toString(type), toString(manufacturer), toString(model), serial_number, udi_di, toString(location), \
                 toString(department), toString(software_name), toString(software_version), \
                 toString(firmware_version), toString(mac_manufacturer)], host_names, ips, macs, mapValues(details)), \
                 '\\n'), {}) > 0",
                quote(text)
            )
        }));
        all.join(" AND ")
    }
}

/// A moment as people write it: so long ago, a day, or a time.
fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(Since(format!("now64(9) - toIntervalSecond({})", ago.as_secs())));
    }
    let day = || {
        Date::parse(text, format_description!("[year]-[month]-[day]"))
            .ok()
            .map(|day| day.midnight().assume_utc())
    };
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(day);
    at.map(|at| Since(format!("fromUnixTimestamp64Second({})", at.unix_timestamp()))).ok_or_else(|| {
        "say how long ago (7d, 12h, 30m), a day (2026-11-01) or a time (2026-11-01T08:00:00Z)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_a_day_or_a_time() {
        let sql = |text| since(text).map(|Since(sql)| sql);
        assert_eq!(sql("7d").expect("a duration"), "now64(9) - toIntervalSecond(604800)");
        // `date -u -d 2026-11-01 +%s` says 1793491200.
        assert_eq!(sql("2026-11-01").expect("a day"), "fromUnixTimestamp64Second(1793491200)");
        assert_eq!(
            sql("2026-11-01T01:00:00+01:00").expect("a time"),
            "fromUnixTimestamp64Second(1793491200)"
        );
        assert!(sql("last week").expect_err("no moment").contains("7d"));
    }

    #[test]
    fn what_people_type_stays_text() {
        let filter =
            Filter { search: Some("x') OR 1 --".into()), model: vec!["'".into()], ..Filter::default() };
        let condition = filter.condition(&["room"]);
        assert!(condition.contains(&quote("x') OR 1 --")), "{condition}");
        assert!(condition.contains(&format!("IN ({})", quote("'"))), "{condition}");
        assert!(condition.contains("field = 'room' AND reason = 'not-seen'"), "{condition}");
    }
}
