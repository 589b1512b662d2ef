//! Ports that servers listen on, for flows whose beginning was not seen.

/// A set of ports, one bit each.
#[derive(Debug)]
pub(super) struct Ports {
    bits: [u64; 1024],
}

impl Ports {
    const fn new(ranges: &[(u16, u16)]) -> Self {
        let mut bits = [0; 1024];
        let mut i = 0;
        while i < ranges.len() {
            let (mut port, last) = (ranges[i].0 as u32, ranges[i].1 as u32);
            while port <= last {
                bits[(port / 64) as usize] |= 1 << (port % 64);
                port += 1;
            }
            i += 1;
        }
        Self { bits }
    }

    pub(super) fn contains(&self, port: u16) -> bool {
        self.bits.get(usize::from(port / 64)).is_some_and(|word| word >> (port % 64) & 1 == 1)
    }
}

/// TCP: IANA's system ports, and registered ones that are in use as servers in hospitals, buildings and offices.
pub(super) static TCP: Ports = Ports::new(&[
    (1, 1023),
    (1080, 1080),   // SOCKS
    (1433, 1433),   // SQL Server
    (1494, 1494),   // Citrix ICA
    (1521, 1521),   // Oracle
    (1720, 1720),   // H.323
    (1723, 1723),   // PPTP
    (1883, 1883),   // MQTT
    (1911, 1911),   // Niagara Fox
    (1962, 1962),   // PCWorx
    (2000, 2000),   // SCCP
    (2049, 2049),   // NFS
    (2222, 2222),   // EtherNet/IP implicit
    (2404, 2404),   // IEC 60870-5-104
    (2575, 2575),   // HL7 MLLP
    (2598, 2598),   // Citrix session reliability
    (2761, 2762),   // DICOM, secure
    (3128, 3128),   // HTTP proxy
    (3260, 3260),   // iSCSI
    (3268, 3269),   // LDAP global catalogue
    (3306, 3306),   // MySQL
    (3389, 3389),   // RDP
    (4059, 4059),   // DLMS
    (4840, 4840),   // OPC UA
    (4843, 4843),   // OPC UA over TLS
    (4911, 4911),   // Niagara Fox over TLS
    (5000, 5001),   // UPnP control, iPerf
    (5060, 5061),   // SIP
    (5094, 5094),   // HART-IP
    (5222, 5223),   // XMPP
    (5269, 5269),   // XMPP between servers
    (5357, 5358),   // WSDAPI
    (5432, 5432),   // PostgreSQL
    (5671, 5672),   // AMQP
    (5800, 5801),   // VNC over HTTP
    (5900, 5910),   // VNC
    (5985, 5986),   // WinRM
    (6000, 6005),   // X11
    (6379, 6379),   // Redis
    (6661, 6665),   // HL7 of integration engines, IRC
    (6666, 6669),   // IRC
    (6697, 6697),   // IRC over TLS
    (7547, 7547),   // TR-069
    (8000, 8010),   // HTTP
    (8042, 8042),   // Orthanc
    (8080, 8090),   // HTTP
    (8443, 8443),   // HTTPS
    (8554, 8554),   // RTSP
    (8883, 8883),   // MQTT over TLS
    (8888, 8888),   // HTTP
    (9090, 9100),   // HTTP, Kafka, raw printing
    (9200, 9200),   // Elasticsearch
    (9443, 9443),   // HTTPS
    (9600, 9600),   // Omron FINS
    (11112, 11112), // DICOM
    (18245, 18246), // GE SRTP
    (20000, 20000), // DNP3
    (27017, 27017), // MongoDB
    (34962, 34964), // PROFINET
    (44818, 44818), // EtherNet/IP
    (48898, 48898), // Beckhoff ADS
]);

/// UDP: as for TCP. The clients' ports of DHCP (68) and DHCPv6 (546) are left out.
pub(super) static UDP: Ports = Ports::new(&[
    (1, 67),
    (69, 545),
    (547, 1023),
    (1194, 1194),   // OpenVPN
    (1434, 1434),   // SQL Server browser
    (1645, 1646),   // RADIUS, older
    (1701, 1701),   // L2TP
    (1719, 1719),   // H.323
    (1812, 1813),   // RADIUS
    (1900, 1900),   // SSDP
    (2049, 2049),   // NFS
    (2152, 2152),   // GTP-U
    (2222, 2222),   // EtherNet/IP implicit
    (3478, 3478),   // STUN
    (3544, 3544),   // Teredo
    (3671, 3671),   // KNXnet/IP
    (3702, 3702),   // WS-Discovery
    (4500, 4500),   // IPsec NAT traversal
    (4789, 4789),   // VXLAN
    (5004, 5005),   // RTP
    (5060, 5061),   // SIP
    (5094, 5094),   // HART-IP
    (5353, 5353),   // mDNS
    (5355, 5355),   // LLMNR
    (5683, 5684),   // CoAP
    (6081, 6081),   // Geneve
    (6454, 6454),   // Art-Net
    (9600, 9600),   // Omron FINS
    (20000, 20000), // DNP3
    (24105, 24105), // IntelliVue
    (34962, 34964), // PROFINET
    (44818, 44818), // EtherNet/IP
    (47808, 47823), // BACnet/IP
]);
