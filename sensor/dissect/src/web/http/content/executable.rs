//! Executables, by what they begin with: a device that fetches one runs it, or passes it on.

use wardwatch_proto::v1::Attribute;

use super::Wanted;
use crate::Facts;
use crate::octets::{be32, piece};

/// Octets in which the second signature of a program for Windows must begin: linkers put it within the first 512.
const LONGEST_STUB: usize = 1024;

/// Tells whether a body begins like an executable. Few octets are enough to say that it does not.
pub(super) fn look(bytes: &[u8], is_all: bool, facts: &mut Facts<'_>) -> Wanted {
    match kind(bytes) {
        Kind::Is(kind) => {
            facts.of_sender(Attribute::ExecutableTransfer, kind);
            Wanted::Nothing
        }
        Kind::MayBe if !is_all => Wanted::More,
        Kind::MayBe | Kind::No => Wanted::Nothing,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Is(&'static str),
    MayBe,
    No,
}

fn kind(bytes: &[u8]) -> Kind {
    let Some(first) = be32(bytes, 0) else { return Kind::MayBe };
    match first {
        0x4D5A_0000..=0x4D5A_FFFF => portable_executable(bytes),
        // ELF, and in the next octets its class and the order of its octets.
        0x7F45_4C46 => match bytes {
            [_, _, _, _, 1 | 2, 1 | 2, 1, ..] => Kind::Is("elf"),
            bytes if bytes.len() < 7 => Kind::MayBe,
            _ => Kind::No,
        },
        0xFEED_FACE | 0xFEED_FACF | 0xCEFA_EDFE | 0xCFFA_EDFE => Kind::Is("mach-o"),
        // Several in one file. Classes of Java begin so too, and have the version where the number of programs stands:
        // 45 or more.
        0xCAFE_BABE => match be32(bytes, 4) {
            Some(1..=20) => Kind::Is("mach-o"),
            Some(_) => Kind::No,
            None => Kind::MayBe,
        },
        // `#!/`, `#! /`
        0x2321_2F00..=0x2321_2FFF | 0x2321_202F => Kind::Is("script"),
        _ => Kind::No,
    }
}

/// The offset of the second signature stands in octets 60 to 63 (PE format, MS-DOS stub).
fn portable_executable(bytes: &[u8]) -> Kind {
    let Some(offset) = piece(bytes, 60).map(u32::from_le_bytes) else { return Kind::MayBe };
    let Some(at) = usize::try_from(offset).ok().filter(|at| *at <= LONGEST_STUB) else { return Kind::No };
    match piece::<4>(bytes, at) {
        Some([b'P', b'E', 0, 0]) => Kind::Is("pe"),
        Some(_) => Kind::No,
        None => Kind::MayBe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(at: u8) -> Vec<u8> {
        let mut program = vec![0; 200];
        program[..2].copy_from_slice(b"MZ");
        program[60] = at;
        program[128..132].copy_from_slice(b"PE\0\0");
        program
    }

    #[test]
    fn executables_are_told_from_what_begins_alike() {
        for (bytes, found) in [
            (windows(128), Kind::Is("pe")),
            (windows(120), Kind::No),
            (windows(250), Kind::MayBe),
            (b"\x7FELF\x02\x01\x01\0".to_vec(), Kind::Is("elf")),
            (b"\x7FELF\x07\x01\x01\0".to_vec(), Kind::No),
            (b"\xCF\xFA\xED\xFE\x07\0\0\x01".to_vec(), Kind::Is("mach-o")),
            (b"\xCA\xFE\xBA\xBE\0\0\0\x02".to_vec(), Kind::Is("mach-o")),
            (b"\xCA\xFE\xBA\xBE\0\0\0\x34".to_vec(), Kind::No),
            (b"#!/bin/sh\n".to_vec(), Kind::Is("script")),
            (b"#! /usr/bin/perl".to_vec(), Kind::Is("script")),
            (b"#!html".to_vec(), Kind::No),
            (b"<html>".to_vec(), Kind::No),
            (b"MZ".to_vec(), Kind::MayBe),
        ] {
            assert_eq!(kind(&bytes), found, "{bytes:?}");
        }
    }
}
