//! The frame (KNX Standard 3/8/1, 2.3): length of the header, version 1.0, service, total length; and what must stand
//! behind it in each service, so that nothing else is taken for one.

use crate::octets::{be16, piece};

pub(super) const HEADER_LENGTH: u8 = 0x06;
const VERSION: u8 = 0x10;

const SEARCH_REQUEST: u16 = 0x0201;
pub(super) const SEARCH_RESPONSE: u16 = 0x0202;
const DESCRIPTION_REQUEST: u16 = 0x0203;
pub(super) const DESCRIPTION_RESPONSE: u16 = 0x0204;
const CONNECT_REQUEST: u16 = 0x0205;
const CONNECT_RESPONSE: u16 = 0x0206;
const STATE_REQUEST: u16 = 0x0207;
const STATE_RESPONSE: u16 = 0x0208;
const DISCONNECT_REQUEST: u16 = 0x0209;
const DISCONNECT_RESPONSE: u16 = 0x020A;
const SEARCH_REQUEST_EXTENDED: u16 = 0x020B;
pub(super) const SEARCH_RESPONSE_EXTENDED: u16 = 0x020C;
const CONFIGURATION_REQUEST: u16 = 0x0310;
const CONFIGURATION_ACK: u16 = 0x0311;
const TUNNELLING_REQUEST: u16 = 0x0420;
const TUNNELLING_ACK: u16 = 0x0421;
const FEATURE_GET: u16 = 0x0422;
pub(super) const FEATURE_RESPONSE: u16 = 0x0423;
const FEATURE_INFO: u16 = 0x0425;
const ROUTING_INDICATION: u16 = 0x0530;
const ROUTING_LOST: u16 = 0x0531;
const ROUTING_BUSY: u16 = 0x0532;
const SECURE_WRAPPER: u16 = 0x0950;
const SESSION_REQUEST: u16 = 0x0951;
const SESSION_RESPONSE: u16 = 0x0952;
const SESSION_AUTHENTICATE: u16 = 0x0953;
const SESSION_STATUS: u16 = 0x0954;
const TIMER_NOTIFY: u16 = 0x0955;

/// A whole frame of a known service in its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) service: u16,
    pub(super) body: &'a [u8],
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    /// A frame, and its length.
    Frame(Frame<'a>, usize),
    /// What may become one.
    NeedMore,
    /// Something else.
    Other,
}

pub(super) fn read(bytes: &[u8]) -> Read<'_> {
    let beginning = [HEADER_LENGTH, VERSION];
    if bytes.iter().zip(beginning).any(|(byte, wanted)| *byte != wanted) {
        return Read::Other;
    }
    let (Some(service), Some(length)) = (be16(bytes, 2), be16(bytes, 4).map(usize::from)) else {
        return Read::NeedMore;
    };
    if !is_known(service) || length < 8 {
        return Read::Other;
    }
    match bytes.get(6..length) {
        Some(body) if is_shaped(service, body) => Read::Frame(Frame { service, body }, length),
        Some(_) => Read::Other,
        None => Read::NeedMore,
    }
}

fn is_known(service: u16) -> bool {
    matches!(
        service,
        SEARCH_REQUEST..=SEARCH_RESPONSE_EXTENDED
            | CONFIGURATION_REQUEST
            | CONFIGURATION_ACK
            | TUNNELLING_REQUEST..=FEATURE_INFO
            | ROUTING_INDICATION..=ROUTING_BUSY
            | SECURE_WRAPPER..=TIMER_NOTIFY
    )
}

fn is_shaped(service: u16, body: &[u8]) -> bool {
    // An endpoint (HPAI): its length, UDP or TCP, address, port. A connection header: its length, channel, counter.
    let endpoint = |at| matches!(piece(body, at), Some([8, 1 | 2])) && body.len() >= at + 8;
    let connection = || body.first() == Some(&4) && body.len() >= 4;
    match service {
        SEARCH_REQUEST..=DESCRIPTION_REQUEST
        | SEARCH_REQUEST_EXTENDED
        | SEARCH_RESPONSE_EXTENDED
        | SESSION_REQUEST => endpoint(0),
        DESCRIPTION_RESPONSE => matches!(piece(body, 0), Some([54, 1])),
        CONNECT_REQUEST => endpoint(0) && endpoint(8),
        // Channel and status; when accepted, an endpoint and more.
        CONNECT_RESPONSE => body.len() == 2 || endpoint(2),
        STATE_REQUEST | DISCONNECT_REQUEST => endpoint(2),
        STATE_RESPONSE | DISCONNECT_RESPONSE => body.len() == 2,
        CONFIGURATION_REQUEST | TUNNELLING_REQUEST | FEATURE_GET..=FEATURE_INFO => {
            connection() && body.len() > 4
        }
        CONFIGURATION_ACK | TUNNELLING_ACK => connection() && body.len() == 4,
        // cEMI, a data indication.
        ROUTING_INDICATION => body.first() == Some(&0x29) && body.len() >= 11,
        ROUTING_LOST => body.first() == Some(&4) && body.len() == 4,
        ROUTING_BUSY => body.first() == Some(&6) && body.len() == 6,
        // Session, counter, serial number, tag, a frame in cipher, its code.
        SECURE_WRAPPER => body.len() >= 38,
        SESSION_RESPONSE => body.len() == 50,
        SESSION_AUTHENTICATE => body.len() == 18,
        SESSION_STATUS => body.len() == 2,
        TIMER_NOTIFY => body.len() == 30,
        _ => false,
    }
}

impl Frame<'_> {
    pub(super) fn is_secure(&self) -> bool {
        matches!(self.service, SECURE_WRAPPER..=TIMER_NOTIFY)
    }

    /// What the sender is to the receiver, where the service tells. Tunnelling goes both ways.
    pub(super) fn role(&self) -> Option<&'static str> {
        match self.service {
            SEARCH_REQUEST
            | SEARCH_REQUEST_EXTENDED
            | DESCRIPTION_REQUEST
            | CONNECT_REQUEST
            | STATE_REQUEST
            | SESSION_REQUEST
            | SESSION_AUTHENTICATE
            | FEATURE_GET => Some("knx-client"),
            SEARCH_RESPONSE
            | SEARCH_RESPONSE_EXTENDED
            | DESCRIPTION_RESPONSE
            | CONNECT_RESPONSE
            | STATE_RESPONSE
            | SESSION_RESPONSE
            | FEATURE_RESPONSE
            | FEATURE_INFO => Some("knx-server"),
            _ => None,
        }
    }
}
