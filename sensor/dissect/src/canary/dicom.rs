//! Associations whose objects, queries, worklists and steps carry canaries in every element but the listed ones.

use std::collections::BTreeSet;

use wardwatch_proto::v1::Attribute;

use self::wire::Encoder;
use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

pub(crate) mod wire;

type Tag = (u16, u16);

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
const PERFORMED_STEP: &str = "1.2.840.10008.3.1.2.3.3";
const STUDY_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const STUDY_MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const CLASSES: [&str; 5] = [CT, WORKLIST, PERFORMED_STEP, STUDY_FIND, STUDY_MOVE];

/// JPEG baseline, for the compressed syntaxes.
const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// The scanner's title and station name.
const STATION: &str = "SCANNER7";

/// Identity elements of an image (PS3.3, C.7.5.1): tag, value representation, control value, attribute, value stated.
const LISTED: &[(Tag, &str, &str, Attribute, &str)] = &[
    ((0x0008, 0x0060), "CS", "CT", Attribute::DicomModality, "CT"),
    ((0x0008, 0x0070), "LO", "Acme Imaging", Attribute::Manufacturer, "Acme Imaging"),
    ((0x0008, 0x0080), "LO", "St. Elsewhere", Attribute::Institution, "St. Elsewhere"),
    ((0x0008, 0x1010), "SH", STATION, Attribute::StationName, STATION),
    ((0x0008, 0x1040), "LO", "Radiology 2", Attribute::Department, "Radiology 2"),
    ((0x0008, 0x1090), "LO", "Scan 9000", Attribute::Model, "Scan 9000"),
    ((0x0018, 0x1000), "LO", "SN-4711", Attribute::SerialNumber, "SN-4711"),
    ((0x0018, 0x1002), "UI", "1.2.826.0.1.3680043.2.1", Attribute::DeviceUid, "1.2.826.0.1.3680043.2.1"),
    ((0x0018, 0x1020), "LO", "7.1.2\\boot 3", Attribute::SoftwareVersion, "7.1.2"),
    ((0x0018, 0x1200), "DA", "20240131", Attribute::CalibrationDate, "2024-01-31"),
    ((0x0018, 0x1204), "DA", "20200229", Attribute::ManufactureDate, "2020-02-29"),
    ((0x0040, 0x0243), "SH", "Room 4", Attribute::Location, "Room 4"),
];

/// Elements that are read and mean something, but are not filled here: character set, titles, the descriptions of frame
/// grabbers and of devices for hardcopies, sequences with listed elements in them.
const LEFT_OUT: &[Tag] = &[
    (0x0008, 0x0005),
    (0x0008, 0x0055),
    (0x0018, 0x1010),
    (0x0018, 0x1011),
    (0x0018, 0x1016),
    (0x0018, 0x1017),
    (0x0018, 0x1018),
    (0x0018, 0x1019),
    (0x0018, 0x101A),
    (0x0018, 0x101B),
    (0x0018, 0x100A),
    (0x0018, 0xA001),
    (0x0040, 0x0100),
    (0x0040, 0x0241),
    (0x0040, 0x0242),
    (0x300A, 0x00B0),
    (0x300A, 0x0206),
];

/// Groups of a dataset below the pixels: identification, patient, acquisition, image, study, visit, procedure,
/// device, nuclear medicine, presentation, film, overlay, structured report, radiotherapy, results, and private ones
/// of several makers.
const GROUPS: [u16; 40] = [
    0x0008, 0x0009, 0x0010, 0x0011, 0x0012, 0x0014, 0x0018, 0x0019, 0x0020, 0x0021, 0x0022, 0x0028, 0x0029,
    0x0032, 0x0038, 0x003A, 0x0040, 0x0042, 0x0043, 0x0046, 0x0050, 0x0054, 0x0060, 0x0062, 0x0070, 0x0074,
    0x0088, 0x0400, 0x2000, 0x2001, 0x2005, 0x3002, 0x3006, 0x300A, 0x300E, 0x4000, 0x4008, 0x4010, 0x5000,
    0x7053,
];

/// Elements that hold unique identifiers or dates of patients and studies.
const UIDS: &[Tag] =
    &[(0x0008, 0x0018), (0x0008, 0x1155), (0x0020, 0x000D), (0x0020, 0x000E), (0x0020, 0x0052)];
const DATES: &[Tag] =
    &[(0x0008, 0x0020), (0x0008, 0x0021), (0x0010, 0x0030), (0x0018, 0x1205), (0x0040, 0x0244)];

pub(super) fn streams() -> Vec<CanaryStream> {
    let syntaxes = [wire::IMPLICIT_LITTLE, wire::EXPLICIT_LITTLE, wire::EXPLICIT_BIG, wire::DEFLATED, JPEG];
    let mut streams: Vec<_> = syntaxes.into_iter().map(every_element).collect();
    for listed in LISTED {
        for shape in BREAKERS {
            streams.push(broken_element(listed.0, shape));
        }
    }
    streams.extend([queries(), worklist(), performed_step(), nested()]);
    streams.extend(BREAKERS.into_iter().map(broken_association));
    streams
}

/// An association of the scanner with an archive, and then these turns.
fn association(mint: &mut Mint, transfer: &str, turns: Vec<Turn>) -> Vec<Turn> {
    let ids = (1_u8..).step_by(2);
    let proposed: Vec<_> = ids.clone().zip(CLASSES).map(|(id, class)| (id, class, transfer)).collect();
    let accepted: Vec<_> = ids.zip(CLASSES).map(|(id, _)| (id, 0, transfer)).collect();
    let mut user = wire::implementation("1.2.826.0.1.3680043.2.60", "SCAN_9000_V7");
    user.push(wire::passcode(&mint.token(), &mint.token()));
    let mut all = vec![
        from_initiator(wire::request("ARCHIVE", STATION, &proposed, &user)),
        from_responder(wire::accept(
            // Echoes, which mean nothing.
            &mint.token(),
            &mint.token(),
            &accepted,
            &wire::implementation("1.2.826.0.1.3680043.2.61", "ARCHIVE_3"),
        )),
    ];
    all.extend(turns);
    all.extend([from_initiator(wire::pdu(5, &[0; 4])), from_responder(wire::pdu(6, &[0; 4]))]);
    all
}

/// What an association states, whatever its datasets hold.
fn of_association() -> Vec<(Attribute, String)> {
    [
        (Attribute::DicomAeTitle, STATION),
        (Attribute::DicomAeTitle, "ARCHIVE"),
        (Attribute::DicomImplementationVersion, "SCAN_9000_V7"),
        (Attribute::DicomImplementationVersion, "ARCHIVE_3"),
        (Attribute::DicomSopClass, CT),
        (Attribute::Role, "dicom-storage-scu"),
        (Attribute::Role, "dicom-worklist-scp"),
        (Attribute::CleartextCredential, "dicom-user-passcode"),
    ]
    .map(|(attribute, value)| (attribute, value.to_owned()))
    .into()
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 104, turns, canaries: mint.canaries, expected }
}

/// C-STORE of an object.
fn store(mint: &mut Mint, transfer: &str, object: &[u8]) -> Vec<u8> {
    let object = if transfer == wire::DEFLATED { deflated(object) } else { object.to_vec() };
    let instance = mint.uid();
    let mut bytes = wire::command(1, 0x0001, CT, &[(0x1000, instance.as_bytes())]);
    let mut fragments = object.chunks(16_000).peekable();
    while let Some(fragment) = fragments.next() {
        bytes.extend(wire::data(1, false, fragments.peek().is_none(), fragment));
    }
    bytes
}

/// A raw deflate stream of stored blocks (RFC 1951, 3.2.4).
fn deflated(object: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(object.len() + object.len() / 8000);
    let mut blocks = object.chunks(60_000).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream
}

/// Every element of every group, in ascending order: the listed ones with their control values, creators of private
/// blocks where those must stand, canaries everywhere else.
fn elements(encoder: Encoder, mint: &mut Mint) -> Vec<u8> {
    let mut bytes = Vec::new();
    for group in GROUPS {
        for number in numbers(group) {
            let tag = (group, number);
            let is_private = group % 2 == 1;
            if is_private && number < 0x1000 {
                if number == 0x0010 {
                    bytes.extend(encoder.element(tag, "LO", b"ACME PRIVATE"));
                }
            } else if let Some((_, representation, control, ..)) =
                LISTED.iter().find(|listed| listed.0 == tag)
            {
                bytes.extend(encoder.element(tag, representation, control.as_bytes()));
            } else if !LEFT_OUT.contains(&tag) {
                bytes.extend(unlisted(encoder, mint, tag));
            }
        }
    }
    bytes.extend(encoder.element((0x7FE0, 0x0010), "OW", mint.token().repeat(500).as_bytes()));
    bytes
}

/// Element numbers that are filled: densely where patients, studies, acquisition and procedures stand, the beginning
/// of each range elsewhere.
fn numbers(group: u16) -> BTreeSet<u16> {
    let dense = [0x0008, 0x0010, 0x0018, 0x0020, 0x0032, 0x0038, 0x0040].contains(&group);
    let last = if dense { 0x00FF } else { 0x003F };
    let mut numbers: BTreeSet<u16> =
        [0x0000, 0x0100, 0x0200, 0x0300, 0x1000, 0x1100, 0x1200, 0x9000, 0xA000, 0xA100]
            .into_iter()
            .flat_map(|start| start..=start + if start < 0x1100 { last } else { 0x003F })
            .filter(|number| *number > 0)
            .collect();
    numbers.extend(LISTED.iter().filter(|listed| listed.0.0 == group).map(|listed| listed.0.1));
    numbers
}

fn unlisted(encoder: Encoder, mint: &mut Mint, tag: Tag) -> Vec<u8> {
    match tag {
        _ if UIDS.contains(&tag) => encoder.element(tag, "UI", mint.uid().as_bytes()),
        _ if DATES.contains(&tag) => encoder.element(tag, "DA", mint.date().as_bytes()),
        (0x0010, 0x0010) => {
            encoder.element(tag, "PN", format!("{}^{}", mint.token(), mint.token()).as_bytes())
        }
        (_, number) if number % 16 == 5 => encoder.element(tag, "UT", mint.token().as_bytes()),
        _ => encoder.element(tag, "LO", mint.token().as_bytes()),
    }
}

fn every_element(transfer: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let object = elements(Encoder::of(transfer), &mut mint);
    let stored = store(&mut mint, transfer, &object);
    let mut expected = of_association();
    expected.extend(LISTED.iter().map(|(.., attribute, stated)| (*attribute, (*stated).to_owned())));
    expected.push((Attribute::CleartextPatientData, "dicom-object".to_owned()));
    expected.push((Attribute::DicomPrivateCreator, "ACME PRIVATE".to_owned()));
    let turns = association(&mut mint, transfer, vec![from_initiator(stored)]);
    stream(format!("dicom object, every element, {transfer}"), mint, turns, expected)
}

/// The listed elements alone, one of them broken.
fn broken_element(broken: Tag, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let mut expected = of_association();
    let mut object = Vec::new();
    for (tag, representation, control, attribute, stated) in LISTED {
        if *tag == broken {
            object.extend(encoder.element(*tag, "LO", mint.broken(shape).as_bytes()));
        } else {
            object.extend(encoder.element(*tag, representation, control.as_bytes()));
            // Without the agreeing station name the device may be nobody's, or a third one.
            expected.push((*attribute, (*stated).to_owned()));
        }
    }
    let stored = store(&mut mint, wire::EXPLICIT_LITTLE, &object);
    let turns = association(&mut mint, wire::EXPLICIT_LITTLE, vec![from_initiator(stored)]);
    let name = format!("dicom object, ({:04X},{:04X}) broken, {shape}", broken.0, broken.1);
    stream(name, mint, turns, expected)
}

/// Listed elements inside sequences that are not listed, the patient's among them, and broken ones in those that are.
fn nested() -> CanaryStream {
    let mut mint = Mint::default();
    let encoder = Encoder::of(wire::EXPLICIT_LITTLE);
    let mut inside = |shape: &str| {
        let listed = LISTED.iter();
        listed
            .flat_map(|(tag, ..)| encoder.element(*tag, "LO", mint.broken(shape).as_bytes()))
            .collect::<Vec<u8>>()
    };
    let (plain, twice) = (inside("{}"), inside("{}"));
    let deeper = encoder.sequence((0x0008, 0x1140), &[twice], true);
    let contributing = inside(BREAKERS[0]);
    let identifier = encoder.element((0x0018, 0x1009), "UT", mint.token().as_bytes());
    let object = [
        encoder.element((0x0008, 0x1010), "SH", STATION.as_bytes()),
        encoder.sequence((0x0008, 0x1115), &[plain.clone(), deeper.clone()], true),
        encoder.sequence((0x0008, 0x1140), std::slice::from_ref(&plain), false),
        encoder.sequence((0x0010, 0x1002), &[plain.clone(), deeper], false),
        encoder.sequence((0x0018, 0x100A), &[identifier], true),
        encoder.sequence((0x0018, 0xA001), &[contributing], true),
        encoder.sequence((0x0040, 0x0275), std::slice::from_ref(&plain), true),
        encoder.sequence((0x0400, 0x0561), &[plain], false),
        encoder.element((0x7FE0, 0x0010), "OW", &[0; 64]),
    ]
    .concat();
    let stored = store(&mut mint, wire::EXPLICIT_LITTLE, &object);
    let turns = association(&mut mint, wire::EXPLICIT_LITTLE, vec![from_initiator(stored)]);
    let mut expected = of_association();
    expected.push((Attribute::StationName, STATION.to_owned()));
    stream("dicom object, sequences".to_owned(), mint, turns, expected)
}

/// Keys and matches of queries are nobody's equipment, not even in listed elements; a C-MOVE's destination is a title.
fn queries() -> CanaryStream {
    let mut mint = Mint::default();
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let mut object = || {
        let patient = (0x0010..=0x0050).step_by(0x10).map(|number| (0x0010, number));
        let tags = patient.chain([(0x0008, 0x0050), (0x0008, 0x1030), (0x0020, 0x0010)]);
        let tags = tags.chain(LISTED.iter().map(|listed| listed.0)).collect::<BTreeSet<_>>();
        tags.into_iter()
            .flat_map(|tag| encoder.element(tag, "LO", mint.token().as_bytes()))
            .collect::<Vec<u8>>()
    };
    let (keys, matches, moved) = (object(), object(), object());
    let destination = mint.broken(BREAKERS[0]);
    let turns = vec![
        from_initiator(
            [wire::command(7, 0x0020, STUDY_FIND, &[]), wire::data(7, false, true, &keys)].concat(),
        ),
        from_responder(
            [wire::command(7, 0x8020, STUDY_FIND, &[]), wire::data(7, false, true, &matches)].concat(),
        ),
        from_initiator(
            [
                wire::command(9, 0x0021, STUDY_MOVE, &[(0x0600, destination.as_bytes())]),
                wire::data(9, false, true, &moved),
            ]
            .concat(),
        ),
    ];
    let turns = association(&mut mint, wire::IMPLICIT_LITTLE, turns);
    let mut expected = of_association();
    expected.push((Attribute::CleartextPatientData, "dicom-query".to_owned()));
    stream("dicom queries".to_owned(), mint, turns, expected)
}

/// A worklist's answer: the scheduled station is listed, everything else about the step is not.
fn worklist() -> CanaryStream {
    let mut mint = Mint::default();
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let mut of_group = |group: u16, control: &[(u16, &str)]| -> Vec<u8> {
        (0x0001..=0x0100)
            .filter(|number| (group, *number) != (0x0040, 0x0100))
            .flat_map(|number| match control.iter().find(|(of, _)| *of == number) {
                Some((_, value)) => encoder.element((group, number), "LO", value.as_bytes()),
                None => encoder.element((group, number), "LO", mint.token().as_bytes()),
            })
            .collect()
    };
    let step = [
        of_group(0x0008, &[(0x0005, "ISO_IR 100"), (0x0060, "CT")]),
        of_group(0x0040, &[(0x0001, "OTHERCT"), (0x0010, "CTROOM5"), (0x0011, "Floor 3")]),
    ]
    .concat();
    let object = [
        of_group(0x0008, &[(0x0005, "ISO_IR 100")]),
        of_group(0x0010, &[]),
        of_group(0x0032, &[]),
        of_group(0x0040, &[]),
        encoder.sequence((0x0040, 0x0100), &[step], true),
    ]
    .concat();
    let answer = [wire::command(3, 0x8020, WORKLIST, &[]), wire::data(3, false, true, &object)].concat();
    let turns = association(&mut mint, wire::IMPLICIT_LITTLE, vec![from_responder(answer)]);
    let mut expected = of_association();
    expected.extend(
        [
            (Attribute::DicomAeTitle, "OTHERCT"),
            (Attribute::StationName, "CTROOM5"),
            (Attribute::Location, "Floor 3"),
            (Attribute::CleartextPatientData, "dicom-query"),
        ]
        .map(|(attribute, value)| (attribute, value.to_owned())),
    );
    stream("dicom worklist".to_owned(), mint, turns, expected)
}

/// A performed procedure step: the performed station is listed.
fn performed_step() -> CanaryStream {
    let mut mint = Mint::default();
    let encoder = Encoder::of(wire::IMPLICIT_LITTLE);
    let mut object = encoder.element((0x0008, 0x0060), "CS", b"CT");
    for number in (0x0010..=0x0040).step_by(0x10) {
        object.extend(encoder.element((0x0010, number), "LO", mint.token().as_bytes()));
    }
    for number in 0x0200..=0x0300 {
        let control = match number {
            0x0241 | 0x0242 => Some(STATION),
            0x0243 => Some("Room 4"),
            _ => None,
        };
        let value = control.map_or_else(|| mint.token(), str::to_owned);
        object.extend(encoder.element((0x0040, number), "LO", value.as_bytes()));
    }
    let create =
        [wire::command(5, 0x0140, PERFORMED_STEP, &[]), wire::data(5, false, true, &object)].concat();
    let turns = association(&mut mint, wire::IMPLICIT_LITTLE, vec![from_initiator(create)]);
    let mut expected = of_association();
    expected.push((Attribute::StationName, STATION.to_owned()));
    expected.push((Attribute::Location, "Room 4".to_owned()));
    stream("dicom performed step".to_owned(), mint, turns, expected)
}

/// An association whose titles and user information break their grammars.
fn broken_association(shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    // A title has 16 octets: the canary is what remains of it.
    let [called, calling] = [(); 2].map(|()| {
        let short = format!("CNRY{:03}", mint.canaries.len());
        mint.canaries.push(short.clone());
        shape.replace("{}", &short)
    });
    let user = [
        wire::item(0x52, mint.broken(shape).as_bytes()),
        wire::item(0x55, mint.broken(shape).as_bytes()),
        wire::item(0x54, mint.token().as_bytes()),
        wire::item(0x56, mint.token().as_bytes()),
        wire::item(0x59, mint.token().as_bytes()),
        wire::passcode(&mint.token(), &mint.token()),
    ];
    let class = mint.token();
    let contexts = [(1, CT, wire::IMPLICIT_LITTLE), (3, class.as_str(), wire::IMPLICIT_LITTLE)];
    let accepted = [(1, 0, wire::IMPLICIT_LITTLE), (3, 0, wire::IMPLICIT_LITTLE)];
    let turns = vec![
        from_initiator(wire::request(&called, &calling, &contexts, &user)),
        from_responder(wire::accept(&called, &calling, &accepted, &user)),
    ];
    let expected = vec![
        (Attribute::DicomSopClass, CT.to_owned()),
        (Attribute::CleartextCredential, "dicom-user-passcode".to_owned()),
    ];
    stream(format!("dicom association, broken, {shape}"), mint, turns, expected)
}
