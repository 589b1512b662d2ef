//! What an association says, and what it must not be taken to say. All octets are written by the standard.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::canary::dicom::wire::{self, Encoder};
use crate::test_flow::TestFlow;
use crate::{Interest, Outcome};

const CANDIDATES: &[Candidate] = &[CANDIDATE];
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
const US: &str = "1.2.840.10008.5.1.4.1.1.6.1";
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
const PERFORMED_STEP: &str = "1.2.840.10008.3.1.2.3.3";
const STUDY_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const STUDY_MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const STUDY_GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const STORE: u16 = 0x0001;

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

/// An accepted association of `calling` with `ARCHIVE` for these SOP classes in one transfer syntax.
fn associated(calling: &str, classes: &[&str], transfer: &str) -> TestFlow {
    let ids = (1_u8..).step_by(2);
    let proposed: Vec<_> = ids.clone().zip(classes).map(|(id, class)| (id, *class, transfer)).collect();
    let accepted: Vec<_> = ids.zip(classes).map(|(id, _)| (id, 0, transfer)).collect();
    flow()
        .ask(&wire::request("ARCHIVE", calling, &proposed, &wire::implementation("1.2.3", "MODALITY_1")))
        .answer(&wire::accept("ARCHIVE", calling, &accepted, &wire::implementation("1.2.4", "ARCHIVE_1")))
}

/// What a scanner writes into its images, patient included.
fn image(encoder: Encoder) -> Vec<u8> {
    let patient_in = encoder.element((0x0010, 0x0020), "LO", b"4711");
    [
        encoder.element((0x0008, 0x0005), "CS", b"ISO_IR 100"),
        encoder.element((0x0008, 0x0060), "CS", b"CT"),
        encoder.element((0x0008, 0x0070), "LO", b"ACME"),
        encoder.element((0x0008, 0x0080), "LO", b"St. J\xf6rg"),
        encoder.element((0x0008, 0x1010), "SH", b"ROOM2"),
        encoder.element((0x0008, 0x1090), "LO", b"Scan 9"),
        encoder.element((0x0009, 0x0010), "LO", b"ACME_PRIVATE"),
        encoder.element((0x0010, 0x0010), "PN", b"DOE^JANE"),
        encoder.sequence((0x0010, 0x1002), std::slice::from_ref(&patient_in), true),
        encoder.sequence((0x0010, 0x1002), &[patient_in], false),
        encoder.element((0x0018, 0x1000), "LO", b"SN42"),
        encoder.element((0x0018, 0x1020), "LO", b"2.1\\boot 7"),
        encoder.element((0x0018, 0x1200), "DA", b"20240131"),
        encoder.element((0x7FE0, 0x0010), "OW", &[0x55; 4000]),
    ]
    .concat()
}

const OF_IMAGE: &[&str] = &[
    "dicom_modality CT",
    "manufacturer ACME",
    "institution St. Jörg",
    "station_name ROOM2",
    "model Scan 9",
    "dicom_private_creator ACME_PRIVATE",
    "serial_number SN42",
    "software_version 2.1",
    "software_version boot 7",
    "calibration_date 2024-01-31",
];

fn of(whom: &str) -> Vec<String> {
    OF_IMAGE.iter().map(|fact| format!("{whom} {fact}")).collect()
}

/// The lines that are neither negotiation nor roles.
fn about_equipment(flow: &TestFlow) -> Vec<String> {
    let negotiated = [" role ", "dicom_ae_title", "dicom_implementation", "dicom_sop_class", "cleartext"];
    flow.said().into_iter().filter(|line| !negotiated.iter().any(|kind| line.contains(kind))).collect()
}

fn store(context: u8, class: &str, object: &[u8]) -> Vec<u8> {
    [wire::command(context, STORE, class, &[]), wire::data(context, false, true, object)].concat()
}

#[test]
fn an_association_names_both_ends_and_what_they_do() {
    let flow = associated("SCANNER", &[CT, WORKLIST], wire::IMPLICIT_LITTLE);
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 dicom_ae_title SCANNER",
            "sender 192.0.2.1 dicom_implementation_uid 1.2.3",
            "sender 192.0.2.1 dicom_implementation_version MODALITY_1",
            "sender 192.0.2.1 role dicom-scu",
            "sender 192.0.2.1 role dicom-storage-scu",
            "sender 192.0.2.1 role dicom-worklist-scu",
            "sender 192.0.2.2 dicom_ae_title ARCHIVE",
            "sender 192.0.2.2 dicom_implementation_uid 1.2.4",
            "sender 192.0.2.2 dicom_implementation_version ARCHIVE_1",
            "sender 192.0.2.2 dicom_sop_class 1.2.840.10008.5.1.4.1.1.2",
            "sender 192.0.2.2 dicom_sop_class 1.2.840.10008.5.1.4.31",
            "sender 192.0.2.2 role dicom-scp",
            "sender 192.0.2.2 role dicom-storage-scp",
            "sender 192.0.2.2 role dicom-worklist-scp",
        ]
    );
}

#[test]
fn a_title_that_is_called_is_true_only_once_it_is_accepted() {
    let rejected = flow()
        .ask(&wire::request("GUESS", "TOOL", &[(1, "1.2.840.10008.1.1", wire::IMPLICIT_LITTLE)], &[]))
        .answer(&wire::pdu(3, &[0, 1, 1, 7]));
    assert_eq!(rejected.values(Attribute::DicomAeTitle), ["TOOL"]);
    // Of an answer whose request was not seen nothing is known about its echo of the titles.
    let alone = flow().answer(&wire::accept("ECHO", "TOOL", &[(1, 0, wire::IMPLICIT_LITTLE)], &[]));
    assert_eq!(alone.values(Attribute::DicomAeTitle), [""; 0]);
    assert_eq!(alone.values(Attribute::Role), ["dicom-scp"]);
}

#[test]
fn a_refused_context_is_no_role_of_the_acceptor() {
    let flow = flow()
        .ask(&wire::request(
            "A",
            "B",
            &[(1, CT, wire::IMPLICIT_LITTLE), (3, WORKLIST, wire::IMPLICIT_LITTLE)],
            &[],
        ))
        .answer(&wire::accept("A", "B", &[(1, 3, ""), (3, 0, wire::IMPLICIT_LITTLE)], &[]));
    assert_eq!(flow.values(Attribute::DicomSopClass), [WORKLIST]);
    assert!(!flow.said().contains(&"sender 192.0.2.2 role dicom-storage-scp".to_owned()));
}

#[test]
fn a_passcode_is_reported_and_not_kept() {
    // The user information item of the field notes, checked with another dissector.
    let user = b"\x51\x00\x00\x04\x00\x00\x40\x00\x52\x00\x00\x11\x31\x2e\x33\x2e\x31\x32\x2e\x32\x2e\x31\x31\x30\x37\x2e\x35\x2e\x32\
        \x55\x00\x00\x08MR_VB19A\x58\x00\x00\x0e\x02\x00\x00\x04user\x00\x04pass";
    let flow = flow().ask(&wire::request("A", "B", &[], &[user.to_vec()]));
    assert_eq!(flow.values(Attribute::CleartextCredential), ["dicom-user-passcode"]);
    assert_eq!(flow.values(Attribute::DicomImplementationUid), ["1.3.12.2.1107.5.2"]);
    assert_eq!(flow.values(Attribute::DicomImplementationVersion), ["MR_VB19A"]);
    assert!(flow.said().iter().all(|line| !line.contains("user ") && !line.ends_with("pass")));
}

#[test]
fn who_asks_to_receive_what_it_gets_is_a_storage_provider() {
    let selection = [&(CT.len() as u16).to_be_bytes()[..], CT.as_bytes(), &[0, 1]].concat();
    let contexts = [(1, STUDY_GET, wire::IMPLICIT_LITTLE), (3, CT, wire::IMPLICIT_LITTLE)];
    let flow = flow().ask(&wire::request("A", "B", &contexts, &[wire::item(0x54, &selection)]));
    assert_eq!(flow.values(Attribute::Role), ["dicom-query-scu", "dicom-scu", "dicom-storage-scp"]);
}

#[test]
fn an_image_describes_its_sender_when_titles_agree_in_every_transfer_syntax() {
    for transfer in [
        wire::IMPLICIT_LITTLE,
        wire::EXPLICIT_LITTLE,
        wire::EXPLICIT_BIG,
        wire::DEFLATED,
        "1.2.840.10008.1.2.4.70",
    ] {
        let object = image(Encoder::of(transfer));
        let object = if transfer == wire::DEFLATED { deflated(&object) } else { object };
        let flow = associated("ROOM2", &[CT, MR, US, STUDY_FIND], transfer).ask(&store(1, CT, &object));
        assert_eq!(about_equipment(&flow), of("sender 192.0.2.1"), "{transfer}");
        assert_eq!(flow.values(Attribute::CleartextPatientData), ["dicom-object"], "{transfer}");
    }
}

fn deflated(object: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(object).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[test]
fn an_image_that_an_archive_forwards_describes_a_third_device() {
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let third = of("third 192.0.2.1 serial=ACME|Scan 9|SN42");
    // It offers what only an archive, a router or a viewer has: many kinds of images, or queries.
    for classes in [&[CT, MR, US][..], &[CT, STUDY_FIND]] {
        let flow = associated("ROUTER", classes, wire::IMPLICIT_LITTLE).ask(&store(1, CT, &image(encoder)));
        assert_eq!(about_equipment(&flow), third);
    }
    // It carries out a C-MOVE: even an agreeing title does not make it the scanner.
    let sub_operation = [
        wire::command(1, STORE, CT, &[(0x1030, b"VIEWER"), (0x1031, &[1, 0])]),
        wire::data(1, false, true, &image(encoder)),
    ];
    let flow = associated("ROOM2", &[CT], wire::IMPLICIT_LITTLE).ask(&sub_operation.concat());
    assert_eq!(about_equipment(&flow), third);
}

#[test]
fn a_sender_like_a_scanner_is_the_first_device_it_speaks_of_and_no_other() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let other: Vec<u8> =
        [encoder.element((0x0008, 0x0070), "LO", b"OTHER"), encoder.element((0x0018, 0x1000), "LO", b"SN43")]
            .concat();
    let flow = associated("X", &[CT], wire::EXPLICIT_LITTLE)
        .ask(&store(1, CT, &image(encoder)))
        .ask(&store(1, CT, &image(encoder)))
        .ask(&store(1, CT, &other));
    let expected = of("sender 192.0.2.1").into_iter().chain([
        "third 192.0.2.1 serial=OTHER||SN43 manufacturer OTHER".to_owned(),
        "third 192.0.2.1 serial=OTHER||SN43 serial_number SN43".to_owned(),
    ]);
    assert_eq!(about_equipment(&flow), expected.collect::<Vec<_>>());
}

#[test]
fn a_forwarded_image_without_any_number_describes_nobody() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let object = [
        encoder.element((0x0008, 0x0070), "LO", b"ACME"),
        encoder.element((0x0008, 0x1090), "LO", b"Scan 9"),
        encoder.element((0x0018, 0x1000), "LO", b"192.0.2.77"),
    ]
    .concat();
    let flow = associated("ROUTER", &[CT, MR, US], wire::EXPLICIT_LITTLE).ask(&store(1, CT, &object));
    assert_eq!(about_equipment(&flow), [""; 0]);
}

#[test]
fn the_identification_block_of_ge_is_found_where_its_creator_says() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let object = [
        encoder.element((0x0009, 0x0010), "LO", b"OTHER"),
        encoder.element((0x0009, 0x0011), "LO", b"GEMS_IDEN_01"),
        encoder.element((0x0009, 0x1004), "SH", b"Wrong 1"),
        encoder.element((0x0009, 0x1104), "SH", b"HiSpeed CT/i"),
        encoder.element((0x0009, 0x11E6), "SH", b"05"),
    ]
    .concat();
    let flow = associated("HISPEED CT I", &[CT], wire::EXPLICIT_LITTLE).ask(&store(1, CT, &object));
    assert_eq!(flow.values(Attribute::Model), ["HiSpeed CT/i"]);
    assert_eq!(flow.values(Attribute::SoftwareVersion), ["05"]);
}

#[test]
fn identifiers_and_contributors_stand_in_sequences() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let udi = encoder.element((0x0018, 0x1009), "UT", b"(01)06291041500213(21)SN42");
    let contributor = [
        encoder.element((0x0008, 0x0070), "LO", b"GATES"),
        encoder.element((0x0018, 0x1000), "LO", b"GW7"),
        encoder.element((0x0040, 0xA170), "SQ", b""),
    ]
    .concat();
    for is_delimited in [true, false] {
        let object = [
            encoder.element((0x0018, 0x1000), "LO", b"SN42"),
            encoder.sequence((0x0018, 0x100A), std::slice::from_ref(&udi), is_delimited),
            encoder.sequence((0x0018, 0xA001), std::slice::from_ref(&contributor), is_delimited),
        ]
        .concat();
        let flow = associated("CT42SN42", &[CT], wire::EXPLICIT_LITTLE).ask(&store(1, CT, &object));
        assert_eq!(
            about_equipment(&flow),
            [
                "sender 192.0.2.1 serial_number SN42",
                "sender 192.0.2.1 udi_di 06291041500213",
                "third 192.0.2.1 serial=GATES||GW7 manufacturer GATES",
                "third 192.0.2.1 serial=GATES||GW7 serial_number GW7",
            ]
        );
    }
}

#[test]
fn unknown_sequences_of_undefined_length_are_walked_through() {
    let explicit = Encoder::of(wire::EXPLICIT_LITTLE);
    let implicit = Encoder::of(wire::IMPLICIT_LITTLE);
    let inner = implicit.element((0x0008, 0x0070), "LO", b"NESTED");
    let deeper = implicit.sequence((0x0011, 0x1002), std::slice::from_ref(&inner), true);
    let fragment = [0x41; 10].to_vec();
    let object = [
        // An unknown sequence is written implicit behind UN (PS3.5, 6.2.2).
        explicit.sequence_as("UN", (0x0011, 0x1001), &[deeper, inner], true),
        explicit.element((0x0018, 0x1000), "LO", b"SN42"),
        explicit.element((0x0028, 0x9999), "UN", b"DOE^JANE"),
        explicit.sequence_as("OB", (0x0029, 0x1010), &[fragment], false),
        explicit.element((0x0040, 0x0242), "SH", b"ROOM2"),
    ]
    .concat();
    let flow = associated("ROOM2", &[CT], wire::EXPLICIT_LITTLE).ask(&store(1, CT, &object));
    assert_eq!(
        about_equipment(&flow),
        ["sender 192.0.2.1 serial_number SN42", "sender 192.0.2.1 station_name ROOM2"]
    );
}

#[test]
fn what_follows_a_dataset_that_makes_no_sense_is_still_read() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let nonsense = [encoder.element((0x0008, 0x0070), "LO", b"WRONG"), vec![0xFE; 40]].concat();
    let flow = associated("ROOM2", &[CT], wire::EXPLICIT_LITTLE).ask(&store(1, CT, &nonsense)).ask(&store(
        1,
        CT,
        &image(encoder),
    ));
    assert_eq!(about_equipment(&flow), of("sender 192.0.2.1"));
}

#[test]
fn a_worklist_names_the_stations_that_steps_are_scheduled_on() {
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let step = |title: &str, station: &str| {
        let elements = [
            encoder.element((0x0008, 0x0060), "CS", b"CT"),
            encoder.element((0x0040, 0x0001), "AE", title.as_bytes()),
            encoder.element((0x0040, 0x0006), "PN", b"DOC^TOR"),
            encoder.element((0x0040, 0x0010), "SH", station.as_bytes()),
        ];
        let patient = encoder.element((0x0010, 0x0010), "PN", b"DOE^JANE");
        [patient, encoder.sequence((0x0040, 0x0100), &[elements.concat()], true)].concat()
    };
    let answer = |object: &[u8]| {
        [wire::command(1, 0x8020, WORKLIST, &[]), wire::data(1, false, true, object)].concat()
    };
    let flow = associated("SCANNER", &[WORKLIST], wire::IMPLICIT_LITTLE)
        .answer(&answer(&step("SCANNER", "ROOM2")))
        .answer(&answer(&step("OTHER", "ROOM3")));
    let said = flow.said();
    let told = said.iter().skip_while(|line| !line.contains("cleartext"));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "sender 192.0.2.2 cleartext_patient_data dicom-query",
            "peer 192.0.2.1 dicom_modality CT",
            "peer 192.0.2.1 station_name ROOM2",
            "third 192.0.2.2 ae=OTHER dicom_ae_title OTHER",
            "third 192.0.2.2 ae=OTHER dicom_modality CT",
            "third 192.0.2.2 ae=OTHER station_name ROOM3",
        ]
    );
}

#[test]
fn a_performed_step_describes_the_modality_that_reports_it() {
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let object = [
        encoder.element((0x0008, 0x0060), "CS", b"CT"),
        encoder.element((0x0040, 0x0241), "AE", b"SCANNER"),
        encoder.element((0x0040, 0x0242), "SH", b"ROOM2"),
        encoder.element((0x0040, 0x0243), "SH", b"Radiology 1"),
    ]
    .concat();
    let create =
        [wire::command(1, 0x0140, PERFORMED_STEP, &[]), wire::data(1, false, true, &object)].concat();
    let flow = associated("SCANNER", &[PERFORMED_STEP], wire::IMPLICIT_LITTLE).ask(&create);
    assert_eq!(
        about_equipment(&flow),
        [
            "sender 192.0.2.1 dicom_modality CT",
            "sender 192.0.2.1 station_name ROOM2",
            "sender 192.0.2.1 location Radiology 1",
        ]
    );
}

#[test]
fn a_film_printer_tells_what_it_is() {
    // The Printer SOP class (PS3.4, H.4.6), read by N-GET.
    const PRINTER: &str = "1.2.840.10008.5.1.1.16";
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let printer = [
        encoder.element((0x0008, 0x0070), "LO", b"ACME"),
        encoder.element((0x0008, 0x1090), "LO", b"Film 5"),
        encoder.element((0x0018, 0x1000), "LO", b"FP77"),
        encoder.element((0x0018, 0x1020), "LO", b"4.0"),
        encoder.element((0x2110, 0x0010), "CS", b"NORMAL"),
    ]
    .concat();
    let answer = [wire::command(1, 0x8110, PRINTER, &[]), wire::data(1, false, true, &printer)].concat();
    let flow = associated("CONSOLE", &["1.2.840.10008.5.1.1.9"], wire::IMPLICIT_LITTLE).answer(&answer);
    assert_eq!(
        about_equipment(&flow),
        ["manufacturer ACME", "model Film 5", "serial_number FP77", "software_version 4.0"]
            .map(|fact| format!("sender 192.0.2.2 {fact}"))
    );
}

#[test]
fn a_plan_names_the_machine_that_gives_its_beams() {
    // RT Beams (PS3.3, C.8.8.14), of a planning system; the machine with its product and without.
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let named = encoder.element((0x300A, 0x00B2), "SH", b"LINAC3");
    let beam = [
        encoder.element((0x0008, 0x0070), "LO", b"BEAMCO"),
        encoder.element((0x0008, 0x1090), "LO", b"Ray 6"),
        encoder.element((0x0018, 0x1000), "LO", b"H1902"),
        named.clone(),
    ]
    .concat();
    let plan = |beams: &[Vec<u8>]| {
        [
            encoder.element((0x0008, 0x0070), "LO", b"PLANNERS"),
            encoder.sequence((0x300A, 0x00B0), beams, true),
        ]
        .concat()
    };
    let flow = associated("PLANS", &["1.2.840.10008.5.1.4.1.1.481.5"], wire::EXPLICIT_LITTLE)
        .ask(&store(1, "1.2.840.10008.5.1.4.1.1.481.5", &plan(&[beam.clone(), beam])))
        .ask(&store(1, "1.2.840.10008.5.1.4.1.1.481.5", &plan(&[named])));
    assert_eq!(
        about_equipment(&flow),
        [
            "sender 192.0.2.1 manufacturer PLANNERS",
            "third 192.0.2.1 serial=BEAMCO|Ray 6|H1902 manufacturer BEAMCO",
            "third 192.0.2.1 serial=BEAMCO|Ray 6|H1902 model Ray 6",
            "third 192.0.2.1 serial=BEAMCO|Ray 6|H1902 serial_number H1902",
            "third 192.0.2.1 serial=BEAMCO|Ray 6|H1902 station_name LINAC3",
            "third 192.0.2.1 machine=LINAC3 station_name LINAC3",
        ]
    );
}

#[test]
fn a_move_names_a_third_system_and_a_query_betrays_a_patient() {
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let keys = encoder.element((0x0010, 0x0020), "LO", b"4711");
    let flow = associated("VIEWER", &[STUDY_MOVE], wire::IMPLICIT_LITTLE)
        .ask(&wire::command(1, 0x0021, STUDY_MOVE, &[(0x0600, b"WALL")]))
        .ask(&wire::data(1, false, true, &keys));
    let said = flow.said();
    assert!(said.contains(&"third 192.0.2.1 ae=WALL dicom_ae_title WALL".to_owned()));
    assert_eq!(flow.values(Attribute::CleartextPatientData), ["dicom-query"]);
}

#[test]
fn an_association_joined_in_the_middle_is_read_from_its_next_command() {
    for transfer in [wire::IMPLICIT_LITTLE, wire::EXPLICIT_LITTLE] {
        let flow = flow().ask(&store(1, CT, &image(Encoder::of(transfer))));
        assert_eq!(about_equipment(&flow), of("third 192.0.2.1 serial=ACME|Scan 9|SN42"), "{transfer}");
        assert_eq!(flow.values(Attribute::Role), ["dicom-storage-scu"]);
    }
}

#[test]
fn answers_betray_an_association_whose_other_side_is_in_the_middle_of_an_image() {
    let answer = wire::command(1, 0x8001, CT, &[]);
    let flow = flow()
        .ask(&[0x55; 900])
        .answer(&answer)
        .ask(&[&[4, 0, 0x55][..], &store(1, CT, &image(Encoder::of(wire::EXPLICIT_LITTLE)))].concat());
    assert_eq!(flow.values(Attribute::Role), ["dicom-storage-scp", "dicom-storage-scu"]);
    assert_eq!(about_equipment(&flow), of("third 192.0.2.1 serial=ACME|Scan 9|SN42"));
}

#[test]
fn behind_a_hole_over_several_units_the_next_command_is_read() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let mut flow = associated("ROOM2", &[CT], wire::EXPLICIT_LITTLE).ask(&wire::command(1, STORE, CT, &[]));
    let object = wire::data(1, false, true, &image(encoder));
    flow.bytes(Direction::FromInitiator, &object[..100]);
    assert_eq!(
        flow.conversation.gap(Direction::FromInitiator, 1_000_000, &mut flow.statements),
        Interest::Keep
    );
    let flow = flow.ask(&object[300..]).ask(&store(1, CT, &image(encoder)));
    assert_eq!(about_equipment(&flow), of("sender 192.0.2.1"));
}

#[test]
fn an_object_that_an_archive_has_changed_is_not_taken_for_the_senders() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let change = encoder.element((0x0400, 0x0564), "LO", b"ARCHIVE");
    let object = [
        encoder.element((0x0008, 0x0070), "LO", b"ACME"),
        encoder.element((0x0018, 0x1000), "LO", b"SN42"),
        encoder.sequence((0x0400, 0x0561), &[change], true),
    ]
    .concat();
    let flow = associated("X", &[CT], wire::EXPLICIT_LITTLE).ask(&store(1, CT, &object));
    assert_eq!(flow.values(Attribute::SerialNumber), ["SN42"]);
    assert!(about_equipment(&flow).iter().all(|line| line.starts_with("third")));
}

#[test]
fn pixels_are_skipped_unseen_and_may_be_lost() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let mut flow = associated("ROOM2", &[CT], wire::EXPLICIT_LITTLE).ask(&wire::command(1, STORE, CT, &[]));
    let object = wire::data(1, false, true, &image(encoder));
    flow.bytes(Direction::FromInitiator, &object[..1500]);
    assert_eq!(flow.conversation.held_bytes(), 0);
    assert_eq!(
        flow.conversation.gap(Direction::FromInitiator, object.len() as u64 - 1500, &mut flow.statements),
        Interest::Keep
    );
    let flow = flow.ask(&wire::command(1, STORE, MR, &[]));
    assert_eq!(flow.values(Attribute::DicomSopClass), [CT, CT, MR]);
}

#[test]
fn a_hole_in_a_header_costs_one_object() {
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let mut flow = associated("ROOM2", &[CT], wire::EXPLICIT_LITTLE).ask(&wire::command(1, STORE, CT, &[]));
    let object = wire::data(1, false, true, &image(encoder));
    flow.bytes(Direction::FromInitiator, &object[..100]);
    assert_eq!(flow.conversation.gap(Direction::FromInitiator, 50, &mut flow.statements), Interest::Keep);
    let flow = flow.ask(&object[150..]).ask(&store(1, CT, &image(encoder)));
    assert_eq!(about_equipment(&flow), of("sender 192.0.2.1"));
}

#[test]
fn lengths_that_cannot_be_are_refused_and_those_that_are_only_huge_are_not_held() {
    let too_long = wire::pdu(4, &[0, 0, 0, 200, 1, 3, 0, 0]);
    let flow_of = |bytes: &[u8]| associated("A", &[CT], wire::IMPLICIT_LITTLE).ask(bytes);
    assert_eq!(
        flow_of(&too_long).conversation.outcome(),
        Outcome::Broken("presentation data value longer than its PDU")
    );
    assert_eq!(flow_of(&[9, 0, 0, 0, 0, 1]).conversation.outcome(), Outcome::Broken("unknown PDU type"));
    let huge = [&[4, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFB, 1, 2][..], &[0; 1000]].concat();
    let flow = flow_of(&huge);
    assert_eq!((flow.conversation.outcome(), flow.conversation.held_bytes()), (Outcome::Going, 0));
}

/// A whole conversation with every encoding of lengths in it.
fn exchange() -> (Vec<u8>, Vec<u8>) {
    let contexts = [(1, CT, wire::EXPLICIT_LITTLE)];
    let request = wire::request("ARCHIVE", "ROOM2", &contexts, &wire::implementation("1.2.3", "M_1"));
    let object = image(Encoder::of(wire::EXPLICIT_LITTLE));
    let mut asked = wire::command(1, STORE, CT, &[]);
    let mut fragments = object.chunks(97).peekable();
    while let Some(fragment) = fragments.next() {
        asked.extend(wire::data(1, false, fragments.peek().is_none(), fragment));
    }
    (request, asked)
}

proptest! {
    #[test]
    fn where_the_segments_are_cut_makes_no_difference(
        cuts in prop::collection::vec(1_usize..300, 1..60),
    ) {
        let (request, asked) = exchange();
        let mut flow = flow();
        let cut = |flow: &mut TestFlow, mut rest: &[u8]| {
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let (now, later) = rest.split_at((*cuts.next().unwrap_or(&1)).min(rest.len()));
                flow.bytes(Direction::FromInitiator, now);
                rest = later;
            }
        };
        cut(&mut flow, &request);
        flow = flow.answer(&wire::accept("ARCHIVE", "ROOM2", &[(1, 0, wire::EXPLICIT_LITTLE)], &[]));
        cut(&mut flow, &asked);
        prop_assert_eq!(about_equipment(&flow), of("sender 192.0.2.1"));
    }

    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        noise in prop::collection::vec(any::<u8>(), 0..400),
        from in any::<prop::sample::Index>(),
        missing in 0_u64..300,
    ) {
        let (request, mut asked) = exchange();
        for (at, value) in flips {
            let at = at.index(asked.len());
            asked[at] = value;
        }
        let mut flow = flow().ask(&request).answer(&wire::accept("ARCHIVE", "ROOM2", &[(1, 0, "")], &[]));
        let (before, behind) = asked.split_at(from.index(asked.len()));
        flow.bytes(Direction::FromInitiator, before);
        flow.conversation.gap(Direction::FromInitiator, missing, &mut flow.statements);
        flow = flow.ask(behind).answer(&noise).ask(&noise).ask(&asked);
        prop_assert!(flow.conversation.held_bytes() <= 2 * 256 * 1024);
        prop_assert!(flow.statements.observations.len() < 2000);
    }
}
