//! `wardwatch acknowledge` and `reopen`: a person knows of an alert, or wants it looked at again.

use clap::Args;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AcknowledgeAlert, ReopenAlert};

use super::Deciding;
use super::session::with_session;

/// Acknowledge an alert: you know of it. It stays acknowledged when it is seen again.
///
/// With a running `wardwatch up` on the same data folder nothing more is needed:
/// wardwatch acknowledge 3fa91c07 --note "vendor comes on Monday"
#[derive(Args, Debug)]
pub(crate) struct Acknowledge {
    /// The alert's id or the beginning of it; `wardwatch alerts` lists them
    #[arg(value_name = "ALERT")]
    alert: String,
    #[command(flatten)]
    deciding: Deciding,
}

/// Open an acknowledged alert again: it is not solved.
#[derive(Args, Debug)]
pub(crate) struct Reopen {
    /// The alert's id or the beginning of it; `wardwatch alerts` lists them
    #[arg(value_name = "ALERT")]
    alert: String,
    #[command(flatten)]
    deciding: Deciding,
}

/// Runs the command.
pub(crate) async fn acknowledge(arguments: &Acknowledge) -> anyhow::Result<()> {
    let note = arguments.deciding.note.clone();
    let action = |alert| Action::AcknowledgeAlert(AcknowledgeAlert { alert, note });
    decide(&arguments.deciding, &arguments.alert, action, "acknowledged").await
}

/// Runs the command.
pub(crate) async fn reopen(arguments: &Reopen) -> anyhow::Result<()> {
    let note = arguments.deciding.note.clone();
    let action = |alert| Action::ReopenAlert(ReopenAlert { alert, note });
    decide(&arguments.deciding, &arguments.alert, action, "opened again").await
}

async fn decide(
    deciding: &Deciding,
    wanted: &str,
    action: impl FnOnce(String) -> Action,
    done: &str,
) -> anyhow::Result<()> {
    with_session(&deciding.sending, async |session| {
        let alert = session.alert(wanted).await?;
        let said = format!("{}: {done}", alert.called);
        session.submit(&alert.site, action(alert.id), &said).await
    })
    .await
}
