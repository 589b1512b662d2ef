//! What Zeek's logs say in fields that the sensor states too.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::corpus::Capture;
use super::super::statement::{Statement, Statements};
use super::{Row, logs};

/// What the logs of a capture say; `data` holds `expected` beside `captures`. A test may have made its logs of several
/// captures: what they say of connections between devices that are not in this one is left out.
pub fn statements(
    data: &Path,
    capture: &Capture,
    is_in_capture: impl Fn(IpAddr) -> bool,
) -> Result<BTreeSet<Statement>> {
    let mut said = Statements::default();
    for log in logs(data, capture)? {
        for row in log.rows()? {
            if log.kind == "dhcp" {
                dhcp(&row, &mut said);
                continue;
            }
            let (Some(client), Some(server)) = (row.originator(), row.responder()) else { continue };
            if !is_in_capture(client.ip()) || !is_in_capture(server.ip()) {
                continue;
            }
            let line = Line {
                row: &row,
                client: &client.ip().to_string(),
                server: &server.ip().to_string(),
                sender: &row.sender().unwrap_or(server).ip().to_string(),
            };
            line.read(&log.kind, &mut said);
        }
    }
    Ok(said.0)
}

/// One line, and whose.
struct Line<'a> {
    row: &'a Row,
    client: &'a str,
    server: &'a str,
    /// Where the log does not say who sent it, the server.
    sender: &'a str,
}

impl Line<'_> {
    fn read(&self, kind: &str, said: &mut Statements) {
        match kind {
            "http" => self.http(said),
            "ssl" => self.tls(said),
            "ntp" => self.ntp(said),
            "kerberos" => self.kerberos(said),
            "rdp" => {
                said.say(Protocol::Rdp, Attribute::HostName, self.client, &self.lower("client_name"));
            }
            "radius" if self.text("result") == "failed" => {
                said.say(Protocol::Radius, Attribute::FailedLogin, self.client, "radius");
            }
            "ftp" if self.text("reply_code") == "530" => {
                said.say(Protocol::Ftp, Attribute::FailedLogin, self.client, "ftp");
            }
            "ldap" if self.text("opcode") == "bind simple" => {
                said.say(Protocol::Ldap, Attribute::CleartextCredential, self.server, "ldap");
            }
            "mqtt_connect" => {
                let version = self.text("proto_version");
                said.say(Protocol::Mqtt, Attribute::MqttVersion, self.client, version);
            }
            "s7comm_known_devices" => {
                for (column, attribute) in [
                    ("automation_system_name", Attribute::Description),
                    ("module_name", Attribute::DeviceTag),
                    ("module_serial", Attribute::SerialNumber),
                ] {
                    said.say(Protocol::S7comm, attribute, self.server, self.text(column));
                }
            }
            "bacnet_discovery" if self.text("pdu_service") == "i-am" && !self.is_unset() => {
                let instance = self.text("instance_number");
                said.say(Protocol::Bacnet, Attribute::BacnetInstance, self.sender, instance);
            }
            "cip_identity" => self.cip(said),
            "hart_ip_universal_commands" => self.hart(said),
            "opcua_binary_get_endpoints_description"
            | "opcua_binary_create_session_endpoints"
            | "opcua_binary_create_session" => {
                for (column, attribute) in [
                    ("application_uri", Attribute::OpcUaApplicationUri),
                    ("product_uri", Attribute::OpcUaProductUri),
                ] {
                    said.say(Protocol::OpcUa, attribute, self.sender, self.text(column));
                }
            }
            "profinet_io_cm" => self.profinet(said),
            _ => {}
        }
    }

    fn text(&self, column: &str) -> &str {
        self.row.value(column).unwrap_or_default()
    }

    fn lower(&self, column: &str) -> String {
        self.text(column).trim_end_matches('.').to_lowercase()
    }

    fn http(&self, said: &mut Statements) {
        said.say(Protocol::Http, Attribute::HttpUserAgent, self.client, self.text("user_agent"));
        if self.text("uri").starts_with('/') {
            said.say(Protocol::Http, Attribute::HttpHost, self.server, &host_name(self.text("host")));
        }
    }

    /// Subject and issuer are there where a certificate is not encrypted.
    fn tls(&self, said: &mut Statements) {
        let mut say = |attribute, value: &str| said.say(Protocol::Tls, attribute, self.server, value);
        say(Attribute::TlsServerName, &host_name(self.text("server_name")));
        let version = match self.text("version") {
            "SSLv2" => "ssl2",
            "SSLv3" => "ssl3",
            "TLSv10" => "tls1.0",
            "TLSv11" => "tls1.1",
            "TLSv12" => "tls1.2",
            "TLSv13" => "tls1.3",
            _ => "",
        };
        say(Attribute::TlsVersion, version);
        // The first of a chain is the server's own; some tests have fingerprints of SHA-1.
        let first = self.text("cert_chain_fps").split(',').next().unwrap_or_default();
        say(Attribute::CertificateSha256, if first.len() == 64 { first } else { "" });
        for (column, attribute) in
            [("subject", Attribute::CertificateSubject), ("issuer", Attribute::CertificateIssuer)]
        {
            say(attribute, common_name(self.text(column)));
        }
    }

    /// A client says its version, and a server its stratum too.
    fn ntp(&self, said: &mut Statements) {
        let (device, is_server) = match self.text("mode") {
            "3" => (self.client, false),
            "4" => (self.server, true),
            _ => return,
        };
        said.say(Protocol::Ntp, Attribute::NtpVersion, device, self.text("version"));
        if is_server {
            said.say(Protocol::Ntp, Attribute::NtpStratum, device, self.text("stratum"));
        }
    }

    /// A ticket that is given out has the centre's realm: `krbtgt/EXAMPLE.NET`.
    fn kerberos(&self, said: &mut Statements) {
        let is_request = ["AS", "TGS"].contains(&self.text("request_type"));
        if is_request && self.text("success") == "T" {
            let realm = self.text("service").strip_prefix("krbtgt/").unwrap_or_default();
            said.say(Protocol::Kerberos, Attribute::Domain, self.server, realm);
        }
        let about_the_client =
            ["KDC_ERR_C_PRINCIPAL_UNKNOWN", "KDC_ERR_CLIENT_REVOKED", "KDC_ERR_PREAUTH_FAILED"];
        if about_the_client.contains(&self.text("error_msg")) {
            said.say(Protocol::Kerberos, Attribute::FailedLogin, self.client, "kerberos");
        }
    }

    fn cip(&self, said: &mut Statements) {
        let mut say = |attribute, value: &str| said.say(Protocol::EthernetIp, attribute, self.sender, value);
        for (column, attribute) in [
            ("vendor_id", Attribute::CipVendorId),
            ("device_type_id", Attribute::CipDeviceType),
            ("product_code", Attribute::CipProductCode),
            ("revision", Attribute::FirmwareVersion),
            ("product_name", Attribute::Model),
        ] {
            say(attribute, self.text(column));
        }
        say(Attribute::SerialNumber, &self.text("serial_number").trim_start_matches("0x").to_uppercase());
    }

    /// Whether a device has no instance yet (ASHRAE 135, 12.11.1).
    fn is_unset(&self) -> bool {
        self.text("instance_number") == "4194303"
    }

    /// What a device answers when it is asked who it is; over UDP it is taken for the one who began.
    fn hart(&self, said: &mut Statements) {
        let is_turned = ["5094", "5095"].contains(&self.text("id.orig_p"));
        let device = if is_turned { self.client } else { self.server };
        for (column, attribute) in [
            ("software_revision", Attribute::FirmwareVersion),
            ("hardware_revision", Attribute::HardwareVersion),
            ("device_id", Attribute::SerialNumber),
        ] {
            said.say(Protocol::HartIp, attribute, device, self.text(column));
        }
    }

    /// The last group of an object's digits: instance, device, vendor (IEC 61158-6-10). A request names who is asked.
    fn profinet(&self, said: &mut Statements) {
        let is_of_device = self.text("interface_uuid").to_uppercase().starts_with("DEA00001-");
        if self.text("packet_type") != "Request" || !is_of_device {
            return;
        }
        let group = self.text("object_uuid").rsplit('-').next().unwrap_or_default();
        for (digits, attribute) in
            [(group.get(4..8), Attribute::ProfinetDeviceId), (group.get(8..), Attribute::ProfinetVendorId)]
        {
            if let Some(number) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
                let device = self.text("destination_h");
                said.say(Protocol::ProfinetCm, attribute, device, &number.to_string());
            }
        }
    }
}

/// Of a lease, by the client's hardware address.
fn dhcp(row: &Row, said: &mut Statements) {
    let mac = row.value("mac").unwrap_or_default();
    for column in ["host_name", "client_fqdn"] {
        let name = row.value(column).unwrap_or_default().trim_end_matches('.').to_lowercase();
        said.say(Protocol::Dhcp, Attribute::HostName, mac, &name);
    }
}

/// A name in lower case without a port; a literal address names no host.
fn host_name(name: &str) -> String {
    let (name, _) = name.rsplit_once(':').unwrap_or((name, ""));
    let is_address = name.parse::<IpAddr>().is_ok();
    if is_address { String::new() } else { name.trim_end_matches('.').to_lowercase() }
}

/// The common name in `CN=pacs-1,O=Tarnwick,C=US`.
fn common_name(name: &str) -> &str {
    name.split(',').find_map(|part| part.strip_prefix("CN=")).unwrap_or_default()
}
