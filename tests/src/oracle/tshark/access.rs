//! What log-ins tell as Wireshark reads it: SSH's identification and offers, SMB's dialect, NTLM within SMB and LDAP, the realm
//! of a Kerberos centre, and the client's name in RDP.

use std::collections::BTreeMap;

use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::{Row, Table};

pub(super) const NAMES: &[&str] = &[
    "frame.protocols",
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "ssh.protocol",
    "ssh.kex.hassh",
    "ssh.kex.hasshserver",
    "smb.cmd",
    "smb.wct",
    "smb.flags.response",
    "smb2.cmd",
    "smb2.flags.response",
    "smb2.dialect",
    "ntlmssp.challenge.target_info.nb_computer_name",
    "ntlmssp.challenge.target_info.nb_domain_name",
    "ntlmssp.challenge.target_info.dns_computer_name",
    "ntlmssp.challenge.target_info.dns_domain_name",
    "ntlmssp.auth.hostname",
    "kerberos.msg_type",
    "kerberos.realm",
    "kerberos.error_code",
    "rdp.client.name",
    "rdp.client.build",
    "tcp.stream",
    "nbss.type",
    "nbss.called_name",
    "nbss.calling_name",
    "ftp.response.code",
    "smb.nt_status",
    "smb2.nt_status",
];

/// The frames that are looked at.
pub(super) const FILTER: &str =
    "ftp || ssh || smb || smb2 || ldap || kerberos || t124 || nbss.type == 0x81 || nbss.type == 0x82";

/// Adds what is said.
pub(super) fn read(table: &Table, said: &mut Statements) {
    // By TCP stream, the name by which a session was asked for.
    let mut called = BTreeMap::new();
    for row in table.rows() {
        let has = |layer: &str| row.has(layer);
        let source = row.all("ip.src").last().or_else(|| row.all("ipv6.src").last()).unwrap_or_default();
        let destination = row.all("ip.dst").last().or_else(|| row.all("ipv6.dst").last()).unwrap_or_default();
        if let Some((protocol, kind)) = refusal(row) {
            said.say(protocol, Attribute::FailedLogin, destination, kind);
        }
        let mut say = |protocol, attribute, value: &str| said.say(protocol, attribute, source, value);
        if has("ssh") {
            ssh(row, &mut say);
        } else if has("smb") || has("smb2") {
            dialect(row, &mut say);
            // What remote procedures say to each other within a session is not read.
            if !has("dcerpc") {
                ntlm(row, Protocol::Smb, &mut say);
            }
        } else if has("nbss") {
            let name = |field| row.first(field).and_then(|name| name.split('<').next()).unwrap_or_default();
            let stream = row.first("tcp.stream");
            say(Protocol::Smb, Attribute::HostName, &name("nbss.calling_name").to_lowercase());
            match row.first("nbss.type") {
                Some("0x81") => {
                    called.insert(stream, name("nbss.called_name"));
                }
                // Who agrees to a session answers to the name; some call by an address, in the hope that whoever is
                // there does not mind.
                Some("0x82") => {
                    let called = called.remove(&stream).unwrap_or_default();
                    let is_address = called.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                    if !called.starts_with('*') && !is_address {
                        say(Protocol::Smb, Attribute::HostName, &called.to_lowercase());
                    }
                }
                _ => {}
            }
        } else if has("ldap") {
            ntlm(row, Protocol::Ldap, &mut say);
        } else if has("kerberos") {
            kerberos(row, &mut say);
        } else if has("t124") {
            for (field, attribute) in
                [("rdp.client.name", Attribute::HostName), ("rdp.client.build", Attribute::SoftwareVersion)]
            {
                if let Some(value) = row.first(field) {
                    say(Protocol::Rdp, attribute, &value.to_lowercase());
                }
            }
        }
    }
}

/// A log-in that is refused, in the protocols whose captures have some: FTP's 530, Kerberos' errors about the client, and
/// SMB's codes of logon failures; all of the latter are of NTLM.
fn refusal(row: Row<'_>) -> Option<(Protocol, &'static str)> {
    let is = |field, values: &[&str]| row.first(field).is_some_and(|value| values.contains(&value));
    let codes = ["0xc0000064", "0xc000006a", "0xc000006d", "0xc000006e", "0xc0000072", "0xc0000234"];
    if is("ftp.response.code", &["530"]) {
        Some((Protocol::Ftp, "ftp"))
    } else if is("kerberos.msg_type", &["30"]) && is("kerberos.error_code", &["6", "18", "24"]) {
        Some((Protocol::Kerberos, "kerberos"))
    } else if is("smb.nt_status", &codes) || is("smb2.nt_status", &codes) {
        Some((Protocol::Smb, "ntlm"))
    } else {
        None
    }
}

/// All software of the captures writes its version behind an underscore.
fn ssh(row: Row<'_>, say: &mut impl FnMut(Protocol, Attribute, &str)) {
    if let Some((_, software)) =
        row.first("ssh.protocol").and_then(|line| line.split_once('-')?.1.split_once('-'))
    {
        let software = software.split(' ').next().unwrap_or_default();
        let (name, version) = software.rsplit_once('_').unwrap_or((software, ""));
        say(Protocol::Ssh, Attribute::SoftwareName, &name.replace('_', " "));
        say(Protocol::Ssh, Attribute::SoftwareVersion, version);
    }
    for (field, attribute) in
        [("ssh.kex.hassh", Attribute::SshHassh), ("ssh.kex.hasshserver", Attribute::SshHasshServer)]
    {
        say(Protocol::Ssh, attribute, row.first(field).unwrap_or_default());
    }
}

/// The one that a server chose: NT LM 0.12 is told by the 17 words of the answer (MS-CIFS, 2.2.4.52.2).
fn dialect(row: Row<'_>, say: &mut impl FnMut(Protocol, Attribute, &str)) {
    let is = |field, values: &[&str]| row.first(field).is_some_and(|value| values.contains(&value));
    let is_yes = |field| is(field, &["1", "True"]);
    if is("smb.cmd", &["0x72", "114"]) && is("smb.wct", &["17"]) && is_yes("smb.flags.response") {
        say(Protocol::Smb, Attribute::SmbDialect, "NT LM 0.12");
    }
    if is("smb2.cmd", &["0"]) && is_yes("smb2.flags.response") {
        let dialect = match row.first("smb2.dialect").unwrap_or_default() {
            "0x0202" => "2.0.2",
            "0x0210" => "2.1",
            "0x0300" => "3.0",
            "0x0302" => "3.0.2",
            "0x0311" => "3.1.1",
            _ => "",
        };
        say(Protocol::Smb, Attribute::SmbDialect, dialect);
    }
}

fn ntlm(row: Row<'_>, protocol: Protocol, say: &mut impl FnMut(Protocol, Attribute, &str)) {
    let told = |name: &str| row.first(&format!("ntlmssp.challenge.target_info.{name}")).unwrap_or_default();
    let (host, dns_host) = (told("nb_computer_name"), told("dns_computer_name"));
    let (domain, dns_domain) = (told("nb_domain_name"), told("dns_domain_name"));
    let better = |dns: &str, other: &str| if dns.is_empty() { other.to_owned() } else { dns.to_owned() };
    say(protocol, Attribute::HostName, &better(dns_host, host).to_lowercase());
    // A machine outside any domain gives its own name in its place.
    if !domain.eq_ignore_ascii_case(host) {
        say(protocol, Attribute::Domain, &better(dns_domain, domain));
    }
    // NULL is what programs without a name give.
    if let Some(name) = row.first("ntlmssp.auth.hostname").filter(|name| *name != "NULL") {
        say(protocol, Attribute::HostName, &name.to_lowercase());
    }
}

/// A centre's realm stands in the tickets that it gives out, and in its errors about a client's proof (RFC 4120, 7.5.9).
fn kerberos(row: Row<'_>, say: &mut impl FnMut(Protocol, Attribute, &str)) {
    let realm = row.first("kerberos.realm").unwrap_or_default();
    let is_told = match row.first("kerberos.msg_type") {
        Some("11" | "13") => true,
        Some("30") => matches!(row.first("kerberos.error_code"), Some("18" | "24" | "25")),
        _ => false,
    };
    if is_told {
        say(Protocol::Kerberos, Attribute::Domain, realm);
    }
}
