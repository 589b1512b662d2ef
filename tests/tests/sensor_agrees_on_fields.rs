//! The sensor reads fields as independent tools do: whose field, and what it says.
//!
//! A capture's readings of a field are compared as sets in both directions: what an oracle reads and the sensor does
//! not is a difference, and so is what the sensor states and no oracle reads. Each stands in
//! `exceptions/fields.toml` with the reason why.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use anyhow::Result;
use wardwatch_proto::attribute;
use wardwatch_proto::v1::{Attribute, Protocol};
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::elsewhere::Elsewhere;
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::protocols_page::Page;
use wardwatch_tests::oracle::statement::{self, Field};
use wardwatch_tests::oracle::{corpus, ja4, stated, tshark};
use wardwatch_tests::skip;

/// The share of all readings in which both must agree, exceptions counted as differences.
const LEAST: f64 = 0.99;

/// Fields that the oracles read too.
const FIELDS: &[(Protocol, &[Attribute])] = &[
    (
        Protocol::Tls,
        &[
            Attribute::TlsServerName,
            Attribute::CertificateSha256,
            Attribute::CertificateSubject,
            Attribute::CertificateIssuer,
            Attribute::CertificateNotBefore,
            Attribute::CertificateNotAfter,
        ],
    ),
    // The web.
    (Protocol::Quic, &[Attribute::TlsServerName]),
    (
        Protocol::Dtls,
        &[
            Attribute::TlsServerName,
            Attribute::CertificateSha256,
            Attribute::CertificateSubject,
            Attribute::CertificateIssuer,
            Attribute::CertificateNotBefore,
            Attribute::CertificateNotAfter,
        ],
    ),
    (
        Protocol::Upnp,
        &[Attribute::Manufacturer, Attribute::Model, Attribute::ModelNumber, Attribute::SerialNumber],
    ),
    (
        Protocol::Soap,
        &[
            Attribute::Manufacturer,
            Attribute::Model,
            Attribute::ModelNumber,
            Attribute::SerialNumber,
            Attribute::FirmwareVersion,
        ],
    ),
    (
        Protocol::Fhir,
        &[
            Attribute::Manufacturer,
            Attribute::Model,
            Attribute::SerialNumber,
            Attribute::SoftwareName,
            Attribute::SoftwareVersion,
            Attribute::UdiDi,
        ],
    ),
    (Protocol::Http, &[Attribute::HttpServer, Attribute::HttpUserAgent, Attribute::HttpHost]),
    (
        Protocol::Dhcp,
        &[Attribute::HostName, Attribute::DhcpVendorClass, Attribute::DhcpParameterList, Attribute::MudUrl],
    ),
    (
        Protocol::Lldp,
        &[
            Attribute::MacAddress,
            Attribute::IpAddress,
            Attribute::HostName,
            Attribute::ChassisId,
            Attribute::LinkPort,
            Attribute::LinkVlan,
            Attribute::SystemDescription,
            Attribute::Manufacturer,
            Attribute::Model,
            Attribute::SerialNumber,
            Attribute::HardwareVersion,
            Attribute::FirmwareVersion,
            Attribute::SoftwareVersion,
            Attribute::AssetTag,
            Attribute::MudUrl,
        ],
    ),
    (
        Protocol::Cdp,
        &[
            Attribute::HostName,
            Attribute::SystemDescription,
            Attribute::Model,
            Attribute::LinkPort,
            Attribute::LinkVlan,
        ],
    ),
    (Protocol::Stp, &[Attribute::MacAddress, Attribute::Role]),
    (Protocol::Icmpv6, &[Attribute::IpAddress, Attribute::Role]),
    (Protocol::Igmp, &[Attribute::Role]),
    (
        Protocol::Dhcpv6,
        &[
            Attribute::DhcpDuid,
            Attribute::Dhcpv6OptionList,
            Attribute::DhcpVendorClass,
            Attribute::EnterpriseNumber,
            Attribute::HostName,
            Attribute::IpAddress,
            Attribute::MudUrl,
        ],
    ),
    (Protocol::Dns, &[Attribute::HostName]),
    (Protocol::Mdns, &[Attribute::HostName, Attribute::ServiceType]),
    (
        Protocol::Dicom,
        &[Attribute::DicomAeTitle, Attribute::DicomImplementationUid, Attribute::DicomImplementationVersion],
    ),
    (
        Protocol::Hl7,
        &[
            Attribute::Hl7Application,
            Attribute::Hl7Facility,
            Attribute::Hl7MessageType,
            Attribute::Hl7Version,
        ],
    ),
    (
        Protocol::Bacnet,
        &[
            Attribute::BacnetInstance,
            Attribute::BacnetVendorId,
            Attribute::BacnetObjectName,
            Attribute::Manufacturer,
            Attribute::Model,
            Attribute::SerialNumber,
            Attribute::FirmwareVersion,
            Attribute::SoftwareVersion,
            Attribute::Description,
            Attribute::Location,
        ],
    ),
    // Medical.
    (
        Protocol::WsDiscovery,
        &[Attribute::EndpointUuid, Attribute::WsDiscoveryType, Attribute::Institution, Attribute::Department],
    ),
    // Industry.
    (Protocol::Modbus, &[Attribute::Manufacturer, Attribute::Model, Attribute::FirmwareVersion]),
    (
        Protocol::EthernetIp,
        &[
            Attribute::CipVendorId,
            Attribute::CipDeviceType,
            Attribute::CipProductCode,
            Attribute::FirmwareVersion,
            Attribute::SerialNumber,
            Attribute::Model,
        ],
    ),
    (
        Protocol::S7comm,
        &[
            Attribute::OrderNumber,
            Attribute::HardwareVersion,
            Attribute::FirmwareVersion,
            Attribute::Description,
            Attribute::DeviceTag,
            Attribute::SerialNumber,
            Attribute::Model,
            Attribute::Location,
        ],
    ),
    (Protocol::Dnp3, &[Attribute::Dnp3Address]),
    (Protocol::Iec104, &[Attribute::Iec104CommonAddress]),
    (Protocol::OpcUa, &[Attribute::OpcUaApplicationUri, Attribute::OpcUaProductUri]),
    (
        Protocol::HartIp,
        &[
            Attribute::HartManufacturerId,
            Attribute::HartDeviceType,
            Attribute::SerialNumber,
            Attribute::FirmwareVersion,
            Attribute::HardwareVersion,
            Attribute::DeviceTag,
        ],
    ),
    (
        Protocol::ProfinetDcp,
        &[
            Attribute::DeviceTag,
            Attribute::Model,
            Attribute::ProfinetVendorId,
            Attribute::ProfinetDeviceId,
            Attribute::IpAddress,
        ],
    ),
    (Protocol::ProfinetCm, &[Attribute::DeviceTag, Attribute::ProfinetVendorId, Attribute::ProfinetDeviceId]),
    (Protocol::Ads, &[Attribute::AmsNetId, Attribute::SoftwareName, Attribute::SoftwareVersion]),
    // Names, discovery, management.
    (
        Protocol::Snmp,
        &[Attribute::HostName, Attribute::Location, Attribute::SysObjectId, Attribute::EnterpriseNumber],
    ),
    (Protocol::NetbiosNs, &[Attribute::HostName, Attribute::Domain, Attribute::MacAddress]),
    (Protocol::NetbiosDgm, &[Attribute::HostName, Attribute::Domain, Attribute::OperatingSystemVersion]),
    (
        Protocol::Ssdp,
        &[Attribute::HttpServer, Attribute::HttpUserAgent, Attribute::DeviceUuid, Attribute::UpnpType],
    ),
    (Protocol::Ntp, &[Attribute::NtpVersion, Attribute::NtpStratum]),
    (Protocol::Syslog, &[Attribute::HostName, Attribute::SoftwareName]),
    (Protocol::Radius, &[Attribute::FailedLogin]),
    // Access.
    (
        Protocol::Ssh,
        &[
            Attribute::SoftwareName,
            Attribute::SoftwareVersion,
            Attribute::SshHassh,
            Attribute::SshHasshServer,
        ],
    ),
    (Protocol::Smb, &[Attribute::SmbDialect, Attribute::HostName, Attribute::Domain, Attribute::FailedLogin]),
    (Protocol::Ldap, &[Attribute::HostName, Attribute::Domain]),
    (Protocol::Kerberos, &[Attribute::Domain, Attribute::FailedLogin]),
    (Protocol::Ftp, &[Attribute::FailedLogin]),
    (Protocol::Rdp, &[Attribute::HostName, Attribute::SoftwareVersion]),
    // Voice, video, print, messages.
    (
        Protocol::Sip,
        &[
            Attribute::HttpUserAgent,
            Attribute::HttpServer,
            Attribute::CleartextCredential,
            Attribute::FailedLogin,
        ],
    ),
    (Protocol::Rtsp, &[Attribute::HttpUserAgent, Attribute::HttpServer]),
    (Protocol::Mqtt, &[Attribute::MqttVersion, Attribute::CleartextCredential]),
];

fn is_compared(field: Field) -> bool {
    FIELDS
        .iter()
        .any(|(protocol, attributes)| *protocol == field.protocol && attributes.contains(&field.attribute))
}

/// What exceptions call a value that no attribute's grammar lets out of a sensor.
const WITHHELD: &str = "withheld by the grammar";

#[test]
fn tshark_and_openssl_read_the_same_fields() -> Result<()> {
    let test = "sensor_agrees_on_fields::tshark_and_openssl_read_the_same_fields";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    if skip::unless_program(test, "tshark") || skip::unless_program(test, "openssl") {
        return Ok(());
    }
    let mut captures = corpus::captures(&data)?;
    captures.extend(corpus::own()?);
    let compared = corpus::each(&captures, |capture| {
        Ok((tshark::statements(&capture.path)?, Elsewhere::read(&capture.path)?))
    })?;
    let mut agreement =
        Agreement::new("fields that tshark reads", Exceptions::read("fields.toml", "tshark")?);
    let mut page = Page::default();
    for (capture, (theirs, ours)) in captures.iter().zip(compared) {
        page.add(capture, &theirs, &ours)?;
        let ours = ours.statements();
        for said in theirs.union(ours).filter(|said| is_compared(said.field)) {
            let class = said.field.name();
            let item = format!("{class} {} {}", said.subject, said.value);
            match (theirs.contains(said), ours.contains(said)) {
                (true, true) => agreement.agrees(&class),
                (true, false) => {
                    let is_withheld = attribute::accept(said.field.attribute, &said.value).is_none();
                    let rule = is_withheld.then_some(WITHHELD);
                    agreement.differs(&class, &capture.id, &item, rule, "not stated");
                }
                _ => {
                    agreement.differs(&class, &capture.id, &item, None, "tshark does not read it");
                }
            }
        }
    }
    agreement.print();
    let mut faults = agreement.faults();
    if agreement.share() < LEAST {
        faults.push(format!("{:.2} % of all agree", agreement.share() * 100.0));
    }
    faults.extend(page.check().err().map(|error| format!("{error:#}")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[test]
fn ja4_is_what_three_other_implementations_make_of_it() -> Result<()> {
    let test = "sensor_agrees_on_fields::ja4_is_what_three_other_implementations_make_of_it";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let mut agreement = Agreement::new("JA4 fingerprints", Exceptions::read("fields.toml", "ja4")?);
    for capture in corpus::captures(&data)? {
        let theirs = ja4::fingerprints(&data, &capture)?;
        if theirs.of_clients.is_empty() && theirs.of_anyone.is_empty() {
            continue;
        }
        let ours: BTreeSet<(String, String)> = statement::of_sensor(&stated::facts(&capture.path)?)
            .into_iter()
            .filter(|said| said.field.attribute == Attribute::TlsJa4)
            .map(|said| (said.subject, said.value))
            .collect();
        let is_known = |ja4: &String| theirs.of_clients.iter().any(|(_, other)| other == ja4);
        let anonymous = theirs.of_anyone.iter().filter(|ja4| !is_known(ja4));
        for (client, ja4) in &theirs.of_clients {
            let is_stated = ours.contains(&(client.clone(), ja4.clone()));
            note(&mut agreement, &capture.id, &format!("{client} {ja4}"), ja4, is_stated, "not stated");
        }
        for ja4 in anonymous {
            let is_stated = ours.iter().any(|(_, value)| value == ja4);
            note(&mut agreement, &capture.id, ja4, ja4, is_stated, "not stated");
        }
        for (client, ja4) in &ours {
            if !theirs.of_clients.contains(&(client.clone(), ja4.clone())) && !theirs.of_anyone.contains(ja4)
            {
                note(
                    &mut agreement,
                    &capture.id,
                    &format!("{client} {ja4}"),
                    ja4,
                    false,
                    "nobody else finds it",
                );
            }
        }
    }
    agreement.print();
    let mut faults = agreement.faults();
    let low = agreement.shares().filter(|(_, share)| *share < 1.0);
    faults.extend(low.map(|(transport, share)| format!("{transport}: {:.2} % agree", share * 100.0)));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn note(agreement: &mut Agreement, capture: &str, item: &str, ja4: &str, agrees: bool, difference: &str) {
    let class = if ja4.starts_with('q') { "over QUIC" } else { "over TCP" };
    if agrees {
        agreement.agrees(class);
    } else {
        agreement.differs(class, capture, item, None, difference);
    }
}
