//! Which documents define each protocol: `docs/protocols.md` is made of this.

use wardwatch_proto::v1::Protocol;

/// What a protocol is called, what it is for, and what defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    /// The name that people use.
    pub title: &'static str,
    /// The folder that its dissector stands in.
    pub family: &'static str,
    /// Standards by number, or whose documents.
    pub documents: &'static str,
}

/// What defines a protocol; nothing of [`Protocol::Unspecified`] and of other systems' tables.
#[expect(clippy::too_many_lines, reason = "a table")]
pub const fn standard(protocol: Protocol) -> Option<Standard> {
    let (family, title, documents) = match protocol {
        // None, and no protocols: other systems, whose tables are imported.
        Protocol::Unspecified
        | Protocol::Cmms
        | Protocol::SwitchTable
        | Protocol::WlanController
        | Protocol::Directory
        | Protocol::Mdm
        | Protocol::Edr
        | Protocol::Nac => return None,
        Protocol::Dicom => ("medical", "DICOM", "DICOM PS3.7, PS3.8, PS3.10"),
        Protocol::Hl7 => {
            ("medical", "HL7 v2 over MLLP", "HL7 v2.1 to v2.8.2, chapters 2 and 17; HL7 MLLP release 1")
        }
        Protocol::Astm => ("medical", "ASTM", "CLSI LIS01-A2 (ASTM E1381), LIS02-A2 (ASTM E1394)"),
        Protocol::Poct1 => ("medical", "POCT1-A", "CLSI POCT1-A2"),
        Protocol::WsDiscovery => {
            ("medical", "WS-Discovery", "OASIS WS-Discovery 1.1; ISO/IEEE 11073-20702; ONVIF Core")
        }
        Protocol::Intellivue => {
            ("medical", "IntelliVue Data Export", "Philips, IntelliVue Data Export Interface")
        }
        Protocol::Ieee20601 => ("medical", "IEEE 11073-20601", "ISO/IEEE 11073-20601"),
        Protocol::Unity => ("medical", "Unity", "none is public; GE's beacon as it was seen"),
        Protocol::Medibus => ("medical", "Medibus", "Dräger, MEDIBUS protocol definition 4.03"),
        Protocol::Bcc => ("medical", "BCC", "B. Braun, Bed-based Communication Channel"),
        Protocol::Tap => ("medical", "TAP", "Telocator Alphanumeric Protocol 1.8"),
        Protocol::Espa444 => ("medical", "ESPA 4.4.4", "ESPA publication 4.4.4"),
        Protocol::Fhir => ("web", "FHIR", "HL7 FHIR DSTU2 to R5"),
        Protocol::Bacnet => ("building", "BACnet/IP", "ANSI/ASHRAE 135, annex J"),
        Protocol::KnxnetIp => ("building", "KNXnet/IP", "ISO 22510; KNX Standard 3/8"),
        Protocol::NiagaraFox => ("building", "Niagara Fox", "none is public; Tridium's as it was seen"),
        Protocol::Modbus => ("industry", "Modbus/TCP", "Modbus Application Protocol V1.1b3"),
        Protocol::EthernetIp => ("industry", "EtherNet/IP", "ODVA CIP volumes 1 and 2"),
        Protocol::S7comm => ("industry", "S7comm", "RFC 1006; Siemens' functions as they are known"),
        Protocol::S7commPlus => ("industry", "S7comm-plus", "RFC 1006; none is public"),
        Protocol::Dnp3 => ("industry", "DNP3", "IEEE 1815-2012"),
        Protocol::OpcUa => ("industry", "OPC UA", "OPC 10000-4, 10000-6"),
        Protocol::Iec104 => ("industry", "IEC 60870-5-104", "IEC 60870-5-101, 60870-5-104"),
        Protocol::HartIp => ("industry", "HART-IP", "FieldComm Group HCF_SPEC-085, -081, -127, -151"),
        Protocol::ProfinetDcp => ("industry", "PROFINET DCP", "IEC 61158-6-10, 4.3"),
        Protocol::ProfinetCm => {
            ("industry", "PROFINET context management", "IEC 61158-6-10, 4.10; DCE RPC C706")
        }
        Protocol::Ads => ("industry", "ADS", "Beckhoff, ADS/AMS specification"),
        Protocol::Dlms => ("industry", "DLMS/COSEM", "IEC 62056-46, 62056-47, 62056-53"),
        Protocol::GeSrtp => ("industry", "GE-SRTP", "none is public; as it is known from GE's controllers"),
        Protocol::Tcp => ("network", "TCP", "RFC 9293"),
        Protocol::Arp => ("network", "ARP", "RFC 826, 5227"),
        Protocol::Lldp => ("network", "LLDP, LLDP-MED", "IEEE 802.1AB-2016; ANSI/TIA-1057"),
        Protocol::Cdp => ("network", "CDP", "Cisco, CDP frame formats"),
        Protocol::Stp => ("network", "STP, RSTP, MSTP", "IEEE 802.1D-2004, 802.1Q"),
        Protocol::Icmp => ("network", "ICMP", "RFC 792, 1256"),
        Protocol::Icmpv6 => ("network", "ICMPv6", "RFC 4443, 4861, 8106"),
        Protocol::Igmp => ("network", "IGMP", "RFC 1112, 2236, 3376"),
        Protocol::Dhcp => ("network", "DHCP", "RFC 2131, 2132, 3046, 3925, 4361, 4702, 8520"),
        Protocol::Dhcpv6 => ("network", "DHCPv6", "RFC 8415, 4704, 6939, 8520"),
        Protocol::Dns => ("network", "DNS", "RFC 1035"),
        Protocol::Mdns => ("network", "mDNS", "RFC 6762, 6763"),
        Protocol::Llmnr => ("network", "LLMNR", "RFC 4795"),
        Protocol::NetbiosNs => ("network", "NetBIOS name service", "RFC 1001, 1002"),
        Protocol::NetbiosDgm => ("network", "NetBIOS datagrams", "RFC 1001, 1002; MS-BRWS"),
        Protocol::Snmp => ("network", "SNMP v1, v2c, v3", "RFC 1157, 1901, 3411 to 3418"),
        Protocol::Ssdp => ("network", "SSDP", "UPnP Device Architecture 2.0"),
        Protocol::Slp => ("network", "SLP", "RFC 2165, 2608"),
        Protocol::Ntp => ("network", "NTP", "RFC 5905, 4330, 9327"),
        Protocol::Syslog => ("network", "syslog", "RFC 3164, 5424, 5426, 6587"),
        Protocol::Radius => ("network", "RADIUS", "RFC 2865, 2866, 3579, 3580, 5176"),
        Protocol::Coap => ("network", "CoAP", "RFC 7252, 6690"),
        Protocol::Tftp => ("network", "TFTP", "RFC 1350, 2347"),
        Protocol::TplinkShp => {
            ("network", "TP-Link Smart Home", "none is public; as devices were seen to speak it")
        }
        Protocol::Ubiquiti => {
            ("network", "Ubiquiti discovery", "none is public; as devices were seen to speak it")
        }
        Protocol::Tuya => ("network", "Tuya discovery", "none is public; as devices were seen to speak it"),
        Protocol::Ssh => ("access", "SSH", "RFC 4253; HASSH"),
        Protocol::Smb => ("access", "SMB 1, 2, 3", "MS-CIFS, MS-SMB, MS-SMB2, MS-NLMP"),
        Protocol::Kerberos => ("access", "Kerberos 5", "RFC 4120"),
        Protocol::Ldap => ("access", "LDAP", "RFC 4511, 4512; MS-ADTS"),
        Protocol::Rdp => ("access", "RDP", "MS-RDPBCGR; RFC 1006"),
        Protocol::Vnc => ("access", "VNC", "RFC 6143"),
        Protocol::Ftp => ("access", "FTP", "RFC 959, 4217"),
        Protocol::Telnet => ("access", "Telnet", "RFC 854, 855"),
        Protocol::Tds => ("access", "TDS (SQL Server)", "MS-TDS"),
        Protocol::Mysql => ("access", "MySQL", "MySQL Client/Server Protocol"),
        Protocol::Sip => ("media", "SIP", "RFC 3261"),
        Protocol::Rtsp => ("media", "RTSP", "RFC 2326, 7826"),
        Protocol::Mqtt => ("media", "MQTT", "OASIS MQTT 3.1, 3.1.1, 5.0"),
        Protocol::Pjl => ("media", "PJL", "HP, PJL Technical Reference Manual"),
        Protocol::Sccp => ("media", "SCCP", "none is public; Cisco's telephones as they were seen"),
        Protocol::Http => ("web", "HTTP/1.0, HTTP/1.1", "RFC 1945, 9110, 9112"),
        Protocol::Http2 => ("web", "HTTP/2 without TLS", "RFC 9113"),
        Protocol::Websocket => ("web", "WebSocket", "RFC 6455"),
        Protocol::Soap => ("web", "SOAP", "W3C SOAP 1.1, 1.2; DPWS 1.1; ISO/IEEE 11073-10207; ONVIF Core"),
        Protocol::Upnp => ("web", "UPnP description", "UPnP Device Architecture 2.0"),
        Protocol::Ipp => ("web", "IPP", "RFC 8010, 8011; PWG 5100.13"),
        Protocol::Tls => (
            "web",
            "TLS",
            "RFC 2246, 4346, 5246, 6101, 8446; STARTTLS (RFC 2595, 3207, 6120, 9051); JA4; X.509 (RFC 5280)",
        ),
        Protocol::Quic => ("web", "QUIC", "RFC 8999, 9000, 9001, 9369; JA4"),
        Protocol::Dtls => ("web", "DTLS", "RFC 4347, 6347, 9147"),
    };
    Some(Standard { title, family, documents })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_that_is_looked_for_has_one() {
        for candidate in [crate::TCP, crate::UDP, crate::IP, crate::LINK].into_iter().flatten() {
            assert!(standard(candidate.protocol).is_some(), "{:?}", candidate.protocol);
        }
        assert_eq!(standard(Protocol::Unspecified), None);
    }
}
