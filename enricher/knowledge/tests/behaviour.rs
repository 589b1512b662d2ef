//! Models of behaviour in a pack: what is learned is read again, and what is refused.

use std::fs;

use wardwatch_knowledge::{Example, Features, Habits, Knowledge, KnowledgeError, Names, learn};
use wardwatch_proto::v1::{Counters, Endpoint, Flow, Protocol};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

fn with(text: &str) -> Result<Knowledge, KnowledgeError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ours.toml");
    fs::write(&path, text).expect("a writable folder");
    Knowledge::with(&path)
}

/// What is wrong with a model, without the folder.
fn refusal(text: &str) -> String {
    let error = with(text).expect_err("a model with a mistake").to_string();
    error.split_once("ours.toml: ").map(|(_, rest)| rest.to_owned()).unwrap_or(error)
}

const MODEL: &str = r#"
[[behaviour]]
name = "ours"
wording = 1
names = false
threshold = 0.5

[[behaviour.type]]
name = "Acme P1"
is = "infusion pump"
captures = 10
called = 10
right = 9

[[behaviour.type]]
name = "Acme P2"
captures = 10
called = 10
right = 9
alike = ["Acme P1"]

[behaviour.features]
"does tls/tcp to internet :443" = { "Acme P1" = 10 }
"does http/tcp to site :8080" = { "Acme P2" = 10 }
"does dns/udp to site :53" = { "Acme P1" = 10, "Acme P2" = 10 }
"#;

/// A device that asks for a name, and then does something on this port.
fn habits(protocol: Protocol, to: [u8; 4], port: u32) -> Habits {
    let mut habits = Habits::new(MAC);
    for (id, ip_protocol, protocol, to, port) in
        [(1, 17, Protocol::Dns, [10, 0, 0, 1], 53), (2, 6, protocol, to, port)]
    {
        habits.flow(&Flow {
            id,
            start: id,
            ip_protocol,
            protocol: protocol.into(),
            initiator: Some(Endpoint { mac: MAC.into(), ip: vec![10, 0, 0, 7], port: 50_000 }),
            responder: Some(Endpoint { mac: vec![2, 0, 0, 0, 0, 1], ip: to.into(), port }),
            from_initiator: Some(Counters { packets: 1, payload_bytes: 33, ..Counters::default() }),
            ..Flow::default()
        });
    }
    habits
}

#[test]
fn a_model_that_a_program_learned_is_read_from_a_pack_and_says_the_same() {
    let kinds = [("pump", Protocol::Tls, 443), ("scanner", Protocol::Dicom, 104)];
    let features = |protocol, port| Features::of(&habits(protocol, [10, 0, 0, 9], port), Names::Withheld);
    let examples: Vec<Example> = kinds
        .iter()
        .flat_map(|(kind, protocol, port)| {
            (0..5).map(|number| Example {
                name: number.to_string(),
                device_type: (*kind).to_owned(),
                features: features(*protocol, *port),
            })
        })
        .collect();
    let learned = learn("two kinds", "a test", Names::Withheld, &examples).expect("two kinds");
    let builtin = Knowledge::builtin().expect("the built-in pack");
    let knowledge = builtin.over("ours", &learned.to_pack("7")).expect("what was written is read");
    assert!(knowledge.version().ends_with("+ours@7"), "{}", knowledge.version());
    let [read] = knowledge.behaviours() else { panic!("one model") };
    assert_eq!(read.to_toml(), learned.to_toml());
    for (kind, protocol, port) in kinds {
        let said = knowledge.behaves_like(&habits(protocol, [10, 0, 0, 9], port)).expect("a known kind");
        assert_eq!(said.device_type, kind);
        assert_eq!(learned.classify(&features(protocol, port)), Some(said));
    }
    assert_eq!(knowledge.behaves_like(&habits(Protocol::Modbus, [10, 0, 0, 9], 502)), None);
}

#[test]
fn a_kind_of_a_model_may_be_a_type_of_the_taxonomy() {
    let knowledge = with(MODEL).expect("a model without a mistake");
    let pump = knowledge.behaves_like(&habits(Protocol::Tls, [203, 0, 113, 9], 443)).map(|said| said.is);
    // Each flow has features that the model does not know: sizes, counts, order.
    assert_eq!(pump, None);
    let lenient = MODEL.replace("threshold = 0.5", "threshold = 0.1");
    let said = with(&lenient).expect("a model without a mistake");
    let said = said.behaves_like(&habits(Protocol::Tls, [203, 0, 113, 9], 443)).expect("a pump");
    assert_eq!(
        (said.device_type.as_str(), said.is.as_str(), said.confidence),
        ("Acme P1", "infusion pump", 50)
    );
    let reason = "does tls/tcp to internet :443 (10 of its 10 captures, 0 of 10 of others)";
    assert_eq!(said.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(), [reason]);
}

#[test]
fn a_model_of_the_same_name_replaces_and_there_are_not_many() {
    let knowledge = with(MODEL).expect("a model without a mistake");
    let pack = format!("version = \"1\"\n{}", MODEL.replace("0.5", "0.7"));
    let again = knowledge.over("more", &pack).expect("the same model");
    let [model] = again.behaviours() else { panic!("one model") };
    assert!((model.threshold() - 0.7).abs() < 1e-9);
    let many: String = (0..9).map(|number| MODEL.replace("\"ours\"", &format!("\"m{number}\""))).collect();
    assert_eq!(refusal(&many), "behaviour \"m8\": name: there are 8 models already");
}

#[test]
fn a_mistake_in_a_model_is_named_with_entry_and_key() {
    for (from, to, problem) in [
        ("wording = 1", "wording = 2", "wording: features are worded as in 1 here; learn the model again"),
        ("threshold = 0.5", "threshold = 1.5", "threshold: must lie between 0 and 1"),
        ("threshold = 0.5", "threshold = nan", "threshold: must lie between 0 and 1"),
        ("right = 9", "right = 11", "type[0].right: must be at most `called`"),
        ("captures = 10", "captures = 0", "type[0].captures: must lie between 1 and 1000000"),
        ("\"Acme P2\"", "\"Acme P1\"", "type[1].name: \"Acme P1\" is there twice"),
        ("infusion pump", "no-such", "type[0].is: no type is called \"no-such\""),
        ("[\"Acme P1\"]", "[\"P9\"]", "type[1].alike: no kind of this model is called \"P9\""),
        (
            "{ \"Acme P2\" = 10 }",
            "{ \"Acme P2\" = 11 }",
            "features.\"does http/tcp to site :8080\": Acme P2: must lie between 1 and its 10 captures",
        ),
        (
            "{ \"Acme P2\" = 10 }",
            "{ P9 = 1 }",
            "features.\"does http/tcp to site :8080\": no kind of this model is called \"P9\"",
        ),
        (
            "{ \"Acme P2\" = 10 }",
            "{}",
            "features.\"does http/tcp to site :8080\": must be shown by at least one kind",
        ),
    ] {
        assert!(MODEL.contains(from), "{from}");
        assert_eq!(refusal(&MODEL.replacen(from, to, 1)), format!("behaviour \"ours\": {problem}"), "{to}");
    }
    assert!(refusal(&MODEL.replace("names = false", "names = 1")).starts_with("behaviour \"ours\": names: "));
    let one =
        "[[behaviour]]\nname = \"x\"\nwording = 1\nnames = true\nthreshold = 0\ntype = []\nfeatures = {}";
    assert_eq!(refusal(one).split_once(": ").map(|(entry, _)| entry), Some("behaviour \"x\""));
}
