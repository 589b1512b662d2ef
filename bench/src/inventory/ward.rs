//! Devices that say of themselves what scanners do, as a sensor states it: all of it once in ten minutes, and a flow with it.

use std::borrow::Cow;

use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Counters, Endpoint, Fact, Flow, Observation, Protocol, Subject};

/// When the bench begins on the wire: a minute's beginning in 2026, in nanoseconds since the Unix epoch.
pub(crate) const BEGIN: u64 = 29_700_000 * 60 * 1_000_000_000;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// Facts in one message of a sensor.
pub(crate) const BATCH: usize = 1000;

/// How many things a device can say.
pub(crate) const MOST: usize = SAID.len();

/// What is put in place of [`NUMBER`], so that it is each device's own.
const NUMBER: char = '#';

/// Said by most scanners; the first few are what tells most about a device.
const SAID: [(Attribute, &str, Protocol); 30] = [
    (Attribute::Manufacturer, "GE MEDICAL SYSTEMS", Protocol::Dicom),
    (Attribute::DicomModality, "CT", Protocol::Dicom),
    (Attribute::SerialNumber, "SN#", Protocol::Dicom),
    (Attribute::HostName, "ct-#.ward.example", Protocol::Dhcp),
    (Attribute::Model, "Revolution CT", Protocol::Dicom),
    (Attribute::SoftwareVersion, "21.4.2", Protocol::Dicom),
    (Attribute::StationName, "CT#", Protocol::Dicom),
    (Attribute::Institution, "General Hospital", Protocol::Dicom),
    (Attribute::Department, "Radiology", Protocol::Dicom),
    (Attribute::DicomAeTitle, "CTAE#", Protocol::Dicom),
    (Attribute::DicomImplementationUid, "1.2.840.113619.6.95", Protocol::Dicom),
    (Attribute::Role, "dicom-storage-scu", Protocol::Dicom),
    (Attribute::Role, "dicom-worklist-scu", Protocol::Dicom),
    (Attribute::DicomSopClass, "1.2.840.10008.5.1.4.1.1.2", Protocol::Dicom),
    (Attribute::DicomSopClass, "1.2.840.10008.5.1.4.1.1.2.1", Protocol::Dicom),
    (Attribute::DicomSopClass, "1.2.840.10008.5.1.4.1.1.7", Protocol::Dicom),
    (Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31", Protocol::Dicom),
    (Attribute::DicomSopClass, "1.2.840.10008.3.1.2.3.3", Protocol::Dicom),
    (Attribute::DicomSopClass, "1.2.840.10008.1.20.1", Protocol::Dicom),
    (Attribute::Hl7Application, "RIS#", Protocol::Hl7),
    (Attribute::Role, "hl7-sender", Protocol::Hl7),
    (Attribute::Manufacturer, "GE Healthcare", Protocol::Hl7),
    (Attribute::DhcpVendorClass, "MSFT 5.0", Protocol::Dhcp),
    (Attribute::DhcpParameterList, "1,3,6,15,31,33,43,44,46,47,119,121,249,252", Protocol::Dhcp),
    (Attribute::HostName, "ct-#.local", Protocol::Mdns),
    (Attribute::Model, "Revolution CT", Protocol::Mdns),
    (Attribute::HttpUserAgent, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/118.0.0.0", Protocol::Http),
    (Attribute::HttpUserAgent, "ward-client/2.1", Protocol::Http),
    (Attribute::HttpServer, "Microsoft-IIS/10.0", Protocol::Http),
    (Attribute::OperatingSystem, "Windows 10", Protocol::Http),
];

fn end(number: u32) -> Endpoint {
    let [a, b, c, d] = number.to_be_bytes();
    Endpoint { mac: vec![0, 0x1a, a ^ b, b, c, d], ip: vec![10, b, c, d], port: 104 }
}

/// The device's number stands for [`NUMBER`]; what is new has the number of that, too.
fn worded(value: &'static str, number: u32, news: Option<u64>) -> Cow<'static, str> {
    match (value.split_once(NUMBER), news) {
        (Some((before, after)), Some(news)) => format!("{before}{number}-{news}{after}").into(),
        (Some((before, after)), None) => format!("{before}{number}{after}").into(),
        (None, _) => value.into(),
    }
}

/// What all devices of a site say for the first time, each with a flow, within ten minutes.
pub(crate) fn first_visits(devices: u32, statements: usize) -> impl Iterator<Item = Fact> {
    (1..=devices).flat_map(move |number| {
        let at = BEGIN + u64::from(number) * 600 * SECOND / u64::from(devices);
        std::iter::once(flow(number, at)).chain(says(number, statements, at, None))
    })
}

/// A flow of a device with an archive that all share, in one minute.
pub(crate) fn flow(number: u32, at: u64) -> Fact {
    let counted = Some(Counters { packets: 3, ..Counters::default() });
    let flow = Flow {
        initiator: Some(end(number)),
        responder: Some(end(0)),
        from_initiator: counted,
        from_responder: counted,
        protocol: Protocol::Dicom.into(),
        start: at,
        end: at,
        ..Flow::default()
    };
    Fact { fact: Some(Stated::Flow(flow)) }
}

/// The first so many things that a device says of itself. Where `news` says so something is new, each time another thing:
/// a version, or a name.
pub(crate) fn says(number: u32, many: usize, at: u64, news: Option<u64>) -> impl Iterator<Item = Fact> {
    let changed = news.and_then(|news| {
        let own: Vec<usize> = (0..many).filter(|at| NEWS.contains(at)).collect();
        let place = usize::try_from(news).unwrap_or(0).checked_rem(own.len())?;
        own.get(place).copied()
    });
    SAID.iter().take(many).enumerate().map(move |(place, (attribute, value, protocol))| {
        let value = match news.filter(|_| changed == Some(place)) {
            Some(news) if *attribute == Attribute::SoftwareVersion => format!("21.5.{news}").into(),
            news => worded(value, number, news),
        };
        let subject = Subject { role: Role::Sender.into(), endpoint: Some(end(number)), key: String::new() };
        Fact {
            fact: Some(Stated::Observation(Observation {
                attribute: (*attribute).into(),
                value: value.into_owned(),
                protocol: (*protocol).into(),
                subject: Some(subject),
                at,
                count: 3,
                ..Observation::default()
            })),
        }
    })
}

/// The places in [`SAID`] of what changes in a device's life: its host name, version, application entity, application.
const NEWS: [usize; 5] = [3, 5, 9, 19, 24];
