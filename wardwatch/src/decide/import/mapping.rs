//! Which column holds what: as the mapping says, else by the usual headings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use wardwatch_proto::command::is_importable;
use wardwatch_proto::name::{Named as _, attributes};
use wardwatch_proto::v1::Attribute;

use super::Kind;

/// A mapping file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Mapping {
    /// What stands between cells; guessed where it is left out.
    pub(super) delimiter: Option<char>,
    pub(super) encoding: Encoding,
    pub(super) dates: Dates,
    /// Attribute by heading; empty leaves a column out.
    columns: BTreeMap<String, String>,
    #[serde(skip)]
    path: PathBuf,
}

/// How the file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Encoding {
    /// With or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO/IEC 8859-1.
    #[serde(rename = "latin-1")]
    Latin1,
}

/// How dates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Dates {
    /// `2026-01-31`, also with a time behind it.
    #[default]
    #[serde(rename = "yyyy-mm-dd")]
    Iso,
    #[serde(rename = "dd.mm.yyyy")]
    Dotted,
    #[serde(rename = "dd/mm/yyyy")]
    DayFirst,
    #[serde(rename = "mm/dd/yyyy")]
    MonthFirst,
}

/// Usual headings, in small letters without anything else.
const HEADINGS: &[(Attribute, &[&str])] = &[
    (
        Attribute::MacAddress,
        &[
            "mac",
            "macaddress",
            "macaddr",
            "hardwareaddress",
            "physicaladdress",
            "ethernetmac",
            "wifimac",
            "clientmac",
            "clientmacaddress",
            "endpointmac",
            "callingstationid",
        ],
    ),
    (
        Attribute::IpAddress,
        &["ip", "ipaddress", "ipv4address", "ipv4", "clientip", "lastip", "localip", "framedipaddress"],
    ),
    (
        Attribute::HostName,
        &["hostname", "computername", "dnshostname", "dnsname", "devicename", "fqdn", "networkname"],
    ),
    (Attribute::Domain, &["domain", "addomain", "dnsdomain"]),
    (
        Attribute::Manufacturer,
        &["manufacturer", "make", "vendor", "mfr", "oem", "hersteller", "systemmanufacturer"],
    ),
    (Attribute::Model, &["model", "modelname", "devicemodel", "productmodel", "modell", "systemproductname"]),
    (Attribute::ModelNumber, &["modelnumber", "modelno"]),
    (Attribute::PartNumber, &["partnumber", "partno"]),
    (Attribute::SerialNumber, &["serialnumber", "serial", "serialno", "sn", "seriennummer", "serialnum"]),
    (
        Attribute::AssetTag,
        &[
            "assettag",
            "assetno",
            "assetnumber",
            "assetid",
            "asset",
            "tagnumber",
            "equipmentno",
            "equipmentid",
            "controlnumber",
            "inventarnummer",
            "inventoryno",
            "inventorynumber",
        ],
    ),
    (Attribute::UdiDi, &["udi", "udidi", "deviceidentifier"]),
    (Attribute::HardwareVersion, &["hardwareversion", "hardwarerevision"]),
    (Attribute::FirmwareVersion, &["firmware", "firmwareversion"]),
    (Attribute::SoftwareName, &["softwarename"]),
    (Attribute::SoftwareVersion, &["softwareversion", "swversion"]),
    (Attribute::OperatingSystem, &["os", "operatingsystem", "osname", "platform"]),
    (Attribute::OperatingSystemVersion, &["osversion", "operatingsystemversion", "osbuild"]),
    (Attribute::Institution, &["institution", "hospital", "facility"]),
    (Attribute::Department, &["department", "dept", "abteilung", "owningdepartment"]),
    (Attribute::Location, &["location", "standort", "place", "ward"]),
    (Attribute::Building, &["building", "bldg", "gebaeude", "gebäude"]),
    (Attribute::Floor, &["floor", "level", "etage", "storey"]),
    (Attribute::Room, &["room", "roomno", "roomnumber", "raum", "zimmer"]),
    (
        Attribute::MaintenanceState,
        &["status", "assetstatus", "lifecyclestatus", "maintenancestatus", "servicestatus"],
    ),
    (Attribute::Ownership, &["ownership", "owner", "ownershiptype", "acquisition"]),
    (Attribute::Technician, &["technician", "assignedtechnician", "primarytechnician", "biomed"]),
    (
        Attribute::LastMaintenance,
        &["lastpm", "lastpmdate", "lastmaintenance", "lastservice", "lastinspection", "pmdate"],
    ),
    (
        Attribute::NextMaintenance,
        &["nextpm", "nextpmdate", "nextmaintenance", "nextservice", "nextinspection", "pmdue"],
    ),
    (Attribute::WarrantyEnd, &["warrantyend", "warrantyexpiration", "warrantyexpires", "warrantydate"]),
    (Attribute::CostCentre, &["costcentre", "costcenter", "kostenstelle"]),
    (Attribute::Cost, &["cost", "purchasecost", "purchaseprice", "acquisitioncost", "price"]),
    (Attribute::LinkVlan, &["vlan", "vlanid", "accessvlan"]),
    (Attribute::VlanName, &["vlanname"]),
    (Attribute::SwitchName, &["switch", "switchname", "nasname", "networkdevicename", "networkdevice"]),
    (
        Attribute::SwitchPort,
        &["switchport", "port", "interface", "nasport", "nasportid", "ifname", "portname"],
    ),
    (Attribute::AccessPointName, &["ap", "apname", "accesspoint", "accesspointname"]),
    (Attribute::Ssid, &["ssid", "wlan", "wlanname", "wlanprofile", "networkssid"]),
    (Attribute::Bssid, &["bssid", "apmac", "radiomac"]),
    (Attribute::WlanControllerName, &["controller", "wlc", "wlancontroller", "controllername"]),
    (
        Attribute::WirelessEncryption,
        &["encryption", "encryptioncipher", "securitytype", "wirelessencryption", "authtype"],
    ),
    (
        Attribute::NacGroup,
        &["group", "endpointgroup", "identitygroup", "profile", "endpointprofile", "endpointpolicy"],
    ),
    (Attribute::NacPosture, &["posture", "posturestatus", "compliance"]),
    (Attribute::NetworkZone, &["zone", "securitygroup", "sgt", "networkzone", "segment"]),
    (Attribute::PatchLevel, &["patchlevel", "securitypatchlevel", "lastpatch", "patch"]),
    (Attribute::EdrAgentVersion, &["agentversion", "sensorversion"]),
    (
        Attribute::LastUser,
        &["lastuser", "user", "username", "lastloggedonuser", "loggedonuser", "primaryuser"],
    ),
];

/// Headings that mean something else in the tables of one kind.
const OF_KIND: &[(Kind, &str, Attribute)] = &[
    (Kind::Mdm, "status", Attribute::MdmState),
    (Kind::Mdm, "compliance", Attribute::MdmState),
    (Kind::Mdm, "compliancestate", Attribute::MdmState),
    (Kind::Mdm, "enrollmentstatus", Attribute::MdmState),
    (Kind::Edr, "status", Attribute::EdrState),
    (Kind::Edr, "agentstatus", Attribute::EdrState),
    (Kind::Edr, "sensorstatus", Attribute::EdrState),
    (Kind::Nac, "status", Attribute::NacPosture),
    (Kind::Directory, "name", Attribute::HostName),
    (Kind::Wlc, "hostname", Attribute::HostName),
    (Kind::Switch, "name", Attribute::SwitchName),
    (Kind::Switch, "hostname", Attribute::SwitchName),
    (Kind::Switch, "device", Attribute::SwitchName),
];

/// Headings that in the tables of these kinds say nothing of the device itself.
const NOT_OF_KIND: &[(Kind, &str)] =
    &[(Kind::Switch, "status"), (Kind::Wlc, "status"), (Kind::Directory, "status")];

/// What is done with each column, in the order of the file.
pub(super) struct Columns {
    /// Heading and attribute; nothing for a column that is left out.
    pub(super) all: Vec<(String, Option<Attribute>)>,
}

impl Mapping {
    /// Reads a mapping file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("--mapping: cannot read {}", path.display()))?;
        let mut mapping: Self = toml::from_str(&text)
            .with_context(|| format!("the mapping {} cannot be used", path.display()))?;
        path.clone_into(&mut mapping.path);
        for (heading, word) in &mapping.columns {
            mapping.attribute(heading, word)?;
        }
        let is_plain = mapping.delimiter.is_none_or(|delimiter| delimiter.is_ascii() && delimiter != '"');
        anyhow::ensure!(
            is_plain,
            "{}: delimiter: it must be one ASCII character, and no quote",
            path.display()
        );
        Ok(mapping)
    }

    /// What each of these headings holds.
    pub(super) fn columns(&self, kind: Kind, headings: &[String]) -> anyhow::Result<Columns> {
        if let Some(missing) = self.columns.keys().find(|column| !headings.contains(column)) {
            anyhow::bail!(
                "{}: columns: the table has no column {missing:?}; it has {}",
                self.path.display(),
                headings.join(", ")
            );
        }
        let mut all = Vec::new();
        for heading in headings {
            let attribute = match self.columns.get(heading) {
                Some(word) => self.attribute(heading, word)?,
                None => usual(kind, heading),
            };
            all.push((heading.clone(), attribute));
        }
        anyhow::ensure!(
            all.iter().any(|(_, attribute)| attribute.is_some()),
            "none of the headings is known: {}; name what they hold with --mapping FILE",
            headings.join(", ")
        );
        Ok(Columns { all })
    }

    fn attribute(&self, heading: &str, word: &str) -> anyhow::Result<Option<Attribute>> {
        if word.is_empty() {
            return Ok(None);
        }
        let known = Attribute::from_name(word).filter(|attribute| is_importable(*attribute));
        let problem = || {
            let words: Vec<&str> = attributes()
                .filter(|attribute| is_importable(*attribute))
                .map(wardwatch_proto::name::Named::name)
                .collect();
            format!(
                "{}: columns: {heading:?}: no table can say {word:?}; these are known: {}",
                self.path.display(),
                words.join(", ")
            )
        };
        known.map(Some).with_context(problem)
    }
}

/// What a column of this heading usually holds.
fn usual(kind: Kind, heading: &str) -> Option<Attribute> {
    let word: String = heading.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if NOT_OF_KIND.contains(&(kind, word.as_str())) {
        return None;
    }
    let of_kind = OF_KIND.iter().find(|(of, known, _)| *of == kind && *known == word);
    of_kind.map(|(_, _, attribute)| *attribute).or_else(|| {
        HEADINGS.iter().find(|(_, known)| known.contains(&word.as_str())).map(|(attribute, _)| *attribute)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: Kind, headings: &[&str]) -> Vec<String> {
        let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
        let columns = Mapping::default().columns(kind, &headings).expect("known headings");
        columns
            .all
            .iter()
            .map(|(_, attribute)| attribute.map_or("", |known| known.name()).to_owned())
            .collect()
    }

    #[test]
    fn usual_headings_are_known_and_mean_what_their_system_means() {
        let cmms = ["Asset No.", "Serial Number", "Status", "Last PM", "Cost Center", "Remarks"];
        assert_eq!(
            words(Kind::Cmms, &cmms),
            ["asset_tag", "serial_number", "maintenance_state", "last_maintenance", "cost_centre", ""]
        );
        assert_eq!(words(Kind::Edr, &["Hostname", "Status"]), ["host_name", "edr_state"]);
        assert_eq!(
            words(Kind::Switch, &["Hostname", "Port", "MAC", "Status"]),
            ["switch_name", "switch_port", "mac_address", ""]
        );
        for (attribute, known) in HEADINGS {
            assert!(is_importable(*attribute) && !known.is_empty(), "{}", attribute.name());
        }
    }

    #[test]
    fn a_mapping_that_cannot_be_used_names_its_file_and_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("m.toml");
        let wrong = |text: &str| {
            std::fs::write(&path, text).expect("a file");
            format!("{:#}", Mapping::read(&path).expect_err("wrong"))
        };
        assert!(
            wrong("[columns]\n\"Pass\" = \"weak_protocol\"")
                .contains("m.toml: columns: \"Pass\": no table can say")
        );
        assert!(wrong("dates = \"soon\"").contains("m.toml cannot be used"));
        assert!(wrong("colums = 1").contains("unknown field `colums`"));
        assert!(wrong("delimiter = \"\\\"\"").contains("delimiter"));
        std::fs::write(&path, "delimiter = \";\"\n[columns]\n\"Ward\" = \"department\"\n\"Nr\" = \"\"")
            .expect("a file");
        let mapping = Mapping::read(&path).expect("sound");
        let missing = mapping.columns(Kind::Cmms, &["Ward".to_owned()]).err().expect("no such column");
        assert!(missing.to_string().contains("no column \"Nr\""), "{missing}");
    }
}
