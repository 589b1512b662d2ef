//! Type, length, value (IEEE 802.1AB-2016, 8.4): seven bits, nine bits, and as many octets as these say.

pub(super) const CHASSIS_ID: u8 = 1;
pub(super) const PORT_ID: u8 = 2;
pub(super) const TIME_TO_LIVE: u8 = 3;
pub(super) const PORT_DESCRIPTION: u8 = 4;
pub(super) const SYSTEM_NAME: u8 = 5;
pub(super) const SYSTEM_DESCRIPTION: u8 = 6;
pub(super) const SYSTEM_CAPABILITIES: u8 = 7;
pub(super) const MANAGEMENT_ADDRESS: u8 = 8;
pub(super) const ORGANISATION: u8 = 127;

/// One statement of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tlv<'a> {
    pub(super) kind: u8,
    pub(super) value: &'a [u8],
}

/// What stands one after the other, to the end mark or to one that runs over the end.
#[derive(Clone, Debug)]
pub(super) struct Tlvs<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[first, second], rest) = std::mem::take(&mut self.0).split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes([first & 1, second]));
        let (value, rest) = rest.split_at_checked(length)?;
        let kind = first >> 1;
        if kind == 0 {
            return None;
        }
        self.0 = rest;
        Some(Tlv { kind, value })
    }
}
