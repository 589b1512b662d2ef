//! One scene, played for the real sensor at the lab's mirror ports.

use std::env;

use super::{lab, skip};
use crate::comparison::compare;
use crate::report;
use crate::sensor::Means;

/// The building's scene is the smallest that has several protocols, and most of its software is Python.
const SCENE: &str = "building";

#[test]
fn the_sensor_finds_the_building_by_each_means() {
    let test = "the_sensor_finds_the_building_by_each_means";
    if skip::unless_root_with(
        test,
        &["ip", "tc", "ethtool", "setpriv", "sysctl", "tcpdump", "snmpd", "snmpget"],
    ) {
        return;
    }
    let this = env::current_exe().unwrap();
    let sensor = this.ancestors().skip(1).take(2).map(|folder| folder.join("wardwatch-sensor"));
    let Some(sensor) = sensor.into_iter().find(|program| program.is_file()) else {
        return skip::skip(test, "needs the program wardwatch-sensor: `cargo build -p wardwatch-sensor`");
    };
    let lab = lab();
    if let Err(error) = lab.python() {
        return skip::skip(test, &format!("needs the lab's Python packages: {error:#}"));
    }
    let played = lab.play(SCENE, Some(&sensor), &Means::ALL).unwrap();
    let comparison = compare(lab.hospital(), &lab.scene(SCENE).unwrap(), &played);
    assert!(comparison.agrees(), "{}", report::tables(&comparison, true));
    for (means, counted) in &comparison.counted {
        assert_eq!(counted.dropped_by_kernel, 0, "by {}", means.name());
        assert!(comparison.count(*means, crate::comparison::Verdict::Found) > 40, "by {}", means.name());
    }
}
