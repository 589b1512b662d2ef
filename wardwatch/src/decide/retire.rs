//! `wardwatch retire`: a device is taken out of service, and is told of when it is seen again.

use clap::Args;
use wardwatch_proto::command::{RETIRED_SINCE, Retired};

use super::Deciding;
use super::annotate::{about, stated};

/// State that a device is out of service for good, since now or an earlier day.
///
/// It stays in the inventory, with all that is known of it, and is `retired` from then on, whatever tables say. When it is
/// seen on the network after that, it is `retired-but-seen`, with the time of the first sighting, and that is told to the SIEM. A
/// day lasts until its end in UTC, so what was seen on its last day is no sign of use.
///
/// A device of which the imported CMMS says so is retired by that; --in-service says that it is not. With --withdraw the tables
/// decide again. A device that is merely not seen is not retired: `v_presence` tells since when it is away.
///
/// Example: wardwatch retire ct-evo-1 --since 2026-11-01 --note "sold, disk wiped, see work order 4711"
#[derive(Args, Debug)]
pub(crate) struct Retire {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "DEVICE")]
    device: String,
    /// Since this day or time: 2026-11-01 or 2026-11-01T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<String>,
    /// It is in service, whatever tables say
    #[arg(long, conflicts_with_all = ["since", "withdraw"])]
    in_service: bool,
    /// Take back what was stated: the tables decide again
    #[arg(long, conflicts_with = "since")]
    withdraw: bool,
    #[command(flatten)]
    deciding: Deciding,
}

impl Retire {
    /// The value of the field, and what it means in words.
    fn stated(&self) -> (&str, String) {
        match (&self.since, self.in_service, self.withdraw) {
            (_, _, true) => ("", "it is no longer stated whether it is retired".to_owned()),
            (_, true, _) => ("never", "in service".to_owned()),
            (Some(since), ..) => (since, format!("retired since {since}")),
            (None, ..) => ("now", "retired since now".to_owned()),
        }
    }
}

/// Runs the command.
pub(crate) async fn retire(arguments: &Retire) -> anyhow::Result<()> {
    let deciding = &arguments.deciding;
    let (value, words) = arguments.stated();
    about(&deciding.sending, &arguments.device, |device| {
        Ok((stated(device, RETIRED_SINCE, value, deciding), format!("{}: {words}", device.called)))
    })
    .await
}

fn moment(text: &str) -> Result<String, String> {
    match Retired::read(text) {
        Some(Retired::Since { .. }) => Ok(text.to_owned()),
        _ => Err("say a day (2026-11-01) or a time (2026-11-01T08:00:00Z)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_or_a_time_is_taken_and_nothing_else() {
        assert_eq!(moment("2026-11-01"), Ok("2026-11-01".to_owned()));
        assert!(moment("2026-11-01T08:00:00+01:00").is_ok());
        for wrong in ["now", "never", "7d", "2026-02-30", ""] {
            assert!(moment(wrong).expect_err(wrong).contains("2026-11-01"), "{wrong}");
        }
    }
}
