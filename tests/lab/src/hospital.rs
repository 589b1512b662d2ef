//! The hospital's description: what the lab builds, and what readers of the captures may expect in them.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// A hospital, as read from `hospital.toml`. Tables that only configure a device's software are left to that
/// software's scripts.
#[derive(Debug, Clone, Deserialize)]
pub struct Hospital {
    /// What the devices have in common.
    #[serde(rename = "hospital")]
    pub site: Site,
    /// Every device, also those that another one speaks for.
    #[serde(rename = "device")]
    pub devices: Vec<Device>,
    /// Invented people. Nothing about them may leave a sensor.
    #[serde(rename = "patient", default)]
    pub patients: Vec<Patient>,
    /// Invented secrets that cross the wire in clear. They may not leave a sensor either.
    #[serde(rename = "credential", default)]
    pub credentials: Vec<Credential>,
}

/// What the devices have in common.
#[derive(Debug, Clone, Deserialize)]
pub struct Site {
    /// The hospital's name.
    pub name: String,
    /// The DNS domain of its devices.
    pub domain: String,
    /// The IPv4 network that all are in.
    pub network: ipnet::Ipv4Net,
    /// The device that answers DNS and DHCP, if one does.
    pub name_server: Option<String>,
    /// The folder of the scenes, seen from the description's; this project's where it is not given.
    pub scenes: Option<PathBuf>,
}

/// A device and what it says about itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Device {
    /// Its key in the description.
    pub name: String,
    /// What it is, broadly: `medical`, `building`, `it`, `iot`.
    pub category: String,
    /// What it is: `CT scanner`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its MAC address, in lower case with colons. None for a device that another one speaks for.
    pub mac: Option<String>,
    /// Its IPv4 address. None for a device that another one speaks for.
    pub ip: Option<Ipv4Addr>,
    /// The device that speaks for this one.
    pub behind: Option<String>,
    /// The company that made it, under its present name.
    pub maker: Option<String>,
    /// The manufacturer in the spelling that goes over the wire.
    pub manufacturer: Option<String>,
    /// The model, as it goes over the wire.
    pub model: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// Versions of its software, in the order in which they are sent.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Its unique device identifier in GS1's human-readable form.
    pub udi: Option<String>,
    /// Its EUI-64, in upper case without separators.
    pub eui64: Option<String>,
    /// Its host name.
    pub host_name: Option<String>,
    /// Where it says that it is.
    pub location: Option<String>,
    /// How it asks for an address, where it does.
    pub dhcp: Option<Dhcp>,
    /// The captures in which it takes part or is spoken for.
    pub captures: BTreeSet<String>,
    /// All that is written about it, with the tables that configure its software.
    #[serde(skip)]
    pub described: toml::Table,
}

/// How a device asks for an address; it also gives its host name then.
#[derive(Debug, Clone, Deserialize)]
pub struct Dhcp {
    /// The program: `dhclient` or `udhcpc`.
    pub client: String,
    /// What it says that it is (option 60).
    pub vendor_class: Option<String>,
    /// The options it asks for (option 55), in order, where the client's own are not wanted.
    pub request: Option<Vec<u8>>,
}

/// An invented person.
#[derive(Debug, Clone, Deserialize)]
pub struct Patient {
    /// The hospital's number for the person.
    pub id: String,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Date of birth, `YYYYMMDD`.
    pub born: String,
    /// `F` or `M`.
    pub sex: String,
}

/// An invented secret.
#[derive(Debug, Clone, Deserialize)]
pub struct Credential {
    /// The device that sends it.
    pub device: String,
    /// How it is sent.
    pub protocol: String,
    /// The user's name.
    pub user: String,
    /// The password.
    pub secret: String,
}

impl Device {
    /// The name that its machine has.
    pub fn own_name(&self) -> String {
        self.host_name.as_ref().unwrap_or(&self.name).clone()
    }
}

/// The devices once more, with what this module leaves to the scripts of their software.
#[derive(Deserialize)]
struct Described {
    #[serde(rename = "device")]
    devices: Vec<toml::Table>,
}

impl Hospital {
    /// Reads and checks a description.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let mut hospital: Self =
            toml::from_str(&text).with_context(|| format!("understand {}", path.display()))?;
        let described: Described =
            toml::from_str(&text).with_context(|| format!("understand {}", path.display()))?;
        for (device, described) in hospital.devices.iter_mut().zip(described.devices) {
            device.described = described;
        }
        hospital.check().with_context(|| format!("check {}", path.display()))?;
        Ok(hospital)
    }

    /// The device of a name.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// The devices that take part in a capture or are spoken for in it.
    pub fn seen_in<'a>(&'a self, area: &'a str) -> impl Iterator<Item = &'a Device> {
        self.devices.iter().filter(move |device| device.captures.contains(area))
    }

    fn check(&self) -> Result<()> {
        let mut taken = BTreeSet::new();
        for device in &self.devices {
            let name = &device.name;
            ensure!(taken.insert(name.clone()), "device {name} is described twice");
            ensure!(
                device.mac.is_some() == device.ip.is_some(),
                "device {name} needs both a MAC and an IP address"
            );
            ensure!(
                device.ip.is_some() != device.behind.is_some(),
                "device {name} has either addresses of its own or a device that speaks for it"
            );
            let addresses = device.mac.iter().cloned().chain(device.ip.map(|ip| ip.to_string()));
            for address in addresses {
                ensure!(taken.insert(address.clone()), "address {address} of {name} is taken");
            }
            if let Some(ip) = device.ip {
                ensure!(self.site.network.contains(&ip), "address {ip} of {name} is not in the network");
            }
        }
        for device in &self.devices {
            if let Some(behind) = &device.behind {
                let speaker = self.device(behind).filter(|speaker| speaker.ip.is_some());
                ensure!(speaker.is_some(), "{behind}, which speaks for {}, has no address", device.name);
            }
        }
        let is_domain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        ensure!(self.site.domain.chars().all(is_domain), "{} is no domain", self.site.domain);
        let server = self.site.name_server.as_deref();
        ensure!(server.is_none_or(|name| self.device(name).is_some()), "the name server is not described");
        Ok(())
    }
}
