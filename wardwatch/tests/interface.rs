//! `wardwatch up --iface` on a wire of the test's own: two network namespaces joined by a veth pair.

mod rig;

use std::process::Command;

use rig::Rig;
use wardwatch_tests::skip;

/// Two hosts on one wire; the namespaces and the wire go with it.
struct Wire {
    watcher: String,
    talker: String,
}

impl Wire {
    fn new() -> Self {
        let id = std::process::id();
        let wire = Self { watcher: format!("ww-watch-{id}"), talker: format!("ww-talk-{id}") };
        for namespace in [&wire.watcher, &wire.talker] {
            ip(&["netns", "add", namespace]);
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
        }
        let (near, far) = (["netns", wire.watcher.as_str()], ["netns", wire.talker.as_str()]);
        ip(&[
            "link", "add", "name", "wire0", near[0], near[1], "type", "veth", "peer", "name", "wire1",
            far[0], far[1],
        ]);
        for (namespace, end, address) in
            [(&wire.watcher, "wire0", "10.77.0.1/24"), (&wire.talker, "wire1", "10.77.0.2/24")]
        {
            ip(&["-n", namespace, "address", "add", address, "dev", end]);
            ip(&["-n", namespace, "link", "set", end, "up"]);
        }
        wire
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for namespace in [&self.watcher, &self.talker] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).status();
        }
    }
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("ip can be run");
    assert!(status.success(), "ip {}", arguments.join(" "));
}

#[test]
fn devices_on_a_live_wire_are_seen() {
    let test = "devices_on_a_live_wire_are_seen";
    if skip::unless_root(test) || skip::unless_program(test, "ip") || skip::unless_clickhouse(test) {
        return;
    }
    let wire = Wire::new();
    let rig = Rig::new();
    let mut running = rig.start_in(&wire.watcher, &["up", "--iface", "wire0", "--log", "info"]);
    running.until("watching");
    // Asking for an address on the wire is an ARP request that the watcher's kernel answers: both ends speak.
    let script = "import socket, time\n\
                  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
                  for n in range(20):\n    s.sendto(b'x' * 100, ('10.77.0.1', 9)); time.sleep(0.05)";
    let spoke = Command::new("ip").args(["netns", "exec", &wire.talker, "python3", "-c", script]).status();
    assert!(spoke.expect("python3 can be run").success());
    assert!(running.stop().success(), "it stops in order");
    assert_eq!(rig.count("SELECT sum(initiator_packets) FROM v_flows WHERE initiator_address = '10.77.0.2' AND responder_port = 9"), 20);
    assert_eq!(rig.count("SELECT count() FROM v_devices WHERE has(ips, '10.77.0.2')"), 1);
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    if skip::unless_root("an_interface_that_is_not_there_is_named")
        || skip::unless_clickhouse("an_interface_that_is_not_there_is_named")
    {
        return;
    }
    let said = Rig::new().run(&["up", "--iface", "nowhere0"]);
    assert!(!said.status.success());
    assert!(said.err.contains("there is no network interface nowhere0"), "{}", said.err);
}
