//! The outline of a message: whether its header is plausible, and its sections fill it exactly.
//!
//! This is what recognition rests on, so it asks nothing of the contents: record types come and go, but a name, a
//! type, a class, a time and a length make up every record (RFC 1035, 4.1).

/// Records that are looked at in one message. Zone transfers have more, and say nothing about devices that smaller
/// answers would not.
pub(super) const MOST_RECORDS: usize = 512;

/// The first octets of a message (RFC 1035, 4.1.1).
const HEADER: usize = 12;

/// The longest name, lengths of its labels included (RFC 1035, 2.3.4).
const LONGEST_NAME: usize = 255;

/// A message whose parts fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    flags: u16,
    questions: u16,
    answers: u16,
    authorities: u16,
    additionals: u16,
    /// Every question is of a class that exists; the top bit, which multicast DNS uses, does not count.
    classes_known: bool,
    /// A question for a NetBIOS name (RFC 1002, 4.2): the same layout, another protocol.
    netbios: bool,
}

impl Outline {
    fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    fn opcode(&self) -> u16 {
        self.flags >> 11 & 0xF
    }

    /// RCODE (RFC 1035, 4.1.1).
    fn response_code(&self) -> u16 {
        self.flags & 0xF
    }

    /// A message between a host and a name server: one question, and with a query nothing that only an answer has.
    pub(super) fn is_unicast_dns(&self) -> bool {
        // Query, notify and update are in use (RFC 1035, 1996, 2136).
        let opcode = self.opcode();
        let query_is_bare =
            opcode != 0 || self.answers == 0 && self.authorities <= 1 && self.additionals <= 4;
        matches!(opcode, 0 | 4 | 5)
            && self.questions == 1
            && self.classes_known
            && !self.netbios
            && (self.is_response() || self.response_code() == 0 && query_is_bare)
    }

    /// A message to everybody on the link: neither operation nor response code (RFC 6762, 18.3 and 18.11).
    pub(super) fn is_multicast_dns(&self) -> bool {
        let something = self.questions > 0 || self.answers > 0;
        self.opcode() == 0 && self.response_code() == 0 && self.classes_known && !self.netbios && something
    }

    /// A question.
    pub(super) fn is_query(&self) -> bool {
        !self.is_response() && self.opcode() == 0
    }

    /// A name server's answer to a query: there are records, or the name does not exist. A refusal is what hosts send
    /// that are no name servers.
    pub(super) fn is_answer(&self) -> bool {
        self.is_response() && self.opcode() == 0 && matches!(self.response_code(), 0 | 3)
    }

    /// A name server's answer with something in it.
    pub(super) fn has_answers(&self) -> bool {
        self.is_answer() && self.response_code() == 0 && self.answers > 0
    }

    /// An answer of multicast DNS.
    pub(super) fn is_announcement(&self) -> bool {
        self.is_response() && self.is_multicast_dns()
    }

    /// Whether the message is small enough to be read record by record.
    pub(super) fn is_readable(&self) -> bool {
        self.questions <= 64 && self.records() <= MOST_RECORDS
    }

    fn records(&self) -> usize {
        [self.answers, self.authorities, self.additionals].into_iter().map(usize::from).sum()
    }
}

/// The outline, when the sections fill the message to its last octet.
pub(super) fn outline(message: &[u8]) -> Option<Outline> {
    let mut outline = header(message, message.len())?;
    let mut at = HEADER;
    for _ in 0..outline.questions {
        let behind_name = skip_name(message, at)?;
        let [kind, class] = fields(message, behind_name)?;
        outline.classes_known &= kind != 0 && matches!(class & 0x7FFF, 1 | 3 | 4 | 254 | 255);
        outline.netbios |= matches!(kind, 0x20 | 0x21) && is_netbios_name(message, at);
        at = behind_name + 4;
    }
    for _ in 0..outline.records() {
        // Behind the name: type, class, time to live, length of the data.
        let behind_name = skip_name(message, at)?;
        let [length] = fields(message, behind_name + 8)?;
        at = behind_name + 10 + usize::from(length);
    }
    (at == message.len()).then_some(outline)
}

/// Whether the beginning of a message of this length may be DNS once the rest has come.
pub(super) fn may_become_dns(beginning: &[u8], length: usize) -> bool {
    if length < HEADER + 5 {
        return false;
    }
    if beginning.len() < HEADER {
        return true;
    }
    header(beginning, length).is_some_and(|outline| outline.is_unicast_dns())
}

/// The header, when as much as it counts can stand in a message of this length.
fn header(message: &[u8], length: usize) -> Option<Outline> {
    let [_id, flags, questions, answers, authorities, additionals] = fields(message, 0)?;
    let outline =
        Outline { flags, questions, answers, authorities, additionals, classes_known: true, netbios: false };
    // A question takes five octets at least, a record eleven. One bit of the flags must be zero, and of the response
    // codes eleven are assigned (RFC 6895, 2.3).
    let least = HEADER + 5 * usize::from(questions) + 11 * outline.records();
    (least <= length && flags & 0x40 == 0 && outline.response_code() <= 11).then_some(outline)
}

/// Two octets each.
fn fields<const COUNT: usize>(message: &[u8], at: usize) -> Option<[u16; COUNT]> {
    let (pairs, _) = message.get(at..)?.as_chunks::<2>();
    let pairs: &[[u8; 2]; COUNT] = pairs.first_chunk()?;
    Some(pairs.map(u16::from_be_bytes))
}

/// The offset behind the name that begins here (RFC 1035, 4.1.4): labels, and a zero or a pointer to their rest.
fn skip_name(message: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin;
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => return Some(at + 1),
            1..=63 => at += 1 + length,
            0xC0.. => {
                let [pointer] = fields(message, at)?;
                let target = usize::from(pointer & 0x3FFF);
                // What it points to stands before it.
                return (HEADER..begin.max(HEADER + 1)).contains(&target).then_some(at + 2);
            }
            _ => return None,
        }
        if at - begin > LONGEST_NAME {
            return None;
        }
    }
}

/// Sixteen octets in half-octets, each as a letter from A to P (RFC 1001, 14.1).
fn is_netbios_name(message: &[u8], at: usize) -> bool {
    message.get(at..at + 33).and_then(<[u8]>::split_first).is_some_and(|(length, label)| {
        *length == 32 && label.iter().all(|letter| (b'A'..=b'P').contains(letter))
    })
}
