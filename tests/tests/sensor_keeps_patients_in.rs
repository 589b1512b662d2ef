//! What names a patient, a user or a secret on the wire stands in nothing that leaves a sensor.
//!
//! Three sorts of traffic are decoded as a sensor does it, from frames to encoded facts: streams whose every field
//! but the listed ones holds a token (see [`wardwatch_dissect::canary`]), the project's own captures, whose patients and
//! passwords are known, and recorded captures, in which Wireshark says who the patients are.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use prost::Message as _;
use wardwatch_dissect::canary::{self, CanaryStream, Transport, Turn};
use wardwatch_lab::Hospital;
use wardwatch_proto::v1::Fact;
use wardwatch_tests::oracle::dice::Dice;
use wardwatch_tests::oracle::stated::{self, Framed};
use wardwatch_tests::oracle::{corpus, program, tshark};
use wardwatch_tests::skip;
use wardwatch_tests::traffic::canaries;

#[test]
fn no_canary_is_in_any_encoded_fact_wherever_segments_are_cut() -> Result<()> {
    let mut streams = 0;
    for stream in canary::streams() {
        streams += 1;
        check(&stream, &frames(stream.clone())?, "in segments of full size")?;
        let mut dice = Dice::new(streams);
        let cut = cut(stream.clone(), &mut dice);
        check(&stream, &frames(cut.clone())?, "in segments of random size")?;
        check(&stream, &disordered(frames(cut)?, &mut dice), "in segments that overtake each other")?;
    }
    assert!(streams > 10, "{streams} streams");
    Ok(())
}

#[test]
fn no_canary_is_in_what_the_decode_command_prints() -> Result<()> {
    let test = "sensor_keeps_patients_in::no_canary_is_in_what_the_decode_command_prints";
    let Some(program) = program::unless_sensor(test) else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("canaries.pcap");
    let streams: Vec<CanaryStream> = canary::streams().collect();
    canaries::capture(streams.clone()).write(&path)?;
    let output = program::decode(&program, [&path])?;
    assert!(output.status.success(), "{output:?}");
    let printed = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&printed);
    for stream in &streams {
        for (attribute, value) in &stream.expected {
            let value = serde_json::to_string(value)?;
            assert!(text.contains(&format!("\"value\":{value}")), "{}: {attribute:?} {value}", stream.name);
        }
    }
    // All tokens at once: the search goes over what was printed once for each length of a token.
    let mut all = streams.first().context("a stream of canaries")?.clone();
    all.canaries = streams.iter().flat_map(|stream| stream.canaries.clone()).collect();
    assert_eq!(all.canary_in(&printed), None);
    Ok(())
}

#[test]
fn the_hospitals_patients_and_passwords_stay_in() -> Result<()> {
    for recorded in corpus::hospitals()? {
        let secrets = secrets(recorded.lab.hospital());
        assert!(secrets.len() > 2, "{}: {secrets:?}", recorded.area);
        for capture in recorded.captures {
            let facts = stated::facts(&capture.path)?;
            assert!(stated::observations(&facts).count() > 0, "{} says nothing", capture.id);
            for fact in &facts {
                let encoded = String::from_utf8_lossy(&fact.encode_to_vec()).to_lowercase();
                for secret in &secrets {
                    assert!(!encoded.contains(secret), "{}: {secret} in {fact:?}", capture.id);
                }
            }
        }
    }
    Ok(())
}

/// What of a hospital's patients and passwords may stand nowhere, in lower case.
fn secrets(hospital: &Hospital) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for patient in &hospital.patients {
        let born = &patient.born;
        let dashed = format!("{}-{}-{}", &born[..4], &born[4..6], &born[6..]);
        secrets.extend(
            [&patient.id, &patient.family, &patient.given, born, &dashed].map(|word| word.to_lowercase()),
        );
    }
    for credential in &hospital.credentials {
        secrets.insert(credential.secret.to_lowercase());
    }
    secrets
}

#[test]
fn patients_that_wireshark_finds_stay_in() -> Result<()> {
    let test = "sensor_keeps_patients_in::patients_that_wireshark_finds_stay_in";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    if skip::unless_program(test, "tshark") {
        return Ok(());
    }
    let mut captures = corpus::captures(&data)?;
    captures.retain(|capture| capture.area == "medical");
    captures.extend(corpus::own()?);
    let patients = corpus::each(&captures, |capture| tshark::patients::words(&capture.path))?;
    let mut with_patients = 0;
    for (capture, words) in captures.iter().zip(&patients) {
        with_patients += usize::from(!words.is_empty());
        for observation in stated::observations(&stated::facts(&capture.path)?) {
            let key = observation.subject.as_ref().map_or("", |subject| &subject.key);
            let said = format!("{} {key}", observation.value).to_lowercase();
            let said: Vec<&str> = said.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
            let named = words.iter().find(|word| said.contains(&word.as_str()));
            assert_eq!(named, None, "{}: {observation:?}", capture.id);
        }
    }
    assert!(with_patients >= 8, "Wireshark finds patients in {with_patients} captures");
    Ok(())
}

/// The stream as frames.
fn frames(stream: CanaryStream) -> Result<Vec<Framed>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("stream.pcap");
    canaries::capture([stream]).write(&path)?;
    stated::frames(&path)
}

/// The same stream with its TCP bytes cut at random places; datagrams are left whole.
fn cut(mut stream: CanaryStream, dice: &mut Dice) -> CanaryStream {
    if stream.transport == Transport::Tcp {
        let mut turns = Vec::new();
        for Turn { direction, bytes } in stream.turns {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let most = if dice.once_in(2) { 8 } else { 700 };
                let (piece, behind) = rest.split_at((1 + dice.below(most)).min(rest.len()));
                turns.push(Turn { direction, bytes: piece.to_vec() });
                rest = behind;
            }
        }
        stream.turns = turns;
    }
    stream
}

/// The same frames: of the segments of a connection some overtake their neighbour, and some come twice.
fn disordered(mut frames: Vec<Framed>, dice: &mut Dice) -> Vec<Framed> {
    // The handshake stays where it is; a stream is known by it.
    let mut place = 3;
    while place + 1 < frames.len() {
        if dice.once_in(4) {
            frames.swap(place, place + 1);
            place += 1;
        } else if dice.once_in(16) {
            frames.insert(place, frames[place].clone());
            place += 1;
        }
        place += 1;
    }
    frames
}

/// No canary leaves, and every control value does.
fn check(stream: &CanaryStream, frames: &[Framed], how: &str) -> Result<()> {
    let (facts, _) = stated::of_frames(frames);
    let encoded: Vec<u8> = facts.iter().flat_map(Fact::encode_to_vec).collect();
    if stream.canary_in(&encoded).is_some() {
        let leak = facts.iter().find(|fact| stream.canary_in(&fact.encode_to_vec()).is_some());
        anyhow::bail!("{}, {how}: {leak:?}", stream.name);
    }
    for (attribute, value) in &stream.expected {
        let is_stated = stated::observations(&facts)
            .any(|observation| observation.attribute() == *attribute && observation.value == *value);
        anyhow::ensure!(is_stated, "{}, {how}: {attribute:?} {value} is not stated", stream.name);
    }
    Ok(())
}
