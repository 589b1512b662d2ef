//! What the sensor stated about each device, held against what its description says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::sensor::{Counted, Endpoint, Facts, Means};
use super::truth::{Saying, is_invented, sayings};
use super::{Device, Hospital, Played, Scene};

/// A scene as the sensor saw it.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The scene.
    pub scene: String,
    /// How many packets passed, as tcpdump counted them. A sensor stands there for a little longer.
    pub packets: u64,
    /// What was counted by each means.
    pub counted: BTreeMap<Means, Counted>,
    /// Each device that something is to be stated of, or was.
    pub devices: Vec<Compared>,
    /// What was stated about nobody in the hospital: all of it is invented.
    pub strangers: Vec<Row>,
    /// Words about patients, and secrets, in what was stated.
    pub leaked: BTreeSet<String>,
}

/// A device as the sensor saw it.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// Its key in the description.
    pub device: String,
    /// Its address; none where another one speaks for it.
    pub address: Option<String>,
    /// What it is.
    pub kind: String,
    /// What is to be stated, and was.
    pub rows: Vec<Row>,
}

/// One statement.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// `protocol` or an attribute.
    pub what: String,
    /// The value.
    pub value: String,
    /// What became of it by each means.
    pub verdicts: BTreeMap<Means, Verdict>,
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was to be stated and was.
    Found,
    /// It was to be stated and was not.
    Missing,
    /// It was stated and the description says something else.
    Invented,
    /// It was stated, and the description neither asks for it nor speaks against it.
    More,
}

/// What was stated, by device.
#[derive(Default)]
struct Stated<'a> {
    values: BTreeMap<&'a str, BTreeSet<(Attribute, &'a str)>>,
    protocols: BTreeMap<&'a str, BTreeSet<Protocol>>,
    strangers: BTreeSet<(String, Attribute, &'a str)>,
}

/// Holds what was watched against the hospital's description and the scene's truth.
pub fn compare(hospital: &Hospital, scene: &Scene, played: &Played) -> Comparison {
    let watched = &played.watched;
    let known: BTreeMap<&str, Vec<Saying>> =
        hospital.devices.iter().map(|device| (device.name.as_str(), known(device, scene))).collect();
    let stated: Vec<(Means, Stated<'_>)> = watched
        .iter()
        .map(|watched| (watched.means, attribute_to_devices(hospital, &known, &watched.facts)))
        .collect();
    let mut devices = Vec::new();
    for device in &hospital.devices {
        let known = known.get(device.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let rows = rows(device, scene, known, &stated);
        if !rows.is_empty() {
            devices.push(Compared {
                device: device.name.clone(),
                address: device.ip.map(|ip| ip.to_string()),
                kind: device.kind.clone(),
                rows,
            });
        }
    }
    let mut strangers = Rows::default();
    for (means, stated) in &stated {
        for (address, attribute, value) in &stated.strangers {
            strangers.add(&format!("{address} {}", attribute.name()), value, *means, Verdict::Invented);
        }
    }
    Comparison {
        scene: scene.name.clone(),
        packets: played.packets,
        counted: watched.iter().map(|watched| (watched.means, watched.counted.clone())).collect(),
        devices,
        strangers: strangers.0,
        leaked: watched.iter().flat_map(|watched| leaked(hospital, &watched.printed)).collect(),
    }
}

impl Comparison {
    /// Whether the sensor took every packet, everything that was to be stated was, and nothing was invented or given
    /// away.
    pub fn agrees(&self) -> bool {
        let is_bad = |verdict: &Verdict| matches!(verdict, Verdict::Missing | Verdict::Invented);
        let is_whole = |counted: &Counted| counted.packets >= self.packets && counted.dropped_by_kernel == 0;
        self.counted.values().all(is_whole)
            && self.leaked.is_empty()
            && !self.all_rows().any(|row| row.verdicts.values().any(is_bad))
    }

    /// How many statements have this verdict by this means.
    pub fn count(&self, means: Means, verdict: Verdict) -> usize {
        self.all_rows().filter(|row| row.verdicts.get(&means) == Some(&verdict)).count()
    }

    fn all_rows(&self) -> impl Iterator<Item = &Row> {
        self.devices.iter().flat_map(|device| &device.rows).chain(&self.strangers)
    }
}

/// What the description and the scene say about a device.
fn known(device: &Device, scene: &Scene) -> Vec<Saying> {
    let mut known = sayings(device);
    for truth in scene.truths.iter().filter(|truth| truth.of.contains(&device.name)) {
        for (name, values) in &truth.states {
            known.extend(values.iter().map(|value| Saying {
                key: String::new(),
                attributes: Attribute::from_name(name).into_iter().collect(),
                forms: vec![value.clone()],
            }));
        }
    }
    known
}

/// Finds out whom each statement is about.
fn attribute_to_devices<'a>(
    hospital: &'a Hospital,
    known: &BTreeMap<&'a str, Vec<Saying>>,
    facts: &'a Facts,
) -> Stated<'a> {
    let mut stated = Stated::default();
    for (ends, protocol) in &facts.flows {
        for device in ends.iter().filter_map(|end| device_at(hospital, end)) {
            stated.protocols.entry(&device.name).or_default().insert(*protocol);
        }
    }
    let mut subjects: BTreeMap<(&Endpoint, &str), Vec<_>> = BTreeMap::new();
    for observation in &facts.observations {
        subjects.entry((&observation.endpoint, &observation.key)).or_default().push(observation);
    }
    for ((endpoint, key), said) in subjects {
        let teller = device_at(hospital, endpoint);
        let values: BTreeSet<(Attribute, &str)> =
            said.iter().map(|said| (said.attribute, said.value.as_str())).collect();
        // A device that another one tells of is the one that most of it fits.
        let subject = if key.is_empty() { None } else { best(hospital, known, &values) }.or(teller);
        let Some(device) = subject else {
            let address = if endpoint.ip.is_empty() { &endpoint.mac } else { &endpoint.ip };
            stated
                .strangers
                .extend(values.into_iter().map(|(attribute, value)| (address.clone(), attribute, value)));
            continue;
        };
        stated.values.entry(&device.name).or_default().extend(values);
        stated.protocols.entry(&device.name).or_default().extend(said.iter().map(|said| said.protocol));
    }
    stated
}

fn device_at<'a>(hospital: &'a Hospital, endpoint: &Endpoint) -> Option<&'a Device> {
    hospital.devices.iter().find(|device| {
        if endpoint.ip.is_empty() {
            device.mac.as_ref() == Some(&endpoint.mac)
        } else {
            device.ip.is_some_and(|ip| ip.to_string() == endpoint.ip)
        }
    })
}

/// The device whose description gives most of these values, if any gives one.
fn best<'a>(
    hospital: &'a Hospital,
    known: &BTreeMap<&'a str, Vec<Saying>>,
    values: &BTreeSet<(Attribute, &str)>,
) -> Option<&'a Device> {
    let fitting = |device: &&Device| {
        let known = known.get(device.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let fits =
            |(attribute, value): &&(Attribute, &str)| known.iter().any(|saying| saying.is(*attribute, value));
        values.iter().filter(fits).count()
    };
    hospital.devices.iter().max_by_key(fitting).filter(|device| fitting(device) > 0)
}

fn rows(device: &Device, scene: &Scene, known: &[Saying], stated: &[(Means, Stated<'_>)]) -> Vec<Row> {
    let name = device.name.as_str();
    let mut rows = Rows::default();
    for (means, stated) in stated {
        let nothing = BTreeSet::new();
        let values = stated.values.get(name).unwrap_or(&nothing);
        let protocols = stated.protocols.get(name);
        let mut asked_for = BTreeSet::new();
        let verdict = |is_found| if is_found { Verdict::Found } else { Verdict::Missing };
        for truth in scene.truths.iter().filter(|truth| truth.of.iter().any(|of| of == name)) {
            for protocol in truth.protocols.iter().filter_map(|name| Protocol::from_name(name)) {
                let is_found = protocols.is_some_and(|protocols| protocols.contains(&protocol));
                rows.add("protocol", protocol.name(), *means, verdict(is_found));
            }
            let is_asked_for = |saying: &&Saying| saying.key.is_empty() || truth.says.contains(&saying.key);
            for saying in known.iter().filter(is_asked_for) {
                let found: Vec<_> = values.iter().filter(|(what, value)| saying.is(*what, value)).collect();
                rows.add(saying.attribute().name(), saying.value(), *means, verdict(!found.is_empty()));
                asked_for.extend(found.into_iter().copied());
            }
        }
        for (attribute, value) in values.difference(&asked_for) {
            let is_invented = is_invented(known, *attribute, value);
            let verdict = if is_invented { Verdict::Invented } else { Verdict::More };
            rows.add(attribute.name(), value, *means, verdict);
        }
    }
    rows.0
}

/// Words about patients, and secrets, that stand in what was printed.
fn leaked(hospital: &Hospital, printed: &str) -> BTreeSet<String> {
    let printed = printed.to_lowercase();
    let mut words = BTreeSet::new();
    for patient in &hospital.patients {
        words.extend([&patient.id, &patient.family, &patient.given, &patient.born]);
    }
    words.extend(hospital.credentials.iter().map(|credential| &credential.secret));
    words.into_iter().filter(|word| printed.contains(&word.to_lowercase())).cloned().collect()
}

/// Rows under construction: one for a statement, whatever means brought it.
#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn add(&mut self, what: &str, value: &str, means: Means, verdict: Verdict) {
        let row = self.0.iter_mut().find(|row| row.what == what && row.value == value);
        if let Some(row) = row {
            row.verdicts.entry(means).or_insert(verdict);
        } else {
            let verdicts = BTreeMap::from([(means, verdict)]);
            self.0.push(Row { what: what.to_owned(), value: value.to_owned(), verdicts });
        }
    }
}
