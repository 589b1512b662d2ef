//! A connection that is joined behind its CONNECT: what is published and subscribed tells it, by the names in it.
//!
//! The fixed header alone is two octets that anything may begin with. So a message counts when its type allows its flags and
//! its length, when its names are text and fit, and when it ends where the bytes do or another such message begins.

use super::{Frame, binary, variable};
use crate::Probe;
use crate::octets::{be16, part};

/// Types of packets (5.0, 2.1.2), in the upper half of the first octet.
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;
const SUBACK: u8 = 9;
const UNSUBSCRIBE: u8 = 10;
const UNSUBACK: u8 = 11;

/// Octets of a topic of one level that is no accident.
const SHORTEST_WORD: usize = 4;

/// Whether the type allows these flags (5.0, 2.1.3) and so many octets.
fn fits(first: u8, length: usize) -> bool {
    let flags = first & 0xF;
    match first >> 4 {
        // Quality of service 3 does not exist, and what is sent without any is not sent twice.
        PUBLISH => flags & 6 != 6 && (flags & 8 == 0 || flags & 6 != 0) && length >= 3,
        // An identifier; with 5.0 a reason and properties.
        4 | 5 | 7 => flags == 0 && length >= 2,
        6 => flags == 2 && length >= 2,
        SUBSCRIBE => flags == 2 && length >= 6,
        UNSUBSCRIBE => flags == 2 && length >= 5,
        SUBACK | UNSUBACK => flags == 0 && length >= 2,
        // A sign of life and its answer.
        12 | 13 => flags == 0 && length == 0,
        14 => flags == 0,
        _ => false,
    }
}

/// Who sends such a message, where only one of the two does.
pub(super) fn role(kind: u8) -> Option<&'static str> {
    match kind {
        SUBSCRIBE | UNSUBSCRIBE => Some("mqtt-client"),
        SUBACK | UNSUBACK => Some("mqtt-broker"),
        _ => None,
    }
}

/// Certain on names where names have to be; undecided on what has none.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let (mut rest, mut has_names) = (bytes, false);
    while let Some(first) = rest.first() {
        let Ok(frame) = Frame::read(rest) else { return Probe::NotForUs };
        let Some(frame) = frame else { return Probe::Unsure };
        if !fits(*first, frame.length) {
            return Probe::NotForUs;
        }
        let Some(content) = part(rest, frame.header, frame.length) else { return Probe::Unsure };
        match frame.kind {
            PUBLISH if is_published(*first, content) => has_names = true,
            SUBSCRIBE | UNSUBSCRIBE if is_subscribed(frame.kind, content) => has_names = true,
            PUBLISH | SUBSCRIBE | UNSUBSCRIBE => return Probe::NotForUs,
            _ => {}
        }
        rest = rest.get(frame.header + frame.length..).unwrap_or_default();
    }
    if has_names { Probe::Certain } else { Probe::Unsure }
}

/// A topic of two levels or more, or a word, and where delivery is acknowledged an identifier (3.1.1, 3.3.2).
fn is_published(first: u8, content: &[u8]) -> bool {
    let Some((topic, end)) = binary(content, 0) else { return false };
    let has_identifier = first & 6 == 0 || be16(content, end).is_some_and(|identifier| identifier != 0);
    let is_word = topic.len() >= SHORTEST_WORD && topic.iter().all(u8::is_ascii_graphic);
    let is_topic = is_name(topic) && !topic.iter().any(|byte| b"#+".contains(byte));
    is_topic && (is_word || topic.contains(&b'/')) && has_identifier
}

/// An identifier, properties with 5.0, and filters to the last octet (3.1.1, 3.8.3 and 3.10.3; 5.0, 3.8.2).
fn is_subscribed(kind: u8, content: &[u8]) -> bool {
    let options = usize::from(kind == SUBSCRIBE);
    let are_filters = |mut rest: &[u8]| {
        while !rest.is_empty() {
            let Some((_, end)) = binary(rest, 0).filter(|(filter, _)| is_name(filter)) else {
                return false;
            };
            // Two bits of the options are the quality of service, the upper two are reserved.
            if options == 1 && rest.get(end).is_none_or(|option| option & 3 == 3 || option & 0xC0 != 0) {
                return false;
            }
            rest = rest.get(end + options..).unwrap_or_default();
        }
        true
    };
    let Some((identifier, behind)) = content.split_first_chunk::<2>() else { return false };
    let with_properties = || {
        let (length, octets) = variable(behind).ok()??;
        behind.get(octets.checked_add(length)?..).filter(|rest| !rest.is_empty())
    };
    *identifier != [0, 0] && (are_filters(behind) || with_properties().is_some_and(are_filters))
}

/// Text without control characters.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && str::from_utf8(name).is_ok_and(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::super::CANDIDATE;
    use crate::test_flow::TestFlow;
    use crate::{Outcome, TCP};
    use wardwatch_proto::v1::{Attribute, Protocol};

    /// Figures 3.11 and 3.20 of MQTT 3.1.1, 5.0's with no properties behind the identifier, signs of life.
    const PUBLISHED: &[u8] = b"\x32\x0B\0\x03a/b\0\x0A21.5";
    const SUBSCRIBED: &[u8] = b"\x82\x0E\0\x0A\0\x03a/b\x01\0\x03c/d\x02";
    const SUBSCRIBED_5: &[u8] = b"\x82\x09\0\x0A\0\0\x03a/b\x01";
    const PING: &[u8] = b"\xC0\0";

    #[test]
    fn what_is_published_and_subscribed_tells_it() {
        let unsubscribed = b"\xA2\x07\0\x0A\0\x03a/b";
        for bytes in [PUBLISHED, SUBSCRIBED, SUBSCRIBED_5, unsubscribed, b"\x30\x08\0\x04word21"] {
            let flow = TestFlow::new(TCP).ask(bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Mqtt, "{bytes:?}");
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
        assert_eq!(TestFlow::new(TCP).ask(SUBSCRIBED).values(Attribute::Role), ["mqtt-client"]);
        let among_others = TestFlow::new(TCP).ask(PING).answer(b"\xD0\0").ask(PING).answer(PUBLISHED);
        assert_eq!(among_others.conversation.protocol(), Protocol::Mqtt);
        assert_eq!(among_others.said(), [""; 0]);
    }

    #[test]
    fn a_message_that_comes_in_pieces_is_waited_for() {
        for cut in 1..PUBLISHED.len() {
            let (one, other) = PUBLISHED.split_at(cut);
            assert_eq!(TestFlow::new(&[CANDIDATE]).ask(one).conversation.protocol(), Protocol::Unspecified);
            assert_eq!(
                TestFlow::new(&[CANDIDATE]).ask(one).ask(other).conversation.protocol(),
                Protocol::Mqtt
            );
        }
    }

    #[test]
    fn what_only_resembles_it_is_not_taken() {
        for bytes in [
            // Signs of life alone; quality 3; a repetition of what is sent once; a topic that is short, with a wildcard, with
            // a control character, longer than the message; no identifier.
            PING,
            b"\x36\x0B\0\x03a/b\0\x0A21.5",
            b"\x38\x09\0\x03a/b21.5",
            b"\x30\x07\0\x03abc21",
            b"\x30\x07\0\x03a/#21",
            b"\x30\x07\0\x03a/\x0121",
            b"\x30\x07\0\x09a/b21",
            b"\x32\x07\0\x03a/b\0\0",
            // Something else behind it, a quality of service that does not exist, another reserved flag.
            b"\x30\x07\0\x03a/b21\xFF\xFF",
            b"\x82\x08\0\x0A\0\x03a/b\x03",
            b"\x80\x08\0\x0A\0\x03a/b\x01",
            // LDAP and SNMP begin with the same octet; a session of NetBIOS with that of a subscription.
            b"\x30\x0C\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
            b"\x82\0\0\0",
        ] {
            let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }
}
