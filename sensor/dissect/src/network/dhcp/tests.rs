//! Messages as RFC 2131, figure 1 and RFC 2132 lay them out.

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};
use proptest::prelude::*;

const CLIENT: [u8; 6] = [0, 9, 0xfb, 1, 2, 3];

/// A message with these addresses (client, your, gateway) and options, each with its code and value.
fn message(operation: u8, addresses: [[u8; 4]; 3], options: &[(u8, &[u8])]) -> Vec<u8> {
    let [client, your, gateway] = addresses;
    let mut bytes = vec![operation, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0];
    for ip in [client, your, [0; 4], gateway] {
        bytes.extend(ip);
    }
    bytes.extend(CLIENT);
    bytes.extend([0; 10 + 64 + 128]);
    bytes.extend([99, 130, 83, 99]);
    for (code, value) in options {
        bytes.extend([*code, value.len() as u8]);
        bytes.extend(*value);
    }
    bytes.push(255);
    bytes
}

const NONE: [u8; 4] = [0; 4];

fn flow() -> TestFlow {
    TestFlow::new(&[CANDIDATE])
        .with_initiator(address("0.0.0.0", 68))
        .with_responder(address("255.255.255.255", 67))
}

#[test]
fn a_client_is_known_by_its_hardware_address_and_by_what_it_asks_for() {
    let discover = message(
        1,
        [NONE; 3],
        &[(53, &[1]), (55, &[1, 15, 3, 6, 44, 46, 47, 31, 33, 43]), (60, b"MSFT 5.0"), (12, b"PUMP-7\0")],
    );
    let flow = flow().datagram(FromInitiator, &discover);
    assert_eq!(
        flow.said(),
        [
            "third 00:09:fb:01:02:03 role dhcp-client",
            "third 00:09:fb:01:02:03 dhcp_parameter_list 1,15,3,6,44,46,47,31,33,43",
            "third 00:09:fb:01:02:03 dhcp_vendor_class MSFT 5.0",
            "third 00:09:fb:01:02:03 host_name pump-7",
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Dhcp);
}

#[test]
fn a_client_that_renews_states_its_address() {
    let renew = message(1, [[10, 0, 0, 7], NONE, NONE], &[(53, &[3]), (81, b"\x04\0\0\x02p7\x04ward\0")]);
    let flow = flow().datagram(FromInitiator, &renew);
    assert_eq!(
        flow.said(),
        [
            "third 00:09:fb:01:02:03 10.0.0.7 ip_address 10.0.0.7",
            "third 00:09:fb:01:02:03 10.0.0.7 role dhcp-client",
            "third 00:09:fb:01:02:03 10.0.0.7 host_name p7.ward",
        ]
    );
}

#[test]
fn an_address_that_is_given_back_is_not_the_clients() {
    for kind in [4, 7] {
        let told = message(1, [[10, 0, 0, 7], NONE, NONE], &[(53, &[kind])]);
        let flow = flow().datagram(FromInitiator, &told);
        assert_eq!(flow.said(), ["third 00:09:fb:01:02:03 role dhcp-client"]);
    }
}

#[test]
fn an_address_that_is_only_asked_for_says_nothing() {
    let request = message(1, [NONE; 3], &[(53, &[3]), (50, &[10, 0, 0, 7]), (54, &[10, 0, 0, 1])]);
    assert!(flow().datagram(FromInitiator, &request).values(Attribute::IpAddress).is_empty());
}

#[test]
fn an_acknowledgement_binds_the_address_and_names_the_servers() {
    let options: &[(u8, &[u8])] =
        &[(53, &[5]), (54, &[10, 0, 0, 1]), (3, &[10, 0, 0, 254]), (6, &[10, 0, 0, 53, 8, 8, 8, 8])];
    let flow = TestFlow::new(&[CANDIDATE])
        .with_initiator(address("10.0.0.1", 67))
        .datagram(FromInitiator, &message(2, [NONE, [10, 0, 0, 7], NONE], options));
    assert_eq!(
        flow.said(),
        [
            "sender 10.0.0.1 role dhcp-server",
            "third 10.0.0.254 role router",
            "third 10.0.0.53 role dns-server",
            "third 00:09:fb:01:02:03 10.0.0.7 ip_address 10.0.0.7",
        ]
    );
}

#[test]
fn behind_a_relay_the_server_is_the_one_that_names_itself() {
    let relayed = message(2, [NONE, [10, 1, 0, 7], [10, 1, 0, 1]], &[(53, &[2]), (54, &[10, 0, 0, 1])]);
    let flow =
        TestFlow::new(&[CANDIDATE]).with_responder(address("10.1.0.1", 67)).datagram(FromResponder, &relayed);
    assert_eq!(flow.said(), ["third 10.1.0.1 role dhcp-relay", "third 10.0.0.1 role dhcp-server"]);
}

#[test]
fn an_offer_and_a_refusal_bind_nothing() {
    for kind in [2, 6] {
        let told = message(2, [NONE, [10, 0, 0, 7], NONE], &[(53, &[kind])]);
        assert!(flow().datagram(FromInitiator, &told).values(Attribute::IpAddress).is_empty());
    }
}

#[test]
fn an_active_lease_binds_the_address_and_the_query_for_it_says_nothing() {
    // RFC 4388: 10 is the query, 13 the answer that the lease is active.
    let mut query = message(1, [[10, 0, 0, 7], NONE, NONE], &[(53, &[10])]);
    query[1..3].fill(0);
    query[28..34].fill(0);
    let asked = flow().datagram(FromInitiator, &query);
    assert!(asked.said().is_empty());
    assert_eq!(asked.conversation.protocol(), Protocol::Dhcp);
    let active = message(2, [[10, 0, 0, 7], NONE, NONE], &[(53, &[13])]);
    assert_eq!(
        flow().datagram(FromResponder, &active).said()[1..],
        ["third 00:09:fb:01:02:03 10.0.0.7 ip_address 10.0.0.7"]
    );
}

#[test]
fn a_client_tells_its_enterprise_its_identifier_and_its_usage_description() {
    let class = [&311_u32.to_be_bytes()[..], &[8], b"MSFT 5.0"].concat();
    let identifier = [255, 9, 9, 9, 9, 0, 3, 0, 1, 1, 2, 3, 4, 5, 6];
    let discover = message(
        1,
        [NONE; 3],
        &[(53, &[1]), (61, &identifier), (124, &class), (161, b"https://pumps.example/p7")],
    );
    let third = "third 00:09:fb:01:02:03";
    assert_eq!(
        flow().datagram(FromInitiator, &discover).said(),
        [
            format!("{third} role dhcp-client"),
            format!("{third} enterprise_number 311"),
            format!("{third} dhcp_vendor_class MSFT 5.0"),
            format!("{third} dhcp_duid 00030001010203040506"),
            format!("{third} mud_url https://pumps.example/p7"),
        ]
    );
}

#[test]
fn a_relay_tells_at_which_of_its_ports_the_client_hangs() {
    let information = [1, 6, 0, 4, 0, 20, 1, 5, 2, 8, 0, 6, 0, 9, 0xfb, 7, 7, 7];
    let discover = message(1, [NONE, NONE, [10, 1, 0, 1]], &[(53, &[1]), (82, &information)]);
    assert_eq!(
        flow().datagram(FromInitiator, &discover).said(),
        [
            "third 10.1.0.1 role dhcp-relay",
            "third 00:09:fb:01:02:03 role dhcp-client",
            "third 00:09:fb:01:02:03 attached_port vlan 20 port 1/5",
            "third 00:09:fb:07:07:07 role dhcp-relay",
        ]
    );
}

#[test]
fn a_parameter_list_split_over_two_options_is_joined() {
    // RFC 3396: an option that is repeated is one option.
    let long = message(1, [NONE; 3], &[(53, &[1]), (55, &[1, 3]), (55, &[6])]);
    assert_eq!(flow().datagram(FromInitiator, &long).values(Attribute::DhcpParameterList), ["1,3,6"]);
}

#[test]
fn without_the_magic_cookie_it_is_something_else() {
    let mut bytes = message(1, [NONE; 3], &[(53, &[1])]);
    bytes[237] = 0;
    assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_a_bounded_number_of_things(
        bytes in any::<Vec<u8>>(),
        options in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..12),
        kind in 0_u8..20,
        cut in 0_usize..400,
    ) {
        let mut given: Vec<(u8, &[u8])> = vec![(53, std::slice::from_ref(&kind))];
        given.extend(options.iter().map(|(code, value)| (*code, value.as_slice())));
        let like = message(kind % 3, [[10, 0, 0, 7], [10, 0, 0, 8], NONE], &given);
        let cut = &like[..cut.min(like.len())];
        for bytes in [bytes.as_slice(), cut, &like] {
            prop_assert!(flow().datagram(FromInitiator, bytes).said().len() <= 30);
        }
    }
}
