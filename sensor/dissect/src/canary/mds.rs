//! Descriptions of IntelliVue monitors and IEEE 11073-20601 agents whose every attribute carries a canary but the
//! listed ones (IEEE 11073-10101, partition 1; 11073-20601, 7).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator};

/// Strings with control values: maker, model, then kind and component of each production specification.
const STRINGS: [(&str, Attribute); 2] =
    [("Acme Care", Attribute::Manufacturer), ("Monitor 7", Attribute::Model)];
const SPECIFICATIONS: [(u16, u16, &str, Attribute); 4] = [
    (1, 8, "SN0042", Attribute::SerialNumber),
    (2, 8, "866062", Attribute::PartNumber),
    (3, 8, "A.00.30", Attribute::HardwareVersion),
    (4, 88, "L.01.18", Attribute::SoftwareVersion),
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams: Vec<CanaryStream> =
        [intellivue as fn(&[u8]) -> Carrier, ieee20601].map(everything).into();
    for at in 0..STRINGS.len() + SPECIFICATIONS.len() {
        streams.extend(BREAKERS.into_iter().map(|shape| broken(at, shape)));
    }
    streams
}

/// What carries a list of attributes: its name, how, on which port, and its bytes.
type Carrier = (&'static str, Transport, u16, Vec<u8>);

fn with_length(head: &[u8], body: &[u8]) -> Vec<u8> {
    [head, &(body.len() as u16).to_be_bytes(), body].concat()
}

/// A connect indication.
fn intellivue(attributes: &[u8]) -> Carrier {
    let event = with_length(&[0, 0x23, 0, 0, 0, 0, 0, 0, 0, 7, 0x0D, 0x17], attributes);
    let bytes = with_length(&[0, 0, 1, 0, 0, 1], &with_length(&[0, 0, 0, 0], &event));
    ("intellivue", Transport::Udp, 24_005, bytes)
}

/// The answer to a get of the system's attributes.
fn ieee20601(attributes: &[u8]) -> Carrier {
    let result = with_length(&[0, 1, 2, 3], &[&[0, 0][..], attributes].concat());
    ("ieee20601", Transport::Tcp, 6024, with_length(&[0xE7, 0], &with_length(&[], &result)))
}

fn counted(entries: &[Vec<u8>]) -> Vec<u8> {
    let all = entries.concat();
    [&(entries.len() as u16).to_be_bytes()[..], &(all.len() as u16).to_be_bytes(), &all].concat()
}

/// The list with these values in their order.
fn attributes(values: &[String], unlisted: Vec<Vec<u8>>) -> Vec<u8> {
    let string = |text: &str| with_length(&[], text.as_bytes());
    let (strings, specifications) = values.split_at(STRINGS.len());
    let model: Vec<u8> = strings.iter().flat_map(|text| string(text)).collect();
    let entries: Vec<Vec<u8>> = SPECIFICATIONS
        .iter()
        .zip(specifications)
        .map(|((kind, component, ..), text)| {
            [&kind.to_be_bytes()[..], &component.to_be_bytes(), &string(text)].concat()
        })
        .collect();
    let mut list = unlisted;
    list.push(with_length(&[0x09, 0x28], &model));
    list.push(with_length(&[0x09, 0x2D], &counted(&entries)));
    counted(&list)
}

fn controls() -> Vec<String> {
    let strings = STRINGS.iter().map(|(value, _)| (*value).to_owned());
    strings.chain(SPECIFICATIONS.iter().map(|(.., value, _)| (*value).to_owned())).collect()
}

fn everything(carry: fn(&[u8]) -> Carrier) -> CanaryStream {
    let mut mint = Mint::default();
    // Name, birth date and others of a patient, notes, values, and what the maker has to itself.
    let numbers =
        [0x0956_u16, 0x0957, 0x0958, 0x095A, 0x0961, 0x09D8, 0x0A1E, 0x0950, 0x0A45, 0xF001, 0xF129, 0xF1EC];
    let unlisted =
        numbers.map(|number| with_length(&number.to_be_bytes(), &with_length(&[], mint.token().as_bytes())));
    // A specification of no listed kind.
    let entry = [&[0_u8, 0, 0, 0][..], &with_length(&[], mint.token().as_bytes())].concat();
    let other = with_length(&[0x09, 0x2D], &counted(&[entry]));
    let list = attributes(&controls(), [unlisted.to_vec(), vec![other]].concat());
    let expected = STRINGS.iter().map(|(value, of)| (*of, (*value).to_owned()));
    let expected =
        expected.chain(SPECIFICATIONS.iter().map(|(.., value, of)| (*of, (*value).to_owned()))).collect();
    stream("everything", carry(&list), mint, expected)
}

fn broken(broken: usize, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let mut values = controls();
    if let Some(value) = values.get_mut(broken) {
        *value = mint.broken(shape);
    }
    let expected = vec![(Attribute::Role, "intellivue-monitor".to_owned())];
    stream(
        &format!("string {broken} broken, {shape}"),
        intellivue(&attributes(&values, Vec::new())),
        mint,
        expected,
    )
}

fn stream(
    what: &str,
    (name, transport, port, bytes): Carrier,
    mint: Mint,
    expected: Vec<(Attribute, String)>,
) -> CanaryStream {
    let turns: Vec<Turn> = vec![from_initiator(bytes)];
    CanaryStream { name: format!("{name} {what}"), transport, port, turns, canaries: mint.canaries, expected }
}
