//! The program that hands frames to our sockets: a few BPF instructions, written out (RFC 9669), so that no compiler for BPF is
//! needed. The kernel runs it on each frame before its own network stack sees the frame.

/// One instruction, as the kernel takes it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    code: u8,
    /// Destination in the low half, source in the high half.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn instruction(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code, registers: to | from << 4, offset, immediate }
}

// `linux/bpf.h`: functions of the kernel by number, offsets in `struct xdp_md`, and verdicts.
const KTIME_GET_NS: i32 = 5;
const REDIRECT_MAP: i32 = 51;
const XDP_ADJUST_META: i32 = 54;
const DATA: i16 = 0;
const DATA_META: i16 = 8;
const RX_QUEUE_INDEX: i16 = 16;
/// A frame from a queue without a socket goes its usual way.
const XDP_PASS: i32 = 2;
/// The immediate of a 64-bit load is the descriptor of a map.
const PSEUDO_MAP_FD: u8 = 1;

/// Octets that the program with the clock stores before the frame.
pub(super) const METADATA: u8 = 8;

const fn load_u32(to: u8, from: u8, offset: i16) -> Instruction {
    instruction(0x61, to, from, offset, 0)
}

const fn copy(to: u8, from: u8) -> Instruction {
    instruction(0xbf, to, from, 0, 0)
}

const fn set(to: u8, value: i32) -> Instruction {
    instruction(0xb7, to, 0, 0, value)
}

const fn call(function: i32) -> Instruction {
    instruction(0x85, 0, 0, 0, function)
}

/// `return redirect_map(map, context->rx_queue_index, XDP_PASS)`, with the context in r1.
pub(super) const fn redirect(map: i32) -> [Instruction; 6] {
    [
        load_u32(2, 1, RX_QUEUE_INDEX),
        instruction(0x18, 1, PSEUDO_MAP_FD, 0, map),
        instruction(0, 0, 0, 0, 0), // the second half of the load
        set(3, XDP_PASS),
        call(REDIRECT_MAP),
        instruction(0x95, 0, 0, 0, 0), // exit
    ]
}

/// The same after storing the kernel's monotonic clock in the 8 octets before the frame. Where the driver has no room for
/// that, the frame goes on without.
pub(super) const fn redirect_with_time(map: i32) -> [Instruction; 18] {
    let [queue, map, map_rest, otherwise, call_redirect, exit] = redirect(map);
    [
        copy(6, 1), // calls spoil r1 to r5
        set(2, -(METADATA as i32)),
        call(XDP_ADJUST_META),
        instruction(0x55, 0, 0, 7, 0), // if it was refused, go on with `restore`
        call(KTIME_GET_NS),
        load_u32(1, 6, DATA_META),
        load_u32(2, 6, DATA),
        copy(3, 1),
        instruction(0x07, 3, 0, 0, METADATA as i32),
        instruction(0x2d, 3, 2, 1, 0), // the verifier wants to see that there is room: else go on with `restore`
        instruction(0x7b, 1, 0, 0, 0), // store r0
        copy(1, 6),                    // restore
        queue,
        map,
        map_rest,
        otherwise,
        call_redirect,
        exit,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_lead_to_where_the_context_is_restored() {
        let program = redirect_with_time(3);
        for (place, jump) in program.iter().enumerate().filter(|(_, one)| matches!(one.code, 0x55 | 0x2d)) {
            let target = place + 1 + usize::try_from(jump.offset).unwrap();
            assert_eq!(program[target], copy(1, 6));
        }
        assert_eq!(program[12..], redirect(3), "then both are the same");
    }

    #[test]
    fn an_instruction_has_eight_octets() {
        assert_eq!(size_of::<Instruction>(), 8);
        assert_eq!(copy(6, 1).registers, 0x16);
    }
}
