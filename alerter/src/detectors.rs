//! What raises an alert. A detector looks at one event and says whether it is worth a person's attention, and what makes
//! two such events one alert.
//!
//! Every detector documents itself: its threshold, its severity, its ATT&CK technique and what to do about it are in
//! its [`About`], from which `docs/detectors.md` is written.

use wardwatch_proto::v1::{DeviceSummary, Event, Severity};

mod findings;
mod new_device;

/// What a detector is.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its stable name, such as `new-device`.
    pub name: &'static str,
    /// What its alerts are called.
    pub title: &'static str,
    /// What it looks at on the wire, and where that comes from.
    pub sees: &'static str,
    /// What must be seen, and how often, before it alerts.
    pub threshold: &'static str,
    /// How bad that is.
    pub severity: Severity,
    /// MITRE ATT&CK technique and its name; none where the event is no attack by itself.
    pub attack: Option<(&'static str, &'static str)>,
    /// What to do about it.
    pub remedy: &'static str,
}

/// An event that is worth a person's attention.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// With the detector and the device: what makes two events one alert.
    pub matter: String,
    /// The device the alert is about.
    pub device: DeviceSummary,
    /// The other device in it, where there is one.
    pub peer: Option<DeviceSummary>,
    /// What happened, in a sentence.
    pub explanation: String,
    /// What was seen, a statement each.
    pub evidence: Vec<String>,
}

/// Something that judges events.
pub trait Detector: std::fmt::Debug + Send + Sync {
    /// What it is.
    fn about(&self) -> &'static About;

    /// Whether this event is worth a person's attention.
    fn judge(&self, event: &Event) -> Option<Verdict>;
}

/// All detectors.
pub fn all() -> Vec<Box<dyn Detector>> {
    let findings = findings::ALL.map(|detector| Box::new(detector) as Box<dyn Detector>);
    std::iter::once(Box::new(new_device::NewDevice) as Box<dyn Detector>).chain(findings).collect()
}

/// A device in words: its name, or what it is, or its address.
fn called(device: &DeviceSummary) -> String {
    let maker = [device.manufacturer.as_str(), device.model.as_str()].join(" ");
    let what = if maker.trim().is_empty() { device.r#type.as_str() } else { maker.trim() };
    let address = device.ips.first().or(device.macs.first()).map_or("no address", String::as_str);
    let name = if device.name.is_empty() { address } else { &device.name };
    if what.is_empty() || what == name { name.to_owned() } else { format!("{name} ({what})") }
}
