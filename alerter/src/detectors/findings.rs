//! Findings that are alerts by themselves: what a sensor stated and the knowledge pack holds to be one (`finding = true`).
//! One alert for each device and value. Which the credentials were, what was carried, whose log-in it was is not known
//! here: the sensor states the kind alone.

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, DeviceSummary, Event, Severity, event};

use super::{About, Detector, Verdict, called};

/// Judges the findings of some attributes.
#[derive(Debug)]
pub(super) struct Findings {
    about: &'static About,
    attributes: &'static [Attribute],
    /// What the device, by its name, did or is, given the value that was found.
    explain: fn(&str, &str) -> String,
}

/// The detectors of this kind.
pub(super) const ALL: [Findings; 7] = [
    CLEAR_TEXT_CREDENTIALS,
    DEFAULT_CREDENTIALS,
    WEAK_PROTOCOL,
    EXECUTABLE_TRANSFER,
    COVERT_CHANNEL,
    NETWORK_SWEEP,
    ADDRESS_CONFLICT,
];

const CLEAR_TEXT_CREDENTIALS: Findings = Findings {
    about: &About {
        name: "clear-text-credentials",
        title: "Credentials cross the network in clear text",
        sees: "log-ins without encryption, in HTTP, FTP, Telnet, LDAP, SNMP, databases, DICOM, HL7, BACnet, laboratory and \
               industrial protocols; only the kind of credentials leaves the sensor, never a name or a secret",
        threshold: "one log-in with readable credentials; one alert for each device and kind of credentials",
        severity: Severity::High,
        attack: Some(("T1040", "Network Sniffing")),
        remedy: "Switch the service to its encrypted form, change the credentials that were exposed, and restrict who can \
                 reach the service until then.",
    },
    attributes: &[Attribute::CleartextCredential],
    explain: |device, kind| {
        format!("{device} takes part in a log-in whose credentials ({kind}) anyone on the path can read")
    },
};

const DEFAULT_CREDENTIALS: Findings = Findings {
    about: &About {
        name: "default-credentials",
        title: "A log-in uses the credentials that such devices are delivered with",
        sees: "names and passwords, or SNMP communities, that were sent in clear and are those that such devices are \
               delivered with; the sensor compares them and tells the kind alone. For SNMP the device has answered; \
               for other log-ins it may have refused",
        threshold: "one log-in with such credentials; one alert for each device and kind of credentials",
        severity: Severity::High,
        attack: Some(("T0812", "Default Credentials")),
        remedy: "Change the credentials, or ask the manufacturer how they can be changed; restrict who can reach the device \
                 until then.",
    },
    attributes: &[Attribute::DefaultCredential],
    explain: |device, kind| {
        format!("someone logs in to {device} with credentials ({kind}) that such devices are delivered with")
    },
};

const WEAK_PROTOCOL: Findings = Findings {
    about: &About {
        name: "weak-protocol",
        title: "A device uses a protocol that protects nothing any more",
        sees: "versions and methods that are not to be used any more, as a server chose or a client sent them: SSL and TLS \
               before 1.2, DTLS 1.0, SMB 1, NTLM 1, SSH 1, SNMP v1 and v2c, RADIUS without proof of who asks, Kerberos \
               with DES or RC4, RDP and VNC without protection, OPC UA without signatures or users",
        threshold: "one conversation; one alert for each device and version or method",
        severity: Severity::Low,
        attack: Some(("T0830", "Adversary-in-the-Middle")),
        remedy: "Enable the version that replaced it and switch off the old one; where the device cannot, keep it in a \
                 segment of its own.",
    },
    attributes: &[Attribute::WeakProtocol, Attribute::TlsVersion],
    explain: |device, kind| format!("{device} uses {kind}, which is not to be used any more"),
};

const EXECUTABLE_TRANSFER: Findings = Findings {
    about: &About {
        name: "executable-transfer",
        title: "A device hands out an executable",
        sees: "programs for Windows, Linux and macOS and scripts that are fetched over HTTP without encryption from a \
               device of the site, by what they begin with; what comes from outside the site is not seen here",
        threshold: "one transfer; one alert for each device that hands out and kind of executable",
        severity: Severity::Medium,
        attack: Some(("T0867", "Lateral Tool Transfer")),
        remedy: "Find out whether the device is meant to distribute software, and to whom; acknowledge the alert if it is, \
                 else isolate both ends.",
    },
    attributes: &[Attribute::ExecutableTransfer],
    explain: |device, kind| format!("{device} handed out an executable ({kind}) to another device"),
};

const COVERT_CHANNEL: Findings = Findings {
    about: &About {
        name: "covert-channel",
        title: "A device carries data in a protocol that is not for it",
        sees: "data in the names that are asked for in DNS, or in the records that come back; a resolver that asks on \
               behalf of others shows it as well, and a tunnel that takes a new port for each question does not show",
        threshold: "16 different names that carry data, or as many long answers, under one domain in one flow; one alert \
                    for each device and way",
        severity: Severity::High,
        attack: Some(("T1572", "Protocol Tunneling")),
        remedy: "Look up at the name server what the device asks for; isolate the device if nobody can explain it.",
    },
    attributes: &[Attribute::CovertChannel],
    explain: |device, kind| format!("{device} carries data where none belongs ({kind})"),
};

const NETWORK_SWEEP: Findings = Findings {
    about: &About {
        name: "network-sweep",
        title: "A device looks for others",
        sees: "attempts to connect over TCP that nobody answers or that are refused, to many hosts or to many ports of one; \
               those that are let in are not counted, and sweeps by UDP, ICMP and ARP do not show",
        threshold: "25 hosts (private addresses, or neighbours of one public network), or 15 ports of one host, within five \
                    minutes; one alert for each device and of the two",
        severity: Severity::High,
        attack: Some(("T1046", "Network Service Discovery")),
        remedy: "Find out whether the device is a scanner of yours, and acknowledge the alert if it is; otherwise isolate it \
                 and look for what runs on it.",
    },
    attributes: &[Attribute::NetworkSweep],
    explain: |device, what| format!("{device} tries many in vain ({what})"),
};

const ADDRESS_CONFLICT: Findings = Findings {
    about: &About {
        name: "address-conflict",
        title: "Two devices claim one IP address",
        sees: "claims to one address by two MAC addresses in turns, in ARP on one VLAN; which of the two is in the right is \
               not known, so there is an alert for each. Network cards in a team that answer by several MAC addresses show \
               it as well",
        threshold: "one claims it, another does, and the first does again within five minutes; one alert for each device and \
                    address",
        severity: Severity::Medium,
        attack: Some(("T1557.002", "ARP Cache Poisoning")),
        remedy: "Find both by their MAC addresses at the switch; if one speaks in the other's name, isolate it, else give it \
                 another address.",
    },
    attributes: &[Attribute::AddressConflict],
    explain: |device, address| format!("{device} claims {address}, which another device claims as well"),
};

impl Detector for Findings {
    fn about(&self) -> &'static About {
        self.about
    }

    fn judge(&self, event: &Event) -> Option<Verdict> {
        let Some(event::Event::Finding(finding)) = &event.event else { return None };
        if !self.attributes.contains(&finding.attribute()) {
            return None;
        }
        let device: DeviceSummary = finding.device.clone()?;
        let kind = &finding.value;
        let mut evidence =
            vec![format!("{kind} seen in {} by sensor {}", finding.protocol().name(), finding.sensor)];
        if let Some(peer) = &finding.peer {
            evidence.push(format!("exchanged with {}", called(peer)));
        }
        let explanation = (self.explain)(&called(&device), kind);
        Some(Verdict { matter: kind.clone(), device, peer: finding.peer.clone(), explanation, evidence })
    }
}
