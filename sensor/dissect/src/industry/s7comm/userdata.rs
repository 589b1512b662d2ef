//! Userdata: functions of the controller's operating system, among them the reading of system status lists, which may
//! come in several answers.

use crate::octets::{be16, part};

/// The parameters of a userdata message: 00 01 12, length, method, type and group, function, sequence, and in answers the
/// reference of the data unit, whether more follow, and an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) is_answer: bool,
    group: u8,
    function: u8,
    reference: u8,
    has_more: bool,
    is_error: bool,
}

/// Groups, and functions in them.
const CPU: u8 = 4;
const READ_LIST: u8 = 1;
const SECURITY: u8 = 5;
const ENTER_PASSWORD: u8 = 1;

/// The answer's type, in the high half of the octet whose low half is the group.
const REQUEST: u8 = 4;
const RESPONSE: u8 = 8;

impl Parameters {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [0, 1, 0x12, length, _method, kind, function, _sequence, rest @ ..] = bytes else { return None };
        if usize::from(*length) != bytes.len() - 4 {
            return None;
        }
        let is_answer = match kind >> 4 {
            REQUEST => false,
            RESPONSE => true,
            _ => return None,
        };
        let (reference, more) = (rest.first().copied(), rest.get(1).copied());
        Some(Self {
            is_answer,
            group: kind & 0x0F,
            function: *function,
            reference: reference.unwrap_or_default(),
            has_more: more.is_some_and(|more| more != 0),
            is_error: be16(rest, 2).is_some_and(|error| error != 0),
        })
    }

    pub(super) fn is_password(self) -> bool {
        (self.group, self.function) == (SECURITY, ENTER_PASSWORD)
    }
}

/// Octets of the longest list that is put together.
const LONGEST_LIST: usize = 8 * 1024;

/// A list of which more is to come.
#[derive(Debug, Default)]
pub(super) struct Lists {
    reference: u8,
    partial: Vec<u8>,
}

impl Lists {
    /// Takes up an answer; gives the list once it is whole.
    pub(super) fn take(&mut self, parameters: Parameters, data: &[u8]) -> Option<Vec<u8>> {
        if (parameters.group, parameters.function) != (CPU, READ_LIST) || parameters.is_error {
            return None;
        }
        // Return code (FF: good), how the length counts (09: in octets), length.
        let [0xFF, 9, ..] = data else { return None };
        let piece = part(data, 4, be16(data, 2)?.into())?;
        if self.reference != parameters.reference || parameters.reference == 0 {
            self.partial.clear();
        }
        self.reference = parameters.reference;
        if self.partial.len() + piece.len() > LONGEST_LIST {
            self.partial.clear();
            return None;
        }
        self.partial.extend_from_slice(piece);
        if parameters.has_more { None } else { Some(std::mem::take(&mut self.partial)) }
    }
}
