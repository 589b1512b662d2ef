//! What a command of a person may say: the bounds of its parts, asked by whoever submits it, by the collector before it
//! goes into the log, and by the enricher before it is believed.

use sha2::{Digest as _, Sha256};

use crate::document;
use crate::name::is_name;
use crate::v1::command::Action;
use crate::v1::rule_sameness::Verdict;
use crate::v1::{AddNote, Command, LoadKnowledgePack, OverrideAttribute};

mod import;
mod retirement;

pub use import::{
    LARGEST_PART, MOST_PARTS, MOST_VALUES, is_formula, is_importable, speaks_for_a_device, table_kinds,
};
pub use retirement::{RETIRED_SINCE, Retired};

/// The longest note, to a decision or on a device, in octets.
pub const LONGEST_NOTE: usize = 1024;
/// The longest value that a field may be overridden with, in octets.
pub const LONGEST_VALUE: usize = 256;
/// The longest id of a command, an alert or a device, in octets.
const LONGEST_ID: usize = 64;
/// The largest knowledge pack, in octets: half of what a message may have.
pub const LARGEST_PACK: usize = 512 * 1024;

/// The fields of a device that a person may override, as they are called in `changes` and `why`.
pub const FIELDS: &[&str] = &[
    "name",
    "category",
    "subcategory",
    "device_type",
    "manufacturer",
    "model",
    "serial_number",
    "hardware_version",
    "firmware_version",
    "software_name",
    "software_version",
    "udi_di",
    "location",
    "department",
    "institution",
    // Of the profile's fields without a column.
    "type_family",
    "model_family",
    "product_code",
    "fda_class",
    "mobility",
    "operating_system",
    "operating_system_version",
    "criticality",
    "phi_transmits",
    "phi_stores",
    "zone",
    "building",
    "floor",
    "room",
    "asset_tag",
    "assignee",
    "labels",
    RETIRED_SINCE,
];

/// The field of this name, if a person may override it. The column `type` of `devices` is the field `device_type`.
pub fn field(name: &str) -> Option<&'static str> {
    let name = if name == "type" { "device_type" } else { name };
    FIELDS.iter().find(|field| **field == name).copied()
}

/// The word for what a command does, for tables and counters; empty for a kind that this version does not know.
pub fn action(command: &Command) -> &'static str {
    match &command.action {
        None => "",
        Some(Action::AcknowledgeAlert(_)) => "acknowledge_alert",
        Some(Action::ReopenAlert(_)) => "reopen_alert",
        Some(Action::OverrideAttribute(_)) => "override_attribute",
        Some(Action::LoadKnowledgePack(_)) => "load_knowledge_pack",
        Some(Action::RuleSameness(_)) => "rule_sameness",
        Some(Action::AddNote(_)) => "add_note",
        Some(Action::AttachDocument(_)) => "attach_document",
        Some(Action::WithdrawDocument(_)) => "withdraw_document",
        Some(Action::ImportTable(_)) => "import_table",
        Some(Action::WithdrawImport(_)) => "withdraw_import",
    }
}

/// Why a command cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is no action, or one of a newer contract.
    #[error("it asks for nothing that this version knows")]
    NoAction,
    /// The id is missing or is none.
    #[error("its id must have one to {LONGEST_ID} letters, digits and hyphens")]
    BadId,
    /// The site is missing or is no name.
    #[error("it must name a site, in at most 128 octets and without control characters")]
    BadSite,
    /// The author is missing or is no name.
    #[error("it must name its author, in at most 128 octets and without control characters")]
    BadAuthor,
    /// The alert, the device, the pack or the table is missing or cannot be one.
    #[error("what it is about must be named: an alert or a device by its id, a pack or a table by its name")]
    BadSubject,
    /// The field cannot be overridden.
    #[error("this is no field of a device that can be overridden; these are: {}", FIELDS.join(", "))]
    UnknownField,
    /// The value is too long or cannot be shown.
    #[error("a value has at most {LONGEST_VALUE} octets and no control characters")]
    BadValue,
    /// Since when a device is retired is neither a day, a time, `now` nor `never`.
    #[error(
        "{RETIRED_SINCE} is a day (2026-11-01), a time (2026-11-01T08:00:00Z), `now`, or `never` for a device in service"
    )]
    BadMoment,
    /// The note is too long or cannot be shown.
    #[error("a note has at most {LONGEST_NOTE} octets and no control characters but line breaks")]
    BadNote,
    /// A note on a device says nothing.
    #[error("a note on a device must say something")]
    EmptyNote,
    /// The pack is too large.
    #[error("a knowledge pack has at most {LARGEST_PACK} octets")]
    PackTooLarge,
    /// The pack is not UTF-8.
    #[error("a knowledge pack is text in UTF-8")]
    PackNotText,
    /// A document breaks one of its bounds.
    #[error("{0}")]
    BadDocument(document::Problem),
    /// The table is of no system that is known, or its parts are numbered wrongly.
    #[error("a table names its system and its version, and has 1 to {MOST_PARTS} parts, numbered from 0")]
    BadTable,
    /// A row has a value that may not stand there, or nothing by which its device can be found.
    #[error(
        "line {line} of the table: its values must fit their attributes and name a device by its MAC or IP address, \
         serial number, asset tag, host name, or model and location"
    )]
    BadRow {
        /// Of the file.
        line: u32,
    },
    /// The part is too large.
    #[error("a part of a table has at most {LARGEST_PART} octets")]
    PartTooLarge,
    /// The pack is not the one that the digest is of.
    #[error("the knowledge pack does not have the SHA-256 that is given")]
    OtherDigest,
}

impl Malformed {
    /// The reason in a word, for counters and dead letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoAction => "unknown-kind",
            Self::BadId => "bad-id",
            Self::BadSite => "bad-name",
            Self::BadAuthor => "bad-author",
            Self::BadSubject => "bad-subject",
            Self::UnknownField => "unknown-field",
            Self::BadValue => "bad-value",
            Self::BadMoment => "bad-moment",
            Self::BadNote => "bad-note",
            Self::EmptyNote => "empty-note",
            Self::PackTooLarge => "pack-too-large",
            Self::PackNotText => "pack-not-text",
            Self::BadDocument(problem) => problem.word(),
            Self::OtherDigest => "other-digest",
            Self::BadTable => "bad-table",
            Self::BadRow { .. } => "bad-row",
            Self::PartTooLarge => "part-too-large",
        }
    }
}

/// Whether a command stays within its bounds. What it names need not exist.
///
/// # Errors
/// The first bound that it breaks.
pub fn check(command: &Command) -> Result<(), Malformed> {
    let Some(action) = &command.action else { return Err(Malformed::NoAction) };
    let may_be_for_all = matches!(
        action,
        Action::LoadKnowledgePack(_) | Action::AttachDocument(_) | Action::WithdrawDocument(_)
    );
    let is_for_all = command.site.is_empty() && may_be_for_all;
    ensure(is_for_all || is_name(&command.site), Malformed::BadSite)?;
    ensure(is_id(&command.id), Malformed::BadId)?;
    ensure(is_name(&command.author), Malformed::BadAuthor)?;
    let note = match action {
        Action::AcknowledgeAlert(acknowledge) => {
            ensure(is_id(&acknowledge.alert), Malformed::BadSubject)?;
            &acknowledge.note
        }
        Action::ReopenAlert(reopen) => {
            ensure(is_id(&reopen.alert), Malformed::BadSubject)?;
            &reopen.note
        }
        Action::OverrideAttribute(override_attribute) => check_override(override_attribute)?,
        Action::LoadKnowledgePack(load) => check_pack(load)?,
        Action::RuleSameness(rule) => {
            ensure(is_id(&rule.device) && is_id(&rule.other), Malformed::BadSubject)?;
            ensure(Verdict::try_from(rule.verdict).is_ok(), Malformed::NoAction)?;
            &rule.note
        }
        Action::AddNote(note) => check_note(note)?,
        Action::AttachDocument(attach) => {
            document::check(attach).map_err(Malformed::BadDocument)?;
            &attach.note
        }
        Action::WithdrawDocument(withdraw) => {
            ensure(is_id(&withdraw.document), Malformed::BadSubject)?;
            &withdraw.note
        }
        Action::ImportTable(table) => import::check(table)?,
        Action::WithdrawImport(withdraw) => {
            ensure(is_name(&withdraw.import), Malformed::BadSubject)?;
            &withdraw.note
        }
    };
    let is_readable = |c: char| c == '\n' || !c.is_control();
    ensure(note.len() <= LONGEST_NOTE && note.chars().all(is_readable), Malformed::BadNote)
}

fn check_override(command: &OverrideAttribute) -> Result<&String, Malformed> {
    ensure(is_id(&command.device), Malformed::BadSubject)?;
    ensure(field(&command.field).is_some(), Malformed::UnknownField)?;
    let is_blank = !command.value.is_empty() && command.value.trim().is_empty();
    let fits = command.value.len() <= LONGEST_VALUE && !command.value.contains(char::is_control);
    ensure(fits && !is_blank, Malformed::BadValue)?;
    let is_moment = command.value.is_empty() || Retired::read(&command.value).is_some();
    ensure(command.field != RETIRED_SINCE || is_moment, Malformed::BadMoment)?;
    Ok(&command.note)
}

fn check_note(note: &AddNote) -> Result<&String, Malformed> {
    ensure(is_id(&note.device), Malformed::BadSubject)?;
    ensure(!note.text.trim().is_empty(), Malformed::EmptyNote)?;
    Ok(&note.text)
}

fn check_pack(load: &LoadKnowledgePack) -> Result<&String, Malformed> {
    ensure(is_name(&load.name) && load.version.len() <= LONGEST_ID, Malformed::BadSubject)?;
    ensure(load.content.len() <= LARGEST_PACK, Malformed::PackTooLarge)?;
    ensure(std::str::from_utf8(&load.content).is_ok(), Malformed::PackNotText)?;
    ensure(load.sha256 == digest(&load.content), Malformed::OtherDigest)?;
    Ok(&load.note)
}

/// The SHA-256 of a pack's content; empty for no content.
pub fn digest(content: &[u8]) -> Vec<u8> {
    if content.is_empty() { Vec::new() } else { Sha256::digest(content).to_vec() }
}

pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_ID && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn ensure(holds: bool, otherwise: Malformed) -> Result<(), Malformed> {
    if holds { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{AcknowledgeAlert, WithdrawDocument};

    fn command(action: Action) -> Command {
        Command {
            id: "6f1c9a52-7f0f-4f0e-8f57-0d4f7f0c5a11".into(),
            site: "north".into(),
            author: "j.doe".into(),
            at: 1,
            action: Some(action),
        }
    }

    fn acknowledge(note: &str) -> Action {
        Action::AcknowledgeAlert(AcknowledgeAlert { alert: "a-1".into(), note: note.into() })
    }

    fn override_attribute(field: &str, value: &str) -> Action {
        Action::OverrideAttribute(OverrideAttribute {
            device: "d-1".into(),
            field: field.into(),
            value: value.into(),
            ..OverrideAttribute::default()
        })
    }

    fn note(text: &str) -> Action {
        Action::AddNote(AddNote { device: "d-1".into(), text: text.into() })
    }

    fn load(content: &[u8]) -> LoadKnowledgePack {
        LoadKnowledgePack {
            name: "north".into(),
            version: "1".into(),
            sha256: digest(content),
            content: content.into(),
            ..LoadKnowledgePack::default()
        }
    }

    #[test]
    fn a_command_within_its_bounds_passes() {
        for action in [
            acknowledge("known\nsince May"),
            override_attribute("location", "Room 7"),
            override_attribute("type", ""),
            override_attribute(RETIRED_SINCE, "2026-11-01"),
            override_attribute(RETIRED_SINCE, ""),
            Action::LoadKnowledgePack(load(b"version = \"1\"")),
            note("the gantry squeaks\nvendor knows"),
        ] {
            assert_eq!(check(&command(action)), Ok(()));
        }
    }

    #[test]
    fn each_bound_has_its_reason() {
        let long = "n".repeat(LONGEST_NOTE + 1);
        let other = LoadKnowledgePack { sha256: vec![0; 32], ..load(b"version = \"1\"") };
        let broken = [
            (acknowledge(&long), Malformed::BadNote),
            (acknowledge("\u{1b}[2J"), Malformed::BadNote),
            (note(&long), Malformed::BadNote),
            (note("\u{1b}[2J"), Malformed::BadNote),
            (note(" \n "), Malformed::EmptyNote),
            (override_attribute("score", "0"), Malformed::UnknownField),
            (override_attribute("location", "  "), Malformed::BadValue),
            (override_attribute(RETIRED_SINCE, "soon"), Malformed::BadMoment),
            (override_attribute("location", &"n".repeat(LONGEST_VALUE + 1)), Malformed::BadValue),
            (Action::LoadKnowledgePack(load(&vec![b'#'; LARGEST_PACK + 1])), Malformed::PackTooLarge),
            (Action::LoadKnowledgePack(load(b"\xff")), Malformed::PackNotText),
            (Action::LoadKnowledgePack(other), Malformed::OtherDigest),
        ];
        for (action, reason) in broken {
            assert_eq!(check(&command(action)), Err(reason));
        }
        let whole = command(acknowledge(""));
        assert_eq!(check(&Command { action: None, ..whole.clone() }), Err(Malformed::NoAction));
        assert_eq!(check(&Command { id: "a b".into(), ..whole.clone() }), Err(Malformed::BadId));
        assert_eq!(check(&Command { author: String::new(), ..whole.clone() }), Err(Malformed::BadAuthor));
        assert_eq!(check(&Command { site: String::new(), ..whole }), Err(Malformed::BadSite));
    }

    #[test]
    fn only_knowledge_and_documents_can_be_for_all_sites() {
        let withdraw = WithdrawDocument { document: "d-1".into(), ..WithdrawDocument::default() };
        for of_all in [Action::LoadKnowledgePack(load(b"")), Action::WithdrawDocument(withdraw)] {
            assert_eq!(check(&Command { site: String::new(), ..command(of_all) }), Ok(()));
        }
        for action in [override_attribute("model", "X1"), note("x")] {
            let all = Command { site: String::new(), ..command(action) };
            assert_eq!(check(&all), Err(Malformed::BadSite));
        }
    }

    #[test]
    fn a_field_goes_by_its_column_too() {
        assert_eq!(field("type"), Some("device_type"));
        assert_eq!(field("device_type"), Some("device_type"));
        assert_eq!(field("score"), None);
    }
}
