//! Any conversation to one candidate, named by `WARDWATCH_FUZZ_CANDIDATE` (`tcp/dicom`): nothing outside the grammars is
//! stated, no more is held than allowed, and a conversation that has ended stays so.
//!
//! The input is a [`Recording`]. It goes the way that it goes in the sensor: bytes of a stream through probe, buffer and
//! skipping; datagrams as they are; packets without ports and frames each to a conversation of its own.
#![no_main]

use std::env;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wardwatch_dissect::fuzzing::{Recording, Table, Target};
use wardwatch_dissect::{Conversation, Interest, Outcome, Statements};
use wardwatch_proto::attribute;
use wardwatch_proto::v1::{Observation, Protocol};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("WARDWATCH_FUZZ_CANDIDATE").unwrap_or_default();
    name.parse().unwrap_or_else(|error| panic!("WARDWATCH_FUZZ_CANDIDATE: {error}"))
});

fuzz_target!(|input: &[u8]| {
    let recording = Recording::decode(input);
    let mut conversation = Conversation::new(TARGET.alone());
    let mut statements = Statements::default();
    for (number, row) in recording.rows.iter().enumerate() {
        if matches!(TARGET.table(), Table::Ip | Table::Link) {
            conversation = Conversation::new(TARGET.alone());
        }
        let ended = conversation.outcome();
        let shown = recording.show((number, row), TARGET.table(), &mut conversation, &mut statements);
        let Some(interest) = shown else { continue };
        if ended == Outcome::Going {
            assert_eq!(interest == Interest::Lost, conversation.outcome() != Outcome::Going);
        } else {
            assert_eq!((interest, conversation.outcome()), (Interest::Lost, ended));
            assert!(statements.observations.is_empty(), "nothing is stated after the end");
        }
        statements.observations.drain(..).for_each(|observation| judge(&observation));
        assert!(conversation.held_bytes() < Conversation::HELD_BYTES);
        assert!(
            interest == Interest::Keep || conversation.held_bytes() == 0,
            "nothing is held after the end"
        );
    }
    conversation.catch_up(&mut statements);
    statements.observations.iter().for_each(judge);
});

/// Sees that what leaves a sensor is on the list, in its grammar, and written in the one way.
fn judge(observation: &Observation) {
    let accepted = attribute::accept(observation.attribute(), &observation.value);
    assert_eq!(accepted.as_deref(), Some(observation.value.as_str()));
    assert_ne!(observation.protocol(), Protocol::Unspecified);
}
