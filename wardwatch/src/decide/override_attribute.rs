//! `wardwatch override`: a person knows better than the evidence what a device is.

use clap::Args;
use wardwatch_proto::command::{self, FIELDS};
use wardwatch_proto::v1::OverrideAttribute;
use wardwatch_proto::v1::command::Action;

use super::Deciding;
use super::session::with_session;
use crate::table::text;

/// State what a field of a device is, whatever the evidence says; or withdraw what was stated.
///
/// The value is shown with your name, the time and the note as its evidence, and goes with the device when it turns out to
/// be part of another. A type brings its category along.
///
/// Fields: name, category, subcategory, type, manufacturer, model, serial_number, hardware_version, firmware_version,
/// software_name, software_version, udi_di, location, department, institution, and of the profile those that an error lists.
/// `wardwatch label` and `wardwatch assign` are shorter for labels and assignee.
///
/// Example: wardwatch override 10.20.3.7 location "Ward 3, room 7" --note "seen on the round"
#[derive(Args, Debug)]
pub(crate) struct Override {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "DEVICE")]
    device: String,
    /// Which field
    #[arg(value_name = "FIELD")]
    field: String,
    /// What it is
    #[arg(value_name = "VALUE", required_unless_present = "withdraw", conflicts_with = "withdraw")]
    value: Option<String>,
    /// Let the evidence decide again
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    deciding: Deciding,
}

/// Runs the command.
pub(crate) async fn override_attribute(arguments: &Override) -> anyhow::Result<()> {
    let Override { device, field, value, deciding, .. } = arguments;
    anyhow::ensure!(
        command::field(field).is_some(),
        "{field} is no field that can be overridden; these are: {}",
        FIELDS.join(", ").replace("device_type", "type")
    );
    let value = value.clone().unwrap_or_default();
    anyhow::ensure!(
        arguments.withdraw || !value.is_empty(),
        "a value is empty; --withdraw lets the evidence decide again"
    );
    with_session(&deciding.sending, async |session| {
        let device = session.device(device).await?;
        let column = if field == "device_type" { "type" } else { field.as_str() };
        let now = text(&device.row, column);
        let said = match (arguments.withdraw, now.is_empty()) {
            (true, _) => format!("{}: {column} is no longer overridden", device.called),
            (false, true) => format!("{}: {column} is {value}", device.called),
            (false, false) => format!("{}: {column} is {value}, was {now}", device.called),
        };
        let wanted = OverrideAttribute {
            device: device.id,
            field: field.clone(),
            value: value.clone(),
            note: deciding.note.clone(),
        };
        session.submit(&device.site, Action::OverrideAttribute(wanted), &said).await
    })
    .await
}
