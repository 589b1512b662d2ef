//! Rows of what people decided and noted, see `deploy/clickhouse` (`commands`, `device_notes`).

use std::fmt::Write as _;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use wardwatch_inventory::LogMoment;
use wardwatch_proto::command::{action, field};
use wardwatch_proto::v1::Command;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::rule_sameness::Verdict;

use crate::memory::Ruling;
use crate::rows::{milliseconds, nanoseconds};

/// A row of `commands`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct CommandRow {
    site: String,
    id: String,
    author: String,
    at: i64,
    action: String,
    subject: String,
    detail: String,
    note: String,
    outcome: String,
    reason: String,
    received: i64,
    source_incarnation: u32,
    source_partition: u32,
    pub(crate) source_offset: u64,
    source_index: u32,
}

impl CommandRow {
    /// The row of a command and what came of it.
    pub(crate) fn new(command: &Command, ruling: &Ruling, at: LogMoment) -> Self {
        let nothing = String::new();
        let (subject, detail, note) = match &command.action {
            Some(Action::AcknowledgeAlert(said)) => (&said.alert, String::new(), &said.note),
            Some(Action::ReopenAlert(said)) => (&said.alert, String::new(), &said.note),
            Some(Action::OverrideAttribute(said)) => {
                let field = field(&said.field).unwrap_or(&said.field);
                let withdrawn = said.value.is_empty();
                let detail = if withdrawn {
                    format!("{field} withdrawn")
                } else {
                    format!("{field} = {}", said.value)
                };
                (&said.device, detail, &said.note)
            }
            Some(Action::RuleSameness(said)) => {
                let detail = match Verdict::try_from(said.verdict).unwrap_or_default() {
                    Verdict::Same => format!("the same as {}", said.other),
                    Verdict::Apart => format!("another than {}", said.other),
                    Verdict::Unspecified => format!("ruling about {} withdrawn", said.other),
                };
                (&said.device, detail, &said.note)
            }
            Some(Action::LoadKnowledgePack(said)) => {
                let detail = if said.content.is_empty() {
                    "withdrawn".to_owned()
                } else {
                    let stated = format!("version {}, sha256 ", said.version);
                    said.sha256.iter().fold(stated, |mut text, octet| {
                        let _ = write!(text, "{octet:02x}");
                        text
                    })
                };
                (&said.name, detail, &said.note)
            }
            Some(Action::AddNote(said)) => (&said.device, String::new(), &said.text),
            Some(Action::AttachDocument(said)) => {
                let product = [&said.manufacturer, &said.model, &said.version].map(String::as_str);
                let product =
                    product.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                let part = said.part.saturating_add(1);
                let detail = format!("{} of {product}, part {part} of {}", said.kind, said.parts);
                (&said.document, detail, &said.note)
            }
            Some(Action::WithdrawDocument(said)) => (&said.document, "withdrawn".to_owned(), &said.note),
            Some(Action::ImportTable(said)) => {
                let detail =
                    format!("part {} of {}, {} rows", u64::from(said.part) + 1, said.parts, said.rows.len());
                (&said.import, detail, &said.note)
            }
            Some(Action::WithdrawImport(said)) => (&said.import, "withdrawn".to_owned(), &said.note),
            None => (&nothing, String::new(), &nothing),
        };
        Self {
            site: command.site.clone(),
            id: command.id.clone(),
            author: command.author.clone(),
            at: nanoseconds(command.at),
            action: action(command).to_owned(),
            subject: subject.clone(),
            detail,
            note: note.clone(),
            outcome: ruling.outcome.name().to_owned(),
            reason: if ruling.problem.is_empty() {
                ruling.reason.to_owned()
            } else {
                format!("{}: {}", ruling.reason, ruling.problem)
            },
            received: milliseconds(at.log_time),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            source_index: 0,
        }
    }
}

/// A row of `device_notes`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct NoteRow {
    site: String,
    device: String,
    at: i64,
    author: String,
    text: String,
    command: String,
    received: i64,
    source_incarnation: u32,
    source_partition: u32,
    pub(crate) source_offset: u64,
    source_index: u32,
}

impl NoteRow {
    /// The row of a note that was applied; `None` for every other command.
    pub(crate) fn new(command: &Command, ruling: &Ruling, at: LogMoment) -> Option<Self> {
        let Some(Action::AddNote(note)) = &command.action else { return None };
        (!ruling.noted.is_empty()).then(|| Self {
            site: command.site.clone(),
            device: ruling.noted.clone(),
            at: nanoseconds(command.at),
            author: command.author.clone(),
            text: note.text.clone(),
            command: command.id.clone(),
            received: milliseconds(at.log_time),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            source_index: 0,
        })
    }
}
