//! Against the published test vectors of the Community ID specification (version 1, seed 0).

use std::net::IpAddr;

use wardwatch_flow::community_id::{CommunityId, icmp_ports};

fn id(protocol: u8, source: &str, source_port: u16, destination: &str, destination_port: u16) -> String {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    CommunityId::new(protocol, (address(source), source_port), (address(destination), destination_port))
        .to_string()
}

fn icmp(protocol: u8, source: &str, destination: &str, kind: u8, code: u8) -> String {
    let (source_port, destination_port, _) = icmp_ports(protocol, kind, code);
    id(protocol, source, source_port, destination, destination_port)
}

#[test]
fn tcp_is_the_same_in_both_directions() {
    let expected = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
    assert_eq!(id(6, "128.232.110.120", 34855, "66.35.250.204", 80), expected);
    assert_eq!(id(6, "66.35.250.204", 80, "128.232.110.120", 34855), expected);
}

#[test]
fn ports_are_compared_as_numbers() {
    assert_eq!(id(6, "10.0.0.1", 10, "10.0.0.2", 11569), "1:SXBGMX1lBOwhhoDrZynfROxnhnM=");
}

#[test]
fn tcp_over_ipv6() {
    assert_eq!(
        id(6, "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25),
        "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="
    );
}

#[test]
fn udp_is_the_same_in_both_directions() {
    let expected = "1:d/FP5EW3wiY1vCndhwleRRKHowQ=";
    assert_eq!(id(17, "192.168.1.52", 54585, "8.8.8.8", 53), expected);
    assert_eq!(id(17, "8.8.8.8", 53, "192.168.1.52", 54585), expected);
}

#[test]
fn sctp_has_ports() {
    let expected = "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=";
    assert_eq!(id(132, "192.168.170.8", 7, "192.168.170.56", 80), expected);
    assert_eq!(id(132, "192.168.170.56", 80, "192.168.170.8", 7), expected);
}

#[test]
fn icmp_echo_request_and_reply_belong_together() {
    let expected = "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=";
    assert_eq!(icmp(1, "192.168.0.89", "192.168.0.1", 8, 0), expected);
    assert_eq!(icmp(1, "192.168.0.1", "192.168.0.89", 0, 0), expected);
    // The code of a type that has a counterpart is ignored.
    assert_eq!(icmp(1, "192.168.0.1", "192.168.0.89", 0, 20), expected);
}

#[test]
fn icmp_types_without_a_counterpart_go_one_way() {
    assert_eq!(icmp(1, "192.168.0.89", "192.168.0.1", 20, 0), "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=");
    assert_eq!(icmp(1, "192.168.0.89", "192.168.0.1", 20, 1), "1:tz/fHIDUHs19NkixVVoOZywde+I=");
}

#[test]
fn icmpv6_neighbour_solicitation_and_advertisement_belong_together() {
    let expected = "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=";
    assert_eq!(icmp(58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0), expected);
    assert_eq!(icmp(58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0), expected);
}

#[test]
fn icmpv6_types_without_a_counterpart_differ_by_direction() {
    let (a, b) = ("3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da");
    assert_eq!(icmp(58, a, b, 3, 0), "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=");
    assert_eq!(icmp(58, b, a, 3, 0), "1:/OGBt9BN1ofenrmSPWYicpij2Vc=");
}

#[test]
fn protocols_without_ports_take_the_addresses_only() {
    assert_eq!(id(46, "10.1.24.4", 0, "10.1.12.1", 0), "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=");
    assert_eq!(id(46, "10.1.12.1", 0, "10.1.24.4", 0), "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=");
}
