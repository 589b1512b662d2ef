//! What controllers and field devices say about themselves as Wireshark reads it.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::{Row, Table};

pub(super) const NAMES: &[&str] = &[
    "ip.src",
    "ipv6.src",
    "eth.src",
    "mbtcp.unit_id",
    "modbus.object_id",
    "modbus.object_str_value",
    "enip.lir.vendor",
    "enip.lir.devtype",
    "enip.lir.prodcode",
    "enip.lir.revision",
    "enip.lir.serial",
    "enip.lir.name",
    "s7comm.szl.xy11.0001.index",
    "s7comm.szl.xy11.0001.anz",
    "s7comm.szl.xy11.0001.ausbg",
    "s7comm.szl.xy11.0001.ausbe",
    "s7comm.szl.001c.0001.name",
    "s7comm.szl.001c.0002.name",
    "s7comm.szl.001c.0005.serialn",
    "s7comm.szl.001c.0007.cputypname",
    "s7comm.szl.001c.000b.loc_id",
    "dnp3.ctl.dir",
    "dnp3.src",
    "iec60870_asdu.typeid",
    "iec60870_asdu.causetx",
    "iec60870_asdu.addr",
    "opcua.ApplicationUri",
    "opcua.ProductUri",
    "hart_ip.pt.rsp.expanded_device_type",
    "hart_ip.pt.rsp.software_rev",
    "hart_ip.pt.rsp.hardrev_and_physical_signal",
    "hart_ip.pt.rsp.device_id",
    "hart_ip.pt.rsp.manufacturer_Id",
    "hart_ip.pt.rsp.tag",
    "pn_rt.frame_id",
    "pn_dcp.suboption_device_nameofstation",
    "pn_dcp.suboption_device_devicevendorvalue",
    "pn_dcp.suboption_vendor_id",
    "pn_dcp.suboption_device_id",
    "pn_dcp.suboption_ip_ip",
    "pn_io.cminitiator_station_name",
    "pn_io.cminitiator_uuid",
    "dcerpc.pkt_type",
    "dcerpc.obj_id",
    "dcerpc.dg_if_id",
    "ams.state_response",
    "ams.sendernetid",
    "ams.ads_devicename",
    "ams.ads_versionversion",
    "ams.ads_versionrevision",
    "ams.ads_versionbuild",
];

/// The frames that are looked at.
pub(super) const FILTER: &str =
    "modbus || enip || s7comm || dnp3 || iec60870_asdu || opcua || hart_ip || pn_dcp || pn_io_device || ams";

/// Adds what is said.
pub(super) fn read(table: &Table, said: &mut Statements) {
    for row in table.rows() {
        let v4 = row.all("ip.src").last();
        let frame = Frame { row, source: v4.or_else(|| row.all("ipv6.src").last()).unwrap_or_default() };
        frame.modbus(said);
        frame.ethernet_ip(said);
        frame.s7comm(said);
        frame.telecontrol(said);
        frame.opc_ua(said);
        frame.hart(said);
        frame.profinet(said);
        frame.ads(said);
    }
}

/// A frame and its sender.
struct Frame<'a> {
    row: Row<'a>,
    source: &'a str,
}

impl Frame<'_> {
    /// Says of the sender what stands in these fields, first values only.
    fn firsts(&self, protocol: Protocol, fields: &[(&str, Attribute)], said: &mut Statements) {
        for (name, attribute) in fields {
            if let Some(value) = self.row.first(name) {
                said.say(protocol, *attribute, self.source, value);
            }
        }
    }

    /// Objects of a device identification; units from 1 to 247 are devices behind the sender.
    fn modbus(&self, said: &mut Statements) {
        let unit =
            self.row.first("mbtcp.unit_id").and_then(|unit| unit.parse::<u8>().ok()).unwrap_or_default();
        let subject = match unit {
            1..=247 => format!("{} modbus={unit}", self.source),
            _ => self.source.to_owned(),
        };
        for (number, value) in self.row.all("modbus.object_id").zip(self.row.all("modbus.object_str_value")) {
            let attribute = match number {
                "0" => Attribute::Manufacturer,
                "1" => Attribute::Model,
                "2" => Attribute::FirmwareVersion,
                _ => continue,
            };
            said.say(Protocol::Modbus, attribute, &subject, value);
        }
    }

    fn ethernet_ip(&self, said: &mut Statements) {
        let mut say = |attribute, value: &str| said.say(Protocol::EthernetIp, attribute, self.source, value);
        let Some(name) = self.row.first("enip.lir.name") else { return };
        say(Attribute::Model, name);
        for (field, attribute) in [
            ("enip.lir.vendor", Attribute::CipVendorId),
            ("enip.lir.devtype", Attribute::CipDeviceType),
            ("enip.lir.prodcode", Attribute::CipProductCode),
        ] {
            say(attribute, &number(self.row.first(field)).to_string());
        }
        let revision = number(self.row.first("enip.lir.revision"));
        say(Attribute::FirmwareVersion, &format!("{}.{}", revision >> 8, revision & 0xFF));
        say(Attribute::SerialNumber, &format!("{:08X}", number(self.row.first("enip.lir.serial"))));
    }

    fn s7comm(&self, said: &mut Statements) {
        let row = self.row;
        let versions = row.all("s7comm.szl.xy11.0001.ausbg").zip(row.all("s7comm.szl.xy11.0001.ausbe"));
        let modules = row.all("s7comm.szl.xy11.0001.index").zip(row.all("s7comm.szl.xy11.0001.anz"));
        for ((index, order), (high, low)) in modules.zip(versions) {
            let mut say = |attribute, value: &str| said.say(Protocol::S7comm, attribute, self.source, value);
            let (high, low) = (number(Some(high)), number(Some(low)));
            match number(Some(index)) {
                1 => say(Attribute::OrderNumber, order),
                6 => say(Attribute::HardwareVersion, &high.to_string()),
                7 => say(Attribute::FirmwareVersion, &format!("{}.{}.{}", high & 0xFF, low >> 8, low & 0xFF)),
                _ => {}
            }
        }
        let names = [
            ("s7comm.szl.001c.0001.name", Attribute::Description),
            ("s7comm.szl.001c.0002.name", Attribute::DeviceTag),
            ("s7comm.szl.001c.0005.serialn", Attribute::SerialNumber),
            ("s7comm.szl.001c.0007.cputypname", Attribute::Model),
            ("s7comm.szl.001c.000b.loc_id", Attribute::Location),
        ];
        self.firsts(Protocol::S7comm, &names, said);
    }

    /// Addresses of DNP3 outstations and of IEC 104 stations that report.
    fn telecontrol(&self, said: &mut Statements) {
        let row = self.row;
        for (direction, address) in row.all("dnp3.ctl.dir").zip(row.all("dnp3.src")) {
            if matches!(direction, "0" | "False") {
                said.say(Protocol::Dnp3, Attribute::Dnp3Address, self.source, address);
            }
        }
        let causes = row.all("iec60870_asdu.typeid").zip(row.all("iec60870_asdu.causetx"));
        for ((kind, cause), address) in causes.zip(row.all("iec60870_asdu.addr")) {
            // Monitored points, and commands that are confirmed.
            let is_report = number(Some(kind)) < 45 && cause != "5";
            let is_answer = matches!(cause, "7" | "9" | "10");
            if is_report || is_answer {
                said.say(Protocol::Iec104, Attribute::Iec104CommonAddress, self.source, address);
            }
        }
    }

    fn opc_ua(&self, said: &mut Statements) {
        let fields = [
            ("opcua.ApplicationUri", Attribute::OpcUaApplicationUri),
            ("opcua.ProductUri", Attribute::OpcUaProductUri),
        ];
        for (name, attribute) in fields {
            for value in self.row.all(name).filter(|value| !value.starts_with("[OpcUa ")) {
                said.say(Protocol::OpcUa, attribute, self.source, value);
            }
        }
    }

    fn hart(&self, said: &mut Statements) {
        let row = self.row;
        if let Some(device) = row.first("hart_ip.pt.rsp.device_id") {
            let mut say = |attribute, value: u64| {
                said.say(Protocol::HartIp, attribute, self.source, &value.to_string());
            };
            say(Attribute::SerialNumber, number(Some(&format!("0x{}", device.replace(':', "")))));
            say(Attribute::HartDeviceType, number(row.first("hart_ip.pt.rsp.expanded_device_type")));
            say(Attribute::HartManufacturerId, number(row.first("hart_ip.pt.rsp.manufacturer_Id")));
            say(Attribute::FirmwareVersion, number(row.first("hart_ip.pt.rsp.software_rev")));
            say(
                Attribute::HardwareVersion,
                number(row.first("hart_ip.pt.rsp.hardrev_and_physical_signal")) >> 3,
            );
        }
        self.firsts(Protocol::HartIp, &[("hart_ip.pt.rsp.tag", Attribute::DeviceTag)], said);
    }

    /// Stations that answer on the link; who connects to whom over UDP.
    fn profinet(&self, said: &mut Statements) {
        let row = self.row;
        if row.first("pn_rt.frame_id").map(|id| number(Some(id))) == Some(0xFEFF) {
            let station = row.first("eth.src").unwrap_or_default();
            let mut say = |attribute, value: &str| said.say(Protocol::ProfinetDcp, attribute, station, value);
            for (field, attribute) in [
                ("pn_dcp.suboption_device_nameofstation", Attribute::DeviceTag),
                ("pn_dcp.suboption_device_devicevendorvalue", Attribute::Model),
                ("pn_dcp.suboption_ip_ip", Attribute::IpAddress),
            ] {
                say(attribute, row.first(field).unwrap_or_default());
            }
            for (field, attribute) in [
                ("pn_dcp.suboption_vendor_id", Attribute::ProfinetVendorId),
                ("pn_dcp.suboption_device_id", Attribute::ProfinetDeviceId),
            ] {
                say(attribute, &number(row.first(field)).to_string());
            }
        }
        self.firsts(Protocol::ProfinetCm, &[("pn_io.cminitiator_station_name", Attribute::DeviceTag)], said);
        let is_of_device =
            row.first("dcerpc.dg_if_id").is_some_and(|interface| interface.starts_with("dea00001-"));
        let of_device =
            row.first("dcerpc.obj_id").filter(|_| is_of_device && row.first("dcerpc.pkt_type") == Some("2"));
        for object in [of_device, row.first("pn_io.cminitiator_uuid")].into_iter().flatten() {
            // The last group of digits: instance, device, vendor, which is nought where none is named.
            let group = object.rsplit('-').next().unwrap_or_default();
            let read = |digits: Option<&str>| number(digits.map(|digits| format!("0x{digits}")).as_deref());
            let (device, vendor) = (read(group.get(4..8)), read(group.get(8..)));
            if vendor == 0 {
                continue;
            }
            for (attribute, value) in
                [(Attribute::ProfinetDeviceId, device), (Attribute::ProfinetVendorId, vendor)]
            {
                said.say(Protocol::ProfinetCm, attribute, self.source, &value.to_string());
            }
        }
    }

    fn ads(&self, said: &mut Statements) {
        let row = self.row;
        if !matches!(row.first("ams.state_response"), Some("1" | "True")) {
            return;
        }
        let mut say = |attribute, value: &str| said.say(Protocol::Ads, attribute, self.source, value);
        if let Some(id) = row.first("ams.sendernetid").filter(|id| id.ends_with(".1.1")) {
            say(Attribute::AmsNetId, id);
        }
        if let Some(name) = row.first("ams.ads_devicename") {
            say(Attribute::SoftwareName, name);
            let parts = ["ams.ads_versionversion", "ams.ads_versionrevision", "ams.ads_versionbuild"];
            let version = parts.map(|part| number(row.first(part)).to_string()).join(".");
            say(Attribute::SoftwareVersion, &version);
        }
    }
}

/// A number in decimal, or in hexadecimal behind `0x`; 0 where there is none.
fn number(text: Option<&str>) -> u64 {
    let text = text.unwrap_or_default();
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.unwrap_or_default()
}
