//! `wardwatch join` and `wardwatch separate`: a person knows better than the evidence whether two devices are one.

use clap::Args;
use wardwatch_proto::v1::RuleSameness;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::rule_sameness::Verdict;

use super::Deciding;
use super::session::with_session;

/// State that two devices are one, whatever the evidence says; or withdraw what was ruled about them.
///
/// The one that was seen first stays, with the evidence, addresses and names of both; the other's id leads to it. That can be
/// undone: with --withdraw the evidence decides again, and `wardwatch separate` keeps them apart.
///
/// Example: wardwatch join 10.20.3.7 10.20.9.1 --note "one pump, on the dock's cable and on the wireless network"
#[derive(Args, Debug)]
pub(crate) struct Join {
    #[command(flatten)]
    pair: Pair,
}

/// State that what is taken for one device is two; or withdraw what was ruled about them.
///
/// The reasons on a device's page name the id of each part (field same_device), and `v_aliases` lists them.
///
/// Example: wardwatch separate 9f0f3a52 1c07d2e4 --note "two pumps of one lot, the serial number is the lot's"
#[derive(Args, Debug)]
pub(crate) struct Separate {
    #[command(flatten)]
    pair: Pair,
}

#[derive(Args, Debug)]
struct Pair {
    /// One device: its id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "DEVICE")]
    device: String,
    /// The other one; of a device that is part of another now, its own id
    #[arg(value_name = "OTHER")]
    other: String,
    /// Let the evidence decide again
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    deciding: Deciding,
}

/// Runs `wardwatch join`.
pub(crate) async fn join(arguments: &Join) -> anyhow::Result<()> {
    rule(&arguments.pair, Verdict::Same).await
}

/// Runs `wardwatch separate`.
pub(crate) async fn separate(arguments: &Separate) -> anyhow::Result<()> {
    rule(&arguments.pair, Verdict::Apart).await
}

async fn rule(pair: &Pair, verdict: Verdict) -> anyhow::Result<()> {
    with_session(&pair.deciding.sending, async |session| {
        let device = session.device_or_part(&pair.device).await?;
        let other = session.device_or_part(&pair.other).await?;
        anyhow::ensure!(
            device.site == other.site,
            "{} is at {}, {} at {}: devices of two sites stay two",
            device.called,
            device.site,
            other.called,
            other.site
        );
        let both = format!("{} and {}", device.called, other.called);
        let (said, verdict) = match (pair.withdraw, verdict) {
            (true, _) => (format!("{both}: the evidence decides again"), Verdict::Unspecified),
            (false, Verdict::Apart) => (format!("{both} are two devices"), verdict),
            (false, _) => (format!("{both} are one device"), verdict),
        };
        let wanted = RuleSameness {
            device: device.id,
            other: other.id,
            verdict: verdict.into(),
            note: pair.deciding.note.clone(),
        };
        session.submit(&device.site, Action::RuleSameness(wanted), &said).await
    })
    .await
}
