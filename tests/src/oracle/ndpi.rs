//! What nDPI's example program told of a capture, as it stands beside it: `<capture>.ndpi.out`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use wardwatch_proto::v1::Protocol;

use super::conversation::{Conversation, Labelled};
use super::corpus::Capture;

/// How a flow says that it was recognised by content, and not by its port, its addresses or another flow.
const BY_CONTENT: &str = "[Confidence: DPI]";

/// The flows over TCP and UDP in a capture that nDPI recognised by what was said in them; none where it was not asked.
/// What it calls them is a protocol and often what that carries, as in `HTTP.SOAP`. `data` holds `expected` beside
/// `captures`.
pub fn flows(data: &Path, capture: &Capture) -> Result<Vec<Labelled>> {
    let path = data.join("expected").join(format!("{}.ndpi.out", capture.id));
    let Ok(text) = fs::read_to_string(&path) else { return Ok(Vec::new()) };
    let recognised = text.lines().filter(|line| line.contains(BY_CONTENT));
    let flows = recognised.map(|line| flow(line).with_context(|| format!("{}: {line}", path.display())));
    flows.filter_map(Result::transpose).collect()
}

/// A line such as `1 TCP 10.0.0.1:7718 <-> 10.0.0.2:502 [proto: 44.364/Modbus.UMAS][...`; none for other transports.
fn flow(line: &str) -> Result<Option<Labelled>> {
    let mut words = line.split_whitespace().skip(1);
    let transport = match words.next() {
        Some("TCP") => "tcp",
        Some("UDP") => "udp",
        _ => return Ok(None),
    };
    let one: SocketAddr = words.next().context("no end")?.parse()?;
    let other: SocketAddr = words.nth(1).context("no other end")?.parse()?;
    let (_, named) = line.split_once("[proto: ").context("no protocol")?;
    let (_, name) = named.split_once(']').and_then(|(named, _)| named.split_once('/')).context("no name")?;
    let (conversation, _) = Conversation::between(transport, one, other);
    Ok(Some(Labelled { conversation, name: name.to_owned() }))
}

/// What the sensor may call it; none where nDPI speaks of what the sensor does not know.
pub fn labels(name: &str) -> Option<&'static [Protocol]> {
    name.split('.').find_map(|name| LABELS.iter().find(|(theirs, _)| *theirs == name)).map(|(_, ours)| *ours)
}

const LABELS: &[(&str, &[Protocol])] = &[
    ("BACnet", &[Protocol::Bacnet]),
    ("BeckhoffADS", &[Protocol::Ads]),
    ("CiscoSkinny", &[Protocol::Sccp]),
    ("COAP", &[Protocol::Coap]),
    ("DHCP", &[Protocol::Dhcp]),
    ("DHCPV6", &[Protocol::Dhcpv6]),
    ("DICOM", &[Protocol::Dicom]),
    ("DNP3", &[Protocol::Dnp3]),
    ("DNS", &[Protocol::Dns]),
    ("DTLS", &[Protocol::Dtls]),
    ("EthernetIP", &[Protocol::EthernetIp]),
    ("FTP_CONTROL", &[Protocol::Ftp]),
    ("HL7", &[Protocol::Hl7]),
    ("HART-IP", &[Protocol::HartIp]),
    // What is spoken after the upgrade is another protocol.
    ("HTTP", &[Protocol::Http, Protocol::Websocket, Protocol::Http2]),
    ("IEC60870", &[Protocol::Iec104]),
    ("IEC62056", &[Protocol::Dlms]),
    ("Kerberos", &[Protocol::Kerberos]),
    ("KNXnet_IP", &[Protocol::KnxnetIp]),
    ("LDAP", &[Protocol::Ldap]),
    ("LLMNR", &[Protocol::Llmnr]),
    ("MDNS", &[Protocol::Mdns]),
    ("Modbus", &[Protocol::Modbus]),
    ("MQTT", &[Protocol::Mqtt]),
    ("MsSQL-TDS", &[Protocol::Tds]),
    ("MySQL", &[Protocol::Mysql]),
    // One name for names, datagrams and sessions, the last of which carry SMB.
    ("NetBIOS", &[Protocol::NetbiosNs, Protocol::NetbiosDgm, Protocol::Smb]),
    ("NTP", &[Protocol::Ntp]),
    ("OPC-UA", &[Protocol::OpcUa]),
    ("QUIC", &[Protocol::Quic]),
    ("Radius", &[Protocol::Radius]),
    ("RDP", &[Protocol::Rdp]),
    ("RTSP", &[Protocol::Rtsp]),
    ("S7Comm", &[Protocol::S7comm]),
    ("S7CommPlus", &[Protocol::S7commPlus]),
    ("Service_Location_Protocol", &[Protocol::Slp]),
    ("SIP", &[Protocol::Sip]),
    ("SMBv1", &[Protocol::Smb]),
    ("SMBv23", &[Protocol::Smb]),
    ("SNMP", &[Protocol::Snmp]),
    ("SSDP", &[Protocol::Ssdp]),
    ("SSH", &[Protocol::Ssh]),
    ("Syslog", &[Protocol::Syslog]),
    ("Telnet", &[Protocol::Telnet]),
    ("TFTP", &[Protocol::Tftp]),
    ("TLS", &[Protocol::Tls]),
    ("TPLINK_SHP", &[Protocol::TplinkShp]),
    ("TuyaLP", &[Protocol::Tuya]),
    ("UBNTAC2", &[Protocol::Ubiquiti]),
    ("UMAS", &[Protocol::Modbus]),
    ("VNC", &[Protocol::Vnc]),
    ("WebSocket", &[Protocol::Websocket]),
    ("WSD", &[Protocol::WsDiscovery]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_or_without_a_vlan_and_for_both_versions_of_ip() {
        let umas = "\t1\tTCP 192.168.63.100:7718 <-> 192.168.63.253:502 [proto: 44.364/Modbus.UMAS][IP: 0/Unknown][Confidence: DPI]";
        let read = flow(umas).expect("a line of nDPI").expect("a flow over TCP");
        assert_eq!(read.conversation.to_string(), "tcp 192.168.63.100:7718 <-> 192.168.63.253:502");
        assert_eq!(labels(&read.name), Some(&[Protocol::Modbus][..]));
        let mdns = "\t18\tUDP [fe80::1]:5353 -> [ff02::fb]:5353 [VLAN: 7][proto: 8/MDNS][Confidence: DPI]";
        let read = flow(mdns).expect("a line of nDPI").expect("a flow over UDP");
        assert_eq!(read.conversation.to_string(), "udp [fe80::1]:5353 <-> [ff02::fb]:5353");
        assert_eq!(labels(&read.name), Some(&[Protocol::Mdns][..]));
        let ping = "\t2\tICMP 10.0.0.1:0 <-> 10.0.0.2:0 [proto: 81/ICMP][Confidence: DPI]";
        assert!(flow(ping).expect("a line of nDPI").is_none());
    }
}
