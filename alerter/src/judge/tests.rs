//! What raises an alert, what repeats it, and what leaves it alone.

use super::*;
use wardwatch_proto::v1::{
    AcknowledgeAlert, Attribute, Command, DeviceAppeared, DeviceSummary, Finding, Protocol, ReopenAlert,
    Severity,
};

fn device(id: &str) -> DeviceSummary {
    DeviceSummary { id: id.into(), name: "pump-7".into(), ips: vec!["10.0.0.7".into()], ..Default::default() }
}

fn at(event_time: u64, event: event::Event) -> Event {
    Event { site: "north".into(), event_time, event: Some(event), ..Default::default() }
}

fn appeared(id: &str, time: u64) -> Event {
    at(time, event::Event::DeviceAppeared(DeviceAppeared { device: Some(device(id)) }))
}

fn credentials(id: &str, kind: &str, time: u64) -> Event {
    let finding = Finding {
        device: Some(device(id)),
        attribute: Attribute::CleartextCredential.into(),
        value: kind.into(),
        protocol: Protocol::Http.into(),
        sensor: "s1".into(),
        ..Default::default()
    };
    at(time, event::Event::Finding(finding))
}

fn finding(attribute: Attribute, value: &str, protocol: Protocol) -> Event {
    let mut event = credentials("d1", value, 10);
    if let Some(event::Event::Finding(finding)) = &mut event.event {
        finding.set_attribute(attribute);
        finding.set_protocol(protocol);
    }
    event
}

fn acknowledgement(alert: &str, note: &str) -> Event {
    let action =
        command::Action::AcknowledgeAlert(AcknowledgeAlert { alert: alert.into(), note: note.into() });
    let command = Command { author: "j.doe".into(), at: 99, action: Some(action), ..Default::default() };
    at(99, event::Event::Command(command))
}

fn place(offset: u64) -> Position {
    Position { incarnation: 1, partition: 3, offset, index: 0 }
}

fn actions(updates: &[Update]) -> Vec<Action> {
    updates.iter().map(|update| update.action).collect()
}

#[test]
fn a_device_is_new_once() {
    let mut judge = Judge::new("north");
    let updates = judge.apply(&appeared("d1", 10), place(1));
    assert_eq!(actions(&updates), [Action::Raised]);
    assert_eq!(updates[0].alert.detector, "new-device");
    assert_eq!(updates[0].alert.severity(), Severity::Informational);
    assert!(judge.apply(&appeared("d1", 10), place(2)).is_empty(), "a capture played twice");
    assert_eq!(actions(&judge.apply(&appeared("d2", 10), place(3))), [Action::Raised]);
}

#[test]
fn each_kind_of_credentials_is_a_matter_of_its_own_and_a_later_log_in_repeats_it() {
    let mut judge = Judge::new("north");
    let first = judge.apply(&credentials("d1", "http-basic", 10), place(1));
    let other = judge.apply(&credentials("d1", "dicom-user-passcode", 10), place(2));
    assert_eq!(actions(&other), [Action::Raised]);
    let again = judge.apply(&credentials("d1", "http-basic", 20), place(3));
    assert_eq!(actions(&again), [Action::Repeated]);
    assert_eq!(again[0].alert.id, first[0].alert.id);
    assert_eq!((again[0].alert.first_seen, again[0].alert.last_seen), (10, 20));
    assert!(judge.apply(&credentials("d1", "http-basic", 15), place(4)).is_empty(), "not later on the wire");
}

#[test]
fn each_finding_has_its_detector_and_severity() {
    for (attribute, value, protocol, detector, severity, technique) in [
        (
            Attribute::DefaultCredential,
            "snmp-community",
            Protocol::Snmp,
            "default-credentials",
            Severity::High,
            "T0812",
        ),
        (Attribute::WeakProtocol, "smb1", Protocol::Smb, "weak-protocol", Severity::Low, "T0830"),
        (Attribute::TlsVersion, "tls1.0", Protocol::Tls, "weak-protocol", Severity::Low, "T0830"),
        (
            Attribute::ExecutableTransfer,
            "pe",
            Protocol::Http,
            "executable-transfer",
            Severity::Medium,
            "T0867",
        ),
        (Attribute::CovertChannel, "dns-names", Protocol::Dns, "covert-channel", Severity::High, "T1572"),
        (Attribute::NetworkSweep, "tcp-ports", Protocol::Tcp, "network-sweep", Severity::High, "T1046"),
        (
            Attribute::AddressConflict,
            "10.0.0.1",
            Protocol::Arp,
            "address-conflict",
            Severity::Medium,
            "T1557.002",
        ),
    ] {
        let updates = Judge::new("north").apply(&finding(attribute, value, protocol), place(1));
        assert_eq!(actions(&updates), [Action::Raised], "{attribute:?}");
        let alert = &updates[0].alert;
        assert_eq!((alert.detector.as_str(), alert.severity()), (detector, severity), "{attribute:?}");
        assert_eq!(alert.attack_technique, technique);
        assert!(alert.explanation.contains("pump-7") && alert.explanation.contains(value), "{attribute:?}");
    }
}

#[test]
fn the_same_kind_of_credentials_in_clear_and_as_delivered_are_two_alerts() {
    let mut judge = Judge::new("north");
    let clear = judge.apply(&credentials("d1", "telnet", 10), place(1));
    let delivered = finding(Attribute::DefaultCredential, "telnet", Protocol::Telnet);
    let delivered = judge.apply(&delivered, place(2));
    assert_eq!((actions(&clear), actions(&delivered)), (vec![Action::Raised], vec![Action::Raised]));
    assert_ne!(clear[0].alert.id, delivered[0].alert.id);
}

#[test]
fn findings_that_add_to_the_score_alone_raise_nothing() {
    for (attribute, value) in [
        (Attribute::CleartextPatientData, "dicom-object"),
        (Attribute::CertificateSelfSigned, "true"),
        (Attribute::Amplifier, "ntp-monlist"),
    ] {
        let event = finding(attribute, value, Protocol::Dicom);
        assert!(Judge::new("north").apply(&event, place(1)).is_empty(), "{attribute:?}");
    }
}

#[test]
fn an_acknowledged_alert_stays_so_when_it_repeats_and_the_command_works_once() {
    let mut judge = Judge::new("north");
    let id = judge.apply(&credentials("d1", "http-basic", 10), place(1))[0].alert.id.clone();
    let updates = judge.apply(&acknowledgement(&id, "known"), place(2));
    assert_eq!(actions(&updates), [Action::Acknowledged]);
    assert_eq!(updates[0].alert.acknowledged_by, "j.doe");
    assert!(judge.apply(&acknowledgement(&id, "known"), place(3)).is_empty());
    let again = judge.apply(&credentials("d1", "http-basic", 20), place(4));
    assert_eq!(again[0].alert.status(), Status::Acknowledged);
    assert!(judge.apply(&acknowledgement("nobody", ""), place(5)).is_empty());
    assert_eq!(judge.unknown_alerts(), 1);
}

#[test]
fn an_acknowledged_alert_can_be_opened_again() {
    let mut judge = Judge::new("north");
    let id = judge.apply(&credentials("d1", "http-basic", 10), place(1))[0].alert.id.clone();
    let reopen = |at| {
        let reopen = ReopenAlert { alert: id.clone(), note: "not solved".into() };
        let action = Some(command::Action::ReopenAlert(reopen));
        let command = Command { author: "a.roe".into(), at, action, ..Default::default() };
        Event { event: Some(event::Event::Command(command)), ..Default::default() }
    };
    assert!(judge.apply(&reopen(5), place(2)).is_empty(), "it is open");
    judge.apply(&acknowledgement(&id, "known"), place(3));
    let updates = judge.apply(&reopen(120), place(4));
    assert_eq!(actions(&updates), [Action::Reopened]);
    let Update { alert, author, note, at, .. } = &updates[0];
    assert_eq!((author.as_str(), note.as_str(), *at), ("a.roe", "not solved", 120));
    assert_eq!((alert.status(), alert.acknowledged_by.as_str(), alert.note.as_str()), (Status::Open, "", ""));
}

#[test]
fn a_restored_judge_goes_on_as_if_it_had_never_stopped() {
    let mut judge = Judge::new("north");
    let updates = judge.apply(&credentials("d1", "http-basic", 10), place(1));
    let mut restored = Judge::new("north");
    restored.restore(&updates[0].alert.encode_to_vec()).expect("our own encoding");
    let next = credentials("d1", "http-basic", 20);
    assert_eq!(restored.apply(&next, place(2)), judge.apply(&next, place(2)));
}

#[test]
fn the_same_matter_has_the_same_id_at_every_start_and_another_at_another_site() {
    let id = |site: &str| Judge::new(site).apply(&appeared("d1", 10), place(1))[0].alert.id.clone();
    assert_eq!(id("north"), id("north"));
    assert_ne!(id("north"), id("south"));
}
