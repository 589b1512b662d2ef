//! What the software in the lab was configured to say, held against what the sensor states of a capture of it: the description
//! of a hospital is an oracle of its own for the captures that were recorded there.
//!
//! A statement is confirmed when the description gives the device that it is about this value under this attribute, and the
//! scene says that the device says it there, and that it takes part in the protocol. Roles, and what else only follows from
//! what the software does, are no values of a description; nor does it confirm the address by which a device is known.

use std::collections::BTreeSet;

use anyhow::Result;
use wardwatch_lab::truth::sayings;
use wardwatch_lab::{Device, Hospital, Scene};
use wardwatch_proto::name::Named as _;

use super::corpus::Capture;
use super::statement::Statement;

/// The statements about a capture that its hospital's description confirms; none where others recorded it.
pub fn confirmed<'a>(
    capture: &Capture,
    statements: &'a BTreeSet<Statement>,
) -> Result<BTreeSet<&'a Statement>> {
    let Some(lab) = &capture.lab else { return Ok(BTreeSet::new()) };
    let scene = lab.scene(&capture.scene())?;
    Ok(of_scene(lab.hospital(), &scene, statements))
}

fn of_scene<'a>(
    hospital: &Hospital,
    scene: &Scene,
    statements: &'a BTreeSet<Statement>,
) -> BTreeSet<&'a Statement> {
    let is_confirmed = |said: &&Statement| {
        let (address, key) = said.subject.split_once(' ').unwrap_or((&said.subject, ""));
        let mut about =
            hospital.devices.iter().filter(|device| is_about(hospital, device, address, !key.is_empty()));
        said.value != address && about.any(|device| is_said(device, scene, said))
    };
    statements.iter().filter(is_confirmed).collect()
}

/// Whether the device has this address or, where there is a key, is one that the device with this address speaks for.
fn is_about(hospital: &Hospital, device: &Device, address: &str, has_key: bool) -> bool {
    let speaker = device.behind.as_deref().filter(|_| has_key).and_then(|speaker| hospital.device(speaker));
    let device = speaker.unwrap_or(device);
    device.mac.as_deref() == Some(address) || device.ip.is_some_and(|ip| ip.to_string() == address)
}

/// Whether the device was configured to say this, and says it in this scene and protocol.
fn is_said(device: &Device, scene: &Scene, said: &Statement) -> bool {
    let truths: Vec<_> = scene.truths.iter().filter(|truth| truth.of.contains(&device.name)).collect();
    let protocol = said.field.protocol.name();
    truths.iter().any(|truth| truth.protocols.iter().any(|name| name == protocol))
        && sayings(device).iter().any(|saying| {
            saying.is(said.field.attribute, &said.value)
                && truths.iter().any(|truth| truth.says.contains(&saying.key))
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use wardwatch_proto::v1::{Attribute, Protocol};

    use super::super::statement::Field;
    use super::*;

    /// A gateway that speaks for a pump, and a desk.
    const HOSPITAL: &str = r#"
        [hospital]
        name = "Nowhere"
        domain = "nowhere.example"
        network = "192.0.2.0/24"

        [[device]]
        name = "gateway-1"
        category = "medical"
        type = "medical device gateway"
        mac = "00:00:5e:00:53:01"
        ip = "192.0.2.1"
        model = "Gate"
        captures = ["ward"]
        [device.hl7]
        application = "GATE"

        [[device]]
        name = "pump-1"
        behind = "gateway-1"
        category = "medical"
        type = "infusion pump"
        serial = "4711"
        captures = ["ward"]
    "#;

    const SCENE: &str = r#"
        [[step]]
        on = "gateway-1"
        rest = 0.0
        [[truth]]
        of = ["gateway-1"]
        protocols = ["hl7", "arp"]
        says = ["ip", "hl7.application"]
        states = { role = ["gateway"] }
        [[truth]]
        of = ["pump-1"]
        protocols = ["hl7"]
        says = ["serial"]
    "#;

    fn is_confirmed(protocol: Protocol, attribute: Attribute, subject: &str, value: &str) -> bool {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(&file, HOSPITAL).expect("a description");
        let hospital = Hospital::read(file.path()).expect("a hospital");
        let scene: Scene = toml::from_str(SCENE).expect("a scene");
        let field = Field { protocol, attribute };
        let said = Statement { field, subject: subject.into(), value: value.into() };
        !of_scene(&hospital, &scene, &[said].into()).is_empty()
    }

    #[test]
    fn a_value_of_the_description_is_confirmed_of_its_device_alone() {
        let (protocol, attribute) = (Protocol::Hl7, Attribute::Hl7Application);
        assert!(is_confirmed(protocol, attribute, "192.0.2.1", "GATE"));
        assert!(!is_confirmed(protocol, attribute, "192.0.2.1", "GATES"));
        assert!(!is_confirmed(protocol, attribute, "192.0.2.2", "GATE"));
        assert!(!is_confirmed(protocol, Attribute::Hl7Facility, "192.0.2.1", "GATE"));
    }

    #[test]
    fn the_scene_must_say_in_which_protocols_and_what() {
        assert!(!is_confirmed(Protocol::Dicom, Attribute::Hl7Application, "192.0.2.1", "GATE"));
        // It is described, and does not go over the wire.
        assert!(!is_confirmed(Protocol::Hl7, Attribute::Model, "192.0.2.1", "Gate"));
    }

    #[test]
    fn of_a_device_that_another_one_speaks_for_it_is_confirmed_under_a_key() {
        let (protocol, attribute) = (Protocol::Hl7, Attribute::SerialNumber);
        assert!(is_confirmed(protocol, attribute, "192.0.2.1 serial:4711", "4711"));
        assert!(!is_confirmed(protocol, attribute, "192.0.2.1", "4711"));
    }

    #[test]
    fn roles_and_the_address_that_a_device_is_known_by_are_not() {
        assert!(!is_confirmed(Protocol::Hl7, Attribute::Role, "192.0.2.1", "gateway"));
        assert!(!is_confirmed(Protocol::Arp, Attribute::IpAddress, "192.0.2.1", "192.0.2.1"));
        assert!(is_confirmed(Protocol::Arp, Attribute::IpAddress, "00:00:5e:00:53:01", "192.0.2.1"));
    }
}
