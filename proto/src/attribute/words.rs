//! The closed lists of words that some attributes take their values from.

/// Kinds of clear-text credentials that are told apart.
pub const CREDENTIAL_KINDS: &[&str] = &[
    "http-basic",
    "http-digest",
    "http-bearer",
    "http-form",
    "dicom-user-passcode",
    "hl7-uac",
    "bacnet-password",
    "ftp",
    "http-proxy",
    "ldap",
    "mqtt",
    "rtsp",
    "sip-digest",
    "snmp-community",
    "telnet",
    "vnc",
    // Medical.
    "astm-password",
    "poct1-operator-list",
    "tap-password",
    // Industry.
    "s7-password",
    "dnp3-file",
    "opcua-password",
    "ads-route",
    "dlms-lls",
    // Access.
    "mssql",
];

/// Kinds of log-ins whose refusal is told.
pub const LOGIN_KINDS: &[&str] = &[
    "ftp", "http", "kerberos", "ldap", "ntlm", "radius", "rdp", "rtsp", "sip", "snmp", "ssh", "telnet",
    "vnc", "mssql", "mysql", "mqtt",
];

/// Versions and methods that are not to be used any more.
pub const WEAK_PROTOCOLS: &[&str] = &[
    // RFC 7568, 8996
    "ssl2",
    "ssl3",
    "tls1.0",
    "tls1.1",
    "smb1",
    "ntlmv1",
    "ssh1",
    "snmpv1",
    "snmpv2c",
    // Industry: OPC UA without signatures, with methods that are deprecated (part 7), and without a user.
    "opcua-none",
    "opcua-basic128rsa15",
    "opcua-basic256",
    "opcua-anonymous",
    // The web.
    "dtls1.0",
    // Names, discovery, management: CVE-2024-3596, nothing proves who asks.
    "radius-unauthenticated",
    // Access: RFC 8429, RFC 6649; MS-RDPBCGR, 5.3; RFC 6143, 7.2.1.
    "kerberos-rc4",
    "kerberos-des",
    "rdp-standard-security",
    "vnc-no-authentication",
];

/// Versions of TLS and of what came before and beside it.
pub const TLS_VERSIONS: &[&str] =
    &["ssl2", "ssl3", "tls1.0", "tls1.1", "tls1.2", "tls1.3", "dtls1.0", "dtls1.2", "dtls1.3"];

/// Services that answer small questions with much.
pub const AMPLIFIERS: &[&str] = &["ntp-control", "ntp-monlist"];

/// Where data is carried that does not belong there.
pub const COVERT_CHANNELS: &[&str] = &["dns-names", "dns-records"];

/// What is swept: many hosts, or many ports of one.
pub const NETWORK_SWEEPS: &[&str] = &["tcp-hosts", "tcp-ports"];

/// NAS-Port-Type (RFC 2865, 5.41; IANA's "RADIUS Types"), as far as hospitals have them.
pub const NAS_PORT_TYPES: &[&str] =
    &["async", "virtual", "ethernet", "wireless-other", "wireless-802.11", "cable"];

/// Carriers of patient data in clear that are told apart.
pub const PATIENT_DATA_KINDS: &[&str] = &[
    "dicom-object",
    "dicom-query",
    "hl7-message",
    // Medical.
    "astm-record",
    "poct1-message",
    "bcc-message",
    // The web.
    "fhir-resource",
    "sdc-context",
];

/// Kinds of executables whose transfer is told.
pub const EXECUTABLE_KINDS: &[&str] = &["pe", "elf", "mach-o", "script"];

/// What a device may be to others.
pub const ROLES: &[&str] = &[
    "router",
    "dhcp-server",
    "dhcp-client",
    "dns-server",
    "http-server",
    "http-client",
    "tls-server",
    "tls-client",
    "dicom-scu",
    "dicom-scp",
    "dicom-storage-scu",
    "dicom-storage-scp",
    "dicom-worklist-scu",
    "dicom-worklist-scp",
    "dicom-mpps-scu",
    "dicom-mpps-scp",
    "dicom-commitment-scu",
    "dicom-commitment-scp",
    "dicom-query-scu",
    "dicom-query-scp",
    "dicom-print-scu",
    "dicom-print-scp",
    "hl7-sender",
    "hl7-receiver",
    "gateway",
    "bacnet-device",
    "bacnet-client",
    "bacnet-router",
    "bacnet-foreign-device",
    "bbmd",
    // Neighbours on the link, and building automation.
    "bridge",
    "root-bridge",
    "repeater",
    "wlan-access-point",
    "telephone",
    "docsis-cable-device",
    "station",
    "med-generic-endpoint",
    "med-media-endpoint",
    "med-communication-device",
    "poe-source",
    "poe-device",
    "multicast-querier",
    "dhcp-relay",
    "knx-server",
    "knx-client",
    "knx-router",
    "fox-server",
    "fox-client",
    // Medical.
    "astm-sender",
    "astm-receiver",
    "poct1-device",
    "poct1-data-manager",
    "ws-discovery-target",
    "ws-discovery-client",
    "sdc-provider",
    "sdc-consumer",
    "intellivue-monitor",
    "intellivue-client",
    "ieee20601-agent",
    "ieee20601-manager",
    "unity-monitor",
    "medibus-device",
    "bcc-server",
    "bcc-client",
    "bcc-pump",
    "tap-server",
    "tap-client",
    "espa-station",
    // The web.
    "quic-client",
    "quic-server",
    "dtls-client",
    "dtls-server",
    "fhir-server",
    "ipp-printer",
    // Industry.
    "modbus-server",
    "modbus-client",
    "modbus-writer",
    "modbus-gateway",
    "umas-server",
    "umas-client",
    "plc-programmer",
    "cip-server",
    "cip-client",
    "s7-server",
    "s7-client",
    "s7-writer",
    "dnp3-outstation",
    "dnp3-master",
    "dnp3-operator",
    "opcua-server",
    "opcua-client",
    "opcua-discovery-server",
    "iec104-controlled",
    "iec104-controlling",
    "iec104-operator",
    "hart-ip-server",
    "hart-ip-client",
    "hart-device",
    "profinet-io-device",
    "profinet-io-controller",
    "profinet-io-multidevice",
    "profinet-io-supervisor",
    "profinet-dcp-client",
    "ads-server",
    "ads-client",
    "ads-writer",
    "dlms-server",
    "dlms-client",
    "ge-srtp-server",
    "ge-srtp-client",
    // Names, discovery, management.
    "snmp-agent",
    "snmp-manager",
    "wins-server",
    "master-browser",
    "print-server",
    "sql-server",
    "terminal-server",
    "llmnr-responder",
    "upnp-device",
    "upnp-control-point",
    "slp-user-agent",
    "slp-service-agent",
    "slp-directory-agent",
    "ntp-server",
    "ntp-client",
    "ntp-peer",
    "syslog-sender",
    "syslog-server",
    "syslog-relay",
    "radius-client",
    "radius-server",
    "access-point",
    "coap-client",
    "coap-server",
    "tftp-client",
    "tftp-server",
    // Access.
    "ssh-server",
    "ssh-client",
    "smb-server",
    "smb-client",
    "kerberos-kdc",
    "kerberos-client",
    "ldap-server",
    "ldap-client",
    "domain-controller",
    "rdp-server",
    "rdp-client",
    "vnc-server",
    "vnc-client",
    "ftp-server",
    "ftp-client",
    "telnet-server",
    "telnet-client",
    "mssql-server",
    "mssql-client",
    "mysql-server",
    "mysql-client",
    // Voice, video, print, messages.
    "sip-client",
    "sip-server",
    "sip-registrar",
    "rtsp-client",
    "rtsp-server",
    "mqtt-client",
    "mqtt-broker",
    "pjl-printer",
    "pjl-client",
    "sccp-phone",
    "sccp-server",
];
