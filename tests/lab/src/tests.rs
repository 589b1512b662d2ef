//! The committed captures against the description of the hospital, and the guards that the lab relies on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::process::{self, Command};
use std::time::Duration;
use std::{env, fs};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::read::GzDecoder;
use tempfile::TempDir;
use wardwatch_skip::{skip, without_programs, without_root};

mod comparison;
mod play;

use super::namespace::Namespace;
use super::program::{Program, Service};
use super::{Device, Hospital, Lab, Scene};

/// A capture, read apart from the product's own code: classic pcap, little-endian, Ethernet.
struct Recorded {
    frames: Vec<Vec<u8>>,
    /// The payload of each TCP direction, in the order of arrival, each datagram, and what is not IPv4.
    texts: Vec<Vec<u8>>,
}

impl Recorded {
    fn read(lab: &Lab, area: &str) -> Self {
        let bytes = fs::read(lab.capture(area)).expect("the capture is committed");
        assert_eq!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1], "{area} is a classic pcap file with microseconds");
        assert_eq!(bytes[20..24], [1, 0, 0, 0], "{area} is of Ethernet");
        let mut frames = Vec::new();
        let mut rest = &bytes[24..];
        while !rest.is_empty() {
            let length = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
            assert_eq!(length(8), length(12), "no frame of {area} is cut");
            let end = 16 + length(8);
            frames.push(rest[16..end].to_vec());
            rest = &rest[end..];
        }
        let mut streams: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut texts = Vec::new();
        for frame in &frames {
            let Some(packet) = ipv4(frame) else {
                texts.push(frame.clone());
                continue;
            };
            let header = usize::from(packet[0] & 0x0f) * 4;
            let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
            let segment = &packet[header..total];
            match packet[9] {
                6 => {
                    let direction = [&packet[12..20], &segment[..4]].concat();
                    let payload = &segment[usize::from(segment[12] >> 4) * 4..];
                    streams.entry(direction).or_default().extend(payload);
                }
                17 => texts.push(segment[8..].to_vec()),
                _ => {}
            }
        }
        texts.extend(streams.into_values());
        // Web services compress what they answer.
        let unpacked: Vec<_> = texts.iter().flat_map(|text| gzipped(text)).collect();
        texts.extend(unpacked);
        Self { frames, texts }
    }

    fn says(&self, text: &str) -> bool {
        self.texts.iter().any(|stream| holds(stream, text.as_bytes()))
    }

    fn senders(&self) -> BTreeSet<String> {
        let mac = |frame: &[u8]| {
            frame[6..12].iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
        };
        self.frames.iter().map(|frame| mac(frame)).collect()
    }
}

/// Every gzip member in a stream (RFC 1952), unpacked.
fn gzipped(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts = stream.windows(3).enumerate().filter(|(_, window)| *window == [0x1f, 0x8b, 8]);
    let unpacked = starts.map(|(start, _)| {
        let mut text = Vec::new();
        GzDecoder::new(&stream[start..]).read_to_end(&mut text).map(|_| text)
    });
    // The three octets may be there by chance.
    unpacked.filter_map(Result::ok).collect()
}

fn ipv4(frame: &[u8]) -> Option<&[u8]> {
    (frame[12..14] == [0x08, 0x00]).then(|| &frame[14..])
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn lab() -> Lab {
    Lab::of_this_project().expect("the hospital is described")
}

/// The hospital whose software speaks what that of the first one does not.
fn other_lab() -> Lab {
    let description = Path::new(env!("CARGO_MANIFEST_DIR")).join("larkfield/hospital.toml");
    Lab::of(&description).expect("the other hospital is described")
}

/// Both hospitals, with their captures by area.
fn recorded() -> [(Hospital, BTreeMap<String, Recorded>); 2] {
    [lab(), other_lab()].map(|lab| {
        let areas = lab.areas().unwrap().into_iter();
        let captures = areas.map(|area| (area.clone(), Recorded::read(&lab, &area))).collect();
        (lab.hospital().clone(), captures)
    })
}

#[test]
fn who_takes_part_in_a_capture_is_who_is_described_to() {
    for (hospital, captures) in recorded() {
        for (area, capture) in &captures {
            let described: BTreeSet<String> =
                hospital.seen_in(area).filter_map(|device| device.mac.clone()).collect();
            assert_eq!(capture.senders(), described, "senders in {area}");
            for device in hospital.seen_in(area) {
                let Some(ip) = device.ip else { continue };
                let there = capture.frames.iter().any(|frame| holds(frame, &ip.octets()));
                assert!(there, "{area} has no address {ip} of {}", device.name);
            }
        }
        for device in &hospital.devices {
            assert!(!device.captures.is_empty(), "{} is in no capture", device.name);
            let are_there = device.captures.iter().all(|area| captures.contains_key(area));
            assert!(are_there, "captures of {}", device.name);
        }
    }
}

/// What the description says that a device says of itself.
fn sayings(device: &Device) -> impl Iterator<Item = &String> {
    let once =
        [&device.manufacturer, &device.model, &device.serial, &device.udi, &device.eui64, &device.location];
    let dhcp = device.dhcp.iter().flat_map(|dhcp| dhcp.vendor_class.iter().chain(&device.host_name));
    once.into_iter().flatten().chain(&device.versions).chain(dhcp)
}

/// Values that are no text on the wire: a serial number and a version of CIP, and a serial number of KNX.
const NUMBERS: [(&str, &str); 3] =
    [("boiler-1", "006C061A"), ("boiler-1", "20.11"), ("lighting-1", "0102:03040506")];

#[test]
fn what_devices_say_is_in_a_capture_that_they_are_in() {
    for (hospital, captures) in recorded() {
        for device in &hospital.devices {
            for saying in sayings(device) {
                let is_number = NUMBERS.contains(&(&device.name, saying));
                let said = device.captures.iter().any(|area| captures[area].says(saying));
                assert!(said != is_number, "\"{saying}\" of {} in {:?}", device.name, device.captures);
            }
        }
    }
}

/// Protocols that do not show a password, where they are the only ones that it is for.
const HIDING: &str = "SNMPv3, RADIUS";

#[test]
fn what_must_never_leave_a_sensor_is_there_to_be_withheld() {
    for (hospital, captures) in recorded() {
        let said = |text: &str| captures.values().any(|capture| capture.says(text));
        for patient in &hospital.patients {
            for text in [&patient.id, &patient.family, &patient.given, &patient.born] {
                assert!(said(text), "nobody speaks of \"{text}\"");
            }
        }
        for credential in &hospital.credentials {
            let basic = BASE64_STANDARD.encode(format!("{}:{}", credential.user, credential.secret));
            let is_there = said(&credential.secret) || said(&basic);
            let is_hidden = credential.protocol == HIDING;
            assert!(is_there != is_hidden, "the password of {}", credential.device);
            assert!(!is_hidden || said(&credential.user), "{} names no user", credential.device);
        }
    }
}

#[test]
fn captures_are_small_enough_for_the_repository() {
    for lab in [lab(), other_lab()] {
        let mut all = 0;
        for area in lab.areas().unwrap() {
            let size = fs::metadata(lab.capture(&area)).unwrap().len();
            assert!(size <= 300_000, "{area} has {size} bytes");
            all += size;
        }
        assert!(all <= 2_000_000, "{all} bytes together");
    }
}

#[test]
fn every_scene_is_played_by_the_hospitals_devices() {
    for lab in [lab(), other_lab()] {
        let hospital = lab.hospital().clone();
        for area in lab.areas().unwrap() {
            let scene = lab.scene(&area).unwrap();
            for name in scene.cast() {
                let device = hospital.device(name).unwrap();
                assert!(device.captures.contains(&area), "{name} acts in {area}");
            }
        }
    }
}

#[test]
fn the_other_hospital_fits_its_scenes() {
    let lab = other_lab();
    let mut acting = BTreeSet::new();
    for area in lab.areas().unwrap() {
        let scene = lab.scene(&area).unwrap();
        assert!(!scene.truths.is_empty(), "{area} says what is true");
        acting.extend(scene.cast().into_iter().map(str::to_owned));
    }
    let described: BTreeSet<String> =
        lab.hospital().devices.iter().map(|device| device.name.clone()).collect();
    assert_eq!(acting, described);
}

#[test]
fn words_in_braces_are_addresses() {
    let hospital = lab().hospital().clone();
    let step = |word: &str| {
        let scene = format!("[[step]]\non = \"ct-1\"\nrun = [\"echo\", \"{word}\"]");
        toml::from_str::<Scene>(&scene).unwrap().steps[0].words(&hospital)
    };
    assert_eq!(step("http://{pacs-1}:{ris-1}/").unwrap(), ["echo", "http://10.20.1.10:10.20.1.11/"]);
    assert!(step("{nobody}").unwrap_err().to_string().contains("nobody"));
    // A device that another one speaks for has none.
    assert!(step("{pump-1}").is_err());
    assert!(step("{pacs-1").is_err());
}

/// A namespace for a test and a program in it; `None`, and the test is skipped, where that cannot be.
fn program(test: &str, words: &[&str]) -> Option<(Namespace, TempDir, Program)> {
    let reason = without_root().or_else(|| without_programs(&["ip", "setpriv", "sysctl"]));
    if let Some(reason) = reason {
        skip!(test, reason);
        return None;
    }
    let namespace = Namespace::new(test).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let program = Program {
        namespace: namespace.name().to_owned(),
        host_name: Some("ward-1".into()),
        words: words.iter().map(Into::into).collect(),
        environment: Vec::new(),
        folder: env::temp_dir(),
        output: None,
        log: scratch.path().join("log"),
    };
    Some((namespace, scratch, program))
}

fn namespaces() -> String {
    let listed = Command::new("ip").args(["netns", "list"]).output().unwrap();
    String::from_utf8(listed.stdout).unwrap()
}

#[test]
fn a_program_that_fails_is_quoted() {
    let test = "a_program_that_fails_is_quoted";
    let Some((_namespace, _scratch, program)) = program(test, &["sh", "-c", "echo no such image; exit 3"])
    else {
        return;
    };
    let error = program.run(Duration::from_secs(30), 0).unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("no such image"), "{error}");
}

#[test]
fn a_program_has_its_devices_host_name() {
    let test = "a_program_has_its_devices_host_name";
    let Some((_namespace, scratch, program)) = program(test, &["hostname"]) else { return };
    program.run(Duration::from_secs(30), 0).unwrap();
    assert_eq!(fs::read_to_string(scratch.path().join("log")).unwrap(), "ward-1\n");
}

#[test]
fn a_program_that_is_to_fail_may() {
    let Some((_namespace, _scratch, program)) = program("a_program_that_is_to_fail_may", &["false"]) else {
        return;
    };
    program.run(Duration::from_secs(30), 1).unwrap();
}

#[test]
fn programs_and_namespaces_are_gone_afterwards() {
    let test = "programs_and_namespaces_are_gone_afterwards";
    // The shell waits for a child of its own: both have to go.
    let Some((namespace, scratch, program)) = program(test, &["sh", "-c", "sleep 600; true"]) else { return };
    let service = Service::start(program).unwrap();
    let id = service.id();
    let name = namespace.name().to_owned();
    assert!(name.contains(&process::id().to_string()), "{name} tells whose it is");
    assert!(namespaces().contains(&name));
    drop(service);
    drop(namespace);
    drop(scratch);
    assert!(!fs::exists(format!("/proc/{id}")).unwrap());
    assert!(!namespaces().contains(&name));
}
