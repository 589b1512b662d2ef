//! What Recog's parameters say of a device, in our attributes.

use std::collections::BTreeMap;

/// A piece of a value: a parameter, or a blank between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Param(&'static str),
    Blank,
}

/// Under which key of a signature's `says` which parameters stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) values: Vec<(&'static str, Vec<Piece>)>,
    /// `type` or `category`, and its name.
    pub(super) kind: Option<(&'static str, &'static str)>,
}

/// Recog's kinds of devices, as the taxonomy has them: whether it is a type, and its name. A kind of whose use nothing
/// is known has none.
const KINDS: &[(&str, &str, &str)] = &[
    ("Printer", "type", "printer"),
    ("Multifunction Device", "type", "printer"),
    ("Print Server", "type", "printer"),
    ("Router", "type", "router"),
    ("Broadband Router", "type", "router"),
    ("Switch", "type", "switch"),
    ("WAP", "type", "wireless access point"),
    ("Wireless Controller", "category", "network"),
    ("Firewall", "category", "network"),
    ("Security Appliance", "category", "network"),
    ("VPN", "category", "network"),
    ("SD-WAN Appliance", "category", "network"),
    ("Network Management Device", "category", "network"),
    ("Network Appliance", "category", "network"),
    ("Load Balancer", "category", "network"),
    ("Cable Modem", "category", "network"),
    ("DSL Modem", "category", "network"),
    ("Device Server", "type", "serial device server"),
    ("VoIP", "type", "telephone"),
    ("SIP Device", "type", "telephone"),
    ("IP Camera", "type", "camera"),
    ("Web Cam", "type", "camera"),
    ("DVR", "category", "iot"),
    ("Video Conferencing", "category", "iot"),
    ("Media Player", "type", "media player"),
    ("Smart TV", "type", "media player"),
    ("PLC", "type", "industrial controller"),
    ("Building Automation", "type", "building controller"),
    ("Laptop", "type", "computer"),
    ("Desktop", "type", "computer"),
    ("Hypervisor", "type", "server"),
    ("Lights Out Management", "category", "it"),
    ("NAS", "category", "it"),
    ("Storage", "category", "it"),
    ("Mobile Phone", "type", "mobile device"),
    ("Mobile", "type", "mobile device"),
    ("Tablet", "type", "mobile device"),
];

/// Devices of whose system the maker did not make the device.
const OF_SOFTWARE: &[&str] =
    &["", "General", "Desktop", "Laptop", "Hypervisor", "Server", "Web Proxy", "Device"];

/// Makers of systems that run on devices of others.
const OF_SYSTEMS: &[&str] = &[
    "Linux",
    "Microsoft",
    "VMware",
    "Canonical",
    "Ubuntu",
    "Debian",
    "Red Hat",
    "SUSE",
    "CentOS",
    "FreeBSD",
    "OpenBSD",
    "NetBSD",
    "Google",
    "Wind River",
    "Green Hills",
    "Citrix",
    "OpenWrt",
    "DD-WRT",
    "pfSense",
    "Alpine",
    "Unix",
];

/// What the parameters that a match gave mean.
pub(super) fn meaning(given: &BTreeMap<String, String>) -> Meaning {
    let has = |name: &str| given.get(name).is_some_and(|value| !value.is_empty() && value != "-");
    let text = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
    let mut meaning = Meaning::default();
    let mut say = |key, pieces: Vec<Piece>| meaning.values.push((key, pieces));
    let device = [text("hw.device"), text("os.device"), text("service.device")]
        .into_iter()
        .find(|device| !device.is_empty())
        .unwrap_or_default();
    // Where only a system is named and it is an appliance's, its maker made the device.
    let is_appliance = !OF_SOFTWARE.contains(&text("os.device"))
        && !OF_SYSTEMS.contains(&text("os.vendor"))
        && !has("hw.vendor");
    if has("hw.vendor") {
        say("manufacturer", vec![Piece::Param("hw.vendor")]);
    } else if is_appliance && has("os.vendor") {
        say("manufacturer", vec![Piece::Param("os.vendor")]);
    }
    // A product of an appliance with a number in it is the device's model, else its system.
    let is_model = is_appliance
        && !has("hw.product")
        && !has("hw.model")
        && text("os.product") != text("os.family")
        && text("os.product").contains(|c: char| c.is_ascii_digit());
    let model = match (has("hw.product"), has("hw.model"), has("hw.family")) {
        (true, true, _) if !text("hw.product").contains(text("hw.model")) => {
            Some(vec![Piece::Param("hw.product"), Piece::Blank, Piece::Param("hw.model")])
        }
        (true, _, _) => Some(vec![Piece::Param("hw.product")]),
        (false, true, true) if !text("hw.model").contains(text("hw.family")) => {
            Some(vec![Piece::Param("hw.family"), Piece::Blank, Piece::Param("hw.model")])
        }
        (false, true, _) => Some(vec![Piece::Param("hw.model")]),
        (false, false, true) => Some(vec![Piece::Param("hw.family")]),
        (false, false, false) => is_model.then(|| vec![Piece::Param("os.product")]),
    };
    if let Some(model) = model {
        say("model", model);
    }
    let system_version = if is_model { "firmware_version" } else { "operating_system_version" };
    let plain = [
        ("serial_number", "hw.serial_number", true),
        ("hardware_version", "hw.version", true),
        ("software_vendor", "service.vendor", true),
        ("software_name", "service.product", true),
        ("software_version", "service.version", has("service.product")),
        ("operating_system", "os.product", !is_model),
        (system_version, "os.version", has("os.product")),
    ];
    for (key, param, is_wanted) in plain {
        if is_wanted && has(param) {
            say(key, vec![Piece::Param(param)]);
        }
    }
    meaning.kind = KINDS.iter().find(|(known, _, _)| *known == device).map(|(_, key, name)| (*key, *name));
    meaning
}

/// How sure Recog is, from 0 to 1: the least of what it says.
pub(super) fn certainty(given: &BTreeMap<String, String>) -> f64 {
    let said = ["hw.certainty", "os.certainty", "service.certainty"]
        .map(|name| given.get(name)?.parse::<f64>().ok());
    said.into_iter().flatten().fold(1.0, f64::min).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(params: &[(&str, &str)]) -> Meaning {
        meaning(&params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_system_of_an_appliance_names_its_maker_and_one_that_runs_anywhere_does_not() {
        let switch = given(&[
            ("os.vendor", "3Com"),
            ("os.device", "Switch"),
            ("os.product", "NJ220"),
            ("os.version", "2"),
        ]);
        assert_eq!(
            switch.values,
            [
                ("manufacturer", vec![Piece::Param("os.vendor")]),
                ("model", vec![Piece::Param("os.product")]),
                ("firmware_version", vec![Piece::Param("os.version")])
            ]
        );
        assert_eq!(switch.kind, Some(("type", "switch")));
        let host = given(&[("os.vendor", "Microsoft"), ("os.product", "Windows 2000")]);
        assert_eq!(host.values, [("operating_system", vec![Piece::Param("os.product")])]);
        assert_eq!(host.kind, None);
    }

    #[test]
    fn the_parts_of_a_model_are_joined_once() {
        let model = |params: &[(&str, &str)]| given(params).values;
        assert_eq!(
            model(&[("hw.family", "VersaLink"), ("hw.model", "C405")]),
            [("model", vec![Piece::Param("hw.family"), Piece::Blank, Piece::Param("hw.model")])]
        );
        assert_eq!(
            model(&[("hw.product", "CP 7960"), ("hw.model", "7960")]),
            [("model", vec![Piece::Param("hw.product")])]
        );
    }
}
