//! Messages that are longer than what is put together of one.

use super::*;

#[test]
fn a_message_without_end_is_given_up() {
    let server_key_exchange = 12;
    for (kind, octet) in [(server_key_exchange, 0), (CERTIFICATE, 0xFF)] {
        let announced = [&[kind][..], &three(LONGEST_MESSAGE + 1), &[octet; 10]].concat();
        let flow = flow()
            .ask(&record(HANDSHAKE, &client_hello("pacs.example")))
            .answer(&record(HANDSHAKE, &[server_hello([3, 3], None), announced].concat()));
        assert_eq!(flow.conversation.outcome(), Outcome::Broken("handshake message longer than 64 KiB"));
    }
}

#[test]
fn of_a_chain_that_is_too_long_the_first_certificate_is_read() {
    let chain =
        [[&three(MACHINE.len())[..], MACHINE].concat(), [&three(70_000)[..], &vec![0; 70_000]].concat()]
            .concat();
    let message = handshake(CERTIFICATE, &[&three(chain.len())[..], &chain].concat());
    let messages = [server_hello([3, 3], None), message, handshake(SERVER_HELLO_DONE, &[])].concat();
    for longest in [100, 16_384] {
        let records: Vec<u8> =
            messages.chunks(longest).flat_map(|fragment| record(HANDSHAKE, fragment)).collect();
        let flow = flow().answer(&records);
        assert_eq!(flow.said(), self::flow().answer(&in_records(16_384)).said());
        assert_eq!(flow.conversation.outcome(), Outcome::Going);
    }
}
