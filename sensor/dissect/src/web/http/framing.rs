//! Where a message's head ends, and how long its body is (RFC 9112, 2.1 and 6.3).

use super::Method;
use super::fields::{BodyKind, Coding, Fields, Length};

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    /// So many octets.
    Length(u64),
    /// So many octets of a form.
    Form(u64),
    Chunked,
    /// All the rest of this direction.
    UntilClose,
    /// Another protocol, in both directions: a tunnel, or what was switched to.
    AnotherProtocol,
    /// Lengths that exclude each other.
    Contradictory,
}

/// The start line and the fields with the empty line behind them, once they have come.
pub(super) fn head(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        rest = rest.get(at + 1..)?;
        let empty = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => continue,
        };
        return bytes.get(..bytes.len() - rest.len() + empty);
    }
    None
}

pub(super) fn of_request(fields: &Fields<'_>) -> Body {
    if fields.coding == Coding::Chunked {
        return Body::Chunked;
    }
    match fields.length {
        Length::Octets(0) | Length::Unsaid => Body::None,
        Length::Octets(length) if fields.kind == BodyKind::Form => Body::Form(length),
        Length::Octets(length) => Body::Length(length),
        Length::Contradictory => Body::Contradictory,
    }
}

/// The body of an answer to what was asked, `None` where that is not known or the answer is not the final one.
pub(super) fn of_response(status: u16, asked: Option<Method>, fields: &Fields<'_>) -> Body {
    match (status, asked) {
        (101, _) | (200..300, Some(Method::Connect)) => return Body::AnotherProtocol,
        (100..200 | 204 | 304, _) | (_, Some(Method::Head)) => return Body::None,
        _ => {}
    }
    match (fields.coding, fields.length) {
        (Coding::Chunked, _) => Body::Chunked,
        (Coding::Endless, _) | (Coding::None, Length::Unsaid) => Body::UntilClose,
        (Coding::None, Length::Octets(0)) => Body::None,
        (Coding::None, Length::Octets(length)) => Body::Length(length),
        (Coding::None, Length::Contradictory) => Body::Contradictory,
    }
}
