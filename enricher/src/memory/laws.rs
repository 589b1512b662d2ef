//! What must hold for any facts and commands: a restart in between is not noticed, whatever had been loaded or overridden,
//! and a command that is sent again does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::command::digest;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{
    AttachDocument, Attribute, Counters, Endpoint, Fact, Flow, LoadKnowledgePack, Observation,
    OverrideAttribute, Protocol, Subject, WithdrawDocument, subject,
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
    /// Site, sequence and host.
    Facts(usize, u64, u8),
    /// Number of the command, and site; which of the devices that were told of, and a value.
    Override(u8, usize, usize, &'static str),
    /// Number of the command, and site (none for all); name, and which of [`PACKS`].
    Load(u8, Option<usize>, &'static str, usize),
    /// Number of the command, and site (none for all); which document, and which part of it; none withdraws it.
    Document(u8, Option<usize>, u8, Option<u32>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let site = 0..SITES.len();
    let facts = (site.clone(), 0..12_u64, 1..4_u8);
    let override_attribute =
        (0..12_u8, site.clone(), 0..16_usize, prop::sample::select(vec!["Room 7", "Room 8", ""]));
    let document = (0..12_u8, prop::option::of(site.clone()), 0..2_u8, prop::option::weighted(0.8, 0..2_u32));
    let load = (0..12_u8, prop::option::of(site), prop::sample::select(vec!["a", "b"]), 0..PACKS.len());
    let step = prop_oneof![
        3 => facts.prop_map(|(site, sequence, host)| Step::Facts(site, sequence, host)),
        2 => override_attribute.prop_map(|(id, site, which, value)| Step::Override(id, site, which, value)),
        2 => load.prop_map(|(id, site, name, pack)| Step::Load(id, site, name, pack)),
        2 => document.prop_map(|(id, site, which, part)| Step::Document(id, site, which, part)),
    ];
    vec(step, 1..16)
}

fn facts(host: u8) -> Vec<Fact> {
    let end = |host| Endpoint { mac: vec![2, 0, 0, 0, 0, host], ip: vec![10, 0, 0, host], port: 104 };
    let counted = Some(Counters { packets: 3, ..Counters::default() });
    let flow = Flow {
        initiator: Some(end(host)),
        responder: Some(end(9)),
        from_initiator: counted,
        from_responder: counted,
        protocol: Protocol::Dicom.into(),
        ..Flow::default()
    };
    let said = Observation {
        attribute: Attribute::Manufacturer.into(),
        value: "Philips".into(),
        protocol: Protocol::Dicom.into(),
        subject: Some(Subject {
            role: subject::Role::Sender.into(),
            endpoint: Some(end(host)),
            ..Subject::default()
        }),
        ..Observation::default()
    };
    vec![Fact { fact: Some(Stated::Flow(flow)) }, Fact { fact: Some(Stated::Observation(said)) }]
}

fn empty() -> Memory {
    static LIBRARY: LazyLock<Arc<Library>> =
        LazyLock::new(|| Arc::new(Library::new(Arc::new(Knowledge::builtin().expect("the built-in pack")))));
    let limits = MemoryConfig { commands: 4, ..MemoryConfig::default() };
    Memory::new(0, Arc::clone(&LIBRARY), wardwatch_inventory::Settings::default(), limits)
}

/// Everything that comes of a step: what is written, and what is stored.
fn take(
    memory: &mut Memory,
    offset: usize,
    step: &Step,
    devices: &mut BTreeSet<String>,
) -> (String, Vec<Entry>) {
    let at = LogMoment { incarnation: 1, partition: 0, offset: offset as u64, log_time: offset as u64 };
    let mut tally = Tally::default();
    let command = |id: &u8, site: &str, action| Command {
        id: format!("c-{id}"),
        site: site.to_owned(),
        author: "j.doe".into(),
        at: 5,
        action: Some(action),
    };
    let concluded: Vec<Conclusions>;
    let said = match step {
        Step::Facts(site, sequence, host) => {
            let (site, sensor) = (SITES[*site].to_owned(), "s1".to_owned());
            let batch = Batch {
                site,
                sensor,
                epoch: 1,
                sequence: *sequence,
                facts: facts(*host),
                ..Batch::default()
            };
            let said = memory.apply(batch, at, &mut tally).expect("room for two sites");
            let text = format!("{said:?}");
            concluded = said.into_iter().collect();
            text
        }
        Step::Override(id, site, which, value) => {
            let known: Vec<&String> = devices.iter().collect();
            let device =
                known.get(which % known.len().max(1)).map(|&device| device.clone()).unwrap_or_default();
            let wanted = OverrideAttribute {
                device,
                field: "location".into(),
                value: (*value).into(),
                note: String::new(),
            };
            let said =
                memory.command(&command(id, SITES[*site], Action::OverrideAttribute(wanted)), at, &mut tally);
            let text = format!("{said:?}");
            concluded = said.into_iter().flat_map(|said| said.concluded).map(|(_, said)| said).collect();
            text
        }
        Step::Load(id, site, name, pack) => {
            let content = PACKS[*pack].as_bytes().to_vec();
            let (sha256, version) = (digest(&content), pack.to_string());
            let load =
                LoadKnowledgePack { name: (*name).into(), version, sha256, content, note: String::new() };
            let site = site.map(|site| SITES[site]).unwrap_or_default();
            let said = memory.command(&command(id, site, Action::LoadKnowledgePack(load)), at, &mut tally);
            let text = format!("{said:?}");
            concluded = said.into_iter().flat_map(|said| said.concluded).map(|(_, said)| said).collect();
            text
        }
        Step::Document(id, site, which, part) => {
            let document = format!("d{which}");
            let action = match *part {
                Some(part) => {
                    let (manufacturer, parts) = ("Philips".into(), 2);
                    let part =
                        AttachDocument { document, manufacturer, part, parts, ..AttachDocument::default() };
                    Action::AttachDocument(part)
                }
                None => Action::WithdrawDocument(WithdrawDocument { document, note: String::new() }),
            };
            let site = site.map(|site| SITES[site]).unwrap_or_default();
            concluded = Vec::new();
            format!("{:?}", memory.command(&command(id, site, action), at, &mut tally))
        }
    };
    devices.extend(concluded.into_iter().flat_map(|said| said.devices).map(|device| device.id));
    (said, memory.take_changed())
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
fn a_site_that_a_pack_alone_was_known_by_is_unknown_without_it_restarted_or_not() {
    let override_device = |id| Step::Override(id, 1, 0, "Room 7");
    let load = |id, pack| Step::Load(id, Some(1), "a", pack);
    let steps = [load(0, 1), override_device(1), load(2, 0), override_device(3)];
    for cut in 0..=steps.len() {
        let [whole, restored] = without_and_with_a_restart(&steps, cut);
        assert_eq!(whole, restored, "cut at {cut}");
    }
    let [whole, _] = without_and_with_a_restart(&steps, 0);
    assert!(whole[1].0.contains("unknown-device") && whole[3].0.contains("unknown-site"), "{whole:?}");
}

proptest! {
    #[test]
    fn a_restart_is_not_noticed(steps in steps(), cut in 0..16_usize) {
        let [whole, restored] = without_and_with_a_restart(&steps, cut);
        prop_assert_eq!(whole, restored);
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
