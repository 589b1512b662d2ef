//! Credentials that crossed the wire unencrypted. Which they were is not known here: the sensor states the kind alone.

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Event, Severity, event};

use super::{About, Detector, Verdict, called};

/// Judges findings of clear-text credentials.
#[derive(Debug)]
pub(super) struct ClearTextCredentials;

const ABOUT: About = About {
    name: "clear-text-credentials",
    title: "Credentials cross the network in clear text",
    sees: "log-ins without encryption in HTTP, DICOM, HL7 and BACnet; only the kind of \
           credentials leaves the sensor, never a name or a secret",
    threshold: "one log-in with readable credentials; one alert for each device and kind of credentials",
    severity: Severity::High,
    attack: Some(("T1040", "Network Sniffing")),
    remedy: "Switch the service to its encrypted form, change the credentials that were exposed, and restrict who can \
             reach the service until then.",
};

impl Detector for ClearTextCredentials {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn judge(&self, event: &Event) -> Option<Verdict> {
        let Some(event::Event::Finding(finding)) = &event.event else { return None };
        if finding.attribute() != Attribute::CleartextCredential {
            return None;
        }
        let device = finding.device.clone()?;
        let kind = &finding.value;
        let mut evidence =
            vec![format!("{kind} seen in {} by sensor {}", finding.protocol().name(), finding.sensor)];
        if let Some(peer) = &finding.peer {
            evidence.push(format!("exchanged with {}", called(peer)));
        }
        let explanation = format!(
            "{} takes part in a log-in whose credentials ({kind}) anyone on the path can read",
            called(&device)
        );
        Some(Verdict { matter: kind.clone(), device, peer: finding.peer.clone(), explanation, evidence })
    }
}
