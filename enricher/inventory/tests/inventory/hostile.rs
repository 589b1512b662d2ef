//! What a liar on the wire can do: little, and it is counted.

use wardwatch_inventory::{Inventory, LogMoment, Settings, StateError};
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Attribute, Endpoint, Fact, Flow, Observation, Protocol, Subject, subject::Role};

use crate::ward::{DAY, KNOWLEDGE, NEW_YEAR, Site, arp, flow, hearsay, observation, says, tells_of};

#[test]
fn a_device_of_a_thousand_identities_has_a_bounded_record() {
    let mut site = Site::new();
    for round in 0..10 {
        let names = (0..1000)
            .map(|n| says("a1@10.0.0.1", Attribute::HostName, &format!("host-{round}-{n}"), Protocol::Mdns));
        site.hears(names.collect::<Vec<_>>());
    }
    let state: usize = site.inventory.take_changed_state().iter().map(|entry| entry.value.len()).sum();
    assert!(state < 16_384, "{state} octets of state");
    assert_eq!(site.inventory.counters().statements_evicted, 10_000 - 64);
}

#[test]
fn a_teller_of_a_thousand_devices_is_believed_up_to_its_bound() {
    let mut site = Site::with(Settings { third_devices_per_teller: 10, ..Settings::default() });
    site.hears(
        (0..1000)
            .map(|n| tells_of("a1@10.0.0.1", &format!("slot={n}"), Attribute::Model, "X1", Protocol::Hl7)),
    );
    assert_eq!(site.outline().len(), 11);
    assert_eq!(site.inventory.counters().third_devices_full, 990);
}

#[test]
fn forged_addresses_cannot_push_out_what_is_known() {
    let mut site = Site::with(Settings { endpoints: 100, ..Settings::default() });
    site.hears([says("a1@10.0.0.1", Attribute::Model, "X1", Protocol::Dicom)]);
    site.hears((0..60_000_u32).map(|n| {
        let [_, _, high, low] = n.to_be_bytes();
        flow(&format!("02:00:00:01:{high:02x}:{low:02x}@10.7.{high}.{low}"), "a1@10.0.0.1", Protocol::Http)
    }));
    assert_eq!(site.device("a1").model, "X1");
    assert!(site.records().len() <= 100);
    assert!(site.inventory.counters().endpoints_full > 50_000);
}

#[test]
fn a_name_server_cannot_fill_the_memory() {
    let mut site = Site::with(Settings { hearsay: 50, ..Settings::default() });
    site.hears(
        (0..250_u8).map(|n| hearsay(&format!("10.0.4.{n}"), Attribute::HostName, "a.example", Protocol::Dns)),
    );
    assert!(site.records().is_empty());
    assert_eq!(site.inventory.counters().hearsay_full, 200);
}

#[test]
fn one_address_claimed_by_thousands_of_interfaces_stays_small() {
    let mut site = Site::new();
    site.hears((0..3000_u32).map(|n| {
        let [_, _, high, low] = n.to_be_bytes();
        arp(&format!("02:00:00:02:{high:02x}:{low:02x}"), "10.0.0.1")
    }));
    let with_address = site.records().iter().filter(|record| !record.ips.is_empty()).count();
    assert_eq!(with_address, 1);
    assert_eq!(site.inventory.counters().bindings_evicted, 3000 - 16);
}

#[test]
fn a_clock_that_runs_ahead_does_not_make_evidence_immortal() {
    let mut inventory = Inventory::new("north", KNOWLEDGE.clone(), Settings::default());
    let at = LogMoment { log_time: NEW_YEAR, ..LogMoment::default() };
    let fact = observation(
        NEW_YEAR + 400 * DAY,
        Role::Sender,
        "a1@10.0.0.1",
        "",
        Attribute::Model,
        "X1",
        Protocol::Dicom,
    );
    inventory.apply("s1", [fact], at);
    let seen: Vec<u64> = inventory.devices().map(|device| device.record().last_seen).collect();
    assert_eq!(seen, [NEW_YEAR]);
    assert_eq!(inventory.counters().clock_ahead, 1);
}

#[test]
fn what_breaks_the_contract_is_counted_and_changes_nothing() {
    let mut site = Site::new();
    let end = Endpoint { mac: vec![2, 0, 0, 0, 0, 1], ip: vec![10, 0, 0, 1], port: 0 };
    let subject = Subject { role: Role::Third.into(), endpoint: Some(end.clone()), key: "k".repeat(5000) };
    let odd = |observation: Observation| Fact { fact: Some(Stated::Observation(observation)) };
    let told = site.hears([
        Fact { fact: None },
        odd(Observation::default()),
        odd(Observation { attribute: 9999, ..Observation::default() }),
        odd(Observation { attribute: Attribute::Model.into(), value: "X1".into(), ..Observation::default() }),
        odd(Observation {
            attribute: Attribute::Model.into(),
            value: "X1".into(),
            subject: Some(subject),
            ..Observation::default()
        }),
        odd(Observation {
            attribute: Attribute::Model.into(),
            value: "X1".into(),
            subject: Some(Subject { role: 77, endpoint: Some(end), key: String::new() }),
            ..Observation::default()
        }),
        Fact { fact: Some(Stated::Flow(Flow { start: u64::MAX, end: 0, ..Flow::default() })) },
        flow("a9", "1.2.3", Protocol::Http),
    ]);
    assert_eq!(site.outline(), ["a9"]);
    assert!(told.attributes.is_empty());
    let counters = site.inventory.counters();
    assert_eq!((counters.empty, counters.refused_values, counters.without_subject), (1, 2, 3));
    assert_eq!((counters.flows, counters.observations), (2, 5));
}

#[test]
fn a_value_outside_its_grammar_is_not_believed_even_from_a_sensor() {
    let mut site = Site::new();
    let told = site.hears([
        says("a1@10.0.0.1", Attribute::StationName, "DOE^JANE", Protocol::Dicom),
        says("a1@10.0.0.1", Attribute::StationName, "CT01", Protocol::Dicom),
    ]);
    assert_eq!(site.device("a1").name, "CT01");
    assert_eq!(told.attributes.len(), 1);
    assert_eq!(site.inventory.counters().refused_values, 1);
}

#[test]
fn state_that_cannot_be_read_is_named() {
    let mut inventory = Inventory::new("north", KNOWLEDGE.clone(), Settings::default());
    assert!(matches!(inventory.restore("weather/1", b""), Err(StateError::UnknownKind { .. })));
    let error = inventory.restore("device/x", b"\xff\xff\xff").expect_err("not a message");
    assert!(error.to_string().contains("device/x"), "{error}");
    assert!(inventory.restore("dossier/x", b"\x10\x01").is_err(), "it names no endpoint");
    inventory.restore("dossier/x", b"").expect("an entry that is no longer needed");
    assert_eq!(inventory.devices().count(), 0);
}
