//! Fields of TLS, QUIC, DTLS, HTTP, DHCP, DICOM and HL7 as Wireshark reads them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::super::{hexadecimal, openssl};
use super::{Row, Table};

pub(super) const NAMES: &[&str] = &[
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tls.record.opaque_type",
    "tls.handshake.extensions_server_name",
    "tls.handshake.certificate",
    "dtls.handshake.extensions_server_name",
    "dtls.handshake.certificate",
    "http.server",
    "http.user_agent",
    "http.host",
    "http.request.method",
    "http.request.uri",
    "http.request.line",
    "http.response.line",
    "dhcp.option.dhcp",
    "dhcp.hw.mac_addr",
    "dhcp.option.hostname",
    "dhcp.fqdn.name",
    "dhcp.option.vendor_class_id",
    "dhcp.option.request_list_item",
    "dhcp.option.mudurl",
    "dicom.pdu.type",
    "dicom.assoc.ae.calling",
    "dicom.assoc.ae.called",
    "dicom.userinfo.uid",
    "dicom.userinfo.version",
    "hl7.segment",
];

/// The frames that are looked at.
pub(super) const FILTER: &str = "tls || dtls || quic || http || dhcp || dicom || hl7";

/// Adds what is said.
pub(super) fn read(table: &Table, said: &mut Statements) -> Result<()> {
    let mut certificates = BTreeMap::new();
    for row in table.rows() {
        let frame = Frame::of(row);
        // What a proxy passes on is not said by the one that it is addressed to.
        if row.has("socks") {
            continue;
        }
        if frame.is_on_tcp {
            frame.handshake(Protocol::Tls, said, &mut certificates)?;
            frame.http(said);
            frame.dicom(said);
            frame.hl7(said);
        } else {
            frame.datagrams(said, &mut certificates)?;
            frame.dhcp(said);
        }
    }
    for (certificate, owners) in certificates {
        let told = openssl::read(&certificate)?;
        for (protocol, owner) in owners {
            for (attribute, value) in &told {
                said.say(protocol, *attribute, &owner, value);
            }
        }
    }
    Ok(())
}

/// A frame and its innermost addresses.
struct Frame<'a> {
    row: Row<'a>,
    source: &'a str,
    destination: &'a str,
    is_on_tcp: bool,
}

impl<'a> Frame<'a> {
    fn of(row: Row<'a>) -> Self {
        let address = |v4, v6| row.all(v4).last().or_else(|| row.all(v6).last()).unwrap_or_default();
        let protocols = row.first("frame.protocols").unwrap_or_default();
        let is_on_tcp = protocols.rsplit(':').find(|layer| ["tcp", "udp"].contains(layer)) == Some("tcp");
        Self {
            row,
            source: address("ip.src", "ipv6.src"),
            destination: address("ip.dst", "ipv6.dst"),
            is_on_tcp,
        }
    }

    fn handshake(
        &self,
        protocol: Protocol,
        said: &mut Statements,
        certificates: &mut BTreeMap<Vec<u8>, Vec<(Protocol, String)>>,
    ) -> Result<()> {
        // QUIC carries the handshake of TLS.
        let of = if protocol == Protocol::Dtls { "dtls" } else { "tls" };
        for name in self.row.all(&format!("{of}.handshake.extensions_server_name")) {
            if let Some(name) = host_name(name) {
                said.say(protocol, Attribute::TlsServerName, self.destination, &name);
            }
        }
        // Of TLS 1.3 it is encrypted on the wire, and read where the capture file has the session's keys.
        let is_encrypted = self.row.first("tls.record.opaque_type").is_some();
        // The first of a chain is the sender's own.
        if let Some(certificate) = self.row.first(&format!("{of}.handshake.certificate"))
            && !is_encrypted
        {
            let der = octets(certificate).context("read a certificate's octets")?;
            let fingerprint = hexadecimal(&Sha256::digest(&der));
            said.say(protocol, Attribute::CertificateSha256, self.source, &fingerprint);
            certificates.entry(der).or_default().push((protocol, self.source.to_owned()));
        }
        Ok(())
    }

    /// Handshakes on UDP: that of QUIC, which Wireshark decrypts as the RFC says, and that of DTLS.
    fn datagrams(
        &self,
        said: &mut Statements,
        certificates: &mut BTreeMap<Vec<u8>, Vec<(Protocol, String)>>,
    ) -> Result<()> {
        if self.row.has("quic") {
            self.handshake(Protocol::Quic, said, certificates)
        } else if self.row.has("dtls") {
            self.handshake(Protocol::Dtls, said, certificates)
        } else {
            Ok(())
        }
    }

    /// What was passed on by a proxy is not said by the one that sends it, and a proxy is not the host that it is asked
    /// for (RFC 9110, 7.6.3 and 9.3.6; RFC 9112, 3.2.2).
    fn http(&self, said: &mut Statements) {
        let is_relayed = |lines: &str| {
            self.row.all(lines).any(|line| {
                let line = line.to_ascii_lowercase();
                ["via:", "forwarded:", "x-forwarded-for:"].iter().any(|name| line.starts_with(name))
            })
        };
        if !is_relayed("http.response.line") {
            for server in self.row.all("http.server") {
                said.say(Protocol::Http, Attribute::HttpServer, self.source, server);
            }
        }
        if !is_relayed("http.request.line") {
            for agent in self.row.all("http.user_agent") {
                said.say(Protocol::Http, Attribute::HttpUserAgent, self.source, agent);
            }
        }
        let methods = self.row.all("http.request.method");
        for ((host, uri), method) in
            self.row.all("http.host").zip(self.row.all("http.request.uri")).zip(methods)
        {
            let (name, _) = host.rsplit_once(':').unwrap_or((host, ""));
            if uri.starts_with('/')
                && method != "CONNECT"
                && let Some(name) = host_name(name)
            {
                said.say(Protocol::Http, Attribute::HttpHost, self.destination, &name);
            }
        }
    }

    /// A client tells of itself; a server's acknowledgement confirms the name.
    fn dhcp(&self, said: &mut Statements) {
        let (Some(kind), Some(mac)) =
            (self.row.first("dhcp.option.dhcp"), self.row.first("dhcp.hw.mac_addr"))
        else {
            return;
        };
        let is_client = ["1", "3", "4", "7", "8"].contains(&kind);
        let mut say = |attribute, value: &str| said.say(Protocol::Dhcp, attribute, mac, value);
        if is_client || kind == "5" {
            for name in self.row.all("dhcp.option.hostname").chain(self.row.all("dhcp.fqdn.name")) {
                say(Attribute::HostName, &name.trim_end_matches('.').to_ascii_lowercase());
            }
        }
        if is_client {
            let wanted: Vec<&str> = self.row.all("dhcp.option.request_list_item").collect();
            say(Attribute::DhcpParameterList, &wanted.join(","));
            say(Attribute::MudUrl, self.row.first("dhcp.option.mudurl").unwrap_or_default());
            say(
                Attribute::DhcpVendorClass,
                self.row.first("dhcp.option.vendor_class_id").unwrap_or_default(),
            );
        }
    }

    /// The title by which a side of an association goes: the calling one as it asks, the called one once it accepts.
    fn dicom(&self, said: &mut Statements) {
        let associations = self.row.all("dicom.pdu.type").filter(|kind| ["0x01", "0x02"].contains(kind));
        let titles = self.row.all("dicom.assoc.ae.calling").zip(self.row.all("dicom.assoc.ae.called"));
        for (kind, (calling, called)) in associations.zip(titles) {
            let own = if kind == "0x01" { calling } else { called };
            said.say(Protocol::Dicom, Attribute::DicomAeTitle, self.source, own);
        }
        for uid in self.row.all("dicom.userinfo.uid") {
            said.say(Protocol::Dicom, Attribute::DicomImplementationUid, self.source, uid);
        }
        for version in self.row.all("dicom.userinfo.version") {
            said.say(Protocol::Dicom, Attribute::DicomImplementationVersion, self.source, version);
        }
    }

    /// MSH (HL7 v2, 2.14.9): sending and receiving application and facility, message type, version.
    fn hl7(&self, said: &mut Statements) {
        for segment in self.row.all("hl7.segment") {
            let Some(header) =
                segment.strip_prefix("MSH|^~\\&|").or_else(|| segment.strip_prefix("MSH|^~\\\\&|"))
            else {
                continue;
            };
            let fields: Vec<&str> = header.trim_end_matches("\\r").split('|').collect();
            // The first field here is MSH-3.
            let first = |number: usize| {
                let field = fields.get(number - 3).copied().unwrap_or_default();
                field.split('^').next().unwrap_or_default()
            };
            let kind: Vec<&str> = fields.get(6).copied().unwrap_or_default().split('^').take(2).collect();
            let of_sender = [
                (Attribute::Hl7Application, first(3)),
                (Attribute::Hl7Facility, first(4)),
                (Attribute::Hl7MessageType, &kind.join("_")),
                (Attribute::Hl7Version, first(12)),
            ];
            for (attribute, value) in of_sender {
                said.say(Protocol::Hl7, attribute, self.source, value);
            }
            said.say(Protocol::Hl7, Attribute::Hl7Application, self.destination, first(5));
            said.say(Protocol::Hl7, Attribute::Hl7Facility, self.destination, first(6));
        }
    }
}

/// A name in lower case; a literal address names no host.
fn host_name(name: &str) -> Option<String> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_err().then(|| name.trim_end_matches('.').to_ascii_lowercase())
}

/// Octets in hexadecimal, with or without colons.
pub(in crate::oracle) fn octets(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(octet).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}
