//! What must hold for any facts and commands: a restart in between is not noticed, whatever had been loaded, overridden, ruled
//! or imported, and a command that is sent again does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::command::digest;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::{
    AddNote, AttachDocument, Attribute, Counters, Endpoint, Fact, Flow, ImportTable, ImportedRow,
    ImportedValue, LoadKnowledgePack, Observation, OverrideAttribute, Protocol, RuleSameness, Subject,
    WithdrawDocument, WithdrawImport, subject,
};

use super::*;

const SITES: [&str; 2] = ["north", "south/1"];

/// Two packs that contradict each other, one that needs the first, and one that cannot be read.
const PACKS: [&str; 5] = [
    "",
    r#"version = "1"
       [[manufacturer]]
       name = "Northern"
       spellings = ["Philips"]"#,
    r#"version = "2"
       [[manufacturer]]
       name = "Southern"
       spellings = ["Philips"]
       [[rule]]
       id = "ours"
       type = "infusion pump"
       confidence = 99
       because = "it stands in our list"
       when = [{ attribute = "manufacturer", exact = "Philips" }]
       example = [{ attribute = "manufacturer", value = "Philips" }]"#,
    r#"version = "3"
       [[hl7_application]]
       prefix = "NP"
       manufacturer = "Northern""#,
    "version = 4",
];

/// What may stand in the log.
#[derive(Clone, Debug)]
enum Step {
    /// Site, sequence, host, and whether it says what another says, too.
    Facts(usize, u64, u8, bool),
    /// Number of the command, and site; which of the devices that were told of, and a value.
    Override(u8, usize, usize, &'static str),
    /// Number of the command, and site; which two of the devices that were told of, and what is ruled.
    Rule(u8, usize, [usize; 2], Verdict),
    /// Number of the command, and site; which of the devices that were told of.
    Note(u8, usize, usize),
    /// Number of the command, and site (none for all); name, and which of [`PACKS`].
    Load(u8, Option<usize>, &'static str, usize),
    /// Number of the command, and site (none for all); which document, and which part of it; none withdraws it.
    Document(u8, Option<usize>, u8, Option<u32>),
    /// Number of the command, and site; name, and version and part of the table; none withdraws it.
    Table(u8, usize, &'static str, Option<(u8, u32)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let site = 0..SITES.len();
    let facts = (site.clone(), 0..12_u64, 1..6_u8, any::<bool>());
    let override_attribute =
        (0..12_u8, site.clone(), 0..16_usize, prop::sample::select(vec!["Room 7", "Room 8", ""]));
    let verdict = prop::sample::select(vec![Verdict::Unspecified, Verdict::Same, Verdict::Apart]);
    let rule = (0..12_u8, site.clone(), [0..16_usize, 0..16_usize], verdict);
    let note = (0..12_u8, site.clone(), 0..16_usize);
    let part = prop::option::weighted(0.7, (0..3_u8, 0..2_u32));
    let table = (0..12_u8, site.clone(), prop::sample::select(vec!["cmms", "nac"]), part);
    let document = (0..12_u8, prop::option::of(site.clone()), 0..2_u8, prop::option::weighted(0.8, 0..2_u32));
    let load = (0..12_u8, prop::option::of(site), prop::sample::select(vec!["a", "b"]), 0..PACKS.len());
    let step = prop_oneof![
        6 => facts.prop_map(|(site, sequence, host, says)| Step::Facts(site, sequence, host, says)),
        2 => override_attribute.prop_map(|(id, site, which, value)| Step::Override(id, site, which, value)),
        3 => rule.prop_map(|(id, site, which, verdict)| Step::Rule(id, site, which, verdict)),
        1 => note.prop_map(|(id, site, which)| Step::Note(id, site, which)),
        3 => table.prop_map(|(id, site, name, part)| Step::Table(id, site, name, part)),
        2 => load.prop_map(|(id, site, name, pack)| Step::Load(id, site, name, pack)),
        2 => document.prop_map(|(id, site, which, part)| Step::Document(id, site, which, part)),
    ];
    vec(step, 1..24)
}

/// A flow of a host, and what it says of itself. Hosts above 3 stand behind a router; two and two say the same.
fn facts(host: u8, says: bool) -> Vec<Fact> {
    let end = |host: u8| {
        let mac = if host > 3 { Vec::new() } else { vec![2, 0, 0, 0, 0, host] };
        Endpoint { mac, ip: vec![10, 0, 0, host], port: 104 }
    };
    let counted = Some(Counters { packets: 3, ..Counters::default() });
    let flow = Flow {
        initiator: Some(end(host)),
        responder: Some(end(9)),
        from_initiator: counted,
        from_responder: counted,
        protocol: Protocol::Dicom.into(),
        ..Flow::default()
    };
    let said = |(attribute, value): (Attribute, String)| {
        let observation = Observation {
            attribute: attribute.into(),
            value,
            protocol: Protocol::Dicom.into(),
            subject: Some(Subject {
                role: subject::Role::Sender.into(),
                endpoint: Some(end(host)),
                ..Subject::default()
            }),
            ..Observation::default()
        };
        Fact { fact: Some(Stated::Observation(observation)) }
    };
    let mut statements = vec![(Attribute::Manufacturer, "Philips".to_owned())];
    if says {
        statements.push((Attribute::SerialNumber, format!("SN-{}", host / 2)));
        statements.push((Attribute::HostName, format!("ct{}.example", host / 2)));
    }
    let flow = Fact { fact: Some(Stated::Flow(flow)) };
    std::iter::once(flow).chain(statements.into_iter().map(said)).collect()
}

/// A part of a table of two; each version has another first row.
fn table(name: &str, version: u8, part: u32) -> ImportTable {
    let of = |attribute: Attribute, value: String| ImportedValue { attribute: attribute.into(), value };
    let row = |line: u32, by: ImportedValue| ImportedRow {
        line,
        values: vec![by, of(Attribute::Location, format!("Ward {version}"))],
    };
    let rows = match part {
        0 => vec![
            row(2, of(Attribute::MacAddress, format!("02:00:00:00:00:0{}", version + 1))),
            row(3, of(Attribute::SerialNumber, "SN-1".into())),
        ],
        _ => vec![
            row(4, of(Attribute::SerialNumber, "SN-2".into())),
            row(5, of(Attribute::HostName, "ct0".into())),
            row(6, of(Attribute::IpAddress, "10.0.0.9".into())),
        ],
    };
    ImportTable {
        import: name.into(),
        source: Protocol::Cmms.into(),
        version: format!("v-{version}"),
        part,
        parts: 2,
        rows,
        note: String::new(),
    }
}

fn empty() -> Memory {
    static LIBRARY: LazyLock<Arc<Library>> =
        LazyLock::new(|| Arc::new(Library::new(Arc::new(Knowledge::builtin().expect("the built-in pack")))));
    let limits = MemoryConfig { commands: 4, ..MemoryConfig::default() };
    Memory::new(0, Arc::clone(&LIBRARY), wardwatch_inventory::Settings::default(), limits)
}

/// What a person asks for in a step: the number of the command, the site (empty for all) and what. `devices` are those that
/// were told of.
fn asked(step: &Step, devices: &BTreeSet<String>) -> Option<(u8, &'static str, Action)> {
    let known: Vec<&String> = devices.iter().collect();
    let device =
        |which: usize| known.get(which % known.len().max(1)).map(|&id| id.clone()).unwrap_or_default();
    let note = String::new();
    let of_any = |site: Option<usize>| site.map(|site| SITES[site]).unwrap_or_default();
    Some(match *step {
        Step::Facts(..) => return None,
        Step::Override(id, site, which, value) => {
            let (device, field, value) = (device(which), "location".into(), value.into());
            let wanted = OverrideAttribute { device, field, value, note };
            (id, SITES[site], Action::OverrideAttribute(wanted))
        }
        Step::Rule(id, site, [one, other], verdict) => {
            let (device, other) = (device(one), device(other));
            let wanted = RuleSameness { device, other, verdict: verdict.into(), note };
            (id, SITES[site], Action::RuleSameness(wanted))
        }
        Step::Note(id, site, which) => {
            (id, SITES[site], Action::AddNote(AddNote { device: device(which), text: "squeaks".into() }))
        }
        Step::Load(id, site, name, pack) => {
            let content = PACKS[pack].as_bytes().to_vec();
            let (sha256, version) = (digest(&content), pack.to_string());
            let load = LoadKnowledgePack { name: name.into(), version, sha256, content, note };
            (id, of_any(site), Action::LoadKnowledgePack(load))
        }
        Step::Document(id, site, which, part) => {
            let document = format!("d{which}");
            let action = match part {
                Some(part) => {
                    let (manufacturer, parts) = ("Philips".into(), 2);
                    let part =
                        AttachDocument { document, manufacturer, part, parts, ..AttachDocument::default() };
                    Action::AttachDocument(part)
                }
                None => Action::WithdrawDocument(WithdrawDocument { document, note }),
            };
            (id, of_any(site), action)
        }
        Step::Table(id, site, name, part) => {
            let action = match part {
                Some((version, part)) => Action::ImportTable(table(name, version, part)),
                None => Action::WithdrawImport(WithdrawImport { import: name.into(), note }),
            };
            (id, SITES[site], action)
        }
    })
}

/// Everything that comes of a step: what is written, and what is stored.
fn take(
    memory: &mut Memory,
    offset: usize,
    step: &Step,
    devices: &mut BTreeSet<String>,
) -> (String, Vec<Entry>) {
    let said = apply(memory, offset, step, devices);
    (said, memory.take_changed())
}

/// What is written of a step.
fn apply(memory: &mut Memory, offset: usize, step: &Step, devices: &mut BTreeSet<String>) -> String {
    let at = LogMoment { incarnation: 1, partition: 0, offset: offset as u64, log_time: offset as u64 };
    let mut tally = Tally::default();
    let concluded: Vec<Conclusions>;
    let said;
    if let Step::Facts(site, sequence, host, says) = *step {
        let (site, sensor, facts) = (SITES[site].to_owned(), "s1".to_owned(), facts(host, says));
        let batch = Batch { site, sensor, epoch: 1, sequence, facts, ..Batch::default() };
        let come = memory.apply(batch, at, &mut tally).expect("room for two sites");
        said = format!("{come:?}");
        concluded = come.into_iter().collect();
    } else {
        let (id, site, action) = asked(step, devices).expect("a command");
        let command = Command {
            id: format!("c-{id}"),
            site: site.to_owned(),
            author: "j.doe".into(),
            at: 5,
            action: Some(action),
        };
        let come = memory.command(&command, at, &mut tally);
        said = format!("{come:?}");
        concluded = come.into_iter().flat_map(|come| come.concluded).map(|(_, come)| come).collect();
    }
    devices.extend(concluded.into_iter().flat_map(|said| said.devices).map(|device| device.id));
    said
}

fn keep(store: &mut BTreeMap<String, Vec<u8>>, entries: Vec<Entry>) {
    for Entry { key, value } in entries {
        if value.is_empty() {
            store.remove(&key);
        } else {
            store.insert(key, value);
        }
    }
}

/// What comes of the steps behind the cut, without a restart at the cut and with one.
fn without_and_with_a_restart(steps: &[Step], cut: usize) -> [Vec<(String, Vec<Entry>)>; 2] {
    let (before, behind) = steps.split_at(cut.min(steps.len()));
    let (mut whole, mut store, mut devices) = (empty(), BTreeMap::new(), BTreeSet::new());
    for (offset, step) in before.iter().enumerate() {
        let (_, entries) = take(&mut whole, offset, step, &mut devices);
        keep(&mut store, entries);
    }
    let mut restored = empty();
    for (key, value) in store.iter().rev() {
        let entry = Entry { key: key.clone(), value: value.clone() };
        restored.restore(&entry).expect("an entry of ours");
    }
    [whole, restored].map(|mut memory| {
        let mut known = devices.clone();
        let come = behind.iter().enumerate();
        come.map(|(offset, step)| take(&mut memory, before.len() + offset, step, &mut known)).collect()
    })
}

#[test]
fn a_site_that_one_thing_alone_was_known_by_is_unknown_without_it_restarted_or_not() {
    let override_device = |id| Step::Override(id, 1, 0, "Room 7");
    let pack = [Step::Load(0, Some(1), "a", 1), Step::Load(2, Some(1), "a", 0)];
    let table = [Step::Table(0, 1, "cmms", Some((0, 0))), Step::Table(2, 1, "cmms", None)];
    for [come, gone] in [pack, table] {
        let steps = [come, override_device(1), gone, override_device(3)];
        for cut in 0..=steps.len() {
            let [whole, restored] = without_and_with_a_restart(&steps, cut);
            assert_eq!(whole, restored, "cut at {cut}");
        }
        let [whole, _] = without_and_with_a_restart(&steps, 0);
        assert!(whole[1].0.contains("unknown-device") && whole[3].0.contains("unknown-site"), "{whole:?}");
    }
}

proptest! {
    #[test]
    fn a_restart_is_not_noticed(steps in steps(), cut in 0..24_usize) {
        let [whole, restored] = without_and_with_a_restart(&steps, cut);
        prop_assert_eq!(whole, restored);
    }

    #[test]
    fn what_is_stored_does_not_depend_on_when_it_is(steps in steps(), moments in vec(any::<bool>(), 24)) {
        let stored = |is_moment: &dyn Fn(usize) -> bool| {
            let (mut memory, mut store, mut devices) = (empty(), BTreeMap::new(), BTreeSet::new());
            for (offset, step) in steps.iter().enumerate() {
                apply(&mut memory, offset, step, &mut devices);
                if is_moment(offset) {
                    keep(&mut store, memory.take_changed());
                }
            }
            keep(&mut store, memory.take_changed());
            store
        };
        prop_assert_eq!(stored(&|_| true), stored(&|offset| moments[offset]));
    }

    #[test]
    fn a_command_that_is_sent_again_does_nothing(steps in steps()) {
        let (mut memory, mut devices) = (empty(), BTreeSet::new());
        for (offset, step) in steps.iter().enumerate() {
            take(&mut memory, 2 * offset, step, &mut devices);
            let (said, entries) = take(&mut memory, 2 * offset + 1, step, &mut devices);
            prop_assert_eq!(said, "None");
            // That a batch was sent again is remembered.
            prop_assert!(entries.is_empty() || matches!(step, Step::Facts(..)), "{entries:?}");
        }
    }
}
