//! A device that was never seen before.

use wardwatch_proto::v1::{Event, Severity, event};

use super::{About, Detector, Verdict, called};

/// Judges devices that appear.
#[derive(Debug)]
pub(super) struct NewDevice;

const ABOUT: About = About {
    name: "new-device",
    title: "A new device is on the network",
    sees: "the enricher telling that a device appeared: an endpoint of the site that sent a frame and is none that the \
           inventory knows under another address",
    threshold: "the first frame of a device that the site's inventory does not know; once for each device",
    severity: Severity::Informational,
    attack: Some(("T1200", "Hardware Additions")),
    remedy: "Find out who connected the device and whether it belongs there; acknowledge the alert if it does.",
};

impl Detector for NewDevice {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn judge(&self, event: &Event) -> Option<Verdict> {
        let Some(event::Event::DeviceAppeared(appeared)) = &event.event else { return None };
        let device = appeared.device.clone()?;
        let mut evidence = Vec::new();
        if !device.macs.is_empty() {
            evidence.push(format!("hardware address {}", device.macs.join(", ")));
        }
        if !device.ips.is_empty() {
            evidence.push(format!("address {}", device.ips.join(", ")));
        }
        let explanation = format!("{} was seen for the first time at site {}", called(&device), event.site);
        Some(Verdict { matter: String::new(), device, peer: None, explanation, evidence })
    }
}
