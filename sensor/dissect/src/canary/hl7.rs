//! Messages whose every field and component carries a canary but the listed ones.

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Fields, components and subcomponents that are filled of each segment.
const FIELDS: usize = 50;
const COMPONENTS: usize = 6;

/// Segments none of whose fields is listed, of all chapters, and one of a site's own.
const UNLISTED: [&str; 32] = [
    "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "ROL", "DB1", "AL1", "DG1", "DRG", "PR1", "GT1", "IN1", "IN2",
    "ACC", "ORC", "OBR", "NTE", "TQ1", "SPM", "SAC", "RXA", "RXR", "FT1", "QRD", "QPD", "MSA", "ERR", "ARV",
    "UAC", "ZPD",
];

/// Components with control values: segment, field, component, value, attribute, value stated.
const LISTED: &[(&str, usize, usize, &str, Attribute, &str)] = &[
    ("MSH", 3, 1, "Pump Gateway 3", Attribute::Hl7Application, "Pump Gateway 3"),
    ("MSH", 4, 1, "WARD7", Attribute::Hl7Facility, "WARD7"),
    ("MSH", 5, 1, "PDMS1", Attribute::Hl7Application, "PDMS1"),
    ("MSH", 6, 1, "HOSPITAL", Attribute::Hl7Facility, "HOSPITAL"),
    ("MSH", 9, 1, "ORU", Attribute::Hl7MessageType, "ORU_R01"),
    ("MSH", 9, 2, "R01", Attribute::Hl7MessageType, "ORU_R01"),
    ("MSH", 12, 1, "2.6", Attribute::Hl7Version, "2.6"),
    ("MSH", 18, 1, "UNICODE UTF-8", Attribute::Hl7Version, "2.6"),
    ("MSH", 21, 3, "1.3.6.1.4.1.19376.1.6.1.1.1", Attribute::Hl7Version, "2.6"),
    ("MSH", 24, 2, "02:00:00:00:00:07", Attribute::MacAddress, "02:00:00:00:00:07"),
    ("SFT", 1, 1, "Acme Soft", Attribute::SoftwareVendor, "Acme Soft"),
    ("SFT", 2, 1, "2.5.36", Attribute::SoftwareVersion, "2.5.36"),
    ("SFT", 3, 1, "Gateway 9", Attribute::SoftwareName, "Gateway 9"),
    ("PRT", 16, 1, "06291041500213", Attribute::UdiDi, "06291041500213"),
    ("PRT", 17, 1, "20210315", Attribute::ManufactureDate, "2021-03-15"),
    ("PRT", 19, 1, "A-77", Attribute::LotNumber, "A-77"),
    ("PRT", 21, 1, "SN0042", Attribute::SerialNumber, "SN0042"),
];

/// Observations that identify their device: code, name, value, attribute.
const IDENTITY: &[(&str, &str, &str, Attribute)] = &[
    ("531969", "MDC_ID_MODEL_NUMBER", "Pump 4000", Attribute::Model),
    ("531970", "MDC_ID_MODEL_MANUFACTURER", "Acme Pumps", Attribute::Manufacturer),
    ("531972", "MDC_ID_PROD_SPEC_SERIAL", "9000123", Attribute::SerialNumber),
    ("531973", "MDC_ID_PROD_SPEC_PART", "PN 4000-1", Attribute::PartNumber),
    ("531974", "MDC_ID_PROD_SPEC_HW", "HW 2", Attribute::HardwareVersion),
    ("531975", "MDC_ID_PROD_SPEC_SW", "9.02.00", Attribute::SoftwareVersion),
    ("531976", "MDC_ID_PROD_SPEC_FW", "1.7", Attribute::FirmwareVersion),
];

/// Observations of a patient and of device settings, and identity codes that are not listed.
const OBSERVED: [(&str, &str); 5] = [
    ("147842", "MDC_ECG_HEART_RATE"),
    ("157784", "MDC_FLOW_FLUID_PUMP"),
    ("68063", "MDC_ATTR_PT_WEIGHT"),
    ("184508", "MDC_PUMP_STAT"),
    ("531971", "MDC_ID_PROD_SPEC_UNSPECIFIED"),
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![message(None, "all fields")];
    for (segment, field, component, ..) in LISTED {
        // What these say is read and never stated.
        if !matches!((*segment, *field), ("MSH", 18 | 21)) {
            for shape in BREAKERS {
                streams.push(message(Some((segment, *field, *component)), shape));
            }
        }
    }
    streams.extend(BREAKERS.into_iter().map(broken_observations));
    streams
}

/// One component that is to be broken.
type Broken<'a> = Option<(&'a str, usize, usize)>;

/// A field: the listed component with its value or broken, every other component, subcomponent and repetition a canary.
fn field(mint: &mut Mint, segment: &str, number: usize, broken: Broken<'_>, shape: &str) -> String {
    let of_field = LISTED.iter().any(|(of, field, ..)| (*of, *field) == (segment, number));
    let mut components = Vec::new();
    for component in 1..=COMPONENTS {
        let listed =
            LISTED.iter().find(|(of, field, at, ..)| (*of, *field, *at) == (segment, number, component));
        components.push(match listed {
            _ if broken == Some((segment, number, component)) => escaped(&mint.broken(shape)),
            Some((.., control, _, _)) => format!("{control}&{}", mint.token()),
            // A type that the listed component is read by, and what else is read of a network address.
            None if (segment, number, component) == ("MSH", 24, 3) => "MAC".to_owned(),
            None if (segment, number, component) == ("MSH", 24, 1) => String::new(),
            // Only three components of a message type are, and it begins with the first.
            None if (segment, number) == ("MSH", 9) => "ORU_R01".to_owned(),
            // An identifier's type decides whether the identifier is read.
            None if of_field && component == 3 => "ISO".to_owned(),
            None => format!("{}&{}", mint.token(), mint.token()),
        });
    }
    let repeated = if of_field && number == 9 { String::new() } else { format!("~{}", mint.token()) };
    format!("{}{repeated}", components.join("^"))
}

/// Separators in a value are escaped on the wire, and come back as themselves.
fn escaped(value: &str) -> String {
    value.replace('^', r"\S\").replace('|', r"\F\").replace('~', r"\R\")
}

fn segment(mint: &mut Mint, name: &str, broken: Broken<'_>, shape: &str) -> String {
    let first = if name == "MSH" { 3 } else { 1 };
    let fields: Vec<_> = (first..=FIELDS)
        .map(|number| match (name, number) {
            // Fields whose shape decides what the segment is: a device's instance and equipment's role, left out.
            ("PRT", 10) => String::new(),
            _ => field(mint, name, number, broken, shape),
        })
        .collect();
    let start = if name == "MSH" { r"MSH|^~\&" } else { name };
    format!("{start}|{}", fields.join("|"))
}

/// A row of observation: type, code, place, value, instance; canaries in all other fields.
fn observation(mint: &mut Mint, code: (&str, &str), place: &str, value: &str, instance: &str) -> String {
    let fields: Vec<_> = (1..=25)
        .map(|number| match number {
            2 => "ST".to_owned(),
            3 => format!("{}^{}^MDC^{}", code.0, code.1, mint.token()),
            4 => place.to_owned(),
            5 => value.to_owned(),
            18 => instance.to_owned(),
            _ => format!("{}^{}~{}", mint.token(), mint.token(), mint.token()),
        })
        .collect();
    format!("OBX|{}", fields.join("|"))
}

fn block(segments: &[String]) -> Vec<u8> {
    format!("\u{b}{}\r\u{1c}\r", segments.join("\r")).into_bytes()
}

fn message(broken: Broken<'_>, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let mint_ref = &mut mint;
    let mut segments = vec![segment(mint_ref, "MSH", broken, shape), segment(mint_ref, "SFT", broken, shape)];
    segments.extend(UNLISTED.map(|name| segment(mint_ref, name, None, "")));
    segments.push(segment(mint_ref, "PRT", broken, shape));
    let instance = "P77^^0012210000000000^EUI-64";
    segments.push(observation(mint_ref, ("69985", "MDC_DEV_PUMP_INFUS_MDS"), "1.0.0.0", "", instance));
    for (code, name, value, _) in IDENTITY {
        segments.push(observation(mint_ref, (code, name), "1.0.0.1", value, ""));
    }
    for code in OBSERVED {
        let value = mint_ref.token();
        segments.push(observation(mint_ref, code, "1.1.1.1", &value, ""));
        let value = format!("{}^{}", mint_ref.token(), mint_ref.token());
        segments.push(observation(mint_ref, code, "1.0.0.2", &value, ""));
    }
    let answer = [
        r"MSH|^~\&|PDMS1|HOSPITAL|||20260301||ACK|1|P|2.6".to_owned(),
        segment(mint_ref, "MSA", None, ""),
        segment(mint_ref, "ERR", None, ""),
    ];
    let turns = vec![from_initiator(block(&segments)), from_responder(block(&answer))];
    let expected = LISTED
        .iter()
        .filter(|(of, number, component, .., stated)| {
            // Breaking one half of the message type breaks the whole.
            let is_half =
                *stated == "ORU_R01" && broken.is_some_and(|(of, field, _)| (of, field) == ("MSH", 9));
            !is_half && broken != Some((of, *number, *component))
        })
        .map(|(.., attribute, stated)| (*attribute, (*stated).to_owned()))
        .chain(IDENTITY.iter().map(|(.., value, attribute)| (*attribute, (*value).to_owned())))
        .chain([
            (Attribute::EquipmentId, "P77".to_owned()),
            (Attribute::DeviceTypeCode, "69985".to_owned()),
            (Attribute::Role, "gateway".to_owned()),
            (Attribute::CleartextPatientData, "hl7-message".to_owned()),
            (Attribute::CleartextCredential, "hl7-uac".to_owned()),
        ])
        .collect();
    let what = broken
        .map_or_else(String::new, |(of, number, component)| format!("{of}-{number}.{component} broken, "));
    stream(format!("hl7 {what}{shape}"), mint, turns, expected)
}

/// Devices whose identity breaks its grammar: instances, identity values, equipment.
fn broken_observations(shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let header =
        r"MSH|^~\&|Pump Gateway 3|||||ESU|ESU^U01|1|P|2.6|||||||||1^PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO";
    let mut segments = vec![header.replace("|ESU|", "||")];
    let mut broken = || escaped(&mint.broken(shape));
    let mut rows = Vec::new();
    for (code, name, ..) in IDENTITY {
        rows.push(((*code, *name), "1.0.0.1", broken(), String::new()));
    }
    let instances = [
        format!("{}^{}^0012210000000000^EUI-64", broken(), broken()),
        format!("{}^Model 7^{}^DNS", broken(), broken()),
        format!("7^{}^Maker^DNS", broken()),
        format!("{}^{}~{}.1^{}", broken(), broken(), broken(), broken()),
    ];
    for (place, instance) in ["1.0.0.0", "2.0.0.0", "3.0.0.0", "4.0.0.0"].into_iter().zip(instances) {
        rows.push((("69985", "MDC_DEV_PUMP_INFUS_MDS"), place, String::new(), instance));
    }
    let equipment = format!("EQU|{}^{}|20260301", broken(), broken());
    let participation = format!(
        "PRT|1|AD||EQUIP||||||{}||||||{}|{}||{}||{}",
        broken(),
        broken(),
        broken(),
        broken(),
        broken()
    );
    for (code, place, value, instance) in rows {
        segments.push(observation(&mut mint, code, place, &value, &instance));
    }
    segments.extend([equipment, participation]);
    let expected = vec![(Attribute::Hl7MessageType, "ESU_U01".to_owned())];
    stream(format!("hl7 devices broken, {shape}"), mint, vec![from_initiator(block(&segments))], expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 2575, turns, canaries: mint.canaries, expected }
}
