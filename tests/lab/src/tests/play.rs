//! One scene, played for the real sensor at the lab's mirror ports.

use std::env;

use wardwatch_skip::{skip, without_programs, without_root};

use super::lab;
use crate::comparison::{Verdict, compare};
use crate::network::Network;
use crate::report;
use crate::sensor::Means;

/// The bedside's scene is quick, has devices that others speak for, and needs no services of the system.
const SCENE: &str = "bedside";

/// What the lab itself needs.
const PROGRAMS: [&str; 8] = ["ip", "tc", "ethtool", "setpriv", "unshare", "sysctl", "tcpdump", "python3"];

#[test]
fn the_sensor_finds_the_bedside_by_each_means() {
    let test = "the_sensor_finds_the_bedside_by_each_means";
    if let Some(reason) = without_root().or_else(|| without_programs(&PROGRAMS)) {
        return skip!(test, reason);
    }
    let this = env::current_exe().unwrap();
    let sensor = this.ancestors().skip(1).take(2).map(|folder| folder.join("wardwatch-sensor"));
    let Some(sensor) = sensor.into_iter().find(|program| program.is_file()) else {
        return skip!(test, "needs the program wardwatch-sensor: `cargo build -p wardwatch-sensor`");
    };
    let lab = lab();
    let scene = lab.scene(SCENE).unwrap();
    if let Err(error) = Network::build(lab.hospital(), &scene, &Means::ALL) {
        return skip!(test, format!("needs namespaces and mirror ports: {error:#}"));
    }
    if let Err(error) = lab.python() {
        return skip!(test, format!("needs the lab's Python packages: {error:#}"));
    }
    let played = lab.play(SCENE, Some(&sensor), &Means::ALL).unwrap();
    let comparison = compare(lab.hospital(), &scene, &played);
    assert!(comparison.agrees(), "{}", report::tables(&comparison, true));
    for (means, counted) in &comparison.counted {
        assert_eq!(counted.dropped_by_kernel, 0, "by {}", means.name());
        assert!(comparison.count(*means, Verdict::Found) > 40, "by {}", means.name());
    }
}
