//! What Suricata's events say in fields that the sensor states too.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::hexadecimal;
use super::super::statement::{Statement, Statements};
use super::{ends, is_flow};

/// The port of SNMP's agents.
const SNMP: u16 = 161;

/// What the events of a capture say.
pub fn statements(events: &[Value]) -> Result<BTreeSet<Statement>> {
    let mut said = Statements::default();
    // An event is of a packet of either direction; a flow tells who asked, unless it was joined behind that.
    let mut flows = HashMap::new();
    for event in events.iter().filter(|event| is_flow(event)) {
        let [client, server] = ends(event)?;
        let is_turned = client.port() == SNMP && server.port() != SNMP;
        let ends = if is_turned { [server, client] } else { [client, server] };
        flows.insert(event["flow_id"].as_u64(), ends.map(|end| end.ip().to_string()));
    }
    for event in events {
        let kind = event["event_type"].as_str().unwrap_or_default();
        let Some([client, server]) = flows.get(&event["flow_id"].as_u64()) else { continue };
        let told = Told { event: &event[kind], client, server };
        match kind {
            "http" => told.http(&mut said),
            "tls" => told.tls(&mut said)?,
            "quic" => told.server_name(Protocol::Quic, &mut said),
            "ssh" => told.ssh(&mut said),
            "smb" => told.smb(&mut said),
            "krb5" => told.kerberos(&mut said),
            "rdp" => told.rdp(&mut said),
            "dhcp" => told.dhcp(&mut said),
            "mqtt" => told.mqtt(&mut said),
            "ftp" => told.ftp(&mut said),
            "dns" => told.dns(&mut said),
            "snmp" => told.snmp(&mut said),
            "dnp3" => told.dnp3(&mut said),
            _ => {}
        }
    }
    Ok(said.0)
}

/// An event, and whose.
struct Told<'a> {
    event: &'a Value,
    client: &'a str,
    server: &'a str,
}

impl Told<'_> {
    fn text(&self, name: &str) -> &str {
        self.event[name].as_str().unwrap_or_default()
    }

    /// What was passed on is not said by the one that sends it, and a proxy is not the host that it is asked for (RFC 9110,
    /// 7.6.3 and 9.3.6; RFC 9112, 3.2.2).
    fn http(&self, said: &mut Statements) {
        // RTSP has the same layout.
        if !self.text("protocol").starts_with("HTTP/") {
            return;
        }
        let headers = |of: &str| {
            let headers = self.event[of].as_array().into_iter().flatten();
            let headers = headers.map(|header| (header["name"].as_str(), header["value"].as_str()));
            headers.filter_map(|(name, value)| Some((name?.to_lowercase(), value?))).collect::<Vec<_>>()
        };
        let is_relayed = |headers: &[(String, &str)]| {
            headers.iter().any(|(name, _)| ["via", "x-forwarded-for"].contains(&name.as_str()))
        };
        let (asked, answered) = (headers("request_headers"), headers("response_headers"));
        if !is_relayed(&answered) {
            for (_, value) in answered.iter().filter(|(name, _)| name == "server") {
                said.say(Protocol::Http, Attribute::HttpServer, self.server, value);
            }
        }
        if !is_relayed(&asked) {
            let agent = self.text("http_user_agent");
            said.say(Protocol::Http, Attribute::HttpUserAgent, self.client, agent);
        }
        if self.text("url").starts_with('/') && self.text("http_method") != "CONNECT" {
            let host = host_name(self.text("hostname"));
            said.say(Protocol::Http, Attribute::HttpHost, self.server, &host);
        }
    }

    fn server_name(&self, protocol: Protocol, said: &mut Statements) {
        said.say(protocol, Attribute::TlsServerName, self.server, &host_name(self.text("sni")));
    }

    /// A certificate is the server's: Suricata tells of a client's elsewhere.
    fn tls(&self, said: &mut Statements) -> Result<()> {
        self.server_name(Protocol::Tls, said);
        let mut say = |attribute, value: &str| said.say(Protocol::Tls, attribute, self.server, value);
        let version = match self.text("version") {
            "SSLv2" => "ssl2",
            "SSLv3" => "ssl3",
            "TLSv1" => "tls1.0",
            "TLS 1.1" => "tls1.1",
            "TLS 1.2" => "tls1.2",
            "TLS 1.3" => "tls1.3",
            _ => "",
        };
        say(Attribute::TlsVersion, version);
        let certificate = self.text("certificate");
        if !certificate.is_empty() {
            let der = BASE64_STANDARD.decode(certificate).context("read a certificate")?;
            say(Attribute::CertificateSha256, &hexadecimal(&Sha256::digest(der)));
        }
        let part = |name: &str, kind: &str| part(self.text(name), kind).unwrap_or_default().to_owned();
        say(Attribute::CertificateSubject, &part("subject", "CN"));
        let issuer = Some(part("issuerdn", "CN")).filter(|name| !name.is_empty());
        say(Attribute::CertificateIssuer, &issuer.unwrap_or_else(|| part("issuerdn", "O")));
        let day = |name: &str| self.text(name).split('T').next().unwrap_or_default().to_owned();
        say(Attribute::CertificateNotBefore, &day("notbefore"));
        say(Attribute::CertificateNotAfter, &day("notafter"));
        Ok(())
    }

    /// All software of the captures writes its version behind an underscore.
    fn ssh(&self, said: &mut Statements) {
        for (side, device, hash) in
            [("client", self.client, Attribute::SshHassh), ("server", self.server, Attribute::SshHasshServer)]
        {
            let side = &self.event[side];
            let software = side["software_version"].as_str().unwrap_or_default();
            let software = software.split(' ').next().unwrap_or_default();
            let (name, version) = software.rsplit_once('_').unwrap_or((software, ""));
            said.say(Protocol::Ssh, Attribute::SoftwareName, device, &name.replace('_', " "));
            said.say(Protocol::Ssh, Attribute::SoftwareVersion, device, version);
            said.say(Protocol::Ssh, hash, device, side["hassh"]["hash"].as_str().unwrap_or_default());
        }
    }

    fn smb(&self, said: &mut Statements) {
        let is_answered =
            self.text("command").contains("NEGOTIATE_PROTOCOL") && !self.text("status").is_empty();
        let dialect = match self.text("dialect") {
            "NT LM 0.12" => "NT LM 0.12",
            "2.02" => "2.0.2",
            "2.10" => "2.1",
            "3.00" => "3.0",
            "3.02" => "3.0.2",
            "3.11" => "3.1.1",
            // `2.??` puts the choice off.
            _ => "",
        };
        if is_answered {
            said.say(Protocol::Smb, Attribute::SmbDialect, self.server, dialect);
        }
        // NULL is what programs without a name give.
        let host = self.event["ntlmssp"]["host"].as_str().filter(|name| *name != "NULL").unwrap_or_default();
        said.say(Protocol::Smb, Attribute::HostName, self.client, &host.to_lowercase());
    }

    /// A centre's realm stands in the tickets that it gives out.
    fn kerberos(&self, said: &mut Statements) {
        match self.text("msg_type") {
            "KRB_AS_REP" | "KRB_TGS_REP" => {
                said.say(Protocol::Kerberos, Attribute::Domain, self.server, self.text("realm"));
            }
            "KRB_ERROR" => {
                let about_the_client =
                    ["KDC_ERR_C_PRINCIPAL_UNKNOWN", "KDC_ERR_CLIENT_REVOKED", "KDC_ERR_PREAUTH_FAILED"];
                if about_the_client.contains(&self.text("error_code")) {
                    said.say(Protocol::Kerberos, Attribute::FailedLogin, self.client, "kerberos");
                }
            }
            _ => {}
        }
    }

    fn rdp(&self, said: &mut Statements) {
        let name = self.event["client"]["client_name"].as_str().unwrap_or_default();
        said.say(Protocol::Rdp, Attribute::HostName, self.client, &name.to_lowercase());
    }

    /// A client tells of itself; a server's acknowledgement confirms the name.
    fn dhcp(&self, said: &mut Statements) {
        let mac = self.text("client_mac");
        let is_client = self.text("type") == "request";
        let mut say = |attribute, value: &str| said.say(Protocol::Dhcp, attribute, mac, value);
        if is_client || self.text("dhcp_type") == "ack" {
            let name = self.text("hostname").trim_end_matches('\0').trim_end_matches('.');
            say(Attribute::HostName, &name.to_ascii_lowercase());
        }
        if is_client {
            say(Attribute::DhcpVendorClass, self.text("vendor_class_identifier").trim_end_matches('\0'));
        }
    }

    fn mqtt(&self, said: &mut Statements) {
        let connect = &self.event["connect"];
        let version = match connect["protocol_version"].as_u64() {
            Some(3) => "3.1",
            Some(4) => "3.1.1",
            Some(5) => "5.0",
            _ => return,
        };
        said.say(Protocol::Mqtt, Attribute::MqttVersion, self.client, version);
        if connect["flags"]["password"] == true {
            said.say(Protocol::Mqtt, Attribute::CleartextCredential, self.server, "mqtt");
        }
    }

    fn ftp(&self, said: &mut Statements) {
        let codes = self.event["completion_code"].as_array().into_iter().flatten();
        if codes.into_iter().any(|code| code == "530") {
            said.say(Protocol::Ftp, Attribute::FailedLogin, self.client, "ftp");
        }
    }

    /// The names that answers give to addresses of networks that are not routed on the internet (RFC 1918).
    fn dns(&self, said: &mut Statements) {
        for answer in self.event["answers"].as_array().into_iter().flatten() {
            let name = answer["rrname"].as_str().unwrap_or_default();
            let data = answer["rdata"].as_str().unwrap_or_default();
            let (name, address) = match answer["rrtype"].as_str() {
                Some("A") => (name, data.parse().ok()),
                Some("PTR") => (data, reverse(name)),
                _ => continue,
            };
            if let Some(IpAddr::V4(address)) =
                address.filter(|ip| matches!(ip, IpAddr::V4(v4) if v4.is_private()))
            {
                said.say(Protocol::Dns, Attribute::HostName, &address.to_string(), &host_name(name));
            }
        }
    }

    /// The version that one speaks who asks, reports or answers.
    fn snmp(&self, said: &mut Statements) {
        let version = match self.event["version"].as_u64() {
            Some(1) => "snmpv1",
            Some(2) => "snmpv2c",
            _ => return,
        };
        let is_answer = self.text("pdu_type") == "response";
        let device = if is_answer { self.server } else { self.client };
        said.say(Protocol::Snmp, Attribute::WeakProtocol, device, version);
    }

    /// Outstations answer.
    fn dnp3(&self, said: &mut Statements) {
        if self.event["control"]["dir"] == false
            && let Some(address) = self.event["src"].as_u64()
        {
            said.say(Protocol::Dnp3, Attribute::Dnp3Address, self.server, &address.to_string());
        }
    }
}

/// A name in lower case without a port; a literal address names no host.
fn host_name(name: &str) -> String {
    let (name, _) = name.rsplit_once(':').unwrap_or((name, ""));
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    if is_address { String::new() } else { name.trim_end_matches('.').to_ascii_lowercase() }
}

/// A part of a distinguished name such as `C=US, O=Tarnwick, Inc., CN=pacs-1`.
fn part<'a>(name: &'a str, kind: &str) -> Option<&'a str> {
    let begins = |at: usize| name[..at].is_empty() || name[..at].ends_with(", ");
    let (at, _) = name.match_indices(&format!("{kind}=")).find(|(at, _)| begins(*at))?;
    let value = &name[at + kind.len() + 1..];
    // A comma may be in the value: the next part begins with its kind.
    let is_end = |at: usize| {
        let kind = value[at + 2..].split('=').next().unwrap_or_default();
        value[at + 2..].contains('=') && kind.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let end = value.match_indices(", ").map(|(at, _)| at).find(|at| is_end(*at));
    Some(&value[..end.unwrap_or(value.len())])
}

/// The address that is asked for by its digits in reverse.
fn reverse(name: &str) -> Option<IpAddr> {
    let digits = name.strip_suffix(".in-addr.arpa")?;
    digits.rsplit('.').collect::<Vec<_>>().join(".").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_ends_where_the_next_one_begins() {
        let name = "C=US, O=Superfish, Inc., CN=pacs-1, Email=it@tarnwick.example";
        assert_eq!(part(name, "O"), Some("Superfish, Inc."));
        assert_eq!(part(name, "CN"), Some("pacs-1"));
        assert_eq!(part(name, "OU"), None);
    }
}
