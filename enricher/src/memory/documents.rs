//! Documents that are attached to products: what each says of itself, and which of its parts have come. What it says of the
//! product is in the tables alone.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use wardwatch_proto::v1::{AttachDocument, Command};

/// Documents of all sites together in one partition; one more is ignored until another is withdrawn.
pub(super) const MOST_DOCUMENTS: usize = 4096;

/// What is known of a document; the encoding is that of the stored memory.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Attached {
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    #[prost(string, tag = "2")]
    pub(crate) format: String,
    /// The name that the knowledge has for it.
    #[prost(string, tag = "3")]
    pub(crate) manufacturer: String,
    #[prost(string, tag = "4")]
    pub(crate) manufacturer_stated: String,
    #[prost(string, tag = "5")]
    pub(crate) model: String,
    /// Empty for all.
    #[prost(string, tag = "6")]
    pub(crate) model_version: String,
    #[prost(string, tag = "7")]
    pub(crate) title: String,
    #[prost(string, tag = "8")]
    pub(crate) date: String,
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) sha256: Vec<u8>,
    #[prost(uint32, tag = "10")]
    pub(crate) entries: u32,
    #[prost(uint32, tag = "11")]
    pub(crate) left_out: u32,
    #[prost(uint32, tag = "12")]
    pub(crate) parts: u32,
    /// A bit for each part that has come.
    #[prost(fixed64, tag = "13")]
    held: u64,
    #[prost(string, tag = "14")]
    pub(crate) author: String,
    #[prost(fixed64, tag = "15")]
    pub(crate) at: u64,
    #[prost(string, tag = "16")]
    pub(crate) note: String,
}

impl Attached {
    /// How many of its parts have come.
    pub(crate) fn parts_held(&self) -> u32 {
        self.held.count_ones()
    }
}

/// What is told of a document after a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) document: String,
    pub(crate) attached: Attached,
    pub(crate) is_withdrawn: bool,
}

/// Site (empty for all) and id.
type Key = (String, String);

/// The documents.
#[derive(Debug, Default)]
pub(super) struct Documents {
    attached: BTreeMap<Key, Attached>,
    /// Those whose entry is to be stored, or removed.
    changed: BTreeSet<Key>,
}

impl Documents {
    /// Takes in a part, and says what is known of the document then, or in a word why nothing came of it.
    pub(super) fn attach(
        &mut self,
        part: &AttachDocument,
        manufacturer: &str,
        command: &Command,
    ) -> Result<Told, &'static str> {
        let key = (command.site.clone(), part.document.clone());
        let known = self.attached.get(&key);
        if known.is_none() && self.attached.len() >= MOST_DOCUMENTS {
            return Err("too-many-documents");
        }
        // One that is cut otherwise was read by another version; what that one sent is replaced.
        let is_same = |known: &&Attached| (known.parts, known.entries) == (part.parts, part.entries);
        let held = known.filter(is_same).map_or(0, |known| known.held);
        let attached = Attached {
            kind: part.kind.clone(),
            format: part.format.clone(),
            manufacturer: manufacturer.to_owned(),
            manufacturer_stated: part.manufacturer.clone(),
            model: part.model.clone(),
            model_version: part.version.clone(),
            title: part.title.clone(),
            date: part.date.clone(),
            sha256: part.sha256.clone(),
            entries: part.entries,
            left_out: part.left_out,
            parts: part.parts,
            // A part's number is below 64.
            held: held | 1_u64.checked_shl(part.part).unwrap_or(0),
            author: command.author.clone(),
            at: command.at,
            note: part.note.clone(),
        };
        self.changed.insert(key.clone());
        self.attached.insert(key, attached.clone());
        Ok(Told { document: part.document.clone(), attached, is_withdrawn: false })
    }

    /// Takes a document away, and says what was known of it, or in a word why nothing came of it.
    pub(super) fn withdraw(
        &mut self,
        site: &str,
        document: &str,
        command: &Command,
    ) -> Result<Told, &'static str> {
        let key = (site.to_owned(), document.to_owned());
        let known = self.attached.remove(&key).ok_or("unknown-document")?;
        self.changed.insert(key);
        let attached = Attached { author: command.author.clone(), at: command.at, ..known };
        Ok(Told { document: document.to_owned(), attached, is_withdrawn: true })
    }

    /// Takes in what was stored of a document.
    pub(super) fn restore(
        &mut self,
        site: String,
        document: String,
        value: &[u8],
    ) -> Result<(), prost::DecodeError> {
        self.attached.insert((site, document), Attached::decode(value)?);
        Ok(())
    }

    /// Documents and what is to be stored of each; nothing where it is to be removed.
    pub(super) fn take_changed(&mut self) -> Vec<(Key, Vec<u8>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed
            .map(|key| {
                let value = self.attached.get(&key).map(Attached::encode_to_vec).unwrap_or_default();
                (key, value)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(document: &str, part: u32, parts: u32) -> AttachDocument {
        AttachDocument { document: document.into(), part, parts, entries: 9, ..AttachDocument::default() }
    }

    #[test]
    fn a_document_is_whole_when_its_parts_have_come_in_any_order_however_often() {
        let (mut documents, command) = (Documents::default(), Command::default());
        let mut held = |number| {
            let told = documents.attach(&part("d1", number, 3), "Acme", &command).expect("room");
            told.attached.parts_held()
        };
        assert_eq!([held(2), held(0), held(2), held(1)], [1, 2, 2, 3]);
        let other = AttachDocument { entries: 10, ..part("d1", 0, 3) };
        let told = documents.attach(&other, "Acme", &command).expect("room");
        assert_eq!(told.attached.parts_held(), 1, "it was read anew");
    }

    #[test]
    fn there_is_an_end_and_what_is_withdrawn_makes_room() {
        let (mut documents, command) = (Documents::default(), Command::default());
        for number in 0..MOST_DOCUMENTS {
            documents.attach(&part(&format!("d{number}"), 0, 1), "Acme", &command).expect("room");
        }
        let one_more = part("one more", 0, 1);
        assert_eq!(documents.attach(&one_more, "Acme", &command), Err("too-many-documents"));
        documents.attach(&part("d7", 0, 1), "Acme", &command).expect("it is there already");
        assert!(documents.withdraw("", "d7", &command).expect("known").is_withdrawn);
        assert_eq!(documents.withdraw("", "d7", &command), Err("unknown-document"));
        assert_eq!(documents.withdraw("north", "d8", &command), Err("unknown-document"));
        documents.attach(&one_more, "Acme", &command).expect("room");
        let (stored, removed): (Vec<_>, Vec<_>) =
            documents.take_changed().into_iter().partition(|(_, value)| !value.is_empty());
        assert_eq!((stored.len(), removed.len()), (MOST_DOCUMENTS, 1));
    }
}
