//! `wardwatch label`, `assign` and `note`: what people keep about a device beside what it is.
//!
//! Labels and the assignee are fields of the profile that people override; notes are a list that only grows.

use clap::Args;
use wardwatch_proto::command::{LONGEST_NOTE, LONGEST_VALUE};
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AddNote, OverrideAttribute};

use super::session::{Subject, with_session};
use super::{Deciding, Sending};
use crate::table::{Row, text};

/// What stands between two labels.
const BETWEEN: &str = ", ";

/// Label a device: put labels on it, or take them off.
///
/// The labels that it has are looked up first, and all of them are stated anew: of two people who label a device at the very
/// same time, the later one wins. All labels together have at most 256 octets.
///
/// Example: wardwatch label ct-evo-1 "loan device" pilot
#[derive(Args, Debug)]
pub(crate) struct Label {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "DEVICE")]
    device: String,
    /// The labels, without commas
    #[arg(value_name = "LABEL", required = true)]
    labels: Vec<String>,
    /// Take these labels off
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    deciding: Deciding,
}

/// Say who is responsible for a device.
///
/// Example: wardwatch assign ct-evo-1 "Biomedical engineering, M. Ashdown"
#[derive(Args, Debug)]
pub(crate) struct Assign {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "DEVICE")]
    device: String,
    /// A person or a team
    #[arg(value_name = "PERSON", required_unless_present = "nobody", conflicts_with = "nobody")]
    person: Option<String>,
    /// Nobody is, until somebody is assigned
    #[arg(long)]
    nobody: bool,
    #[command(flatten)]
    deciding: Deciding,
}

/// Write a note on a device, for everybody who looks at it; notes are never changed or removed.
///
/// It is shown with your name and the time by `wardwatch device`, and goes with the device when it turns out to be part of
/// another. At most 1024 octets; line breaks are kept. Names of patients and anything else about them do not belong here: what
/// is written goes to everyone who may read the inventory, and stays.
///
/// Example: wardwatch note ct-evo-1 "Tube changed in May, vendor comes again in November"
#[derive(Args, Debug)]
pub(crate) struct Note {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "DEVICE")]
    device: String,
    /// The note
    #[arg(value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    sending: Sending,
}

/// Runs the command.
pub(crate) async fn label(arguments: &Label) -> anyhow::Result<()> {
    let wanted: Vec<&str> = arguments.labels.iter().map(|label| label.trim()).collect();
    for label in &wanted {
        anyhow::ensure!(!label.is_empty(), "a label is empty");
        anyhow::ensure!(
            !label.contains(','),
            "{label:?}: a label has no commas; give several labels one by one"
        );
    }
    let deciding = &arguments.deciding;
    about(&deciding.sending, &arguments.device, |device| {
        anyhow::ensure!(
            !device.row.is_empty(),
            "the labels that it has cannot be looked up: name the ClickHouse with --clickhouse URL"
        );
        let now = detail(&device.row, "labels");
        let labels = labelled(&now, &wanted, arguments.remove);
        anyhow::ensure!(
            labels.len() <= LONGEST_VALUE,
            "all labels of a device together have at most {LONGEST_VALUE} octets, and these have {}: {labels}",
            labels.len()
        );
        anyhow::ensure!(labels != now, "{}: that changes nothing, its labels are {now:?}", device.called);
        let shown = if labels.is_empty() { "none" } else { &labels };
        Ok((stated(device, "labels", &labels, deciding), format!("{}: labels are {shown}", device.called)))
    })
    .await
}

/// Runs the command.
pub(crate) async fn assign(arguments: &Assign) -> anyhow::Result<()> {
    let deciding = &arguments.deciding;
    let person = arguments.person.as_deref().unwrap_or_default().trim();
    anyhow::ensure!(arguments.nobody || !person.is_empty(), "the person has no name; --nobody takes it back");
    about(&deciding.sending, &arguments.device, |device| {
        let whom = if person.is_empty() { "nobody" } else { person };
        let said = format!("{}: assigned to {whom}", device.called);
        Ok((stated(device, "assignee", person, deciding), said))
    })
    .await
}

/// Runs the command.
pub(crate) async fn note(arguments: &Note) -> anyhow::Result<()> {
    let text = &arguments.text;
    anyhow::ensure!(!text.trim().is_empty(), "the note is empty");
    anyhow::ensure!(
        text.len() <= LONGEST_NOTE,
        "a note has at most {LONGEST_NOTE} octets, and this has {}",
        text.len()
    );
    about(&arguments.sending, &arguments.device, |device| {
        let note = AddNote { device: device.id.clone(), text: text.clone() };
        Ok((Action::AddNote(note), format!("{}: noted", device.called)))
    })
    .await
}

/// Sends what is wanted of a device; `wanted` says it for the collector and in words.
pub(super) async fn about(
    sending: &Sending,
    device: &str,
    wanted: impl FnOnce(&Subject) -> anyhow::Result<(Action, String)>,
) -> anyhow::Result<()> {
    with_session(sending, async |session| {
        let device = session.device(device).await?;
        let (action, said) = wanted(&device)?;
        session.submit(&device.site, action, &said).await
    })
    .await
}

/// A field of a device as a person states it; an empty value withdraws what was stated.
pub(super) fn stated(device: &Subject, field: &str, value: &str, deciding: &Deciding) -> Action {
    Action::OverrideAttribute(OverrideAttribute {
        device: device.id.clone(),
        field: field.to_owned(),
        value: value.to_owned(),
        note: deciding.note.clone(),
    })
}

/// A field of the profile that has no column of its own.
fn detail(row: &Row, field: &str) -> String {
    row.get("details")
        .and_then(serde_json::Value::as_object)
        .map(|details| text(details, field))
        .unwrap_or_default()
}

/// The labels with these, or without them; each once, in the order in which they came.
fn labelled(now: &str, wanted: &[&str], remove: bool) -> String {
    let mut labels: Vec<&str> = now.split(BETWEEN).filter(|label| !label.is_empty()).collect();
    if remove {
        labels.retain(|label| !wanted.contains(label));
    } else {
        for label in wanted {
            if !labels.contains(label) {
                labels.push(label);
            }
        }
    }
    labels.join(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_there_once_until_it_is_removed() {
        assert_eq!(labelled("", &["pilot", "loan", "pilot"], false), "pilot, loan");
        assert_eq!(labelled("pilot, loan", &["loan", "new"], false), "pilot, loan, new");
        assert_eq!(labelled("pilot, loan", &["pilot", "never"], true), "loan");
        assert_eq!(labelled("pilot", &["pilot"], true), "");
    }
}
