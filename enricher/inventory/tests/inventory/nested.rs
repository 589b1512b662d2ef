//! Devices that others tell of.

use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::ward::{DAY, NEW_YEAR, SECOND, Site, arp, flow, observation, says, tells_of};

const PUMP: &str = "serial=Acme|X1|42";

fn pump(teller: &str) -> Vec<wardwatch_proto::v1::Fact> {
    [
        (Attribute::Manufacturer, "Acme"),
        (Attribute::Model, "X1"),
        (Attribute::SerialNumber, "SN-42"),
        (Attribute::DeviceTypeCode, "69985"),
    ]
    .map(|(attribute, value)| tells_of(teller, PUMP, attribute, value, Protocol::Hl7))
    .to_vec()
}

#[test]
fn a_gateways_pump_is_a_device_of_its_own_behind_it() {
    let mut site = Site::new();
    site.hears([flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Hl7)]);
    site.hears(pump("a1@10.0.0.1"));
    let gateway = site.device("a1");
    assert_eq!(
        (gateway.model.as_str(), gateway.serial_number.as_str()),
        ("", ""),
        "nothing lands on the teller"
    );
    let nested = site.device("Acme X1 SN-42");
    assert_eq!(nested.device_type, "infusion pump");
    assert_eq!(
        (nested.parent.as_str(), nested.path.as_slice()),
        (gateway.id.as_str(), &[gateway.id.clone()][..])
    );
    assert!(nested.macs.is_empty() && nested.ips.is_empty());
    let why = nested.why.iter().find(|why| why.field == "model").expect("a reason");
    assert_eq!(why.statement, "another device says so, in hl7");
}

#[test]
fn a_complete_serial_number_is_one_device_whoever_tells_of_it() {
    let mut site = Site::new();
    let told = |at, teller| {
        observation(at, Role::Third, teller, PUMP, Attribute::SerialNumber, "SN-42", Protocol::Hl7)
    };
    site.hears([told(NEW_YEAR + SECOND, "a3@10.0.0.3")]);
    site.hears(pump("a1@10.0.0.1"));
    let nested = site.device("Acme X1 SN-42");
    assert_eq!(nested.parent, site.device("a1").id, "the first who told");
    assert_eq!(site.outline().len(), 3);
}

#[test]
fn a_pump_that_two_servers_tell_of_is_one_and_no_other_makers() {
    let mut site = Site::new();
    let told = |teller| {
        [
            (Attribute::Role, "bcc-pump"),
            (Attribute::Model, "Infusomat Space"),
            (Attribute::SerialNumber, "20042"),
        ]
        .map(|(attribute, value)| tells_of(teller, "bcc=20042", attribute, value, Protocol::Bcc))
    };
    site.hears(told("a1@10.0.0.1"));
    site.hears(told("a3@10.0.0.3"));
    site.hears([says("a4@10.0.0.4", Attribute::SerialNumber, "20042", Protocol::Bacnet)]);
    let pump = site.device("B. Braun Infusomat Space 20042");
    assert_eq!(pump.device_type, "infusion pump");
    assert!([site.device("a1").id, site.device("a3").id].contains(&pump.parent));
    assert_eq!(site.outline().len(), 4);
}

#[test]
fn a_client_that_a_relay_tells_of_is_the_one_that_said_its_identifier() {
    let mut site = Site::new();
    site.hears([says("a1@fe80::1", Attribute::DhcpDuid, "00030001020000000001", Protocol::Dhcpv6)]);
    let key = "duid=00030001020000000001";
    site.hears([tells_of("a9@fe80::9", key, Attribute::HostName, "pump-7", Protocol::Dhcpv6)]);
    assert_eq!(site.device("a1").host_names, ["pump-7"]);
    assert_eq!(site.outline().len(), 2);
}

#[test]
fn a_slot_is_a_device_behind_its_teller_only() {
    let mut site = Site::new();
    site.hears([
        tells_of("a1@10.0.0.1", "slot=1", Attribute::Model, "X1", Protocol::Hl7),
        tells_of("a3@10.0.0.3", "slot=1", Attribute::Model, "X2", Protocol::Hl7),
    ]);
    assert_eq!(site.outline(), ["X1 behind 10.0.0.1", "X2 behind 10.0.0.3", "a1 10.0.0.1", "a3 10.0.0.3"]);
}

#[test]
fn a_nested_device_follows_its_gateway_to_the_right_interface() {
    let mut site = Site::new();
    site.hears((1..9).map(|n| flow("e0@10.9.9.9", &format!("fe@10.0.2.{n}"), Protocol::Http)));
    site.hears([tells_of("fe@10.0.2.5", "slot=1", Attribute::Model, "X1", Protocol::Hl7)]);
    assert_eq!(site.device("X1").parent, site.device("10.0.2.5").id);
    site.hears([
        arp("b5", "10.0.2.5"),
        says("b5@10.0.2.5", Attribute::HostName, "gateway-5", Protocol::Mdns),
    ]);
    let nested = site.device("X1");
    assert_eq!(nested.parent, site.device("gateway-5").id);
    assert_eq!(site.device("gateway-5").macs, ["02:00:00:00:00:b5"]);
}

#[test]
fn an_archive_that_forwards_a_scanners_images_stays_an_archive() {
    let mut site = Site::new();
    let scanner = "serial=GE MEDICAL SYSTEMS|RHAPSODE|CT-7";
    site.hears([
        flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Dicom),
        says("a1@10.0.0.1", Attribute::Role, "dicom-query-scp", Protocol::Dicom),
        tells_of("a1@10.0.0.1", scanner, Attribute::Manufacturer, "GE MEDICAL SYSTEMS", Protocol::Dicom),
        tells_of("a1@10.0.0.1", scanner, Attribute::Model, "RHAPSODE", Protocol::Dicom),
        tells_of("a1@10.0.0.1", scanner, Attribute::DicomModality, "CT", Protocol::Dicom),
    ]);
    let archive = site.device("a1");
    assert_eq!((archive.device_type.as_str(), archive.manufacturer.as_str()), ("image archive", ""));
    let nested = site.device("GE HealthCare RHAPSODE");
    assert_eq!((nested.device_type.as_str(), nested.manufacturer.as_str()), ("CT scanner", "GE HealthCare"));
}

/// A scanner that says who it is.
fn scanner(end: &str) -> [wardwatch_proto::v1::Fact; 3] {
    [
        says(end, Attribute::Model, "X1", Protocol::Dicom),
        says(end, Attribute::SerialNumber, "42", Protocol::Dicom),
        says(end, Attribute::DicomAeTitle, "CT1", Protocol::Dicom),
    ]
}

#[test]
fn a_third_device_that_is_on_the_network_itself_is_one_device() {
    let told = [
        tells_of("a1@10.0.0.1", PUMP, Attribute::Location, "Room 7", Protocol::Dicom),
        tells_of("a1@10.0.0.1", "ae=CT1", Attribute::StationName, "CT-ROOM-7", Protocol::Dicom),
    ];
    for scanner_first in [true, false] {
        let mut site = Site::new();
        let (own, others) = (scanner("a3@10.0.0.3").to_vec(), told.to_vec());
        let (first, second) = if scanner_first { (own, others) } else { (others, own) };
        site.hears(first);
        site.hears(second);
        assert_eq!(site.outline(), ["a1 10.0.0.1", "a3 10.0.0.3"]);
        let record = site.device("a3");
        assert_eq!((record.location.as_str(), record.name.as_str()), ("Room 7", "CT-ROOM-7"));
        assert_eq!(record.parent, "", "it stands for itself");
    }
}

#[test]
fn what_two_devices_claim_identifies_neither() {
    let mut site = Site::new();
    site.hears(scanner("a3@10.0.0.3"));
    let title = tells_of("a1@10.0.0.1", "ae=CT1", Attribute::StationName, "CT-ROOM-7", Protocol::Dicom);
    site.hears([title]);
    assert_eq!(site.outline().len(), 2);
    site.hears([says("a4@10.0.0.4", Attribute::DicomAeTitle, "CT1", Protocol::Dicom)]);
    assert_eq!(site.outline(), ["CT-ROOM-7 behind 10.0.0.1", "a1 10.0.0.1", "a3 10.0.0.3", "a4 10.0.0.4"]);
}

#[test]
fn the_same_number_on_another_model_is_another_device() {
    let mut site = Site::new();
    site.hears([
        says("a3@10.0.0.3", Attribute::Model, "Y9", Protocol::Dicom),
        says("a3@10.0.0.3", Attribute::SerialNumber, "42", Protocol::Dicom),
        tells_of("a1@10.0.0.1", PUMP, Attribute::Location, "Room 7", Protocol::Dicom),
    ]);
    assert_eq!(site.outline().len(), 3);
}

#[test]
fn what_others_tell_of_a_device_is_no_sighting_of_it() {
    let mut site = Site::new();
    site.hears(scanner("a3@10.0.0.3"));
    let later = NEW_YEAR + 90 * DAY;
    site.hears([observation(
        later,
        Role::Third,
        "a1@10.0.0.1",
        PUMP,
        Attribute::Model,
        "X1",
        Protocol::Dicom,
    )]);
    assert_eq!(site.device("a3").last_seen, NEW_YEAR);
}

#[test]
fn the_only_unit_at_a_modbus_address_is_the_device_there_until_a_second_one_answers() {
    let mut site = Site::new();
    let unit = |number: u8, model: &str| {
        let key = format!("modbus={number}");
        tells_of("a1@10.0.0.1", &key, Attribute::Model, model, Protocol::Modbus)
    };
    site.hears([flow("a2@10.0.0.2", "a1@10.0.0.1", Protocol::Modbus)]);
    site.hears([unit(1, "PM5560")]);
    assert_eq!((site.outline().len(), site.device("a1").model.as_str()), (2, "PM5560"));
    site.hears([unit(7, "iEM3155")]);
    assert_eq!(site.outline().len(), 4, "a gateway, and two meters behind it");
    assert_eq!(site.device("a1").model, "");
}

const LAB: &str = "a1@10.0.0.1";

fn analyser(serial: &str) -> Vec<wardwatch_proto::v1::Fact> {
    let key = format!("analyser=XN-1000.{serial}");
    [(Attribute::Manufacturer, "Sysmex"), (Attribute::Model, "XN-1000"), (Attribute::SerialNumber, serial)]
        .map(|(attribute, value)| tells_of(LAB, &key, attribute, value, Protocol::Hl7))
        .to_vec()
}

#[test]
fn the_only_analyser_that_one_tells_of_is_itself_when_it_says_so_too() {
    let own = [(Attribute::EquipmentId, "11803"), (Attribute::Hl7Application, "XN-1000")];
    for (attribute, value) in own {
        let mut site = Site::new();
        site.hears([flow(LAB, "a2@10.0.0.2", Protocol::Hl7)]);
        site.hears(analyser("11803"));
        assert_eq!((site.outline().len(), site.device("a1").model.as_str()), (3, ""), "it may be middleware");
        site.hears([says(LAB, attribute, value, Protocol::Hl7)]);
        let device = site.device("a1");
        assert_eq!((device.model.as_str(), device.serial_number.as_str()), ("XN-1000", "11803"), "{value}");
        assert_eq!(site.outline().len(), 2);
        site.hears(analyser("11900"));
        assert_eq!((site.outline().len(), site.device("a1").serial_number.as_str()), (4, ""), "{value}");
    }
}

#[test]
fn a_sender_is_not_the_analyser_where_it_contradicts_it_or_speaks_for_others() {
    let own = |attribute, value| says(LAB, attribute, value, Protocol::Hl7);
    let name = || own(Attribute::Hl7Application, "XN-1000");
    for said in [
        vec![name(), own(Attribute::SerialNumber, "900")],
        vec![name(), own(Attribute::Role, "gateway")],
        vec![own(Attribute::EquipmentId, "11804"), own(Attribute::Hl7Application, "Caresphere")],
    ] {
        for is_first in [true, false] {
            let mut site = Site::new();
            let (first, second) =
                if is_first { (said.clone(), analyser("11803")) } else { (analyser("11803"), said.clone()) };
            site.hears(first);
            site.hears(second);
            assert_eq!((site.outline().len(), site.device("a1").model.as_str()), (2, ""), "{said:?}");
        }
    }
}

#[test]
fn a_gateway_that_was_seen_to_speak_for_one_pump_is_not_the_pump() {
    let mut site = Site::new();
    let key = "hl7=P77|00:12:21:00:00:00:00:00";
    let told = [(Attribute::Model, "Infusomat Space"), (Attribute::SerialNumber, "P77")]
        .map(|(attribute, value)| tells_of("a1@10.0.0.1", key, attribute, value, Protocol::Hl7));
    site.hears(told);
    site.hears([
        says("a1@10.0.0.1", Attribute::EquipmentId, "P77", Protocol::Hl7),
        says("a1@10.0.0.1", Attribute::Hl7Application, "Infusomat Space", Protocol::Hl7),
    ]);
    assert_eq!((site.outline().len(), site.device("a1").model.as_str()), (2, ""));
}
