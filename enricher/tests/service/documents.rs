//! What manufacturers say of their products: attached by make, model and version, shown at every device that it is of, and
//! withdrawn.

use crate::rig::{PARTITIONS, Rig, batch};
use prost::Message as _;
use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_proto::document::{document_id, parts};
use wardwatch_proto::topic;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{
    Answer, AttachDocument, Command, Component, LogRecord, OverrideAttribute, WithdrawDocument, log_record,
};

/// Lays a command for all sites into every partition, as the collector does.
async fn decide_for_all(rig: &Rig, id: &str, action: Action) {
    let command = Command {
        id: id.into(),
        author: "j.doe".into(),
        at: 1_700_000_900_000_000_000,
        action: Some(action),
        ..Command::default()
    };
    let record = LogRecord { record: Some(log_record::Record::Command(command)) }.encode_to_vec();
    for partition in 0..PARTITIONS {
        let to = TopicPartition::new(topic::FACTS, partition);
        rig.bus.publish(Publication::new(to, record.clone())).await.expect("published");
    }
}

fn document(kind: &str, product: [&str; 3]) -> AttachDocument {
    let [manufacturer, model, version] = product.map(ToOwned::to_owned);
    let sha256 = vec![kind.len() as u8; 32];
    AttachDocument {
        document: document_id(&sha256, &manufacturer, &model, &version),
        sha256,
        kind: kind.into(),
        format: if kind == "sbom" { "CycloneDX 1.5" } else { "MDS2 2019" }.into(),
        manufacturer,
        model,
        version,
        ..AttachDocument::default()
    }
}

fn sbom(product: [&str; 3], names: &[&str]) -> AttachDocument {
    let component = |name: &&str| Component {
        kind: "library".into(),
        name: (*name).to_owned(),
        version: "1.0".into(),
        cpe: format!("cpe:2.3:a:{name}:{name}:1.0:*:*:*:*:*:*:*"),
        hashes: vec!["SHA-1:00".into()],
        ..Component::default()
    };
    AttachDocument { components: names.iter().map(component).collect(), ..document("sbom", product) }
}

fn mds2(product: [&str; 3], answers: &[(&str, &str)]) -> AttachDocument {
    let answer = |(question, answer): &(&str, &str)| Answer {
        section: question.split('-').next().unwrap_or_default().into(),
        question: (*question).to_owned(),
        text: format!("{question}?"),
        answer: (*answer).to_owned(),
        note: String::new(),
    };
    AttachDocument { answers: answers.iter().map(answer).collect(), ..document("mds2", product) }
}

fn only_part(whole: AttachDocument) -> Action {
    let mut parts = parts(whole).expect("parts");
    assert_eq!(parts.len(), 1);
    Action::AttachDocument(parts.remove(0))
}

fn withdraw(document: &str) -> Action {
    Action::WithdrawDocument(WithdrawDocument { document: document.into(), note: "superseded".into() })
}

async fn model(rig: &Rig, id: &str, ip: &str, fields: [(&str, &str); 2]) {
    let query = format!("SELECT device AS line FROM v_devices WHERE has(ips, '{ip}')");
    let device = rig.lines(&query).await.pop().expect("a device");
    for (field, value) in fields {
        let wanted = OverrideAttribute {
            device: device.clone(),
            field: field.into(),
            value: value.into(),
            note: String::new(),
        };
        rig.decide("north", &format!("{id}-{}", field.replace('_', "-")), Action::OverrideAttribute(wanted))
            .await;
    }
}

const MADE_OF: &str = "SELECT concat(ips[1], ' ', c.name, ' ', c.release, ' ', c.matched_by) AS line
    FROM v_device_components AS c INNER JOIN v_devices AS d ON d.site = c.site AND d.device = c.device ORDER BY line";

/// Two hosts of one model in two versions, and one of another model.
async fn ward(rig: &Rig) {
    for (sequence, host) in [(1, 11), (2, 12), (3, 13)] {
        rig.send(batch("north", 7, sequence, host)).await;
    }
    rig.run_to_the_end().await;
    model(rig, "o-11", "10.1.0.11", [("model", "X1"), ("software_version", "2.0")]).await;
    model(rig, "o-12", "10.1.0.12", [("model", "X1"), ("software_version", "3.0")]).await;
    model(rig, "o-13", "10.1.0.13", [("model", "Z9"), ("software_version", "2.0")]).await;
}

#[tokio::test]
async fn a_document_is_that_of_every_device_of_its_model_until_it_is_withdrawn() {
    let test = "a_document_is_that_of_every_device_of_its_model_until_it_is_withdrawn";
    let Some(rig) = Rig::new(test).await else { return };
    ward(&rig).await;
    // The manufacturer in another spelling, the model in other letters.
    let of_all = sbom(["PHILIPS MEDICAL SYSTEMS", "x1", ""], &["openssl", "zlib"]);
    let of_two = sbom(["Philips", "X1", "2.0"], &["openssl"]);
    let id = of_all.document.clone();
    decide_for_all(&rig, "c-1", only_part(of_all)).await;
    decide_for_all(&rig, "c-2", only_part(of_two)).await;
    let form = mds2(["Philips", "X1", ""], &[("MPII-1", "Yes"), ("ALOF-1", "No")]);
    rig.decide("north", "c-3", only_part(form)).await;
    rig.decide("south", "c-4", only_part(sbom(["Philips", "Z9", ""], &["elsewhere"]))).await;
    rig.run_to_the_end().await;

    assert_eq!(
        rig.lines(MADE_OF).await,
        ["10.1.0.11 openssl 1.0 version", "10.1.0.12 openssl 1.0 model", "10.1.0.12 zlib 1.0 model"],
        "the exact version first, else what holds for every version"
    );
    let stored = "SELECT concat(site, ' ', kind, ' ', manufacturer, ' ', manufacturer_stated, ' ', toString(is_whole)) AS line
        FROM v_documents ORDER BY line";
    assert_eq!(
        rig.lines(stored).await,
        [
            " sbom Philips PHILIPS MEDICAL SYSTEMS true",
            " sbom Philips Philips true",
            "north mds2 Philips Philips true",
            "south sbom Philips Philips true",
        ]
    );
    assert_eq!(rig.number("count()", "components").await, 4, "one partition writes what is for all");
    let answers =
        "SELECT concat(question, ' ', answer, ' ', toString(uniqExact(device))) AS line FROM v_device_mds2
        GROUP BY question, answer ORDER BY line";
    assert_eq!(rig.lines(answers).await, ["ALOF-1 No 2", "MPII-1 Yes 2"]);
    let lacking =
        "SELECT concat(model, ' ', toString(devices), ' ', toString(lacks)) AS line FROM v_model_documents
        WHERE model != '' ORDER BY line";
    assert_eq!(rig.lines(lacking).await, ["X1 2 []", "Z9 1 ['sbom','mds2']"]);

    decide_for_all(&rig, "c-5", withdraw(&id)).await;
    decide_for_all(&rig, "c-6", withdraw(&id)).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(MADE_OF).await, ["10.1.0.11 openssl 1.0 version"]);
    let came_of = "SELECT concat(id, ' ', action, ' ', detail, ' ', outcome, ' ', reason, ' ', toString(partitions)) AS line
        FROM v_commands WHERE id IN ('c-1', 'c-5', 'c-6') ORDER BY id";
    assert_eq!(
        rig.lines(came_of).await,
        [
            "c-1 attach_document sbom of PHILIPS MEDICAL SYSTEMS x1, part 1 of 1 applied  4",
            "c-5 withdraw_document withdrawn applied  4",
            "c-6 withdraw_document withdrawn ignored unknown-document 4",
        ]
    );
    // It can be attached again.
    decide_for_all(&rig, "c-7", only_part(sbom(["PHILIPS MEDICAL SYSTEMS", "x1", ""], &["openssl", "zlib"])))
        .await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(MADE_OF).await.len(), 3);
}

#[tokio::test]
async fn a_document_in_parts_counts_when_it_is_whole_restarted_or_not() {
    let test = "a_document_in_parts_counts_when_it_is_whole_restarted_or_not";
    let Some(rig) = Rig::new(test).await else { return };
    ward(&rig).await;
    let names: Vec<String> = (0..20_000).map(|number| format!("part-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts = parts(sbom(["Philips", "X1", ""], &names)).expect("parts");
    assert!(parts.len() > 2, "{}", parts.len());
    let numbers = "SELECT concat(toString(parts_held), ' of ', toString(parts)) AS line FROM v_documents";
    for (number, part) in parts.iter().enumerate().rev() {
        rig.decide("north", &format!("c-{number}"), Action::AttachDocument(part.clone())).await;
        // Each after a restart.
        rig.run_to_the_end().await;
        let held = parts.len() - number;
        assert_eq!(rig.lines(numbers).await, [format!("{held} of {}", parts.len())]);
        let shown = rig.number("count()", "v_device_components").await;
        assert_eq!(shown, if number == 0 { 2 * 20_000 } else { 0 });
    }
    assert_eq!(rig.number("uniqExact(entry)", "v_components").await, 20_000);
    assert_eq!(rig.number("max(entry)", "v_components").await, 20_000);
    let malformed = AttachDocument { parts: 65, ..parts[0].clone() };
    rig.decide("north", "c-bad", Action::AttachDocument(malformed)).await;
    rig.run_to_the_end().await;
    let letters = rig.messages(topic::DEADLETTER).await;
    assert_eq!(letters[0].headers.get("wardwatch-reason"), Some(&b"bad-part"[..]));
}

#[tokio::test]
async fn documents_are_the_same_however_often_it_crashes() {
    let test = "documents_are_the_same_however_often_it_crashes";
    let Some(calm) = Rig::new(test).await else { return };
    let Some(mut rough) = Rig::new(test).await else { return };
    rough.config.commit.rows = 1;
    rough.config.commit.age = std::time::Duration::from_millis(1);
    let mut last = 0;
    for number in 0..12 {
        let version = ["", "2.0", "3.0"][number % 3];
        let document = sbom(["Philips", "X1", version], &["openssl", "zlib"][..=number % 2]);
        let action = if number % 4 == 3 { withdraw(&document.document) } else { only_part(document) };
        for rig in [&calm, &rough] {
            last = rig.decide("north", &format!("c-{number}"), action.clone()).await;
        }
    }
    calm.run_to_the_end().await;
    for crash_after in (0..=last).step_by(2) {
        let running = rough.start();
        running.reached(wardwatch_proto::log::partition_of("north", PARTITIONS), crash_after).await;
        running.crash().await;
    }
    rough.run_to_the_end().await;
    for known in [
        "SELECT toString(tuple(*)) AS line FROM documents FINAL ORDER BY line",
        "SELECT toString(tuple(*)) AS line FROM components FINAL ORDER BY line",
        "SELECT toString(tuple(*)) AS line FROM v_components ORDER BY line",
    ] {
        let rows = calm.lines(known).await;
        assert!(!rows.is_empty());
        assert_eq!(rough.lines(known).await, rows, "{known}");
    }
}

#[tokio::test]
async fn every_query_of_the_manual_can_be_asked() {
    let Some(rig) = Rig::new("every_query_of_the_manual_can_be_asked").await else { return };
    let manual = include_str!("../../../docs/queries.md");
    let queries: Vec<&str> =
        manual.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(queries.len() >= 15, "{}", queries.len());
    for query in queries {
        let answer = rig.store.text(query.trim_end(), "JSONEachRow").await;
        assert!(answer.is_ok(), "{query}: {:?}", answer.err());
    }
}
