//! The bounds of a document that is attached to a product (`AttachDocument`), and how one is cut into parts.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::command::is_id;
use crate::v1::{Answer, AttachDocument, Component};

/// The largest part, in octets: half of what a message may have.
pub const LARGEST_PART: usize = 512 * 1024;
/// The most parts of one document.
pub const MOST_PARTS: u32 = 64;
/// The most entries of one part: all of their rows must stand in one insert.
pub const MOST_ENTRIES_OF_PART: usize = 8192;
/// The longest field of a document or a component but those below, in octets.
const LONGEST_FIELD: usize = 512;
/// The longest package URL, CPE or licence, in octets.
const LONGEST_IDENTIFIER: usize = 1024;
/// The longest question, answer or note, in octets.
const LONGEST_TEXT: usize = 4096;
/// Digests of one component.
const MOST_HASHES: usize = 8;
/// Room in a part for what it says of the whole.
const HEAD: usize = 16 * 1024;

/// Why a part of a document cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is known by no id.
    #[error("a document is known by an id of one to 64 letters and digits")]
    NoId,
    /// Its digest is none.
    #[error("a document has the SHA-256 of its file")]
    NoDigest,
    /// It is of no kind that is known.
    #[error("a document is an sbom or an mds2")]
    UnknownKind,
    /// It is attached to nothing.
    #[error("a document is attached to a manufacturer and a model")]
    NoProduct,
    /// A field cannot be shown.
    #[error("a field of a document or of an entry is too long or holds control characters")]
    BadField,
    /// It has too many parts, or is none of them.
    #[error("a document has at most {MOST_PARTS} parts, numbered from 0")]
    BadPart,
    /// It has too many entries, none, those of another kind, or their numbers cannot be.
    #[error("a part has one to {MOST_ENTRIES_OF_PART} entries of its kind, within those of the whole")]
    BadEntries,
    /// It is larger than a part may be.
    #[error("a part of a document has at most {LARGEST_PART} octets")]
    TooLarge,
}

impl Problem {
    /// The reason in a word, for counters and dead letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoId | Self::NoProduct => "bad-subject",
            Self::NoDigest => "other-digest",
            Self::UnknownKind => "unknown-kind-of-document",
            Self::BadField => "bad-value",
            Self::BadPart => "bad-part",
            Self::BadEntries => "bad-entries",
            Self::TooLarge => "part-too-large",
        }
    }
}

/// What a file that is attached to a product is known by: the first 128 bits, in hexadecimal, of the SHA-256 of its own
/// SHA-256 and the product. The same file can be attached to several products.
pub fn document_id(sha256: &[u8], manufacturer: &str, model: &str, version: &str) -> String {
    let mut digest = Sha256::new();
    for part in [sha256, manufacturer.as_bytes(), model.as_bytes(), version.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(16).fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

/// Cuts a document into parts that stay within the bounds; their numbers are filled in.
///
/// # Errors
/// [`Problem::BadPart`] where it has more parts than may be; [`Problem::BadEntries`] where it has no entries.
pub fn parts(mut whole: AttachDocument) -> Result<Vec<AttachDocument>, Problem> {
    let components = std::mem::take(&mut whole.components);
    let answers = std::mem::take(&mut whole.answers);
    whole.entries = (components.len() + answers.len()) as u32;
    let mut cut = Cut { whole, parts: Vec::new(), octets: 0, next: 0 };
    for component in components {
        let octets = component.encoded_len();
        cut.part_with_room(octets).components.push(component);
    }
    for answer in answers {
        let octets = answer.encoded_len();
        cut.part_with_room(octets).answers.push(answer);
    }
    let mut parts = cut.parts;
    let count = parts.len() as u32;
    match count {
        0 => Err(Problem::BadEntries),
        1..=MOST_PARTS => {
            for part in &mut parts {
                part.parts = count;
            }
            Ok(parts)
        }
        _ => Err(Problem::BadPart),
    }
}

/// A document that is being cut.
struct Cut {
    /// Without entries.
    whole: AttachDocument,
    parts: Vec<AttachDocument>,
    /// Of the entries of the last part.
    octets: usize,
    /// The number of the next entry.
    next: u32,
}

impl Cut {
    /// The part that an entry of this many octets goes into.
    fn part_with_room(&mut self, octets: usize) -> &mut AttachDocument {
        // What an entry takes beside itself: its key and its length.
        let octets = octets + 8;
        let is_full = self.parts.last().is_none_or(|last| {
            let entries = last.components.len() + last.answers.len();
            entries >= MOST_ENTRIES_OF_PART || self.octets + octets + HEAD > LARGEST_PART
        });
        if is_full {
            let part = self.parts.len() as u32;
            self.parts.push(AttachDocument { part, first: self.next, ..self.whole.clone() });
            self.octets = 0;
        }
        self.octets += octets;
        self.next += 1;
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }
}

/// Whether a part stays within its bounds.
///
/// # Errors
/// The first bound that it breaks.
pub fn check(part: &AttachDocument) -> Result<(), Problem> {
    ensure(is_id(&part.document), Problem::NoId)?;
    ensure(part.sha256.len() == 32, Problem::NoDigest)?;
    let (of_kind, of_other) = match part.kind.as_str() {
        "sbom" => (part.components.len(), part.answers.len()),
        "mds2" => (part.answers.len(), part.components.len()),
        _ => return Err(Problem::UnknownKind),
    };
    let product = [&part.manufacturer, &part.model];
    ensure(product.iter().all(|name| !name.trim().is_empty()), Problem::NoProduct)?;
    let head = [&part.format, &part.manufacturer, &part.model, &part.version, &part.title, &part.date];
    ensure(head.iter().all(|text| is_line(text, LONGEST_FIELD)), Problem::BadField)?;
    ensure(part.parts <= MOST_PARTS && part.part < part.parts, Problem::BadPart)?;
    let end = u64::from(part.first) + of_kind as u64;
    let fits = (1..=MOST_ENTRIES_OF_PART).contains(&of_kind) && of_other == 0;
    let most = u64::from(MOST_PARTS) * MOST_ENTRIES_OF_PART as u64;
    ensure(fits && end <= u64::from(part.entries) && end <= most, Problem::BadEntries)?;
    ensure(part.encoded_len() <= LARGEST_PART, Problem::TooLarge)?;
    let numbers = part.first..;
    for (index, component) in numbers.zip(&part.components) {
        ensure(component.parent <= index, Problem::BadEntries)?;
        ensure(is_sound(component), Problem::BadField)?;
    }
    ensure(part.answers.iter().all(is_answer), Problem::BadField)
}

fn is_sound(component: &Component) -> bool {
    let Component { kind, name, version, supplier, purl, cpe, licence, hashes, parent: _, depth } = component;
    let is_named = !name.trim().is_empty();
    let fields = [kind, name, version, supplier].iter().all(|text| is_line(text, LONGEST_FIELD));
    let identifiers = [purl, cpe, licence].iter().all(|text| is_line(text, LONGEST_IDENTIFIER));
    let digests = hashes.len() <= MOST_HASHES && hashes.iter().all(|hash| is_line(hash, 160));
    is_named && fields && identifiers && digests && *depth <= 255
}

fn is_answer(of: &Answer) -> bool {
    let Answer { section, question, text, answer, note } = of;
    let is_asked = !question.trim().is_empty();
    let signs = [section, question].iter().all(|text| is_line(text, 64));
    is_asked && signs && [text, answer, note].iter().all(|text| is_line(text, LONGEST_TEXT))
}

fn is_line(text: &str, longest: usize) -> bool {
    text.len() <= longest && !text.contains(char::is_control)
}

fn ensure(holds: bool, otherwise: Problem) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(components: usize) -> AttachDocument {
        let component = |number: usize| Component {
            name: format!("part {number}"),
            parent: number.min(1) as u32,
            ..Component::default()
        };
        AttachDocument {
            document: document_id(&[1; 32], "Acme", "X1", ""),
            sha256: vec![1; 32],
            kind: "sbom".into(),
            manufacturer: "Acme".into(),
            model: "X1".into(),
            components: (0..components).map(component).collect(),
            ..AttachDocument::default()
        }
    }

    #[test]
    fn a_document_is_cut_into_parts_that_pass_and_lose_nothing() {
        for count in [1, MOST_ENTRIES_OF_PART, MOST_ENTRIES_OF_PART + 1, 30_000] {
            let parts = parts(whole(count)).expect("parts");
            let mut next = 0;
            for (number, part) in parts.iter().enumerate() {
                assert_eq!(check(part), Ok(()));
                assert_eq!((part.part as usize, part.parts as usize), (number, parts.len()));
                assert_eq!((part.first, part.entries as usize), (next, count));
                next += part.components.len() as u32;
            }
            assert_eq!(next as usize, count);
        }
        let mut large = whole(0);
        let text = "x".repeat(4000);
        let answer =
            |number| Answer { question: format!("AUDT-{number}"), text: text.clone(), ..Answer::default() };
        large.kind = "mds2".into();
        large.answers = (0..2000).map(answer).collect();
        let cut = parts(large).expect("parts");
        assert!(cut.len() > 10 && cut.iter().all(|part| check(part).is_ok()));
        assert_eq!(parts(whole(0)), Err(Problem::BadEntries));
        assert_eq!(parts(whole(65 * MOST_ENTRIES_OF_PART)), Err(Problem::BadPart));
    }

    #[test]
    fn each_bound_has_its_reason() {
        let sound = parts(whole(3)).expect("parts").remove(0);
        let with = |change: fn(&mut AttachDocument)| {
            let mut part = sound.clone();
            change(&mut part);
            check(&part)
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|part| part.document = "../etc".into()), Err(Problem::NoId));
        assert_eq!(with(|part| part.sha256 = vec![1]), Err(Problem::NoDigest));
        assert_eq!(with(|part| part.kind = "vex".into()), Err(Problem::UnknownKind));
        assert_eq!(with(|part| part.model = "  ".into()), Err(Problem::NoProduct));
        assert_eq!(with(|part| part.title = "a\u{7}".into()), Err(Problem::BadField));
        assert_eq!(with(|part| part.components[1].name = String::new()), Err(Problem::BadField));
        assert_eq!(with(|part| part.components[1].cpe = "x".repeat(1025)), Err(Problem::BadField));
        assert_eq!(with(|part| part.part = 1), Err(Problem::BadPart));
        assert_eq!(with(|part| part.parts = 65), Err(Problem::BadPart));
        assert_eq!(with(|part| part.components.clear()), Err(Problem::BadEntries));
        assert_eq!(with(|part| part.first = 1), Err(Problem::BadEntries));
        assert_eq!(with(|part| part.components[1].parent = 2), Err(Problem::BadEntries));
        assert_eq!(with(|part| part.answers.push(Answer::default())), Err(Problem::BadEntries));
    }

    #[test]
    fn the_same_file_of_another_product_is_another_document() {
        let id = |model| document_id(&[1; 32], "Acme", model, "");
        assert_eq!(id("X1"), id("X1"));
        assert_ne!(id("X1"), id("X2"));
        assert_ne!(document_id(&[], "ab", "c", ""), document_id(&[], "a", "bc", ""));
    }
}
