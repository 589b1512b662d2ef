//! Messages of the name service (RFC 1002, 4.2).

use std::net::Ipv4Addr;

use super::name::Name;
use crate::octets::{be16, piece};

/// NB and NBSTAT, and the one class.
const NAME: u16 = 0x20;
const STATUS: u16 = 0x21;
const INTERNET: u16 = 1;

/// Why a request is refused, zero when it is not.
const RESPONSE_CODE: u16 = 0x000F;

/// Flags of the header: recursion is available from servers only.
const RECURSION_AVAILABLE: u16 = 0x0080;

/// Flags of names: of a group; active, when a status is told.
const GROUP: u16 = 0x8000;
const ACTIVE: u16 = 0x0400;

/// A message about a name.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) name: Name,
    pub(super) told: Told<'a, Addresses<'a>>,
    pub(super) is_of_server: bool,
}

/// What is told of the name.
#[derive(Debug)]
pub(super) enum Told<'a, Addresses> {
    /// It is only asked for, given back or refused.
    Nothing,
    /// It is to be the sender's.
    Claim { address: Ipv4Addr, is_group: bool },
    /// Who has it.
    Addresses(Addresses),
    /// All the sender's names, and the address of its hardware.
    Status { names: Vec<(Name, bool)>, unit: &'a [u8] },
}

/// Flags and addresses of who has a name.
#[derive(Clone, Debug)]
pub(super) struct Addresses<'a>(&'a [u8]);

impl Iterator for Addresses<'_> {
    type Item = (bool, Ipv4Addr);

    fn next(&mut self) -> Option<Self::Item> {
        let ([high, low, a, b, c, d], rest) = self.0.split_first_chunk::<6>()?;
        self.0 = rest;
        Some((u16::from_be_bytes([*high, *low]) & GROUP != 0, Ipv4Addr::new(*a, *b, *c, *d)))
    }
}

/// A message whose parts fill it.
pub(super) fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let flags = be16(bytes, 2)?;
    let counts: [u8; 8] = piece(bytes, 4)?;
    let operation = flags >> 11 & 0xF;
    let (name, rest) = Name::read(bytes.get(12..)?)?;
    let is_response = flags & 0x8000 != 0;
    let told = match (is_response, counts) {
        (false, [0, 1, 0, 0, 0, 0, 0, 0]) if operation == 0 => {
            question(rest)?.is_empty().then_some(Told::Nothing)?
        }
        // Registration, release, and refresh in both its numbers; with the name asked for and its record.
        (false, [0, 1, 0, 0, 0, 0, 0, 1]) if matches!(operation, 5 | 6 | 8 | 9 | 15) => {
            let record = name_of_record(question(rest)?)?;
            let (kind, data) = record_of(record)?;
            let (is_group, address) = Addresses(data).next()?;
            let is_one = kind == NAME && data.len() == 6;
            is_one.then_some(if operation == 6 {
                Told::Nothing
            } else {
                Told::Claim { address, is_group }
            })?
        }
        (true, [0, 0, 0, 1, 0, 0, 0, 0]) => {
            let (kind, data) = record_of(rest)?;
            match kind {
                NAME if operation == 0 && flags & RESPONSE_CODE == 0 && !data.is_empty() => {
                    Told::Addresses(Addresses(data))
                }
                STATUS if operation == 0 => status(data)?,
                // Refusals, and answers to registrations, which are the servers' or of who has the name already.
                NAME | 0x0A => Told::Nothing,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Message { name, told, is_of_server: is_response && flags & RECURSION_AVAILABLE != 0 })
}

/// What stands behind a question's type and class.
fn question(bytes: &[u8]) -> Option<&[u8]> {
    let known = matches!(be16(bytes, 0)?, NAME | STATUS) && be16(bytes, 2)? == INTERNET;
    bytes.get(4..).filter(|_| known)
}

/// What stands behind a record's name: a pointer to the question's, or the name again.
fn name_of_record(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(&[0xC0, 12]).or_else(|| Name::read(bytes).map(|(_, rest)| rest))
}

/// Type and data of the record that fills these bytes: type, class, time to live, length, data. Behind a status Windows sends
/// octets that belong to nothing.
fn record_of(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let kind = be16(bytes, 0)?;
    let (data, rest) = bytes.get(10..)?.split_at_checked(usize::from(be16(bytes, 8)?))?;
    let fits = be16(bytes, 2)? == INTERNET && (rest.is_empty() || kind == STATUS);
    fits.then_some((kind, data))
}

/// RFC 1002, 4.2.18.
fn status<A>(data: &[u8]) -> Option<Told<'_, A>> {
    let (count, rest) = data.split_first()?;
    let (table, unit) = rest.split_at_checked(usize::from(*count) * 18)?;
    let (entries, _) = table.as_chunks::<18>();
    let names = entries.iter().filter_map(|entry| {
        let flags = be16(entry, 16)?;
        let name = Name::of(piece(entry, 0)?);
        (flags & ACTIVE != 0).then_some((name, flags & GROUP != 0))
    });
    Some(Told::Status { names: names.collect(), unit: unit.get(..6)? })
}
