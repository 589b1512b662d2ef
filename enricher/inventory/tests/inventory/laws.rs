//! What must hold for any facts: a restart is not noticed, a replay says nothing new, and order does not matter. And for
//! any decisions of people among them: a restart is not noticed, and what is withdrawn leaves no trace.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::*;
use similar::TextDiff;
use wardwatch_inventory::{Conclusions, DeviceRecord, Inventory, LogMoment, Settings, StateEntry, Undecided};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::event::Event as Kind;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Fact, OverrideAttribute, Protocol, RuleSameness};

use crate::ward::{DAY, KNOWLEDGE, NEW_YEAR, SECOND, arp_at, flow_at, line, observation, unanswered};

/// A small world, so that facts meet: few interfaces, few addresses, two of them routers' prey.
fn end() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..6_u8).prop_map(|n| format!("a{n}@10.0.0.{n}")),
        (1..6_u8, 1..6_u8).prop_map(|(mac, ip)| format!("a{mac}@10.0.0.{ip}")),
        (1..12_u8).prop_map(|n| format!("fe@10.0.2.{n}")),
        (1..12_u8).prop_map(|n| format!("10.0.2.{n}")),
        (1..12_u8).prop_map(|n| format!("fe@203.0.113.{n}")),
        (1..6_u8).prop_map(|n| format!("a{n}")),
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![0..3600_u64, 0..40 * 86_400_u64].prop_map(|seconds| NEW_YEAR + seconds * SECOND)
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop::sample::select(vec![
        Protocol::Dicom,
        Protocol::Hl7,
        Protocol::Http,
        Protocol::Tls,
        Protocol::Bacnet,
        Protocol::Lldp,
        Protocol::Radius,
        Protocol::Unspecified,
    ])
}

fn statement() -> impl Strategy<Value = (Attribute, &'static str)> {
    prop::sample::select(vec![
        (Attribute::Manufacturer, "GE MEDICAL SYSTEMS"),
        (Attribute::Manufacturer, "Philips"),
        (Attribute::Model, "X1"),
        (Attribute::Model, "X2"),
        (Attribute::SerialNumber, "42"),
        (Attribute::SerialNumber, "43"),
        (Attribute::DeviceUuid, "11111111-1111-4111-8111-111111111111"),
        (Attribute::DeviceUuid, "22222222-2222-4222-8222-222222222222"),
        (Attribute::DicomAeTitle, "CT1"),
        (Attribute::SoftwareVersion, "1.0"),
        (Attribute::SoftwareVersion, "1.1"),
        (Attribute::HostName, "ct-1"),
        (Attribute::HostName, "ct-2"),
        (Attribute::Role, "dicom-storage-scp"),
        (Attribute::DicomModality, "CT"),
        (Attribute::DicomModality, "MR"),
        (Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31"),
        (Attribute::CertificateNotAfter, "2025-01-20"),
        (Attribute::CleartextCredential, "http-basic"),
        (Attribute::CleartextPatientData, "dicom-object"),
        (Attribute::BacnetVendorId, "5"),
        (Attribute::Role, "dhcp-client"),
        (Attribute::Role, "gateway"),
        (Attribute::EquipmentId, "42"),
        (Attribute::Hl7Application, "X1"),
        (Attribute::IpAddress, "10.0.0.1"),
        (Attribute::LinkPort, "eth0"),
        (Attribute::AttachedPort, "1/5"),
        (Attribute::NasPortType, "wireless-802.11"),
        (Attribute::NasPortType, "ethernet"),
        (Attribute::WlanName, "Ward WLAN"),
    ])
}

fn subject() -> impl Strategy<Value = (Role, &'static str)> {
    prop::sample::select(vec![
        (Role::Sender, ""),
        (Role::Sender, ""),
        (Role::Peer, ""),
        (Role::Third, ""),
        (Role::Third, "serial=Acme|X1|42"),
        (Role::Third, "ae=CT1"),
        (Role::Third, "slot=1"),
        (Role::Third, "hl7=P1"),
        (Role::Third, "modbus=1"),
        (Role::Third, "modbus=2"),
        (Role::Third, "analyser=X1.42"),
        (Role::Third, "analyser=X1.42"),
        (Role::Third, "analyser=X1.43"),
    ])
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        2 => (time(), end(), end(), protocol()).prop_map(|(at, a, b, protocol)| flow_at(at, &a, &b, protocol)),
        1 => (end(), end()).prop_map(|(a, b)| unanswered(&a, &b)),
        1 => (time(), 1..6_u8, 1..6_u8).prop_map(|(at, mac, ip)| arp_at(at, &format!("a{mac}"), &format!("10.0.0.{ip}"))),
        1 => (time(), 1..6_u8, 1..12_u8).prop_map(|(at, mac, ip)| arp_at(at, &format!("a{mac}"), &format!("10.0.2.{ip}"))),
        4 => (time(), end(), subject(), statement(), protocol()).prop_map(|(at, end, (role, key), (attribute, value), protocol)| {
            observation(at, role, &end, key, attribute, value, protocol)
        }),
    ]
}

/// What one message says, readable where a law does not hold.
#[derive(Clone)]
struct Message(String, Vec<Fact>);

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "from {}:", self.0)?;
        self.1.iter().try_for_each(|fact| writeln!(f, "    {}", line(fact)))
    }
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let sensor = prop::sample::select(vec!["s1".to_owned(), "s2".to_owned()]);
    vec((sensor, vec(fact(), 0..12)).prop_map(|(sensor, facts)| Message(sensor, facts)), 1..10)
}

fn empty() -> Inventory {
    Inventory::new("north", KNOWLEDGE.clone(), Settings::default())
}

fn apply(inventory: &mut Inventory, offset: usize, Message(sensor, facts): &Message) -> Conclusions {
    let at = LogMoment { incarnation: 1, partition: 3, offset: offset as u64, log_time: 0 };
    inventory.apply(sensor, facts.iter().cloned(), at)
}

fn records(inventory: &Inventory) -> Vec<DeviceRecord> {
    inventory.devices().map(|device| device.record().clone()).collect()
}

/// In what lines two inventories differ, since a record is too long to be read whole.
fn difference<T: fmt::Debug>(one: &T, other: &T) -> String {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    TextDiff::from_lines(&one, &other).unified_diff().context_radius(3).to_string()
}

fn keep(store: &mut BTreeMap<String, Vec<u8>>, entries: Vec<StateEntry>) {
    store.extend(entries.into_iter().map(|entry| (entry.key, entry.value)));
}

/// Every endpoint is seen once more, in a later hour, so that nothing is left to refresh.
fn later_hour() -> Message {
    let at = NEW_YEAR + 41 * DAY;
    let seen = (1..6_u8).flat_map(|mac| {
        let ends = (1..6_u8).map(move |ip| format!("a{mac}@10.0.0.{ip}"));
        ends.chain([format!("a{mac}")])
    });
    let hidden = (1..12_u8).flat_map(|n| [format!("fe@10.0.2.{n}"), format!("10.0.2.{n}")]);
    let flows = seen.chain(hidden).map(|end| flow_at(at, &end, "203.0.113.200", Protocol::Unspecified));
    let told = (1..6_u8).flat_map(|n| {
        ["serial=Acme|X1|42", "ae=CT1", "slot=1", "modbus=1", "analyser=X1.42"].map(|key| {
            let end = format!("a{n}@10.0.0.{n}");
            observation(at, Role::Third, &end, key, Attribute::Model, "X3", Protocol::Hl7)
        })
    });
    Message("s1".to_owned(), flows.chain(told).collect())
}

/// Two packs that conclude otherwise: what makers are called, what a model is, what makes a third device the same, whom
/// to believe, and of what a device has many values.
static PACKS: LazyLock<[Arc<Knowledge>; 3]> = LazyLock::new(|| {
    let first = r#"
        version = "1"
        many_valued = ["software_version"]
        [[manufacturer]]
        name = "Northern"
        spellings = ["Philips"]
        [[third_key]]
        kind = "slot"
        parts = ["model"]
        needs = 1
        same_by = ["model"]
        [[rule]]
        id = "ours"
        type = "infusion pump"
        confidence = 99
        because = "it is called that"
        when = [{ attribute = "model", exact = "X1" }]
        example = [{ attribute = "model", value = "X1" }]
    "#;
    let second = r#"
        version = "2"
        [[source]]
        attributes = ["model", "manufacturer"]
        order = [{ source = "tls", confidence = 99 }, { source = "http", confidence = 10 }]
        [[third_key]]
        kind = "serial"
        parts = ["manufacturer", "model", "serial_number"]
        needs = 3
        same_by = ["serial_number"]
        [[teller]]
        kind = "modbus"
        never_for = ["dhcp-client"]
        [[teller]]
        kind = "hl7"
    "#;
    let over = |text| Arc::new(KNOWLEDGE.over("north", text).expect("a sound pack"));
    [Arc::clone(&KNOWLEDGE), over(first), over(second)]
});

/// What may stand in the log.
#[derive(Clone, Debug)]
enum Step {
    Facts(Message),
    /// One of the devices that were ever told of, as far as there are any; a field, and its value.
    Decision(prop::sample::Index, &'static str, &'static str),
    /// Whether two of them are one.
    Ruling(prop::sample::Index, prop::sample::Index, Verdict),
    /// One of [`PACKS`].
    Learn(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let field = prop::sample::select(vec![
        "name",
        "category",
        "type",
        "manufacturer",
        "model",
        "location",
        "criticality",
        "retired_since",
        "retired_since",
        "score",
    ]);
    let value = prop::sample::select(vec!["medical", "CT scanner", "X1", "2025-01-01", "never", "", ""]);
    let sensor = prop::sample::select(vec!["s1".to_owned(), "s2".to_owned()]);
    let facts = (sensor, vec(fact(), 0..12)).prop_map(|(sensor, facts)| Step::Facts(Message(sensor, facts)));
    let verdict =
        prop::sample::select(vec![Verdict::Same, Verdict::Same, Verdict::Apart, Verdict::Unspecified]);
    let decision = (any::<prop::sample::Index>(), field, value);
    let step = prop_oneof![
        4 => facts,
        3 => decision.prop_map(|(which, field, value)| Step::Decision(which, field, value)),
        2 => (any::<prop::sample::Index>(), any::<prop::sample::Index>(), verdict)
            .prop_map(|(one, other, verdict)| Step::Ruling(one, other, verdict)),
        1 => (0..3_usize).prop_map(Step::Learn),
    ];
    vec(step, 1..14)
}

/// An inventory, and what is known of it from outside.
struct World {
    inventory: Inventory,
    knowledge: usize,
    /// Every device that was ever told of, in the order of being told of.
    devices: Vec<String>,
}

impl World {
    fn new() -> Self {
        Self { inventory: empty(), knowledge: 0, devices: Vec::new() }
    }

    fn take(&mut self, offset: usize, step: &Step) -> Result<Conclusions, Undecided> {
        let at = LogMoment { incarnation: 1, partition: 3, offset: offset as u64, log_time: 0 };
        let conclusions = match step {
            Step::Facts(message) => apply(&mut self.inventory, offset, message),
            Step::Decision(..) | Step::Ruling(..) if self.devices.is_empty() => Conclusions::default(),
            Step::Ruling(one, other, verdict) => {
                let of = |which: &prop::sample::Index| which.get(&self.devices).clone();
                self.rule(of(one), of(other), *verdict, at)?
            }
            Step::Decision(which, field, value) => {
                self.decide(which.get(&self.devices).clone(), field, value, at)?
            }
            Step::Learn(pack) => {
                self.knowledge = *pack;
                self.inventory.learn(Arc::clone(&PACKS[*pack]), NEW_YEAR, at)
            }
        };
        for device in &conclusions.devices {
            if !self.devices.contains(&device.id) {
                self.devices.push(device.id.clone());
            }
        }
        Ok(conclusions)
    }

    fn rule(
        &mut self,
        device: String,
        other: String,
        verdict: Verdict,
        at: LogMoment,
    ) -> Result<Conclusions, Undecided> {
        let wanted = RuleSameness { device, other, verdict: verdict.into(), note: String::new() };
        self.inventory.rule(&wanted, "j.doe", NEW_YEAR, at)
    }

    fn decide(
        &mut self,
        device: String,
        field: &str,
        value: &str,
        at: LogMoment,
    ) -> Result<Conclusions, Undecided> {
        let (field, value) = (field.to_owned(), value.to_owned());
        let wanted = OverrideAttribute { device, field, value, note: String::new() };
        self.inventory.decide(&wanted, "j.doe", NEW_YEAR, at)
    }
}

proptest! {
    #[test]
    fn a_restart_among_decisions_is_not_noticed(steps in steps(), cut in 0..14_usize) {
        let mut whole = World::new();
        let mut store = BTreeMap::new();
        let cut = cut.min(steps.len());
        let (before, after) = steps.split_at(cut);
        for (offset, step) in before.iter().enumerate() {
            let _ = whole.take(offset, step);
            keep(&mut store, whole.inventory.take_changed_state());
        }
        let mut restored = World { devices: whole.devices.clone(), ..World::new() };
        for (key, value) in store.iter().rev() {
            restored.inventory.restore(key, value).expect("what was written can be read");
        }
        restored.inventory.adopt(Arc::clone(&PACKS[whole.knowledge]));
        restored.inventory.settle();
        prop_assert_eq!(difference(&records(&whole.inventory), &records(&restored.inventory)), "");
        for (offset, step) in after.iter().enumerate() {
            prop_assert_eq!(difference(&whole.take(cut + offset, step), &restored.take(cut + offset, step)), "");
            prop_assert_eq!(whole.inventory.take_changed_state(), restored.inventory.take_changed_state());
        }
        prop_assert_eq!(difference(&records(&whole.inventory), &records(&restored.inventory)), "");
    }

    #[test]
    fn what_was_told_last_is_what_is_known(steps in steps()) {
        let mut world = World::new();
        let mut told: BTreeMap<String, DeviceRecord> = BTreeMap::new();
        for (offset, step) in steps.iter().enumerate() {
            let Ok(conclusions) = world.take(offset, step) else { continue };
            told.extend(conclusions.devices.into_iter().map(|record| (record.id.clone(), record)));
            for seen in conclusions.sightings {
                let record = told.get_mut(&*seen.device).expect("it was described before");
                record.last_seen = seen.last_seen;
            }
            let standing: Vec<DeviceRecord> =
                told.values().filter(|record| record.superseded_by.is_empty()).cloned().collect();
            prop_assert_eq!(difference(&standing, &records(&world.inventory)), "");
        }
    }

    #[test]
    fn what_is_withdrawn_leaves_no_trace(steps in steps()) {
        let mut decided = World::new();
        let mut untouched = World::new();
        for (offset, step) in steps.iter().enumerate() {
            let outcome = decided.take(offset, step);
            match step {
                Step::Decision(which, field, value) => {
                    // What was decided last is shown by the device, or by the one that it is part of.
                    if outcome.is_ok() && !decided.devices.is_empty() && !value.is_empty() {
                        let id = which.get(&decided.devices);
                        let shown = outcome.iter().flat_map(|said| &said.devices).find(|record| record.superseded_by.is_empty());
                        let why = shown.and_then(|record| record.why.iter().find(|why| why.statement == "a person decided so" && why.field.ends_with(field)));
                        prop_assert!(shown.is_none() || why.is_some_and(|why| why.value == *value), "{id} {field}");
                    }
                }
                Step::Ruling(..) => {}
                _ => {
                    let _ = untouched.take(offset, step);
                }
            }
        }
        let known = decided.devices.clone();
        let at = LogMoment { incarnation: 1, partition: 3, offset: 49, log_time: 0 };
        for (one, others) in known.iter().enumerate().map(|(number, one)| (one, known.get(number + 1..))) {
            for other in others.unwrap_or_default() {
                let _ = decided.rule(one.clone(), other.clone(), Verdict::Unspecified, at);
            }
        }
        for device in decided.devices.clone() {
            for field in wardwatch_proto::command::FIELDS {
                let at = LogMoment { incarnation: 1, partition: 3, offset: 50, log_time: 0 };
                let _ = decided.decide(device.clone(), field, "", at);
            }
        }
        let last = Step::Facts(later_hour());
        let _ = decided.take(60, &last);
        let _ = untouched.take(60, &last);
        prop_assert_eq!(difference(&records(&decided.inventory), &records(&untouched.inventory)), "");
    }

    #[test]
    fn a_restart_is_not_noticed(messages in messages(), cut in 0..10_usize) {
        let mut whole = empty();
        let mut store = BTreeMap::new();
        let cut = cut.min(messages.len());
        let (before, after) = messages.split_at(cut);
        for (offset, message) in before.iter().enumerate() {
            apply(&mut whole, offset, message);
            keep(&mut store, whole.take_changed_state());
        }
        let mut restored = empty();
        for (key, value) in store.iter().rev() {
            restored.restore(key, value).expect("what was written can be read");
        }
        restored.settle();
        prop_assert_eq!(difference(&records(&whole), &records(&restored)), "");
        for (offset, message) in after.iter().enumerate() {
            prop_assert_eq!(apply(&mut whole, cut + offset, message), apply(&mut restored, cut + offset, message));
            prop_assert_eq!(whole.take_changed_state(), restored.take_changed_state());
        }
        prop_assert_eq!(difference(&records(&whole), &records(&restored)), "");
    }

    #[test]
    fn a_capture_played_twice_says_nothing_new(messages in messages()) {
        let mut inventory = empty();
        for (offset, message) in messages.iter().enumerate() {
            apply(&mut inventory, offset, message);
        }
        let once = records(&inventory);
        for (offset, message) in messages.iter().enumerate() {
            let again = apply(&mut inventory, messages.len() + offset, message);
            prop_assert_eq!(&again.changes, &vec![]);
            let is_repeat = |kind: &Kind| matches!(kind, Kind::Finding(_));
            prop_assert!(again.events.iter().filter_map(|event| event.event.as_ref()).all(is_repeat), "{:?}", again.events);
        }
        prop_assert_eq!(once, records(&inventory));
    }

    #[test]
    fn order_does_not_matter(messages in messages(), seed in any::<prop::sample::Index>()) {
        let mut forwards = empty();
        let mut shuffled = empty();
        let mut turned: Vec<Message> = messages.iter().rev().cloned().collect();
        let at = seed.index(turned.len());
        turned.rotate_left(at);
        for Message(_, facts) in &mut turned {
            facts.reverse();
        }
        for (offset, message) in messages.iter().chain([&later_hour()]).enumerate() {
            apply(&mut forwards, offset, message);
        }
        for (offset, message) in turned.iter().chain([&later_hour()]).enumerate() {
            apply(&mut shuffled, offset, message);
        }
        prop_assert_eq!(difference(&records(&forwards), &records(&shuffled)), "");
    }
}
