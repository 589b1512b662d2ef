//! DICOM written by the standard: PDUs (PS3.8, 9.3), command sets (PS3.7, 6.3) and data elements (PS3.5, 7.1).

/// `1.2.840.10008.1.2`.
pub(crate) const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
/// `1.2.840.10008.1.2.1`.
pub(crate) const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
/// `1.2.840.10008.1.2.2`.
pub(crate) const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
/// `1.2.840.10008.1.2.1.99`.
pub(crate) const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// A PDU of this type.
pub(crate) fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &(body.len() as u32).to_be_bytes(), body].concat()
}

/// A variable item of an association PDU.
pub(crate) fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

/// An application entity title in its field of 16 octets.
fn title(title: &str) -> [u8; 16] {
    let mut field = [b' '; 16];
    field.iter_mut().zip(title.bytes()).for_each(|(to, from)| *to = from);
    field
}

fn associate(kind: u8, called: &str, calling: &str, items: &[Vec<u8>], user: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend(title(called));
    body.extend(title(calling));
    body.extend([0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    body.extend(items.concat());
    body.extend(item(0x50, &user.concat()));
    pdu(kind, &body)
}

/// A-ASSOCIATE-RQ with these contexts (number, abstract syntax, transfer syntax) and user information sub-items.
pub(crate) fn request(
    called: &str,
    calling: &str,
    contexts: &[(u8, &str, &str)],
    user: &[Vec<u8>],
) -> Vec<u8> {
    let context = |(id, sop_class, transfer): &(u8, &str, &str)| {
        let syntaxes = [item(0x30, sop_class.as_bytes()), item(0x40, transfer.as_bytes())].concat();
        // The third octet is reserved, and DCMTK fills it.
        item(0x20, &[&[*id, 0, 0xFF, 0], &syntaxes[..]].concat())
    };
    associate(1, called, calling, &contexts.iter().map(context).collect::<Vec<_>>(), user)
}

/// A-ASSOCIATE-AC with these contexts (number, result, transfer syntax) and user information sub-items.
pub(crate) fn accept(called: &str, calling: &str, contexts: &[(u8, u8, &str)], user: &[Vec<u8>]) -> Vec<u8> {
    let context = |(id, result, transfer): &(u8, u8, &str)| {
        item(0x21, &[&[*id, 0, *result, 0], &item(0x40, transfer.as_bytes())[..]].concat())
    };
    associate(2, called, calling, &contexts.iter().map(context).collect::<Vec<_>>(), user)
}

/// User information of an implementation.
pub(crate) fn implementation(uid: &str, version: &str) -> Vec<Vec<u8>> {
    vec![item(0x51, &16384_u32.to_be_bytes()), item(0x52, uid.as_bytes()), item(0x55, version.as_bytes())]
}

/// User identity with a passcode (PS3.7, D.3.3.7).
pub(crate) fn passcode(user: &str, secret: &str) -> Vec<u8> {
    let field = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    item(0x58, &[&[2, 0][..], &field(user), &field(secret)].concat())
}

/// A P-DATA-TF with one value.
pub(crate) fn data(context: u8, is_command: bool, is_last: bool, fragment: &[u8]) -> Vec<u8> {
    let control = u8::from(is_command) | u8::from(is_last) << 1;
    let length = (fragment.len() as u32 + 2).to_be_bytes();
    pdu(4, &[&length[..], &[context, control], fragment].concat())
}

/// A command set with its group length, as one P-DATA-TF.
pub(crate) fn command(context: u8, field: u16, sop_class: &str, others: &[(u16, &[u8])]) -> Vec<u8> {
    let dataset_type = 1_u16.to_le_bytes();
    let field = field.to_le_bytes();
    let mut elements: Vec<(u16, &[u8])> =
        vec![(0x0002, sop_class.as_bytes()), (0x0100, &field), (0x0800, &dataset_type)];
    elements.extend_from_slice(others);
    elements.sort_by_key(|(number, _)| *number);
    elements.dedup_by_key(|(number, _)| *number);
    let encoder = Encoder { is_explicit: false, is_big: false };
    let body: Vec<u8> =
        elements.iter().flat_map(|(number, value)| encoder.element((0, *number), "UN", value)).collect();
    let length = encoder.element((0, 0), "UL", &(body.len() as u32).to_le_bytes());
    data(context, true, true, &[length, body].concat())
}

/// Writes data elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoder {
    pub(crate) is_explicit: bool,
    pub(crate) is_big: bool,
}

impl Encoder {
    /// For a transfer syntax, without its deflate stream.
    pub(crate) fn of(transfer: &str) -> Self {
        Self { is_explicit: transfer != IMPLICIT_LITTLE, is_big: transfer == EXPLICIT_BIG }
    }

    fn number16(self, number: u16) -> [u8; 2] {
        if self.is_big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn number32(self, number: u32) -> [u8; 4] {
        if self.is_big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn header(self, (group, element): (u16, u16), representation: &str, length: u32) -> Vec<u8> {
        let mut header = [self.number16(group), self.number16(element)].concat();
        let has_long_length = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
            .contains(&representation);
        if !self.is_explicit {
            header.extend(self.number32(length));
        } else if has_long_length {
            header.extend(representation.bytes());
            header.extend([0, 0]);
            header.extend(self.number32(length));
        } else {
            header.extend(representation.bytes());
            header.extend(self.number16(length as u16));
        }
        header
    }

    /// One element; a value of odd length is padded.
    pub(crate) fn element(self, tag: (u16, u16), representation: &str, value: &[u8]) -> Vec<u8> {
        let padding: &[u8] = match (value.len() % 2, representation) {
            (0, _) => b"",
            (_, "UI" | "OB" | "UN") => b"\0",
            _ => b" ",
        };
        let length = (value.len() + padding.len()) as u32;
        [&self.header(tag, representation, length), value, padding].concat()
    }

    /// A sequence of these items, with lengths or with delimiters.
    pub(crate) fn sequence(self, tag: (u16, u16), items: &[Vec<u8>], is_delimited: bool) -> Vec<u8> {
        self.sequence_as("SQ", tag, items, is_delimited)
    }

    /// A sequence that hides behind another value representation.
    pub(crate) fn sequence_as(
        self,
        representation: &str,
        tag: (u16, u16),
        items: &[Vec<u8>],
        is_delimited: bool,
    ) -> Vec<u8> {
        let mark = |element: u16, length: u32| {
            [&self.number16(0xFFFE)[..], &self.number16(element), &self.number32(length)].concat()
        };
        let undefined = u32::MAX;
        let body: Vec<u8> = items
            .iter()
            .flat_map(|item| {
                if is_delimited {
                    [mark(0xE000, undefined), item.clone(), mark(0xE00D, 0)].concat()
                } else {
                    [mark(0xE000, item.len() as u32), item.clone()].concat()
                }
            })
            .collect();
        if is_delimited {
            [self.header(tag, representation, undefined), body, mark(0xE0DD, 0)].concat()
        } else {
            [self.header(tag, representation, body.len() as u32), body].concat()
        }
    }
}
